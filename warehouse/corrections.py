"""Reviewed corrections of our own reading, applied to the loaded observations.

A correction says which value it expects to find; one that finds another stops the build, since the reader or the
report has changed and somebody must look again. Never corrects what an agency printed wrongly: that stays and is a finding.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from extractors.errors import UserError
from warehouse.reference import load, refuse_unknown_reports

TABLES = ("observations", "superseded_observations")
FOUND = """
    SELECT c.report_id, c.indicator, c.applicant, c.expected_value, o.value, o.report_id IS NOT NULL
    FROM corrections c
    LEFT JOIN (SELECT * FROM observations UNION ALL SELECT * FROM superseded_observations) o
        ON o.report_id = c.report_id AND o.indicator::VARCHAR = c.indicator
        AND o.applicant::VARCHAR IS NOT DISTINCT FROM c.applicant
"""


def apply_corrections(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Table `corrections`, and its values in the observations; the reports that were corrected.

    UserError, naming file and row, when the report or cell is unknown or holds another value than expected.
    """
    path = folder / "corrections.csv"
    rows = load(connection, "corrections", path)
    if not rows:
        return []
    refuse_unknown_reports(connection, path, rows)
    lines = {(row["report_id"], row["indicator"], row["applicant"] or None): line for line, row in rows}
    for report, indicator, applicant, expected, value, is_there in connection.execute(FOUND).fetchall():
        place = f"{path.name} row {lines[report, indicator, applicant]}"
        cell = f"{report} {indicator}{' ' + applicant if applicant else ''}"
        if not is_there:
            raise UserError(f"{place}: {cell} is no cell of that report; correct the row or remove it")
        if value != expected:
            raise UserError(
                f"{place}: {cell} holds {'no number' if value is None else value}, "
                f"the correction expects {'no number' if expected is None else expected}; look again at the report, "
                "then change the row or remove it"
            )
    for table in TABLES:
        connection.execute(f"""
            UPDATE {table} AS o
            SET value = c.corrected_value,
                value_kind = CASE WHEN c.corrected_value IS NOT NULL THEN 'number'
                    WHEN o.value_kind = 'number' THEN 'text' ELSE o.value_kind END
            FROM corrections c
            WHERE o.report_id = c.report_id AND o.indicator::VARCHAR = c.indicator
                AND o.applicant::VARCHAR IS NOT DISTINCT FROM c.applicant
        """)
    return sorted({row["report_id"] for _, row in rows})
