"""Does the turns: one at a time per conversation, many at once across them, each to its end or to the next start.

What is retried: every write to the store, until it is taken (people see the busy sign or the last preview meanwhile, the
operator a line in the log); the final, until it is shown. An attempt at an answer is the backend's to retry, before its first
word alone. After a crash a turn is asked again as long as it has attempts left; an answer that was stored is only delivered.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from shared import sentences, transcript
from shared.asking import Asking, Patience, shown
from shared.backends import Backend, Prompt
from shared.chat import Adapter, ChannelId, MessageId, Target, Threads
from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, StoreUnusable, Unavailable
from shared.governor import Governor, Grade
from shared.lanes import Lanes
from shared.log import fault
from shared.reply import FIRST_PAUSE, LONGEST_PAUSE, Reply, Slot
from shared.states import IllegalStep
from shared.store import Final, Store, Taken, Waiting, Work

log = structlog.get_logger(__name__)
T = TypeVar("T")

BUSY_AFTER = 0.5
"""Seconds before a busy sign is shown: an answer that is quicker needs none."""

RELEASE_SECONDS = 2.0
"""How long turns that are given back may take to let a call end and to note it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """What the operator has set for turns. `attempts` counts those that a crash may end before the turn is given up."""

    patience: Patience
    attempts: int
    at_once: int
    history_turns: int
    history_characters: int
    system: str
    model: str
    effort: str
    hold_sentence: bool


class Live:
    """A turn that is being done."""

    def __init__(self, waiting: Waiting, task: asyncio.Task[None]) -> None:
        self.waiting = waiting
        self.task = task
        self.reply: Reply | None = None
        self.asking: asyncio.Task[Final] | None = None
        self.stopped = False
        self.drained = False

    def stop(self) -> None:
        """End the asking, if it has not ended."""
        self.stopped = True
        if self.asking:
            self.asking.cancel()


class Turns:
    """All turns of the process."""

    def __init__(
        self, store: Store, backend: Backend, governor: Governor, adapters: Mapping[str, Adapter], settings: TurnSettings
    ) -> None:
        self._store = store
        self._backend = backend
        self._governor = governor
        self._adapters = adapters
        self._settings = settings
        self._lanes: Lanes[Hashable, Waiting] = Lanes(settings.at_once, self._start)
        self._live: dict[int, Live] = {}
        self._left: dict[str, list[Waiting]] = {}
        self._draining = False

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
            live.stop()

    def deleted(self, message: MessageId) -> None:
        """A message was deleted; if it is part of a reply that is being written, that is a stop."""
        for live in self._live.values():
            if live.reply and live.reply.owns(message):
                log.info("stopped by deletion", turn=live.waiting.turn)
                live.stop()

    @property
    def busy(self) -> int:
        """How many turns are being done."""
        return len(self._live)

    async def drain(self, seconds: float) -> None:
        """Start nothing more, let what runs end for so long, and leave the rest to the next start."""
        self._lanes.pause()
        tasks = [live.task for live in self._live.values()]
        if tasks:
            log.info("draining", turns=len(tasks), seconds=seconds)
            await asyncio.wait(tasks, timeout=seconds)
        self._draining = True
        rest = list(self._live.values())
        for live in rest:
            live.drained = True
            live.stop()
        if rest:
            log.info("left to the next start", turns=[live.waiting.turn for live in rest])
            await asyncio.wait([live.task for live in rest], timeout=RELEASE_SECONDS)
        for live in rest:
            live.task.cancel()
        if rest:
            await asyncio.wait([live.task for live in rest])

    def _add(self, waiting: Waiting) -> None:
        self._lanes.add(waiting.conversation or ("notice", waiting.channel), waiting)

    def _start(self, lane: Hashable, waiting: Waiting) -> None:
        async def run() -> None:
            try:
                await self._do(live)
            except StoreUnusable:
                log.error("turn left to the next start: the store cannot be used", turn=waiting.turn)
            except Exception as error:
                # A fault of our own must not take the others down; the turn stays as it is stored and goes on at the next start.
                log.critical("turn failed by a fault of ours", turn=waiting.turn, fault=fault(error))
            finally:
                del self._live[waiting.turn]
                self._lanes.done(lane)

        task = asyncio.create_task(run(), name=f"turn {waiting.turn}")
        live = self._live[waiting.turn] = Live(waiting, task)

    async def _do(self, live: Live) -> None:
        work = await self._open(live.waiting)
        adapter = self._adapters[work.platform]
        reply = live.reply = self._reply(adapter, work, live)
        bound = log.bind(turn=work.turn, conversation=str(work.conversation), channel=work.place.id)
        final = work.final
        if final is None:
            if work.state == "stopping":
                final = Final(text="", outcome="stopped", note=sentences.STOPPED)
            elif work.attempts > self._settings.attempts:
                final = Final(text="", outcome="failed", note=sentences.CRASHED, failure="Crashed")
            else:
                final = await self._try_answer(work, adapter, reply, live)
            if final is None:
                await reply.leave()
                await self._release(work.turn)
                return
            settled = final
            await self._insist(lambda: self._store.settle(work.turn, settled))
            (bound.warning if final.failure else bound.info)(
                "answered", outcome=final.outcome, stop=final.stop, failure=final.failure, detail=final.detail,
                attempt=work.attempts, characters=len(final.text), tokens=final.output_tokens,
            )  # fmt: skip
        await self._deliver(work, reply, final)
        bound.debug("ended")

    async def _release(self, turn: int) -> None:
        try:
            await self._insist(lambda: self._store.release(turn))
        except IllegalStep:
            # Stopped meanwhile: the next start ends it.
            log.debug("stopped before it was given back", turn=turn)

    async def _open(self, waiting: Waiting) -> Work:
        if waiting.state in ("queued", "running"):
            try:
                return await self._insist(lambda: self._store.begin(waiting.turn))
            except IllegalStep:
                # Stopped while it waited.
                log.debug("stopped before it began", turn=waiting.turn)
        return await self._insist(lambda: self._store.load(waiting.turn))

    def _reply(self, adapter: Adapter, work: Work, live: Live) -> Reply:
        return Reply(
            adapter,
            self._governor,
            _Ledger(self, self._store, work.turn),
            place=self._place(adapter, work),
            key=lambda ordinal: part_key(work, ordinal),
            after=work.messages[-1].id if work.messages else work.target.reply_to,
            slots=[Slot(part.message, unsure=part.message is None) for part in work.parts],
            silent=work.kind == "notice",
            hold_sentence=self._settings.hold_sentence,
            lost=live.stop,
        )

    async def _place(self, adapter: Adapter, work: Work) -> Target:
        """Where the reply goes; a thread is opened while the model is being asked."""
        if work.kind == "notice" or work.place.id == work.target.channel.id or not isinstance(adapter, Threads):
            return work.target
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._governor.permit(adapter.limits(work.target, "open"), Grade.NOTICE):
                    return await adapter.open(work.target, work.messages[0].text)
            except RateLimited:
                continue
            except Unavailable as failure:
                log.warning("thread not opened yet", turn=work.turn, detail=failure.detail)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            except Refused as failure:
                log.warning("no thread here; answering in the channel", turn=work.turn, detail=failure.detail)
                return work.target

    async def _try_answer(self, work: Work, adapter: Adapter, reply: Reply, live: Live) -> Final | None:
        try:
            return await self._answer(work, adapter, reply, live)
        except StoreUnusable:
            raise
        except Exception as error:
            # A fault of our own must not leave a person without a word.
            log.critical("answering failed by a fault of ours", turn=work.turn, fault=fault(error))
            return Final(text="", outcome="failed", note=sentences.FAULT, failure="Fault", detail=fault(error))

    async def _answer(self, work: Work, adapter: Adapter, reply: Reply, live: Live) -> Final | None:
        """Ask and show; None if the server is stopping and the turn goes back to the queue."""
        asking = Asking(self._backend, await self._prompt(work), self._settings.patience, show=reply.show)
        if live.stopped:
            return None if live.drained else asking.stopped()
        live.asking = asyncio.create_task(asking.run())
        busy = asyncio.create_task(self._busy(adapter, reply))
        try:
            await asyncio.wait([live.asking])
        finally:
            live.asking.cancel()
            busy.cancel()
        if not live.asking.cancelled():
            return live.asking.result()
        return None if live.drained else asking.stopped()

    async def _prompt(self, work: Work) -> Prompt:
        if work.conversation is None:
            raise RuntimeError(f"turn {work.turn} asks without a conversation")
        settings = self._settings
        before = await self._store.history(
            work.conversation, before=work.turn, turns=settings.history_turns, characters=settings.history_characters
        )
        return Prompt(
            conversation=work.conversation,
            turn=work.turn,
            attempt=work.attempts,
            history=transcript.history(work.place, before, self._backend.name),
            ask=transcript.asked(work.place, work.messages),
            system=transcript.system(settings.system, work.place),
            model=settings.model or None,
            effort=settings.effort or None,
        )

    async def _busy(self, adapter: Adapter, reply: Reply) -> None:
        """The busy sign, until text shows. It is the first thing that is left out when calls are short."""
        await asyncio.sleep(BUSY_AFTER)
        while not reply.begun:
            try:
                target = await reply.place()
                if permit := self._governor.try_permit(adapter.limits(target, "busy")):
                    async with permit:
                        await adapter.busy(target, "thinking")
            except Failure as failure:
                log.debug("no busy sign", detail=failure.detail)
            await asyncio.sleep(adapter.busy_seconds)

    async def _deliver(self, work: Work, reply: Reply, final: Final) -> None:
        try:
            await reply.finish(shown(final))
        except Gone as failure:
            log.warning("nowhere to answer", turn=work.turn, channel=work.place.id, detail=failure.detail)
            left = await self._insist(lambda: self._store.leave(work.platform, channel=work.place.id))
            for waiting in left:
                self.stop(waiting)
            await self._insist(lambda: self._store.delivered(work.turn, failed=True))
        except Refused as failure:
            log.error("the platform does not take the answer", turn=work.turn, channel=work.place.id, detail=failure.detail)
            await self._say_refused(work, failure)
            await self._insist(lambda: self._store.delivered(work.turn, failed=True))
        else:
            await self._insist(lambda: self._store.delivered(work.turn))

    async def _say_refused(self, work: Work, failure: Refused) -> None:
        """A sentence where it can be said: in the channel if the thread does not take it; else there is only the log."""
        adapter = self._adapters[work.platform]
        if isinstance(failure, Forbidden) and work.place.id == work.target.channel.id:
            return
        try:
            async with self._governor.permit(adapter.limits(work.target, "post"), Grade.FINAL):
                await adapter.post(work.target, sentences.NOT_SHOWN, key=part_key(work, -1), silent=True)
        except (Refused, Gone, Unavailable, RateLimited) as second:
            log.warning("could not say so", turn=work.turn, detail=second.detail)

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Do this with the store, however long it cannot be used: nothing else would keep the turn's state true."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await write()
            except StoreUnusable as failure:
                log.error("the store cannot be used; trying again", detail=failure.detail, pause=pause)
                if self._draining:
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def note(self, write: Callable[[], Awaitable[T]]) -> T:
        """As `_insist`, for the ledger."""
        return await self._insist(write)


class _Ledger:
    """The parts of one turn in the store."""

    def __init__(self, turns: Turns, store: Store, turn: int) -> None:
        self._turns = turns
        self._store = store
        self._turn = turn

    async def sending(self, ordinal: int, channel: ChannelId) -> None:
        await self._turns.note(lambda: self._store.sending(self._turn, ordinal, channel))

    async def shown(self, ordinal: int, message: MessageId) -> None:
        await self._turns.note(lambda: self._store.shown(self._turn, ordinal, message))

    async def dropped(self, ordinal: int) -> None:
        await self._turns.note(lambda: self._store.dropped(self._turn, ordinal))

    async def known(self, channel: ChannelId) -> frozenset[MessageId]:
        return await self._turns.note(lambda: self._store.ours(channel))


def part_key(work: Work, ordinal: int) -> str:
    """The same for a part in every attempt and after every restart, and of no other part: 24 characters.

    The message that is answered is in it, since the numbers of turns begin anew with a new database.
    """
    asked = work.messages[0].id if work.messages else f"{work.target.channel.id}/{work.queued_at.isoformat()}"
    return hashlib.blake2b(f"{asked}/{work.turn}/{ordinal}".encode(), digest_size=12).hexdigest()
