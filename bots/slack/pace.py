"""Spaces the calls that read, which the core does not govern."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from bots.slack.calls import Json, Web
from bots.slack.limits import MINUTE
from shared.errors import RateLimited

READS = 45
"""Reads a minute of each method: the tier of histories and channels allows 50 (docs.slack.dev, Rate limits: tier 3)."""

LOOKS = 90
"""The same for people and files, whose tier allows 100 (tier 4)."""

PAST = 40
"""How many of them may be spent on reading what was missed: people who write now must not wait for it."""

LONGEST_WAIT = 60.0
"""Seconds that a read waits at most when it is told to; above that its caller is told."""


class Reads:
    """Makes the calls that read: so many in a minute of each method, and again where Slack asked to wait a while."""

    def __init__(
        self,
        web: Web,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`clock` gives seconds that only grow, `sleep` waits by it."""
        self._web = web
        self._clock = clock
        self._sleep = sleep
        self._sent: dict[str, deque[float]] = {}

    async def __call__(self, method: str, **params: Any) -> Json:
        """Make a call when it is its turn. Raises as `Web.read`."""
        return await self._read(method, LOOKS if method in ("users.info", "files.info") else READS, params)

    async def past(self, method: str, **params: Any) -> Json:
        """As a call, for what can wait."""
        return await self._read(method, PAST, params)

    async def _read(self, method: str, most: int, params: Json) -> Json:
        while True:
            await self._turn(method, most)
            try:
                return await self._web.read(method, **params)
            except RateLimited as limited:
                if limited.retry_after > LONGEST_WAIT:
                    raise
                await self._sleep(limited.retry_after)

    async def _turn(self, method: str, most: int) -> None:
        sent = self._sent.setdefault(method, deque())
        while True:
            now = self._clock()
            while sent and sent[0] <= now - MINUTE:
                sent.popleft()
            if len(sent) < most:
                sent.append(now)
                return
            await self._sleep(sent[0] + MINUTE - now)
