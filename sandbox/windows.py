"""A rate limit as pure arithmetic on a given time."""

from dataclasses import dataclass


@dataclass(slots=True)
class Window:
    """A fixed window: it opens with the first call after the last window ended, and lets `calls` through until it ends."""

    calls: int
    seconds: float
    opened: float | None = None
    used: int = 0

    def free(self, now: float) -> bool:
        """Whether one more call gets through at `now`."""
        if self.opened is None or now >= self.opened + self.seconds:
            self.opened, self.used = now, 0
        return self.used < self.calls

    def take(self, now: float) -> bool:
        """Count one call at `now`. False when the window is full: such a call uses nothing up."""
        if not self.free(now):
            return False
        self.used += 1
        return True

    @property
    def remaining(self) -> int:
        """How many more calls the open window lets through."""
        return self.calls - self.used

    def left(self, now: float) -> float:
        """Seconds until the open window ends; 0 when none is open."""
        return 0.0 if self.opened is None else max(0.0, self.opened + self.seconds - now)
