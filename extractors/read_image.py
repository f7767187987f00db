"""A picture of a report to a `Document`: its text by OCR where the extra `ocr` is installed, else no text at
all.

Everything read here is marked (`is_ocr`), since a recognised digit is a likely digit and not a printed one.
Without the extra the document only says that it is a picture.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image

from extractors.errors import Refused
from extractors.pdf_page import Char
from extractors.print_lines import lines_of
from extractors.records import Document, Paragraph

MAX_PIXELS = 60_000_000
MIN_CONFIDENCE = 0.5


def read_image(data: bytes) -> Document:
    """Lines of recognised text, or status `tables_as_images`. `Refused` for a damaged or gigantic picture."""
    recognise = _recogniser()
    if recognise is None:
        note = "the report is a picture; the extra `ocr` (pip install 'ogi-warehouse[ocr]') reads pictures"
        return Document("image", (), status="tables_as_images", notes=(note,))
    found, _ = recognise(_pixels(data))
    words = [
        Char(
            text.strip(),
            min(x for x, _ in box),
            min(y for _, y in box),
            max(x for x, _ in box),
            max(y for _, y in box),
        )
        for box, text, confidence in found or []
        if text.strip() and float(confidence) >= MIN_CONFIDENCE
    ]
    blocks = tuple(Paragraph(line.text) for line in lines_of(words))
    status = "read" if blocks else "tables_as_images"
    return Document("image", blocks, status=status, notes=("read by OCR",), is_ocr=bool(blocks))


def _recogniser() -> Any:
    """The OCR engine, None where the extra is not installed."""
    try:
        from rapidocr_onnxruntime import RapidOCR  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    return RapidOCR()


def _pixels(data: bytes) -> Any:
    """The first frame as RGB. Its size is checked before a pixel is unpacked."""
    import numpy as np

    try:
        with Image.open(BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Refused(
                    f"the picture has {picture.width} x {picture.height} points; at most 60 million are read"
                )
            return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused(f"the picture is damaged ({error})") from error
