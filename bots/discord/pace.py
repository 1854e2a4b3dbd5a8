"""How often a new session may begin."""

import time
from collections import deque
from collections.abc import Callable

LONGEST_GAP = 120.0
"""Seconds between two IDENTIFYs at most: 720 a day, under the 1000 after which Discord resets the token (developer docs,
Gateway: Identifying)."""


class Pace:
    """Spaces IDENTIFYs: every further one within an hour waits twice as long.

    It is not kept over restarts. A process costs one IDENTIFY for each start, so a server that crashes and is started again at
    once could use up a day's 1000 all the same: the pause between restarts, 90 s or more, is for what restarts it to keep.
    """

    def __init__(self, spacing: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`spacing` is the least gap in seconds; `clock` gives seconds that only grow."""
        self._spacing = spacing
        self._clock = clock
        self._times: deque[float] = deque()

    def wait(self) -> float:
        """How many seconds an IDENTIFY has to wait from now."""
        now = self._clock()
        while self._times and self._times[0] < now - 3600:
            self._times.popleft()
        if not self._times:
            return 0.0
        gap = min(self._spacing * 2 ** (len(self._times) - 1), LONGEST_GAP)
        return max(0.0, self._times[-1] + gap - now)

    def count(self) -> None:
        """An IDENTIFY goes out now."""
        self._times.append(self._clock())
