"""Which portals a run means, and what a backfill is going to cost, before anything is asked.

Counts pages from the crawl log and the tidy reports; makes no request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from extractors.archive import responses
from extractors.dataroot import TIDY, DataRoot
from extractors.errors import UserError
from extractors.listing import years_in
from extractors.portals import Portal, load_portals
from extractors.schema import arrow_schema

REPORTS_A_PAGE = 20
"""Items on an ordinary list page, for the estimate only."""
PAGE_KINDS = ("report", "attachment")


def choose_portals(
    root: DataRoot, folder: str | None, ids: Iterable[str], agencies: Iterable[str]
) -> list[Portal]:
    """Portals named by id, and those that carry an agency whose name holds one of `agencies`; all without either.

    UserError for an id or an agency nobody knows.
    """
    ids, agencies = list(ids), list(agencies)
    every = load_portals(folder)
    if not ids and not agencies:
        return every
    wanted = {portal.id for portal in load_portals(folder, ids)} if ids else set()
    for agency in agencies:
        found = _portals_of(root, every, agency)
        if not found:
            raise UserError(
                f"--agency {agency}: no portal's file and no report read so far names it; "
                "name the portal with --portal"
            )
        wanted |= found
    return [portal for portal in every if portal.id in wanted]


def _portals_of(root: DataRoot, every: Sequence[Portal], agency: str) -> set[str]:
    found = {portal.id for portal in every if any(agency in name for name in portal.agencies)}
    reports = root.read_table(f"{TIDY}/reports", arrow_schema("reports"))
    known = {portal.id for portal in every}
    names = zip(reports["agency_name"].to_pylist(), reports["portal_id"].to_pylist(), strict=True)
    return found | ({portal for name, portal in names if agency in name} & known)


@dataclass(frozen=True)
class PortalPlan:
    """What a backfill will do at one portal: pages known of the years, requests to make, seconds at the polite rate."""

    portal_id: str
    known: int
    requests: int
    seconds: float
    days: int


def plan_of(root: DataRoot, portals: Sequence[Portal], years: Sequence[int]) -> list[PortalPlan]:
    """An estimate: as many reports a year as the portal gave in its best year, or as its file lists agencies."""
    reports = root.read_table(f"{TIDY}/reports", arrow_schema("reports")).to_pandas()
    best = (
        reports.drop_duplicates(["portal_id", "year", "agency_id"])
        .groupby(["portal_id", "year"])
        .size()
        .groupby("portal_id")
        .max()
        .to_dict()
    )
    known = _known_pages(root, frozenset(years))
    plans = []
    for portal in portals:
        a_year = int(best[portal.id]) if portal.id in best else len(portal.agencies) or REPORTS_A_PAGE
        have = known.count(portal.id)
        to_come = max(a_year * len(years) - have, 0)
        lists = max(len(portal.starts(frozenset(years))), -(-a_year * len(years) // REPORTS_A_PAGE))
        requests = 1 + lists + to_come
        manners = portal.manners
        plans.append(
            PortalPlan(
                portal.id, have, requests, requests * manners.delay_seconds, -(-requests // manners.daily_cap)
            )
        )
    return plans


def _known_pages(root: DataRoot, years: frozenset[int]) -> list[str]:
    """Portal of each stored page whose list title names one of the years."""
    rows = responses(root).select(["source_url", "portal_id", "kind", "outcome", "listing_title"]).to_pylist()
    pages = {
        (row["portal_id"], row["source_url"])
        for row in rows
        if row["outcome"] == "stored"
        and row["kind"] in PAGE_KINDS
        and years_in(row["listing_title"] or "") & years
    }
    return [portal for portal, _ in pages]


def plan_sentences(plans: Sequence[PortalPlan], years: Sequence[int]) -> list[str]:
    """The plan as a person reads it: totals; portals are asked side by side, so the slowest one decides the time."""
    requests = sum(plan.requests for plan in plans)
    slowest = max(plans, key=lambda plan: (plan.days, plan.seconds))
    days = f", spread over {slowest.days} days by its daily cap" if slowest.days > 1 else ""
    cost = f"{sum(p.known for p in plans):,} pages known, about {requests:,} requests to make"
    return [
        f"{_counted(len(plans), 'portal')} x {_counted(len(years), 'year')} ({_ranges(years)}): {cost}",
        f"time at the polite rate: about {_duration(slowest.seconds)} ({slowest.portal_id} takes longest{days})",
    ]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _ranges(years: Sequence[int]) -> str:
    first, last = min(years), max(years)
    return f"{first}-{last}" if len(years) == last - first + 1 > 1 else ", ".join(map(str, years))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def with_known_pages(
    root: DataRoot, portals: Sequence[Portal], years: frozenset[int] | None = None
) -> list[Portal]:
    """Portals with every report page ever stored named outright, so that one is asked that left its list.

    years: only pages whose title names one of these, or no year at all.
    """
    rows = responses(root).select(["source_url", "portal_id", "kind", "outcome", "listing_title"]).to_pylist()
    known: dict[str, dict[str, None]] = {}
    for row in rows:
        if (
            row["outcome"] == "stored"
            and row["kind"] == "report"
            and re.match("https?://", row["source_url"])
            and _is_about(row["listing_title"] or "", years)
        ):
            known.setdefault(row["portal_id"], {})[row["source_url"]] = None
    return [
        replace(portal, reports=tuple(dict.fromkeys([*portal.reports, *known.get(portal.id, {})])))
        for portal in portals
    ]


def _is_about(title: str, years: frozenset[int] | None) -> bool:
    named = years_in(title)
    return years is None or not named or bool(named & years)
