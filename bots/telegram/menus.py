"""The commands of the table as Telegram's menus offer them, registered only where they have changed."""

import asyncio
import logging
import random
from collections.abc import Sequence

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
)

from bots.telegram.calls import Calls
from shared.commands import Spec
from shared.errors import Failure, RateLimited, Refused

log = logging.getLogger(__name__)

LONGEST_WAIT = 600.0
"""Seconds between two tries to register at most."""

DESCRIPTION = 256
"""Characters of a description (core.telegram.org/bots/api, BotCommand)."""

MOST = 100
"""Commands of a scope (core.telegram.org/bots/api, setMyCommands)."""


def payload(specs: Sequence[Spec]) -> list[tuple[str, str]]:
    """Names and descriptions as Telegram takes them; what a command can be told is written after it."""
    return [(spec.name, _described(spec)[:DESCRIPTION]) for spec in specs][:MOST]


def _described(spec: Spec) -> str:
    told = " ".join(f"<{each.name}>" if each.required else f"[{each.name}]" for each in spec.options if not each.file)
    return f"{spec.description} {told}".strip()


def scopes() -> tuple[BotCommandScope, ...]:
    """Where they are offered (core.telegram.org/bots/api, BotCommandScope)."""
    return BotCommandScopeDefault(), BotCommandScopeAllPrivateChats(), BotCommandScopeAllGroupChats()


class Menus:
    """Registers the commands, in the background."""

    def __init__(self, *, wait: float) -> None:
        """`wait` is how many seconds pass before the second try; they are doubled each time."""
        self._wait = wait
        self._wanted: list[tuple[str, str]] | None = None

    def offer(self, specs: Sequence[Spec]) -> None:
        """Register these with the next connection."""
        self._wanted = payload(specs)

    async def run(self, calls: Calls) -> None:
        """Register what is not registered yet; returns when that is done, or cannot be done."""
        if self._wanted is None:
            return
        wanted, wait = self._wanted, self._wait
        while True:
            try:
                for scope in scopes():
                    await self._register(calls, scope, wanted)
            except Refused as refused:
                log.warning("the commands are not taken", extra={"detail": refused.detail})
                return
            except Failure as failure:
                pause = failure.retry_after if isinstance(failure, RateLimited) else wait * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
                log.info("the commands cannot be registered yet", extra={"detail": failure.detail, "seconds": round(pause, 1)})
                await asyncio.sleep(pause)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                return

    async def _register(self, calls: Calls, scope: BotCommandScope, wanted: list[tuple[str, str]]) -> None:
        async def known(bot: Bot) -> list[tuple[str, str]]:
            return [(each.command, each.description) for each in await bot.get_my_commands(scope=scope)]

        async def register(bot: Bot) -> bool:
            return await bot.set_my_commands([BotCommand(name, told) for name, told in wanted], scope=scope)

        if await calls.ask("getMyCommands", known) != wanted:
            await calls.ask("setMyCommands", register)
