"""Whether a text is a label of any form: for finding tables whose borders are lost. Says not which label it is."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from extractors import forms


class KnownLabels:
    """Whether a key is any label of any form."""

    def __init__(self) -> None:
        requests, review, proactive = forms.requests(), forms.review(), forms.proactive()
        statistics = forms.statistics()
        self._mark = re.compile(
            rf"(?:[^无]\w{{0,19}}条例)?{proactive.section_mark}(?:第?[一二三四五六七八九]?款?第?项)?"
        )
        self.corner = requests.corner
        self.labels = {
            *requests.rows.meanings,
            *requests.columns.meanings,
            *requests.column_groups,
            *review.groups.meanings,
            *review.group_headings,
            *review.results.meanings,
            *proactive.items.meanings,
            *proactive.header_starts,
            *proactive.column_words,
            *statistics.spelled.meanings,
            *statistics.headings,
            *(label for labels in statistics.header.values() for label in labels),
        }

        self._first = {*proactive.items.meanings, *proactive.header_starts}
        self._columns = {
            *requests.columns.meanings,
            *(w for words in statistics.header.values() for w in words),
        }
        self._rows = {*requests.rows.meanings, *statistics.rows.meanings, *statistics.headings}
        self._long = tuple(
            label
            for label in (*requests.rows.meanings, *statistics.rows.meanings, *statistics.headings)
            if len(label) >= 5
        )

    def opens_row(self, label: str, before: str) -> bool:
        """Whether a label stands first in its row: wherever it is printed, or as a row's behind the label of a column."""
        if label in self._first or self._mark.fullmatch(label):
            return True
        return before in self._columns and label in self._rows and label not in self._columns

    @lru_cache(maxsize=8192)  # noqa: B019 (there is one object, for the life of the process)
    def begins(self, label: str) -> bool:
        """Whether the key is a label, a long one followed by something (a row with its numbers), or a long one's part."""
        if self(label) or label.startswith(self._long):
            return True
        return len(label) >= 4 and any(known.startswith(label) for known in self._long)

    def __call__(self, label: str) -> bool:
        if not label:
            return False
        return label in self.labels or bool(self._mark.fullmatch(label)) or label.startswith(self.corner)

    def like(self, label: str) -> bool:
        """The same, misprints and filling instructions allowed."""
        if self(label):
            return True
        if label.isdecimal():
            return False
        sets = (forms.requests().rows, forms.proactive().items, forms.statistics())
        return len(label) > 3 and any(labels.find(label) for labels in sets)


@cache
def known_labels() -> KnownLabels:
    return KnownLabels()
