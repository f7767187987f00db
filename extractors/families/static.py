"""Static pages: TRS and everything that serves its lists and articles as plain HTML.

Also reads the other systems that do so, with their pagers: vsb (descending page numbers), nfcms, and
lists with a page parameter.
"""

from __future__ import annotations

from collections.abc import Iterator

from extractors.listing import read_links
from extractors.page import Page
from extractors.paging import Found, ListPage, Session, next_address, walk
from extractors.portals import Start

BODY = (
    ".TRS_Editor",
    ".trs_editor_view",
    ".TRS_UEDITOR",
    "#zoom",
    "#UCAP-CONTENT",
    "ucapcontent",
    ".article-content",
    "#vsb_content",
    ".v_news_content",
    ".j-fontContent",
    ".news_cont_d_wrap",
    ".article_content",
    ".pages_content",
    "#Zoom",
    "#content",
    ".content",
    "article",
)


def recognises(page: Page) -> bool:
    return True


def list_pages(session: Session, start: Start) -> Iterator[ListPage]:
    selectors = session.portal.selectors

    def read(page: Page) -> Found:
        return read_links(page, selectors.get("items", ""))

    def following(page: Page, number: int) -> Page | None:
        url = next_address(page, selectors.get("next", ""))
        return session.get(url, referer=page.url) if url else None

    yield from walk(session.get(start.url), read, following)
