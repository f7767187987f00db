"""Each rule on small tables: it passes, it fails, it cannot tell; and a blank is never taken for zero."""

from __future__ import annotations

import time
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from extractors.records import APPLICANTS
from extractors.schema import arrow_schema
from tests.simulator.agencies import pick_agencies
from tests.simulator.figures import Habits, make_report
from tests.simulator.identities import within
from transforms.checks import check_reports, checks

Key = tuple[str, str | None]
BLANK = "blank"
DECIMAL = pd.ArrowDtype(pa.decimal128(20, 4))


def table(cells: dict[Key, object], report_id: str = "a/2021@00000000") -> pd.DataFrame:
    """Observations of one report: a number, or the value_kind of a cell that holds none."""
    rows = []
    for number, ((indicator, applicant), value) in enumerate(cells.items(), 1):
        is_number = not isinstance(value, str)
        rows.append(
            {
                "report_id": report_id,
                "agency_id": report_id.split("/")[0],
                "year": 2021,
                "indicator": indicator,
                "applicant": applicant,
                "value": Decimal(str(value)) if is_number else None,
                "value_kind": "number" if is_number else value,
                "cell": f"1:{number}:1",
            }
        )
    return pd.DataFrame(rows)


def found(cells: dict[Key, object], check_id: str) -> dict[str, str]:
    """`scope: status` of one check."""
    findings = check_reports(table(cells))
    chosen = findings[findings["check_id"] == check_id]
    return dict(zip(chosen["scope"], chosen["status"], strict=True))


def finding(cells: dict[Key, object], check_id: str, scope: str) -> pd.Series:
    findings = check_reports(table(cells))
    chosen = findings[(findings["check_id"] == check_id) & (findings["scope"] == scope)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def column(numbers: dict[str, object], applicant: str = "total") -> dict[Key, object]:
    return {(code, applicant): value for code, value in numbers.items()}


BALANCE = {"requests.new": 3, "requests.carried_in": 1, "requests.handled": 4, "requests.carried_out": 0}


def test_balance_passes_with_both_sides_and_cells() -> None:
    row = finding(column(BALANCE), "T3.balance", "total")
    assert row["status"] == "pass"
    assert (row["left_value"], row["right_value"], row["difference"]) == (4, 4, 0)
    assert row["formula"] == "requests.new + requests.carried_in = requests.handled + requests.carried_out"
    assert row["cells"] == "1:1:1 1:2:1 1:3:1 1:4:1"


def test_balance_fails_with_the_difference() -> None:
    row = finding(column(BALANCE | {"requests.carried_out": 2}), "T3.balance", "total")
    assert (row["status"], row["difference"]) == ("fail", -2)


@pytest.mark.parametrize("kind", [BLANK, "dash", "text", "column_lost", "cut", "unit_unknown"])
def test_a_cell_without_number_is_not_zero(kind: str) -> None:
    cells = column(BALANCE | {"requests.carried_in": kind, "requests.handled": 3})
    row = finding(cells, "T3.balance", "total")
    assert row["status"] == "not_assessable"
    assert pd.isna(row["left_value"]) and pd.isna(row["difference"])


def test_a_missing_cell_is_not_zero() -> None:
    cells = column(BALANCE | {"requests.carried_out": 0})
    del cells["requests.carried_out", "total"]
    assert found(cells, "T3.balance")["total"] == "not_assessable"


def test_a_lost_column_of_a_printed_table_cannot_be_told() -> None:
    statuses = found(column(BALANCE), "T3.balance")
    assert statuses == {kind: "pass" if kind == "total" else "not_assessable" for kind in APPLICANTS}


def test_a_report_without_the_table_gets_no_finding() -> None:
    assert check_reports(table({("proactive.regulations.made", None): 1})).empty
    assert (
        list(check_reports(table({("requests.new", "total"): 1}).iloc[:0]).columns)
        == arrow_schema("findings").names
    )


def outcome_codes(form: str) -> list[str]:
    check = next(c for c in checks() if (c.check_id, c.scope) == ("T3.outcomes", "total"))
    assert len(check.formulas) == 2
    codes = [{code for code, _ in formula.left} for formula in check.formulas]
    return sorted(next(c for c in codes if ("requests.other" in c) == (form == "2019")))


@pytest.mark.parametrize(("form", "rows"), [("2019", 19), ("2021", 21)])
def test_outcomes_of_either_form(form: str, rows: int) -> None:
    codes = outcome_codes(form)
    assert len(codes) == rows
    outcomes = dict.fromkeys(codes, 2)
    assert found(column(outcomes | {"requests.handled": 2 * rows}), "T3.outcomes")["total"] == "pass"
    assert found(column(outcomes | {"requests.handled": 2 * rows - 1}), "T3.outcomes")["total"] == "fail"
    blank = outcomes | {codes[0]: BLANK, "requests.handled": 2 * rows - 2}
    assert found(column(blank), "T3.outcomes")["total"] == "not_assessable"


def test_outcomes_of_both_forms_at_once_or_of_half_a_form_cannot_be_told() -> None:
    both = dict.fromkeys({*outcome_codes("2019"), *outcome_codes("2021")}, 0)
    assert found(column(both | {"requests.handled": 0}), "T3.outcomes")["total"] == "not_assessable"
    half = {code: 0 for code in outcome_codes("2021") if code != "requests.other.remaining"}
    assert found(column(half | {"requests.handled": 0}), "T3.outcomes")["total"] == "not_assessable"
    neither = {code: 0 for code in outcome_codes("2019") if code != "requests.other"}
    assert found(column(neither | {"requests.handled": 0}), "T3.outcomes")["total"] == "not_assessable"


def row_of(code: str, values: list[object]) -> dict[Key, object]:
    return dict(zip(((code, kind) for kind in APPLICANTS), values, strict=True))


def test_applicants_of_each_printed_row() -> None:
    cells = row_of("requests.new", [1, 2, 0, 0, 0, 1, 4]) | row_of("requests.granted", [1, 0, 0, 0, 0, 0, 2])
    cells |= row_of("requests.carried_in", [0, 0, 0, 0, 0, 0, BLANK])
    assert found(cells, "T3.applicants") == {
        "requests.new": "pass",
        "requests.carried_in": "not_assessable",
        "requests.granted": "fail",
    }
    assert "requests.new[natural_person] + " in finding(cells, "T3.applicants", "requests.new")["formula"]


@pytest.mark.parametrize("group", ["review", "litigation.direct", "litigation.after_review"])
def test_results_of_each_group(group: str) -> None:
    parts = {f"{group}.{name}": 1 for name in ("upheld", "corrected", "other", "pending")}
    cells: dict[Key, object] = {(code, None): value for code, value in parts.items()}
    assert found(cells | {(f"{group}.total", None): 4}, "T4.results") == {group: "pass"}
    assert found(cells | {(f"{group}.total", None): 5}, "T4.results") == {group: "fail"}
    assert found(cells | {(f"{group}.total", None): "dash"}, "T4.results") == {group: "not_assessable"}
    assert found(cells, "T4.results") == {group: "not_assessable"}


def test_sums_of_the_statistics_form() -> None:
    sums = [check for check in checks() if check.check_id == "S.sums"]
    assert {check.scope.removeprefix("statistics.") for check in sums} == {
        "requests.received", "requests.completed", "requests.answered", "requests.answered.refused",
        "review.total", "litigation.total", "resources.staff",
    }  # fmt: skip
    for check in sums:
        formula = check.formulas[0]
        cells: dict[Key, object] = dict.fromkeys(formula.left, 3)
        (total,) = formula.right
        assert found(cells | {total: 3 * len(formula.left)}, "S.sums")[check.scope] == "pass"
        assert found(cells | {total: 1}, "S.sums")[check.scope] == "fail"
        first = formula.left[0]
        assert found(cells | {total: 1, first: BLANK}, "S.sums")[check.scope] == "not_assessable"


def test_text_that_differs_is_uncertain_never_a_failure() -> None:
    told: dict[Key, object] = {("narrative.requests.received", None): 12}
    scope = "narrative.requests.received"
    assert found(told | {("requests.new", "total"): 12}, "N.text") == {scope: "pass"}
    assert found(told | {("requests.new", "total"): 13}, "N.text") == {scope: "uncertain"}
    assert found(told | {("requests.new", "total"): BLANK}, "N.text") == {scope: "not_assessable"}
    assert found(told | {("statistics.requests.received", None): 12}, "N.text") == {scope: "pass"}
    assert found(told, "N.text") == {}
    assert found({("requests.new", "total"): 12}, "N.text") == {}
    ambiguous: dict[Key, object] = {
        ("narrative.requests.received", None): "ambiguous",
        ("requests.new", "total"): 1,
    }
    assert found(ambiguous, "N.text") == {scope: "not_assessable"}


def test_litigation_told_is_both_groups() -> None:
    cells: dict[Key, object] = {
        ("narrative.litigation.cases", None): 5,
        ("litigation.direct.total", None): 2,
        ("litigation.after_review.total", None): 3,
    }
    assert found(cells, "N.text") == {"narrative.litigation.cases": "pass"}


def test_an_approximate_figure_is_uncertain_and_says_why() -> None:
    frame = table({("narrative.requests.received", None): 260, ("requests.new", "total"): 263})
    frame.loc[0, "value_kind"] = "approximate"
    row = check_reports(frame).query("check_id == 'N.text'").iloc[0]
    assert (row["status"], row["likely_cause"]) == ("uncertain", "the text gives an approximate figure")


def test_likely_causes_are_proposed() -> None:
    zero = row_of("requests.new", [1, 2, 0, 0, 0, 1, 0])
    assert "printed as 0" in finding(zero, "T3.applicants", "requests.new")["likely_cause"]
    left_out = row_of("requests.new", [11, 5, 0, 0, 0, 0, 11])
    assert "leave out business" in finding(left_out, "T3.applicants", "requests.new")["likely_cause"]
    digits = row_of("requests.new", [21, 1, 0, 0, 0, 0, 13])
    assert "digits" in finding(digits, "T3.applicants", "requests.new")["likely_cause"]
    swapped = column(BALANCE | {"requests.new": 5}, "business") | column(
        BALANCE | {"requests.new": 1}, "research"
    )
    causes = [finding(swapped, "T3.balance", kind)["likely_cause"] for kind in ("business", "research")]
    assert causes[0] == causes[1] and "wrong column: business and research" in causes[0]
    assert pd.isna(finding(column(BALANCE), "T3.balance", "total")["likely_cause"])


def test_decimals_are_added_exactly() -> None:
    cells = {
        ("narrative.request_fees", None): Decimal("0.3"),
        ("statistics.request_fees", None): Decimal("0.3"),
    }
    assert finding(cells, "N.text", "narrative.request_fees")["left_value"] == Decimal("0.3000")
    huge = row_of("requests.new", [10**14, 0, 0, 0, 0, 0, 10**14])
    assert found(huge, "T3.applicants") == {"requests.new": "not_assessable"}


def test_reports_do_not_mix_and_arrow_values_read_the_same() -> None:
    good, bad = column(BALANCE), column(BALANCE | {"requests.new": 9})
    frame = pd.concat([table(good, "a/2021@1"), table(bad, "b/2021@2")], ignore_index=True)
    frame = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    findings = check_reports(frame)
    totals = findings[(findings["check_id"] == "T3.balance") & (findings["scope"] == "total")]
    assert dict(zip(totals["report_id"], totals["status"], strict=True)) == {
        "a/2021@1": "pass",
        "b/2021@2": "fail",
    }
    backed = frame.assign(value=pd.Series(pa.array(frame["value"], pa.decimal128(20, 4)), dtype=DECIMAL))
    pd.testing.assert_frame_equal(check_reports(backed), findings)


def test_findings_fit_their_table() -> None:
    schema = arrow_schema("findings")
    written = pa.Table.from_pandas(
        check_reports(table(column(BALANCE)))[schema.names], schema=schema, preserve_index=False
    )
    assert written.num_rows > 0
    keys = written.select(["report_id", "check_id", "scope"]).to_pandas()
    assert not keys.duplicated().any()


def test_many_observations_are_checked_at_once() -> None:
    terms = [(code, kind) for code in BALANCE for kind in APPLICANTS]
    reports = 7_000
    size = reports * len(terms)
    numbers = np.tile([1] * 14 + [2] * 7 + [0] * 7, reports)
    frame = pd.DataFrame(
        {
            "report_id": np.repeat([f"r{number}/2021@0" for number in range(reports)], len(terms)),
            "agency_id": "a",
            "year": 2021,
            "indicator": np.tile([code for code, _ in terms], reports),
            "applicant": np.tile([kind for _, kind in terms], reports),
            "value": pd.Series(
                pa.array(numbers.astype(np.int32)).cast(pa.decimal128(20, 4)),
                dtype=DECIMAL,
            ),
            "value_kind": "number",
            "cell": "2:1:1",
        }
    )
    start = time.process_time()
    findings = check_reports(frame)
    assert time.process_time() - start < 3 * size / 100_000
    balance = findings[findings["check_id"] == "T3.balance"]
    assert len(balance) == 7 * reports and (balance["status"] == "pass").all()


@pytest.mark.parametrize("form", ["2014", "2019", "2021"])
def test_checks_agree_with_an_independent_account(form: str) -> None:
    """Made-up reports with blanks, merged cells and broken identities, against the simulator's arithmetic."""
    broken = ("T3.balance", "T3.outcomes", "T3.applicants", "T4.results", "S.sums")
    agencies = pick_agencies(5, 12)
    seen: set[str] = set()
    for seed, agency in enumerate(agencies):
        habits = Habits(
            blank=0.02 * (seed % 3),
            merged=seed % 4 == 0,
            broken=broken[: seed % 6],
            zero_totals=seed % 5 == 1,
        )
        report = make_report(seed, form, agency, 2021, habits)
        cells = {key: BLANK if value is None else value for key, value in report.truth.items()}
        findings = check_reports(table(cells))
        ours = {(row.check_id, row.scope): row for row in findings.itertuples() if row.check_id != "N.text"}
        expected = {(identity.check, identity.place): identity for identity in within(report)}
        assert {key: row.status for key, row in ours.items()} == {
            key: one.status for key, one in expected.items()
        }
        for key, one in expected.items():
            if one.status != "not_assessable":
                assert (ours[key].left_value, ours[key].right_value) == (one.left, one.right)
        seen |= {one.status for one in expected.values()}
    assert seen == {"pass", "fail", "not_assessable"}
