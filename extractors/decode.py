"""Bytes to text: byte order mark, then the header's charset, then the page's own, then strict UTF-8, then gb18030.

A page is never dropped for its encoding; gb2312 and gbk are always read as gb18030, their superset.
"""

from __future__ import annotations

import codecs
import re

_META = re.compile(rb"""charset\s*=\s*["']?\s*([a-zA-Z0-9_\-]{2,20})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([a-zA-Z0-9_\-]{2,20})""")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEAD = 4096
_READ_AS_GB = ("淇℃伅", "俊鎭")
"""信息 in UTF-8 read as GBK, after an even and after an odd number of bytes: reports say it in every other sentence."""
_LOST = "\ufffd"
_DAMAGE_BORNE = 0.002
"""Share of undecodable characters up to which a charset is taken for the right one of a damaged page."""


def decode(data: bytes, content_type: str = "") -> str:
    """The text of a page or text file. `content_type` is the HTTP header, when there was one."""
    text = _decode(data, content_type)
    # Nearly every report says 信息 early: then nothing has to be looked for in all of it.
    return _mend(text) if "信息" not in text and any(mark in text for mark in _READ_AS_GB) else text


def _decode(data: bytes, content_type: str) -> str:
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, errors="replace")
    for name in _candidates(data, content_type):
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    utf8 = data.decode("utf-8", errors="replace")
    gb = data.decode("gb18030", errors="replace")
    # A flipped or cut byte must not turn a UTF-8 page into nonsense in another charset: a page that is Chinese in
    # UTF-8 but for a few characters is UTF-8, and GB bytes read as UTF-8 are damaged all over.
    return utf8 if utf8.count(_LOST) <= max(4, _DAMAGE_BORNE * len(utf8)) else gb


def _mend(text: str) -> str:
    """A text in UTF-8 that somebody read as GBK and saved so (鏀垮簻淇℃伅): read the other way.

    Digits are ASCII and come through untouched. A character whose last byte was lost on the way stays marked as lost.
    """
    # cp936 reads a lone 0x80 as the euro sign, which stands in no report this damaged.
    pieces = text.replace("€", _LOST).split(_LOST)
    mended = b"\xff".join(piece.encode("gb18030", "replace") for piece in pieces).decode("utf-8", "replace")
    return re.sub(f"{_LOST}+", _LOST, mended) if "信息" in mended else text


def _candidates(data: bytes, content_type: str) -> list[str]:
    """Charsets to try strictly, in order."""
    declared = []
    if header := _META.search(content_type.encode("ascii", "ignore")):
        declared.append(header[1])
    head = data[:_HEAD]
    if b"=" in head and (page := _XML.search(head) or _META.search(head)):
        declared.append(page[1])
    names = [_widest(name.decode("ascii").lower()) for name in declared]
    return list(dict.fromkeys([*names, "utf-8", "gb18030"]))


def _widest(name: str) -> str:
    return "gb18030" if name in {"gb2312", "gbk", "gb_2312-80", "x-gbk", "gb18030", "cp936"} else name
