"""HTTP to claude.ai: one aiohttp session, opened when it is needed and closed when it has been idle.

It says plainly what it is. It sends nothing that only a browser would, follows no redirect (the session key would go
along) and tries nothing again.
"""

import asyncio
import builtins
import ipaddress
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import aiohttp
from yarl import URL

from .breaker import Breaker
from .constants import BASE_URL, VERSION
from .errors import (
    AuthenticationError,
    ClaudeWebAPIError,
    NetworkError,
    NotInitialisedError,
    ProtocolError,
    TimeoutError,  # noqa: A004 - the name is part of the interface
)
from .failures import is_edge, of_response
from .idle import Idle, Later, on_the_loop
from .underway import Underway
from .watch import Watch

_LOG = logging.getLogger("claude_web")

USER_AGENT = f"claude_web/{VERSION} (unofficial client; not a browser) {aiohttp.http.SERVER_SOFTWARE}"

# Bytes of an error's body that are read.
_ERROR_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, all above 0. `connect`: until a connection stands. `call`: a whole short call. `transfer`: a whole upload
    or download. `silence`: without a byte of an answer. `answer`: a whole answer.
    """

    connect: float = 15.0
    call: float = 30.0
    transfer: float = 300.0
    silence: float = 120.0
    answer: float = 3600.0

    def of(self, total: float | None) -> aiohttp.ClientTimeout:
        """The same for aiohttp, for a call that may take so many seconds; None for one that a `Watch` looks after."""
        connect = self.connect if total is None else min(self.connect, total)
        return aiohttp.ClientTimeout(total=total, connect=connect, sock_connect=connect)


class Transport:
    """Sends requests with the session key, and turns every failure into an error of this package."""

    def __init__(
        self,
        session_key: str,
        *,
        base_url: str = BASE_URL,
        proxy: str | None = None,
        timeouts: Timeouts | None = None,
        breaker: Breaker | None = None,
        later: Later = on_the_loop,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Check what is given. Raises AuthenticationError for a key that no cookie can carry, ValueError for the rest."""
        if not session_key or not session_key.isascii() or not session_key.isprintable() or set(session_key) & set(' ;,"\\'):
            raise AuthenticationError("the session key is empty or has characters that no cookie has: copy it again")
        self._key = session_key
        self._base = _checked(base_url)
        self._proxy = _proxy(proxy)
        self.timeouts = timeouts or Timeouts()
        self.now = now
        self.organization: str | None = None
        self._breaker = breaker or Breaker()
        self._idle = Idle(self._expire, later)
        self._underway = Underway()
        self._session: aiohttp.ClientSession | None = None
        self._open = False
        self._closing: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"Transport({str(self._base)!r})"

    @property
    def connected(self) -> bool:
        """Whether there is an HTTP session at the moment."""
        return self._session is not None

    @property
    def opened(self) -> bool:
        """Whether requests are allowed."""
        return self._open

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self._idle.busy

    def start(self, timeouts: Timeouts, idle: float | None) -> None:
        """Allow requests. `idle`: seconds after which an unused session is closed, None for never."""
        self.timeouts = timeouts
        self._open = True
        self._idle.set(idle)

    async def close(self) -> None:
        """Close the session; requests under way fail with NetworkError. May be called twice."""
        self._open = False
        self._idle.set(None)
        self._underway.fail()
        self._expire()
        while self._closing:
            await asyncio.gather(*self._closing)

    async def call(
        self, method: str, path: str, *, body: object = None, params: dict[str, str] | None = None, total: float | None = None
    ) -> Any:
        """Make a short call and read its JSON; None for an empty answer. `total`: seconds. Raises every error of the tree."""
        timeout = self.timeouts.of(total or self.timeouts.call)
        async with self.request(method, path, timeout=timeout, body=body, params=params) as response:
            text = await response.read()
        if not text.strip():
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            kind = response.headers.get("Content-Type", "no type")[:60]
            raise ProtocolError(f"{method}: an answer of {kind} in place of JSON", status_code=response.status) from None

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        timeout: aiohttp.ClientTimeout,
        body: object = None,
        form: aiohttp.FormData | None = None,
        params: dict[str, str] | None = None,
        accept: str = "application/json",
        watch: Watch | None = None,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Make a request and give its answer, the body unread, if its status is 2xx. Raises every error of the tree.

        `watch` keeps the limits of a stream, in place of those in `timeout` that are not set.
        """
        if not self._open:
            raise NotInitialisedError("the client is not open: call init() first")
        trial = self._breaker.enter()
        began = perf_counter()
        try:
            with self._idle.working():
                sent = self._connection().request(
                    method,
                    self._base.joinpath(*path.strip("/").split("/")),
                    json=body,
                    data=form,
                    params=params,
                    headers=self._headers(accept),
                    timeout=timeout,
                    allow_redirects=False,
                )
                async with self._underway.answer(sent, watch) as response:
                    _LOG.debug("%s %s: %d after %.0f ms", method, path, response.status, (perf_counter() - began) * 1e3)
                    try:
                        await self._judge(response, trial=trial)
                        yield response
                    except BaseException:
                        # Unread bytes must not keep the connection, and a model must not write on for nobody.
                        response.close()
                        raise
        except ClaudeWebAPIError:
            raise
        except builtins.TimeoutError:
            raise TimeoutError(f"{method} took longer than allowed, or nothing came for too long") from None
        except aiohttp.ClientError as error:
            raise NetworkError(f"{method}: {type(error).__name__}") from None
        finally:
            self._breaker.leave(trial)

    def _headers(self, accept: str) -> dict[str, str]:
        cookies = {"sessionKey": self._key, "lastActiveOrg": self.organization}
        return {
            "Accept": accept,
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items() if value),
        }

    async def _judge(self, response: aiohttp.ClientResponse, *, trial: bool) -> None:
        """Raise the error that goes with the answer, if it is one."""
        status, headers = response.status, response.headers
        if status < 300 and "cf-mitigated" not in headers:
            self._passed(trial)
            return
        text = (await _some(response)).replace(self._key, "[session key]")
        if is_edge(status, headers, text):
            raise self._breaker.blocked(status, trial=trial)
        self._passed(trial)
        raise of_response(status, headers, text, self.now())

    def _passed(self, trial: bool) -> None:
        # A call from before the block proves nothing about the time after it.
        if trial:
            self._breaker.passed()

    def _connection(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # No limit: a stream that waits for a free connection would run into the limit for connecting.
                connector=aiohttp.TCPConnector(limit=0, socket_factory=self._underway.socket),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                proxy=self._proxy,
                trust_env=False,
            )
            _LOG.debug("opened a session")
        return self._session

    def _expire(self) -> None:
        """Give up the session at once, and close it behind; the next request opens a new one."""
        session, self._session = self._session, None
        if session is not None:
            task = asyncio.create_task(session.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
            _LOG.debug("closed the session")


async def _some(response: aiohttp.ClientResponse) -> str:
    read = bytearray()
    while len(read) < _ERROR_BYTES and (piece := await response.content.read(_ERROR_BYTES - len(read))):
        read += piece
    return read.decode("utf-8", "replace")


def _checked(base_url: str) -> URL:
    url = URL(base_url)
    if url.scheme not in ("http", "https") or not url.host or url.user or url.query_string or url.fragment:
        raise ValueError("base_url is no plain http or https address")
    if url.scheme == "http" and not _loopback(url.host):
        raise ValueError("base_url must be https: the session key would go over the network in the clear")
    return url


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _proxy(proxy: str | None) -> URL | None:
    """Check a proxy's address. Its error does not quote it: it may have a password."""
    if proxy is None:
        return None
    url = URL(proxy)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("proxy is no http or https address: aiohttp speaks no other kind")
    return url
