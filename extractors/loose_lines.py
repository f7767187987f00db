"""Lines of text → cells and words, with what a line's end and blank lines still tell. Puts nothing into rows.

Three layouts are told apart: blank lines between cells (a blank cell then leaves its own), one cell a line, and
lines that hold whole rows with spaces between.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from extractors import forms
from extractors.known_labels import known_labels
from extractors.labels import LONGEST_KNOWN, key, plain
from extractors.numbers import is_value_like
from extractors.records import Paragraph, new_record

_HEADING = re.compile(r"^[(]?[一二三四五六七八九十]{1,3}[)]?[、.,:]")
_LONGEST_HEADING = 45
_PROSE = re.compile(r"[。;!?]|，.{8,}，")
_SPACES_IN_NOTE = re.compile(r"[(（][^()（）]{0,80}[)）]")
_PAGE_NUMBER = re.compile(
    r"^(?:[-—–―·•~]\d{1,3}[-—–―·•~]|第[\d一二三四五六七八九十]{1,3}页(?:[,/共总]*\d{1,3}页)?|\d{1,3}/\d{1,3}"
    r"|[Pp](?:age|\.)?\d{1,3}(?:(?:of|/)\d{1,3})?)$"
)
_LONGEST_PAGE_NUMBER = 24
_FEW = 0.15
"""Share of the gaps that may be narrower than the usual one: before headings, not between a header's labels."""
_NUMBER_OF_A_ROW = re.compile(r"[1-9]\d?[.,、:)]?")
_SEVERAL_VALUES = re.compile(r"\d\s+(?!\d{3}(?!\d))\d|[/\\—–-]\s+[/\\—–-]|\d\s+[/\\—–-]|[/\\]\s+\d")
_PAGE = re.compile(r"[1-9]\d?")
_MOST_TOKENS = 60_000
_EXAMINED = 4000
"""Characters of a line that are looked through for a form's words."""
SHORTEST_HEADING = 4
"""A shorter numbered piece is the beginning of a wrapped label (二、上)."""
MOST_PIECES = 40
"""Into so many pieces spaces cut a label at most."""
DASHES_IN_LABELS = frozenset({"无"})
"""Stands for no value alone, but is a piece of labels too (无 正 当 理 由)."""
LONGEST_PIECE = 4
"""Among tables a line of so few characters is the piece of a label (法律, 服务), and no sentence."""
_WHOLE_ROWS = (7, 15)
"""Values of a row of the applicants' table, and of reviews and lawsuits, behind a label or the piece of one."""
HALF_BLANK = "?"
"""Stands where blank lines leave open whether a blank cell was there."""


class Stretch(NamedTuple):
    """Lines that can belong to tables. `first`: the place of the first in its run of lines, from 0.

    The line that ended it is its last one, emptied: the blank lines before it may be blank cells. `reaches_end`: its run
    ends with it, and an empty line of gap -1 was set behind it.
    """

    first: int
    lines: Sequence[Paragraph]
    reaches_end: bool


class Token(NamedTuple):
    """One cell or word of a text: its line, and its place among the others, from 0.

    `may_be_page`: a small number alone on its line, in a text whose lines are rows: as likely the page's number.
    """

    text: str
    line: int
    place: int
    is_value: bool
    may_be_page: bool = False


def is_heading(text: str) -> bool:
    """Whether a line is a chapter's heading: numbered, short, and no row of a form."""
    if text.isdecimal():
        return False
    return _is_heading_known(text) if len(text) <= LONGEST_KNOWN else _is_heading(text)


def _is_heading(text: str) -> bool:
    folded = plain(text[: 2 * _LONGEST_HEADING])
    return (
        len(folded) <= _LONGEST_HEADING
        and bool(_HEADING.match(folded))
        and not folded.startswith("(")
        and len(key(text)) >= SHORTEST_HEADING
        and sum(is_value_like(word) for word in text.split()) < 2
        and not known_labels().begins(key(text))
    )


_is_heading_known = lru_cache(maxsize=16384)(_is_heading)


class Looks(NamedTuple):
    """What a line looks like by itself: it names a form's mark; it is prose, and holds no row of a table all the same."""

    has_mark: bool
    is_prose: bool


_IS_VALUE = Looks(has_mark=False, is_prose=False)


def _looks(text: str) -> Looks:
    if text.isdecimal():  # a value alone on its line, the most frequent line of all
        return _IS_VALUE
    return _looks_known(text) if len(text) <= LONGEST_KNOWN else _look_at(text)


def _look_at(text: str) -> Looks:
    folded = plain(text[:_EXAMINED])
    is_prose = _is_prose(folded) and not known_labels().begins(key(text)) and not _has_row_words(text)
    return Looks(any(mark in folded for mark in _marks()), is_prose)


_looks_known = lru_cache(maxsize=16384)(_look_at)


@cache
def _marks() -> tuple[str, ...]:
    return (forms.proactive().section_mark, *forms.load("tables")["marks"])


def _has_row_words(text: str) -> bool:
    """Whether a line that reads like prose holds a table all the same (a report run together on one line)."""
    words = text[:200_000].split()
    return len(words) > 20 and sum(is_value_like(word) for word in words) >= 10


def _is_value_cell(text: str) -> bool:
    """Whether a cell or word stands for a value and is no label either (无)."""
    return text.isdecimal() or (is_value_like(text) and not known_labels()(key(text)))


class LooseLines:
    """Cuts a run of lines into the stretches that can hold tables, and those into tokens."""

    def __init__(self) -> None:
        self.known = known_labels()

    def stretches(self, lines: Sequence[Paragraph]) -> Iterator[Stretch]:
        """The stretches of a run of lines: from a form's mark to the next prose, headings among them."""
        start = -1
        for number, (text, gap) in enumerate(lines):
            if text.isdecimal():  # a value alone on its line, the most frequent line of all
                continue
            looks = _looks(text)
            if start >= 0 and looks.is_prose:
                yield Stretch(start, [*lines[start:number], Paragraph("", gap)], reaches_end=False)
                start = -1
            elif start < 0 and looks.has_mark and not looks.is_prose:
                start = number
        if start >= 0:
            yield Stretch(start, [*lines[start:], Paragraph("", -1)], reaches_end=True)

    def tokens(self, stretch: Stretch) -> tuple[list[Token], bool]:
        """(tokens, whether each line is a cell) of a stretch; a plain number on such a line is a value, whichever it is."""
        lines = stretch.lines[:-1] if stretch.reaches_end else stretch.lines
        numbered = list(enumerate(lines, start=stretch.first))
        if is_spaced(lines):
            return self._cells_of_spaced(numbered, _usual_gap(lines)), True
        printed = [(n, p.text) for n, p in numbered if p.text and not _is_page_number(p.text)]
        is_cell_a_line = _is_cell_a_line([text for _, text in printed])
        return list(self._words_of(printed, is_cell_a_line)), is_cell_a_line

    def cells_among(self, stretch: Stretch, last: int) -> list[int]:
        """Places of a stretch's lines, up to the line `last`, that are cells of its tables: labels and values, no prose."""
        return [
            place
            for place, (text, _) in enumerate(stretch.lines[: last - stretch.first + 1])
            if text.isdecimal() or (text and self._is_of_table(text))
        ]

    def _is_of_table(self, text: str) -> bool:
        if len(text.rstrip("0123456789. ")) <= LONGEST_PIECE:
            return True
        words = text.split()
        values = sum(map(is_value_like, words))
        is_row = values in (len(words), *_WHOLE_ROWS) or any(
            map(self.known.begins, (key(text), key(words[0])))
        )
        return is_row and not is_heading(text)

    def _cells_of_spaced(self, region: Sequence[tuple[int, Paragraph]], usual: int) -> list[Token]:
        """One cell a line with blank lines between: three blank lines are a blank cell, none is the same cell."""
        tokens: list[Token] = []
        joint = ""
        heads = False
        for number, (text, gap) in region:
            if 0 < gap <= usual and text.isdecimal():  # nearly every line of the tables
                tokens.append(new_record(Token, (text, number, len(tokens), True, False)))
                joint, heads = "\n", False
                continue
            was_heading, heads = heads, is_heading(text)
            if tokens and gap == 0 and not (heads or was_heading):
                if text:
                    last = tokens.pop()
                    text = f"{last.text}{joint}{text}"
                    tokens.append(Token(text, last.line, last.place, _is_value_cell(text)))
                continue
            if tokens and gap > usual:
                whole, rest = divmod(gap - usual, usual + 1)
                # Part of a blank cell: something is missing here, so that no row across it counts right.
                for blank in [""] * whole + [HALF_BLANK] * bool(rest):
                    tokens.append(Token(blank, number, len(tokens), not blank))
            if text:
                tokens.append(new_record(Token, (text, number, len(tokens), _is_value_cell(text), False)))
                joint = "\n" if text[-1].isdigit() else ""
        return tokens

    def _words_of(self, lines: Sequence[tuple[int, str]], is_cell_a_line: bool) -> Iterator[Token]:
        """Words of lines; where lines are cells (one value a line), a line with inner spaces (1 619) stays whole."""
        place = 0
        for number, text in lines:
            words = text.split()
            is_one = len(words) == 1 or self.known(key(text)) or is_heading(text)
            is_one = is_one or (is_cell_a_line and _is_one_value(text))
            if not is_one:
                words = _SPACES_IN_NOTE.sub(lambda found: "".join(found[0].split()), text).split()
            for word in [text] if is_one else self._labels_joined(self._numbered(words)):
                place += 1
                if place > _MOST_TOKENS:
                    return
                is_value = _is_value_cell(word)
                may_be_page = is_value and is_one and not is_cell_a_line and bool(_PAGE.fullmatch(text))
                yield new_record(Token, (word, number, place, is_value, may_be_page))

    def _numbered(self, words: list[str]) -> list[str]:
        """Words of a line whose label is parted from its number (7. 属于行政执法案卷): no value stands before a label."""
        if (
            len(words) > 1
            and _NUMBER_OF_A_ROW.fullmatch(plain(words[0]))
            and self.known.begins(key(words[1]))
        ):
            return [words[0] + words[1], *words[2:]]
        return words

    def _labels_joined(self, words: list[str]) -> Iterator[str]:
        """Words of a line, those that only together are a label (行 政 许 可) as one."""
        place = 0
        while place < len(words):
            size = 1
            if not is_value_like(words[place]) or words[place] in DASHES_IN_LABELS:
                for following in range(1, min(MOST_PIECES, len(words) - place)):
                    word = words[place + following]
                    if is_value_like(word) and word not in DASHES_IN_LABELS:
                        break
                    joined = key("".join(words[place : place + following + 1]))
                    if self.known(joined):
                        size = following + 1
            yield "".join(words[place : place + size])
            place += size


def could_be_value(words: str) -> bool:
    """Whether words with a number behind them can be one value (约 12) or a page's number (Page 3)."""
    return is_value_like(f"{words}1") or _is_page_number(f"{words}1")


def _usual_gap(lines: Sequence[Paragraph]) -> int:
    """Blank lines between two cells: those between most, unless many stand closer (a table that is mostly blank)."""
    gaps = Counter([gap for _, gap in lines[1:] if gap])
    usual = max(gaps, key=lambda gap: gaps[gap])
    closer = sum(count for gap, count in gaps.items() if gap < usual)
    return usual if closer <= _FEW * gaps.total() else 1


def _is_page_number(text: str) -> bool:
    """Whether a line is a page's number and says so (- 3 -, 第 3 页)."""
    return len(text) <= _LONGEST_PAGE_NUMBER and bool(_PAGE_NUMBER.match(plain(text)))


def is_spaced(lines: Sequence[Paragraph]) -> bool:
    """Whether blank lines separate the cells: they stand between most lines."""
    gaps = [gap for _, gap in lines[1:]]
    return len(gaps) >= 4 and len(gaps) - gaps.count(0) >= 0.7 * len(gaps)


def _is_one_value(line: str) -> bool:
    """Whether a line is one value, spaces inside it or not (1 619; 22（其中修订 16 件）; not 0 0 0)."""
    return is_value_like(line) and not _SEVERAL_VALUES.search(line)


def _is_cell_a_line(lines: Sequence[str]) -> bool:
    """Whether values stand alone on their lines; in lines of whole rows a label or other values stand beside them."""
    with_values = [line for line in lines if any(is_value_like(word) for word in line.split())]
    alone = sum(
        _is_one_value(line) or (len(words) <= 3 and all(map(is_value_like, words)))
        for line in with_values
        if (words := line.split())
    )
    return alone >= 0.85 * len(with_values)


def _is_prose(folded: str) -> bool:
    return folded.endswith(("。", ";")) or (len(folded) > 60 and bool(_PROSE.search(folded)))
