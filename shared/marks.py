"""How far each channel has been read: a mark per channel, written now and then.

A mark may lag (the messages after it are recalled again, and known by their keys) and must never lead: it moves only after the
message it names was stored, and it stays where it is once a message of the channel could not be stored. It never goes back: a
recall that is tried again reads again what it has read.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from shared.chat import Adapter, Channel, ChannelId, Message, MessageId
from shared.errors import StoreUnusable
from shared.store import Store

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 5.0
"""Between two writes of the marks. What a crash loses of them is read again."""

UNDERWAY = timedelta(minutes=2)
"""How far the time of the last hearing stays behind: a message may be on its way, or a dead connection not be noticed yet."""


class Marks:
    """The marks of one platform."""

    def __init__(self, store: Store, adapter: Adapter, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._adapter = adapter
        self._clock = clock
        self._newest: dict[ChannelId, tuple[Channel, MessageId]] = {}
        self._reached: dict[ChannelId, datetime] = {}
        self._stuck: set[ChannelId] = set()
        self._heard: datetime | None = None
        self._since: datetime | None = None
        """While a recall is under way: the time that must not move, since channels never read are read from there."""

    def read(self, message: Message) -> None:
        """This message has been dealt with."""
        channel = message.target.channel
        if channel.id in self._stuck or message.sent_at < self._reached.get(channel.id, message.sent_at):
            return
        self._reached[channel.id] = message.sent_at
        self._newest[channel.id] = (channel, message.id)

    def stick(self, channel: ChannelId) -> None:
        """A message of this channel could not be stored: the next start has to read it again."""
        self._stuck.add(channel)
        self._newest.pop(channel, None)

    def loosen(self, channel: ChannelId) -> None:
        """The channel is read again from its mark on: the mark may move again."""
        self._stuck.discard(channel)

    def recalling(self, since: datetime | None) -> None:
        """Hold the time of the last hearing at `since` until called with None."""
        self._since = since

    async def flush(self) -> None:
        """Write what has changed."""
        newest, self._newest = self._newest, {}
        if self._adapter.health().connected:
            self._heard = self._clock() - UNDERWAY
        at = self._since or self._heard
        if at is None:
            self._newest = newest
            return
        try:
            await self._store.seen(self._adapter.name, newest, at)
        except StoreUnusable as failure:
            self._newest = newest | self._newest
            log.warning("marks not written", platform=self._adapter.name, detail=failure.detail)

    async def run(self) -> None:
        """Write the marks every few seconds until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self.flush()
        finally:
            await self.flush()
