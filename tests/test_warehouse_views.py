"""Every view's numbers equal the simulator's own sums, over all forms, blanks, missing reports, mergers and faults."""

from __future__ import annotations

import math
import statistics
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from extractors.dataroot import DataRoot
from tests.simulator.agencies import REGIONS, agencies_of
from tests.simulator.figures import (
    KINDS,
    NOT_PROCESSED,
    NOT_PROVIDED,
    REFUSED,
    Habits,
    Key,
    Report,
    corrected,
    make_history,
)
from tests.simulator.identities import across
from tests.warehouse_data import Version, form_of, named, write_tidy
from warehouse.build import build
from warehouse.publish import publish
from warehouse.query import open_newest

YEARS = range(2017, 2025)
BLANKS = Habits(blank=0.03, dash=0.01)
FAULTS = {
    2020: Habits(broken=("X.items",)),
    2022: Habits(broken=("X.carry",)),
    2023: Habits(broken=("X.stock", "T3.balance")),
    2024: Habits(blank_columns=("total",)),
}

Truth = dict[Key, Decimal | None]


def _world() -> list[Version]:
    """Agencies of three regions over eight years: clean, blank, faulty ones, two merged, one renamed, one gap."""
    versions = []
    for place, region in enumerate((REGIONS[9], REGIONS[12], REGIONS[20])):
        for number, agency in enumerate(agencies_of(region, 13)):
            habits = BLANKS if number % 3 == 1 else Habits()
            by_year = FAULTS if number % 3 == 2 else None
            forms = {2021: "mixed"} if number % 4 == 0 else None
            history = make_history(place * 100 + number, agency, YEARS, habits, by_year, forms)
            versions += [Version(r) for r in history if not (number == 5 and r.year == 2020)]
    region = REGIONS[9]
    office = agencies_of(region, 2)[1]
    for slug, name, years in (
        ("state_tax_bureau", "国家税务局", range(2017, 2019)),
        ("local_tax_bureau", "地方税务局", range(2017, 2019)),
        ("tax_bureau", "税务局", range(2019, 2025)),
        ("family_planning_health_bureau", "卫生和计划生育局", range(2017, 2019)),
        ("health_bureau", "卫生健康局", range(2019, 2025)),
    ):
        agency = named(office, slug, region.full_name + name)
        versions += [Version(report) for report in make_history(77, agency, years)]
    twice = next(v for v in versions if v.report.year == 2023 and v.report.agency.slug == "jyj")
    newer, _ = corrected(twice.report, 5)
    versions.remove(twice)
    versions += [
        Version(twice.report, is_current=False),
        Version(newer, fetched_at=datetime(2026, 3, 1), salt="corrected"),
    ]
    return versions


@pytest.fixture(scope="module")
def world() -> list[Version]:
    return _world()


@pytest.fixture(scope="module")
def connection(world: list[Version], tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    root = DataRoot(str(tmp_path_factory.mktemp("data")))
    governments = {
        v.report.agency.region_code: v.report.agency.key for v in world if v.report.agency.slug == "gov"
    }
    parents = {
        v.report.agency.key: governments[v.report.agency.region_code]
        for v in world
        if v.report.agency.slug != "gov"
    }
    write_tidy(root, world, parents)
    publish(root, build(root))
    return open_newest(root)


def _sum(truth: Truth, keys: list[Key]) -> Decimal | None:
    values = [truth.get(key) for key in keys]
    return None if None in values else sum((v for v in values if v is not None), Decimal(0))


def _refused(truth: Truth, who: str) -> Decimal | None:
    return _sum(truth, [(f"requests.refused.{reason}", who) for reason in REFUSED])


def _other(truth: Truth, who: str) -> Decimal | None:
    if ("requests.other", who) in truth:
        return truth["requests.other", who]
    return _sum(
        truth,
        [(f"requests.other.{part}", who) for part in ("correction_overdue", "fee_overdue", "remaining")],
    )


def _outcomes(truth: Truth, who: str) -> tuple[Decimal | None, ...]:
    return (
        truth["requests.new", who],
        truth["requests.carried_in", who],
        truth["requests.handled", who],
        truth["requests.granted", who],
        truth["requests.partly_granted", who],
        _refused(truth, who),
        _sum(truth, [(f"requests.not_provided.{reason}", who) for reason in NOT_PROVIDED]),
        _sum(truth, [(f"requests.not_processed.{reason}", who) for reason in NOT_PROCESSED]),
        _other(truth, who),
        truth["requests.carried_out", who],
    )


def _current(world: list[Version]) -> list[Version]:
    return [version for version in world if version.is_current]


def _truths(world: list[Version]) -> dict[tuple[str, int], Truth]:
    return {(v.report.agency.key, v.report.year): v.report.truth for v in _current(world)}


def test_request_outcomes_equal_the_printed_figures(world, connection):
    found = {
        (report, who): tuple(values)
        for report, who, *values in connection.execute("""
            SELECT report_id, applicant, requests_received, requests_carried_in, requests_handled, requests_granted,
                requests_partly_granted, requests_refused, requests_not_provided, requests_not_processed,
                requests_other, requests_carried_out
            FROM request_outcomes WHERE form <> '2014'""").fetchall()
    }
    expected = {
        (v.report_id, who): _outcomes(v.report.truth, who)
        for v in _current(world)
        if form_of(v.report) != "2014"
        for who in (*KINDS, "total")
    }
    assert found == expected


def test_the_2014_form_is_read_by_its_own_rows(world, connection):
    s = "statistics.requests."
    expected = {}
    for version in _current(world):
        truth = version.report.truth
        if version.report.form == "2014":
            expected[version.report_id] = (
                truth[s + "received", None],
                truth[s + "completed", None],
                _sum(truth, [(s + "answered.granted", None), (s + "answered.already_public", None)]),
                truth[s + "answered.refused", None],
                _sum(truth, [(s + "answered.not_this_organ", None), (s + "answered.not_existing", None)]),
                truth["statistics.litigation.total", None],
                truth["statistics.request_fees", None],
                None,
            )
    found = connection.execute("""
        SELECT report_id, requests_received, requests_handled, requests_granted, requests_refused, not_held,
            litigation_total, request_fees, requests_carried_in
        FROM agency_year WHERE form = '2014'""").fetchall()
    assert expected and {report: tuple(values) for report, *values in found} == expected


def test_blank_totals_stay_blank_and_parts_are_flagged_as_derived(world, connection):
    found = connection.execute("""
        SELECT report_id, requests_received, requests_received_from_parts FROM agency_year WHERE form IN ('2019', '2021')
    """).fetchall()
    expected = {
        v.report_id: (
            v.report.truth["requests.new", "total"],
            _sum(v.report.truth, [("requests.new", kind) for kind in KINDS]),
        )
        for v in _current(world)
        if form_of(v.report) != "2014"
    }
    assert {report: (total, parts) for report, total, parts in found} == expected
    assert any(total is None and parts is not None for total, parts in expected.values())
    flagged = connection.execute("SELECT DISTINCT measure FROM measures WHERE is_derived").fetchall()
    assert ("requests_received_from_parts",) in flagged and ("requests_received",) not in flagged


def test_refusal_reasons_and_their_shares(world, connection):
    truths = {v.report_id: v.report.truth for v in _current(world) if form_of(v.report) != "2014"}
    rows = connection.execute(
        "SELECT report_id, reason, refused, share FROM refusal_reasons WHERE form IN ('2019', '2021')"
    ).fetchall()
    assert len(rows) == len(truths) * len(REFUSED)
    for report, reason, refused, share in rows:
        truth = truths[report]
        assert refused == truth[f"requests.refused.{reason.removeprefix('refused_')}", "total"]
        whole = _refused(truth, "total")
        if refused is None or not whole:
            assert share is None
        else:
            assert share == pytest.approx(float(refused / whole))


def test_reviews_and_litigation_by_stage(world, connection):
    expected = {}
    for version in _current(world):
        truth = version.report.truth
        if form_of(version.report) == "2014":
            continue
        for stage, groups in {
            "review": ["review"],
            "litigation_direct": ["litigation.direct"],
            "litigation_after_review": ["litigation.after_review"],
            "litigation": ["litigation.direct", "litigation.after_review"],
        }.items():
            expected[version.report_id, stage] = tuple(
                _sum(truth, [(f"{group}.{result}", None) for group in groups])
                for result in ("upheld", "corrected", "other", "pending", "total")
            )
    rows = connection.execute("""
        SELECT report_id, stage, upheld, corrected, other_result, pending, total FROM reviews_and_litigation
        WHERE form <> '2014'""").fetchall()
    assert {(report, stage): tuple(values) for report, stage, *values in rows} == expected


def test_proactive_disclosure_is_null_where_the_form_does_not_print_it(world, connection):
    rows = connection.execute("""
        SELECT report_id, normative_documents_made, normative_documents_in_force, licensing_decisions, fees_amount,
            procurement_amount, normative_documents_public_total FROM proactive_disclosure WHERE form <> '2014'
    """).fetchall()
    codes = [
        "normative_documents.made",
        "normative_documents.in_force",
        "licensing.decisions",
        "fees.amount",
        "procurement.amount",
        "normative_documents.public_total",
    ]
    expected = {
        v.report_id: tuple(v.report.truth.get((f"proactive.{code}", None)) for code in codes)
        for v in _current(world)
        if form_of(v.report) != "2014"
    }
    assert {report: tuple(values) for report, *values in rows} == expected


def _wilson(part: Decimal, whole: Decimal) -> tuple[float, float]:
    z, n, p = statistics.NormalDist().inv_cdf(0.975), float(whole), float(part / whole)
    middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)


def test_rates_with_interval_and_change_in_points(world, connection):
    truths = _truths(world)
    rows = connection.execute("""
        SELECT agency_id, year, form, numerator, denominator, rate, low, high, is_small_n, change_points, reason
        FROM rates WHERE measure = 'refused_rate' AND form <> '2014'""").fetchall()
    assert rows
    rates = {}
    for agency, year, _, part, whole, rate, low, high, is_small, _, _ in rows:
        truth = truths[agency, year]
        refused, handled = _refused(truth, "total"), truth["requests.handled", "total"]
        assert (part, whole) == (refused, handled)
        if refused is None or not handled or refused > handled:
            assert rate is None
            continue
        rates[agency, year] = rate
        assert rate == pytest.approx(float(refused / handled))
        assert (low, high) == pytest.approx(_wilson(refused, handled))
        assert is_small == (handled < 30)
    for agency, year, _, _, _, rate, _, _, _, change, reason in rows:
        before = rates.get((agency, year - 1))
        if rate is not None and before is not None:
            assert change == pytest.approx(100 * (rate - before)) and reason is None
        else:
            assert change is None and reason


def test_no_change_is_computed_over_the_break_of_2019(connection):
    for view, measure in (("rates", "granted_rate"), ("trends", "requests_received")):
        column = "change_points" if view == "rates" else "change"
        value = "rate" if view == "rates" else "value"
        rows = connection.execute(
            f"SELECT {column}, reason FROM {view} WHERE measure = ? AND year = 2019 AND {value} IS NOT NULL",
            [measure],
        ).fetchall()
        told = [reason for _, reason in rows if "do not compare" in (reason or "")]
        assert rows and all(change is None and reason for change, reason in rows) and told


def test_documents_made_compare_over_2021_and_stocks_do_not(world, connection):
    truths = _truths(world)
    key: Key = ("proactive.normative_documents.made", None)
    rows = connection.execute("""
        SELECT agency_id, change FROM trends WHERE measure = 'normative_documents_made' AND year = 2021
    """).fetchall()
    compared = 0
    for agency, change in rows:
        now, before = truths[agency, 2021][key], truths.get((agency, 2020), {}).get(key)
        assert change == (None if now is None or before is None else now - before)
        compared += change is not None
    assert compared
    for measure in ("normative_documents_public_total", "normative_documents_in_force"):
        told = connection.execute(
            "SELECT change, reason FROM trends WHERE measure = ? AND year = 2021", [measure]
        ).fetchall()
        assert told and all(change is None and reason for change, reason in told)


def test_trends_follow_mergers_and_renames(world, connection):
    truths = _truths(world)
    region = REGIONS[9].code
    received = dict(
        connection.execute(f"""
        SELECT year, value FROM trends WHERE agency_id = '{region}-tax_bureau' AND measure = 'requests_received'
    """).fetchall()
    )
    code = ("statistics.requests.received", None)
    for year in (2017, 2018):
        parts = [truths[f"{region}-{slug}", year][code] for slug in ("state_tax_bureau", "local_tax_bureau")]
        assert None not in parts and received[year] == sum(parts)
    assert received[2019] == truths[f"{region}-tax_bureau", 2019]["requests.new", "total"]
    followed = connection.execute(f"""
        SELECT year, reported_by FROM trends WHERE agency_id = '{region}-health_bureau'
        AND measure = 'requests_received' ORDER BY year""").fetchall()
    assert [year for year, _ in followed] == list(range(2017, 2025))
    assert followed[0][1].endswith("卫生和计划生育局") and followed[-1][1].endswith("卫生健康局")


def test_changes_are_those_of_neighbouring_years_only(world, connection):
    truths = _truths(world)
    rows = connection.execute("""
        SELECT agency_id, year, value, change, reason FROM trends WHERE measure = 'penalties_decisions' AND year >= 2020
    """).fetchall()
    key: Key = ("proactive.penalties.decisions", None)
    gaps = 0
    for agency, year, value, change, reason in rows:
        now, before = truths[agency, year][key], truths.get((agency, year - 1), {}).get(key)
        assert value == now
        assert change == (None if now is None or before is None else now - before)
        assert (reason is None) == (change is not None)
        gaps += (agency, year - 1) not in truths
    assert gaps


def test_peers_have_median_and_no_rank_below_ten(world, connection):
    rows = connection.execute("""
        SELECT agency_id, level, kind, function, year, value, n_peers, median, rank, reason
        FROM peers WHERE measure = 'requests_received'""").fetchall()
    groups: dict[tuple[object, ...], list[float]] = {}
    for _, level, kind, function, year, value, *_ in rows:
        groups.setdefault((level, kind, function, year), []).append(value)
    for _, level, kind, function, year, value, n_peers, median, rank, reason in rows:
        group = groups[level, kind, function, year]
        assert n_peers == len(group) - 1
        if n_peers < 10:
            assert (median, rank) == (None, None) and reason
        else:
            assert median == statistics.median(group)
            assert rank == 1 + sum(other > value for other in group)


def test_each_planted_break_between_years_is_found_and_none_is_invented(world, connection):
    history: dict[str, dict[int, Report]] = {}
    for version in _current(world):
        history.setdefault(version.report.agency.key, {})[version.report.year] = version.report
    expected = {}
    for reports in history.values():
        for year, report in reports.items():
            if before := reports.get(year - 1):
                for one in across(before, report):
                    expected[report.agency.key, year, one.check, one.place] = (
                        one.left,
                        one.right,
                        one.status,
                    )
    rows = connection.execute("""
        SELECT agency_id, year, check_id, scope, left_value, right_value, status FROM findings
        WHERE check_id LIKE 'X.%' AND check_id <> 'X.parent'""").fetchall()
    found = {tuple(row[:4]): tuple(row[4:]) for row in rows}
    weak = {"X.stock": "uncertain", "X.items": "uncertain", "X.carry": "fail"}
    said = {
        key: (left, right, weak[key[2]] if status == "fail" else status)
        for key, (left, right, status) in expected.items()
    }
    assert found == said
    planted = {
        check for version in world for check in (f.check for f in version.report.faults) if check[0] == "X"
    }
    broken = {key[2] for key, (_, _, status) in expected.items() if status == "fail"}
    assert planted == broken == {"X.carry", "X.stock", "X.items"}


def test_revisions_name_the_cell_that_was_replaced(world, connection):
    old = next(v for v in world if not v.is_current)
    new = next(v for v in world if v.salt == "corrected")
    differing = {
        key: (old.report.truth[key], new.report.truth[key])
        for key in old.report.cells
        if old.report.truth[key] != new.report.truth[key]
    }
    rows = connection.execute(
        "SELECT indicator, applicant, old, new, first_seen, is_same_address FROM revisions"
    ).fetchall()
    assert {(code, who): (before, after) for code, who, before, after, *_ in rows} == differing
    assert [row[4:] for row in rows] == [(datetime(2026, 3, 1), True)]


def test_observations_as_of_a_moment_are_those_then_in_force(world, connection):
    new = next(v for v in world if v.salt == "corrected")
    for moment, wanted in (("2026-02-15", False), ("2026-03-02", True)):
        found = connection.execute(
            f"""
            SELECT DISTINCT report_id FROM observations_as_of('{moment}') WHERE agency_id = ? AND year = ?""",
            [new.report.agency.key, new.report.year],
        ).fetchall()
        assert len(found) == 1 and (found[0][0] == new.report_id) == wanted


def test_macros_answer(world, connection):
    version = next(
        v for v in _current(world) if form_of(v.report) == "2021" and v.report.agency.slug == "czj"
    )
    agency, year = version.report.agency, version.report.year
    compared = connection.execute(f"FROM compare_agencies({year}, 'requests_received')").df()
    value = compared.loc[compared["agency_id"] == agency.key, "value"].iloc[0]
    assert value == version.report.truth["requests.new", "total"]
    rated = connection.execute(f"FROM compare_agencies({year}, 'refused_rate')").df()
    assert set(rated["agency_id"]) == set(compared["agency_id"])
    for answer in (compared, rated):
        assert answer.loc[answer["rank"].isna(), "note"].notna().all()
    trend = connection.execute(f"FROM agency_trend('{agency.name}', 'requests_received')").fetchall()
    assert [row[2] for row in trend] == sorted(
        v.report.year for v in _current(world) if v.report.agency == agency
    )
    own = connection.execute(
        f"SELECT year, value, change FROM agency_trend('{agency.key}', 'refused_rate')"
    ).fetchall()
    shares = connection.execute(
        "SELECT year, rate, change_points / 100 FROM rates WHERE measure = 'refused_rate' AND agency_id = ? ORDER BY 1",
        [agency.key],
    ).fetchall()
    for said, known in zip(own, shares, strict=True):
        assert said == pytest.approx(known)
    for call in (f"compare_agencies({year}, 'refused')", f"agency_trend('{agency.name}', 'refused')"):
        with pytest.raises(duckdb.Error, match="no measure or rate refused; see SELECT DISTINCT measure"):
            connection.execute(f"FROM {call}").fetchall()
    traced = connection.execute(f"FROM trace('{version.report_id}', 'requests.new', 'total')").df()
    assert len(traced) == 1 and traced["warc_path"].iloc[0] == "raw/portal/1.warc.gz"
    assert traced["raw_text"].iloc[0] == version.report.cells["requests.new", "total"].text
    plain = connection.execute(f"FROM trace('{version.report_id}', 'review.total', NULL)").df()
    assert len(plain) == 1
    for known in ("refused_rate", "requests_received"):
        with pytest.raises(
            duckdb.Error, match=r"no agency is called 无此县; see SELECT agency_id, name FROM"
        ):
            connection.execute(f"FROM agency_trend('无此县', '{known}')").fetchall()


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parents[1] / "warehouse" / "questions").glob("*.sql")),
    ids=lambda path: path.stem,
)
def test_example_questions_answer(path, connection):
    rows = connection.execute(path.read_text(encoding="utf8")).fetchall()
    assert rows
