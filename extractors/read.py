"""Bytes → Document, whatever the carrier: tells the kind by the bytes and calls the reader of that kind.

Also finds texts that stand whole inside a page (rows with pipes in paragraphs, a report inside one cell).
"""

from __future__ import annotations

from dataclasses import replace

from extractors.article import unwrap
from extractors.carrier import carrier_of
from extractors.errors import Refused
from extractors.loose_lines import is_heading
from extractors.read_html import read_html
from extractors.read_text import blocks_of_text, read_text
from extractors.records import Block, Document, Grid, Paragraph, Strip

MOST_BYTES = 64 << 20
"""Larger files are refused before anything reads them."""
_LONG_CELL = 600
_LONGEST_LONE_CELL = 40
_TABLE_WORDS = ("第二十条", "自然人", "结果维持", "统计指标")


def read_document(data: bytes, url: str = "", content_type: str = "") -> Document:
    """Reads a snapshot's bytes. `Refused` with the reason when there is nothing a report could be in."""
    if len(data) > MOST_BYTES:
        raise Refused(f"{len(data):,} bytes; files of more than {MOST_BYTES:,} are not read")
    carrier = carrier_of(data, url)
    if carrier in ("html", "text") and (page := unwrap(data)):
        return _with_inner_texts(read_html(page, url))
    if carrier == "html":
        return _with_inner_texts(read_html(data, url, content_type))
    if carrier == "text":
        return read_text(data, content_type)
    if carrier == "pdf":
        from extractors.read_pdf import read_pdf

        return read_pdf(data)
    if carrier in ("docx", "xlsx", "xls", "doc", "wps", "rtf"):
        from extractors import read_office

        reader = {"docx": read_office.read_docx, "xlsx": read_office.read_xlsx, "xls": read_office.read_xls}
        return reader[carrier](data) if carrier in reader else read_office.read_legacy(data, carrier)
    if carrier == "image":
        from extractors.read_image import read_image

        return read_image(data)
    if carrier == "empty":
        raise Refused("the file is empty")
    raise Refused(f"the bytes are no page, text, PDF, Office file or picture (kind: {carrier})")


def _with_inner_texts(document: Document) -> Document:
    """Grids whose cell holds a whole report, and paragraphs with pipes, read as the texts they are."""
    blocks: list[Block] = []
    changed = False
    piped: list[Paragraph] = []

    def close() -> bool:
        lines = list(piped)
        piped.clear()
        # Where the page goes on below, the last line is whole; a page may end inside it.
        end = "\n" if lines[-1] is not document.blocks[-1] else ""
        if len(lines) < 3 and sum(p.text.count("|") for p in lines) < 30:
            blocks.extend(lines)
            return False
        rows = (p.text if "|" in p.text else f"{p.text} |" for p in lines)
        inner, _ = blocks_of_text("\n".join(rows) + end)
        blocks.extend(inner)
        return any(isinstance(block, Grid | Strip) for block in inner)

    for number, block in enumerate(document.blocks):
        if isinstance(block, Paragraph) and (
            "|" in block.text or (piped and _stands_between(document, number))
        ):
            piped.append(block)
            continue
        if piped:
            changed |= close()
        text = _long_cell(block) if isinstance(block, Grid) else ""
        if text:
            blocks += blocks_of_text(text)[0]
            changed = True
        else:
            blocks.append(block)
    if piped:
        changed |= close()
    return replace(document, blocks=tuple(blocks)) if changed else document


def _stands_between(document: Document, number: int) -> bool:
    """Whether a line without a pipe is a row of the table around it: a short one, no heading, pipes below it too."""
    following = document.blocks[number + 1 : number + 2]
    text = "".join(
        block.text for block in document.blocks[number : number + 1] if isinstance(block, Paragraph)
    )
    goes_on = any(isinstance(block, Paragraph) and "|" in block.text for block in following)
    return goes_on and len(text) <= _LONGEST_LONE_CELL and not is_heading(text)


def _long_cell(grid: Grid) -> str:
    """The text of a cell that holds the statutory tables as text, or ""."""
    for row in grid.rows:
        for cell in row:
            if len(cell.text) > _LONG_CELL and any(word in cell.text for word in _TABLE_WORDS):
                return cell.text
    return ""
