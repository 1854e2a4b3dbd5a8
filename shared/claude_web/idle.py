"""Noticing that nothing has been asked for a while."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol


class Handle(Protocol):
    """Something that was put off and can be called off."""

    def cancel(self) -> None:
        """Call it off; without effect if it was called already."""
        ...


# Calls a function after so many seconds.
Later = Callable[[float, Callable[[], None]], Handle]


def on_the_loop(seconds: float, call: Callable[[], None]) -> Handle:
    """Put a call off on the running event loop."""
    return asyncio.get_running_loop().call_later(seconds, call)


class Idle:
    """Calls `expired` once nothing has been under way for `delay` seconds. Never while something is."""

    def __init__(self, expired: Callable[[], None], later: Later = on_the_loop) -> None:
        self._expired = expired
        self._later = later
        self._delay: float | None = None
        self._busy = 0
        self._timer: Handle | None = None

    @property
    def busy(self) -> int:
        """How many calls are under way."""
        return self._busy

    def set(self, delay: float | None) -> None:
        """Set the seconds, above 0; None never expires."""
        self._delay = delay
        self._call_off()
        self._put_off()

    @contextmanager
    def working(self) -> Generator[None]:
        """Mark a call as under way; its end begins the delay anew."""
        self._busy += 1
        self._call_off()
        try:
            yield
        finally:
            self._busy -= 1
            self._put_off()

    def _put_off(self) -> None:
        if self._delay is not None and not self._busy:
            self._timer = self._later(self._delay, self._expire)

    def _call_off(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _expire(self) -> None:
        self._timer = None
        if not self._busy:
            self._expired()
