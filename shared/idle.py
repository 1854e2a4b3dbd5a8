"""Closes conversations in which nobody has written for long enough.

A message that comes at the same time is never lost: it is in the conversation before this looks, and it stays open, or it opens
a new one. What fell due while we could not hear the platform is closed without a word.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog

from shared import sentences
from shared.chat import Adapter, Button, ChannelId, Target
from shared.errors import StoreUnusable
from shared.scopes import IdleTimes
from shared.store import Store, Taken, Talk

log = structlog.get_logger(__name__)

EVERY_SECONDS = 30.0
AT_ONCE = 100
"""How many quiet conversations are looked at together, to begin with."""


class Idle:
    """Closes what is idle, on every platform. One for the process."""

    def __init__(
        self,
        store: Store,
        adapters: Mapping[str, Adapter],
        times: IdleTimes,
        *,
        notice: bool,
        caught_up: Callable[[Adapter, ChannelId | None], bool],
        accept: Callable[[Taken], None],
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`notice` says whether people are told, `caught_up` is `Inbox.caught_up`, `accept` is `Turns.accept`."""
        self._store = store
        self._adapters = adapters
        self._times = times
        self._notice = notice
        self._caught_up = caught_up
        self._accept = accept
        self._clock = clock
        self._sleep = sleep
        self._since: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look every 30 seconds until cancelled."""
        while True:
            await self.step()
            await self._sleep(EVERY_SECONDS)

    async def step(self) -> None:
        """Look once. A store that cannot be used is only logged: what is due is closed the next time."""
        for name, adapter in self._adapters.items():
            if not self._caught_up(adapter, None):
                # What is said just now may not have been heard yet.
                self._since.pop(name, None)
                continue
            since = self._since.setdefault(name, self._clock())
            try:
                await self._close(name, adapter, since)
            except StoreUnusable as failure:
                log.warning("idle conversations not closed", platform=name, detail=failure.detail)

    async def _close(self, platform: str, adapter: Adapter, since: datetime) -> None:
        shortest = self._times.shortest(platform)
        if shortest is None:
            return
        most = AT_ONCE
        while True:
            quiet = await self._store.quiet(platform, before=self._clock() - shortest, most=most)
            closed = 0
            for talk in quiet:
                closed += await self._close_one(platform, adapter, talk, since)
            if len(quiet) < most:
                return
            # Those that are not closed are at the front: look past them.
            most += AT_ONCE if closed else most

    async def _close_one(self, platform: str, adapter: Adapter, talk: Talk, since: datetime) -> bool:
        time, _ = self._times.of(platform, talk.channel)
        now = self._clock()
        if time is None or now - talk.heard_at <= time or not self._caught_up(adapter, talk.channel.id):
            return False
        # A message that is taken meanwhile has set `heard_at`, or has opened a turn: then nothing is closed.
        taken = await self._store.close_idle(
            platform,
            talk.id,
            before=now - time,
            target=Target(talk.channel) if self._notice and talk.heard_at + time >= since else None,
            text=sentences.idle(time),
            buttons=(continue_button(talk),),
        )
        if taken is None:
            return False
        log.info("closed as idle", platform=platform, channel=talk.channel.id, conversation=str(talk.id), after=str(time))
        self._accept(taken)
        return True


def continue_button(talk: Talk) -> Button:
    """Takes a closed conversation up again."""
    return Button(f"resume/{talk.id.hex}", "Continue")
