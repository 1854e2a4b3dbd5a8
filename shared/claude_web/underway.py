"""The requests that are under way, so that closing can end them.

aiohttp 3.14, client_proto.py: a connection that is closed from this side forgets who reads from it, and lets the reader wait.
"""

import asyncio
import builtins
import socket
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any
from weakref import WeakSet

import aiohttp

from .errors import NetworkError
from .watch import Watch

_CLOSED = "the client was closed while this was under way"


class Underway:
    """Keeps the requests that wait for the head of their answer, and the answers that are being read."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Timeout] = set()
        self._reading: set[aiohttp.ClientResponse] = set()
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def socket(self, address: tuple[Any, ...]) -> socket.socket:
        """Make a socket for a connection; `address` is as `socket.getaddrinfo` gives it."""
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        self._sockets.add(made)
        return made

    @asynccontextmanager
    async def answer(
        self, sent: Awaitable[aiohttp.ClientResponse], watch: Watch | None = None
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Wait for an answer, and let go of it in the end. Raises NetworkError, as reading from it does, after `fail`."""
        async with await self._head(sent, watch) as response:
            self._reading.add(response)
            try:
                with watch.over(response.content) if watch else nullcontext():
                    yield response
            finally:
                self._reading.discard(response)

    def fail(self) -> None:
        """End all that is under way with NetworkError: at once, or where the reader reads on."""
        waiting, self._waiting = self._waiting, set()
        for limit in waiting:
            limit.reschedule(0.0)
        for response in self._reading:
            response.content.set_exception(NetworkError(_CLOSED))
        for each in self._sockets:
            # Not connected, or not any more. Otherwise a closing connection would wait until its last bytes were taken.
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    async def _head(self, sent: Awaitable[aiohttp.ClientResponse], watch: Watch | None) -> aiohttp.ClientResponse:
        closed = False
        limit = asyncio.timeout(watch.head if watch else None)
        try:
            async with limit:
                self._waiting.add(limit)
                try:
                    return await sent
                finally:
                    closed = limit not in self._waiting
                    self._waiting.discard(limit)
        except builtins.TimeoutError:
            if closed:
                raise NetworkError(_CLOSED) from None
            raise
