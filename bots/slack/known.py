"""What has to be looked up to read what people write: names, threads and channels. Each is asked for once and remembered."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast

from bots.slack.calls import Json
from bots.slack.convert import Around, Converter, thread_of
from bots.slack.pace import Reads
from shared.errors import Failure, Gone, Refused

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")

PEOPLE, THREADS, CHANNELS = 5000, 10_000, 2000
"""How many of each are remembered."""

NAME_SECONDS, CHANNEL_SECONDS = 6 * 3600.0, 300.0
"""How long a name and a channel's properties are taken to be as they were."""

AT_ONCE = 10
"""Of how many people at most the names are looked up for one message."""

THREAD_PAGE = 200
"""Of how many messages of a thread, from its beginning, it is seen whether the bot takes part."""


_ASK = "check_file_info"


class _Memory(Generic[K, V]):
    """Keeps the newest `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        return self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


class Known:
    """What is known of one workspace."""

    def __init__(self, read: Reads, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only grow."""
        self._read = read
        self._clock = clock
        self._names: _Memory[str, tuple[str, float]] = _Memory(PEOPLE)
        self._threads: _Memory[tuple[str, str], bool] = _Memory(THREADS)
        self._channels: _Memory[str, tuple[Json, float]] = _Memory(CHANNELS)

    async def around(self, converter: Converter, raw: Json, channel: str) -> Around:
        """What a message does not say itself.

        Raises `RateLimited` or `Unavailable` where it cannot be told just now whether it is meant for us.
        """
        root = thread_of(raw)
        ours, quote = False, None
        if root is not None and converter.by_person(raw) and not channel.startswith("D"):
            known = self._threads.get((channel, root))
            if known is None or (not known and converter.mentions_us(raw)):
                known, first = await self._thread(converter, channel, root, before=str(raw["ts"]))
                quote = first if not known and converter.mentions_us(raw) else None
            ours = known
        if root is not None:
            if converter.by_us(raw) or converter.mentions_us(raw):
                self.joined(channel, root)
        elif converter.by_person(raw):
            # A thread begins with its first message: from then on everything in it is heard.
            self._threads.put((channel, str(raw["ts"])), converter.mentions_us(raw) or self.takes_part(channel, str(raw["ts"])))
        users = converter.users(raw) + (converter.users(quote) if quote else [])
        return Around(names=await self.names(users), ours=ours, root=quote)

    async def whole(self, raw: Json) -> Json:
        """A message with its files named: of those from other workspaces it has only the ids.

        docs.slack.dev, File object: file_access "check_file_info".
        """
        files = cast("list[object]", raw.get("files") or [])
        if not any(isinstance(each, dict) and cast("Json", each).get("file_access") == _ASK for each in files):
            return raw
        return raw | {"files": [await self._file(each) for each in files]}

    async def _file(self, file: object) -> object:
        given: Json = cast("Json", file) if isinstance(file, dict) else {}
        if given.get("file_access") != _ASK:
            return given
        try:
            return (await self._read("files.info", file=given.get("id"))).get("file")
        except (Gone, Refused) as failure:
            log.info("a file cannot be looked up", extra={"detail": failure.detail})
            return given

    def joined(self, channel: str, root: str) -> None:
        """The bot takes part in a thread."""
        self._threads.put((channel, root), True)

    def takes_part(self, channel: str, root: str) -> bool:
        """Whether the bot is known to take part in a thread."""
        return self._threads.get((channel, root)) or False

    async def _thread(self, converter: Converter, channel: str, root: str, *, before: str) -> tuple[bool, Json | None]:
        """Whether the bot had a part in a thread before a message, and its first message."""
        try:
            answer = await self._read("conversations.replies", channel=channel, ts=root, limit=THREAD_PAGE, latest=before)
        except (Gone, Refused) as failure:
            log.info("a thread cannot be read", extra={"detail": failure.detail})
            return False, None
        found = cast("list[Json]", answer.get("messages") or [])
        earlier = [each for each in found if each.get("ts") != before]
        ours = any(converter.by_us(each) or converter.mentions_us(each) for each in earlier)
        self._threads.put((channel, root), ours)
        return ours, next((each for each in earlier if each.get("ts") == root), None)

    async def names(self, users: Iterable[str]) -> dict[str, str]:
        """The names of users; who cannot be looked up is left out."""
        found: dict[str, str] = {}
        for user in list(dict.fromkeys(users))[:AT_ONCE]:
            name = await self.name(user)
            if name:
                found[user] = name
        return found

    async def name(self, user: str) -> str | None:
        """The name that people see; None if it cannot be looked up."""
        known = self._names.get(user)
        if known is not None and self._clock() - known[1] < NAME_SECONDS:
            return known[0]
        try:
            found = (await self._read("users.info", user=user)).get("user")
        except Failure as failure:
            log.info("a name cannot be looked up", extra={"detail": failure.detail})
            return known[0] if known is not None else None
        name = _name(cast("Json", found) if isinstance(found, dict) else {}) or user
        self._names.put(user, (name, self._clock()))
        return name

    async def channel(self, channel: str) -> Json:
        """A channel's properties (docs.slack.dev, Conversation object). Raises as `Web.read`."""
        known = self._channels.get(channel)
        if known is not None and self._clock() - known[1] < CHANNEL_SECONDS:
            return known[0]
        found: Any = (await self._read("conversations.info", channel=channel)).get("channel")
        made = cast("Json", found) if isinstance(found, dict) else {}
        self._channels.put(channel, (made, self._clock()))
        return made


def _name(user: Json) -> str:
    """The display name, or the full name where there is none (docs.slack.dev, User object: profile)."""
    given: Any = user.get("profile")
    profile = cast("Json", given) if isinstance(given, dict) else {}
    return str(profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name") or "")
