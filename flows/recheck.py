"""The recheck flow: known reports are asked again, conditionally, for agencies do replace reports quietly.

A page that did not change costs one answer without a body; one that did becomes a new version beside the old one. What
lists name that is new is left for the nightly and the backfill.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect import flow
from prefect.states import State

from extractors.crawl import Plan
from extractors.dataroot import DataRoot
from extractors.portals import Portal
from flows import locks, pipeline
from flows.contact import contact_of
from flows.due import check_years
from flows.orchestration import (
    SIDE_BY_SIDE,
    Patience,
    Summary,
    final_state,
    guarded,
    show,
    visit_read_and_settle,
)
from flows.plan import choose_portals, with_known_pages
from flows.visits import Visits


@flow(
    name="recheck",
    flow_run_name="recheck",
    task_runner=SIDE_BY_SIDE,
    persist_result=False,
)
def recheck(
    data: str | None = None,
    portals: list[str] | None = None,
    agencies: list[str] | None = None,
    years: list[int] | None = None,
    older_than_days: float = 7,
    portals_folder: str | None = None,
    contact: str | None = None,
    patience: Patience = Patience(portal_minutes=24 * 60),  # noqa: B008
) -> State[Summary]:
    """Asks every known report page again that was last asked `older_than_days` ago, also one that left its list."""

    def work() -> State[Summary]:
        root = DataRoot.choose(data)
        chosen = choose_portals(root, portals_folder, portals or (), agencies or ())
        plan = Plan(
            years=frozenset(years) if years else None,
            recheck=timedelta(days=older_than_days),
            is_known_only=True,
        )
        check_years(years or [], datetime.now(UTC).date())
        return _recheck(root, chosen, plan, contact_of(chosen, contact), patience)

    return guarded(work)


def _recheck(
    root: DataRoot, chosen: list[Portal], plan: Plan, contact: str, patience: Patience
) -> State[Summary]:
    pipeline.prepare(root)
    told = Summary("recheck")
    with locks.held(root, "flow-recheck", "recheck"):
        portals = with_known_pages(root, chosen, plan.years)
        visits = Visits(
            root, "recheck", portals, plan, contact, patience.portal_minutes * 60, patience.limits
        )
        visit_read_and_settle(visits, patience, told)
        show(root, told)
    return final_state(told)
