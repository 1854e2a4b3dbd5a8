"""Prompt caching: which prefixes are remembered, and what a request reads and writes of them.

Anthropic developer docs, "Prompt caching": prefixes end at marks; a mark finds what an earlier request wrote up to 20 blocks
back; a prefix below the model's minimum is not cached; each hit renews what it hits.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .blocks import JsonObject
from .counting import TTLS, Element, tokens

_LOOKBACK = 20

# What changes the prefix of the messages though it stands in none of them.
_AROUND = ("thinking", "tool_choice")


@dataclass(frozen=True, slots=True)
class Reading:
    """The input tokens of a request: `fresh` were neither read nor written; `written` are by TTL."""

    fresh: int
    read: int = 0
    written_5m: int = 0
    written_1h: int = 0

    @property
    def total(self) -> int:
        """All input tokens."""
        return self.fresh + self.read + self.written_5m + self.written_1h

    def usage(self) -> dict[str, Any]:
        """The figures under the names of the API."""
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": self.written_5m + self.written_1h,
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.written_5m,
                "ephemeral_1h_input_tokens": self.written_1h,
            },
        }


@dataclass(slots=True)
class _Entry:
    expires: float
    seconds: float


class PrefixCache:
    """The prefixes that a simulator remembers."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead = 0.0
        self._entries: dict[bytes, _Entry] = {}

    def advance(self, seconds: float) -> None:
        """Let time pass for the cache alone."""
        self._ahead += seconds

    def clear(self) -> None:
        """Forget every prefix."""
        self._entries.clear()

    def take(self, body: JsonObject, found: Sequence[Element], minimum: int) -> Reading:
        """Account for a request that is being answered, and remember its marked prefixes."""
        now = self._clock() + self._ahead
        self._entries = {key: entry for key, entry in self._entries.items() if entry.expires > now}
        total = tokens(body, found)
        if all(element.mark is None for element in found):
            return Reading(total)
        keys, sums = _chain(body, found)
        marked = [at for at, element in enumerate(found) if element.mark is not None and sums[at] >= minimum]
        if not marked:
            return Reading(total)
        hit = self._hit(keys, marked, now)
        read = sums[hit] if hit is not None else 0
        reading = Reading(total - sums[marked[-1]], read)
        for at in marked:
            mark = found[at].mark or "5m"
            grown = max(0, sums[at] - read - reading.written_5m - reading.written_1h)
            field = "written_1h" if mark == "1h" else "written_5m"
            reading = replace(reading, **{field: getattr(reading, field) + grown})
            self._entries[keys[at]] = _Entry(now + TTLS[mark], TTLS[mark])
        return reading

    def _hit(self, keys: Sequence[bytes], marked: Sequence[int], now: float) -> int | None:
        """Find the longest remembered prefix, and renew it."""
        for mark in reversed(marked):
            for at in range(mark, max(-1, mark - _LOOKBACK), -1):
                entry = self._entries.get(keys[at])
                if entry is not None:
                    entry.expires = now + entry.seconds
                    return at
        return None


def _chain(body: JsonObject, found: Sequence[Element]) -> tuple[list[bytes], list[int]]:
    """Return for each element the fingerprint of the prompt up to it, and its tokens."""
    keys: list[bytes] = []
    sums: list[int] = []
    digest, total, level = hashlib.sha256(str(body.get("model")).encode()).digest(), 0, ""
    for element in found:
        if element.level == "messages" and level != "messages":
            around = json.dumps([body.get(name) for name in _AROUND]).encode()
            digest = hashlib.sha256(digest + around).digest()
        level = element.level
        digest = hashlib.sha256(digest + level.encode() + element.data).digest()
        total += element.tokens
        keys.append(digest)
        sums.append(total)
    return keys, sums
