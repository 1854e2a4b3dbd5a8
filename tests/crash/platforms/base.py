"""A platform as the crash tests see it: what people do on it, what of ours stands where, and what goes wrong there."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Protocol, Self, TypeVar

from sandbox.calls import CallLog
from sandbox.faults import Rule
from shared.sentences import spelt

T = TypeVar("T")
Json = dict[str, Any]
Sort = Literal["reply", "asked", "told"]
Act = Literal["ask", "press", "edit", "delete", "command"]
BOT, WHERE = "threadline", "general"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person wrote: its id, its key in the store, and the place where its answer will stand."""

    message: str
    key: str
    place: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the bot's. `number` is greater for a later one."""

    id: str
    number: int
    text: str
    buttons: Sequence[str]
    files: Sequence[tuple[str, str]]
    """Names, and what the platform calls them."""
    history: Sequence[str]
    """All that it ever showed."""
    deleted: bool
    sort: Sort
    """`asked` shows the question of a command, `told` is the answer to one."""


@dataclass(frozen=True, slots=True)
class Sky:
    """What a simulator is like that is not as it is by default.

    `wide`: ten times the limits at least. `state` keeps its world over a restart.
    """

    wide: bool = False
    round_trip: float = 0.0
    state: Path | None = None
    seed: int = 0


class Simulator(Protocol):
    """What all simulators can do alike."""

    calls: CallLog

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def stats(self) -> Json: ...

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 5.0) -> T: ...

    async def fault(self, rule: Rule) -> int: ...

    def faults_in_force(self) -> Json: ...

    async def clear_faults(self, fault: int | None = None) -> None: ...

    async def edit(self, message: str, text: str) -> Json: ...

    async def delete(self, message: str) -> Json: ...

    async def press(self, by: str, message: str, button: str) -> Json: ...


class Platform(ABC):
    """One simulator with people. A place is wherever answers stand: what it is called is the platform's."""

    name: ClassVar[str]
    calls: ClassVar[str]
    """Paths of the calls at which the server is killed while it answers."""
    acts: ClassVar[str]
    """The same of those that commands, buttons and files take."""
    writes: ClassVar[str]
    """Paths of those that change what people see."""
    posts: ClassVar[str]
    """Paths of those that show a new answer; `edits` of those that change it."""
    edits: ClassVar[str]
    refusal: ClassVar[object] = "too many"
    """What stands in an answer with the status 429."""
    direct_open: ClassVar[Mapping[str, str]]
    """The settings with which everybody may write to the bot in private."""
    stop_button: ClassVar[bool] = True
    """Whether there is a button to stop an answer while it is written."""
    stops_soon: ClassVar[bool] = True
    """Whether it comes within two or three seconds."""
    threads: ClassVar[bool] = True
    """Whether an answer in a channel begins a conversation of its own."""
    shows_question: ClassVar[bool] = True
    """Whether the question of a command is shown by a message of the bot's."""
    files_at_once: ClassVar[int] = 10
    """How many files of different kinds one message can have."""
    scenes: ClassVar[Collection[str]] = ()
    """The scenes that are played there; by default all that have sense there."""
    once: ClassVar[Collection[Act]] = ()
    """What the platform tells of only once, so that it is lost if it comes to a dead server."""
    names_channels: ClassVar[bool] = True
    """Whether nothing need have been said in a channel for what is said there while the server is dead to be read later."""
    tells_deletions: ClassVar[bool] = True
    """Whether the server learns that a message was deleted."""
    recalls: ClassVar[bool] = True
    """Whether what was missed can be read there later; otherwise the platform keeps it until it is taken."""
    finds: ClassVar[bool] = True
    """Whether it can be told there if something was posted; otherwise a kill may double one message."""
    doubles_asides: ClassVar[bool] = False
    """Whether a kill may double an answer that one person alone reads."""
    blind: ClassVar[int] = 0
    """How many calls may be refused after each kill: what the dead server had just sent is not known to the next one."""
    faults: ClassVar[Sequence[Rule]]
    """What goes wrong with calls in a soak."""
    mishaps: ClassVar[Mapping[str, int]]
    """What goes wrong with connections in a soak, and how frequently."""
    scarce: ClassVar[Collection[str]] = ()
    """Those that are survived slowly: once in each life of the server."""
    ask_command: ClassVar[bool] = True
    """Whether people of a soak ask by a command, too."""

    simulator: Simulator
    """Opened and closed by whoever made the platform."""

    @abstractmethod
    def __init__(self, sky: Sky) -> None: ...

    # the simulator

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """What the server has to be told to find it."""

    @abstractmethod
    def secrets(self) -> list[str]:
        """What must not stand in a log."""

    @property
    @abstractmethod
    def connected(self) -> bool:
        """Whether the server hears it."""

    async def lost(self) -> None:
        """Let it notice that the server is dead, where that takes it long."""
        return

    @property
    def quiet(self) -> bool:
        """Whether the server has taken all that it was told."""
        return True

    @property
    def log(self) -> CallLog:
        """Every call that it got."""
        return self.simulator.calls

    @property
    def suffered(self) -> int:
        """How many calls were refused because there were too many."""
        return int(self.simulator.stats()["suffered"])

    async def see(self, what: Callable[[], T | None], timeout: float) -> T:
        """Wait until something is true. Raises `TimeoutError` after `timeout` seconds."""
        return await self.simulator.wait_for(what, timeout)

    async def fault(self, rule: Rule) -> int:
        """Put a fault in force; its number."""
        return await self.simulator.fault(rule)

    def in_force(self, fault: int) -> bool:
        """Whether a fault may still strike."""
        return str(fault) in self.simulator.faults_in_force()

    async def clear_faults(self, fault: int | None = None) -> None:
        """Take one fault or all out of force."""
        await self.simulator.clear_faults(fault)

    @abstractmethod
    async def mishap(self, act: str, dice: random.Random) -> None:
        """Let something go wrong with the connection."""

    # people

    @abstractmethod
    async def person(self, name: str) -> None:
        """Somebody new."""

    @abstractmethod
    async def room(self, name: str) -> None:
        """A new channel with everybody in it, and the bot."""

    @abstractmethod
    async def ask(self, by: str, text: str, where: str = WHERE, *, direct: bool = False, files: Sequence[Json] = ()) -> Said:
        """Ask the bot where no conversation is needed; `direct` is in private."""

    @abstractmethod
    async def go_on(self, by: str, place: str, text: str, *, files: Sequence[Json] = ()) -> Said:
        """Write to the bot in a place where it has answered."""

    @abstractmethod
    async def say(self, by: str, text: str, where: str = WHERE) -> str:
        """Write what is not for the bot; its key."""

    @abstractmethod
    async def ask_by_command(self, by: str, where: str, text: str) -> str:
        """Ask by the command for it; the key of what was done."""

    @abstractmethod
    def asked_by_command(self, key: str) -> Said | None:
        """The question that was asked so, once it stands."""

    @abstractmethod
    async def command(self, by: str, place: str, name: str, value: str = "") -> str:
        """Give a command in a place; its key."""

    async def press(self, by: str, message: str, button: str) -> str:
        """Press a button; the key of the press."""
        return f"{self.name.partition('-')[0]}:{(await self.simulator.press(by, message, button))['id']}"

    def spell(self, command: str, place: str) -> str:
        """How a person gives a command in a place, as the server says it."""
        return f"/{command}"

    def said(self, sentence: str, place: str) -> str:
        """A sentence of the server's as people read it in a place."""
        return spelt(sentence, lambda command, _: self.spell(command, place))

    @abstractmethod
    def pressed(self, key: str) -> tuple[str, int]:
        """The place of a press and its number among the messages there, by its key."""

    async def aside(self, by: str, place: str, name: str, value: str = "") -> str:
        """Give a command whose answer is for one person alone, where there are such; its key."""
        return await self.command(by, place, name, value)

    def open(self, place: str) -> bool:
        """Whether people can write in a place by now."""
        return True

    @abstractmethod
    async def edit(self, message: str, text: str) -> None:
        """Change a message to the bot."""

    async def delete(self, message: str) -> None:
        """Take anybody's message away."""
        await self.simulator.delete(message)

    # what can be seen

    @abstractmethod
    def message(self, key: str) -> str:
        """The id of a message by its key in the store."""

    @abstractmethod
    def number(self, message: str) -> int:
        """A number that is greater for a later message."""

    @abstractmethod
    def messages(self, place: str) -> list[Shown]:
        """Every message of the bot's there ever was in a place, oldest first; none if there is no such place."""

    @abstractmethod
    def places(self) -> list[str]:
        """Wherever the bot has ever written."""

    def answers(self, place: str) -> list[Shown]:
        """Those that stand there."""
        return [each for each in self.messages(place) if not each.deleted]

    @abstractmethod
    def told(self, by: str, place: str, after: str) -> list[str]:
        """All that a person reads of the bot's in a place after a message, also what nobody else does."""

    @abstractmethod
    def file(self, name: str) -> bytes:
        """What is in a file."""

    @abstractmethod
    def signs(self, message: str) -> int:
        """How many signs stand on a message."""

    def offers(self, command: str) -> bool:
        """Whether people can give a command by now."""
        return True

    def commands_answered(self) -> list[tuple[str, str, int]]:
        """The key of every command that only a person got the answer to, its name, and how many answers it got."""
        return []

    def commands_open(self) -> bool:
        """Whether a command or press waits to be acknowledged."""
        return False
