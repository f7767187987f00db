"""What differs between a file being built and the one published before: table `changes`, and CHANGES.md.

Compares reports by their digests and looks at single cells only where those differ. Never decides what is allowed:
`warehouse.assertions` refuses a loss that nothing explains.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse import schema_sql as sql
from warehouse.derive import comment_on

CELLS = ("observations", "superseded_observations")
_CELL_TABLES = ", ".join(f"'{table}'" for table in CELLS)


LOST = "explanation IS NULL AND (change = 'gone' OR cells_gone > 0)"
"""Condition on rows of `changes`: a loss nothing explains."""
ACCEPTED = "accepted by hand: "
"""Begins the explanation of a loss that a person accepted."""


def make_changes(connection: duckdb.DuckDBPyConnection, previous: Path | None, accept_loss: str = "") -> None:
    """Table `changes` against `previous`; against nothing, every report is new.

    accept_loss: a person's reason; it becomes the explanation of every loss that has none.
    """
    connection.execute(sql.create_table("changes"))
    comment_on(connection, "changes")
    if previous is None:
        connection.execute(f"""
            INSERT INTO changes BY NAME
            SELECT report_id, agency_id, year, portal_id, 'added' AS change,
                coalesce(cells, 0) AS cells_added, 0 AS cells_changed, 0 AS cells_gone, NULL AS explanation
            FROM reports LEFT JOIN ({_cells_by_report("report_digests")}) USING (report_id)
        """)
        return
    connection.execute(f"ATTACH {sql.text(str(previous))} AS before (READ_ONLY)")
    try:
        _compare(connection)
    finally:
        connection.execute("DETACH before")
    if accept_loss:
        connection.execute(f"UPDATE changes SET explanation = ? WHERE {LOST}", [ACCEPTED + accept_loss])


def _cells_by_report(digests: str) -> str:
    return (
        f"SELECT report_id, sum(cells)::BIGINT AS cells, string_agg(digest, ' ' ORDER BY digest) AS digest "
        f"FROM {digests} WHERE source IN ({_CELL_TABLES}) GROUP BY report_id"
    )


def _compare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE differing AS
        SELECT coalesce(n.report_id, o.report_id) AS report_id, coalesce(n.agency_id, o.agency_id) AS agency_id,
            coalesce(n.year, o.year) AS year, coalesce(n.portal_id, o.portal_id) AS portal_id,
            o.report_id IS NULL AS is_new, n.report_id IS NULL AS is_gone,
            nd.digest IS DISTINCT FROM od.digest AS has_other_cells, nd.cells AS cells_now, od.cells AS cells_before,
            o.is_current AND NOT n.is_current AS is_superseded,
            o.extractor_version AS version_before, n.extractor_version AS version_now, o.snapshot_sha256
        FROM reports n
        FULL JOIN before.reports o ON o.report_id = n.report_id
        LEFT JOIN ({_cells_by_report("report_digests")}) nd ON nd.report_id = n.report_id
        LEFT JOIN ({_cells_by_report("before.report_digests")}) od ON od.report_id = o.report_id
        WHERE o.report_id IS NULL OR n.report_id IS NULL OR nd.digest IS DISTINCT FROM od.digest
            OR o.is_current <> n.is_current OR o.status <> n.status OR o.agency_name <> n.agency_name
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE differing_cells AS
        WITH wanted AS (SELECT report_id FROM differing WHERE has_other_cells AND NOT is_new AND NOT is_gone),
        now AS ({_cells_of("")}), earlier AS ({_cells_of("before.")})
        SELECT coalesce(n.report_id, o.report_id) AS report_id,
            count(*) FILTER (o.report_id IS NULL) AS added, count(*) FILTER (n.report_id IS NULL) AS gone,
            count(*) FILTER (n.report_id IS NOT NULL AND o.report_id IS NOT NULL
                AND (n.value IS DISTINCT FROM o.value OR n.value_kind <> o.value_kind OR n.raw_text <> o.raw_text))
                AS changed
        FROM now n FULL JOIN earlier o ON o.report_id = n.report_id AND o.indicator = n.indicator
            AND o.applicant = n.applicant
        GROUP BY 1
    """)
    connection.execute("""
        INSERT INTO changes BY NAME
        SELECT d.report_id, d.agency_id, d.year, d.portal_id,
            CASE WHEN is_gone THEN 'gone' WHEN is_new THEN 'added' WHEN is_superseded THEN 'superseded'
                ELSE 'changed' END AS change,
            coalesce(CASE WHEN is_new THEN cells_now ELSE c.added END, 0) AS cells_added,
            coalesce(c.changed, 0) AS cells_changed,
            coalesce(CASE WHEN is_gone THEN cells_before ELSE c.gone END, 0) AS cells_gone,
            CASE WHEN is_gone THEN (SELECT 'the same snapshot is now ' || min(r.report_id) FROM reports r
                    WHERE r.snapshot_sha256 = d.snapshot_sha256)
                WHEN version_before <> version_now
                THEN 'read again by version ' || version_now || ' instead of ' || version_before END AS explanation
        FROM differing d LEFT JOIN differing_cells c ON c.report_id = d.report_id
    """)
    connection.execute("DROP TABLE differing; DROP TABLE differing_cells")


def _cells_of(database: str) -> str:
    return " UNION ALL ".join(
        f"SELECT report_id, indicator::VARCHAR AS indicator, coalesce(applicant::VARCHAR, '') AS applicant, value, "
        f"value_kind::VARCHAR AS value_kind, raw_text FROM {database}{table} "
        "WHERE report_id IN (SELECT report_id FROM wanted)"
        for table in CELLS
    )


def unexplained_losses(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the file lacks reports or cells of the one before that nothing explains."""
    return bool(connection.execute(f"SELECT 1 FROM changes WHERE {LOST} LIMIT 1").fetchall())


def accepted_losses(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int, int]]:
    """(explanation, reports gone, cells gone) of each reason a person accepted a loss for."""
    return connection.execute(f"""
        SELECT explanation, count(*) FILTER (change = 'gone'), sum(cells_gone)::BIGINT FROM changes
        WHERE starts_with(explanation, '{ACCEPTED}') GROUP BY explanation ORDER BY explanation
    """).fetchall()


def changes_text(connection: duckdb.DuckDBPyConnection, file: str) -> str:
    """CHANGES.md of a built file: numbers first, then what differs by portal and year."""
    previous = connection.execute("SELECT value FROM build_info WHERE name = 'previous_file'").fetchall()
    totals = connection.execute("""
        SELECT change, count(*), sum(cells_added), sum(cells_changed), sum(cells_gone) FROM changes
        GROUP BY change ORDER BY change
    """).fetchall()
    before = previous[0][0] if previous and previous[0][0] else "nothing (first file)"
    lines = [f"# Changes: {file}", "", f"Compared with {before}.", ""]
    for reason, reports, cells in accepted_losses(connection):
        lines += [f"Loss of {reports:,} reports and {cells:,} cells {_cell(reason)}", ""]
    if not totals:
        return "\n".join([*lines, "No difference.", ""])
    lines += ["| reports | how many | cells added | cells changed | cells gone |", "|---|--:|--:|--:|--:|"]
    lines += [f"| {change} | {n:,} | {a:,} | {c:,} | {g:,} |" for change, n, a, c, g in totals]
    lines += [
        "",
        "| portal | year | change | reports | cells added | cells changed | cells gone | explanation |",
    ]
    lines += ["|---|--:|---|--:|--:|--:|--:|---|"]
    for row in connection.execute("""
        SELECT portal_id, year, change, count(*), sum(cells_added), sum(cells_changed), sum(cells_gone),
            coalesce(min(explanation), '') FROM changes GROUP BY ALL ORDER BY ALL LIMIT 1000
    """).fetchall():
        lines.append("| " + " | ".join(_cell(value) for value in row) + " |")
    return "\n".join([*lines, ""])


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
