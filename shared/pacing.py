"""How one scope of a platform's limits is used up: bookkeeping only.

Nothing here waits or reads a clock. Every time is in seconds of one monotonic clock that the caller passes in; a time in the
past means "now", infinity means "not before something else happens".
"""

from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from math import inf

from shared.chat import Limit

MARGIN = 0.025
"""Default for how much longer one call may be under way to the platform than another, in seconds."""

_FAST = 10.0
"""From this many calls per second on, previews need no rhythm of their own."""
_WIDEST = 8.0
_NARROWING = 0.9
_QUIET = 30.0
_STRAY = 1.0
"""A call that ended without an answer may still be counted this much later, in seconds."""
_SAME_BLOCK = 0.25
"""Two reports of one block differ by the time that they were under way."""


class Grade(IntEnum):
    """How much an act matters: a lower number goes first."""

    FINAL = 0
    """The last state of a reply."""
    NOTICE = 1
    """The first text of a reply, a notice, opening a thread."""
    PREVIEW = 2
    """A state shown while streaming."""
    BUSY = 3
    """A sign that we are at work; never waits."""


@dataclass(slots=True, eq=False)
class Window:
    """A window that the platform opened at the earliest when its first call was let go.

    It opened at the latest when any of its calls came back with the platform's answer (`proof`). A call without an answer
    may never have been counted: then the latest possible time is that of the last such call (`doubt`).
    """

    opened: float
    count: int = 0
    flying: int = 0
    proof: float | None = None
    doubt: float = -inf

    def end(self, seconds: float) -> float:
        """When the platform's window is over for certain."""
        if self.proof is not None:
            return self.proof + seconds
        return inf if self.flying else self.doubt + seconds


@dataclass(slots=True, eq=False)
class Call:
    """One call that was let go in one scope."""

    at: float
    window: Window | None
    last: float
    paced: float


class Pace:
    """One scope: what was let go in it, how long it is blocked, and when the next call of each grade may go."""

    __slots__ = ("_factor", "_last", "_limit", "_log", "_margin", "_paced", "_since", "_window", "blocked_until", "live")

    def __init__(self, limit: Limit, margin: float) -> None:
        """`margin` (seconds, 0 or more): how much longer one call may be under way than another."""
        self._limit = limit
        self._margin = margin
        self._log = deque[float]()
        self._window: Window | None = None
        self._last = -inf
        self._paced = -inf
        self._factor = 1.0
        self._since = -inf
        self.blocked_until = -inf
        self.live = 0

    def follow(self, limit: Limit, now: float) -> bool:
        """Go by this limit from now on. True if it differs. A change of kind waits until nothing is counted any more."""
        if limit.windowed != self._limit.windowed and self._used(now):
            return False
        old, self._limit = self._limit, limit
        return (old.calls, old.seconds, old.spacing) != (limit.calls, limit.seconds, limit.spacing)

    def opens(self, grade: Grade, now: float) -> float:
        """The earliest time at which a call of this grade could go; exact if it is not after `now`, else a lower bound."""
        at = max(self.blocked_until, self._room_at(now), self._last + self._spacing())
        if grade >= Grade.PREVIEW:
            at = max(at, self._paced + self._gap(now), self._unreserved_at(now))
        return at

    def opens_after(self, now: float) -> float:
        """The earliest time at which a second call could go if one went now."""
        calls, seconds = self._limit.calls, self._limit.seconds
        at = now + self._spacing()
        if self._limit.windowed:
            window = self._current(now)
            if window is not None and window.count + 1 >= calls:
                at = max(at, window.end(seconds))
            elif window is None and calls <= 1:
                at = max(at, now + seconds)
        else:
            self._trim(now)
            freed = len(self._log) + 1 - calls
            if freed >= 0:
                oldest = self._log[freed] if freed < len(self._log) else now
                at = max(at, oldest + seconds + self._margin)
        return at

    def spare(self, now: float) -> int:
        """How many calls could go now if nothing but their number counted."""
        if self._limit.windowed:
            window = self._current(now)
            return self._limit.calls - (window.count if window is not None else 0)
        self._trim(now)
        return self._limit.calls - len(self._log)

    def take(self, grade: Grade, now: float) -> Call:
        """Count a call that is let go now."""
        window: Window | None = None
        if self._limit.windowed:
            window = self._current(now)
            if window is None:
                window = self._window = Window(now)
            window.count += 1
            window.flying += 1
        else:
            self._log.append(now)
        call = Call(now, window, self._last, self._paced)
        self._last = now
        if grade < Grade.BUSY:
            self._paced = now
        return call

    def undo(self, call: Call) -> None:
        """The call was never made."""
        if call.window is not None:
            call.window.count -= 1
            call.window.flying -= 1
            if call.window.count == 0 and call.window is self._window:
                self._window = None
        elif call.at in self._log:
            self._log.remove(call.at)
        if self._last == call.at:
            self._last = call.last
        if self._paced == call.at:
            self._paced = call.paced

    def returned(self, call: Call, now: float, *, answered: bool) -> bool:
        """The call is over, with the platform's answer or without. True if that may let another one go sooner."""
        window = call.window
        if window is None:
            return False
        window.flying -= 1
        if answered:
            if window.proof is None:
                window.proof = now
                return True
            return False
        window.doubt = max(window.doubt, now + _STRAY)
        return window.proof is None and not window.flying

    def block(self, seconds: float, now: float) -> bool:
        """Nothing may go for `seconds` from now. True if this is a new block, which also widens the rhythm of previews."""
        until = now + seconds
        if until <= now or (self.blocked_until > now and until <= self.blocked_until + _SAME_BLOCK):
            self.blocked_until = max(self.blocked_until, until)
            return False
        self._factor = min(_WIDEST, self._widened(now) * 2)
        self._since = self.blocked_until = until
        return True

    def idle(self, now: float) -> bool:
        """Whether nothing is known of this scope that could hold up a call."""
        return (
            self.live == 0
            and not self._used(now)
            and now >= self.blocked_until
            and self._widened(now) <= 1
            and now >= self._last + self._spacing()
            and now >= self._paced + self._gap(now)
        )

    def _used(self, now: float) -> bool:
        self._trim(now)
        return bool(self._log) or self._current(now) is not None

    def _trim(self, now: float) -> None:
        stretch = self._limit.seconds + self._margin
        log = self._log
        while log and log[0] + stretch <= now:
            log.popleft()

    def _current(self, now: float) -> Window | None:
        if self._window is not None and now >= self._window.end(self._limit.seconds):
            self._window = None
        return self._window

    def _room_at(self, now: float) -> float:
        calls, seconds = self._limit.calls, self._limit.seconds
        if self._limit.windowed:
            window = self._current(now)
            if window is None:
                return -inf
            # A call let go later than this may find the platform's next window opened by itself, and be counted there.
            sure = window.opened + seconds - self._margin
            return -inf if window.count < calls and now < sure else window.end(seconds)
        self._trim(now)
        over = len(self._log) - calls
        return -inf if over < 0 else self._log[over] + seconds + self._margin

    def _unreserved_at(self, now: float) -> float:
        if not self._limit.windowed or not self.live:
            return -inf
        window = self._current(now)
        # The call that opens a window is never held back, or a preview could wait for ever.
        if window is None or self._limit.calls - window.count > self.live:
            return -inf
        return window.end(self._limit.seconds) - self._limit.seconds / self._limit.calls

    def _spacing(self) -> float:
        return self._limit.spacing + self._margin if self._limit.spacing else -inf

    def _gap(self, now: float) -> float:
        factor = self._widened(now)
        limit = self._limit
        if limit.spacing:
            return limit.spacing * factor
        if limit.windowed or limit.calls < _FAST * limit.seconds or factor > 1:
            return limit.seconds / limit.calls * factor
        return -inf

    def _widened(self, now: float) -> float:
        if self._factor > 1 and now >= self._since + _QUIET:
            steps = int((now - self._since) // _QUIET)
            self._factor = max(1.0, self._factor * _NARROWING**steps)
            self._since += steps * _QUIET
        return self._factor
