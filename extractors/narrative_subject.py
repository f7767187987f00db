"""Whose figures a clause of the prose tells: the reporting agency's, or those of one office or one layer below it.

Looks at one sentence up to the number. Reads no figures; the words are in `forms/narrative.yml`, `subjects`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

from extractors.forms import load

LONGEST_SUBJECT = 14


class _Subjects(NamedTuple):
    named: re.Pattern[str]
    own: re.Pattern[str]
    no_office: re.Pattern[str]
    layers: tuple[re.Pattern[str], ...]
    whole: re.Pattern[str]


@cache
def _subjects() -> _Subjects:
    words = load("narrative")["subjects"]
    return _Subjects(
        named=re.compile(
            rf"(?:^|[，,；;：:、（(）)])(?:{_either(words['lead'])})*"
            rf"(?P<name>[^\W\d_a-zA-Z{''.join(words['never_inside'])}]{{1,{LONGEST_SUBJECT}}}?(?:{_either(words['endings'])}))"
        ),
        own=re.compile(_either(words["own"])),
        no_office=re.compile(_either(words["no_office"])),
        layers=tuple(re.compile(_either(layer)) for layer in words["layers"].values()),
        whole=re.compile(_either(words["whole"])),
    )


def _either(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def is_of_others(sentence: str, recent: int, end: int, agency: str) -> bool:
    """Whether the number at `end` belongs to an office other than `agency`, or to one layer of its offices only.

    recent: where the sentence goes on behind the number before. 县教育局 is the agency 沭阳县教育局; 各镇 without
    县直部门 is a part of the county's figures. A later 全县 or 我局 takes the sentence back to the agency. Without an
    agency's name (`agency` is "") every named office is another one.
    """
    found = _subjects_of(sentence)
    if not found.names and not any(found.layers):
        return False
    start = max((place for place in found.own if place <= end), default=0)
    if _is_one_layer(found, max(start, recent), end) or _is_one_layer(found, start, end):
        return True
    names = [name for place, name in found.names if start <= place < end]
    return bool(names) and not _is_own(names[-1], agency)


class _Found(NamedTuple):
    """Where a sentence names itself (the end), other offices, the layers of an agency, and all layers together."""

    own: tuple[int, ...]
    names: tuple[tuple[int, str], ...]
    layers: tuple[tuple[int, ...], ...]
    whole: tuple[int, ...]


@lru_cache(maxsize=64)
def _subjects_of(sentence: str) -> _Found:
    words = _subjects()
    plain = words.no_office.sub(lambda word: "·" * len(word[0]), sentence)
    return _Found(
        own=tuple(match.end() for match in words.own.finditer(sentence)),
        names=tuple((match.start("name"), match["name"]) for match in words.named.finditer(plain)),
        layers=tuple(tuple(m.start() for m in layer.finditer(sentence)) for layer in words.layers),
        whole=tuple(match.start() for match in words.whole.finditer(sentence)),
    )


def _is_one_layer(found: _Found, start: int, end: int) -> bool:
    """Whether a stretch tells of the townships alone, or of the county's own offices alone."""

    def names(places: tuple[int, ...]) -> bool:
        return any(start <= place < end for place in places)

    return sum(map(names, found.layers)) == 1 and not names(found.whole)


@lru_cache(maxsize=1024)
def _is_own(name: str, agency: str) -> bool:
    """Whether a subject is the agency: the end of its name, or a short form with its characters in their order."""
    if not agency:
        return False
    if agency.endswith(name) or name.endswith(agency):
        return True
    rest = iter(agency)
    return all(character in rest for character in name)
