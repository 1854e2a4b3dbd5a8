"""The simulator: the servers together, started and stopped as one."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from sandbox.calls import CallLog
from sandbox.faults import Faults
from sandbox.telegram.api.asked import Api
from sandbox.telegram.api.server import ApiServer, Granted
from sandbox.telegram.config import SimulatorConfig
from sandbox.telegram.control import Control
from sandbox.telegram.control_server import ControlServer
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
        self._runner: web.AppRunner | None = None
        self._port = given.port

    async def __aenter__(self) -> Self:
        # A little over ten files of an album; what one file may have is checked where it is taken.
        app = web.Application(client_max_size=10 * (self.config.upload_limit + FORM))
        control = ControlServer(self)
        control.add_to(app)
        for each in (self.server, self.downloads):
            each.add_to(app)
        app.on_shutdown.append(control.stop)
        app.on_shutdown.append(self._release)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, self.config.host, self.config.port).start()
        self._port = runner.addresses[0][1]
        self._runner = runner
        self.webhooks.wake()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.webhooks.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self.calls.close()
        self.world.close()

    async def _release(self, _: web.Application) -> None:
        self.updates.release(cut=True)

    @property
    def api_url(self) -> str:
        """What comes before the token, for `Bot(base_url=…)`."""
        return f"http://{self.config.host}:{self._port}/bot"

    @property
    def file_url(self) -> str:
        """What comes before the token in the addresses of files, for `Bot(base_file_url=…)`."""
        return f"http://{self.config.host}:{self._port}/file/bot"

    @property
    def control_url(self) -> str:
        """The base of the control API."""
        return f"http://{self.config.host}:{self._port}/control"

    def addresses(self) -> dict[str, str | int]:
        """What `python -m sandbox.telegram` prints when it is ready."""
        return {"api": self.api_url, "file": self.file_url, "control": self.control_url, "pid": os.getpid()}

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 5.0) -> T:
        """Return the first truthy value of `predicate`, asked now and after each change of the world, the call log or the
        updates on their way.

        Raises `TimeoutError` after `timeout` seconds.
        """
        return await self.world.changes.wait_for(predicate, timeout)
