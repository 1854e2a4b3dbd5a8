"""The two ways a conversation is shown: drawn in place on a terminal, or printed line by line into a pipe or file."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from typing import Protocol, TextIO

from sandbox.editor import Editor
from sandbox.screen import Item, Screen, harmless

TYPING_SECONDS = 10.0
"""How long a typing sign lasts (Discord developer docs, Trigger Typing Indicator)."""


class Face(Protocol):
    """What `sandbox.terminal` shows things on, and reads lines from."""

    def notice(self, text: str) -> None:
        """Say something that is no message."""
        ...

    def message(self, message: str, text: str, *, growing: bool) -> None:
        """Show a message, or what it says now. `growing`: more may come soon."""
        ...

    def again(self, message: str, text: str) -> None:
        """Show a message once more, below the others."""
        ...

    def typing(self, who: str | None) -> None:
        """Show that somebody types; None ends it."""
        ...

    def prompt(self, text: str) -> None:
        """Set the prompt."""
        ...

    def lines(self) -> AsyncGenerator[str, None]:
        """The lines that the person writes; ends when they are done."""
        ...

    def close(self) -> None:
        """Print what is still held back."""
        ...


class ScreenFace:
    """For a terminal: replies grow in place, and the line that is being written stays below them."""

    def __init__(self, stdin: TextIO, out: TextIO) -> None:
        self._stdin = stdin
        self._screen = Screen(out)
        self._items: dict[str, Item] = {}
        self._editor = Editor()
        self._prompt = "> "
        self._typed: asyncio.TimerHandle | None = None

    def notice(self, text: str) -> None:
        """Say something that is no message."""
        self._screen.add(text)
        self._draw()

    def message(self, message: str, text: str, *, growing: bool) -> None:
        """Show a message, or what it says now."""
        item = self._items.get(message)
        self._items[message] = self._screen.add(text) if item is None else self._screen.change(item, text)
        self._draw()

    def again(self, message: str, text: str) -> None:
        """Show a message once more, below the others. From here on this one changes."""
        self._items[message] = self._screen.add(text)
        self._draw()

    def typing(self, who: str | None) -> None:
        """Show that somebody types, for as long as Discord does."""
        if self._typed is not None:
            self._typed.cancel()
            self._typed = None
        if who is not None:
            self._typed = asyncio.get_running_loop().call_later(TYPING_SECONDS, self.typing, None)
        self._screen.typing = f"{who} is typing …" if who is not None else None
        self._draw()

    def prompt(self, text: str) -> None:
        """Set the prompt."""
        self._prompt = text
        self._draw()

    async def lines(self) -> AsyncGenerator[str, None]:
        """The lines that the person writes. Ctrl-C, or Ctrl-D on an empty line, ends them."""
        chunks: asyncio.Queue[bytes] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        descriptor = self._stdin.fileno()

        def read() -> None:
            try:
                data = os.read(descriptor, 4096)
            except OSError:
                data = b""  # the terminal is gone: the same as its end
            if not data:
                loop.remove_reader(descriptor)
            chunks.put_nowait(data)

        with _keys_at_once(descriptor):
            loop.add_reader(descriptor, read)
            try:
                while not self._editor.ended and (data := await chunks.get()):
                    for line in self._editor.feed(data):
                        yield line
                    self._draw()
            finally:
                loop.remove_reader(descriptor)

    def close(self) -> None:
        """Leave the cursor below everything."""
        if self._typed is not None:
            self._typed.cancel()
        self._screen.close()

    def _draw(self) -> None:
        self._screen.prompt = (self._prompt, self._editor.text, self._editor.cursor)
        self._screen.draw()


class LineFace:
    """For pipes and files: a reply is printed once it is finished, and a line says when the bot types."""

    def __init__(self, stdin: TextIO, out: TextIO, quiet: float) -> None:
        """A reply is taken as finished when it has not changed for `quiet` seconds, or when another one has begun."""
        self._stdin = stdin
        self._out = out
        self._quiet = quiet
        self._held: dict[str, tuple[str, asyncio.TimerHandle]] = {}
        self._printed: dict[str, str] = {}
        self._typing: str | None = None

    def notice(self, text: str) -> None:
        """Print something that is no message."""
        self._print(text)

    def message(self, message: str, text: str, *, growing: bool) -> None:
        """Print a message, a growing one when it has come to rest."""
        held = self._held.pop(message, None)
        if held is not None:
            held[1].cancel()
        if self._printed.get(message) == text:
            return
        for other in list(self._held):
            self._finish(other)
        timer = asyncio.get_running_loop().call_later(self._quiet if growing else 0, self._finish, message)
        self._held[message] = (text, timer)
        if not growing:
            self._finish(message)

    def again(self, message: str, text: str) -> None:
        """Print a message once more."""
        self._print(text)

    def typing(self, who: str | None) -> None:
        """Print that somebody types, once until they have written."""
        if who is not None and who != self._typing:
            self._print(f"({who} is typing)")
        self._typing = who

    def prompt(self, text: str) -> None:
        """Nobody sees a prompt here."""

    async def lines(self) -> AsyncGenerator[str, None]:
        """The lines of the input, until its end."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def read() -> None:
            try:
                for line in self._stdin:
                    loop.call_soon_threadsafe(queue.put_nowait, line)
                loop.call_soon_threadsafe(queue.put_nowait, "")
            except (RuntimeError, ValueError, OSError):
                return  # the conversation has ended, and with it the loop or the input

        # A thread of its own that nobody waits for: reading from a pipe cannot be interrupted.
        threading.Thread(target=read, name="lines", daemon=True).start()
        while line := await queue.get():
            yield line.rstrip("\r\n")

    def close(self) -> None:
        """Print what is still held back."""
        for message in list(self._held):
            self._finish(message)

    def _finish(self, message: str) -> None:
        text, timer = self._held.pop(message)
        timer.cancel()
        self._print(f"(changed) {text}" if message in self._printed else text)
        self._printed[message] = text

    def _print(self, text: str) -> None:
        self._out.write(f"{harmless(text)}\n")
        self._out.flush()


@contextmanager
def _keys_at_once(descriptor: int) -> Generator[None]:
    """Let the terminal hand over every key as it is pressed, Ctrl-C included, and restore it afterwards."""
    if sys.platform == "win32":
        raise OSError("this needs a terminal of a Unix system")
    import termios

    before = termios.tcgetattr(descriptor)
    keys = termios.tcgetattr(descriptor)
    keys[0] &= ~(termios.ICRNL | termios.IXON)
    keys[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
    keys[6][termios.VMIN], keys[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSADRAIN, keys)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
