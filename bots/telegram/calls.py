"""Calls to the Bot API: repeated where that helps, and with no exception of the library's getting out."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram import Bot

from bots.telegram.config import TelegramConfig
from bots.telegram.failures import Moved, failure
from bots.telegram.limits import Limits
from bots.telegram.names import Moves
from shared.errors import Misconfigured, RateLimited, Stranded, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

REPEATS = 3
"""How often a call is repeated after the first try."""

HOPS = 3
"""How often a call follows a chat to a new id."""


class Calls:
    """The Bot API with one token."""

    def __init__(self, config: TelegramConfig, bot: Bot, *, moves: Moves, limits: Limits) -> None:
        self.bot = bot
        self.moves = moves
        self.config = config
        self.revoked = asyncio.Event()
        """Set once Telegram has refused the bot's token."""
        self.moved: Callable[[int, int], None] | None = None
        """Called with the old and the new id of a group that turns out to have become a supergroup."""
        self._limits = limits

    async def ask(self, method: str, call: Callable[[Bot], Awaitable[T]], *, repeats: int = REPEATS) -> T:
        """Make a call that is about no chat, and that can be repeated without harm. Raises the failures of an adapter."""
        try:
            return await self._tried(method, lambda: call(self.bot), None, repeats)
        except Moved:
            raise Unavailable(f"Telegram: {method}: an answer that makes no sense") from None

    async def write(self, method: str, chat: int, call: Callable[[Bot, int], Awaitable[T]]) -> T:
        """Show something in a chat; `call` gets the id that the chat has now. It is not tried again: nothing would make a repeat
        harmless (core.telegram.org/bots/api has no key for that)."""
        for _ in range(HOPS):
            now = self.moves.now(chat)
            try:
                return await self._tried(method, lambda now=now: call(self.bot, now), now, 0)
            except Moved as moved:
                self._learn(now, moved.new)  # refused, nothing was done: it may be made again there
        raise Unavailable(f"Telegram: {method}: a group that moves on and on")

    async def change(self, method: str, chat: int, call: Callable[[Bot, int], Awaitable[T]]) -> T:
        """Make a call about a message of a chat, which can be repeated without harm.

        Raises `Stranded` where the group has moved: its messages have other numbers.
        """
        if self.moves.now(chat) != chat:
            raise Stranded(f"Telegram: {method}: the message stayed behind in a group that has become a supergroup")
        try:
            return await self._tried(method, lambda: call(self.bot, chat), chat, REPEATS)
        except Moved as moved:
            self._learn(chat, moved.new)
        raise Stranded(f"Telegram: {method}: the message stayed behind in a group that has become a supergroup")

    def _learn(self, old: int, new: int) -> None:
        if self.moves.learn(old, new) and self.moved is not None:
            self.moved(old, new)

    async def _tried(self, method: str, call: Callable[[], Awaitable[T]], chat: int | None, repeats: int) -> T:
        for tries in range(repeats + 1):
            try:
                return await self._once(method, call, chat)
            except Unavailable:
                if tries == repeats:
                    raise
            await asyncio.sleep(self.config.retry_wait * 2**tries * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        raise AssertionError("unreachable: the last try returns or raises")

    async def _once(self, method: str, call: Callable[[], Awaitable[T]], chat: int | None) -> T:
        if chat is not None and (left := self._limits.silence(chat)) > 0:
            # Also what was let go before the silence was asked for, as a repeat: each such call makes it longer.
            raise RateLimited(f"Telegram: {method}: not called, the chat is to be left alone", left)
        try:
            return await call()
        except Exception as error:
            # The library reads answers without checking them: a page of a proxy's ends in any exception. None may get out.
            failed = failure(method, error)
        if isinstance(failed, RateLimited) and chat is not None:
            self._limits.block(chat, failed.retry_after)
        if isinstance(failed, Misconfigured):
            # 401 also for one call while the token is changed: the adapter ends, and says what to do (`revoked`).
            self.revoked.set()
            raise Unavailable(f"Telegram: {method}: the token is not accepted")
        # Not in the handler above: the exception, which may hold an address with the token, would come along as the context.
        raise failed
