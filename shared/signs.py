"""The sign on a question that was seen and has to wait for its turn. Best effort: nothing depends on it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from time import monotonic

import structlog

from shared.abilities import Reacts
from shared.chat import Adapter, ChannelId, MessageId
from shared.errors import Failure, Forbidden, StoreUnusable
from shared.governor import Grade
from shared.log import fault
from shared.means import Means
from shared.store import Waiting, Work

log = structlog.get_logger(__name__)

NOT_AGAIN = 3600.0
"""Seconds for which a channel is left alone in which no signs may be left."""


class Signs:
    """The signs of all turns. They are taken away when the turn begins or ends."""

    def __init__(self, means: Means, *, clock: Callable[[], float] = monotonic) -> None:
        """`clock` is in seconds."""
        self._means = means
        self._clock = clock
        self._tasks = dict[int, asyncio.Task[None]]()
        self._signed = dict[int, MessageId | None]()
        """Turns with the message that has the sign; None where that is not known."""
        self._forbidden = dict[ChannelId, float]()

    def waits(self, waiting: Waiting) -> None:
        """Leave the sign: the turn has others before it."""
        if self._may(waiting):
            self._signed[waiting.turn] = None
            self._after(waiting.turn, self._leave(waiting))

    def perhaps(self, waiting: Waiting) -> None:
        """An earlier run may have left a sign on this turn's question: it had to wait."""
        if waiting.kind == "ask" and self._may(waiting):
            self._signed[waiting.turn] = None

    def over(self, waiting: Waiting) -> None:
        """The turn waits no longer."""
        if waiting.turn in self._signed:
            self._after(waiting.turn, self._take_away(waiting))

    async def aclose(self) -> None:
        """Give up what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _may(self, waiting: Waiting) -> bool:
        adapter = self._means.adapters.get(waiting.platform)
        return isinstance(adapter, Reacts) and self._clock() >= self._forbidden.get(waiting.channel, 0.0)

    def _after(self, turn: int, work: Coroutine[None, None, None]) -> None:
        """Do it after what is under way for the same turn."""
        before = self._tasks.get(turn)

        async def run() -> None:
            try:
                if before:
                    await asyncio.wait([before])
            except BaseException:
                work.close()
                raise
            try:
                await work
            except StoreUnusable as failure:
                log.debug("no sign", turn=turn, detail=failure.detail)
            except Exception as error:
                # Nothing depends on a sign, whatever an adapter raises.
                log.warning("sign failed by a fault of ours", turn=turn, fault=fault(error))

        def done(ended: asyncio.Task[None]) -> None:
            if self._tasks.get(turn) is ended:
                del self._tasks[turn]

        self._tasks[turn] = task = asyncio.create_task(run(), name=f"sign {turn}")
        task.add_done_callback(done)

    async def _leave(self, waiting: Waiting) -> None:
        if waiting.turn in self._signed:
            work = await self._means.store.load(waiting.turn)
            limits = self._means.adapters[waiting.platform].limits(work.target, "react")
            message = work.messages[-1].id
            # One that is left out is no loss.
            permit = self._means.governor.try_permit(limits)
            if permit and await self._react(work, message, permit, seen=True):
                self._signed[waiting.turn] = message
            else:
                del self._signed[waiting.turn]

    async def _take_away(self, waiting: Waiting) -> None:
        if waiting.turn in self._signed:
            work = await self._means.store.load(waiting.turn)
            limits = self._means.adapters[waiting.platform].limits(work.target, "react")
            known = self._signed.pop(waiting.turn)
            for message in [known] if known else [asked.id for asked in work.messages]:
                await self._react(work, message, self._means.governor.permit(limits, Grade.NOTICE), seen=False)

    async def _react(self, work: Work, message: MessageId, permit: AbstractAsyncContextManager[None], *, seen: bool) -> bool:
        """Whether it went well."""
        adapter: Adapter = self._means.adapters[work.platform]
        if not isinstance(adapter, Reacts):
            return False
        try:
            async with permit:
                await adapter.react(work.target, message, seen=seen)
        except Forbidden as failure:
            log.info("no signs here", channel=work.place.id, detail=failure.detail)
            self._forbidden[work.place.id] = self._clock() + NOT_AGAIN
        except Failure as failure:
            log.debug("no sign", turn=work.turn, detail=failure.detail)
        else:
            return True
        return False
