"""Hanweb (大汉): the list is XML inside a script, its next pages come from `dataproxy.jsp`.

Page 1's items stand as `<record><![CDATA[<li>…]]></record>` in a `<datastore>`, the visible list is
empty; the next page is the address in `<nextgroup>`, to be used as it stands. `xxgkAnnualReport.jsp` is
itself one report a year.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from extractors.listing import Listing, read_links
from extractors.page import Page
from extractors.paging import Found, ListPage, Session, next_address, walk, with_parameter
from extractors.portals import Start
from extractors.urls import join

BODY = ("#zoom", "#zoomcon", ".article-content", ".bt-content")

_RECORD = re.compile(r"<record>\s*(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</record>", re.DOTALL | re.IGNORECASE)
_NEXT = re.compile(r"<nextgroup>\s*(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</nextgroup>", re.DOTALL | re.IGNORECASE)
_PAGES = re.compile(r"<totalpage>\s*(\d+)", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*['"]?([^'"\s>]+)""", re.IGNORECASE)
_YEAR = re.compile(r"fbtime=(\d{4})")
_MARKS = ("<datastore", "dataproxy.jsp", "/module/xxgk/", "jpaas-publish-server")


def recognises(page: Page) -> bool:
    return any(mark in page.text for mark in _MARKS)


def list_pages(session: Session, start: Start) -> Iterator[ListPage]:
    if "xxgkAnnualReport.jsp" in start.url:
        year = start.year or _YEAR.search(start.url)
        title = f"{year if isinstance(year, int) else year[1] if year else ''}年政府信息公开工作年度报告"
        yield ListPage(None, [Listing(start.url, title)])
        return
    first = session.get(start.url)

    def read(page: Page) -> Found:
        records = "".join(html.unescape(r) if r.startswith("&lt;") else r for r in _RECORD.findall(page.text))
        if records:
            return read_links(page, markup=records)
        return (
            read_links(page, session.portal.selectors.get("items", "")) if page.is_html else ([], frozenset())
        )

    proxy = ""

    def following(page: Page, number: int) -> Page | None:
        nonlocal proxy
        group = _NEXT.search(page.text)
        if group and (href := _HREF.search(group[1])):
            proxy = html.unescape(href[1])
            url = join(start.url, proxy)
        elif proxy and (total := _PAGES.search(page.text)) and number < int(total[1]):
            url = join(start.url, with_parameter(join(start.url, proxy) or "", "page", number + 1))
        else:
            url = next_address(page) if page.is_html and not _RECORD.search(page.text) else None
        return session.get(url, referer=start.url) if url else None

    yield from walk(first, read, following)
