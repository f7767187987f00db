"""Writes down what one portal's crawl was answered: the bytes to the archive, a row for every answer to the crawl log.

Decides nothing: whether an answer is kept, repeated or refused is `extractors.crawl`'s to say.
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from extractors.archive import Archive, CrawlLog, Stored
from extractors.client import Response
from extractors.dataroot import DataRoot
from extractors.listing import Listing
from extractors.outcomes import NotKept


class CrawlRecord:
    """One portal's part of a run's archive and crawl log. A context manager, as its archive is."""

    def __init__(self, root: DataRoot, portal_id: str, crawl_log: CrawlLog) -> None:
        self._portal_id, self._log = portal_id, crawl_log
        self._archive = Archive(root, portal_id, crawl_log.run_id)

    def __enter__(self) -> Self:
        self._archive.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.__exit__(kind, error, trace)

    def store(self, response: Response) -> Stored:
        """The answer's bytes in a WARC file. It counts only once its row is written."""
        return self._archive.store_response(
            response.url,
            response.status,
            response.headers,
            response.wire,
            response.request_headers,
            response.fetched_at,
            method=response.method,
            request_body=response.request_body,
            payload=response.payload,
        )

    def row(
        self,
        url: str,
        kind: str,
        outcome: str,
        response: Response,
        listing: Listing | None = None,
        stored: Stored | None = None,
        **more: Any,
    ) -> None:
        """A row for an answer that was kept or is the same as before; `more` are columns of its own."""
        self._log.append(
            {
                "source_url": url,
                "portal_id": self._portal_id,
                "kind": kind,
                "fetched_at": response.fetched_at,
                "http_status": response.status,
                "outcome": outcome,
                "content_type": response.header("content-type"),
                "etag": response.header("etag"),
                "last_modified": response.header("last-modified"),
                "bytes": len(response.payload),
                **_told_by(listing),
                **({"sha256": stored.sha256, "warc_path": stored.warc_path} if stored else {}),
                **({"warc_offset": stored.warc_offset} if stored else {}),
                **more,
            }
        )

    def not_kept(self, url: str, kind: str, refused: NotKept, listing: Listing | None = None) -> None:
        """A row for an address that gave nothing to keep, with the reason."""
        self._log.append(
            {
                "source_url": url,
                "portal_id": self._portal_id,
                "kind": kind,
                "fetched_at": datetime.now(UTC),
                "outcome": refused.outcome,
                "reason": str(refused),
                **_told_by(listing),
            }
        )


def _told_by(listing: Listing | None) -> dict[str, Any]:
    """What the list says of an address."""
    return {
        "listing_title": listing.title if listing else None,
        "listing_date": listing.date if listing else None,
        "parent_url": listing.parent_url if listing else None,
    }
