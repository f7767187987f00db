"""Opens the published file for reading. Never writes, and never waits for a writer: published files do not change."""

from __future__ import annotations

from pathlib import Path

import duckdb

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from warehouse.places import newest


def open_file(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to one file; UserError when it cannot be opened."""
    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise UserError(f"{path}: cannot be opened as a DuckDB file ({error})") from error


def open_newest(root: DataRoot) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the newest published file of a data root."""
    return open_file(newest(root))
