"""Undoes a Content-Encoding within limits, so that a compressed bomb ends as an error and not as an outage.

Knows gzip and deflate. Never decodes characters.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from extractors.outcomes import NotKept

MAX_DECODED_BYTES = 64 << 20
"""Largest body kept: the biggest report attachments seen are some tens of MB."""
MAX_RATIO = 200
"""Text compresses ten- to fiftyfold; zlib's limit, which bombs reach, is about a thousand."""
RATIO_FROM_BYTES = 4 << 20
"""Below this size a high ratio is harmless and happens (empty tables)."""
PIECE = 1 << 16


def encoding_of(content_encoding: str, content_type: str, start: bytes) -> str:
    """The Content-Encoding to undo: the one named, or gzip when a text page comes compressed unnamed."""
    if not content_encoding and content_type.lower().startswith("text/") and start[:3] == b"\x1f\x8b\x08":
        return "gzip"
    return content_encoding


class BodyDecoder:
    """Decodes a body piece by piece; raises `NotKept` when it grows past the limits or is damaged."""

    def __init__(self, content_encoding: str, max_bytes: int = MAX_DECODED_BYTES) -> None:
        self.max_bytes = max_bytes
        self.taken = 0
        self.given = 0
        names = [
            n.strip().lower()
            for n in content_encoding.split(",")
            if n.strip().lower() not in ("", "identity")
        ]
        if len(names) > 1 or any(n not in ("gzip", "x-gzip", "deflate") for n in names):
            raise NotKept("bad_encoding", f"{content_encoding!r} was not asked for")
        self.encoding = names[0] if names else ""
        self._zlib: zlib._Decompress | None = None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Decoded parts of one piece, each at most 64 KB when compressed."""
        self.taken += len(piece)
        if self.taken > self.max_bytes:
            raise NotKept("too_large", f"more than {self.max_bytes:,} bytes")
        if self._zlib is None and self.encoding and piece:
            self._zlib = self._start(piece)
        if self._zlib is None:
            yield self._count(piece)
            return
        while piece:
            try:
                part = self._zlib.decompress(piece, PIECE)
            except zlib.error as error:
                raise NotKept("bad_encoding", f"damaged {self.encoding}: {error}") from None
            yield self._count(part)
            piece = self._zlib.unconsumed_tail
            if self._zlib.eof:
                return

    def finish(self) -> None:
        """`NotKept` when a compressed body ended early."""
        if self._zlib is not None and not self._zlib.eof:
            raise NotKept("truncated", "the compressed body ends early")

    def _start(self, piece: bytes) -> zlib._Decompress | None:
        if self.encoding != "deflate":
            # Some portals name gzip and send plain bytes.
            if piece[:1] != b"\x1f":
                self.encoding = ""
                return None
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        return zlib.decompressobj(zlib.MAX_WBITS if piece[0] & 0x0F == 8 else -zlib.MAX_WBITS)

    def _count(self, part: bytes) -> bytes:
        self.given += len(part)
        if self.given > self.max_bytes:
            raise NotKept("too_large", f"more than {self.max_bytes:,} bytes")
        if self.given > RATIO_FROM_BYTES and self.given > MAX_RATIO * self.taken:
            raise NotKept("compressed_bomb", f"more than {MAX_RATIO} times its size")
        return part


def decode_body(body: bytes, content_encoding: str, max_bytes: int = MAX_DECODED_BYTES) -> bytes:
    """The whole decoded body; `NotKept` past `max_bytes`, on a bomb, or when it is damaged."""
    decoder = BodyDecoder(content_encoding, max_bytes)
    if not decoder.encoding:
        return body
    decoded = b"".join(decoder.feed(body))
    decoder.finish()
    return decoded
