"""Tables for platforms that have none: aligned for a fixed-width font, or as lists where they are too wide for it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from wcwidth import wcswidth

from shared.markdown import cells

_MARKERS = re.compile(r"\*\*|__|~~|`+")
_LINK = re.compile(r"!?\[([^\[\]]*+)\]\(([^()\s]*+)\)")


@dataclass(frozen=True, slots=True)
class Table:
    """The lines that show a table; `aligned` says that they are for a fixed-width font, else they are Markdown."""

    lines: tuple[str, ...]
    aligned: bool


@lru_cache(maxsize=128)  # a growing reply is measured and rendered again with every step; its finished tables stay the same
def table(rows: tuple[str, ...], width: int) -> Table:
    """Lay out a table given as its lines of Markdown: header, delimiter line, rows. No cell is dropped.

    `width` is how many columns of a fixed-width font an aligned one may have.
    """
    body = [cells(row) for index, row in enumerate(rows) if index != 1]
    rights = [cell.endswith(":") and not cell.startswith(":") for cell in cells(rows[1])]
    count = max(len(rights), *map(len, body))
    plain = [[_plain(cell) for cell in row] + [""] * (count - len(row)) for row in body]
    widths = [max(map(_width, column)) for column in zip(*plain, strict=True)]
    if sum(widths) + 3 * (count - 1) > width:
        return Table(tuple(_as_list(body)), aligned=False)
    rights += [False] * (count - len(rights))
    shown = [_row(row, widths, rights) for row in plain]
    border = "─┼─".join("─" * width for width in widths)
    return Table((shown[0], border, *shown[1:]), aligned=True)


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
