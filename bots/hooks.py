"""What platforms post to us: an HTTP server with a path for each platform that is set to it.

It is meant to stand behind a proxy that speaks TLS. Who posts, and whether that is what they say, each adapter checks itself.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from aiohttp import web

from shared.errors import Misconfigured
from shared.log import fault

log = structlog.get_logger(__name__)

LONGEST = 1024 * 1024
"""Bytes of a body: the largest event of a platform is a small part of that."""

BODY_SECONDS = 5.0
"""How long a body may take to come; a platform waits for the whole answer a few seconds only."""

LAST_SECONDS = 3.0
"""How long those that are being taken when the server stops may still take."""

LINGER_SECONDS = 1.0
"""How long the rest of a body is still read after its answer, so that the other side gets to read that."""


class Hooked(Protocol):
    """An adapter whose platform posts its events."""

    async def hook(self, request: web.Request) -> web.Response:
        """Take what was posted, and say what to answer: 503 asks the platform to try again."""
        ...


def bind(host: str, port: int) -> socket.socket:
    """A socket for `taking` that takes connections from now on. Raises `Misconfigured` if it cannot be had."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Misconfigured(f"The port {port} on {host} cannot be had: {why}. Set another HTTP_PORT or HTTP_HOST.") from None


@asynccontextmanager
async def taking(
    hooked: Mapping[str, Hooked], bound: socket.socket, *, body_seconds: float = BODY_SECONDS
) -> AsyncGenerator[None]:
    """Hands what is posted to each path to its adapter for as long as it is open, and closes the socket."""
    app = web.Application(client_max_size=LONGEST)
    app.on_response_prepare.append(_unsigned)
    for path, adapter in hooked.items():
        app.router.add_post(path, _handler(adapter, body_seconds))
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=LAST_SECONDS, lingering_time=LINGER_SECONDS, logger=_quiet()
    )
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        host, port = bound.getsockname()[:2]
        log.info("listening", host=host, port=port, paths=sorted(hooked))
        yield
    finally:
        await runner.cleanup()
        bound.close()


def _handler(adapter: Hooked, seconds: float) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(seconds):
                await request.read()  # the request keeps it for the adapter
        except TimeoutError:
            late = web.Response(status=408)
            late.force_close()
            return late
        except (web.RequestPayloadError, ConnectionError):
            return web.Response(status=400)
        try:
            return await adapter.hook(request)
        except web.HTTPException:
            raise
        except Exception as error:
            # A fault of ours: it is not to be taken for an acknowledgement.
            log.critical("a request failed by a fault of ours", path=request.path, fault=fault(error))
            return web.Response(status=503)

    return handle


async def _unsigned(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Nobody needs to know what serves them."""
    response.headers.pop("Server", None)


def _quiet() -> logging.Logger:
    """The library logs with a traceback whatever strangers send that is no HTTP."""
    logger = logging.getLogger("bots.hooks.http")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
