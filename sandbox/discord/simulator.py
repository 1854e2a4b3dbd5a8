"""The simulator: the servers together, started and stopped as one."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from sandbox.calls import CallLog
from sandbox.discord.cdn import Cdn
from sandbox.discord.config import SimulatorConfig
from sandbox.discord.control import Control
from sandbox.discord.control_server import control_server
from sandbox.discord.gateway import Gateway
from sandbox.discord.limits import Limits
from sandbox.discord.rest.asked import Api
from sandbox.discord.rest.server import PREFIX, RestServer
from sandbox.discord.world import World
from sandbox.faults import Faults
from sandbox.serving import Site

T = TypeVar("T")


class Simulator(Control):
    """A Discord on loopback. Use it as an async context manager; inside, all that `Control` can do is at hand."""

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self.config = config or SimulatorConfig()
        world = World(self.config)
        beside = self.config.state and Path(f"{self.config.state}.calls")
        calls = CallLog(world.changes, beside, clock=self.config.clock, monotonic=self.config.monotonic)
        gateway = Gateway(world, self.config)
        faults = Faults(self.config.seed)
        limits = Limits(self.config.global_limit)
        api = Api(
            world,
            self.config,
            old_edits={},
            gateway_url=lambda: self.gateway_url,
            message_content=lambda: gateway.message_content,
        )
        rest = RestServer(api, calls, faults, limits)
        super().__init__(world, gateway, rest, Cdn(world, calls, faults), calls, faults, limits)
        self._site = Site(self.config.host, self.config.port)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_get("/gateway", self.gateway.connect)
        app.router.add_get("/gateway/", self.gateway.connect)
        control_server(self).add_to(app)
        self.rest.add_to(app)
        self.cdn.add_to(app)
        await self._site.start(app, shutdown_timeout=1.0)
        self.gateway.url = self.gateway_url
        self.world.files.base = self._site.url
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.gateway.drop()
        await self._site.stop()
        self.calls.close()
        self.world.close()

    @property
    def api_url(self) -> str:
        """The base of the REST API, for `discord.http.Route.BASE`."""
        return f"{self._site.url}{PREFIX}"

    @property
    def gateway_url(self) -> str:
        """The gateway, for `discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY`."""
        return f"ws://{self._site.address}/gateway"

    @property
    def control_url(self) -> str:
        """The base of the control API."""
        return f"{self._site.url}/control"

    def addresses(self) -> dict[str, str | int]:
        """What `python -m sandbox.discord` prints when it is ready."""
        return {"api": self.api_url, "gateway": self.gateway_url, "control": self.control_url, "pid": os.getpid()}

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 30.0) -> T:
        """Return the first truthy value of `predicate`, asked now and after each change of the world or the call log.

        Raises `TimeoutError` after `timeout` seconds.
        """
        return await self.world.changes.wait_for(predicate, timeout)
