"""Gkmlpt, the platform of Guangdong: lists come from `/gkmlpt/api/all/{column}?page=N&sid=SID`, 100 a page.

The start page names the site in `window._CONFIG`; the column is the fragment of its address, else the
one in its tree that is named after the annual reports. Pages count from 1 (page 0 is page 1 again).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from extractors.listing import column_words, read_rows
from extractors.outcomes import NotKept
from extractors.page import Page, dig
from extractors.paging import Found, ListPage, Session, walk, with_parameter
from extractors.portals import Start
from extractors.urls import join

BODY = (".article-content", ".content")

_SITE = re.compile(r"""\bSID['"]?\s*[:=]\s*['"]?(\d+)""")
_COLUMN = re.compile(
    r"""['"]?id['"]?\s*:\s*['"]?(\d+)['"]?[^{}]{0,300}?['"]?name['"]?\s*:\s*['"]([^'"]+)['"]"""
)
_API = re.compile(r"/gkmlpt/api/all/\d+")
_FIELDS = {
    "title": "title",
    "url": "url",
    "date": "date",
    "publisher": "publisher",
    "attachments": "attachment",
}


def recognises(page: Page) -> bool:
    return "/gkmlpt" in urlsplit(page.url).path or ("window._CONFIG" in page.text and "gkmlpt" in page.text)


def list_pages(session: Session, start: Start) -> Iterator[ListPage]:
    address = start.url if _API.search(start.url) else _api_address(session, start)

    def ask(number: int) -> Page:
        return session.get(with_parameter(address, "page", number), referer=start.url.split("#")[0])

    def read(page: Page) -> Found:
        rows = dig(page.json(), "articles")
        unit = "s" if any(str(dig(row, "date") or "").isdigit() for row in rows or ()) else "text"
        return read_rows(page, rows, _FIELDS, unit)

    def following(page: Page, number: int) -> Page | None:
        rows, total = dig(page.json(), "articles"), dig(page.json(), "total")
        is_last = not rows or (isinstance(total, int) and number * len(rows) >= total)
        return None if is_last else ask(number + 1)

    yield from walk(ask(1), read, following)


def _api_address(session: Session, start: Start) -> str:
    shell = session.get(start.url)
    site = _SITE.search(shell.text)
    column = urlsplit(start.url).fragment
    if not column.isdigit():
        named = {name: number for number, name in _COLUMN.findall(shell.text)}
        column = next((named[word] for word in column_words() if word in named), "")
    if site is None or not column:
        raise NotKept("bad_list", f"{start.url} names no SID or no column of annual reports")
    base = shell.url.split("/gkmlpt")[0]
    return join(base, f"{urlsplit(base).path}/gkmlpt/api/all/{column}?page=1&sid={site[1]}") or start.url
