"""Spaces the reading of history, which the core does not govern, so that it and the governed calls stay within 50 a second."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import TypeVar

import aiohttp

from bots.discord.calls import Caller

T = TypeVar("T")

SPACING = 0.05
"""Seconds between two reads: 20 a second."""

SHARE = 20
"""How many of the 50 calls a second are left to reads while there are any."""

WINDOW = 1.05
"""How long a call is looked back on, in seconds: the limit's one second, and what may pass on the way."""

MOST = 46
"""Calls in the window above which a read waits."""

AFTERWARDS = 2.0
"""For how many seconds after a read its share is kept free."""


class Reads:
    """Makes the calls that read. One for the adapter; sees every call through its trace."""

    def __init__(
        self,
        call: Caller,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`clock` gives seconds that only grow, `sleep` waits by it."""
        self._call = call
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[float] = deque()
        self._next = 0.0
        self._until = 0.0

    @property
    def share(self) -> int:
        """How many of the calls in a second are to be left to reads just now."""
        return SHARE if self._clock() < self._until else 0

    def watch(self, trace: aiohttp.TraceConfig) -> None:
        """Count every request."""
        trace.on_request_start.append(self._started)

    async def __call__(self, act: Callable[[], Awaitable[T]]) -> T:
        """Make a call when it is its turn. Raises as `Caller` does."""
        self._until = self._clock() + AFTERWARDS
        while (wait := self._wait()) > 0:
            await self._sleep(wait)
        self._next = self._clock() + SPACING
        self._until = self._clock() + AFTERWARDS
        return await self._call(act)

    def _wait(self) -> float:
        now = self._clock()
        while self._sent and self._sent[0] <= now - WINDOW:
            self._sent.popleft()
        full = self._sent[0] + WINDOW - now if len(self._sent) >= MOST else 0.0
        return max(full, self._next - now)

    async def _started(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
    ) -> None:
        self._sent.append(self._clock())
        if len(self._sent) > MOST * 2:
            self._sent.popleft()
