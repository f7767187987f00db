"""Makes the tables that follow from the loaded ones: wide tables, cross-report findings, verdicts, portals, digests.

Each works over all reports, or over those of table `touched_reports`. Never reads Parquet of the tidy layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from extractors import schema
from extractors.dataroot import CRAWL, RUNS, DataRoot
from transforms.cross_checks import CONCERNED, check_across
from warehouse import generated, load, reference
from warehouse import measures as harmonised
from warehouse import schema_sql as sql

VIEWS = Path(__file__).parent / "views"
MACROS = Path(__file__).parent / "macros.sql"
COVERAGE = Path(__file__).parent / "coverage.sql"
TOUCHED = "touched_reports"
"""Table with column report_id: the reports whose derived rows are made again."""
ONLY_TOUCHED = f"AND report_id IN (SELECT report_id FROM {TOUCHED})"


def comment_on(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Comments of one table and its columns."""
    load.at_once(connection, sql.comments("TABLE", table, schema.tables()[table]))


def catalogue(connection: duckdb.DuckDBPyConnection) -> dict[str, bool]:
    """Indicators and whether each is printed by applicant: of table `indicators`, or the reference when it is empty."""
    found = dict(connection.execute("SELECT indicator, by_applicant FROM indicators").fetchall())
    if found:
        return found
    return {
        row["indicator"]: row["by_applicant"] == "1"
        for _, row in reference.read_rows(reference.REFERENCE / "indicators.csv")
    }


def make_measures(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, harmonised.Measure]:
    """Table `measures`, one row a measure and form; the measures."""
    measures = harmonised.read_measures(catalogue(connection), folder / harmonised.MEASURES_FILE)
    connection.execute(sql.create_table("measures"))
    rows = [
        (
            m.name,
            m.theme,
            m.label_en,
            m.label_zh,
            m.unit,
            m.kind,
            c.form,
            c.formula or None,
            c.comparable,
            m.series(c.form),
            m.since,
            c.why or None,
            m.is_derived,
        )
        for m in measures.values()
        for c in m.forms.values()
    ]
    load.insert_rows(connection, "measures", rows)
    comment_on(connection, "measures")
    return measures


def make_wide(connection: duckdb.DuckDBPyConnection, measures: Mapping[str, harmonised.Measure]) -> None:
    """Tables `requests_by_applicant` and `agency_year`."""
    codes = catalogue(connection)
    rows = [code for code, by_applicant in codes.items() if by_applicant]
    connection.execute(sql.create_table("requests_by_applicant", map(generated.requests_column, rows)))
    connection.execute(f"INSERT INTO requests_by_applicant {generated.requests_by_applicant(codes)}")
    comment_on(connection, "requests_by_applicant")
    labels = dict(
        connection.execute("SELECT indicator, label_en || ' (' || label_zh || ')' FROM indicators").fetchall()
    )
    meanings = {
        f"requests_by_applicant.{sql.quoted(generated.requests_column(code))}": f"{code}: {labels.get(code, code)}"
        for code in rows
    }
    connection.execute(sql.create_table("agency_year", measures))
    connection.execute(f"INSERT INTO agency_year {generated.agency_year(measures)}")
    comment_on(connection, "agency_year")
    for m in measures.values():
        meanings[f"agency_year.{sql.quoted(m.name)}"] = f"{m.label_en} ({m.label_zh}), {m.unit}"
    load.at_once(
        connection,
        [
            f"COMMENT ON COLUMN {column} IS {sql.text(meaning + '; NULL when a number it needs is not printed')}"
            for column, meaning in meanings.items()
        ],
    )


def remake_wide(connection: duckdb.DuckDBPyConnection, measures: Mapping[str, harmonised.Measure]) -> None:
    """The rows of `touched_reports` in both wide tables, made again."""
    for table in ("requests_by_applicant", "agency_year"):
        connection.execute(f"DELETE FROM {table} WHERE true {ONLY_TOUCHED}")
    select = generated.requests_by_applicant(catalogue(connection), ONLY_TOUCHED)
    connection.execute(f"INSERT INTO requests_by_applicant {select}")
    connection.execute(f"INSERT INTO agency_year {generated.agency_year(measures, ONLY_TOUCHED)}")


def remake_cross_findings(connection: duckdb.DuckDBPyConnection) -> None:
    """The cross-report findings of every agency a touched report can concern: its line and its government."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {CONCERNED} AS
        WITH named AS (SELECT split_part(report_id, '/', 1) AS agency_id FROM {TOUCHED})
        SELECT agency_id FROM named
        UNION SELECT agency_id FROM agency_members
        UNION SELECT parent_agency_id FROM agencies WHERE agency_id IN (SELECT agency_id FROM named)
    """)
    connection.execute(
        f"DELETE FROM findings WHERE check_id LIKE 'X.%' AND agency_id IN (SELECT agency_id FROM {CONCERNED})"
    )
    check_across(connection)
    connection.execute(f"DROP TABLE {CONCERNED}")


def apply_verdicts(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Table `verdicts`, and their words on the findings whose numbers are still those that were judged."""
    reference.load_verdicts(connection, folder)
    connection.execute("""
        UPDATE findings AS f SET verdict = v.verdict FROM verdicts v
        WHERE f.report_id = v.report_id AND f.check_id = v.check_id AND f.scope = v.scope
            AND f.left_value IS NOT DISTINCT FROM v.left_value
            AND f.right_value IS NOT DISTINCT FROM v.right_value
    """)
    comment_on(connection, "verdicts")


def make_portal_activity(connection: duckdb.DuckDBPyConnection, root: DataRoot) -> None:
    """Table `portal_activity` from the crawl's responses; empty where nothing was crawled."""
    connection.execute(sql.create_table("portal_activity"))
    if responses := _log_of(root, CRAWL):
        connection.execute(f"""
            INSERT INTO portal_activity BY NAME
            WITH responses AS (
                SELECT * FROM {responses}
                WHERE portal_id <> 'local'
            ), newest AS (
                SELECT portal_id, count(*) FILTER (outcome NOT IN ('stored', 'unchanged')) AS failing_now
                FROM (SELECT * FROM responses WHERE kind IN ('report', 'attachment')
                    QUALIFY row_number() OVER (PARTITION BY portal_id, source_url ORDER BY fetched_at DESC) = 1)
                GROUP BY portal_id
            )
            SELECT r.portal_id, min(fetched_at) AS first_look, max(fetched_at) AS last_look,
                max(fetched_at) FILTER (kind = 'list' AND outcome IN ('stored', 'unchanged')) AS last_list_read,
                max(fetched_at) FILTER (outcome IN ('failed', 'refused')) AS last_failure,
                arg_max(reason, fetched_at) FILTER (outcome IN ('failed', 'refused')) AS last_failure_reason,
                count(*) AS pages, count(*) FILTER (outcome = 'failed') AS failed,
                count(*) FILTER (outcome = 'refused') AS refused,
                CASE WHEN n.portal_id IS NULL THEN 0 ELSE any_value(n.failing_now) END AS failing_now
            FROM responses r LEFT JOIN newest n USING (portal_id)
            GROUP BY r.portal_id, n.portal_id
        """)
    comment_on(connection, "portal_activity")


def make_portal_looks(connection: duckdb.DuckDBPyConnection, root: DataRoot) -> None:
    """Table `portal_looks` from the runs of flows and of `ogi crawl`; empty where none was.

    A run for some years takes only their reports from a portal's list: what it says of other years is nothing. A
    recheck asks known pages and looks at no list.
    """
    connection.execute(sql.create_table("portal_looks"))
    if runs := _log_of(root, RUNS):
        connection.execute(f"""
            INSERT INTO portal_looks BY NAME
            SELECT portal_id, CAST(trim(year) AS INTEGER) AS year, max(started_at) AS looked_at
            FROM (
                SELECT portal_id, started_at, CASE WHEN coalesce(years, '') = '' THEN NULL
                    ELSE unnest(string_split(coalesce(years, ''), ',')) END AS year
                FROM {runs} WHERE outcome = 'done' AND flow <> 'recheck'
            )
            GROUP BY ALL
        """)
    comment_on(connection, "portal_looks")


def _log_of(root: DataRoot, folder: str) -> str:
    """A FROM item over all Parquet files of an append-only folder; "" when there is none."""
    files = [root.path(name) for name in root.files(folder, ".parquet")]
    if not root.is_local:
        files = [root.fs.unstrip_protocol(name) for name in files]
    listed = ", ".join(map(sql.text, files))
    return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)" if files else ""


def make_coverage(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `coverage`, judged as of the time in `build_info`."""
    connection.execute(sql.create_table("coverage"))
    connection.execute("INSERT INTO coverage BY NAME " + COVERAGE.read_text(encoding="utf8"))
    comment_on(connection, "coverage")


def make_digests(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `report_digests` over everything loaded."""
    connection.execute(sql.create_table("report_digests"))
    for table in load.BY_REPORT:
        connection.execute(
            f"INSERT INTO report_digests BY NAME SELECT '{table}' AS source, * FROM ({load.digests_of(table, table)})"
        )
    comment_on(connection, "report_digests")


def remake_digests(connection: duckdb.DuckDBPyConnection) -> None:
    """The digests of `touched_reports`."""
    connection.execute(f"DELETE FROM report_digests WHERE true {ONLY_TOUCHED}")
    for table in load.BY_REPORT:
        rows = f"(SELECT * FROM {table} WHERE true {ONLY_TOUCHED})"
        connection.execute(
            f"INSERT INTO report_digests BY NAME SELECT '{table}' AS source, * FROM ({load.digests_of(table, rows)})"
        )


def make_views(
    connection: duckdb.DuckDBPyConnection,
    measures: Mapping[str, harmonised.Measure],
    rates: list[reference.Row],
) -> None:
    """Every view of `schema.yml` with its comments, and the macros."""
    written = {"measure_values": generated.measure_values(measures), "rates": generated.rates(rates)}
    statements = []
    for name, facts in sql.views().items():
        body = written[name] if name in written else (VIEWS / f"{name}.sql").read_text(encoding="utf8")
        statements.append(f"CREATE VIEW {sql.quoted(name)} AS\n{body}")
        statements += sql.comments("VIEW", name, facts)
    statements.append(MACROS.read_text(encoding="utf8"))
    for name, facts in sql.macros().items():
        statements.append(f"COMMENT ON MACRO TABLE {sql.quoted(name)} IS {sql.text(facts['comment'])}")
    load.at_once(connection, statements)


def make_dictionary(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `dictionary`, read back from the comments of the file itself."""
    connection.execute(sql.create_table("dictionary"))
    comment_on(connection, "dictionary")
    connection.execute("""
        INSERT INTO dictionary
        SELECT table_name, 'table', NULL, NULL, comment FROM duckdb_tables()
            WHERE database_name = current_database() AND NOT internal AND NOT temporary AND comment IS NOT NULL
        UNION ALL SELECT view_name, 'view', NULL, NULL, comment FROM duckdb_views()
            WHERE database_name = current_database() AND NOT internal AND NOT temporary
        UNION ALL SELECT function_name, 'macro', NULL, NULL, comment FROM duckdb_functions()
            WHERE database_name = current_database() AND NOT internal AND comment IS NOT NULL
        UNION ALL SELECT c.table_name, CASE WHEN v.view_name IS NULL THEN 'table' ELSE 'view' END,
            c.column_name, CASE WHEN c.data_type LIKE 'ENUM%' THEN 'ENUM' ELSE c.data_type END, c.comment
            FROM duckdb_columns() c LEFT JOIN duckdb_views() v
                ON v.view_name = c.table_name AND v.database_name = c.database_name
            WHERE c.database_name = current_database() AND NOT c.internal AND c.comment IS NOT NULL
        ORDER BY 2, 1, 3 NULLS FIRST
    """)
