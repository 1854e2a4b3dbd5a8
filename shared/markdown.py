"""What Threadline reads of Markdown: its lines (fences, tables, headings) and the markup within a paragraph.

The reading follows CommonMark 0.31 and GitHub's tables, with four narrowings that let it work on a growing text:
a table's header begins with `|`, headings are written with `#`, a line of dashes is always a rule, and a marker
directly after an ASCII letter or digit opens nothing (`2*3`, `snake_case`). All functions take linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
"""Characters that take no room, as the inside of a regular expression's set."""

_VISIBLE = re.compile(rf"[^\s{INVISIBLE}]")
_LEAD = r"[ \t]*+(?:>[ \t]*+)*+"
_BULLET = r"(?:[-*+]|\d{1,9}[.)])"
_FENCE = re.compile(rf"(?P<lead>{_LEAD})(?:{_BULLET}[ \t]++)?+(?P<mark>`{{3,}}+|~{{3,}}+)(?P<info>[^\n]*)")
_CLOSING = re.compile(rf"{_LEAD}(`{{3,}}+|~{{3,}}+)[ \t\r]*+\Z")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}(?:[ \t]|\r?\Z)")
_RULE = re.compile(r"[ \t]{0,3}([-*_])(?:[ \t]*+\1){2,}+[ \t\r]*+\Z")
_LIST_ITEM = re.compile(rf"[ \t]*+{_BULLET}[ \t]")
_DELIMITER = re.compile(r"[ \t]*+\|[ \t]*+:?+-++:?+[ \t]*+(?:\|[ \t]*+:?+-++:?+[ \t]*+)*+\|?+[ \t\r]*+\Z")
_PIPE = re.compile(r"(?<!\\)\|")


def is_blank(text: str) -> bool:
    """Say whether nothing of `text` would be seen: white space and characters without width only."""
    return _VISIBLE.search(text) is None


def first_visible(text: str, start: int = 0) -> int:
    """Return the index of the first visible character at or after `start`, or the length of `text`."""
    found = _VISIBLE.search(text, start)
    return found.start() if found else len(text)


class Kind(Enum):
    """What a line of Markdown is."""

    BLANK = "blank"
    TEXT = "text"
    ITEM = "item"
    QUOTE = "quote"
    HEADING = "heading"
    RULE = "rule"
    ROW = "row"
    """Begins like a table's row, but belongs to no table (yet)."""
    TABLE = "table"
    """A table's header, its delimiter line or one of its rows."""
    OPEN = "open"
    CODE = "code"
    CLOSE = "close"


# Reading a member from its class is slow in Python 3.11, and this is done for every line of every preview.
_BLANK, _TEXT, _ITEM, _QUOTE, _HEAD, _RULED = Kind.BLANK, Kind.TEXT, Kind.ITEM, Kind.QUOTE, Kind.HEADING, Kind.RULE
_ROW, _TABLE, _OPEN, _CODE, _CLOSE = Kind.ROW, Kind.TABLE, Kind.OPEN, Kind.CODE, Kind.CLOSE

IN_FENCE = frozenset({Kind.OPEN, Kind.CODE, Kind.CLOSE})


@dataclass(frozen=True, slots=True)
class Fence:
    """A code fence: what stands before its mark (blank space, quote marks), the mark, and its info string."""

    lead: str
    mark: str
    info: str

    @property
    def opening(self) -> str:
        """The line that opens the fence."""
        return self.lead + self.mark + self.info

    @property
    def closing(self) -> str:
        """A line that closes the fence."""
        return self.lead + self.mark

    def is_closed_by(self, line: str) -> bool:
        """Say whether `line` (without its line break) ends the code."""
        found = _CLOSING.match(line)
        return found is not None and found[1][0] == self.mark[0] and len(found[1]) >= len(self.mark)

    def is_left_by(self, line: str) -> bool:
        """Say whether the code stops before `line`, because the quote around it has stopped."""
        return bool(self.lead) and ">" in self.lead and not line.lstrip(" \t").startswith(">")


class Line(NamedTuple):
    """One line: `start` to `end` in the text, without the line break; `fence` is the one it opens, is in, or closes."""

    start: int
    end: int
    kind: Kind
    fence: Fence | None = None


def fence_of(line: str) -> Fence | None:
    """Return the code fence that `line` opens, if it opens one."""
    found = _FENCE.match(line)
    if found is None or (found["mark"][0] == "`" and "`" in found["info"]):
        return None
    return Fence(found["lead"], found["mark"], found["info"].rstrip())


def is_delimiter(line: str) -> bool:
    """Say whether `line` is the line of dashes under a table's header."""
    return _DELIMITER.match(line) is not None


def cells(row: str) -> list[str]:
    """Return the cells of a table's row, trimmed; an escaped pipe is part of its cell."""
    found = [cell.strip().replace("\\|", "|") for cell in _PIPE.split(row.strip())]
    if found and not found[0]:
        del found[0]
    if found and not found[-1]:
        del found[-1]
    return found


def lines(text: str) -> Iterator[Line]:
    """Yield the lines of `text` in order; together with the line breaks between them they are the text."""
    fence: Fence | None = None
    table = False
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        if fence is not None and fence.is_left_by(line):
            fence = None
        if fence is not None:
            if fence.mark in line and fence.is_closed_by(line):
                yield Line(start, end, _CLOSE, fence)
                fence = None
            else:
                yield Line(start, end, _CODE, fence)
        else:
            kind = _kind(line)
            if kind is _OPEN:
                fence = fence_of(line)
                kind = _OPEN if fence else _TEXT
            elif kind is _ROW:
                table = table or _heads_table(text, line, end)
                kind = _TABLE if table else _ROW
            table = kind is _TABLE
            yield Line(start, end, kind, fence)
        start = end + 1


def _heads_table(text: str, line: str, end: int) -> bool:
    if line.lstrip(" \t").startswith("||") or end == len(text):
        return False
    stop = text.find("\n", end + 1)
    return is_delimiter(text[end + 1 : len(text) if stop < 0 else stop])


def _kind(line: str) -> Kind:
    bare = line.lstrip(" \t\r")
    if not bare:
        return _BLANK
    first = bare[0]
    if first.isalpha():
        return _TEXT
    if ("```" in bare or "~~~" in bare) and _FENCE.match(line):
        return _OPEN
    if first == "|":
        return _ROW
    if first == "#":
        return _HEAD if _HEADING.match(line) else _TEXT
    if first == ">":
        return _QUOTE
    if first in "-*_" and _RULE.match(line):
        return _RULED
    return _ITEM if _LIST_ITEM.match(line) else _TEXT


_MENTION = r"(?:@[!&]?\d+|#\d+|a?:\w{1,32}:\d+|t:-?\d+(?::\w)?|id:\w+|/[\w -]{1,98}:\d+)>"
MENTION = re.compile("<" + _MENTION)
"""What chat platforms show as a mention, a command, a time or an emoji: their own markup in angle brackets."""

_HALF_MENTION = re.compile(
    r"<(?:@[!&]?\d*|#\d*|a|a?:\w{0,32}(?::\d*)?|t(?::-?\d*(?::\w?)?)?|i|id(?::\w*)?|/[\w -]{0,98}(?::\d*)?)?\Z"
)
_ADDRESS = r"\(<?[^()\s<>]*+(?:\([^()\s]*+\)[^()\s<>]*+)*+>?"
_LINK_END = re.compile(rf'\]{_ADDRESS}(?:[ \t]++"[^"\n]*+")?+[ \t]*+\)')
_HALF_LINK = re.compile(r'\]\([^()\s]*+(?:\([^()\s]*+\)[^()\s]*+)*+(?:\([^()\s]*+|[ \t]++(?:"[^"\n]*+"?+[ \t]*+)?+)?+\Z')
_TOKEN = re.compile(r"\\.|`+|\*+|_+|~+|\|+|!?\[|\]|<|https?://[^\s<>*`|()\[\]]+", re.DOTALL)
_TICKS = re.compile("`+")


@dataclass(slots=True)
class Mark:
    """A marker (`**`, `_`, `||` …) that has been opened and not closed, and its index in the text."""

    text: str
    at: int


@dataclass(slots=True)
class Inline:
    """The markup within one paragraph.

    `whole` holds the stretches that lose their meaning when cut (code, links, addresses, mentions), `styled` those
    between two markers. `marks` and `brackets` are still open at the end. `tail` is where something half-written
    begins (`tail_kind` says what), `label_end` the index of the `]` of a half-written link. `sure` is the last index
    after white space where nothing was open: what follows cannot change the meaning of what precedes it.
    """

    whole: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    styled: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    marks: list[Mark] = field(default_factory=list[Mark])
    brackets: list[int] = field(default_factory=list[int])
    tail: int | None = None
    tail_kind: str = ""
    label_end: int = 0
    sure: int = 0


def inline(text: str, start: int, end: int) -> Inline:
    """Read the markup of the paragraph that is `text[start:end]`."""
    return _InlineReader(text[start:end], start).read()


class _InlineReader:
    def __init__(self, text: str, offset: int) -> None:
        self.text = text
        self.offset = offset
        self.out = Inline(sure=offset)
        self.at = 0

    def read(self) -> Inline:
        text, size = self.text, len(self.text)
        while self.out.tail is None:
            found = _TOKEN.search(text, self.at)
            self._note_sure(self.at, found.start() if found else size)
            if found is None:
                break
            self.at = found.end()
            first = text[found.start()]
            if first == "`":
                self._code(found.start())
            elif first in "*_~|":
                self._marker(found.start(), found[0])
            elif first in "[!":
                self.out.brackets.append(found.start() + self.offset)
            elif first == "]":
                self._link(found.start())
            elif first == "<":
                self._mention(found.start())
            elif first == "h":
                self._whole(found.start())
        return self.out

    def _note_sure(self, start: int, end: int) -> None:
        if self.out.marks or self.out.brackets:
            return
        while end > start and not self.text[end - 1].isspace():
            end -= 1
        if end > start:
            self.out.sure = end + self.offset

    def _whole(self, start: int) -> None:
        self.out.whole.append((start + self.offset, self.at + self.offset))

    def _stop(self, at: int, kind: str) -> None:
        self.out.tail, self.out.tail_kind = at + self.offset, kind

    def _code(self, start: int) -> None:
        width = self.at - start
        for found in _TICKS.finditer(self.text, self.at):
            if found.end() - found.start() == width:
                self.at = found.end()
                self._whole(start)
                return
        self._stop(start, "code")

    def _mention(self, start: int) -> None:
        found = MENTION.match(self.text, start)
        if found:
            self.at = found.end()
            self._whole(start)
        elif _HALF_MENTION.match(self.text, start):
            self._stop(start, "mention")

    def _link(self, start: int) -> None:
        brackets = self.out.brackets
        if not brackets:
            return
        found = _LINK_END.match(self.text, start)
        if found:
            self.at = found.end()
            begin = brackets.pop()
            self.out.marks = [mark for mark in self.out.marks if mark.at < begin]
            self.out.whole.append((begin, self.at + self.offset))
        elif _HALF_LINK.match(self.text, start):
            self._stop(brackets.pop() - self.offset, "link")
            self.out.label_end = start + self.offset
        else:
            brackets.pop()

    def _marker(self, start: int, run: str) -> None:
        before = self.text[start - 1] if start else " "
        after = self.text[self.at] if self.at < len(self.text) else ""
        left = len(run)
        if run[0] in "~|" and left != 2:
            if left == 1 and not after:
                self._stop(start, "lone")
            return
        word_follows = run[0] == "_" and after.isalnum()
        if not before.isspace() and not word_follows:
            left = self._close(run[0], left)
        if not left:
            return
        if not after:
            self._stop(self.at - left, "lone")
        elif left <= 3 and not after.isspace() and not (before.isascii() and before.isalnum()):
            self._open(run[0] * left, self.at - left + self.offset)

    def _close(self, char: str, left: int) -> int:
        marks = self.out.marks
        for index in range(len(marks) - 1, -1, -1):
            mark = marks[index]
            if mark.text[0] == char and len(mark.text) <= left:
                left -= len(mark.text)
                self.out.styled.append((mark.at, self.at - left + self.offset))
                del marks[index:]
                if not left:
                    break
        return left

    def _open(self, text: str, at: int) -> None:
        self.out.marks = [mark for mark in self.out.marks if mark.text != text]
        self.out.marks.append(Mark(text, at))
