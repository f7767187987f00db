"""Keeps what was fetched: bytes as WARC records (`extractors.warc`), one row a response below `data/crawl`.

A row goes to the run's journal once its record is written, so that a kill at any moment loses at most the record
in flight. Full journals become Parquet files, the WARC files they point into synced to the disk first. A journal
left by a killed run is turned into Parquet by the next one (`recover`), but for rows whose record a power cut has
torn. Nothing that was once kept is ever changed or removed, and no page is understood here.

On a data root that is not a local disk, journals grow in the spool folder as WARC files do, and rows appear after
the WARC files they point into. A run killed there is completed by the next run on the same machine.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import logging
import os
import secrets
import threading
from array import array
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from extractors.dataroot import CRAWL, RAW, DataRoot
from extractors.schema import arrow_schema
from extractors.warc import Archive, Stored, read_payload, read_payloads, upload, writing_place

__all__ = [
    "Archive",
    "CrawlLog",
    "Stored",
    "known_snapshots",
    "new_run_id",
    "read_payload",
    "read_payloads",
    "recover",
    "responses",
    "texts",
]

log = logging.getLogger(__name__)

JOURNAL_ROWS = 2000
"""Rows of a journal before it becomes a Parquet file."""
OPEN_JOURNALS = ".open"


def new_run_id(now: datetime | None = None) -> str:
    """A name for a run that sorts by time and is never given twice, such as `20261123T021500Z-3f9a1c`."""
    return f"{(now or datetime.now(UTC)).astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class CrawlLog:
    """Appends rows of the table `responses`. A context manager, shared by a run's portals and threads.

    Entering completes what killed runs left behind. A row is on disk when `append` returns.
    """

    def __init__(self, root: DataRoot, run_id: str | None = None) -> None:
        self.root = root
        self.run_id = run_id or new_run_id()
        self._lock = threading.Lock()
        self._journal: IO[bytes] | None = None
        self._part = 0
        self._rows = 0
        # One thread for all Parquet files: Arrow keeps memory for every thread that ever used it.
        self._publisher = ThreadPoolExecutor(1, "crawl log")
        self._published: list[Future[int]] = []

    def __enter__(self) -> Self:
        recover(self.root)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, row: Mapping[str, Any]) -> None:
        """Adds a row of `responses`; `run_id` is filled in. ValueError for a wrong or missing column."""
        full = {"run_id": self.run_id, **row}
        if unknown := full.keys() - _columns():
            raise ValueError(f"responses has no column {', '.join(sorted(unknown))}")
        if missing := [name for name in _needed() if full.get(name) is None]:
            raise ValueError(f"responses needs {', '.join(missing)} ({full.get('source_url')})")
        line = json.dumps(full, ensure_ascii=False, default=_jsonable).encode() + b"\n"
        with self._lock:
            journal = self._journal or self._open_journal()
            journal.write(line)
            journal.flush()
            self._rows += 1
            # Remote rows may only appear after the WARC files they point into.
            if self._rows >= JOURNAL_ROWS and self.root.is_local:
                self._publish()

    def flush(self) -> None:
        """Makes every row appended so far readable. On a remote root only while no WARC file is open."""
        with self._lock:
            self._publish()
            for published in self._published:
                published.result()

    def close(self) -> None:
        """Publishes what is left; raises what went wrong with any part. The journals stay for `recover` then."""
        with self._lock:
            self._publish()
            self._publisher.shutdown()
            for published in self._published:
                published.result()

    def _open_journal(self) -> IO[bytes]:
        folder = writing_place(self.root) / CRAWL / OPEN_JOURNALS
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            self._part += 1
            place = folder / f"{self.run_id}-{self._part:05}.jsonl"
            if not self.root.exists(_parquet_of(place)) and not place.exists():
                break
        self._journal = place.open("xb")
        fcntl.flock(self._journal, fcntl.LOCK_EX)
        self._rows = 0
        return self._journal

    def _publish(self) -> None:
        if self._journal is None:
            return
        self._published.append(self._publisher.submit(_publish_and_close, self.root, self._journal))
        self._journal = None


def recover(root: DataRoot) -> int:
    """Completes what killed runs left: uploads spooled WARC files, turns journals into Parquet.

    Gives the rows saved. Files of runs that are still alive are locked by them and left alone.
    """
    place = writing_place(root)
    if not root.is_local:
        for warc in sorted((place / RAW).rglob("*.warc.gz")):
            with warc.open("rb") as stream:
                if _locked(stream):
                    upload(root, warc.relative_to(place).as_posix())
    rows = 0
    for journal in sorted((place / CRAWL / OPEN_JOURNALS).glob("*.jsonl")):
        with journal.open("rb") as stream:
            if _locked(stream) and journal.exists():
                rows += _publish_journal(root, journal, is_left_over=True)
    return rows


def known_snapshots(root: DataRoot) -> pa.Table:
    """One row a stored (source_url, sha256), the first time it was fetched, with the columns of `responses`.

    One pass of Arrow over `data/crawl/**.parquet`; sorted by time.
    """
    schema = arrow_schema("responses")
    rows = responses(root, outcome="stored").sort_by([("fetched_at", "ascending")])
    first = (
        rows.append_column("place", pa.arange(0, rows.num_rows))
        .group_by(["source_url", "sha256"], use_threads=False)
        .aggregate([("place", "min")])
    )
    return rows.take(first.column("place_min").sort()).cast(schema) if rows.num_rows else rows


def responses(
    root: DataRoot,
    *,
    outcome: str | None = None,
    portal_ids: Sequence[str] | None = None,
    since: datetime | None = None,
) -> pa.Table:
    """Rows of the crawl log: all, or those of an outcome, of some portals, or since a (UTC, naive) time."""
    schema = arrow_schema("responses")
    pieces = [pa.Table.from_batches([], schema)]
    for name in root.files(CRAWL, ".parquet"):
        with root.fs.open(root.path(name), "rb") as stream:
            rows = pq.ParquetFile(stream).read().select(schema.names).cast(schema)
        if outcome is not None:
            rows = rows.filter(pc.is_in(rows["outcome"], texts([outcome])))
        if portal_ids is not None:
            rows = rows.filter(pc.is_in(rows["portal_id"], texts(portal_ids)))
        if since is not None:
            rows = rows.filter(pc.greater_equal(rows["fetched_at"], _moment(since)))
        pieces.append(rows)
    return pa.concat_tables(pieces)


def texts(values: Iterable[str]) -> pa.Array:
    """An Arrow array of texts from its buffers.

    `pa.array`, `pa.scalar` and any Python value given to `pyarrow.compute` import pandas, which takes longer than
    fetching a thousand pages and is a third of a crawl's memory.
    """
    encoded = [value.encode() for value in values]
    ends = array("i", itertools.accumulate(map(len, encoded), initial=0))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def _moment(when: datetime) -> pa.Scalar:
    """A (UTC, naive) time as Arrow compares it; see `texts`."""
    microseconds = array("q", [(when - datetime(1970, 1, 1)) // timedelta(microseconds=1)])
    return pa.Array.from_buffers(pa.timestamp("us"), 1, [None, pa.py_buffer(microseconds)])[0]


def _publish_journal(root: DataRoot, journal: Path, is_left_over: bool = False) -> int:
    """Writes the journal's whole rows as one Parquet file of its name, then removes it; safe to repeat."""
    rows = _journal_rows(journal)
    if root.is_local:
        if is_left_over:
            rows = _without_torn(root, rows)
        for warc_path in pc.unique(rows["warc_path"].drop_null()).to_pylist():
            with root.local(warc_path).open("rb") as stream:
                os.fsync(stream.fileno())
    if rows.num_rows:
        root.write_table(_parquet_of(journal), rows)
    journal.unlink()
    return int(rows.num_rows)


def _publish_and_close(root: DataRoot, journal: IO[bytes]) -> int:
    """The journal stays locked, so that no other run takes it for left over, until it is published."""
    with journal:
        return _publish_journal(root, Path(journal.name))


def _journal_rows(journal: Path) -> pa.Table:
    """The journal's whole lines; what a kill left of a last one is not a line."""
    schema = arrow_schema("responses")
    content = journal.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if not whole:
        return pa.Table.from_batches([], schema)
    # Arrow's reader takes no dates; they come as text and are cast.
    plain = pa.schema(
        [pa.field(f.name, pa.string() if pa.types.is_temporal(f.type) else f.type) for f in schema]
    )
    options = pj.ParseOptions(explicit_schema=plain, unexpected_field_behavior="error")
    block = pj.ReadOptions(use_threads=False, block_size=max(len(whole), 1))
    return pj.read_json(pa.BufferReader(whole), block, options).select(schema.names).cast(schema)


def _without_torn(root: DataRoot, rows: pa.Table) -> pa.Table:
    """Rows whose record can be read, and those without one."""
    whole = []
    for place, row in enumerate(rows.select(["source_url", "warc_path", "warc_offset"]).to_pylist()):
        if row["warc_path"] is None or _is_whole(root, row):
            whole.append(place)
        else:
            log.warning("%s: its record in %s is torn; it will be fetched again", *list(row.values())[:2])
    return rows if len(whole) == rows.num_rows else rows.take(pa.array(whole, pa.int64()))


def _is_whole(root: DataRoot, row: Mapping[str, Any]) -> bool:
    try:
        return bool(read_payload(root, row["warc_path"], row["warc_offset"]) is not None)
    except (ValueError, OSError):
        return False


@cache
def _columns() -> frozenset[str]:
    return frozenset(arrow_schema("responses").names)


@cache
def _needed() -> tuple[str, ...]:
    return tuple(field.name for field in arrow_schema("responses") if not field.nullable)


def _parquet_of(journal: Path) -> str:
    return f"{CRAWL}/{journal.stem}.parquet"


def _locked(stream: IO[bytes]) -> bool:
    """Whether nobody alive holds this file; takes the lock."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _jsonable(value: object) -> str:
    if isinstance(value, datetime):
        return (value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong in the crawl log")
