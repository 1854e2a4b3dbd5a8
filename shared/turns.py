"""All turns of the process: one at a time per conversation, many at once across them, the rest in line."""

import asyncio
from collections.abc import Hashable, Mapping

import structlog

from shared.backends import Backend
from shared.chat import Adapter, MessageId
from shared.errors import StoreUnusable
from shared.files.blobs import Blobs
from shared.governor import Governor
from shared.lanes import Lanes
from shared.log import fault
from shared.means import Means, TurnSettings
from shared.scopes import Choices
from shared.signs import Signs
from shared.store import Store, Taken, Waiting
from shared.turn import Turn

log = structlog.get_logger(__name__)

RELEASE_SECONDS = 2.0
"""How long turns that are given back may take to let a call end and to note it."""


class Turns:
    """Starts turns when their time comes, and ends them when they are to end."""

    def __init__(
        self,
        store: Store,
        backend: Backend,
        governor: Governor,
        adapters: Mapping[str, Adapter],
        settings: TurnSettings,
        *,
        choices: Choices,
        blobs: Blobs,
    ) -> None:
        """`choices` says what model, effort and further instructions hold where; `blobs` keeps the files."""
        self._store = store
        self._means = Means(store, backend, governor, adapters, settings, choices, blobs)
        self._signs = Signs(self._means)
        self._lanes: Lanes[Hashable, Waiting] = Lanes(settings.at_once, self._start)
        self._live: dict[int, tuple[Turn, asyncio.Task[None]]] = {}
        self._left: dict[str, list[Waiting]] = {}

    async def load(self) -> None:
        """Fetch the turns that an earlier run has left; they go on when their platform is connected."""
        self._signs.load(await self._store.signed())
        for waiting in await self._store.unfinished():
            self._left.setdefault(waiting.platform, []).append(waiting)

    def resume(self, platform: str) -> None:
        """The platform is connected: go on with what an earlier run has left there. Later calls do nothing."""
        left = self._left.pop(platform, [])
        if left:
            log.info("resuming", platform=platform, turns=len(left))
        for waiting in left:
            self._add(waiting)
        self._signs.resume(platform)

    def accept(self, taken: Taken) -> None:
        """Go on with what an event has led to."""
        if taken.waiting:
            self._add(taken.waiting)
            if taken.behind and not taken.stopping and taken.waiting.turn not in self._live:
                self._signs.waits(taken.waiting)
        if taken.again and (live := self._live.get(taken.again.turn)):
            live[0].again()
        for waiting in taken.stopping:
            self.stop(waiting)

    def stop(self, waiting: Waiting) -> None:
        """End a turn whose stop is stored. One that still waits in its lane ends when its time comes."""
        if live := self._live.get(waiting.turn):
            live[0].stop()

    def deleted(self, message: MessageId) -> None:
        """A message was deleted; if it is part of a reply that is being written, that is a stop."""
        for turn, _ in self._live.values():
            if turn.owns(message):
                log.info("stopped by deletion", turn=turn.waiting.turn)
                turn.stop()

    @property
    def busy(self) -> int:
        """How many turns are being done."""
        return len(self._live)

    @property
    def queued(self) -> int:
        """How many turns wait, those included whose platform is not connected yet."""
        return self._lanes.waiting + sum(len(left) for left in self._left.values())

    async def drain(self, seconds: float) -> None:
        """Start nothing more, let what runs end for so long, and leave the rest to the next start."""
        self._lanes.pause()
        if self._live:
            log.info("draining", turns=len(self._live), seconds=seconds)
            await asyncio.wait([task for _, task in self._live.values()], timeout=seconds)
        self._means.draining = True
        rest = list(self._live.values())
        if rest:
            log.info("left to the next start", turns=[turn.waiting.turn for turn, _ in rest])
        for turn, _ in rest:
            turn.give_back()
        if tasks := [*(task for _, task in rest), *self._signs.tasks]:
            await asyncio.wait(tasks, timeout=RELEASE_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _add(self, waiting: Waiting) -> None:
        self._lanes.add(waiting.conversation or ("notice", waiting.channel), waiting)

    def _start(self, lane: Hashable, waiting: Waiting) -> None:
        turn = Turn(waiting, self._means)
        self._signs.over(waiting.turn)

        async def run() -> None:
            try:
                await turn.run()
            except StoreUnusable:
                log.error("turn left to the next start: the store cannot be used", turn=waiting.turn)
            except Exception as error:
                # A fault of our own must not take the others down; the turn stays as it is stored and goes on at the next start.
                log.critical("turn failed by a fault of ours", turn=waiting.turn, fault=fault(error))
            finally:
                del self._live[waiting.turn]
                self._lanes.done(lane)

        self._live[waiting.turn] = turn, asyncio.create_task(run(), name=f"turn {waiting.turn}")
