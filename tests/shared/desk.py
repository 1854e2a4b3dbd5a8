"""Commands and buttons on a real store, without a platform: what they lead to, and what people would read."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

from shared.access import Access
from shared.actions import Actions
from shared.backends import Model, Usage
from shared.chat import Author, AuthorId, Channel, ChannelId, Command, Message, MessageId, Pressed, Target
from shared.choosing import Choosing
from shared.commands import BY_NAME, Name, parse
from shared.errors import UnknownModel
from shared.limits import refused
from shared.reports import Reports, Told
from shared.scopes import Choices, IdleTimes
from shared.states import Outcome
from shared.store import Final, Rules, Store, Taken
from tests.shared.spelling import slashed

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HALL = Channel(ChannelId("odd:hall"), "group", space="odd:house")
NICHE = Channel(ChannelId("odd:niche"), "thread", parent=HALL.id, space="odd:house")
ATTIC = Channel(ChannelId("odd:attic"), "group", space="odd:house")
DIRECT = Channel(ChannelId("odd:dm"), "direct")
ADMINS = Access(admins=frozenset({"root"}), direct_open=True)
DEFAULTS = {"model": "middle-2", "effort": "", "system": ""}

LARGE = Model("large-3", "Large 3", 1_000_000, 64_000, ("low", "high"))
MIDDLE = Model("middle-2", "Middle 2", 200_000, 32_000, ("low", "medium", "high"))
SMALL = Model("small-1", "Small 1", 100_000, 8_000, retires=date(2027, 1, 1))


class Shelf:
    """Models, one of them known by an alias."""

    def __init__(self, *there: Model) -> None:
        self.there = there or (LARGE, MIDDLE, SMALL)

    async def models(self) -> Sequence[Model]:
        return self.there

    async def model(self, name: str) -> Model:
        for model in self.there:
            if name.lower() in (model.id, model.name.split()[0].lower()):
                return model
        raise UnknownModel(name)


@dataclass
class Desk:
    """One platform called "odd"."""

    store: Store
    actions: Actions
    rules: Rules
    now: datetime = NOON
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def message(self, text: str, *, who: str = "ada", place: Channel = HALL) -> Message:
        number = next(self.numbers)
        target = Target(place, reply_to=MessageId(f"odd:{number}"))
        author = Author(AuthorId(f"odd:{who}"), who)
        return Message(
            keys=(f"odd:{number}",), id=MessageId(f"odd:{number}"), target=target, author=author, sent_at=self.now, text=text,
            addressed=True,
        )  # fmt: skip

    def pressed(self, button: str, message: str, *, who: str = "ada", place: Channel = HALL) -> Pressed:
        author = Author(AuthorId(f"odd:{who}"), who)
        target = Target(place, user=author.id, private=True)
        return Pressed(
            keys=(f"press {next(self.numbers)}",), target=target, author=author, sent_at=self.now, button=button,
            message=MessageId(message),
        )  # fmt: skip

    async def say(self, text: str, *, who: str = "ada", place: Channel = HALL) -> str:
        """A command that was written as a text: what people read, or nothing."""
        message = self.message(text, who=who, place=place)
        parsed = parse(text)
        assert parsed is not None, text
        return await self.read(await self.actions.command("odd", message, parsed.name, parsed.options))

    def command(self, name: Name, *, who: str = "ada", place: Channel = HALL, **options: str) -> Command:
        author = Author(AuthorId(f"odd:{who}"), who)
        target = Target(place, user=author.id, private=BY_NAME[name].private, handle="secret")
        return Command(
            keys=(f"call {next(self.numbers)}",), target=target, author=author, sent_at=self.now, name=name,
            options={key.rstrip("_"): value for key, value in options.items()},
        )  # fmt: skip

    async def give(self, name: Name, *, who: str = "ada", place: Channel = HALL, **options: str) -> Taken:
        """A command of the platform's own."""
        command = self.command(name, who=who, place=place, **options)
        return await self.actions.command("odd", command, name, command.options)

    async def press(self, button: str, message: str, *, who: str = "ada", place: Channel = HALL) -> Taken:
        return await self.actions.button("odd", self.pressed(button, message, who=who, place=place))

    async def read(self, taken: Taken) -> str:
        """The text of the notice that an event has led to."""
        if taken.waiting is None or taken.waiting.kind != "notice":
            return ""
        final = (await self.store.load(taken.waiting.turn)).final
        assert final is not None
        return slashed(final.text)

    async def ask(self, text: str, *, who: str = "ada", place: Channel = HALL) -> Taken:
        """A question, as the inbox takes it."""
        return await self.store.ask("odd", self.message(text, who=who, place=place), rules=self.rules, say=refused)

    async def answer(
        self, taken: Taken, text: str = "yes", *, outcome: Outcome = "done", usage: Usage | None = None, **more: str
    ) -> str:
        """The question is answered in one part; the id of its message."""
        assert taken.waiting is not None
        turn = taken.waiting.turn
        await self.store.begin(turn)
        part = MessageId(f"odd:{next(self.numbers)}")
        await self.store.sending(turn, 0, taken.waiting.channel)
        await self.store.shown(turn, 0, part)
        final = Final(
            text=text, outcome=outcome, usage=usage or Usage("middle-2", 30, 12, cost=1500), failure=more.get("failure"),
            stop=more.get("stop"),
        )  # fmt: skip
        await self.store.settle(turn, final)
        await self.store.delivered(turn)
        return part

    async def finish(self, turn: int, *, outcome: Outcome = "done") -> None:
        """A turn that runs, or is being stopped, ends without anything to show."""
        await self.store.settle(turn, Final(text="", outcome=outcome))
        while await self.store.delivered(turn):
            # Its question changed meanwhile: it is asked again.
            await self.store.begin(turn)
            await self.store.settle(turn, Final(text="", outcome=outcome))

    async def talked(self, text: str, *, who: str = "ada", place: Channel = HALL) -> int:
        """A question with its answer; the turn."""
        taken = await self.ask(text, who=who, place=place)
        await self.answer(taken)
        assert taken.waiting is not None
        return taken.waiting.turn

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@asynccontextmanager
async def desk(
    folder: Path,
    *,
    access: Access = ADMINS,
    rules: Rules | None = None,
    models: Shelf | None = None,
    known: bool = True,
    idle: IdleTimes | None = None,
    told: Told = (),
    defaults: dict[str, str] | None = None,
) -> AsyncGenerator[Desk]:
    """A desk whose clock stands still; `known` is whether the backend knows its models."""

    def clock() -> datetime:
        return here.now

    rules = rules or Rules()
    store = await Store.open(folder / "threadline.db", clock=clock)
    try:
        choices = Choices(store, DEFAULTS if defaults is None else defaults)
        choosing = Choosing(store, {"odd": access}, choices, (models or Shelf()) if known else None)
        reports = Reports(store, choosing, {"odd": access}, rules.budgets, idle or IdleTimes(), told, clock=clock)
        here = Desk(store, Actions(store, choosing, reports, {"odd": access}, rules), rules)
        yield here
    finally:
        await store.aclose()
