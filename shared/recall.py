"""After a new session with a platform: what was said meanwhile is taken before what is said now, channel by channel.

A message that is older than the limit is not answered but listed in one line. A channel that cannot be read just now is tried
again a few times; then its live events go on, its mark stays, and it is read again in the background until that has gone well.
"""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from shared import sentences
from shared.abilities import Recalls
from shared.chat import Adapter, Channel, Message, Seen
from shared.errors import Failure, Gone, RateLimited, Refused, StoreUnusable
from shared.gate import Gate
from shared.log import fault
from shared.marks import Marks
from shared.store import Store

log = structlog.get_logger(__name__)

CHANNELS_AT_ONCE = 4
TRIES = 4
LONGEST_PAUSE = 60.0
"""Seconds between two tries at the most."""

LISTED = 5
"""How many of the messages that are too old are named in the line about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """What a recall on one platform needs of the others.

    `take` is the intake of a single message, which raises `StoreUnusable` if it could not be stored, `wanted` whether a message
    is meant for us by somebody who may, `tell` puts a sentence where a message was written. Messages above `age` are listed
    instead of answered.
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
        if (found := await self._begin()) is not None:
            adapter, seen, channels = found
            self.gate.hold(channel.id for channel in channels)
            if channels:
                log.info("recall", platform=self.adapter.name, channels=len(channels), since=seen.since.isoformat())
                self.marks.recalling(seen.since)
                await self._each(adapter, channels, seen, tries=TRIES)
        # From here on the channels that could not be read hold the time.
        self.marks.recalling(None)
        self.gate.hold(())

    async def again(self) -> None:
        """Read the channels again whose mark is stuck, after pauses that grow to `LONGEST_PAUSE` seconds; until cancelled.

        Live events of a channel wait only while it is being read.
        """
        if not isinstance(self.adapter, Recalls):
            return
        tried = 0
        while True:
            await self.marks.until_stuck()
            tried += 1
            await asyncio.sleep(_pause(tried))
            if await self._reread(self.adapter):
                tried = 0

    async def _begin(self) -> tuple[Recalls, Seen, Sequence[Channel]] | None:
        """What was seen and where something may have been missed, asked until it is known; None if nothing can be missed.

        After a few tries people wait no longer: the gate is opened, and no mark moves until this returns.
        """
        for tried in itertools.count(1):
            try:
                found = await self._behind()
            except StoreUnusable as failure:
                log.error("recall cannot begin", platform=self.adapter.name, tried=tried, detail=failure.detail)
            except Exception as error:
                # A fault of the adapter; it must not leave the gate shut, nor what was missed unread.
                log.critical("recall failed by a fault of ours", platform=self.adapter.name, tried=tried, fault=fault(error))
            else:
                if tried > TRIES and found is not None:
                    # A live event that is on its way past the gate must not move these.
                    for channel in found[2]:
                        self.marks.stick(channel, found[1].since)
                self.marks.freeze(False)
                return found
            if tried == TRIES:
                self.marks.freeze(True)
                self.gate.hold(())
            await asyncio.sleep(_pause(tried))
        raise AssertionError("counting has no end")

    async def _behind(self) -> tuple[Recalls, Seen, Sequence[Channel]] | None:
        seen = await self.store.marks(self.adapter.name)
        if seen is None or not isinstance(self.adapter, Recalls):
            # Never heard before: what was said before we came was not said to us.
            await self.store.seen(self.adapter.name, {}, self.clock())
            return None
        return self.adapter, seen, self.adapter.behind(seen)

    async def _reread(self, adapter: Recalls) -> bool:
        """Try each stuck channel once; whether none is left."""
        try:
            seen = await self.store.marks(self.adapter.name)
        except StoreUnusable as failure:
            log.warning("cannot read again yet", platform=self.adapter.name, detail=failure.detail)
            return False
        channels = self.marks.stuck
        if seen is None or not channels:
            return False
        log.info("reading again", platform=self.adapter.name, channels=len(channels))
        return await self._each(adapter, channels, seen, tries=1)

    async def _each(self, adapter: Recalls, channels: Sequence[Channel], seen: Seen, *, tries: int) -> bool:
        busy = asyncio.Semaphore(CHANNELS_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(self._channel(adapter, channel, seen, busy, tries)) for channel in channels]
        return all(task.result() for task in reading)

    async def _channel(self, adapter: Recalls, channel: Channel, seen: Seen, busy: asyncio.Semaphore, tries: int) -> bool:
        """One channel; a try that fails in the middle is repeated from the start, and what was taken is known by its keys."""
        whole = False
        try:
            async with busy:
                self.gate.close(channel.id)
                whole = await self._whole(adapter, channel, seen, tries)
        finally:
            if not whole:
                # What is said now must not move the mark past what was not read.
                self.marks.stick(channel, seen.since)
        self.gate.open(channel.id)
        return whole

    async def _whole(self, adapter: Recalls, channel: Channel, seen: Seen, tries: int) -> bool:
        """Read all of it; False if it has to be read again later."""
        for tried in range(1, tries + 1):
            try:
                newest = await self._read(adapter.missed(channel, seen))
            except (Gone, Refused) as failure:
                log.warning("recall not possible", channel=channel.id, detail=failure.detail)
                newest = None
            except StoreUnusable as failure:
                log.error("recall given up for now", channel=channel.id, detail=failure.detail)
                return False
            except Failure as failure:
                log.warning("recall failed", channel=channel.id, tried=tried, detail=failure.detail)
                if tried < tries:
                    await asyncio.sleep(failure.retry_after if isinstance(failure, RateLimited) else _pause(tried))
                continue
            except Exception as error:
                # A fault of the adapter with this channel must not take the others down.
                log.critical("recall failed by a fault of ours", channel=channel.id, fault=fault(error))
                return False
            # A mark that was stuck goes forward in one step: now nothing before it is unread.
            self.marks.loosen(channel.id)
            if newest:
                self.marks.read(newest)
            return True
        return False

    async def _read(self, missed: AsyncIterator[Message]) -> Message | None:
        """Take each; the newest one."""
        old: list[Message] = []
        message = None
        async for message in missed:
            if self.clock() - message.sent_at > self.age:
                if self.wanted(message):
                    old.append(message)
                continue
            await self._list(old)
            old = []
            await self.take(message)
        await self._list(old)
        return message

    async def _list(self, old: Sequence[Message]) -> None:
        """One line about the messages that are too old. Marks move only after it is stored."""
        known = await self.store.known(self.adapter.name, [key for message in old for key in message.keys])
        left = [message for message in old if not known.intersection(message.keys)]
        if left:
            named = [f"`{_start(message.text)}` ({_plain(message.author.name)})" for message in left[:LISTED]]
            await self.tell(left[-1], sentences.too_old(named, len(left), self.age))
        for message in old:
            self.marks.read(message)


def _pause(tried: int) -> float:
    """Seconds before the next try after so many."""
    return min(2.0 ** min(tried, 10), LONGEST_PAUSE)


def _start(text: str) -> str:
    """The first words of a message, on one line, fit for a code span: others' markup must do nothing in a message of ours."""
    words = " ".join(text.replace("`", "'").split()) or "…"
    return words if len(words) <= 60 else f"{words[:60].rstrip()}…"


def _plain(name: str) -> str:
    """A name without anything that could be markup or a mention, on one line."""
    return " ".join(re.sub(r"[^\w .'-]|_", " ", name).split())[:40].rstrip() or "someone"
