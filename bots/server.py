"""Puts the parts together and runs them. The only place that knows them all."""

import asyncio
import gc
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import structlog

from bots import assembly, hooks
from bots.healthz import Checkup, Load, bind, serving
from bots.lock import only_one
from bots.notify import notify
from shared.backends.lazy import Lazy
from shared.chat import Adapter, Connected, Event
from shared.commands import COMMANDS, Menus
from shared.errors import Failure, Misconfigured, StoreUnusable, Unavailable
from shared.files.blobs import Blobs
from shared.governor import Governor
from shared.idle import Idle
from shared.inbox import Inbox
from shared.log import fault
from shared.scopes import Choices
from shared.settings import Settings
from shared.store import Store
from shared.turns import Turns

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two tries to run an adapter that has failed; doubled each time."""

SWEEP_SECONDS = 3600.0

CLOSING_SECONDS = 10.0
"""What a stop takes at most after the drain: turns that are given back, and the store."""

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class Server:
    """The whole server, from settings to the last line of the log."""

    def __init__(
        self, settings: Settings, *, clock: Clock = _now, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """`clock` gives aware times; `sleep` is what is done between two looks for idle conversations.

        Raises `Misconfigured` if no platform is set up, or the backend has no key.
        """
        self._clock = clock
        self._sleep = sleep
        self._began = time.monotonic()
        self._settings = settings
        self._adapters = assembly.adapters(settings)
        self._hooked = assembly.hooked(settings, self._adapters)
        self._blobs = Blobs(settings.state_dir / "blobs")
        self._backend = assembly.backend(settings, self._blobs)
        self.ready = asyncio.Event()
        """Set once every platform has been heard, or has failed."""
        self._stop = asyncio.Event()
        self._unheard = set(self._adapters)
        self._hopeless: set[str] = set()
        self._notify = notify()

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
            await stack.enter_async_context(self._notify.alive())
            health = bind(settings.health_port) if settings.health_port else None
            if health:
                stack.callback(health.close)
            posted = hooks.bind(settings.http_host, settings.http_port) if self._hooked else None
            if posted:
                stack.callback(posted.close)
            store = await Store.open(settings.state_dir / "threadline.db", clock=self._clock)
            stack.push_async_callback(store.aclose)
            stack.push_async_callback(self._backend.aclose)
            governor = await _governor(store, self._clock)
            turns = Turns(
                store, self._backend, governor, self._adapters, assembly.turn_settings(settings),
                choices=Choices(store, assembly.defaults(settings)), blobs=self._blobs,
            )  # fmt: skip
            inbox = Inbox(store, turns, assembly.intake(settings, self._backend), clock=self._clock)
            idle = Idle(
                store, self._adapters, inbox.idle, notice=settings.idle_notice == "on",
                caught_up=inbox.caught_up, accept=turns.accept, clock=self._clock, sleep=self._sleep,
            )  # fmt: skip
            await turns.load()
            await inbox.load()
            stack.push_async_callback(inbox.aclose)
            for adapter in self._adapters.values():
                if isinstance(adapter, Menus):
                    adapter.offer(COMMANDS, inbox.completing(adapter))
            checkup = Checkup(
                {name: adapter.health for name, adapter in self._adapters.items()}, store.blocks,
                lambda: Load(turns.busy, turns.queued),
                version=version("threadline"), secrets=settings.secrets(), clock=self._clock,
            )  # fmt: skip
            if health:
                await stack.enter_async_context(serving(checkup, health))
            async with _running() as start, AsyncExitStack() as first:
                parts = [start(self._platform(adapter, inbox, turns, checkup)) for adapter in self._adapters.values()]
                parts += [start(inbox.marks(adapter).run()) for adapter in self._adapters.values()]
                parts += [start(idle.run()), start(self._upkeep(store)), start(checkup.follow(self._notify.status))]
                stopped = start(self._stopped())
                if posted:
                    # Nothing is taken any more before the adapters stop: what comes later is posted again.
                    await first.enter_async_context(hooks.taking(self._hooked, posted))
                # Not when a platform is connected: one that is away would keep a service manager from letting the others run.
                await self._notify.ready(checkup.line())
                try:
                    await asyncio.wait([stopped, *parts], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    await self._notify.stopping("stopping", within=settings.drain_seconds + CLOSING_SECONDS)
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
                await self._sweep_files(store)
            except (StoreUnusable, Unavailable) as failure:
                log.warning("not swept", detail=failure.detail)
            await asyncio.sleep(SWEEP_SECONDS)

    async def _sweep_files(self, store: Store) -> None:
        """Throw away files that nothing names, that are too old, or that are too many; what names them learns of it."""
        settings = self._settings
        swept = await self._blobs.sweep(
            keep=await store.blobs(),
            older=timedelta(days=settings.files_days),
            most_bytes=int(settings.files_total_megabytes * assembly.MEGABYTE),
        )
        if swept.removed:
            log.info("files swept", removed=swept.removed, removed_bytes=swept.removed_bytes, left_bytes=swept.left_bytes)

    async def _stopped(self) -> None:
        await self._stop.wait()

    async def _platform(self, adapter: Adapter, inbox: Inbox, turns: Turns, checkup: Checkup) -> None:
        """Run an adapter for as long as the server runs; one that fails is started again after a pause.

        One that the operator has to set right first is not, and raises `Misconfigured` only if no other is left.
        """

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
            except StoreUnusable:
                raise
            except Misconfigured as failure:
                checkup.failed(adapter.name, failure.detail)
                self._hopeless.add(adapter.name)
                if len(self._hopeless) == len(self._adapters):
                    raise
                log.error("platform given up", platform=adapter.name, detail=failure.detail)
                self._settled(adapter.name)
                await asyncio.Event().wait()
            except Failure as failure:
                checkup.failed(adapter.name, failure.detail)
                log.error("platform failed", platform=adapter.name, detail=failure.detail, pause=pause)
            except Exception as error:
                # A fault in one platform's code must not take the others down.
                checkup.failed(adapter.name, fault(error))
                log.critical("platform failed by a fault of ours", platform=adapter.name, fault=fault(error), pause=pause)
            self._settled(adapter.name)
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _heard(self, platform: str) -> None:
        if platform in self._unheard:
            log.info("connected", platform=platform, after=round(time.monotonic() - self._began, 2))
        self._settled(platform)

    def _settled(self, platform: str) -> None:
        self._unheard.discard(platform)
        if not self._unheard:
            self.ready.set()


async def _governor(store: Store, clock: Clock) -> Governor:
    """The governor, with the silences that platforms had asked for before the last stop."""
    writes: set[asyncio.Task[None]] = set()

    def remember(scope: str, seconds: float) -> None:
        task = asyncio.create_task(note(scope, seconds))
        writes.add(task)
        task.add_done_callback(writes.discard)

    async def note(scope: str, seconds: float) -> None:
        try:
            await store.block(scope, clock() + timedelta(seconds=seconds))
        except StoreUnusable as failure:
            log.warning("silence not stored", scope=scope, detail=failure.detail)

    governor = Governor()
    for scope, until in (await store.blocks()).items():
        governor.block(scope, (until - clock()).total_seconds())
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
