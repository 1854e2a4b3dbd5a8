"""Snowflakes (Discord developer docs, Reference: Snowflakes)."""

from collections.abc import Callable

EPOCH_MS = 1_420_070_400_000
"""The first millisecond of 2015, from which Discord counts."""


def snowflake_at(seconds: float, low: int = 0) -> int:
    """The snowflake of a Unix time, with `low` (0 to 2**22 - 1) as worker, process and increment."""
    return (int(seconds * 1000) - EPOCH_MS << 22) + low


def time_of(snowflake: int) -> float:
    """The Unix seconds at which a snowflake was made, to the millisecond."""
    return ((snowflake >> 22) + EPOCH_MS) / 1000


class Snowflakes:
    """Makes ids that always grow, also over a restart (`seen`) and when the clock stands still."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """A new id, greater than every id before."""
        self._last = max(self._last + 1, snowflake_at(self._clock()))
        return self._last

    def seen(self, snowflake: int) -> None:
        """Take note of an id that exists already."""
        self._last = max(self._last, snowflake)
