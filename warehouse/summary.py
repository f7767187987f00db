"""Short answers from a published file for people who were not there: coverage by year, rates side by side, findings.

Reads only; every question is one SELECT over the published views.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from warehouse.query import open_file

Rows = list[dict[str, Any]]


def coverage_by_year(file: Path) -> Rows:
    """Agencies due by year and status, newest year first; `who` says whose doing a status is."""
    return _rows(
        file,
        "SELECT year, status, any_value(who) AS who, count(*) AS agencies FROM coverage "
        "GROUP BY year, status ORDER BY year DESC, agencies DESC, status",
    )


def measure_by_year(file: Path, measure: str, most: int = 10) -> Rows:
    """One measure or rate of the agencies with most years of it: agency, year, value, why_not (a sentence or None)."""
    return _rows(
        file,
        """
        WITH asked AS (SELECT * FROM comparable_values WHERE measure = $measure),
        chosen AS (SELECT agency_id FROM asked GROUP BY 1
            ORDER BY count(value) DESC, max(value) FILTER (value IS NOT NULL) DESC NULLS LAST, agency_id LIMIT $most)
        SELECT agency_id, agency_name, year, value, unit, comparable, coalesce(missing, why) AS why_not
        FROM asked SEMI JOIN chosen USING (agency_id) ORDER BY agency_id, year
        """,
        {"measure": measure, "most": most},
    )


def worst_findings(file: Path, most: int = 8) -> Rows:
    """Sums that do not hold, largest difference first."""
    return _rows(
        file,
        "SELECT agency_name, year, check_id, scope, formula, left_value, right_value, difference, likely_cause "
        "FROM open_findings WHERE status = 'fail' "
        "ORDER BY abs(difference) DESC NULLS LAST, report_id, check_id, scope LIMIT $most",
        {"most": most},
    )


def findings_by_check(file: Path) -> Rows:
    """How many findings of each check are broken or doubtful."""
    return _rows(
        file,
        "SELECT check_id, status, count(*) AS findings FROM open_findings GROUP BY ALL ORDER BY findings DESC, check_id",
    )


def revisions(file: Path) -> Rows:
    """Numbers that agencies replaced after publication."""
    return _rows(
        file,
        "SELECT agency_name, year, indicator, applicant, old_text, new_text, first_seen, is_same_address FROM revisions "
        "ORDER BY first_seen DESC, agency_name, indicator, applicant",
    )


def _rows(file: Path, question: str, values: dict[str, Any] | None = None) -> Rows:
    with open_file(file) as connection:
        cursor: duckdb.DuckDBPyConnection = connection.execute(question, values or {})
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
