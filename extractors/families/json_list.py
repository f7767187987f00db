"""Lists a page's script asks for, declared in the portal's file: where, how, under which keys."""

from __future__ import annotations

from collections.abc import Iterator

from extractors.listing import read_rows
from extractors.outcomes import NotKept
from extractors.page import Page, dig
from extractors.paging import Found, ListPage, Session, walk, with_parameter
from extractors.portals import Start

BODY = ("#zoom", ".content", "article")


def recognises(page: Page) -> bool:
    return page.payload.lstrip()[:1] in (b"{", b"[")


def list_pages(session: Session, start: Start) -> Iterator[ListPage]:
    declared = session.portal.json
    if not declared:
        raise NotKept(
            "bad_list", f"portal {session.portal.id} declares no json rows yet; its file needs `json:`"
        )
    first = declared.get("first_page", 1)

    def ask(number: int) -> Page:
        params = dict(declared.get("params", {}))
        if "page_key" in declared:
            params[declared["page_key"]] = number
        if declared.get("method", "GET") == "POST":
            return session.post(start.url, params, start.url, declared.get("encoding", "json"))
        url = start.url
        for name, value in params.items():
            url = with_parameter(url, name, value)
        return session.get(url)

    def read(page: Page) -> Found:
        return read_rows(
            page, dig(page.json(), declared["rows"]), declared["fields"], declared.get("date_unit", "text")
        )

    def following(page: Page, number: int) -> Page | None:
        is_last = "page_key" not in declared or not dig(page.json(), declared["rows"])
        return None if is_last else ask(first + number)

    yield from walk(ask(first), read, following)
