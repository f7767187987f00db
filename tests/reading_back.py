"""Bytes → numbers through the project's own readers, and what of it differs from known figures."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from extractors.errors import Refused
from extractors.match import match
from extractors.numbers import read_value
from extractors.read import read_document
from tests.simulator.figures import Key, Report
from tests.simulator.render_text import Rendered

REFERENCE = Path(__file__).parents[1] / "transforms" / "reference" / "indicators.csv"
with REFERENCE.open(encoding="utf-8") as _stream:
    KINDS = {row["indicator"]: row["kind"] for row in csv.DictReader(_stream)}

NO_NUMBER_MARKS = ("column_lost", "cut", "ambiguous")


def numbers_of(data: bytes, url: str = "", content_type: str = "") -> tuple[str | None, dict[Key, Decimal]]:
    """(form, numbers) a document yields; prose (`narrative.…`) is left out. A refused document yields none.

    Raises AssertionError when one cell of the form is found twice with two numbers.
    """
    try:
        matched = match(read_document(data, url=url, content_type=content_type))
    except Refused:
        return None, {}
    numbers: dict[Key, Decimal] = {}
    for cell in matched.cells:
        if cell.mark in NO_NUMBER_MARKS or cell.indicator.startswith("narrative."):
            continue
        value, _ = read_value(cell.printed, cell.unit_text, KINDS[cell.indicator])
        if value is None:
            continue
        key = (cell.indicator, cell.applicant)
        assert numbers.setdefault(key, value) == value, f"{key} is read as {numbers[key]} and as {value}"
    return matched.form, numbers


@dataclass
class Difference:
    """Numbers that are read but not printed, read as another number, or printed but not read."""

    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        shown = self.wrong[:6] + self.missing[:6]
        return f"{len(self.wrong)} wrong, {len(self.missing)} missing: " + "; ".join(shown)


def compare(
    truth: dict[Key, Decimal | None], read: dict[Key, Decimal], lost: frozenset[Key] = frozenset()
) -> Difference:
    """`lost` cells may be absent; a number that is there must be the right one everywhere."""
    difference = Difference()
    for key, value in read.items():
        expected = truth.get(key)
        if expected != value:
            difference.wrong.append(f"{_name(key)} read as {value}, printed {expected}")
    for key, expected in truth.items():
        if expected is not None and key not in read and key not in lost:
            difference.missing.append(f"{_name(key)} printed {expected}")
    return difference


def difference_of(report: Report, rendered: Rendered) -> Difference:
    """What the readers make of a rendered report, against its known figures."""
    _, numbers = numbers_of(rendered.content, "report" + rendered.suffix)
    return compare(report.truth, numbers, rendered.lost)


def _name(key: Key) -> str:
    return f"{key[0]}/{key[1]}" if key[1] else key[0]
