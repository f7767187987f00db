"""Titles of information reports: the agency and the year they name, wherever a page or text prints one.

A sentence that only mentions a report is no title. Chooses nothing between titles: that is `naming`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from extractors.naming_words import (
    LONGEST_NAME,
    OTHER_YEARS,
    PERIOD,
    QUOTES,
    YEAR,
    YEAR_LINE,
    clean_name,
    is_bare,
    plain_line,
    words_of_names,
)
from extractors.records import Document

HEAD_CHARACTERS = 400
"""Characters of a line or heading that are looked at."""
FIRST_YEAR = 2003
"""No administrative organ reported about an earlier year."""
_YEAR_DIGITS = re.compile(r"(?<!\d)(?:20)?(20[0-4]\d)(?!\d)")
_DAY = re.compile(r"(?<!\d)20\d\d[-./]\d{1,2}[-./]\d{1,2}(?!\d)")
# 洪泽区人民政府信息公开年报 names the government; 洪泽镇政府信息公开年报 names 洪泽镇: 政府信息公开 is one term.
_REPORT = re.compile(
    r"(?:(?<!人民)(?:政府|政务))?(?:信息|政务|资讯)(?:与政务|主动)?公开"
    r"(?:条例(?=(?:情况|工作|的|20\d\d|年|度){0,6}(?:报告|年报|总结))|(?!条例|指南|目录|办法|规定))"
    r"(?P<between>[^,。;、:!?条]{0,22}?)(?:年度?报告|年报|报告|工作总结|总结)(?:书)?"
    r"(?!有关|的通知|编制|格式|模板|发布|解读|制度|的要求|要求|报送|专栏|栏目)"
)
_REPORT_LETTERS = frozenset("报報总總")
LONGEST_TITLE = 60
_FIRST_CHAPTER = re.compile(r"(?:第?一(?:[、.章]|部分)|\(一\))")
_FACT = re.compile(r":|号$")
_TAG = re.compile(r"^[\[(【](?!20)(?P<name>(?:[^\[\]()【】]|\([^()]*\)){1,40})[\])】]")
_ISSUED = re.compile(r"(?:公布|发布|印发|公开|报送|上报)《(?P<title>[^《》]{6,80})》(?:的[^的,。]{1,6})?$")
_SEPARATORS = re.compile(r"[>›»|]|::")
_DASHES = re.compile(r"(?<!\d)[-—–_]+|[-—–_]+(?!\d)")
_NUMBER = re.compile(
    r"^(?:附(?:件|(?=[:.、\d]))\d{0,2}(?:-\d{1,2})?[:.、]?(?!\d{1,3}年)|\(?(?:[一二三四五六七八九十]{1,3}|\d{1,2})[).、])"
)


class Title(NamedTuple):
    """What a title says: either may be missing ("" and None)."""

    agency: str
    year: int | None
    text: str
    site: str = ""
    """Whose site the page is on, when the title names no agency."""
    is_beside: bool = False
    """Whether the agency stands on a line of its own beside the title, where a page's header may stand as well."""


def titles_of(document: Document, meta: dict[str, str], head: list[str]) -> Iterator[Title]:
    """Every title of the document that speaks of an information report, the best first."""
    candidates = [
        meta.get("ArticleTitle", ""),
        document.title,
        *(meta.get(label, "") for label in words_of_names().title_labels),
    ]
    for text in dict.fromkeys(candidate for candidate in candidates if candidate):
        if title := read_title(text):
            yield title
    for at, line in enumerate(head[:8]):
        if title := read_title(line):
            yield _completed(title, head, at)
        elif len(line) <= 60 and not _FACT.search(line) and (joined := _joined_title(head, at)):
            yield joined


def own_head(head: list[str]) -> list[str]:
    """The lines of a page's head without links to other pages: 上一篇 and what follows, titles below the first chapter."""
    kept: list[str] = []
    has_begun = False
    words = words_of_names()
    for line in head:
        if kept and not words.neighbour_starts.isdisjoint(line[:4]) and words.neighbour.match(line):
            break
        if has_begun and len(line) <= LONGEST_TITLE and read_title(line):
            continue
        has_begun = has_begun or bool(_FIRST_CHAPTER.match(line) and not read_title(line))
        kept.append(line)
    return kept


def _joined_title(head: list[str], at: int) -> Title | None:
    """A title broken over the lines from `at` on."""
    joined = head[at]
    for line in head[at + 1 : at + 4]:
        alone = read_title(line)
        if len(line) > 60 or _FACT.search(line) or (alone and (alone.agency or clean_name(joined))):
            return None  # the line is a title by itself; it looks at the lines around it on its own
        joined += line
        if (title := read_title(joined)) and len(joined) <= 100:
            return title
    return None


def _completed(title: Title, head: list[str], at: int) -> Title:
    """The title of line `at` with what it lacks, when that is printed alone on a line next to it."""
    if not title.agency:
        title = title._replace(agency=_neighbour(head, at), is_beside=True)
    if not title.year:
        near = (YEAR_LINE.fullmatch(line) for line in head[max(0, at - 1) : at + 2])
        title = title._replace(year=next((int(match["year"][-4:]) for match in near if match), None))
    return title


def _neighbour(head: list[str], at: int) -> str:
    """The agency printed alone on a line next to a title that does not name it."""
    near = [*reversed(head[max(0, at - 2) : at]), *head[at + 1 : at + 2]]
    for line in near:
        if len(line) > LONGEST_NAME:
            continue
        alone = OTHER_YEARS.sub("", line)
        if alone.startswith("("):
            alone = alone.strip("()")
        if name := clean_name(alone):
            above = head[head.index(line) - 1] if line in head[1:at] else ""
            whose = words_of_names().is_region.search(above) and is_bare(name) and clean_name(above)
            return f"{whose}{name}" if whose else name
    return ""


def read_title(text: str) -> Title | None:
    """Agency and year of a title; None when it is not the title of an information report."""
    if "公" not in text or _REPORT_LETTERS.isdisjoint(text):
        return None  # most lines, at no cost
    line = _DAY.sub("", plain_line(text[:HEAD_CHARACTERS]))
    if "《" in line and (issued := _ISSUED.search(line)) and (title := _parse(issued["title"])):
        return title._replace(agency=title.agency or clean_name(line[: issued.start()]))
    tag = _TAG.match(line)
    line = QUOTES.sub("", line[tag.end() :] if tag else line)
    title = _read_pieces(line)
    if title and tag and not title.agency:
        title = title._replace(agency=clean_name(tag["name"]))
    return title


def _read_pieces(line: str) -> Title | None:
    """The title in a line that may also hold the way to the page and the site's name."""
    pieces = [piece for piece in _SEPARATORS.split(line) if _REPORT.search(piece)]
    if not pieces:
        return None
    # Of a trail of links the last is the page; of a title the site's name follows the dash.
    whole = pieces[-1]
    parts = _DASHES.split(whole)
    if len(parts) == 1:
        return _parse(_NUMBER.sub("", whole))
    read = [(part, title) for part in parts if (title := _parse(_NUMBER.sub("", part)))]
    if not read:
        return _parse(whole)
    best, title = next((found for found in read if found[1].agency), read[0])
    following = parts[parts.index(best) + 1 :]
    if not title.year and len(following) == 1 and (alone := YEAR_LINE.fullmatch(following[0])):
        title = title._replace(year=int(alone["year"][-4:]))
    if not title.agency:
        others = (
            name for part in parts if part != best and not _REPORT.search(part) and (name := clean_name(part))
        )
        title = title._replace(site=next(others, ""))
    return title


def _parse(line: str) -> Title | None:
    """Reads `<agency> <year> 政府信息公开…报告 <year>` in any order; None for a sentence that only mentions one."""
    agency, year, start = "", None, 0
    found = False
    for match in _REPORT.finditer(line):
        before = PERIOD.sub(
            lambda period: (period["last"] or period["first"]) + "年", line[start : match.start()]
        )
        label, _, before = OTHER_YEARS.sub("", before).rpartition(":")
        if re.search(r"[,。;!?:]", before) or len(before) > LONGEST_NAME + 20:
            break
        found = True
        years = _YEAR_DIGITS.findall(before) or _YEAR_DIGITS.findall(match["between"])
        if not years:
            after = re.match(
                rf"[(\[]?({YEAR})(?!\d)年?度?(?!\d{{0,2}}月)", line[match.end() : match.end() + 12]
            )
            years = [after[1][-4:]] if after else []
        year = year or next((int(y) for y in reversed(years) if int(y) >= FIRST_YEAR), None)
        agency = (
            agency
            or clean_name(_without_years(before))
            or clean_name(_without_years(match["between"]))
            or clean_name(label)
        )
        start = match.end()
    if not found:
        return None
    if agency or not (agency := _named_after(rest := line[start : start + LONGEST_NAME + 12])):
        return Title(agency, year, line)
    last = re.search(rf"({YEAR})年度?$", rest)
    return Title(agency, year or (int(last[1][-4:]) if last else None), line)


def _named_after(text: str) -> str:
    """The agency after a title that does not begin with it: …年度报告(沭阳县审计局), …年报:沭阳县审计局."""
    alone = re.match(r"\((?P<name>[^()]+)\)(?:\(|$)", text)
    return clean_name(_without_years(alone["name"] if alone else text.lstrip(":")))


def _without_years(text: str) -> str:
    """Takes the year off the ends of a title's part that names the agency."""
    text = re.sub(
        rf"^[(\[]?{YEAR}年?(?:度(?!假))?[)\]]?|[(\[]?{YEAR}年?度?(?:0?1月?[-—~至]12月)?[)\]]?$", "", text
    )
    trimmed = words_of_names().after.sub("", words_of_names().before.sub("", text))
    trimmed = re.sub(rf"^{YEAR}年?(?:度(?!假))?|{YEAR}年?度?$", "", trimmed)
    if trimmed == text:
        return trimmed
    return _without_years(trimmed)
