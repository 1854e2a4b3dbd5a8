"""How far each channel has been read: a mark per channel, written now and then.

A mark may lag (the messages after it are recalled again, and known by their keys) and must never lead: it moves only after the
message it names was stored, and it is stuck once a message of the channel could not be stored or read, until the channel has been
read again. It never goes back: a recall that is tried again reads again what it has read.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
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
        self._stuck: dict[ChannelId, tuple[Channel, datetime]] = {}
        self._any_stuck = asyncio.Event()
        self._frozen = False
        self._taking: Counter[ChannelId] = Counter()
        self._heard: datetime | None = None
        self._held = False
        self._since: datetime | None = None
        """While a recall is under way: the time that must not move, since channels never read are read from there."""

    def read(self, message: Message) -> None:
        """This message has been dealt with."""
        channel = message.target.channel
        if self._frozen or channel.id in self._stuck or message.sent_at < self._reached.get(channel.id, message.sent_at):
            return
        self._reached[channel.id] = message.sent_at
        self._newest[channel.id] = (channel, message.id)

    @contextmanager
    def taking(self, channel: ChannelId) -> Generator[None]:
        """While a message of this channel is being stored, what is read after it does not move the mark."""
        self._taking[channel] += 1
        try:
            yield
        finally:
            self._taking[channel] -= 1
            if not self._taking[channel]:
                del self._taking[channel]

    def stick(self, channel: Channel, since: datetime) -> None:
        """What was said in this channel from `since` on could not all be stored: it has to be read again.

        Until `loosen` its mark stays, and so does the time of the last hearing, from which a channel without a mark is read.
        """
        _, before = self._stuck.get(channel.id, (channel, since))
        self._stuck[channel.id] = (channel, min(before, since))
        self._newest.pop(channel.id, None)
        self._any_stuck.set()

    def loosen(self, channel: ChannelId) -> None:
        """The channel was read from its mark on: the mark may move again."""
        self._stuck.pop(channel, None)
        if not self._stuck:
            self._any_stuck.clear()

    @property
    def stuck(self) -> Sequence[Channel]:
        """The channels that have to be read again."""
        return [channel for channel, _ in self._stuck.values()]

    async def until_stuck(self) -> None:
        """Returns when a channel has to be read again."""
        await self._any_stuck.wait()

    def freeze(self, frozen: bool) -> None:
        """Let nothing move, and write nothing: it is not known which channels have to be read again."""
        self._frozen = frozen

    def hold(self) -> None:
        """A recall is about to begin: the time of the last hearing stays where it is until `recalling` says where that is."""
        self._held = True

    def recalling(self, since: datetime | None) -> None:
        """Hold the time of the last hearing at `since` until called with None."""
        self._since = since
        self._held = False

    async def flush(self) -> None:
        """Write what has changed."""
        if self._adapter.health().connected and not self._held:
            self._heard = self._clock() - UNDERWAY
        at = self._since or self._heard
        if at is None or self._frozen:
            return
        newest = {key: mark for key, mark in self._newest.items() if key not in self._taking}
        self._newest = {key: mark for key, mark in self._newest.items() if key in self._taking}
        at = min([at, *(since for _, since in self._stuck.values())])
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
