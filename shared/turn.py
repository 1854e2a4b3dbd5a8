"""One turn, from its begin to its end or to the next start.

What is retried: every write to the store, until it is taken (people see the busy sign or the last preview meanwhile, the
operator a line in the log); the final, until it is shown. An attempt at an answer is the backend's to retry, before its first
word alone. After a crash a turn is asked again as long as it has attempts left; an answer that was stored is only delivered.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

import structlog

from shared import sentences, transcript
from shared.asking import Asking, Patience, shown
from shared.backends import Backend, Prompt
from shared.chat import Adapter, ChannelId, MessageId, Target, Threads
from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, StoreUnusable, Unavailable
from shared.governor import Governor, Grade
from shared.log import fault
from shared.reply import FIRST_PAUSE, LONGEST_PAUSE, Reply, Slot
from shared.states import IllegalStep
from shared.store import Final, Store, Waiting, Work

log = structlog.get_logger(__name__)
T = TypeVar("T")

BUSY_AFTER = 0.5
"""Seconds before a busy sign is shown: an answer that is quicker needs none."""

TRIES = 4
"""How often something is tried that fails in a way that nobody has foreseen, or a sentence of our own that is not an answer."""


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


@dataclass(slots=True)
class Means:
    """What every turn works with."""

    store: Store
    backend: Backend
    governor: Governor
    adapters: Mapping[str, Adapter]
    settings: TurnSettings
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a lost post is looked for and noted: two turns must not take the same message for theirs."""
    draining: bool = False

    async def insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Do this with the store, however long it cannot be used: nothing else would keep the turn's state true."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await ask()
            except StoreUnusable as failure:
                log.error("the store cannot be used; trying again", detail=failure.detail, pause=pause)
                if self.draining:
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)


class Turn:
    """A turn that is being done."""

    def __init__(self, waiting: Waiting, means: Means) -> None:
        self.waiting = waiting
        self._means = means
        self._store = means.store
        self._reply: Reply | None = None
        self._asking: asyncio.Task[Final] | None = None
        self._stopped = False
        self._drained = False

    def stop(self) -> None:
        """End the asking, if it has not ended."""
        self._stopped = True
        if self._asking:
            self._asking.cancel()

    def give_back(self) -> None:
        """End the asking because the server stops: the turn goes back to the queue."""
        self._drained = True
        self.stop()

    def owns(self, message: MessageId) -> bool:
        """Whether this message is a part of the reply."""
        return self._reply is not None and self._reply.owns(message)

    async def run(self) -> None:
        """Do it. Raises `StoreUnusable` only while the server stops."""
        work = await self._open()
        adapter = self._means.adapters[work.platform]
        reply = self._reply = self._make_reply(adapter, work)
        try:
            final = work.final or await self._settle(work, adapter, reply)
            if final is not None:
                await self._deliver(work, adapter, reply, final)
        finally:
            await reply.leave()

    async def _open(self) -> Work:
        turn = self.waiting.turn
        if self.waiting.state in ("queued", "running"):
            try:
                return await self._means.insist(lambda: self._store.begin(turn))
            except IllegalStep:
                # Stopped while it waited.
                log.debug("stopped before it began", turn=turn)
        return await self._means.insist(lambda: self._store.load(turn))

    async def _settle(self, work: Work, adapter: Adapter, reply: Reply) -> Final | None:
        """Find out what people are to read, and store it; None if the turn goes back to the queue."""
        if work.state == "stopping":
            final = Final(text="", outcome="stopped", note=sentences.STOPPED)
        elif work.attempts > self._means.settings.attempts:
            final = Final(text="", outcome="failed", note=sentences.CRASHED, failure="Crashed")
        else:
            found = await self._try_answer(work, adapter, reply)
            if found is None:
                await reply.leave()
                await self._release(work.turn)
                return None
            final = found
        await self._means.insist(lambda: self._store.settle(work.turn, final))
        (log.warning if final.failure else log.info)(
            "answered", turn=work.turn, conversation=str(work.conversation), channel=work.place.id, outcome=final.outcome,
            stop=final.stop, failure=final.failure, detail=final.detail, attempt=work.attempts, characters=len(final.text),
            tokens=final.output_tokens,
        )  # fmt: skip
        return final

    async def _release(self, turn: int) -> None:
        try:
            await self._means.insist(lambda: self._store.release(turn))
        except IllegalStep:
            # Stopped meanwhile: the next start ends it.
            log.debug("stopped before it was given back", turn=turn)

    def _make_reply(self, adapter: Adapter, work: Work) -> Reply:
        return Reply(
            adapter,
            self._means.governor,
            _Ledger(self._means, work.turn),
            place=self._place(adapter, work),
            key=lambda ordinal: part_key(work, ordinal),
            after=work.messages[-1].id if work.messages else work.target.reply_to,
            slots=[Slot(part.message, unsure=part.message is None, begun=part.begun_at) for part in work.parts],
            silent=work.kind == "notice",
            hold_sentence=self._means.settings.hold_sentence,
            lost=self.stop,
        )

    async def _place(self, adapter: Adapter, work: Work) -> Target:
        """Where the reply goes; a thread is opened while the model is being asked."""
        if work.kind == "notice" or work.place.id == work.target.channel.id or not isinstance(adapter, Threads):
            return work.target
        if work.parts:
            # Where an earlier attempt has begun it has to be ended, whatever may be opened by now.
            begun = work.parts[0].channel
            return work.target if begun == work.target.channel.id else replace(work.target, channel=work.place, reply_to=None)
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._means.governor.permit(adapter.limits(work.target, "open"), Grade.NOTICE):
                    return await adapter.open(work.target, work.messages[0].text)
            except RateLimited as failure:
                log.info("thread waits", turn=work.turn, detail=failure.detail, retry_after=failure.retry_after)
            except Unavailable as failure:
                log.warning("thread not opened yet", turn=work.turn, detail=failure.detail)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            except Refused as failure:
                log.warning("no thread here; answering in the channel", turn=work.turn, detail=failure.detail)
                return work.target

    async def _try_answer(self, work: Work, adapter: Adapter, reply: Reply) -> Final | None:
        try:
            return await self._answer(work, adapter, reply)
        except StoreUnusable:
            raise
        except Exception as error:
            # A fault of our own must not leave a person without a word.
            log.critical("answering failed by a fault of ours", turn=work.turn, fault=fault(error))
            return Final(text="", outcome="failed", note=sentences.FAULT, failure="Fault", detail=fault(error))

    async def _answer(self, work: Work, adapter: Adapter, reply: Reply) -> Final | None:
        """Ask and show; None if the server is stopping and the turn goes back to the queue."""
        means = self._means
        asking = Asking(means.backend, await self._prompt(work), means.settings.patience, show=reply.show)
        if self._stopped:
            return None if self._drained else asking.stopped()
        self._asking = asyncio.create_task(asking.run())
        busy = asyncio.create_task(self._busy(adapter, reply))
        try:
            await asyncio.wait([self._asking])
        finally:
            self._asking.cancel()
            busy.cancel()
        if not self._asking.cancelled():
            return self._asking.result()
        return None if self._drained else asking.stopped()

    async def _prompt(self, work: Work) -> Prompt:
        conversation = work.conversation
        if conversation is None:
            raise RuntimeError(f"turn {work.turn} asks without a conversation")
        settings = self._means.settings
        before = await self._means.insist(
            lambda: self._store.history(
                conversation, before=work.turn, turns=settings.history_turns, characters=settings.history_characters
            )
        )
        return Prompt(
            conversation=conversation,
            turn=work.turn,
            attempt=work.attempts,
            history=transcript.history(work.place, before, self._means.backend.name),
            ask=transcript.asked(work.place, work.messages, before),
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
                if permit := self._means.governor.try_permit(adapter.limits(target, "busy")):
                    async with permit:
                        await adapter.busy(target, "thinking")
            except Failure as failure:
                log.debug("no busy sign", detail=failure.detail)
            await asyncio.sleep(adapter.busy_seconds)

    async def _deliver(self, work: Work, adapter: Adapter, reply: Reply, final: Final) -> None:
        failed = True
        for tried in count(1):
            try:
                await reply.finish(shown(final))
                failed = False
            except Gone as failure:
                await self._nowhere(work, failure)
            except Refused as failure:
                log.error("the platform does not take the answer", turn=work.turn, channel=work.place.id, detail=failure.detail)
                if not isinstance(failure, Forbidden) or work.place.id != work.target.channel.id:
                    await self._say(work, adapter, sentences.NOT_SHOWN)
            except StoreUnusable:
                raise
            except Exception as error:
                # A fault of ours or of an adapter: it may pass; if not, a person must not be left without a word.
                log.critical("showing failed by a fault of ours", turn=work.turn, tried=tried, fault=fault(error))
                if tried < TRIES:
                    await asyncio.sleep(FIRST_PAUSE * 2**tried)
                    continue
                await self._say(work, adapter, sentences.FAULT)
            break
        await self._means.insist(lambda: self._store.delivered(work.turn, failed=failed))

    async def _nowhere(self, work: Work, failure: Gone) -> None:
        """The channel is not there any more: its conversation ends, and with it every turn that waits in it."""
        log.warning("nowhere to answer", turn=work.turn, channel=work.place.id, detail=failure.detail)
        await self._means.insist(lambda: self._store.leave(work.platform, channel=work.place.id))

    async def _say(self, work: Work, adapter: Adapter, sentence: str) -> None:
        """A sentence instead of the reply, in the channel that was asked in; if it cannot be said there is only the log."""
        for tried in range(1, TRIES + 1):
            try:
                async with self._means.governor.permit(adapter.limits(work.target, "post"), Grade.NOTICE):
                    await adapter.post(work.target, sentence, key=part_key(work, -1), silent=True)
            except (Unavailable, RateLimited) as failure:
                log.warning("could not say so yet", turn=work.turn, detail=failure.detail)
                await asyncio.sleep(FIRST_PAUSE * 2**tried)
            except Exception as error:
                # Whatever it is: this was the last resort.
                log.warning("could not say so", turn=work.turn, fault=fault(error))
                return
            else:
                return


class _Ledger:
    """The parts of one turn in the store."""

    def __init__(self, means: Means, turn: int) -> None:
        self._means = means
        self._store = means.store
        self._turn = turn

    def looking(self) -> AbstractAsyncContextManager[object]:
        return self._means.looking

    async def sending(self, ordinal: int, channel: ChannelId) -> None:
        await self._means.insist(lambda: self._store.sending(self._turn, ordinal, channel))

    async def shown(self, ordinal: int, message: MessageId) -> None:
        await self._means.insist(lambda: self._store.shown(self._turn, ordinal, message))

    async def dropped(self, ordinal: int) -> None:
        await self._means.insist(lambda: self._store.dropped(self._turn, ordinal))

    async def known(self, channel: ChannelId) -> frozenset[MessageId]:
        return await self._means.insist(lambda: self._store.ours(channel))


def part_key(work: Work, ordinal: int) -> str:
    """The same for a part in every attempt and after every restart, and of no other part: 24 characters.

    The message that is answered is in it, since the numbers of turns begin anew with a new database.
    """
    asked = work.messages[0].id if work.messages else f"{work.target.channel.id}/{work.queued_at.isoformat()}"
    return hashlib.blake2b(f"{asked}/{work.turn}/{ordinal}".encode(), digest_size=12).hexdigest()
