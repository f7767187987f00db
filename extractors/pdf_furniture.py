"""Page numbers and running heads: what is printed on every page and belongs to none.

Drops a number only when it counts with the pages or stands decorated in the margin; a number that may be a
value stays.
"""

from __future__ import annotations

import re
from collections import Counter

from extractors.pdf_tables import Item
from extractors.print_lines import Line

_MARGIN = 0.12
"""Share of the page's height at its top and bottom in which page numbers stand."""

_ISOLATED = 1.5
"""Character heights between a bare page number and the text, at least."""

_DECORATED = re.compile(
    r"^[-—–―－·•~\s]+(\d{1,4})[-—–―－·•~\s]+$|^第?\s*(\d{1,4})\s*页(?:\s*[,，/]?\s*共\s*\d+\s*页)?$"
)
_OF_TOTAL = re.compile(r"^(?:Page\s*)?(\d{1,4})\s*(?:/|of)\s*(\d{1,4})$", re.IGNORECASE)
_BARE = re.compile(r"^(\d{1,4})$")


def drop_furniture(pages: list[list[Item]], heights: list[float]) -> None:
    """Removes page numbers and running heads from the pages' items, in place."""
    _drop_bare_numbers(pages, heights)
    for number, items in enumerate(pages, start=1):
        for index in _edge_lines(items, heights[number - 1]):
            text = items[index].text  # type: ignore[union-attr]
            total = _OF_TOTAL.match(text)
            counts = (
                total and int(total[1]) <= int(total[2]) and int(total[2]) in (len(pages), len(pages) - 1)
            )
            if _DECORATED.match(text) or counts:
                del items[index]
    _drop_running(pages, heights, at_top=True)
    _drop_running(pages, heights, at_top=False)


def _edge_lines(items: list[Item], height: float) -> list[int]:
    """Places of the first and last item, last first, where they are lines in the page's margin."""
    found = []
    for index in sorted({len(items) - 1, 0}, reverse=True):
        item = items[index] if items else None
        if isinstance(item, Line) and (item.y1 <= _MARGIN * height or item.y0 >= (1 - _MARGIN) * height):
            found.append(index)
    return found


def _drop_bare_numbers(pages: list[list[Item]], heights: list[float]) -> None:
    """A lone number at the edge is a page number when it stands apart and counts with the pages."""
    found: list[tuple[int, int, int]] = []
    for page, items in enumerate(pages):
        for index in _edge_lines(items, heights[page]):
            line = items[index]
            match = _BARE.match(line.text) if isinstance(line, Line) else None
            if match and _stands_apart(items, index):
                found.append((page, index, int(match[1]) - page))
    offsets = Counter(offset for _, _, offset in found)
    for page, index, offset in found:
        if offsets[offset] > 1 or (offset == 1 and index > 0):
            del pages[page][index]


def _stands_apart(items: list[Item], index: int) -> bool:
    line = items[index]
    if len(items) == 1 or not isinstance(line, Line):
        return False
    gap = line.y0 - items[index - 1].y1 if index else items[1].y0 - line.y1
    return gap >= _ISOLATED * line.size


def _drop_running(pages: list[list[Item]], heights: list[float], at_top: bool) -> None:
    """The same words at the same edge of most pages: kept once at the top, never at the bottom."""
    places: Counter[str] = Counter()
    edge = 0 if at_top else -1
    where: list[tuple[list[Item], str]] = []
    for page, items in enumerate(pages):
        index = 0 if at_top else len(items) - 1
        if items and index in _edge_lines(items, heights[page]):
            text = re.sub(r"[\d\s]", "", items[edge].text)  # type: ignore[union-attr]
            if text:
                places[text] += 1
                where.append((items, text))
    kept: set[str] = set()
    for items, text in where:
        if places[text] >= 3 and places[text] * 2 > len(pages):
            if at_top and text not in kept:
                kept.add(text)
            else:
                del items[edge]
