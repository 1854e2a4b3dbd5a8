"""Puts the parts together and runs them. The only place that knows them all."""

import asyncio
import gc
import signal
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog

from bots.lock import only_one
from shared.access import Access
from shared.asking import Patience
from shared.backends import Backend
from shared.backends.lazy import Lazy
from shared.chat import Adapter, Connected, Event
from shared.errors import Failure, Misconfigured, StoreUnusable
from shared.governor import Governor
from shared.inbox import Inbox, Intake
from shared.settings import Settings
from shared.store import Store
from shared.turn import TurnSettings
from shared.turns import Turns

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two tries to run an adapter that has failed; doubled each time."""

SWEEP_SECONDS = 3600.0


class Server:
    """The whole server, from settings to the last line of the log."""

    def __init__(self, settings: Settings) -> None:
        """Raises `Misconfigured` if no platform is set up, or the backend has no key."""
        self._began = time.monotonic()
        self._settings = settings
        self._adapters = adapters(settings)
        self._backend = backend(settings)
        self.ready = asyncio.Event()
        """Set once every platform has been heard."""
        self._stop = asyncio.Event()
        self._unheard = set(self._adapters)

    def stop(self) -> None:
        """Begin to drain, then end `serve`."""
        self._stop.set()

    async def serve(self) -> None:
        """Run until a signal or `stop`. Raises `Misconfigured` if something that the operator has to change turns up."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            stack.enter_context(only_one(settings.state_dir))
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.stop)
                stack.callback(loop.remove_signal_handler, number)
            store = await Store.open(settings.state_dir / "threadline.db")
            stack.push_async_callback(store.aclose)
            stack.push_async_callback(self._backend.aclose)
            governor = await _governor(store)
            turns = Turns(store, self._backend, governor, self._adapters, _turn_settings(settings))
            inbox = Inbox(store, turns, _intake(settings), clock=_now)
            await turns.load()
            stack.push_async_callback(inbox.aclose)
            async with _running() as start:
                parts = [start(self._platform(adapter, inbox, turns)) for adapter in self._adapters.values()]
                parts += [start(inbox.marks(adapter).run()) for adapter in self._adapters.values()]
                parts.append(start(self._upkeep(store)))
                stopped = start(self._stopped())
                try:
                    await asyncio.wait([stopped, *parts], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    await turns.drain(settings.drain_seconds)
                for part in parts:
                    if part.done():
                        # None of them ends but by a failure.
                        part.result()
        log.info("stopped")

    async def _upkeep(self, store: Store) -> None:
        """Load what the first question needs, once the platforms are connected: an import would hold them up. Then sweep."""
        await self.ready.wait()
        if isinstance(self._backend, Lazy):
            await self._backend.load()
        # What is there by now stays for good: the collector need not look at it again (saves about 1 ms a reply).
        gc.collect()
        gc.freeze()
        while True:
            try:
                await store.sweep()
            except StoreUnusable as failure:
                log.warning("not swept", detail=failure.detail)
            await asyncio.sleep(SWEEP_SECONDS)

    async def _stopped(self) -> None:
        await self._stop.wait()

    async def _platform(self, adapter: Adapter, inbox: Inbox, turns: Turns) -> None:
        """Run an adapter for as long as the server runs; one that fails is started again after a pause."""

        async def deliver(event: Event) -> None:
            if isinstance(event, Connected):
                self._heard(adapter.name)
                turns.resume(adapter.name)
            await inbox.deliver(adapter, event)

        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                await adapter.run(deliver)
            except Misconfigured:
                raise
            except Failure as failure:
                log.error("platform failed", platform=adapter.name, detail=failure.detail, pause=pause)
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _heard(self, platform: str) -> None:
        if platform in self._unheard:
            self._unheard.discard(platform)
            log.info("connected", platform=platform, after=round(time.monotonic() - self._began, 2))
        if not self._unheard:
            self.ready.set()


def adapters(settings: Settings) -> dict[str, Adapter]:
    """The adapters of the platforms whose tokens are set. Raises `Misconfigured` if there is none."""
    found: dict[str, Adapter] = {}
    if settings.discord_token:
        from bots.discord.adapter import DiscordAdapter
        from bots.discord.config import DiscordConfig

        found["discord"] = DiscordAdapter(
            DiscordConfig(
                token=settings.discord_token.get_secret_value(),
                api_url=settings.discord_api_url,
                gateway_url=settings.discord_gateway_url,
                message_content=settings.discord_message_content,
                answer_in=settings.discord_answer_in,
                roles=bool(settings.discord_allowed_roles),
            )
        )
    if not found:
        raise Misconfigured(
            "No platform is set up: put DISCORD_TOKEN into .env (README.md says how to get one), or try the demo with `make run`."
        )
    return found


def backend(settings: Settings) -> Backend:
    """The backend that is set. Raises `Misconfigured` if it lacks its key."""
    if settings.backend == "demo":
        from shared.backends.demo import DemoBackend

        return DemoBackend()
    key = settings.anthropic_api_key
    if key is None:
        raise Misconfigured("BACKEND is anthropic_api, which needs ANTHROPIC_API_KEY in .env; or set BACKEND=demo.")

    def make() -> Backend:
        from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig

        api = AnthropicApi(
            AnthropicConfig(
                api_key=key.get_secret_value(),
                base_url=settings.anthropic_base_url,
                model=settings.model,
                effort=settings.effort or None,
                max_tokens=settings.max_tokens,
                silence=settings.silence_seconds,
                longest_wait=settings.retry_seconds,
            )
        )
        api.open()
        return api

    return Lazy("anthropic_api", make)


def _turn_settings(settings: Settings) -> TurnSettings:
    return TurnSettings(
        patience=Patience(turn=settings.turn_seconds, silence=settings.silence_seconds),
        attempts=settings.attempts,
        at_once=settings.concurrent_turns,
        history_turns=settings.history_turns,
        history_characters=settings.history_characters,
        system=settings.system_prompt,
        model=settings.model,
        effort=settings.effort,
        hold_sentence=settings.first_text == "sentence",
    )


def _intake(settings: Settings) -> Intake:
    access: Mapping[str, Access] = {
        "discord": Access(
            spaces=settings.discord_allowed_servers,
            channels=settings.discord_allowed_channels,
            roles=settings.discord_allowed_roles,
            users=settings.discord_allowed_users,
            direct_open=settings.discord_direct == "open",
        )
    }
    return Intake(access=access, recall_age=timedelta(hours=settings.recall_hours))


async def _governor(store: Store) -> Governor:
    """The governor, with the silences that platforms had asked for before the last stop."""
    writes: set[asyncio.Task[None]] = set()

    def remember(scope: str, seconds: float) -> None:
        task = asyncio.create_task(note(scope, seconds))
        writes.add(task)
        task.add_done_callback(writes.discard)

    async def note(scope: str, seconds: float) -> None:
        try:
            await store.block(scope, _now() + timedelta(seconds=seconds))
        except StoreUnusable as failure:
            log.warning("silence not stored", scope=scope, detail=failure.detail)

    governor = Governor()
    for scope, until in (await store.blocks()).items():
        governor.block(scope, (until - _now()).total_seconds())
    governor.on_block = remember
    return governor


@asynccontextmanager
async def _running() -> AsyncGenerator[Callable[[Coroutine[None, None, None]], asyncio.Task[None]]]:
    """Gives a function that starts a task; all are cancelled and waited for in the end."""
    tasks: list[asyncio.Task[None]] = []

    def start(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(work))
        return tasks[-1]

    try:
        yield start
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _now() -> datetime:
    return datetime.now(UTC)
