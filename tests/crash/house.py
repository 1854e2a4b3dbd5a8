"""One house for a crash: a platform, Claude, a state directory, and the real server as a process that can be killed."""

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import anthropic
from tests.crash.platforms import OTHER_WAYS, PLATFORMS
from tests.crash.platforms.base import Platform, Sky
from tests.crash.process import Process

PATIENCE = 30.0
"""Seconds for anything that has to happen, on a busy machine."""


@dataclass(slots=True)
class Server:
    """A running server."""

    process: Process
    commits: int
    orders: int
    heard: bytes = b""

    @property
    def pid(self) -> int:
        return self.process.pid

    def count(self) -> int:
        """How many commits there have been so far."""
        return self._hear().count(b".")

    def struck(self) -> bool:
        """Whether it has come to the commit that it was to die of."""
        return b"!" in self._hear()

    def die_at(self, number: int, moment: str) -> None:
        """Let it kill itself at its so-manyth commit from now on; one that is dead already does not mind."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.orders, f"{number} {moment}\n".encode())

    @property
    def killed(self) -> bool:
        """Whether it has been killed."""
        return self.process.returncode == -signal.SIGKILL

    async def kill(self) -> None:
        """Kill it now, if it is not dead, and wait until it is."""
        self.process.signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        """Let it drain and end well."""
        self.process.signal(signal.SIGTERM)
        status = await asyncio.wait_for(self.process.wait(), PATIENCE)
        assert status == 0, f"the server ended with {status}"

    def _hear(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            while some := os.read(self.commits, 4096):
                self.heard += some
        return self.heard


@dataclass(slots=True)
class House:
    """Everything around the server. Outlives it."""

    folder: Path
    platform: Platform
    claude: anthropic.Simulator
    settings: dict[str, str] = field(default_factory=dict[str, str])
    servers: list[Server] = field(default_factory=list[Server])
    cold: bool = False
    """Whether each server imports everything anew, as a real one does; that takes a second more."""

    async def start(self, commit: int = 0, moment: str = "after", settings: Mapping[str, str] | None = None) -> Server:
        """Start the server; it kills itself at the commit with this number."""
        read, write = os.pipe()
        listen, orders = os.pipe()
        os.set_blocking(read, False)
        process = Process.start(
            commit, moment, write, listen, env=self._environment(settings or {}), cwd=self.folder, cold=self.cold
        )
        os.close(write)
        os.close(listen)
        server = Server(process, read, orders)
        self.servers.append(server)
        return server

    async def connected(self, server: Server) -> None:
        """Wait until the server hears its platform, or is dead."""
        dead = asyncio.create_task(server.process.wait())
        ready = asyncio.create_task(self.platform.see(lambda: self.platform.connected, PATIENCE))
        await asyncio.wait([dead, ready], return_when=asyncio.FIRST_COMPLETED)
        for task in (dead, ready):
            task.cancel()
        await asyncio.gather(dead, ready, return_exceptions=True)

    async def dead_or_settled(self, server: Server) -> None:
        """Wait until the server was killed; one that had nothing more to do is killed now."""
        dead = asyncio.create_task(server.process.wait())
        idle = asyncio.create_task(self.settled(at_least=1))
        await asyncio.wait([dead, idle], return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        if not dead.done():
            await server.kill()
        assert await dead == -signal.SIGKILL
        await self.disconnected()

    async def disconnected(self) -> None:
        """Wait until the platform has noticed that the server is dead."""
        await self.platform.lost()
        await self.platform.see(lambda: not self.platform.connected, PATIENCE)

    async def settled(self, at_least: int = 0) -> None:
        """Wait until every turn of the file has ended."""

        def ended() -> bool:
            states = [state for state, _ in self.turns()]
            return len(states) >= at_least and all(state in ("done", "stopped", "failed") for state in states)

        await until(ended)

    async def heard(self) -> None:
        """Wait until it is on file that the platform was heard: from then on anything can be missed."""
        await until(lambda: bool(self.rows("SELECT at FROM heard")))

    @property
    def kills(self) -> int:
        """How many servers were killed here."""
        return sum(server.killed for server in self.servers)

    @property
    def spare(self) -> int:
        """How many messages may be left over from those that were killed: one of each where a post cannot be found again."""
        return 0 if self.platform.finds else self.kills

    def turns(self) -> list[tuple[str, int]]:
        """State and attempts of every turn, as the file has them."""
        return self.rows("SELECT state, attempts FROM turns ORDER BY id")

    def log(self) -> str:
        """What the servers have said."""
        return (self.folder / "server.log").read_text()

    def rows(self, query: str, *values: object) -> list[Any]:
        """What the file has; `values` are put in place of the question marks."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/state/threadline.db?mode=ro", uri=True)) as file:
            return list(file.execute(query, values))

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        return kept | {
            "STATE_DIR": str(self.folder / "state"),
            "LOG_LEVEL": "debug",
            **self.platform.settings(),
            "ANTHROPIC_API_KEY": self.claude.key,
            "ANTHROPIC_BASE_URL": self.claude.url,
            **self.settings,
            **settings,
        }


async def until(true: Callable[[], bool]) -> None:
    """A file tells nobody when it changes, so it is asked again and again."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110  (see above)
            await asyncio.sleep(0.02)


@asynccontextmanager
async def house(
    folder: Path, *, before: Path | None = None, on: str = "discord", sky: Sky | None = None
) -> AsyncGenerator[House]:
    """Open a house on a platform; every server in it is dead when it closes. `before` is the state of an earlier run."""
    if before:
        shutil.copytree(before, folder / "state")
    platform = {**PLATFORMS, **OTHER_WAYS}[on](sky or Sky())
    async with platform.simulator, anthropic.Simulator() as claude:
        around = House(folder, platform, claude)
        try:
            yield around
        finally:
            for server in around.servers:
                await server.kill()
                os.close(server.commits)
                os.close(server.orders)
