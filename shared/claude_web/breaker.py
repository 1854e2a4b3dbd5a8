"""Holding back calls after the edge has turned us away: asking on would only make it worse."""

import logging
from collections.abc import Callable
from time import monotonic

from .errors import BlockedError

_LOG = logging.getLogger("claude_web")

ADVICE = (
    "claude.ai's edge takes this client for an unwanted program and does not let it through. This client does not try to get "
    "past such a check. Use another way to ask Claude, or try again from another network."
)


class Breaker:
    """Closed: calls pass. Open after a block: calls are refused here. After the pause one call may try; if it is blocked
    too, the next pause is twice as long, up to the longest; if it gets through, all calls pass again.
    """

    def __init__(self, pause: float = 900.0, longest: float = 4 * 3600.0, *, clock: Callable[[], float] = monotonic) -> None:
        """`pause`, `longest`: seconds, above 0. `clock`: seconds that never run backwards."""
        self._first = pause
        self._longest = longest
        self._clock = clock
        self._pause = pause
        self._until: float | None = None
        self._trying = False

    @property
    def open(self) -> bool:
        """Whether calls are held back, but for the one that may try after the pause."""
        return self._until is not None

    def enter(self) -> bool:
        """Ask leave for one call; True if it is the trial after the pause. Raises BlockedError if it may not be made."""
        if self._until is None:
            return False
        left = self._until - self._clock()
        if left > 0 or self._trying:
            raise BlockedError(f"held back: {ADVICE}", retry_after=max(left, 1.0))
        self._trying = True
        return True

    def leave(self, trial: bool) -> None:
        """Say that the call is over, whatever came of it."""
        if trial:
            self._trying = False

    def passed(self) -> None:
        """Say that a call got through the edge, whatever claude.ai itself answered."""
        self._until = None
        self._pause = self._first

    def blocked(self, status: int, *, trial: bool) -> BlockedError:
        """Say that a call was turned away; gives the error to raise."""
        now = self._clock()
        if trial:
            self._pause = min(self._pause * 2, self._longest)
        if trial or self._until is None or now >= self._until:
            self._until = now + self._pause
            _LOG.warning("claude.ai's edge answered %d: no calls for %.0f s", status, self._pause)
        return BlockedError(f"HTTP {status}: {ADVICE}", status_code=status, retry_after=max(self._until - now, 1.0))
