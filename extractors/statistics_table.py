"""The statistics form in a table: what its header says of each column, and which cell of a row is this year's number.

Tells columns by the header's words and places. Where a row no longer fits its header no cell is chosen: never by
looking at the numbers themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from extractors import forms
from extractors.labels import key
from extractors.numbers import unit_of
from extractors.records import Grid, GridCell

_YEAR = re.compile(r"(20[0-4]\d)年度?")
VALUES = ("value", "this_year", "cumulative", "last_year")
"""Kinds of columns that hold numbers of the form's rows; a year's own column is `year` and its four digits."""


class Column(NamedTuple):
    """A column of a header: where it stands, and what it holds (a word of `statistics.yml`'s header; "" for others)."""

    column: int
    colspan: int
    kind: str


class Header(NamedTuple):
    """The columns right of the label. `place`: which of them holds this year's number, None when that is not told."""

    columns: tuple[Column, ...] = ()
    place: int | None = 0


@lru_cache(maxsize=4096)
def kind_of(label: str) -> str:
    """What a column with this header holds; "" when the header is none of the form's."""
    words = forms.statistics().header
    for kind, labels in words.items():
        if label in labels:
            return kind
    for ending in ("", *words["value"]):
        start = label.removesuffix(ending)
        if year := _YEAR.fullmatch(start):
            return f"year {year[1]}"
        if ending and start != label and any(start in words[kind] for kind in VALUES[1:]):
            return kind_of(start)
    return ""


def header_of(row: Sequence[GridCell], keys: Sequence[str]) -> Header | None:
    """统计指标 | 单位 | 统计数 and its like, a column of row numbers before or between them or not."""
    kinds = [kind_of(k) if k else "" for k in keys]
    told = [kind for kind in kinds if kind]
    if "label" not in told or (told[0] != "label" and told[:2] != ["number", "label"]):
        return None
    if not any(_is_value(kind) for kind in told):
        return None
    first = len(kinds) - kinds[::-1].index("label")
    return _header([Column(c.column, c.colspan, k) for c, k in zip(row, kinds, strict=True)][first:])


def lower_header(header: Header, row: Sequence[GridCell], keys: Sequence[str]) -> Header | None:
    """本年 | 累计 in a second line below the header's 统计数."""
    kinds = [kind_of(k) for k in keys if k]
    if len(kinds) < 2 or not all(_is_value(kind) for kind in kinds):
        return None
    lower = [Column(c.column, c.colspan, kind_of(k)) for c, k in zip(row, keys, strict=True) if k]
    left, right = lower[0].column, lower[-1].column + lower[-1].colspan
    above = [
        c for c in header.columns if _is_value(c.kind) and c.column < right and c.column + c.colspan > left
    ]
    if len(above) != 1 or (above[0].column, above[0].column + above[0].colspan) != (left, right):
        return None
    at = header.columns.index(above[0])
    return _header([*header.columns[:at], *lower, *header.columns[at + 1 :]])


def _is_value(kind: str) -> bool:
    return kind in VALUES or kind.startswith("year")


def _header(columns: Sequence[Column]) -> Header:
    kinds = [column.kind for column in columns]
    return Header(tuple(columns), this_years(kinds))


def this_years(kinds: Sequence[str]) -> int | None:
    """Which column is this year's: 本年, else the latest year, else the only one beside columns of other times."""
    for wanted in ("this_year", max((kind for kind in kinds if kind.startswith("year")), default="value")):
        found = [place for place, kind in enumerate(kinds) if kind == wanted]
        if found:
            others = {kind for kind in kinds if _is_value(kind)} - {wanted}
            is_told = len(found) == 1 and not (wanted != "value" and "value" in others)
            return found[0] if is_told else None
    return None


def halves(grid: Grid) -> tuple[Grid, ...]:
    """The tables that stand side by side in a grid whose header repeats itself, left to right; else the grid itself."""
    for row in grid.rows[:6]:
        labels = [cell.column for cell in row if _is_label_column(cell.text)]
        if len(labels) < 2:
            continue
        edges = [0, *labels[1:], 1 << 30]
        lengths = {len([c for c in row if a <= c.column < b]) for a, b in pairwise(edges)}
        if len(lengths) > 1 or (grid.padded and any(len(r) not in (len(row), 1, 0) for r in grid.rows)):
            return (grid,)
        return tuple(_between(grid, a, b) for a, b in pairwise(edges))
    return (grid,)


def _is_label_column(text: str) -> bool:
    return bool(text) and not text.isdecimal() and kind_of(key(text)) == "label"


def _between(grid: Grid, left: int, right: int) -> Grid:
    parts = (tuple(cell for cell in row if left <= cell.column < right) for row in grid.rows)
    rows = tuple(row for row in parts if row)
    return Grid(rows, widths=tuple(map(len, rows)) if grid.padded else (), cut=grid.cut)


def choose(header: Header, rest: Sequence[GridCell], is_padded: bool) -> tuple[str, GridCell | None]:
    """(unit, this year's cell) of what stands right of a row's label; None when the row no longer tells it."""
    columns, place = header
    if not columns:
        unit, rest = _unit_first(rest)
        return unit, rest[0] if len(rest) == 1 else None
    if place is None:
        return "", None
    kinds = [column.kind for column in columns]
    units = [number for number, kind in enumerate(kinds) if kind == "unit"]
    laid = [(cell.column, cell.colspan) for cell in rest]
    is_laid = not is_padded and laid == [column[:2] for column in columns]
    is_counted = len(rest) == len(columns) and all(cell.colspan == 1 for cell in rest)
    if is_padded and place < len(rest) < len(columns):
        # Blank cells at a row's end are not kept by every text: what stands before them is in its place.
        is_counted = bool(units) and not any(_is_value(kind) for kind in kinds[len(rest) :])
    if is_laid or is_counted:
        found = [rest[number].text for number in units if number < len(rest)]
        if is_laid or all(unit_of(text) or not text.strip() for text in found):
            return next(filter(None, map(unit_of, found)), ""), rest[place]
        return "", None
    if any(not (kind == "unit" or _is_value(kind)) for kind in kinds):
        return "", None
    unit, rest = _unit_first(rest)
    values = [kind for kind in kinds if kind != "unit"]
    if len(rest) != len(values) or any(cell.colspan > 1 for cell in rest if len(values) > 1):
        return unit, None
    return unit, rest[sum(kind != "unit" for kind in kinds[:place])]


def _unit_first(rest: Sequence[GridCell]) -> tuple[str, Sequence[GridCell]]:
    unit = unit_of(rest[0].text) if rest else ""
    return unit, rest[1:] if unit or (len(rest) == 2 and not rest[0].text.strip()) else rest
