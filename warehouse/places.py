"""Where the published files lie, and which one is the newest.

On a local root everything is in `data/warehouse`. A remote root keeps the published files and `latest.json`; DuckDB
reads and writes them in a local folder of their own. Never opens a DuckDB file.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from extractors.dataroot import WAREHOUSE, DataRoot
from extractors.errors import UserError

POINTER = "latest.json"
LINK = "ogi.duckdb"


def workplace(root: DataRoot) -> Path:
    """The local folder where DuckDB files are made and opened; below OGI_CACHE for a remote root."""
    if root.is_local:
        return root.local(WAREHOUSE)
    cache = os.environ.get("OGI_CACHE") or str(Path(tempfile.gettempdir()) / f"ogi-warehouse-{os.getuid()}")
    return Path(cache) / hashlib.sha256(root.address.encode()).hexdigest()[:16]


def newest_or_none(root: DataRoot) -> Path | None:
    """The newest published file, brought to the local folder when the root is remote; None when there is none."""
    if not root.exists(WAREHOUSE, POINTER):
        return None
    name = str(json.loads(root.read_bytes(f"{WAREHOUSE}/{POINTER}"))["file"])
    path = workplace(root) / name
    if not path.exists() and not root.is_local:
        path.parent.mkdir(parents=True, exist_ok=True)
        arriving = path.with_name(f".{name}.{os.getpid()}")
        root.fs.get_file(root.path(WAREHOUSE, name), str(arriving))
        arriving.replace(path)
    if not path.exists():
        raise UserError(
            f"{path}: {POINTER} names this file but it is gone; restore it, or remove {POINTER} and build again"
        )
    return path


def newest(root: DataRoot) -> Path:
    """The newest published file; UserError when nothing has been published."""
    path = newest_or_none(root)
    if path is None:
        raise UserError(
            f"{root.address}: nothing has been published here; run `ogi ingest` or `ogi nightly` first, "
            "or name another data root with --data"
        )
    return path
