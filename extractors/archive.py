"""Keeps what was fetched: bytes as WARC records below `data/raw`, one row a response below `data/crawl`.

Knows how bytes reach the disk so that a kill at any moment loses at most the record in flight: a record
is built in memory, written in one piece and synced; only then its row goes to the run's journal; full
journals become Parquet files. A journal left by a killed run is turned into Parquet by the next one
(`recover`). Nothing that was once kept is ever changed or removed, and no page is understood here.

On a data root that is not a local disk, WARC files and journals grow in a local spool folder
(`OGI_SPOOL`, else the system's temporary folder) and go up whole, WARC files before the rows that point
into them. A run killed there is completed by the next run on the same machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import logging
import os
import re
import secrets
import tempfile
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from warcio.archiveiterator import ArchiveIterator
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from extractors.dataroot import CRAWL, RAW, DataRoot
from extractors.encoding import decode_body, encoding_of
from extractors.schema import arrow_schema

log = logging.getLogger(__name__)

WARC_ROLL_BYTES = 1 << 30
"""A WARC file is closed and the next one opened at this size; 1 GB is what the standard recommends."""
GZIP_LEVEL = 5
SYNC_SECONDS = 1.0
"""A killed process loses nothing it wrote; this bounds what a machine that loses power may lose."""
JOURNAL_ROWS = 2000
"""Rows of a journal before it becomes a Parquet file."""
OPEN_JOURNALS = ".open"

Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a body lies. `sha256` is of the decoded body: of what `read_payload` gives back."""

    warc_path: str
    warc_offset: int
    sha256: str


def new_run_id(now: datetime | None = None) -> str:
    """A name for a run that sorts by time and is never given twice, such as `20261123T021500Z-3f9a1c`."""
    return f"{(now or datetime.now(UTC)).astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class Archive:
    """The WARC files of one portal and run. A context manager; one writer at a time, from any thread.

    The first record opens a file of its own, so a torn file of a killed run is never appended to.
    """

    def __init__(self, root: DataRoot, portal_id: str, run_id: str) -> None:
        if not re.fullmatch(r"[\w.-]+", portal_id) or portal_id.startswith("."):
            raise ValueError(
                f"portal id {portal_id!r}: only letters, digits, '_', '-' and '.' can name a folder"
            )
        self.root = root
        self.portal_id = portal_id
        self.run_id = run_id
        self._lock = threading.Lock()
        self._stream: IO[bytes] | None = None
        self._relative = ""
        self._number = 0
        self._synced_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def store_response(
        self,
        url: str,
        status: int,
        headers: Headers | Mapping[str, str],
        body: bytes,
        request_headers: Headers | Mapping[str, str] = (),
        fetched_at: datetime | None = None,
        *,
        method: str = "GET",
        request_body: bytes = b"",
        reason: str = "",
        payload: bytes | None = None,
    ) -> Stored:
        """Keeps a response and its request.

        `body` is what came over the wire after de-chunking, still in its Content-Encoding; `payload` the
        decoded body if the caller has it (else it is decoded here). Raises OSError when the disk refuses;
        nothing of the record is left in the file then.
        """
        when = fetched_at or datetime.now(UTC)
        sent = _pairs(headers)
        if payload is None:
            named = {name.lower(): value for name, value in sent}
            payload = _decoded(body, named.get("content-encoding", ""), named.get("content-type", ""))
        writer = _RecordWriter()
        response = writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=StatusAndHeaders(
                f"{status} {reason}".strip(), _as_archived(sent, len(body)), "HTTP/1.1"
            ),
            warc_headers_dict={"WARC-Date": _warc_date(when)},
        )
        path = re.sub(r"^[a-z]+://[^/?#]*", "", url.split("#")[0]) or "/"
        request = writer.create_warc_record(
            url,
            "request",
            payload=io.BytesIO(request_body),
            length=len(request_body),
            http_headers=StatusAndHeaders(
                f"{method} {path} HTTP/1.1", _pairs(request_headers), is_http_request=True
            ),
        )
        writer.write_request_response_pair(request, response)
        return self._append(writer.members(), hashlib.sha256(payload).hexdigest())

    def store_file(
        self, url: str, body: bytes, fetched_at: datetime | None = None, content_type: str = ""
    ) -> Stored:
        """Keeps a local file as a `resource` record; `url` is its `file://` address."""
        writer = _RecordWriter()
        record = writer.create_warc_record(
            url,
            "resource",
            payload=io.BytesIO(body),
            length=len(body),
            warc_content_type=_one_line(content_type) or "application/octet-stream",
            warc_headers_dict={"WARC-Date": _warc_date(fetched_at or datetime.now(UTC))},
        )
        writer.write_record(record)
        return self._append(writer.members(), hashlib.sha256(body).hexdigest())

    def close(self) -> None:
        with self._lock:
            self._close_file()

    def _append(self, records: bytes, sha256: str) -> Stored:
        with self._lock:
            stream = self._stream or self._open_file()
            offset = stream.tell()
            try:
                stream.write(records)
                stream.flush()
                if time.monotonic() >= self._synced_at + SYNC_SECONDS:
                    os.fsync(stream.fileno())
                    self._synced_at = time.monotonic()
            except OSError:
                stream.truncate(offset)
                stream.seek(offset)
                raise
            stored = Stored(self._relative, offset, sha256)
            if offset + len(records) >= WARC_ROLL_BYTES:
                self._close_file()
            return stored

    def _open_file(self) -> IO[bytes]:
        self._number += 1
        self._relative = f"{RAW}/{self.portal_id}/{self.run_id}-{self._number:05}.warc.gz"
        target = _writing_place(self.root) / self._relative
        target.parent.mkdir(parents=True, exist_ok=True)
        stream = target.open("xb")
        fcntl.flock(stream, fcntl.LOCK_EX)
        self._stream = stream
        writer = _RecordWriter()
        about = {"software": "ogi-warehouse", "format": "WARC File Format 1.1", "isPartOf": self.run_id}
        writer.write_record(writer.create_warcinfo_record(target.name, about))
        stream.write(writer.members())
        stream.flush()
        return stream

    def _close_file(self) -> None:
        if self._stream is None:
            return
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._stream = None
        if not self.root.is_local:
            _upload(self.root, self._relative)


class _RecordWriter(WARCWriter):  # type: ignore[misc]
    """Builds records in memory, each a gzip member of its own, at zlib's usual level: warcio's own is its slowest."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), gzip=False, warc_version="1.1")
        self._members: list[bytes] = []

    def _write_warc_record(self, out: IO[bytes], record: ArcWarcRecord) -> None:
        plain = io.BytesIO()
        super()._write_warc_record(plain, record)
        packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS + 16)
        self._members.append(packer.compress(plain.getbuffer()) + packer.flush())

    def members(self) -> bytes:
        return b"".join(self._members)


def read_payload(root: DataRoot, warc_path: str, warc_offset: int) -> bytes:
    """The exact bytes of a kept body, with any Content-Encoding undone.

    ValueError with the place when no whole record starts there.
    """
    return next(iter(read_payloads(root, [(warc_path, warc_offset)])))


def read_payloads(root: DataRoot, places: Sequence[tuple[str, int]]) -> Iterator[bytes]:
    """The bodies at many (warc_path, warc_offset), in the order asked; neighbours share the open file."""
    open_file, opened = "", contextlib.ExitStack()
    with opened:
        for warc_path, offset in places:
            if warc_path != open_file:
                opened.close()
                stream = opened.enter_context(root.fs.open(root.path(warc_path), "rb"))
                open_file = warc_path
            yield _payload_at(stream, warc_path, offset)


def _payload_at(stream: IO[bytes], warc_path: str, offset: int) -> bytes:
    stream.seek(offset)
    try:
        record = next(iter(ArchiveIterator(stream)))
        body = record.raw_stream.read()
        expected = int(record.rec_headers.get_header("Content-Length"))
        received = len(body) + (len(record.http_headers.to_bytes()) if record.http_headers else 0)
    except Exception as error:
        raise ValueError(
            f"{warc_path} at byte {offset}: no WARC record can be read there ({error})"
        ) from error
    if record.rec_type not in ("response", "resource"):
        raise ValueError(
            f"{warc_path} at byte {offset}: a {record.rec_type} record, expected a response or resource"
        )
    if received < expected:
        raise ValueError(
            f"{warc_path} at byte {offset}: the record is torn, {expected} bytes promised, {received} there"
        )
    if record.rec_type == "resource" or not record.http_headers:
        return body
    sent = record.http_headers
    return _decoded(body, sent.get_header("Content-Encoding") or "", sent.get_header("Content-Type") or "")


def _decoded(body: bytes, content_encoding: str, content_type: str) -> bytes:
    return decode_body(body, encoding_of(content_encoding, content_type, body[:3]))


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
        schema = arrow_schema("responses")
        if unknown := set(full) - set(schema.names):
            raise ValueError(f"responses has no column {', '.join(sorted(unknown))}")
        if missing := [f.name for f in schema if not f.nullable and full.get(f.name) is None]:
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

    def close(self) -> None:
        with self._lock:
            self._publish()

    def _open_journal(self) -> IO[bytes]:
        folder = _writing_place(self.root) / CRAWL / OPEN_JOURNALS
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
        _publish_journal(self.root, Path(self._journal.name))
        self._journal.close()
        self._journal = None


def recover(root: DataRoot) -> int:
    """Completes what killed runs left: uploads spooled WARC files, turns journals into Parquet.

    Gives the rows saved. Files of runs that are still alive are locked by them and left alone.
    """
    place = _writing_place(root)
    if not root.is_local:
        for warc in sorted((place / RAW).rglob("*.warc.gz")):
            with warc.open("rb") as stream:
                if _locked(stream):
                    _upload(root, warc.relative_to(place).as_posix())
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
        rows.append_column("place", pa.array(range(rows.num_rows), pa.int64()))
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
    pieces = [schema.empty_table()]
    for name in root.files(CRAWL, ".parquet"):
        with root.fs.open(root.path(name), "rb") as stream:
            rows = pq.ParquetFile(stream).read().select(schema.names).cast(schema)
        if outcome is not None:
            rows = rows.filter(pc.equal(rows["outcome"], outcome))
        if portal_ids is not None:
            rows = rows.filter(pc.is_in(rows["portal_id"], pa.array(portal_ids, pa.string())))
        if since is not None:
            rows = rows.filter(pc.greater_equal(rows["fetched_at"], pa.scalar(since, pa.timestamp("us"))))
        pieces.append(rows)
    return pa.concat_tables(pieces)


def _publish_journal(root: DataRoot, journal: Path, is_left_over: bool = False) -> int:
    """Writes the journal's whole rows as one Parquet file of its name, then removes it; safe to repeat."""
    place = _writing_place(root)
    rows = []
    for line in journal.read_bytes().split(b"\n")[:-1]:
        row = json.loads(line)
        for name, parse in (("fetched_at", datetime.fromisoformat), ("listing_date", date.fromisoformat)):
            if row.get(name) is not None:
                row[name] = parse(row[name])
        if is_left_over and root.is_local and row.get("warc_path") and not _is_whole(root, row):
            log.warning(
                "%s: its record in %s is torn; it will be fetched again", row["source_url"], row["warc_path"]
            )
            continue
        rows.append(row)
    for warc_path in {row["warc_path"] for row in rows if row.get("warc_path")} if root.is_local else ():
        with (place / warc_path).open("rb") as stream:
            os.fsync(stream.fileno())
    if rows:
        root.write_table(_parquet_of(journal), pa.Table.from_pylist(rows, schema=arrow_schema("responses")))
    journal.unlink()
    return len(rows)


def _is_whole(root: DataRoot, row: Mapping[str, Any]) -> bool:
    try:
        return bool(read_payload(root, row["warc_path"], row["warc_offset"]) is not None)
    except (ValueError, OSError):
        return False


def _parquet_of(journal: Path) -> str:
    return f"{CRAWL}/{journal.stem}.parquet"


def _writing_place(root: DataRoot) -> Path:
    if root.is_local:
        return root.local()
    name = "ogi-spool-" + hashlib.sha256(root.address.encode()).hexdigest()[:16]
    return Path(os.environ.get("OGI_SPOOL") or tempfile.gettempdir()) / name


def _upload(root: DataRoot, relative: str) -> None:
    local = _writing_place(root) / relative
    root.fs.put_file(str(local), root.path(relative))
    local.unlink()


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


def _warc_date(when: datetime) -> str:
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return f"{aware.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _pairs(headers: Headers | Mapping[str, str]) -> list[tuple[str, str]]:
    items = headers.items() if isinstance(headers, Mapping) else headers
    return [(_one_line(name), _one_line(value)) for name, value in items]


def _one_line(value: str) -> str:
    return value.strip() if value.isprintable() else re.sub(r"[\r\n\0]+", " ", value).strip()


def _as_archived(headers: list[tuple[str, str]], length: int) -> list[tuple[str, str]]:
    """Headers as sent; what speaks of the transfer and no longer fits the de-chunked body is renamed."""
    kept = []
    for name, value in headers:
        moved = name.lower() in ("transfer-encoding", "content-length") and not (
            name.lower() == "content-length" and value == str(length)
        )
        kept.append((f"X-Archive-Orig-{name}" if moved else name, value))
    if not any(name.lower() == "content-length" for name, _ in kept):
        kept.append(("Content-Length", str(length)))
    return kept
