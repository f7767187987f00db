"""A PDF to a `Document`: ruled tables as grids, everything else as lines of text, in reading order.

A table that goes on over pages becomes one grid; page numbers and running heads are dropped. Rows of tables
without rules come out one paragraph a printed line. A PDF without a text layer yields no numbers:
`tables_as_images`. Text that is drawn invisibly (an earlier, unchecked OCR under a scan) is not printed and
not read. Never mends a damaged file: a wrong digit would look like a right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pdfplumber
import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractors.errors import Refused
from extractors.pdf_check import check_whole
from extractors.pdf_columns import tell_columns
from extractors.pdf_furniture import drop_furniture
from extractors.pdf_page import UNKNOWN, Char, Page, Picture, read_page, turned_box
from extractors.pdf_tables import Fragment, Item, fragments_of, grid_of, join_over_pages
from extractors.print_lines import Line, joined, lines_of
from extractors.records import Block, Document, Paragraph
from extractors.rulings import find_frames

MAX_PAGES = 500
MAX_CHARACTERS = 2_000_000

_FULL = 1.6
_INDENT = 0.8
"""Character heights: how far short of the right margin a wrapped line ends, and how far paragraphs go in."""


def read_pdf(data: bytes) -> Document:
    """The tables and the text of a PDF. `Refused` when it is encrypted, damaged or far too large."""
    check_whole(data)
    try:
        pdf = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise Refused(
                "the PDF is encrypted and needs a password; ask the agency for an open copy"
            ) from error
        raise Refused(f"the file is no readable PDF ({error})") from error
    try:
        if len(pdf) > MAX_PAGES:
            raise Refused(
                f"the PDF has {len(pdf):,} pages; a report has far fewer, and at most {MAX_PAGES} are read"
            )
        return _document(_pages(pdf, data))
    except pdfium.PdfiumError as error:
        raise Refused(f"the PDF is damaged: {error}") from error
    finally:
        pdf.close()


@dataclass(slots=True)
class _Reading:
    """What the pages gave: their items in reading order, large pictures, and notes."""

    pages: list[list[Item]] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    pictures: list[tuple[int, Picture]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _pages(pdf: pdfium.PdfDocument, data: bytes) -> _Reading:
    reading = _Reading()
    characters = 0
    for number in range(len(pdf)):
        handle = pdf[number]
        page = read_page(handle)
        handle.close()
        if page.dropped_text and not (page.invisible_text or page.white_text):
            page = page._replace(chars=_all_chars(data, number, page))
        characters += len(page.chars)
        if characters > MAX_CHARACTERS:
            raise Refused(f"the PDF holds more than {MAX_CHARACTERS:,} characters; a report has far fewer")
        reading.pages.append(_items(page, number + 1, reading.notes))
        reading.heights.append(page.height)
        reading.pictures += [(number + 1, picture) for picture in page.pictures if _is_large(picture, page)]
        if not (page.chars or page.pictures):
            reading.notes.append(f"page {number + 1} shows neither text nor picture")
        if page.invisible_text:
            reading.notes.append(f"page {number + 1}: invisible text lies under the picture and was not read")
    return reading


def _all_chars(data: bytes, number: int, page: Page) -> list[Char]:
    """Every character of a page, read by pdfplumber: slower, but it leaves none out."""

    def box(c: dict[str, Any]) -> tuple[float, float, float, float]:
        shown = (c["x0"], c["top"], c["x1"], c["bottom"])
        return turned_box(shown, page.turned, page.width, page.height)

    with pdfplumber.open(BytesIO(data), pages=[number + 1]) as pdf:
        chars = pdf.pages[0].chars
    if len(chars) > MAX_CHARACTERS:
        raise Refused(f"page {number + 1} holds {len(chars):,} characters; a report has far fewer")
    return [Char(c["text"] if len(c["text"]) == 1 else UNKNOWN, *box(c)) for c in chars if c["text"].strip()]


def _is_large(picture: Picture, page: Page) -> bool:
    """Large enough to be a table, or a page, as a picture; seals, emblems and bars are smaller."""
    return picture.x1 - picture.x0 >= 0.4 * page.width and picture.y1 - picture.y0 >= 0.08 * page.height


def _items(page: Page, number: int, notes: list[str]) -> list[Item]:
    """Table fragments and lines of one page, top to bottom."""
    try:
        frames = find_frames(page.horizontals, page.verticals)
    except ValueError as error:
        notes.append(f"page {number}: the drawing is no table ({error}); only its text was read")
        frames = []
    fragments, outside = fragments_of(page, frames)
    if any(UNKNOWN in text for fragment in fragments for text in fragment.texts):
        notes.append(f"page {number}: characters in a table could not be told; they are printed as {UNKNOWN}")
    return sorted([*fragments, *lines_of(outside)], key=lambda item: (item.y0, item.x0))


def _document(reading: _Reading) -> Document:
    drop_furniture(reading.pages, reading.heights)
    tell_columns(reading.pages)
    items = list(join_over_pages(reading.pages))
    blocks = tuple(_blocks(items))
    grids = any(isinstance(item, Fragment) for item in items)
    rows = sum(isinstance(item, Line) and item.tabular for item in items)
    status = "read"
    if not grids and rows < 2 and (reading.pictures or not blocks):
        status = "tables_as_images"
        reading.notes.append(_where(reading.pictures))
    elif any(not page for page in reading.pages) and reading.pictures:
        reading.notes.append(f"not all was read: {_where(reading.pictures)}")
    return Document(
        "pdf",
        blocks,
        _title(reading.pages),
        status=status,
        notes=tuple(reading.notes),
        images=len(reading.pictures),
    )


def _where(pictures: list[tuple[int, Picture]]) -> str:
    if not pictures:
        return "the PDF holds no text; what it shows is drawn as shapes"
    pages = ", ".join(str(number) for number in sorted({number for number, _ in pictures}))
    return f"large pictures without text stand on page {pages}"


def _blocks(items: list[Item]) -> Iterator[Block]:
    """Grids, and lines joined to the paragraphs they were wrapped from."""
    left, right = _margins([item for item in items if isinstance(item, Line)])
    waiting: Line | None = None
    text = ""
    for item in items:
        if isinstance(item, Line) and waiting and _goes_on(waiting, item, left, right):
            text = joined(text, item.text)
            waiting = item
            continue
        if text:
            yield Paragraph(text)
        if isinstance(item, Line):
            waiting, text = item, item.text
        else:
            waiting, text = None, ""
            yield grid_of(item)
    if text:
        yield Paragraph(text)


def _margins(lines: list[Line]) -> tuple[float, float]:
    """Left and right edge of the running text: where its long lines begin and end."""
    long = [line for line in lines if not line.tabular and line.x1 - line.x0 > 18 * line.size]
    if not long:
        return 0.0, float("inf")
    lefts = sorted(line.x0 for line in long)
    rights = sorted(line.x1 for line in long)
    return lefts[len(lefts) // 10], rights[-1 - len(rights) // 10]


def _goes_on(line: Line, following: Line, left: float, right: float) -> bool:
    """Whether the text of `line` was wrapped into `following`; rows of tables never are."""
    return (
        not line.tabular
        and not following.tabular
        and line.x1 >= right - _FULL * line.size
        and following.x0 <= left + _INDENT * following.size
        and abs(line.size - following.size) < 0.25 * max(line.size, following.size)
    )


_SENTENCE = re.compile(r"[。；]")


def _title(pages: list[list[Item]]) -> str:
    """The lines at the head of the first page in the largest type, when it is larger than the text's."""
    lines = [item for item in pages[0] if isinstance(item, Line)] if pages else []
    sizes = sorted(item.size for page in pages for item in page if isinstance(item, Line))
    if not sizes:
        return ""
    body = sizes[len(sizes) // 2]
    title = ""
    for line in lines[:12]:
        if line.size >= 1.15 * body and not _SENTENCE.search(line.text):
            title = joined(title, line.text)
        elif title:
            break
    return title
