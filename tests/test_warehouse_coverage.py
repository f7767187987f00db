"""Coverage tells who did not publish from what we could not look at, by the deadline of the agency's own year."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pyarrow as pa
import pytest

from extractors.dataroot import DataRoot
from extractors.schema import arrow_schema
from tests.simulator.agencies import REGIONS, agencies_of
from tests.simulator.figures import make_history
from tests.warehouse_data import Version, write_tidy
from warehouse.build import build
from warehouse.publish import publish
from warehouse.query import open_newest

GOVERNMENT, OFFICE, OTHER, THIRD = agencies_of(REGIONS[11], 4)


def _response(portal: str, kind: str, outcome: str, when: datetime, url: str) -> dict[str, object]:
    facts = dict.fromkeys(arrow_schema("responses").names)
    return facts | {
        "source_url": url,
        "portal_id": portal,
        "run_id": "run",
        "kind": kind,
        "fetched_at": when,
        "outcome": outcome,
        "reason": None if outcome == "stored" else "the portal does not answer",
    }


def _run(
    portal: str, years: str | None, when: datetime, flow: str = "backfill", outcome: str = "done"
) -> dict[str, object]:
    facts: dict[str, object] = dict.fromkeys(arrow_schema("portal_runs").names, 0)
    return facts | {
        "run_id": f"{when:%Y}-{flow}-{outcome}-{years}",
        "flow": flow,
        "portal_id": portal,
        "started_at": when,
        "outcome": outcome,
        "reason": None,
        "years": years,
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], tuple[object, ...]]:
    """Status, who and days late by agency and year."""
    root = DataRoot(str(tmp_path_factory.mktemp("data")))
    years = (2018, 2021, 2022, 2023)
    versions = []
    for agency, portal, published in (
        (GOVERNMENT, "good", date(2024, 3, 31)),
        (OFFICE, "good", date(2024, 2, 5)),
        (OTHER, "blocked", date(2024, 1, 31)),
        (THIRD, "never", date(2024, 1, 2)),
    ):
        for report in make_history(1, agency, years):
            if agency is not GOVERNMENT and report.year == 2022:
                continue
            day = published.replace(year=report.year + 1)
            versions.append(Version(report, portal_id=portal, published_on=day))
    township = replace(THIRD, slug="town", level="township", kind="township", name="某镇人民政府")
    pictures = replace(OFFICE, slug="pictures", name="某局")
    versions.append(
        Version(make_history(1, township, (2023,))[0], portal_id="good", published_on=date(2024, 6, 1))
    )
    versions.append(
        Version(make_history(1, pictures, (2023,))[0], portal_id="good", status="tables_as_images")
    )
    write_tidy(root, versions)
    now = datetime(2026, 5, 1)
    rows = [
        _response("good", "list", "stored", now, "https://good.example/list"),
        _response("blocked", "list", "stored", now, "https://blocked.example/list"),
        _response("blocked", "report", "failed", now, "https://blocked.example/1"),
        _response("never", "list", "failed", now, "https://never.example/list"),
    ]
    runs = [
        _run("good", "2018,2021,2022,2023", datetime(2026, 4, 30)),
        _run("good", "2020", datetime(2021, 1, 15)),
        _run("good", "2024", datetime(2026, 4, 30), outcome="failed"),
        _run("good", None, datetime(2026, 4, 30), flow="recheck"),
        _run("blocked", None, datetime(2026, 4, 30)),
    ]
    root.write_table("runs/run.parquet", pa.Table.from_pylist(runs, schema=arrow_schema("portal_runs")))
    root.write_table("crawl/run.parquet", pa.Table.from_pylist(rows, schema=arrow_schema("responses")))
    publish(root, build(root))
    with open_newest(root) as connection:
        health = connection.execute(
            "SELECT portal_id, failing_now, reports FROM portal_health ORDER BY 1"
        ).fetchall()
        assert health == [("blocked", 1, 3), ("good", 0, 9), ("never", 0, 3)]
        found = connection.execute("SELECT agency_id, year, status, who, days_late FROM coverage").fetchall()
    return {(agency, year): tuple(rest) for agency, year, *rest in found}


@pytest.mark.parametrize(
    ("agency", "year", "expected"),
    [
        (GOVERNMENT.key, 2023, ("published_on_time", "they did", None)),
        (OFFICE.key, 2023, ("late", "they did", 5)),
        (OTHER.key, 2023, ("published_on_time", "they did", None)),
        (OFFICE.key, 2018, ("published_on_time", "they did", None)),
        (GOVERNMENT.key, 2022, ("published_on_time", "they did", None)),
        (OFFICE.key, 2022, ("not_found", "they did not", None)),
        # Nobody looked for these years, or only before the deadline, or the run failed: that is no accusation.
        (OFFICE.key, 2019, ("not_looked_for", "we could not", None)),
        (OFFICE.key, 2020, ("not_looked_for", "we could not", None)),
        (OFFICE.key, 2024, ("not_looked_for", "we could not", None)),
        (OTHER.key, 2022, ("fetch_failed", "we could not", None)),
        (THIRD.key, 2022, ("not_looked_for", "we could not", None)),
        (f"{OFFICE.region_code}-town", 2023, ("published_no_deadline", "they did", None)),
        (
            f"{OFFICE.region_code}-pictures",
            2023,
            ("tables_as_images", "they did, not as readable tables", None),
        ),
    ],
)
def test_each_agency_and_year_is_judged(told, agency, year, expected):
    assert told[agency, year] == expected


def test_years_before_the_first_report_are_not_asked_for(told):
    assert (f"{OFFICE.region_code}-town", 2022) not in told
    assert (OFFICE.key, 2019) in told and (OFFICE.key, 2017) not in told
