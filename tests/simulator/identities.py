"""The forms' arithmetic over known figures: which identity holds, fails or cannot be assessed.

The project's own checks are compared with this; it shares no code with them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from extractors.records import APPLICANTS
from tests.simulator.figures import GROUPS, ITEMS, KINDS, RESULTS, SUMS_2014, Key, Report, outcomes


class Identity(NamedTuple):
    """One identity at one place: left side and right side, None where a cell prints no number."""

    check: str
    place: str
    left: Decimal | None
    right: Decimal | None

    @property
    def status(self) -> str:
        if self.left is None or self.right is None:
            return "not_assessable"
        return "pass" if self.left == self.right else "fail"


def _sum(truth: dict[Key, Decimal | None], keys: list[Key]) -> Decimal | None:
    values = [truth[key] for key in keys]
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if len(known) == len(values) else None


def within(report: Report) -> list[Identity]:
    """The identities inside one report."""
    truth = report.truth
    if report.form == "2008":
        return []
    if report.form == "2014":
        return [
            Identity("S.sums", subtotal, _sum(truth, [(part, None) for part in parts]), truth[subtotal, None])
            for subtotal, parts in SUMS_2014.items()
        ]
    found = []
    rows = outcomes(report.form)
    for who in APPLICANTS:
        left = _sum(truth, [("requests.new", who), ("requests.carried_in", who)])
        right = _sum(truth, [("requests.handled", who), ("requests.carried_out", who)])
        found.append(Identity("T3.balance", who, left, right))
        parts = _sum(truth, [(row, who) for row in rows])
        found.append(Identity("T3.outcomes", who, parts, truth["requests.handled", who]))
    for row in [*rows, "requests.new", "requests.carried_in", "requests.handled", "requests.carried_out"]:
        parts = _sum(truth, [(row, kind) for kind in KINDS])
        found.append(Identity("T3.applicants", row, parts, truth[row, "total"]))
    for group in GROUPS:
        parts = _sum(truth, [(f"{group}.{result}", None) for result in RESULTS])
        found.append(Identity("T4.results", group, parts, truth[f"{group}.total", None]))
    return found


def across(before: Report, after: Report) -> list[Identity]:
    """The identities between two years; `before` is the year before `after`'s."""
    was, now = before.truth, after.truth
    found = []
    if ("requests.carried_out", "total") in was and ("requests.carried_in", "total") in now:
        for who in APPLICANTS:
            found.append(
                Identity("X.carry", who, now["requests.carried_in", who], was["requests.carried_out", who])
            )
    for kind in ("regulations", "normative_documents"):
        stock: Key = (f"proactive.{kind}.in_force", None)
        if stock in was and stock in now:
            repealed = now[f"proactive.{kind}.repealed", None]
            grown = _sum({**now, stock: was[stock]}, [stock, (f"proactive.{kind}.made", None)])
            expected = grown - repealed if grown is not None and repealed is not None else None
            found.append(Identity("X.stock", kind, now[stock], expected))
    for item in ITEMS:
        last: Key = (f"proactive.{item}.items_last_year", None)
        if last in was and last in now:
            expected = _sum(was, [last, (f"proactive.{item}.items_change", None)])
            found.append(Identity("X.items", item, now[last], expected))
    return found
