"""What was said while the bot was away, and what it posted itself, read from Slack's histories."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any, cast

from bots.slack.calls import Json
from bots.slack.convert import PART, Converter, thread_of
from bots.slack.files import described
from bots.slack.known import Known
from bots.slack.names import Place, channel_id, message_id, order, place_of, stamp, ts_of
from bots.slack.pace import Reads
from shared.chat import Channel, ChannelId, Message, MessageId, Seen
from shared.errors import Failure

log = logging.getLogger(__name__)

PAGE = 200
"""Messages in one answer (docs.slack.dev, conversations.history: no more than 200 are recommended)."""

NEWEST = 10
"""How many of the direct chats, and of the channels, that were made or changed last are looked at: each costs a call."""

PLACES, THREADS = 200, 100
"""Of how many channels and of how many threads the history is read: those seen last. Each costs a call or two."""


class Past:
    """Reads the histories of one session."""

    def __init__(self, read: Reads, converter: Converter, known: Known, *, survey_seconds: float) -> None:
        """`survey_seconds` is how long a survey may take. Where Slack makes us wait, what was found by then has to do."""
        self._survey_seconds = survey_seconds
        self._read = read
        self._converter = converter
        self._known = known
        self._read_to: dict[ChannelId, int] = {}
        """How far each channel is known to have been read in this session."""
        self._chats: dict[ChannelId, int] = {}
        """The newest message of direct chats and channels that may be new to us."""

    async def survey(self) -> None:
        """Look for direct chats and channels that were new while we were away: nobody has told us of them."""
        channels = {"types": "public_channel,private_channel,mpim", "exclude_archived": "true"}
        try:
            async with asyncio.timeout(self._survey_seconds), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._surveyed("conversations.list", types="im"), name="slack survey of chats")
                tasks.create_task(self._surveyed("users.conversations", **channels), name="slack survey of channels")
        except TimeoutError:
            log.info("not all new channels were looked for in time")

    async def _surveyed(self, method: str, **which: str) -> None:
        try:
            answer = await self._read.past(method, limit=PAGE, **which)
            found = cast("list[Json]", answer.get("channels") or [])
            async with asyncio.TaskGroup() as tasks:
                for channel in sorted(found, key=_changed, reverse=True)[:NEWEST]:
                    tasks.create_task(self._look(str(channel["id"])), name="slack survey")
        except (Failure, ExceptionGroup) as failure:
            log.info("new channels cannot be looked for", extra={"method": method, "detail": repr(failure)[:200]})

    async def _look(self, chat: str) -> None:
        answer = await self._read.past("conversations.history", channel=chat, limit=1)
        for raw in cast("list[Json]", answer.get("messages") or []):
            self._chats[channel_id(chat)] = order(str(raw.get("ts")))

    def behind(self, seen: Seen) -> Sequence[Channel]:
        """The channels of which it is not known that nothing came after the newest message seen there.

        Slack does not tell at the start which channels have something new.
        """
        newest = {channel.id: _newest(seen, channel.id) for channel in seen.channels}
        open_ = [each for each in seen.channels if self._read_to.get(each.id, -1) < newest[each.id]]
        open_.sort(key=lambda channel: newest[channel.id], reverse=True)
        since = order(stamp(seen.since))
        open_ += [
            self._converter.place(place_of(chat).channel)
            for chat, last in self._chats.items()
            if chat not in newest and last > max(since, self._read_to.get(chat, -1))
        ]
        threads = [each for each in open_ if place_of(each.id).root is not None]
        return [*[each for each in open_ if place_of(each.id).root is None][:PLACES], *threads[:THREADS]]

    async def missed(self, channel: Channel, seen: Seen) -> AsyncIterator[Message]:
        """The messages in a channel after the newest one seen, oldest first; and what was said in threads that began since."""
        place, after = place_of(channel.id), _newest(seen, channel.id)
        last = after
        async for raw in self._page(place, after):
            last = max(last, order(str(raw.get("ts"))))
            if place.root is None and thread_of(raw) is not None:
                continue  # also sent to the channel; it belongs to its thread
            if (message := await self._message(raw, place.channel)) is not None:
                yield message
            if place.root is None and raw.get("reply_count"):
                async for reply in self._replies(place.channel, str(raw["ts"])):
                    yield reply
        self._read_to[channel.id] = last

    async def _replies(self, channel: str, root: str) -> AsyncIterator[Message]:
        async for raw in self._page(Place(channel, root), order(root)):
            if (message := await self._message(raw, channel)) is not None:
                yield message

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
            page = cast("list[Json]", answer.get("messages") or [])
            for raw in sorted(page, key=lambda each: order(str(each.get("ts")))):
                # Replies come with their root, whatever was asked for.
                if order(str(raw.get("ts"))) > after and raw.get("ts") != place.root:
                    yield raw
            cursor = cast("Json", answer.get("response_metadata") or {}).get("next_cursor")
            if not answer.get("has_more") or not cursor:
                return
            given["cursor"] = cursor


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
    return max(float(channel.get("created") or 0), float(channel.get("updated") or 0) / 1000)


def _newest(seen: Seen, channel: ChannelId) -> int:
    newest = seen.newest.get(channel)
    return order(ts_of(newest)) if newest is not None else order(stamp(seen.since))
