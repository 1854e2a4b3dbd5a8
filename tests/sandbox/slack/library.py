"""The real slack-bolt and slack-sdk as the judges of the simulator."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import Simulator
from sandbox.slack.config import DEFAULT_APP_TOKEN, DEFAULT_SECRET, DEFAULT_TOKEN, SimulatorConfig
from sandbox.slack.defaults import CHANNELS, PEOPLE

Json = dict[str, Any]
Slack = Any
"""An `AsyncWebClient`. The annotations of slack-sdk and slack-bolt are incomplete, so that strict checking has no use of them."""
T = TypeVar("T")
GENERAL = CHANNELS["general"]
ADA, BEN = PEOPLE["user1"][0], PEOPLE["user2"][0]
ROOMY: Json = {"post_limit": (1000, 1.0), "tier2": (1000, 1.0), "tier3": (1000, 1.0), "tier4": (1000, 1.0)}
QUICK: Json = {"retry_delays": (0.0, 0.02, 0.02), **ROOMY}
quiet = logging.getLogger("tests.slack")
quiet.setLevel(logging.CRITICAL)


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


Given = Callable[..., Awaitable[None]]


class Bot:
    """A bolt app that puts down what it is told. `on_event`, `on_command` and `on_action` are what it does besides."""

    def __init__(self, simulator: Simulator, session: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.client: Slack = AsyncWebClient(token=DEFAULT_TOKEN, base_url=simulator.api_url, session=session, retry_handlers=[])
        self.app = AsyncApp(client=self.client, signing_secret=DEFAULT_SECRET, logger=quiet)
        self.handlers: list[AsyncSocketModeHandler] = []
        self.bodies: list[Json] = []
        """Every body that reached the app's middleware, before any filter on kind."""
        self.headers: list[dict[str, Any]] = []
        self.failing = 0
        """How many of the next bodies the middleware refuses."""
        self.commands: list[Json] = []
        self.actions: list[Json] = []
        self.on_command: Given | None = None
        self.on_action: Given | None = None
        self._changed = asyncio.Condition()
        self._listen()

    def _listen(self) -> None:
        async def store(body: Json, req: Any, next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 - bolt passes by name
            if self.failing > 0:
                self.failing -= 1
                raise RuntimeError("not stored")
            self.bodies.append(body)
            self.headers.append(req.headers)
            await self._tell()
            await next()

        async def event(body: Json) -> None:
            assert body["type"] == "event_callback"

        async def command(ack: Any, respond: Any, body: Json) -> None:
            self.commands.append(body)
            if self.on_command is None:
                await ack()
            else:
                await self.on_command(ack, respond, body)
            await self._tell()

        async def action(ack: Any, respond: Any, body: Json) -> None:
            self.actions.append(body)
            await ack()
            if self.on_action is not None:
                await self.on_action(respond, body)
            await self._tell()

        app = cast(Any, self.app)
        app.use(store)
        for name in ("app_mention", "message", "app_home_opened", "agent_session_stopped", "reaction_added"):
            app.event(name)(event)
        for subtype in ("message_changed", "message_deleted", "file_share", "bot_message", "thread_broadcast"):
            app.event({"type": "message", "subtype": subtype})(event)
        app.command("/ask")(command)
        app.action({"type": "block_actions"})(action)
        app.action("go")(action)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, predicate: Callable[[], T | None], timeout: float = 5.0) -> T:
        async with asyncio.timeout(timeout), self._changed:
            while True:
                if found := predicate():
                    return found
                await self._changed.wait()

    @property
    def events(self) -> list[Json]:
        return [body["event"] for body in self.bodies if "event" in body]

    async def hears(self, kind: str, count: int = 1, **fields: Any) -> Json:
        """The event number `count` of a type with these fields, waited for."""

        def found() -> Json | None:
            wanted = {"type": kind, **fields}
            matching = [each for each in self.events if wanted.items() <= {k: v for k, v in each.items() if k in wanted}.items()]
            return matching[count - 1] if len(matching) >= count else None

        return await self.until(found)

    async def called(self, count: int = 1) -> Json:
        """The body of the command number `count`, waited for."""
        await self.until(lambda: len(self.commands) >= count)
        return self.commands[count - 1]

    async def pressed(self) -> Json:
        """The body of the first press, waited for."""
        await self.until(lambda: self.actions)
        return self.actions[0]

    async def link(self) -> AsyncSocketModeHandler:
        """One more Socket Mode connection."""
        handler = AsyncSocketModeHandler(self.app, DEFAULT_APP_TOKEN, logger=quiet, web_client=self.client, ping_interval=1)
        before = self.simulator.sockets.open
        await cast(Any, handler).connect_async()
        await self.simulator.wait_for(lambda: self.simulator.sockets.open > before)
        self.handlers.append(handler)
        return handler


@asynccontextmanager
async def a_bot(simulator: Simulator, links: int = 1) -> AsyncGenerator[Bot]:
    """A bolt app with this many connections."""
    async with aiohttp.ClientSession() as session:
        bot = Bot(simulator, session)
        try:
            for _ in range(links):
                await bot.link()
            yield bot
        finally:
            for handler in bot.handlers:
                await cast(Any, handler).close_async()


@asynccontextmanager
async def a_simulator(**settings: Any) -> AsyncGenerator[Simulator]:
    async with Simulator(SimulatorConfig(**{**QUICK, **settings})) as simulator:
        yield simulator


@asynccontextmanager
async def a_client(simulator: Simulator, token: str = DEFAULT_TOKEN) -> AsyncGenerator[Slack]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(token=token, base_url=simulator.api_url, session=session, retry_handlers=[])


async def refused(call: Awaitable[Any]) -> str:
    """The code with which a call is refused."""
    try:
        await call
    except SlackApiError as error:
        return str(cast(Any, error).response["error"])
    raise AssertionError("the call was not refused")
