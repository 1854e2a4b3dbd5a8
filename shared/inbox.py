"""The intake: every event becomes a stored decision before anything is done about it.

A message is de-duplicated, decided on and queued in one transaction of the store; the adapter's `deliver` returns after it.
What is not meant for us is not stored: only how far each channel has been read (`shared/marks.py`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from shared import sentences
from shared.access import Access
from shared.chat import Adapter, AuthorId, ChannelId, Connected, Deleted, Event, Left, Message, MessageId, Target
from shared.commands import parse
from shared.errors import Failure, StoreUnusable
from shared.gate import Gate
from shared.marks import UNDERWAY, Marks
from shared.recall import Recall
from shared.store import Decision, Store, Taken
from shared.turns import Turns

log = structlog.get_logger(__name__)

TELL_AGAIN = timedelta(hours=1)
"""How long a person is not told again that they may not talk to us in a place."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What the operator has set for the intake."""

    access: Mapping[str, Access]
    recall_age: timedelta


class Inbox:
    """Takes the events of every adapter. One for the process."""

    def __init__(self, store: Store, turns: Turns, intake: Intake, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._turns = turns
        self._intake = intake
        self._clock = clock
        self._gates: dict[str, Gate] = {}
        self._marks: dict[str, Marks] = {}
        self._told: dict[tuple[ChannelId, AuthorId], datetime] = {}
        self._recalls: dict[str, Sequence[asyncio.Task[None]]] = {}
        self._unstored: set[MessageId] = set()

    def marks(self, adapter: Adapter) -> Marks:
        """How far this adapter's channels have been read."""
        if adapter.name not in self._marks:
            self._marks[adapter.name] = Marks(self._store, adapter, clock=self._clock)
        return self._marks[adapter.name]

    async def deliver(self, adapter: Adapter, event: Event) -> None:
        """Take one event; returns once it is stored. Never raises: a failure is logged and, where possible, told."""
        gate = self._gates.setdefault(adapter.name, Gate())
        match event:
            case Message():
                await gate.passed(event.target.channel.id)
                await self.take(adapter, event)
            case Connected():
                gate.shut()
                self._recall(adapter, gate)
            case Deleted():
                self._turns.deleted(event.message)
            case Left():
                log.info("left", platform=adapter.name, channel=event.channel, space=event.space)
                await self._leave(adapter, event)

    async def _leave(self, adapter: Adapter, left: Left) -> None:
        try:
            stopping = await self._store.leave(adapter.name, channel=left.channel, space=left.space)
        except StoreUnusable as failure:
            # The next answer there finds the channel gone, and closes the conversation.
            log.error("leaving not stored", platform=adapter.name, channel=left.channel, detail=failure.detail)
            return
        for waiting in stopping:
            self._turns.stop(waiting)

    async def take(self, adapter: Adapter, message: Message) -> Decision | None:
        """Decide on one message and store the decision; None if it is not meant for us, or could not be stored."""
        try:
            return await self._take(adapter, message)
        except StoreUnusable:
            return None

    async def _take(self, adapter: Adapter, message: Message) -> Decision | None:
        """As `take`. Raises `StoreUnusable` after it was said; the channel is read again then."""
        marks = self.marks(adapter)
        if message.author.is_bot or not message.addressed:
            marks.read(message)
            return None
        try:
            with marks.taking(message.target.channel.id):
                taken = await self._decide(adapter, message)
        except StoreUnusable as failure:
            marks.stick(message.target.channel, message.sent_at - UNDERWAY)
            await self._not_stored(adapter, message, failure)
            raise
        self._unstored.discard(message.id)
        marks.read(message)
        log.info(
            "message", platform=adapter.name, channel=message.target.channel.id, message=message.id, author=message.author.id,
            decision=taken.decision, turn=taken.waiting and taken.waiting.turn, recalled=message.recalled,
        )  # fmt: skip
        self._turns.accept(taken)
        return taken.decision

    async def _decide(self, adapter: Adapter, message: Message) -> Taken:
        # No await before the store's first line: its queue keeps the order in which the calls begin.
        store, name = self._store, adapter.name
        if not self._allowed(name, message):
            return await self._told_once(name, message, "not_allowed", sentences.NOT_ALLOWED)
        if message.unreadable:
            return await self._told_once(name, message, "unreadable", sentences.UNREADABLE)
        match parse(message.text):
            case "stop":
                return await store.stop(name, message, nothing=sentences.NOTHING_TO_STOP)
            case "new":
                return await store.new(name, message, text=sentences.NEW, nothing=sentences.NEW_NOTHING)
            case None:
                pass
        if not message.text.strip() and message.quoted is None:
            text = sentences.NO_TEXT if message.attachments else sentences.EMPTY
            return await store.tell(name, message, decision="empty", text=text)
        return await store.ask(name, message)

    def _allowed(self, platform: str, message: Message) -> bool:
        access = self._intake.access.get(platform)
        return access is not None and access.allows(message)

    def _recall(self, adapter: Adapter, gate: Gate) -> None:
        """Start reading what was missed; a recall that still runs for the session before is given up for this one."""

        async def tell(message: Message, text: str) -> None:
            target = Target(message.target.channel)
            taken = await self._store.aside(adapter.name, target, key=f"{message.id}/old", decision="too_old", text=text)
            self._turns.accept(taken)

        def wanted(message: Message) -> bool:
            mine = message.addressed and not message.author.is_bot and parse(message.text) is None
            return mine and self._allowed(adapter.name, message)

        recall = Recall(
            adapter=adapter,
            store=self._store,
            gate=gate,
            marks=self.marks(adapter),
            take=lambda message: self._take(adapter, message),
            tell=tell,
            wanted=wanted,
            age=self._intake.recall_age,
            clock=self._clock,
        )

        async def run(before: Sequence[asyncio.Task[None]]) -> None:
            if before:
                await _end(before)
                gate.shut()
            await recall.run()

        first = asyncio.create_task(run(self._recalls.get(adapter.name, ())))
        self._recalls[adapter.name] = (first, asyncio.create_task(_after(first, recall)))

    async def aclose(self) -> None:
        """Give up recalls that still run; the next start begins them again."""
        await _end([task for tasks in self._recalls.values() for task in tasks])

    async def _told_once(self, platform: str, message: Message, decision: Decision, text: str) -> Taken:
        """Told once an hour per person and place, so that nobody can make us flood it."""
        now = self._clock()
        self._told = {key: at for key, at in self._told.items() if now - at < TELL_AGAIN}
        key = (message.target.channel.id, message.author.id)
        if key in self._told:
            return await self._store.note(platform, message, decision=decision)
        self._told[key] = now
        try:
            return await self._store.tell(platform, message, decision=decision, text=text)
        except StoreUnusable:
            self._told.pop(key, None)
            raise

    async def _not_stored(self, adapter: Adapter, message: Message, failure: StoreUnusable) -> None:
        # Without the store nothing can be remembered, so this one sentence is posted directly; a repeat has the same key.
        log.error("message not stored", platform=adapter.name, message=message.id, detail=failure.detail)
        if message.id in self._unstored:
            return
        self._unstored.add(message.id)
        try:
            await adapter.post(message.target, sentences.NOT_STORED, key=not_stored_key(message.id), silent=True)
        except Failure as second:
            log.warning("could not say so", platform=adapter.name, message=message.id, detail=second.detail)


def not_stored_key(message: MessageId) -> str:
    """The key of the sentence that is said where a message could not be stored."""
    return f"lost-{message.rpartition(':')[2]}"[-25:]


async def _after(first: asyncio.Task[None], recall: Recall) -> None:
    """Once all was read that could be, read the rest again and again."""
    await asyncio.wait([first])
    if not first.cancelled():
        await recall.again()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
