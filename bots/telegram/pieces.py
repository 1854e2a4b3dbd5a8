"""Texts with their styles, in code points: what rendering puts together before Telegram's own counting comes in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """A style of a text from `start` to before `end`; `url` and `language` where it has them."""

    kind: str
    start: int
    end: int
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A text and its styles."""

    text: str
    spans: tuple[Span, ...] = ()


EMPTY = Piece("")


class Change(NamedTuple):
    """Instead of `text[start:end]` comes `new`."""

    start: int
    end: int
    new: str


def units(text: str) -> int:
    """The length in UTF-16 code units, in which Telegram counts (core.telegram.org/bots/api, MessageEntity)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def joined(pieces: Iterable[tuple[str, Piece]]) -> Piece:
    """Pieces after each other, each with the text that comes before it."""
    texts: list[str] = []
    spans: list[Span] = []
    at = 0
    for before, piece in pieces:
        texts += (before, piece.text)
        at += len(before)
        spans += [Span(each.kind, each.start + at, each.end + at, each.url, each.language) for each in piece.spans]
        at += len(piece.text)
    return Piece("".join(texts), tuple(spans))


def changed(text: str, spans: Iterable[Span], changes: Sequence[Change]) -> Piece:
    """The piece after changes, which are in order and do not overlap. What is put in at an edge of a span is outside of it."""
    if not changes:
        return Piece(text, tuple(spans))
    out: list[str] = []
    shifts = [0]
    at = 0
    for change in changes:
        out += (text[at : change.start], change.new)
        at = change.end
        shifts.append(shifts[-1] + len(change.new) - (change.end - change.start))
    out.append(text[at:])
    ends = [change.end for change in changes]
    starts = [change.start for change in changes]
    kept: list[Span] = []
    for span in spans:
        start = span.start + shifts[bisect_right(ends, span.start)]
        end = span.end + shifts[bisect_left(starts, span.end)]
        if start < end:
            kept.append(Span(span.kind, start, end, span.url, span.language))
    return Piece("".join(out), tuple(kept))


def apart(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same with no style across code: Telegram parts them so, and counts what comes of it (core.telegram.org/bots/api,
    Formatting options: bold and the like may contain all but pre and code)."""
    given = tuple(spans)
    holes = sorted((span.start, span.end) for span in given if span.kind in ("code", "pre"))
    if not holes or len(given) == len(holes):
        return given
    kept: list[Span] = []
    for span in given:
        if span.kind not in ("bold", "italic", "strikethrough"):
            kept.append(span)
            continue
        at = span.start
        for start, end in holes[bisect_left(holes, (span.start, 0)) :]:
            if start >= span.end:
                break
            if at < start:
                kept.append(Span(span.kind, at, start))
            at = end
        if at < span.end:
            kept.append(Span(span.kind, at, span.end))
    return tuple(kept)
