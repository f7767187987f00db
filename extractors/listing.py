"""Finds the reports on a list page: links with titles and dates, kept when the title is a report's.

The words that decide are data (`listing_words.yml`). Never fetches anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from selectolax.lexbor import LexborHTMLParser, LexborNode

from extractors.page import Page, dig
from extractors.urls import join

_YEAR = re.compile(r"20(?:0[3-9]|[1-4]\d)")
_CHINESE_YEAR = re.compile(r"二[○〇零Ｏ0O][○〇零Ｏ0O一二三四五六七八九]{2}")
_CHINESE_DIGITS = dict(zip("○〇零Ｏ0O一二三四五六七八九", "000000123456789", strict=True))
_DATE = re.compile(r"(20\d\d)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_IN_SCRIPT = re.compile(
    r"""['"]((?:https?://|\.{0,2}/)[^'"\s]{4,}|[^'"\s]+\.(?:s?html?|jsp|aspx|pdf|docx?)[^'"\s]*)['"]"""
)
_PAGER = re.compile(
    r"^[\[\](（）)<>«»‹›\s\d.…]*(首页|上一?页|下一?页|前一?页|后一?页|尾页|末页)?[\s<>«»‹›\])]*$"
)
_CUT = re.compile(r"(…|\.{2,})$")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Listing:
    """One item of a list: a report's address as the list names it."""

    url: str
    title: str
    date: date | None = None
    publisher: str = ""
    attachments: tuple[str, ...] = ()
    parent_url: str = ""
    post: tuple[str, str] | None = None


@cache
def _words() -> dict[str, list[str]]:
    path = Path(__file__).with_name("listing_words.yml")
    return dict(yaml.safe_load(path.read_text(encoding="utf8")))


def years_in(title: str) -> frozenset[int]:
    """Years a title names, in digits or Chinese numerals."""
    found = {int(year) for year in _YEAR.findall(title)}
    for chinese in _CHINESE_YEAR.findall(title):
        found.add(int("2" + "".join(_CHINESE_DIGITS[c] for c in chinese[1:])))
    return frozenset(found)


def is_report_title(title: str) -> bool:
    """Whether a list's item is an annual report by its title.

    A title the list cuts off (`…`) may lack its end; the page's own title decides about it later.
    """
    text = _SPACE.sub("", title)
    words = _words()
    if not years_in(text) or any(word in text for word in words["not"]):
        return False
    has_subject = any(word in text for word in words["subject"])
    if _CUT.search(text):
        return has_subject or any(word in text for word in ("政府信息", "政务公开"))
    return has_subject and any(word in text for word in words["report"])


def is_wanted(listing: Listing, years: frozenset[int] | None) -> bool:
    """Whether a listing is a report and of one of the years asked for (of any when None)."""
    if not is_report_title(listing.title):
        return False
    return not years or bool(years_in(listing.title) & years)


def read_links(
    page: Page, selector: str = "", markup: str | None = None
) -> tuple[list[Listing], frozenset[str]]:
    """The report listings of an HTML page (or of `markup` found in it), and the addresses of its links but pagers.

    `selector` narrows the page to the items of the list.
    """
    tree = page.tree if markup is None else LexborHTMLParser(markup)
    scopes: Iterable[LexborNode | LexborHTMLParser] = tree.css(selector) if selector else [tree]
    listings, links = [], set()
    for scope in scopes:
        for node in scope.css("a, [onclick]"):
            url = link_of(page.url, node)
            if url is None:
                continue
            title = _title(node)
            if not _PAGER.match(title):
                links.add(url)
            if is_report_title(title):
                listings.append(Listing(url, title, _date_beside(node), parent_url=page.url))
    # An element that is a link and has a script is found twice.
    return list(dict.fromkeys(listings)), frozenset(links)


def read_rows(
    page: Page, rows: Any, fields: Mapping[str, str], date_unit: str = "text"
) -> tuple[list[Listing], frozenset[str]]:
    """The same from rows of JSON; `fields` says under which keys title, url, date and publisher stand."""
    listings, links = [], set()
    for row in rows if isinstance(rows, list) else ():
        url = join(page.url, str(dig(row, fields["url"]) or ""))
        if url is None:
            continue
        links.add(url)
        title = clean_title(str(dig(row, fields["title"]) or ""))
        if is_report_title(title):
            day = parse_date(dig(row, fields["date"]), date_unit) if "date" in fields else None
            publisher = str(dig(row, fields["publisher"]) or "") if "publisher" in fields else ""
            listings.append(Listing(url, title, day, publisher, _files(page.url, row, fields), page.url))
    return listings, frozenset(links)


def parse_date(value: Any, unit: str = "text") -> date | None:
    """A date from printed text, or from seconds or milliseconds since 1970 (taken in China's time)."""
    if value is None or value == "":
        return None
    if unit in ("s", "ms") and str(value).lstrip("-").isdigit():
        seconds = int(value) / (1000 if unit == "ms" else 1) + 8 * 3600
        return datetime.fromtimestamp(seconds, UTC).date() if 0 < seconds < 1e11 else None
    if found := _DATE.search(str(value)):
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            return None
    return None


def clean_title(title: str) -> str:
    """A title as one line, any markup in it removed."""
    text = LexborHTMLParser(title).text() if "<" in title or "&" in title else title
    return _SPACE.sub(" ", text).strip()


def column_words() -> list[str]:
    """Names of the columns that hold the reports, best first."""
    return _words()["columns"]


def link_of(base: str, node: LexborNode) -> str | None:
    """Where an element leads: its `href`, else the address its script opens."""
    attributes = node.attributes
    href = (attributes.get("href") or "").strip()
    if href and not href.lower().startswith(("javascript:", "#")):
        return join(base, href)
    script = (attributes.get("onclick") or "") + " " + href
    inside = _IN_SCRIPT.search(script)
    return join(base, inside[1]) if inside else None


def _title(node: LexborNode) -> str:
    """The full title: the `title` attribute, unless the text says more."""
    given = clean_title(node.attributes.get("title") or "")
    if given and is_report_title(given):
        return given
    text = _SPACE.sub(" ", node.text(deep=True, separator="")).strip()
    return text if len(text) > len(given) and not _CUT.search(text) else given or text


def _date_beside(node: LexborNode) -> date | None:
    """The date printed in the link's own item: the nearest ancestor that holds one and not a whole list."""
    current: LexborNode | None = node
    for _ in range(4):
        if current is None or current.tag in ("ul", "ol", "table", "tbody", "body"):
            return None
        dates = _DATE.findall(current.text(deep=True, separator=" "))
        if dates:
            return parse_date("-".join(dates[-1])) if len(dates) <= 2 else None
        current = current.parent
    return None


def _files(base: str, row: Any, fields: Mapping[str, str]) -> tuple[str, ...]:
    found = dig(row, fields["attachments"]) if "attachments" in fields else None
    urls = (
        [item.get("url") if isinstance(item, dict) else item for item in found]
        if isinstance(found, list)
        else []
    )
    return tuple(url for item in urls if isinstance(item, str) and (url := join(base, item)))
