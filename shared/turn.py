"""One turn, from its begin to its end or to the next start.

What is retried: every write to the store, until it is taken (people see the busy sign or the last preview meanwhile, the
operator a line in the log); the final, until it is shown. An attempt at an answer is the backend's to retry, before its first
word alone. After a crash a turn is asked again as long as it has attempts left; an answer that was stored is only delivered. A
turn whose question changes is asked again at once, and its parts are rewritten where they stand.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import structlog

from shared import context, ending, sentences
from shared.asking import Asking
from shared.backends import Usage
from shared.chat import Adapter, MessageId, Target
from shared.delivery import deliver
from shared.errors import Failure, StoreUnusable
from shared.gathering import Gathered, gather
from shared.log import fault
from shared.means import Means
from shared.opening import make_reply
from shared.reply import Reply
from shared.states import IllegalStep
from shared.store import Final, Share, Waiting, Work

log = structlog.get_logger(__name__)

Aside = Literal["given back", "again"]
"""Why an attempt has no final: the server stops, or the question has changed."""

REST_SECONDS = 2.0
"""How long taking a busy sign away may hold up what comes after."""


def _nothing() -> Usage | None:
    return None


class Turn:
    """A turn that is being done."""

    def __init__(self, waiting: Waiting, means: Means) -> None:
        self.waiting = waiting
        self._means = means
        self._store = means.store
        self._reply: Reply | None = None
        self._attempt: asyncio.Task[Final] | None = None
        self._asking: Asking | None = None
        self._used: Callable[[], Usage | None] = _nothing
        self._signed: Target | None = None
        """Where a busy sign was shown."""
        self._stopped = False
        self._drained = False
        self._changed = False
        self._counted = 0
        """In which try it was counted what the ones before have used up."""

    def stop(self) -> None:
        """End the asking, if it has not ended."""
        self._stopped = True
        self._cancel()

    def again(self) -> None:
        """The question has changed: end the asking and begin anew. An answer that is on its way is shown first."""
        self._changed = True
        self._cancel()

    def give_back(self) -> None:
        """End the asking because the server stops: the turn goes back to the queue."""
        self._drained = True
        self.stop()

    def owns(self, message: MessageId) -> bool:
        """Whether this message is a part of the reply."""
        return self._reply is not None and self._reply.owns(message)

    async def run(self) -> None:
        """Do it. Raises `StoreUnusable` only while the server stops."""
        while await self._round():
            log.info("asked again", turn=self.waiting.turn)
            self.waiting = replace(self.waiting, state="queued")
            # A part of the answer before that people took away does not stop this one.
            self._stopped = self._drained

    def _cancel(self) -> None:
        if self._attempt:
            self._attempt.cancel()

    async def _round(self) -> bool:
        """From the begin of an attempt to its end; True if the question has changed."""
        work = await self._open()
        if _unsaid(work):
            return await self._end_unsaid(work)
        adapter = self._means.adapters[work.platform]
        reply = self._reply = make_reply(work, adapter, self._means, lost=self.stop)
        try:
            final = work.final or await self._settle(work, adapter, reply)
            if not isinstance(final, Final):
                return final == "again"
            return await deliver(work, adapter, reply, final, self._means)
        finally:
            await reply.leave()
            await self._rest(adapter, reply)

    async def _open(self) -> Work:
        turn = self.waiting.turn
        if self.waiting.state in ("queued", "running"):
            try:
                work = await self._means.insist(lambda: self._store.begin(turn))
            except IllegalStep:
                # Stopped while it waited.
                log.debug("stopped before it began", turn=turn)
            else:
                # A change that was stored before this begin is in it; the store tells of any other in the end.
                self._changed = False
                return work
        return await self._means.insist(lambda: self._store.load(turn))

    async def _settle(self, work: Work, adapter: Adapter, reply: Reply) -> Final | Aside:
        """Find out what people are to read, and store it, unless there is nothing to be read yet."""
        if work.state == "stopping":
            final = Final(text="", outcome="stopped", note=sentences.STOPPED, usage=await self._guess(work))
        elif work.attempts > self._means.settings.attempts:
            final = Final(text="", outcome="failed", note=sentences.CRASHED, failure="Crashed")
        else:
            found = await self._try_answer(work, adapter, reply)
            if not isinstance(found, Final):
                await reply.leave()
                await self._leave(work, found)
                return found
            final = found
        final = await self._pressable(work, reply, final)
        await self._withdraw_files(reply)
        await self._count_lost(work)
        budgets = self._means.settings.budgets
        final = await self._means.insist(lambda: self._store.settle(work.turn, final, budgets=budgets, warn=_warning))
        (log.warning if final.failure else log.info)(
            "answered", turn=work.turn, conversation=str(work.conversation), channel=work.place.id, outcome=final.outcome,
            stop=final.stop, failure=final.failure, detail=final.detail, attempt=work.attempts, characters=len(final.text),
            tokens=final.usage and final.usage.output_tokens, cost=final.usage and final.usage.cost,
        )  # fmt: skip
        return final

    async def _end_unsaid(self, work: Work) -> bool:
        if work.final is None:
            final = Final(text="", outcome="stopped", usage=await self._guess(work))
            await self._count_lost(work)
            await self._means.insist(lambda: self._store.settle(work.turn, final))
        return await self._means.insist(lambda: self._store.delivered(work.turn))

    async def _guess(self, work: Work) -> Usage | None:
        """What the last try may have used up that a crash has ended; it counts only if it is not known."""
        return await context.guess(work, self._means) if work.tries else None

    async def _count_lost(self, work: Work) -> None:
        """Count, once, what earlier tries may have used up that crashes have ended."""
        if work.unspent and self._counted != work.tries:
            usage = await context.guess(work, self._means)
            for tried in work.unspent:
                await self._means.insist(lambda tried=tried: self._store.spend(work.turn, tried, usage))
            self._counted = work.tries

    async def _pressable(self, work: Work, reply: Reply, final: Final) -> Final:
        """The final with its buttons; of a question that people took away nothing is said that does not stand already."""
        if final.outcome == "stopped":
            hidden = (await self._means.insist(lambda: self._store.load(work.turn))).hidden
            if hidden and not reply.begun:
                return replace(final, text="", note="", thoughts="")
            if hidden:
                return final
        return replace(final, buttons=ending.buttons(work.turn, final))

    async def _withdraw_files(self, reply: Reply) -> None:
        """Files of an earlier answer go before the new one is stored: from then on they could not be told from its own."""
        try:
            await reply.withdraw_files()
        except Failure as failure:
            log.warning("old files stay", turn=self.waiting.turn, detail=failure.detail)

    async def _leave(self, work: Work, aside: Aside) -> None:
        """End an attempt that comes to nothing."""
        usage = self._used() or Usage("", cost=0)
        await self._means.insist(lambda: self._store.spend(work.turn, work.tries, usage))
        if aside == "given back":
            try:
                await self._means.insist(lambda: self._store.release(work.turn))
            except IllegalStep:
                # Stopped meanwhile: the next start ends it.
                log.debug("stopped before it was given back", turn=work.turn)

    async def _try_answer(self, work: Work, adapter: Adapter, reply: Reply) -> Final | Aside:
        try:
            return await self._answer(work, adapter, reply)
        except StoreUnusable:
            raise
        except Exception as error:
            # A fault of our own must not leave a person without a word.
            log.critical("answering failed by a fault of ours", turn=work.turn, fault=fault(error))
            return Final(
                text="", outcome="failed", note=sentences.FAULT, failure="Fault", detail=fault(error), usage=self._used()
            )

    async def _answer(self, work: Work, adapter: Adapter, reply: Reply) -> Final | Aside:
        """Ask and show."""
        self._asking, self._used = None, _nothing
        if not self._stopped and not self._changed:
            self._attempt = asyncio.create_task(self._ask(work, adapter, reply))
            busy = asyncio.create_task(self._busy(adapter, reply))
            try:
                await asyncio.wait([self._attempt])
            finally:
                self._attempt.cancel()
                busy.cancel()
            if not self._attempt.cancelled():
                return self._attempt.result()
        if self._drained:
            return "given back"
        if self._changed and not self._stopped:
            return "again"
        if self._asking:
            return self._asking.stopped()
        return Final(text="", outcome="stopped", note=sentences.STOPPED, usage=self._used())

    async def _ask(self, work: Work, adapter: Adapter, reply: Reply) -> Final:
        means = self._means
        gathered = await gather(work, adapter, means)
        if not gathered.askable and gathered.omitted:
            return _unreadable(gathered)
        built = await context.build(work, gathered.messages, means, watch=self._watch)
        await self._count_lost(work)
        settings = means.settings
        asking = self._asking = Asking(
            means.backend,
            built.prompt,
            settings.patience,
            show=reply.show,
            thinking=settings.thinking,
            before=built.usage,
        )
        self._used = asking.used
        final = await asking.run()
        condensed = (sentences.SUMMED_UP,) if final.condensed else ()
        note = _joined(final.note, *built.notes, *condensed, *gathered.omitted)
        return final if note == final.note else replace(final, note=note)

    def _watch(self, used: Callable[[], Usage | None]) -> None:
        self._used = used

    async def _busy(self, adapter: Adapter, reply: Reply) -> None:
        """The busy sign, until text shows. It is the first thing that is left out when calls are short."""
        await asyncio.sleep(self._means.settings.busy_after)
        while not reply.begun:
            try:
                target = await reply.place()
                if permit := self._means.governor.try_permit(adapter.limits(target, "busy")):
                    async with permit:
                        self._signed = target
                        await adapter.busy(target, "thinking")
            except Failure as failure:
                log.debug("no busy sign", detail=failure.detail)
            await asyncio.sleep(adapter.busy_seconds)

    async def _rest(self, adapter: Adapter, reply: Reply) -> None:
        """Take the busy sign away where nothing was shown that did: some last for minutes."""
        target, self._signed = self._signed, None
        if target is None or reply.begun:
            return
        try:
            if permit := self._means.governor.try_permit(adapter.limits(target, "busy")):
                async with permit, asyncio.timeout(REST_SECONDS):
                    await adapter.busy(target, None)
        except (Failure, TimeoutError) as failure:
            log.debug("a busy sign stays", detail=str(failure))


def _unsaid(work: Work) -> bool:
    """Whether people took the question away before they saw anything of its answer: then nothing is said at all."""
    if not work.hidden or work.parts:
        return False
    return work.state == "stopping" or (work.final is not None and not work.final.text and not work.final.note)


def _unreadable(gathered: Gathered) -> Final:
    """What people are to read if there is nothing that could be asked."""
    return Final(text="", outcome="failed", note=_joined(*gathered.omitted), failure="Unreadable")


def _joined(*sentences: str) -> str:
    return " ".join(dict.fromkeys(sentence for sentence in sentences if sentence))


def _warning(share: Share) -> str:
    budget = share.budget
    return sentences.nearly(budget.who, budget.unit, budget.most, share.used, share.resets_at)
