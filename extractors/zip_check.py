"""Whether an Office archive may be opened: whole, of bearable size, and without XML entities.

Every part is inflated once, counted and checked against its checksum, before any library sees the file. Never
unpacks to disk, never trusts the sizes an archive claims.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from io import BytesIO

from extractors.errors import Refused

MAX_PARTS = 5_000
MAX_INFLATED = 150_000_000
"""Bytes of all parts together; XML trees take some ten times their text, pictures are stored as they are."""

MAX_XML = 25_000_000
MAX_RATIO = 300
"""Inflated to stored size of a part over a megabyte; Office files stay below 100."""

_CHUNK = 1 << 18
_MARKS = tuple(
    mark.encode(code) for mark in ("<!DOCTYPE", "<!ENTITY") for code in ("ascii", "utf-16-le", "utf-16-be")
)


def check_zip(data: bytes) -> dict[str, bytes]:
    """The XML parts by name. `Refused` when the archive is broken, a bomb, encrypted, or declares XML
    entities.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise Refused(f"the archive holds {len(parts):,} parts; an Office file has far fewer")
            claimed = sum(part.file_size for part in parts)
            if claimed > MAX_INFLATED:
                raise Refused(
                    f"the archive would inflate to {claimed:,} bytes; at most {MAX_INFLATED:,} are read"
                )
            budget = MAX_INFLATED
            xml: dict[str, bytes] = {}
            for part in parts:
                content = _inflated(archive, part, budget)
                budget -= len(content)
                if part.filename.lower().endswith((".xml", ".rels")):
                    xml[part.filename] = _plain(part.filename, content)
            return xml
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as error:
        raise Refused(f"the Office file is broken or cut short ({error})") from error
    except (NotImplementedError, RuntimeError) as error:
        raise Refused(f"the Office file is encrypted or packed in an unknown way ({error})") from error


def _inflated(archive: zipfile.ZipFile, part: zipfile.ZipInfo, budget: int) -> bytes:
    limit = min(budget, MAX_XML) if part.filename.lower().endswith((".xml", ".rels")) else budget
    pieces: list[bytes] = []
    size = 0
    with archive.open(part) as stream:
        while piece := stream.read(_CHUNK):
            size += len(piece)
            ratio = size / max(part.compress_size, 1)
            if size > 1_000_000 and ratio > MAX_RATIO:
                raise Refused(f"the archive is a bomb: its part {part.filename!r} inflates {ratio:,.0f}-fold")
            if size > limit:
                raise Refused(
                    f"its part {part.filename!r} inflates to more than {limit:,} bytes; no report's does"
                )
            pieces.append(piece)
    return b"".join(pieces)


def _plain(name: str, content: bytes) -> bytes:
    if any(mark in content for mark in _MARKS):
        raise Refused(f"its part {name!r} declares XML entities, which no Office program writes")
    return content
