"""After a new session with a platform: what was said meanwhile is taken before what is said now, channel by channel.

A message that is older than the limit is not answered but listed in one line. A channel that cannot be read just now is tried
again a few times; then its live events go on, its mark stays, and it is read at the next session.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from shared import sentences
from shared.chat import Adapter, Channel, Message, Recalls, Seen
from shared.errors import Failure, Gone, RateLimited, Refused
from shared.gate import Gate
from shared.marks import Marks
from shared.store import Store

log = structlog.get_logger(__name__)

CHANNELS_AT_ONCE = 4
TRIES = 4
LISTED = 5
"""How many of the messages that are too old are named in the line about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """What a recall on one platform needs of the others.

    `take` is the intake of a single message, `wanted` whether a message is meant for us by somebody who may, `tell` puts a
    sentence where a message was written. Messages above `age` are listed instead of answered.
    """

    adapter: Adapter
    store: Store
    gate: Gate
    marks: Marks
    take: Callable[[Message], Awaitable[object]]
    tell: Callable[[Message, str], Awaitable[object]]
    wanted: Callable[[Message], bool]
    age: timedelta
    clock: Callable[[], datetime]

    async def run(self) -> None:
        """Read what was missed. The gate is shut when this begins, and every channel is let through when it ends.

        Not so when it is cancelled: what it leaves unread is read by the recall after it, before anything newer.
        """
        try:
            await self._everywhere()
        except asyncio.CancelledError:
            raise
        except BaseException:
            self.gate.hold(())
            raise
        self.gate.hold(())

    async def _everywhere(self) -> None:
        seen = await self.store.marks(self.adapter.name)
        if seen is None or not isinstance(self.adapter, Recalls):
            # Never heard before: what was said before we came was not said to us.
            await self.store.seen(self.adapter.name, {}, self.clock())
            return
        channels = self.adapter.behind(seen)
        self.gate.hold(channel.id for channel in channels)
        if not channels:
            self.marks.recalling(None)
            return
        log.info("recall", platform=self.adapter.name, channels=len(channels), since=seen.since.isoformat())
        self.marks.recalling(seen.since)
        busy = asyncio.Semaphore(CHANNELS_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(self._channel(self.adapter, channel, seen, busy)) for channel in channels]
        if all(task.result() for task in reading):
            # Else a channel that was never read would lose what was said since then.
            self.marks.recalling(None)

    async def _channel(self, adapter: Recalls, channel: Channel, seen: Seen, busy: asyncio.Semaphore) -> bool:
        """One channel; a try that fails in the middle is repeated from the start, and what was taken is known by its keys."""
        whole = False
        try:
            async with busy:
                whole = await self._whole(adapter, channel, seen)
        finally:
            if not whole:
                # What is said now must not move the mark past what was not read.
                self.marks.stick(channel.id)
        self.gate.open(channel.id)
        return whole

    async def _whole(self, adapter: Recalls, channel: Channel, seen: Seen) -> bool:
        """Read all of it; False if it has to be read again at the next session."""
        for tried in itertools.count(1):
            self.marks.loosen(channel.id)
            try:
                await self._read(adapter.missed(channel, seen))
            except (Gone, Refused) as failure:
                log.warning("recall not possible", channel=channel.id, detail=failure.detail)
            except Failure as failure:
                log.warning("recall failed", channel=channel.id, tried=tried, detail=failure.detail)
                if tried == TRIES:
                    return False
                await asyncio.sleep(failure.retry_after if isinstance(failure, RateLimited) else 2.0**tried)
                continue
            break
        return True

    async def _read(self, missed: AsyncIterator[Message]) -> None:
        old: list[Message] = []
        async for message in missed:
            if self.clock() - message.sent_at > self.age:
                if self.wanted(message):
                    old.append(message)
                continue
            await self._list(old)
            old = []
            await self.take(message)
        await self._list(old)

    async def _list(self, old: Sequence[Message]) -> None:
        """One line about the messages that are too old. Marks move only after it is stored."""
        known = await self.store.known(self.adapter.name, [key for message in old for key in message.keys])
        left = [message for message in old if not known.intersection(message.keys)]
        if left:
            named = [f"“{_start(message.text)}” ({message.author.name})" for message in left[:LISTED]]
            await self.tell(left[-1], sentences.too_old(named, len(left), self.age))
        for message in old:
            self.marks.read(message)


def _start(text: str) -> str:
    """The first words of a message, on one line and without markup that could spill."""
    words = " ".join(text.replace("`", "'").split())
    return words if len(words) <= 60 else f"{words[:60].rstrip()}…"
