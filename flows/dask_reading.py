"""Reading on a Dask cluster: groups of snapshots travel as places, workers read and write, counts come back.

Chosen by `OGI_DASK`, the scheduler's address. Workers need this project installed and the data root within reach; they
import neither Prefect nor the command line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice

from extractors.dataroot import CELLS, DataRoot
from extractors.errors import UserError
from extractors.reading import ReadSummary, batches
from extractors.reading_group import read_group
from extractors.records import Snapshot

BATCHES_A_GROUP = 5
"""A group starts one bounded process on its worker, so it must be worth that start."""
CONNECT_SECONDS = 15


def read_on_cluster(
    scheduler: str, root: DataRoot, snapshots: Sequence[Snapshot], folder: str = CELLS
) -> Iterator[ReadSummary]:
    """A summary a batch, in the order the workers finish. `UserError` when the cluster cannot be reached."""
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise UserError(
            "OGI_DASK is set, but Dask is not installed: pip install 'ogi-warehouse[dask]'"
        ) from None
    if root.is_local:
        root = DataRoot(os.path.abspath(root.path()))  # noqa: PTH100
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(f"OGI_DASK={scheduler}: no Dask scheduler answers there ({error})") from None
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise UserError(
                f"OGI_DASK={scheduler}: the scheduler has no worker; start one with `dask worker`"
            )
        waiting = [
            client.submit(read_group, root.address, group, folder, pure=False) for group in _groups(snapshots)
        ]
        for done in as_completed(waiting):
            yield from done.result()
            done.release()


def _groups(snapshots: Sequence[Snapshot]) -> Iterator[list[Snapshot]]:
    source = batches(snapshots)
    while group := [snapshot for batch in islice(source, BATCHES_A_GROUP) for snapshot in batch]:
        yield group
