"""Every statement of every public method finds its rows through an index: a larger store is no slower."""

import re
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from shared.chat import ChannelId, MessageId
from shared.store import Store
from tests.conformance.store import START, Clock, answered, channel, final, made, message, within

# A partial index holds only the turns that have not ended: walking it is what the question asks for.
ALLOWED = re.compile(r"^SCAN turns USING (COVERING )?INDEX turns_unfinished$")


@contextmanager
def heard() -> Generator[dict[str, Any]]:
    said: dict[str, Any] = {}

    def hear(_c: object, _cursor: object, statement: str, parameters: Any, _context: object, many: bool) -> None:
        said[statement] = parameters[0] if many else parameters

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


async def everything(store: Store, clock: Clock) -> None:
    """Call each public method, on each of its ways."""
    general = channel("general")
    first = await answered(store, 1)
    await store.delivered(made(first))
    second = made(await store.ask("odd", message(2, keys=("a", "b"))))
    await store.ask("odd", message(2, keys=("b", "c")))
    await store.begin(second)
    await store.release(second)
    await store.begin(second)
    await store.sending(second, 0, general.id)
    await store.shown(second, 0, MessageId("odd:9"))
    await store.ours(general.id)
    await store.dropped(second, 0)
    await store.ask_stop(second)
    await store.known("odd", ["a", "b"])
    await store.unfinished()
    await store.load(second)
    await store.history(within(first), before=second, turns=10, characters=1000)
    await store.settle(second, final())
    await store.ask("odd", message(3))
    await store.stop("odd", message(4), nothing="nothing")
    await store.new("odd", message(5), text="new", nothing="none")
    await store.conversation(general.id)
    await store.leave("odd", channel=general.id, space="odd:space")
    notice = made(await store.tell("odd", message(6), decision="empty", text="text"))
    await store.note("odd", message(7), decision="empty")
    await store.aside("odd", message(8).target, key="k", decision="empty", text="text")
    await store.delivered(notice, failed=True)
    await store.seen("odd", {general.id: (general, MessageId("odd:5"))}, START)
    await store.marks("odd")
    await store.block("odd:all", START)
    await store.blocks()
    clock.move(timedelta(days=8))
    await store.sweep()


def public() -> set[str]:
    return {name for name in vars(Store) if not name.startswith("_")}


async def test_no_method_walks_a_table(store: Store, clock: Clock, tmp_path: Path) -> None:
    assert public() - set(everything.__code__.co_names) == {"open", "aclose"}, "this test calls them all"
    with heard() as said:
        await everything(store, clock)
    with closing(sqlite3.connect(tmp_path / "threadline.db")) as connection:
        bad: list[str] = []
        count = 0
        for statement, parameters in said.items():
            if not re.match(r"SELECT|INSERT|UPDATE|DELETE", statement):
                continue
            count += 1
            for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters):
                if step.startswith("SCAN") and step != "SCAN CONSTANT ROW" and not ALLOWED.match(step):
                    bad.append(f"{step}: {statement}")
                if "TEMP B-TREE" in step:
                    bad.append(f"{step}: {statement}")
        assert not bad
        assert count > 30


async def test_a_delete_or_update_makes_no_other_table_be_walked(store: Store, tmp_path: Path) -> None:
    """References are looked up from the other side when a row goes; each such column has to lead an index."""
    await store.conversation(ChannelId("odd:general"))
    with closing(sqlite3.connect(tmp_path / "threadline.db")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for reference in connection.execute(f"PRAGMA foreign_key_list({table})").fetchall():
                column = reference[3]
                [first, *_] = connection.execute(f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {column} = ?", (1,))  # noqa: S608 - our names
                assert first[3].startswith("SEARCH"), (table, column)
