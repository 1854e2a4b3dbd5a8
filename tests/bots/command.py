"""The command line as a process."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.discord import Simulator

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds for a process to do anything at all, on a busy machine."""


@dataclass
class Ended:
    status: int
    out: str
    err: str

    def sentence(self) -> str:
        """The one sentence on standard error. The log's lines before it are ours too; a traceback is none of them."""
        assert self.status == 2, self
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.startswith("threadline: ")]
        assert len(lines) == 1, self.err
        assert self.err.splitlines()[-1] == lines[0]
        return lines[0].removeprefix("threadline: ")


def around(simulator: Simulator) -> dict[str, str]:
    """The settings that lead to a simulated Discord."""
    return {
        "DISCORD_TOKEN": simulator.config.token,
        "DISCORD_API_URL": simulator.api_url,
        "DISCORD_GATEWAY_URL": simulator.gateway_url,
        "BACKEND": "demo",
    }


@asynccontextmanager
async def started(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process of ours in a folder of its own; it is dead in the end."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bots", *arguments, cwd=folder, env=kept | {"PYTHONPATH": str(ROOT)} | dict(env or {}),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        preexec_fn=_interruptible,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def _interruptible() -> None:
    """Who runs the tests in the background has Ctrl-C ignored, and children would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def ended(process: asyncio.subprocess.Process) -> Ended:
    """How the process ends by itself."""
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def terminated(process: asyncio.subprocess.Process) -> Ended:
    """How the process ends when it is told to."""
    process.send_signal(signal.SIGTERM)
    return await ended(process)


async def run(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
    async with started(folder, *arguments, env=env) as process:
        return await ended(process)


async def connected(simulator: Simulator, count: int = 1) -> None:
    await simulator.wait_for(lambda: simulator.stats()["connected"] >= count, PATIENCE)
