"""Who reports about which year, and since when it is public, as the document itself says.

Looks at the head and the tail of a document only: title, first sentences, the page's facts, signature. Never takes a
year from the day of publication, a date from an index number, or a name the document does not print. Which agency of
which region a name means is not decided here (`transforms.identity`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise, tee
from typing import Any, NamedTuple

from extractors.chinese_numerals import to_number
from extractors.labels import fold
from extractors.naming_words import (
    LONGEST_NAME,
    OTHER_YEARS,
    PERIOD,
    PRINTED_DAY,
    YEAR,
    clean_name,
    is_bare,
    plain_line,
    simple_years,
    words_of_names,
)
from extractors.records import Document, Grid, Identity, Paragraph
from extractors.titles import HEAD_CHARACTERS, Title, own_head, read_title, titles_of

HEAD_ROWS = 6
LONGEST_HEAD_ROW = 120
"""Rows at the head of a table in which one cell alone is filled, and the longest text such a cell holds."""
HEAD_BLOCKS = 14
TAIL_BLOCKS, TAIL_CHARACTERS = 12, 160

_DATE = re.compile(r"(?<!\d)(20\d\d)[-年./](\d{1,2})[-月./](\d{1,2})(?!\d)")
_CLOCK = re.compile(r"\s+\d{1,2}\s?[:：].*")
_CHINESE_DATE = re.compile(r"(20\d\d)年(元|[一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日")
_SIGNED = re.compile(
    rf"(?:日期:|[^,。;:!?至\d]{{0,40}})(?:{PRINTED_DAY}|20\d\d年[元一二三四五六七八九十]{{1,2}}月[一二三四五六七八九十]{{1,3}})"
    "日?(?:印发)?"
)
_DATED = re.compile(
    rf"(?:(?:日期|时间):|(?:信息|文章)?来源:[^,。:]{{2,30}}?)?[\[(]?(?P<date>{PRINTED_DAY})日?[\])]?(?:\d{{1,2}}:\d\d(?::\d\d)?)?"
    r"(?:(?:信息|文章)?来源:|作者:|浏览|点击|阅读|访问|字号|字体|\[|\||$)"
)
"""A line under the title that is the day of publication, with or without clock, source and counters."""
_QUOTED = re.compile(r"《[^》]{0,120}》")
_NAME = r"[^,。;:!?\n由]{2,40}?"
_FREE = "自\ue0ff"
"""由 begins a name (由沭阳县审计局编制) except in 自由贸易试验区, where it is hidden while sentences are looked for."""
_SENTENCES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:报告|年报)[^。\n]{{0,120}}?由(?P<name>{_NAME})(?:负责|组织|牵头|汇总|依据|根据|按照|依照|结合|编制|编写|撰写|起草)",
        rf"由(?P<name>{_NAME})(?:负责|组织|牵头)?(?:编制|编写|撰写)",
        rf"由(?P<name>{_NAME})(?:依据|根据|按照|综合|汇总|结合|会同)[^。\n]{{0,80}}?(?:编制|编写|撰写)",
        rf"本(?:年度|年)?(?:工作)?(?:报告|年报)(?:是|系|为)?(?P<name>{_NAME})(?:依据|根据|按照|依照|编制)",
        rf"(?:现将|现公布|现发布|特编制|编制了?|公布|发布)(?P<name>{_NAME})(?:{YEAR}|政府信息公开|关于)",
        rf"(?:^|\n|[,。;:])(?P<name>{_NAME})(?:依据|根据|按照|依照|结合)[^。\n]{{0,200}}?(?:编制|公布|发布|报告如下)",
        rf"(?:^|\n|[,。;:])(?P<name>{_NAME})(?:编制了?(?:本|{YEAR})|(?:公布|发布){YEAR}|向社会(?:公布|公开|发布))",
        rf"(?:^|\n|[,。;:])(?P<name>{_NAME})对{YEAR}年?度?政府信息公开[^,。\n]{{0,10}}(?:总结|汇总|梳理)",
        rf"(?:^|\n)(?P<name>{_NAME})(?:{YEAR})年?度?政府信息公开",
    )
)
_STATED_YEAR = (
    re.compile(rf"编制的?(?:本)?(?P<year>{YEAR})年"),
    re.compile(
        rf"(?P<year>{YEAR})年?度?(?:本级|全市|全县|全区)?(?:政府|政务)?信息公开(?:工作)?(?:情况)?(?:年度)?(?:工作)?(?:报告|年报)"
    ),
)
_OPENING_YEAR = re.compile(rf"^(?P<year>{YEAR})年(?:度|来|以来)?[,、]")
_SHORT_TITLE = re.compile(rf"(?P<year>{YEAR})(?:年?度?(?:年报|年度报告)|年度)$")
_ENDINGS_IN_FULL = {"委": "会", "办": "室"}
_STAMP = re.compile(r"\((?:盖章|公章|章|印章)\)|^(?:单位|落款|编制单位|编制机关|发布单位)[:]")


class _Found(NamedTuple):
    name: str
    source: str


def identify(
    document: Document, listing_title: str = "", listing_date: date | None = None, portal_agency: str = ""
) -> Identity:
    """Who reports, about which year, published when.

    agency_source and year_source: `title`, `listing`, `sentence`, `metadata`, `signature`, `text`, `portal`, or "" when
    nothing says it (then agency_name is "" or year None). The name is given as printed, without white space and in
    simplified characters. `portal_agency` is taken only when the document itself prints no name.
    """
    meta = {fold(key).rstrip(":"): value for key, value in document.meta.items() if value}
    head = own_head([plain_line(text[:HEAD_CHARACTERS]) for text in _head(document.blocks[:HEAD_BLOCKS])])
    tail = [text[-TAIL_CHARACTERS:] for text in _paragraphs(document.blocks[-TAIL_BLOCKS:])]
    meta = {**_facts_in_print(document, head), **meta}

    # Each source is looked at only when the better ones leave something open.
    for_year, for_name, for_text = tee(titles_of(document, meta, head), 3)
    listed = read_title(listing_title) if listing_title else None
    prose = "\n".join(line for line in head if len(line) > 12)
    headings = (meta.get("ArticleTitle", ""), document.title, listing_title, meta.get("title", ""))
    year, year_source = _year(for_year, listed, prose, head, headings)
    chosen = _fullest(_names(for_name, listed, prose, meta, tail, document.carrier == "html"))
    if chosen is None:
        name = clean_name(portal_agency)
        chosen = _Found(name, "portal" if name else "")
    published_on = _published_on(meta, listing_date, head, tail, year)
    return Identity(
        chosen.name,
        chosen.source,
        year,
        year_source,
        published_on,
        _title_text(document, for_text, listing_title),
    )


# --- the year


def _year(
    titles: Iterator[Title], listed: Title | None, prose: str, head: list[str], headings: tuple[str, ...]
) -> tuple[int | None, str]:
    told, is_list = _year_of(titles)
    if told:
        return told, "title"
    if listed and listed.year:
        return listed.year, "listing"
    if period := PERIOD.search(prose):
        return int((period["last"] or period["first"])[-4:]), "sentence"
    bare = OTHER_YEARS.sub("", _QUOTED.sub("", prose))
    for pattern in _STATED_YEAR[:1] if is_list else _STATED_YEAR:
        if stated := pattern.search(bare):
            return int(stated["year"][-4:]), "sentence"
    openings = {int(match["year"][-4:]) for line in head if (match := _OPENING_YEAR.match(line))}
    if len(openings) == 1:
        return openings.pop(), "text"
    # 2021年年报, 2021年度: the list or the page's heading leaves out what the report is about.
    shorts = (_SHORT_TITLE.search(plain_line(text[:HEAD_CHARACTERS])) for text in headings if text)
    return next(((int(short["year"][-4:]), "title") for short in shorts if short), (None, ""))


def _year_of(titles: Iterator[Title]) -> tuple[int | None, bool]:
    """The first year a title tells, and whether titles without an agency are a list of links to several years."""
    first = next((title for title in titles if title.year), None)
    if first is None or first.agency:
        return (first.year if first else None), False
    others = [title for title in titles if title.year]
    if all(title.year == first.year for title in others if not title.agency):
        return first.year, False
    return next((title.year for title in others if title.agency), None), True


# --- the name


def _names(
    titles: Iterator[Title],
    listed: Title | None,
    prose: str,
    meta: dict[str, str],
    tail: list[str],
    is_page: bool,
) -> Iterator[_Found]:
    """Every name the document prints for its author, best source first."""
    sites: list[str] = []
    for title in titles:
        if title.agency and title.is_beside and is_page and _is_header(title.agency, prose, tail):
            sites.append(title.agency)
        elif title.agency:
            yield _Found(title.agency, "title")
        elif title.site:
            sites.append(title.site)
    if listed and listed.agency:
        yield _Found(listed.agency, "listing")
    elif listed and listed.site:
        sites.append(listed.site)
    yield from (_Found(name, "sentence") for name in _in_sentences(prose))
    words = words_of_names()
    for label in words.agency_labels:
        name = clean_name(plain_line(meta.get(label, "")[:80]))
        if name and not words.media.search(name) and _calls_itself_so(name, prose):
            yield _Found(name, "metadata")
    if name := _signature(tail):
        yield _Found(name, "signature")
    for name in sites:
        if _calls_itself_so(name, prose):
            yield _Found(name, "metadata")


def _fullest(names: Iterator[_Found]) -> _Found | None:
    """The first name; where it lacks its region (审计局) or office (宿迁市), the same name printed in full."""
    first = next(names, None)
    if first is None:
        return None
    if is_bare(first.name):
        longer = (found for found in names if _is_full_name(found, first.name))
        return next((found for found in longer if not is_bare(found.name)), first)
    if words_of_names().is_region.search(first.name):
        endings = ("人民政府", "政府", "办事处", "人民政府办事处", "管理委员会", "管委会")
        full = tuple(first.name + ending for ending in endings)
        return next((found for found in names if found.name.endswith(full)), first)
    return first


def _in_sentences(prose: str) -> Iterator[str]:
    """Names of who wrote, compiled or publishes the report, as its first sentences say."""
    sentences = _QUOTED.sub("", prose).replace("自由", _FREE)
    for pattern in _SENTENCES:
        for match in pattern.finditer(sentences):
            if name := clean_name(match["name"].replace(_FREE, "自由")):
                yield name


def _is_header(name: str, prose: str, tail: list[str]) -> bool:
    """Whether a government named beside the title is the portal's header: an office or township of it wrote the report."""
    words = words_of_names()
    if not words.is_government.search(name):
        return False
    is_town = words.town.search(name)
    authors = (*_in_sentences(prose), _signature(tail))
    return not _calls_itself_so(name, prose) or any(
        words.is_office.search(author) or (words.town.search(author) and not is_town) for author in authors
    )


def _calls_itself_so(name: str, prose: str) -> bool:
    """Whether the page's publisher may be the author: 我局 is not written by a government, nor 我镇 by a county's office.

    A portal's name stands over the reports of every office and township of its region.
    """
    words = words_of_names()
    if words.is_government.search(name) and words.self_office.search(prose):
        return False
    return not words.self_town.search(prose) or bool(words.town.search(name))


def _is_full_name(found: _Found, short: str) -> bool:
    """Whether a name is `short` in full: 审计局, 托里县审计局; in a sentence also 县人社局, 沭阳县人力资源和社会保障局."""
    full = found.name
    if len(full) <= len(short):
        return False
    if full.endswith(short):
        return True
    if found.source != "sentence" or len(short) < 3:
        return False
    if full[-1] != _ENDINGS_IN_FULL.get(short[-1], short[-1]):
        return False
    rest = iter(full[:-1])
    return all(character in rest for character in short[:-1])


def _signature(tail: list[str]) -> str:
    """The name signed below the report, or ""."""
    lines = [plain_line(text) for text in tail]
    page_foot = words_of_names().page_foot
    end = next((i for i, line in enumerate(lines) if len(line) <= 60 and page_foot.match(line)), len(lines))
    for line in reversed(lines[:end]):
        if not line or words_of_names().foot.search(line):
            continue
        line = _STAMP.sub("", _CHINESE_DATE.sub("", _DATE.sub("", OTHER_YEARS.sub("", line)))).strip("日:")
        if len(line) <= LONGEST_NAME and (name := clean_name(line)):
            return name
    return ""


# --- titles


def _title_text(document: Document, titles: Iterator[Title], listing_title: str) -> str:
    if printed := " ".join(document.title.split()):
        return printed
    title = next(titles, None)
    return title.text if title else " ".join(listing_title.split())


# --- the day of publication


def _published_on(
    meta: dict[str, str], listing_date: date | None, head: list[str], tail: list[str], year: int | None
) -> date | None:
    """The first stated day that lies in or after the report year; the signature's last."""
    for day in _days(meta, listing_date, head, tail):
        if day is not None and (year is None or day.year >= year):
            return day
    return None


def _days(
    meta: dict[str, str], listing_date: date | None, head: list[str], tail: list[str]
) -> Iterator[date | None]:
    """Days the document or the list states, the best first."""
    yield from (_to_date(meta[label]) for label in words_of_names().date_labels if label in meta)
    yield listing_date
    yield from (_to_date(dated["date"]) for line in head if "20" in line and (dated := _DATED.match(line)))
    yield from (_to_date(line) for text in reversed(tail) if _SIGNED.fullmatch(line := plain_line(text)))


def _to_date(text: str) -> date | None:
    """The first day named in a text; None when there is none or it is no day of the calendar."""
    folded = simple_years(fold(_CLOCK.sub("", text[:80])))
    if len(folded) == 8 and folded.isdecimal():
        folded = f"{folded[:4]}-{folded[4:6]}-{folded[6:]}"
    if match := _DATE.search(folded):
        parts = [int(part) for part in match.groups()]
    elif match := _CHINESE_DATE.search(folded):
        numbers = [to_number(part.replace("元", "一")) for part in match.groups()[1:]]
        parts = [int(match[1]), *(int(number[0]) for number in numbers if number)]
    else:
        return None
    try:
        return date(*parts) if len(parts) == 3 else None
    except ValueError:
        return None


# --- plain text


def _facts_in_print(document: Document, head: list[str]) -> dict[str, str]:
    """Labelled facts printed in the page's head (发布日期：2020-01-31) or in a small table before the report."""
    words = words_of_names()
    facts: dict[str, str] = {}
    for line in head:
        for match in words.printed_date.finditer(line):
            facts.setdefault(match["label"], match["date"])
        for match in words.printed_agency.finditer(line[:200]):
            facts.setdefault(match["label"], match["name"])
    known = {*words.agency_labels, *words.date_labels, *words.title_labels}
    for block in document.blocks[:4]:
        if isinstance(block, Grid) and len(block.rows) <= 12:
            for row in block.rows:
                texts = [fold(cell.text[:120]) for cell in row[:12]]
                for label, value in pairwise(texts):
                    if (label := label.rstrip(":")) in known and value:
                        facts.setdefault(label, value)
    return facts


def _paragraphs(blocks: tuple[Any, ...]) -> list[str]:
    return [block.text for block in blocks if isinstance(block, Paragraph) and block.text]


def _head(blocks: tuple[Any, ...]) -> list[str]:
    """The paragraphs, and what stands at the very beginning of a table: a title, the agency, all of a report on one line."""
    texts: list[str] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            texts.append(block.text)
        elif isinstance(block, Grid):
            texts.extend(_head_of_table(block))
        else:
            texts.extend(cell for cell in block.cells[:2] if cell and "公" in cell)
    return [text for text in texts if text]


def _head_of_table(grid: Grid) -> Iterator[str]:
    """Rows in which one cell alone is filled, as far as they reach; of the first two rows also cells like titles."""
    for number, row in enumerate(grid.rows[:HEAD_ROWS]):
        filled = [cell.text for cell in row if cell.text.strip()]
        if len(filled) == 1 and len(filled[0]) <= LONGEST_HEAD_ROW:
            yield filled[0]
        elif number < 2:
            yield from (c.text for c in row[:2] if "公" in c.text and (c.column == 0 or len(c.text) > 60))
        else:
            return
