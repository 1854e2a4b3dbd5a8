"""Rate limits as pure arithmetic on a given time (Discord developer docs, Rate Limits)."""

import zlib
from dataclasses import dataclass

from sandbox.windows import Window


@dataclass(frozen=True, slots=True)
class Taken:
    """What a call met. `scope` is None when it may go on, else `user` (its bucket is full) or `global`."""

    bucket: str
    limit: int
    remaining: int
    reset_after: float
    scope: str | None


class Limits:
    """The buckets of one bot. A bucket is a group of routes and, as top-level resource, a channel or a webhook's token."""

    def __init__(self, overall: tuple[int, float]) -> None:
        self._overall = Window(*overall)
        self._buckets: dict[tuple[str, str], Window] = {}
        self.suffered = 0
        """How many calls were refused so far."""

    def take(self, group: str, resource: str, limit: tuple[int, float], now: float, *, overall: bool = True) -> Taken:
        """Count one call. The overall limit is looked at first; a call that it refuses is not counted in the bucket.

        Some routes are not counted in it (`overall`).
        """
        window = self._buckets.get((group, resource))
        if window is None:
            window = self._buckets[group, resource] = Window(*limit)
        if overall and not self._overall.take(now):
            self.suffered += 1
            return Taken(bucket_hash(group), window.calls, window.remaining, self._overall.left(now), "global")
        scope = None
        if not window.take(now):
            self.suffered += 1
            scope = "user"
        return Taken(bucket_hash(group), window.calls, window.remaining, window.left(now), scope)


def bucket_hash(group: str) -> str:
    """The opaque name of a bucket in `X-RateLimit-Bucket`: the same for every channel, as Discord does it."""
    return f"{zlib.crc32(group.encode()):08x}{zlib.adler32(group.encode()):08x}"
