"""Tables as Discord can show them: aligned in a code fence, or as lists when they are too wide for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from wcwidth import wcswidth

from shared.markdown import cells

WIDTH = 72
"""The widest table, in columns of a fixed-width font, that is shown aligned: more wraps in a narrow Discord window."""

_MARKERS = re.compile(r"\*\*|__|~~|`+|\|\|")
_LINK = re.compile(r"!?\[([^\[\]]*+)\]\(([^()\s]*+)\)")


@dataclass(frozen=True, slots=True)
class Table:
    """The lines that show a table; `is_code` says that they are a code fence, else they are Markdown."""

    lines: tuple[str, ...]
    is_code: bool


@lru_cache(maxsize=128)  # a growing reply is measured and rendered again with every step; its finished tables stay the same
def table(rows: tuple[str, ...]) -> Table:
    """Lay out a table given as its lines of Markdown: header, delimiter line, rows. No cell is dropped."""
    body = [cells(row) for index, row in enumerate(rows) if index != 1]
    rights = [cell.endswith(":") and not cell.startswith(":") for cell in cells(rows[1])]
    count = max(len(rights), *map(len, body))
    plain = [[_plain(cell) for cell in row] + [""] * (count - len(row)) for row in body]
    widths = [max(map(_width, column)) for column in zip(*plain, strict=True)]
    if sum(widths) + 3 * (count - 1) > WIDTH:
        return Table(tuple(_as_list(body)), is_code=False)
    rights += [False] * (count - len(rights))
    shown = [_row(row, widths, rights) for row in plain]
    border = "─┼─".join("─" * width for width in widths)
    return Table(("```", shown[0], border, *shown[1:], "```"), is_code=True)


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
    """Return the text of a cell without markup, which would show raw within code."""
    return _MARKERS.sub("", _LINK.sub(r"\1 (\2)", cell))


def _width(cell: str) -> int:
    if cell.isascii():
        return len(cell)
    width = wcswidth(cell)
    return width if width >= 0 else len(cell)
