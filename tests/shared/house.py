"""The core around a real store and a real governor, on the odd platform, with a backend that follows a script."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from shared.access import Access
from shared.asking import Patience
from shared.backends import Backend
from shared.chat import Connected, Event, Message
from shared.errors import Unavailable
from shared.files.blobs import Blobs
from shared.governor import Governor
from shared.inbox import Inbox, Intake
from shared.means import BUSY_AFTER, FileLimits, Thoughts, TurnSettings
from shared.scopes import Choices
from shared.store import Budget, Rules, Store, Taken
from shared.turns import Turns
from tests.odd.platform import CALL, OddAdapter, message
from tests.odd.service import Note, Service
from tests.shared.scripted import Act, Scripted

NOON = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Changes(TypedDict, total=False):
    access: Access
    patience: Patience
    attempts: int
    at_once: int
    hold_sentence: bool
    recall_age: timedelta
    thinking: Thoughts
    fold: int
    files: FileLimits
    budgets: Sequence[Budget]
    rules: Rules
    model: str
    history_turns: int
    busy_after: float


@dataclass
class House:
    """Everything from the platform to the database. It can be stopped, or crash, and be started again."""

    path: Path
    service: Service
    adapter: OddAdapter
    backend: Backend
    clock: Clock = field(default_factory=Clock)
    access: Access = field(default_factory=Access)
    patience: Patience = field(default_factory=lambda: Patience(turn=9000, silence=9000))
    attempts: int = 2
    at_once: int = 64
    hold_sentence: bool = False
    recall_age: timedelta = timedelta(hours=6)
    thinking: Thoughts = "off"
    fold: int = 0
    files: FileLimits = field(default_factory=FileLimits)
    budgets: Sequence[Budget] = ()
    rules: Rules = field(default_factory=Rules)
    model: str = ""
    history_turns: int = 50
    busy_after: float = BUSY_AFTER
    delivered: list[Event] = field(default_factory=list[Event])

    @property
    def script(self) -> Scripted:
        assert isinstance(self.backend, Scripted)
        return self.backend

    async def start(self) -> None:
        self.store = await Store.open(self.path, clock=self.clock)
        self.governor = Governor(clock=asyncio.get_running_loop().time)
        settings = TurnSettings(
            patience=self.patience, attempts=self.attempts, at_once=self.at_once, history_turns=self.history_turns,
            history_characters=1_000_000, system="Be brief.", hold_sentence=self.hold_sentence, thinking=self.thinking,
            fold=self.fold, files=self.files, budgets=self.budgets, busy_after=self.busy_after,
        )  # fmt: skip
        defaults = {"model": self.model, "effort": "", "system": ""}
        self.blobs = Blobs(self.path.parent / "blobs")
        self.turns = Turns(
            self.store, self.backend, self.governor, {self.adapter.name: self.adapter}, settings,
            choices=Choices(self.store, defaults), blobs=self.blobs,
        )  # fmt: skip
        intake = Intake({self.adapter.name: self.access}, self.recall_age, rules=self.rules, defaults=defaults)
        self.inbox = Inbox(self.store, self.turns, intake, clock=self.clock)
        await self.turns.load()
        await self.inbox.load()
        self.running = asyncio.create_task(self.adapter.run(self._deliver))
        await asyncio.sleep(0)
        await self.service.heard()

    async def _deliver(self, event: Event) -> None:
        self.delivered.append(event)
        if isinstance(event, Connected):
            self.turns.resume(self.adapter.name)
        await self.inbox.deliver(self.adapter, event)

    async def drain(self, seconds: float = 0.0) -> None:
        """End as the server does on a signal."""
        await self.turns.drain(seconds)
        await self._end()

    async def crash(self) -> None:
        """End in the middle of everything: nothing is given back, nothing is noted."""
        # What the store has begun to read it reads to the end: a connection that is cancelled would be left to the collector.
        while tasks := [task for task in asyncio.all_tasks() - {asyncio.current_task()} if not _of_the_store(task)]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        await self._end()

    async def _end(self) -> None:
        self.running.cancel()
        await asyncio.wait([self.running])
        await self.inbox.aclose()
        await self.store.aclose()

    # What people do

    async def say(self, text: str, *, who: str = "ada", board: str = "hall", to_bot: bool = True) -> Note:
        """Somebody writes; returns when the intake is done with it."""
        note = await self.service.write(board, who, f"{CALL}{text}" if to_bot else text)
        await self.service.heard()
        return note

    async def hear(self, event: Event) -> None:
        """The platform delivers just this."""
        await self._deliver(event)

    async def hear_in_vain(self, event: Event) -> None:
        """The platform delivers this, is told that it was not taken, and does not bring it again."""
        with pytest.raises(Unavailable):
            await self._deliver(event)

    def accept(self, taken: Taken) -> None:
        """Go on with what the store has made of something that people did."""
        self.turns.accept(taken)

    async def quiet(self) -> None:
        """Wait until no turn is being done."""
        while tasks := turn_tasks():
            await asyncio.wait(tasks)

    async def recalled(self) -> None:
        """Wait until what was missed has been read and dealt with."""
        while tasks := [task for task in asyncio.all_tasks() if "Inbox._recall" in repr(task)]:
            await asyncio.wait(tasks)
        await self.quiet()

    async def tell(self, text: str, *, who: str = "ada") -> list[str]:
        """Say something, wait for the end, and return what the bot shows in the hall."""
        await self.say(text, who=who)
        await self.quiet()
        return self.shown()

    # What there is

    def shown(self, board: str = "hall") -> list[str]:
        return self.service.shown(board)

    def states(self) -> list[str]:
        """The state of every turn, as the file has it."""
        return [state for (state,) in self.rows("SELECT state FROM turns ORDER BY id")]

    def decisions(self) -> list[str]:
        return [decision for (decision,) in self.rows("SELECT decision FROM keys ORDER BY at, key")]

    def rows(self, sql: str) -> list[tuple[str, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as file:
            return list(file.execute(sql))


def _of_the_store(task: asyncio.Task[object]) -> bool:
    # SQLAlchemy gives a connection back in a task of its own (sqlalchemy/ext/asyncio/engine.py, AsyncConnection.__aexit__).
    return task.get_name().startswith("store ") or getattr(task.get_coro(), "__qualname__", "") == "AsyncConnection.close"


def turn_tasks() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("turn ")]


@asynccontextmanager
async def house(
    folder: Path,
    *scripts: Sequence[Act],
    adapter: Callable[[Service], OddAdapter] = OddAdapter,
    backend: Backend | None = None,
    calls: int = 1000,
    longest: int = 4000,
    started: bool = True,
    **settings: Unpack[Changes],
) -> AsyncGenerator[House]:
    """A house that is started and in the end crashes, if it still stands."""
    service = Service(calls=calls, longest=longest, clock=asyncio.get_running_loop().time)
    built = House(folder / "threadline.db", service, adapter(service), backend or Scripted(*scripts), **settings)
    service.today = built.clock
    if started:
        await built.start()
    try:
        yield built
    finally:
        if hasattr(built, "running") and not built.running.done():
            await built.crash()


def heard(note: Note, board: str = "hall") -> Message:
    """A note as the adapter delivers it."""
    return message(board, note)
