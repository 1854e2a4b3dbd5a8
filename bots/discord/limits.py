"""What Discord says of its rate limits in the headers of its answers (Discord developer docs, Rate Limits)."""

import logging
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from types import SimpleNamespace
from typing import Literal

import aiohttp

from bots.discord.convert import NAME
from shared.chat import Act, Limit

log = logging.getLogger(__name__)

OVERALL = Limit(scope=f"{NAME}:overall", calls=48, seconds=1.0)
"""50 requests a second for the whole bot (Discord developer docs, Rate Limits: Global Rate Limit), 2 of them kept back for
the calls that the library makes by itself."""

CALLS, SECONDS = 5, 5.0
"""Per channel, until the headers say otherwise: 5 messages or edits in 5 seconds (observed: Discord.Net issue 2375)."""

KEPT = 2000
"""How many channels' limits are remembered; one that was forgotten starts from the defaults again."""

BANNED_SECONDS = 60.0
"""How long to wait after a 429 that names no time; Cloudflare's bans of an address come so (discord.py, http.py)."""

INVALID, INVALID_SECONDS = 1000, 600.0
"""Answers of 401, 403 and 429 in 10 minutes after which the operator is warned: at 10,000 Discord bans the address (Discord
developer docs, Rate Limits: Invalid Request Limit). A warning is enough: a 429 blocks its scope here, a 401 ends the
connection, and a 403 is not repeated, so thousands of them mean something that only the operator can mend."""

REACTIONS = (1, 0.25)
"""Calls and seconds per channel for signs left on messages, until the headers say otherwise (observed: discord-api-docs issue
182)."""

ANSWERS = (5, 2.0)
"""Calls and seconds for the answers to one command or press, which are not counted in `OVERALL` (Discord developer docs,
Receiving and Responding: Endpoints). The number is that for webhooks by Discord's staff (discord-api-docs issue 367)."""

Group = Literal["messages", "edits", "deletes", "typing", "threads", "reactions"]

_ROUTE = re.compile(r"/channels/(\d+)(/messages(?:/\d+(?:(/threads)|(/reactions/[^/]+/@me))?)?|/typing)$")
_GROUPS: Mapping[Act, Group] = {
    "post": "messages",
    "edit": "edits",
    "delete": "deletes",
    "busy": "typing",
    "open": "threads",
    "upload": "messages",
    "react": "reactions",
}


@dataclass(slots=True)
class _Bucket:
    calls: int = CALLS
    seconds: float = SECONDS
    blocked_until: float = 0.0


class Limits:
    """The limits as known now, fed by a trace of every answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only grow."""
        self._clock = clock
        self._buckets: OrderedDict[tuple[Group, int], _Bucket] = OrderedDict()
        self._hashes: dict[Group, str] = {}
        self._overall_until = 0.0
        self._invalid: deque[float] = deque(maxlen=INVALID)
        self._warned = -INVALID_SECONDS

    def of(self, act: Act, channel: int, kept_back: int = 0) -> tuple[Limit, ...]:
        """Every scope that an act in a channel counts in; `kept_back` calls a second are left to others."""
        if act not in _GROUPS:
            return ()
        now = self._clock()
        group = self._shared(_GROUPS[act])
        bucket = self._buckets.get((group, channel)) or _new(group)
        blocked = max(0.0, bucket.blocked_until - now)
        scope = f"{NAME}:{group}:{channel}"
        own = Limit(scope=scope, calls=bucket.calls, seconds=bucket.seconds, windowed=True, blocked=blocked)
        until = self._overall_until - now
        overall = OVERALL
        if until > 0 or kept_back:
            overall = replace(OVERALL, calls=OVERALL.calls - kept_back, blocked=max(0.0, until))
        return own, overall

    def trace(self) -> aiohttp.TraceConfig:
        """A trace that reads every answer's headers."""
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._ended)
        return trace

    async def _ended(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        self.read(params.method, params.url.path, params.response.status, params.response.headers)

    def read(self, method: str, path: str, status: int, headers: Mapping[str, str]) -> None:
        """Learn from one answer."""
        now = self._clock()
        wait = _seconds(headers, "Retry-After", "X-RateLimit-Reset-After") if status == 429 else 0.0
        if status in (401, 403, 429):
            self._count_invalid(headers, now)
        if status == 429 and "Via" not in headers:
            # Not Discord's answer but Cloudflare's, who bans the address (so discord.py, http.py): nothing gets through.
            self._overall_until = max(self._overall_until, now + (wait or BANNED_SECONDS))
            return
        if headers.get("X-RateLimit-Global") or headers.get("X-RateLimit-Scope") == "global":
            self._overall_until = max(self._overall_until, now + wait)
            return
        found = _ROUTE.search(path)
        group = _group(method, found) if found else None
        if found is None or group is None:
            return
        if hash_ := headers.get("X-RateLimit-Bucket"):
            self._hashes[group] = hash_
        bucket = self._bucket(self._shared(group), int(found[1]))
        if status == 429:
            bucket.blocked_until = max(bucket.blocked_until, now + wait)
            return
        calls = int(_seconds(headers, "X-RateLimit-Limit"))
        if calls > 0:
            bucket.calls = calls
            if int(_seconds(headers, "X-RateLimit-Remaining")) == calls - 1:
                # The first call of a window: what is left of it is its length. Rounded up, as some of it has passed.
                length = _seconds(headers, "X-RateLimit-Reset-After")
                bucket.seconds = ceil(length * 4) / 4 or bucket.seconds

    def _count_invalid(self, headers: Mapping[str, str], now: float) -> None:
        if headers.get("X-RateLimit-Scope") == "shared":
            return  # does not count (Discord developer docs, Rate Limits: Invalid Request Limit)
        self._invalid.append(now)
        many = len(self._invalid) == INVALID and self._invalid[0] > now - INVALID_SECONDS
        if many and now >= self._warned + INVALID_SECONDS:
            self._warned = now
            log.warning("Discord refuses very many calls; at 10,000 in 10 minutes it bans this address")

    def _shared(self, group: Group) -> Group:
        """Edits count with new messages unless the server names different buckets for them."""
        if group == "edits":
            edits, messages = self._hashes.get("edits"), self._hashes.get("messages")
            return "edits" if edits and messages and edits != messages else "messages"
        return group

    def _bucket(self, group: Group, channel: int) -> _Bucket:
        bucket = self._buckets.get((group, channel))
        if bucket is None:
            bucket = self._buckets[group, channel] = _new(group)
            if len(self._buckets) > KEPT:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end((group, channel))
        return bucket


def _new(group: Group) -> _Bucket:
    return _Bucket(*REACTIONS) if group == "reactions" else _Bucket()


def _group(method: str, route: re.Match[str]) -> Group | None:
    if route[3]:
        return "threads" if method == "POST" else None
    if route[4]:
        return "reactions"
    if route[2] == "/typing":
        return "typing"
    single = route[2] != "/messages"
    if method == "POST":
        return None if single else "messages"
    if single and method in ("PATCH", "DELETE"):
        return "edits" if method == "PATCH" else "deletes"
    return None


def _seconds(headers: Mapping[str, str], *names: str) -> float:
    """The greatest number in these headers; 0 where there is none. A header that is no number is as good as none."""
    found = 0.0
    for name in names:
        try:
            found = max(found, float(headers.get(name, 0)))
        except ValueError:
            continue
    return found
