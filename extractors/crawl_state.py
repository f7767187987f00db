"""What earlier runs know: which pages were fetched when, in which version, and what is due again.

One scan of the crawl log at the start of a run; never writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from extractors.archive import responses
from extractors.dataroot import DataRoot
from extractors.urls import host_of

REMEMBERED = frozenset(
    {
        "bad_attachment",
        "bad_encoding",
        "bad_scheme",
        "compressed_bomb",
        "host_not_allowed",
        "not_found",
        "other_page",
        "private_address",
        "redirect_home",
        "soft_not_found",
        "stub",
        "too_deep",
        "too_large",
    }
)
"""Refusals that belong to the page and not to the day: such a page waits for its schedule like a kept one."""


@dataclass(frozen=True, slots=True)
class Known:
    """The last thing known of an address. `sha256` and what follows it are "" for a page that was refused."""

    checked_at: datetime
    sha256: str = ""
    content_sha256: str = ""
    etag: str = ""
    last_modified: str = ""
    warc_path: str = ""
    warc_offset: int = -1
    refusal: str = ""


_LATEST = """
    WITH stored AS (
        SELECT source_url,
               arg_max(struct_pack(sha256, content_sha256, warc_path, warc_offset), fetched_at) AS kept
        FROM log WHERE outcome = 'stored' GROUP BY source_url
    ), asked AS (
        SELECT source_url, portal_id,
               max(fetched_at) AS checked_at,
               arg_max(struct_pack(outcome, reason, etag, last_modified), fetched_at) AS answer
        FROM log WHERE outcome IN ('stored', 'unchanged', 'refused') GROUP BY ALL
    )
    SELECT a.portal_id, a.source_url, a.checked_at, a.answer.outcome, split_part(a.answer.reason, ':', 1),
           a.answer.etag, a.answer.last_modified,
           s.kept.sha256, s.kept.content_sha256, s.kept.warc_path, s.kept.warc_offset
    FROM asked AS a LEFT JOIN stored AS s USING (source_url)
    ORDER BY a.portal_id
"""


class CrawlState:
    """What the log says of some portals' addresses at the start of a run."""

    def __init__(self, root: DataRoot, portal_ids: Iterable[str]) -> None:
        log = responses(root, ds.field("portal_id").isin(list(portal_ids)))
        with duckdb.connect() as connection:
            connection.register("log", log)
            self._rows: pa.Table = connection.sql(_LATEST).to_arrow_table()
        # Slices of one Arrow table, so that a million known pages stay small until their portal's turn.
        self._by_portal: dict[str, tuple[int, int]] = {}
        for place, portal_id in enumerate(self._rows["portal_id"].to_pylist()):
            first, count = self._by_portal.get(portal_id, (place, 0))
            self._by_portal[portal_id] = (first, count + 1)

    def of(self, portal_id: str) -> dict[str, Known]:
        """Known addresses of one portal."""
        first, count = self._by_portal.get(portal_id, (0, 0))
        known = {}
        for row in self._rows.slice(first, count).to_pylist():
            _, url, checked, outcome, reason, etag, modified, sha256, content, path, offset = row.values()
            is_refused = outcome == "refused"
            if is_refused and reason not in REMEMBERED and sha256 is None:
                continue
            known[url] = Known(
                checked.replace(tzinfo=UTC),
                sha256 or "",
                content or "",
                "" if is_refused else etag or "",
                "" if is_refused else modified or "",
                path or "",
                -1 if offset is None else offset,
                reason if is_refused else "",
            )
        return known


def asked_today(root: DataRoot, now: datetime | None = None) -> Counter[str]:
    """Requests made since midnight UTC by host, from the log (those that were answered)."""
    today = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = responses(root, ds.field("fetched_at") >= midnight)
    return Counter(host_of(url) for url in rows["source_url"].to_pylist())


def is_due(known: Known | None, now: datetime, recheck: timedelta) -> bool:
    """Whether an address is to be asked: never seen, or last asked longer ago than its schedule."""
    return known is None or now - known.checked_at >= recheck
