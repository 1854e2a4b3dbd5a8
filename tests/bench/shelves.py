"""How long the store's questions take in a small file and in a large one."""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import UUID

from shared.backends import Usage
from shared.chat import Author, AuthorId, Channel, ChannelId, Message, MessageId, Target
from shared.store import Decision, Final, Rules, Share, Store

CALLS = 150
"""How often each call is timed at each size."""
TURNS = 10
"""How many turns the conversation has that is read while the number of conversations grows."""
SAME = 10
"""How many turns the history is asked for while their number grows, so that each answer is of one length."""
TEXT = "word " * 40
RULES = Rules()
USAGE = Usage("odd", output_tokens=200)


@dataclass(frozen=True, slots=True)
class Timed:
    """Medians in milliseconds at one size."""

    size: int
    intake: float
    begin: float
    history: float


async def by_conversations(folder: Path, sizes: Sequence[int]) -> list[Timed]:
    """With so many conversations of one turn each, beside the one that is read."""
    files: dict[int, tuple[Path, UUID]] = {}
    for size in sizes:
        path = folder / f"conversations-{size}.db"
        probe = await _made(path)
        _grow_turns(path, probe, TURNS)
        _grow_conversations(path, size)
        files[size] = path, probe
    return await _timed(files)


async def by_turns(folder: Path, sizes: Sequence[int]) -> list[Timed]:
    """With so many turns in the conversation that is read."""
    files: dict[int, tuple[Path, UUID]] = {}
    for size in sizes:
        path = folder / f"turns-{size}.db"
        files[size] = path, await _made(path)
        _grow_turns(*files[size], size)
    return await _timed(files)


def _message(number: int, channel: str) -> Message:
    place = Channel(ChannelId(f"odd:{channel}"), "group", None, "odd:space", None)
    return Message(
        keys=(f"odd:{number}",),
        id=MessageId(f"odd:{number}"),
        target=Target(channel=place),
        author=Author(AuthorId("odd:7"), "Ada"),
        sent_at=datetime.now(UTC),
        text=TEXT,
        addressed=True,
    )


def _nothing(decision: Decision, share: Share | None) -> str:
    return "nothing is refused here"


async def _made(path: Path) -> UUID:
    """A new file with one conversation of one answered turn."""
    store = await Store.open(path)
    try:
        taken = await store.ask("odd", _message(1, "probe"), rules=RULES, say=_nothing)
        if taken.waiting is None or taken.conversation is None:
            raise RuntimeError("a first message was not taken")
        await _answer(store, taken.waiting.turn, ChannelId("odd:probe"))
        return taken.conversation
    finally:
        await store.aclose()


async def _answer(store: Store, turn: int, channel: ChannelId) -> None:
    await store.begin(turn)
    await store.sending(turn, 0, channel)
    await store.shown(turn, 0, MessageId(f"odd:a{turn}"))
    await store.settle(turn, Final(text=TEXT * 5, outcome="done", backend="odd", usage=USAGE))
    await store.delivered(turn)


def _grow_turns(path: Path, conversation: UUID, size: int) -> None:
    """Copy the first turn until its conversation has `size` of them."""
    with closing(sqlite3.connect(path)) as file, file:
        _copy_turns(file, size - 1, {})
        [count] = file.execute("SELECT count(*) FROM turns WHERE conversation = ?", (str(conversation),)).fetchone()
    if count != size:
        raise RuntimeError(f"{count} turns instead of {size}")


def _grow_conversations(path: Path, size: int) -> None:
    """Copy the first conversation with its first turn until there are `size` of them."""
    with closing(sqlite3.connect(path)) as file, file:
        [first] = file.execute("SELECT max(id) FROM turns").fetchone()
        name = f"printf('%08x-0000-4000-8000-%012x', n + {first}, n + {first})"
        channel = f"'odd:c' || (n + {first})"
        _copy(file, "conversations", size - 1, "1 = 1 LIMIT 1", {"id": name, "channel": channel})
        _copy_turns(file, size - 1, {"conversation": name, "channel": channel})
        [count] = file.execute("SELECT count(*) FROM conversations").fetchone()
    if count != size:
        raise RuntimeError(f"{count} conversations instead of {size}")


def _copy_turns(file: sqlite3.Connection, times: int, changed: Mapping[str, str]) -> None:
    [first] = file.execute("SELECT max(id) FROM turns").fetchone()
    turn = f"n + {first}"
    _copy(file, "turns", times, "id = 1", {"id": turn, **changed})
    _copy(file, "messages", times, "turn = 1", {"turn": turn, "message": f"'odd:m' || ({turn})"})
    _copy(file, "finals", times, "turn = 1", {"turn": turn})
    _copy(file, "usage", times, "turn = 1", {"turn": turn})
    _copy(file, "keys", times, "turn = 1", {"turn": turn, "key": f"'odd:m' || ({turn})"})
    _copy(file, "parts", times, "turn = 1", {"turn": turn, "message": f"'odd:a' || ({turn})"})


def _copy(file: sqlite3.Connection, table: str, times: int, which: str, changed: Mapping[str, str]) -> None:
    """Copy the row `which` so many times, with `changed` columns as SQL in `n`, which counts from 1."""
    columns = [name for _, name, *_ in file.execute(f"PRAGMA table_info({table})")]
    values = [changed.get(name, f"row.{name}") for name in columns]
    file.execute(
        "WITH RECURSIVE counted(n) AS (SELECT 1 WHERE ? > 0 UNION ALL SELECT n + 1 FROM counted WHERE n < ?), "  # noqa: S608 - our names
        f"row AS (SELECT * FROM {table} WHERE {which}) "
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM counted, row",
        (times, times),
    )


async def _timed(files: Mapping[int, tuple[Path, UUID]]) -> list[Timed]:
    """Time the calls of all sizes in turn, so that what else the machine does falls on all of them alike."""
    taken = {size: _Times() for size in files}
    async with AsyncExitStack() as stack:
        stores: dict[int, Store] = {}
        for size, (path, _) in files.items():
            stores[size] = await Store.open(path)
            stack.push_async_callback(stores[size].aclose)
        for number in range(CALLS):
            for size, (_, probe) in files.items():
                await taken[size].take(stores[size], number, probe)
    return [Timed(size, *(1000 * median(each) for each in (t.intake, t.begin, t.history))) for size, t in taken.items()]


class _Times:
    """What the calls took at one size, in seconds."""

    def __init__(self) -> None:
        self.intake: list[float] = []
        self.begin: list[float] = []
        self.history: list[float] = []

    async def take(self, store: Store, number: int, probe: UUID) -> None:
        """Time each call once."""
        begun = time.perf_counter()
        taken = await store.ask("odd", _message(10**9 + number, f"new{number}"), rules=RULES, say=_nothing)
        self.intake.append(time.perf_counter() - begun)
        if taken.waiting is None:
            raise RuntimeError("a message was not taken")
        turn = taken.waiting.turn
        begun = time.perf_counter()
        await store.begin(turn)
        self.begin.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        told = await store.history(probe, before=turn, turns=SAME, characters=400_000)
        self.history.append(time.perf_counter() - begun)
        if len(told.exchanges) != SAME:
            raise RuntimeError(f"a history of {len(told.exchanges)} turns")
