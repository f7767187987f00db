"""Splits the prose of a report into chapters with canonical names; the titles are in `forms/chapters.yml`.

A heading is a numbered title at a line's or sentence's beginning, or a known title alone on its line; a title
mentioned inside a sentence is none. Never changes the text, never reads tables or numbers, and never reads
more than `MOST_CHARACTERS` of a document.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from extractors.forms import load
from extractors.narrative_rules import simplified
from extractors.records import Chapter, Document, new_record

MOST_CHARACTERS = 300_000
"""Characters of prose examined and kept; the longest report seen has a tenth of that."""
MOST_CHAPTERS = 60
LONGEST_HEADING = 40
LONGEST_ALONE = LONGEST_HEADING + 8
"""A heading that stands alone on its line, with its numbering, is no longer than that."""

_NUMBERINGS = (
    r"第?(?:[一二三四五六七八九十]{1,3}|[壹贰叁肆伍陆柒捌玖拾])(?:部分|章)?[、.．。,，:：\s]\s*",
    r"[(（]\s?[一二三四五六七八九十]{1,3}\s?[)）][、.．]?\s*",
    r"\d{1,2}\s?[、.．)）]\s*(?!\d)",
)
"""Ways to number a heading, from the highest level down: 一、 then （一） then 1. ."""
_UNNUMBERED = len(_NUMBERINGS)
_LINE_HEADING = [
    re.compile(rf"\s*{numbering}(?P<title>\S.{{0,{LONGEST_HEADING}}})") for numbering in _NUMBERINGS
]
_TITLE_ENDS = "。：:；;，,、. 　"
_GOES_ON = re.compile(r"[，,、；;”》」和及与]|等(?!级)")
_TRADITIONAL = re.compile("[總體況動開報處復複議訴訟問題應項]")
"""Characters of titles in traditional writing."""
_STARTS_AFTER = re.compile(r"(?:^|[。！!？?\n\r])\s*$|[\s　]$")


class Part(NamedTuple):
    """Text of one chapter that stands in one paragraph. `paragraph` and `ordinal` count from 1."""

    chapter: str
    ordinal: int
    heading: str
    paragraph: int
    text: str


class _Heading(NamedTuple):
    """A place that looks like a heading: where it stands, its level (0 the highest) and what it says."""

    paragraph: int
    start: int
    end: int
    level: int
    chapter: str
    printed: str
    is_known: bool


@dataclass(frozen=True, slots=True)
class _Titles:
    """`forms/chapters.yml` made ready: what each title names, and one pattern that finds titles in a line."""

    by_title: dict[str, str]
    keywords: tuple[tuple[str, str], ...]
    inside: re.Pattern[str]
    unknown: str
    mentions: tuple[str, ...]


@cache
def _titles() -> _Titles:
    content = load("chapters")
    by_title = {title: chapter["name"] for chapter in content["chapters"] for title in chapter["titles"]}
    longest_first = "|".join(sorted(map(re.escape, by_title), key=len, reverse=True))
    numbering = "|".join(f"(?P<level{level}>{pattern})" for level, pattern in enumerate(_NUMBERINGS))
    return _Titles(
        by_title=by_title,
        keywords=tuple(
            (word, chapter["name"]) for chapter in content["chapters"] for word in chapter["keywords"]
        ),
        inside=re.compile(rf"(?:{numbering})(?P<title>{longest_first})"),
        unknown=content["unknown"],
        mentions=tuple(content["mentions"]),
    )


def read_chapters(document: Document) -> list[Chapter]:
    """The chapters of a document's prose in printed order; one chapter `whole` where no heading is found."""
    return join_parts(split_parts(document.paragraphs))


def limits_note(document: Document) -> str:
    """A sentence for the findings when the prose was too long to be read whole; "" when it was not."""
    length = sum(map(len, document.paragraphs))
    if length <= MOST_CHARACTERS:
        return ""
    return f"The prose has {length:,} characters; only the first {MOST_CHARACTERS:,} were read."


def join_parts(parts: Iterable[Part]) -> list[Chapter]:
    """One record a chapter, its paragraphs joined by line breaks. `parts` in printed order."""
    chapters = []
    for ordinal, of_chapter in groupby(parts, key=attrgetter("ordinal")):
        first, *others = of_chapter
        text = "\n".join(filter(None, [first.text, *(part.text for part in others)]))
        chapters.append(Chapter(first.chapter, ordinal, first.heading, text))
    return chapters


def split_parts(paragraphs: Sequence[str], of_tables: Container[int] = ()) -> list[Part]:
    """The prose cut at its headings, with the paragraph each piece stands in; those `of_tables` left out.

    Headings are those of one level: the highest that names at least two different chapters (or a single one,
    when no level names two). Text before the first heading is an overview without heading.
    """
    paragraphs = _bounded(paragraphs)
    prose = [(number, text) for number, text in enumerate(paragraphs, 1) if number not in of_tables]
    found = [heading for number, text in prose for heading in _headings(number, text)]
    headings = _without_contents(_of_chapter_level(found), paragraphs)[:MOST_CHAPTERS]
    if not headings:
        return [Part("whole", 1, "", number, text) for number, text in prose if text.strip()]
    return list(_cut(prose, headings))


def _bounded(paragraphs: Sequence[str]) -> Sequence[str]:
    if sum(map(len, paragraphs)) <= MOST_CHARACTERS:
        return paragraphs
    kept, left = [], MOST_CHARACTERS
    for text in paragraphs:
        kept.append(text[:left])
        left -= len(text)
        if left <= 0:
            break
    return kept


def _headings(number: int, text: str) -> Iterable[_Heading]:
    """Everything in a paragraph that could be a heading, of any level."""
    if _TRADITIONAL.search(text):
        found = _headings_as_written(number, text.translate(simplified()))
        return [heading._replace(printed=_printed(heading, text)) for heading in found]
    return _headings_as_written(number, text)


def _printed(heading: _Heading, text: str) -> str:
    """The heading as the text prints it, in traditional characters: as many as in simplified ones."""
    return text[heading.start :].lstrip()[: len(heading.printed)]


def _headings_as_written(number: int, text: str) -> Iterable[_Heading]:
    if len(text) > LONGEST_ALONE:
        return _headings_inside(number, text)
    # Short lines are labels and headings, which reports print over and over.
    return [heading._replace(paragraph=number) for heading in _headings_of_line(text)]


@lru_cache(maxsize=16384)
def _headings_of_line(text: str) -> tuple[_Heading, ...]:
    alone = _heading_alone(1, text)
    return (alone,) if alone else tuple(_headings_inside(1, text))


def _headings_inside(number: int, text: str) -> Iterator[_Heading]:
    titles = _titles()
    for match in titles.inside.finditer(text):
        level = next(level for level in range(_UNNUMBERED) if match[f"level{level}"])
        before, after = text[max(0, match.start() - 12) : match.start()], text[match.end() : match.end() + 2]
        if (
            not _STARTS_AFTER.search(before)
            or _GOES_ON.match(after)
            or before.rstrip().endswith(titles.mentions)
        ):
            continue
        end = match.end()
        while end < len(text) and text[end] in _TITLE_ENDS:
            end += 1
        printed = match[0].strip()
        yield _Heading(number, match.start(), end, level, titles.by_title[match["title"]], printed, True)


def _heading_alone(number: int, text: str) -> _Heading | None:
    """The heading a short line is, numbered or not; None for a line that is none."""
    titles = _titles()
    printed = text.strip()
    for level, pattern in enumerate(_LINE_HEADING):
        match = pattern.fullmatch(printed)
        if match:
            title = match["title"].strip(_TITLE_ENDS)
            if re.search(r"[。；;！!？?]|\d\s?[条件篇份次个元]", title):
                return None
            known = _chapter_of(title)
            return _Heading(number, 0, len(text), level, known or titles.unknown, printed, known is not None)
    title = re.sub(r"\s+", "", printed).strip(_TITLE_ENDS)
    if title in titles.by_title:
        return _Heading(number, 0, len(text), _UNNUMBERED, titles.by_title[title], printed, True)
    return None


def _chapter_of(title: str) -> str | None:
    title = re.sub(r"\s+", "", title)
    titles = _titles()
    if title in titles.by_title:
        return titles.by_title[title]
    return next((chapter for word, chapter in titles.keywords if word in title), None)


def _of_chapter_level(found: list[_Heading]) -> list[_Heading]:
    """The headings of the level that carries the chapters; a title that lost its number is of any level."""
    unnumbered = [heading for heading in found if heading.level == _UNNUMBERED]
    best: list[_Heading] = []
    most = 0
    for level in range(_UNNUMBERED + 1):
        names = {heading.chapter for heading in found if heading.level == level and heading.is_known}
        if len(names) > 1 or len(names) > most:
            best = [heading for heading in found if heading.level == level]
            most = len(names)
        if most > 1:
            break
    if best and best[0].level != _UNNUMBERED:
        known = {heading.chapter for heading in best if heading.is_known}
        best = best + [heading for heading in unnumbered if heading.chapter not in known]
        best.sort(key=lambda heading: (heading.paragraph, heading.start))
    return best


def _without_contents(headings: list[_Heading], paragraphs: Sequence[str]) -> list[_Heading]:
    """Drop a table of contents: a heading printed again later, with nothing between it and the next one."""
    later: set[str] = set()
    kept: list[_Heading] = []
    following: _Heading | None = None
    for heading in reversed(headings):
        key = re.sub(r"\s+", "", heading.printed)
        is_empty = following is not None and following.paragraph - heading.paragraph <= 1
        is_empty = is_empty and heading.end >= len(paragraphs[heading.paragraph - 1])
        if not (is_empty and key in later):
            kept.append(heading)
        later.add(key)
        following = heading
    return kept[::-1]


def _cut(prose: Sequence[tuple[int, str]], headings: Sequence[_Heading]) -> Iterator[Part]:
    """The pieces between headings; a heading gives a piece even when it is empty, so its chapter is known."""
    chapter, heading_text, ordinal = "overview", "", 0
    by_paragraph = {n: list(group) for n, group in groupby(headings, key=attrgetter("paragraph"))}
    for number, text in prose:
        start = 0
        for heading in by_paragraph.get(number, ()):
            before = text[start : heading.start].strip()
            if before:
                ordinal = ordinal or 1
                yield Part(chapter, ordinal, heading_text, number, before)
            ordinal += 1
            chapter, heading_text, start = heading.chapter, heading.printed, heading.end
            if heading.end >= len(text):
                yield Part(chapter, ordinal, heading_text, number, "")
        rest = text[start:].strip()
        if rest:
            ordinal = ordinal or 1
            yield new_record(Part, (chapter, ordinal, heading_text, number, rest))
