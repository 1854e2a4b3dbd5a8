"""The thread that writes: order, groups, and that one failure stays one failure."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from shared.errors import StoreUnusable
from shared.store import sqlite
from shared.store.worker import Worker


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    path = tmp_path / "a.db"

    def prepare(connection: Connection) -> None:
        with connection.begin():
            connection.exec_driver_sql("CREATE TABLE lines (line INTEGER UNIQUE)")

    worker = Worker(sqlite.writer(path), sqlite.explain(path), name="store-test")
    await worker.start(prepare)
    yield worker
    await worker.aclose()


def add(connection: Connection, line: int) -> int:
    connection.exec_driver_sql("INSERT INTO lines VALUES (?)", (line,))
    return line


def lines(connection: Connection) -> list[int]:
    return list(connection.exec_driver_sql("SELECT line FROM lines ORDER BY rowid").scalars())


def spoil(connection: Connection) -> int:
    add(connection, 99)
    raise ValueError("spoiled")


async def test_what_comes_meanwhile_is_committed_together(worker: Worker) -> None:
    commits: list[object] = []
    held = threading.Event()

    def count(connection: Connection) -> None:
        commits.append(connection)

    event.listen(Engine, "commit", count)
    try:
        first = worker.run(lambda _c: held.wait(10))
        calls = [worker.run(lambda c, line=line: add(c, line)) for line in range(20)]
        held.set()
        assert await first
        assert await asyncio.gather(*calls) == list(range(20))
    finally:
        event.remove(Engine, "commit", count)
    assert len(commits) <= 3
    assert await worker.run(lines) == list(range(20))


async def test_a_refusal_of_the_database_in_a_group_undoes_itself_alone(worker: Worker) -> None:
    held = threading.Event()
    calls: list[asyncio.Future[int]] = [
        worker.run(lambda _c: int(held.wait(10))),
        worker.run(lambda c: add(c, 1)),
        worker.run(spoil),
        worker.run(lambda c: add(c, 2)),
        worker.run(lambda c: add(c, 1)),
        worker.run(lambda c: add(c, 3)),
    ]
    held.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in results] == [int, int, ValueError, int, StoreUnusable, int]
    assert await worker.run(lines) == [1, 2, 3]


async def test_a_fault_in_a_group_undoes_itself_alone(worker: Worker) -> None:
    held = threading.Event()
    calls: list[asyncio.Future[int]] = [
        worker.run(lambda _c: int(held.wait(10))),
        worker.run(lambda c: add(c, 1)),
        worker.run(spoil),
        worker.run(lambda c: add(c, 2)),
    ]
    held.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in results] == [int, int, ValueError, int]
    assert await worker.run(lines) == [1, 2]


async def test_a_failure_alone_undoes_itself(worker: Worker) -> None:
    with pytest.raises(ValueError, match="spoiled"):
        await worker.run(spoil)
    assert await worker.run(lines) == []


async def test_even_an_exit_in_a_function_reaches_its_caller_and_the_thread_goes_on(worker: Worker) -> None:
    def leave(_connection: Connection) -> None:
        raise KeyboardInterrupt

    call = worker.run(leave)
    await asyncio.wait([call])
    assert isinstance(call.exception(), KeyboardInterrupt)
    assert await worker.run(lambda c: add(c, 1)) == 1


async def test_after_the_end_nothing_is_taken(worker: Worker) -> None:
    last = worker.run(lambda c: add(c, 1))
    await worker.aclose()
    await worker.aclose()
    assert last.result() == 1
    with pytest.raises(RuntimeError, match="closed"):
        worker.run(lines)


async def test_a_cancelled_wait_lets_the_function_run(worker: Worker) -> None:
    held = threading.Event()
    worker.run(lambda _c: held.wait(10))
    call = worker.run(lambda c: add(c, 1))
    call.cancel()
    held.set()
    assert await worker.run(lines) == [1]


async def test_what_came_first_is_done_first(worker: Worker) -> None:
    calls = [worker.run(lambda c, line=line: add(c, line)) for line in range(1000, 0, -1)]
    await asyncio.gather(*calls)
    assert await worker.run(lines) == list(range(1000, 0, -1))
