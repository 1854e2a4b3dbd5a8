"""Rate limits as pure arithmetic on a given time (docs.slack.dev, Rate limits)."""

import math

from sandbox.windows import Window


class Limits:
    """The windows of one app: one per workspace and method, and per channel for posts."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, ...], Window] = {}
        self.suffered = 0
        """How many calls were refused so far."""
        self.by_method: dict[str, int] = {}
        """The same by method."""

    def take(self, method: str, scopes: list[tuple[tuple[str, ...], tuple[int, float]]], now: float) -> int | None:
        """Count one call in every scope, or in none when one is full: then the whole seconds of Retry-After."""
        windows = [self._windows.setdefault(key, Window(*limit)) for key, limit in scopes]
        full = [window for window in windows if not window.free(now)]
        if full:
            self.suffered += 1
            self.by_method[method] = self.by_method.get(method, 0) + 1
            return max(1, math.ceil(max(window.left(now) for window in full)))
        for window in windows:
            window.used += 1
        return None
