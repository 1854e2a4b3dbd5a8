"""A gateway that says what a test tells it to, for what the simulator's world never does: servers in an outage."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class ScriptedGateway:
    """One socket at a time; HELLO is said by itself."""

    def __init__(self) -> None:
        self.identified = asyncio.Event()
        self.released = asyncio.Event()
        self.url = ""
        self.down = False
        self.refused = asyncio.Event()
        self.deaf = False
        """Whether it stops reading after IDENTIFY: it answers no close frame then."""
        self._socket: web.WebSocketResponse | None = None
        self._sequence = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.down:
            self.refused.set()
            return web.Response(status=503)
        socket = self._socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 40_000}, "s": None, "t": None})
        async for frame in socket:
            if frame.json()["op"] == 2:
                self.identified.set()
                if self.deaf:
                    await self.released.wait()
        return socket

    async def go_down(self) -> None:
        """Close the socket, and refuse the next ones."""
        assert self._socket is not None
        self.down = True
        await self._socket.close(code=4000)

    async def dispatch(self, name: str, data: dict[str, Any]) -> None:
        assert self._socket is not None
        self._sequence += 1
        await self._socket.send_json({"op": 0, "t": name, "s": self._sequence, "d": data})


@asynccontextmanager
async def scripted_gateway() -> AsyncGenerator[ScriptedGateway]:
    gateway = ScriptedGateway()
    app = web.Application()
    app.router.add_get("/gateway", gateway.serve)
    app.router.add_get("/gateway/", gateway.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gateway.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/gateway"
        yield gateway
    finally:
        gateway.released.set()
        await runner.cleanup()
