"""The append-only log of the calls that a simulator received, and a way to wait for what happens in it."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeVar

T = TypeVar("T")


class Changes:
    """Wakes whoever waits for a state of a simulator, each time something changed. Nothing is polled."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def notify(self) -> None:
        """Say that something changed. Cheap when nobody waits."""
        for event in self._waiting:
            event.set()

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 30.0) -> T:
        """Return the first truthy value of `predicate`, asked now and after each change.

        Raises `TimeoutError` when `timeout` seconds have passed.
        """
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    if found := predicate():
                        return found
                    await event.wait()
                    event.clear()
        finally:
            self._waiting.discard(event)


@dataclass(slots=True)
class Call:
    """One call as a simulator saw it. Times: `arrived` and `ended` are Unix seconds, the `mono` ones of `time.monotonic`."""

    number: int
    """Counts from 1, without gaps in the order of arrival."""
    method: str
    path: str
    """The path with its query string."""
    body: Any
    """The JSON body, or None."""
    arrived: float
    arrived_mono: float
    applied_mono: float | None = None
    """When the call took effect; None when it never did."""
    ended: float | None = None
    ended_mono: float | None = None
    status: int | None = None
    """The HTTP status that was answered; None while the call is open, or when no answer was given."""
    fault: str | None = None
    """The name of the fault that was applied."""
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the service itself adds, such as the times of the pieces of a stream."""

    def as_json(self) -> dict[str, Any]:
        """The call as a JSON object with the fields above."""
        return asdict(self)


class CallLog:
    """Every call in the order of arrival. With a `path` each ended call is also a line of that file, read again at start."""

    def __init__(
        self,
        changes: Changes | None = None,
        path: Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls: list[Call] = []
        self._changes = changes or Changes()
        self._clock = clock
        self._monotonic = monotonic
        self._last = 0
        self._file: TextIO | None = None
        if path is not None:
            self._read(path)
            self._file = path.open("a", encoding="utf-8")

    def _read(self, path: Path) -> None:
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                self._calls.append(Call(**json.loads(line)))
            except ValueError:
                continue  # the line that a killed simulator was writing
        self._calls.sort(key=lambda call: call.number)
        self._last = self._calls[-1].number if self._calls else 0

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls))

    def begin(self, method: str, path: str, body: Any = None) -> Call:
        """Log a call that has just arrived."""
        self._last += 1
        call = Call(self._last, method, path, body, self._clock(), self._monotonic())
        self._calls.append(call)
        self._changes.notify()
        return call

    def end(self, call: Call, status: int | None) -> None:
        """Log how a call ended; None stands for an answer that was never given."""
        call.status = status
        call.ended = self._clock()
        call.ended_mono = self._monotonic()
        if self._file is not None:
            self._file.write(json.dumps(call.as_json(), ensure_ascii=True) + "\n")
            self._file.flush()
        self._changes.notify()

    def after(self, number: int = 0) -> list[Call]:
        """The calls whose number is greater than `number`, in order of arrival."""
        if not self._calls:
            return []
        first = self._calls[0].number
        if self._calls[-1].number - first + 1 == len(self._calls):
            return self._calls[max(0, number - first + 1) :]
        return [call for call in self._calls if call.number > number]

    def matching(self, method: str, part: str = "") -> list[Call]:
        """The calls with this method whose path contains `part`."""
        return [call for call in self._calls if call.method == method and part in call.path]

    def close(self) -> None:
        """Close the file. The calls stay readable."""
        if self._file is not None:
            self._file.close()
            self._file = None
