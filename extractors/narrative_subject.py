"""Whose figures a clause of the prose tells: the reporting agency's, or those of another office, region or one layer.

Looks at one sentence up to the number. Reads no figures; the words are in `forms/narrative.yml`, `subjects`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

from extractors.forms import load

LONGEST_SUBJECT = 14
_BEGINS = re.compile(r"(?:^|[，,；;：:（(]|\d年度?[，,]?)$")
"""What stands before the subject of a clause."""


class _Words(NamedTuple):
    named: re.Pattern[str]
    region: re.Pattern[str]
    own: re.Pattern[str]
    whole_regions: re.Pattern[str]
    in_region: re.Pattern[str]
    no_office: re.Pattern[str]
    heights: tuple[str, ...]
    layers: tuple[re.Pattern[str], ...]
    whole: re.Pattern[str]


@cache
def _words() -> _Words:
    words = load("narrative")["subjects"]
    start = rf"(?:^|[，,；;：:、（(）)]|\d年度?)(?:{_either(words['lead'])})*"
    name = rf"[^\W\d_a-zA-Z{''.join(words['never_inside'])}]{{1,{LONGEST_SUBJECT}}}?"
    levels = "".join(words["heights"])
    return _Words(
        named=re.compile(rf"{start}(?P<name>{name}(?:{_either(words['endings'])}))"),
        region=re.compile(
            rf"{start}(?P<name>{name}[{levels}])(?=[，,]?(?:{_either(words['region_verbs'])}))"
        ),
        own=re.compile(_either(words["own"])),
        whole_regions=re.compile(_either(words["whole_regions"])),
        in_region=re.compile(rf".*(?:[{levels}]|街道)"),
        no_office=re.compile(_either(words["no_office"])),
        heights=tuple(words["heights"]),
        layers=tuple(re.compile(_either(layer)) for layer in words["layers"].values()),
        whole=re.compile(_either(words["whole"])),
    )


def _either(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def is_of_others(sentence: str, recent: int, end: int, agency: str) -> bool:
    """Whether the number at `end` belongs to another office or region than `agency`, or to one layer of it only.

    recent: where the sentence goes on behind the number before. 县教育局 is the agency 沭阳县教育局; 各镇 without
    县直部门 is a part of the county's figures, 全市 at a clause's head is more than the county. A later 全县 or 我局
    takes the sentence back to the agency. Without an agency's name (`agency` is "") every named office is another one.
    """
    found = _subjects_of(sentence, agency)
    if not found.others and not any(found.layers):
        return False
    start = max((place for place in found.own if place < end), default=0)
    if any(start <= place < end for place in found.others):
        return True
    start = max(start, sentence.rfind(";", 0, end), sentence.rfind("；", 0, end))
    return _is_one_layer(found, max(start, recent), end) or _is_one_layer(found, start, end)


class _Found(NamedTuple):
    """Where a sentence names the agency, others than it, the layers of an agency and all layers together."""

    own: tuple[int, ...]
    others: tuple[int, ...]
    layers: tuple[tuple[int, ...], ...]
    whole: tuple[int, ...]


@lru_cache(maxsize=64)
def _subjects_of(sentence: str, agency: str) -> _Found:
    words = _words()
    region = _region_of(agency)
    plain = words.no_office.sub(lambda word: "·" * len(word[0]), sentence)
    own = [match.start() for match in words.own.finditer(sentence)]
    others: list[int] = []
    offices = {match.start("name"): match["name"] for match in words.named.finditer(plain)}
    for place, name in offices.items():
        (own if _is_own(name, agency) else others).append(place)
    for match in words.region.finditer(plain):
        if (place := match.start("name")) not in offices:
            (own if _is_own_region(match["name"], region) else others).append(place)
    for match in words.whole_regions.finditer(sentence):
        if not _is_around(match[0], region):
            own.append(match.start())
        elif _BEGINS.search(sentence[: match.start()]):
            others.append(match.start())
    return _Found(
        tuple(own),
        tuple(others),
        tuple(tuple(match.start() for match in layer.finditer(sentence)) for layer in words.layers),
        tuple(match.start() for match in words.whole.finditer(sentence)),
    )


def _is_one_layer(found: _Found, start: int, end: int) -> bool:
    """Whether a stretch tells of the townships alone, or of the county's own offices alone."""

    def names(places: tuple[int, ...]) -> bool:
        return any(start <= place < end for place in places)

    return sum(map(names, found.layers)) == 1 and not names(found.whole)


@lru_cache(maxsize=1024)
def _is_own(name: str, agency: str) -> bool:
    """Whether a subject is the agency: the end of its name, or one office's name a short form of the other's."""
    if not agency:
        return False
    if agency.endswith(name) or name.endswith(agency) or _shortens(name, agency):
        return True
    region, named = _region_of(agency), _region_of(name)
    if len(named) > 1 and not _is_own_region(named, region):
        return False
    own, other = agency[len(region) :], name[len(named) :]
    return own[-1:] == other[-1:] != "" and _shortens(own, other)


def _shortens(short: str, full: str) -> bool:
    """Whether a name keeps characters of the full one in their order: 人社局 of 人力资源和社会保障局."""
    rest = iter(full)
    return all(character in rest for character in short)


@lru_cache(maxsize=1024)
def _region_of(agency: str) -> str:
    """The region an agency's name begins with (沭阳县 of 沭阳县教育局), or ""."""
    words = _words()
    found = words.in_region.match(words.no_office.sub(lambda word: "·" * len(word[0]), agency))
    return agency[: found.end()] if found else ""


def _is_own_region(name: str, region: str) -> bool:
    """Whether a named region is the agency's: 淮安市洪泽区 and 洪泽区 are one."""
    last = re.split(rf"(?<=[{''.join(_words().heights)}])(?=.)", region)[-1]
    return bool(last) and (region.endswith(name) or name.endswith(last))


def _is_around(word: str, region: str) -> bool:
    """Whether 全市 is more than the agency's region, a county; false where the agency names no region."""
    height, own = _height(word), _height(region)
    return height is not None and own is not None and height < own


def _height(name: str) -> int | None:
    levels = _words().heights
    last = "镇" if name.endswith("街道") else name[-1:]
    return next((place for place, level in enumerate(levels) if last and last in level), None)
