"""Characters on paper to lines of text: which characters stand on one line, and where a gap is a space.

Never joins two numbers: a gap between digits is always a space. Characters drawn twice for boldness count
once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from extractors.pdf_page import Char

_SAME_LINE = 0.45
_DIGIT_GAP = 0.15
_WIDE_GAP = 0.6
_CELL_GAP = 1.2
"""Gaps in character heights: between letters or digits, between Chinese characters, between cells without
rules.
"""

_NUMBERS_AT_END = re.compile(r"(?:\s[-+]?[\d.,]+\S{0,2}){2,}$")


class Word(NamedTuple):
    """What stands between two gaps of a line."""

    text: str
    x0: float
    x1: float


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line. `tabular`: gaps or a tail of numbers say that it is a row, not running text."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    tabular: bool
    words: tuple[Word, ...] = ()


def lines_of(chars: Iterable[Char]) -> list[Line]:
    """Lines from top to bottom."""
    ordered = sorted(chars, key=lambda c: c.y0 + c.y1)
    lines: list[Line] = []
    group: list[Char] = []
    middle = 0.0
    for char in ordered:
        centre = (char.y0 + char.y1) / 2
        if group:
            height = min(char.y1 - char.y0, group[-1].y1 - group[-1].y0)
            if centre - middle > _SAME_LINE * height:
                lines.append(_line(group))
                group = []
        group.append(char)
        middle = centre if len(group) == 1 else middle + (centre - middle) / len(group)
    if group:
        lines.append(_line(group))
    return lines


def _line(group: list[Char]) -> Line:
    if len(group) == 1:
        (char,) = group
        words = (Word(char.text, char.x0, char.x1),)
        return Line(char.text, char.x0, char.y0, char.x1, char.y1, char.y1 - char.y0, False, words)
    group.sort(key=lambda c: c.x0)
    last = group[0]
    parts = [last.text]
    edges = [last.x0]
    far = False
    for char in group[1:]:
        size = max(char.y1 - char.y0, 1.0)
        if char.text == last.text and char.x0 - last.x0 < 0.3 * (last.x1 - last.x0):
            continue
        gap = (char.x0 - last.x1) / size
        close = _is_wide(char.text) and _is_wide(last.text)
        if gap > (_WIDE_GAP if close else _DIGIT_GAP):
            parts.append(" ")
            edges += [last.x1, char.x0]
            far = far or gap > _CELL_GAP
        parts.append(char.text)
        last = char
    text = "".join(parts)
    edges.append(last.x1)
    heights = sorted(c.y1 - c.y0 for c in group)
    return Line(
        text,
        group[0].x0,
        min(c.y0 for c in group),
        max(c.x1 for c in group),
        max(c.y1 for c in group),
        heights[len(heights) // 2],
        far or bool(_NUMBERS_AT_END.search(text)),
        tuple(map(Word, text.split(" "), edges[::2], edges[1::2])),
    )


def joined(first: str, second: str) -> str:
    """Two lines of one wrapped text as one: Chinese without a space, anything else with one."""
    if not first or not second:
        return first or second
    if first[-1].isdigit() and second[0].isdigit():
        return f"{first} {second}"
    if _is_wide(first[-1]) or _is_wide(second[0]):
        return first + second
    return f"{first} {second}"


def _is_wide(text: str) -> bool:
    return text > "\u2e7f" and not text.isdigit()
