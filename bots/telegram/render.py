"""Markdown as Telegram shows it: a text and entities. Pure; takes linear time.

A text is rendered block by block, and measured in the same way. The blocks that are finished count as they are shown, the last
stretch, which may still turn into something else, with what it could take at most: so what fits once fits with less, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from bots.telegram.blocks import RULE, code, heading, item, paragraph, table_rows
from bots.telegram.inline import NONCHARACTERS, unread
from bots.telegram.pieces import Piece, Span, joined, units
from bots.telegram.tables import longest
from shared.markdown import Kind, Line, lines

LIMIT = 4096
"""UTF-16 code units of a message's text (core.telegram.org/bots/api, sendMessage: after entities parsing)."""

ENTITIES = 100
"""Entities of a message: Telegram drops those beyond without a word (python-telegram-bot, MessageLimit.MESSAGE_ENTITIES). It
counts the addresses that it finds by itself, too."""

NOTHING = "…"
"""What is shown of a text that Telegram would call empty."""

_SURE = frozenset({Kind.BLANK, Kind.ITEM, Kind.HEADING, Kind.RULE, Kind.CLOSE})
"""Lines after whose end a new block begins, whatever comes."""

_LINE_BREAK = re.compile("\r\n?|[\u2028\u2029]")
_CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{NONCHARACTERS}]")
_DROPPED = re.compile("[\u202a-\u202e\u0333\u033f\u030a]")
"""Taken out by Telegram (tdlib/td, misc.cpp, clean_input_string); here, too: a text of these alone has to be seen to be empty."""

_EMPTY = re.compile("[\\s\u180e\u200b-\u200f\u2800\ufeff\ufffc]*")
"""A text that Telegram calls empty (tdlib/td, misc.cpp, strip_empty_characters)."""

_QUOTE = re.compile(r"\A[ \t]*+>(?:[ \t]*+>)*+ ?")
_MARK = re.compile(r"(?:\A[ \t]*+|(?<=>) ?)> ?")
_RUNS = re.compile(r"\*+|_+|~+")
_TICKS = re.compile("`+")
_URL = re.compile(r"(?<!\]\()https?://")


class Entity(NamedTuple):
    """A style of a message, counted in UTF-16 code units (core.telegram.org/bots/api, MessageEntity)."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent."""

    text: str
    entities: tuple[Entity, ...] = ()


def rendered(markdown: str) -> Rendered:
    """A message's text and entities. Never empty, but maybe longer than `LIMIT`.

    Headings are bold, tables aligned, or lists where they are too wide; images are links, quotes one level deep. Control
    characters are replaced. HTML and formulas are shown as they are written.
    """
    piece = joined(_stretches(_clean(markdown)))
    if _EMPTY.fullmatch(piece.text):
        return Rendered(NOTHING)
    offset = _offsets(piece.text)
    return Rendered(piece.text, tuple(_entity(span, offset) for span in piece.spans))


def fits(markdown: str) -> bool:
    """Whether a text, once rendered, is one message. True for every beginning of a text that fits."""
    bound = _Size(units(markdown) + markdown.count("\n") + markdown.count("@") + 3 * markdown.count("\t"), 0)
    if bound.units <= LIMIT and "|" not in markdown and _marks(markdown) <= ENTITIES:
        return True
    total, before = _Size(0, 0), 0
    for chunk, sure in _chunks(_clean(markdown)):
        most = _most(chunk)
        if most.units and not _within(total.units + before + most.units, total.entities + most.entities):
            return False
        if not sure:
            break
        if chunk.strip():
            real = _size(chunk)
            total = _Size(total.units + before + real.units, total.entities + real.entities)
            before = (2 if _parted(chunk) else 1) if total.units else 0
        elif total.units:
            before = 2
    return True


@dataclass(frozen=True, slots=True)
class _Size:
    units: int
    entities: int


def _within(size: int, entities: int) -> bool:
    return size <= LIMIT and entities <= ENTITIES


def _marks(text: str) -> int:
    """A bound on the entities of a text without tables, found faster than by reading it."""
    if text.isalnum():
        return 0
    return sum(map(text.count, ("*", "_", "~", "`", "`", "](", "://", "\n", "#", ">"))) + 2


def _clean(text: str) -> str:
    """A text without what Telegram would not take, or would take away."""
    if not text.isascii() or not text.isprintable():
        text = _LINE_BREAK.sub("\n", text)
        text = _DROPPED.sub("", _CONTROL.sub("\ufffd", text))
    return text


# How a text is cut


def _chunks(text: str) -> Iterator[tuple[str, bool]]:
    """The stretches of a text, and whether each stays one as the text grows: only the last one may not."""
    start = 0
    for line in lines(text):
        if line.kind in _SURE and line.end < len(text) and not _quoted(line):
            yield text[start : line.end + 1], True
            start = line.end + 1
    if start < len(text):
        yield text[start:], False


def _quoted(line: Line) -> bool:
    return line.kind is Kind.QUOTE or (line.fence is not None and ">" in line.fence.lead)


def _parted(chunk: str) -> bool:
    """Whether a stretch ends with an empty line."""
    return not chunk[:-1].rpartition("\n")[2].strip()


def _stretches(text: str) -> Iterator[tuple[str, Piece]]:
    before, begun = "", False
    for chunk, _ in _chunks(text):
        if not chunk.strip():
            before = "\n\n" if begun else ""
            continue
        piece = _chunk(chunk)
        if piece.text:
            yield before, piece
            begun = True
        before = ("\n\n" if _parted(chunk) else "\n") if begun else ""


@lru_cache(maxsize=512)  # a growing reply is rendered with every step; what is finished of it stays the same
def _chunk(text: str) -> Piece:
    """One stretch, with nothing after its last block."""
    return joined((("\n" if index else ""), piece) for index, piece in enumerate(_blocks(text)))


@lru_cache(maxsize=512)
def _size(chunk: str) -> _Size:
    piece = _chunk(chunk)
    return _Size(units(piece.text), _count(piece))


def _count(piece: Piece) -> int:
    """Entities of ours, and addresses that Telegram finds."""
    pre = any(span.kind == "pre" for span in piece.spans)
    return len(piece.spans) + (0 if pre else len(_URL.findall(piece.text)))


def _group(line: Line) -> str:
    """What a line belongs to: lines after each other that belong to the same are one block."""
    if _quoted(line):
        return "quote"
    match line.kind:
        case Kind.OPEN | Kind.CODE | Kind.CLOSE:
            return "code"
        case Kind.ROW | Kind.TABLE:
            return "rows"
        case Kind.TEXT:
            return "text"
        case _:
            return line.kind.value


def _grouped(text: str) -> Iterator[tuple[str, list[Line]]]:
    found: list[Line] = []
    group = ""
    for line in lines(text):
        if line.kind is Kind.BLANK:
            continue
        now = _group(line)
        if found and (now != group or line.kind is Kind.OPEN or found[-1].kind in _SURE) and not (now == group == "quote"):
            yield group, found
            found = []
        group = now
        found.append(line)
    if found:
        yield group, found


def _blocks(text: str) -> Iterator[Piece]:
    for group, found in _grouped(text):
        source = text[found[0].start : found[-1].end]
        piece = _block(group, source, found, [text[line.start : line.end] for line in found])
        most = _most(source)
        if units(piece.text) > most.units or _count(piece) > most.entities:
            # What would take more than was reckoned with is shown as it is written.
            piece = unread(source.rstrip().expandtabs(1))
        if piece.text:
            yield piece


def _block(group: str, source: str, found: list[Line], rows: list[str]) -> Piece:
    match group:
        case "item":
            return item(source)
        case "heading":
            return heading(source)
        case "rule":
            return RULE
        case "quote":
            return _quote(found, rows)
        case "code":
            return code(rows)
        case "rows":
            return table_rows(rows, [line.kind is Kind.TABLE for line in found])
        case _:
            return paragraph(source)


def _quote(found: list[Line], rows: list[str]) -> Piece:
    # Within code only the marks of the quote itself go.
    bare = [
        _MARK.sub("", row, count=line.fence.lead.count(">")) if line.fence else row for line, row in zip(found, rows, strict=True)
    ]
    text = "\n".join(each if line.fence else _QUOTE.sub("", each) for line, each in zip(found, bare, strict=True))
    if any(map(_quoted, lines(text))):
        text = "\n".join(_QUOTE.sub("", row) for row in rows)
    inner = joined(_stretches(text))
    return Piece(inner.text, (Span("blockquote", 0, len(inner.text)), *inner.spans)) if inner.text else inner


# What is measured before it is rendered


@lru_cache(maxsize=512)
def _most(text: str) -> _Size:
    """What a stretch, or any beginning of it, takes at most. Greater for a longer one."""
    stripped = text.rstrip()
    size = units(stripped) + stripped.count("@") + 3 * stripped.count("\t")
    entities, rows, prose, quoted = 0, list[str](), list[str](), False
    for line in lines(stripped):
        source = text[line.start : line.end]
        if line.kind in (Kind.ROW, Kind.TABLE):
            rows.append(source)
        elif rows:
            size, entities = size + _growth(rows), entities + 1
            rows = []
        if line.kind is Kind.CODE and not _quoted(line):
            continue
        prose.append(source)
        bare = source.lstrip(" \t>-*+")
        entities += bare.startswith(("#", "```", "~~~")) or line.kind is Kind.OPEN
        entities += _quoted(line) and not quoted
        quoted = _quoted(line)
    if rows:
        size, entities = size + _growth(rows), entities + 1
    return _Size(size, entities + _markers("\n".join(prose)))


def _growth(rows: list[str]) -> int:
    return max(0, longest(rows) - sum(units(row) + 1 for row in rows))


def _markers(text: str) -> int:
    """Entities of paragraphs at most: two markers make one, and one of three signs may be two markers. Code parts styles."""
    runs = sum((len(run) + 1) // 2 for run in _RUNS.findall(text))
    return runs // 2 + 3 * len(_TICKS.findall(text)) // 2 + text.count("](") + len(_URL.findall(text))


# What is sent


def _offsets(text: str) -> range | list[int]:
    """The offset in UTF-16 code units by the index of a character."""
    if units(text) == len(text):
        return range(len(text) + 1)
    found = [0]
    for each in text:
        found.append(found[-1] + (2 if ord(each) > 0xFFFF else 1))
    return found


def _entity(span: Span, offset: range | list[int]) -> Entity:
    start = offset[span.start]
    return Entity(span.kind, start, offset[span.end] - start, span.url, span.language)
