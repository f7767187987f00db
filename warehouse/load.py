"""Loads tidy Parquet into the tables of a DuckDB file, whole or for some reports, and fingerprints what lies there.

Broken files are named in a sentence. Never writes Parquet, never changes a value on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from extractors import schema
from extractors.dataroot import TIDY, DataRoot
from extractors.errors import UserError
from warehouse import schema_sql as sql

BY_REPORT = ("observations", "superseded_observations", "findings", "narratives")
"""Tables with many rows a report; a nightly replaces only the rows of reports that changed."""
SET_BY_REVIEW = {"findings": ("verdict",)}
"""Columns the build fills from reviewed files, so that they say nothing about the tidy rows."""
YEAR_OF_REPORT = "TRY_CAST(split_part(split_part(report_id, '/', 2), '@', 1) AS INTEGER)"
"""Year of a report_id, for tables without a column for it."""
MADE_HERE = {"findings": "check_id NOT LIKE 'X.%'"}
"""Rows the build adds to a tidy table are left out of its fingerprint."""


@dataclass(frozen=True, slots=True)
class Source:
    """One Parquet file of `data/tidy`. `partition` is its folder below `tidy`, `address` what DuckDB opens."""

    table: str
    path: str
    partition: str
    address: str
    size: int
    version: str
    rows: int


def at_once(connection: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    """Many small statements in one transaction: each alone would wait for the disk."""
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement)
    connection.execute("COMMIT")


def connect_files(connection: duckdb.DuckDBPyConnection, root: DataRoot) -> None:
    """Lets DuckDB open the addresses of a root that is not on a local disk."""
    if not root.is_local:
        connection.register_filesystem(root.fs)


def sources(root: DataRoot, table: str, known: dict[str, Source] | None = None) -> list[Source]:
    """A table's Parquet files; UserError for one that is cut or lacks a column.

    A file that `known` (by path) lists with the same size and version is not opened again.
    """
    return [_source(root, table, name, known or {}) for name in root.files(f"{TIDY}/{table}", ".parquet")]


def _source(root: DataRoot, table: str, name: str, known: dict[str, Source]) -> Source:
    info = root.fs.info(root.path(name))
    version = str(info.get("mtime") or info.get("ETag") or info.get("LastModified"))
    same = known.get(name)
    if same and (same.size, same.version) == (info["size"], version):
        return same
    try:
        footer = pq.ParquetFile(root.path(name), filesystem=root.fs)
        found, rows = footer.schema_arrow.names, footer.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{name}: not a whole Parquet file ({error}); remove it and write the table again with "
            "`ogi ingest` or `ogi reparse`"
        ) from error
    if missing := [column for column in schema.arrow_schema(table).names if column not in found]:
        raise UserError(f"{name}: lacks the column {', '.join(missing)} of table {table}; write it again")
    address = root.path(name) if root.is_local else root.fs.unstrip_protocol(root.path(name))
    partition = name.rpartition("/")[0].removeprefix(f"{TIDY}/")
    return Source(table, name, partition, address, info["size"], version, rows)


def _parquet(files: Iterable[Source]) -> str:
    listed = ", ".join(sql.text(source.address) for source in files)
    return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"


def insert(connection: duckdb.DuckDBPyConnection, table: str, files: list[Source], where: str = "") -> None:
    """Adds the rows of Parquet files to a table; UserError, naming the file, when they do not fit."""
    if not files:
        return
    columns = ", ".join(sql.quoted(name) for name in schema.tables()[table]["columns"])
    statement = f"INSERT INTO {sql.quoted(table)} ({columns}) SELECT {columns} FROM "
    try:
        connection.execute(f"{statement}{_parquet(files)} {where}")
    except (duckdb.IOException, duckdb.OutOfMemoryException):
        raise
    except duckdb.Error as error:
        raise _misfit(connection, table, files, error) from error


def _misfit(
    connection: duckdb.DuckDBPyConnection, table: str, files: list[Source], error: Exception
) -> UserError:
    """The sentence for rows that do not fit: the first file that cannot be read alone."""
    checked = ", ".join(
        f"CAST({sql.quoted(name)} AS {sql.column_type(facts)})"
        for name, facts in schema.tables()[table]["columns"].items()
    )
    for source in files:
        try:
            connection.execute(f"SELECT max(hash({checked})) FROM {_parquet([source])}").fetchall()
        except duckdb.Error as reason:
            return UserError(
                f"{source.path}: its rows do not fit table {table}: {str(reason).splitlines()[0]}; "
                "correct schema.yml or indicators.csv, or write the file again"
            )
    return UserError(f"{TIDY}/{table}: the rows do not fit the table: {str(error).splitlines()[0]}")


def load_table(connection: duckdb.DuckDBPyConnection, table: str, files: list[Source]) -> None:
    """Makes a tidy table with its comments and fills it; no files give an empty table."""
    connection.execute(sql.create_table(table))
    insert(connection, table, files)
    at_once(connection, sql.comments("TABLE", table, schema.tables()[table]))


def digests_of(table: str, rows: str) -> str:
    """SELECT of report_id, year, cells, digest over `rows` (a table or Parquet files) that hold `table`'s columns.

    Columns kept as enum are hashed as their words, so that files and tables give the same digest.
    """
    columns = schema.tables()[table]["columns"]
    year = "year" if "year" in columns else YEAR_OF_REPORT
    left_out = ("report_id", "year", *SET_BY_REVIEW.get(table, ()))
    hashed = ", ".join(
        f"{sql.quoted(name)}::VARCHAR" if "enum" in facts else sql.quoted(name)
        for name, facts in columns.items()
        if name not in left_out
    )
    return f"""
        SELECT report_id, {year} AS year, count(*) AS cells, CAST(sum(hash({hashed})::HUGEINT) AS VARCHAR) AS digest
        FROM {rows} WHERE {MADE_HERE.get(table, "true")} GROUP BY ALL
    """


def parquet_digests(table: str, files: list[Source]) -> str:
    """`digests_of` over Parquet files."""
    return digests_of(table, _parquet(files))


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Adds records to a table made by the build; values in the order of the columns of schema.yml."""
    target = schema.arrow_schema(table)
    given = pa.table(
        [pa.array([row[i] for row in rows], field.type) for i, field in enumerate(target)], names=target.names
    )
    connection.register("given_rows", given)
    connection.execute(f"INSERT INTO {sql.quoted(table)} SELECT * FROM given_rows")
    connection.unregister("given_rows")


def write_sources(connection: duckdb.DuckDBPyConnection, files: Iterable[Source]) -> None:
    """Table `sources`."""
    connection.execute(sql.create_table("sources"))
    insert_rows(connection, "sources", [(s.path, s.partition, s.size, s.version, s.rows) for s in files])
