"""What must hold before a file is published: schema, keys, references, partitions, and no loss nobody explained.

An agency's arithmetic error is data and passes; our own error stops here with a sentence. Never repairs anything.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from extractors import schema
from extractors.records import APPLICANTS
from warehouse import schema_sql as sql
from warehouse.diff import LOST

FIRST_YEAR = 2008
"""The first year the Regulations ask for a report about."""
FORMS_WITH_TABLES = ("2014", "2019", "2021")
SHOWN = 3
CELLS = ("observations", "superseded_observations")


def broken_promises(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """A sentence for every assertion that does not hold for the open file; an empty list when it may be published.

    A file that grew from a copy of a published one is looked at cell by cell only where it differs from that one.
    """
    if structure := list(_schema(connection)):
        return structure
    found = [*_keys(connection), *_references(connection), *_totals(connection)]
    return [*found, *_currency(connection), *_partitions(connection), *_losses(connection)]


def _where_new(connection: duckdb.DuckDBPyConnection) -> str:
    """Condition on cells that no published file held yet."""
    info = dict(connection.execute("SELECT name, value FROM build_info").fetchall())
    return "true" if info["generation"] == "0" else "report_id IN (SELECT report_id FROM changes)"


def _schema(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    there = {
        (table, column): (kind, comment)
        for table, column, kind, comment in connection.execute(
            "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
            "WHERE database_name = current_database() AND NOT internal"
        ).fetchall()
    }
    for table, facts in sql.published_tables().items():
        for column, described in facts["columns"].items():
            if (table, column) not in there:
                yield f"table {table} lacks the column {column} of schema.yml"
            elif "enum" not in described and there[table, column][0] != described["type"]:
                kind = there[table, column][0]
                yield f"{table}.{column} is {kind}, schema.yml says {described['type']}"
    for view, facts in sql.views().items():
        shown = {column for table, column in there if table == view}
        if shown != set(facts["columns"]):
            yield f"view {view} and schema.yml differ in columns {', '.join(sorted(shown ^ set(facts['columns'])))}"
    for (table, column), (_, comment) in there.items():
        if not comment:
            yield f"{table}.{column} has no comment; describe it in schema.yml"


def _examples(rows: list[tuple[object, ...]]) -> str:
    shown = "; ".join(" / ".join(str(value) for value in row) for row in rows[:SHOWN])
    return f"{shown}{' …' if len(rows) > SHOWN else ''}"


def _keys(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    for table, facts in sql.published_tables().items():
        if table in CELLS:
            repeated = _repeated_cells(connection, table)
        else:
            key = ", ".join(map(sql.quoted, facts["key"]))
            total, distinct = connection.execute(
                f"SELECT count(*), count(DISTINCT hash({key})) FROM {sql.quoted(table)}"
            ).fetchall()[0]
            repeated = (
                []
                if total == distinct
                else connection.execute(
                    f"SELECT {key} FROM {sql.quoted(table)} GROUP BY ALL HAVING count(*) > 1 LIMIT {SHOWN + 1}"
                ).fetchall()
            )
        if repeated:
            yield f"table {table}: {' / '.join(facts['key'])} is not unique: {_examples(repeated)}"


def _repeated_cells(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[object, ...]]:
    """Repeated (report, indicator, applicant): each report's cells set bits of one bit string, and none twice."""
    places = len(APPLICANTS) + 1
    highest = len(sql.enum_words("indicator")) * places
    cell = f"enum_code(indicator)::INTEGER * {places} + CASE WHEN applicant IS NULL THEN {places - 1} ELSE "
    suspects = connection.execute(f"""
        SELECT report_id FROM {table} WHERE {_where_new(connection)} GROUP BY report_id
        HAVING count(*) <> bit_count(bitstring_agg({cell} enum_code(applicant)::INTEGER END, 0, {highest}))
        LIMIT {SHOWN + 1}
    """).fetchall()
    if not suspects:
        return []
    return connection.execute(
        f"SELECT report_id, indicator, applicant FROM {table} WHERE report_id IN ? GROUP BY ALL HAVING count(*) > 1",
        [[report for (report,) in suspects]],
    ).fetchall()


_REFERENCES = {
    "reports of agencies that table agencies does not know": """
        SELECT DISTINCT agency_id FROM reports WHERE agency_id NOT IN (SELECT agency_id FROM agencies)""",
    "observations of reports that table reports does not know, or of another agency or year": """
        SELECT DISTINCT d.report_id FROM (
            SELECT report_id, any_value(agency_id) AS agency_id, min(year) AS first, max(year) AS last
            FROM observations WHERE {where} GROUP BY report_id
            UNION ALL
            SELECT report_id, any_value(agency_id), min(year), max(year) FROM superseded_observations
            WHERE {where} GROUP BY report_id
        ) d LEFT JOIN reports r ON r.report_id = d.report_id
        WHERE r.report_id IS NULL OR r.agency_id <> d.agency_id OR r.year <> d.first OR r.year <> d.last""",
    "findings of reports that table reports does not know": """
        SELECT DISTINCT report_id FROM findings WHERE report_id NOT IN (SELECT report_id FROM reports)""",
    "chapters of reports that table reports does not know": """
        SELECT DISTINCT report_id FROM narratives WHERE report_id NOT IN (SELECT report_id FROM reports)""",
    "indicators that indicators.csv does not know": """
        SELECT DISTINCT indicator::VARCHAR FROM observations
        WHERE indicator::VARCHAR NOT IN (SELECT indicator FROM indicators) AND {where}""",
}


def _references(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    where = _where_new(connection)
    for what, written in _REFERENCES.items():
        query = written.replace("{where}", where)
        if found := connection.execute(f"{query} ORDER BY 1 LIMIT {SHOWN + 1}").fetchall():
            yield f"there are {what}: {_examples(found)}"


def _totals(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The rows of each table against the sum of its reports' digests: nothing doubled, nothing forgotten."""
    for table in CELLS:
        there, known = connection.execute(f"""
            SELECT (SELECT count(*) FROM {table}), (SELECT sum(cells) FROM report_digests WHERE source = '{table}')
        """).fetchall()[0]
        if there != (known or 0):
            yield f"table {table} has {there} rows, its reports account for {known}; build whole again"


def _currency(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    several = connection.execute(f"""
        SELECT agency_id, year FROM reports WHERE is_current GROUP BY ALL HAVING count(*) > 1 LIMIT {SHOWN + 1}
    """).fetchall()
    if several:
        yield f"more than one current report of one agency and year: {_examples(several)}"
    for table, wanted in (("observations", "true"), ("superseded_observations", "false")):
        wrong = connection.execute(f"""
            SELECT d.report_id FROM report_digests d JOIN reports r USING (report_id)
            WHERE d.source = '{table}' AND r.is_current <> {wanted} LIMIT {SHOWN + 1}
        """).fetchall()
        if wrong:
            yield f"table {table} holds cells of reports whose is_current is not {wanted}: {_examples(wrong)}"


def _partitions(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Missing and extra partitions: rows by year against the Parquet files, and reports whose cells are nowhere."""
    for table in (name for name, facts in schema.tables().items() if facts.get("partition") == "year"):
        differing = connection.execute(f"""
            SELECT coalesce(s.partition, '{table}/year=' || d.year), s.cells, d.cells
            FROM (SELECT partition, sum(cells) AS cells FROM sources WHERE partition LIKE '{table}/year=%'
                GROUP BY partition) s
            FULL JOIN (SELECT year, sum(cells) AS cells FROM report_digests WHERE source = '{table}'
                GROUP BY year) d ON s.partition = '{table}/year=' || d.year
            WHERE s.cells IS DISTINCT FROM d.cells AND NOT (d.cells IS NULL AND s.cells = 0)
                AND EXISTS (SELECT 1 FROM sources WHERE partition LIKE '{table}/year=%')
        """).fetchall()
        for partition, in_files, in_table in differing:
            yield (
                f"partition {partition}: its files hold {in_files or 'no'} rows, the table {in_table or 'none'} of "
                "that year; a file lies in the wrong folder or was lost"
            )
    lost = connection.execute(f"""
        SELECT r.year, r.portal_id, count(*) FROM reports r
        LEFT JOIN report_digests d ON d.report_id = r.report_id
            AND d.source IN ('observations', 'superseded_observations')
        WHERE r.status = 'read' AND r.form IN {FORMS_WITH_TABLES} AND d.report_id IS NULL
        GROUP BY ALL ORDER BY ALL
    """).fetchall()
    for year, portal, reports in lost:
        yield (
            f"year {year}, portal {portal}: {reports} reports were read but not one of their cells is here; "
            "a partition of observations is missing"
        )
    strange = connection.execute(f"""
        SELECT DISTINCT year, portal_id FROM reports
        WHERE year < {FIRST_YEAR} OR year > year(CAST((SELECT value FROM build_info WHERE name = 'built_at') AS TIMESTAMP))
    """).fetchall()
    if strange:
        yield f"reports about years that cannot be reported about: {_examples(strange)}"


def _losses(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Reports and cells that were in the last file and are not in this one, without an explanation."""
    for year, portal, expected, gone, cells, example in connection.execute(f"""
        WITH lost AS (
            SELECT year, portal_id, count(*) FILTER (change = 'gone') AS gone, sum(cells_gone)::BIGINT AS cells,
                min(report_id) AS example
            FROM changes WHERE {LOST} GROUP BY ALL
        ), last AS (
            SELECT year, portal_id, count(*) FILTER (origin = 'now') - count(*) FILTER (origin = 'added')
                + count(*) FILTER (origin = 'gone') AS reports
            FROM (SELECT year, portal_id, 'now' AS origin FROM reports
                UNION ALL SELECT year, portal_id, change FROM changes WHERE change IN ('added', 'gone'))
            GROUP BY ALL
        )
        SELECT year, portal_id, reports, gone, cells, example FROM lost JOIN last USING (year, portal_id) ORDER BY ALL
    """).fetchall():
        yield (
            f"year {year}, portal {portal}: {expected:,} reports expected from the last file, {expected - gone:,} of "
            f"them found; {gone:,} reports and {cells:,} cells are gone and nothing explains it, as {example}"
        )
