"""What Linux tells of a process, and the processes of a bench: both simulators and the real server."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.bench.sites import Far, Site

ROUND_TRIP = 0.05
ONE_WAY = ROUND_TRIP / 2
WORDS, DELTAS, SECONDS = 200, 100, 6.0
THINK = 0.3
"""Seconds from the model's request to its first delta: what "the thread is opened meanwhile" needs to mean anything."""
SCRIPT = {"words": WORDS, "deltas": DELTAS, "seconds": SECONDS, "think": THINK}
KEY = "demo-key"
PATIENCE = 30.0
"""Seconds for a process to say that it is ready, or to end."""
IMPORTS = "import bots.__main__, bots.server, bots.discord.adapter, shared.backends.anthropic_api"
"""What a server on Discord with Claude's API imports."""
_TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """Processor time of a process so far, all threads, user and system (proc(5), /proc/PID/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def held_up(pid: int) -> float:
    """Seconds that the main thread of a process has waited for a processor so far (Linux, sched-stats)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def memory(pid: int, name: str = "VmRSS") -> float:
    """Resident memory in MB now, or with `VmHWM` at its highest (proc(5), /proc/PID/status)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no {name} in /proc/{pid}/status")


async def imports_alone() -> float:
    """Resident memory in MB of a process that only imports what the server imports."""
    code = f"{IMPORTS}; print(open('/proc/self/status').read())"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    [line] = [each for each in out.decode().splitlines() if each.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `spawned` is seconds of `time.monotonic`."""

    process: asyncio.subprocess.Process
    spawned: float

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    async def stop(self) -> None:
        """Let it drain and end."""
        self.process.send_signal(signal.SIGTERM)
        if await asyncio.wait_for(self.process.wait(), PATIENCE) != 0:
            raise RuntimeError("the server did not end well; see its log")


class House:
    """Both simulators, and servers that talk to them. `chat` is the control API of the platform's."""

    def __init__(
        self, folder: Path, site: Site, chat: Far, claude: Far, settings: dict[str, str], simulators: Sequence[int]
    ) -> None:
        self.folder = folder
        self.simulators = simulators
        self.site = site
        self.chat = chat
        self.claude = claude
        self._settings = settings
        self._servers: list[Server] = []

    async def start(self, profile: Path | None = None) -> Server:
        """Start the real server and return at once; with `profile` under cProfile, which writes there in the end."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")}
        settings = {
            "STATE_DIR": str(self.folder / "state"),
            **self._settings,
            # One person asks everything here, faster than any would be allowed to.
            "USER_PER_MINUTE": "0",
            "BURST_SECONDS": "0",
            "ANTHROPIC_API_KEY": KEY,
        }
        watched = ["-m", "cProfile", "-o", str(profile)] if profile else []
        with (self.folder / "server.log").open("ab") as log:
            spawned = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                sys.executable, *watched, "-m", "bots", "run",
                env=kept | settings, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        server = Server(process, spawned)
        self._servers.append(server)
        return server

    async def connected(self, server: Server) -> None:
        """Return as soon as the server hears the simulator. Raises `TimeoutError`, or `RuntimeError`."""
        async with asyncio.timeout(PATIENCE):
            # Asked every few milliseconds: the control API tells of no connection by itself.
            while not self.site.connected(await self.chat.get("stats")):
                if server.process.returncode is not None:
                    raise RuntimeError((self.folder / "server.log").read_text()[-2000:])
                await asyncio.sleep(0.005)

    async def kill(self) -> None:
        """End what still runs."""
        for server in self._servers:
            with contextlib.suppress(ProcessLookupError):
                server.process.kill()
            await server.process.wait()


@asynccontextmanager
async def house(folder: Path, site: Site) -> AsyncGenerator[House]:
    """Start the simulators, each in a process of its own. All processes are dead when it closes."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    async with AsyncExitStack() as stack:
        given = ["--round-trip", str(ROUND_TRIP), *site.arguments]
        platform = await stack.enter_async_context(_simulator(site.module, given))
        given = ["--script", json.dumps(SCRIPT), "--keep-bodies", "1"]
        claude = await stack.enter_async_context(_simulator("sandbox.anthropic", given))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        settings = site.settings(platform) | {"ANTHROPIC_BASE_URL": claude["url"]}
        pids = int(platform["pid"]), int(claude["pid"])
        made = House(folder, site, Far(session, platform["control"]), Far(session, claude["control"]), settings, pids)
        stack.push_async_callback(made.kill)
        yield made


@asynccontextmanager
async def _simulator(module: str, arguments: Sequence[str]) -> AsyncGenerator[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise RuntimeError(f"{module} has no output")
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        yield json.loads(line)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()
