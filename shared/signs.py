"""The sign on a question that was seen and has to wait for its turn.

Leaving one is best effort: nothing depends on it. One that was left is taken away again, whatever happens: it is on file from
before it is left, and where taking it away fails for good in this run, the next one tries again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from time import monotonic

import structlog

from shared.abilities import Reacts
from shared.chat import Adapter, ChannelId, Limit, MessageId
from shared.errors import Forbidden, Gone, RateLimited, Refused, StoreUnusable, Unavailable
from shared.governor import Grade
from shared.log import fault
from shared.means import Means
from shared.store import Signed, Waiting, Work

log = structlog.get_logger(__name__)

NOT_AGAIN = 3600.0
"""Seconds for which a channel is left alone in which no signs may be left."""

LATER = 1.0
"""Seconds after which it is tried again to leave a sign that could not go at once."""

PAUSES = (1.0, 5.0, 30.0)
"""Seconds after which it is tried again to take a sign away, each time that it fails."""


class Signs:
    """The signs of all turns. They are taken away when the turn begins or ends."""

    def __init__(self, means: Means, *, clock: Callable[[], float] = monotonic) -> None:
        """`clock` is in seconds."""
        self._means = means
        self._clock = clock
        self.tasks = set[asyncio.Task[None]]()
        """What is under way; it may be cancelled when the server stops."""
        self._last = dict[int, asyncio.Task[None]]()
        self._signed = dict[int, MessageId | None]()
        """Turns with the message that may have the sign; None before it is left."""
        self._left = dict[str, list[int]]()
        """Turns that have ended with their signs still there, by platform."""
        self._forbidden = dict[ChannelId, float]()

    def load(self, signed: Iterable[Signed]) -> None:
        """An earlier run has left these."""
        for one in signed:
            self._signed[one.turn] = one.message
            if one.ended:
                self._left.setdefault(one.platform, []).append(one.turn)

    def resume(self, platform: str) -> None:
        """The platform is connected: take away what belongs to turns that have ended. Later calls do nothing."""
        for turn in self._left.pop(platform, []):
            self.over(turn)

    def waits(self, waiting: Waiting) -> None:
        """Leave the sign: the turn has others before it."""
        able = isinstance(self._means.adapters.get(waiting.platform), Reacts)
        if able and self._clock() >= self._forbidden.get(waiting.channel, 0.0):
            self._signed[waiting.turn] = None
            self._after(waiting.turn, self._leave)

    def over(self, turn: int) -> None:
        """The turn waits no longer."""
        if turn not in self._signed:
            return
        if self._signed[turn] is None:
            del self._signed[turn]
        else:
            self._after(turn, self._take_away)

    def _after(self, turn: int, do: Callable[[int], Coroutine[None, None, None]]) -> None:
        """Do it after what is under way for the same turn."""
        before = self._last.get(turn)

        async def run() -> None:
            if before:
                await asyncio.wait([before])
            try:
                await do(turn)
            except StoreUnusable as failure:
                log.debug("no sign", turn=turn, detail=failure.detail)
            except Exception as error:
                # Nothing depends on a sign, whatever an adapter raises.
                log.warning("sign failed by a fault of ours", turn=turn, fault=fault(error))

        def done(ended: asyncio.Task[None]) -> None:
            self.tasks.discard(ended)
            if self._last.get(turn) is ended:
                del self._last[turn]

        self._last[turn] = task = asyncio.create_task(run(), name=f"sign {turn}")
        self.tasks.add(task)
        task.add_done_callback(done)

    async def _leave(self, turn: int) -> None:
        work = await self._means.store.load(turn)
        permit = None
        # Looked at again and again: such a permit never waits, so that it holds up nothing else.
        while turn in self._signed and not (permit := self._means.governor.try_permit(self._limits(work))):  # noqa: ASYNC110
            await asyncio.sleep(LATER)
        if permit is None:
            return
        message = self._signed[turn] = work.messages[-1].id
        try:
            async with permit:
                await self._means.store.signing(turn, message)
                await self._react(work, message, seen=True)
        except Unavailable as failure:
            log.debug("a sign may not have been left", turn=turn, detail=failure.detail)
        except (RateLimited, Gone, Refused) as failure:
            log.debug("no sign", turn=turn, detail=failure.detail)
            await self._forget(turn)

    async def _take_away(self, turn: int) -> None:
        if not (message := self._signed.get(turn)):
            return
        work = await self._means.store.load(turn)
        pauses = iter(PAUSES)
        while not await self._taken_away(work, message):
            if (pause := next(pauses, None)) is None:
                log.warning("a sign is left to the next start", turn=turn, channel=work.place.id)
                return
            await asyncio.sleep(pause)
        await self._forget(turn)

    async def _taken_away(self, work: Work, message: MessageId) -> bool:
        """Whether nothing more can be done about it."""
        try:
            async with self._means.governor.permit(self._limits(work), Grade.NOTICE):
                await self._react(work, message, seen=False)
        except (RateLimited, Unavailable) as failure:
            log.info("a sign could not be taken away", turn=work.turn, detail=failure.detail)
            return False
        except (Gone, Refused) as failure:
            log.debug("no sign to take away", turn=work.turn, detail=failure.detail)
        return True

    async def _forget(self, turn: int) -> None:
        del self._signed[turn]
        await self._means.store.unsigned(turn)

    def _limits(self, work: Work) -> Sequence[Limit]:
        return self._means.adapters[work.platform].limits(work.target, "react")

    async def _react(self, work: Work, message: MessageId, *, seen: bool) -> None:
        adapter: Adapter = self._means.adapters[work.platform]
        if not isinstance(adapter, Reacts):
            return
        try:
            await adapter.react(work.target, message, seen=seen)
        except Forbidden as failure:
            log.info("no signs here", channel=work.place.id, detail=failure.detail)
            now = self._clock()
            self._forbidden = {place: until for place, until in self._forbidden.items() if until > now}
            self._forbidden[work.place.id] = now + NOT_AGAIN
            raise
