"""Long polling: an update is confirmed by asking for those after it, so that is done only once it is stored.

What takes long to store in one chat holds up no other: it is asked on, from the first update on that is not stored.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from telegram.error import Conflict, InvalidToken

from bots.telegram.bot import Line, polling
from bots.telegram.config import TelegramConfig
from bots.telegram.convert import Json
from bots.telegram.failures import HOOKED, Moved, failure, said
from shared.errors import Failure, Misconfigured, RateLimited, Unavailable

log = logging.getLogger(__name__)

MOST = 100
"""Updates in one answer (core.telegram.org/bots/api, getUpdates)."""

RENEW = 3
"""After how many failures in a row the connections are made anew: a flapping proxy can leave dead ones in the pool."""

CONFLICT_SECONDS = 5.0
"""The longest wait while another program asks for updates, too: as a rule that is an older one which is about to end."""

STUCK_SECONDS = 60.0
"""How long it may take to store what was heard before that counts."""

BRIEF_SECONDS = 1.0
"""How long storing is waited for before it is asked on. Until all is stored each poll is answered at once, with what is not."""

METHOD = "getupdates"
"""Methods may be written in any case (core.telegram.org/bots/api, Making requests). The library wants its own method for the
usual one; that reads all updates of an answer at once, so that one that it cannot read would hold up the others for ever."""


class Poller:
    """Asks for updates, and hands them on."""

    def __init__(
        self,
        config: TelegramConfig,
        wanted: Sequence[str],
        *,
        up: Callable[[], Awaitable[None]],
        take: Callable[[Sequence[Json]], Awaitable[None]],
        refused: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`up` is awaited before what is heard after an interruption, `take` returns once all is stored; it may be under way
        several times, of which each begins after the one before, and keeps the order within a chat.

        `refused` is called when Telegram does not accept the token. `clock` gives seconds that only grow.
        """
        self._config = config
        self._wanted = list(wanted)
        self._up = up
        self._take = take
        self._refused = refused
        self._clock = clock
        self._open: dict[int, float] = {}
        """The ids of what was heard and is not stored yet, in their order, and since when."""
        self._stored: set[int] = set()
        """The ids of what is stored and not known to be confirmed."""
        self._storing: set[asyncio.Task[None]] = set()
        self._heard: float | None = None
        self.failures = 0
        """Polls in a row that went wrong."""
        self.conflict = False
        """Whether another program asks for this bot's updates."""

    @property
    def age(self) -> float | None:
        """Seconds since a poll was last answered; None before the first."""
        return None if self._heard is None else self._clock() - self._heard

    @property
    def trouble(self) -> str:
        """Why we do not hear Telegram, in one line for the operator; empty where we do."""
        if self.conflict:
            return "another program asks for this bot's updates"
        if self.failures:
            return "no answer from Telegram"
        return "what comes is not stored" if self.stuck else ""

    @property
    def stuck(self) -> bool:
        """Whether something that was heard has not been stored for long, or nothing is asked for any more."""
        late = any(self._clock() - since > STUCK_SECONDS for since in self._open.values())
        return late or (self.age or 0.0) > self.most + STUCK_SECONDS

    @property
    def most(self) -> float:
        """Seconds that a poll may take in all."""
        return self._config.poll_seconds + self._config.poll_margin

    async def run(self) -> None:
        """Ask until cancelled. What `up` and `take` raise ends it, and so does a webhook, which the next session takes away."""
        async with asyncio.TaskGroup() as storing:
            await self._ask(storing)

    async def _ask(self, storing: asyncio.TaskGroup) -> None:
        line, fresh = polling(self._config), True
        try:
            while True:
                # The first answer must not take long: it says that we are connected.
                try:
                    updates = await self._poll(line, 0 if fresh else self._config.poll_seconds)
                except Failure as failed:
                    fresh = True
                    self.failures += 1
                    if HOOKED in said(failed):
                        raise
                    if self.failures % RENEW == 0:
                        await line.aclose()
                        line = polling(self._config)
                    await asyncio.sleep(self._pause(failed))
                    continue
                self._heard = self._clock()
                self._well(waited=not fresh)
                if fresh:
                    await self._up()
                    fresh = False
                await self._keep(storing, updates)
        finally:
            await line.aclose()

    async def _keep(self, storing: asyncio.TaskGroup, updates: Sequence[Json]) -> None:
        """Have what is new stored; returns when that is done, or takes its time."""
        news = {number: each for each in updates if (number := _number(each)) not in self._open and number not in self._stored}
        self._open |= dict.fromkeys(news, self._clock())

        async def store() -> None:
            await self._take(tuple(news.values()))
            for number in news:
                del self._open[number]
            self._stored.update(news)

        if news:
            self._storing.add(task := storing.create_task(store(), name="telegram store"))
            task.add_done_callback(self._storing.discard)
        if self._storing:
            await asyncio.wait(self._storing, timeout=BRIEF_SECONDS)

    def _offset(self) -> int | None:
        """Up to where all is stored, if it is not known to be confirmed. Where nothing waits it is told once: after a week
        without updates their ids begin anew at any number (core.telegram.org/bots/api, Update: update_id), and a greater one
        would drop them."""
        if self._open:
            return min(self._open)
        return max(self._stored) + 1 if self._stored else None

    def _well(self, *, waited: bool) -> None:
        if self.conflict and not waited:
            return  # two programs end each other's polls that wait: one that does not says nothing of the other
        if self.failures:
            log.info("Telegram is heard again", extra={"failures": self.failures})
        self.failures, self.conflict = 0, False

    def _pause(self, failed: Failure) -> float:
        wait = self._config.pause(self.failures)
        if self.conflict:
            wait = min(wait, CONFLICT_SECONDS)
        if isinstance(failed, RateLimited):
            wait = max(wait, failed.retry_after)
        if self.failures == 1:
            log.warning("no updates from Telegram", extra={"detail": failed.detail, "seconds": round(wait, 1)})
        return wait

    async def _poll(self, line: Line, timeout: int) -> list[Json]:
        asked: dict[str, Any] = {"timeout": timeout, "limit": MOST, "allowed_updates": self._wanted}
        if (offset := self._offset()) is not None:
            asked["offset"] = offset
        try:
            async with asyncio.timeout(self.most):
                answer: object = await line.bot.do_api_request(METHOD, api_kwargs=asked, read_timeout=self.most)
            updates = _updates(answer)
            self._stored = {number for number in self._stored if offset is None or number >= offset}
            return updates
        except TimeoutError:
            failed: Failure = Unavailable("Telegram: getUpdates: no answer in time")
        except Exception as error:
            # As with other calls: what is no answer of Telegram's ends in any exception.
            failed = self._failure(error)
        # Not in the handlers above: the exception, which may hold an address with the token, would come along as the context.
        raise failed

    def _failure(self, error: Exception) -> Failure:
        if isinstance(error, Conflict):
            if not self.conflict:
                log.warning("another program asks for this bot's updates, or it has a webhook; stop the other one")
            self.conflict = True
        failed = failure("getUpdates", error)
        if isinstance(failed, Moved):
            return Unavailable("Telegram: getUpdates: an answer that cannot be read")
        if isinstance(failed, Misconfigured) or isinstance(error, InvalidToken):
            self._refused()
            return Unavailable("Telegram: getUpdates: the token is not accepted")
        return failed


def _updates(answer: object) -> list[Json]:
    """The updates of an answer, in their order. Raises `ValueError` for what is none."""
    if not isinstance(answer, list):
        raise ValueError("getUpdates: no list")
    given = cast("list[object]", answer)
    found = [each for one in given if isinstance(one, dict) and isinstance((each := cast("Json", one)).get("update_id"), int)]
    if given and not found:
        raise ValueError("getUpdates: updates without ids")
    return sorted(found, key=_number)


def _number(update: Json) -> int:
    return int(update["update_id"])
