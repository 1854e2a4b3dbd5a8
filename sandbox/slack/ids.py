"""Ids and timestamps that only grow, also over a restart."""

from collections.abc import Callable

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def ts_number(ts: str) -> int:
    """A ts as microseconds. Raises `ValueError` when it is none."""
    seconds, dot, rest = ts.partition(".")
    if not (seconds.isascii() and seconds.isdigit()) or (dot and not (rest.isascii() and rest.isdigit() and len(rest) <= 6)):
        raise ValueError(f"not a ts: {ts}")
    return int(seconds) * 1_000_000 + int(rest.ljust(6, "0") or "0")


class Ids:
    """Makes what names things."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0
        self._count = 36**8

    def ts(self) -> str:
        """The ts of now, moved on where another one has it (docs.slack.dev, message event: unique in its channel)."""
        self._last = max(self._last + 1, int(self._clock() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def next(self, prefix: str) -> str:
        """A new id with the letter or letters that say of what."""
        self._count += 1
        number, text = self._count, ""
        while number:
            number, digit = divmod(number, 36)
            text = _DIGITS[digit] + text
        return f"{prefix}{text}"

    def seen_ts(self, ts: str) -> None:
        """Make only later ones from now on."""
        self._last = max(self._last, ts_number(ts))

    def seen(self, made: str, prefix: str) -> None:
        """Make only other ones from now on."""
        rest = made.removeprefix(prefix)
        if len(rest) == 9 and all(each in _DIGITS for each in rest):
            self._count = max(self._count, int(rest, 36))
