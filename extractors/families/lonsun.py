"""Lonsun (龙讯): columns of an organ at `/public/column/{organ}?type=…`, further pages by `pageIndex`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from extractors.listing import read_links
from extractors.page import Page
from extractors.paging import Found, ListPage, Session, next_address, walk, with_parameter
from extractors.portals import Start

BODY = (".j-fontContent", ".j-content", ".newscontnet", "#zoom")

_MARKS = re.compile(r"/public/column/\d+|/site/label/\d+|j-fontContent|OpennessAnnualReport")
_HAS_MORE = re.compile(r"pageIndex|pageCount|totalPage", re.IGNORECASE)


def recognises(page: Page) -> bool:
    return bool(_MARKS.search(page.url) or _MARKS.search(page.text))


def list_pages(session: Session, start: Start) -> Iterator[ListPage]:
    def read(page: Page) -> Found:
        return read_links(page, session.portal.selectors.get("items", ""))

    def following(page: Page, number: int) -> Page | None:
        url = next_address(page, session.portal.selectors.get("next", ""))
        if url is None and _HAS_MORE.search(page.text):
            current = dict(parse_qsl(urlsplit(page.url).query)).get("pageIndex", "1")
            url = with_parameter(page.url, "pageIndex", int(current) + 1 if current.isdigit() else number + 1)
        return session.get(url, referer=page.url) if url else None

    yield from walk(session.get(start.url), read, following)
