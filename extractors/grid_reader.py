"""Tables with rows and columns → cells on the sheet, row by row; header rows say what the rows below them mean.

A row whose columns cannot be told for certain is lost and says so. Knows nothing of texts without borders (`stream`).
"""

from __future__ import annotations

from collections.abc import Sequence

from extractors import forms
from extractors.grid_walker import GridWalker
from extractors.labels import fold, key, plain
from extractors.numbers import is_value_like, unit_of, unit_of_label
from extractors.records import GridCell
from extractors.sheet import Printed
from extractors.statistics_table import choose, header_of, lower_header


class GridReader(GridWalker):
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
        has_digits = any(_has_digit(row[i].text) for i in filled)
        if self.table_kind == "requests" and not has_digits:
            self._lower_header(row)
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
            self.half_header = [[cell] for cell in columns]
            self._use_header()
            if not self.blocks:
                self.half_header = [[cell] for cell in _merged(columns)]
                self._use_header()
            return True
        if not self.half_header or self.blocks or words.items.find(keys[first]):
            return False
        lower = [cell for cell, k in zip(row, keys, strict=True) if k]
        if any(_has_digit(cell.text) for cell in lower) or not lower:
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
            if any(_has_digit(cell.text) for cell in values):
                self._leave(
                    row, "no_header", "the header above this row is missing, damaged or not of this item"
                )
            return True
        n = len(block)
        chosen = self._in_order(row, values, n) or self._under_header(row, values, n)
        self.sheet.proactive(meanings[0], block, self.units, chosen, self._raw(row, values))
        return True

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

    # -- chapter 三 ----------------------------------------------------------------------------------------------

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
        if self.table_kind != "requests" or groups:
            self.applicants = {}
        self.table_kind = "requests"
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
            is_group = row[i].rowspan > 1 and any(_has_digit(cell.text) for cell in row[i + 1 :])
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
            if any(_has_digit(cell.text) for cell in row[label + 1 :]):
                self._leave(
                    row,
                    "group_with_numbers",
                    "numbers stand beside a heading of the form, their row is not told",
                )
            return True
        self.table_kind = "requests"
        values = row[label + 1 :]
        if "total" in self.applicants and not self.grid.padded:
            # Several tables run into one differ in width: the header's own right end counts.
            right = self.applicants["total"]
            self.is_full |= row[-1].column + row[-1].colspan == right.column + right.colspan
        chosen = None
        # A row moved to the left that is too short and ends blank: filling may stand where a value is missing.
        is_short = self._is_packed() and not (self.is_full or self.grid.padded or values[-1].text.strip())
        if not is_short and not self._has_other_order():
            chosen = self._in_order(row, values, 7) or self._by_applicant(row, values)
        self.sheet.request(meaning, chosen, self._raw(row, values))
        return True

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
        if any(map(_has_digit, keys)) or (is_alone and self.table_kind != "review"):
            return False
        self.table_kind = "review"
        self.review = self.review.with_row(row, keys)
        return True

    def _review_values(self, row: Sequence[GridCell], keys: Sequence[str]) -> bool:
        found = self.review.filled_by(row, keys, self.grid.padded)
        if found is None:
            return False
        groups, values = found
        if any(_has_digit(cell.text) for cell in row if cell not in values):
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
    return _has_digit(text) and is_value_like(text)


def _is_numbered(label: str) -> bool:
    """Whether a row's label is numbered as on the form: （七）总计, 3.其他."""
    return fold(label) != key(label)


def _has_digit(text: str) -> bool:
    return any("0" <= character <= "9" or "０" <= character <= "９" for character in text)
