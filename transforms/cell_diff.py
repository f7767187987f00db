"""What a new reading of the same snapshots changes: cells added, changed, moved and gone, per report and in sum.

Compares the readings in a folder of their own with those in force. Never decides which is right, never moves a file.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pandas as pd

from extractors.dataroot import CELLS, DataRoot
from extractors.schema import tables

KINDS = ("added", "changed", "moved", "gone")
_VALUE = ("printed", "unit_text", "mark")
_PLACE = ("raw_text", "cell_table", "cell_row", "cell_column")
_ROW = ", ".join(("indicator", "coalesce(applicant, '') AS applicant", *_VALUE, *_PLACE))
_FACTS = ("status", "agency_name", "year")


@dataclass(frozen=True)
class CellDiff:
    """What differs between the readings in force and a new one.

    snapshots: read anew. `added`, `changed`, `moved`, `gone` count cells: `changed` has another text, unit or mark,
    `moved` the same value at another place or in another sentence. `reports`: one row a snapshot that differs in its
    cells, status, agency or year. `cells`: one row a cell that differs.
    """

    snapshots: int
    added: int
    changed: int
    moved: int
    gone: int
    reports: pd.DataFrame
    cells: pd.DataFrame

    @property
    def is_empty(self) -> bool:
        return self.reports.empty


def diff_of_cells(root: DataRoot, folder: str) -> CellDiff:
    """Compares the readings below `folder` with the newest ones below `data/cells` of the same snapshots."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        if not root.is_local:
            connection.register_filesystem(root.fs)
        _load(connection, root, "now", folder, "")
        _load(connection, root, "before", CELLS, "SEMI JOIN now_documents USING (snapshot_sha256)")
        connection.execute(_UNEQUAL)
        connection.execute(_DIFFERING)
        reports = connection.sql(_REPORTS).df()
        cells = connection.sql(
            "FROM differing ORDER BY source_url, snapshot_sha256, indicator, applicant, nth"
        ).df()
        snapshots = connection.sql("SELECT count(*) FROM now_documents").fetchall()[0][0]
    counts = cells["change"].value_counts().to_dict()
    kinds = {kind: int(counts[kind]) if kind in counts else 0 for kind in KINDS}
    return CellDiff(int(snapshots), **kinds, reports=reports, cells=cells)


def _load(connection: duckdb.DuckDBPyConnection, root: DataRoot, name: str, folder: str, only: str) -> None:
    """Tables `<name>_documents`, the newest reading a snapshot, and `<name>_rows`, the cells of those readings."""
    documents = _parquet(root, f"{folder}/documents", "documents")
    connection.execute(f"""
        CREATE TEMP TABLE {name}_documents AS
        SELECT snapshot_sha256, source_url, portal_id, status, agency_name, year, extractor_version, batch
        FROM ({documents}) {only}
        QUALIFY row_number() OVER (PARTITION BY snapshot_sha256 ORDER BY read_at DESC, source_url, batch DESC) = 1
    """)
    connection.execute(f"""
        CREATE TEMP TABLE {name}_rows AS
        SELECT DISTINCT snapshot_sha256, {_ROW}
        FROM ({_parquet(root, f"{folder}/cells", "cells")})
        SEMI JOIN {name}_documents USING (snapshot_sha256, extractor_version, batch)
    """)


def _parquet(root: DataRoot, folder: str, table: str) -> str:
    """A SELECT over a folder's Parquet files, with `batch`, the name of each row's file."""
    files = root.files(folder, ".parquet")
    if not files:
        columns = ", ".join(
            f"NULL::{column['type']} AS {name}" for name, column in tables()[table]["columns"].items()
        )
        return f"SELECT {columns}, ''::VARCHAR AS batch WHERE false"
    paths = [
        root.path(name) if root.is_local else root.fs.unstrip_protocol(root.path(name)) for name in files
    ]
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    return (
        "SELECT * EXCLUDE (filename), parse_filename(filename) AS batch "
        f"FROM read_parquet([{listed}], filename = true, hive_partitioning = false)"
    )


_DIGEST = f"sum(hash(indicator, applicant, {', '.join((*_VALUE, *_PLACE))})::HUGEINT) AS digest"
_OTHER_FACTS = " OR ".join(f"b.{fact} IS DISTINCT FROM n.{fact}" for fact in _FACTS)
_UNEQUAL = f"""
    CREATE TEMP TABLE unequal AS
    WITH now_digests AS (SELECT snapshot_sha256, {_DIGEST} FROM now_rows GROUP BY 1),
        before_digests AS (SELECT snapshot_sha256, {_DIGEST} FROM before_rows GROUP BY 1)
    SELECT n.snapshot_sha256
    FROM now_documents n
    LEFT JOIN before_documents b USING (snapshot_sha256)
    LEFT JOIN now_digests nd ON nd.snapshot_sha256 = n.snapshot_sha256
    LEFT JOIN before_digests bd ON bd.snapshot_sha256 = n.snapshot_sha256
    WHERE nd.digest IS DISTINCT FROM bd.digest OR {_OTHER_FACTS}
"""
_NUMBERED = """
    SELECT *, row_number() OVER (PARTITION BY snapshot_sha256, indicator, applicant
        ORDER BY cell_table, cell_row, cell_column, raw_text, printed) AS nth
    FROM {name}_rows SEMI JOIN unequal USING (snapshot_sha256)
"""
_OTHER_VALUE = " OR ".join(f"b.{column} <> n.{column}" for column in _VALUE)
_OTHER_PLACE = " OR ".join(f"b.{column} <> n.{column}" for column in _PLACE)
_DIFFERING = f"""
    CREATE TEMP TABLE differing AS
    WITH b AS ({_NUMBERED.format(name="before")}), n AS ({_NUMBERED.format(name="now")})
    SELECT d.source_url, d.agency_name, d.year, snapshot_sha256, indicator, applicant, nth,
        CASE WHEN b.printed IS NULL THEN 'added' WHEN n.printed IS NULL THEN 'gone'
            WHEN {_OTHER_VALUE} THEN 'changed' ELSE 'moved' END AS change,
        b.printed AS before, n.printed AS now, b.raw_text AS text_before, n.raw_text AS text_now
    FROM b FULL JOIN n USING (snapshot_sha256, indicator, applicant, nth)
    JOIN now_documents d USING (snapshot_sha256)
    WHERE b.printed IS NULL OR n.printed IS NULL OR {_OTHER_VALUE} OR {_OTHER_PLACE}
"""
_COUNTS = ", ".join(f"count(*) FILTER (c.change = '{kind}') AS {kind}" for kind in KINDS)
_BEFORE_AND_NOW = ", ".join(f"any_value(b.{f}) AS {f}_before, any_value(n.{f}) AS {f}" for f in _FACTS)
_REPORTS = f"""
    SELECT n.source_url, n.snapshot_sha256, n.portal_id, {_BEFORE_AND_NOW}, {_COUNTS}
    FROM unequal JOIN now_documents n USING (snapshot_sha256)
    LEFT JOIN before_documents b USING (snapshot_sha256)
    LEFT JOIN differing c USING (snapshot_sha256)
    GROUP BY n.source_url, n.snapshot_sha256, n.portal_id
    ORDER BY n.source_url, n.snapshot_sha256
"""
