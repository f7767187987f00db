"""What of a stretch of lines decides how it is read, and the numbers that do not: its shape and its numbers.

Numbers are left out where they stand alone on the lines of a cell-a-line layout, or at the end of a line behind words.
Which number stands there must change nothing: where it may (a page's number, 1 619 in a cell of its own), the line
stays as it is. Never decides what a line means: that is `stream`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from extractors.known_rows import LONGEST_NUMBER
from extractors.loose_lines import Stretch, Token, could_be_value, is_spaced
from extractors.records import Paragraph

_NUMBER = rf"[0-9]{{1,{LONGEST_NUMBER}}}(?:\.[0-9]{{1,8}})?"
_LONE = re.compile(_NUMBER)
_BEHIND_WORDS = re.compile(rf"(?<=\S)(?: {_NUMBER})+$")
_ONLY_NUMBERS = re.compile(rf"[0-9]{{1,{LONGEST_NUMBER}}}(?: [0-9]{{1,{LONGEST_NUMBER}}})+")
_SHORT_LINE, _SHORTER_LINE = 50, 30
"""A line so short is no prose, or a heading or none, whatever number stands behind its words."""
_SENTENCE_MARKS = re.compile("[。；;！!？?，,]")
_HEADING = re.compile("[（(]?[一二三四五六七八九十]")


class Shape(NamedTuple):
    """`lines`: what to look the stretch up by. `numbers`: those left out, in order; `of_lines`: how many of each line.

    lone: numbers that stand alone on their lines are among them.
    """

    lines: tuple[Any, ...]
    numbers: list[str]
    of_lines: list[int]
    lone: bool


def shape_of(lines: Sequence[Paragraph]) -> Shape:
    """The shape of a stretch's lines."""
    lone = is_spaced(lines) or 2 * sum([text.isdecimal() for text, _ in lines]) > len(lines)
    shape: list[Any] = [lone]
    numbers: list[str] = []
    of_lines = []
    for line in lines:
        text, gap = line
        count = 0
        if text[-1:].isdigit():
            if lone and _LONE.fullmatch(text):
                numbers.append(text)
                shape.append(gap)
                of_lines.append(1)
                continue
            if _ONLY_NUMBERS.fullmatch(text):
                alone = text.split()
                numbers += alone
                count = len(alone)
                # 1 619 may be one number; 1 619 2 is none.
                shape.append((count, any(len(number) != 3 for number in alone[1:]), gap))
            elif found := _BEHIND_WORDS.search(text):
                words = text[: found.start()]
                behind = found[0].split()
                if _stays_what_it_is(words, len(text), len(behind)):
                    numbers += behind
                    count = len(behind)
                    shape.append((words, count, gap))
        if not count:
            shape.append(line)
        of_lines.append(count)
    return Shape(tuple(shape), numbers, of_lines, lone)


def _stays_what_it_is(words: str, length: int, count: int) -> bool:
    """Whether a line of these words is the same kind of line with any `count` numbers behind them."""
    return (
        not _could_be_value(words)
        and (length <= _SHORT_LINE or not _has_sentence_marks(words))
        and (length <= _SHORTER_LINE or count > 1 or not _HEADING.match(words))
    )


@lru_cache(maxsize=8192)
def _has_sentence_marks(words: str) -> bool:
    return bool(_SENTENCE_MARKS.search(words))


_could_be_value = lru_cache(maxsize=8192)(could_be_value)


def numbers_of_tokens(shape: Shape, tokens: Sequence[Token], stretch: Stretch) -> dict[int, int] | None:
    """Token's place → which of the shape's numbers it is; None when a number became no token of its own."""
    of_line = {number: list(group) for number, group in groupby(tokens, key=attrgetter("line"))}
    found: dict[int, int] = {}
    at = 0
    for number, count in enumerate(shape.of_lines, start=stretch.first):
        if not count:
            continue
        last = [token for token in of_line.get(number, []) if token.text][-count:]
        if [token.text for token in last] != shape.numbers[at : at + count]:
            return None
        found.update({token.place: at + i for i, token in enumerate(last)})
        at += count
    return found
