"""Rows that were read before: what a row of one shape gave once, it gives again, with its own numbers.

A row's shape is its texts and places with plain numbers left out; the header above it is part of the look-up. Reports
print the same rows over and over, so most rows are read by one look-up. Holds no number, and never decides what a row
means: that is `grid_reader`, which also says what may not be known by its shape.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import count
from typing import Any, NamedTuple

from extractors.records import GridCell

MOST_ROWS = 20_000
"""Shapes kept; a process that has met more begins anew, so that its memory stays bounded."""
LONGEST_SHAPE = 400
"""Characters of a shape that is kept: longer rows are prose in a table, which nobody prints twice."""
LONGEST_NUMBER = 15


class Plan(NamedTuple):
    """What a row of one shape gives: of each cell its name, place in the row, column (from 1) and unit; and what follows.

    block_form: the form whose header it stood under, "" for none. last_statistic: the row of the statistics form it was.
    state: number of the reader's state behind it.
    """

    cells: tuple[tuple[tuple[str, str | None], int, int, str], ...]
    block_form: str
    last_statistic: str
    state: int


class KnownRows:
    """Plans by (state, shape), and the states themselves, numbered as they were met. May be shared by threads."""

    def __init__(self) -> None:
        self.plans: dict[Hashable, Plan] = {}
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


def shape_of(row: Sequence[GridCell]) -> list[Any]:
    """(text, column, colspan) of each cell; (column, colspan) where the text is a plain number.

    A plain number is digits with at most one point: among such texts no label and no header can be.
    """
    # [::2] of a cell is text, column, colspan, and [2::2] the same without the text: half the time of naming them.
    return [
        cell[2::2]
        if (text := cell[0]).isascii()
        and (text.isdigit() or _is_decimal(text))
        and len(text) <= LONGEST_NUMBER
        else cell[::2]
        for cell in row
    ]


def _is_decimal(text: str) -> bool:
    return text[-1:].isdigit() and text.replace(".", "", 1).isdigit()


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
