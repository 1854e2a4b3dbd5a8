"""What the store says when its file cannot be used, and that it leaves nothing behind."""

import asyncio
import os
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from shared.errors import StoreUnusable
from shared.store import Store
from tests.conformance.store import Clock, answered, ask, made, message, states

NOBODY = 65534


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        # A reader's thread has said that it ends before it has.
        thread.join(10)
        assert not thread.is_alive(), thread.name


@contextmanager
def told(pragma: str) -> Generator[None]:
    """Every transaction begins with this pragma, as real a condition as the file itself being so."""

    def tell(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA {pragma}")

    event.listen(Engine, "begin", tell)
    try:
        yield
    finally:
        event.remove(Engine, "begin", tell)


async def refused(path: Path) -> str:
    with pytest.raises(StoreUnusable) as caught:
        await Store.open(path)
    assert str(path) in caught.value.detail
    assert caught.value.detail.endswith(".")
    return caught.value.detail


async def filled(path: Path, turns: int = 1) -> None:
    store = await Store.open(path)
    await asyncio.gather(*(ask(store, message(number)) for number in range(turns)))
    await store.aclose()


def allow(path: Path, *, file: int, folder: int) -> None:
    path.chmod(file)
    path.parent.chmod(folder)


def execute(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


async def test_a_store_of_a_newer_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await filled(path)
    execute(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    assert "newer" in await refused(path)
    assert path.read_bytes() == before


async def test_a_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    execute(path, "CREATE TABLE turns (id)")
    assert "another program" in await refused(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("turns",)]


async def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    assert "folder" in await refused(tmp_path)


async def test_a_file_of_something_else_is_not_a_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_text("This is a shopping list.\n" * 100)
    assert "not a database" in await refused(path)
    assert path.read_text() == "This is a shopping list.\n" * 100


async def test_a_place_that_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be opened" in await refused(tmp_path / "missing" / "a.db")
    assert "cannot be opened" in await refused(tmp_path / "file" / "a.db")


async def test_a_damaged_file_is_found_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await filled(path, turns=200)
    whole = bytearray(path.read_bytes())
    for page in range(4096 * 3, len(whole), 4096):
        whole[page : page + 200] = b"\xa5" * 200
    path.write_bytes(whole)
    assert "damaged" in await refused(path)


async def test_a_file_that_was_cut_short_is_found_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await filled(path, turns=200)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert "damaged" in await refused(path)


async def test_an_empty_file_is_a_new_store(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    await filled(tmp_path / "a.db")


async def test_a_store_that_another_process_keeps_locked_cannot_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert "locked" in await refused(path)
    await filled(path)


async def test_writes_under_a_lock_of_another_process_fail_and_later_ones_work(store: Store, tmp_path: Path) -> None:
    kept = made(await ask(store, message(1)))
    with closing(sqlite3.connect(tmp_path / "threadline.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        calls = [asyncio.ensure_future(ask(store, message(number))) for number in range(2, 6)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(one, StoreUnusable) and "locked" in one.detail for one in results)
        assert await states(store) == {kept: "queued"}, "reading goes on"
        other.execute("ROLLBACK")
    assert made(await ask(store, message(2))) == kept + 1


async def test_a_short_lock_of_another_process_is_waited_for(store: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "threadline.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        call = asyncio.ensure_future(ask(store, message(1)))
        # The read is answered by another thread; by then the write has met the lock, or will: both are to work.
        assert await states(store) == {}
        other.execute("ROLLBACK")
        assert made(await call) == 1


async def test_a_store_that_turns_read_only_refuses_writes_with_a_sentence(store: Store) -> None:
    kept = made(await ask(store, message(1)))
    with told("query_only = ON"), pytest.raises(StoreUnusable, match="cannot be written to"):
        await ask(store, message(2))
    with told("query_only = OFF"):
        assert (await ask(store, message(2))).decision == "queued"
    assert list(await states(store)) == [kept, kept + 1]


@pytest.fixture
def as_nobody() -> Iterator[Callable[[], None]]:
    """Become someone whom rights bind; the superuser is not. Ends with the test."""
    was = os.geteuid()

    def become() -> None:
        if was == 0:
            os.seteuid(NOBODY)

    yield become
    if was == 0:
        os.seteuid(was)


@pytest.fixture
async def stored() -> AsyncIterator[Path]:
    """A store in a folder that everybody can reach."""
    with tempfile.TemporaryDirectory() as folder:
        await filled(Path(folder) / "a.db")
        yield Path(folder) / "a.db"


async def test_a_folder_without_the_right_to_write_is_refused(stored: Path, as_nobody: Callable[[], None]) -> None:
    allow(stored, file=0o444, folder=0o555)
    as_nobody()
    said = await refused(stored)
    assert "cannot be written to" in said or "cannot be opened" in said
    assert "cannot be opened" in await refused(stored.with_name("fresh.db"))


async def test_a_file_without_the_right_to_write_is_refused(stored: Path, as_nobody: Callable[[], None]) -> None:
    allow(stored, file=0o444, folder=0o777)
    as_nobody()
    assert "cannot be written to" in await refused(stored)


async def test_a_full_disk_fails_the_write_and_nothing_is_half_written(store: Store, tmp_path: Path) -> None:
    kept = made(await answered(store, 1))
    with closing(sqlite3.connect(tmp_path / "threadline.db")) as reader:
        [pages] = reader.execute("PRAGMA page_count").fetchone()
    long = "x" * 100_000
    with told(f"max_page_count = {pages}"):
        with pytest.raises(StoreUnusable, match="full"):
            await ask(store, message(2, text=long))
        results = await asyncio.gather(
            ask(store, message(3)), ask(store, message(4, text=long)), store.delivered(kept), return_exceptions=True
        )
        assert isinstance(results[1], StoreUnusable)
        assert results[2] is False, "what needs no room goes on, also beside what does"
    with told("max_page_count = 1000000"):
        again = await ask(store, message(2, text=long))
    assert again.decision == "queued", "nothing of the write that failed is there, its keys neither"
    work = await store.load(made(again))
    assert [len(said.text) for said in work.messages] == [len(long)]
    with closing(sqlite3.connect(tmp_path / "threadline.db")) as reader:
        assert reader.execute("SELECT count(*) FROM turns WHERE id NOT IN (SELECT turn FROM messages)").fetchone() == (0,)
        assert reader.execute("PRAGMA quick_check").fetchone() == ("ok",)


async def test_what_is_committed_is_on_the_disk_and_readers_do_not_wait(store: Store, tmp_path: Path, clock: Clock) -> None:
    modes: set[tuple[object, ...]] = set()

    def look(connection: Connection) -> None:
        names = ("journal_mode", "synchronous", "foreign_keys", "query_only")
        modes.add(tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names))

    event.listen(Engine, "begin", look)
    try:
        await ask(store, message(1))
        await store.unfinished()
    finally:
        event.remove(Engine, "begin", look)
    full = 2
    assert ("wal", full, 1, 0) in modes
    assert [mode[3] for mode in modes if mode != ("wal", full, 1, 0)] == [1]
