"""Cells in printed order without rows → grids: rows begin at the forms' labels, their width is the usual distance.

A stretch between two labels that is not as long as a row stays one short row, which the matcher then reads only
if nothing can be missing from it. Reads no value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from extractors.labels import key
from extractors.records import Grid, GridCell, Strip

_LONG_CELL = 30
_MOST_WORDS = 12
_MOST_LABELS = 3
"""Labels a row of any form begins with at most: 三、本年度办理结果 | （三）不予公开 | 1.属于国家秘密."""


def grids_of_strip(
    strip: Strip,
    is_label: Callable[[str], bool],
    is_heading: Callable[[str], bool],
    opens_row: Callable[[str, str], bool],
) -> Iterator[Grid]:
    """The tables of a strip, one after the other; a chapter's heading inside a cell ends a table."""
    pieces = list(_pieces(strip.cells, is_label, is_heading))
    for number, piece in enumerate(pieces):
        if len(piece) > 1:
            yield _grid(piece, is_label, opens_row, cut=strip.cut and number + 1 == len(pieces))


def _pieces(
    cells: Sequence[str | None], is_label: Callable[[str], bool], is_heading: Callable[[str], bool]
) -> Iterator[list[str | None]]:
    piece: list[str | None] = []
    for cell in cells:
        label = _own_text(cell, is_label, is_heading) if cell and " " in cell else cell
        if label != cell or (cell and is_heading(cell) and not is_label(key(cell))):
            yield piece
            piece = []
        piece.append(label)
    yield piece


def _header_length(labels: Sequence[bool]) -> int:
    """How many labels a stretch begins with when they are more than a row has; 0 otherwise."""
    length = next((i for i, here in enumerate(labels) if not here), len(labels))
    return length if length > _MOST_LABELS else 0


def _own_text(cell: str, is_label: Callable[[str], bool], is_heading: Callable[[str], bool]) -> str:
    """A cell without the prose that ran into it (a report on one line): the label it ends in, or what follows a heading."""
    words = cell.split()
    if is_label(key(cell)):
        return cell
    for place in range(max(0, len(words) - _MOST_WORDS), len(words)):
        if is_label(key("".join(words[place:]))):
            return " ".join(words[place:])
    for place in range(len(words) - 1, -1, -1):
        word = words[place]
        if is_heading(word) or (word.endswith(("。", "；")) and len(cell) > _LONG_CELL):
            return " ".join(words[place + 1 :])
    return cell


def _grid(
    cells: Sequence[str | None],
    is_label: Callable[[str], bool],
    opens_row: Callable[[str, str], bool],
    cut: bool,
) -> Grid:
    labels = [bool(cell) and is_label(key(cell or "")) for cell in cells]
    starts = [
        i
        for i, here in enumerate(labels)
        if here and not (i and labels[i - 1] and not opens_row(key(cells[i] or ""), key(cells[i - 1] or "")))
    ]
    if not starts:
        return Grid(rows=())
    distances = Counter(b - a for a, b in pairwise(starts))
    width = max(distances, key=lambda size: (distances[size], size)) if distances else len(cells)
    opens = not cells[0] and cells[0] is not None
    chunks: list[Sequence[str | None]] = []
    for start, end in zip(starts, [*starts[1:], len(cells)], strict=True):
        header = start + _header_length(labels[start:end])
        if header > start and any(cells[header:end]):
            # Values below a header whose own row has no label: the fifteen of reviews and lawsuits.
            while cells[header] is None:
                header += 1
            header += opens
            chunks += [cells[start:header], cells[header:end]]
            continue
        length = end - start
        is_whole = length % width == 0 or end == len(cells)
        step = width if is_whole else length
        chunks += [cells[i : min(i + step, end)] for i in range(start, end, step)]
    if opens:
        # The cell that opens the next row stands at the end of each but the last.
        chunks = [c[:-1] if len(c) == width or c is not chunks[-1] else c for c in chunks]
    chunks = [chunk for chunk in chunks if chunk]
    rows = tuple(
        tuple(GridCell(text, number, i) for i, text in enumerate(chunk) if text is not None)
        for number, chunk in enumerate(chunks)
    )
    return Grid(rows, widths=tuple(map(len, chunks)), cut=cut)
