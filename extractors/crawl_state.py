"""What earlier runs know: which pages were fetched when, in which version, and what is due again.

One scan of the crawl log at the start of a run; never writes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from extractors.archive import responses, texts
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


class CrawlState:
    """What the log says of some portals' addresses at the start of a run."""

    def __init__(self, root: DataRoot, portal_ids: Iterable[str]) -> None:
        log = responses(root, portal_ids=list(portal_ids))
        answered = log.filter(pc.is_in(log["outcome"], texts(["stored", "unchanged", "refused"])))
        stored = log.filter(pc.is_in(log["outcome"], texts(["stored"])))
        # An address needs two rows, the last answer and the last version, however often it was asked. They stay
        # slices of one table, so that a million known pages are small until their portal's turn.
        rows = pa.concat_tables([_last_of_each_url(answered), _last_of_each_url(stored)])
        self._rows = rows.sort_by([("portal_id", "ascending"), ("fetched_at", "ascending")])
        counts = Counter(self._rows["portal_id"].to_pylist())
        firsts = itertools.accumulate(counts.values(), initial=0)
        self._by_portal = dict(zip(counts, zip(firsts, counts.values(), strict=False), strict=False))

    def of(self, portal_id: str) -> dict[str, Known]:
        """Known addresses of one portal."""
        first, count = self._by_portal.get(portal_id, (0, 0))
        known: dict[str, Known] = {}
        for row in self._rows.slice(first, count).to_pylist():
            earlier = known.get(row["source_url"], Known(row["fetched_at"].replace(tzinfo=UTC)))
            if (after := _after(earlier, row)) is not None:
                known[row["source_url"]] = after
        return known


def _last_of_each_url(rows: pa.Table) -> pa.Table:
    """The latest row of each address."""
    last = rows.num_rows - 1
    if last < 1:
        return rows
    rows = rows.sort_by([("source_url", "ascending"), ("fetched_at", "ascending")])
    urls = rows["source_url"].combine_chunks()
    ends = pc.indices_nonzero(pc.not_equal(urls.slice(0, last), urls.slice(1)))
    return pa.concat_tables([rows.take(ends), rows.slice(last)])


def _after(known: Known, row: dict[str, Any]) -> Known | None:
    """What is known of an address after one more row; None when a refusal tells nothing lasting about it."""
    when = row["fetched_at"].replace(tzinfo=UTC)
    if row["outcome"] == "refused":
        code = row["reason"].split(":")[0]
        if code not in REMEMBERED and not known.sha256:
            return None
        return replace(known, checked_at=when, refusal=code, etag="", last_modified="")
    known = replace(
        known, checked_at=when, refusal="", etag=row["etag"] or "", last_modified=row["last_modified"] or ""
    )
    if row["outcome"] == "unchanged":
        return known
    return replace(
        known,
        sha256=row["sha256"] or "",
        content_sha256=row["content_sha256"] or "",
        warc_path=row["warc_path"] or "",
        warc_offset=row["warc_offset"] if row["warc_offset"] is not None else -1,
    )


def asked_today(root: DataRoot, now: datetime | None = None) -> Counter[str]:
    """Requests made since midnight UTC by host, from the log (those that were answered)."""
    today = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = responses(root, since=midnight)
    return Counter(host_of(url) for url in rows["source_url"].to_pylist())


def is_due(known: Known | None, now: datetime, recheck: timedelta) -> bool:
    """Whether an address is to be asked: never seen, or last asked longer ago than its schedule."""
    return known is None or now - known.checked_at >= recheck
