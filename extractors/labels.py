"""Labels made comparable: what a form's label is once layout, numbering, notes and punctuation are taken off.

Never decides what a label means; that is `forms`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

LONGEST_LABEL = 400
"""No label of any form, filling instructions included, is longer; longer text is prose."""

LONGEST_KNOWN = 80
"""Texts up to this length are remembered once they are folded."""

_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff\x00-\x1f\xa0]+")
_NOTE = re.compile(r"[(\[{〔【][^()\[\]{}〔〕【】]*[)\]}〕】]")
_NUMBERING = re.compile(
    r"^(?:其中[:,]?)?(?:[(\[]?(?:[一二三四五六七八九十]{1,3}|\d{1,2})[)\]、.,:;·]|[①-⑳⑴-⒇]|\d{1,2}(?=[^\d.%]))+"
)
_PUNCTUATION = re.compile(r"[^\w/]+|_")
# Radical forms (⽆ for 无) come out of PDF fonts; NFKC maps most, these are left over.
_VARIANTS = str.maketrans({"⾃": "自", "⽆": "无", "﹣": "-", "‐": "-", "⼀": "一"})


def fold(text: str) -> str:
    """The text in one width, without any white space or invisible characters (自然 人 → 自然人)."""
    return _fold_known(text) if len(text) <= LONGEST_KNOWN else _fold(text)


def _fold(text: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).translate(_VARIANTS))


@cache
def _simplified() -> dict[int, str]:
    """Traditional characters to simplified ones, one for one, from OpenCC's dictionary."""
    pairs = files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text(encoding="utf8").split("\n")
    fields = (line.split("\t") for line in pairs if "\t" in line)
    table = {ord(written): meant.split()[0] for written, meant in fields if len(written) == 1}
    return table | {ord("覆"): "复"}  # 答覆: the dictionary keeps it for 覆盖, which no form says


def plain(text: str) -> str:
    """Folded, and in simplified characters: what words of the forms are looked for in."""
    return _plain_known(text) if len(text) <= LONGEST_KNOWN else _plain(text)


def _plain(text: str) -> str:
    return fold(text).translate(_simplified())


def key(text: str) -> str:
    """What labels are compared by: folded, numbering and notes in brackets removed, punctuation dropped.

    `(二)部分公开(区分处理的,只计这一情形)` → `部分公开`; `本年增/减` keeps its stroke. Empty for text that is too
    long to be a label.
    """
    if len(text) > 4 * LONGEST_LABEL:
        return ""
    return _key_known(text) if len(text) <= LONGEST_KNOWN else _key(text)


def _key(text: str) -> str:
    folded = plain(text)
    if len(folded) > LONGEST_LABEL:
        return ""
    bare = _NUMBERING.sub("", folded)
    noteless = _NOTE.sub("", bare)
    if len(noteless) < len(bare) and _NOTE.search(noteless):
        noteless = _NOTE.sub("", noteless)  # a note that held brackets of its own
    return _PUNCTUATION.sub("", noteless) or _PUNCTUATION.sub("", bare)


# Forms print the same few hundred labels over and over; longer texts are not kept, so that memory stays bounded.
_fold_known = lru_cache(maxsize=16384)(_fold)
_plain_known = lru_cache(maxsize=16384)(_plain)
_key_known = lru_cache(maxsize=16384)(_key)
