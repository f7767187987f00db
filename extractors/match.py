"""Lays the forms over a document: tables → cells named by indicator and applicant, and the leftovers by name.

The form is told by the tables, never by the year. A row whose columns cannot be told for certain gives cells marked
`column_lost` and no number. Reads no value: that is `numbers`, called when cells become observations.
"""

from __future__ import annotations

from dataclasses import dataclass

from extractors.grid_reader import GridReader
from extractors.loose_lines import LooseLines, is_heading
from extractors.records import Cell, Document, Grid, Leftover, Paragraph, Strip
from extractors.sheet import Sheet
from extractors.stream import StreamReader
from extractors.strip_rows import grids_of_strip


@dataclass(frozen=True)
class Matched:
    """Cells of one document, what was left over, and the form its tables use (None when no table was matched)."""

    form: str | None
    cells: list[Cell]
    leftovers: list[Leftover]


def match(document: Document) -> Matched:
    """Cells of every statutory table of a document, whatever its layout."""
    sheet = Sheet(is_ocr=document.is_ocr)
    grids = GridReader(sheet)
    loose = LooseLines()
    stream = StreamReader(sheet, loose)
    table = 0
    lines: list[Paragraph] = []
    for block in document.blocks:
        if isinstance(block, Paragraph):
            lines.append(block)
            continue
        stream.read(lines, table + 1)
        if any(is_heading(paragraph.text) for paragraph in lines):
            grids.forget()
        lines = []
        table += 1
        if isinstance(block, Grid):
            grids.read(block, table)
        elif isinstance(block, Strip):
            for grid in grids_of_strip(block, loose.known.like, is_heading, loose.known.opens_row):
                grids.read(grid, table)
    stream.read(lines, table + 1, is_cut=document.cut)
    return Matched(*sheet.finish())
