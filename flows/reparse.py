"""The reparse flow: all stored snapshots through today's readers, a diff of cells, and only then the new readings count.

Without `apply` nothing that anybody reads changes; the readings wait and the next run goes on from them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.states import Completed, State

from extractors import reparse as readings
from extractors.dataroot import DataRoot
from extractors.reading import extractor_version
from flows import locks, pipeline
from flows.orchestration import MOST_ROWS, Summary, guarded, note_reading, plain, read_all, settle, show
from transforms.cell_diff import CellDiff, diff_of_cells

DIFFS = "reparse"
"""Below the root: the whole diff of each version of the readers, as Parquet."""


@task(name="diff", task_run_name="diff of cells", cache_policy=NO_CACHE, persist_result=False)
def diff_task(root: DataRoot) -> CellDiff:
    """What the staged readings change."""
    return diff_of_cells(root, readings.staging_folder())


@task(name="accept", task_run_name="accept", cache_policy=NO_CACHE, persist_result=False)
def accept_task(root: DataRoot) -> int:
    """Moves the staged readings among those in force."""
    return readings.accept(root)


@flow(name="reparse", flow_run_name="reparse", persist_result=False)
def reparse(data: str | None = None, since: str = "", apply: bool = False) -> State[Any]:
    """Reads again what today's readers have not read, compares, and with `apply` accepts and publishes.

    since: only snapshots read by this version of the readers or a later one.
    """
    return guarded(lambda: _reparse(DataRoot.choose(data), since, apply))


def _reparse(root: DataRoot, since: str, apply: bool) -> State[Summary]:
    pipeline.prepare(root)
    logger = get_run_logger()
    told = Summary("reparse")
    with locks.held(root, "flow-reparse", "reparse"), pipeline.settling(root, "reparse", logger.info):
        due = readings.snapshots_to_reparse(root, since)
        logger.info("%s snapshots to read with version %s", f"{len(due):,}", extractor_version())
        note_reading(told, read_all(root, due, readings.staging_folder()))
        diff = diff_task(root)
        keep_diff(root, diff)
        told.expectations = diff_sentences(diff, root)
        _show_diff(diff, told)
        if apply:
            # Also with nothing to accept: a run stopped behind accepting has not published yet.
            moved = accept_task(root) if diff.snapshots else 0
            logger.info("%s batches accepted", moved)
            settle(root, told)
            show(root, told)
        else:
            told.file = pipeline.published_file(root)
    return Completed(message=told.expectations[0], data=told)


def keep_diff(root: DataRoot, diff: CellDiff) -> None:
    """Keeps the whole diff as Parquet files named after the version of the readers."""
    for name, frame in (("reports", diff.reports), ("cells", diff.cells)):
        if diff.snapshots:
            table = pa.Table.from_pandas(frame, preserve_index=False)
            root.write_table(f"{DIFFS}/{extractor_version()}-{name}.parquet", table)


def diff_sentences(diff: CellDiff, root: DataRoot) -> list[str]:
    """The diff in sum, and what of it a person should look at first."""
    if not diff.snapshots:
        return ["no snapshot waits to be accepted: every one was read by today's readers"]
    if diff.is_empty:
        return [f"{diff.snapshots:,} snapshots read anew: no difference"]
    reports = diff.reports
    lost = reports[(reports["status_before"] == "read") & (reports["status"] != "read")]
    who = reports[
        (reports["agency_name_before"].notna() & (reports["agency_name_before"] != reports["agency_name"]))
        | (reports["year_before"].notna() & (reports["year_before"] != reports["year"]))
    ]
    return [
        f"{diff.snapshots:,} snapshots read anew, {len(reports):,} differ: {diff.added:,} cells added, "
        f"{diff.changed:,} changed, {diff.moved:,} only moved, {diff.gone:,} gone",
        f"no longer readable: {len(lost):,}; another agency or year: {len(who):,}",
        f"the whole diff: {root.path(DIFFS, extractor_version())}-cells.parquet",
    ]


def _show_diff(diff: CellDiff, told: Summary) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    lines = [f"- {plain(sentence)}" for sentence in told.expectations]
    create_markdown_artifact("\n".join([f"## reparse, {now} UTC", "", *lines, ""]), key="cell-diff")
    reports = diff.reports.head(MOST_ROWS).astype(object)
    rows = [
        {str(name): plain(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in reports.where(reports.notna(), None).to_dict("records")
    ]
    if rows:
        create_table_artifact(rows, key="cell-diff-reports")
