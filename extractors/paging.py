"""Walks the pages of a list and knows when to stop: nothing new, a body again, no next page, too many.

The ways portals name the next page live here, shared by the families. Never decides what a report is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from extractors.listing import Listing
from extractors.page import Page
from extractors.portals import Portal
from extractors.urls import host_of, join

MAX_PAGES = 300
Found = tuple[list[Listing], frozenset[str]]

_NEXT_WORDS = ("下一页", "下页", "后一页", "后页", "下一頁")
_FOUR = re.compile(r"""createPageHTML\(\s*(\d+)\s*,\s*(\d+)\s*,\s*['"]([^'"]+)['"]\s*,\s*['"](\w+)['"]""")
_SIX = re.compile(
    r"""createPageHTML\(\s*['"][^'"]*['"]\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*['"]([^'"]+)['"]\s*,\s*['"](\w+)['"]"""
)
_PAGER = re.compile(r"Pager\(\s*\{(.{0,400}?)\}\s*\)", re.DOTALL)
_OPTION = re.compile(r"""(\w+)\s*:\s*['"]?([\w./-]+)""")
_COUNT_PAGE = re.compile(r"countPage\s*=\s*(\d+)")
_CURRENT_PAGE = re.compile(r"currentPage\s*=\s*(\d+)")
_PAGE_PARAMETERS = (
    "page",
    "pageIndex",
    "pageindex",
    "pageNo",
    "pageNum",
    "currentPage",
    "curPage",
    "p",
    "PAGE",
)


class Session(Protocol):
    """What a family may ask of the network; the crawl and the probe each bring their own."""

    portal: Portal
    memo: dict[str, tuple[str, str]]
    """What a family has learned about the site and need not ask again."""

    def get(self, url: str, referer: str = "") -> Page: ...

    def post(self, url: str, body: object, referer: str = "", encoding: str = "json") -> Page: ...


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list and its reports; no page where the addresses follow from the portal's file."""

    page: Page | None
    listings: list[Listing]


def walk(
    first: Page,
    read: Callable[[Page], Found],
    following: Callable[[Page, int], Page | None],
    max_pages: int = MAX_PAGES,
) -> Iterator[ListPage]:
    """Pages from `first` on. `following(page, n)` fetches what comes after the n-th page (from 1), or None.

    Stops when a page repeats a body or brings no new link, so that a page parameter that is ignored, or
    a count larger than the items, costs one request.
    """
    page: Page | None = first
    known: set[str] = set()
    bodies: set[str] = set()
    for number in range(1, max_pages + 1):
        if page is None:
            return
        body = hashlib.sha256(page.payload).hexdigest()
        listings, links = read(page)
        if body in bodies or (number > 1 and links <= known):
            return
        bodies.add(body)
        known |= links
        yield ListPage(page, listings)
        page = following(page, number)


def next_address(page: Page, selector: str = "") -> str | None:
    """Where an HTML list says its next page is: a link in words, a script's pager, or a page parameter."""
    for rule in (lambda p: _by_words(p, selector), _by_create_page, _by_pager, _by_parameter):
        url = rule(page)
        if url and url != page.url and host_of(url) == host_of(page.url):
            return url
    return None


def with_parameter(url: str, name: str, value: object) -> str:
    """The address with one query parameter set, the others untouched and in their order."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if any(key == name for key, _ in pairs):
        pairs = [(key, str(value) if key == name else old) for key, old in pairs]
    else:
        pairs.append((name, str(value)))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(pairs), ""))


def _by_words(page: Page, selector: str) -> str | None:
    for node in page.tree.css(selector or "a"):
        label = re.sub(r"\s+", "", node.text(deep=True)) or node.attributes.get("title") or ""
        if selector or any(word in label for word in _NEXT_WORDS):
            href = node.attributes.get("href") or ""
            if not href.lower().startswith("javascript:") and (url := join(page.url, href)):
                return url
    return None


def _by_create_page(page: Page) -> str | None:
    if six := _SIX.search(page.text):
        total, current, name, ending = int(six[1]), max(int(six[2]), 1), six[3], six[4]
        return join(page.url, f"{name}_{current + 1}.{ending}") if current < total else None
    if four := _FOUR.search(page.text):
        total, index, name, ending = int(four[1]), int(four[2]), four[3], four[4]
        return join(page.url, f"{name}_{index + 1}.{ending}") if index + 1 < total else None
    return None


def _by_pager(page: Page) -> str | None:
    """`Pager({size: 5, current: 0, prefix: 'index', …})` and `var countPage = 5`, both 0-based."""
    if pager := _PAGER.search(page.text):
        options = dict(_OPTION.findall(pager[1]))
        total = options.get("size") or options.get("total") or options.get("pageCount") or ""
        index = options.get("current") or options.get("index") or ""
        if total.isdigit() and index.isdigit() and int(index) + 1 < int(total):
            name, ending = options.get("prefix", "index"), options.get("suffix", "html")
            return join(page.url, f"{name}_{int(index) + 1}.{ending}")
    if (count := _COUNT_PAGE.search(page.text)) and (current := _CURRENT_PAGE.search(page.text)):
        index = int(current[1])
        if index + 1 < int(count[1]):
            ending = (
                urlsplit(page.url).path.rpartition(".")[2] if "." in urlsplit(page.url).path[-6:] else "html"
            )
            return join(page.url, f"index_{index + 1}.{ending}")
    return None


def _by_parameter(page: Page) -> str | None:
    """A link on the page that differs from this page in its page parameter only, one further on."""
    own = urlsplit(page.url)
    mine = dict(parse_qsl(own.query))
    for node in page.tree.css("a[href*='=']"):
        url = join(page.url, node.attributes.get("href") or "")
        if url is None or urlsplit(url).path != own.path:
            continue
        theirs = dict(parse_qsl(urlsplit(url).query))
        for name in _PAGE_PARAMETERS:
            if theirs.get(name, "").isdigit():
                current = int(mine[name]) if mine.get(name, "").isdigit() else 1
                if int(theirs[name]) == current + 1:
                    return url
    return None
