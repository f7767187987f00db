"""Looks at one address and proposes a portal file: family, what the list rule finds, charset, robots.txt.

Asks a handful of pages as politely as a crawl; keeps nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import yaml

from extractors.article import column_of
from extractors.client import Client, Manners
from extractors.families import list_pages, recognise
from extractors.listing import Listing, column_words, is_report_title
from extractors.outcomes import NotKept
from extractors.page import Page
from extractors.portals import Portal, Start
from extractors.urls import canonical, host_of

MOST_PAGES = 3


@dataclass
class Probed:
    """What a probe found; `problem` says why it could not go on."""

    url: str
    family: str = ""
    charset: str = ""
    robots: str = ""
    title: str = ""
    is_article: bool = False
    column: str = ""
    pages: int = 0
    listings: list[Listing] = field(default_factory=list)
    problem: str = ""
    is_private: bool = False

    def yaml(self) -> str:
        """A portal file to start from. Its name is the agency's to fill in when the page names none."""
        host = host_of(canonical(self.url))
        content: dict[str, object] = {
            "id": re.sub(r"[^a-z0-9.-]", "-", host.removeprefix("www.").removesuffix(".gov.cn")),
            "name": self.title or host,
            "region": "",
            "family": self.family or "static",
            "hosts": [host],
        }
        if not self.is_article:
            content["lists"] = [self.url]
        elif self.column:
            content |= {"lists": [self.column], "reports": [self.url]}
        else:
            content["reports"] = [self.url]
        if self.is_private:
            content |= {"delay_seconds": 0, "allow_private": True}
        return yaml.safe_dump(content | {"checked": False}, allow_unicode=True, sort_keys=False, width=200)


class _ProbeSession:
    """The session of one probe: asks, counts, keeps nothing."""

    def __init__(self, client: Client, portal: Portal) -> None:
        self.portal = portal
        self.memo: dict[str, tuple[str, str]] = {}
        self._client = client

    def get(self, url: str, referer: str = "") -> Page:
        return self._page(url, "GET", b"", {"Referer": referer} if referer else {})

    def post(self, url: str, body: object, referer: str = "", encoding: str = "json") -> Page:
        text = json.dumps(body) if encoding == "json" else urlencode(body)  # type: ignore[arg-type]
        kind = "application/json" if encoding == "json" else "application/x-www-form-urlencoded"
        return self._page(url, "POST", text.encode(), {"Content-Type": kind, "Referer": referer or url})

    def _page(self, url: str, method: str, body: bytes, headers: Mapping[str, str]) -> Page:
        answer = self._client.fetch(url, self.portal.manners, method=method, body=body, headers=headers)
        return Page(answer.url, answer.payload, answer.header("content-type"))


def probe(url: str, client: Client, allow_private: bool = False) -> Probed:
    """Asks for a page and the first pages of its list; never raises for what the portal does."""
    found = Probed(url, is_private=allow_private)
    try:
        manners = Manners(
            frozenset({host_of(canonical(url))}), 0.0 if allow_private else 2.0, 50, allow_private
        )
        refused = client.may_fetch(url, manners)
        found.robots = str(refused) if refused else "allows it"
        portal = Portal("probe", "", "", "static", manners, (Start(url),))
        page = _ProbeSession(client, portal).get(url)
        found.family = recognise(page)
        found.charset = _charset(page)
        if page.is_html:
            heading = page.tree.css_first("title")
            found.title = re.sub(r"\s+", " ", heading.text()).strip()[:80] if heading else ""
            found.is_article = is_report_title(found.title)
            found.column = (column_of(page, column_words()) or "") if found.is_article else ""
        start = Start(found.column if found.is_article and found.column else url)
        portal = Portal("probe", "", "", found.family, manners, (start,))
        for listed in list_pages(_ProbeSession(client, portal), start):
            found.pages += 1
            found.listings += listed.listings
            if found.pages >= MOST_PAGES:
                break
    except NotKept as refused:
        found.problem = str(refused)
    except ValueError as error:
        found.problem = str(error)
    return found


def _charset(page: Page) -> str:
    """The charset the text was read in, and what header and page declare, when that differs."""
    declared = re.findall(
        r"charset\s*=\s*[\"']?\s*([\w-]+)", page.content_type + page.text[:4096], re.IGNORECASE
    )
    try:
        page.payload.decode("utf-8")
        real = "utf-8"
    except UnicodeDecodeError:
        real = "gb18030"
    said = ", ".join(dict.fromkeys(name.lower() for name in declared)) or "nothing"
    return f"{real} (declared: {said})"
