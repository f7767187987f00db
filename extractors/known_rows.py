"""Rows, grids and stretches of lines that were read before: what one of a shape gave, it gives again, with its own numbers.

A row's shape is its texts and places with plain numbers left out; the header above it is part of the look-up. Reports
print the same rows over and over, so most rows are read by one look-up, and a grid of which all rows were met by one.
Holds no number, and never decides what a row or line means: that are `grid_reader` and `stream`, which also say what
may not be known by its shape.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import count
from typing import Any, NamedTuple

from extractors.records import GridCell

MOST_ROWS = 20_000
"""Shapes kept; a process that has met more begins anew, so that its memory stays bounded."""
MOST_TABLES = 500
"""The same of grids, stretches and strips."""
LONGEST_TABLE = 2_000
"""Rows of a grid, lines of a stretch, cells of a strip that is kept; all tables of a report have some three hundred."""
LONGEST_SHAPE = 400
"""Characters of a shape that is kept: longer rows are prose in a table, which nobody prints twice."""
LONGEST_NUMBER = 15


class Plan(NamedTuple):
    """What a row, grid or stretch of one shape gives, and what follows it.

    cells: name, place of its text (among the cells' texts; of a stretch among its numbers and then `texts`), line (from
    the first), column (from 1) and unit of each. texts: what cells of a stretch hold that are no numbers. votes: items
    of chapter 二 and the form of the header each stood under. last_statistic: the last row of the statistics form that
    was passed, "" for none. state: number of the reader's state behind it. of_tables: places of a stretch's lines that
    are cells of tables. is_whole: it says all that the stretch gave, and may be used again.
    """

    cells: tuple[tuple[tuple[str, str | None], int, int, int, str], ...]
    votes: tuple[tuple[str, str], ...]
    last_statistic: str
    state: int = 0
    texts: tuple[str, ...] = ()
    of_tables: tuple[int, ...] = ()
    is_whole: bool = True


class Layout(NamedTuple):
    """How a strip's cells form a grid: the places of each row's cells in it, and the texts of those that end otherwise."""

    rows: tuple[tuple[int, ...], ...]
    texts: dict[int, str]


class KnownRows:
    """Plans by (state, shape), and the states themselves, numbered as they were met. May be shared by threads."""

    def __init__(self) -> None:
        self.plans: dict[Hashable, Plan] = {}
        self.grids: dict[Hashable, Plan] = {}
        self.stretches: dict[Hashable, Plan] = {}
        self.strips: dict[Hashable, tuple[Layout, ...]] = {}
        self._numbers: dict[Hashable, int] = {}
        self._states: dict[int, Any] = {}
        self._next = count()

    def number_of(self, key: Hashable, state: Any) -> int:
        """The number of a state; `key` tells equal ones, `state` is kept as it is for `state_of`."""
        known = self._numbers.get(key)
        if known is not None:
            return known
        number = next(self._next)
        self._states[number] = state
        return self._numbers.setdefault(key, number)

    def state_of(self, number: int) -> Any:
        return self._states[number]

    @property
    def is_full(self) -> bool:
        return len(self.plans) >= MOST_ROWS or len(self._states) >= MOST_ROWS


def keep_table(store: dict[Hashable, Any], place: Hashable, told: Any) -> None:
    """Keeps what a whole table gave, of which a process meets many kinds: the store begins anew when it is full."""
    if len(store) >= MOST_TABLES:
        store.clear()
    store[place] = told


def shape_of_row(row: Sequence[GridCell]) -> tuple[Any, ...]:
    """(text, column, colspan) of each cell; (column, colspan) where the text is a plain number.

    A plain number is digits with at most one point: among such texts no label and no header can be. Where each cell has
    one column and none is left out before it, the texts alone, and None for plain numbers.
    """
    # A last cell of one column that stands where its place says: so do all before it.
    if not row or (row[-1].column == len(row) - 1 and row[-1].colspan == 1):
        return tuple(
            [
                None
                if (text := cell[0]).isascii()
                and (text.isdigit() or _is_decimal(text))
                and len(text) <= LONGEST_NUMBER
                else text
                for cell in row
            ]
        )
    # [::2] of a cell is text, column, colspan, and [2::2] the same without the text: half the time of naming them.
    return tuple(
        [
            cell[2::2]
            if (text := cell[0]).isascii()
            and (text.isdigit() or _is_decimal(text))
            and len(text) <= LONGEST_NUMBER
            else cell[::2]
            for cell in row
        ]
    )


def has_numbers(shape: Sequence[Any]) -> bool:
    """Whether a plain number was left out of a row's shape."""
    return any(cell is None or (isinstance(cell, tuple) and len(cell) == 2) for cell in shape)


def shape_of_strip(cells: Sequence[str | None]) -> tuple[str | int | None, ...]:
    """The cells of a strip, 0 for plain numbers."""
    return tuple(
        [
            0 if cell and (cell.isdecimal() or _is_decimal(cell)) and len(cell) <= LONGEST_NUMBER else cell
            for cell in cells
        ]
    )


def _is_decimal(text: str) -> bool:
    return text[-1:].isdecimal() and text.replace(".", "", 1).isdecimal()


_known = KnownRows()


def known_rows() -> KnownRows:
    """Those of this process; new ones when they have become too many."""
    global _known
    if _known.is_full:
        _known = KnownRows()
    return _known


def forget_rows() -> None:
    """As in a new process."""
    global _known
    _known = KnownRows()
