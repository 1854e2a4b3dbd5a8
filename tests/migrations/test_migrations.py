"""The history leads to the schema that the program works with, all or nothing."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

import migrations
from shared.store import Store
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


def test_an_upgrade_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path, isolation_level=None))

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def fail_late(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "parts_of_channel" in statement:
            raise sqlite3.OperationalError("the power went")

    event.listen(engine, "begin", begin)
    event.listen(engine, "before_cursor_execute", fail_late)
    with engine.connect() as connection, pytest.raises((sqlite3.OperationalError, DBAPIError)), connection.begin():
        migrations.upgrade(connection, HEAD)
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []


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
