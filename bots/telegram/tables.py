"""Tables as Telegram can show them: aligned in a fixed-width font, or as lists when they are too wide for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from wcwidth import wcswidth

from bots.telegram.pieces import units
from shared.markdown import cells

WIDTH = 48
"""The widest table, in columns, that is shown aligned: more wraps in most of Telegram's windows, and reads worse than a list."""

_MARKERS = re.compile(r"\*\*|__|~~|`+")
_LINK = re.compile(r"!?\[([^\[\]]*+)\]\(([^()\s]*+)\)")


@dataclass(frozen=True, slots=True)
class Table:
    """The lines that show a table; `aligned` says that they are for a fixed-width font, else they are Markdown."""

    lines: tuple[str, ...]
    aligned: bool


@lru_cache(maxsize=128)  # a growing reply is measured and rendered again with every step; its finished tables stay the same
def table(rows: tuple[str, ...]) -> Table:
    """Lay out a table given as its lines of Markdown: header, delimiter line, rows. No cell is dropped."""
    body = [cells(row) for index, row in enumerate(rows) if index != 1]
    rights = [cell.endswith(":") and not cell.startswith(":") for cell in cells(rows[1])]
    count = max(len(rights), *map(len, body))
    plain = [[_plain(cell) for cell in row] + [""] * (count - len(row)) for row in body]
    widths = [max(map(_width, column)) for column in zip(*plain, strict=True)]
    if sum(widths) + 3 * (count - 1) > WIDTH:
        return Table(tuple(_as_list(body)), aligned=False)
    rights += [False] * (count - len(rights))
    shown = [_row(row, widths, rights) for row in plain]
    border = "─┼─".join("─" * width for width in widths)
    return Table((shown[0], border, *shown[1:]), aligned=True)


def longest(rows: Sequence[str]) -> int:
    """UTF-16 units that these lines take at most as a table, with more rows or cells to come: it only grows."""
    split = [cells(row) for row in rows]
    count = max(map(len, split))
    widths = [max(_at_most(row[index]) if index < len(row) else 0 for row in split) for index in range(count)]
    wide = sum(widths) + 3 * max(count - 1, 0)
    source = sum(units(row) + 1 for row in rows)
    # A line of an aligned table has its columns, and what takes units without taking columns.
    odd = 0 if all(row.isascii() for row in rows) else sum(units(row) for row in rows if not row.isascii())
    aligned = (len(rows) + 1) * (min(wide, WIDTH) + 1) + odd
    if wide <= WIDTH:
        return max(source, aligned)
    header = sum(units(cell) + 4 for cell in split[0])
    return max(source, aligned, source + len(rows) * header)


def _at_most(cell: str) -> int:
    """Columns of a cell at most, also when its markup is gone."""
    return len(cell) if cell.isascii() else 2 * len(cell)


def _row(row: list[str], widths: list[int], rights: list[bool]) -> str:
    padded: list[str] = []
    for cell, width, right in zip(row, widths, rights, strict=True):
        blank = " " * (width - _width(cell))
        padded.append(blank + cell if right else cell + blank)
    return " │ ".join(padded).rstrip()


def _as_list(body: list[list[str]]) -> list[str]:
    header = body[0]
    if len(body) == 1:
        return ["- " + " · ".join(header)]
    shown: list[str] = []
    for row in body[1:]:
        for index, cell in enumerate(row):
            key = header[index] if index < len(header) else ""
            lead = "  " if index else "- "
            shown.append(f"{lead}{key}: {cell}" if key else f"{lead}{cell}")
    return shown


def _plain(cell: str) -> str:
    """The text of a cell without markup, which would show raw in a fixed-width font."""
    return _MARKERS.sub("", _LINK.sub(r"\1 (\2)", cell))


def _width(cell: str) -> int:
    if cell.isascii():
        return len(cell)
    width = wcswidth(cell)
    return width if width >= 0 else len(cell)
