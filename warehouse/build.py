"""Builds a new DuckDB file from the tidy Parquet: tables, comments, views. One run gives one complete dated file.

The file grows under a hidden name and gets its own only when it is whole, so a kill leaves nothing a reader could
open. When few reports changed, it grows from a copy of the last published file. Never changes an existing file,
never moves the pointer (`warehouse.publish` does), never reads a page.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from extractors import schema
from extractors.dataroot import DataRoot
from extractors.errors import UserError
from transforms import cross_checks
from warehouse import derive, load, nightly, reference
from warehouse import schema_sql as sql
from warehouse.corrections import apply_corrections
from warehouse.diff import make_changes
from warehouse.lineage import load_lineage
from warehouse.places import newest_or_none, workplace

log = logging.getLogger(__name__)

STORAGE_VERSION = "v1.2.0"
"""Oldest DuckDB that can read the files. A newer format would lock out analysts who have not upgraded."""
MEMORY_LIMIT = "3GB"
DISK_OR_MEMORY = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
    duckdb.FatalException,
)
"""What DuckDB raises when the disk is full, on whichever statement meets it, or the memory limit is reached."""
MOST_GENERATIONS = 30
"""Builds on a copy in a row; then a whole one, which also gives back the space of rows replaced meanwhile."""


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
        yield connection


def rules(folder: Path = reference.REFERENCE) -> str:
    """Fingerprint of everything but the tidy rows that a build depends on: code, schema, views, reviewed files.

    A build on a copy of the last file is allowed only when nothing of this changed since.
    """
    here = Path(__file__).parent
    files = [*here.glob("*.py"), *here.glob("*.sql"), *here.glob("views/*.sql"), schema.SCHEMA_FILE]
    files += [*Path(cross_checks.__file__).parent.glob("*.py"), *folder.glob("*.csv")]
    known = hashlib.sha256(duckdb.__version__.encode())
    for file in sorted(files):
        known.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return known.hexdigest()[:16]


def build(
    root: DataRoot, *, whole: bool = False, folder: Path = reference.REFERENCE, accept_loss: str = ""
) -> Path:
    """Tidy Parquet below `data/tidy` to a new complete file `data/warehouse/ogi-<UTC time>.duckdb`; its path.

    whole: build from the Parquet files alone even where a copy of the last file would do.
    folder: the reviewed reference files. accept_loss: why reports or cells of the last file may be gone; it becomes
    the explanation of those that have no other. UserError, in a sentence that names file and row, when an input is broken
    or the disk is full; nothing is left then and the last good file stays.
    """
    place = workplace(root)
    place.mkdir(parents=True, exist_ok=True)
    _sweep(place)
    growing = place / f".building-{os.getpid()}-{uuid.uuid4().hex[:8]}.duckdb"
    try:
        previous = newest_or_none(root)
        if whole or previous is None or not _grow_from(root, previous, growing, folder, accept_loss):
            _grow_whole(root, previous, growing, folder, accept_loss)
        return _finish(growing, place)
    except (*DISK_OR_MEMORY, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{place}: the new file could not be written ({reason}); the last good file stays"
        ) from error
    finally:
        for rest in place.glob(f"{growing.name}*"):
            _remove(rest)


def _prepare(connection: duckdb.DuckDBPyConnection, root: DataRoot) -> None:
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET enable_progress_bar = false")
    load.connect_files(connection, root)


def _grow_whole(root: DataRoot, previous: Path | None, growing: Path, folder: Path, accept_loss: str) -> None:
    """Fills a new file from the Parquet files."""
    for rest in growing.parent.glob(f"{growing.name}*"):
        _remove(rest)
    with new_file(growing) as connection:
        _prepare(connection, root)
        for statement in sql.create_enums():
            connection.execute(statement)
        files = {table: load.sources(root, table) for table in sql.tidy_tables()}
        for table, of_table in files.items():
            load.load_table(connection, table, of_table)
            log.info("loaded table=%s files=%s rows=%s", table, len(of_table), sum(f.rows for f in of_table))
        # The order of the Parquet files makes the cells of a report neighbours; what follows has none to keep.
        connection.execute("SET preserve_insertion_order = false")
        load.write_sources(connection, [source for of_table in files.values() for source in of_table])
        derive.comment_on(connection, "sources")
        _review(connection, folder)
        measures = derive.make_measures(connection, folder)
        rates = reference.load_rates(connection, folder, measures)
        derive.make_wide(connection, measures)
        cross_checks.check_across(connection)
        derive.apply_verdicts(connection, folder)
        derive.make_portal_activity(connection, root)
        derive.make_portal_looks(connection, root)
        derive.make_digests(connection)
        for table in ("rate_definitions", "agency_lineage", "agency_members", "deadlines", "corrections"):
            derive.comment_on(connection, table)
        make_changes(connection, previous, accept_loss)
        _sign(connection, previous, folder, generation=0)
        derive.make_coverage(connection)
        derive.make_views(connection, measures, rates)
        derive.make_dictionary(connection)
        connection.execute("CHECKPOINT")


def _review(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """What people decided: corrections, lineage, deadlines."""
    nightly.recheck_corrected(connection, apply_corrections(connection, folder))
    load_lineage(connection)
    reference.load_deadlines(connection, folder)


def _grow_from(root: DataRoot, previous: Path, growing: Path, folder: Path, accept_loss: str) -> bool:
    """Grows the new file from a copy of the last one; False when that would not be sound or not be faster."""
    with duckdb.connect(str(previous), read_only=True) as last:
        load.connect_files(last, root)
        plan = nightly.plan(last, root, rules(folder), MOST_GENERATIONS)
    if plan is None:
        return False
    log.info("building on a copy previous=%s partitions=%s", previous.name, len(plan.partitions))
    shutil.copyfile(previous, growing)
    with duckdb.connect(str(growing)) as connection:
        _prepare(connection, root)
        if not nightly.replace_changed(connection, plan, folder):
            return False
        _review(connection, folder)
        measures = derive.make_measures(connection, folder)
        derive.remake_wide(connection, measures)
        derive.remake_cross_findings(connection)
        derive.apply_verdicts(connection, folder)
        derive.make_portal_activity(connection, root)
        derive.make_portal_looks(connection, root)
        derive.remake_digests(connection)
        load.write_sources(connection, plan.files)
        for table in ("agency_lineage", "agency_members", "deadlines", "corrections", "sources"):
            derive.comment_on(connection, table)
        make_changes(connection, previous, accept_loss)
        _sign(connection, previous, folder, generation=plan.generation + 1)
        derive.make_coverage(connection)
        connection.execute("CHECKPOINT")
    return True


def _sign(
    connection: duckdb.DuckDBPyConnection, previous: Path | None, folder: Path, generation: int
) -> None:
    """Table `build_info`."""
    connection.execute(sql.create_table("build_info"))
    derive.comment_on(connection, "build_info")
    facts = {
        "built_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        "previous_file": previous.name if previous else None,
        "rules": rules(folder),
        "duckdb_version": duckdb.__version__,
        "generation": str(generation),
        "way": "copy of the last file" if generation else "whole",
    }
    load.insert_rows(connection, "build_info", list(facts.items()))


def _finish(growing: Path, place: Path) -> Path:
    """Forces the file to disk and gives it its dated name; two builds in one second get two names."""
    with growing.open("rb") as stream:
        os.fsync(stream.fileno())
    while True:
        target = place / f"ogi-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.duckdb"
        with contextlib.suppress(FileExistsError):
            os.link(growing, target)
            return target


def _sweep(place: Path) -> None:
    """Removes what builds that were killed left behind; a build still running keeps its file."""
    for rest in place.glob(".building-*"):
        owner = rest.name.split("-")[1]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            _remove(rest)


def _remove(rest: Path) -> None:
    if rest.is_dir():
        shutil.rmtree(rest, ignore_errors=True)
    else:
        rest.unlink(missing_ok=True)
