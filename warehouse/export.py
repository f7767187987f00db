"""Writes tables and views of the published file as CSV, XLSX, Parquet or a Frictionless data package.

Texts come from hostile pages: one that a spreadsheet would take for a formula gets an apostrophe before it. Numbers stay
numbers, and an empty cell stays empty. Never changes the file, never writes half an export.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import xlsxwriter

from extractors import schema
from extractors.errors import UserError
from warehouse import dictionary
from warehouse import schema_sql as sql

FORMATS = ("csv", "xlsx", "parquet", "datapackage")
FORMULA = r"^[\s]*[=+\-@\t\r＝＋－＠]"
"""Beginnings that some spreadsheet reads as a formula, full-width ones and those after white space included."""
XLSX_ROWS = 1_048_575
XLSX_CHARACTERS = 32_767
"""What a cell of a sheet can hold."""
BATCH = 50_000


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written where, how many rows, and how many texts were cut because a sheet's cell holds no more."""

    path: Path
    rows: int
    cut: int = 0


def export(connection: duckdb.DuckDBPyConnection, kind: str, view: str, where: str, out: Path) -> Exported:
    """Writes `view` (a table or view; for a datapackage "" means all tidy tables) limited by the SQL condition `where`.

    UserError for an unknown format or view, a condition that does not work, too many rows for a sheet, or a place
    that cannot be written to.
    """
    if kind not in FORMATS:
        raise UserError(f"format {kind!r} is unknown; choose one of {', '.join(FORMATS)}")
    connection.execute("SET enable_external_access = false")
    try:
        if kind == "datapackage":
            return _write_package(connection, view, where, out)
        with _appearing(out) as arriving:
            query = _select(connection, view, where, plain=kind == "parquet")
            cut = 0
            if kind == "xlsx":
                rows, cut = _write_xlsx(connection, query, arriving)
            else:
                rows = (_write_csv if kind == "csv" else _write_parquet)(connection, query, arriving)
        return Exported(out, rows, cut)
    except duckdb.Error as error:
        raise UserError(f"--where {where!r} does not work on {view}: {_reason(error)}") from error
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error})") from error


def _reason(error: duckdb.Error) -> str:
    """What DuckDB says, with the columns it proposes and without the generated query."""
    said = str(error).partition("\nLINE")[0]
    return " ".join(line.strip() for line in said.splitlines() if line.strip())


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """A place to write to that becomes `out` only when everything was written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    arriving = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield arriving
        arriving.replace(out)
    finally:
        arriving.unlink(missing_ok=True)


def _select(connection: duckdb.DuckDBPyConnection, view: str, where: str, plain: bool) -> str:
    """The query of an export. Not `plain`: texts made harmless, decimals without trailing zeros."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND NOT internal "
        "AND database_name = current_database() ORDER BY column_index",
        [view],
    ).fetchall()
    if not columns:
        there = connection.execute(
            "SELECT DISTINCT object FROM dictionary WHERE object_kind <> 'macro' ORDER BY 1"
        )
        known = ", ".join(name for (name,) in there.fetchall())
        raise UserError(f"there is no table or view {view!r}; there are {known}")
    shown = ", ".join(_column(name, kind, plain) for name, kind in columns)
    return f"SELECT {shown} FROM {sql.quoted(view)}" + (f" WHERE ({where}\n)" if where else "")


def _column(name: str, kind: str, plain: bool) -> str:
    column = sql.quoted(name)
    if kind.startswith("ENUM"):
        return f"{column}::VARCHAR AS {column}"
    if plain:
        return column
    if kind == "VARCHAR":
        return f"CASE WHEN regexp_matches({column}, {sql.text(FORMULA)}) THEN '''' || {column} ELSE {column} END AS {column}"
    return column


def _batches(connection: duckdb.DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    return connection.sql(query).to_arrow_reader(BATCH)


def _write_csv(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """UTF-8 with a byte order mark, without which Excel shows Chinese as rubbish."""
    rows = 0
    reader = _batches(connection, query)
    with path.open("wb") as stream:
        stream.write(b"\xef\xbb\xbf")
        target = pa.schema(
            [pa.field(f.name, pa.string() if _is_decimal(f.type) else f.type) for f in reader.schema]
        )
        with pyarrow.csv.CSVWriter(stream, target) as writer:
            for batch in reader:
                writer.write_batch(pa.record_batch([_short(c) for c in batch.columns], schema=target))
                rows += batch.num_rows
    return rows


def _is_decimal(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind))


def _short(column: pa.Array) -> pa.Array:
    """Decimals as text without trailing zeros (5, not 5.0000)."""
    if not _is_decimal(column.type):
        return column
    text = column.cast(pa.string())
    return pa.compute.replace_substring_regex(text, r"\.?0+$", "") if column.type.scale else text


def _write_xlsx(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> tuple[int, int]:
    """(rows, texts that were cut)."""
    reader = _batches(connection, query)
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("data")
        formats = {
            "bold": book.add_format({"bold": True}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
            "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, reader.schema.names, formats["bold"])
        kinds = [field.type for field in reader.schema]
        row = cut = 0
        for batch in reader:
            if row + batch.num_rows > XLSX_ROWS:
                raise UserError(
                    f"a sheet holds {XLSX_ROWS:,} rows and there are more; limit them with --where, or use csv"
                )
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                row += 1
                for place, (value, kind) in enumerate(zip(values, kinds, strict=True)):
                    if value is not None:
                        cut += isinstance(value, str) and len(value) > XLSX_CHARACTERS
                        _write_cell(sheet, row, place, value, kind, formats)
    return row, cut


def _write_cell(
    sheet: Any, row: int, place: int, value: Any, kind: pa.DataType, formats: dict[str, Any]
) -> None:
    if pa.types.is_boolean(kind):
        sheet.write_boolean(row, place, value)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        sheet.write_string(row, place, value[:XLSX_CHARACTERS])
    elif pa.types.is_temporal(kind):
        sheet.write_datetime(row, place, value, formats["date" if pa.types.is_date(kind) else "moment"])
    else:
        sheet.write_number(row, place, float(value))


def _write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    rows = 0
    reader = _batches(connection, query)
    with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _write_package(connection: duckdb.DuckDBPyConnection, view: str, where: str, out: Path) -> Exported:
    """A folder with one CSV file a table and `datapackage.json`; the description comes last, so it never lies."""
    names = [view] if view else list(sql.tidy_tables())
    if where and not view:
        raise UserError("--where needs --view: a condition fits one table only")
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK):
        raise UserError(f"{out}: cannot be written")
    rows, resources = 0, []
    for name in names:
        with _appearing(out / f"{name}.csv") as arriving:
            rows += _write_csv(connection, _select(connection, name, where, plain=False), arriving)
        comment, described = _describe(connection, name, names)
        resources.append(dictionary.resource(name, [f"{name}.csv"], "csv", described, comment))
    with _appearing(out / "datapackage.json") as arriving:
        arriving.write_bytes(dictionary.package(resources, "OGI annual reports"))
    return Exported(out, rows)


def _describe(
    connection: duckdb.DuckDBPyConnection, name: str, beside: list[str]
) -> tuple[str, dict[str, Any]]:
    facts = schema.tables().get(name)
    if facts is not None and "generated" not in facts:
        return facts["comment"], dictionary.table_schema(name, dict.fromkeys(beside))
    rows = connection.execute(
        'SELECT "column", type, meaning FROM dictionary WHERE object = ? ORDER BY "column" NULLS FIRST',
        [name],
    ).fetchall()
    meanings = {column: (kind, meaning) for column, kind, meaning in rows if column is not None}
    shown = connection.execute(f"DESCRIBE {sql.quoted(name)}").fetchall()
    fields = [
        {"name": column, "type": dictionary.field_type(kind), "description": meanings[column][1]}
        for column, kind, *_ in shown
    ]
    return rows[0][2], {"fields": fields, "missingValues": [""]}
