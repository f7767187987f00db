"""Saved files → the data root → a published file: archive, read, tidy, build, publish. Never fetches anything."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from extractors import reading
from extractors.archive import Archive, CrawlLog, known_snapshots, new_run_id
from extractors.carrier import carrier_of
from extractors.dataroot import DataRoot
from extractors.errors import UserError
from extractors.read import MOST_BYTES
from flows.pipeline import Progress, prepare, read_snapshots, settling
from transforms.tidy import LOCAL_PORTAL, TidyResult, tidy
from warehouse.build import build
from warehouse.freshness import is_up_to_date
from warehouse.publish import newest, publish

_PAGES = (".html", ".htm", ".txt", ".md", ".pdf", ".docx", ".doc", ".wps", ".rtf", ".xlsx", ".xls", ".et")
SUFFIXES = frozenset((*_PAGES, *reading.PICTURE_NAMES))
"""Files of a folder that are taken; a file named outright is taken whatever its name."""
GOOD_STATUSES = frozenset({"read"})


@dataclass(frozen=True)
class IngestResult:
    """What an ingest came to.

    taken: files whose bytes are kept, `new` of them now for the first time. numbers: read in this run.
    refused: (file, reason) of each file that gave no numbers.
    """

    taken: int
    new: int
    numbers: int
    refused: list[tuple[str, str]]
    tidy: TidyResult
    published: Path | None


def ingest(paths: Sequence[str], root: DataRoot, progress: Progress = lambda done, of: None) -> IngestResult:
    """Takes files and folders. `UserError` when no path exists at all; every other fault is named in `refused`."""
    files, refused = _files(paths)
    if not files and not refused:
        raise UserError(f"{', '.join(paths)}: no report file in it; expected {', '.join(sorted(SUFFIXES))}")
    prepare(root)
    taken, unfit = _archive(files, root)
    refused += unfit
    with settling(root, "ingest"):
        unread = reading.unread_snapshots(root)
        totals = read_snapshots(root, unread, progress)
        refused += _without_numbers(root, taken)
        written = tidy(root)
        published = _publish(root, written)
    return IngestResult(
        taken=len(taken),
        new=len({snapshot.source_url for snapshot in unread} & set(taken)),
        numbers=totals.numbers,
        refused=sorted(set(refused)),
        tidy=written,
        published=published,
    )


def _files(paths: Sequence[str]) -> tuple[list[Path], list[tuple[str, str]]]:
    """(files to take, (path, reason) of what cannot be looked at)."""
    files: list[Path] = []
    refused: list[tuple[str, str]] = []
    for name in paths:
        path = Path(name)
        if not path.exists():
            refused.append((name, "there is no such file or folder"))
        elif path.is_dir():
            files += _below(path, refused)
        else:
            files.append(path)
    return list(dict.fromkeys(files)), refused


def _below(folder: Path, refused: list[tuple[str, str]]) -> Iterator[Path]:
    def blame(error: OSError) -> None:
        refused.append((str(error.filename), f"the folder cannot be opened ({error.strerror})"))

    for place, folders, names in os.walk(folder, onerror=blame):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names) if Path(name).suffix.lower() in SUFFIXES)


def _archive(files: Sequence[Path], root: DataRoot) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Keeps each file's bytes unless they are kept already; ({url: sha256} of all taken, refused)."""
    refused: list[tuple[str, str]] = []
    taken: dict[str, str] = {}
    run_id = new_run_id()
    with CrawlLog(root, run_id) as crawl_log, Archive(root, LOCAL_PORTAL, run_id) as archive:
        stored = known_snapshots(root)
        known = set(zip(stored["source_url"].to_pylist(), stored["sha256"].to_pylist(), strict=True))
        for file in files:
            data, reason = _bytes_of(file)
            if reason:
                refused.append((str(file), reason))
                continue
            url = file.resolve().as_uri()
            sha256 = hashlib.sha256(data).hexdigest()
            taken[url] = sha256
            if (url, sha256) in known:
                continue
            when = reading.now()
            kept = archive.store_file(url, data, when)
            crawl_log.append(
                {
                    "source_url": url,
                    "portal_id": LOCAL_PORTAL,
                    "kind": "file",
                    "fetched_at": when,
                    "outcome": "stored",
                    "sha256": kept.sha256,
                    "bytes": len(data),
                    "warc_path": kept.warc_path,
                    "warc_offset": kept.warc_offset,
                }
            )
    return taken, refused


def _bytes_of(file: Path) -> tuple[bytes, str]:
    """(bytes, "") or (b"", why they are not taken)."""
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            return b"", f"{size:,} bytes; files of more than {MOST_BYTES:,} are not read"
        if not file.is_file():
            return b"", "it is no regular file"
        data = file.read_bytes()
    except PermissionError:
        return b"", "no permission to read it"
    except OSError as error:
        return b"", f"it cannot be read ({error.strerror})"
    carrier = carrier_of(data, file.name)
    if carrier == "empty":
        return b"", "the file is empty"
    if carrier == "unknown":
        return b"", "the bytes are no page, text, PDF, Office file or picture"
    return data, ""


def _without_numbers(root: DataRoot, taken: dict[str, str]) -> list[tuple[str, str]]:
    """(file, reason) of every file of this ingest whose newest reading is not a report with numbers."""
    documents = reading.read_documents(root)
    documents = documents.filter(pc.is_in(documents["source_url"], pa.array(list(taken), pa.string())))
    newest_rows = {
        (row["source_url"], row["snapshot_sha256"]): row
        for row in documents.sort_by("read_at").to_pylist()
        if taken[row["source_url"]] == row["snapshot_sha256"]
    }
    return [
        (unquote(urlsplit(url).path), f"{row['status_reason']}")
        for (url, _), row in sorted(newest_rows.items())
        if row["status"] not in GOOD_STATUSES
    ]


def _publish(root: DataRoot, written: TidyResult) -> Path | None:
    """Builds and publishes, unless the published file says the same already; None when there is no report yet."""
    if not written.reports:
        return None
    if is_up_to_date(root):
        return newest(root)
    return publish(root, build(root)).path
