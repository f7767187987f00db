"""Reads a group of snapshots where it is called, such as on a worker of a cluster: one bounded process, files written here.

Only places go in and only counts come out. Knows nothing of who called it.
"""

from __future__ import annotations

from collections.abc import Sequence

from extractors.dataroot import CELLS, DataRoot
from extractors.reading import ReadSummary, read_all
from extractors.records import Snapshot


def read_group(address: str, snapshots: Sequence[Snapshot], folder: str = CELLS) -> list[ReadSummary]:
    """Reads snapshots of the root at `address` within the same limits a document as anywhere; the batches' summaries."""
    return list(read_all(DataRoot(address), snapshots, processes=1, folder=folder))
