"""Snapshot → rows of `documents`, `cells`, `leftovers`, `chapters`, and their files below `data/cells`.

Each step callable alone: `read_snapshot` for one, `read_new` for all that are not read yet. What cannot be read gets a
row too, with the reason; no snapshot is skipped in silence. Decides nothing about values, versions or agencies.
"""

from __future__ import annotations

import gc
import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors import forms
from extractors.archive import known_snapshots, read_payloads
from extractors.carrier import carrier_of
from extractors.chapters import limits_note
from extractors.dataroot import CELLS, DataRoot
from extractors.errors import Refused, UserError
from extractors.labels import fold
from extractors.match import match
from extractors.naming import identify
from extractors.narrative import read_narrative
from extractors.pool import run_bounded
from extractors.read import read_document
from extractors.records import Cell, Chapter, Document, Leftover, Snapshot
from extractors.schema import arrow_schema

log = logging.getLogger(__name__)

TABLES = ("documents", "cells", "leftovers", "chapters")
READ_KINDS = ("report", "attachment", "file")
WORK = "extractors.reading:read_batch"
BATCH_WEIGHT = 200
SLOW_WEIGHT = 25
PICTURE_NAMES = (".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp")
OCR_MEGABYTES = 1500
"""Limit of a picture where the extra `ocr` is installed: recognising a page of 2,000 x 2,000 points takes 600 to 850."""
SLOW_NAMES = (".pdf", ".doc", ".wps", ".rtf", ".docx", ".xls", ".xlsx")
LAST_FREE_FORM_YEAR = 2013
"""Reports for later years have a national form; prose alone is then a report without its tables."""


@cache
def extractor_version() -> str:
    """Names what decides the cells: a hash over the readers' code and the forms' words."""
    here = Path(__file__).parent
    files = sorted([*here.glob("*.py"), *(here / "forms").glob("*.yml")])
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + file.read_bytes())
    return f"1.{digest.hexdigest()[:10]}"


@dataclass
class Reading:
    """Everything one reading of one snapshot gives; `document` is its row of `documents`."""

    document: dict[str, Any]
    cells: list[Cell] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    chapters: list[Chapter] = field(default_factory=list)


@dataclass(frozen=True)
class ReadSummary:
    """What came of a batch: one (source_url, status, reason, numbers) a document."""

    outcomes: tuple[tuple[str, str, str, int], ...]


def read_snapshot(snapshot: Snapshot, data: bytes, read_at: datetime) -> Reading:
    """Reads one snapshot's bytes. Never raises for what is in the bytes: the row then says `unread` and why."""
    row = _row(snapshot, read_at)
    try:
        row["carrier"] = carrier_of(data, snapshot.source_url)
        document = read_document(data, snapshot.source_url, snapshot.content_type)
        reading = _read(document, snapshot, row)
    except Refused as refusal:
        return Reading({**row, "status": "unread", "status_reason": str(refusal)})
    except (RecursionError, MemoryError) as error:
        return Reading(
            {
                **row,
                "status": "unread",
                "status_reason": f"too large or too deep to read ({type(error).__name__})",
            }
        )
    except Exception as error:
        # The reader's own fault, on whatever a page may hold: named here, never the end of the run.
        log.exception("reader failed on %s", snapshot.source_url)
        reason = f"the reader failed ({type(error).__name__}: {error})"
        return Reading({**row, "status": "unread", "status_reason": reason[:500]})
    return reading


def _row(snapshot: Snapshot, read_at: datetime) -> dict[str, Any]:
    """What a row of `documents` says before anything is read."""
    return {
        "snapshot_sha256": snapshot.sha256,
        "source_url": snapshot.source_url,
        "portal_id": snapshot.portal_id,
        "fetched_at": snapshot.fetched_at,
        "warc_path": snapshot.warc_path,
        "warc_offset": snapshot.warc_offset,
        "extractor_version": extractor_version(),
        "read_at": read_at,
        "carrier": "unknown",
        "tables": 0,
    }


def _read(document: Document, snapshot: Snapshot, row: dict[str, Any]) -> Reading:
    matched = match(document)
    who = identify(document, snapshot.listing_title, snapshot.listing_date)
    told, chapters = read_narrative(document, who.year, who.agency_name, matched.of_tables)
    numbers = sum(_is_printed_number(cell) for cell in matched.cells)
    status, reason = _status(document, numbers, bool(matched.cells), bool(told), who.year, who.title)
    form = matched.form
    if form is None and status == "read":
        form = "2008"
    row |= {
        "carrier": document.carrier,
        "status": status,
        "status_reason": reason,
        "form": form,
        "title": who.title,
        "agency_name": who.agency_name,
        "agency_source": who.agency_source,
        "year": who.year,
        "year_source": who.year_source,
        "published_on": who.published_on,
        "tables": len(document.grids),
    }
    if status == "not_a_report":
        return Reading(row)
    said = [*document.notes, *filter(None, [limits_note(document)])]
    notes = [Leftover("reader_note", note, "", 0, i, 0) for i, note in enumerate(said, start=1)]
    return Reading(row, [*matched.cells, *told], [*matched.leftovers, *notes], list(chapters))


def _status(
    document: Document, numbers: int, has_rows: bool, has_prose_numbers: bool, year: int | None, title: str
) -> tuple[str, str | None]:
    """(status, reason as a sentence) of a document that could be opened."""
    if document.status == "tables_as_images" and not numbers:
        # A scan that prints no title says as little of what it is as of its numbers.
        return document.status, "; ".join(document.notes) or None
    if not numbers and not has_rows and not _says_it_is_a_report(document, title):
        return "not_a_report", "neither a table of a report nor a title that says it is one"
    if year is None:
        return "no_year", "neither title nor text tells which year it reports about"
    if numbers:
        return "read", None
    if document.status != "read":
        return document.status, "; ".join(document.notes) or None
    if has_prose_numbers and year <= LAST_FREE_FORM_YEAR:
        return "read", None
    if document.images and not has_rows:
        return "tables_as_images", f"its tables are {document.images} picture(s)"
    if document.attachments and not has_rows:
        return "attachment_only", f"the report is in an attached file: {document.attachments[0]}"
    if has_rows:
        return "no_tables", "its tables hold no number"
    return "no_tables", "it holds no statutory table"


def _says_it_is_a_report(document: Document, title: str) -> bool:
    words = forms.load("report")
    heads = [title, document.title, *document.paragraphs[:60]]
    return any(
        any(w in text for w in words["subject"]) and any(w in text for w in words["kinds"])
        for text in (fold(head[:300]) for head in heads)
    )


def _is_printed_number(cell: Cell) -> bool:
    return cell.mark in ("", "ocr") and any(c.isdigit() for c in cell.printed)


def to_tables(readings: Sequence[Reading]) -> dict[str, pa.Table]:
    """The four tables of a batch of readings, by columns, with the schemas of `schema.yml`."""
    made = {
        "documents": pa.Table.from_pylist([r.document for r in readings], schema=arrow_schema("documents"))
    }
    shas = pa.array([reading.document["snapshot_sha256"] for reading in readings], pa.string())
    for name, kind in (("cells", Cell), ("leftovers", Leftover), ("chapters", Chapter)):
        lists = [getattr(reading, name) for reading in readings]
        names = kind._fields
        values = list(chain.from_iterable(chain.from_iterable(lists)))
        length = len(values) // len(names)
        columns: dict[str, Any] = {
            "snapshot_sha256": shas.take(np.repeat(np.arange(len(lists)), list(map(len, lists)))),
            "extractor_version": pa.repeat(extractor_version(), length),
        }
        schema = arrow_schema(name)
        for column in schema:
            if column.name not in columns:
                place = names.index(column.name.removeprefix("cell_"))
                columns[column.name] = pa.array(values[place :: len(names)], column.type)
        made[name] = pa.Table.from_arrays([columns[column] for column in schema.names], schema=schema)
    return made


def unread_snapshots(root: DataRoot, *, every: bool = False) -> list[Snapshot]:
    """Stored snapshots that today's readers have not read: none of any version, or (`every`) none of this one."""
    stored = known_snapshots(root)
    stored = stored.filter(pc.is_in(stored["kind"], pa.array(READ_KINDS)))
    documents = read_documents(root)
    if every:
        documents = documents.filter(pc.equal(documents["extractor_version"], extractor_version()))
    known = set(
        zip(documents["source_url"].to_pylist(), documents["snapshot_sha256"].to_pylist(), strict=True)
    )
    return [snapshot_of(row) for row in stored.to_pylist() if (row["source_url"], row["sha256"]) not in known]


def snapshot_of(row: dict[str, Any]) -> Snapshot:
    """A row of `responses` as the snapshot it stored."""
    listed: date | None = row["listing_date"]
    return Snapshot(
        source_url=row["source_url"],
        portal_id=row["portal_id"],
        fetched_at=row["fetched_at"],
        sha256=row["sha256"],
        warc_path=row["warc_path"],
        warc_offset=row["warc_offset"],
        content_type=row["content_type"] or "",
        listing_title=row["listing_title"] or "",
        listing_date=listed,
    )


def read_documents(root: DataRoot, folder: str = CELLS) -> pa.Table:
    """All rows of `documents`."""
    return root.read_table(f"{folder}/documents", arrow_schema("documents"))


def batches(snapshots: Sequence[Snapshot]) -> Iterator[list[Snapshot]]:
    """Groups for one worker call each, small enough for one document's limits to hold for the group.

    Neighbours in a WARC file stay together; slow carriers (by name) weigh more.
    """
    batch: list[Snapshot] = []
    weight = 0
    for snapshot in sorted(snapshots, key=lambda s: (s.warc_path, s.warc_offset)):
        name = snapshot.source_url.lower().split("?")[0]
        batch.append(snapshot)
        weight += SLOW_WEIGHT if name.endswith(SLOW_NAMES) else 1
        if weight >= BATCH_WEIGHT:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def read_all(
    root: DataRoot,
    snapshots: Sequence[Snapshot],
    processes: int | None = None,
    seconds: float = 30.0,
    megabytes: int = 500,
    folder: str = CELLS,
) -> Iterator[ReadSummary]:
    """Reads snapshots in worker processes; each batch's files are written by its worker before its summary comes.

    folder: where below the root the files go; another one than `cells` keeps a reading apart until it is accepted.
    seconds, megabytes: limits of a document. A batch that passes them is read again one document at a time, and
    the document at fault gets a row `unread` with the reason. Where the extra `ocr` is installed pictures are read
    apart from the others, since recognising one page takes more memory than any other reading.
    """
    is_apart = _is_picture if find_spec("rapidocr_onnxruntime") else lambda snapshot: False
    pictures = [snapshot for snapshot in snapshots if is_apart(snapshot)]
    others = [snapshot for snapshot in snapshots if not is_apart(snapshot)]
    yield from _read_within(root, others, processes, seconds, megabytes, folder)
    yield from _read_within(root, pictures, processes, seconds, max(megabytes, OCR_MEGABYTES), folder)


def _is_picture(snapshot: Snapshot) -> bool:
    name = snapshot.source_url.lower().split("?")[0]
    return name.endswith(PICTURE_NAMES) or snapshot.content_type.startswith("image/")


def _read_within(
    root: DataRoot,
    snapshots: Sequence[Snapshot],
    processes: int | None,
    seconds: float,
    megabytes: int,
    folder: str,
) -> Iterator[ReadSummary]:
    when = now()
    again: list[tuple[str, list[Snapshot], datetime, str]] = []
    items = ((root.address, batch, when, folder) for batch in batches(snapshots))
    for outcome in run_bounded(items, WORK, processes, seconds, megabytes):
        _expect_storage(root, outcome.refused)
        if outcome.refused:
            again += [(root.address, [snapshot], when, folder) for snapshot in outcome.item[1]]
        else:
            yield outcome.result
    for outcome in run_bounded(again, WORK, processes, seconds, megabytes):
        _expect_storage(root, outcome.refused)
        if outcome.refused:
            yield _unread(root, outcome.item[1], when, outcome.refused, folder)
        else:
            yield outcome.result


class StorageFailed(Exception):
    """The data root could not be read or written; says nothing about the documents, which stay unread."""


def _expect_storage(root: DataRoot, refused: str) -> None:
    """`UserError` when a worker could not read or write the root: recorded as unread, a document would be lost."""
    if StorageFailed.__name__ in refused:
        reason = refused.split(f"{StorageFailed.__name__}: ", 1)[-1]
        raise UserError(f"{root.address}: readings cannot be kept ({reason}); what was read before stays")


def _unread(
    root: DataRoot, snapshots: Sequence[Snapshot], when: datetime, reason: str, folder: str
) -> ReadSummary:
    """Rows for documents whose reading had to be ended from outside."""
    readings = [
        Reading({**_row(snapshot, when), "carrier": "unknown", "status": "unread", "status_reason": reason})
        for snapshot in snapshots
    ]
    return store_readings(root, readings, batch_name(when, snapshots), folder)


def settle_collector() -> None:
    """Makes the garbage collector rare in a process that reads: what a document leaves is freed by its references.

    What is loaded is never looked through again, and a batch's cells are no garbage while it lasts.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def read_batch(item: tuple[str, Sequence[Snapshot], datetime, str]) -> ReadSummary:
    """Reads the snapshots of (root's address, snapshots, time, folder); writes their files. Runs in a worker process."""
    address, snapshots, read_at, folder = item
    root = DataRoot(address)
    if gc.get_threshold()[0] < 100_000:
        settle_collector()
    places = [(snapshot.warc_path, snapshot.warc_offset) for snapshot in snapshots]
    try:
        bodies = read_payloads(root, places)
        readings = [read_snapshot(s, body, read_at) for s, body in zip(snapshots, bodies, strict=True)]
        return store_readings(root, readings, batch_name(read_at, snapshots), folder)
    except OSError as error:
        raise StorageFailed(str(error)) from error


def store_readings(
    root: DataRoot, readings: Sequence[Reading], batch_id: str, folder: str = CELLS
) -> ReadSummary:
    """Writes a batch: `documents` last, so that a batch whose row is there is there whole."""
    tables = to_tables(readings)
    for name in reversed(TABLES):
        root.write_table(f"{folder}/{name}/{batch_id}.parquet", tables[name])
    return ReadSummary(
        tuple(
            (
                str(r.document["source_url"]),
                str(r.document["status"]),
                str(r.document.get("status_reason") or ""),
                sum(_is_printed_number(cell) for cell in r.cells),
            )
            for r in readings
        )
    )


def now() -> datetime:
    """UTC now, as the tables hold it: without zone, whole microseconds."""
    return datetime.now(UTC).replace(tzinfo=None)


def batch_name(read_at: datetime, snapshots: Sequence[Snapshot]) -> str:
    """Name of a batch's files: when, and which snapshots, so that a repeated batch writes the same files."""
    digest = hashlib.sha256("".join(s.source_url + s.sha256 for s in snapshots).encode()).hexdigest()[:10]
    return f"{read_at:%Y%m%dT%H%M%S}-{digest}"
