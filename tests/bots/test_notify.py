"""The notify protocol over a real socket: what a service manager hears, and when it hears nothing more."""

import asyncio
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from structlog.testing import capture_logs

from bots.notify import Notify, notify
from shared.errors import Misconfigured
from tests.bots.manager import PATIENCE, managing
from tests.project.repository import ROOT

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")

HANGS = """
import asyncio, os, socket, sys
from bots.notify import notify

async def main():
    teller = notify()
    async with teller.alive():
        await teller.ready("up")
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(b"STATUS=hangs", os.environ["NOTIFY_SOCKET"])
        sys.stdin.readline()
        await teller.status("goes on")
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

asyncio.run(main())
"""
"""Waits for a line with its loop alive, hangs the loop until the next one, and goes on until the last."""


@pytest.fixture(autouse=True)
def _no_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("kind", ["path", "abstract"])
async def test_the_manager_hears_of_the_start_the_state_and_the_end(tmp_path: Path, kind: Literal["path", "abstract"]) -> None:
    with managing(tmp_path, kind) as manager:
        teller = Notify(manager.address)
        await teller.ready("connecting")
        assert await manager.hear() == ["READY=1", "STATUS=connecting"]
        await teller.status("connected")
        assert await manager.hear() == ["STATUS=connected"]
        await teller.stopping("draining", within=32.5)
        assert await manager.hear() == ["STOPPING=1", "STATUS=draining", "EXTEND_TIMEOUT_USEC=32500000"]


async def test_the_same_state_is_told_once(tmp_path: Path) -> None:
    with managing(tmp_path) as manager:
        teller = Notify(manager.address)
        for line in ("up", "up", "down"):
            await teller.status(line)
        assert [await manager.hear(), await manager.hear()] == [["STATUS=up"], ["STATUS=down"]]
        assert manager.nothing_was_told()


async def test_once_the_end_has_begun_the_state_is_told_no_more(tmp_path: Path) -> None:
    with managing(tmp_path) as manager:
        teller = Notify(manager.address)
        await teller.stopping("draining", within=1)
        await teller.status("connected")
        assert (await manager.hear())[0] == "STOPPING=1"
        assert manager.nothing_was_told()


async def test_a_line_break_in_a_state_begins_no_assignment(tmp_path: Path) -> None:
    with managing(tmp_path) as manager:
        await Notify(manager.address).status("bad\nSTOPPING=1\r\nMAINPID=1")
        assert await manager.hear() == ["STATUS=bad STOPPING=1 MAINPID=1"]


async def test_without_a_manager_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "1000")
    teller = notify()
    assert teller.interval is None
    before = asyncio.all_tasks()
    with capture_logs() as logs:
        async with teller.alive():
            await teller.ready("up")
            await teller.stopping("down", within=1)
            assert asyncio.all_tasks() == before
    assert logs == []


async def test_a_manager_that_is_gone_is_logged_once_and_harms_nothing(tmp_path: Path) -> None:
    teller = Notify(str(tmp_path / "nobody"))
    with capture_logs() as logs:
        await teller.ready("up")
        await teller.status("still up")
    assert [line["event"] for line in logs] == ["the service manager cannot be told"]


@pytest.mark.parametrize("address", ["vsock:2:1234", "notify", "./notify"])
async def test_an_address_that_is_not_a_unix_socket_is_logged_and_left_alone(address: str) -> None:
    with capture_logs() as logs:
        teller = Notify(address, watchdog=1)
        await teller.ready("up")
    assert teller.interval is None
    assert len(logs) == 1


async def test_a_manager_that_comes_back_is_told_again(tmp_path: Path) -> None:
    with managing(tmp_path) as manager:
        teller = Notify(manager.address)
        await teller.status("first")
        assert await manager.hear() == ["STATUS=first"]
    await teller.status("lost")
    with managing(tmp_path) as manager:
        await teller.status("second")
        assert await manager.hear() == ["STATUS=second"]


async def test_a_manager_that_is_slow_loses_nothing_and_holds_nothing_up(tmp_path: Path) -> None:
    with managing(tmp_path) as manager:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    other.sendto(b"STATUS=other", manager.address)
        telling = asyncio.create_task(Notify(manager.address).ready("up"))
        await asyncio.sleep(0)
        assert not telling.done()
        heard = await manager.hear()
        while heard == ["STATUS=other"]:
            heard = await manager.hear()
        assert heard == ["READY=1", "STATUS=up"]
        await asyncio.wait_for(telling, PATIENCE)


async def test_pings_come_at_half_the_time_that_the_manager_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with managing(tmp_path) as manager:
        monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        teller = notify()
        assert teller.interval == 0.1
        clock = asyncio.get_running_loop().time
        async with teller.alive():
            began = clock()
            for _ in range(4):
                assert await manager.hear() == ["WATCHDOG=1"]
            # The first comes at once, and three pauses lie between four.
            assert clock() - began >= 0.25
        assert "watchdog" not in {task.get_name() for task in asyncio.all_tasks()}
        # Before the end there may have been time for more of them.
        while not manager.nothing_was_told():
            assert await manager.hear() == ["WATCHDOG=1"]


async def test_a_watchdog_for_another_process_is_not_pinged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with managing(tmp_path) as manager:
        monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
        monkeypatch.setenv("WATCHDOG_USEC", "1000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() + 1))
        teller = notify()
        async with teller.alive():
            await teller.ready("up")
            assert await manager.hear() == ["READY=1", "STATUS=up"]
        assert teller.interval is None
        assert manager.nothing_was_told()


@pytest.mark.parametrize(("name", "value"), [("WATCHDOG_USEC", "soon"), ("WATCHDOG_USEC", "0"), ("WATCHDOG_PID", "me")])
def test_a_variable_that_no_manager_would_set_is_one_sentence(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=name):
        notify()


async def test_the_pings_stop_when_the_loop_hangs_and_go_on_when_it_does(tmp_path: Path) -> None:
    allowed = 0.5
    with managing(tmp_path) as manager:
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        env |= {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": f"{allowed * 1_000_000:.0f}"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HANGS, env=env, stdin=asyncio.subprocess.PIPE
        )  # fmt: skip
        assert process.stdin
        try:
            assert {(await manager.hear())[0] for _ in range(3)} == {"READY=1", "WATCHDOG=1"}
            process.stdin.write(b"hang\n")
            while await manager.hear() != ["STATUS=hangs"]:
                pass
            # Nothing for as long as the manager allows: here it would end the process.
            with pytest.raises(TimeoutError):
                await manager.hear(allowed)
            process.stdin.write(b"go on\n")
            heard = [(await manager.hear())[0] for _ in range(3)]
            assert set(heard) == {"WATCHDOG=1", "STATUS=goes on"}
            process.stdin.write(b"end\n")
            assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            process.stdin.close()
