"""Two views of a text that is still being written: healed for edits, committed for streams that can only append."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.markdown import IN_FENCE, Inline, Kind, Line, inline, is_blank, lines

HEALED_AT_MOST = 40
"""`heal` never makes a text longer than this many code points more than it was."""

_LONGEST_CLOSING = 20
_LABEL_AT_MOST = 200
_ROUNDS = 32
_HALF_BLOCK = re.compile(r"[ \t]*+(?:`{1,2}|~{1,2}|#{1,6}[ \t]*+|(?:[-*+]|\d{1,9}[.)])[ \t]*+|--|(?:>[ \t]*+)++|-#?[ \t]*+)\Z")
_HALF_DELIMITER = re.compile(r"[ \t|:\-\r]*\Z")
_UNSURE = re.compile(r"[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)?+[ \t]*+(?:[`~|]|[-*_#+>\d.) \t\r]*+\Z)")
_HALF_CLOSING = re.compile(r"[ \t>]*+(?:`++|~++)?+[ \t\r]*+\Z")


@dataclass(slots=True)
class _Pending:
    """What is half-written at the end: hold back from `hold`; or close with `closing`, from index `upto`."""

    hold: int
    closed: str | None = None


def heal(text: str) -> str:
    """Return `text` as it can be shown while it grows: no half-written markup is left raw.

    Open fences and markers are closed, a half-written link is shown as its label, and what cannot be told yet (a lone
    marker, the header of a table without its delimiter line, half a mention) is held back. The result may be empty.
    Complete Markdown is returned as it is; healing twice is healing once.
    """
    for _ in range(_ROUNDS):
        pending = _pending(text)
        if pending is None:
            return text
        if pending.closed is not None and _pending(pending.closed) is None:
            return pending.closed
        text = text[: pending.hold]
    return ""


def _pending(text: str) -> _Pending | None:
    """Find what is half-written at the end of `text`."""
    found = list(lines(text))
    last = found[-1]
    if last.kind in IN_FENCE:
        return _pending_fence(text, found)
    before = found[-2] if len(found) > 1 else None
    if last.kind is Kind.ROW and not text.startswith("||", _bare(text, last)):
        return _Pending(last.start)
    if before and before.kind in (Kind.ROW, Kind.TABLE) and _HALF_DELIMITER.match(text, last.start):
        opens = before.kind is Kind.ROW and not text.startswith("||", _bare(text, before))
        if opens:
            return _Pending(before.start)
    if last.start < last.end and _HALF_BLOCK.match(text, last.start):
        return _Pending(last.start)
    start = text.rfind("|", last.start) + 1 if last.kind is Kind.TABLE else _block_start(found)
    return None if start is None else _pending_inline(text, start)


def _bare(text: str, line: Line) -> int:
    at = line.start
    while text[at] in " \t":
        at += 1
    return at


def _pending_fence(text: str, found: list[Line]) -> _Pending | None:
    last = found[-1]
    fence = last.fence
    if fence is None or last.kind is Kind.CLOSE:
        return None
    opened = next(line for line in reversed(found) if line.kind is Kind.OPEN)
    if last.kind is Kind.OPEN or is_blank(text[opened.end :]):
        return _Pending(opened.start)
    tail = text[last.start :].strip(" \t>")
    if tail and set(tail) == {fence.mark[0]}:
        return _Pending(last.start)
    if len(fence.closing) > _LONGEST_CLOSING:
        return _Pending(opened.start)
    return _Pending(opened.start, text + ("" if text.endswith("\n") else "\n") + fence.closing)


def _block_start(found: list[Line]) -> int | None:
    """Return where the paragraph begins that the text ends in; None if it ends in none."""
    start: int | None = None
    for index in range(len(found) - 1, -1, -1):
        kind = found[index].kind
        if kind is Kind.BLANK and index == len(found) - 1:
            continue
        if kind in IN_FENCE or kind in (Kind.BLANK, Kind.TABLE, Kind.RULE):
            break
        if kind is Kind.HEADING and index < len(found) - 1:
            break
        start = found[index].start
        if kind in (Kind.ITEM, Kind.HEADING):
            break
    return start


def _pending_inline(text: str, start: int) -> _Pending | None:
    seen = inline(text, start, len(text))
    bracket = next((at for at in seen.brackets if len(text) - at <= _LABEL_AT_MOST and "\n" not in text[at:]), None)
    hold = min([mark.at for mark in seen.marks] + [len(text) if seen.tail is None else seen.tail])
    if seen.tail_kind in ("lone", "mention") and seen.tail is not None:
        return _Pending(seen.tail)
    if seen.tail_kind == "link" and seen.tail is not None:
        shown = text[: seen.tail] + text[_label(text, seen.tail) : seen.label_end]
        return _Pending(seen.tail, _closed(shown, start))
    if bracket is not None:
        return _Pending(min(hold, bracket), _closed(text[:bracket] + text[_label(text, bracket) :], start))
    if hold < len(text):
        return _Pending(hold, _closed(text, start, seen))
    return None


def _label(text: str, at: int) -> int:
    return at + (2 if text[at] == "!" else 1)


def _closed(text: str, start: int, seen: Inline | None = None) -> str | None:
    """Close what is open in the paragraph from `start` on; None if that would take too many characters."""
    seen = seen or inline(text, start, len(text))
    closing = ""
    if seen.tail is not None and seen.tail_kind == "code":
        inner = text[seen.tail :].lstrip("`")
        ticks = len(text) - seen.tail - len(inner)
        if is_blank(inner) or ticks > _LONGEST_CLOSING:
            return None
        text = text.rstrip("`")
        closing = "`" * ticks
    closing += "".join(mark.text for mark in reversed(seen.marks))
    body = text.rstrip()
    return body + closing + text[len(body) :]


def committed(text: str) -> str:
    """Return the longest prefix of `text` whose meaning cannot change however the text goes on.

    The result for a text begins with the result for each of its prefixes, so it can be sent where nothing can be taken
    back. Within a paragraph it ends after white space; within code it may end anywhere.
    """
    sure = 0
    block: int | None = None
    limit = 0
    in_table = False
    for line in lines(text):
        whole = line.end < len(text)
        after = min(line.end + 1, len(text))
        kind = line.kind
        if kind is Kind.OPEN and not whole:
            break
        if kind in IN_FENCE:
            block = None
            if whole:
                sure = after
            elif kind is Kind.CODE and not _HALF_CLOSING.match(text, line.start):
                sure = after if line.fence is not None and ">" not in line.fence.lead else line.start
            continue
        if not whole and _UNSURE.match(text, line.start):
            break
        if kind in (Kind.ROW, Kind.TABLE) and not (in_table and whole) and not _row_is_sure(text, line):
            break
        in_table = kind is Kind.TABLE
        if kind in (Kind.BLANK, Kind.TABLE, Kind.RULE):
            block, sure = None, after
            continue
        if block is None or kind is not Kind.TEXT:
            block, sure = line.start, line.start
        limit = after
        if kind is Kind.HEADING and whole:
            block, sure = None, after
    if block is not None:
        sure = max(sure, inline(text, block, limit).sure)
    return text[:sure]


def _row_is_sure(text: str, line: Line) -> bool:
    """Say whether it is settled if `line` belongs to a table."""
    if line.end == len(text):
        return False
    stop = text.find("\n", line.end + 1)
    return stop >= 0 or not _HALF_DELIMITER.match(text, line.end + 1)
