"""What people decided is applied as they decided it, and stops the build when it no longer fits."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from tests.simulator.agencies import REGIONS, agencies_of
from tests.simulator.figures import Habits, make_history
from tests.warehouse_data import Version, write_tidy
from transforms import lineage as lineage_pairs
from warehouse.build import build
from warehouse.lineage import Step, members
from warehouse.publish import publish
from warehouse.query import open_newest
from warehouse.reference import REFERENCE

CORRECTIONS = "report_id,indicator,applicant,expected_value,corrected_value,reason,reviewer,decided_on\n"
VERDICTS = "report_id,check_id,scope,left_value,right_value,verdict,reason,reviewer,decided_on\n"
BROKEN = {2023: Habits(broken=("T3.balance",))}


@pytest.fixture(scope="module")
def versions() -> list[Version]:
    agency = agencies_of(REGIONS[14], 2)[1]
    return [Version(report) for report in make_history(4, agency, (2022, 2023), Habits(), BROKEN)]


@pytest.fixture()
def root(tmp_path: Path, versions: list[Version]) -> DataRoot:
    root = DataRoot(str(tmp_path / "data"))
    write_tidy(root, versions)
    return root


@pytest.fixture()
def reference(tmp_path: Path) -> Path:
    """A copy of the reviewed reference files, for a test to write into."""
    return Path(shutil.copytree(REFERENCE, tmp_path / "reference"))


def _ask(root: DataRoot, query: str) -> list[tuple[object, ...]]:
    with open_newest(root) as connection:
        return connection.execute(query).fetchall()


def _broken(versions: list[Version]) -> tuple[str, str, Decimal, Decimal]:
    """(report, applicant, left, right) of the planted T3.balance."""
    version = versions[1]
    kind = str(version.report.faults[0].cells[0][1])
    truth = version.report.numbers
    left = truth["requests.new", kind] + truth["requests.carried_in", kind]
    right = truth["requests.handled", kind] + truth["requests.carried_out", kind]
    return version.report_id, kind, left, right


def test_a_correction_changes_the_number_the_findings_and_is_listed(root, reference, versions):
    report, kind, left, right = _broken(versions)
    printed = versions[1].report.numbers["requests.new", kind]
    row = f"{report},requests.new,{kind},{printed},{printed - (left - right)},misread by us,somebody,2026-05-01\n"
    (reference / "corrections.csv").write_text(CORRECTIONS + row, encoding="utf8")
    publish(root, build(root, folder=reference))
    value = f"SELECT value FROM observations WHERE report_id = '{report}' AND indicator = 'requests.new'"
    assert _ask(root, f"{value} AND applicant = '{kind}'") == [(printed - (left - right),)]
    status = f"SELECT status FROM findings WHERE report_id = '{report}' AND check_id = 'T3.balance'"
    assert _ask(root, f"{status} AND scope = '{kind}'") == [("pass",)]
    assert _ask(root, "SELECT reason FROM corrections") == [("misread by us",)]
    publish(root, build(root, folder=reference))
    assert _ask(root, f"{value} AND applicant = '{kind}'") == [(printed - (left - right),)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expected": "999999"}, r"corrections\.csv row 2: .* holds .*, the correction expects 999999"),
        ({"report": "000000-nobody/2023@00000000"}, r"corrections\.csv row 2: no report '000000-nobody"),
        ({"indicator": "fees.nothing"}, r"corrections\.csv row 2: .* is no cell of that report"),
        ({"corrected": "twelve"}, r"corrections\.csv row 2: corrected_value is 'twelve', expected DECIMAL"),
        ({"reason": ""}, r"corrections\.csv row 2: reason is empty"),
        ({"reason": "one, two"}, r"corrections\.csv row 2: has not 8 fields"),
    ],
)
def test_a_correction_that_does_not_fit_stops_the_build(root, reference, versions, change, said):
    publish(root, build(root))
    report, kind, _, _ = _broken(versions)
    facts = {
        "report": report,
        "indicator": "requests.new",
        "expected": str(versions[1].report.numbers["requests.new", kind]),
        "corrected": "1",
        "reason": "because",
        **change,
    }
    row = "{report},{indicator},{kind},{expected},{corrected},{reason},somebody,2026-05-01\n".format(
        **facts, kind=kind
    )
    (reference / "corrections.csv").write_text(CORRECTIONS + row, encoding="utf8")
    with pytest.raises(UserError, match=said):
        build(root, folder=reference)
    assert _ask(root, "SELECT count(*) FROM reports") == [(2,)]


def test_a_verdict_holds_until_the_numbers_change(root, reference, versions):
    report, kind, left, right = _broken(versions)
    for judged, verdict, still_open in ((left, "dismissed", False), (left + 1, None, True)):
        row = f"{report},T3.balance,{kind},{judged},{right},dismissed,their footnote says so,somebody,2026-05-01\n"
        (reference / "verdicts.csv").write_text(VERDICTS + row, encoding="utf8")
        publish(root, build(root, folder=reference))
        wanted = f"report_id = '{report}' AND check_id = 'T3.balance' AND scope = '{kind}'"
        assert _ask(root, f"SELECT verdict, status FROM findings WHERE {wanted}") == [(verdict, "fail")]
        assert bool(_ask(root, f"SELECT 1 FROM open_findings WHERE {wanted}")) == still_open


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "000000-x/2023@00000000,T3.balance,total,1,2,dismissed,r,p,2026-05-01",
            "no report '000000-x/2023@00000000'",
        ),
        (
            "{report},T3.balance,total,1,2,perhaps,r,p,2026-05-01",
            "verdict is 'perhaps', expected one of confirmed",
        ),
        ("{report},T3.balance,total,1,2,confirmed,r,p,yesterday", "decided_on is 'yesterday', expected DATE"),
    ],
)
def test_a_verdict_that_does_not_fit_stops_the_build(root, reference, versions, row, said):
    text = VERDICTS + row.format(report=versions[0].report_id) + "\n"
    (reference / "verdicts.csv").write_text(text, encoding="utf8")
    with pytest.raises(UserError, match=rf"verdicts\.csv row 2: {said}"):
        build(root, folder=reference)


def test_a_row_given_twice_is_named_with_the_first(root, reference, versions):
    row = f"{versions[0].report_id},T3.balance,total,1,2,dismissed,r,p,2026-05-01\n"
    (reference / "verdicts.csv").write_text(VERDICTS + row + row, encoding="utf8")
    with pytest.raises(UserError, match=r"verdicts\.csv row 3: repeats row 2"):
        build(root, folder=reference)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            ",requests.new,yes",
            ",requests.newest,yes",
            r"measures\.csv row \d+: .*'requests\.newest', which indicators\.csv",
        ),
        (
            ",requests.new,yes",
            ",requests.new,perhaps",
            r"measures\.csv row \d+: form '2019', comparable 'perhaps'",
        ),
        (
            ",review.total,yes,2019,",
            ",review.total,limited,2019,",
            r"measures\.csv row \d+: .* say why in column `why`",
        ),
    ],
)
def test_a_measure_that_does_not_fit_stops_the_build(root, reference, old, new, said):
    path = reference / "measures.csv"
    text = path.read_text(encoding="utf8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf8")
    with pytest.raises(UserError, match=said):
        build(root, folder=reference)


def test_a_rate_over_an_unknown_measure_stops_the_build(root, reference):
    path = reference / "rates.csv"
    path.write_text(
        path.read_text(encoding="utf8").replace("requests_refused,", "requests_refuse,", 1), encoding="utf8"
    )
    with pytest.raises(UserError, match=r"rates\.csv row \d+: numerator 'requests_refuse' is no measure"):
        build(root, folder=reference)


def test_a_lineage_circle_stops_the_build(root, reference, versions, monkeypatch):
    agency = versions[0].report.agency
    other = agencies_of(REGIONS[14], 3)[2]
    write_tidy(root, versions, more_agencies=[other])
    rows = f"{agency.key},{other.key},2020,renamed,r,s\n{other.key},{agency.key},2022,renamed,r,s\n"
    header = "predecessor,successor,year,kind,reason,source\n"
    (reference / "agency_lineage.csv").write_text(header + rows, encoding="utf8")
    monkeypatch.setattr(lineage_pairs, "REFERENCE", reference)
    lineage_pairs._rows.cache_clear()
    try:
        with pytest.raises(UserError, match=r"agency_lineage\.csv: .* follows itself"):
            build(root, folder=reference)
    finally:
        lineage_pairs._rows.cache_clear()


def test_every_lineage_row_names_offices_the_resolver_knows():
    with (REFERENCE / "offices.csv").open(encoding="utf8", newline="") as stream:
        offices = {row["office"] for row in csv.DictReader(stream)}
    with (REFERENCE / "agency_lineage.csv").open(encoding="utf8", newline="") as stream:
        named = {
            row[side].split("-", 1)[1]
            for row in csv.DictReader(stream)
            for side in ("predecessor", "successor")
        }
    unknown = {one for one in named if one.removesuffix("_branch").rpartition("_")[0] not in offices}
    assert named and unknown == set()


def test_who_stands_for_an_agency_in_a_year():
    told = {
        "new": [Step("old", 2019, "renamed")],
        "joined": [Step("a", 2019, "merged"), Step("b", 2019, "merged")],
        "part": [Step("whole", 2019, "split")],
        "last": [Step("joined", 2022, "renamed")],
    }
    alive = {("old", 2018), ("a", 2018), ("b", 2018), ("whole", 2018), ("old", 2020), ("late", 2018)}
    alive |= {("joined", 2019), ("joined", 2021), ("new", 2019), ("last", 2022)}
    assert members("new", 2018, told, alive) == {("old", "")}
    assert members("new", 2019, told, alive) == {("new", "")}
    assert members("new", 2020, told, alive) == {("old", "")}, "the old name still reported a year later"
    assert members("joined", 2018, told, alive) == {("a", ""), ("b", "")}
    assert members("joined", 2018, told, alive | {("joined", 2018)}) == {("a", ""), ("b", ""), ("joined", "")}
    assert members("last", 2018, told, alive) == {("a", ""), ("b", "")}
    assert members("last", 2021, told, alive) == {("joined", "")}
    assert members("part", 2018, told, alive) == {("whole", "part was split from whole in 2019")}
    assert members("part", 2017, told, set()) == {("whole", "part was split from whole in 2019")}
