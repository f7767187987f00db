"""Builds a new DuckDB file from the tidy Parquet: tables, comments, views. One run gives one complete dated file.

The file grows under a hidden name and gets its own only when it is whole, so a kill leaves nothing a reader could
open. Never changes an existing file, never moves the pointer (`warehouse.publish` does), never reads a page.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from extractors import schema
from extractors.dataroot import TIDY, WAREHOUSE, DataRoot
from extractors.errors import UserError
from warehouse import measures as harmonised
from warehouse import schema_sql as sql

STORAGE_VERSION = "v1.2.0"
"""Oldest DuckDB that can read the files. A newer format would lock out analysts who have not upgraded."""

VIEWS = Path(__file__).parent / "views"
MEMORY_LIMIT = "3GB"


def dated_name(now: datetime) -> str:
    """File name of a build, to the second in UTC."""
    return f"ogi-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.duckdb"


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a new file at `path` in the storage format that older clients read.

    The file is created through an attached alias (the only way to name the format) but filled through a
    connection of its own: views made through an alias would keep the alias in their text.
    """
    with duckdb.connect() as creator:
        creator.execute(f"ATTACH {sql.text(str(path))} AS made (STORAGE_VERSION '{STORAGE_VERSION}')")
        creator.execute("DETACH made")
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("SET preserve_insertion_order = false")
        yield connection


def _checked_files(root: DataRoot, table: str) -> list[str]:
    """Addresses of a table's Parquet files, each opened once; UserError for one that is cut or lacks a column."""
    expected = schema.arrow_schema(table)
    addresses = []
    for name in root.files(f"{TIDY}/{table}", ".parquet"):
        try:
            found = pq.read_schema(root.path(name), filesystem=root.fs)
        except Exception as error:
            raise UserError(
                f"{name}: not a whole Parquet file ({error}); write the table again with `ogi ingest` or `ogi reparse`"
            ) from error
        if missing := [column for column in expected.names if column not in found.names]:
            raise UserError(f"{name}: lacks the column {', '.join(missing)} of table {table}; write it again")
        addresses.append(root.path(name) if root.is_local else root.fs.unstrip_protocol(root.path(name)))
    return addresses


def load_tidy(connection: duckdb.DuckDBPyConnection, root: DataRoot, table: str) -> int:
    """Creates a tidy table and fills it from its Parquet files; the number of rows. No files give an empty table."""
    connection.execute(sql.create_table(table))
    files = _checked_files(root, table)
    if not files:
        return 0
    columns = ", ".join(sql.quoted(name) for name in schema.tables()[table]["columns"])
    listed = ", ".join(sql.text(name) for name in files)
    try:
        connection.execute(
            f"INSERT INTO {sql.quoted(table)} SELECT {columns} "
            f"FROM read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
        )
    except duckdb.Error as error:
        raise UserError(f"{TIDY}/{table}: the rows do not fit the table: {error}") from error
    return int(connection.execute(f"SELECT count(*) FROM {sql.quoted(table)}").fetchall()[0][0])


def read_measures(connection: duckdb.DuckDBPyConnection) -> dict[str, harmonised.Measure]:
    """The measures, checked against the loaded table `indicators`."""
    catalogue = dict(connection.execute("SELECT indicator, by_applicant FROM indicators").fetchall())
    return harmonised.read_measures(catalogue) if catalogue else {}


def make_measures(connection: duckdb.DuckDBPyConnection, measures: dict[str, harmonised.Measure]) -> None:
    """Table `measures`: one row a measure and form."""
    connection.execute(sql.create_table("measures"))
    rows = [
        (m.name, m.theme, m.label_en, m.label_zh, m.unit, m.kind, c.form, c.formula or None, c.comparable)
        + (m.since, c.why or None, m.is_derived)
        for m in measures.values()
        for c in m.forms.values()
    ]
    if rows:
        connection.executemany(f"INSERT INTO measures VALUES ({', '.join('?' * 12)})", rows)


def make_agency_year(connection: duckdb.DuckDBPyConnection, measures: dict[str, harmonised.Measure]) -> None:
    """Table `agency_year`: the current report of each agency and year, each measure a column of its printed cells."""
    cells = harmonised.printed_cells(measures)
    columns = ", ".join(sql.text(harmonised.column_of(cell)) for cell in cells) or "'none'"
    values = "".join(
        f",\n    CAST({harmonised.expression(m)} AS DECIMAL(20,4)) AS {sql.quoted(m.name)}"
        for m in measures.values()
    )
    connection.execute(f"""
        CREATE TABLE agency_year AS
        WITH printed AS (
            SELECT report_id, indicator || coalesce(':' || applicant, '') AS code, value
            FROM observations WHERE value_kind = 'number'
        ), pivoted AS (
            PIVOT printed ON code IN ({columns}) USING first(value) GROUP BY report_id
        ), pictures AS (
            SELECT DISTINCT report_id FROM observations WHERE is_ocr
        )
        SELECT r.agency_id, r.agency_name, a.region_code, a.level, a.kind, a.function, r.year, r.report_id, r.form,
            r.status, pictures.report_id IS NOT NULL AS has_ocr{values}
        FROM reports r
        LEFT JOIN agencies a USING (agency_id)
        LEFT JOIN pivoted ON pivoted.report_id = r.report_id
        LEFT JOIN pictures ON pictures.report_id = r.report_id
        WHERE r.is_current
        ORDER BY r.year, r.agency_id
    """)
    for statement in sql.comments("TABLE", "agency_year", schema.tables()["agency_year"]):
        connection.execute(statement)
    for measure in measures.values():
        comment = f"{measure.label_en} ({measure.label_zh}), {measure.unit}; NULL when a number it needs is not printed"
        connection.execute(f"COMMENT ON COLUMN agency_year.{sql.quoted(measure.name)} IS {sql.text(comment)}")


def make_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Every view of `schema.yml`, from `views/<name>.sql`, with its comments."""
    for name, facts in sql.views().items():
        body = (VIEWS / f"{name}.sql").read_text(encoding="utf8")
        connection.execute(f"CREATE VIEW {sql.quoted(name)} AS\n{body}")
        for statement in sql.comments("VIEW", name, facts):
            connection.execute(statement)


def build(root: DataRoot) -> Path:
    """Tidy Parquet below `data/tidy` to a new complete file `data/warehouse/ogi-<UTC time>.duckdb`; its path.

    UserError, in a sentence that names file or row, when an input is broken or the disk is full; nothing is left.
    """
    folder = root.local(WAREHOUSE)
    folder.mkdir(parents=True, exist_ok=True)
    growing = folder / f".building-{uuid.uuid4().hex[:8]}.duckdb"
    try:
        with new_file(growing) as connection:
            for table in sql.tidy_tables():
                load_tidy(connection, root, table)
                for statement in sql.comments("TABLE", table, schema.tables()[table]):
                    connection.execute(statement)
            measures = read_measures(connection)
            make_measures(connection, measures)
            for statement in sql.comments("TABLE", "measures", schema.tables()["measures"]):
                connection.execute(statement)
            make_agency_year(connection, measures)
            make_views(connection)
            connection.execute("CHECKPOINT")
        return _finish(growing, folder)
    except (duckdb.IOException, OSError) as error:
        raise UserError(
            f"{folder}: the file could not be written ({error}); the last good file stays"
        ) from error
    finally:
        for rest in folder.glob(f"{growing.name}*"):
            rest.unlink(missing_ok=True)


def _finish(growing: Path, folder: Path) -> Path:
    """Forces the file to disk and gives it its dated name; two builds in one second get two names."""
    with growing.open("rb") as stream:
        os.fsync(stream.fileno())
    while True:
        target = folder / dated_name(datetime.now(UTC))
        try:
            os.link(growing, target)
        except FileExistsError:
            continue
        return target
