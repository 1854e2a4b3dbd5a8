"""How each block of Markdown is shown: paragraphs, items, headings, code and tables."""

from __future__ import annotations

import re

from bots.telegram.inline import inline, unread
from bots.telegram.pieces import EMPTY, Change, Piece, Span, apart, changed, joined
from bots.telegram.tables import WIDTH
from shared.markdown import fence_of
from shared.tables import table

RULE = Piece("———")
"""A line across the page."""

_TAB = "    "
_BULLET = "•"
_ITEM = re.compile(r"([ \t]*)((?:(?:[-*+]|\d{1,9}[.)]|>)[ \t]+)+)")
_MARKER = re.compile(r"[-*+]|\d{1,9}[.)]|>")
_TASK = re.compile(r"\[([ xX])\](?=[ \t])")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]*")
_CLOSING = re.compile(r"(?:[ \t]+#+|^#+)[ \t]*$")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]++")


def paragraph(source: str) -> Piece:
    """Lines of text; they keep the indentation of the first."""
    stripped = source.lstrip(" \t")
    return _indented(inline(stripped), _room(source[: len(source) - len(stripped)]))


def _room(blank: str) -> str:
    return blank.replace("\t", _TAB)


def _indented(piece: Piece, room: str) -> Piece:
    if not room or not piece.text:
        return piece
    breaks = [Change(found.end(), found.end(), room) for found in re.finditer("\n", piece.text)]
    return joined([(room, changed(piece.text, piece.spans, breaks))])


def item(source: str) -> Piece:
    """One line of a list, with a sign for its marker."""
    found = _ITEM.match(source)
    if found is None:
        return paragraph(source)
    rest = source[found.end() :]
    marks = [_BULLET if mark in "-*+" else mark for mark in _MARKER.findall(found[2])]
    if task := _TASK.match(rest):
        rest = rest[task.end() :].lstrip(" \t")
        marks[-1:] = [*([] if marks[-1] == _BULLET else marks[-1:]), "☐" if task[1] == " " else "☑"]
    lead = _room(found[1]) + " ".join(marks) + " "
    return joined([(lead, inline(rest.rstrip()))])


def heading(source: str) -> Piece:
    """A heading as a bold line."""
    found = _HEADING.match(source)
    title = _CLOSING.sub("", source[found.end() :].strip()) if found else source
    piece = inline(title.strip()) if title.strip() else EMPTY
    if not piece.text:
        return Piece(source.strip())
    inner = tuple(span for span in piece.spans if span.kind != "bold")
    return Piece(piece.text, apart((Span("bold", 0, len(piece.text)), *inner)))


def code(rows: list[str]) -> Piece:
    """A code fence, closed or not yet."""
    fence = fence_of(rows[0])
    if fence is None:
        return unread("\n".join(rows))
    closed = len(rows) > 1 and fence.is_closed_by(rows[-1])
    body = rows[1:-1] if closed else rows[1:]
    lead = len(fence.lead)
    text = "\n".join(row[min(lead, len(row) - len(row.lstrip(" \t"))) :] for row in body).replace("\t", _TAB).rstrip("\n")
    before = rows[0][lead : rows[0].index(fence.mark)].strip()
    language = _LANGUAGE.fullmatch(fence.info.strip())
    if fence.info.strip() and (language is None or (closed and not text.strip())):
        before = f"{before} {fence.info.strip()}".strip()
    shown = Piece(text, (Span("pre", 0, len(text), language=language[0] if language else None),) if text.strip() else ())
    return joined([("", unread(before)), ("\n" if text else "", shown)]) if before else shown


def table_rows(rows: list[str], in_table: list[bool]) -> Piece:
    """Lines that begin like those of a table, and whether each is in one."""
    first = in_table.index(True) if True in in_table else len(rows)
    parts: list[Piece] = []
    if first:
        parts.append(inline("\n".join(row.strip() for row in rows[:first])))
    if first < len(rows):
        shown = table(tuple(rows[first:]), WIDTH)
        if shown.aligned:
            text = "\n".join(shown.lines)
            parts.append(Piece(text, (Span("pre", 0, len(text)),)))
        else:
            parts += [item(line) if line.startswith("- ") else paragraph(line) for line in shown.lines]
    return joined(("\n" if index else "", part) for index, part in enumerate(parts))
