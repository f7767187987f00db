"""A plain text → Document: rows with pipes become grids, cells with lone pipes strips, the rest paragraphs.

Tells layouts by their pipes and blank lines alone; knows no form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from extractors.decode import decode
from extractors.errors import Refused
from extractors.labels import LONGEST_KNOWN
from extractors.records import Block, Document, Grid, GridCell, Paragraph, Strip, new_record

MOST_CHARACTERS = 12_000_000
MOST_LINES = 200_000
LONGEST_PARAGRAPH = 200_000
_MARKDOWN_RULE = re.compile(r"^[\s|:\-]*-{2,}[\s|:\-]*$")
_WIDE_SPACE = re.compile(r"\s\s|[^\S ]")
"""White space that is more than the single spaces around fields and words; what is printable has none but spaces."""
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
_LEADING = 0.9
"""Share of the lines that begin with a pipe where it leads each row; in fewer it parts an empty first cell."""
_LEAST_CELLS_OF_A_ROW = 3
_LONG_LINE = 40
_FIRST_LINES = 5
_SHORTEST_HEAD = 10
_LEAST_PAGES = 3
MOST_FIELDS = 200


def read_text(data: bytes, content_type: str = "") -> Document:
    """Reads a text file; `Refused` when it is longer than any report (12 million characters)."""
    text = decode(data, content_type)
    if len(text) > MOST_CHARACTERS:
        raise Refused(f"the text has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read")
    blocks, is_cut = blocks_of_text(text)
    return Document(carrier="text", blocks=blocks, cut=is_cut)


def blocks_of_text(text: str) -> tuple[tuple[Block, ...], bool]:
    """`blocks` and `cut` of a Document from a text, also one that stands whole inside a page."""
    if any(character in text for character in _INVISIBLE):
        text = text.translate(dict.fromkeys(map(ord, _INVISIBLE)))
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    is_cut = bool(text) and text[-1:].isdigit()
    blocks: list[Block] = []
    run: list[str] = []
    gap = 0
    lines = text.split("\n", MOST_LINES)
    has_pipes = "|" in text or "｜" in text
    for line in _without_running_heads(lines[:MOST_LINES]):
        if has_pipes and ("|" in line or "｜" in line):
            run.append(line.replace("｜", "|"))
            continue
        folded = line if not line or line.isdecimal() else " ".join(line.split())
        if folded:
            if run:
                blocks += _piped(run, cut=False)
                run = []
            blocks.append(new_record(Paragraph, (folded[:LONGEST_PARAGRAPH], gap)))
            gap = 0
        else:
            gap += 1
    if run:
        blocks += _piped(run, cut=is_cut)
    return tuple(blocks), is_cut


def _without_running_heads(lines: list[str]) -> list[str]:
    """Lines without the title that stands on every page again, where it parts rows and cells that belong together.

    A running head is a line without pipes that is among the first of the text and stands in it three times or more.
    """
    first = [line for line in lines[:_FIRST_LINES] if len(line) >= _SHORTEST_HEAD and "|" not in line]
    heads = {line for line in first if lines.count(line) >= _LEAST_PAGES}
    if not heads:
        return lines
    last = max(lines.index(line) for line in heads)
    return [line for number, line in enumerate(lines) if number <= last or line not in heads]


def _piped(run: list[str], cut: bool) -> list[Block]:
    """A run of lines with pipes: rows when lines hold several cells, else a strip of cells."""
    rows = [line for line in run if "--" not in line or not _MARKDOWN_RULE.match(line)]
    several = any(_printed_cells(line) >= _LEAST_CELLS_OF_A_ROW for line in rows if line.count("|") > 1)
    if not several and len(rows) > 2:
        # Two cells on most lines are a label and its number; one cell a line has two only where rows meet.
        several = [_printed_cells(line) for line in rows].count(2) > len(rows) / 2
    is_one_line = len(rows) == 1 and rows[0].count("|") > _LONG_LINE
    if several and not is_one_line:
        return [_grid(rows, cut, is_markdown=len(rows) < len(run))]
    if is_one_line:
        return [Strip(cells=tuple(_split(rows[0], is_one_line=True)), cut=cut)]
    if len(rows) > 2:
        return [Strip(cells=tuple(_cells_of_lines(rows)), cut=cut)]
    return [Paragraph(" ".join(line.split())[:LONGEST_PARAGRAPH]) for line in rows]


def _printed_cells(line: str) -> int:
    return _printed_known(line) if len(line) <= LONGEST_KNOWN else _count_printed(line)


def _count_printed(line: str) -> int:
    return sum(bool(cell.strip()) for cell in line.split("|"))


_printed_known = lru_cache(maxsize=8192)(_count_printed)


def _grid(rows: list[str], cut: bool, is_markdown: bool) -> Grid:
    """Lines as rows. Where nothing is padded and all rows are as long, fields stand in the table's own columns.

    So they do in markdown, whose rule spans all columns: a shorter row there has lost a cell.
    """
    leads = sum(line.lstrip().startswith("|") for line in rows) >= _LEADING * len(rows)
    fields = []
    for line in rows:
        row = _fields(line.strip())
        if leads and len(row) > 1 and not row[0]:
            row = row[1:]
        fields.append(row[:MOST_FIELDS])
    is_padded = any(None in row for row in fields)
    is_padded |= not is_markdown and len({len(row) for row in fields}) > 1
    cells = tuple(
        [
            tuple(
                [
                    new_record(GridCell, (text, number, column, 1, 1))
                    for column, text in enumerate(row)
                    if text is not None
                ]
            )
            for number, row in enumerate(fields)
        ]
    )
    return Grid(rows=cells, widths=tuple(map(len, fields)) if is_padded else (), cut=cut)


def _fields(line: str) -> Sequence[str | None]:
    """What stands between a line's pipes; None for padding.

    Converters write a row's cells with ` | ` between and after them and then a bare pipe for each column that spans
    swallowed: `a |  | ||` is a, a blank cell (two spaces), and two paddings (one space, nothing).
    """
    body = line.rstrip("| ")
    if not body or not body.isprintable():
        return _split(line)
    tail = line[len(body) :]
    end = _tail_known(tail) if len(tail) <= LONGEST_KNOWN else _split(f"-{tail}")[1:]
    if "  " not in body:
        return [*body.replace(" |", "|").replace("| ", "|").split("|"), *end]
    fields = [text.strip() for text in body.split("|")]
    return [*(" ".join(text.split()) if "  " in text else text for text in fields), *end]


def _split(line: str, is_one_line: bool = False) -> Sequence[str | None]:
    raw = line.split("|")
    if len(raw) > 1 and not raw[-1].strip():
        raw = raw[:-1]
    is_wide = _WIDE_SPACE.search(line)
    fields: list[str | None] = [" ".join(text.split()) if is_wide else text.strip() for text in raw]
    for place in range(len(raw) - 1, 0, -1):
        ends_row = place + 1 == len(raw) or fields[place + 1] is None or is_one_line
        if not raw[place] or (raw[place] == " " and ends_row):
            fields[place] = None
        elif not is_one_line:
            break  # padding stands at a row's end only
    return fields


@lru_cache(maxsize=1024)
def _tail_known(tail: str) -> Sequence[str | None]:
    """The fields behind a line's last print: rows of all tables end in the same few ways."""
    return _split(f"-{tail}")[1:]


def _cells_of_lines(rows: list[str]) -> list[str | None]:
    """One cell a line: pipes after a cell's own, and lines of several pipes alone, are padding."""
    cells: list[str | None] = []
    opens = (
        rows[0].strip() == "|"
    )  # then padding follows its row's last cell on the same line, even a blank one
    for line in rows:
        cells += _cells_known(line, opens) if len(line) <= LONGEST_KNOWN else _cells_of_line(line, opens)
    return cells


def _cells_of_line(line: str, opens: bool) -> list[str | None]:
    texts = [" ".join(text.split()) for text in line.split("|")]
    if texts[-1]:
        return [*texts]
    texts = texts[:-1]
    is_padding = len(texts) > 1 and not any(texts) and not opens
    return [None] * len(texts) if is_padding else [texts[0], *(text or None for text in texts[1:])]


_cells_known = lru_cache(maxsize=8192)(_cells_of_line)
