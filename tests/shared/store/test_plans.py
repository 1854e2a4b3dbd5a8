"""Every statement of every public method finds its rows through an index: a larger store is no slower."""

import re
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from shared.backends import Usage
from shared.chat import Attachment, AuthorId, Channel, ChannelId, Edited, MessageId, Target
from shared.files.material import Material
from shared.store import Budget, Rules, Store
from tests.conformance.store import START, Clock, answered, ask, channel, command, final, made, message, pressed, refused, within

# A partial index holds only what is asked for: turns that have not ended, and what names a blob. It is to be walked, and so are
# the few signs that there are. What people have chosen is read once, as a whole.
ALLOWED = re.compile(
    r"^SCAN (turns USING (COVERING )?INDEX turns_unfinished"
    r"|files USING COVERING INDEX files_by_blob|finals USING INDEX finals_with_files|choices|signs)$"
)
STRICT = Rules(
    burst=timedelta(seconds=2),
    queue=1,
    interrupt=True,
    per_minute=1000,
    budgets=tuple(Budget(who, unit, 1000) for who in ("user", "channel", "all") for unit in ("tokens", "money")),
)


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
    second = made(await ask(store, message(2, keys=("a", "b"))))
    await ask(store, message(2, keys=("b", "c")))
    await store.begin(second)
    await store.release(second)
    await store.begin(second)
    await store.sending(second, 0, general.id)
    await store.shown(second, 0, MessageId("odd:9"))
    await store.ours(general.id)
    await store.dropped(second, 0)
    await store.ask_stop(second)
    await store.known("odd", ["a", "b"])
    await store.known_album("odd", "a")
    await store.unfinished()
    await store.signing(second, MessageId("odd:2"))
    await store.signed()
    await store.unsigned(second)
    await store.moved("odd")
    await store.load(second)
    await store.history(within(first), before=second, turns=10, characters=1000)
    await store.settle(second, final())
    await ask(store, message(3))
    await store.stop("odd", message(4), nothing="nothing")
    await store.new("odd", message(5), text="new", nothing="none")
    await store.conversation(general.id)
    await store.leave("odd", channel=general.id, space="odd:space")
    notice = made(await store.tell("odd", message(6), decision="empty", text="text"))
    await store.note("odd", message(7), decision="empty")
    await store.aside("odd", message(8).target, key="k", decision="empty", text="text")
    await store.delivered(notice, failed=True)
    await sessions(store)
    await store.seen("odd", {general.id: (general, MessageId("odd:5"))}, START)
    await store.marks("odd")
    await store.block("odd:all", START)
    await store.blocks()
    clock.move(timedelta(days=8))
    await store.sweep()


async def sessions(store: Store) -> None:
    """Every way of what was added with sessions."""
    place = channel("hall", parent="house")
    first = await asked(store, place, 100)
    await store.edit("odd", Edited(keys=("e1",), message=message(100, place=place, text="another")))
    await store.edit("odd", Edited(keys=("e2",), message=replace(message(100, place=place), attachments=())))
    await store.begin(first)
    await store.sending(first, 0, place.id)
    await store.shown(first, 0, MessageId("odd:900"))
    await store.attached(first, 0, 0, Material("image", "a", "image/png", 1, "blob"))
    await store.settle(first, replace(final(), usage=Usage("m", 900, cost=900)), budgets=STRICT.budgets, warn=str)
    await store.spend(first, 7, Usage("m", 1))
    await store.delivered(first)
    await store.blobs()
    await store.forget_blobs(["blob"])
    await store.more("odd", pressed(1, "odd:900", place=place), turn=first, text="on", rules=STRICT, say=str, limited=refused)
    await store.stop("odd", pressed(2, "odd:900", place=place), nothing="nothing", turn=first, message=MessageId("odd:900"))
    await store.retry("odd", command(1, place=place), turn=first, message=MessageId("odd:900"), say=str)
    await store.undo("odd", command(2, place=place), say=str)
    await store.deleted("odd", place.id, MessageId("odd:100"))
    await store.deleted("odd", place.id, MessageId("odd:102"))
    await store.choose("odd", command(3), scope="global", name="model", value="m", text="ok")
    await store.choose("odd", command(4), scope="global", name="model", value=None, text="ok")
    await store.choices(["global", "odd"])
    talk = await store.open_talk(place.id)
    assert talk is not None
    await store.talk(talk.id)
    await store.talks(ChannelId("odd:house"), most=5)
    await store.summarise(first, first, "so far")
    for waiting in await store.unfinished():
        if waiting.state == "queued":
            await store.begin(waiting.turn)
        if waiting.state != "answered":
            await store.settle(waiting.turn, final())
        await store.delivered(waiting.turn)
    later = START + timedelta(days=1)
    await store.quiet("odd", before=later, most=5)
    assert await store.close_idle("odd", talk.id, before=later, target=Target(place), text="closed")
    await store.resume("odd", command(5, place=place), conversation=None, say=str)
    await store.resume("odd", command(6, place=channel("house")), conversation=talk.id, say=str)
    await store.spendings(["all", "user:odd:ada"])
    await store.over(AuthorId("odd:ada"), channel("general"), [Budget("user", "tokens", 1)])
    await store.told(place.id, author=None, most=5)
    await store.told(place.id, author=AuthorId("odd:ada"), most=5)


async def asked(store: Store, place: Channel, first: int) -> int:
    """A turn of three messages with files, behind which a refused one came."""
    file = (Attachment("r", "n", "image/png", 1),)
    taken = await ask(store, replace(message(first, place=place), attachments=file), rules=STRICT)
    await ask(store, message(first + 1, place=place), rules=STRICT)
    await ask(store, replace(message(first + 2, place=place), album="a"), rules=STRICT)
    await ask(store, replace(message(first + 3, place=place), album="a"), rules=STRICT)
    full = replace(STRICT, budgets=[Budget("all", "tokens", 0)])
    await ask(store, message(first + 4, place=place), rules=full)
    await ask(store, message(first + 5, place=place), rules=full)
    return made(taken) if taken.waiting else 0


def public() -> set[str]:
    return {name for one in Store.__mro__[:-1] for name in vars(one) if not name.startswith("_")}


async def test_no_method_walks_a_table(store: Store, clock: Clock, tmp_path: Path) -> None:
    called = {name for one in (everything, sessions, asked) for name in one.__code__.co_names}
    # A channel moves once in its life, and takes everything along: `move` may walk.
    assert public() - (called - {"move"}) == {"open", "aclose", "move"}, "this test calls them all"
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
        assert count > 90


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
