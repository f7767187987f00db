"""Governments whose reports include their departments, as most do, and which of the bounds between them hold in print.

Every identity of the forms is linear, so a government's report stays valid when whole reports are added to it. Shares
no code with the project's own check of the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from tests.simulator.figures import GROUPS, KINDS, RESULTS, Key, Printed, Report

BOUNDED: tuple[Key, ...] = (
    ("requests.new", "total"),
    ("requests.handled", "total"),
    *((f"{group}.total", None) for group in GROUPS),
)
"""What a government prints at least as much of as its departments together."""


class Bound(NamedTuple):
    """A government's own number, and the sum of those its departments print; None where nothing is printed."""

    year: int
    scope: str
    own: Decimal | None
    inside: Decimal

    @property
    def status(self) -> str:
        if self.own is None:
            return "not_assessable"
        return "pass" if self.own >= self.inside else "uncertain"


def _is_summed(key: Key) -> bool:
    return key[1] is not None or any(
        key[0] == f"{group}.{name}" for group in GROUPS for name in (*RESULTS, "total")
    )


def _number(report: Report, key: Key) -> Decimal | None:
    """The number of a cell; a total that is not printed is the sum of its kinds."""
    row, applicant = key
    if applicant != "total" or report.truth[key] is not None:
        return report.truth[key]
    kinds = [report.truth[row, kind] for kind in KINDS]
    return None if None in kinds else sum((kind for kind in kinds if kind is not None), Decimal(0))


def _is_whole(history: Sequence[Report]) -> bool:
    """Whether all its requests and cases can be known in every year, and none is planted wrong."""
    return all(
        not any(
            fault.check != "blank_column" and any(map(_is_summed, fault.cells)) for fault in report.faults
        )
        and all(_number(report, key) is not None for key in report.cells if _is_summed(key))
        for report in history
    )


def including(own: Sequence[Report], departments: Sequence[Sequence[Report]]) -> list[Report]:
    """A government's history with those of its departments added whose reports are whole in every year.

    What the government leaves blank stays blank, and what was planted in it stays planted.
    """
    added = [{report.year: report for report in history} for history in departments if _is_whole(history)]
    return [
        _with(report, [of_year[report.year] for of_year in added if _fits(of_year, report)]) for report in own
    ]


def _fits(of_year: dict[int, Report], own: Report) -> bool:
    return own.year in of_year and of_year[own.year].form == own.form


def _with(own: Report, inside: Sequence[Report]) -> Report:
    zeroed = {key for fault in own.faults if fault.check == "zero_totals" for key in fault.cells}
    cells = dict(own.cells)
    for key, printed in own.cells.items():
        if printed.value is None or key in zeroed or not _is_summed(key):
            continue
        more = sum((_number(report, key) or Decimal(0) for report in inside), Decimal(0))
        if more:
            cells[key] = Printed(f"{printed.value + more:f}", printed.value + more)
    return replace(own, cells=cells)


def bounds(own: Report, departments: Sequence[Report]) -> list[Bound]:
    """The bounds of one year by what is printed; a department that leaves a number blank adds nothing."""
    found = []
    for key in BOUNDED:
        printed = [report.numbers[key] for report in departments if key in report.numbers]
        if key in own.cells and printed:
            found.append(Bound(own.year, key[0], own.truth[key], sum(printed, Decimal(0))))
    return found
