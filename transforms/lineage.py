"""Which agency followed which: reviewed pairs, office rules and regions that were renamed, for the agencies at hand.

Only joins agencies that are both there; never invents one, and never says that two are the same.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pandas as pd

from extractors.errors import UserError
from transforms.regions import known_by, national_code

REFERENCE = Path(__file__).parent / "reference"
COLUMNS = ("predecessor", "successor", "year", "kind", "reason", "source")
ANY_REGION = "*-"
"""A row of `agency_lineage.csv` whose two ids begin so holds for every region below the country."""


def lineage(agencies: pd.DataFrame) -> pd.DataFrame:
    """Pairs (predecessor, successor, year, kind, reason, source) of agency ids, both among `agencies`.

    agencies: a table with `agency_id`. kind is renamed, merged or split. UserError when the pairs run in a circle.
    For an office rule the year is the one by which the reform was to be finished; the two agencies' reports tell when
    each of them did change.
    """
    known = set(agencies["agency_id"])
    pairs: dict[tuple[str, str], tuple[object, ...]] = {}
    by_office: dict[str, list[str]] = {}
    for agency_id in sorted(known):
        region, _, office = agency_id.partition("-")
        if national_code(region).isdigit():
            by_office.setdefault(office, []).append(region)
    for row in _rows("agency_lineage.csv"):
        for old, new in _concrete(row, by_office):
            if old in known and new in known:
                pairs.setdefault((old, new), (int(row["year"]), row["kind"], row["reason"], row["source"]))
    for row in _rows("region_history.csv"):
        old_region, new_region = known_by(row), row["successor_code"]
        if row["change"] not in ("renamed", "merged") or old_region == new_region:
            continue
        for office, regions in by_office.items():
            if old_region in regions and new_region in regions:
                key = (f"{old_region}-{office}", f"{new_region}-{office}")
                facts = (
                    int(row["change_year"]),
                    row["change"],
                    f"the region {row['name']} was {row['change']}",
                )
                pairs.setdefault(key, (*facts, row["source"]))
    _refuse_circles(list(pairs))
    return pd.DataFrame([(*key, *facts) for key, facts in sorted(pairs.items())], columns=list(COLUMNS))


def _concrete(row: dict[str, str], by_office: dict[str, list[str]]) -> list[tuple[str, str]]:
    old, new = row["predecessor"], row["successor"]
    if not old.startswith(ANY_REGION):
        return [(old, new)]
    old_office, new_office = old.removeprefix(ANY_REGION), new.removeprefix(ANY_REGION)
    regions = (region for region in by_office.get(old_office, ()) if region != "000000")
    return [(f"{region}-{old_office}", f"{region}-{new_office}") for region in regions]


def _refuse_circles(pairs: list[tuple[str, str]]) -> None:
    """UserError naming an agency that would follow itself."""
    after: dict[str, set[str]] = {}
    for old, new in pairs:
        after.setdefault(old, set()).add(new)
    done: set[str] = set()
    for start in after:
        path, stack = [start], [iter(sorted(after[start]))]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                done.add(path.pop())
            elif step in path:
                raise UserError(
                    f"agency_lineage.csv: {step} follows itself ({' -> '.join([*path, step])}); remove one row"
                )
            elif step in after and step not in done:
                path.append(step)
                stack.append(iter(sorted(after[step])))


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))
