"""Chapter 三 in a table: where its header says the applicants stand, and the seven values of each of its rows.

A row whose columns cannot be told for certain is lost and says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from extractors import forms
from extractors.grid_walker import GridWalker
from extractors.labels import fold, key, plain
from extractors.numbers import has_digit, is_value_like
from extractors.records import GridCell
from extractors.sheet import Printed
from extractors.statistics_table import kind_of

SIDES = ("number", "unit", "remark")
"""Kinds of columns beside the applicants'."""


class RequestsReader(GridWalker):
    """Reads the header and the rows of chapter 三."""

    def _requests_header(self, row: Sequence[GridCell], keys: Sequence[str]) -> bool:
        """申请人情况 …, 自然人 …, 商业企业 …: no row of values, but it tells where the columns stand."""
        words = forms.requests()
        if words.header_words.isdisjoint(keys) and not any(k.startswith(words.corner) for k in keys):
            return False
        found = {}
        groups = 0
        for cell, k in zip(row, keys, strict=True):
            meaning = words.columns.exact(k)
            if meaning:
                found[meaning[0]] = cell
            elif k in words.column_groups or k.startswith(words.corner):
                groups += 1
        distinctive = len(set(found) - {"total", "other_org"})
        if not (distinctive or groups) or any(
            words.rows.exact(k) for k in keys if k not in ("其他", "总计", "合计")
        ):
            return False
        if sum(bool(k) for k in keys) > len(found) + groups + 2:
            return False
        if self.table_kind != "requests" or len(self.applicants) == len(words.applicants):
            self.sides, self.header_end = (), 0
        if self.table_kind != "requests" or groups:
            self.applicants = {}
        self.table_kind = "requests"
        named = zip(row, map(kind_of, keys), strict=True)
        self.sides += tuple((kind, cell.column, cell.colspan) for cell, kind in named if kind in SIDES)
        ends = (cell.column + cell.colspan for cell, k in zip(row, keys, strict=True) if k)
        self.header_end = max(self.header_end, *ends)
        self.applicants.update(found)
        self.upper_header = {cell.column: cell.text for cell in row}
        return True

    def _lower_header(self, row: Sequence[GridCell]) -> None:
        """The second line of applicants broken over two rows of cells (商业 / 企业)."""
        for cell in row:
            text = self.upper_header.get(cell.column, "") + cell.text
            meaning = forms.requests().columns.exact(key(text))
            if meaning and cell.text:
                self.applicants[meaning[0]] = cell
            self.upper_header[cell.column] = cell.text

    def _requests_row(self, row: Sequence[GridCell], keys: Sequence[str]) -> bool:
        words = forms.requests()
        label = -1
        meaning = ""
        for i, k in enumerate(keys[:5]):
            meanings = words.rows.find(k) if k else ()
            is_group = row[i].rowspan > 1 and any(has_digit(cell.text) for cell in row[i + 1 :])
            if k and not meanings and label < 0 and not is_value_like(row[i].text) and not is_group:
                break  # something else stands before: 商业 | 科研 | 其他 is the header in pieces
            if not meanings or (label >= 0 and row[i].text and is_value_like(row[i].text)):
                continue
            label, meaning = i, meanings[0]
        is_outside = self.table_kind != "requests" and (len(keys[label]) < 4 or len(row) - label <= 5)
        if label < 0 or label + 1 == len(row) or is_outside or self.table_kind == "review":
            return False
        if keys[label] in words.common_words:
            if self.is_stray and not _is_numbered(row[label].text):
                return False  # 其他 or 总计 below rows that are none of the form: another table's
            if meaning in words.single_row_instead_of and plain(row[label].text).startswith(
                words.single_row_numbers
            ):
                meaning = words.single_row
        else:
            self.is_stray = False
        if meaning.startswith("group:"):
            if any(has_digit(cell.text) for cell in row[label + 1 :]):
                self._leave(
                    row,
                    "group_with_numbers",
                    "numbers stand beside a heading of the form, their row is not told",
                )
            return True
        self.table_kind = "requests"
        values = row[label + 1 :]
        chosen = None
        if self.sides or self._reaches_beyond_the_total():
            chosen = self._beside_sides(row, values)
            self.sheet.request(meaning, chosen, self._raw(row, values))
            return True
        if "total" in self.applicants and not self.grid.padded:
            # Several tables run into one differ in width: the header's own right end counts.
            right = self.applicants["total"]
            self.is_full |= row[-1].column + row[-1].colspan == right.column + right.colspan
        # A row moved to the left that is too short and ends blank: filling may stand where a value is missing.
        is_short = self._is_packed() and not (self.is_full or self.grid.padded or values[-1].text.strip())
        if not is_short and not self._has_other_order():
            chosen = self._in_order(row, values, 7) or self._by_applicant(row, values)
        self.sheet.request(meaning, chosen, self._raw(row, values))
        return True

    def _reaches_beyond_the_total(self) -> bool:
        """Whether the header has a column behind its last, whatever it is called."""
        total = self.applicants.get("total")
        if total is None or self.grid.padded or self._is_packed():
            return False
        return len(self.applicants) == 7 and self.header_end > total.column + total.colspan

    def _beside_sides(self, row: Sequence[GridCell], values: Sequence[GridCell]) -> list[Printed] | None:
        """The seven values of a row with a column of units or remarks, which must lack no cell: a remark is no value."""
        units = sum(kind == "unit" for kind, _, _ in self.sides)
        remarks = sum(kind == "remark" for kind, _, _ in self.sides)
        wanted = len(forms.requests().applicants)
        if self.grid.padded:
            is_whole = len(values) == units + wanted + remarks
            return [self._printed(cell) for cell in values[units : units + wanted]] if is_whole else None
        if (
            row[-1].column + row[-1].colspan != self.header_end
            or self._has_other_order()
            or self._is_packed()
        ):
            return None
        self.is_full = True
        aside = [(column, colspan) for _, column, colspan in self.sides]
        return self._by_applicant(row, [c for c in values if (c.column, c.colspan) not in aside])

    def _has_other_order(self) -> bool:
        """Whether the header names the seven applicants in another order than the form: then no column is certain."""
        columns = [cell.column for cell in self.applicants.values()]
        # The lines of a header interleave in texts without spans; only seven places of their own tell an order.
        if self.grid.padded or len(set(columns)) < 7:
            return False
        order = tuple(sorted(self.applicants, key=lambda name: self.applicants[name].column))
        return order != forms.requests().applicants

    def _by_applicant(self, row: Sequence[GridCell], values: Sequence[GridCell]) -> list[Printed] | None:
        """Seven columns told by the header's places, or by the row's right end when it is as wide as the table."""
        if not self.is_full:
            return None
        if self.grid.padded:
            return None
        columns = {cell.column for cell in self.applicants.values()}
        if len(self.applicants) == len(columns) == 7 and not self._is_packed():
            wanted = [self.applicants[name] for name in forms.requests().applicants]
            places = [(cell.column, cell.column + cell.colspan) for cell in wanted]
        elif self._is_packed():
            chosen = values[:7]
            is_rest_empty = not any(cell.text.strip() for cell in values[7:])
            fits = len(chosen) == 7 and is_rest_empty and all(cell.colspan == 1 for cell in chosen)
            fits = fits and is_value_like(chosen[0].text)  # no unit in the first one's place
            return [self._printed(cell) for cell in chosen] if fits else None
        elif self.applicants or values[-1].text.strip():
            places = [(self.width - 7 + i, self.width - 6 + i) for i in range(7)]
        else:
            return None  # no header says on which side the row is filled up
        found = []
        for left, right in places:
            below = [c for c in values if c.column < right and c.column + c.colspan > left]
            if len(below) != 1:
                return None
            crosses = below[0].column < left or below[0].column + below[0].colspan > right
            lost = crosses and below[0].text.strip()
            found.append(self._printed(below[0], mark="column_lost" if lost else ""))
        first = min(left for left, _ in places)
        covered = {column for left, right in places for column in range(left, right)}
        outside = [
            c
            for c in values
            if c.text.strip()
            and (c.column < first or is_value_like(c.text))
            and covered.isdisjoint(range(c.column, c.column + c.colspan))
        ]
        return None if outside else found

    def _is_packed(self) -> bool:
        """Whether rows are moved to the left, empty cells at their ends in place of spans: no label is beside the header."""
        return any(cell.column == 0 for cell in self.applicants.values())


def is_turned(row: Sequence[GridCell], keys: Sequence[str], first: int) -> bool:
    """Whether a row holds an applicant's numbers, of as many kinds as the form has rows and none of its columns."""
    wanted = len(forms.requests().applicants)
    return bool(forms.requests().columns.exact(keys[first])) and len(row) - first > wanted + 1


def _is_numbered(label: str) -> bool:
    """Whether a row's label is numbered as on the form: （七）总计, 3.其他."""
    return fold(label) != key(label)
