"""Frames and characters of PDF pages to table fragments, and fragments of following pages to whole tables.

Each printed cell once, at the row in which it starts. A number that runs over the wall of its cell is made
unreadable (U+FFFD at its end) rather than given to one of the two cells.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from extractors.pdf_page import UNKNOWN, Char, Page
from extractors.print_lines import Line, lines_of
from extractors.records import Grid, GridCell
from extractors.rulings import Area, Frame

_NEAR = 6.0
"""Points: edges of a table on two pages this near are the same column."""

_FULL = 1.8
"""Character heights a wrapped line of a cell ends short of the wall, at most."""

_ENUMERATED = re.compile(r"[\d０-９]+[.．、]|[（(〔]|[一二三四五六七八九十]+、")

_DIGITS = re.compile(r"[\d０-９]")
_ALL_DIGITS = re.compile(r"[\d０-９][\d０-９,，.．]*")
PADDING = 6.5
"""Points that producers keep free on each side of a cell, at most."""

_FEWEST_SINGLE = 2
"""Numbers of one line that a row must hold beside one of several lines."""

_LABEL = re.compile(r"[\d０-９]+[.．、]|[（(〔]|[一二三四五六七八九十]+、|[\u4e00-\u9fff]{2}")

_TOUCHING = 0.15
"""Character heights: digits nearer than this across a wall are one run of digits."""


@dataclass(slots=True)
class Fragment:
    """A ruled table, or its part on one page: its cells with their texts, and their lines as printed.

    `full`: the last line of the cell's text reaches the cell's right wall, so that the text may go on.
    """

    xs: list[float]
    rows: int
    areas: list[Area]
    texts: list[str]
    full: list[bool]
    lines: list[Line]
    y0: float
    y1: float

    @property
    def x0(self) -> float:
        return self.xs[0]


Item = Fragment | Line


def fragments_of(page: Page, frames: Sequence[Frame]) -> tuple[list[Fragment], list[Char]]:
    """The page's table fragments, and the characters outside them. Boxes around text and page borders are no
    tables.
    """
    frames = [f for f in frames if len(f.areas) > 1 or f.ys[-1] - f.ys[0] < 0.1 * page.height]
    frames = sorted(frames, key=lambda f: (f.xs[-1] - f.xs[0]) * (f.ys[-1] - f.ys[0]))
    held: list[list[list[Char]]] = [[[] for _ in frame.areas] for frame in frames]
    outside = []
    for char in page.chars:
        x, y = (char.x0 + char.x1) / 2, (char.y0 + char.y1) / 2
        for frame, areas in zip(frames, held, strict=True):
            area = frame.place(x, y)
            if area is not None:
                areas[area].append(char)
                break
        else:
            outside.append(char)
    return [_fragment(frame, areas) for frame, areas in zip(frames, held, strict=True)], outside


def _fragment(frame: Frame, chars: list[list[Char]]) -> Fragment:
    cells = [lines_of(inside) for inside in chars]
    texts = ["\n".join(line.text for line in lines) for lines in cells]
    for index in _wrapped_numbers(frame, cells):
        texts[index] = "".join(line.text for line in cells[index])
    for area in _overrun(cells):
        texts[area] += UNKNOWN
    return Fragment(
        list(frame.xs),
        len(frame.ys) - 1,
        list(frame.areas),
        texts,
        [
            bool(lines) and lines[-1].x1 > frame.xs[area.right] - _FULL * lines[-1].size
            for area, lines in zip(frame.areas, cells, strict=True)
        ],
        sorted((line for lines in cells for line in lines), key=lambda line: line.y0),
        frame.ys[0],
        frame.ys[-1],
    )


def _wrapped_numbers(frame: Frame, cells: list[list[Line]]) -> list[int]:
    """Areas whose one number runs on into a second line for want of room.

    Only where no other cell of the row says otherwise: a rule missing between two rows would leave two numbers, one
    above the other, in most of its cells.
    """
    rows: dict[tuple[int, int], list[int]] = {}
    for index, (area, lines) in enumerate(zip(frame.areas, cells, strict=True)):
        if lines and _DIGITS.match(lines[0].text):
            rows.setdefault((area.top, area.bottom), []).append(index)
    found = []
    for row in rows.values():
        several = [i for i in row if len(cells[i]) > 1 and _DIGITS.match(cells[i][-1].text)]
        singles = sum(len(cells[i]) == 1 for i in row)
        if several and singles >= _FEWEST_SINGLE and all(_is_forced(frame, i, cells[i]) for i in several):
            found += several
    return found


def _is_forced(frame: Frame, index: int, lines: list[Line]) -> bool:
    """Whether each line but the last leaves no room for one more digit between the cell's walls."""
    area = frame.areas[index]
    room = frame.xs[area.right] - frame.xs[area.left] - 2 * PADDING
    return all(
        _ALL_DIGITS.fullmatch(line.text) and room - (line.x1 - line.x0) < (line.x1 - line.x0) / len(line.text)
        for line in lines[:-1]
    )


def _overrun(cells: list[list[Line]]) -> set[int]:
    """Areas whose digits touch another area's digits on the same line: nobody can tell whose they are."""
    ends = [(line, i) for i, lines in enumerate(cells) for line in lines if line.text[-1].isdigit()]
    starts = [(line, i) for i, lines in enumerate(cells) for line in lines if line.text[0].isdigit()]
    by_height: dict[int, list[tuple[Line, int]]] = {}
    for line, i in starts:
        by_height.setdefault(int(line.y0 + line.y1) // 8, []).append((line, i))
    hit: set[int] = set()
    for line, i in ends:
        band = int(line.y0 + line.y1) // 8
        for near in (band - 1, band, band + 1):
            for other, j in by_height.get(near, ()):
                gap = other.x0 - line.x1
                if i != j and abs(gap) < _TOUCHING * line.size and abs(other.y0 - line.y0) < 0.5 * line.size:
                    hit |= {i, j}
    return hit


def join_over_pages(pages: list[list[Item]]) -> Iterator[Item]:
    """All items in reading order; a table that ends one page and goes on at the head of the next is one
    fragment.

    Tables of a single column are boxes around text: they come out as their lines.
    """
    items: list[Item] = []
    for page in pages:
        rest = list(page)
        if rest and items and isinstance(rest[0], Fragment) and isinstance(items[-1], Fragment):
            merged = _merged(items[-1], rest[0])
            if merged:
                items[-1] = merged
                rest = rest[1:]
        items += rest
    for item in items:
        if isinstance(item, Fragment) and len(item.xs) <= 2:
            yield from item.lines
        else:
            yield item


def _merged(first: Fragment, second: Fragment) -> Fragment | None:
    """Both as one table, None when the second is another table: other width, or columns of its own."""
    if abs(first.xs[0] - second.xs[0]) > _NEAR or abs(first.xs[-1] - second.xs[-1]) > _NEAR:
        return None
    if not (_within(first.xs, second.xs) or _within(second.xs, first.xs)):
        return None
    repeated = _repeated_rows(first, second)
    wide = max(first.xs, second.xs, key=len)
    areas = list(first.areas)
    if wide is not first.xs:
        areas = [_moved(area, first.xs, wide, 0) for area in areas]
    texts, full = list(first.texts), list(first.full)
    broken = _broken_row(first, second, repeated)
    skipped = repeated + bool(broken)
    for index, (rest, text) in broken.items():
        texts[index] += f"\n{text}"
        if rest.bottom > skipped:
            below = _moved(rest, second.xs, wide, first.rows - skipped)
            areas[index] = Area(areas[index].top, below.left, below.bottom, below.right)
    rests = [rest for rest, _ in broken.values()]
    for area, text, is_full in zip(second.areas, second.texts, second.full, strict=True):
        if area.bottom <= skipped or area in rests:
            continue
        area = Area(max(area.top, skipped), area.left, area.bottom, area.right)
        moved = _moved(area, second.xs, wide, first.rows - skipped)
        is_beside_label = area.bottom - area.top > 1 or _stands_left_of_label(second, area)
        above = _goes_on_from(areas, texts, moved, first.rows) if is_beside_label and not text else None
        if above is None:
            areas.append(moved)
            texts.append(text)
            full.append(is_full)
        else:
            areas[above] = Area(areas[above].top, moved.left, moved.bottom, moved.right)
    return Fragment(
        wide,
        first.rows + second.rows - skipped,
        areas,
        texts,
        full,
        [*first.lines, *second.lines],
        first.y0,
        second.y1,
    )


def _broken_row(first: Fragment, second: Fragment, row: int) -> dict[int, tuple[Area, str]]:
    """The rests of labels whose row was broken by the page's end, by their index in `first`; {} when none was.

    Only where nothing else can be meant: the row at the head of the next page prints the rest of a label that
    ran full to its wall, begins no item of its own, and is otherwise empty; the row above has its values.
    """
    head = [(area, text) for area, text in zip(second.areas, second.texts, strict=True) if area.top == row]
    rests = [(area, text) for area, text in head if text]
    last = {_extent(first, area): i for i, area in enumerate(first.areas) if area.bottom == first.rows}
    found: dict[int, tuple[Area, str]] = {}
    for area, text in rests:
        index = next((i for extent, i in last.items() if _same(extent, _extent(second, area))), None)
        if index is None or not first.full[index] or _ENUMERATED.match(text):
            return {}
        if first.texts[index].isdigit() or text.isdigit():
            return {}
        found[index] = area, text
    if all(area.bottom > row + 1 for area, _ in rests):
        return {}  # labels over several rows alone: a row of blanks begins them
    others = [i for i in last.values() if i not in found and first.texts[i]]
    return found if others and len(rests) < len(head) else {}


def _extent(fragment: Fragment, area: Area) -> tuple[float, float]:
    return fragment.xs[area.left], fragment.xs[area.right]


def _same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) <= _NEAR and abs(one[1] - other[1]) <= _NEAR


def _within(few: list[float], many: list[float]) -> bool:
    return all(min(abs(x - other) for other in many) <= _NEAR for x in few)


def _moved(area: Area, own: list[float], wide: list[float], down: int) -> Area:
    def edge(index: int) -> int:
        return min(range(len(wide)), key=lambda k: abs(wide[k] - own[index]))

    return Area(area.top + down, edge(area.left), area.bottom + down, edge(area.right))


def _goes_on_from(areas: list[Area], texts: list[str], empty: Area, seam: int) -> int | None:
    """The group label above the page break that an empty cell at the head of the next page continues.

    Only labels over several rows go on: an empty cell in one row may as well be a blank value.
    """
    if empty.top != seam:
        return None
    for index, area in enumerate(areas):
        if (area.bottom, area.left, area.right) == (seam, empty.left, empty.right):
            tall = area.bottom - area.top > 1 or empty.bottom - empty.top > 1
            return index if tall and not any(c.isdigit() for c in texts[index]) and texts[index] else None
    return None


def _stands_left_of_label(fragment: Fragment, empty: Area) -> bool:
    """Whether a label follows in the row, as behind those of groups: right of the last label, a blank is a value."""
    return any(
        _LABEL.match(text)
        for area, text in zip(fragment.areas, fragment.texts, strict=True)
        if area.top == empty.top and area.left >= empty.right
    )


def _repeated_rows(first: Fragment, second: Fragment) -> int:
    """How many rows at the head of `second` print the head of `first` again (a repeated header, without
    numbers).
    """
    if len(first.xs) != len(second.xs):
        return 0
    repeated = 0
    ours, theirs = _head(first, second.rows), _head(second, second.rows)
    for row in range(min(first.rows, second.rows - 1)):
        if ours.get(row) != theirs.get(row):
            break
        repeated = row + 1
    while repeated and any(a.top < repeated < a.bottom for a in second.areas):
        repeated -= 1
    head = [text for area, text in zip(second.areas, second.texts, strict=True) if area.bottom <= repeated]
    is_header = any(head) and not any(c.isdigit() for text in head for c in text)
    return repeated if is_header else 0


def _head(fragment: Fragment, rows_wanted: int) -> dict[int, list[tuple[int, int, str]]]:
    rows: dict[int, list[tuple[int, int, str]]] = {}
    for area, text in zip(fragment.areas, fragment.texts, strict=True):
        if area.top < rows_wanted:
            rows.setdefault(area.top, []).append((area.left, area.right, text))
    return {row: sorted(cells) for row, cells in rows.items()}


def grid_of(fragment: Fragment) -> Grid:
    """The fragment as a `Grid`; edges at which no cell starts or ends are left out."""
    tops = sorted({area.top for area in fragment.areas})
    lefts = sorted({area.left for area in fragment.areas})
    ordered = sorted(
        zip(fragment.areas, fragment.texts, strict=True), key=lambda pair: (pair[0].top, pair[0].left)
    )
    cells = [
        GridCell(
            text,
            bisect_left(tops, area.top),
            bisect_left(lefts, area.left),
            bisect_left(tops, area.bottom) - bisect_left(tops, area.top),
            bisect_left(lefts, area.right) - bisect_left(lefts, area.left),
        )
        for area, text in ordered
    ]
    return Grid(tuple(tuple(row) for _, row in groupby(cells, key=lambda cell: cell.row)))
