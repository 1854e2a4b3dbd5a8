"""All turns of the process: one at a time per conversation, many at once across them, the rest in line."""

import asyncio
from collections.abc import Hashable, Mapping

import structlog

from shared.backends import Backend
from shared.chat import Adapter, MessageId
from shared.errors import StoreUnusable
from shared.governor import Governor
from shared.lanes import Lanes
from shared.log import fault
from shared.store import Store, Taken, Waiting
from shared.turn import Means, Turn, TurnSettings

log = structlog.get_logger(__name__)

RELEASE_SECONDS = 2.0
"""How long turns that are given back may take to let a call end and to note it."""


class Turns:
    """Starts turns when their time comes, and ends them when they are to end."""

    def __init__(
        self, store: Store, backend: Backend, governor: Governor, adapters: Mapping[str, Adapter], settings: TurnSettings
    ) -> None:
        self._store = store
        self._means = Means(store, backend, governor, adapters, settings)
        self._lanes: Lanes[Hashable, Waiting] = Lanes(settings.at_once, self._start)
        self._live: dict[int, tuple[Turn, asyncio.Task[None]]] = {}
        self._left: dict[str, list[Waiting]] = {}

    async def load(self) -> None:
        """Fetch the turns that an earlier run has left; they go on when their platform is connected."""
        for waiting in await self._store.unfinished():
            self._left.setdefault(waiting.platform, []).append(waiting)

    def resume(self, platform: str) -> None:
        """The platform is connected: go on with what an earlier run has left there. Later calls do nothing."""
        left = self._left.pop(platform, [])
        if left:
            log.info("resuming", platform=platform, turns=len(left))
        for waiting in left:
            self._add(waiting)

    def accept(self, taken: Taken) -> None:
        """Go on with what an event has led to."""
        if taken.waiting:
            self._add(taken.waiting)
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

    async def drain(self, seconds: float) -> None:
        """Start nothing more, let what runs end for so long, and leave the rest to the next start."""
        self._lanes.pause()
        if self._live:
            log.info("draining", turns=len(self._live), seconds=seconds)
            await asyncio.wait([task for _, task in self._live.values()], timeout=seconds)
        self._means.draining = True
        rest = list(self._live.values())
        if not rest:
            return
        log.info("left to the next start", turns=[turn.waiting.turn for turn, _ in rest])
        for turn, _ in rest:
            turn.give_back()
        tasks = [task for _, task in rest]
        await asyncio.wait(tasks, timeout=RELEASE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    def _add(self, waiting: Waiting) -> None:
        self._lanes.add(waiting.conversation or ("notice", waiting.channel), waiting)

    def _start(self, lane: Hashable, waiting: Waiting) -> None:
        turn = Turn(waiting, self._means)

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
