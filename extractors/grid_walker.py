"""Walks a grid row by row, with what the rows above say; a row of a shape that was read before is read from memory.

Never decides what a row means: that is `grid_reader`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import repeat
from operator import ne
from typing import Any, NamedTuple

from extractors import forms
from extractors.known_rows import (
    LONGEST_SHAPE,
    LONGEST_TABLE,
    Plan,
    has_numbers,
    keep_table,
    known_rows,
    shape_of_row,
)
from extractors.records import Grid, GridCell
from extractors.review_header import ReviewHeader
from extractors.review_rows import ResultsBelow
from extractors.sheet import Printed, Sheet
from extractors.statistics_table import Header, halves


class TableState(NamedTuple):
    """What the rows read so far say about those to come: the kind of table and its header."""

    table_kind: str = ""
    blocks: tuple[forms.Block, ...] = ()
    units: tuple[str, ...] = ()
    header_cells: tuple[GridCell, ...] = ()
    half_header: tuple[tuple[GridCell, ...], ...] = ()
    applicants: tuple[tuple[str, GridCell], ...] = ()
    upper_header: tuple[tuple[int, str], ...] = ()
    sides: tuple[tuple[str, int, int], ...] = ()
    header_end: int = 0
    statistics: Header = Header()
    review: ReviewHeader = ReviewHeader()
    results: ResultsBelow = ResultsBelow()
    is_stray: bool = False
    header_is_full: bool = True
    has_sides: bool = False

    def key(self) -> Hashable:
        """Equal for states under which every row reads the same: the line a header stands in does not count."""
        return (
            *(self.table_kind, self.blocks, self.units, self.upper_header, self.sides, self.header_end),
            *(self.statistics, self.review, self.results, self.is_stray, self.header_is_full, self.has_sides),
            tuple(cell[::2] for cell in self.header_cells),
            tuple(tuple(cell[::2] for cell in column) for column in self.half_header),
            tuple((name, cell[::2]) for name, cell in self.applicants),
        )


_NOTHING = Plan((), (), "")
"""What an empty row gives."""


class GridWalker(ABC):
    """Walks grids row by row. State passes from one grid to the next, since tables are split over several.

    `state` is the number of the state (`known_rows`); the fields hold it only while a row is read in full.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.known = known_rows()
        self.forget()

    def forget(self) -> None:
        """A new chapter begins: no header reaches into it."""
        self._take_up(TableState())
        self.state = self._number()

    def _take_up(self, state: TableState) -> None:
        self.table_kind = state.table_kind
        self.blocks, self.units, self.header_cells = state.blocks, state.units, state.header_cells
        self.half_header = [list(column) for column in state.half_header]
        self.applicants, self.upper_header = dict(state.applicants), dict(state.upper_header)
        self.statistics, self.review, self.results = state.statistics, state.review, state.results
        self.is_stray, self.header_is_full = state.is_stray, state.header_is_full
        self.has_sides, self.sides, self.header_end = state.has_sides, state.sides, state.header_end

    def _number(self) -> int:
        """The number of the state the fields hold."""
        state = TableState(
            table_kind=self.table_kind,
            blocks=self.blocks,
            units=self.units,
            header_cells=self.header_cells,
            half_header=tuple(map(tuple, self.half_header)),
            applicants=tuple(self.applicants.items()),
            upper_header=tuple(self.upper_header.items()),
            statistics=self.statistics,
            review=self.review,
            results=self.results,
            is_stray=self.is_stray,
            header_is_full=self.header_is_full,
            has_sides=self.has_sides,
            sides=self.sides,
            header_end=self.header_end,
        )
        return self.known.number_of(state.key(), state)

    def read(self, grid: Grid, table: int) -> None:
        self.table = table
        shapes = [shape_of_row(row) for row in grid.rows]
        place = (self.state, self.sheet.last_statistic, grid.widths, *shapes)
        plan = None if grid.cut else self.known.grids.get(place)
        if plan:
            self.sheet.repeat(plan, [cell[0] for row in grid.rows for cell in row], table, 1)
            self.state = plan.state
            return
        parts = halves(grid)
        if len(parts) > 1:
            for part in parts:
                self._read_grid(part, [shape_of_row(row) for row in part.rows])
            return
        plans = self._read_grid(grid, shapes)
        if None not in plans and not grid.cut and len(plans) <= LONGEST_TABLE:
            keep_table(self.known.grids, place, self._joined(grid, plans))

    def _joined(self, grid: Grid, plans: Sequence[Plan | None]) -> Plan:
        """What a grid gives whose rows give these."""
        cells = []
        before = 0
        for row, plan in zip(grid.rows, plans, strict=True):
            for name, place, _, column, unit in plan.cells if plan else ():
                cells.append((name, before + place, row[0].row, column, unit))
            before += len(row)
        return Plan(
            tuple(cells),
            tuple(form for plan in plans if plan for form in plan.votes),
            next((plan.last_statistic for plan in reversed(plans) if plan and plan.last_statistic), ""),
            self.state,
        )

    def _read_grid(self, grid: Grid, shapes: Sequence[tuple[Any, ...]]) -> list[Plan | None]:
        """Reads row by row; gives the plan of each, None of those that were read in full."""
        self.grid = grid
        self.width = self._usual_width(grid)
        self.has_padding = grid.padded and any(map(ne, grid.widths, map(len, grid.rows)))
        last = grid.rows[-1] if grid.rows else ()
        plans: list[Plan | None] = []
        for row, shape, width in zip(grid.rows, shapes, grid.widths or repeat(0), strict=False):
            if not row:
                plans.append(_NOTHING._replace(state=self.state))
                continue
            self.is_last = row is last
            self.cut_cell = row[-1] if grid.cut and self.is_last else None
            # So wide that no cell of it is missing.
            self.is_full = (width or row[-1].column + row[-1].colspan) == self.width
            plans.append(self._read_known_row(row, shape))
        return plans

    def _usual_width(self, grid: Grid) -> int:
        """Where most rows end: fields in a text with pipes, laid-out columns in a page."""
        ends = Counter(grid.widths or [row[-1].column + row[-1].colspan for row in grid.rows if row])
        return max(ends.items(), key=lambda item: (item[1], item[0]))[0] if ends else 0

    def _read_known_row(self, row: tuple[GridCell, ...], shape: tuple[Any, ...]) -> Plan | None:
        """Reads a row as one of its shape was read before, by that one's plan; in full when there was none."""
        is_padded = self.grid.padded
        place = (
            self.state,
            self.sheet.last_statistic,
            self.width,
            self.is_full,
            is_padded,
            self.has_padding,
            is_padded and self.is_last,
            shape,
        )
        plan = self.known.plans.get(place)
        if plan is not None and self.cut_cell is None:
            self.sheet.repeat(plan, [cell[0] for cell in row], self.table, row[0].row + 1)
            self.state = plan.state
            return plan
        self._take_up(self.known.state_of(self.state))
        self.sheet.watch()
        self._read_row(row)
        before, self.state = self.state, self._number()
        seen = self.sheet.seen()
        if seen is None or self.cut_cell is not None:
            return None
        if has_numbers(shape) and (not seen.cells or before != self.state):
            return None  # numbers that stand in a header may decide what it means
        if sum(len(cell.text) for cell in row) <= LONGEST_SHAPE:
            places = {cell.column: place for place, cell in enumerate(row)}
            cells = tuple(
                (name, places[printed.column - 1], 0, printed.column, unit)
                for name, printed, unit in seen.cells
            )
            self.known.plans[place] = Plan(cells, tuple(seen.votes), seen.last_statistic, self.state)
        return None

    def _in_order(self, row: Sequence[GridCell], values: Sequence[GridCell], n: int) -> list[Printed] | None:
        """The first n cells after the label, when nothing else than padding follows and no cell can be missing."""
        is_full = self.is_full
        if values and not (values[0].text or values[-1].text or any(cell.text.strip() for cell in values)):
            return [self._printed(values[0])] * n
        if len(values) == n:
            ends_in_print = bool(values[-1].text.strip())
            begins_in_print = bool(values[0].text.strip())
            safe = is_full or (ends_in_print if self.grid.padded else begins_in_print)
            if not safe and not (self.grid.padded and self.is_last):
                return None
            # One print across several columns stands for all of them or for none: not told.
            if not self.grid.padded and n > 1 and not is_full and any(cell.colspan > 1 for cell in values):
                return None
            return [self._printed(cell) for cell in values]
        rest = [cell.text.strip() for cell in values[n:]]
        blanks = [not cell.text.strip() for cell in values[:n]]
        # Where no pipe is sure to be padding, a blank first value may as well be what is left of a label's span.
        begins = self.has_padding or not any(blanks[:1])
        is_told = not any(blanks) or (is_full and len(rest) == 1 and begins)
        if self.grid.padded and len(values) > n and is_told and not any(rest):
            # Lone pipes after the last value: places of padding, which look like blank cells.
            return [self._printed(cell) for cell in values[:n]]
        return None

    @abstractmethod
    def _read_row(self, row: tuple[GridCell, ...]) -> None:
        """Reads a row without its padding into the sheet, or takes it for a header and changes the state."""

    def _printed(self, cell: GridCell, mark: str = "") -> Printed:
        if cell is self.cut_cell:
            mark = "cut"
        return Printed(cell.text, mark, self.table, cell.row + 1, cell.column + 1)

    def _raw(self, row: Sequence[GridCell], values: Sequence[GridCell]) -> Printed:
        """The whole row, for cells whose column is lost."""
        text = " | ".join(cell.text for cell in values)
        return Printed(text[:500], "column_lost", self.table, row[0].row + 1, 0)

    def _leave(self, row: Sequence[GridCell], code: str, reason: str) -> None:
        text = " | ".join(cell.text for cell in row)
        self.sheet.leave(code, reason, text, self.table, row[0].row + 1, row[0].column + 1)
