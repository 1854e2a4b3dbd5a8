"""What is read on a connection of its own: in order, without the right to write, and whatever becomes of the caller."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from shared.errors import StoreUnusable
from shared.store import sqlite
from shared.store.reader import Reader


class Brake:
    """Keeps statements of readers under way: `hold(x)` in one returns x once it is let go."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._free = threading.Event()
        self.under_way = asyncio.Semaphore(0)

    def hold(self, value: int) -> int:
        self._loop.call_soon_threadsafe(self.under_way.release)
        assert self._free.wait(30)
        return value

    def let_go(self) -> None:
        self._free.set()


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No thread is left, and no connection that would be told of when it is thrown away."""
    before = set(threading.enumerate())
    yield
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        # A thread has said that it ends before it has.
        thread.join(10)
        assert not thread.is_alive(), thread.name


@pytest.fixture
async def brake() -> AsyncIterator[Brake]:
    brake = Brake(asyncio.get_running_loop())
    yield brake
    brake.let_go()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE lines (line INTEGER)")
    return path


@pytest.fixture
def opened() -> list[object]:
    return []


@pytest.fixture
async def reader(path: Path, brake: Brake, opened: list[object]) -> AsyncIterator[Reader]:
    engine = sqlite.reader(path)

    def add(connection: DBAPIConnection, _record: object) -> None:
        opened.append(connection)
        # SQLAlchemy's face of an aiosqlite connection has this method of sqlite3, the protocol of all drivers has not.
        make: Callable[[str, int, Callable[[int], int]], None] = connection.create_function
        make("hold", 1, brake.hold)

    event.listen(engine.sync_engine, "connect", add)
    reader = Reader(engine, sqlite.explain(path))
    yield reader
    brake.let_go()
    await reader.aclose()


def hold(connection: Connection) -> int:
    return connection.exec_driver_sql("SELECT hold(1)").scalar_one()


def count(connection: Connection) -> int:
    return connection.exec_driver_sql("SELECT count(*) FROM lines").scalar_one()


def fill(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO lines VALUES (1)")


async def test_reads_whose_callers_are_cancelled_hold_up_no_later_read(
    reader: Reader, brake: Brake, opened: list[object], path: Path
) -> None:
    calls = [asyncio.create_task(reader.run(hold)) for _ in range(3)]
    await brake.under_way.acquire()
    later = asyncio.create_task(reader.run(count))
    for call in calls:
        call.cancel()
    assert {type(one) for one in await asyncio.gather(*calls, return_exceptions=True)} == {asyncio.CancelledError}
    assert not later.done(), "the connection is still at work"
    brake.let_go()
    assert await later == 0
    fill(path)
    assert await asyncio.gather(*(reader.run(count) for _ in range(20))) == [1] * 20, "no transaction of before is left open"
    assert len(opened) == 1, "the connection did not have to be thrown away"


async def test_a_caller_cancelled_at_any_moment_leaves_nothing_behind(reader: Reader, opened: list[object], path: Path) -> None:
    for moments in range(60):
        call = asyncio.create_task(reader.run(count))
        for _ in range(moments):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
    fill(path)
    assert await asyncio.gather(*(reader.run(count) for _ in range(20))) == [1] * 20
    assert len(opened) == 1


async def test_reads_are_done_in_the_order_in_which_they_were_begun(reader: Reader, brake: Brake) -> None:
    done: list[int] = []

    def mark(number: int) -> Callable[[Connection], None]:
        return lambda connection: done.append(number + count(connection))

    async def chain(first: int) -> None:
        # The second read of a chain comes when the connection is just free and others wait for it.
        await reader.run(mark(first))
        await reader.run(mark(first + 100))

    held = asyncio.create_task(reader.run(hold))
    await brake.under_way.acquire()
    chains = [asyncio.create_task(chain(number)) for number in range(20)]
    await asyncio.sleep(0)
    brake.let_go()
    await asyncio.gather(held, *chains)
    assert done == [*range(20), *range(100, 120)]


async def test_a_read_sees_one_state_of_the_file(reader: Reader, path: Path) -> None:
    def twice(connection: Connection) -> tuple[int, int]:
        before = count(connection)
        fill(path)
        return before, count(connection)

    assert await reader.run(twice) == (0, 0)
    assert await reader.run(count) == 1


async def test_a_reader_cannot_write(reader: Reader) -> None:
    def write(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO lines VALUES (1)")

    with pytest.raises(StoreUnusable, match="cannot be written to"):
        await reader.run(write)
    assert await reader.run(count) == 0


async def test_a_fault_in_a_function_reaches_its_caller_and_reading_goes_on(reader: Reader, opened: list[object]) -> None:
    def spoil(connection: Connection) -> int:
        count(connection)
        raise ValueError("spoiled")

    for _ in range(3):
        with pytest.raises(ValueError, match="spoiled"):
            await reader.run(spoil)
    assert await reader.run(count) == 0
    assert len(opened) == 1


async def test_closing_lets_the_reads_end_that_were_begun(reader: Reader, brake: Brake) -> None:
    begun = asyncio.create_task(reader.run(hold))
    await brake.under_way.acquire()
    closing_first, closing_again = (asyncio.create_task(reader.aclose()) for _ in range(2))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="closed"):
        await reader.run(count)
    closing_first.cancel()
    brake.let_go()
    assert await begun == 1
    await closing_again
    await reader.aclose()


async def test_a_file_that_cannot_be_opened_is_told_of_in_a_sentence_and_leaves_no_thread(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.db"
    reader = Reader(sqlite.reader(path), sqlite.explain(path))
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        await reader.run(count)
    path.parent.mkdir()
    assert await reader.run(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one()) == 1
    await reader.aclose()


async def test_a_path_with_signs_of_addresses_in_it_is_read_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "50% off?mode=ro#x y"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "a.db")) as connection, connection:
        connection.execute("CREATE TABLE lines (line INTEGER)")
    reader = Reader(sqlite.reader(folder / "a.db"), sqlite.explain(folder / "a.db"))
    assert await reader.run(count) == 0
    await reader.aclose()
