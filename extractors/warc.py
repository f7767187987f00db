"""Keeps bytes as WARC records (ISO 28500) below `data/raw`, and gives them back byte for byte.

A record is built in memory and written in one piece, so that a kill loses at most the one in flight; files are
synced to the disk every second. A run opens files of its own and never appends to another's. On a data root that
is not a local disk a file grows in a local spool folder (`OGI_SPOOL`, else the system's temporary folder) and
goes up whole. Never understands a page.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
import threading
import time
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from warcio.archiveiterator import ArchiveIterator

from extractors.dataroot import RAW, DataRoot
from extractors.encoding import decode_body, encoding_of

WARC_ROLL_BYTES = 1 << 30
"""A WARC file is closed and the next one opened at this size; 1 GB is what the standard recommends."""
GZIP_LEVEL = 3
"""A twentieth larger than zlib's usual level, in two thirds of its time."""
SYNC_SECONDS = 1.0
"""A killed process loses nothing it wrote; this bounds what a machine that loses power may lose."""
Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a body lies. `sha256` is of the decoded body: of what `read_payload` gives back."""

    warc_path: str
    warc_offset: int
    sha256: str


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
        self._offset = 0
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
        sha256 = hashlib.sha256(payload).hexdigest()
        digest = sha256 if payload is body else hashlib.sha256(body).hexdigest()
        head = _head(f"HTTP/1.1 {status} {reason}".rstrip(), _as_archived(sent, len(body)))
        response_id = _record_id()
        response = _record(
            "response", url, when, "application/http; msgtype=response", head, body, digest, response_id
        )
        path = re.sub(r"^[a-z]+://[^/?#]*", "", url.split("#")[0]) or "/"
        request = _record(
            "request",
            url,
            when,
            "application/http; msgtype=request",
            _head(f"{method} {path} HTTP/1.1", _pairs(request_headers)),
            request_body,
            hashlib.sha256(request_body).hexdigest(),
            _record_id(),
            concurrent_to=response_id,
        )
        return self._append(_packed(response) + _packed(request), sha256)

    def store_file(
        self, url: str, body: bytes, fetched_at: datetime | None = None, content_type: str = ""
    ) -> Stored:
        """Keeps a local file as a `resource` record; `url` is its `file://` address."""
        sha256 = hashlib.sha256(body).hexdigest()
        kind = _one_line(content_type) or "application/octet-stream"
        record = _record(
            "resource", url, fetched_at or datetime.now(UTC), kind, b"", body, sha256, _record_id()
        )
        return self._append(_packed(record), sha256)

    def close(self) -> None:
        with self._lock:
            self._close_file()

    def _append(self, records: bytes, sha256: str) -> Stored:
        with self._lock:
            stream = self._stream or self._open_file()
            offset = self._offset
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
            self._offset += len(records)
            stored = Stored(self._relative, offset, sha256)
            if self._offset >= WARC_ROLL_BYTES:
                self._close_file()
            return stored

    def _open_file(self) -> IO[bytes]:
        self._number += 1
        self._relative = f"{RAW}/{self.portal_id}/{self.run_id}-{self._number:05}.warc.gz"
        target = writing_place(self.root) / self._relative
        target.parent.mkdir(parents=True, exist_ok=True)
        stream = target.open("xb")
        fcntl.flock(stream, fcntl.LOCK_EX)
        self._stream = stream
        about = f"software: ogi-warehouse\r\nformat: WARC File Format 1.1\r\nisPartOf: {self.run_id}\r\n"
        info = about.encode()
        digest = hashlib.sha256(info).hexdigest()
        now = datetime.now(UTC)
        record = _record("warcinfo", "", now, "application/warc-fields", b"", info, digest, _record_id())
        self._offset = stream.write(_packed(record))
        stream.flush()
        return stream

    def _close_file(self) -> None:
        if self._stream is None:
            return
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._stream = None
        if not self.root.is_local:
            upload(self.root, self._relative)


def _record(
    kind: str,
    url: str,
    when: datetime,
    content_type: str,
    head: bytes,
    body: bytes,
    payload_digest: str,
    record_id: str,
    *,
    concurrent_to: str = "",
) -> bytes:
    """One WARC record (ISO 28500, section 5), not yet compressed.

    Written here and read by warcio, whose writer would cost as much as fetching the page does.
    """
    block_digest = hashlib.sha256(head + body).hexdigest() if head else payload_digest
    lines = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: {record_id}",
        f"WARC-Target-URI: {_one_line(url)}" if url else "",
        f"WARC-Date: {_warc_date(when)}",
        f"WARC-Concurrent-To: {concurrent_to}" if concurrent_to else "",
        f"WARC-Payload-Digest: sha256:{payload_digest}" if kind != "warcinfo" else "",
        f"WARC-Block-Digest: sha256:{block_digest}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(head) + len(body)}",
    ]
    fields = "\r\n".join(filter(None, lines)).encode()
    return b"".join((fields, b"\r\n\r\n", head, body, b"\r\n\r\n"))


def _head(first: str, headers: list[tuple[str, str]]) -> bytes:
    """Start line and headers of a message, in the bytes they came in (the client reads them as Latin-1)."""
    text = "\r\n".join([first, *(f"{name}: {value}" for name, value in headers)]) + "\r\n\r\n"
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _packed(record: bytes) -> bytes:
    """The record as a gzip member of its own. The window fits the record: a large one costs time to set up."""
    window = min(max(len(record).bit_length(), 10), zlib.MAX_WBITS)
    return zlib.compress(record, GZIP_LEVEL, 16 + window)


def _record_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


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
        received = expected - record.raw_stream.limit
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


def writing_place(root: DataRoot) -> Path:
    """Where files of this root are written before they are whole: the root itself when it is local."""
    if root.is_local:
        return root.local()
    name = "ogi-spool-" + hashlib.sha256(root.address.encode()).hexdigest()[:16]
    return Path(os.environ.get("OGI_SPOOL") or tempfile.gettempdir()) / name


def upload(root: DataRoot, relative: str) -> None:
    """Moves a whole file from the spool folder to the root."""
    local = writing_place(root) / relative
    root.fs.put_file(str(local), root.path(relative))
    local.unlink()


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
