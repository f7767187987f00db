"""Chapter 四 printed with one result a row: groups one below the other, or side by side as columns.

Tells which group a row's numbers belong to by what is printed beside or above them; where nothing does, by none. Reads
no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from extractors import forms
from extractors.numbers import is_value_like, unit_of
from extractors.records import GridCell


class ResultRow(NamedTuple):
    """A row of one result. groups: whose numbers stand in it, in printed order, () when nothing tells."""

    result: str
    groups: tuple[str, ...]
    values: tuple[GridCell, ...]


class ResultsBelow(NamedTuple):
    """How far a table with one number a row was read: all fifteen in the form's order, each group named where it begins.

    Anything less strict would give a group the numbers of another where rows are missing or moved. read: numbers read
    so far, None once a row was out of order. named: the group that a row of its own has just named.
    """

    read: int | None = 0
    named: str = ""

    def row_of(self, row: Sequence[GridCell], keys: Sequence[str]) -> ResultRow | None:
        """行政复议 | 结果维持 | 3, or 结果纠正 | 0 below it; None for other rows."""
        labels = _labels_before_value(row, keys)
        if labels is None:
            return None
        words = forms.review()
        *before, last = labels
        result = words.results.exact(last)
        named = [code for label in before for code in words.groups.exact(label)] or [self.named]
        if not result or len(named) > 1 or any(_names_no_group(label) for label in before):
            return None
        # 总计 alone stands in many tables, and a blank behind a label in many headers.
        is_own = last not in forms.requests().common_words and bool(row[-1].text.strip())
        if not (is_own or named[0] or self.read != 0):
            return None
        place = words.result_codes.index(result[0])
        wanted, begun = divmod(self.read or 0, len(words.result_codes))
        group = (*words.group_codes, "")[wanted]
        is_next = self.read is not None and place == begun and (named[0] == group or (begun and not named[0]))
        return ResultRow(result[0], (group,) if is_next and group else (), (row[-1],))

    def after(self, found: ResultRow) -> ResultsBelow:
        """What the next row stands below."""
        return ResultsBelow((self.read or 0) + 1 if found.groups else None)

    def below(self, group: str) -> ResultsBelow:
        """The same below a row that names only a group."""
        return self._replace(named=group)


def _names_no_group(label: str) -> bool:
    words = forms.review()
    return not words.groups.exact(label) and label not in words.group_headings


def _labels_before_value(row: Sequence[GridCell], keys: Sequence[str]) -> list[str] | None:
    """The keys of a row's labels, when its last cell can be a value and stands right behind them, a unit between or not."""
    if not row or not is_value_like(row[-1].text):
        return None
    end = len(row) - 1
    if end > 1 and unit_of(row[end - 1].text):
        end -= 1
    start = next((i for i, k in enumerate(keys[:end]) if k), end)
    labels = list(keys[start:end])
    return (
        labels if labels and all(labels) and not any(is_value_like(c.text) for c in row[start:end]) else None
    )


def row_across(
    places: Sequence[tuple[str, int, int]], row: Sequence[GridCell], keys: Sequence[str], is_padded: bool
) -> ResultRow | None:
    """结果维持 | 3 | 0 | 1 below the groups' names; `places`: (group, column, colspan) of those. None for other rows."""
    result = forms.review().results.exact(keys[0]) if keys else ()
    values = row[1:]
    if not result or not values or not all(is_value_like(cell.text) for cell in values):
        return None
    laid = [(cell.column, cell.colspan) for cell in values]
    fits = len(values) == len(places) if is_padded else laid == [place[1:] for place in places]
    return ResultRow(result[0], tuple(group for group, _, _ in places) if fits else (), tuple(values))
