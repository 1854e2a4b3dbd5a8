"""The real discord.py as the judge of the simulator, and a bare HTTP caller for what the library hides."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.config import DEFAULT_TOKEN

INTENTS = discord.Intents(
    guilds=True, guild_messages=True, dm_messages=True, message_content=True, guild_typing=True, guild_reactions=True
)
WITHOUT_CONTENT = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)


class Client(discord.Client):
    """The real client. It does nothing but put down what it is told."""

    def __init__(self, intents: discord.Intents = INTENTS, **options: Any) -> None:
        super().__init__(intents=intents, max_messages=None, guild_ready_timeout=0.02, **options)
        self.heard: list[discord.Message] = []
        self.events: list[str] = []
        self.given: dict[str, list[Any]] = {}
        self._came = asyncio.Event()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The library's own waits five seconds before every IDENTIFY but the first."""

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event, *args, **kwargs)
        self.events.append(event)
        self.given.setdefault(event, []).extend(args)
        if event == "message":
            self.heard.extend(args)
        self._came.set()

    async def until(self, predicate: Callable[[], object], timeout: float = 5.0) -> None:
        async with asyncio.timeout(timeout):
            while not predicate():
                self._came.clear()
                await self._came.wait()

    async def told(self, name: str) -> Any:
        await self.until(lambda: name in self.events)
        return self.given[name][0] if self.given[name] else None

    async def hears(self, text: str) -> discord.Message:
        await self.until(lambda: any(text in message.content for message in self.heard))
        return next(message for message in self.heard if text in message.content)

    def text_channel(self, name: str = "general") -> discord.TextChannel:
        found = discord.utils.get(self.get_all_channels(), name=name)
        assert isinstance(found, discord.TextChannel)
        return found


Start = Callable[[SimulatorConfig], AbstractAsyncContextManager[Simulator]]


@asynccontextmanager
async def connected(token: str = DEFAULT_TOKEN, client: Client | None = None, **options: Any) -> AsyncGenerator[Client]:
    """A client that has its guilds."""
    client = client or Client(**options)
    running: asyncio.Task[None] | None = None
    try:
        await client.login(token)
        running = asyncio.create_task(client.connect())
        arrived = asyncio.create_task(client.until(lambda: "ready" in client.events))
        await asyncio.wait([running, arrived], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            arrived.cancel()
            await running
        await arrived
        yield client
    finally:
        await client.close()
        if running is not None and not running.done():
            await running


@asynccontextmanager
async def started(monkeypatch: pytest.MonkeyPatch, config: SimulatorConfig | None = None) -> AsyncGenerator[Simulator]:
    """A simulator to which discord.py connects."""
    async with Simulator(config) as simulator:
        monkeypatch.setattr(Route, "BASE", simulator.api_url)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(simulator.gateway_url))
        yield simulator


class Answer:
    """What a bare call was answered."""

    def __init__(self, status: int, body: Any, headers: dict[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def code(self) -> int:
        return int(self.body["code"])


class Rest:
    """Bare calls of the REST API."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def __call__(self, method: str, path: str, body: Any = None, *, token: str = DEFAULT_TOKEN) -> Answer:
        headers = {"Authorization": f"Bot {token}"}
        async with self._session.request(method, self._base + path, json=body, headers=headers) as response:
            content = await response.json() if response.status != 204 else None
            return Answer(response.status, content, {name.lower(): value for name, value in response.headers.items()})


@asynccontextmanager
async def rest_of(simulator: Simulator) -> AsyncGenerator[Rest]:
    async with aiohttp.ClientSession() as session:
        yield Rest(session, simulator.api_url)
