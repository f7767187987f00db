"""The simulator itself: its figures obey the forms, its faults are those planted, its layouts hold its cells.

Calls no reader of the project; what is checked here is the ruler, not what is measured.
"""

from __future__ import annotations

import csv
import io
import itertools
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tests.simulator import identities, render_files, render_html, render_text
from tests.simulator.agencies import all_agencies, pick_agencies
from tests.simulator.figures import FORMS, UNITS, Habits, corrected, make_history, make_report
from tests.simulator.form_tables import place, tables_of
from tests.simulator.printing import DASHES

REFERENCE = Path(__file__).parents[1] / "transforms" / "reference" / "indicators.csv"
AGENCY = all_agencies()[5]


def _failing(reports):
    found = [(r.year, i.check) for r in reports for i in identities.within(r) if i.status == "fail"]
    for before, after in itertools.pairwise(reports):
        found += [(after.year, i.check) for i in identities.across(before, after) if i.status == "fail"]
    return sorted(set(found))


@pytest.mark.parametrize("form", FORMS)
def test_a_form_prints_exactly_its_indicators(form):
    with REFERENCE.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    expected = {row["indicator"] for row in rows if form in row["forms"].split()}
    if form == "mixed":
        single = {row["indicator"] for row in rows if row["indicator"].startswith("requests.other.")}
        expected = {row["indicator"] for row in rows if "2021" in row["forms"].split()} - single
        expected.add("requests.other")
    report = make_report(1, form, AGENCY, 2021)
    assert {indicator for indicator, _ in report.cells} == expected
    by_applicant = {row["indicator"] for row in rows if row["by_applicant"] == "1"}
    assert all((applicant is not None) == (code in by_applicant) for code, applicant in report.cells)


def test_valid_histories_obey_every_identity():
    for seed, agency in enumerate(pick_agencies(7, 25)):
        reports = make_history(seed, agency, range(2017, 2025))
        assert _failing(reports) == []
        assert [report.form for report in reports] == ["2014"] * 2 + ["2019"] * 2 + ["2021"] * 4
        assert all(not report.faults for report in reports)


@pytest.mark.parametrize(
    ("check", "years"),
    [
        ("T3.balance", [2020, 2022]),
        ("T3.outcomes", [2020, 2022]),
        ("T3.applicants", [2020, 2022]),
        ("T4.results", [2020, 2022]),
        ("S.sums", [2018]),
        ("X.carry", [2020, 2022]),
        ("X.stock", [2022]),
        ("X.items", [2020]),
    ],
)
def test_a_planted_fault_breaks_its_identity_and_no_other(check, years):
    broken = Habits(broken=(check,))
    reports = make_history(5, AGENCY, range(2017, 2024), by_year={2018: broken, 2020: broken, 2022: broken})
    assert _failing(reports) == [(year, check) for year in years]
    assert [report.year for report in reports if report.faults] == years


def test_a_blank_is_not_assessable_and_no_number():
    report = make_report(2, "2021", AGENCY, 2022, Habits(blank_columns=("total",), dash=0.1))
    assert all(report.truth[key] is None for key in report.cells if key[1] == "total")
    assert {i.status for i in identities.within(report) if i.check == "T3.applicants"} == {"not_assessable"}
    dashes = [cell for cell in report.cells.values() if cell.text in DASHES]
    assert dashes and all(cell.value is None for cell in dashes)


@pytest.mark.parametrize("unit", UNITS)
def test_amounts_are_known_in_yuan_unless_no_unit_is_printed(unit):
    reports = [make_report(seed, "2019", AGENCY, 2019, Habits(amount=unit)) for seed in range(12)]
    cells = [report.cells["proactive.procurement.amount", None] for report in reports]
    unknown = [cell for cell in cells if cell.value is None]
    assert bool(unknown) == (unit == "none")
    assert all(cell.value == 0 for cell in cells if unit == "none" and cell.value is not None)


def test_a_correction_changes_one_number():
    report = make_report(3, "2021", AGENCY, 2022)
    new, key = corrected(report, 9)
    assert {k for k in report.cells if report.cells[k] != new.cells[k]} == {key}


@pytest.mark.parametrize("form", FORMS)
def test_every_place_of_a_table_is_taken_once_and_every_cell_printed_once(form):
    report = make_report(4, form, AGENCY, 2021)
    printed = [key for table in tables_of(report) for row in table.rows for slot in row for key in slot.keys]
    assert sorted(printed, key=str) == sorted(report.cells, key=str)
    for table in tables_of(report):
        covered = sum(one.slot.rowspan * one.slot.colspan for one in place(table))
        assert covered == table.width * len(table.rows)


@pytest.mark.parametrize("style", [name for name, s in render_html.STYLES.items() if s.is_as_written])
def test_pages_hold_the_tables_of_the_form(style):
    """An HTML parser that knows nothing of the forms finds each printed number of the requests table."""
    report = make_report(6, "2021", AGENCY, 2022, Habits(scale=3000))
    page = render_html.render_html(report, render_html.STYLES[style], charset="gbk").content.decode("gb18030")
    tables = pd.read_html(io.StringIO(page.replace(';"', '"')), keep_default_na=False)
    texts = {str(value).strip() for table in tables for value in table.to_numpy().ravel()}
    assert {cell.text for cell in report.cells.values()} <= texts


@pytest.mark.parametrize("layout", ["pipe", "pipe_leading", "pipe_open", "cell_line_pipe", "markdown"])
def test_rows_with_pipes_count_their_columns(layout):
    report = make_report(8, "2019", AGENCY, 2020, Habits(blank=0.2))
    for table in tables_of(report):
        pipes = "".join(render_text.LAYOUTS[layout](table)).count("|")
        rows = len(table.rows) + (layout == "markdown")
        extra = rows if layout in ("pipe_leading", "pipe_open", "markdown") else 0
        assert pipes == table.width * rows + extra


def test_only_lost_columns_are_lossy():
    whole = make_report(9, "2021", AGENCY, 2022)
    gaps = make_report(9, "2021", AGENCY, 2022, Habits(blank=0.2))
    lossy = {name for name in render_text.LAYOUTS if render_text.render_text(whole, name).is_lossy}
    assert lossy == {"glued"}
    assert not render_text.render_text(gaps, "pipe").is_lossy
    assert render_text.render_text(gaps, "spaced").is_lossy


def test_files_are_of_their_kind():
    report = make_report(10, "2021", AGENCY, 2022)
    assert render_files.render_pdf(report).content.startswith(b"%PDF")
    assert render_files.render_pdf(report).content == render_files.render_pdf(report).content
    assert render_files.render_docx(report).content.startswith(b"PK")
    assert render_files.render_xlsx(report).content.startswith(b"PK")


def test_amounts_keep_their_decimals():
    report = make_report(11, "2021", AGENCY, 2022, Habits(amount="万", scale=90000))
    cell = report.cells["proactive.fees.amount", None]
    assert cell.value is not None and Decimal(cell.text.removesuffix("万")) * 10000 == cell.value
