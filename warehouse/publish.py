"""Publishes a built file: checks it, then moves the pointers to it in one step each, and keeps the last few files.

Readers follow `latest.json` or the link `ogi.duckdb`; both always name a complete file. Never writes into a
published file, never removes the one the pointers name.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

import duckdb

from extractors.dataroot import WAREHOUSE, DataRoot
from extractors.errors import UserError
from warehouse import dictionary
from warehouse.assertions import broken_promises
from warehouse.diff import accepted_losses, changes_text, unexplained_losses
from warehouse.places import LINK, POINTER, newest, newest_or_none, workplace
from warehouse.query import open_file

__all__ = ["KEEP", "Published", "newest", "publish"]

KEEP = 5
WAY_OUT = (
    ". Find out why reports are gone; when that is right, "
    '`ogi publish --accept-loss "the reason"` publishes without them'
)


@dataclass(frozen=True, slots=True)
class Published:
    """The file readers get from now on, its rows by table, and how many reports differ from the file before.

    accepted: (explanation, reports, cells) of losses that a person accepted.
    """

    path: Path
    rows: dict[str, int]
    changes: dict[str, int]
    accepted: list[tuple[str, int, int]]


def publish(root: DataRoot, built: Path, keep: int = KEEP) -> Published:
    """Checks `built` and makes it the newest file.

    UserError, and the last good file stays, when an assertion fails; the refused file is kept as `refused.duckdb`.
    """
    with open_file(built) as connection:
        _refuse_outdated(connection, root, built)
        if broken := broken_promises(connection):
            hint = WAY_OUT if unexplained_losses(connection) else ""
            connection.close()
            refused = built.replace(built.with_name("refused.duckdb"))
            raise UserError(
                f"{refused.name} is not published and the last good file stays: " + "; ".join(broken) + hint
            )
        rows = _rows(connection)
        changes = dict(
            connection.execute(
                "SELECT change, count(*) FROM changes GROUP BY change ORDER BY change"
            ).fetchall()
        )
        accepted = accepted_losses(connection)
        report = changes_text(connection, built.name)
        meanings = dictionary.markdown(connection)
    _move_pointers(root, built, rows, changes)
    root.write_bytes(f"{WAREHOUSE}/CHANGES.md", report.encode())
    root.write_bytes(f"{WAREHOUSE}/DICTIONARY.md", meanings.encode())
    dictionary.write_tidy_package(root)
    _drop_old(root, built, keep)
    return Published(built, rows, changes, accepted)


def _refuse_outdated(connection: duckdb.DuckDBPyConnection, root: DataRoot, built: Path) -> None:
    """UserError when another file was published since this one was built: its changes would be lost from the record."""
    compared = connection.execute("SELECT value FROM build_info WHERE name = 'previous_file'").fetchall()
    last = newest_or_none(root)
    if last is not None and last != built and compared != [(last.name,)]:
        raise UserError(
            f"{built.name} was compared with {compared[0][0] or 'nothing'}, but {last.name} is published now; build again"
        )


def _move_pointers(root: DataRoot, built: Path, rows: dict[str, int], changes: dict[str, int]) -> None:
    if not root.is_local:
        root.fs.put_file(str(built), root.path(WAREHOUSE, built.name))
    facts = {"file": built.name, "bytes": built.stat().st_size, "rows": rows, "changes": changes}
    root.write_bytes(f"{WAREHOUSE}/{POINTER}", json.dumps(facts, indent=2).encode())
    _move_link(workplace(root), built.name)


def _move_link(folder: Path, name: str) -> None:
    """Points `ogi.duckdb` at a file by renaming a new link over the old one: no moment without a link."""
    temporary = folder / f".{LINK}.{uuid.uuid4().hex[:8]}"
    try:
        temporary.symlink_to(name)
        temporary.replace(folder / LINK)
    finally:
        temporary.unlink(missing_ok=True)


def _drop_old(root: DataRoot, built: Path, keep: int) -> None:
    """Removes all but the newest `keep` files. A reader with an old file open keeps it until it closes it."""
    folder = workplace(root)
    names = {path.name for path in folder.glob("ogi-*.duckdb")}
    if not root.is_local:
        names |= {Path(name).name for name in root.files(WAREHOUSE, ".duckdb")}
    for name in sorted(names - {built.name})[: max(len(names) - keep, 0)]:
        (folder / name).unlink(missing_ok=True)
        if not root.is_local and root.exists(WAREHOUSE, name):
            root.fs.rm_file(root.path(WAREHOUSE, name))


def _rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = [
        t for (t,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    ]
    return {
        table: int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchall()[0][0]) for table in tables
    }
