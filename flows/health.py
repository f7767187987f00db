"""What is known of each portal's looks, and what it gave against what is expected of it. Reads only; asks no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from extractors.dataroot import TIDY, DataRoot
from extractors.portals import Portal
from extractors.schema import arrow_schema
from flows.due import LastLook, in_season, is_overdue
from flows.visits import remembered

YEARS_LOOKED_BACK = 3
LOW_YIELD = 0.5
"""A portal that gave less than this share of what is expected of it, after the deadline, needs a look by a person."""


@dataclass(frozen=True)
class Health:
    """One portal: its looks by any flow, and its reports about `year` against the expected number.

    expected: agencies that reported about the year before (else one of the two earlier years) at this portal, or the
    agencies its file lists; None when neither is known. have: agencies with a report about `year`. asked: whether a
    look that succeeded took reports about `year` from its lists; a backfill of other years and a recheck did not.
    """

    portal_id: str
    year: int
    last_success: datetime | None
    last_new: datetime | None
    failures: int
    reason: str
    expected: int | None
    have: int
    asked: bool = False

    @property
    def missing(self) -> int | None:
        return None if self.expected is None else max(self.expected - self.have, 0)

    def verdict(self, today: date) -> str:
        """What this means today, as a few words; "" when all is well."""
        if self.failures:
            return f"failed {self.failures} time{'s in a row' if self.failures > 1 else ''}: {self.reason}"
        if self.last_success is None:
            return "never looked at"
        if self.expected is None:
            return "nothing is known of what to expect"
        if not self.missing:
            return ""
        if not self.asked:
            return f"{self.expected} reports about {self.year} are expected; its lists were not asked for them yet"
        told = f"{self.missing} of {self.expected} expected reports about {self.year} are missing"
        if is_overdue(today, self.year):
            is_low = self.have < LOW_YIELD * self.expected
            return f"{told}, overdue" + ("; look at its list, it may have moved" if is_low else "")
        return f"{told}, not yet overdue" if in_season(today) else told


def health_of(root: DataRoot, portals: Sequence[Portal], year: int) -> list[Health]:
    """One `Health` a portal, in the order given."""
    runs = remembered(root).to_pandas()
    by_portal = dict(tuple(runs.groupby("portal_id", sort=False)))
    reports = root.read_table(f"{TIDY}/reports", arrow_schema("reports")).select(
        ["portal_id", "agency_id", "year"]
    )
    known = reports.to_pandas().drop_duplicates()
    agencies = Counter(zip(known["portal_id"], known["year"], strict=True))
    return [_health(portal, by_portal.get(portal.id), agencies, year) for portal in portals]


def _health(
    portal: Portal, runs: pd.DataFrame | None, agencies: Counter[tuple[str, int]], year: int
) -> Health:
    earlier = [
        agencies[portal.id, year - back]
        for back in range(1, YEARS_LOOKED_BACK + 1)
        if (portal.id, year - back) in agencies
    ]
    expected = earlier[0] if earlier else len(portal.agencies) or None
    have = agencies[portal.id, year]
    if runs is None:
        return Health(portal.id, year, None, None, 0, "", expected, have)
    last = last_look(runs)
    fresh = runs.loc[runs["new"] > 0, "started_at"]
    return Health(
        portal.id,
        year,
        last.succeeded_at,
        fresh.max().to_pydatetime() if len(fresh) else None,
        last.failures,
        str(runs["reason"].iloc[-1] or "") if last.failures else "",
        expected,
        have,
        _asked_for(runs, year),
    )


def _asked_for(runs: pd.DataFrame, year: int) -> bool:
    """Whether a look took reports about the year from the portal's lists; one without years takes all."""
    looks = runs[(runs["outcome"] == "done") & (runs["flow"] != "recheck")]
    return any(not years or str(year) in years.split(",") for years in looks["years"].fillna(""))


def last_look(runs: pd.DataFrame) -> LastLook:
    """The looks at one portal, oldest first, in short. A portal that was busy was not looked at."""
    looked = runs[runs["outcome"] != "busy"]
    if looked.empty:
        return LastLook()
    good = looked.loc[looked["outcome"] == "done", "started_at"]
    success = good.max().to_pydatetime() if len(good) else None
    since = looked if success is None else looked[looked["started_at"] > success]
    return LastLook(looked["started_at"].iloc[-1].to_pydatetime(), success, len(since))


def last_looks(root: DataRoot, flow: str) -> dict[str, LastLook]:
    """Looks of one flow by portal: only the nightly's own decide what the nightly does next."""
    runs = remembered(root).to_pandas()
    runs = runs[runs["flow"] == flow]
    return {str(portal): last_look(of_portal) for portal, of_portal in runs.groupby("portal_id", sort=False)}


def last_night(root: DataRoot) -> str:
    """What the newest nightly came to, as one sentence."""
    runs = remembered(root).to_pandas()
    runs = runs[runs["flow"] == "nightly"]
    if runs.empty:
        return "no nightly has run yet; `ogi nightly` begins"
    night = runs[runs["run_id"] == runs["run_id"].iloc[-1]]
    failed = int((night["outcome"] != "done").sum())
    return (
        f"last nightly: {night['started_at'].min():%Y-%m-%d %H:%M} UTC, {len(night)} portals, {failed} failed, "
        f"{night['new'].sum()} reports new, {night['changed'].sum()} changed"
    )
