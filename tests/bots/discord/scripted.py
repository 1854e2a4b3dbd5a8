"""A gateway that says what a test tells it to, for what the simulator's world never does: servers in an outage."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sandbox.discord.defaults import BOT

CONTENT = 1 << 15


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


def ready(url: str, *guilds: int) -> dict[str, Any]:
    me = {"id": str(BOT), "username": "threadline", "discriminator": "0", "avatar": None, "bot": True, "verified": True}
    return {
        "v": 10,
        "user": me,
        "guilds": [{"id": str(guild), "unavailable": True} for guild in guilds],
        "private_channels": [],
        "session_id": "s",
        "resume_gateway_url": url,
        "application": {"id": str(BOT), "flags": CONTENT},
    }


def guild(number: int, channel: int) -> dict[str, Any]:
    me: dict[str, Any] = {
        "user": {"id": str(BOT), "username": "t", "discriminator": "0", "avatar": None},
        "roles": [],
        "joined_at": None,
        "flags": 0,
    }
    everyone = {"id": str(number), "name": "@everyone", "permissions": str((1 << 50) - 1), "position": 0, "color": 0}
    everyone |= {"colors": {"primary_color": 0}, "hoist": False, "managed": False, "mentionable": False, "flags": 0}
    text: dict[str, Any] = {
        "id": str(channel),
        "type": 0,
        "name": "here",
        "position": 0,
        "permission_overwrites": [],
        "last_message_id": None,
    }
    lists = {each: list[Any]() for each in ("emojis", "stickers", "features", "threads", "voice_states", "presences")}
    levels = dict.fromkeys(("verification_level", "default_message_notifications", "explicit_content_filter", "mfa_level"), 0)
    body: dict[str, Any] = {"id": str(number), "name": "g", "owner_id": "1", "roles": [everyone], "members": [me]}
    body |= {"channels": [text], "unavailable": False, "member_count": 1, "nsfw_level": 0, "premium_tier": 0}
    return body | lists | levels | {"preferred_locale": "en-US", "system_channel_flags": 0, "afk_timeout": 1}


def said(number: int, channel: int, server: int, text: str) -> dict[str, Any]:
    author = {"id": "5", "username": "ada", "global_name": "Ada", "discriminator": "0", "avatar": None}
    message: dict[str, Any] = {"id": str(number), "channel_id": str(channel), "guild_id": str(server), "type": 0}
    message |= {"author": author, "content": f"<@{BOT}> {text}", "mentions": [{**author, "id": str(BOT)}], "flags": 0}
    return message | {"timestamp": "2026-01-01T00:00:00+00:00", "edited_timestamp": None, "components": []}


async def begin(gateway: ScriptedGateway, *guilds: int) -> None:
    async with asyncio.timeout(60):
        await gateway.identified.wait()
    await gateway.dispatch("READY", ready(gateway.url, *guilds))
