"""Limits in time for an answer that is streamed, at no cost for its pieces: aiohttp's own set timers at each of them."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import aiohttp

from .errors import TimeoutError  # noqa: A004 - the name is part of the interface

# How often an answer is looked at while it may be silent. It is given up so much later at the most.
_LOOKS = 8


class Watch:
    """Ends an answer that is silent for too long while it is waited for, or takes too long as a whole."""

    def __init__(self, silence: float, answer: float) -> None:
        """Both in seconds, above 0; they begin now."""
        self._loop = asyncio.get_running_loop()
        self._silence = silence
        self._end = self._loop.time() + answer
        self.waiting = True
        """Whether somebody waits for more. To be set by who reads: what is not asked for cannot be late."""

    @property
    def head(self) -> float:
        """Seconds for the head of the answer to come."""
        return max(0.0, min(self._silence, self._end - self._loop.time()))

    @contextmanager
    def over(self, content: aiohttp.StreamReader) -> Generator[None]:
        """Look after an answer's body: what reads from it is told with TimeoutError."""
        quiet, heard = self._loop.time(), content.total_bytes
        every = self._silence / _LOOKS

        def look() -> None:
            nonlocal quiet, heard, timer
            now = self._loop.time()
            if not self.waiting or content.total_bytes != heard:
                quiet, heard = now, content.total_bytes
            if now >= self._end:
                content.set_exception(TimeoutError("the answer took longer than allowed"))
            elif now - quiet >= self._silence:
                content.set_exception(TimeoutError("nothing of the answer came for too long"))
            else:
                timer = self._loop.call_at(min(now + every, self._end), look)

        timer = self._loop.call_at(min(quiet + every, self._end), look)
        try:
            yield
        finally:
            timer.cancel()
