"""Ruling lines to the cells they enclose: pure geometry, no text, no file format.

Lines that touch form one table; its cells are the rectangles between walls, merged cells included. Where
lines are broken so that an area is no rectangle, the area is cut into rows: text then stays in the row it is
printed in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from extractors.pdf_page import Rule

SNAP = 3.0
"""Points: lines nearer than this are one line (double borders, cells that each draw their own)."""

NARROWEST = 8.0
"""Points: lines that overhang less than this leave no room for a column; more, and the table's side is open.
"""

MAX_CROSSINGS = 2_000_000
MAX_AREAS = 100_000


@dataclass(frozen=True)
class Area:
    """One cell of a frame, in rows and columns of the frame; `bottom` and `right` are exclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Frame:
    """One ruled table: places of its columns' and rows' edges, its areas, and which area each base cell is
    in.
    """

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    areas: tuple[Area, ...]
    area_of: tuple[tuple[int, ...], ...]

    def place(self, x: float, y: float) -> int | None:
        """Index of the area that holds a point, None outside the frame."""
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        if 0 <= row < len(self.ys) - 1 and 0 <= column < len(self.xs) - 1:
            return self.area_of[row][column]
        return None


def find_frames(horizontals: Sequence[Rule], verticals: Sequence[Rule]) -> list[Frame]:
    """The frames drawn by a page's lines, top to bottom; ValueError when there are far too many lines to be
    tables.
    """
    across, down = _merged(horizontals), _merged(verticals)
    if len(across) * len(down) > MAX_CROSSINGS:
        raise ValueError(f"{len(across):,} horizontal and {len(down):,} vertical lines")
    frames = [_frame(rows, columns) for rows, columns in _touching(across, down)]
    return sorted((frame for frame in frames if frame), key=lambda frame: frame.ys[0])


def _merged(rules: Sequence[Rule]) -> list[Rule]:
    """Lines at (nearly) the same place drawn as one, pieces that touch joined."""
    merged: list[Rule] = []
    for group in _clusters(sorted(rules)):
        at = sum(rule.at for rule in group) / len(group)
        start, end = None, 0.0
        for rule in sorted(group, key=lambda rule: rule.start):
            if start is None:
                start, end = rule.start, rule.end
            elif rule.start <= end + SNAP:
                end = max(end, rule.end)
            else:
                merged.append(Rule(at, start, end))
                start, end = rule.start, rule.end
        if start is not None:
            merged.append(Rule(at, start, end))
    return merged


def _clusters(rules: Iterable[Rule]) -> Iterable[list[Rule]]:
    group: list[Rule] = []
    for rule in rules:
        if group and rule.at - group[0].at > SNAP:
            yield group
            group = []
        group.append(rule)
    if group:
        yield group


def _touching(across: list[Rule], down: list[Rule]) -> Iterable[tuple[list[Rule], list[Rule]]]:
    """Groups of lines connected by crossings, as (horizontals, verticals)."""
    joined = _Sets(len(across) + len(down))
    for i, rule in enumerate(across):
        for j, other in enumerate(down):
            if (
                rule.start - SNAP <= other.at <= rule.end + SNAP
                and other.start - SNAP <= rule.at <= other.end + SNAP
            ):
                joined.join(i, len(across) + j)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = defaultdict(lambda: ([], []))
    for i, rule in enumerate(across):
        groups[joined.find(i)][0].append(rule)
    for j, rule in enumerate(down):
        groups[joined.find(len(across) + j)][1].append(rule)
    return [group for group in groups.values() if group[0] and group[1]]


def _frame(across: list[Rule], down: list[Rule]) -> Frame | None:
    """The areas between connected lines. Open sides are closed where the crossing lines end."""
    xs = _closed([r.at for r in down], min(r.start for r in across), max(r.end for r in across))
    ys = _closed([r.at for r in across], min(r.start for r in down), max(r.end for r in down))
    rows, columns = len(ys) - 1, len(xs) - 1
    if rows < 1 or columns < 1:
        return None
    if rows * columns > MAX_AREAS:
        raise ValueError(f"a table of {rows:,} rows and {columns:,} columns")
    joined = _Sets(rows * columns)
    right_walls = _walls(down, xs, ys)
    bottom_walls = _walls(across, ys, xs)
    for row in range(rows):
        for column in range(columns):
            here = row * columns + column
            if column + 1 < columns and (column + 1, row) not in right_walls:
                joined.join(here, here + 1)
            if row + 1 < rows and (row + 1, column) not in bottom_walls:
                joined.join(here, here + columns)
    return _laid_out(xs, ys, joined)


def _closed(places: list[float], first: float, last: float) -> list[float]:
    """Edges of the lines, and one more on a side where the crossing lines reach far enough to hold text."""
    if first < min(places) - NARROWEST:
        places = [*places, first]
    if last > max(places) + NARROWEST:
        places = [*places, last]
    return edges(places)


def _walls(rules: list[Rule], along: Sequence[float], across: Sequence[float]) -> set[tuple[int, int]]:
    """(edge, interval) pairs: the line at `along[edge]` covers the middle of interval
    `across[k]..across[k+1]`.
    """
    middles = [(a + b) / 2 for a, b in pairwise(across)]
    walls: set[tuple[int, int]] = set()
    for rule in rules:
        edge = min(range(len(along)), key=lambda i: abs(along[i] - rule.at))
        walls.update((edge, k) for k, middle in enumerate(middles) if rule.start <= middle <= rule.end)
    return walls


def _laid_out(xs: list[float], ys: list[float], joined: _Sets) -> Frame:
    rows, columns = len(ys) - 1, len(xs) - 1
    members: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in range(rows):
        for column in range(columns):
            members[joined.find(row * columns + column)].append((row, column))
    areas: list[Area] = []
    area_of = [[0] * columns for _ in range(rows)]
    for cells in members.values():
        for area in _rectangles(cells):
            for row in range(area.top, area.bottom):
                area_of[row][area.left : area.right] = [len(areas)] * (area.right - area.left)
            areas.append(area)
    return Frame(tuple(xs), tuple(ys), tuple(areas), tuple(map(tuple, area_of)))


def _rectangles(cells: list[tuple[int, int]]) -> list[Area]:
    """A connected set of base cells as one area, or, when it is no rectangle, as runs of single rows."""
    top, left = min(r for r, _ in cells), min(c for _, c in cells)
    bottom, right = max(r for r, _ in cells) + 1, max(c for _, c in cells) + 1
    if len(cells) == (bottom - top) * (right - left):
        return [Area(top, left, bottom, right)]
    runs: list[Area] = []
    for row, column in sorted(cells):
        if runs and runs[-1].top == row and runs[-1].right == column:
            runs[-1] = Area(row, runs[-1].left, row + 1, column + 1)
        else:
            runs.append(Area(row, column, row + 1, column + 1))
    return runs


def edges(places: Iterable[float]) -> list[float]:
    """Sorted places, those within SNAP of one another taken as one."""
    found: list[list[float]] = []
    for place in sorted(places):
        if found and place - found[-1][0] <= SNAP:
            found[-1].append(place)
        else:
            found.append([place])
    return [sum(group) / len(group) for group in found]


class _Sets:
    """Disjoint sets of 0..n-1."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, item: int) -> int:
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, a: int, b: int) -> None:
        self._parent[self.find(a)] = self.find(b)
