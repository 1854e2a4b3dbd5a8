"""What was said while the bot was away, and what it posted itself, read from Slack's histories."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bots.slack.calls import Json
from bots.slack.convert import PART, Converter, thread_of
from bots.slack.files import described
from bots.slack.known import Known
from bots.slack.names import Place, channel_id, message_id, order, place_of, stamp, ts_of
from bots.slack.pace import Reads
from shared.chat import Channel, ChannelId, Message, MessageId, Seen
from shared.errors import Failure, Gone

log = logging.getLogger(__name__)

PAGE = 200
"""Messages in one answer (docs.slack.dev, conversations.history: no more than 200 are recommended)."""

NEWEST = 10
"""How many of the direct chats, and of the channels, that were made or changed last are looked at: each costs a call."""

LISTED = 10
"""How many pages of them are listed at most: Slack gives them in no useful order (docs.slack.dev, conversations.list)."""

LACKING, LACKING_HOLDS = timedelta(hours=12), timedelta(hours=1)
"""How far back it is read what was seen already, since something in between may be lacking, and for how long that is done.

What was taken is known for a day, by its keys."""

PLACES, THREADS = 200, 100
"""Of how many channels and of how many threads the history is read: those seen last. Each costs a call or two."""


class Past:
    """Reads the histories of one session."""

    def __init__(
        self,
        read: Reads,
        converter: Converter,
        known: Known,
        *,
        survey_seconds: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`survey_seconds` is how long a survey may take. Where Slack makes us wait, what was found by then has to do.

        `clock` gives the time with its zone.
        """
        self._survey_seconds = survey_seconds
        self._read = read
        self._converter = converter
        self._known = known
        self._read_to: dict[ChannelId, int] = {}
        """How far each channel is known to have been read in this session."""
        self._chats: dict[ChannelId, int] = {}
        """The newest message of direct chats and channels that may be new to us."""
        self._clock = clock
        self._from: tuple[datetime, datetime] | None = None
        """From when on is read, also where later messages were seen, and until when that holds."""
        self._session = 0
        self._heard: set[ChannelId] = set()
        """The channels that the core knew when it asked last; they need not be looked for."""
        self._threads: set[ChannelId] = set()
        """The threads that are read by themselves."""

    def lacking(self, since: datetime) -> None:
        """From this time on something may not have been heard, though later things were: the next sessions read from there."""
        now = self._clock()
        before = now if self._from is None or now > self._from[1] else self._from[0]
        self._from = (max(min(since, before), now - LACKING), now + LACKING_HOLDS)

    async def survey(self) -> None:
        """A session begins: look for direct chats and channels that were new while we were away. Nobody has told us of them.

        What was read in the session before says nothing of what came after it.
        """
        self._session += 1
        self._read_to.clear()
        channels = {"types": "public_channel,private_channel,mpim", "exclude_archived": "true"}
        try:
            async with asyncio.timeout(self._survey_seconds), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._surveyed("conversations.list", types="im"), name="slack survey of chats")
                tasks.create_task(self._surveyed("users.conversations", **channels), name="slack survey of channels")
        except TimeoutError:
            log.info("not all new channels were looked for in time")

    async def _surveyed(self, method: str, **which: str) -> None:
        found: dict[str, float] = {}
        try:
            await self._list(method, which, found)
        except Failure as failure:
            log.info("not all new channels can be looked for", extra={"method": method, "detail": failure.detail})
        new = [each for each in found if channel_id(each) not in self._heard]
        async with asyncio.TaskGroup() as tasks:
            for channel in sorted(new, key=lambda each: found[each], reverse=True)[:NEWEST]:
                tasks.create_task(self._look(channel), name="slack survey")

    async def _list(self, method: str, which: Mapping[str, str], found: dict[str, float]) -> None:
        """Add channels with the time when they were made or changed last, page by page, for half of the time that there is."""
        cursor: str | None = None
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(LISTED):
            if loop.time() - began > self._survey_seconds / 2:
                return
            answer = await self._read.past(method, limit=PAGE, cursor=cursor, **which)
            for channel in cast("list[Json]", answer.get("channels") or []):
                found[str(channel.get("id"))] = _changed(channel)
            cursor = _cursor(answer)
            if not cursor:
                return

    async def _look(self, chat: str) -> None:
        try:
            answer = await self._read.past("conversations.history", channel=chat, limit=1)
        except Failure as failure:
            log.info("a new channel cannot be looked at", extra={"channel_id": chat, "detail": failure.detail})
            return
        for raw in cast("list[Json]", answer.get("messages") or []):
            self._chats[channel_id(chat)] = order(str(raw.get("ts")))

    def behind(self, seen: Seen) -> Sequence[Channel]:
        """The channels of which it is not known that nothing came after the newest message seen there.

        Slack does not tell at the start which channels have something new.
        """
        newest = {channel.id: _newest(seen, channel.id) for channel in seen.channels}
        open_ = [each for each in seen.channels if self._read_to.get(each.id, -1) < newest[each.id]]
        open_.sort(key=lambda channel: newest[channel.id], reverse=True)
        since = self._earlier(order(stamp(seen.since)))
        open_ += [
            self._converter.place(place_of(chat).channel)
            for chat, last in self._chats.items()
            if chat not in newest and last > max(since, self._read_to.get(chat, -1))
        ]
        threads = [each for each in open_ if place_of(each.id).root is not None][:THREADS]
        self._heard, self._threads = set(newest), {each.id for each in threads}
        return [*[each for each in open_ if place_of(each.id).root is None][:PLACES], *threads]

    async def missed(self, channel: Channel, seen: Seen) -> AsyncIterator[Message]:
        """The messages in a channel after the newest one seen, oldest first; and what was said in its threads since.

        Of the threads that began before and that are not read by themselves, in those of the page that holds the newest messages.
        """
        place, session = place_of(channel.id), self._session
        after, since = self._earlier(_newest(seen, channel.id)), self._earlier(order(stamp(seen.since)))
        last = after
        pages = self._page(place, after)
        if place.root is None:
            answer = await self._read.past("conversations.history", channel=place.channel, limit=PAGE, include_all_metadata=True)
            newest = _oldest_first(answer)
            for raw in newest:
                if order(str(raw.get("ts"))) <= after and self._woken(place, raw, since):
                    async for reply in self._replies(place.channel, str(raw["ts"]), since):
                        yield reply
            if not answer.get("has_more") or (newest and order(str(newest[0].get("ts"))) <= after):
                pages = _each(raw for raw in newest if order(str(raw.get("ts"))) > after)
        async for raw in pages:
            last = max(last, order(str(raw.get("ts"))))
            if place.root is None and thread_of(raw) is not None:
                continue  # also sent to the channel; it belongs to its thread
            if (message := await self._message(raw, place.channel)) is not None:
                yield message
            if place.root is None and raw.get("reply_count"):
                async for reply in self._replies(place.channel, str(raw["ts"])):
                    yield reply
        if session == self._session:
            self._read_to[channel.id] = last

    def _earlier(self, time: int) -> int:
        if self._from is None or self._clock() > self._from[1]:
            return time
        return min(time, order(stamp(self._from[0])))

    def _woken(self, place: Place, root: Json, since: int) -> bool:
        """Whether something was said in a thread since, which nobody else reads."""
        return order(str(root.get("latest_reply"))) > since and channel_id(place.channel, str(root["ts"])) not in self._threads

    async def _replies(self, channel: str, root: str, after: int = 0) -> AsyncIterator[Message]:
        try:
            async for raw in self._page(Place(channel, root), max(after, order(root))):
                if (message := await self._message(raw, channel)) is not None:
                    yield message
        except Gone as gone:
            # It was deleted while the channel was read, of which the rest is to be read all the same.
            log.info("a thread is not there any more", extra={"detail": gone.detail})

    async def _message(self, raw: Json, channel: str) -> Message | None:
        raw = await self._known.whole(raw)
        around = await self._known.around(self._converter, raw, channel)
        try:
            return self._converter.message(raw, channel, around, recalled=True)
        except Exception:
            # As with what is heard live: nobody knows what else can be in a message; one must not hold up the others.
            log.exception("a message could not be read", extra={"message_id": raw.get("ts"), "channel_id": channel})
            return None

    async def find(
        self,
        place: Place,
        key: str,
        after: MessageId | None,
        since: datetime,
        known: Collection[MessageId],
        *,
        streams: bool,
    ) -> MessageId | None:
        """Our message with this key, after `after` and not before `since`.

        Where there is none and there may be `streams`, the first one that could be a stream: they get their metadata when they
        are stopped (docs.slack.dev, chat.startStream, chat.stopStream).
        """
        begun: MessageId | None = None
        low = max(order(stamp(since)) - 1, order(ts_of(after)) if after is not None else 0)
        async for raw in self._page(place, low):
            found = message_id(place.channel, str(raw.get("ts")))
            if not self._converter.by_us(raw) or thread_of(raw) != place.root or found in known:
                continue
            if _key(raw, key):
                return found
            if begun is None and streams and _could_stream(raw):
                begun = found
        return begun

    async def _page(self, place: Place, after: int) -> AsyncIterator[Json]:
        """The messages above a time, oldest first."""
        method = "conversations.history" if place.root is None else "conversations.replies"
        given: dict[str, Any] = {"channel": place.channel, "ts": place.root, "limit": PAGE, "include_all_metadata": True}
        # With `oldest` alone a history is read forwards, page by page, each newest first (docs.slack.dev, conversations.history).
        given["oldest"] = f"{after // 1_000_000}.{after % 1_000_000:06d}"
        while True:
            answer = await self._read.past(method, **given)
            for raw in _oldest_first(answer):
                # Replies come with their root, whatever was asked for.
                if order(str(raw.get("ts"))) > after and raw.get("ts") != place.root:
                    yield raw
            given["cursor"] = _cursor(answer)
            if not answer.get("has_more") or not given["cursor"]:
                return


async def _each(page: Iterable[Json]) -> AsyncIterator[Json]:
    for raw in page:
        yield raw


def _oldest_first(answer: Json) -> list[Json]:
    return sorted(cast("list[Json]", answer.get("messages") or []), key=lambda each: order(str(each.get("ts"))))


def _cursor(answer: Json) -> str | None:
    """Where the next page begins (docs.slack.dev, Pagination)."""
    return cast("Json", answer.get("response_metadata") or {}).get("next_cursor") or None


def _key(raw: Json, key: str) -> bool:
    metadata = cast("Json", raw.get("metadata") or {})
    if metadata.get("event_type") == PART:
        return cast("Json", metadata.get("event_payload") or {}).get("key") == key
    files = cast("list[Json]", raw.get("files") or [])
    return any(each.get("alt_txt") == described(str(each.get("title") or each.get("name")), key) for each in files)


def _could_stream(raw: Json) -> bool:
    """Whether it has what a stream has: all that we post has metadata or files."""
    return not raw.get("metadata") and not raw.get("files")


def _changed(channel: Json) -> float:
    """When a channel was made or changed last; only the first is told in seconds (docs.slack.dev, Conversation object)."""
    created, updated = (
        each if isinstance(each, (int, float)) else 0 for each in (channel.get("created"), channel.get("updated"))
    )
    return max(float(created), updated / 1000)


def _newest(seen: Seen, channel: ChannelId) -> int:
    newest = seen.newest.get(channel)
    return order(ts_of(newest)) if newest is not None else order(stamp(seen.since))
