"""A plain text → Document: rows with pipes become grids, cells with lone pipes strips, the rest paragraphs.

Tells layouts by their pipes and blank lines alone; knows no form.
"""

from __future__ import annotations

import re

from extractors.decode import decode
from extractors.errors import Refused
from extractors.records import Block, Document, Grid, GridCell, Paragraph, Strip

MOST_CHARACTERS = 12_000_000
MOST_LINES = 200_000
LONGEST_PARAGRAPH = 200_000
_MARKDOWN_RULE = re.compile(r"^[\s|:\-]*-{2,}[\s|:\-]*$")
_LEAST_CELLS_OF_A_ROW = 3
_LONG_LINE = 40


def read_text(data: bytes, content_type: str = "") -> Document:
    """Reads a text file; `Refused` when it is longer than any report (12 million characters)."""
    text = decode(data, content_type)
    if len(text) > MOST_CHARACTERS:
        raise Refused(f"the text has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read")
    return Document(carrier="text", **blocks_of_text(text))  # type: ignore[arg-type]


def blocks_of_text(text: str) -> dict[str, object]:
    """`blocks` and `cut` of a Document from a text, also one that stands whole inside a page."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    is_cut = bool(text) and text[-1:].isdigit()
    blocks: list[Block] = []
    run: list[str] = []
    gap = 0
    lines = text.split("\n", MOST_LINES)
    for line in lines[:MOST_LINES]:
        if "|" in line or "｜" in line:
            run.append(line.replace("｜", "|"))
            continue
        if run and line.strip():
            blocks += _piped(run, cut=False)
            run = []
        folded = " ".join(line.split())
        if folded:
            blocks.append(Paragraph(folded[:LONGEST_PARAGRAPH], gap))
            gap = 0
        else:
            gap += 1
    if run:
        blocks += _piped(run, cut=is_cut)
    return {"blocks": tuple(blocks), "cut": is_cut}


def _piped(run: list[str], cut: bool) -> list[Block]:
    """A run of lines with pipes: rows when most lines hold several cells, else a strip of cells."""
    rows = [line for line in run if not _MARKDOWN_RULE.match(line)]
    several = sum(_printed_cells(line) >= _LEAST_CELLS_OF_A_ROW for line in rows)
    is_one_line = len(rows) == 1 and rows[0].count("|") > _LONG_LINE
    if several and not is_one_line:
        leads = sum(line.lstrip().startswith("|") for line in rows) > len(rows) / 2
        return [Grid(rows=tuple(_row(line, i, leads) for i, line in enumerate(rows)), padded=True, cut=cut)]
    if is_one_line or len(rows) > 2:
        cells = "".join(rows).split("|")
        return [Strip(cells=tuple(" ".join(cell.split()) for cell in cells[:MOST_LINES]), cut=cut)]
    return [Paragraph(" ".join(line.split())[:LONGEST_PARAGRAPH]) for line in rows]


def _printed_cells(line: str) -> int:
    return sum(bool(cell.strip()) for cell in line.split("|"))


def _row(line: str, number: int, leads: bool) -> tuple[GridCell, ...]:
    """Fields between pipes; the pipe that opens and the one that closes a line bound no cell of their own."""
    fields = [" ".join(text.split()) for text in line.split("|")[:200]]
    if leads and len(fields) > 1 and not fields[0]:
        fields = fields[1:]
    if len(fields) > 1 and not fields[-1]:
        fields = fields[:-1]
    return tuple(GridCell(text, number, column) for column, text in enumerate(fields))
