"""Crawls portals side by side: lists anew, articles once, then on a schedule; keeps what is new or changed.

One failure boundary a portal: whatever happens on one, the others go on, and the result says so. Asks
only through the polite client and writes only through `extractors.crawl_record`; never reads a figure.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from extractors.archive import CrawlLog, read_payload
from extractors.article import Article, column_of, examine
from extractors.client import Client, Limits, Response
from extractors.crawl_record import CrawlRecord
from extractors.crawl_state import CrawlState, Known, asked_today, is_due
from extractors.dataroot import DataRoot
from extractors.errors import UserError
from extractors.families import article as family_article
from extractors.families import body_selectors, list_pages
from extractors.listing import Listing, column_words, is_wanted
from extractors.outcomes import NotKept
from extractors.page import Page
from extractors.portals import Portal, Start

log = logging.getLogger(__name__)

RECHECK = timedelta(days=30)
"""A known report page is asked again, conditionally, after this long: agencies do replace reports quietly."""
SIDE_BY_SIDE = 200
"""Most portals crawled at once; each waits most of its time for its own host's turn."""
_ENDS_PORTAL = frozenset({"given_up", "daily_cap", "robots_unreachable", "interrupted", "dns_failed"})


@dataclass
class PortalResult:
    """What a crawl of one portal came to. `error` is empty when nothing stood in its way."""

    portal_id: str
    lists: int = 0
    listings: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    attachments: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def pages(self) -> int:
        return self.lists + self.new + self.changed + self.attachments

    @property
    def is_failed(self) -> bool:
        return bool(self.error)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do. `years` and `limit` (reports asked for a portal) narrow it; None means all.

    is_known_only: pages that were never asked are left for a run that looks for reports.
    """

    years: frozenset[int] | None = None
    limit: int | None = None
    recheck: timedelta = RECHECK
    is_known_only: bool = False
    is_dry: bool = False


class PortalCrawl:
    """One portal's crawl: the session its family asks through, and the bookkeeping of what came."""

    def __init__(
        self,
        portal: Portal,
        root: DataRoot,
        client: Client,
        crawl_log: CrawlLog,
        known: dict[str, Known],
        plan: Plan,
    ) -> None:
        self.portal = portal
        self.memo: dict[str, tuple[str, str]] = {}
        self.plan = plan
        self.result = PortalResult(portal.id)
        self._root, self._client, self._known = root, client, known
        self._record = CrawlRecord(root, portal.id, crawl_log)
        self._now = datetime.now(UTC)
        self._selectors = tuple(
            filter(None, [portal.selectors.get("body", ""), *body_selectors(portal.family)])
        )
        self._done: set[str] = set()
        self._asked = 0
        self._list_bodies: set[str] = set()
        self._titles_by_body: dict[bytes, str] = {}
        self._kept_by_content: dict[bytes, Known] = {}
        self._last: Response | None = None

    # -- the session of the family --

    def get(self, url: str, referer: str = "") -> Page:
        headers = {"Referer": referer} if referer else {}
        return self._page(self._fetch(url, headers=headers))

    def post(self, url: str, body: object, referer: str = "", encoding: str = "json") -> Page:
        text = json.dumps(body, ensure_ascii=False) if encoding == "json" else urlencode(body)  # type: ignore[arg-type]
        kind = "application/json" if encoding == "json" else "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **({"Referer": referer} if referer else {})}
        return self._page(self._fetch(url, method="POST", body=text.encode(), headers=headers))

    def _fetch(self, url: str, **options: Any) -> Response:
        self._last = self._client.fetch(url, self.portal.manners, on_request=self._count, **options)
        return self._last

    def _page(self, response: Response) -> Page:
        return Page(response.url, response.payload, response.header("content-type"), self.portal.charset)

    def _count(self, received: int) -> None:
        self.result.requests += 1
        self.result.bytes += received

    # -- the crawl --

    def run(self) -> PortalResult:
        """The whole portal; never raises for anything the portal does."""
        began = time.monotonic()
        try:
            with self._record:
                self._crawl()
        except NotKept as stopped:
            self.result.error = str(stopped)
        except Exception as error:
            log.exception("portal %s: the crawl failed", self.portal.id)
            self.result.error = f"crashed: {type(error).__name__}: {error}"
        self.result.seconds = time.monotonic() - began
        return self.result

    def _crawl(self) -> None:
        starts = self.portal.starts(self.plan.years)
        known_columns: set[str] = {start.url for start in starts}
        for url in self.portal.reports:
            listing = Listing(url, "")
            self._take(listing)
            if not self.portal.lists and (column := self._column(url)) and column not in known_columns:
                known_columns.add(column)
                starts.append(Start(column))
        seen_any = False
        for start in starts:
            seen_any |= self._walk(start)
        if self.portal.lists and not seen_any and not self.result.error:
            self.result.error = str(NotKept("bad_list", "no report found on any list page"))

    def _walk(self, start: Start) -> bool:
        """One list with its reports; whether it names any. A broken list is noted, the next one goes on."""
        seen_any = False
        try:
            for found in list_pages(self, start):
                if found.page is not None:
                    self._keep_list()
                    self._list_bodies.add(hashlib.sha256(found.page.payload).hexdigest())
                for listing in found.listings:
                    seen_any = True
                    if is_wanted(listing, self.plan.years):
                        self._take(listing)
                if self._is_full():
                    break
        except NotKept as refused:
            if refused.code in _ENDS_PORTAL:
                raise
            self._note(start.url, "list", refused)
            self.result.error = self.result.error or f"list {start.url}: {refused}"
        return seen_any

    def _is_full(self) -> bool:
        return self.plan.limit is not None and self._asked >= self.plan.limit

    def _take(self, listing: Listing) -> None:
        """One report of a list: asked when due, kept when new or changed."""
        known = self._known.get(listing.url)
        if listing.url in self._done or self._is_full() or (known is None and self.plan.is_known_only):
            return
        self._done.add(listing.url)
        self.result.listings += 1
        if not is_due(known, self._now, self.plan.recheck):
            assert known is not None
            if known.sha256:
                self.result.same += 1
            else:
                self.result.refused[known.refusal] += 1
            return
        self._asked += 1
        if self.plan.is_dry:
            self.result.new += known is None
            return
        try:
            self._fetch_article(listing, known)
        except NotKept as refused:
            self._note(listing.url, "report", refused, listing)
            if refused.code in _ENDS_PORTAL:
                raise

    def _fetch_article(self, listing: Listing, known: Known | None) -> None:
        page = family_article(self, listing)
        if page is None:
            page = self._page(self._fetch(listing.url, headers=_conditions(listing, known)))
        response = self._last
        assert response is not None
        if response.status == 304 and known is not None:
            self._unchanged(listing, known, response)
            return
        body = hashlib.sha256(page.payload)
        if body.hexdigest() in self._list_bodies:
            raise NotKept("other_page", "the list was sent in place of the report")
        article = examine(page, self._selectors, listing)
        self._expect_own_page(body.digest(), listing)
        same = known if known and known.content_sha256 == article.content_sha256 else None
        text = hashlib.sha256(f"{article.content_sha256} {listing.title}".encode()).digest()[:16]
        same = same or self._kept_by_content.get(text)
        if same is None:
            same = self._kept(listing, article, response)
            if known is not None and known.sha256:
                self.result.changed += 1
            else:
                self.result.new += 1
        else:
            self._unchanged(listing, same, response)
        self._kept_by_content[text] = same

    def _kept(self, listing: Listing, article: Article, response: Response) -> Known:
        """Archives an article, then its files; its row comes last, so that a kill in between repeats it."""
        stored = self._record.store(response)
        for url in article.attachments + (
            () if article.has_report or article.attachments else article.pictures
        ):
            self._fetch_attachment(url, listing)
        for url in () if article.has_report else article.frames:
            self._fetch_attachment(url, listing, is_frame=True)
        self._record.row(
            listing.url,
            "report",
            "stored",
            response,
            listing,
            stored,
            content_sha256=article.content_sha256,
            listing_title=listing.title or article.title,
            listing_date=listing.date or article.date,
        )
        return Known(self._now, stored.sha256, article.content_sha256)

    def _unchanged(self, listing: Listing, known: Known, response: Response) -> None:
        self.result.same += 1
        self._record.row(
            listing.url,
            "report",
            "unchanged",
            response,
            listing,
            sha256=known.sha256,
            content_sha256=known.content_sha256,
        )

    def _fetch_attachment(self, url: str, listing: Listing, is_frame: bool = False) -> None:
        """A file the article offers; `is_frame`: a page shown inside it, kept when it holds the report's text."""
        if url in self._done or not is_due(self._known.get(url), self._now, self.plan.recheck):
            return
        self._done.add(url)
        known = self._known.get(url)
        article = Listing(url, listing.title, listing.date, listing.publisher, parent_url=listing.url)
        try:
            limit = self._client.limits.file_bytes
            response = self._fetch(url, headers=_conditions(article, known), max_bytes=limit)
            if response.status == 304 and known is not None:
                self._record.row(url, "attachment", "unchanged", response, article, sha256=known.sha256)
                return
            page = self._page(response)
            if is_frame and page.is_html:
                if not self._holds_report(page):
                    return  # A counter, a menu, a map.
            elif not response.payload or page.is_html:
                raise NotKept(
                    "bad_attachment", f"{len(response.payload)} bytes, {response.header('content-type')}"
                )
            if known and known.sha256 == hashlib.sha256(response.payload).hexdigest():
                self._record.row(url, "attachment", "unchanged", response, article, sha256=known.sha256)
                return
            self.result.attachments += 1
            stored = self._record.store(response)
            self._record.row(
                url, "attachment", "stored", response, article, stored, content_sha256=stored.sha256
            )
        except NotKept as refused:
            self._note(url, "attachment", refused, article)
            if refused.code in _ENDS_PORTAL:
                raise

    def _holds_report(self, page: Page) -> bool:
        with suppress(NotKept):
            return examine(page, self._selectors, Listing(page.url, "")).has_report
        return False

    def _expect_own_page(self, body: bytes, listing: Listing) -> None:
        """The same bytes for two reports of different titles are a page sent in their place."""
        title = self._titles_by_body.setdefault(body, listing.title)
        if title != listing.title:
            raise NotKept("other_page", "the same page was sent for another report")

    def _column(self, url: str) -> str | None:
        """The list a report page belongs to, by the breadcrumb of the page as fetched or kept."""
        payload = self._last.payload if self._last and self._last.payload else b""
        known = self._known.get(url)
        if not payload and known and known.warc_path:
            payload = read_payload(self._root, known.warc_path, known.warc_offset)
        return column_of(Page(url, payload, "", self.portal.charset), column_words()) if payload else None

    # -- keeping --

    def _keep_list(self) -> None:
        """A list page is evidence of titles and dates: kept when it is not the one kept last."""
        response = self._last
        if response is None:
            return
        self.result.lists += 1
        if self.plan.is_dry:
            return
        url = response.url
        if response.request_body:
            url = f"{url}#{response.request_body.decode('utf-8', 'replace')}"
        known = self._known.get(url)
        if known and known.sha256 == hashlib.sha256(response.payload).hexdigest():
            self._record.row(url, "list", "unchanged", response, sha256=known.sha256)
        else:
            self._record.row(url, "list", "stored", response, None, self._record.store(response))

    def _note(self, url: str, kind: str, refused: NotKept, listing: Listing | None = None) -> None:
        (self.result.refused if refused.outcome == "refused" else self.result.failed)[refused.code] += 1
        if not self.plan.is_dry:
            self._record.not_kept(url, kind, refused, listing)


def crawl_portal(
    portal: Portal, root: DataRoot, client: Client, crawl_log: CrawlLog, known: dict[str, Known], plan: Plan
) -> PortalResult:
    """Crawls one portal; see `PortalResult`. Raises nothing a portal can cause."""
    return PortalCrawl(portal, root, client, crawl_log, known, plan).run()


def crawl(
    portals: Sequence[Portal],
    root: DataRoot,
    plan: Plan | None = None,
    *,
    contact: str,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
    on_result: Callable[[PortalResult], None] | None = None,
    guard: Callable[[Portal], AbstractContextManager[None]] = lambda portal: nullcontext(),
) -> list[PortalResult]:
    """Crawls portals side by side; their results in the order given.

    `on_result` hears each result as its portal ends. Setting `stop` ends the run after the pages in flight. A portal
    is crawled while its `guard` lasts; a guard's `UserError` is the portal's error, and nothing is asked.
    """
    plan = plan or Plan()
    with CrawlLog(root) as crawl_log:
        state = CrawlState(root, [portal.id for portal in portals])
        client = Client(contact, limits, asked_today(root), stop)

        def one(portal: Portal) -> PortalResult:
            try:
                with guard(portal):
                    result = crawl_portal(portal, root, client, crawl_log, state.of(portal.id), plan)
            except UserError as barred:
                result = PortalResult(portal.id, error=str(barred))
            if on_result:
                on_result(result)
            return result

        try:
            with ThreadPoolExecutor(min(len(portals), SIDE_BY_SIDE) or 1, "portal") as pool:
                return list(pool.map(one, portals))
        finally:
            client.close()


def _conditions(listing: Listing, known: Known | None) -> dict[str, str]:
    """Headers of a conditional request. The Referer is the list: some hosts refuse without."""
    headers = {"Referer": listing.parent_url} if listing.parent_url else {}
    if known and known.sha256:
        if known.etag:
            headers["If-None-Match"] = known.etag
        if known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
    return headers
