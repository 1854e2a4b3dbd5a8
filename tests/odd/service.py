"""The odd platform's service: a board that takes notes and knows little more than that.

It is deliberately awkward: it takes few bytes, knows no keys that a reader could see, has its own ways to go wrong, and counts
calls strictly. Nothing in it knows of adapters.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

LONGEST = 40
"""Bytes that one note takes."""

Trouble = Literal["broken", "torn before", "torn after"]
_SHOWING = ("post", "edit", "delete", "open", "upload", "begin", "extend", "finish", "draft")


class Wait(Exception):
    """Too many calls."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds:.3f} s")
        self.seconds = seconds


class Missing(Exception):
    """No such board or note."""


class NotAllowed(Exception):
    """Not here."""


class TooMuch(Exception):
    """More than a note takes."""


class StillOpen(Exception):
    """The note is being written bit by bit."""


class Shut(Exception):
    """The note is not being written any more."""


class Torn(Exception):
    """The line was torn: nobody knows what came of the call."""


@dataclass
class Note:
    number: int
    writer: str
    text: str
    tag: str = ""
    quiet: bool = False
    at: datetime = datetime(2030, 5, 1, 12, tzinfo=UTC)
    buttons: tuple[str, ...] = ()
    """The ids of what can be pressed under it."""
    data: bytes | None = None
    """The content, if the note is a file; `text` is its name then."""
    seen: bool = False
    """Whether the bot has left its sign on it."""
    open_until: float = 0.0
    """Until when it can be written bit by bit."""
    pieces: list[str] = field(default_factory=list[str])
    """How it was written bit by bit."""


@dataclass
class Board:
    notes: list[Note] = field(default_factory=list[Note])
    calls: deque[float] = field(default_factory=deque[float])
    closed_to_us: bool = False
    waits: bool = False
    threads: bool = True


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that a listener hears."""

    kind: Literal["session", "note", "removed", "closed", "pressed"]
    board: str = ""
    note: Note | None = None
    number: int = 0
    who: str = ""
    button: str = ""


class Service:
    """The boards, who listens, and what goes wrong next."""

    def __init__(
        self, *, calls: int = 1000, seconds: float = 1.0, longest: int = LONGEST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """At most `calls` in any `seconds` on a board, at most `longest` bytes in a note."""
        self.longest = longest
        self.calls = calls
        self.seconds = seconds
        self.clock = clock
        self.today: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.boards: dict[str, Board] = {"hall": Board()}
        self.troubles: deque[Trouble] = deque()
        self.log: list[tuple[str, str, str]] = []
        """What was asked of us: the act, the board, the text."""
        self.before: list[Callable[[str, str], asyncio.Event | None]] = []
        """Asked before a call takes effect: an event to wait for first, or None."""
        self.busy = 0
        self.rate_limited = 0
        self.lifetime = 300.0
        """For how many seconds a note can be written bit by bit."""
        self.drafts: dict[str, str] = {}
        """What is seen on a board of a note that is to come."""
        self.largest = 1000
        """Bytes that a file of the bot's may have."""
        self.files: dict[str, bytes] = {}
        """What people have put beside their notes, by reference."""
        self.file_troubles: deque[Literal["torn", "cut", "wait"]] = deque()
        """What goes wrong at the next fetches."""
        self.sign_troubles: deque[Trouble] = deque()
        """What goes wrong when signs are left and taken away next."""
        self._numbers = 0
        self._presses = 0
        self._ears: list[asyncio.Queue[Happened]] = []
        self._changed = asyncio.Condition()

    def listen(self) -> asyncio.Queue[Happened]:
        """A new session: what happens from now on."""
        ear: asyncio.Queue[Happened] = asyncio.Queue()
        ear.put_nowait(Happened("session"))
        self._ears.append(ear)
        return ear

    def deafen(self, ear: asyncio.Queue[Happened]) -> None:
        self._ears.remove(ear)

    def new_session(self) -> None:
        self._tell(Happened("session"))

    async def write(self, board: str, writer: str, text: str, *, tag: str = "", quiet: bool = False) -> Note:
        """Somebody other than the bot writes."""
        note = self._add(board, writer, text, tag, quiet)
        await self._wake()
        return note

    def hear_again(self, board: str, note: Note) -> None:
        self._tell(Happened("note", board, note))

    async def remove(self, board: str, number: int) -> None:
        """Somebody takes a note away."""
        found = self._note(board, number)
        self.boards[board].notes.remove(found)
        self._tell(Happened("removed", board, number=number))
        await self._wake()

    async def close(self, board: str) -> None:
        """Somebody takes a whole board away."""
        del self.boards[board]
        self._tell(Happened("closed", board))
        await self._wake()

    async def press(self, board: str, number: int, who: str, button: str) -> None:
        """Somebody presses what stands under a note."""
        self._presses += 1
        self._tell(Happened("pressed", board, self._note(board, number), self._presses, who, button))
        await self._wake()

    async def heard(self) -> None:
        """Wait until every listener has dealt with what has happened."""
        for ear in self._ears:
            await ear.join()

    # What the bot calls

    async def post(self, board: str, text: str, tag: str, quiet: bool, buttons: tuple[str, ...] = ()) -> int:
        trouble = await self._called("post", board, text)
        self._measure(text)
        note = self._add(board, "bot", text, tag, quiet)
        note.buttons = buttons
        self.drafts.pop(board, None)
        await self._end(trouble)
        return note.number

    async def begin(self, board: str, text: str, tag: str) -> int:
        """A note that is written bit by bit, for a while."""
        trouble = await self._called("begin", board, text)
        self._measure(text)
        note = self._add(board, "bot", text, tag, False)
        note.open_until = self.clock() + self.lifetime
        note.pieces.append(text)
        await self._end(trouble)
        return note.number

    async def append(self, board: str, number: int, more: str, *, last: bool = False, buttons: tuple[str, ...] = ()) -> None:
        """Write more of it; after the last piece it is a note like any other."""
        trouble = await self._called("finish" if last else "extend", board, more)
        note = self._note(board, number)
        if not self._open(note):
            raise Shut(f"note {number}")
        self._measure(note.text + more)
        note.text += more
        note.pieces.append(more)
        if last:
            note.open_until, note.buttons = 0.0, buttons
        await self._end(trouble)

    async def draft(self, board: str, text: str) -> None:
        trouble = await self._called("draft", board, text)
        self._measure(text)
        self.drafts[board] = text
        await self._end(trouble)

    def _open(self, note: Note) -> bool:
        return self.clock() < note.open_until

    async def change(self, board: str, number: int, text: str, buttons: tuple[str, ...] = ()) -> None:
        trouble = await self._called("edit", board, text)
        self._measure(text)
        note = self._note(board, number)
        if self._open(note):
            raise StillOpen(f"note {number}")
        note.text, note.buttons = text, buttons
        await self._end(trouble)

    async def put(self, board: str, name: str, data: bytes, tag: str, quiet: bool) -> int:
        trouble = await self._called("upload", board, name)
        if len(data) > self.largest:
            raise TooMuch(f"{len(data)} bytes")
        note = self._add(board, "bot", name, tag, quiet)
        note.data = data
        await self._end(trouble)
        return note.number

    async def sign(self, board: str, number: int, seen: bool) -> None:
        await self._called("react", board, f"{number} {'seen' if seen else 'unseen'}")
        trouble = self.sign_troubles.popleft() if self.sign_troubles else None
        if trouble in ("broken", "torn before"):
            raise Torn(trouble)
        self._note(board, number).seen = seen
        await self._end(trouble)

    async def get(self, ref: str) -> AsyncIterator[bytes]:
        """The content of a file that somebody put there, in two pieces."""
        await self._end(await self._called("get", next(iter(self.boards)), ref))
        trouble = self.file_troubles.popleft() if self.file_troubles else None
        if trouble == "wait":
            raise Wait(1.0)
        if trouble == "torn":
            raise Torn(trouble)
        if ref not in self.files:
            raise Missing(f"no file {ref}")
        data = self.files[ref]
        yield data[: len(data) // 2]
        if trouble == "cut":
            raise Torn(trouble)
        yield data[len(data) // 2 :]

    async def take_away(self, board: str, number: int) -> None:
        trouble = await self._called("delete", board, str(number))
        self.boards[board].notes.remove(self._note(board, number))
        await self._end(trouble)

    async def wave(self, board: str) -> None:
        await self._end(await self._called("busy", board, ""))
        self.busy += 1

    async def open(self, board: str, title: str) -> None:
        await self._end(await self._called("open", board, title))
        if not self.boards[board].threads:
            raise NotAllowed("no threads here")

    async def read(self, board: str) -> list[Note]:
        await self._end(await self._called("read", board, ""))
        return list(self.boards[board].notes)

    # Looking on

    def shown(self, board: str) -> list[str]:
        """The bot's notes."""
        here = self.boards.get(board)
        return [note.text for note in here.notes if note.writer == "bot"] if here else []

    def pressable(self, board: str) -> list[tuple[str, ...]]:
        """For each of the bot's notes, what can be pressed under it."""
        return [note.buttons for note in self.boards[board].notes if note.writer == "bot"]

    def asked(self, *acts: str) -> list[tuple[str, str]]:
        """Act and text of the calls so far."""
        return [(act, text) for act, _, text in self.log if act in acts]

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something holds that the service's calls or notes can bring about."""
        async with asyncio.timeout(1000), self._changed:
            await self._changed.wait_for(reached)

    async def _called(self, act: str, board: str, text: str) -> Trouble | None:
        await asyncio.sleep(0)
        self.log.append((act, board, text))
        await self._wake()
        for ask in self.before:
            if held := ask(act, text):
                await held.wait()
        here = self.boards.get(board)
        if here is None:
            raise Missing(f"no board {board}")
        if here.waits:
            self.rate_limited += 1
            raise Wait(60.0)
        self._count(here)
        if here.closed_to_us:
            raise NotAllowed(f"the board {board} is closed to the bot")
        trouble = self.troubles.popleft() if self.troubles and act in _SHOWING else None
        if trouble in ("broken", "torn before"):
            raise Torn(trouble)
        return trouble

    def _count(self, board: Board) -> None:
        now = self.clock()
        while board.calls and board.calls[0] <= now - self.seconds:
            board.calls.popleft()
        if len(board.calls) >= self.calls:
            self.rate_limited += 1
            raise Wait(board.calls[0] + self.seconds - now)
        board.calls.append(now)

    async def _end(self, trouble: Trouble | None) -> None:
        await self._wake()
        if trouble:
            raise Torn(trouble)

    def _add(self, board: str, writer: str, text: str, tag: str, quiet: bool) -> Note:
        self._numbers += 1
        note = Note(self._numbers, writer, text, tag, quiet, self.today())
        self.boards[board].notes.append(note)
        self._tell(Happened("note", board, note))
        return note

    def _note(self, board: str, number: int) -> Note:
        for note in self.boards[board].notes:
            if note.number == number:
                return note
        raise Missing(f"no note {number}")

    def _tell(self, what: Happened) -> None:
        for ear in self._ears:
            ear.put_nowait(what)

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _measure(self, text: str) -> None:
        if len(text.encode()) > self.longest:
            raise TooMuch(f"{len(text.encode())} bytes")
