"""Brings a copy of the last published file up to the tidy Parquet by replacing the rows of reports that changed.

Says beforehand whether that is sound: same rules, same tables, few changed reports. Never touches the last file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from extractors import schema
from extractors.dataroot import DataRoot
from transforms.checks import check_reports
from warehouse import load, reference
from warehouse import schema_sql as sql
from warehouse.derive import TOUCHED

WHOLE_TABLES = ("reports", "agencies", "indicators")
"""One row a report or less: loaded anew every time."""
MOST_CHANGED = 0.2
"""Share of changed reports from which a whole build is the faster way."""
RECHECKED = ("T3.", "T4.", "S.", "N.")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replace: all Parquet files as they are now, and the partitions whose files differ from last time."""

    files: tuple[load.Source, ...]
    partitions: frozenset[str]
    generation: int


def plan(last: duckdb.DuckDBPyConnection, root: DataRoot, rules: str, most_generations: int) -> Plan | None:
    """How to bring a copy of the file behind `last` up to date; None when only a whole build is sound."""
    try:
        info = dict(last.execute("SELECT name, value FROM build_info").fetchall())
        rows = last.execute("SELECT path, partition, bytes, version, cells FROM sources").fetchall()
    except duckdb.Error:
        return None
    generation = int(info["generation"])
    if info["rules"] != rules or generation >= most_generations:
        return None
    known = {
        path: load.Source(partition.split("/")[0], path, partition, "", size, version, cells)
        for path, partition, size, version, cells in rows
    }
    files = [source for table in sql.tidy_tables() for source in _located(root, table, known)]
    now = {source.path: source for source in files}
    changed = {source.partition for path, source in now.items() if _differs(source, known.get(path))}
    changed |= {source.partition for path, source in known.items() if path not in now}
    return Plan(tuple(files), frozenset(changed), generation)


def _located(root: DataRoot, table: str, known: dict[str, load.Source]) -> list[load.Source]:
    return [
        source if source.address else _with_address(root, source)
        for source in load.sources(root, table, known)
    ]


def _with_address(root: DataRoot, source: load.Source) -> load.Source:
    address = root.path(source.path) if root.is_local else root.fs.unstrip_protocol(root.path(source.path))
    return load.Source(
        source.table, source.path, source.partition, address, source.size, source.version, source.rows
    )


def _differs(now: load.Source, before: load.Source | None) -> bool:
    return before is None or (now.size, now.version) != (before.size, before.version)


def replace_changed(connection: duckdb.DuckDBPyConnection, plan: Plan, folder: Path) -> bool:
    """Replaces the rows of changed reports; table `touched_reports` names all whose derived rows must be made again.

    False, before anything is replaced, when so much changed that a whole build is the faster way.
    """
    corrected = {row["report_id"] for _, row in reference.read_rows(folder / "corrections.csv")}
    connection.execute("CREATE OR REPLACE TEMP TABLE changed_rows (source VARCHAR, report_id VARCHAR)")
    for table in load.BY_REPORT:
        _find_changed(connection, table, plan)
    if corrected:
        for table in load.BY_REPORT:
            connection.execute("INSERT INTO changed_rows SELECT ?, unnest(?)", [table, sorted(corrected)])
    reports, changed = connection.execute("""
        SELECT (SELECT count(*) FROM reports), (SELECT count(DISTINCT report_id) FROM changed_rows)
    """).fetchall()[0]
    if changed > MOST_CHANGED * max(reports, 1):
        return False
    for table in load.BY_REPORT:
        _replace_rows(connection, table, plan)
    _reload_whole_tables(connection, plan)
    return True


def _find_changed(connection: duckdb.DuckDBPyConnection, table: str, plan: Plan) -> None:
    """Adds the reports whose rows in changed partitions differ from the digests of the last file."""
    partitions = sorted(p for p in plan.partitions if p.split("/")[0] == table)
    if not partitions:
        return
    years = [int(p.split("year=")[1].split("/")[0]) for p in partitions if "year=" in p]
    in_partition = f"year IN ({', '.join(map(str, years))})" if len(years) == len(partitions) else "true"
    files = [source for source in plan.files if source.table == table]
    if in_partition != "true":
        files = [source for source in files if source.partition in plan.partitions]
    now = (
        load.parquet_digests(table, files)
        if files
        else "SELECT '' AS report_id, 0 AS year, 0 AS cells, '' AS digest"
    )
    connection.execute(f"""
        INSERT INTO changed_rows
        SELECT '{table}', coalesce(n.report_id, o.report_id)
        FROM (SELECT * FROM ({now}) WHERE report_id <> '') n
        FULL JOIN (SELECT * FROM report_digests WHERE source = '{table}' AND {in_partition}) o
            ON o.report_id = n.report_id AND o.year = n.year
        WHERE n.digest IS DISTINCT FROM o.digest
    """)


def _replace_rows(connection: duckdb.DuckDBPyConnection, table: str, plan: Plan) -> None:
    wanted = f"report_id IN (SELECT report_id FROM changed_rows WHERE source = '{table}')"
    years = [
        year
        for (year,) in connection.execute(f"""
            SELECT DISTINCT year FROM report_digests WHERE source = '{table}' AND {wanted}
        """).fetchall()
    ]
    if years and "year" in schema.tables()[table]["columns"]:
        wanted_now = f"year IN ({', '.join(map(str, years))}) AND {wanted}"
    else:
        wanted_now = wanted
    connection.execute(f"DELETE FROM {table} WHERE {wanted_now}")
    is_any = connection.execute("SELECT count(*) FROM changed_rows WHERE source = ?", [table]).fetchall()[0][
        0
    ]
    files = [source for source in plan.files if source.table == table]
    if not is_any or not files:
        return
    corrected_too = connection.execute(
        "SELECT DISTINCT split_part(split_part(report_id, '/', 2), '@', 1) FROM changed_rows WHERE source = ?",
        [table],
    ).fetchall()
    of_year = {f"{table}/year={year}" for (year,) in corrected_too}
    near = [
        s
        for s in files
        if s.partition in of_year or s.partition in plan.partitions or "year=" not in s.partition
    ]
    load.insert(connection, table, near, f"WHERE {wanted}")


def _reload_whole_tables(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Loads the small tables anew and fills `touched_reports`."""
    for table in ("reports", "agencies"):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table}_before AS SELECT * FROM {table}")
    for table in WHOLE_TABLES:
        load.load_table(connection, table, [source for source in plan.files if source.table == table])
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {TOUCHED} AS
        WITH other_reports AS (
            (FROM reports EXCEPT FROM reports_before) UNION ALL (FROM reports_before EXCEPT FROM reports)
        ), other_agencies AS (
            (FROM agencies EXCEPT FROM agencies_before) UNION ALL (FROM agencies_before EXCEPT FROM agencies)
        )
        SELECT report_id FROM changed_rows UNION SELECT report_id FROM other_reports
        UNION SELECT report_id FROM reports WHERE agency_id IN (SELECT agency_id FROM other_agencies)
    """)
    connection.execute("DROP TABLE reports_before; DROP TABLE agencies_before")


def recheck_corrected(connection: duckdb.DuckDBPyConnection, corrected: list[str]) -> None:
    """Checks corrected reports again, since their findings were made from the numbers before the correction."""
    if not corrected:
        return
    columns = ", ".join(
        f"{sql.quoted(name)}::{facts['type']} AS {sql.quoted(name)}"
        for name, facts in schema.tables()["observations"]["columns"].items()
    )
    plain = connection.execute(f"SELECT {columns} FROM observations WHERE report_id IN ?", [corrected]).df()
    found = pa.Table.from_pandas(
        check_reports(plain)[schema.arrow_schema("findings").names],
        schema=schema.arrow_schema("findings"),
        preserve_index=False,
    )
    tried = " OR ".join(f"check_id LIKE '{check}%'" for check in RECHECKED)
    connection.execute(f"DELETE FROM findings WHERE report_id IN ? AND ({tried})", [corrected])
    connection.register("found_again", found)
    connection.execute("INSERT INTO findings BY NAME SELECT * FROM found_again")
    connection.unregister("found_again")
