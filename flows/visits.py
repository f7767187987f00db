"""One portal's crawl as a flow runs it: alone on its hosts, within a time limit, never raising, and remembered.

The rows of `portal_runs` below `data/runs` are what "last success" and "failures in a row" are told from. Imports no
Prefect; how pages are fetched is the crawl's business.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from extractors.archive import CrawlLog, new_run_id
from extractors.client import Client, Limits
from extractors.crawl import Plan, PortalResult, crawl_portal
from extractors.crawl_state import CrawlState, Known, asked_today
from extractors.dataroot import RUNS, DataRoot
from extractors.outcomes import RETRIED
from extractors.portals import Portal
from extractors.schema import arrow_schema
from extractors.urls import host_of
from flows import locks

log = logging.getLogger(__name__)

TRANSIENT = RETRIED | {"dns_failed", "given_up", "robots_unreachable"}
"""Codes of `extractors.outcomes` after which the same portal may answer some minutes later."""
GRACE_SECONDS = 30.0
"""What a portal over its time limit gets to finish the page in flight, before it is left behind."""


@dataclass(frozen=True)
class PortalRun:
    """A row of `portal_runs`: what one look at one portal came to."""

    run_id: str
    flow: str
    portal_id: str
    started_at: datetime
    seconds: float
    outcome: str
    reason: str | None = None
    years: str | None = None
    listings: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    attachments: int = 0
    refused: int = 0
    failed: int = 0
    requests: int = 0
    bytes: int = 0

    @property
    def is_done(self) -> bool:
        return self.outcome == "done"

    def __str__(self) -> str:
        if self.is_done:
            return f"{self.portal_id}: {self.new} new, {self.changed} changed, {self.same} same"
        return f"{self.portal_id}: {self.outcome}: {self.reason}"


def is_transient(sentence: str) -> bool:
    """Whether what a failed portal's sentence names may be gone some minutes later."""
    return ": failed: " in sentence and not TRANSIENT.isdisjoint(re.findall(r"\b([a-z_]+):", sentence))


class RememberingLog(CrawlLog):
    """A crawl log that knows what this run kept, so that a second try does not fetch it again, and how often it asked."""

    def __init__(self, root: DataRoot, run_id: str | None = None) -> None:
        super().__init__(root, run_id)
        self.kept: dict[str, dict[str, Known]] = defaultdict(dict)
        self.asked: Counter[str] = Counter()

    def append(self, row: Mapping[str, Any]) -> None:
        super().append(row)
        self.asked[host_of(row["source_url"])] += 1
        if row["outcome"] in ("stored", "unchanged"):
            when = row["fetched_at"]
            self.kept[row["portal_id"]][row["source_url"]] = Known(
                when if when.tzinfo else when.replace(tzinfo=UTC),
                row.get("sha256") or "",
                row.get("content_sha256") or "",
                row.get("etag") or "",
                row.get("last_modified") or "",
                row.get("warc_path") or "",
                row["warc_offset"] if row.get("warc_offset") is not None else -1,
            )


class _Try:
    """The run's crawl log under a name of its own, after which this try's WARC files are called."""

    def __init__(self, shared: CrawlLog, run_id: str) -> None:
        self.run_id = run_id
        self.append = shared.append


class Visits:
    """The portals of one run of a flow. A context manager; `visit` may be called from many threads.

    portals: as they are to be crawled, by id. seconds: the longest a portal may take. contact: goes into the User-Agent.
    crawl: the crawl of one portal, for tests of what hangs or breaks.
    `runs` holds the newest row of each portal visited.
    """

    def __init__(
        self,
        root: DataRoot,
        flow: str,
        portals: Iterable[Portal],
        plan: Plan,
        contact: str,
        seconds: float,
        limits: Limits | None = None,
        crawl: Callable[..., PortalResult] = crawl_portal,
    ) -> None:
        self.root, self.flow, self.plan, self.seconds = root, flow, plan, seconds
        self.run_id = new_run_id()
        self.portals = {portal.id: portal for portal in portals}
        self._contact, self._limits, self._crawl = contact, limits or Limits(), crawl
        self._log = RememberingLog(root, self.run_id)
        self.runs: dict[str, PortalRun] = {}
        self._tries: Counter[str] = Counter()
        self._at_work: set[str] = set()
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        self._log.__enter__()
        self._state = CrawlState(self.root, self.portals)
        self._log.asked.update(asked_today(self.root))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.close()

    def visit(self, portal_id: str) -> PortalRun:
        """Crawls one portal. Whatever happens is in the row it gives back."""
        started, clock = datetime.now(UTC).replace(tzinfo=None), time.monotonic()
        blank = PortalRun(
            self.run_id, self.flow, portal_id, started, 0.0, "done", years=years_told(self.plan)
        )
        portal = self.portals[portal_id]
        with self._turn:
            self._at_work.add(portal_id)
        try:
            work = f"{self.flow} of portal {portal_id}"
            with locks.hosts_held(self.root, portal.manners.hosts, work, self.seconds, log.info):
                run = self._within_time(portal, blank)
        except locks.Busy as busy:
            run = replace(blank, outcome="busy", reason=str(busy))
        except Exception as error:
            log.exception("portal %s: the visit failed", portal_id)
            run = replace(blank, outcome="crashed", reason=f"{type(error).__name__}: {error}"[:500])
        self.runs[portal_id] = replace(run, seconds=round(time.monotonic() - clock, 3))
        with self._turn:
            self._at_work.discard(portal_id)
        return self.runs[portal_id]

    def pause(self, pending: Collection[str]) -> int:
        """Tries made so far, when all that is pending only waits for its next try; else 0.

        Then every page kept so far can be read.
        """
        with self._turn:
            if not pending or self._at_work or not self.runs.keys() >= set(pending):
                return 0
            self._log.flush()
            return self._tries.total()

    def crashed(self, portal_id: str, reason: str) -> None:
        """Records that a portal's visit ended without an answer."""
        now = datetime.now(UTC).replace(tzinfo=None)
        self.runs[portal_id] = PortalRun(self.run_id, self.flow, portal_id, now, 0.0, "crashed", reason)

    def _within_time(self, portal: Portal, blank: PortalRun) -> PortalRun:
        """The crawl in a thread of its own, asked to stop at the limit and left behind when it does not."""
        stop, answers = threading.Event(), list[PortalResult | BaseException]()
        self._tries[portal.id] += 1
        mine = _Try(self._log, f"{self.run_id}-{self._tries[portal.id]}")

        def work() -> None:
            client = Client(self._contact, self._limits, self._log.asked, stop)
            try:
                known = {**self._state.of(portal.id), **self._log.kept[portal.id]}
                answers.append(self._crawl(portal, self.root, client, mine, known, self.plan))
            except BaseException as error:
                answers.append(error)
            finally:
                client.close()

        worker = threading.Thread(target=work, name=f"visit {portal.id}", daemon=True)
        worker.start()
        worker.join(self.seconds)
        is_late = worker.is_alive()
        if is_late:
            stop.set()
            worker.join(min(GRACE_SECONDS, self.seconds))
        late = f"it took longer than {self.seconds / 60:g} minutes and was stopped; what came before is kept"
        if not answers:
            return replace(blank, outcome="timed_out", reason=late)
        answer = answers[0]
        if isinstance(answer, BaseException):
            return replace(blank, outcome="crashed", reason=f"{type(answer).__name__}: {answer}"[:500])
        run = run_of(blank, answer)
        return replace(run, outcome="timed_out", reason=late) if is_late else run


def years_told(plan: Plan) -> str | None:
    """Column `years` of a run of this plan."""
    return ",".join(map(str, sorted(plan.years))) if plan.years else None


def run_of(blank: PortalRun, result: PortalResult) -> PortalRun:
    """`blank` with what a crawl came to."""
    is_ours = result.error.startswith("crashed")
    return replace(
        blank,
        outcome="done" if not result.error else "crashed" if is_ours else "failed",
        reason=result.error or None,
        listings=result.listings,
        new=result.new,
        changed=result.changed,
        same=result.same,
        attachments=result.attachments,
        refused=sum(result.refused.values()),
        failed=sum(result.failed.values()),
        requests=result.requests,
        bytes=result.bytes,
    )


def remember(root: DataRoot, runs: Iterable[PortalRun]) -> None:
    """Appends rows of `portal_runs` as one file named after the run."""
    rows = [asdict(run) for run in runs]
    if rows:
        table = pa.Table.from_pylist(rows, schema=arrow_schema("portal_runs"))
        root.write_table(f"{RUNS}/{rows[0]['run_id']}.parquet", table)


def remembered(root: DataRoot) -> pa.Table:
    """All rows of `portal_runs`, oldest first."""
    return root.read_table(RUNS, arrow_schema("portal_runs")).sort_by("started_at")
