"""Epoint (新点): lists and articles are empty shells; both are asked for with POST and answered in JSON.

`webBuilderCommon.js` names the site and the application; `getgovinfolist` lists a category,
`getGovInfoDetail` gives an article's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from extractors.listing import Listing, read_rows
from extractors.outcomes import NotKept
from extractors.page import Page, dig
from extractors.paging import Found, ListPage, Session, walk
from extractors.portals import Start
from extractors.urls import join

BODY = (".ewb-article-info", ".ewb-info-con", ".ewb-article", "#zoom")
PAGE_SIZE = 50
_NAME = "epoint"

_SCRIPT = re.compile(r"""src\s*=\s*['"]([^'"]*[wW]ebBuilderCommon\.js[^'"]*)['"]""")
_SITE = re.compile(r"""siteGuid['"]?\s*[:=]\s*['"]([^'"]+)['"]""")
_PROJECT = re.compile(r"""projectName['"]?\s*[:=]\s*['"]([^'"]+)['"]""")
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_MARKS = re.compile(r"[wW]ebBuilderCommon\.js|class=['\"]?ewb-|infoGuid=|EWB-FRONT")
_FIELDS = (
    {"title": "realtitle", "url": "infourl", "date": "infodate"},
    {"title": "title", "url": "infourl", "date": "infodate"},
)


def recognises(page: Page) -> bool:
    return bool(_MARKS.search(page.text))


def list_pages(session: Session, start: Start) -> Iterator[ListPage]:
    application, site = _application(session, session.get(start.url))
    asked = dict(parse_qsl(urlsplit(start.url).query))
    category = {key: asked.get(key, "") for key in ("categorynum", "deptcode")}

    def ask(number: int) -> Page:
        body = {**category, "pageIndex": number, "pageSize": PAGE_SIZE, "siteGuid": site}
        return session.post(f"{application}/getgovinfolist", body, referer=start.url)

    def read(page: Page) -> Found:
        rows = dig(page.json(), "custom.data")
        named = _FIELDS[0] if any(dig(row, "realtitle") for row in rows or ()) else _FIELDS[1]
        return read_rows(page, rows, named)

    def following(page: Page, number: int) -> Page | None:
        rows = dig(page.json(), "custom.data")
        return ask(number + 1) if rows else None

    yield from walk(ask(1), read, following)


def article(session: Session, listing: Listing) -> Page | None:
    """The answer that holds the article's text; None when the address names no article."""
    guid = dict(parse_qsl(urlsplit(listing.url).query)).get("infoGuid") or _last_guid(listing.url)
    if not guid:
        return None
    if _NAME not in session.memo:
        shell = session.get(listing.url, referer=listing.parent_url)
        if not _SCRIPT.search(shell.text):
            return shell
        _application(session, shell)
    application, site = session.memo[_NAME]
    answer = session.post(
        f"{application}/getGovInfoDetail", {"infoGuid": guid, "siteGuid": site}, listing.url
    )
    if not dig(answer.json(), "custom"):
        return session.get(listing.url, referer=listing.parent_url)
    return answer


def _application(session: Session, shell: Page) -> tuple[str, str]:
    """Address of the application's actions and the site's id, from the script every page loads."""
    if _NAME not in session.memo:
        script = _SCRIPT.search(shell.text)
        place = join(shell.url, script[1] if script else "/js/webBuilderCommon.js") or shell.url
        text = shell.text if _PROJECT.search(shell.text) else session.get(place, referer=shell.url).text
        project, site = _PROJECT.search(text), _SITE.search(text)
        if project is None:
            raise NotKept("bad_list", f"{place} names no projectName")
        actions = join(shell.url, project[1].rstrip("/") + "/rest/lightfrontaction")
        session.memo[_NAME] = (actions or shell.url, site[1] if site else "")
    return session.memo[_NAME]


def _last_guid(url: str) -> str:
    found = _GUID.findall(url)
    return str(found[-1]) if found else ""
