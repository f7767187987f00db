"""Lays the forms over a document: tables → cells named by indicator and applicant, and the leftovers by name.

The form is told by the tables, never by the year. A row whose columns cannot be told for certain gives cells marked
`column_lost` and no number. Reads no value: that is `numbers`, called when cells become observations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from extractors import forms
from extractors.grid_reader import GridReader
from extractors.loose_lines import LooseLines, is_heading
from extractors.records import Cell, Document, Grid, Leftover, Paragraph, Strip
from extractors.sheet import Sheet
from extractors.stream import StreamReader
from extractors.strip_rows import grids_of_strip

_YEAR = re.compile(r"(20\d\d)\s*年")
_LONGEST_CAPTION = 60


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
    others = _tables_of_other_years(document)
    for block in document.blocks:
        if isinstance(block, Paragraph):
            lines.append(block)
            continue
        stream.read(lines, table + 1)
        if any(is_heading(paragraph.text) for paragraph in lines):
            grids.forget()
        lines = []
        table += 1
        if id(block) in others:
            reason = "the line above names another year, and the report's own table stands elsewhere"
            sheet.leave("another_year", reason, others[id(block)], table, 1, 1)
        elif isinstance(block, Grid):
            grids.read(block, table)
        elif isinstance(block, Strip):
            for grid in grids_of_strip(block, loose.known.like, is_heading, loose.known.opens_row):
                grids.read(grid, table)
    stream.read(lines, table + 1, is_cut=document.cut)
    return Matched(*sheet.finish())


def _tables_of_other_years(document: Document) -> dict[int, str]:
    """id → caption of each grid whose caption names another year than the title, where a second grid of its kind stands.

    A caption alone decides nothing: agencies leave last year's above this year's table.
    """
    years = set(_YEAR.findall(document.title))
    if len(years) != 1:
        return {}
    captions: dict[int, str] = {}
    for above, block in zip(document.blocks, document.blocks[1:], strict=False):
        if isinstance(block, Grid) and isinstance(above, Paragraph) and len(above.text) <= _LONGEST_CAPTION:
            told = set(_YEAR.findall(above.text))
            if told and told.isdisjoint(years):
                captions[id(block)] = above.text
    if not captions:
        return {}
    kinds = {id(grid): _kind_of(grid) for grid in document.grids}
    own = {kind for number, kind in kinds.items() if number not in captions}
    return {number: text for number, text in captions.items() if kinds[number] and kinds[number] in own}


def _kind_of(grid: Grid) -> frozenset[str]:
    """The words of the forms that stand in a table: which of them it is."""
    text = "".join(cell.text for row in grid.rows for cell in row)
    return frozenset(mark for mark in forms.load("tables")["marks"] if mark in text)
