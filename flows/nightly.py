"""The nightly flow: every due portal is looked at for last year's reports, what is new is read and published.

Which portals are due is `flows.due`; how each step works is not written here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect import flow
from prefect.logging import get_run_logger
from prefect.states import State

from extractors.crawl import Plan
from extractors.dataroot import DataRoot
from extractors.portals import Portal, load_portals
from flows import locks, pipeline
from flows.contact import contact_of
from flows.due import LastLook, check_years, is_due, report_year
from flows.health import last_looks
from flows.orchestration import (
    SIDE_BY_SIDE,
    Patience,
    Summary,
    expectations,
    final_state,
    guarded,
    show,
    visit_read_and_settle,
)
from flows.visits import Visits


@flow(
    name="nightly",
    flow_run_name="nightly",
    task_runner=SIDE_BY_SIDE,
    persist_result=False,
)
def nightly(
    data: str | None = None,
    portals: list[str] | None = None,
    years: list[int] | None = None,
    all_portals: bool = False,
    recheck_days: float = 30,
    portals_folder: str | None = None,
    contact: str | None = None,
    patience: Patience = Patience(),  # noqa: B008
) -> State[Summary]:
    """Crawls due portals, reads, tidies, checks, publishes, reports.

    portals: only these. years: reports about these instead of last year's. all_portals: also those not due.
    recheck_days: a known report is asked again, conditionally, after so many days.
    """
    return guarded(
        lambda: _nightly(
            DataRoot.choose(data),
            load_portals(portals_folder, portals or ()),
            years,
            bool(portals) or all_portals,
            timedelta(days=recheck_days),
            contact,
            patience,
        )
    )


def _nightly(
    root: DataRoot,
    chosen: list[Portal],
    years: list[int] | None,
    is_all: bool,
    recheck: timedelta,
    contact: str | None,
    patience: Patience,
) -> State[Summary]:
    today = datetime.now(UTC).date()
    check_years(years or [], today)
    named = contact_of(chosen, contact)
    pipeline.prepare(root)
    told = Summary("nightly")
    with locks.held(root, "flow-nightly", "nightly"):
        looks = last_looks(root, "nightly")
        due = [portal for portal in chosen if is_all or is_due(looks.get(portal.id, LastLook()), today)]
        told.not_due = len(chosen) - len(due)
        wanted = frozenset(years or [report_year(today)])
        listed = ", ".join(map(str, sorted(wanted)))
        get_run_logger().info("%s portals due of %s, reports about %s", len(due), len(chosen), listed)
        plan = Plan(years=wanted, recheck=recheck)
        visits = Visits(root, "nightly", due, plan, named, patience.portal_minutes * 60, patience.limits)
        visit_read_and_settle(visits, patience, told)
        health, told.expectations = expectations(visits, max(wanted), today)
        show(root, told, health, today)
    return final_state(told)
