"""Whether a PDF is whole: it ends where it says it ends, and its compressed parts inflate to what their
checksums say.

PDF libraries mend damaged files in silence and give what is left; half a number then looks like a number. So
a damaged file is refused. Never interprets what the parts mean.
"""

from __future__ import annotations

import re
import zlib

from extractors.errors import Refused

MAX_INFLATED = 400_000_000
"""Bytes all compressed parts of a file may inflate to; a report with scans stays far below."""

_STREAM = re.compile(rb">>\s*stream\r?\n")
_FLATE = re.compile(rb"/Filter\s*\[?\s*/(?:FlateDecode|Fl)\b")
_PICTURE = re.compile(rb"/Subtype\s*/Image\b")
_CHUNK = 1 << 18


def check_whole(data: bytes) -> None:
    """`Refused` for a file cut short, with a damaged part, or that inflates beyond MAX_INFLATED."""
    end = data.rfind(b"%%EOF")
    if end < 0 or data.find(b"endobj", end) >= 0:
        raise Refused("the PDF is cut short: its end mark is missing; fetch it again")
    if b"/Encrypt" in data[-4096:] or re.search(rb"/Encrypt\s+\d+\s+\d+\s+R", data):
        return
    inflated = 0
    place = 0
    while match := _STREAM.search(data, place):
        start = place = match.end()
        dictionary = data[data.rfind(b" obj", 0, start) : start]
        if not _FLATE.search(dictionary):
            continue
        inflated, place = _inflate(data, start, inflated, bool(_PICTURE.search(dictionary)))


def _inflate(data: bytes, start: int, inflated: int, is_picture: bool) -> tuple[int, int]:
    """(bytes inflated so far, where the part ends). A damaged picture holds no text and is let pass."""
    machine = zlib.decompressobj()
    view = memoryview(data)
    place = start
    pending: bytes | memoryview = b""
    try:
        while not machine.eof:
            if not pending:
                pending = view[place : place + _CHUNK]
                place += len(pending)
                if not pending:
                    raise zlib.error("no end")
            inflated += len(machine.decompress(pending, _CHUNK))
            pending = machine.unconsumed_tail
            if inflated > MAX_INFLATED:
                raise Refused(f"the PDF inflates to more than {MAX_INFLATED // 1_000_000} MB")
    except zlib.error as error:
        if is_picture:
            return inflated, start
        raise Refused(f"the PDF is damaged: its part at byte {start:,} does not inflate ({error})") from error
    return inflated, place - len(machine.unused_data)
