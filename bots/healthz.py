"""How the server is, for a monitor on this machine: `GET /healthz` on 127.0.0.1, as JSON.

200 if every platform is connected and the store can be read, otherwise 503 with what is wrong under `failing`. One platform's
failure is told beside the others, which are as they are. Nothing here is a secret, and nothing is about people.
"""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from shared.chat import Health
from shared.errors import Failure, Misconfigured
from shared.log import HIDDEN

HOST = "127.0.0.1"
STORE_SECONDS = 5.0
"""How long the store may take to answer before it is told as failing."""
LOOK_SECONDS = 5.0
"""How often a change is looked for that nobody tells of: `since` may be late by so much."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Load:
    """How many turns are being done, and how many wait."""

    running: int
    queued: int


class Condition:
    """How one platform is, since when, and what went wrong last. Its adapter tells only how it is now."""

    def __init__(self, health: Callable[[], Health], clock: Callable[[], datetime]) -> None:
        self._health = health
        self._clock = clock
        self._connected = False
        self.since = clock()
        """When it came to be as it is, connected or not."""
        self.failure: tuple[datetime, str] | None = None
        """When it failed last, and one line about it."""

    def look(self) -> Health:
        """How it is now. A change is dated by the look that finds it; a connection that was lost is a failure."""
        health = self._health()
        if health.connected != self._connected:
            self._connected, self.since = health.connected, self._clock()
            if not health.connected:
                self.failure = self.since, health.detail
        return health

    def failed(self, detail: str) -> None:
        """The adapter has ended with a failure."""
        self.look()
        self.failure = self._clock(), detail


class Checkup:
    """What is known of the whole server."""

    def __init__(
        self,
        platforms: Mapping[str, Callable[[], Health]],
        store: Callable[[], Awaitable[object]],
        load: Callable[[], Load],
        *,
        version: str,
        secrets: Sequence[str] = (),
        clock: Callable[[], datetime] = _now,
        store_seconds: float = STORE_SECONDS,
    ) -> None:
        """`platforms` are the adapters' own words by name. `store` reads something from it, or raises a `Failure`.

        `secrets` are taken out of every detail, as from the log.
        """
        self._platforms = {name: Condition(health, clock) for name, health in platforms.items()}
        self._store = store
        self._load = load
        self._version = version
        self._secrets = [secret for secret in secrets if secret]
        self._store_seconds = store_seconds

    def look(self) -> None:
        """Notice what has changed on the platforms."""
        for condition in self._platforms.values():
            condition.look()

    def failed(self, platform: str, detail: str) -> None:
        """An adapter has ended with a failure and will be run again."""
        self._platforms[platform].failed(detail)

    def line(self) -> str:
        """The state of the platforms in one line for people."""
        told = (f"{name} {'connected' if each.look().connected else 'not connected'}" for name, each in self._platforms.items())
        return ", ".join(told)

    async def follow(self, tell: Callable[[str], Awaitable[None]], *, seconds: float = LOOK_SECONDS) -> None:
        """Look every so many seconds until cancelled, and tell the line each time."""
        while True:
            await tell(self.line())
            await asyncio.sleep(seconds)

    async def report(self) -> dict[str, object]:
        """Everything, as `/healthz` shows it. `failing` names the platforms that are not connected, and `store`."""
        platforms = {name: self._platform(condition) for name, condition in self._platforms.items()}
        store = await self._try_store()
        failing = [name for name, platform in platforms.items() if not platform["connected"]]
        if not store["ok"]:
            failing.append("store")
        load = self._load()
        return {
            "status": "failing" if failing else "ok",
            "failing": failing,
            "version": self._version,
            "platforms": platforms,
            "store": store,
            "turns": {"running": load.running, "queued": load.queued},
        }

    def _platform(self, condition: Condition) -> dict[str, object]:
        health = condition.look()
        failure = condition.failure
        return {
            "connected": health.connected,
            "detail": self._clean(health.detail),
            "since": condition.since.isoformat(),
            "last_failure": failure and {"at": failure[0].isoformat(), "detail": self._clean(failure[1])},
        }

    async def _try_store(self) -> dict[str, object]:
        try:
            async with asyncio.timeout(self._store_seconds):
                await self._store()
        except TimeoutError:
            return {"ok": False, "detail": f"no answer in {self._store_seconds:g} s"}
        except Failure as failure:
            return {"ok": False, "detail": self._clean(failure.detail)}
        return {"ok": True, "detail": ""}

    def _clean(self, detail: str) -> str:
        for secret in self._secrets:
            detail = detail.replace(secret, HIDDEN)
        return detail


def bind(port: int) -> socket.socket:
    """A socket on 127.0.0.1 for `serving`; port 0 takes any that is free. Raises `Misconfigured` if it cannot be had."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # A restart finds the port of the run before still in TIME_WAIT.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise Misconfigured(f"The port {port} on {HOST} cannot be had: {error.strerror}. Set another HEALTH_PORT.") from None
    return bound


@asynccontextmanager
async def serving(checkup: Checkup, bound: socket.socket) -> AsyncGenerator[None]:
    """Answers `/healthz` on the socket for as long as it is open, and closes it."""

    async def healthz(_request: web.Request) -> web.Response:
        report = await checkup.report()
        return web.Response(
            status=503 if report["failing"] else 200,
            text=json.dumps(report, indent=2) + "\n",
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        yield
    finally:
        await runner.cleanup()
        bound.close()
