"""Calls to Discord: repeated where that helps, and with no exception of the library's getting out."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TypeVar

import aiohttp
import discord

from bots.discord.limits import BANNED_SECONDS
from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, TooLarge, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

REPEATS = 3
"""How often a call is repeated after the first try."""

# JSON error codes (Discord developer docs, Opcodes and Status Codes: JSON Error Codes).
UNREPLYABLE = 160002
HAS_THREAD = 160004
NO_MESSAGE = 10008
NO_EMOJI = 10014
NO_WEBHOOK = 10015
ANSWERED = 40060
BAD_TOKEN = 50027
_LOCKED = 160005
_TOO_LARGE = 40005
_ARCHIVED = 50083
_EDITS_OF_OLD = 30046


@dataclass(slots=True)
class _Try:
    """One run of an act, in a task of its own."""

    deadline: asyncio.Timeout
    timeout: float
    """How many seconds a request of it may be on the wire."""
    waits: bool = False
    """Whether a request has been answered and no other begun: what goes on now is the library's waiting for a rate limit."""
    left: bool = False
    """Whether nobody wants the result any more."""


_try: ContextVar[_Try | None] = ContextVar("_try", default=None)


class Caller:
    """How calls are made. What is called through it can be repeated without harm, where nothing else is said."""

    def __init__(self, *, timeout: float, wait: float) -> None:
        """Hold the way of calling.

        `timeout` is how many seconds one HTTP request may be on the wire: the library sets no limit of its own, aiohttp one
        of 5 minutes. The library's sleeping for a rate limit does not count. `wait` is how many seconds pass before the first
        repeat; they are doubled each time, and jittered by half.
        """
        self._timeout = timeout
        self._wait = wait
        self._left: set[asyncio.Task[object]] = set()

    async def __call__(self, act: Callable[[], Awaitable[T]], *, timeout: float | None = None, repeats: int = REPEATS) -> T:
        """The result of `act`. Whatever goes wrong in it leaves as a `Failure`.

        `timeout` is for this call alone; `repeats` is 0 for what cannot be repeated without harm.
        """
        for tries in range(repeats + 1):
            try:
                return await self._once(act, self._timeout if timeout is None else timeout)
            except _TRANSIENT as error:
                if tries == repeats or not _worth_repeating(error):
                    raise failure(error) from error
                await asyncio.sleep(self._wait * 2**tries * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            except discord.DiscordException as error:
                raise failure(error) from error
            except Exception as error:
                # The library reads answers without checking them: a page of a proxy's, or a field that is missing, ends in any
                # exception. None of them may get out; the log keeps it, in case the fault is ours.
                failed = failure(error)
                if not _closed(error):
                    log.warning("an answer of Discord's cannot be read", exc_info=error)
                raise failed from error
        raise AssertionError("unreachable: the last try returns or raises")

    async def _once(self, act: Callable[[], Awaitable[T]], timeout: float) -> T:
        this = _Try(asyncio.timeout(None), timeout)

        async def run() -> T:
            _try.set(this)
            async with this.deadline:
                return await act()

        # In a task of its own, as a cancelled caller must not always end the call: on a global rate limit the library shuts a
        # gate for all requests, sleeps, and opens it again; if that sleep is cancelled the gate stays shut for good. After
        # other answers, too, it waits on behalf of the requests behind it (discord.py 2.7.1, http.py, request, Ratelimit).
        task = asyncio.create_task(run(), name="discord call")
        try:
            await asyncio.wait((task,))  # its being cancelled does not cancel the task
        except asyncio.CancelledError:
            this.left = True
            self._left.add(task)
            task.add_done_callback(self._ended)
            if not this.waits:
                task.cancel()
            raise
        return task.result()

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else looks at it, and asyncio complains of one that nobody has seen

    async def aclose(self) -> None:
        """End the calls that were left to themselves. For when their client is closed, and its gate gone with it."""
        left = list(self._left)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    def watch(self, trace: aiohttp.TraceConfig) -> None:
        """Hold every request of the traced session that a call makes to `timeout`."""

        async def begun(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
            if (this := _try.get()) is not None:
                if this.left:
                    # The library has done its waiting. A request now could come after a newer one and undo it.
                    raise asyncio.CancelledError
                this.waits = False
                this.deadline.reschedule(asyncio.get_running_loop().time() + this.timeout)

        async def ended(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
            # From here on the deadline is off: it can never cut short a wait of the library's.
            if (this := _try.get()) is not None and not this.deadline.expired():
                this.waits = True
                this.deadline.reschedule(None)

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


def unanswerable(failed: Failure) -> bool:
    """Whether a call was refused because the token of its interaction is no longer good, or never was."""
    return code_of(failed) in (BAD_TOKEN, NO_WEBHOOK)


def archived(failed: Failure) -> bool:
    """Whether a call was refused because the thread is archived."""
    return code_of(failed) == _ARCHIVED


def failure(error: BaseException) -> Failure:
    """An exception as a failure of ours; one that is neither discord.py's, aiohttp's nor the socket's as an unreadable answer."""
    detail = f"Discord: {type(error).__name__}: {error}"[:300]
    if isinstance(error, discord.RateLimited):
        return RateLimited(detail, max(error.retry_after, 0.001))
    if isinstance(error, discord.HTTPException):
        return _answered(error, detail)
    if isinstance(error, (OSError, aiohttp.ClientError, discord.ConnectionClosed, discord.GatewayNotFound)):
        return Unavailable(detail)  # TimeoutError is an OSError
    if _closed(error):
        return Unavailable("Discord: the connection was closed")
    if isinstance(error, discord.DiscordException):
        return Refused(detail)
    return Unavailable(f"Discord: an answer that cannot be read: {error!r}"[:300])


def _closed(error: BaseException) -> bool:
    """Whether the session was closed under a call: aiohttp has no type of its own for that."""
    return isinstance(error, RuntimeError) and str(error) == "Session is closed"


def _answered(error: discord.HTTPException, detail: str) -> Failure:
    if error.status == 429 or error.code == _EDITS_OF_OLD:
        try:
            wait = float(error.response.headers.get("Retry-After", 0))
        except ValueError:
            wait = 0.0
        return RateLimited(detail, wait if wait > 0 else BANNED_SECONDS)
    if error.status >= 500:
        return Unavailable(detail)
    if error.status == 413 or error.code == _TOO_LARGE:
        return TooLarge(detail)
    if error.status == 404:
        return Gone(detail)
    if error.status == 403 or error.code in (_LOCKED, _ARCHIVED):
        return Forbidden(detail)
    return Refused(detail)
