"""The history leads to the schema that the program works with, all or nothing."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

import migrations
from shared.backends import Usage
from shared.chat import Attachment, Author, AuthorId, Channel, ChannelId, Edited, Message, MessageId, Quoted, Target
from shared.store import Final, Store
from shared.store.schema import HEAD, metadata

FOLDER = Path(migrations.__file__).parent


def described(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'")
        return {name: re.sub(r"\s+", " ", sql) for name, sql in rows if not name.startswith("sqlite_")}


async def test_the_history_leads_to_the_tables_of_the_program(tmp_path: Path) -> None:
    await (await Store.open(tmp_path / "grown.db")).aclose()
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    metadata.create_all(engine)
    engine.dispose()
    assert described(tmp_path / "grown.db") == described(tmp_path / "made.db")


async def test_the_files_are_numbered_in_one_line(tmp_path: Path) -> None:
    await (await Store.open(tmp_path / "a.db")).aclose()
    numbers = sorted(file.name[:4] for file in FOLDER.glob("[0-9]*.py"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert numbers[-1] == HEAD
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


@contextmanager
def failing(path: Path, fail: Callable[..., None]) -> Generator[Connection]:
    """A connection on which some statement fails."""
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path, isolation_level=None))

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "begin", begin)
    event.listen(engine, "before_cursor_execute", fail)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def test_an_upgrade_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.db"

    def fail_late(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "parts_of_channel" in statement:
            raise sqlite3.OperationalError("the power went")

    with failing(path, fail_late) as connection, pytest.raises((sqlite3.OperationalError, DBAPIError)), connection.begin():
        migrations.upgrade(connection, HEAD)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []


ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"


def old(path: Path) -> None:
    """A database of the first revision, with something of everything in it."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection, connection.begin():
        migrations.upgrade(connection, "0001")
    engine.dispose()
    place = '["odd:a","thread","odd:p",null,"A"]'
    rows = {
        "conversations": [
            (ONE, "odd", "odd:a", "odd:p", None, 1, None, None),
            (TWO, "odd", "odd:b", None, "odd:s", 2, 9, "new"),
        ],
        "turns": [
            (1, "odd", ONE, "ask", "done", 2, "odd:a", f"[{place},null,null,false,null]", None, None, 5, 10, 20),
            (2, "odd", ONE, "ask", "running", 1, "odd:a", f"[{place},null,null,false,null]", "secret", None, 5, 30, None),
            (3, "odd", None, "notice", "answered", 0, "odd:a", f"[{place},null,null,false,null]", None, None, 0, 40, None),
            (8, "odd", TWO, "ask", "stopped", 0, "odd:b", f"[{place},null,null,false,null]", None, None, 0, 3, 4),
        ],
        "messages": [
            (1, 0, "odd:1", "odd:ada", "Ada", " What\n is\t" + "x" * 100, None, '[["r","n\\u0000","image/png",7]]', 5),
            (2, 0, "odd:2", "odd:ada", "Ada", "more", '["Bob","that",true]', None, 6),
            (8, 0, "odd:8", "odd:bob", "Bob", "", None, None, 7),
        ],
        "finals": [
            (1, 3, "end", "done", "odd", "yes", "", '[{"a":1}]', '["m",1,2,3,4]', None, None),
            (3, 6, None, "done", None, "notice", "", None, None, None, None),
            (8, 0, None, "stopped", None, "", "stopped", None, None, None, None),
        ],
        "parts": [(1, 0, "odd:a", "shown", "odd:9", 15), (2, 0, "odd:a", "sending", None, 35)],
        "keys": [("odd", "k1", "queued", 1, 10), ("odd", "k2", "empty", None, 11)],
        "marks": [("odd", "odd:a", place, "odd:2")],
    }
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, some in rows.items():
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(some[0]))})", some)  # noqa: S608 - our names
        connection.execute("UPDATE sqlite_sequence SET seq = 12 WHERE name = 'turns'")


async def test_an_old_store_is_brought_up_to_date_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    old(path)
    store = await Store.open(path)
    try:
        await compare(store)
    finally:
        await store.aclose()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'old%'").fetchall() == []
    await (await Store.open(tmp_path / "new.db")).aclose()
    assert described(path) == described(tmp_path / "new.db")


async def compare(store: Store) -> None:
    first, second, notice, stopped = [await store.load(turn) for turn in (1, 2, 3, 8)]
    assert (first.state, first.attempts, first.tries, first.unspent, first.hidden) == ("done", 2, 2, [], False)
    assert first.final == Final(
        text="yes", outcome="done", stop="end", blocks=[{"a": 1}], backend="odd", usage=Usage("m", 1, 2, 3, 4)
    )
    assert [file.attachment for file in first.messages[0].files] == [Attachment("r", "n\0", "image/png", 7)]
    assert [(part.ordinal, part.kind, part.message) for part in first.parts] == [(0, "text", "odd:9")]
    assert (second.state, second.target.handle, second.messages[0].quoted) == ("running", "secret", Quoted("Bob", "that", True))
    assert (notice.final, stopped.final) == (
        Final(text="notice", outcome="done"),
        Final(text="", outcome="stopped", note="stopped"),
    )
    thread = Channel(ChannelId("odd:a"), "thread", ChannelId("odd:p"), None, "A")
    talk = await store.open_talk(thread.id)
    assert talk is not None
    assert (talk.channel, talk.title, talk.turns) == (thread, "What  is " + "x" * 70, 2)
    assert talk.heard_at - talk.opened_at == timedelta(microseconds=29)
    assert [one.why for one in await store.talks(ChannelId("odd:b"), most=9)] == ["new"]
    assert await store.known("odd", ["k1", "k2", "k3"]) == {"k1", "k2"}
    assert (await store.begin(2)).unspent == [1], "what the attempt before the upgrade has cost is not known"
    again = await store.edit("odd", Edited(keys=("e",), message=changed(thread)))
    assert again.decision == "edited"
    taken = await store.tell("odd", changed(thread), decision="empty", text="no")
    assert taken.waiting is not None
    assert taken.waiting.turn == 13, "a number that was given once is never given again"


def changed(place: Channel) -> Message:
    return Message(
        keys=("new",),
        id=MessageId("odd:1"),
        target=Target(place),
        author=Author(AuthorId("odd:ada"), "Ada"),
        sent_at=datetime(2026, 3, 1, tzinfo=UTC),
        text="another",
        addressed=True,
    )


def test_an_upgrade_of_an_old_store_that_fails_leaves_it_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    old(path)
    with closing(sqlite3.connect(path)) as connection:
        before = list(connection.iterdump())

    def fail_late(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "DROP TABLE old_conversations" in statement:
            raise sqlite3.OperationalError("the power went")

    with failing(path, fail_late) as connection, pytest.raises((sqlite3.OperationalError, DBAPIError)), connection.begin():
        migrations.upgrade(connection, HEAD)
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before


@pytest.fixture
async def made(tmp_path: Path) -> Path:
    """A store that is up to date."""
    await (await Store.open(tmp_path / "a.db")).aclose()
    return tmp_path / "a.db"


def test_an_up_to_date_store_imports_no_alembic(made: Path) -> None:
    script = (
        "import asyncio, sys, pathlib\n"
        "from shared.store import Store\n"
        "async def main():\n"
        "    await (await Store.open(pathlib.Path(sys.argv[1]))).aclose()\n"
        "asyncio.run(main())\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('alembic', 'migrations', 'mako')]\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(made)], cwd=FOLDER.parent, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


async def test_a_folder_with_odd_signs_in_its_name_is_no_trouble(tmp_path: Path) -> None:
    folder = tmp_path / "50% off?mode=ro#x y"
    folder.mkdir()
    await (await Store.open(folder / "a.db")).aclose()
    assert (folder / "a.db").exists()
