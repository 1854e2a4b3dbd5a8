"""The real python-telegram-bot as the judge of the simulator."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from telegram import Bot, LinkPreviewOptions, Update
from telegram.error import BadRequest, Forbidden, RetryAfter
from telegram.request import HTTPXRequest

from sandbox.telegram import Simulator, SimulatorConfig
from sandbox.telegram.config import DEFAULT_TOKEN
from sandbox.telegram.defaults import FORUMS, GROUPS, PEOPLE, SUPERGROUPS

ADA, BEN = PEOPLE["user1"][0], PEOPLE["user2"][0]
GENERAL, KITCHEN, WORKSHOP = SUPERGROUPS["general"], GROUPS["kitchen"], FORUMS["workshop"]
PLAIN = LinkPreviewOptions(is_disabled=True)
ROOMY: dict[str, Any] = {
    "private_limit": (1000, 1.0),
    "group_limit": (1000, 1.0),
    "overall_limit": (1000, 1.0),
    "conflict_delay": 0.0,
    "webhook_delay": 0.01,
}


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def a_simulator(**settings: Any) -> AsyncGenerator[Simulator]:
    async with Simulator(SimulatorConfig(**{**ROOMY, **settings})) as simulator:
        yield simulator


@asynccontextmanager
async def a_bot(simulator: Simulator, token: str = DEFAULT_TOKEN, *, local: bool = False) -> AsyncGenerator[Bot]:
    """A bot whose getUpdates have connections of their own, as the library has it."""
    bot = Bot(
        token,
        base_url=simulator.api_url,
        base_file_url=simulator.file_url,
        local_mode=local,
        request=HTTPXRequest(connection_pool_size=8, read_timeout=10),
        get_updates_request=HTTPXRequest(connection_pool_size=4, read_timeout=10),
    )
    try:
        # Not `async with bot`: it begins with a getMe.
        for request in bot._request:  # pyright: ignore[reportPrivateUsage]  # the library offers no other way
            await request.initialize()
        yield bot
    finally:
        for request in bot._request:  # pyright: ignore[reportPrivateUsage]  # as above
            await request.shutdown()


async def updates(bot: Bot, **more: Any) -> list[Update]:
    """Everything that waits, confirmed."""
    found = list(await bot.get_updates(**more))
    if found:
        await bot.get_updates(offset=found[-1].update_id + 1)
    return found


async def refused(call: Awaitable[Any]) -> str:
    """The problem of a call that is refused with 400 or 403."""
    try:
        await call
    except (BadRequest, Forbidden) as error:
        return error.message
    raise AssertionError("the call was not refused")


async def delayed(call: Awaitable[Any]) -> float:
    """The seconds that a call refused with 429 is asked to wait."""
    try:
        await call
    except RetryAfter as error:
        seconds = error.retry_after
        return seconds if isinstance(seconds, int) else seconds.total_seconds()
    raise AssertionError("the call was let through")
