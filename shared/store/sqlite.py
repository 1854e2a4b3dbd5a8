"""All that is SQLite's own: how a connection is made, what it is told first, and its complaints as sentences."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Column, Connection, Engine, Update, bindparam, create_engine, event, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from shared.errors import StoreUnusable
from shared.store.schema import HEAD

__all__ = ["explain", "insert", "prepare_writer", "reader", "rename", "writer"]

LOCK_SECONDS = 2.0
"""How long a lock of someone else is waited for. Only tools hold one, and briefly: one process owns a state directory."""

CHECKED_BYTES = 64 * 1024 * 1024
"""A larger file is not read through at the start, which would take longer than all the rest of it."""


STATEMENTS = 500
"""So many statements stay compiled. They are module-level constants: all of them together must."""


def writer(path: Path) -> Engine:
    """The engine whose one connection writes. Nothing is opened yet."""
    engine = create_engine("sqlite://", creator=lambda: _connect(path), poolclass=NullPool, query_cache_size=STATEMENTS)
    _begin_with(engine, "BEGIN IMMEDIATE")
    return engine


def reader(path: Path) -> AsyncEngine:
    """An engine with one connection, which cannot write. Nothing is opened yet."""
    engine = create_async_engine(
        # In parts: in a URL that is one text some characters of a path would mean something.
        URL.create("sqlite+aiosqlite", database=str(path.absolute())),
        connect_args={"timeout": LOCK_SECONDS, "isolation_level": None},
        pool_size=1,
        max_overflow=0,
        query_cache_size=STATEMENTS,
    )
    event.listen(engine.sync_engine, "connect", _only_query)
    _begin_with(engine.sync_engine, "BEGIN")
    return engine


def rename(column: Column[str]) -> Update:
    """Put `new` where the column holds `old`; where a row that would be the same is there already, that one stays."""
    return update(column.table).prefix_with("OR IGNORE").where(column == bindparam("old")).values({column: bindparam("new")})


def prepare_writer(path: Path) -> Callable[[Connection], None]:
    """What to do with the writer's connection first: set it up, check the file, bring it up to date."""

    def prepare(connection: Connection) -> None:
        size = path.stat().st_size
        if 0 < size <= CHECKED_BYTES and (found := str(_ask(connection, "PRAGMA quick_check(1)"))) != "ok":
            raise StoreUnusable(f"The database {path} is damaged ({found}). Restore a copy of it, or move it away.")
        found = _revision(path, connection)
        # Nothing is changed before it is known to be ours.
        _tell(connection, "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
        with connection.begin():
            if found == HEAD:
                # Changes nothing, and fails where nothing could be changed: SQLite opens a read-only file without a word.
                connection.exec_driver_sql("DELETE FROM alembic_version WHERE 0")
            else:
                _upgrade(connection)

    return prepare


def explain(path: Path) -> Callable[[DBAPIError], StoreUnusable]:
    """A function that says in a sentence what the database at the path complains about.

    The codes are SQLite's primary result codes (SQLite documentation, "Result and Error Codes").
    """

    def sentence(error: DBAPIError) -> StoreUnusable:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        said = SENTENCES.get(code, "The database {path} cannot be used ({error}).")
        return StoreUnusable(said.format(path=path, error=error.orig))

    return sentence


SENTENCES = {
    sqlite3.SQLITE_BUSY: "The database {path} is locked by another process. End that one first.",
    sqlite3.SQLITE_LOCKED: "The database {path} is locked by another process. End that one first.",
    sqlite3.SQLITE_READONLY: "The database {path} cannot be written to. Let this user write the file and its folder.",
    sqlite3.SQLITE_PERM: "The database {path} cannot be written to. Let this user write the file and its folder.",
    sqlite3.SQLITE_CANTOPEN: "The database {path} cannot be opened. Look at the rights of its folder, and whether it is there.",
    sqlite3.SQLITE_FULL: "The disk of the database {path} is full. Make room on it.",
    sqlite3.SQLITE_IOERR: "The disk of the database {path} failed ({error}). Look at the disk.",
    sqlite3.SQLITE_CORRUPT: "The database {path} is damaged ({error}). Restore a copy of it, or move it away.",
    sqlite3.SQLITE_NOTADB: "The file {path} is not a database. Move it away, or name another one.",
}


def _begin_with(engine: Engine, sql: str) -> None:
    # With isolation_level None the driver begins nothing by itself, so that this is the only beginning.
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(sql)

    event.listen(engine, "begin", begin)


def _only_query(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _connect(path: Path) -> sqlite3.Connection:
    if path.is_dir():
        raise StoreUnusable(f"The path {path} is a folder. Name a file for the database.")
    return sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)


def _tell(connection: Connection, *pragmas: str) -> None:
    raw = connection.connection.cursor()
    try:
        for pragma in pragmas:
            raw.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        raise DBAPIError(None, None, error) from error
    finally:
        raw.close()


def _ask(connection: Connection, sql: str) -> object:
    """The first value of the first row, or None; outside of any transaction."""
    raw = connection.connection.cursor()
    try:
        row = raw.execute(sql).fetchone()
    except sqlite3.Error as error:
        raise DBAPIError(None, None, error) from error
    finally:
        raw.close()
    return None if row is None else row[0]


def _upgrade(connection: Connection) -> None:
    # Alembic takes longer to import than all the rest of an opening.
    import migrations

    migrations.upgrade(connection, HEAD)


def _revision(path: Path, connection: Connection) -> str | None:
    """The revision of the file; None for a new one. Raises `StoreUnusable` if it is newer, or not ours."""
    if not _ask(connection, "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
        if _ask(connection, "SELECT 1 FROM sqlite_master"):
            raise StoreUnusable(f"The database {path} belongs to another program. Name another file.")
        return None
    found = str(_ask(connection, "SELECT version_num FROM alembic_version"))
    # Numbers of four digits: their order is that of the text.
    if found > HEAD:
        raise StoreUnusable(
            f"The database {path} is from a newer Threadline (revision {found}, known here: {HEAD}). Update Threadline."
        )
    return found
