"""The records that pass from step to step: what was found, what was fetched, what was read, what was matched.

Records only carry; none of them parses, fetches or decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

APPLICANTS = (
    "natural_person",
    "business",
    "research",
    "public_interest",
    "legal_service",
    "other_org",
    "total",
)
"""The seven columns of the requests table, in printed order: six kinds of applicants and their total."""


new_record = tuple.__new__
"""`new_record(GridCell, (…))` with every field named in order: half the time of the constructor, for the hundreds of cells
of each document."""


class GridCell(NamedTuple):
    """One printed cell. `row`, `column` are 0-based places in the grid after spans are laid out."""

    text: str
    row: int
    column: int
    rowspan: int = 1
    colspan: int = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as printed.

    `rows[i]` holds the cells that start in printed row i, in printed order; a cell that reaches in from a row
    above is not repeated. `widths` are given where converters fill rows up at their ends in place of spans (text with
    pipes): how many fields each row has, that filling included, which is no cell of the form and not among its cells;
    a cell's column is then its place in the row. `cut` says that the source ends inside this table's last cell, whose
    text can therefore not be trusted.
    """

    rows: tuple[tuple[GridCell, ...], ...]
    widths: tuple[int, ...] = ()
    cut: bool = False

    @property
    def padded(self) -> bool:
        """Whether rows may be filled up, so that columns are not laid out."""
        return bool(self.widths)


class Paragraph(NamedTuple):
    """A stretch of running text, white space folded, never inside a table. `gap`: blank lines before it, in a text."""

    text: str
    gap: int = 0


@dataclass(frozen=True, slots=True)
class Strip:
    """Cells in printed order whose rows are lost (pipes, one cell a line). None stands for padding at a row's end."""

    cells: tuple[str | None, ...]
    cut: bool = False


Block = Grid | Paragraph | Strip


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader took from a snapshot, before any form is laid over it.

    blocks: grids and paragraphs in reading order. Tables are numbered by their order among the grids, from 1.
    title: the best title the carrier offers (meta, heading, document properties), or "".
    meta: labelled facts of the page, keys as printed without white space (发布机构, 发布日期, ContentSource, PubDate, ...).
    status: `read`, or why there is nothing to match: `tables_as_images`, `attachment_only`, `unread`.
    notes: sentences about what the reader could not do, for the findings.
    attachments: links to files, absolute where the source's address is known.
    is_ocr: the text was read from a picture. images: pictures that stand inside the report's text.
    cut: the source ends in the middle of its last paragraph.
    """

    carrier: str
    blocks: tuple[Block, ...]
    title: str = ""
    meta: dict[str, str] = field(default_factory=dict)
    status: str = "read"
    notes: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    is_ocr: bool = False
    images: int = 0
    cut: bool = False

    @property
    def grids(self) -> list[Grid]:
        return [block for block in self.blocks if isinstance(block, Grid)]

    @property
    def paragraphs(self) -> list[str]:
        return [block.text for block in self.blocks if isinstance(block, Paragraph)]


class Cell(NamedTuple):
    """One cell of a form, found in a document. Its value is read later, by `transforms.tidy`.

    `printed` is the text that holds the value; `raw_text` the whole cell or, for prose, the sentence.
    `unit_text` is the unit the header or label names ("" when none does).
    `mark` says what is special: "" (nothing), `column_lost` (the layout no longer tells which column the value
    belongs to; never a number), `cut` (the source ends inside the cell), `ocr`.
    `table` counts from 1, `row` and `column` from 1 inside the table as laid out; 0 stands for prose.
    """

    indicator: str
    applicant: str | None
    printed: str
    raw_text: str
    unit_text: str
    mark: str
    table: int
    row: int
    column: int


class Leftover(NamedTuple):
    """What the reader saw in or near a statutory table and did not use: named, so that nothing is dropped in silence."""

    reason_code: str
    reason: str
    raw_text: str
    table: int
    row: int
    column: int


class Chapter(NamedTuple):
    """One chapter of the prose. `chapter` is the canonical name (overview, proactive, requests, review, problems, other)."""

    chapter: str
    ordinal: int
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who reports about which year, as the document itself says; sources name where each was found."""

    agency_name: str
    agency_source: str
    year: int | None
    year_source: str
    published_on: date | None
    title: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One stored response: what was asked, when, and where its untouched bytes lie."""

    source_url: str
    portal_id: str
    fetched_at: datetime
    sha256: str
    warc_path: str
    warc_offset: int
    content_type: str = ""
    listing_title: str = ""
    listing_date: date | None = None
