"""How much of a message a table takes that is still being written."""

from __future__ import annotations

from collections.abc import Sequence

from bots.telegram.pieces import units
from shared.markdown import cells

WIDTH = 48
"""The widest table, in columns, that is shown aligned: more wraps in most of Telegram's windows, and reads worse than a list."""


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
