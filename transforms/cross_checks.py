"""Checks reports against each other: this year against last year, a government against its own departments.

Runs in DuckDB over tables named as in `schema.yml`, since it joins every report with its neighbours. A likely cause is
a proposal for a reviewer and never changes a number. A side with a number that is not printed makes the check
`not_assessable`; without last year's report, or with one of another form, there is no check at all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from extractors.records import APPLICANTS

CONCERNED = "concerned_agencies"
"""A table with column agency_id; when it exists only these agencies are checked."""

_STOCKS = ("regulations", "normative_documents")
_ITEMS = ("licensing", "other_services", "penalties", "coercion", "fees")
_OF_GOVERNMENTS = (
    ("requests.new", "total"),
    ("requests.handled", "total"),
    ("review.total", None),
    ("litigation.direct.total", None),
    ("litigation.after_review.total", None),
)


@dataclass(frozen=True, slots=True)
class Term:
    """One printed cell on one side of an identity. `when` is `now` (the report checked) or `before` (last year's)."""

    side: str
    when: str
    sign: int
    indicator: str
    applicant: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity over two years. `severity` is the status when the sides differ; a weak one is only `uncertain`."""

    check_id: str
    scope: str
    formula: str
    severity: str
    terms: tuple[Term, ...]


def identities() -> list[Identity]:
    """X.carry for each applicant, X.stock for each kind of document, X.items for each list of items."""
    found = [
        Identity(
            "X.carry",
            applicant,
            "requests.carried_in(t) = requests.carried_out(t-1)",
            "fail",
            (
                Term("left", "now", 1, "requests.carried_in", applicant),
                Term("right", "before", 1, "requests.carried_out", applicant),
            ),
        )
        for applicant in APPLICANTS
    ]
    for kind in _STOCKS:
        code = f"proactive.{kind}."
        found.append(
            Identity(
                "X.stock",
                kind,
                f"{code}in_force(t) = {code}in_force(t-1) + {code}made(t) - {code}repealed(t)",
                "uncertain",
                (
                    Term("left", "now", 1, code + "in_force", None),
                    Term("right", "before", 1, code + "in_force", None),
                    Term("right", "now", 1, code + "made", None),
                    Term("right", "now", -1, code + "repealed", None),
                ),
            )
        )
    for item in _ITEMS:
        code = f"proactive.{item}."
        found.append(
            Identity(
                "X.items",
                item,
                f"{code}items_last_year(t) = {code}items_last_year(t-1) + {code}items_change(t-1)",
                "uncertain",
                (
                    Term("left", "now", 1, code + "items_last_year", None),
                    Term("right", "before", 1, code + "items_last_year", None),
                    Term("right", "before", 1, code + "items_change", None),
                ),
            )
        )
    return found


def _literal(value: object) -> str:
    """None, a whole number or a text, as SQL."""
    if value is None or isinstance(value, int):
        return "NULL" if value is None else str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _values(rows: Iterable[Iterable[object]]) -> str:
    return ",\n".join(f"({', '.join(map(_literal, row))})" for row in rows)


def _terms_values() -> str:
    return _values(
        (number, t.side, t.when, t.sign, t.indicator, t.applicant)
        for number, identity in enumerate(identities())
        for t in identity.terms
    )


def _identities_values() -> str:
    rows = []
    for number, one in enumerate(identities()):
        now = sum(term.when == "now" for term in one.terms)
        given = (one.check_id, one.scope, one.formula, one.severity)
        rows.append((number, *given, now, len(one.terms) - now))
    return _values(rows)


def _codes() -> str:
    return ", ".join(sorted({_literal(t.indicator) for i in identities() for t in i.terms}))


def _only(connection: duckdb.DuckDBPyConnection, column: str) -> str:
    exists = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [CONCERNED]).fetchall()
    return f"AND {column} IN (SELECT agency_id FROM {CONCERNED})" if exists else ""


def _make_pairs(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `year_pairs`: each current report with last year's report, or reports, of the same line of agencies."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE year_pairs AS
        WITH wanted AS (
            SELECT r.report_id, r.agency_id, r.year, coalesce(m.member_agency_id, r.agency_id) AS before_id
            FROM reports r
            LEFT JOIN agency_members m ON m.agency_id = r.agency_id AND m.year = r.year - 1
            WHERE r.is_current {_only(connection, "r.agency_id")}
            QUALIFY count(m.break_reason) OVER (PARTITION BY r.report_id) = 0
        )
        SELECT dense_rank() OVER (ORDER BY w.report_id) AS pair, w.report_id, w.agency_id, w.year,
            b.report_id AS before_report_id, count(*) OVER (PARTITION BY w.report_id) AS members
        FROM wanted w
        LEFT JOIN reports b ON b.is_current AND b.agency_id = w.before_id AND b.year = w.year - 1
        QUALIFY count(b.report_id) OVER (PARTITION BY w.report_id) = count(*) OVER (PARTITION BY w.report_id)
    """)


def _make_sides(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `year_sides`: both sides of every identity two neighbouring reports print.

    Groups by numbers of pairs and identities, not by their names: these are the largest joins of a build.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE year_identities AS
        SELECT * FROM (VALUES {_identities_values()})
            known(number, check_id, scope, formula, severity, now_terms, before_terms)
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE year_sides AS
        WITH terms(number, side, time, sign, indicator, applicant) AS (VALUES {_terms_values()}),
        asked AS (
            SELECT report_id AS read_from, pair, 'now' AS time FROM year_pairs GROUP BY ALL
            UNION ALL
            SELECT before_report_id, pair, 'before' FROM year_pairs
        ),
        printed AS (
            SELECT report_id, indicator::VARCHAR AS indicator, applicant::VARCHAR AS applicant, cell, is_ocr,
                CASE WHEN value_kind = 'number' THEN value END AS value
            FROM observations WHERE indicator IN ({_codes()})
        ),
        met AS (
            SELECT a.pair, a.time, t.number, t.side, p.is_ocr, t.sign * p.value AS value,
                CASE WHEN a.time = 'now' THEN p.cell ELSE a.read_from || '#' || p.cell END AS cell
            FROM printed p
            JOIN terms t ON t.indicator = p.indicator AND t.applicant IS NOT DISTINCT FROM p.applicant
            JOIN asked a ON a.read_from = p.report_id AND a.time = t.time
        ),
        summed AS (
            SELECT pair, number, count(*) FILTER (time = 'now') AS now_cells,
                count(*) FILTER (time = 'before') AS before_cells,
                CASE WHEN count(*) FILTER (side = 'left' AND value IS NULL) = 0
                    THEN sum(value) FILTER (side = 'left') END AS left_value,
                CASE WHEN count(*) FILTER (side = 'right' AND value IS NULL) = 0
                    THEN sum(value) FILTER (side = 'right') END AS right_value,
                bool_or(is_ocr) AS has_ocr, list(cell) AS cells
            FROM met GROUP BY pair, number
        ),
        pairs AS (SELECT DISTINCT pair, report_id, agency_id, year, members FROM year_pairs)
        SELECT p.report_id, p.agency_id, p.year, k.check_id, k.scope, k.formula, k.severity, s.left_value,
            s.right_value, s.has_ocr, array_to_string(list_sort(s.cells), ' ') AS cells
        FROM summed s JOIN year_identities k USING (number) JOIN pairs p USING (pair)
        WHERE s.now_cells = k.now_terms AND s.before_cells = k.before_terms * p.members
    """)


def _make_causes(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `year_causes`: a proposed cause for broken identities, where the digits suggest one."""
    parts = ", ".join(_literal(kind) for kind in APPLICANTS[:-1])
    neighbours = " ".join(f"WHEN '{a}' THEN '{b}'" for a, b in itertools.pairwise(APPLICANTS))
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE year_causes AS
        WITH broken AS (
            SELECT * FROM year_sides WHERE left_value <> right_value
        ),
        carry AS (
            SELECT s.report_id, s.scope, s.left_value, s.right_value FROM year_sides s
            WHERE s.check_id = 'X.carry' AND s.report_id IN (SELECT report_id FROM broken)
        ),
        summed AS (
            SELECT report_id, sum(left_value) AS parts_now FROM carry WHERE scope IN ({parts})
            GROUP BY report_id HAVING count(left_value) = {len(APPLICANTS) - 1}
        ),
        rows_below AS (
            SELECT report_id, applicant::VARCHAR AS applicant, value FROM observations
            WHERE indicator = 'requests.new' AND report_id IN (SELECT report_id FROM broken)
        ),
        shifted AS (
            SELECT c.report_id
            FROM carry c JOIN rows_below b ON b.report_id = c.report_id AND b.applicant = c.scope
            GROUP BY c.report_id
            HAVING count(*) > 1 AND bool_and(b.value = c.right_value) AND bool_or(c.right_value <> 0)
        )
        SELECT b.report_id, b.check_id, b.scope, CASE
            WHEN b.check_id = 'X.carry' AND b.scope = 'total' AND b.left_value = 0 AND t.parts_now = b.right_value
                THEN 'missing total: the parts of this year''s row add up to last year''s total'
            WHEN s.report_id IS NOT NULL
                THEN 'shifted row: last year''s numbers stand in this year''s row of new requests'
            WHEN other.scope IS NOT NULL
                THEN 'swapped columns: the numbers of ' || b.scope || ' and ' || other.scope || ' fit each other''s place'
            WHEN n.scope IS NOT NULL
                THEN 'split digits: ' || trim_zero(b.left_value) || ' and ' || trim_zero(n.left_value)
                    || ' in ' || n.scope || ' make ' || trim_zero(b.right_value)
            WHEN b.check_id = 'X.carry' AND b.left_value = 0
                THEN 'not carried: this year''s report prints no request carried over'
            WHEN b.check_id = 'X.items' AND b.left_value IN (
                    SELECT w.value FROM observations w JOIN year_pairs y ON w.report_id = y.before_report_id
                    WHERE y.report_id = b.report_id AND w.indicator = 'proactive.' || b.scope || '.items_last_year')
                THEN 'change not carried: the number of the year before is repeated'
            END AS likely_cause
        FROM broken b
        LEFT JOIN summed t ON t.report_id = b.report_id
        LEFT JOIN shifted s ON s.report_id = b.report_id AND b.check_id = 'X.carry'
        LEFT JOIN carry other ON b.check_id = 'X.carry' AND other.report_id = b.report_id AND other.scope <> b.scope
            AND other.scope <> 'total' AND b.scope <> 'total'
            AND other.left_value = b.right_value AND other.right_value = b.left_value
        LEFT JOIN carry n ON b.check_id = 'X.carry' AND n.report_id = b.report_id
            AND n.scope = CASE b.scope {neighbours} END AND b.left_value > 0
            AND trim_zero(b.left_value) || trim_zero(n.left_value) = trim_zero(b.right_value)
        QUALIFY row_number() OVER (PARTITION BY b.report_id, b.check_id, b.scope ORDER BY other.scope) = 1
    """)


def _parents_sql(connection: duckdb.DuckDBPyConnection) -> str:
    """X.parent: a government's own total against the sum its departments print; blanks add nothing to the bound."""
    wanted = ", ".join(
        f"({_literal(code)}, {_literal(applicant)}, {_literal(code)})" for code, applicant in _OF_GOVERNMENTS
    )
    codes = ", ".join(_literal(code) for code, _ in _OF_GOVERNMENTS)
    return f"""
        WITH wanted(indicator, applicant, scope) AS (VALUES {wanted}),
        printed AS (
            SELECT o.report_id, o.agency_id, o.year, w.scope, o.cell, o.is_ocr,
                CASE WHEN o.value_kind = 'number' THEN o.value END AS value
            FROM observations o JOIN wanted w
                ON w.indicator = o.indicator AND w.applicant IS NOT DISTINCT FROM o.applicant
            WHERE o.indicator IN ({codes})
        ),
        inside AS (
            SELECT a.parent_agency_id AS agency_id, p.year, p.scope, sum(p.value) AS value, bool_or(p.is_ocr) AS is_ocr,
                count(p.value) AS departments
            FROM printed p JOIN agencies a USING (agency_id)
            WHERE a.parent_agency_id IS NOT NULL AND a.kind IS DISTINCT FROM 'government'
            GROUP BY ALL HAVING count(p.value) > 0
        )
        SELECT g.report_id, g.agency_id, g.year, 'X.parent' AS check_id, g.scope,
            g.scope || ' of the government >= sum over its ' || i.departments || ' known departments' AS formula,
            g.value AS left_value, i.value AS right_value, g.value - i.value AS difference, g.cell AS cells,
            CASE WHEN g.value IS NULL THEN 'not_assessable' WHEN g.value >= i.value THEN 'pass'
                ELSE 'uncertain' END AS status,
            CASE WHEN g.value < i.value
                THEN 'narrow scope: the government may report for its own office only' END AS likely_cause,
            NULL AS verdict
        FROM printed g JOIN inside i ON i.agency_id = g.agency_id AND i.year = g.year AND i.scope = g.scope
        JOIN agencies a ON a.agency_id = g.agency_id AND a.kind = 'government'
        WHERE true {_only(connection, "g.agency_id")}
    """


def check_across(connection: duckdb.DuckDBPyConnection) -> int:
    """Appends the findings X.carry, X.stock, X.items and X.parent to table `findings`; how many.

    Reads tables reports, observations (current versions), agencies and agency_members. A table `concerned_agencies`
    limits it to some agencies. Sources of the identities: the forms across years (carry), Art. 20 tables (stock, items).
    """
    connection.execute(
        "CREATE OR REPLACE TEMP MACRO trim_zero(value) AS CAST(CAST(value AS DECIMAL(20,0)) AS VARCHAR)"
    )
    before = connection.execute("SELECT count(*) FROM findings").fetchall()[0][0]
    _make_pairs(connection)
    _make_sides(connection)
    _make_causes(connection)
    connection.execute("""
        INSERT INTO findings BY NAME
        SELECT s.report_id, s.agency_id, s.year, s.check_id, s.scope, s.formula, s.left_value, s.right_value,
            s.left_value - s.right_value AS difference, s.cells,
            CASE WHEN s.left_value IS NULL OR s.right_value IS NULL THEN 'not_assessable'
                WHEN s.left_value = s.right_value THEN 'pass'
                WHEN s.has_ocr THEN 'uncertain' ELSE s.severity END AS status,
            c.likely_cause, NULL AS verdict
        FROM year_sides s LEFT JOIN year_causes c USING (report_id, check_id, scope)
    """)
    connection.execute(f"INSERT INTO findings BY NAME {_parents_sql(connection)}")
    for table in ("year_pairs", "year_identities", "year_sides", "year_causes"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DROP MACRO trim_zero")
    after = connection.execute("SELECT count(*) FROM findings").fetchall()[0][0]
    return int(after - before)
