"""The backfill flow: named years at named portals, outside the nightly's calendar, and the plan a person agrees to first.

Leaves the nightly's state alone: its looks are remembered under their own name.
"""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import flow
from prefect.logging import get_run_logger
from prefect.states import State

from extractors.crawl import Plan
from extractors.dataroot import DataRoot
from extractors.errors import UserError
from extractors.portals import Portal
from flows import locks, pipeline
from flows.contact import contact_of
from flows.due import check_years
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
from flows.plan import choose_portals, plan_of, plan_sentences
from flows.visits import Visits


@flow(
    name="backfill",
    flow_run_name="backfill {years}",
    task_runner=SIDE_BY_SIDE,
    persist_result=False,
)
def backfill(
    years: list[int],
    data: str | None = None,
    portals: list[str] | None = None,
    agencies: list[str] | None = None,
    portals_folder: str | None = None,
    contact: str | None = None,
    patience: Patience = Patience(portal_minutes=24 * 60),  # noqa: B008
) -> State[Summary]:
    """Crawls reports about `years` at `portals` or at those of `agencies` (all without either), reads and publishes."""

    def work() -> State[Summary]:
        root = DataRoot.choose(data)
        chosen = choose_portals(root, portals_folder, portals or (), agencies or ())
        return _backfill(root, chosen, years, contact_of(chosen, contact), patience)

    return guarded(work)


def _backfill(
    root: DataRoot, chosen: list[Portal], years: list[int], contact: str, patience: Patience
) -> State[Summary]:
    today = datetime.now(UTC).date()
    if not years:
        raise UserError("backfill: no year given; name at least one")
    check_years(years, today)
    pipeline.prepare(root)
    told = Summary("backfill")
    with locks.held(root, "flow-backfill", "backfill"):
        get_run_logger().info("%s", "; ".join(plan_sentences(plan_of(root, chosen, years), years)))
        plan = Plan(years=frozenset(years))
        visits = Visits(
            root, "backfill", chosen, plan, contact, patience.portal_minutes * 60, patience.limits
        )
        visit_read_and_settle(visits, patience, told)
        for year in sorted(years):
            told.expectations += expectations(visits, year, today)[1]
        show(root, told)
    return final_state(told)
