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
from sandbox.slack.api.asked import Api, Granted
from sandbox.slack.api.server import PREFIX, ApiServer
from sandbox.slack.config import SimulatorConfig
from sandbox.slack.control import Control
from sandbox.slack.control_server import control_server
from sandbox.slack.downloads import Downloads
from sandbox.slack.limits import Limits
from sandbox.slack.posting import Posting
from sandbox.slack.responding import Responding
from sandbox.slack.sending import Delivery
from sandbox.slack.sockets import Sockets
from sandbox.slack.world import World

T = TypeVar("T")


class Simulator(Control):
    """A Slack on loopback. Use it as an async context manager; inside, all that `Control` can do is at hand."""

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self.config = config or SimulatorConfig()
        given = self.config
        world = World(given)
        beside = given.state and Path(f"{given.state}.calls")
        calls = CallLog(world.changes, beside, clock=given.clock, monotonic=given.monotonic)
        faults, limits = Faults(given.seed), Limits()
        granted = Granted(
            token=given.token,
            app_token=given.app_token,
            scopes=frozenset(given.scopes),
            subscriptions=frozenset(given.subscriptions),
            agent=given.agent,
            agent_sessions=given.agent_sessions,
            streaming=given.streaming,
            messages_tab=given.messages_tab,
            home_tab=given.home_tab,
        )
        sockets, posting, delivery = Sockets(world, given), Posting(given), Delivery(world, given)
        delivery.send = posting.send if given.request_url else sockets.send
        server = ApiServer(Api(world, given, granted, sockets.ticket), calls, faults, limits)
        downloads = Downloads(world, granted, calls, faults)
        super().__init__(world, granted, delivery, sockets, posting, server, downloads, calls, faults, limits)
        self._responding = Responding(world, calls, faults)
        self._site = Site(self.config.host, self.config.port)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/link", self.sockets.connect)
        control_server(self).add_to(app)
        for each in (self.server, self.downloads, self._responding):
            each.add_to(app)
        await self._site.start(app, shutdown_timeout=1.0)
        self.sockets.url = self.socket_url
        self.world.files.base = self._site.url
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.delivery.close()
        self.sockets.drop()
        await self._site.stop()
        await self.posting.close()
        self.calls.close()
        self.world.close()

    @property
    def api_url(self) -> str:
        """The base of the Web API, for `AsyncWebClient(base_url=…)`; it ends with a slash."""
        return f"{self._site.url}{PREFIX}/"

    @property
    def socket_url(self) -> str:
        """What the addresses of apps.connections.open begin with."""
        return f"ws://{self._site.address}/link"

    @property
    def control_url(self) -> str:
        """The base of the control API."""
        return f"{self._site.url}/control"

    def addresses(self) -> dict[str, str | int]:
        """What `python -m sandbox.slack` prints when it is ready."""
        return {"api": self.api_url, "socket": self.socket_url, "control": self.control_url, "pid": os.getpid()}

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 30.0) -> T:
        """Return the first truthy value of `predicate`, asked now and after each change of the world, the call log, a
        connection or a delivery.

        Raises `TimeoutError` after `timeout` seconds.
        """
        return await self.world.changes.wait_for(predicate, timeout)
