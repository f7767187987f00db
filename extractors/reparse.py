"""Reads stored snapshots again with today's readers, apart from the readings in force, and moves them in when accepted.

The new readings wait below `data/cells-staging/<version>`; until `accept` nothing under `data/cells` changes. A run that
was stopped is taken up where it ended, since what is staged already is not read again. Compares nothing: that is
`transforms.cell_diff`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from extractors import reading
from extractors.dataroot import CELLS, DataRoot
from extractors.errors import UserError
from extractors.records import Snapshot

STAGING = "cells-staging"


def staging_folder(version: str = "") -> str:
    """Where readings of a version of the readers (today's without one) wait, below the root."""
    return f"{STAGING}/{version or reading.extractor_version()}"


def snapshots_to_reparse(root: DataRoot, since: str = "") -> list[Snapshot]:
    """Stored snapshots that today's readers have neither read nor staged.

    since: only those whose reading in force was made by this version of the readers or a later one. UserError for a
    version that never read anything here.
    """
    staged = reading.read_documents(root, staging_folder())
    done = _keys(staged)
    due = [s for s in reading.unread_snapshots(root, every=True) if (s.source_url, s.sha256) not in done]
    if not since:
        return due
    wanted = _read_since(reading.read_documents(root), since)
    return [s for s in due if (s.source_url, s.sha256) in wanted]


def _keys(documents: pa.Table) -> set[tuple[str, str]]:
    columns = (documents["source_url"].to_pylist(), documents["snapshot_sha256"].to_pylist())
    return set(zip(*columns, strict=True))


def _read_since(documents: pa.Table, since: str) -> set[tuple[str, str]]:
    """(source_url, sha256) of snapshots whose newest reading is by `since` or by a version first used after it."""
    first_used = documents.group_by("extractor_version").aggregate([("read_at", "min")])
    began = dict(
        zip(first_used["extractor_version"].to_pylist(), first_used["read_at_min"].to_pylist(), strict=True)
    )
    if since not in began:
        known = ", ".join(sorted(began, key=lambda version: began[version])) or "none yet"
        raise UserError(
            f"--since {since}: no snapshot was read by that version; known, oldest first: {known}"
        )
    later = [version for version, when in began.items() if when >= began[since]]
    ordered = documents.sort_by("read_at")
    newest = dict(
        zip(
            zip(ordered["source_url"].to_pylist(), ordered["snapshot_sha256"].to_pylist(), strict=True),
            ordered["extractor_version"].to_pylist(),
            strict=True,
        )
    )
    return {key for key, version in newest.items() if version in later}


def stage(
    root: DataRoot, snapshots: Sequence[Snapshot], processes: int | None = None
) -> Iterator[reading.ReadSummary]:
    """Reads snapshots into the staging folder; a summary a batch, as `reading.read_all`."""
    yield from reading.read_all(root, snapshots, processes, folder=staging_folder())


def staged_count(root: DataRoot) -> int:
    """Snapshots that wait in today's staging folder."""
    documents = reading.read_documents(root, staging_folder())
    return len(_keys(documents))


def accept(root: DataRoot) -> int:
    """Moves today's staged readings among those in force; the number of batches moved.

    A batch's row of `documents` goes last, so a run stopped in between leaves only whole readings, and the next
    `accept` moves the rest.
    """
    staging = staging_folder()
    batches = sorted(name.rsplit("/", 1)[-1] for name in root.files(f"{staging}/documents", ".parquet"))
    for batch in batches:
        for table in reversed(reading.TABLES):
            _move(root, f"{staging}/{table}/{batch}", f"{CELLS}/{table}/{batch}")
    discard(root)
    return len(batches)


def _move(root: DataRoot, old: str, new: str) -> None:
    if not root.exists(old):
        return  # moved by a run that was stopped before it came to the batch's documents
    if root.is_local:
        target = root.local(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        root.local(old).replace(target)
    else:
        root.fs.mv(root.path(old), root.path(new))


def discard(root: DataRoot, version: str = "") -> None:
    """Removes the staging folder of a version (today's without one)."""
    folder = root.path(staging_folder(version))
    if root.fs.exists(folder):
        root.fs.rm(folder, recursive=True)
