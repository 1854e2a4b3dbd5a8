"""The server's process, started cold or forked from one that has imported everything already."""

import asyncio
import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Self

VICTIM = Path(__file__).with_name("victim.py")
FORKER = Path(__file__).with_name("forker.py")
ROOT = Path(__file__).parents[2]


class Process:
    """One server, until it is dead."""

    def __init__(self, pid: int, alive: int, cold: "subprocess.Popen[bytes] | None") -> None:
        """`alive` is the end of a pipe that closes when the process is dead; `cold` is None for a forked one."""
        self.pid = pid
        self.returncode: int | None = None
        self._alive = alive
        self._cold = cold

    @classmethod
    def start(cls, number: int, moment: str, pipe: int, orders: int, *, env: Mapping[str, str], cwd: Path, cold: bool) -> Self:
        """Start one that kills itself at a commit (see `victim.py`). Its output goes to `server.log` in the folder `cwd`."""
        alive, held = os.pipe()
        with (cwd / "server.log").open("ab") as log:
            if not cold:
                request = {"number": number, "moment": moment, "env": dict(env), "cwd": str(cwd)}
                pid = _forker().fork(request, log.fileno(), pipe, orders, held)
                made = None
            else:
                made = subprocess.Popen(
                    [sys.executable, str(VICTIM), str(number), moment, str(pipe), str(orders)],
                    env=env, cwd=cwd, pass_fds=(pipe, orders, held), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
                pid = made.pid
        os.close(held)
        return cls(pid, alive, made)

    async def wait(self) -> int:
        """Wait until it is dead; its exit status, a signal's number below 0."""
        loop = asyncio.get_running_loop()
        # Several may wait: each has a descriptor of its own.
        if self.returncode is None:
            dead, watched = asyncio.Event(), os.dup(self._alive)
            loop.add_reader(watched, dead.set)
            try:
                await dead.wait()
            finally:
                loop.remove_reader(watched)
                os.close(watched)
        return self._reap()

    def signal(self, number: int) -> None:
        """Send a signal to one that is not dead."""
        # Nobody else can have its number before `_reap`.
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _reap(self) -> int:
        if self.returncode is None:
            self.returncode = self._cold.wait() if self._cold else _forker().reap(self.pid)
            os.close(self._alive)
        return self.returncode


class _Forker:
    """The process that forks servers. One for each process that runs tests."""

    def __init__(self) -> None:
        self._asks, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, str(FORKER), str(theirs.fileno())], pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        )  # fmt: skip
        theirs.close()
        self._answers = self._asks.makefile("rb")
        atexit.register(self.close)

    def fork(self, request: Mapping[str, object], *given: int) -> int:
        """A new server with these descriptors; its process id."""
        socket.send_fds(self._asks, [json.dumps(request).encode()], given)
        return int(self._answers.readline())

    def reap(self, pid: int) -> int:
        """The exit status of one that is dead."""
        self._asks.sendall(json.dumps({"reap": pid}).encode())
        return int(self._answers.readline())

    def close(self) -> None:
        """End it."""
        self._answers.close()
        self._asks.close()
        self._process.wait()


@cache
def _forker() -> _Forker:
    return _Forker()
