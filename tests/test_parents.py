"""X.parent through the whole path: pages of governments and their departments, each planted narrow report found."""

from __future__ import annotations

from pathlib import Path

import pytest

from extractors.dataroot import DataRoot
from flows.ingest import ingest
from tests.flow_tools import query
from tests.simulator.agencies import REGIONS, agencies_of
from tests.simulator.figures import Habits, Report, make_history
from tests.simulator.inclusion import Bound, bounds, including
from tests.simulator.render_html import STYLES, render_html

YEARS = (2021, 2022, 2023)
NARROW_YEAR = 2022
WHOLE, BLANK, NARROW = REGIONS[9], REGIONS[20], REGIONS[25]


def _histories() -> dict[str, list[list[Report]]]:
    """Of three regions the government's history and those of five departments, by region code.

    One government includes its departments in every year; one too, but a department prints no totals and one year of
    the government prints none; one reports for its own office only in one year.
    """
    found = {}
    for place, region in enumerate((WHOLE, BLANK, NARROW)):
        agencies = agencies_of(region, 6)
        blank = {2023: Habits(blank_columns=("total",))} if region is BLANK else None
        own = make_history(place, agencies[0], YEARS, Habits(scale=20), blank)
        departments = [make_history(place, agency, YEARS, Habits(scale=60)) for agency in agencies[1:]]
        if region is BLANK:
            habits = Habits(scale=60, blank_columns=("total",))
            departments[2] = make_history(place, agencies[3], YEARS, habits)
        government = including(own, departments)
        if region is NARROW:
            government = [
                narrow if wide.year == NARROW_YEAR else wide
                for narrow, wide in zip(own, government, strict=True)
            ]
        found[region.code] = [government, *departments]
    return found


@pytest.fixture(scope="module")
def world() -> dict[str, list[list[Report]]]:
    return _histories()


@pytest.fixture(scope="module")
def data(world: dict[str, list[list[Report]]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("parents")
    for histories in world.values():
        for report in (report for history in histories for report in history):
            page = render_html(report, STYLES["clean"]).content
            (place / f"{report.agency.key}-{report.year}.html").write_bytes(page)
    result = ingest([str(place)], DataRoot(str(place / "data")))
    assert not result.refused
    return place / "data"


def _expected(world: dict[str, list[list[Report]]]) -> dict[tuple[str, int, str], Bound]:
    return {
        (own.agency.name, own.year, bound.scope): bound
        for government, *departments in world.values()
        for number, own in enumerate(government)
        for bound in bounds(own, [history[number] for history in departments])
    }


def test_each_bound_is_judged_as_printed(world, data):
    found = {
        (agency, year, scope): (left, right, status)
        for agency, year, scope, left, right, status in query(
            data,
            "SELECT agency_name, f.year, scope, left_value, right_value, f.status "
            "FROM findings f JOIN reports USING (report_id) WHERE check_id = 'X.parent'",
        )
    }
    expected = _expected(world)
    assert found == {key: (b.own, b.inside, b.status) for key, b in expected.items()}
    assert {b.status for b in expected.values()} == {"pass", "uncertain", "not_assessable"}


def test_only_the_narrow_report_is_open_and_no_other_check_is_disturbed(world, data):
    open_ones = query(data, "SELECT agency_name, year, check_id, status, likely_cause FROM open_findings")
    narrow = world[NARROW.code][0][0].agency.name
    assert {(agency, year) for agency, year, check, *_ in open_ones if check == "X.parent"} == {
        (narrow, NARROW_YEAR)
    }
    # The narrow year does not carry on what the wide years carry over: that is broken in print too.
    others = {(agency, check) for agency, _, check, *_ in open_ones if check != "X.parent"}
    assert others == {(narrow, "X.carry")}
    assert all(cause.startswith("narrow scope") for *_, check, _, cause in open_ones if check == "X.parent")


def test_a_department_is_counted_for_its_own_government_only(world, data):
    known = query(
        data,
        "SELECT r.agency_name, agency_id, parent_agency_id FROM reports r JOIN agencies USING (agency_id)",
    )
    ids = {name: agency for name, agency, _ in known}
    parents = {name: parent for name, _, parent in known}
    for government, *departments in world.values():
        for history in departments:
            assert parents[history[0].agency.name] == ids[government[0].agency.name]
