"""Where a text that has grown too long for one part is best cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.graphemes import is_border
from shared.markdown import Fence, Inline, Kind, Line, inline, is_blank, lines

_SENTENCE = re.compile(r"(?:[.!?…][)\"'”’»\]*_]*+\s|[。！？])")
_SPACE = re.compile(r"\s")
_STARTS_BLOCK = re.compile(
    r"\s*+(?:#{1,6}(?:\s|\Z)|>|[-+*](?:\s|\Z)|-#|\d{1,9}(?:[.)]|\Z)|\||`{1,2}\Z|`{3}|~{1,2}\Z|~{3}"
    r"|([-*_])(?:[ \t]*+\1){2,}+[ \t]*+(?:\n|\Z))"
)
_HALF_DELIMITER = re.compile(r"[ \t|:\-\r]*\Z")
_HALF_FENCE = re.compile(r"[ \t>]*+(?:`++|~++)")
_QUOTE = re.compile(r"[ \t]*+(?:>[ \t]*+)++")
_REPEATED_SHARE = 4
_ROOM = "x" * 16


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut: the part is `[:end]` plus `after`; the next part begins with `before` and goes on at `next`.

    `fence` is the code fence that the cut lies in, if the next part reopens it.
    """

    end: int
    next: int
    after: str = ""
    before: str = ""
    fence: Fence | None = None


def best_cut(before: str, window: str, fits: Callable[[str], bool], *, least: int = 0) -> Cut:
    """Choose where to cut a part that begins with `before` and goes on with `window`, and not before index `least` of it.

    All of `window` but its last character fits after `before`; at least one character does. The choice depends on
    nothing else. A table moves whole to the next part if it can fit there. Else the cut is made, in this order of
    preference and if possible in the second half: before a heading or other block, at a blank line, at a line's end,
    after a sentence, at a space; then at a space within emphasis; then between two characters.
    """
    chooser = _Chooser(before, window, fits)
    for at in chooser.candidates():
        cut = chooser.cut(at) if at >= chooser.first + least else None
        if cut is not None:
            return cut
    last = len(window) - 1
    at = next((at for at in range(last, max(least, 0), -1) if is_border(window, at)), last)
    return Cut(at, at)


class _Chooser:
    def __init__(self, before: str, window: str, fits: Callable[[str], bool]) -> None:
        self.first = len(before)
        self.body = before + window
        self.fits = fits
        self.limit = len(self.body) - 1
        self.half = self.first + (self.limit - self.first) // 2
        self.lines = list(lines(self.body))
        self.blocks = self._find_blocks()
        self.read: dict[int, Inline] = {}

    def _find_blocks(self) -> list[int]:
        """Return for each line where its paragraph begins."""
        starts: list[int] = []
        for index, line in enumerate(self.lines):
            goes_on = index > 0 and line.kind is Kind.TEXT and self.lines[index - 1].kind in (Kind.TEXT, Kind.ITEM, Kind.QUOTE)
            starts.append(starts[-1] if goes_on else line.start)
        return starts

    def candidates(self) -> Iterator[int]:
        """Yield indexes of the body at which it may be cut, best first."""
        table = self._movable_table()
        if table is not None:
            yield table
        borders = self._borders()
        for rank in range(3):
            yield from (at for at, its in reversed(borders) if its == rank and at >= self.half)
        late = list(self._in_line(self.half, self.limit))
        yield from (at for at in late if self._ends_sentence(at) and self._is_free(at))
        yield from (at for at in late if self._is_free(at))
        yield from (at for at in late if not self._tears(at))
        for rank in range(3):
            yield from (at for at, its in reversed(borders) if its == rank and at < self.half)
        early = list(self._in_line(self.first + 1, self.half - 1))
        yield from (at for at in early if self._is_free(at))
        whole = [at for at in range(self.limit, self.first, -1) if is_border(self.body, at, self.first)]
        yield from (at for at in whole if not self._tears(at) and not self._misleads(at))
        yield from (at for at in whole if not self._misleads(at))
        yield from whole

    def _movable_table(self) -> int | None:
        if self.lines[-1].kind is not Kind.TABLE:
            return None
        index = len(self.lines) - 1
        while index > 0 and self.lines[index - 1].kind is Kind.TABLE:
            index -= 1
        start = self.lines[index].start
        return start if start > self.first and self.fits(self.body[start:]) else None

    def _borders(self) -> list[tuple[int, int]]:
        """Return the line borders that may be cut, in order, each with its rank: 0 is best."""
        found: list[tuple[int, int]] = []
        title = False
        for index in range(1, len(self.lines)):
            prev, line = self.lines[index - 1], self.lines[index]
            title = prev.kind is Kind.HEADING or (title and prev.kind is Kind.BLANK)
            rank = None if title else self._rank(index, prev, line)
            if rank is not None and self.first < line.start <= self.limit:
                found.append((line.start, rank))
        return found

    def _rank(self, index: int, prev: Line, line: Line) -> int | None:
        if line.kind in (Kind.CODE, Kind.CLOSE):
            return None if prev.kind is Kind.OPEN else 2
        if prev.kind is Kind.TABLE and line.kind is Kind.TABLE:
            return 2 if self._rows_before(index) >= 3 else None
        if prev.kind is Kind.ROW and line.end == len(self.body) and _HALF_DELIMITER.match(self.body, line.start):
            return None
        if line.kind is Kind.BLANK:
            return None
        if line.kind in (Kind.HEADING, Kind.OPEN, Kind.RULE, Kind.TABLE) or prev.kind in (Kind.CLOSE, Kind.TABLE, Kind.RULE):
            return 0
        if prev.kind is Kind.BLANK:
            return 1
        return 2 if line.kind is not Kind.TEXT or self._is_free(line.start - 1) else None

    def _rows_before(self, index: int) -> int:
        rows = 0
        while rows < index and rows < 3 and self.lines[index - 1 - rows].kind is Kind.TABLE:
            rows += 1
        return rows

    def _line_at(self, at: int) -> int:
        """Return the number of the line that index `at` lies in."""
        low, high = 0, len(self.lines) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.lines[middle].start <= at:
                low = middle
            else:
                high = middle - 1
        return low

    def _in_line(self, start: int, stop: int) -> Iterator[int]:
        """Yield the borders between words from `stop` back to `start`, outside code and tables."""
        for line in reversed(self.lines):
            if (
                line.end < start
                or line.start > stop
                or line.kind not in (Kind.TEXT, Kind.ITEM, Kind.QUOTE, Kind.ROW, Kind.HEADING)
            ):
                continue
            if line.end == len(self.body) and _HALF_FENCE.match(self.body, line.start):
                continue
            ends = [found.end() for found in _SPACE.finditer(self.body, max(start - 1, line.start), min(stop, line.end))]
            ends += [found.end() for found in _SENTENCE.finditer(self.body, max(start - 1, line.start), min(stop, line.end))]
            yield from (at for at in sorted(set(ends), reverse=True) if start <= at <= stop and not self._misleads(at))

    def _ends_sentence(self, at: int) -> bool:
        end = at
        while end > self.first and self.body[end - 1].isspace():
            end -= 1
        while end > self.first and self.body[end - 1] in ")\"'”’»]*_":
            end -= 1
        return end > self.first and self.body[end - 1] in ".!?…。！？"

    def _misleads(self, at: int) -> bool:
        """Say whether what follows would be read as the beginning of a block, because it would begin a line."""
        return self.body[at - 1] != "\n" and _STARTS_BLOCK.match(self.body, at) is not None

    def _inline(self, line: int) -> Inline:
        start = self.blocks[line]
        if start not in self.read:
            end = line
            while end + 1 < len(self.lines) and self.blocks[end + 1] == start:
                end += 1
            self.read[start] = inline(self.body, start, self.lines[end].end)
        return self.read[start]

    def _tears(self, at: int) -> bool:
        """Say whether a cut tears inline code, a link, an address or a fence's first line."""
        number = self._line_at(at)
        line = self.lines[number]
        if line.kind is Kind.OPEN:
            return line.start < at
        if line.kind in (Kind.CODE, Kind.CLOSE, Kind.TABLE):
            return False
        seen = self._inline(number)
        tail = len(self.body) if seen.tail is None else seen.tail
        return any(start < at < end for start, end in seen.whole) or at > min([tail, *seen.brackets])

    def _is_free(self, at: int) -> bool:
        """Say whether a cut tears no markup at all."""
        if self._tears(at):
            return False
        seen = self._inline(self._line_at(at))
        return not any(start < at < end for start, end in seen.styled) and all(mark.at >= at for mark in seen.marks)

    def cut(self, at: int) -> Cut | None:
        """Return the cut at `at` with what it must close and reopen; None if it leaves nothing, or does not fit."""
        number = self._line_at(at - 1)
        line = self.lines[number]
        end = len(self.body[:at].rstrip())
        if end <= self.first or is_blank(self.body[self.first : end]):
            return None
        if line.kind in (Kind.OPEN, Kind.CODE) and line.fence is not None and at > line.start:
            return self._cut_in_code(at, line, line.fence, end)
        if (
            line.kind is Kind.TABLE
            and at > line.end
            and number + 1 < len(self.lines)
            and self.lines[number + 1].kind is Kind.TABLE
        ):
            return self._checked(end, at, "", self._header(number))
        if at == line.end + 1:
            return self._checked(end, at, "", "")
        seen = inline(self.body, self.blocks[number], end)
        closing = "" if seen.tail is not None else "".join(mark.text for mark in reversed(seen.marks))
        opening = "" if seen.tail is not None else "".join(mark.text for mark in seen.marks)
        quote = _QUOTE.match(self.body, line.start, line.end) if line.kind is Kind.QUOTE else None
        return self._checked(end, at, closing, (quote[0] if quote else "") + opening)

    def _cut_in_code(self, at: int, line: Line, fence: Fence, end: int) -> Cut | None:
        if line.kind is Kind.OPEN:
            return None
        if at < line.end and (self.body[at] in "`~> \t" or self.body[at - 1] in "`~"):
            return None
        for opening in (fence.opening, fence.closing):
            if len(opening) * _REPEATED_SHARE <= self.limit and self.fits(f"{opening}\n{_ROOM}\n{fence.closing}"):
                return self._checked(end, at, "\n" + fence.closing, opening + "\n", fence)
        return None

    def _header(self, number: int) -> str:
        index = number
        while index > 0 and self.lines[index - 1].kind is Kind.TABLE:
            index -= 1
        header = self.body[self.lines[index].start : self.lines[index + 1].end] + "\n"
        return header if len(header) * _REPEATED_SHARE <= self.limit and self.fits(header + _ROOM) else ""

    def _checked(self, end: int, at: int, after: str, before: str, fence: Fence | None = None) -> Cut | None:
        if not self.fits(self.body[:end] + after):
            return None
        return Cut(end - self.first, at - self.first, after, before, fence)
