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
from extractors.numbers import is_value_like
from extractors.records import Cell, Document, Grid, Leftover, Paragraph, Strip
from extractors.sheet import Sheet
from extractors.stream import StreamReader
from extractors.strip_rows import grids_of_strip

_YEAR = re.compile(r"(20\d\d)\s*年")
_LONGEST_CAPTION = 60
_SAME_LABELS = 0.7
"""Share of a table's words that its twin for another year prints; parts of one table split in several share less."""


@dataclass(frozen=True)
class Matched:
    """Cells of one document, what was left over, and the form its tables use (None when no table was matched).

    of_tables: numbers, from 1, of the document's paragraphs that are cells of tables printed without borders.
    """

    form: str | None
    cells: list[Cell]
    leftovers: list[Leftover]
    of_tables: frozenset[int] = frozenset()


def match(document: Document) -> Matched:
    """Cells of every statutory table of a document, whatever its layout."""
    sheet = Sheet(is_ocr=document.is_ocr)
    grids = GridReader(sheet)
    loose = LooseLines()
    stream = StreamReader(sheet, loose)
    table = 0
    lines: list[Paragraph] = []
    others = _tables_of_other_years(document)
    of_tables: list[int] = []
    passed = 1
    for block in document.blocks:
        if isinstance(block, Paragraph):
            lines.append(block)
            continue
        of_tables += [passed + place for place in stream.read(lines, table + 1)]
        passed += len(lines)
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
            for grid in grids_of_strip(block, loose.known):
                grids.read(grid, table)
    of_tables += [passed + place for place in stream.read(lines, table + 1, is_cut=document.cut)]
    return Matched(*sheet.finish(), frozenset(of_tables))


def _tables_of_other_years(document: Document) -> dict[int, str]:
    """id → caption of each grid whose caption names another year than the title, where its twin stands too.

    A caption alone decides nothing: agencies leave last year's above this year's table.
    """
    first = next((block.text for block in document.blocks if isinstance(block, Paragraph)), "")
    years = set(_YEAR.findall(document.title or first[:_LONGEST_CAPTION]))
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
    own = [_labels_of(grid) for grid in document.grids if id(grid) not in captions]
    repeated = {}
    for grid in document.grids:
        labels = _labels_of(grid) if id(grid) in captions else frozenset()
        if labels and any(len(labels & others) >= _SAME_LABELS * len(labels) for others in own):
            repeated[id(grid)] = captions[id(grid)]
    return repeated


def _labels_of(grid: Grid) -> frozenset[str]:
    """The words of a statutory table, which its twin for another year prints too; none for other tables."""
    texts = frozenset(
        cell.text for row in grid.rows for cell in row if cell.text and not is_value_like(cell.text)
    )
    marks = forms.load("tables")["marks"]
    return texts if any(mark in text for mark in marks for text in texts) else frozenset()
