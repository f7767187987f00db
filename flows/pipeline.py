"""The steps after the bytes, in order and without an orchestrator: read, tidy, build, publish.

Every command and flow calls these. Holds no parsing and no SQL; imports no Prefect.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from extractors import reading
from extractors.dataroot import DataRoot
from extractors.records import Snapshot

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with (done, all) while a step works."""


@dataclass
class ReadTotals:
    """What reading came to: (source_url, status, reason, numbers) a document."""

    outcomes: list[tuple[str, str, str, int]] = field(default_factory=list)

    @property
    def numbers(self) -> int:
        return sum(outcome[3] for outcome in self.outcomes)


def read_snapshots(
    root: DataRoot,
    snapshots: Sequence[Snapshot],
    progress: Progress = lambda done, of: None,
    processes: int | None = None,
) -> ReadTotals:
    """Reads snapshots in worker processes, within limits a document; each batch's files are written by its worker."""
    totals = ReadTotals()
    for summary in reading.read_all(root, snapshots, processes or os.cpu_count() or 1):
        totals.outcomes += summary.outcomes
        progress(len(totals.outcomes), len(snapshots))
    return totals
