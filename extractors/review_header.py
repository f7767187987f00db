"""The header of chapter 四 as far as it was read, and which groups of results a row of values below it fills.

The national form prints three groups of five results side by side; agencies also print them one below the other, in
several tables, or a group a row. A row is taken only where header and values agree in number. Reads no value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from extractors import forms
from extractors.numbers import has_digit, is_value_like
from extractors.records import GridCell

_YEAR = re.compile(r"20\d\d")
FEWEST_OF_FIFTEEN = 10
"""A row of fewer values is not taken for the form's fifteen with some lost."""
LONGEST_REMARK = 10
"""Characters of a cell that says something else than a number among the values (未统计)."""


class ReviewHeader(NamedTuple):
    """groups: those named since the last values, in printed order. places: (column, colspan) of the results' cells.

    ends: where its rows begin and end, columns at its sides included.
    is_used: values of some groups were read under it, so that the next header row begins another one.
    columns: (group, column, colspan) of the cells that name groups.
    """

    groups: tuple[str, ...] = ()
    places: tuple[tuple[int, int], ...] = ()
    ends: tuple[int, int] = (0, 0)
    is_used: bool = False
    columns: tuple[tuple[str, int, int], ...] = ()

    def with_row(self, row: Sequence[GridCell], keys: Sequence[str]) -> ReviewHeader:
        """The header with one more of its rows."""
        words = forms.review()
        start = ReviewHeader() if self.is_used else self
        named = [words.groups.exact(k)[0] for k in keys if words.groups.exact(k)]
        places = [
            (cell.column, cell.colspan) for cell, k in zip(row, keys, strict=True) if words.results.exact(k)
        ]
        groups = (*start.groups, *(group for group in named if group not in start.groups))
        ends = (row[0].column, max(start.ends[1], row[-1].column + row[-1].colspan))
        if start.places or start.groups:
            ends = (min(start.ends[0], ends[0]), ends[1])
        columns = {
            (words.groups.exact(k)[0], cell.column, cell.colspan)
            for cell, k in zip(row, keys, strict=True)
            if words.groups.exact(k)
        }
        return ReviewHeader(
            groups,
            tuple(sorted((*start.places, *places))),
            ends,
            columns=tuple(sorted({*start.columns, *columns}, key=itemgetter(1))),
        )

    def filled_by(
        self, row: Sequence[GridCell], keys: Sequence[str], is_padded: bool
    ) -> tuple[Sequence[str], Sequence[GridCell]] | None:
        """(groups, their values in printed order) of a row, () for groups whose columns are lost; None for other rows.

        is_padded: rows are filled up with cells that are none of the form's, as in `records.Grid`.
        """
        words = forms.review()
        if len(self.places) < len(words.indicators) and (apart := self._groups_apart(row, keys)):
            return apart
        values = self._below_results(row, is_padded)
        if not self._holds_values(values):
            return None
        if self._has_sides() and not is_padded and _ends(row) != self.ends:
            return (), values  # a remark may stand in a value's place
        # Behind a label a blank may be the pipe that opens the row: then the last value stands elsewhere.
        opens_blank = is_padded and len(values) < len(row) and not values[0].text.strip()
        return (words.group_codes if self._tells_columns(values) and not opens_blank else ()), values

    def _groups_apart(
        self, row: Sequence[GridCell], keys: Sequence[str]
    ) -> tuple[Sequence[str], Sequence[GridCell]] | None:
        """The same where the form's groups stand in tables or rows of their own."""
        words = forms.review()
        labels = 0
        while labels < len(row) and row[labels].text.strip() and not is_value_like(row[labels].text):
            labels += 1
        values = row[labels:]
        if len(values) != len(self.places) or not all(is_value_like(cell.text) for cell in values):
            return None
        named = tuple(words.groups.exact(k)[0] for k in keys[:labels] if words.groups.exact(k))
        groups = named if labels else self.groups
        is_whole = len(values) == len(groups) * len(words.result_codes)
        is_even = len({cell.colspan for cell in values}) == 1
        return (groups, values) if groups and is_whole and is_even else None

    def _below_results(self, row: Sequence[GridCell], is_padded: bool) -> Sequence[GridCell]:
        """The cells of a row that stand below the results, without those of columns at the header's sides."""
        values = list(row)
        wanted = len(forms.review().indicators)
        while len(values) > wanted and values[0].text.strip() and not is_value_like(values[0].text):
            values = values[1:]
        printed = [place for place, cell in enumerate(values) if cell.text.strip()]
        if is_padded and len(values) > wanted and printed and printed[-1] - printed[0] == wanted - 1:
            return values[printed[0] : printed[-1] + 1]
        if len(values) > wanted and len(self.places) == wanted and _ends(row) == self.ends:
            left, right = self.places[0][0], sum(self.places[-1])
            aside = [cell for cell in values if not left <= cell.column < right]
            if all(_is_no_count(cell.text) for cell in aside):
                return [cell for cell in values if left <= cell.column < right]
        return values

    def _has_sides(self) -> bool:
        """Whether the header names the fifteen results and columns beside them."""
        if len(self.places) != len(forms.review().indicators):
            return False
        return self.ends[0] < self.places[0][0] or self.ends[1] > sum(self.places[-1])

    def _holds_values(self, values: Sequence[GridCell]) -> bool:
        """Whether the cells can be the form's fifteen, some of them lost or, below a whole header, some of them words."""
        filled = [cell.text for cell in values if cell.text.strip()]
        others = [text for text in filled if not is_value_like(text.replace("\ufffd", ""))]
        if len(values) == len(self.places) == len(forms.review().indicators):
            return 3 * len(others) <= len(filled) and all(len(text) <= LONGEST_REMARK for text in others)
        return not others and len(values) >= FEWEST_OF_FIFTEEN

    def _tells_columns(self, values: Sequence[GridCell]) -> bool:
        """Whether the fifteen values stand each in a column of its own."""
        if len(values) != len(forms.review().indicators):
            return False
        if all(cell.colspan == 1 or not cell.text.strip() for cell in values):
            return True
        if len(self.places) != len(values):
            return False
        ends_alike = sum(self.places[-1]) == values[-1].column + values[-1].colspan
        return ends_alike and all(
            cell.column < column + span and cell.column + cell.colspan > column
            for cell, (column, span) in zip(values, self.places, strict=True)
        )


def _ends(row: Sequence[GridCell]) -> tuple[int, int]:
    return row[0].column, row[-1].column + row[-1].colspan


def _is_no_count(text: str) -> bool:
    """Whether a cell beside the values is none of them: blank, a dash, a word or a year."""
    return not has_digit(text) or not is_value_like(text) or bool(_YEAR.fullmatch(text.strip()))
