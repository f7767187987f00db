"""Kaipu (开普, UCAP): lists are JSON (`_isAgg=true&_isJson=true`) or static pages `name_2.shtml`, from 1."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from extractors.families import static
from extractors.listing import read_rows
from extractors.page import Page, dig
from extractors.paging import Found, ListPage, Session, walk, with_parameter
from extractors.portals import Start
from extractors.urls import join

BODY = ("#UCAP-CONTENT", "ucapcontent", ".article-content")
PAGE_SIZE = 100

_LIST = re.compile(r"""['"]([^'"<>\s]*_isJson=true[^'"<>\s]*)['"]""")
_CHANNEL = re.compile(r"""['"]([^'"<>\s]*/(?:searchList|common/search|search)/[0-9a-f]{32}[^'"<>\s]*)['"]""")
_ARTICLE = re.compile(r"/[0-9a-f]{32}\.shtml")
_FIELDS = {"title": "title", "url": "url", "date": "publishedTimeStr", "publisher": "publisher"}


def recognises(page: Page) -> bool:
    text = page.text
    return bool(
        "UCAP-CONTENT" in text or "ucapcontent" in text or _LIST.search(text) or _ARTICLE.search(page.url)
    )


def list_pages(session: Session, start: Start) -> Iterator[ListPage]:
    address = start.url if "_isJson=true" in start.url else None
    if address is None:
        shell = session.get(start.url)
        found = _LIST.search(shell.text) or _CHANNEL.search(shell.text)
        if found is None:
            yield from static.list_pages(session, start)
            return
        address = join(shell.url, html.unescape(found[1])) or start.url

    def ask(number: int) -> Page:
        url = with_parameter(with_parameter(address, "_isAgg", "true"), "_isJson", "true")
        url = with_parameter(with_parameter(url, "_pageSize", PAGE_SIZE), "page", number)
        return session.get(url, referer=start.url)

    def read(page: Page) -> Found:
        return read_rows(page, dig(page.json(), "data.results"), _FIELDS)

    def following(page: Page, number: int) -> Page | None:
        results, total = dig(page.json(), "data.results"), dig(page.json(), "data.total")
        is_last = not results or (isinstance(total, int) and number * len(results) >= total)
        return None if is_last else ask(number + 1)

    yield from walk(ask(1), read, following)
