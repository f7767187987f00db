"""The data root: where each kind of file lies, and how it is written so that a kill leaves no half file.

Knows paths and atomic writes, on a local disk or any fsspec address. Never knows what a file means.
"""

from __future__ import annotations

import json
import os
import posixpath
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from extractors.errors import UserError

RAW = "raw"
CRAWL = "crawl"
RUNS = "runs"
CELLS = "cells"
TIDY = "tidy"
WAREHOUSE = "warehouse"
VERSION_FILE = "version.json"
LAYOUT = 1
"""Number of the layout below the data root; raised when older programs would misread it."""


@dataclass(frozen=True)
class DataRoot:
    """A folder, local or `s3://…`, that holds everything the pipeline keeps."""

    address: str

    @classmethod
    def choose(cls, given: str | None = None) -> DataRoot:
        """`--data`, else `OGI_DATA`, else `./data`; `UserError` when a newer version of the program wrote it."""
        root = cls(given or os.environ.get("OGI_DATA") or "data")
        root.refuse_newer()
        return root

    def refuse_newer(self) -> None:
        """`UserError` when a newer layout than `LAYOUT` lies here, or `version.json` is not what it should be."""
        try:
            content = self.fs.cat_file(self.path(VERSION_FILE))
        except FileNotFoundError:
            return
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"{self.address}: the data root cannot be opened ({reason})") from None
        try:
            found = int(json.loads(content)["layout"])
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"{self.address}/{VERSION_FILE}: expected a layout number; restore the file from a copy"
            ) from None
        if found > LAYOUT:
            raise UserError(
                f"{self.address}: written by a newer version (layout {found}, this program knows {LAYOUT}); "
                "install the newer version, nothing was changed"
            )

    def mark_version(self) -> None:
        """Writes `version.json` where there is none yet."""
        if not self.exists(VERSION_FILE):
            self.write_bytes(VERSION_FILE, json.dumps({"layout": LAYOUT}).encode())

    @cached_property
    def _located(self) -> tuple[Any, str]:
        # Other processes write below the root too: a listing remembered from before would hide their files.
        fs, path = fsspec.core.url_to_fs(self.address, use_listings_cache=False)
        return fs, path.rstrip("/")

    @property
    def fs(self) -> Any:
        return self._located[0]

    @property
    def is_local(self) -> bool:
        protocol = self.fs.protocol
        return "file" in ((protocol,) if isinstance(protocol, str) else tuple(protocol))

    def path(self, *parts: str) -> str:
        """Path below the root, as the root's file system writes it."""
        return posixpath.join(self._located[1], *parts)

    def local(self, *parts: str) -> Path:
        """The same as a local `Path`; ValueError on a root that is not on a local disk."""
        if not self.is_local:
            raise ValueError(f"{self.address}: this step needs a local data root")
        return Path(self.path(*parts))

    def exists(self, *parts: str) -> bool:
        return bool(self.fs.exists(self.path(*parts)))

    def files(self, folder: str, suffix: str) -> list[str]:
        """Paths below `folder` that end in `suffix`, relative to the root, sorted."""
        start = self.path(folder)
        if not self.fs.exists(start):
            return []
        base = len(self._located[1]) + 1
        return sorted(
            p[base:] for p in self.fs.find(start) if p.endswith(suffix) and "/." not in p[base - 1 :]
        )

    def read_bytes(self, relative: str) -> bytes:
        return bytes(self.fs.cat_file(self.path(relative)))

    def write_bytes(self, relative: str, content: bytes) -> None:
        """Writes a whole file at once: readers see the old one or the new one."""
        target = self.path(relative)
        self.fs.makedirs(posixpath.dirname(target), exist_ok=True)
        if not self.is_local:
            self.fs.pipe_file(target, content)
            return
        folder, name = posixpath.split(target)
        temporary = Path(folder) / f".{name}.{uuid.uuid4().hex[:8]}"
        try:
            with temporary.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def write_table(self, relative: str, table: pa.Table) -> None:
        """Writes one Parquet file (zstd) atomically."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        self.write_bytes(relative, sink.getvalue().to_pybytes())

    def read_table(self, folder: str, schema: pa.Schema) -> pa.Table:
        """All Parquet files below `folder` as one table of `schema`; an empty one when there are none."""
        files = self.files(folder, ".parquet")
        if not files:
            return schema.empty_table()
        pieces = [pq.read_table(self.path(name), filesystem=self.fs, partitioning=None) for name in files]
        return pa.concat_tables([piece.select(schema.names).cast(schema) for piece in pieces])
