"""Tells the service manager how this process is: ready, stopping, alive, and one line for people.

The protocol is that of systemd: sd_notify(3) and sd_watchdog_enabled(3). Datagrams of lines go to the Unix socket that the
variable NOTIFY_SOCKET names. Without the variable nothing is done.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import Misconfigured

log = structlog.get_logger(__name__)


class ManagerSettings(BaseSettings):
    """What a service manager has put into the environment; nothing that an operator sets."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    notify_socket: str | None = None
    watchdog_usec: int | None = Field(default=None, gt=0)
    watchdog_pid: int | None = None


class Notify:
    """Speaks to the service manager, if there is one. A manager that cannot be reached is logged once and harms nothing."""

    def __init__(self, address: str | None, *, watchdog: float | None = None) -> None:
        """`address` is a path, or a name in the abstract namespace after an @; None: there is no manager.

        `watchdog` is the number of seconds without a ping after which the manager takes us for dead; None: it does not look.
        """
        self._address = address
        self._watchdog = watchdog
        self._status = ""
        self._ending = False
        self._warned = False
        if address and not address.startswith(("/", "@")):
            log.warning("the service manager cannot be told: its address is neither a path nor an abstract name")
            self._address = None

    @property
    def interval(self) -> float | None:
        """Seconds between two pings: half of what the manager allows, as sd_watchdog_enabled(3) advises. None: no pings."""
        return None if self._address is None or self._watchdog is None else self._watchdog / 2

    async def ready(self, status: str) -> None:
        """The start is over. `status` is one line for people; what breaks a line in it becomes a blank."""
        self._status = status
        await self._send("READY=1", _status(status))

    async def stopping(self, status: str, *, within: float) -> None:
        """The end has begun and takes at most so many seconds, which the manager is asked to wait."""
        self._ending = True
        await self._send("STOPPING=1", _status(status), f"EXTEND_TIMEOUT_USEC={round(within * 1_000_000)}")

    async def status(self, status: str) -> None:
        """Change the line for people. The same line again is not sent, nor is any once the end has begun."""
        if status != self._status and not self._ending:
            self._status = status
            await self._send(_status(status))

    @asynccontextmanager
    async def alive(self) -> AsyncGenerator[None]:
        """Ping for as long as it is open. The pings come from the event loop: they stop when it hangs."""
        interval = self.interval
        if interval is None:
            yield
            return
        pings = asyncio.create_task(self._ping(interval), name="watchdog")
        try:
            yield
        finally:
            pings.cancel()
            await asyncio.wait([pings])

    async def _ping(self, interval: float) -> None:
        while True:
            await self._send("WATCHDOG=1")
            await asyncio.sleep(interval)

    async def _send(self, *lines: str) -> None:
        """One datagram. Waits while the manager's queue is full, and blocks nothing else meanwhile."""
        if self._address is None:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            # A socket for each: only a connected one tells when there is room, and the manager may have made its own anew.
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                to.setblocking(False)
                to.connect(address)
                await asyncio.get_running_loop().sock_sendall(to, "\n".join(lines).encode())
        except OSError as error:
            if not self._warned:
                self._warned = True
                log.warning("the service manager cannot be told", reason=error.strerror or str(error))


def notify() -> Notify:
    """What speaks to the manager that started this process. Raises `Misconfigured` if its variables cannot be read.

    A watchdog that is meant for another process (WATCHDOG_PID) is none of ours.
    """
    try:
        found = ManagerSettings()
    except ValidationError as error:
        name = str(error.errors(include_input=False, include_url=False)[0]["loc"][0]).upper()
        raise Misconfigured(f"{name} in the environment is not what a service manager sets there; unset it.") from None
    ours = found.watchdog_usec is not None and found.watchdog_pid in (None, os.getpid())
    return Notify(found.notify_socket, watchdog=found.watchdog_usec / 1_000_000 if found.watchdog_usec and ours else None)


def _status(text: str) -> str:
    """A line break would begin another assignment."""
    return f"STATUS={' '.join(text.split())}"
