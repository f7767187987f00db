"""Tables with rows and columns → cells on the sheet, row by row; header rows say what the rows below them mean.

A row whose columns cannot be told for certain is lost and says so. Knows nothing of texts without borders (`stream`).
"""

from __future__ import annotations

from collections.abc import Sequence

from extractors import forms
from extractors.labels import key
from extractors.numbers import has_digit, is_value_like, unit_of, unit_of_label
from extractors.records import GridCell
from extractors.requests_reader import RequestsReader, is_turned
from extractors.review_rows import ResultsBelow, row_across
from extractors.sheet import Printed
from extractors.statistics_table import choose, header_of, lower_header


class GridReader(RequestsReader):
    """Tells what each row is: a header, a row of one of the four tables, or something left over."""

    def _read_row(self, row: tuple[GridCell, ...]) -> None:
        if not row:
            return
        keys = [key(cell.text) for cell in row]
        filled = [i for i, k in enumerate(keys) if k or row[i].text.strip()]
        if not filled:
            if self.table_kind == "review":
                self._review_values(row, keys)
            return
        if len(filled) > 1 and _is_number(row[filled[0]].text) and not is_value_like(row[filled[1]].text):
            filled = filled[1:]
        first = filled[0]
        if self._result_row(row, keys, filled):
            return
        if self._section(row, keys, filled) or self._header(row, keys, first):
            return
        if self._requests_header(row, keys) or self._review_header(row, keys):
            return
        if self._statistics_header(row, keys):
            return
        if self._proactive_row(row, keys, first) or self._requests_row(row, keys):
            return
        if self.table_kind == "review" and self._review_values(row, keys):
            return
        if self._statistics_row(row, keys):
            return
        has_digits = any(has_digit(row[i].text) for i in filled)
        if self.table_kind == "requests" and not has_digits:
            self._lower_header(row)
        elif has_digits and is_turned(row, keys, first):
            self._leave(row, "unknown_row", "the form's columns stand as rows here, which is not read")
        elif self.table_kind and has_digits and len(filled) > 1:
            self.is_stray = True
            self._leave(row, "unknown_row", "no row of the form has this label")

    # -- chapter 二 ----------------------------------------------------------------------------------------------

    def _section(self, row: Sequence[GridCell], keys: Sequence[str], filled: Sequence[int]) -> bool:
        """第二十条第（一）项, alone in its row, a law's name before it or not."""
        if forms.proactive().section_mark not in keys[filled[0]]:
            return False
        if len({keys[i] for i in filled}) > 1:
            return False
        if len(keys[filled[0]]) > 60:
            return False
        self.table_kind = "proactive"
        self.blocks, self.half_header = (), []
        return True

    def _header(self, row: Sequence[GridCell], keys: Sequence[str], first: int) -> bool:
        """信息内容 and its columns; a header broken over two rows is put together column by column."""
        words = forms.proactive()
        columns = self._columns_of_header(row, keys, first)
        if columns is not None:
            self.table_kind = "proactive"
            self.header_is_full = self.is_full
            self.has_sides = not words.side_columns.isdisjoint(keys)
            self.half_header = [[cell] for cell in columns]
            self._use_header()
            if not self.blocks:
                self.half_header = [[cell] for cell in _merged(columns)]
                self._use_header()
            return True
        if not self.half_header or self.blocks or words.items.find(keys[first]):
            return False
        lower = [cell for cell, k in zip(row, keys, strict=True) if k]
        if any(has_digit(cell.text) for cell in lower) or not lower:
            return False
        for cell in lower:
            for above in self.half_header:
                if above[0].column == cell.column:
                    above.append(cell)
        self._use_header()
        return bool(self.blocks)

    def _columns_of_header(
        self, row: Sequence[GridCell], keys: Sequence[str], first: int
    ) -> list[GridCell] | None:
        """The cells that name columns, when the row is a header: after 信息内容, or all of them known by name.

        A section's mark may stand beside it, a column of remarks or units among them.
        """
        words = forms.proactive()
        here = [i for i in range(first, len(keys)) if keys[i] and keys[i] not in words.side_columns]
        if here and words.section_mark in keys[here[0]]:
            here = here[1:]
        if not here:
            return None
        rest = here[1:]
        if keys[here[0]] not in words.header_starts:
            rest = rest if keys[here[0]] in words.header_corners else here
            if not rest or not words.column_words.issuperset(keys[i] for i in rest):
                return None
        return [row[i] for i in rest]

    def _use_header(self) -> None:
        texts = ["".join(cell.text for cell in column) for column in self.half_header]
        self.blocks = forms.proactive().block_of(tuple(key(text) for text in texts))
        self.units = tuple(unit_of_label(text) for text in texts)
        self.header_cells = tuple(column[0] for column in self.half_header)

    def _proactive_row(self, row: Sequence[GridCell], keys: Sequence[str], first: int) -> bool:
        if forms.proactive().section_mark in keys[first] and first + 1 < len(keys):
            first += 1
        meanings = forms.proactive().items.find(keys[first])
        if not meanings or self.table_kind != "proactive":
            return False
        values = row[first + 1 :]
        block = next((b for b in self.blocks if meanings[0] in b.items), None)
        if block is None:
            if any(has_digit(cell.text) for cell in values):
                self._leave(
                    row, "no_header", "the header above this row is missing, damaged or not of this item"
                )
            return True
        n = len(block)
        chosen = None
        # Beside columns of remarks, as many cells as the form has values may be all but one of them.
        if self.is_full or not self.has_sides:
            chosen = self._in_order(row, values, n) or self._under_header(row, values, n)
        self.sheet.proactive(meanings[0], block, self.units, chosen, self._raw(row, values))
        return True

    def _under_header(
        self, row: Sequence[GridCell], values: Sequence[GridCell], n: int
    ) -> list[Printed] | None:
        """Cells under the header cell they stand below, when the row fills the table; merged ones are lost."""
        if self.grid.padded or len(self.header_cells) != n:
            return None
        # Where several tables run into one, a narrow one is told by cells that stand just below its header's.
        is_whole = self.is_full and self.header_is_full
        if not is_whole and [c[2::2] for c in values] != [c[2::2] for c in self.header_cells]:
            return None
        chosen: list[Printed] = []
        for header in self.header_cells:
            left, right = header.column, header.column + header.colspan
            below = [c for c in values if c.column < right and c.column + c.colspan > left]
            printed = [c for c in below if c.text.strip()]
            if header.colspan > 1 and len(printed) > 1:
                self.sheet.look_away()  # two numbers are compared: another row of this shape may hold others
                if len({c.text for c in printed}) == 1:
                    printed = printed[:1]  # a converter writes a merged cell's text into each place it covers
            if not below or len(printed) > 1:
                return None
            cell = (printed or below)[0]
            crosses = cell.column < left or cell.column + cell.colspan > right
            chosen.append(self._printed(cell, mark="column_lost" if crosses and cell.text.strip() else ""))
        return chosen

    # -- chapter 四 ----------------------------------------------------------------------------------------------

    def _review_header(self, row: Sequence[GridCell], keys: Sequence[str]) -> bool:
        words = forms.review()
        if words.header_words.isdisjoint(keys):
            return False
        known = [
            k for k in keys if k in words.group_headings or words.groups.exact(k) or words.results.exact(k)
        ]
        filled = sum(bool(k) for k in keys)
        names_group = any(k in words.group_headings or words.groups.exact(k) for k in keys)
        stands_aside = bool(keys[0]) and keys[0] not in known
        if not known or (len(known) < filled - stands_aside and not names_group):
            return False
        # 行政复议 alone heads a table of its own where it reaches over its five results.
        is_alone = filled == 1 and max(cell.colspan for cell in row) < len(words.result_codes)
        if any(map(has_digit, keys)) or (is_alone and self.table_kind != "review"):
            return False
        self.table_kind = "review"
        self.review = self.review.with_row(row, keys)
        return True

    def _result_row(self, row: Sequence[GridCell], keys: Sequence[str], filled: Sequence[int]) -> bool:
        """One result a row: of the group named beside or above it, or of all groups below their names."""
        words = forms.review()
        if words.results.meanings.keys().isdisjoint(keys):
            alone = keys[filled[0]] if len(filled) == 1 else ""
            if words.groups.exact(alone):
                self.results = self.results.below(words.groups.exact(alone)[0])
            elif alone not in words.group_headings:
                self.results = ResultsBelow()
            return False
        found = self.results.row_of(row, keys)
        self.results = self.results.after(found) if found else ResultsBelow()
        if found is None and self.review.columns and not self.review.places:
            found = row_across(self.review.columns, row, keys, self.grid.padded)
            self.review = self.review._replace(is_used=self.review.is_used or found is not None)
        if found is None:
            return False
        self.table_kind = "review"
        if found.groups:
            values = [self._printed(cell) for cell in found.values]
            self.sheet.results(found.result, found.groups, values)
        elif any(has_digit(cell.text) for cell in found.values):
            self._leave(row, "unknown_row", "whose reviews or lawsuits this row counts is not told")
        return True

    def _review_values(self, row: Sequence[GridCell], keys: Sequence[str]) -> bool:
        found = self.review.filled_by(row, keys, self.grid.padded)
        if found is None:
            return False
        groups, values = found
        if any(has_digit(cell.text) for cell in row if cell not in values):
            self.sheet.look_away()  # a year beside the values: another row of this shape may hold a number there
        chosen = [self._printed(cell) for cell in values] if groups else None
        self.sheet.review(chosen, self._raw(row, values), groups)
        if groups != forms.review().group_codes:
            self.review = self.review._replace(is_used=True)
        return True

    # -- the statistics form -------------------------------------------------------------------------------------

    def _statistics_header(self, row: Sequence[GridCell], keys: Sequence[str]) -> bool:
        """统计指标 | 单位 | 统计数; of 本年 and 累计 only this year's column counts."""
        header = header_of(row, keys)
        if header is None and self.table_kind == "statistics":
            header = lower_header(self.statistics, row, keys)
        if header is None:
            return False
        self.table_kind, self.statistics = "statistics", header
        return True

    def _statistics_row(self, row: Sequence[GridCell], keys: Sequence[str]) -> bool:
        words = forms.statistics()
        label = -1
        meanings: tuple[str, ...] = ()
        for i, k in enumerate(keys[:3]):
            found = words.find(k) if k and not is_value_like(row[i].text) else ()
            if found:
                label, meanings = i, found
        if label < 0:
            return self.table_kind == "statistics" and any(k in words.headings for k in keys)
        if self.table_kind not in ("statistics", "") and len(row) > 4:
            return False
        rest = row[label + 1 :]
        if rest and keys[label + 1] in words.whole:
            rest = rest[1:]
        if not rest or (len(rest) == 1 and unit_of(rest[0].text)):
            self.sheet.pass_statistic(meanings)
            return self.table_kind == "statistics"
        unit, cell = choose(self.statistics, rest, self.grid.padded)
        self.table_kind = "statistics"
        unit = unit or unit_of_label(row[label].text)
        value = self._printed(cell) if cell else None
        is_alike = not words.spelled.exact(keys[label])
        self.sheet.statistic(meanings, unit, value, self._raw(row, row[label:]), is_alike=is_alike)
        return True


def _merged(cells: Sequence[GridCell]) -> list[GridCell]:
    """Header cells, those with the same text side by side as one that covers them all."""
    merged: list[GridCell] = []
    for cell in cells:
        last = merged[-1] if merged else None
        if last and last.text == cell.text and last.column + last.colspan == cell.column:
            merged[-1] = last._replace(colspan=last.colspan + cell.colspan)
        else:
            merged.append(cell)
    return merged


def _is_number(text: str) -> bool:
    """Whether a text is a value with digits; every number that `known_rows` leaves out is one."""
    return has_digit(text) and is_value_like(text)
