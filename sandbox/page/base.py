"""What the seats have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, Protocol, TypeVar

from sandbox.calls import Call, CallLog, Changes
from sandbox.faults import Faults, Rule
from sandbox.page.seat import Blob, Json, Refusal


class World(Protocol):
    """What every simulated platform's world has."""

    @property
    def changes(self) -> Changes:
        """Wakes after every change."""
        ...


class Simulator(Protocol):
    """What every simulated platform offers to people alike."""

    @property
    def world(self) -> World:
        """What there is on the platform."""
        ...

    @property
    def calls(self) -> CallLog:
        """The bot's calls."""
        ...

    @property
    def faults(self) -> Faults:
        """What goes wrong with them."""
        ...

    async def edit(self, message: str, text: str) -> Json:
        """Change a message as its author."""
        ...

    async def delete(self, message: str) -> Json:
        """Delete anyone's message."""
        ...

    async def press(self, by: str, message: str, button: str) -> Json:
        """Press a button."""
        ...

    async def react(self, by: str, message: str, emoji: str, *, remove: bool = False) -> Json:
        """Add or take away a person's reaction."""
        ...

    async def drop(self) -> None:
        """Cut the bot's connection."""
        ...


S = TypeVar("S", bound=Simulator)
E = TypeVar("E", bound=Exception)


class BaseSeat(ABC, Generic[S]):
    """What people do alike at every seat: see `Seat`. A platform adds what they see there, and what it lets them do."""

    def __init__(self, simulator: S) -> None:
        self._simulator = simulator
        self.changes = simulator.world.changes
        self.calls = simulator.calls
        self.faults = simulator.faults

    @abstractmethod
    def _told(self) -> AbstractContextManager[None]:
        """Says what the simulator refuses as a sentence for the person: see `refusals`."""

    @abstractmethod
    def _whose(self, by: str, message: str) -> tuple[bool, bool]:
        """Whether a message is the person's own, and whether it is one of the bot's that they may delete."""

    @abstractmethod
    def _seen(self, by: str, message: str) -> object:
        """The message, which the person sees. Raises `Refusal`."""

    @abstractmethod
    def _file(self, by: str, message: str, file: str) -> Blob | None:
        """A file of a message that the person sees, or None when it is not there."""

    def toasts(self, by: str) -> list[Json]:
        """Nothing, unless the platform tells something in passing."""
        return []

    def prompts(self, by: str, place: str) -> Json | None:
        """Nothing, unless bots can suggest something on the platform."""
        return None

    async def opened(self, by: str, place: str) -> None:
        """Does nothing, unless the platform tells the bot of it."""

    async def complete(self, by: str, place: str, text: str) -> list[Json]:
        """Nothing, unless the platform knows the values of options."""
        return []

    async def edit(self, by: str, message: str, text: str) -> None:
        """Change a message of one's own."""
        mine, _ = self._whose(by, message)
        if not mine:
            raise Refusal("That message is not yours.")
        if not text.strip():
            raise Refusal("There is nothing to write.")
        with self._told():
            await self._simulator.edit(message, text)

    async def delete(self, by: str, message: str) -> None:
        """Delete a message of one's own or of the bot's."""
        if not any(self._whose(by, message)):
            raise Refusal("That message is not yours.")
        await self._simulator.delete(message)

    async def press(self, by: str, message: str, button: str) -> None:
        """Press a button by the id that the bot gave it."""
        with self._told():
            await self._simulator.press(by, message, button)

    async def react(self, by: str, message: str, emoji: str, *, remove: bool) -> None:
        """Add or take away a reaction."""
        self._seen(by, message)
        with self._told():
            await self._simulator.react(by, message, emoji, remove=remove)

    def file(self, by: str, message: str, file: str) -> Blob:
        """A file of a message that a person sees."""
        found = self._file(by, message, file)
        if found is None:
            raise Refusal("There is no such file.")
        return found

    def called(self, call: Call) -> str:
        """The path of a call without its query."""
        return call.path.partition("?")[0].removeprefix("/")

    async def drop(self) -> None:
        """Cut the bot's connection."""
        await self._simulator.drop()


@contextmanager
def refusals(refused: type[E], worded: Callable[[E], str]) -> Generator[None]:
    """Says what a simulator refuses as a sentence for the person: an error of its API as it is `worded`. Raises `Refusal`."""
    try:
        yield
    except refused as error:
        raise Refusal(worded(error)) from error
    except ValueError as error:
        raise Refusal(str(error)) from error


def mishap_rule(mishap: str, path: str, limited: Json, headers: Mapping[str, str] | None = None) -> Rule:
    """What goes wrong with the next call of a path. A 429 asks for 2 seconds, has the body `limited`, and further `headers`."""
    if mishap == "429":
        return Rule("status", path=path, status=429, headers={"Retry-After": "2", **(headers or {})}, body=limited)
    return Rule("reset", path=path) if mishap == "reset" else Rule("status", path=path, status=500)
