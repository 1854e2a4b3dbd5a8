"""What has to be looked up to read what people write: names, threads and channels. Each is asked for once and remembered."""

import asyncio
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

FAILED_SECONDS = 60.0
"""How long it is not asked again for a name that could not be looked up."""

NAMES_WAIT = 5.0
"""Seconds that a message waits at most for the names of its people: it can be answered without them."""

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

    def __init__(
        self, read: Reads, *, team: str = "", names_wait: float = NAMES_WAIT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`team` is our own workspace, `clock` gives seconds that only grow, of which names may take `names_wait`."""
        self._read = read
        self._team = team
        self._names_wait = names_wait
        self._clock = clock
        self._unnamed_until = 0.0
        """Until when nobody's name is looked up: Slack makes us wait for them."""
        self._teams: _Memory[str, str] = _Memory(PEOPLE)
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
        if converter.by_person(raw):
            self.met(str(raw["user"]), raw.get("user_team") or raw.get("team"))
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
        """The names of users; who cannot be looked up, or not in time, is left out."""
        wanted = list(dict.fromkeys(users))[:AT_ONCE]
        if any(self._due(user) for user in wanted) and self._clock() >= self._unnamed_until:
            try:
                async with asyncio.timeout(self._names_wait):
                    for user in wanted:
                        await self._look_up(user)
            except TimeoutError:
                log.info("names take too long")
                self._unnamed_until = self._clock() + FAILED_SECONDS
        found = {user: (self._names.get(user) or ("",))[0] for user in wanted}
        return {user: name for user, name in found.items() if name}

    def _due(self, user: str) -> bool:
        known = self._names.get(user)
        return known is None or self._clock() - known[1] >= NAME_SECONDS

    async def _look_up(self, user: str) -> None:
        """Learn a name and a workspace, or note that they cannot be had now."""
        if not self._due(user):
            return
        try:
            given: Any = (await self._read("users.info", user=user)).get("user")
        except Failure as failure:
            log.info("a name cannot be looked up", extra={"detail": failure.detail})
            before = self._names.get(user) or ("", 0.0)
            self._names.put(user, (before[0], self._clock() - NAME_SECONDS + FAILED_SECONDS))
            return
        found = cast("Json", given) if isinstance(given, dict) else {}
        self._names.put(user, (_name(found) or user, self._clock()))
        self.met(user, found.get("team_id"))

    def met(self, user: str, team: object) -> None:
        """Somebody belongs to a workspace."""
        if isinstance(team, str) and team:
            self._teams.put(user, team)

    async def team_of(self, user: str) -> str:
        """The workspace that somebody belongs to; ours where that cannot be told."""
        if self._teams.get(user) is None:
            await self.names((user,))
        return self._teams.get(user) or self._team

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
