"""Cells in printed order without rows → grids: rows begin at the forms' labels, their width is the usual distance.

A stretch between two labels that is not as long as a row stays one short row, which the matcher then reads only
if nothing can be missing from it. Reads no value: which number a cell holds changes no row, so that the rows of strips
with the same labels are found once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

from extractors.known_labels import KnownLabels
from extractors.known_rows import LONGEST_TABLE, Layout, keep_table, known_rows, shape_of_strip
from extractors.labels import key
from extractors.loose_lines import is_heading
from extractors.records import Grid, GridCell, Strip, new_record

_LONG_CELL = 30
_MOST_WORDS = 12
_MOST_LABELS = 3
"""Labels a row of any form begins with at most: 三、本年度办理结果 | （三）不予公开 | 1.属于国家秘密."""

Numbered = Sequence[tuple[int, str | None]]
"""Cells with their places in the strip."""


def grids_of_strip(strip: Strip, labels: KnownLabels) -> Iterator[Grid]:
    """The tables of a strip, one after the other; a chapter's heading inside a cell ends a table."""
    known: dict[Hashable, tuple[Layout, ...]] = known_rows().strips
    shape = shape_of_strip(strip.cells)
    layouts = known.get(shape)
    if layouts is None:
        layouts = tuple(_layouts(strip.cells, labels))
        if len(shape) <= LONGEST_TABLE:
            keep_table(known, shape, layouts)
    for layout in layouts:
        cells = [*strip.cells]
        for place, own_text in layout.texts.items():
            cells[place] = own_text
        rows = tuple(
            [
                tuple(
                    [
                        new_record(GridCell, (text, number, column, 1, 1))
                        for column, place in enumerate(row)
                        if (text := cells[place]) is not None
                    ]
                )
                for number, row in enumerate(layout.rows)
            ]
        )
        yield Grid(rows, widths=tuple(map(len, layout.rows)), cut=strip.cut and layout is layouts[-1])


def _layouts(cells: Sequence[str | None], labels: KnownLabels) -> Iterator[Layout]:
    for piece in _pieces(cells, labels):
        texts = {place: text for place, text in piece if text is not None and text != cells[place]}
        yield Layout(_rows_of(piece, labels) if len(piece) > 1 else (), texts)


def _pieces(cells: Sequence[str | None], labels: KnownLabels) -> Iterator[Numbered]:
    piece: list[tuple[int, str | None]] = []
    for place, cell in enumerate(cells):
        label = _own_text(cell, labels) if cell and " " in cell else cell
        if label != cell or (cell and is_heading(cell) and not labels.like(key(cell))):
            yield piece
            piece = []
        piece.append((place, label))
    yield piece


def _header_length(labels: Sequence[bool]) -> int:
    """How many labels a stretch begins with when they are more than a row has; 0 otherwise."""
    length = next((i for i, here in enumerate(labels) if not here), len(labels))
    return length if length > _MOST_LABELS else 0


def _own_text(cell: str, labels: KnownLabels) -> str:
    """A cell without the prose that ran into it (a report on one line): the label it ends in, or what follows a heading."""
    words = cell.split()
    if labels.like(key(cell)):
        return cell
    for place in range(max(0, len(words) - _MOST_WORDS), len(words)):
        if labels.like(key("".join(words[place:]))):
            return " ".join(words[place:])
    for place in range(len(words) - 1, -1, -1):
        word = words[place]
        if is_heading(word) or (word.endswith(("。", "；")) and len(cell) > _LONG_CELL):
            return " ".join(words[place + 1 :])
    return cell


def _rows_of(piece: Numbered, labels: KnownLabels) -> tuple[tuple[int, ...], ...]:
    """The places of a piece's cells, row by row."""
    cells = [cell for _, cell in piece]
    keys = [key(cell or "") for cell in cells]
    is_label = [bool(cell) and labels.like(k) for cell, k in zip(cells, keys, strict=True)]
    starts = [
        i
        for i, here in enumerate(is_label)
        if here and not (i and is_label[i - 1] and not labels.opens_row(keys[i], keys[i - 1]))
    ]
    if not starts:
        return ()
    distances = Counter(b - a for a, b in pairwise(starts))
    width = max(distances, key=lambda size: (distances[size], size)) if distances else len(cells)
    opens = not cells[0] and cells[0] is not None
    chunks: list[range] = []
    for start, end in zip(starts, [*starts[1:], len(cells)], strict=True):
        header = start + _header_length(is_label[start:end])
        if header > start and any(cells[header:end]):
            # Values below a header whose own row has no label: the fifteen of reviews and lawsuits.
            while cells[header] is None:
                header += 1
            header += opens
            chunks += [range(start, header), range(header, end)]
            continue
        length = end - start
        is_whole = length % width == 0 or end == len(cells)
        step = width if is_whole else length
        chunks += [range(i, min(i + step, end)) for i in range(start, end, step)]
    if opens:
        # The cell that opens the next row stands at the end of each but the last.
        chunks = [c[:-1] if len(c) == width or c is not chunks[-1] else c for c in chunks]
    return tuple(tuple(piece[i][0] for i in chunk) for chunk in chunks if chunk)
