"""The steps after the bytes, in order and without an orchestrator: read, tidy, build, publish.

Every command and flow calls these. Holds no parsing and no SQL; imports no Prefect.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from extractors import reading
from extractors.dataroot import CELLS, DataRoot
from extractors.errors import UserError
from extractors.records import Snapshot
from flows import locks
from transforms.tidy import TidyResult, tidy
from warehouse.build import build
from warehouse.places import newest_or_none
from warehouse.publish import Published, publish

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with (done, all) while a step works."""

LEAST_FREE_BYTES = 32 << 20
"""Below this a run is refused: a page, its row and a new DuckDB file would not fit."""
SETTLE_WAIT_SECONDS = 6 * 3600.0
"""How long a run waits for another one's reading and publishing before it gives up."""


@dataclass
class ReadTotals:
    """What reading came to: (source_url, status, reason, numbers) a document."""

    outcomes: list[tuple[str, str, str, int]] = field(default_factory=list)

    @property
    def numbers(self) -> int:
        return sum(outcome[3] for outcome in self.outcomes)


def check(root: DataRoot) -> None:
    """Whether a root can be worked on: not of a newer version, with space left. `UserError` otherwise; changes nothing."""
    root.refuse_newer()
    if not root.is_local:
        return
    place = root.local().absolute()
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        raise UserError(f"{root.address}: the data root cannot be written ({place} is not yours to write)")
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        raise UserError(
            f"{root.address}: no space left on the disk: {free / 1e6:.1f} MB free, at least "
            f"{LEAST_FREE_BYTES / 1e6:.0f} MB are needed; free some and run again, nothing was changed"
        )


def prepare(root: DataRoot) -> None:
    """`check`, then the root's version mark."""
    check(root)
    try:
        root.mark_version()
    except OSError as error:
        raise UserError(f"{root.address}: the data root cannot be written ({error})") from None


@contextlib.contextmanager
def settling(
    root: DataRoot,
    work: str,
    on_wait: locks.OnWait = log.info,
    wait_seconds: float = SETTLE_WAIT_SECONDS,
) -> Iterator[None]:
    """Held from reading to publishing, so that of two runs one waits for the other."""
    with locks.held(root, locks.SETTLE, work, wait_seconds, on_wait):
        yield


def read_stream(
    root: DataRoot, snapshots: Sequence[Snapshot], processes: int | None = None, folder: str = CELLS
) -> Iterator[reading.ReadSummary]:
    """A summary a batch, as batches are done: in worker processes here, or on the Dask cluster `OGI_DASK` names."""
    if scheduler := os.environ.get("OGI_DASK"):
        from flows.dask_reading import read_on_cluster

        return read_on_cluster(scheduler, root, snapshots, folder)
    return reading.read_all(root, snapshots, processes or os.cpu_count() or 1, folder=folder)


def read_snapshots(
    root: DataRoot,
    snapshots: Sequence[Snapshot],
    progress: Progress = lambda done, of: None,
    processes: int | None = None,
    folder: str = CELLS,
) -> ReadTotals:
    """Reads snapshots within limits a document; each batch's files are written by its worker."""
    totals = ReadTotals()
    for summary in read_stream(root, snapshots, processes, folder):
        totals.outcomes += summary.outcomes
        progress(len(totals.outcomes), len(snapshots))
    return totals


def tidy_up(root: DataRoot) -> TidyResult:
    """The tidy Parquet files, brought up to the readings."""
    return tidy(root)


def build_and_publish(root: DataRoot, accept_loss: str = "") -> Published | None:
    """A new DuckDB file from the tidy files, checked and published; None when there is no report at all.

    Always builds, also without new reports: what was looked for and not found is news too, and a run that was stopped
    between tidying and publishing is completed by the next one.
    accept_loss: why reports or cells of the last file may be gone.
    """
    if not root.exists("tidy", "reports", "reports.parquet"):
        return None
    return publish(root, build(root, accept_loss=accept_loss))


def settle(root: DataRoot, work: str, accept_loss: str = "") -> tuple[TidyResult, Published | None]:
    """Tidy, build, publish; `accept_loss` as in `build_and_publish`."""
    with settling(root, work):
        written = tidy_up(root)
        return written, build_and_publish(root, accept_loss) if written.reports else None


def published_file(root: DataRoot) -> str:
    """Path of the newest published file; "" when nothing is published."""
    path = newest_or_none(root)
    return str(path) if path else ""
