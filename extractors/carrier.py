"""What kind of file some bytes are, by the bytes themselves; names and Content-Type lie too often.

Reads a few kilobytes at each end, and the directory of an archive; never unpacks, never parses content.
"""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

from extractors.errors import Refused

CARRIERS = (
    "html",
    "text",
    "pdf",
    "docx",
    "xlsx",
    "xls",
    "doc",
    "wps",
    "ofd",
    "rtf",
    "image",
    "zip",
    "empty",
    "unknown",
)
"""Every answer of `carrier_of`."""

_HEAD = 4096

_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|meta|title|script|style|table|div|iframe)[\s>/]", re.IGNORECASE
)
_TAG_FIRST = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!--|[a-z][a-z0-9]*[\s>/])", re.IGNORECASE)
_CONTROL = bytes(byte for byte in range(0x20) if byte not in b"\t\n\x0b\x0c\r\x1b")


def carrier_of(data: bytes, name: str = "") -> str:
    """One of CARRIERS. `name` helps where the bytes leave DOC or WPS open; it never overrules them."""
    head = data[:_HEAD]
    if not head.strip(b"\x00 \t\r\n\x0b\x0c"):
        return "empty" if not data.strip(b"\x00 \t\r\n\x0b\x0c") else _text_kind(data)
    if head.startswith(_OLE):
        return _ole_kind(data, name)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(data)
    if head.startswith(_IMAGES) or _is_bmp(data) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return "image"
    if head.lstrip().startswith(b"{\\rtf"):
        return "rtf"
    # A PDF may have some bytes before its header; a page that only writes about PDF has tags before it.
    pdf = head[:1024].find(b"%PDF-")
    if pdf >= 0 and not _HTML.search(head[:pdf]):
        return "pdf"
    return _text_kind(data)


def _is_bmp(data: bytes) -> bool:
    return (
        data[:2] == b"BM"
        and len(data) > 30
        and data[6:10] == b"\0\0\0\0"
        and data[14:18] in (b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0", b"\x0c\0\0\0")
    )


def _text_kind(data: bytes) -> str:
    """`html` where tags stand, `text` where nearly all bytes are text in some encoding, else `unknown`."""
    sample = data[: 16 * _HEAD]
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        order = "utf-16-le" if sample[0] == 0xFF else "utf-16-be"
        sample = sample[2:].decode(order, "replace").encode("utf8", "replace")
    if b"<" in sample and (_HTML.search(sample) or _TAG_FIRST.match(sample)):
        return "html"
    if len(sample) - len(sample.translate(None, _CONTROL)) > len(sample) // 500:
        return "unknown"
    return "text" if _decodes(sample) else "unknown"


def _decodes(sample: bytes) -> bool:
    """Whether some encoding of Chinese pages reads the sample with at most a little damage."""
    for encoding in ("utf8", "gb18030", "big5"):
        text = sample.decode(encoding, "replace")
        # Marks of damage that the text itself holds are old: they say nothing against this encoding.
        old = sample.count("\ufffd".encode()) if encoding == "utf8" else 0
        if text.count("\ufffd") - old <= len(text) // 50:
            return True
    return False


def _zip_kind(data: bytes) -> str:
    """By the archive's directory; `zip` for a broken one, so that its reader says what is wrong with it."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist()[:10_000])
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, RuntimeError):
        names = _local_names(data)
    if "word/document.xml" in names:
        return "docx"
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return "xlsx"
    return "ofd" if "OFD.xml" in names else "zip"


def _local_names(data: bytes) -> set[str]:
    """Names in an archive cut short, whose directory is gone: enough to say what it was meant to be."""
    names = re.findall(
        rb"PK\x03\x04.{22}..\x00?\x00?(word/document\.xml|xl/workbook\.(?:xml|bin)|OFD\.xml)", data, re.DOTALL
    )
    return {name.decode("ascii") for name in names}


def _ole_kind(data: bytes, name: str) -> str:
    """An OLE file by its streams: WordDocument (DOC, or WPS by its own marks), Workbook or Book (XLS)."""
    streams = ole_streams(data)
    if streams & {"Workbook", "Book"} and "WordDocument" not in streams:
        return "xls"
    if "WordDocument" in streams:
        is_wps = any(stream.startswith(("WpsCustomData", "WpsContent")) for stream in streams)
        return "wps" if is_wps or name.lower().endswith(".wps") else "doc"
    return "wps" if name.lower().endswith(".wps") else "unknown"


def ole_streams(data: bytes) -> set[str]:
    """Names in an OLE file's directory, read by following its chain of sectors as far as the file reaches."""
    try:
        shift = int.from_bytes(data[30:32], "little")
        if shift not in (9, 12):
            raise Refused("the Office file's header is damaged")
        size = 1 << shift
        return set(_directory_names(data, size))
    except Refused:
        return set()


def _directory_names(data: bytes, size: int) -> list[str]:
    sector = int.from_bytes(data[48:52], "little")
    table = [int.from_bytes(data[i : i + 4], "little") for i in range(76, 512, 4)]
    names: list[str] = []
    seen: set[int] = set()
    while sector not in seen and (sector + 1) * size < len(data) and len(seen) < 256:
        seen.add(sector)
        start = (sector + 1) * size
        for entry in range(start, min(start + size, len(data) - 127), 128):
            length = int.from_bytes(data[entry + 64 : entry + 66], "little")
            if 2 < length <= 64:
                names.append(data[entry : entry + length - 2].decode("utf-16-le", "replace"))
        per = size // 4
        index = sector // per
        if index >= len(table):
            break
        link = (table[index] + 1) * size + (sector % per) * 4
        sector = int.from_bytes(data[link : link + 4], "little")
    return names
