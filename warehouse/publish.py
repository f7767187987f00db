"""Publishes a built file: checks it, then moves the pointers to it in one step each, and keeps the last few files.

Readers follow `latest.json` or the link `ogi.duckdb`; both always name a complete file. Never writes into a
published file, never removes the one the pointers name.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from extractors.dataroot import WAREHOUSE, DataRoot
from extractors.errors import UserError
from warehouse.query import open_file

KEEP = 5
POINTER = "latest.json"
LINK = "ogi.duckdb"


@dataclass(frozen=True, slots=True)
class Published:
    """The file readers get from now on, and its rows by table."""

    path: Path
    rows: dict[str, int]


def publish(root: DataRoot, built: Path, keep: int = KEEP) -> Published:
    """Checks `built` and makes it the newest file; UserError, and the last good file stays, when a check fails."""
    rows = _rows(built)
    pointer = {"file": built.name, "rows": rows}
    root.write_bytes(f"{WAREHOUSE}/{POINTER}", json.dumps(pointer, indent=2).encode())
    _move_link(root.local(WAREHOUSE), built.name)
    for old in sorted(root.local(WAREHOUSE).glob("ogi-*.duckdb"))[:-keep]:
        if old.name != built.name:
            old.unlink(missing_ok=True)
    return Published(built, rows)


def newest(root: DataRoot) -> Path:
    """The newest published file; UserError when nothing has been published."""
    try:
        name = json.loads(root.read_bytes(f"{WAREHOUSE}/{POINTER}"))["file"]
    except FileNotFoundError as error:
        raise UserError(
            f"{root.address}: nothing has been published here; run `ogi ingest` or `ogi nightly` first, "
            "or name another data root with --data"
        ) from error
    return root.local(WAREHOUSE, name)


def _rows(built: Path) -> dict[str, int]:
    with open_file(built) as connection:
        tables = [t for (t,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {
            table: int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchall()[0][0])
            for table in sorted(tables)
        }


def _move_link(folder: Path, name: str) -> None:
    """Points `ogi.duckdb` at a file by renaming a new link over the old one: no moment without a link."""
    temporary = folder / f".{LINK}.{uuid.uuid4().hex[:8]}"
    try:
        os.symlink(name, temporary)
        temporary.replace(folder / LINK)
    finally:
        temporary.unlink(missing_ok=True)
