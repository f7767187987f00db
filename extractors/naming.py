"""Who reports about which year, and since when it is public, as the document itself says.

Looks at the head and the tail of a document only: title, first sentences, the page's facts, signature. Never takes a
year from the day of publication, a date from an index number, or a name the document does not print. Which agency of
which region a name means is not decided here (`transforms.identity`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import pairwise, tee
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from extractors.chinese_numerals import to_number
from extractors.labels import fold
from extractors.records import Document, Grid, Identity, Paragraph

WORDS_FILE = Path(__file__).parent / "forms" / "naming.yml"
HEAD_ROWS = 6
LONGEST_HEAD_ROW = 120
"""Rows at the head of a table in which one cell alone is filled, and the longest text such a cell holds."""
HEAD_BLOCKS, HEAD_CHARACTERS = 14, 400
TAIL_BLOCKS, TAIL_CHARACTERS = 12, 160
LONGEST_NAME = 40
FIRST_YEAR = 2003
"""No administrative organ reported about an earlier year."""

_YEAR = r"(?:20)?20[0-4]\d"  # 202020年: the century is sometimes printed twice
_YEAR_DIGITS = re.compile(r"(?<!\d)(?:20)?(20[0-4]\d)(?!\d)")
_OTHER_YEARS = re.compile(
    r"[〔\[(]20\d\d[〕\])]第?\d*号|20\d\d年\d{1,2}月(?:\d{1,2}日)?|20\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{7,}"
)
_CHINESE_YEAR = re.compile(
    r"[二2][零〇○◯OoQОоΟο0][零〇○◯OoQОоΟο0一二三四1-4][零〇○◯OoQОоΟο0一二三四五六七八九\d](?=年|度)"
)
"""Zeros are typed as whatever looks round: letters O and Q, Cyrillic and Greek ones, circles."""
_CHINESE_DIGITS = str.maketrans("零〇○◯OoQОоΟο一二三四五六七八九", "00000000000123456789")
_PERIOD = re.compile(
    rf"(?P<first>{_YEAR})年?0?\d{{1,2}}月0?\d{{1,2}}日?(?:零时|起|开始)?[至到—~-]+(?:(?P<last>{_YEAR})年?)?12月31日"
)
_DAY = re.compile(r"(?<!\d)20\d\d[-./]\d{1,2}[-./]\d{1,2}(?!\d)")
_DATE = re.compile(r"(?<!\d)(20\d\d)[-年./](\d{1,2})[-月./](\d{1,2})(?!\d)")
_CLOCK = re.compile(r"\s+\d{1,2}\s?[:：].*")
_CHINESE_DATE = re.compile(r"(20\d\d)年(元|[一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日")
_PRINTED_DAY = r"20\d\d[-年./]\d{1,2}[-月./]\d{1,2}"
_SIGNED = re.compile(
    rf"(?:日期:|[^,。;:!?至\d]{{0,40}})(?:{_PRINTED_DAY}|20\d\d年[元一二三四五六七八九十]{{1,2}}月[一二三四五六七八九十]{{1,3}})"
    "日?(?:印发)?"
)
_DATED = re.compile(
    rf"(?:(?:日期|时间):|(?:信息|文章)?来源:[^,。:]{{2,30}}?)?[\[(]?(?P<date>{_PRINTED_DAY})日?[\])]?(?:\d{{1,2}}:\d\d(?::\d\d)?)?"
    r"(?:(?:信息|文章)?来源:|作者:|浏览|点击|阅读|访问|字号|字体|\[|\||$)"
)
"""A line under the title that is the day of publication, with or without clock, source and counters."""
_QUOTES = re.compile(r"[《》〈〉“”\"'‘’「」『』【】#*]")
_QUOTED = re.compile(r"《[^》]{0,120}》")
# 洪泽区人民政府信息公开年报 names the government; 洪泽镇政府信息公开年报 names 洪泽镇: 政府信息公开 is one term.
_REPORT = re.compile(
    r"(?:(?<!人民)(?:政府|政务))?(?:信息|政务|资讯)(?:与政务|主动)?公开"
    r"(?:条例(?=(?:情况|工作|的|20\d\d|年|度){0,6}(?:报告|年报|总结))|(?!条例|指南|目录|办法|规定))"
    r"(?P<between>[^,。;、:!?条]{0,22}?)(?:年度?报告|年报|报告|工作总结|总结)(?:书)?"
    r"(?!有关|的通知|编制|格式|模板|发布|解读|制度|的要求|要求|报送|专栏|栏目)"
)
_REPORT_LETTERS = frozenset("报報总總")
_NAME_CHARACTERS = re.compile(r"[\u3400-\u9fff\ue000-\uf8ffA-Za-z0-9()·、\-\U00020000-\U0003ffff]+")
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
        rf"(?:现将|现公布|现发布|特编制|编制了?|公布|发布)(?P<name>{_NAME})(?:{_YEAR}|政府信息公开|关于)",
        rf"(?:^|\n|[,。;:])(?P<name>{_NAME})(?:依据|根据|按照|依照|结合)[^。\n]{{0,200}}?(?:编制|公布|发布|报告如下)",
        rf"(?:^|\n|[,。;:])(?P<name>{_NAME})(?:编制了?(?:本|{_YEAR})|向社会(?:公布|公开|发布))",
        rf"(?:^|\n|[,。;:])(?P<name>{_NAME})对{_YEAR}年?度?政府信息公开[^,。\n]{{0,10}}(?:总结|汇总|梳理)",
        rf"(?:^|\n)(?P<name>{_NAME})(?:{_YEAR})年?度?政府信息公开",
    )
)
_STATED_YEAR = (
    re.compile(rf"编制的?(?:本)?(?P<year>{_YEAR})年"),
    re.compile(
        rf"(?P<year>{_YEAR})年?度?(?:本级|全市|全县|全区)?(?:政府|政务)?信息公开(?:工作)?(?:情况)?(?:年度)?(?:工作)?(?:报告|年报)"
    ),
)
_OPENING_YEAR = re.compile(rf"^(?P<year>{_YEAR})年(?:度|来|以来)?[,、]")
_SHORT_TITLE = re.compile(rf"(?P<year>{_YEAR})(?:年?度?(?:年报|年度报告)|年度)$")
_SELF = re.compile(r"^(?:我|本)[省市县区州旗盟镇乡局厅委办院会街道中心部门单位机关]{1,3}$")
_ENDINGS_IN_FULL = {"委": "会", "办": "室"}
_SITE = re.compile(r"(?:门户|政务|政府门户)?(?:网站|网)$")
_YEAR_LINE = re.compile(rf"[(\[]?(?P<year>{_YEAR})年?度?[)\]]?")
_FACT = re.compile(r":|号$")
_TAG = re.compile(r"^[\[(【](?!20)(?P<name>(?:[^\[\]()【】]|\([^()]*\)){1,40})[\])】]")
_ISSUED = re.compile(r"(?:公布|发布|印发|公开|报送|上报)《(?P<title>[^《》]{6,80})》(?:的[^的,。]{1,6})?$")
_SHORT_CALLED = re.compile(r"\((?:以下|下称|简称)[^()]*\)?$")
_STAMP = re.compile(r"\((?:盖章|公章|章|印章)\)|^(?:单位|落款|编制单位|编制机关|发布单位)[:]")
_TRADITIONAL = re.compile(
    "[們個無區縣鎮鄉門務財資訊開關於發佈報編製機構辦廳衛協勞動會體環農業統計審監設國質總園藝術廣電視]"
)
_NOT_REGIONS = re.compile("市场|城市|城镇|社区|园区|地区|区域|市容|市政|乡村|灾区|城区|林区|小区|县域")
_REGION_INSIDE = re.compile(r".[省市县区州旗盟乡镇]|街道|^国家|^中国|^中华|^全国|^国务院|总局|^中共")
_SEPARATORS = re.compile(r"[>›»|]|::")
_DASHES = re.compile(r"(?<!\d)[-—–_]+|[-—–_]+(?!\d)")
_NUMBER = re.compile(
    r"^(?:附(?:件|(?=[:.、\d]))\d{0,2}(?:-\d{1,2})?[:.、]?(?!\d{1,3}年)|\(?(?:[一二三四五六七八九十]{1,3}|\d{1,2})[).、])"
)


class _Words(NamedTuple):
    """`naming.yml`, made ready."""

    is_agency: re.Pattern[str]
    is_region: re.Pattern[str]
    no_names: frozenset[str]
    many: tuple[str, ...]
    agency_labels: tuple[str, ...]
    title_labels: tuple[str, ...]
    date_labels: tuple[str, ...]
    before: re.Pattern[str]
    after: re.Pattern[str]
    foot: re.Pattern[str]
    page_foot: re.Pattern[str]
    media: re.Pattern[str]
    is_government: re.Pattern[str]
    is_office: re.Pattern[str]
    self_office: re.Pattern[str]
    self_town: re.Pattern[str]
    town: re.Pattern[str]
    printed_date: re.Pattern[str]
    printed_agency: re.Pattern[str]


class _Title(NamedTuple):
    """What a title says: either may be missing ("" and None)."""

    agency: str
    year: int | None
    text: str
    site: str = ""
    """Whose site the page is on, when the title names no agency."""
    is_beside: bool = False
    """Whether the agency stands on a line of its own beside the title, where a page's header may stand as well."""


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
    head = [_plain(text[:HEAD_CHARACTERS]) for text in _head(document.blocks[:HEAD_BLOCKS])]
    tail = [text[-TAIL_CHARACTERS:] for text in _paragraphs(document.blocks[-TAIL_BLOCKS:])]
    meta = {**_facts_in_print(document, head), **meta}

    # Each source is looked at only when the better ones leave something open.
    for_year, for_name, for_text = tee(_titles(document, meta, head), 3)
    listed = _read_title(listing_title) if listing_title else None
    prose = "\n".join(line for line in head if len(line) > 12)
    headings = (meta.get("ArticleTitle", ""), document.title, listing_title, meta.get("title", ""))
    year, year_source = _year(for_year, listed, prose, head, headings)
    chosen = _fullest(_names(for_name, listed, prose, meta, tail, document.carrier == "html"))
    if chosen is None:
        name = _clean_name(portal_agency)
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
    titles: Iterator[_Title], listed: _Title | None, prose: str, head: list[str], headings: tuple[str, ...]
) -> tuple[int | None, str]:
    for title in titles:
        if title.year:
            return title.year, "title"
    if listed and listed.year:
        return listed.year, "listing"
    if period := _PERIOD.search(prose):
        return int((period["last"] or period["first"])[-4:]), "sentence"
    bare = _OTHER_YEARS.sub("", _QUOTED.sub("", prose))
    for pattern in _STATED_YEAR:
        if stated := pattern.search(bare):
            return int(stated["year"][-4:]), "sentence"
    openings = {int(match["year"][-4:]) for line in head if (match := _OPENING_YEAR.match(line))}
    if len(openings) == 1:
        return openings.pop(), "text"
    # 2021年年报, 2021年度: the list or the page's heading leaves out what the report is about.
    shorts = (_SHORT_TITLE.search(_plain(text[:HEAD_CHARACTERS])) for text in headings if text)
    return next(((int(short["year"][-4:]), "title") for short in shorts if short), (None, ""))


# --- the name


def _names(
    titles: Iterator[_Title],
    listed: _Title | None,
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
    words = _words()
    for label in words.agency_labels:
        name = _clean_name(_plain(meta.get(label, "")[:80]))
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
    if _is_bare(first.name):
        longer = (found for found in names if _is_full_name(found, first.name))
        return next((found for found in longer if not _is_bare(found.name)), first)
    if _words().is_region.search(first.name):
        full = {
            first.name + ending
            for ending in ("人民政府", "政府", "办事处", "人民政府办事处", "管理委员会", "管委会")
        }
        return next((found for found in names if found.name in full), first)
    return first


def _in_sentences(prose: str) -> Iterator[str]:
    """Names of who wrote, compiled or publishes the report, as its first sentences say."""
    sentences = _QUOTED.sub("", prose).replace("自由", _FREE)
    for pattern in _SENTENCES:
        for match in pattern.finditer(sentences):
            if name := _clean_name(match["name"].replace(_FREE, "自由")):
                yield name


def _is_header(name: str, prose: str, tail: list[str]) -> bool:
    """Whether a government named beside the title is the portal's header: an office or township of it wrote the report."""
    words = _words()
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
    words = _words()
    if words.is_government.search(name) and words.self_office.search(prose):
        return False
    return not words.self_town.search(prose) or bool(words.town.search(name))


def _is_bare(name: str) -> bool:
    """Whether the name says an office but not whose."""
    return not _REGION_INSIDE.search(_NOT_REGIONS.sub("", name))


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
    lines = [_plain(text) for text in tail]
    page_foot = _words().page_foot
    end = next((i for i, line in enumerate(lines) if len(line) <= 60 and page_foot.match(line)), len(lines))
    for line in reversed(lines[:end]):
        if not line or _words().foot.search(line):
            continue
        line = _STAMP.sub("", _CHINESE_DATE.sub("", _DATE.sub("", _OTHER_YEARS.sub("", line)))).strip("日:")
        if len(line) <= LONGEST_NAME and (name := _clean_name(line)):
            return name
    return ""


def _clean_name(text: str) -> str:
    """The agency's name in a piece of text that should hold nothing else; "" when it is none."""
    words = _words()
    name = _SHORT_CALLED.sub("", _QUOTES.sub("", text))
    while True:
        shorter = words.after.sub("", words.before.sub("", name))
        if shorter == name:
            break
        name = shorter
    if name in words.no_names or name.startswith(words.many):
        return ""
    name = _SITE.sub("", name)
    half = len(name) // 2
    if half > 2 and name[:half] == name[half:]:
        name = name[:half]
    if (
        not 2 <= len(name) <= LONGEST_NAME
        or not _NAME_CHARACTERS.fullmatch(name)
        or name.count("(") != name.count(")")
    ):
        return ""
    if name in words.no_names or _SELF.match(name) or "报告" in name or "年报" in name:
        return ""
    core = re.sub(r"\([^()]*\)$", "", name) or name
    return name if words.is_agency.search(core) or words.is_region.search(core) else ""


# --- titles


def _titles(document: Document, meta: dict[str, str], head: list[str]) -> Iterator[_Title]:
    """Every title of the document that speaks of an information report, the best first."""
    candidates = [
        meta.get("ArticleTitle", ""),
        document.title,
        *(meta.get(label, "") for label in _words().title_labels),
    ]
    for text in dict.fromkeys(candidate for candidate in candidates if candidate):
        if title := _read_title(text):
            yield title
    for at, line in enumerate(head[:8]):
        if title := _read_title(line):
            yield _completed(title, head, at)
        elif len(line) <= 60 and not _FACT.search(line) and (joined := _joined_title(head, at)):
            yield joined


def _joined_title(head: list[str], at: int) -> _Title | None:
    """A title broken over the lines from `at` on."""
    joined = head[at]
    for line in head[at + 1 : at + 4]:
        alone = _read_title(line)
        if len(line) > 60 or _FACT.search(line) or (alone and (alone.agency or _clean_name(joined))):
            return None  # the line is a title by itself; it looks at the lines around it on its own
        joined += line
        if (title := _read_title(joined)) and len(joined) <= 100:
            return title
    return None


def _completed(title: _Title, head: list[str], at: int) -> _Title:
    """The title of line `at` with what it lacks, when that is printed alone on a line next to it."""
    if not title.agency:
        title = title._replace(agency=_neighbour(head, at), is_beside=True)
    if not title.year:
        near = (_YEAR_LINE.fullmatch(line) for line in head[max(0, at - 1) : at + 2])
        title = title._replace(year=next((int(match["year"][-4:]) for match in near if match), None))
    return title


def _neighbour(head: list[str], at: int) -> str:
    """The agency printed alone on a line next to a title that does not name it."""
    near = [*reversed(head[max(0, at - 2) : at]), *head[at + 1 : at + 2]]
    for line in near:
        if len(line) > LONGEST_NAME:
            continue
        alone = _OTHER_YEARS.sub("", line)
        if alone.startswith("("):
            alone = alone.strip("()")
        if name := _clean_name(alone):
            above = head[head.index(line) - 1] if line in head[1:at] else ""
            whose = _words().is_region.search(above) and _is_bare(name) and _clean_name(above)
            return f"{whose}{name}" if whose else name
    return ""


def _read_title(text: str) -> _Title | None:
    """Agency and year of a title; None when it is not the title of an information report."""
    if "公" not in text or _REPORT_LETTERS.isdisjoint(text):
        return None  # most lines, at no cost
    line = _DAY.sub("", _plain(text[:HEAD_CHARACTERS]))
    if "《" in line and (issued := _ISSUED.search(line)) and (title := _parse(issued["title"])):
        return title._replace(agency=title.agency or _clean_name(line[: issued.start()]))
    tag = _TAG.match(line)
    line = _QUOTES.sub("", line[tag.end() :] if tag else line)
    title = _read_pieces(line)
    if title and tag and not title.agency:
        title = title._replace(agency=_clean_name(tag["name"]))
    return title


def _read_pieces(line: str) -> _Title | None:
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
    if not title.year and len(following) == 1 and (alone := _YEAR_LINE.fullmatch(following[0])):
        title = title._replace(year=int(alone["year"][-4:]))
    if not title.agency:
        others = (
            name
            for part in parts
            if part != best and not _REPORT.search(part) and (name := _clean_name(part))
        )
        title = title._replace(site=next(others, ""))
    return title


def _parse(line: str) -> _Title | None:
    """Reads `<agency> <year> 政府信息公开…报告 <year>` in any order; None for a sentence that only mentions one."""
    agency, year, start = "", None, 0
    found = False
    for match in _REPORT.finditer(line):
        before = _PERIOD.sub(
            lambda period: (period["last"] or period["first"]) + "年", line[start : match.start()]
        )
        label, _, before = _OTHER_YEARS.sub("", before).rpartition(":")
        if re.search(r"[,。;!?:]", before) or len(before) > LONGEST_NAME + 20:
            break
        found = True
        years = _YEAR_DIGITS.findall(before) or _YEAR_DIGITS.findall(match["between"])
        if not years:
            after = re.match(
                rf"[(\[]?({_YEAR})(?!\d)年?度?(?!\d{{0,2}}月)", line[match.end() : match.end() + 12]
            )
            years = [after[1][-4:]] if after else []
        year = year or next((int(y) for y in reversed(years) if int(y) >= FIRST_YEAR), None)
        agency = (
            agency
            or _clean_name(_without_years(before))
            or _clean_name(_without_years(match["between"]))
            or _clean_name(label)
        )
        start = match.end()
    if not found:
        return None
    if agency or not (agency := _named_after(rest := line[start : start + LONGEST_NAME + 12])):
        return _Title(agency, year, line)
    last = re.search(rf"({_YEAR})年度?$", rest)
    return _Title(agency, year or (int(last[1][-4:]) if last else None), line)


def _named_after(text: str) -> str:
    """The agency after a title that does not begin with it: …年度报告(沭阳县审计局), …年报:沭阳县审计局."""
    alone = re.match(r"\((?P<name>[^()]+)\)(?:\(|$)", text)
    return _clean_name(_without_years(alone["name"] if alone else text.lstrip(":")))


def _without_years(text: str) -> str:
    """Takes the year off the ends of a title's part that names the agency."""
    text = re.sub(
        rf"^[(\[]?{_YEAR}年?(?:度(?!假))?[)\]]?|[(\[]?{_YEAR}年?度?(?:0?1月?[-—~至]12月)?[)\]]?$", "", text
    )
    trimmed = _words().after.sub("", _words().before.sub("", text))
    trimmed = re.sub(rf"^{_YEAR}年?(?:度(?!假))?|{_YEAR}年?度?$", "", trimmed)
    if trimmed == text:
        return trimmed
    return _without_years(trimmed)


def _title_text(document: Document, titles: Iterator[_Title], listing_title: str) -> str:
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
    yield from (_to_date(meta[label]) for label in _words().date_labels if label in meta)
    yield listing_date
    yield from (_to_date(dated["date"]) for line in head if "20" in line and (dated := _DATED.match(line)))
    yield from (_to_date(line) for text in reversed(tail) if _SIGNED.fullmatch(line := _plain(text)))


def _to_date(text: str) -> date | None:
    """The first day named in a text; None when there is none or it is no day of the calendar."""
    folded = _simple_years(fold(_CLOCK.sub("", text[:80])))
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
    words = _words()
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
    """Paragraphs, and rows at the head of a table in which one cell alone is filled: a title, the agency."""
    texts: list[str] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            texts.append(block.text)
            continue
        for row in block.rows[:HEAD_ROWS] if isinstance(block, Grid) else ():
            filled = [cell.text for cell in row if cell.text.strip()]
            if len(filled) != 1 or len(filled[0]) > LONGEST_HEAD_ROW:
                break
            texts += filled
    return [text for text in texts if text]


def _head(blocks: tuple[Any, ...]) -> list[str]:
    """The paragraphs, and what stands at the very beginning of a table: a title, or all of a report on one line."""
    texts: list[str] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            texts.append(block.text)
        elif isinstance(block, Grid):
            for row in block.rows[:2]:
                texts.extend(
                    c.text for c in row[:2] if "公" in c.text and (c.column == 0 or len(c.text) > 60)
                )
        else:
            texts.extend(cell for cell in block.cells[:2] if cell and "公" in cell)
    return [text for text in texts if text]


def _plain(text: str) -> str:
    """Folded, in simplified characters, years in digits."""
    folded = fold(text)
    if _TRADITIONAL.search(folded):
        folded = str(_to_simplified().convert(folded))
    return _simple_years(folded)


def _simple_years(text: str) -> str:
    if "年" not in text and "度" not in text:
        return text
    return _CHINESE_YEAR.sub(lambda match: match[0].translate(_CHINESE_DIGITS).replace("二", "2"), text)


@cache
def _to_simplified() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


@cache
def _words() -> _Words:
    content: dict[str, list[str]] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf8"))
    either = {
        name: "|".join(sorted(map(re.escape, words), key=len, reverse=True))
        for name, words in content.items()
    }
    dates = "|".join(
        re.escape(word) for word in sorted(content["date_labels"], key=len, reverse=True) if len(word) > 2
    )
    return _Words(
        is_agency=re.compile(f"(?:{either['agency_endings']})$"),
        is_region=re.compile(f"(?:{either['region_endings']})$"),
        no_names=frozenset(content["no_names"]),
        many=tuple(content["many_beginnings"]),
        agency_labels=tuple(content["agency_labels"]),
        title_labels=tuple(content["title_labels"]),
        date_labels=tuple(content["date_labels"]),
        before=re.compile(rf"^(?:{either['before_name']}|[()、·:\-](?!国))"),
        after=re.compile(rf"(?:{either['after_name']}|[(、·:\-])$"),
        foot=re.compile(either["foot_words"]),
        page_foot=re.compile(rf"[^,。;]{{0,10}}(?:{either['page_foot_words']})"),
        media=re.compile(f"(?:{either['media_endings']})$"),
        is_government=re.compile(f"(?:{either['government_endings']})$"),
        is_office=re.compile(f"(?:{either['self_offices']}|委员会)$"),
        self_office=re.compile(f"我(?:{either['self_offices']})"),
        self_town=re.compile(f"我(?:{either['self_towns']})"),
        town=re.compile(f"{either['self_towns']}|街道"),
        printed_date=re.compile(rf"(?P<label>{dates})\]?:?[\[(]?(?P<date>{_PRINTED_DAY})"),
        printed_agency=re.compile(
            rf"(?P<label>{either['agency_labels']})(?:\((?:盖章|公章|章)\))?[:\]](?P<name>[^,。;:!?\s]{{2,40}}?)"
            r"(?=发布|公开|日期|时间|字号|字体|浏览|点击|访问|作者|编辑|责任|打印|\[|\||$)"
        ),
    )
