"""Socket Mode: the connections to Slack (docs.slack.dev, Using Socket Mode).

The library's own client closes a connection before it opens the next (slack_sdk, socket_mode/aiohttp), so that events of that
moment wait for their next try; it acknowledges on whatever connection is there, and does not notice one that is deaf.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, cast

import aiohttp

from bots.slack.config import SlackConfig
from bots.slack.failures import AUTH, code_of
from bots.slack.quiet import hide
from bots.slack.spawning import spawn
from shared.errors import Failure, Misconfigured, RateLimited

log = logging.getLogger(__name__)

Json = dict[str, Any]

HELLO_SECONDS = 10.0
"""How long a new connection may stay without its greeting."""

LINGER_SECONDS = 10.0
"""How long a connection that is to end goes on being read and answered."""

LONGEST_WAIT = 60.0
"""Seconds between two tries to connect at most."""

SHORT, SHORT_WAIT = 3.0, 3.0
"""A connection that lasts less than so many seconds counts as a failed try; after it the next is tried in so many at most.

Else a connection that Slack ends as soon as it has begun (too_many_websockets) would use up the calls for new ones."""

REFUSED = 5
"""How often a token that was good before may be refused, one time after the other, until the operator has to do something."""

UNHEARD, UNHEARD_SECONDS = 40, 60.0
"""A connection that has got nothing for so long, while the others got so many envelopes, is deaf: each gets a share."""

_APP_TOKEN = (
    "Slack does not accept the app-level token: set SLACK_APP_TOKEN to one with the scope connections:write, from the app's "  # noqa: S105
    "settings, under Basic Information."
)
_NO_SOCKETS = "Slack refuses Socket Mode: switch it on in the app's settings, under Socket Mode."


class Link:
    """One connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, now: float) -> None:
        self.socket = socket
        self.leaving = asyncio.Event()
        """Set when another is to take its place."""
        self.heard_at = now
        self.others = 0
        """How many envelopes the other connections have got since this one got any."""


class Sockets:
    """Keeps a number of connections open."""

    def __init__(
        self,
        config: SlackConfig,
        session: aiohttp.ClientSession,
        address: Callable[[], Awaitable[str]],
        take: Callable[[Json], Awaitable[bool]],
        up: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address` gives that of a new connection, `take` says whether an envelope may be acknowledged.

        `up` is called when there is a connection after there was none.
        """
        self._config = config
        self._session = session
        self._address = address
        self._take = take
        self._up = up
        self._clock = clock
        self._links: set[Link] = set()
        self._opened: set[Link] = set()
        """Those that are not closed, which may be more: some hear no longer."""
        self._posted: float | None = None
        self._echoes = False
        self._welcome = False
        """Whether Slack has let us in before: then its no may pass."""

    @property
    def open(self) -> int:
        """How many connections hear."""
        return len(self._links)

    async def run(self) -> NoReturn:
        """Keep the connections open until cancelled. Raises `Misconfigured` if Slack will never let us connect."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(self._config.connections):
                    tasks.create_task(self._keep(tasks, number), name=f"slack connection {number}")
                tasks.create_task(self._watch(), name="slack watchdog")
        finally:
            # A reader that was cancelled before its first step has closed nothing.
            for link in list(self._opened):
                await self._close(link)
        raise AssertionError("unreachable: the connections are kept until cancelled")

    def posted(self) -> None:
        """Something of ours was shown, of which Slack is going to tell us."""
        if self._echoes and self._posted is None:
            self._posted = self._clock()

    def echoed(self) -> None:
        """Slack has told us of something of ours: from now on its silence means something."""
        self._echoes = True

    def renew(self) -> None:
        """Put another connection in the place of each."""
        for link in self._links:
            link.leaving.set()

    async def _keep(self, tasks: asyncio.TaskGroup, number: int) -> NoReturn:
        tries = 0
        while True:
            try:
                link = await self._connect()
            except (Failure, OSError, aiohttp.ClientError, ValueError) as error:
                tries += 1
                if isinstance(error, Misconfigured) and (not self._welcome or tries > REFUSED):
                    raise
                wait = _pause(self._config.retry_wait, tries, error)
                detail = error.detail if isinstance(error, Failure) else hide(f"{type(error).__name__}: {error}")
                log.warning("no connection to Slack", extra={"connection": number, "detail": detail, "seconds": round(wait, 1)})
                await asyncio.sleep(wait)
                continue
            began = self._clock()
            spawn(tasks, self._read(tasks, link), f"slack reader {number}")
            await link.leaving.wait()
            if self._clock() - began >= SHORT:
                tries = 0
                continue
            tries += 1
            await asyncio.sleep(min(_pause(self._config.retry_wait, tries), SHORT_WAIT))

    async def _connect(self) -> Link:
        try:
            address = await self._address()
        except Failure as failure:
            code = code_of(failure)
            if code in AUTH or code == "missing_scope":
                raise Misconfigured(_APP_TOKEN) from failure
            if code in ("link_disabled", "socket_mode_not_enabled"):
                raise Misconfigured(_NO_SOCKETS) from failure
            raise
        timeout = cast("Any", aiohttp.ClientWSTimeout)(ws_close=self._config.close_timeout)
        socket = await self._session.ws_connect(address, heartbeat=self._config.heartbeat, timeout=timeout, max_msg_size=0)
        link = Link(socket, self._clock())
        self._opened.add(link)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                frame = _frame(await socket.receive_str())
            if frame.get("type") != "hello":
                raise ValueError(f"no greeting but {frame.get('type')}: {frame.get('reason')}")
        except BaseException as error:
            await self._close(link)
            if isinstance(error, TypeError):  # aiohttp's for a frame that is no text, a close among them
                raise ValueError("closed before its greeting") from None
            raise
        self._welcome = True
        first = not self._links
        self._links.add(link)
        if first:
            self._posted = None
            self._up()
        return link

    async def _read(self, tasks: asyncio.TaskGroup, link: Link) -> None:
        """Read a connection until it closes; for a while only once another is to take its place."""
        try:
            async with asyncio.timeout(None) as limit:
                leaving = asyncio.create_task(self._limit(link, limit), name="slack linger")
                try:
                    async for message in link.socket:
                        if message.type is aiohttp.WSMsgType.TEXT:
                            self._came(tasks, link, message.data)
                finally:
                    leaving.cancel()
        except TimeoutError:
            log.debug("a connection to Slack was left")
        except (OSError, aiohttp.ClientError) as error:
            log.info("a connection to Slack was lost", extra={"detail": hide(repr(error))})
        finally:
            link.leaving.set()
            await self._close(link)

    async def _close(self, link: Link) -> None:
        self._links.discard(link)
        self._opened.discard(link)
        await link.socket.close()

    async def _limit(self, link: Link, limit: asyncio.Timeout) -> None:
        await link.leaving.wait()
        limit.reschedule(asyncio.get_running_loop().time() + LINGER_SECONDS)

    def _came(self, tasks: asyncio.TaskGroup, link: Link, text: str) -> None:
        frame = _frame(text)
        if frame.get("type") == "disconnect":
            log.info("Slack asks for a new connection", extra={"reason": frame.get("reason")})
            if frame.get("reason") == "link_disabled":
                raise Misconfigured(_NO_SOCKETS)
            link.leaving.set()
        elif frame.get("envelope_id"):
            self._count(link)
            spawn(tasks, self._envelope(link, frame), "slack envelope")

    def _count(self, link: Link) -> None:
        self._posted = None
        link.heard_at, link.others = self._clock(), 0
        for other in self._links - {link}:
            other.others += 1

    async def _envelope(self, link: Link, frame: Json) -> None:
        """Acknowledge an envelope once it is taken; one that is not acknowledged comes again."""
        payload = frame.get("payload")
        if not await self._take(cast("Json", payload) if isinstance(payload, dict) else {}):
            return
        try:
            await link.socket.send_str(json.dumps({"envelope_id": frame["envelope_id"]}))
        except (OSError, aiohttp.ClientError) as error:
            log.info("not acknowledged", extra={"detail": repr(error)})

    # connections that are open and deaf

    async def _watch(self) -> NoReturn:
        every = max(0.01, self._config.echo_seconds / 4)
        while True:
            await asyncio.sleep(every)
            self.look()

    def look(self) -> None:
        """Give up connections that seem open but bring nothing (reported: python-slack-sdk issue 1110, bolt issue 1529)."""
        now = self._clock()
        if self._posted is not None and now - self._posted > self._config.echo_seconds and self._links:
            log.warning("Slack tells nothing of what we posted; connecting anew")
            self._posted = None
            self.deaf()
            return
        for link in list(self._links):
            if link.others >= UNHEARD and now - link.heard_at > UNHEARD_SECONDS and not link.leaving.is_set():
                log.warning("a connection to Slack brings nothing; connecting anew")
                link.leaving.set()

    def deaf(self) -> None:
        """Nothing was heard on any connection for a while: the next one begins a new session."""
        for link in list(self._links):
            self._links.discard(link)
            link.leaving.set()


def _frame(text: str) -> Json:
    try:
        given: object = json.loads(text)
    except ValueError:
        given = None
    return cast("Json", given) if isinstance(given, dict) else {}


def _pause(first: float, tries: int, error: Exception | None = None) -> float:
    wait = min(first * 2 ** min(tries - 1, 10), LONGEST_WAIT) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
    return max(wait, error.retry_after) if isinstance(error, RateLimited) else wait
