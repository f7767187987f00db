"""Gathers what the table readers find: cells by indicator and applicant, leftovers, and the form they vote for.

Decides what happens when a cell is found twice or a row excludes another; never looks at a layout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from extractors import forms
from extractors.known_rows import Plan
from extractors.labels import fold
from extractors.records import Cell, GridCell, Leftover, new_record

MOST_LEFTOVERS = 200
SAME, OTHER, ONE_ONLY = "same", "other", "one only"
"""What a cell that is found a second time prints: the same, something else, or only one of the two prints anything."""


class Printed(NamedTuple):
    """One value as printed and where; `mark` as in `records.Cell`."""

    text: str
    mark: str
    table: int
    row: int
    column: int


class Seen(NamedTuple):
    """What one row brought: ((indicator, applicant), column, unit) of each cell; the rest as in `known_rows.Plan`."""

    cells: list[tuple[tuple[str, str | None], int, str]]
    block_form: str = ""
    last_statistic: str = ""


class Sheet:
    """The cells of one document, gathered row by row."""

    def __init__(self, is_ocr: bool = False) -> None:
        self._cells: dict[tuple[str, str | None], Cell] = {}
        self._leftovers: list[Leftover] = []
        self._proactive_forms: Counter[str] = Counter()
        self._last_statistic = ""
        self._alike: set[tuple[str, str | None]] = set()
        self._again: dict[tuple[str, str | None], str] = {}
        self._item_forms: dict[str, set[str]] = {}
        self._is_ocr = is_ocr
        self._seen: Seen | None = None

    def watch(self) -> None:
        """What the next row brings is noted, until `seen` is asked."""
        self._seen = Seen([])

    def look_away(self) -> None:
        """What this row brings depends on more than its shape: it is not noted."""
        self._seen = None

    def seen(self) -> Seen | None:
        """What was noted since `watch`; None when it does not hold for other rows of the same shape."""
        seen, self._seen = self._seen, None
        return seen

    def repeat(self, plan: Plan, row: Sequence[GridCell], table: int) -> None:
        """A row of a known shape: its plan's cells with this row's texts and places."""
        if plan.block_form:
            self._vote(plan.cells[0][0][0], plan.block_form)
        if plan.last_statistic:
            self._last_statistic = plan.last_statistic
        mark = "ocr" if self._is_ocr else ""
        cells = self._cells
        line = row[0].row + 1 if row else 0
        for name, place, column, unit in plan.cells:
            text = row[place][0]
            cell = new_record(Cell, (*name, text, text, unit, mark, table, line, column))
            if name in cells:
                self._oust(name)
            if name in cells:
                self._settle(name, cell)
            else:
                cells[name] = cell

    def proactive(
        self,
        item: str,
        block: forms.Block,
        units: Sequence[str],
        values: Sequence[Printed] | None,
        row: Printed,
    ) -> None:
        """One item of chapter 二 under its header; `values` None when their columns are lost, then `row` is kept."""
        self._vote(f"proactive.{item}.", block.form)
        if self._seen:
            self._seen = self._seen._replace(block_form=block.form)
        for i, column in enumerate(block.columns):
            unit = units[i] if i < len(units) else ""
            self._add(f"proactive.{item}.{column}", None, values[i] if values else row, unit)
        if values is None:
            self._lost(row, f"row {item}: {len(block)} values expected")

    def _vote(self, indicator: str, form: str) -> None:
        """An item of chapter 二 stands under a header of this form."""
        self._proactive_forms[form] += 1
        self._item_forms.setdefault(indicator.split(".")[1], set()).add(form)

    def request(self, code: str, values: Sequence[Printed] | None, row: Printed) -> None:
        """One row of chapter 三: seven values in the order of the applicants, or None."""
        for i, applicant in enumerate(forms.requests().applicants):
            self._add(code, applicant, values[i] if values else row, "")
        if values is None:
            self._lost(row, f"row {code}: 7 values expected")

    def review(
        self, values: Sequence[Printed] | None, row: Printed, groups: Sequence[str] | None = None
    ) -> None:
        """The row of fifteen numbers of chapter 四, or None; of a layout that prints groups apart, those of `groups`."""
        words = forms.review()
        named = [f"{group}.{result}" for group in groups or () for result in words.result_codes]
        for i, indicator in enumerate(named or words.indicators):
            self._add(indicator, None, values[i] if values else row, "")
        if values is None:
            self._lost(row, "reviews and lawsuits: 15 values expected")

    def results(self, result: str, groups: Sequence[str], values: Sequence[Printed]) -> None:
        """One result of chapter 四, of each of the groups."""
        for group, value in zip(groups, values, strict=True):
            self._add(f"{group}.{result}", None, value, "")

    def statistic(
        self,
        meanings: Sequence[str],
        unit: str,
        value: Printed | None,
        row: Printed,
        is_alike: bool = False,
    ) -> None:
        """One row of the statistics form. A label that stands twice belongs to the section of the row before it.

        is_alike: its label is only like the form's; it then gives way to the row that is the form's.
        """
        place = forms.statistics().place
        if len(meanings) > 1:
            self.look_away()
            follows = [code for code in meanings if self._follows(place, code)]
            if len(follows) != 1:
                self.leave(
                    "label_stands_twice", "the section this row belongs to is not told", row.text, *row[2:]
                )
                return
            meanings = follows
        name = (meanings[0], None)
        if is_alike:
            self.look_away()
            if name in self._cells and name not in self._alike:
                self.leave("unknown_row", "no row of the form has this label", row.text, *row[2:])
                return
            self._alike.add(name)
        else:
            self._oust(name)
        self._last_statistic = meanings[0]
        if self._seen:
            self._seen = self._seen._replace(last_statistic=meanings[0])
        self._add(meanings[0], None, value or row, unit)
        if value is None:
            self._lost(row, f"row {meanings[0]}: one value expected")

    def _oust(self, name: tuple[str, str | None]) -> None:
        """The row that is the form's own has come: one that was only like it is none of the form's."""
        if name in self._alike:
            self._alike.discard(name)
            cell = self._cells.pop(name)
            reason = "no row of the form has this label"
            self.leave("unknown_row", reason, cell.raw_text, cell.table, cell.row, cell.column)

    def pass_statistic(self, meanings: Sequence[str]) -> None:
        """A row of the statistics form without a value was passed; it tells the section of those after it."""
        if len(meanings) == 1:
            self._last_statistic = meanings[0]
            if self._seen:
                self._seen = self._seen._replace(last_statistic=meanings[0])

    def _follows(self, place: dict[str, int], code: str) -> bool:
        """Whether the row before was this one's predecessor on the form, or its section's first row."""
        if not self._last_statistic:
            return False
        same_section = self._last_statistic.split(".")[1] == code.split(".")[1]
        return same_section and place[self._last_statistic] < place[code]

    def leave(self, code: str, reason: str, text: str, table: int, row: int, column: int) -> None:
        """Names something that stands in a statutory table and was not used."""
        self.look_away()
        if len(self._leftovers) < MOST_LEFTOVERS:
            self._leftovers.append(Leftover(code, reason, text[:500], table, row, column))

    def _lost(self, row: Printed, expected: str) -> None:
        self.leave("column_lost", f"{expected}, the layout no longer tells the columns", row.text, *row[2:])

    def _add(self, indicator: str, applicant: str | None, printed: Printed, unit: str) -> None:
        mark = printed.mark or ("ocr" if self._is_ocr else "")
        text = printed.text
        cell = new_record(Cell, (indicator, applicant, text, text, unit, mark, *printed[2:]))
        name = (indicator, applicant)
        if printed.mark:
            self.look_away()
        elif self._seen:
            self._seen.cells.append((name, printed.column - 1, unit))
        if name in self._cells:
            self._settle(name, cell)
        else:
            self._cells[name] = cell

    def _settle(self, name: tuple[str, str | None], cell: Cell) -> None:
        """A cell found twice: what is printed goes before a blank; two different prints are told, none is taken."""
        known = self._cells[name]
        is_told, is_told_again = not _says_nothing(known), not _says_nothing(cell)
        is_same = is_told == is_told_again and fold(known.printed) == fold(cell.printed)
        if not is_same or name not in self._again:
            self._again[name] = SAME if is_same else OTHER if is_told and is_told_again else ONE_ONLY
        if is_told_again and not is_told:
            self._cells[name] = cell
        elif is_told and is_told_again and not is_same:
            both = f"{known.printed} / {cell.printed}"
            self._cells[name] = known._replace(printed=both, raw_text=both, mark="ambiguous")
            reason = f"{cell.indicator} is printed twice with different values"
            self.leave("printed_twice", reason, both, cell.table, cell.row, cell.column)

    def _doubt_twins(self) -> None:
        """Where a whole table stands twice with other numbers, only what both print alike is certain."""
        two_forms = any(len(seen) > 1 for seen in self._item_forms.values())
        if not self._again and not two_forms:
            return
        kinds: dict[str, list[tuple[str, str | None]]] = {}
        for name in self._cells:
            kinds.setdefault(_table_of(name[0]), []).append(name)
        for kind, names in kinds.items():
            again = [name for name in names if name in self._again]
            other = {name[0] for name in again if self._again[name] == OTHER}
            is_twin = len(other) > 1 or (other and 2 * len(again) > len(names))
            if not is_twin and not (kind == "proactive" and two_forms):
                continue
            doubtful = [
                name for name in names if self._again.get(name) != SAME and not self._cells[name].mark
            ]
            doubtful = [name for name in doubtful if not _says_nothing(self._cells[name])]
            for name in doubtful:
                self._cells[name] = self._cells[name]._replace(mark="ambiguous")
            if doubtful:
                first = self._cells[doubtful[0]]
                reason = f"{kind}: the table stands twice with other numbers; which one counts is not told"
                self.leave("printed_twice", reason, first.raw_text, first.table, first.row, first.column)

    def finish(self) -> tuple[str | None, list[Cell], list[Leftover]]:
        """(form, cells, leftovers) of the document."""
        words = forms.requests()
        self._doubt_twins()
        indicators = {
            cell.indicator
            for cell in self._cells.values()
            if (cell.printed.isdigit() and not cell.mark) or not _says_nothing(cell)
        }
        if words.single_row in indicators and indicators & words.single_row_instead_of:
            for (indicator, applicant), cell in self._cells.items():
                if indicator == words.single_row and cell.printed.strip():
                    self._cells[indicator, applicant] = cell._replace(mark="ambiguous")
        return self._form(indicators), list(self._cells.values()), self._leftovers

    def _form(self, indicators: set[str]) -> str | None:
        if self._proactive_forms:
            return self._proactive_forms.most_common(1)[0][0]
        if indicators & forms.requests().single_row_instead_of:
            return "2021"
        if forms.requests().single_row in indicators:
            return "2019"
        if any(indicator.startswith("statistics.") for indicator in indicators):
            return "2014"
        return None


def _says_nothing(cell: Cell) -> bool:
    return cell.mark == "column_lost" or not cell.printed.strip()


def _table_of(indicator: str) -> str:
    """The table of the forms an indicator stands in: reviews and lawsuits share one."""
    first = indicator.split(".")[0]
    return "review" if first == "litigation" else first
