"""The checks between reports on tables of a few rows: passes, fails, cannot tell, and what cause is proposed."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from extractors.records import APPLICANTS
from transforms.cross_checks import check_across
from warehouse import schema_sql as sql

OFFICE, GOVERNMENT, BEFORE = "110000-office", "110000-gov", "110000-before"


@pytest.fixture()
def tables():
    with duckdb.connect() as connection:
        for statement in sql.create_enums():
            connection.execute(statement)
        for table in ("reports", "observations", "agencies", "agency_members", "findings"):
            connection.execute(sql.create_table(table))
        for agency, kind, parent in (
            (OFFICE, "department", GOVERNMENT),
            (BEFORE, "department", GOVERNMENT),
            (GOVERNMENT, "government", None),
        ):
            connection.execute(
                "INSERT INTO agencies (agency_id, name, kind, parent_agency_id, is_resolved) VALUES (?, ?, ?, ?, true)",
                [agency, agency, kind, parent],
            )
        yield connection


def report(connection, agency, year, cells):
    """A current report with cells {(indicator, applicant): number or None for a blank}."""
    name = f"{agency}/{year}@00000000"
    connection.execute(
        "INSERT INTO reports BY NAME SELECT ? AS report_id, ? AS agency_id, '' AS agency_name, ? AS year, "
        "'' AS source_url, '' AS portal_id, 'html' AS carrier, 'read' AS status, '' AS snapshot_sha256, "
        "'' AS warc_path, 0 AS warc_offset, now()::TIMESTAMP AS fetched_at, '1' AS extractor_version, true AS is_current",
        [name, agency, year],
    )
    for place, ((indicator, applicant), value) in enumerate(cells.items(), start=1):
        connection.execute(
            "INSERT INTO observations VALUES (?, ?, ?, ?, ?, ?, ?, 'request', '', ?, false, false)",
            [
                name,
                agency,
                year,
                indicator,
                applicant,
                value,
                "blank" if value is None else "number",
                f"1:{place}:1",
            ],
        )


def carried(code, *numbers):
    return dict(zip([(f"requests.{code}", who) for who in APPLICANTS], numbers, strict=True))


def found(connection, check):
    check_across(connection)
    rows = connection.execute(
        "SELECT scope, status, left_value, right_value, likely_cause FROM findings WHERE check_id = ?",
        [check],
    ).fetchall()
    return {scope: tuple(rest) for scope, *rest in rows}


def test_carry_passes_fails_and_cannot_tell(tables):
    report(tables, OFFICE, 2022, carried("carried_out", 1, 2, None, 4, 0, 0, 7))
    report(tables, OFFICE, 2023, carried("carried_in", 1, 3, 5, None, 0, 0, 7))
    said = {scope: status for scope, (status, *_) in found(tables, "X.carry").items()}
    assert said == {
        "natural_person": "pass",
        "business": "fail",
        "research": "not_assessable",
        "public_interest": "not_assessable",
        "legal_service": "pass",
        "other_org": "pass",
        "total": "pass",
    }


def test_without_last_year_there_is_no_check(tables):
    report(tables, OFFICE, 2021, carried("carried_out", 1, 1, 1, 1, 1, 1, 6))
    report(tables, OFFICE, 2023, carried("carried_in", 9, 9, 9, 9, 9, 9, 9))
    assert found(tables, "X.carry") == {}


def test_carry_follows_a_merger_and_stops_at_a_split(tables):
    report(tables, OFFICE, 2022, carried("carried_out", 1, 0, 0, 0, 0, 0, 1))
    report(tables, BEFORE, 2022, carried("carried_out", 4, 0, 0, 0, 0, 0, 4))
    report(tables, "110000-new", 2023, carried("carried_in", 5, 0, 0, 0, 0, 0, 5))
    members = [("110000-new", 2022, OFFICE, None), ("110000-new", 2022, BEFORE, None)]
    tables.executemany("INSERT INTO agency_members VALUES (?, ?, ?, ?)", members)
    assert {status for status, *_ in found(tables, "X.carry").values()} == {"pass"}
    tables.execute("DELETE FROM findings; UPDATE agency_members SET break_reason = 'split'")
    assert found(tables, "X.carry") == {}


@pytest.mark.parametrize(
    ("before", "now", "new", "scope", "cause"),
    [
        ((1, 2, 0, 0, 0, 0, 3), (1, 2, 0, 0, 0, 0, 0), None, "total", "missing total"),
        ((3, 8, 0, 0, 0, 0, 11), (8, 3, 0, 0, 0, 0, 11), None, "business", "swapped columns"),
        ((12, 0, 0, 0, 0, 0, 12), (1, 2, 0, 0, 0, 0, 12), None, "natural_person", "split digits: 1 and 2"),
        ((3, 8, 1, 0, 0, 0, 12), (9, 9, 9, 9, 9, 9, 54), (3, 8, 1, 0, 0, 0, 12), "total", "shifted row"),
        ((3, 8, 0, 0, 0, 0, 11), (3, 0, 0, 0, 0, 0, 11), None, "business", "not carried"),
        ((3, 8, 0, 0, 0, 0, 11), (3, 9, 0, 0, 0, 0, 11), None, "business", None),
    ],
)
def test_a_cause_is_proposed_and_nothing_is_changed(tables, before, now, new, scope, cause):
    report(tables, OFFICE, 2022, carried("carried_out", *before))
    cells = carried("carried_in", *now) | (carried("new", *new) if new else {})
    report(tables, OFFICE, 2023, cells)
    status, left, right, proposed = found(tables, "X.carry")[scope]
    place = APPLICANTS.index(scope)
    assert (status, left, right) == ("fail", Decimal(now[place]), Decimal(before[place]))
    assert (proposed or "").startswith(cause) if cause else proposed is None
    kept = tables.execute(
        "SELECT value FROM observations WHERE year = 2023 AND indicator = 'requests.carried_in' AND applicant = ?",
        [scope],
    ).fetchall()
    assert kept == [(Decimal(now[place]),)]


def stock(in_force, made, repealed):
    code = "proactive.normative_documents."
    return {
        (code + "in_force", None): in_force,
        (code + "made", None): made,
        (code + "repealed", None): repealed,
    }


@pytest.mark.parametrize(
    ("now", "status"),
    [(stock(12, 5, 3), "pass"), (stock(13, 5, 3), "uncertain"), (stock(12, 5, None), "not_assessable")],
)
def test_the_stock_of_documents(tables, now, status):
    report(tables, OFFICE, 2022, stock(10, 1, 1))
    report(tables, OFFICE, 2023, now)
    assert found(tables, "X.stock")["normative_documents"][0] == status


def test_the_list_of_items_and_the_repeated_number(tables):
    code = "proactive.penalties.items_"
    report(tables, OFFICE, 2019, {(code + "last_year", None): 100, (code + "change", None): -7})
    report(tables, OFFICE, 2020, {(code + "last_year", None): 100, (code + "change", None): 0})
    status, left, right, cause = found(tables, "X.items")["penalties"]
    assert (status, left, right) == ("uncertain", 100, 93)
    assert cause.startswith("change not carried")


@pytest.mark.parametrize(
    ("own", "status"), [(9, "pass"), (8, "pass"), (7, "uncertain"), (None, "not_assessable")]
)
def test_a_government_prints_at_least_what_its_departments_do(tables, own, status):
    for agency, value in ((OFFICE, 5), (BEFORE, 3), ("110000-other", 50)):
        report(tables, agency, 2023, {("requests.new", "total"): value})
    report(tables, GOVERNMENT, 2023, {("requests.new", "total"): own})
    assert found(tables, "X.parent")["requests.new"][0] == status


def test_only_concerned_agencies_are_checked_again(tables):
    for agency in (OFFICE, BEFORE):
        report(tables, agency, 2022, carried("carried_out", 1, 0, 0, 0, 0, 0, 1))
        report(tables, agency, 2023, carried("carried_in", 1, 0, 0, 0, 0, 0, 1))
    tables.execute("CREATE TABLE concerned_agencies AS SELECT ? AS agency_id", [OFFICE])
    check_across(tables)
    assert tables.execute("SELECT DISTINCT agency_id FROM findings").fetchall() == [(OFFICE,)]
