"""Rows without rules on a PDF page: which of a row's columns are blank, told by where its values stand.

Columns are those of the rows above and below that lack no value, or of the header. A blank gets a mark that is a value
which says nothing. A number that is wrapped into a second line is put together where its column forced it to, else its
row is made unreadable (U+FFFD): its digits would pass for a column of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from extractors.numbers import is_value_like
from extractors.pdf_page import UNKNOWN
from extractors.pdf_tables import PADDING, Item
from extractors.print_lines import Line, Word

BLANK = "\u200b"
"""A value without a character in it: no white space, so that it stays a word of its line."""
FEWEST_WHOLE_ROWS = 3
FEWEST_COLUMNS = 5
"""So many rows of so many values say where the columns of a table without rules are."""
_SAME_CELL = 1.6
"""Character heights between the middles of two lines of one cell, at most."""
_FURTHEST = 3
"""Lines between the two of one number, and one: labels stand beside it in lines of their own."""
_NEAREST_HEADER = 4

_HEADING = re.compile(r"[一二三四五六七八九十]、.{8}")

Column = tuple[float, float]


def tell_columns(pages: Sequence[list[Item]]) -> None:
    """Replaces lines of rows without rules by lines that say which values are blank, in place."""
    own = [_columns(items) for items in pages]
    for number, items in enumerate(pages):
        before = own[number - 1] if number else []
        after = own[number + 1] if number + 1 < len(pages) else []
        _settle_wraps(items, own[number] or before or after)
        for columns, places in _tables(items, own[number], before, after):
            for place in places:
                if 0 < len(_parted(items[place])[1]) < len(columns) and _fits(items[place], columns):
                    items[place] = _with_blanks(items[place], columns)
        _tell_below_headers(items)
    for number, (one, other) in enumerate(pairwise(pages)):
        if one and other:
            _settle_over_pages(one, other, own[number])


def _settle_over_pages(one: list[Item], other: list[Item], columns: Sequence[Column]) -> None:
    """Where the page's end parts a number, neither row is certain."""
    last, first = one[-1], other[0]
    if isinstance(last, Line) and isinstance(first, Line) and _may_go_on(last, first, columns):
        one[-1], other[0] = _unreadable(last), _unreadable(first)


def _tables(
    items: Sequence[Item], own: list[Column], before: list[Column], after: list[Column]
) -> Iterator[tuple[list[Column], list[int]]]:
    """(columns, places of lines) of a page's widest table; of one with too few rows here, by the pages beside it."""
    whole = [
        n for n, item in enumerate(items) if own and len(_parted(item)[1]) == len(own) and _fits(item, own)
    ]
    if whole:
        above = _until_another(items, range(whole[0] - 1, -1, -1))
        yield (
            own,
            [*above, *range(whole[0], whole[-1]), *_until_another(items, range(whole[-1] + 1, len(items)))],
        )
        return
    if before:
        yield before, list(_until_another(items, range(len(items))))
    if after:
        yield after, list(_until_another(items, range(len(items) - 1, -1, -1)))


def _until_another(items: Sequence[Item], places: range) -> Iterator[int]:
    """The places up to a header, a chapter's heading, prose or a table with rules."""
    for place in places:
        item = items[place]
        if not isinstance(item, Line) or (
            not _parted(item)[1] and (len(item.words) > 2 or _HEADING.match(item.text))
        ):
            return
        yield place


def _tell_below_headers(items: list[Item]) -> None:
    """The rows of small tables, each right below the header that names its columns."""
    header: tuple[int, Line] | None = None
    for place, item in enumerate(items):
        if not isinstance(item, Line):
            continue
        label, values = _parted(item)
        if len(item.words) > 2 and not values and not any(is_value_like(word.text) for word in label):
            header = (place, item)
        elif values and label and header and place - header[0] <= _NEAREST_HEADER:
            below = _parts([(word.x0, word.x1) for word in header[1].words[1:]])
            if len(values) < len(below) < FEWEST_COLUMNS and _fits(item, below):
                items[place] = _with_blanks(item, below)


def _parted(item: Item) -> tuple[list[Word], list[Word]]:
    """The words of a row's label, and the values behind them."""
    words = list(item.words) if isinstance(item, Line) else []
    place = len(words)
    while place and is_value_like(words[place - 1].text):
        place -= 1
    return words[:place], words[place:]


def _columns(items: Sequence[Item]) -> list[Column]:
    """Where the columns of a page's rows stand, when enough rows with the usual number of values agree; else none."""
    rows = [values for item in items if isinstance(item, Line) for _, values in [_parted(item)] if values]
    sizes = Counter(len(values) for values in rows if len(values) >= FEWEST_COLUMNS)
    if not sizes:
        return []
    width, often = max(sizes.items(), key=lambda size: (size[0] * (size[1] >= FEWEST_WHOLE_ROWS), size[1]))
    if often < FEWEST_WHOLE_ROWS:
        return []
    whole = [values for values in rows if len(values) == width]
    taken = [(min(v.x0 for v in column), max(v.x1 for v in column)) for column in zip(*whole, strict=True)]
    return _parts(taken) if all(a[1] < b[0] for a, b in pairwise(taken)) else []


def _parts(taken: Sequence[Column]) -> list[Column]:
    """The same places, each as wide as the room to its neighbours allows."""
    middles = [(a[1] + b[0]) / 2 for a, b in pairwise(taken)]
    first = taken[0][0] - (middles[0] - taken[0][1])
    last = taken[-1][1] + (taken[-1][0] - middles[-1])
    return list(pairwise([first, *middles, last]))


def _fits(line: Item, columns: Sequence[Column]) -> bool:
    """Whether each value stands in a column of its own, and the label left of all."""
    label, values = _parted(line)
    places = [_place(word, columns) for word in values]
    if None in places or len(set(places)) < len(places):
        return False
    return not label or label[-1].x1 <= columns[0][0] + PADDING


def _place(word: Word, columns: Sequence[Column]) -> int | None:
    return next((i for i, (left, right) in enumerate(columns) if left <= word.x0 and word.x1 <= right), None)


def _with_blanks(row: Item, columns: Sequence[Column]) -> Item:
    if not isinstance(row, Line):
        return row
    label, values = _parted(row)
    by_place = {_place(word, columns): word.text for word in values}
    texts = [by_place.get(place, BLANK) for place in range(len(columns))]
    return replace(row, text=" ".join([*(word.text for word in label), *texts]))


# -- numbers in several lines --------------------------------------------------------------------------------------


def _settle_wraps(items: list[Item], columns: Sequence[Column]) -> None:
    """Puts numbers together that their column forced into a second line; makes rows unreadable where that is not told."""
    joined: dict[int, int] = {}
    doubtful: set[int] = set()
    for upper, item in enumerate(items):
        for lower in range(upper + 1, min(len(items), upper + _FURTHEST + 1)):
            below = items[lower]
            if not (isinstance(item, Line) and isinstance(below, Line)):
                break
            if _distance(item, below) > _SAME_CELL * max(item.size, below.size):
                break
            if not _may_go_on(item, below, columns):
                continue
            if lower == upper + 1 and _is_rest(item, below, columns):
                joined[lower] = upper
            else:
                doubtful |= {upper, lower, *(n for n in range(upper, lower) if _parted(items[n])[1])}
    for lower, upper in joined.items():
        if upper in doubtful or lower in doubtful or upper in joined:
            doubtful |= {upper, lower}
    for lower, upper in joined.items():
        if lower not in doubtful:
            items[upper] = _joined(items[upper], items[lower])
    for place in doubtful:
        items[place] = _unreadable(items[place])
    for place in sorted(joined, reverse=True):
        if place not in doubtful:
            del items[place]


def _distance(one: Line, other: Line) -> float:
    return abs(one.y0 + one.y1 - other.y0 - other.y1) / 2


def _may_go_on(upper: Line, lower: Line, columns: Sequence[Column]) -> bool:
    """Whether a number of the lower line may be the rest of one above it; rows that lack no value hold no rests."""
    above, below = _parted(upper)[1], _parted(lower)[1]
    pitch = _pitch(columns or [(word.x0, word.x1) for word in max(above, below, key=len)])
    if pitch is None or len(above) == len(below) == len(columns):
        return False
    return any(_stands_below(one, other) and _is_full(one, pitch) for one in above for other in below)


def _is_rest(upper: Line, lower: Line, columns: Sequence[Column]) -> bool:
    """Whether the lower line holds nothing but rests of the numbers of a row that lacks none."""
    above, below = _parted(upper)[1], _parted(lower)[1]
    pitch = _pitch(columns)
    if pitch is None or len(above) != len(columns) or len(below) != len(lower.words):
        return False
    full = [word for word in above if _is_full(word, pitch)]
    return all(sum(_stands_below(word, rest) for word in full) == 1 for rest in below)


def _pitch(columns: Sequence[Column]) -> float | None:
    """How far the middles of two columns are apart, at least."""
    middles = [(left + right) / 2 for left, right in columns]
    return min(b - a for a, b in pairwise(middles)) if len(middles) >= FEWEST_COLUMNS else None


def _is_full(word: Word, pitch: float) -> bool:
    """Whether a number leaves no room for another digit in its column."""
    width = word.x1 - word.x0
    return word.text.isdecimal() and pitch - width < width / len(word.text) + 2 * PADDING


def _stands_below(word: Word, rest: Word) -> bool:
    return rest.text.isdecimal() and word.x0 - 1 <= rest.x0 and rest.x1 <= word.x1 + 1


def _joined(row: Item, rest: Item) -> Item:
    if not (isinstance(row, Line) and isinstance(rest, Line)):
        return row
    texts = [word.text + "".join(r.text for r in rest.words if _stands_below(word, r)) for word in row.words]
    words = tuple(word._replace(text=text) for word, text in zip(row.words, texts, strict=True))
    return replace(row, words=words, text=" ".join(texts))


def _unreadable(row: Item) -> Item:
    if not isinstance(row, Line) or row.text.endswith(UNKNOWN):
        return row
    words = (*row.words[:-1], row.words[-1]._replace(text=row.words[-1].text + UNKNOWN))
    return replace(row, words=words, text=row.text + UNKNOWN)
