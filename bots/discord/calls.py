"""Calls to Discord: repeated where that helps, and with no exception of the library's getting out."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TypeVar

import aiohttp
import discord

from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, Unavailable

T = TypeVar("T")

REPEATS = 3
"""How often a call is repeated after the first try."""

BANNED_SECONDS = 60.0
"""How long to wait after a 429 that names no time; Cloudflare's bans of an address come so (discord.py, http.py)."""

# JSON error codes (Discord developer docs, Opcodes and Status Codes: JSON Error Codes).
UNREPLYABLE = 160002
HAS_THREAD = 160004
_LOCKED = 160005
_ARCHIVED = 50083
_EDITS_OF_OLD = 30046

_deadline: ContextVar[asyncio.Timeout | None] = ContextVar("_deadline", default=None)


@dataclass(frozen=True, slots=True)
class Caller:
    """How calls are made. Everything called through it can be repeated without harm."""

    timeout: float
    """Seconds that one HTTP request may be on the wire: the library sets no limit of its own, aiohttp one of 5 minutes.
    The library's sleeping for a rate limit does not count."""
    wait: float
    """Seconds before the first repeat; doubled each time, and jittered by half of it."""

    async def __call__(self, act: Callable[[], Awaitable[T]]) -> T:
        """The result of `act`. Raises `shared.errors` alone (and `discord.NotFound` & co. never)."""
        for tries in range(REPEATS + 1):
            try:
                return await self._once(act)
            except _TRANSIENT as error:
                if tries == REPEATS or not _worth_repeating(error):
                    raise failure(error) from error
                await asyncio.sleep(self.wait * 2**tries * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            except (discord.DiscordException, RuntimeError) as error:
                raise failure(error) from error
        raise AssertionError("unreachable: the last try returns or raises")

    async def _once(self, act: Callable[[], Awaitable[T]]) -> T:
        async with asyncio.timeout(None) as deadline:
            token = _deadline.set(deadline)
            try:
                return await act()
            finally:
                _deadline.reset(token)

    def watch(self, trace: aiohttp.TraceConfig) -> None:
        """Hold every request of the traced session that a call makes to `timeout`."""

        async def begun(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
            if (deadline := _deadline.get()) is not None:
                deadline.reschedule(asyncio.get_running_loop().time() + self.timeout)

        async def ended(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
            deadline = _deadline.get()
            if deadline is not None and not deadline.expired():
                deadline.reschedule(None)

        trace.on_request_start.append(begun)
        trace.on_request_end.append(ended)
        trace.on_request_exception.append(ended)


_TRANSIENT = (discord.DiscordServerError, TimeoutError, aiohttp.ClientError, OSError)


def _worth_repeating(error: BaseException) -> bool:
    """The library repeats 500, 502, 504 and 524 itself, but not 503, a lost connection or silence (discord.py, http.py)."""
    return not isinstance(error, discord.DiscordServerError) or error.status not in (500, 502, 504, 524)


def code_of(failed: Failure) -> int:
    """Discord's JSON error code behind a failure; 0 where there is none."""
    cause = failed.__cause__
    return cause.code if isinstance(cause, discord.HTTPException) else 0


def archived(failed: Failure) -> bool:
    """Whether a call was refused because the thread is archived."""
    return code_of(failed) == _ARCHIVED


def failure(error: BaseException) -> Failure:
    """An exception of discord.py, aiohttp or the socket as a failure of ours."""
    detail = f"Discord: {type(error).__name__}: {error}"[:300]
    if isinstance(error, discord.RateLimited):
        return RateLimited(detail, max(error.retry_after, 0.001))
    if isinstance(error, discord.HTTPException):
        return _answered(error, detail)
    if isinstance(error, (OSError, aiohttp.ClientError, discord.ConnectionClosed, discord.GatewayNotFound)):
        return Unavailable(detail)  # TimeoutError is an OSError
    if isinstance(error, RuntimeError):
        # aiohttp has no type of its own for a call on a session that was closed under it.
        if str(error) == "Session is closed":
            return Unavailable("Discord: the connection was closed")
        raise error
    return Refused(detail)


def _answered(error: discord.HTTPException, detail: str) -> Failure:
    if error.status == 429 or error.code == _EDITS_OF_OLD:
        try:
            wait = float(error.response.headers.get("Retry-After", 0))
        except ValueError:
            wait = 0.0
        return RateLimited(detail, wait if wait > 0 else BANNED_SECONDS)
    if error.status >= 500:
        return Unavailable(detail)
    if error.status == 404:
        return Gone(detail)
    if error.status == 403 or error.code in (_LOCKED, _ARCHIVED):
        return Forbidden(detail)
    return Refused(detail)
