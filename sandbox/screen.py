"""How text gets onto a terminal: cut into rows, made harmless, and a region at its end that is drawn anew in place."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from wcwidth import iter_graphemes, wcswidth

INDENT = 4
"""Columns by which the further rows of a message are moved in."""
_TURNERS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmless(text: str) -> str:
    """A text without anything that a terminal would obey: controls and signs that turn the writing direction are spelt out."""
    return "".join(_spelt(sign) for sign in text.replace("\r\n", "\n").expandtabs(4))


def _spelt(sign: str) -> str:
    code = ord(sign)
    if sign == "\n" or (0x20 <= code < 0x7F) or (code > 0x9F and sign not in _TURNERS and not 0xD800 <= code <= 0xDFFF):
        return sign
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def rows_of(text: str, width: int, indent: int = INDENT) -> list[str]:
    """Cut a harmless text into rows of at most `width` columns, at spaces where it can; all but the first are indented."""
    rows: list[str] = []
    for line in text.split("\n"):
        rows += _wrapped(line, width, 0 if not rows else indent, indent)
    return rows


def _wrapped(line: str, width: int, first: int, indent: int) -> Iterator[str]:
    margin, row, used = first, "", 0
    for piece in _pieces(line):
        wide = columns(piece)
        if row and margin + used + wide > width and piece != " ":
            yield " " * margin + row.rstrip(" ")
            margin, row, used = indent, "", 0
        if margin + wide <= width:
            row, used = row + piece, used + wide
            continue
        for sign in iter_graphemes(piece):
            wide = columns(sign)
            if row and margin + used + wide > width:
                yield " " * margin + row
                margin, row, used = indent, "", 0
            row, used = row + sign, used + wide
    yield " " * margin + row.rstrip(" ") if row.strip(" ") else ""


def _pieces(line: str) -> Iterator[str]:
    for number, word in enumerate(line.split(" ")):
        if number:
            yield " "
        if word:
            yield word


def columns(text: str) -> int:
    """How many columns a harmless text takes."""
    return max(0, wcswidth(text))


@dataclass(slots=True, eq=False)
class Item:
    """One thing on the screen that may still change."""

    text: str
    """Harmless, as `harmless` makes it."""
    settled: list[str] = field(default_factory=list[str])
    """Its rows that have left the region at the top and can no longer be changed."""
    again: bool = False
    """Whether it is shown a second time because a settled row of it has changed."""

    def rows(self, width: int) -> list[str]:
        """All its rows."""
        return rows_of(f"(changed) {self.text}" if self.again else self.text, width)


class Screen:
    """Items one below the other, the newest last, and below them the footer: typing sign and prompt.

    What still fits is drawn anew in place; what no longer fits has been printed for good and scrolls away.
    """

    def __init__(self, out: TextIO, measure: Callable[[], tuple[int, int]] | None = None) -> None:
        """`measure` tells columns and rows of the terminal; without it `out` is asked each time."""
        self._out = out
        self._measure = measure or self._ask
        self._items: list[Item] = []
        self._drawn: list[str] = []
        self._row = 0
        """In which drawn row the cursor is."""
        self._size: tuple[int, int] = self._measure()
        self.typing: str | None = None
        """The typing sign; None while nobody types."""
        self.prompt: tuple[str, str, int] | None = None
        """The prompt, what is being written behind it, and before which character of that the cursor is."""

    def add(self, text: str) -> Item:
        """Show a new item below the others."""
        item = Item(harmless(text))
        self._items.append(item)
        return item

    def change(self, item: Item, text: str) -> Item:
        """Change an item and return it, or the one that is shown anew below because it had scrolled away."""
        text = harmless(text)
        if text == item.text:
            return item
        item.text = text
        kept = item in self._items
        if kept and item.rows(self._width)[: len(item.settled)] == item.settled:
            return item
        if kept:
            self._items.remove(item)
        again = Item(text, again=True)
        self._items.append(again)
        return again

    def draw(self) -> None:
        """Bring the terminal up to date; rows that are the same as before are not written."""
        parts = [self._resized()]
        open_rows = [item.rows(self._width)[len(item.settled) :] for item in self._items]
        footer, cursor, column = self._footer()
        rows = [row for each in open_rows for row in each]
        wanted = [*rows, *footer]
        # The last row that stays is written again: the cursor then surely is where the count says.
        same = max(0, min(_same(self._drawn, wanted), len(self._drawn) - 1, len(wanted) - 1))
        parts += [_move(self._row, same), "\r\x1b[J", "\r\n".join(wanted[same:])]
        parts += [_move(len(wanted) - 1, len(rows) + cursor), "\r", f"\x1b[{column}C" if column else ""]
        surplus = max(0, len(wanted) - self._height)
        self._settle(open_rows, min(surplus, len(rows)))
        gone = min(surplus, len(rows))
        self._drawn, self._row = wanted[gone:], len(rows) + cursor - gone
        self._out.write("".join(parts))
        self._out.flush()

    def close(self) -> None:
        """Leave the cursor below everything."""
        self.typing = self.prompt = None
        self.draw()

    def _settle(self, open_rows: list[list[str]], surplus: int) -> None:
        """Note which rows have scrolled out of reach."""
        for item, rows in zip(list(self._items), open_rows, strict=True):
            if surplus <= 0:
                return
            item.settled += rows[:surplus]
            if surplus >= len(rows):
                self._items.remove(item)
            surplus -= len(rows)

    def _resized(self) -> str:
        size = self._measure()
        if size == self._size:
            return ""
        # The terminal has moved rows about by itself: the visible part is begun anew.
        self._size, self._drawn, self._row = size, [], 0
        for item in self._items:
            item.settled.clear()
        return "\x1b[H\x1b[2J"

    @property
    def _width(self) -> int:
        # One column stays free: a terminal wraps by itself in its last one.
        return max(20, self._size[0] - 1)

    @property
    def _height(self) -> int:
        return max(4, self._size[1] - 1)

    def _ask(self) -> tuple[int, int]:
        try:
            size = os.get_terminal_size(self._out.fileno())
        except (OSError, ValueError):
            return (80, 24)
        return (size.columns or 80, size.lines or 24)

    def _footer(self) -> tuple[list[str], int, int]:
        """The footer's rows, and in which row and column of it the cursor belongs."""
        rows = rows_of(harmless(self.typing), self._width) if self.typing else []
        if self.prompt is None:
            return [*rows, ""], len(rows), 0
        lead, written, cursor = self.prompt
        before, after = harmless(lead + written[:cursor]), harmless(written[cursor:])
        # What is typed is cut at the column, not between words: where the cursor belongs is then plain.
        cut = _cut(before, self._width)
        return [*rows, *_cut(before + after, self._width)], len(rows) + len(cut) - 1, columns(cut[-1])


def _move(row: int, to: int) -> str:
    """Move the cursor between two rows that are both on the screen."""
    if to == row:
        return ""
    return f"\x1b[{row - to}A" if to < row else f"\x1b[{to - row}B"


def _cut(text: str, width: int) -> list[str]:
    rows, used = [""], 0
    for sign in iter_graphemes(text):
        wide = columns(sign)
        if used + wide > width:
            rows.append("")
            used = 0
        rows[-1] += sign
        used += wide
    return rows


def _same(old: Sequence[str], new: Sequence[str]) -> int:
    """How many rows at the beginning are the same."""
    count = 0
    for left, right in zip(old, new, strict=False):
        if left != right:
            break
        count += 1
    return count
