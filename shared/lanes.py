"""Who goes when: strict order within a lane, fairness and a bound across lanes. Pure bookkeeping, no waiting."""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


class Lanes(Generic[Key, Item]):
    """Items wait in lanes. At most one item of a lane and at most `bound` items in all are out at a time.

    `start` is called for each item that may go; `done` has to be called once it has ended. A lane that has more goes to the end
    of the line, so that no busy lane keeps another waiting for more than one of its items.
    """

    def __init__(self, bound: int, start: Callable[[Key, Item], None]) -> None:
        self._bound = bound
        self._start = start
        self._out = 0
        self._waiting: dict[Key, deque[Item]] = {}
        self._ready: deque[Key] = deque()
        self._paused = False

    def add(self, key: Key, item: Item) -> None:
        """Put an item at the end of its lane."""
        if key not in self._waiting:
            self._waiting[key] = deque()
            self._ready.append(key)
        self._waiting[key].append(item)
        self._go()

    def done(self, key: Key) -> None:
        """The item of this lane that was out has ended."""
        self._out -= 1
        if self._waiting[key]:
            self._ready.append(key)
        else:
            del self._waiting[key]
        self._go()

    @property
    def waiting(self) -> int:
        """How many items are in line."""
        return sum(len(lane) for lane in self._waiting.values())

    def pause(self) -> None:
        """Start nothing more."""
        self._paused = True

    def _go(self) -> None:
        while self._ready and self._out < self._bound and not self._paused:
            key = self._ready.popleft()
            self._out += 1
            self._start(key, self._waiting[key].popleft())
