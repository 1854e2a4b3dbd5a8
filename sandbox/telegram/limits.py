"""Rate limits as pure arithmetic on a given time (core.telegram.org/bots/faq, My bot is hitting limits)."""

import math
from collections import deque
from dataclasses import dataclass, field

from sandbox.telegram.config import SimulatorConfig


@dataclass(slots=True)
class Window:
    """Lets `calls` through in any span of `seconds`."""

    calls: int
    seconds: float
    taken: deque[float] = field(default_factory=deque[float])

    def wait(self, now: float, count: int = 1) -> float:
        """Seconds until `count` more calls get through; 0 when they do now."""
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()
        over = len(self.taken) + count - self.calls
        if over <= 0:
            return 0.0
        return self.taken[min(over, len(self.taken)) - 1] + self.seconds - now if self.taken else self.seconds


@dataclass(slots=True)
class Penalty:
    """How long a chat is closed to the bot."""

    seconds: float
    until: float


class Limits:
    """The windows of one bot: one for each chat, and one for all."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._windows: dict[int | None, Window] = {None: Window(*config.overall_limit)}
        self._penalties: dict[int, Penalty] = {}
        self.suffered = 0
        """How many calls were refused so far."""
        self.by_method: dict[str, int] = {}
        """The same by method."""
        self.by_chat: dict[int, int] = {}
        """The same by chat."""

    def take(self, method: str, chat: int, *, private: bool, count: int, now: float) -> int | None:
        """Count a call in its chat and overall, or nowhere when one is full: then the whole seconds of retry_after."""
        window = self._windows.get(chat)
        if window is None:
            limit = self._config.private_limit if private else self._config.group_limit
            window = self._windows[chat] = Window(*limit)
        overall = self._windows[None]
        seconds = self._closed(chat, now) or self._closing(chat, window.wait(now, count), now) or overall.wait(now, count)
        if seconds > 0:
            self.suffered += 1
            self.by_method[method] = self.by_method.get(method, 0) + 1
            self.by_chat[chat] = self.by_chat.get(chat, 0) + 1
            return max(1, math.ceil(seconds))
        for each in (window, overall):
            each.taken.extend([now] * count)
        return None

    def _closed(self, chat: int, now: float) -> float:
        penalty = self._penalties.get(chat)
        if penalty is None:
            return 0.0
        if now >= penalty.until:
            del self._penalties[chat]
            return 0.0
        penalty.seconds = min(self._config.penalty_longest, penalty.seconds * self._config.penalty_growth)
        penalty.until = max(penalty.until, now + penalty.seconds)
        return penalty.until - now

    def _closing(self, chat: int, wait: float, now: float) -> float:
        if wait <= 0:
            return 0.0
        seconds = max(wait, self._config.penalty)
        self._penalties[chat] = Penalty(seconds, now + seconds)
        return seconds
