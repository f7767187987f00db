"""The reviewed reference files people edit by hand, loaded beside the tidy tables and checked row by row.

Every refusal names the file and the row as an editor counts lines. Never repairs a row, never skips one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from extractors import schema
from extractors.errors import UserError
from warehouse import schema_sql as sql

REFERENCE = Path(__file__).resolve().parents[1] / "transforms" / "reference"
VERDICTS = ("confirmed", "dismissed")
BODIES = ("government", "department", "township")

Row = tuple[int, dict[str, str]]


def read_rows(path: Path) -> list[Row]:
    """Rows of a reference CSV with their line numbers; UserError when the file is missing or a row is ragged."""
    if not path.exists():
        raise UserError(
            f"{path.name}: the file is missing from {path.parent}; restore it from the repository"
        )
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        rows = []
        for row in reader:
            if None in row or None in row.values():
                raise UserError(
                    f"{path.name} row {reader.line_num}: has not {len(reader.fieldnames or ())} fields as the header "
                    "has; quote fields that hold a comma"
                )
            rows.append((reader.line_num, {k: v.strip() for k, v in row.items()}))
        return rows


def load(
    connection: duckdb.DuckDBPyConnection, table: str, path: Path, rows: list[Row] | None = None
) -> list[Row]:
    """Creates `table` of schema.yml and fills it from a CSV file; its rows with their line numbers.

    Values must be of the column's type; an empty field is NULL. UserError names the row that is not.
    """
    rows = read_rows(path) if rows is None else rows
    columns = schema.tables()[table]["columns"]
    connection.execute(sql.create_table(table))
    for line, row in rows:
        if missing := [name for name in columns if name not in row]:
            raise UserError(
                f"{path.name}: lacks the column {', '.join(missing)}; its columns are {', '.join(columns)}"
            )
        if empty := [name for name, facts in columns.items() if facts.get("required") and not row[name]]:
            raise UserError(f"{path.name} row {line}: {', '.join(empty)} is empty; fill it in")
    if not rows:
        return rows
    text = pa.table({name: pa.array([row[name] or None for _, row in rows], pa.string()) for name in columns})
    connection.register("given", text)
    try:
        casts = ", ".join(f"CAST({sql.quoted(c)} AS {facts['type']})" for c, facts in columns.items())
        connection.execute(f"INSERT INTO {sql.quoted(table)} SELECT {casts} FROM given")
    except duckdb.Error as error:
        raise _misfit(connection, columns, path, rows, error) from error
    finally:
        connection.unregister("given")
    _refuse_repeated(table, path, rows)
    return rows


def _misfit(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Any],
    path: Path,
    rows: Iterable[Row],
    error: Exception,
) -> UserError:
    for line, row in rows:
        for name, facts in columns.items():
            fits = connection.execute(
                f"SELECT TRY_CAST(? AS {facts['type']}) IS NOT NULL", [row[name] or None]
            ).fetchall()[0][0]
            if row[name] and not fits:
                return UserError(f"{path.name} row {line}: {name} is {row[name]!r}, expected {facts['type']}")
    return UserError(f"{path.name}: the rows do not fit the table: {error}")


def _refuse_repeated(table: str, path: Path, rows: Iterable[Row]) -> None:
    key = schema.tables()[table]["key"]
    seen: dict[tuple[str, ...], int] = {}
    for line, row in rows:
        value = tuple(row[name] for name in key)
        if value in seen:
            raise UserError(
                f"{path.name} row {line}: repeats row {seen[value]} ({' / '.join(value)}); keep one"
            )
        seen[value] = line


def refuse_words(path: Path, rows: Iterable[Row], column: str, known: Iterable[str]) -> None:
    """UserError for the first row whose `column` holds none of the known words."""
    words = tuple(known)
    for line, row in rows:
        if row[column] not in words:
            raise UserError(
                f"{path.name} row {line}: {column} is {row[column]!r}, expected one of {', '.join(words)}"
            )


def refuse_unknown_reports(
    connection: duckdb.DuckDBPyConnection, path: Path, rows: list[Row], column: str = "report_id"
) -> None:
    """UserError for the first row that names a report the warehouse does not hold."""
    wanted = sorted({row[column] for _, row in rows})
    if not wanted:
        return
    known = {
        r
        for (r,) in connection.execute(
            "SELECT report_id FROM reports WHERE report_id IN ?", [wanted]
        ).fetchall()
    }
    for line, row in rows:
        if row[column] not in known:
            raise UserError(
                f"{path.name} row {line}: no report {row[column]!r} is known; take the report_id from table reports"
            )


def load_deadlines(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Table `deadlines`."""
    path = folder / "deadlines.csv"
    refuse_words(path, load(connection, "deadlines", path), "body", BODIES)


def load_rates(connection: duckdb.DuckDBPyConnection, folder: Path, measures: Iterable[str]) -> list[Row]:
    """Table `rate_definitions`; UserError for a rate over an unknown measure."""
    path, known = folder / "rates.csv", set(measures)
    rows = load(connection, "rate_definitions", path)
    for line, row in rows:
        for side in ("numerator", "denominator"):
            if known and row[side] not in known:
                raise UserError(f"{path.name} row {line}: {side} {row[side]!r} is no measure of measures.csv")
        if not row["rate"].isidentifier():
            raise UserError(
                f"{path.name} row {line}: {row['rate']!r} cannot name a rate; use letters, digits and _"
            )
    return rows


def load_verdicts(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Table `verdicts`; UserError for an unknown report or word."""
    path = folder / "verdicts.csv"
    rows = load(connection, "verdicts", path)
    refuse_words(path, rows, "verdict", VERDICTS)
    refuse_unknown_reports(connection, path, rows)
