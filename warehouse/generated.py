"""Writes the SQL that follows from `measures.csv` and `rates.csv`: the pivots of a report's cells and the long views.

The long views are one branch a measure, so that a question about one measure reads one column. Never holds a number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from warehouse import measures as harmonised
from warehouse import schema_sql as sql
from warehouse.measures import Measure, Printed
from warehouse.reference import Row

AGENCY = "agency_id, agency_name, region_code, level, kind, function, year, report_id, form"
Z = "1.959964"
"""Standard normal quantile of a 95 % interval."""
SMALL_N = 30
"""Rates over fewer cases are flagged: one case more or less moves them by over three percentage points."""


def requests_column(indicator: str) -> str:
    """Column of `requests_by_applicant` for a row of the requests table: its code without the table's name."""
    return indicator.removeprefix("requests.").replace(".", "_")


def requests_by_applicant(catalogue: Mapping[str, bool], only: str = "") -> str:
    """SELECT of table `requests_by_applicant`; `only` is a condition that limits the reports."""
    columns = ",\n    ".join(
        f"max(CASE WHEN indicator = {sql.text(code)} THEN number END) AS {sql.quoted(requests_column(code))}"
        for code, by_applicant in catalogue.items()
        if by_applicant
    )
    return f"""
        WITH cells AS (
            SELECT report_id, applicant{"," if columns else ""}
            {columns}
            FROM (
                SELECT report_id, applicant, indicator, CASE WHEN value_kind = 'number' THEN value END AS number
                FROM observations WHERE applicant IS NOT NULL {only}
            )
            GROUP BY report_id, applicant
        )
        SELECT c.report_id, r.agency_id, r.year, c.* EXCLUDE (report_id)
        FROM cells c JOIN reports r ON r.report_id = c.report_id
    """


def agency_year(measures: Mapping[str, Measure], only: str = "") -> str:
    """SELECT of table `agency_year`: the current report of each agency and year, each measure over its cells."""
    tables: dict[str, list[str]] = defaultdict(list)
    requests: list[str] = []
    for cell in harmonised.printed_cells(measures):
        if cell.applicant is None:
            tables[cell.indicator.partition(".")[0]].append(cell.indicator)
        else:
            requests.append(_requests_cell(cell))
    pivots = "".join(_pivot(name, codes, only) for name, codes in sorted(tables.items()))
    joins = "".join(
        f"LEFT JOIN {name}_cells ON {name}_cells.report_id = r.report_id\n" for name in sorted(tables)
    )
    values = "".join(
        f",\n    CAST({harmonised.expression(m)} AS DECIMAL(20,4)) AS {sql.quoted(m.name)}"
        for m in measures.values()
    )
    return f"""
        WITH {pivots} request_cells AS (
            SELECT report_id{"".join(f", {cell}" for cell in requests)}
            FROM requests_by_applicant WHERE true {only} GROUP BY report_id
        ), pictures AS (
            SELECT DISTINCT report_id FROM observations WHERE is_ocr {only}
        )
        SELECT r.agency_id, r.agency_name, a.region_code, a.level, a.kind, a.function, r.year, r.report_id, r.form,
            r.status, pictures.report_id IS NOT NULL AS has_ocr{values}
        FROM reports r
        LEFT JOIN agencies a ON a.agency_id = r.agency_id
        LEFT JOIN request_cells ON request_cells.report_id = r.report_id
        {joins}
        LEFT JOIN pictures ON pictures.report_id = r.report_id
        WHERE r.is_current {only.replace("report_id", "r.report_id", 1)}
        ORDER BY r.year, r.agency_id
    """


def _pivot(name: str, codes: Iterable[str], only: str) -> str:
    listed = list(codes)
    columns = ", ".join(
        f"max(CASE WHEN indicator = {sql.text(c)} THEN value END) AS {sql.quoted(c)}" for c in listed
    )
    return f"""{name}_cells AS (
            SELECT report_id, {columns} FROM observations
            WHERE value_kind = 'number' AND applicant IS NULL AND indicator IN ({", ".join(map(sql.text, listed))})
                {only}
            GROUP BY report_id
        ), """


def _requests_cell(cell: Printed) -> str:
    column, name = sql.quoted(requests_column(cell.indicator)), sql.quoted(harmonised.column_of(cell))
    if cell.applicant == harmonised.PARTS:
        printed = f"count({column}) FILTER (applicant <> 'total') = {harmonised.KINDS}"
        return f"CASE WHEN {printed} THEN sum({column}) FILTER (applicant <> 'total') END AS {name}"
    return f"max({column}) FILTER (applicant = {sql.text(str(cell.applicant))}) AS {name}"


def measure_values(measures: Mapping[str, Measure]) -> str:
    """Body of view `measure_values`. Name and theme are constants of a branch, so a filter on them drops the others."""
    branches = "\n    UNION ALL\n".join(
        f"    SELECT {AGENCY}, status, {sql.text(name)} AS measure, {sql.text(measure.theme)} AS theme, "
        f"{sql.quoted(name)} AS value FROM agency_year"
        for name, measure in measures.items()
    )
    return f"""
SELECT v.* EXCLUDE (value, status), m.label_en, m.label_zh, m.unit, v.value, m.comparable, m.series, m.formula, m.why,
    CASE WHEN v.value IS NOT NULL THEN NULL WHEN v.form IS NULL THEN 'no numbers could be read: ' || v.status
        WHEN m.formula IS NULL THEN coalesce(m.why, 'the ' || v.form || ' form does not print it')
        ELSE 'a number it needs is not printed' END AS missing
FROM (
{branches}
) v
LEFT JOIN measures m ON m.measure = v.measure AND m.form = v.form"""


def rates(definitions: Iterable[Row]) -> str:
    """Body of view `rates`: numerator, denominator, rate with its Wilson interval, and the change to last year."""
    by_rate: dict[str, list[dict[str, str]]] = defaultdict(list)
    for _, row in definitions:
        by_rate[row["rate"]].append(row)
    branches = "\n    UNION ALL\n".join(_rate_branch(name, rows) for name, rows in by_rate.items())
    if not branches:
        branches = _rate_branch("none", [])
    return f"""
WITH counted AS (
{branches}
), divided AS (
    SELECT *, CASE WHEN denominator > 0 AND numerator BETWEEN 0 AND denominator
        THEN numerator::DOUBLE / denominator::DOUBLE END AS rate,
        CASE WHEN form IS NULL THEN 'no numbers could be read: ' || status
            WHEN series IS NULL THEN 'the ' || form || ' form does not print it'
            WHEN numerator IS NULL OR denominator IS NULL THEN 'a number it needs is not printed'
            WHEN denominator = 0 THEN 'there was no case'
            WHEN numerator NOT BETWEEN 0 AND denominator THEN 'the printed part is greater than the whole' END AS missing
    FROM counted
)
SELECT r.agency_id, r.agency_name, r.region_code, r.level, r.kind, r.function, r.year, r.report_id, r.form, r.measure,
    r.numerator, r.denominator, r.rate,
    (r.rate + {Z} ^ 2 / (2 * r.denominator) - {Z} * sqrt(r.rate * (1 - r.rate) / r.denominator
        + {Z} ^ 2 / (4 * r.denominator ^ 2))) / (1 + {Z} ^ 2 / r.denominator) AS low,
    (r.rate + {Z} ^ 2 / (2 * r.denominator) + {Z} * sqrt(r.rate * (1 - r.rate) / r.denominator
        + {Z} ^ 2 / (4 * r.denominator ^ 2))) / (1 + {Z} ^ 2 / r.denominator) AS high,
    r.denominator < {SMALL_N} AS is_small_n,
    CASE WHEN r.series = b.series THEN b.rate END AS rate_before,
    CASE WHEN r.series = b.series THEN 100 * (r.rate - b.rate) END AS change_points,
    CASE WHEN r.rate IS NULL THEN r.missing
        WHEN b.agency_id IS NULL THEN 'no report of the year before'
        WHEN b.rate IS NULL THEN 'year before: ' || b.missing
        WHEN r.series <> b.series THEN 'forms ' || b.form || ' and ' || r.form || ' do not compare: '
            || coalesce(b.why, r.why, 'counted otherwise') END AS reason,
    r.series, r.why, r.missing
FROM divided r
LEFT JOIN divided b ON b.agency_id = r.agency_id AND b.measure = r.measure AND b.year = r.year - 1"""


def _rate_branch(name: str, rows: Iterable[dict[str, str]]) -> str:
    listed = list(rows)

    def by_form(field: str, write: str) -> str:
        cases = " ".join(
            f"WHEN {sql.text(row['form'])} THEN "
            + (
                sql.quoted(row[field])
                if write == "column"
                else sql.text(row[field])
                if row[field]
                else "NULL"
            )
            for row in listed
        )
        empty = "CAST(NULL AS DECIMAL(20,4))" if write == "column" else "CAST(NULL AS VARCHAR)"
        return f"CASE form {cases} ELSE {empty} END" if cases else empty

    return f"""    SELECT {AGENCY}, status, {sql.text(name)} AS measure,
        {by_form("numerator", "column")} AS numerator,
        {by_form("denominator", "column")} AS denominator,
        {by_form("series", "text")} AS series, {by_form("why", "text")} AS why
    FROM agency_year"""
