"""The intake: every event becomes a stored decision before anything is done about it.

A message is de-duplicated, decided on and queued in one transaction of the store; the adapter's `deliver` returns after it.
What is not meant for us is not stored: only how far each channel has been read (`shared/marks.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from shared import sentences
from shared.abilities import Recalls
from shared.access import Access, Named
from shared.actions import Actions, question
from shared.backends import Models
from shared.chat import (
    Adapter,
    Cause,
    Channel,
    ChannelId,
    Command,
    Connected,
    Deleted,
    Edited,
    Event,
    Left,
    Message,
    Moved,
    Pressed,
    Target,
)
from shared.choosing import Choosing
from shared.commands import BY_NAME, Choice, Complete, Name, Parsed, Typing, parse
from shared.errors import StoreUnusable, Unavailable
from shared.gate import Gate
from shared.limits import Pace, refused
from shared.marks import UNDERWAY, Marks
from shared.recall import Recall
from shared.reports import Reports
from shared.scopes import Choices, IdleTimes
from shared.store import Decision, Rules, Store, Taken
from shared.telling import Telling
from shared.turns import Turns

log = structlog.get_logger(__name__)

EDIT_AGE = timedelta(hours=1)
"""How old a message may be that becomes a question by being edited."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What the operator has set for the intake and for commands.

    `defaults` are what holds for the choices "model", "effort" and "system" where nobody has chosen, `models` is the backend if
    it knows its models, `told` the operator's settings that people may know (`Settings.told`).
    """

    access: Mapping[str, Access]
    recall_age: timedelta
    rules: Rules = field(default_factory=Rules)
    defaults: Mapping[str, str] = field(default_factory=dict[str, str])
    models: Models | None = None
    idle: IdleTimes = field(default_factory=IdleTimes)
    told: Sequence[tuple[str, str, bool]] = ()


class Inbox:
    """Takes the events of every adapter. One for the process."""

    def __init__(self, store: Store, turns: Turns, intake: Intake, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._turns = turns
        self._named = Named(intake.access, intake.idle.channels)
        self.idle = replace(intake.idle, channels=self._named.idle)
        """After how long conversations are closed; it knows channels that have become others by their new ids, too."""
        self._intake = intake = replace(intake, access=self._named.access, idle=self.idle)
        self._clock = clock
        self._actions = _actions(store, intake, clock)
        self._pace = Pace(intake.rules.per_minute, clock=clock)
        self._telling = Telling(store, self._pace, clock=clock)
        self._gates: dict[str, Gate] = {}
        self._marks: dict[str, Marks] = {}
        self._recalls: dict[str, Sequence[asyncio.Task[None]]] = {}

    async def load(self) -> None:
        """Look up which channels have become others in earlier runs: the settings may name them as they were called before."""
        for platform in tuple(self._named.access):
            self._named.follow(platform, await self._store.moved(platform))

    def marks(self, adapter: Adapter) -> Marks:
        """How far this adapter's channels have been read."""
        if adapter.name not in self._marks:
            self._marks[adapter.name] = Marks(self._store, adapter, clock=self._clock)
        return self._marks[adapter.name]

    def completing(self, adapter: Adapter) -> Complete:
        """What this adapter's menus ask for values."""

        async def complete(typing: Typing) -> Sequence[Choice]:
            return await self._actions.complete(adapter.name, typing)

        return complete

    def caught_up(self, adapter: Adapter, channel: ChannelId | None) -> bool:
        """Whether all that was said in this channel has been taken: we hear it, and nothing is left to be recalled.

        With None: whether that can be so for any channel of the platform.
        """
        recalls = self._recalls.get(adapter.name)
        if recalls is None or not recalls[0].done() or not adapter.health().connected:
            return False
        return all(stuck.id != channel for stuck in self.marks(adapter).stuck)

    async def deliver(self, adapter: Adapter, event: Event) -> None:
        """Take one event; returns once it is stored. A failure is logged and, where possible, told.

        Raises `Unavailable` if it could not be stored and is not read again by itself: the adapter has to bring it once more.
        """
        gate = self._gates.setdefault(adapter.name, Gate())
        match event:
            case Message():
                await _passed(gate, event.target.channel)
                try:
                    await self._take(adapter, event)
                except StoreUnusable as failure:
                    _bring_again(adapter, failure)
            case Command() | Pressed():
                # Stop names the answer that it ends: nothing that was missed has to come before it.
                if not _stops(event):
                    await _passed(gate, event.target.channel)
                await self._asked(adapter, event)
            case Edited():
                await _passed(gate, event.message.target.channel)
                await self._edited(adapter, event)
            case Deleted():
                # An answer whose message is taken away ends at once; what it was about can wait for its turn.
                self._turns.deleted(event.message)
                await gate.passed(event.channel)
                await self._deleted(adapter, event)
            case Connected():
                gate.shut()
                self._recall(adapter, gate)
            case Left():
                log.info("left", platform=adapter.name, channel=event.channel, space=event.space)
                await self._leave(adapter, event)
            case Moved():
                log.info("moved", platform=adapter.name, channel=event.old, to=event.channel.id)
                await self._move(adapter, event)

    async def _take(self, adapter: Adapter, message: Message) -> Decision | None:
        """Decide on one message and store the decision; None if it is not meant for us.

        Raises `StoreUnusable` after it was said; where the past can be read, the channel is read again then.
        """
        marks = self.marks(adapter)
        if not message.addressed and message.album is not None:
            message = await self._whole(adapter.name, message, message.album)
        if message.author.is_bot or not message.addressed:
            marks.read(message)
            return None
        try:
            with marks.taking(message.target.channel.id):
                taken = await (self._too_old(adapter, message) or self._decide(adapter.name, message))
        except StoreUnusable as failure:
            if isinstance(adapter, Recalls):
                marks.stick(message.target.channel, message.sent_at - UNDERWAY)
            await self._telling.not_stored(adapter, message.target, message.id, failure)
            raise
        self._telling.stored(message.id)
        marks.read(message)
        self._accept("message", adapter, message, taken, message=message.id, recalled=message.recalled)
        return taken.decision

    async def _whole(self, platform: str, message: Message, album: str) -> Message:
        """A message of an album of which another was taken is addressed, too: the mention is in the caption, which one has."""
        return replace(message, addressed=await self._store.known_album(platform, album))

    def _too_old(self, adapter: Adapter, message: Message) -> Awaitable[Taken] | None:
        """Tell who wrote so long ago that it is not answered; None for others. What is read in a past, the recall tells of."""
        age = self._intake.recall_age
        if isinstance(adapter, Recalls) or not message.recalled or self._clock() - message.sent_at <= age:
            return None
        if not self._allowed(adapter.name, message):
            return None
        return self._telling.once(adapter.name, message, "too_old", sentences.too_old((), 1, age))

    async def _decide(self, platform: str, message: Message) -> Taken:
        # No await before the store's first line: its queue keeps the order in which the calls begin.
        if not self._allowed(platform, message):
            return await self._telling.once(platform, message, "not_allowed", sentences.NOT_ALLOWED)
        if message.unreadable:
            return await self._telling.once(platform, message, "unreadable", sentences.UNREADABLE)
        command = parse(message.text)
        rules = self._intake.rules
        if message.recalled:
            # What was written in hours is recalled in a moment: it was not written too fast.
            rules = replace(rules, per_minute=0)
        if message.commanded:
            # It is never joined to another question: whoever gave the command waits for an answer to this one.
            rules = replace(rules, burst=timedelta(0))
        if command is None:
            return await self._question(platform, message, rules)
        if command.name == "ask":
            return await self._question(platform, _asking(message, command), rules, empty=sentences.NO_QUESTION)
        # A command is about the place that it is written in, not about the thread that an answer would open.
        return await self._command(platform, replace(message, thread=None), command.name, command.options)

    async def _question(self, platform: str, message: Message, rules: Rules, *, empty: str = sentences.EMPTY) -> Taken:
        if not message.text.strip() and message.quoted is None and not message.attachments:
            if not message.recalled and not self._pace.allows(message.author.id):
                return await self._telling.too_fast(platform, message)
            return await self._store.tell(platform, message, decision="empty", text=empty)
        return await self._store.ask(platform, message, rules=rules, say=refused)

    async def _command(self, platform: str, cause: Message | Command, name: Name, options: Mapping[str, str]) -> Taken:
        if name != "stop" and not self._pace.allows(cause.author.id):
            return await self._telling.too_fast(platform, cause)
        return await self._actions.command(platform, cause, name, options)

    async def _asked(self, adapter: Adapter, event: Command | Pressed) -> None:
        """A command of the platform's own, which always gets an answer, or a button."""
        what = event.name if isinstance(event, Command) else event.button
        try:
            if isinstance(event, Command):
                taken = await self._commanded(adapter.name, event)
            else:
                taken = await self._pressed(adapter.name, event)
        except StoreUnusable as failure:
            await self._telling.not_stored(adapter, event.target, event.keys[0], failure)
            return _bring_again(adapter, failure)
        self._telling.stored(event.keys[0])
        self._accept("command" if isinstance(event, Command) else "button", adapter, event, taken, what=what)
        if isinstance(event, Command):
            await self._answered(adapter, event, taken)

    async def _answered(self, adapter: Adapter, command: Command, taken: Taken) -> None:
        """Say what is still to be said to one who gave a command; what it led to goes on in any case."""
        try:
            more = await self._actions.answered(adapter.name, command, taken)
        except StoreUnusable as failure:
            await self._telling.not_stored(adapter, command.target, command.keys[0], failure)
            return
        if more is not None:
            self._turns.accept(more)

    async def _commanded(self, platform: str, command: Command) -> Taken:
        if not self._allowed(platform, command):
            return await self._store.tell(platform, command, decision="not_allowed", text=sentences.NOT_ALLOWED)
        spec = BY_NAME.get(command.name)
        if spec is None:
            return await self._store.tell(platform, command, decision="command", text=sentences.NO_COMMAND)
        if spec.name == "ask":
            # It is never joined to another question: whoever gave it waits for an answer to this one.
            return await self._question(platform, question(command), replace(self._intake.rules, burst=timedelta(0)))
        return await self._command(platform, command, spec.name, command.options)

    async def _pressed(self, platform: str, pressed: Pressed) -> Taken:
        if not self._allowed(platform, pressed):
            return await self._telling.once(platform, pressed, "not_allowed", sentences.NOT_ALLOWED)
        if not _stops(pressed) and not self._pace.allows(pressed.author.id):
            return await self._telling.too_fast(platform, pressed)
        return await self._actions.button(platform, pressed)

    async def _edited(self, adapter: Adapter, edited: Edited) -> None:
        message = edited.message
        if message.author.is_bot or message.unreadable or not self._allowed(adapter.name, message):
            return
        try:
            taken = await self._changed(adapter.name, edited)
        except StoreUnusable as failure:
            if message.addressed:
                await self._telling.not_stored(adapter, message.target, edited.keys[0], failure)
            else:
                log.error("edit not stored", platform=adapter.name, message=message.id, detail=failure.detail)
            return _bring_again(adapter, failure)
        self._telling.stored(edited.keys[0])
        if taken is not None:
            self._accept("edit", adapter, message, taken, message=message.id)

    async def _changed(self, platform: str, edited: Edited) -> Taken | None:
        """Take over an edit; a message that no turn has may have become a question. None if it is not meant for us."""
        store, message = self._store, edited.message
        command = parse(message.text)
        if not _asks(command):
            return None
        if not message.addressed and not await store.known(platform, message.keys):
            return None
        if not self._pace.allows(message.author.id):
            return await self._refuse_edit(platform, edited, "too_fast", sentences.TOO_FAST)
        if self._intake.rules.budgets and (over := await self._actions.over(message)) is not None:
            return await self._refuse_edit(platform, edited, "over_limit", over)
        says = message if command is None else _asking(message, command)
        taken = await store.edit(platform, replace(edited, message=says))
        if taken.decision != "unknown":
            return taken
        if not message.addressed or self._clock() - message.sent_at > EDIT_AGE:
            return None
        # Where the message is known (it was empty, say) its own keys would make this a duplicate.
        known = await store.known(platform, message.keys)
        # What was decided about the album that it was sent with is no decision about what it says now.
        asked = replace(message, keys=edited.keys if known else (*message.keys, *edited.keys), album=None)
        return await self._decide(platform, asked)

    async def _refuse_edit(self, platform: str, edited: Edited, decision: Decision, text: str) -> Taken | None:
        message = edited.message
        if not self._telling.tells(message, decision):
            return None
        return await self._store.aside(platform, message.target, key=edited.keys[0], decision=decision, text=text)

    async def _deleted(self, adapter: Adapter, deleted: Deleted) -> None:
        try:
            taken = await self._store.deleted(adapter.name, deleted.channel, deleted.message)
        except StoreUnusable as failure:
            log.error("deletion not stored", platform=adapter.name, message=deleted.message, detail=failure.detail)
            return _bring_again(adapter, failure)
        if taken.decision == "deleted":
            log.info("deleted", platform=adapter.name, channel=deleted.channel, message=deleted.message)
        self._turns.accept(taken)

    async def _leave(self, adapter: Adapter, left: Left) -> None:
        try:
            stopping = await self._store.leave(adapter.name, channel=left.channel, space=left.space, at=left.at)
        except StoreUnusable as failure:
            # Where it is not brought again, the next answer there finds the channel gone, and closes the conversation.
            log.error("leaving not stored", platform=adapter.name, channel=left.channel, detail=failure.detail)
            return _bring_again(adapter, failure)
        for waiting in stopping:
            self._turns.stop(waiting)

    async def _move(self, adapter: Adapter, moved: Moved) -> None:
        try:
            stopping = await self._store.move(adapter.name, old=moved.old, new=moved.channel)
        except StoreUnusable as failure:
            log.error("moving not stored", platform=adapter.name, channel=moved.old, detail=failure.detail)
            return _bring_again(adapter, failure)
        self._named.follow(adapter.name, {moved.old: moved.channel.id})
        for waiting in stopping:
            self._turns.stop(waiting)

    def _accept(self, event: str, adapter: Adapter, cause: Cause, taken: Taken, **more: object) -> None:
        log.info(
            event, platform=adapter.name, channel=cause.target.channel.id, author=cause.author.id,
            decision=taken.decision, turn=taken.waiting and taken.waiting.turn, **more,
        )  # fmt: skip
        self._turns.accept(taken)

    def _allowed(self, platform: str, cause: Cause) -> bool:
        access = self._intake.access.get(platform)
        return access is not None and access.allows(cause.author, cause.target.channel)

    def _recall(self, adapter: Adapter, gate: Gate) -> None:
        """Start reading what was missed; a recall that still runs for the session before is given up for this one."""

        async def tell(message: Message, text: str) -> None:
            target = Target(message.target.channel)
            taken = await self._store.aside(adapter.name, target, key=f"{message.id}/old", decision="too_old", text=text)
            self._turns.accept(taken)

        def wanted(message: Message) -> bool:
            mine = message.addressed and not message.author.is_bot and _asks(parse(message.text))
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

        self.marks(adapter).hold()
        first = asyncio.create_task(run(self._recalls.get(adapter.name, ())))
        self._recalls[adapter.name] = (first, asyncio.create_task(_after(first, recall)))

    async def aclose(self) -> None:
        """Give up recalls that still run; the next start begins them again."""
        await _end([task for tasks in self._recalls.values() for task in tasks])


def _bring_again(adapter: Adapter, failure: StoreUnusable) -> None:
    """Where what was said can be read again that will be done; elsewhere only what is not acknowledged comes again."""
    if not isinstance(adapter, Recalls):
        raise Unavailable(f"not stored: {failure.detail}") from failure


def _stops(event: Command | Pressed) -> bool:
    """Whether this is the button that stops an answer."""
    return isinstance(event, Pressed) and event.button.startswith("stop/")


def _asks(command: Parsed | None) -> bool:
    """Whether a text that is this command, or none, is a question."""
    return command is None or command.name == "ask"


def _asking(message: Message, command: Parsed) -> Message:
    """The message as the question that it asks with a command."""
    return replace(message, text=command.options.get("question", ""))


def _actions(store: Store, intake: Intake, clock: Callable[[], datetime]) -> Actions:
    choosing = Choosing(store, intake.access, Choices(store, intake.defaults), intake.models)
    reports = Reports(store, choosing, intake.access, intake.rules.budgets, intake.idle, intake.told, clock=clock)
    return Actions(store, choosing, reports, intake.access, intake.rules)


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


async def _passed(gate: Gate, channel: Channel) -> None:
    """Wait until it is an event's turn: in a thread also until what was missed around it, which may have begun it, was read."""
    if channel.kind == "thread" and channel.parent is not None:
        await gate.passed(channel.parent)
    await gate.passed(channel.id)
