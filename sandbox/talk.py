"""Writing one line into a running demo, and printing the reply as it grows."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol, TextIO

from sandbox.following import LOADING, SILENT_TYPES, Json, Lab, Person, Place, Quiet, Trouble
from sandbox.screen import Item, Screen, harmless
from sandbox.slash import Unfit, parsed

_MARKS = "*_~`|>\n "
"""Signs that may only close what is still open in a growing text."""


async def say_once(
    control_url: str, who: str, where: str, text: str, out: TextIO, timeout: float = 60.0, *, quiet: float = 3.0
) -> int:
    """Write `text` as the person `who` in the place `where`, and print the reply. Returns the exit status.

    `where` is a channel's name, "thread 2", a thread's title, or "direct". `timeout` is how many seconds to wait for the first
    text, or for the next sign that one is coming; a reply is complete when the bot has shown no sign for `quiet` seconds.
    0: there was a reply. 1: there was none, or nothing could be written; `out` says why.
    """
    try:
        async with Lab.open(control_url) as lab, lab.follow() as events:
            person = lab.person(who)
            place = lab.place(where, person.name)
            sent = await _sent(lab, person, place, text)
            printer: Printer = ScreenPrinter(out) if out.isatty() else LinePrinter(out)
            waiting = Quiet(quiet, timeout)
            following = asyncio.create_task(_follow(lab, events, sent, waiting, printer), name="reply")
            ending = asyncio.create_task(waiting.ended())
            try:
                await asyncio.wait((following, ending), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (following, ending):
                    task.cancel()
                await asyncio.gather(following, ending, return_exceptions=True)
                printer.close()
            if following.done() and not following.cancelled():
                following.result()
                raise Trouble("The simulator ended before the reply was complete.")
            if not waiting.text:
                raise Trouble(_nothing(place, timeout))
            return 0
    except Trouble as trouble:
        out.write(f"{harmless(str(trouble))}\n")
        out.flush()
        return 1


async def _sent(lab: Lab, person: Person, place: Place, text: str) -> Json:
    """Write the text, or call the command that it begins with if the bot has one of that name."""
    try:
        line = parsed(text, await lab.commands(person.name, place)) if text.startswith("/") else None
    except Unfit as unfit:
        raise Trouble(str(unfit)) from unfit
    if line is not None:
        return await lab.call(person.name, place, line)
    return await lab.say(person.name, place, text)


def _nothing(place: Place, timeout: float) -> str:
    hint = " In a channel the text must mention it: @threadline." if place.kind == "text" else ""
    return f"There was no reply within {timeout:g} seconds.{hint}"


async def _follow(lab: Lab, events: AsyncGenerator[Json], sent: Json, waiting: Quiet, printer: "Printer") -> None:
    """Print what the bot shows where the message was written, or in the thread that is opened on it or on its reply."""
    places = {sent["channel"], sent["id"]}
    async for event in events:
        if event.get("channel") not in places:
            continue
        if event["event"] == "typing" and event.get("user") == lab.bot:
            waiting.heard(text=False)
        message = event.get("message")
        if message is None or message["author"] != lab.bot or message["type"] in SILENT_TYPES:
            continue
        if int(message["id"]) > int(sent["id"]) and message["ephemeral"] in (None, sent.get("user")):
            places.add(message["id"])
            if message["flags"] & LOADING:
                waiting.heard(text=False)
                continue
            printer.show(message["id"], lab.line(message), gone=message["deleted"])
            waiting.heard(text=not message["deleted"])


class Printer(Protocol):
    """Where a reply is printed."""

    def show(self, message: str, line: str, *, gone: bool) -> None:
        """Show what a message says now; `gone`: it was deleted."""
        ...

    def close(self) -> None:
        """The reply is complete."""
        ...


class ScreenPrinter:
    """Draws the growing reply in place."""

    def __init__(self, out: TextIO) -> None:
        self._screen = Screen(out)
        self._items: dict[str, Item] = {}

    def show(self, message: str, line: str, *, gone: bool) -> None:
        """Draw the message anew."""
        item = self._items.get(message)
        self._items[message] = self._screen.add(line) if item is None else self._screen.change(item, line)
        self._screen.draw()

    def close(self) -> None:
        """Leave the cursor below the reply."""
        self._screen.close()


class LinePrinter:
    """Prints what has been added, for pipes and files: nothing that was printed can be taken back.

    What may only close open markup is held back. A message that changed before its end is printed again as it is at last.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._shown: dict[str, str] = {}
        self._printed: dict[str, str] = {}
        self._last: str | None = None

    def show(self, message: str, line: str, *, gone: bool) -> None:
        """Print what is new."""
        line = harmless(line)
        self._shown[message] = line
        if self._last is None or (self._last != message and message not in self._printed):
            self._finish()
            self._last = message
        if message == self._last and not gone:
            self._print(message, line.rstrip(_MARKS))

    def close(self) -> None:
        """Print the rest, and again what has changed since it was printed."""
        self._finish()
        for message, line in self._shown.items():
            if self._printed.get(message, "") != line:
                self._out.write(f"(changed) {line}\n")
        self._out.flush()

    def _print(self, message: str, line: str) -> None:
        printed = self._printed.get(message, "")
        if line.startswith(printed):
            self._out.write(line[len(printed) :])
            self._out.flush()
            self._printed[message] = line

    def _finish(self) -> None:
        if self._last is not None:
            self._print(self._last, self._shown[self._last])
            self._out.write("\n")
            self._out.flush()
