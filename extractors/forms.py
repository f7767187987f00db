"""The forms' words, loaded from `forms/*.yml` and indexed for look-up. Holds no document and reads no number.

A label is looked up by its `labels.key`: exactly, then as the beginning of a longer label (filling instructions left
inside), then by likeness, when one form label is clearly nearer than all others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "forms"

ALIKE = 0.78
"""Least likeness (2 × common characters / all characters) of a misprinted label to the label it is taken for."""
CLEARLY = 0.12
"""By how much it must be nearer than the next."""
SHORTEST_ALIKE = 5
"""Shorter labels (规章, 其他) must be printed right."""
SHORTEST_BEGINNING = 4
NEGATIONS = "不非未"
"""A label that denies what the form's says is not its misprint (主动公开非规范性文件数)."""


@cache
def load(name: str) -> dict[str, Any]:
    """The content of `forms/<name>.yml`."""
    return dict(yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf8")))


class Labels:
    """A set of labels with what each means; several meanings of one label are kept in printed order."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.meanings: dict[str, tuple[str, ...]] = {}
        for label, meaning in pairs:
            known = self.meanings.get(label, ())
            if meaning not in known:
                self.meanings[label] = (*known, meaning)
        self._long = [label for label in self.meanings if len(label) >= SHORTEST_BEGINNING]
        self._near = lru_cache(maxsize=4096)(self._search)

    def exact(self, key: str) -> tuple[str, ...]:
        """Meanings of a label printed right; () for others."""
        return self.meanings.get(key, ())

    def find(self, key: str) -> tuple[str, ...]:
        """Meanings of a label, misprints and filling instructions allowed; () when it is none of them."""
        return self.meanings.get(key) or (self._near(key) if len(key) >= SHORTEST_BEGINNING else ())

    def _search(self, key: str) -> tuple[str, ...]:
        beginnings = [label for label in self._long if key.startswith(label)]
        if beginnings:
            return self.meanings[max(beginnings, key=len)]
        if len(key) < SHORTEST_ALIKE or len(key) > 60:
            return ()
        scored: dict[tuple[str, ...], float] = {}
        for label, meaning in self.meanings.items():
            if any(key.count(word) > label.count(word) for word in NEGATIONS):
                continue
            if abs(len(label) - len(key)) <= max(2, len(label) // 4):
                ratio = SequenceMatcher(None, label, key, autojunk=False).ratio()
                scored[meaning] = max(scored.get(meaning, 0.0), ratio)
        ranked = sorted(scored.items(), key=lambda item: item[1], reverse=True)
        if ranked and ranked[0][1] >= ALIKE and (len(ranked) == 1 or ranked[0][1] - ranked[1][1] >= CLEARLY):
            return ranked[0][0]
        return ()


@dataclass(frozen=True)
class Block:
    """One header row of the proactive table and the items that may stand below it."""

    form: str
    items: frozenset[str]
    columns: tuple[str, ...]
    labels: tuple[frozenset[str], ...]

    def __len__(self) -> int:
        return len(self.columns)


class Proactive:
    """Chapter 二: items, header rows and their columns."""

    def __init__(self) -> None:
        words = load("proactive")
        self.section_mark: str = words["section_mark"]
        self.header_starts = frozenset(words["header_starts"])
        self.header_corners = frozenset(words["header_corners"])
        self.side_columns = frozenset(words["side_columns"])
        self.items = Labels((label, item) for item, labels in words["items"].items() for label in labels)
        self.blocks = tuple(
            Block(
                form=block["form"],
                items=frozenset(block["items"]),
                columns=tuple(block["columns"]),
                labels=tuple(frozenset(labels) for labels in block["columns"].values()),
            )
            for block in words["blocks"]
        )
        self.column_words = frozenset(
            label for block in self.blocks for labels in block.labels for label in labels
        )

    @lru_cache(maxsize=4096)  # noqa: B019 - one instance lives as long as the process
    def block_of(self, headers: tuple[str, ...]) -> tuple[Block, ...]:
        """The blocks whose columns these header keys are, all of them and in order.

        Several blocks share columns (fees of 2019 and licences share two); the item decides between them. A header
        with one misprinted column is taken when the others are right.
        """
        exact = tuple(b for b in self.blocks if self._fits(b, headers, strict=True))
        if exact:
            return exact
        return tuple(b for b in self.blocks if self._fits(b, headers, strict=False))

    def _fits(self, block: Block, headers: tuple[str, ...], *, strict: bool) -> bool:
        if len(headers) != len(block):
            return False
        pairs = list(zip(headers, block.labels, strict=True))
        wrong = [(header, labels) for header, labels in pairs if header not in labels]
        if strict or not wrong:
            return not wrong
        return len(wrong) <= max(1, len(block) - 1) and all(
            max(
                (SequenceMatcher(None, header, label, autojunk=False).ratio() for label in labels),
                default=0.0,
            )
            >= ALIKE
            for header, labels in wrong
        )


class Requests:
    """Chapter 三: rows and applicant columns."""

    def __init__(self) -> None:
        words = load("requests")
        self.columns = Labels((label, code) for code, labels in words["columns"].items() for label in labels)
        self.column_groups = frozenset(words["column_groups"])
        self.header_words = self.column_groups | self.columns.meanings.keys()
        self.corner = tuple(label[:12] for label in words["corner"])
        self.applicants = tuple(words["columns"])
        rows: list[tuple[str, str]] = []
        for row in words["rows"]:
            meaning = row["code"] if "code" in row else f"group:{row['group']}"
            rows += [(label, meaning) for label in row["labels"]]
        self.rows = Labels(rows)
        self.order = tuple(row["code"] for row in words["rows"] if "code" in row)
        self.single_row: str = words["single_row"]["code"]
        self.single_row_numbers = tuple(words["single_row"]["numbers"])
        self.common_words = frozenset(words["common_words"])
        self.single_row_instead_of = frozenset(words["single_row"]["instead_of"])


class Review:
    """Chapter 四: three groups of five results."""

    def __init__(self) -> None:
        words = load("review_litigation")
        self.groups = Labels((label, code) for code, labels in words["groups"].items() for label in labels)
        self.group_codes = tuple(words["groups"])
        self.result_codes = tuple(words["results"])
        self.group_headings = frozenset(words["group_headings"])
        # Kinds of lawsuits: unlike 行政复议 and 行政诉讼 they are named by no chapter's title.
        self.told_apart = frozenset(
            label for code, labels in words["groups"].items() if "." in code for label in labels
        )
        self.results = Labels((label, code) for code, labels in words["results"].items() for label in labels)
        self.header_words = self.group_headings | self.groups.meanings.keys() | self.results.meanings.keys()
        self.indicators = tuple(
            f"{group}.{result}" for group in words["groups"] for result in words["results"]
        )


class Statistics:
    """The 2014 form: rows in printed order; a label that stands twice is told by the row before it.

    Agencies end a label in 数, 数量 or 总数 and begin it with 其中 as they like: `spelled` holds every such spelling.
    """

    def __init__(self) -> None:
        words = load("statistics")
        self.header = {name: frozenset(labels) for name, labels in words["header"].items()}
        self.headings = frozenset(words["headings"])
        self.order = tuple(row["code"] for row in words["rows"])
        self.place = {code: number for number, code in enumerate(self.order)}
        firsts = {code.split(".")[1]: code for code in reversed(self.order)}
        self.first_of_sections = frozenset(firsts.values())
        self.rows = Labels((label, row["code"]) for row in words["rows"] for label in row["labels"])
        self.whole = frozenset(words["whole"])
        self.beginning: str = words["beginning"]
        self.spelled = Labels(
            (spelling, row["code"])
            for row in words["rows"]
            for label in row["labels"]
            for spelling in _spellings(label, words["endings"], self.beginning)
        )

    def find(self, key: str) -> tuple[str, ...]:
        """Rows a label can be: in any of its spellings, else misprinted."""
        return self.spelled.exact(key) or self.rows.find(key.removeprefix(self.beginning))


def _spellings(label: str, endings: dict[str, list[str]], beginning: str) -> list[str]:
    usual = next(ending for ending in endings if label.endswith(ending))
    stem = label.removesuffix(usual)
    ended = [label, *(stem + ending for ending in endings[usual])]
    return [*ended, *(beginning + spelling for spelling in ended)]


@cache
def proactive() -> Proactive:
    return Proactive()


@cache
def requests() -> Requests:
    return Requests()


@cache
def review() -> Review:
    return Review()


@cache
def statistics() -> Statistics:
    return Statistics()
