"""The simulator: the servers together, started and stopped as one."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from sandbox.calls import CallLog
from sandbox.faults import Faults
from sandbox.slack.api.asked import Api, Granted
from sandbox.slack.api.server import PREFIX, ApiServer
from sandbox.slack.config import SimulatorConfig
from sandbox.slack.control import Control
from sandbox.slack.control_server import ControlServer
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
        self._runner: web.AppRunner | None = None
        self._port = given.port

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/link", self.sockets.connect)
        control = ControlServer(self)
        control.add_to(app)
        for each in (self.server, self.downloads, self._responding):
            each.add_to(app)
        app.on_shutdown.append(control.stop)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, self.config.host, self.config.port).start()
        self._port = runner.addresses[0][1]
        self.sockets.url = self.socket_url
        self.world.files.base = f"http://{self.config.host}:{self._port}"
        self._runner = runner
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.delivery.close()
        self.sockets.drop()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.posting.close()
        self.calls.close()
        self.world.close()

    @property
    def api_url(self) -> str:
        """The base of the Web API, for `AsyncWebClient(base_url=…)`; it ends with a slash."""
        return f"http://{self.config.host}:{self._port}{PREFIX}/"

    @property
    def socket_url(self) -> str:
        """What the addresses of apps.connections.open begin with."""
        return f"ws://{self.config.host}:{self._port}/link"

    @property
    def control_url(self) -> str:
        """The base of the control API."""
        return f"http://{self.config.host}:{self._port}/control"

    def addresses(self) -> dict[str, str | int]:
        """What `python -m sandbox.slack` prints when it is ready."""
        return {"api": self.api_url, "socket": self.socket_url, "control": self.control_url, "pid": os.getpid()}

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 5.0) -> T:
        """Return the first truthy value of `predicate`, asked now and after each change of the world, the call log, a
        connection or a delivery.

        Raises `TimeoutError` after `timeout` seconds.
        """
        return await self.world.changes.wait_for(predicate, timeout)
