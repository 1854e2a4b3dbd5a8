"""A state that is built up by changes: each is written down, carried out, and told to whoever listens."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

from sandbox.calls import Changes
from sandbox.journal import Journal
from sandbox.values import Json

Happening = TypeVar("Happening")


class Changing:
    """What exists. It changes only through `apply`, so that replaying the same changes gives the same state."""

    def apply(self, change: Json) -> None:
        """Carry out one change. Its `op` names the method, the rest are the arguments."""
        arguments: dict[str, Any] = dict(change)
        getattr(self, f"_{arguments.pop('op')}")(**arguments)


class Chronicle(Generic[Happening]):
    """A state with its clock, its journal and its listeners."""

    def __init__(self, state: Changing, journal: Path | None, clock: Callable[[], float], first: Iterable[Json]) -> None:
        """`first` are the changes that every state begins with; those of the journal come behind them."""
        self.changes = Changes()
        self.listeners: list[Callable[[Happening], None]] = []
        self._state = state
        self._clock = clock
        self._journal = Journal(journal)
        for change in first:
            state.apply(change)
        for change in self._journal.read():
            state.apply(change)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def now(self) -> float:
        """Unix seconds."""
        return self._clock()

    def write(self, change: Json) -> None:
        """Write a change down and carry it out."""
        self._journal.append(change)
        self._state.apply(change)

    def tell(self, happening: Happening) -> None:
        """Tell the listeners of something."""
        for listener in self.listeners:
            listener(happening)
        self.changes.notify()
