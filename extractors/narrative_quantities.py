"""Finds the quantities of a sentence of prose: each number with its unit, exact or rounded, and the clause around it.

Never takes ranges (3至5件), ordinals, dates or document numbers for quantities; decides nothing about what they count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from extractors.chinese_numerals import to_number
from extractors.narrative_rules import wording

CLAUSE_BEFORE, CLAUSE_AFTER = 120, 40
"""Characters of a clause looked at before and after a number."""
_ROUGHLY = "大约为?|大概|约为?|将近|接近|近|超过|超|突破|不足|不到|逾|[上过](?=[百千万亿])"
_NUMERAL = (
    rf"(?:{_ROUGHLY})?(?:(?:\d{{1,3}}(?:[,，]\d{{3}})+|\d{{1,3}}(?: \d{{3}})+|\d{{1,15}})(?:\.\d{{1,8}})?"
    r"[余多]?[十百千万亿]{0,3}[余多]?|[零〇一二两三四五六七八九十百千万亿点余多]{1,24})"
)
_UNITS = "条次|件次|份次|条|件|篇|份|则|起|宗|例|次|项|个|期|封|单|案|部|元"
_QUANTITY = re.compile(
    rf"(?<![\d第.〔\[零〇一二两三四五六七八九十百千万亿-])(?P<numeral>{_NUMERAL})(?P<vague>左右)?"
    rf"(?P<unit>{_UNITS})(?![例龙事性款目])(?:[（(][次件条][)）])?",
    re.ASCII,
)
BOUNDARY = re.compile(r"[，,；;（）()：:](?!\d{3}(?!\d))|(?<!\d)\.|\.(?!\d)")
_SAME = re.compile(r"[，,（(](?:共计|达到|达|即|为|计|实际|具体为)?")
_RANGE_BEFORE = re.compile(r"\d\s?(?:-|—|–|~|～|至|到)$")


_number = lru_cache(maxsize=4096)(to_number)
"""Reports tell the same small numbers over and over."""


class Quantity(NamedTuple):
    """A number with its unit in a sentence, and what stands around it.

    head: from the quantity before (or the sentence's beginning) to the clause; local: the clause up to the
    number; after: the clause behind the unit; before: the whole sentence up to the number; following: what comes next,
    over clauses and numbers.
    """

    printed: str
    value: Decimal
    is_vague: bool
    unit: str
    head: str
    local: str
    after: str
    before: str
    following: str

    @property
    def start(self) -> int:
        """Where the number stands in the sentence."""
        return len(self.before)


def quantities_of(sentence: str) -> Iterator[Quantity]:
    """Every number with a unit, with its clause; numbers of ranges (3至5件) are left out."""
    previous_end = 0
    matches = list(_QUANTITY.finditer(sentence))
    for index, match in enumerate(matches):
        start = match.start()
        between = sentence[previous_end:start][-400:]
        boundaries = [boundary.end() for boundary in BOUNDARY.finditer(between)]
        if boundaries and boundaries[-1] == len(between) and between[-1] in "：:":
            boundaries.pop()  # 依申请公开：0件
        cut = boundaries[-1] if boundaries else 0
        next_start = matches[index + 1].start() if index + 1 < len(matches) else len(sentence)
        after = sentence[match.end() : min(next_start, match.end() + CLAUSE_AFTER)]
        if boundary := BOUNDARY.search(after):
            after = after[: boundary.start()]
        previous_end = match.end()
        number = _number(match["numeral"])
        if number is None or _RANGE_BEFORE.search(between):
            continue
        printed, (value, is_vague) = match["numeral"], number
        is_vague = is_vague or bool(match["vague"]) or after.startswith(wording().vague_after)
        if exact := _told_exactly(sentence, match, matches[index + 1 : index + 2], is_vague):
            printed, value, is_vague = *exact, False
        head, local = between[:cut], between[cut:][-CLAUSE_BEFORE:]
        following = sentence[match.end() : match.end() + CLAUSE_AFTER]
        yield Quantity(
            printed, value, is_vague, match["unit"], head, local, after, sentence[:start], following
        )


def _told_exactly(
    sentence: str, match: re.Match[str], next_one: list[re.Match[str]], is_vague: bool
) -> tuple[str, Decimal] | None:
    """The exact number right behind a rounded one (突破1万条,达10236条), or None."""
    if not next_one or next_one[0]["unit"] != match["unit"]:
        return None
    if not _SAME.fullmatch(sentence, match.end(), next_one[0].start()):
        return None
    rounded, exact = _number(match["numeral"]), _number(next_one[0]["numeral"])
    if rounded is None or exact is None or exact[1]:
        return None
    is_rounding = (is_vague or _has_scale(match["numeral"])) and rounds_to(exact[0], rounded[0])
    return (next_one[0]["numeral"], exact[0]) if is_rounding and exact[0] != rounded[0] else None


def is_rounded(quantity: Quantity) -> bool:
    return quantity.is_vague or _has_scale(quantity.printed)


def _has_scale(numeral: str) -> bool:
    return any(unit in numeral for unit in "百千万亿")


def rounds_to(exact: Decimal, rounded: Decimal) -> bool:
    """Whether one number can be the other told roughly: they differ by a twentieth at most."""
    return abs(exact - rounded) * 20 <= max(exact, rounded)
