"""The simulator: the servers together, started and stopped as one."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from sandbox.calls import CallLog
from sandbox.faults import Faults
from sandbox.serving import Site
from sandbox.telegram.api.asked import Api
from sandbox.telegram.api.server import ApiServer, Granted
from sandbox.telegram.config import SimulatorConfig
from sandbox.telegram.control import Control
from sandbox.telegram.control_server import control_server
from sandbox.telegram.downloads import Downloads
from sandbox.telegram.limits import Limits
from sandbox.telegram.updates import Updates
from sandbox.telegram.webhooks import Webhooks
from sandbox.telegram.world import World

T = TypeVar("T")
FORM = 64 * 1024
"""Bytes that a call may have besides its file."""


class Simulator(Control):
    """A Telegram on loopback. Use it as an async context manager; inside, all that `Control` can do is at hand."""

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self.config = config or SimulatorConfig()
        given = self.config
        world = World(given)
        beside = given.state and Path(f"{given.state}.calls")
        calls = CallLog(world.changes, beside, clock=given.clock, monotonic=given.monotonic)
        faults, limits, granted = Faults(given.seed), Limits(given), Granted(given.token)
        updates = Updates(world)
        webhooks = Webhooks(world, updates)
        server = ApiServer(Api(world, given, updates, webhooks), granted, calls, faults, limits)
        downloads = Downloads(world, granted, calls, faults)
        super().__init__(world, granted, updates, webhooks, server, downloads, calls, faults, limits)
        self._site = Site(self.config.host, self.config.port)

    async def __aenter__(self) -> Self:
        # A little over ten files of an album; what one file may have is checked where it is taken.
        app = web.Application(client_max_size=10 * (self.config.upload_limit + FORM))
        control_server(self).add_to(app)
        for each in (self.server, self.downloads):
            each.add_to(app)
        app.on_shutdown.append(self._release)
        await self._site.start(app, shutdown_timeout=1.0)
        self.webhooks.wake()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.webhooks.close()
        await self._site.stop()
        self.calls.close()
        self.world.close()

    async def _release(self, _: web.Application) -> None:
        self.updates.release(cut=True)

    @property
    def api_url(self) -> str:
        """What comes before the token, for `Bot(base_url=…)`."""
        return f"{self._site.url}/bot"

    @property
    def file_url(self) -> str:
        """What comes before the token in the addresses of files, for `Bot(base_file_url=…)`."""
        return f"{self._site.url}/file/bot"

    @property
    def control_url(self) -> str:
        """The base of the control API."""
        return f"{self._site.url}/control"

    def addresses(self) -> dict[str, str | int]:
        """What `python -m sandbox.telegram` prints when it is ready."""
        return {"api": self.api_url, "file": self.file_url, "control": self.control_url, "pid": os.getpid()}

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 30.0) -> T:
        """Return the first truthy value of `predicate`, asked now and after each change of the world, the call log or the
        updates on their way.

        Raises `TimeoutError` after `timeout` seconds.
        """
        return await self.world.changes.wait_for(predicate, timeout)
