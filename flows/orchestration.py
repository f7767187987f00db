"""What all flows share under Prefect: tasks, final states, artifacts. The work is in `flows.visits`, `flows.pipeline`.

One task run a portal and one a batch of documents, since a task run costs 20-80 ms. Results are never cached: what is
done is told from the data root alone. So are turns at a host (`flows.locks`): a Prefect concurrency slot of a killed run
would keep the next one waiting until its lease ends, and there is none without a server.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Annotated, Any

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import TagsContext
from prefect.futures import PrefectFuture
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed, State
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import BaseModel, Field

from extractors import reading
from extractors.client import Limits
from extractors.dataroot import CELLS, WAREHOUSE, DataRoot
from extractors.errors import UserError
from extractors.records import Snapshot
from flows import pipeline
from flows.health import Health, health_of
from flows.pipeline import ReadTotals
from flows.visits import PortalRun, Visits, is_transient, remember
from transforms.tidy import TidyResult
from warehouse import summary
from warehouse.publish import Published

DOCUMENTS_A_TASK = 600
SIDE_BY_SIDE: Any = ThreadPoolTaskRunner(max_workers=64)
"""Portals asked at once; each waits most of its time for its own host's turn."""
LOOK_SECONDS = 1.0
DEGRADED = "Degraded"
MOST_NAMED = 10
"""Portals that lack reports named one by one at the end of a run; `ogi status` and the artifact name all."""
MOST_ROWS = 500
"""Rows of a table artifact; more are not read by anybody."""


class Patience(BaseModel):
    """How long a flow bears with a portal. The defaults are right for the public internet."""

    portal_minutes: Annotated[float, Field(gt=0, description="Longest a portal may take")] = 180
    retry_seconds: Annotated[
        list[float], Field(description="Pauses before a failed portal is tried again")
    ] = [60, 300]
    backoff_seconds: Annotated[float, Field(ge=0, description="First pause before a request is repeated")] = 4

    @property
    def limits(self) -> Limits:
        return Limits(backoff_seconds=self.backoff_seconds)


@dataclass
class Summary:
    """What a run came to, in numbers; `sentences` is what a person reads at its end."""

    flow: str
    runs: list[PortalRun] = field(default_factory=list)
    not_due: int = 0
    documents: int = 0
    numbers: int = 0
    unread: int = 0
    years: tuple[int, ...] = ()
    changes: dict[str, int] = field(default_factory=dict)
    file: str = ""
    expectations: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def failed(self) -> list[PortalRun]:
        return [run for run in self.runs if not run.is_done]

    @property
    def outcome(self) -> str:
        """Name of the run's final state."""
        if not self.failed:
            return "Completed"
        return "Failed" if len(self.failed) == len(self.runs) else DEGRADED

    def closing(self) -> str:
        """The last line of a run: its state, how long it took, which portals failed, where the result lies."""
        named = ", ".join(run.portal_id for run in self.failed[:MOST_NAMED])
        more = f" and {len(self.failed) - MOST_NAMED} more" if len(self.failed) > MOST_NAMED else ""
        lost = f": {len(self.failed)} of {len(self.runs)} portals failed ({named}{more})" if named else ""
        where = f"DuckDB file: {self.file}" if self.file else "nothing published: no report yet"
        return f"{self.flow} {self.outcome} after {time.monotonic() - self.began:.0f} s{lost}; {where}"

    def sentences(self) -> list[str]:
        """Numbers first, then every portal that failed and why, then `closing`."""
        new, changed, same = (
            sum(getattr(run, name) for run in self.runs) for name in ("new", "changed", "same")
        )
        rest = f", {self.not_due} not due" if self.not_due else ""
        lines = []
        if self.runs or self.not_due:
            lines.append(
                f"{len(self.runs)} portals tried{rest}, {len(self.failed)} failed: {new} reports new, {changed} changed, "
                f"{same} same; {sum(run.requests for run in self.runs):,} requests"
            )
        lines += [str(run) for run in self.failed]
        lines.append(
            f"{self.documents:,} documents read, {self.unread} could not be; {self.numbers:,} numbers"
        )
        lines += self.expectations
        differs = ", ".join(f"{count} {change}" for change, count in self.changes.items())
        lines.append(f"reports that differ from the last file: {differs or 'none (no difference)'}")
        return [*lines, self.closing()]


# -- tasks --


@task(name="crawl", task_run_name="crawl {portal_id}", cache_policy=NO_CACHE, persist_result=False)
def crawl_task(portal_id: str, visits: Visits) -> State[Any]:
    """One portal. Its failure is its own state, with the reason; no other portal hears of it."""
    run = visits.visit(portal_id)
    return Completed(message=str(run)) if run.is_done else Failed(message=str(run))


def _may_help(task: Any, task_run: Any, state: State[Any]) -> bool:
    """Retry only what some minutes may mend: a page that says no says no again."""
    return is_transient(state.message or "")


@task(name="read", task_run_name="read {label}", cache_policy=NO_CACHE, persist_result=False)
def read_task(label: str, stream: DocumentStream, upto: int) -> None:
    """The next batch of documents of a reading that goes on in worker processes or on a cluster."""
    stream.go_on_to(upto)
    get_run_logger().info("read %s", stream)


@task(name="tidy", task_run_name="tidy", cache_policy=NO_CACHE, persist_result=False)
def tidy_task(root: DataRoot) -> TidyResult:
    """Cells to tidy Parquet."""
    return pipeline.tidy_up(root)


@task(name="publish", task_run_name="build and publish", cache_policy=NO_CACHE, persist_result=False)
def publish_task(root: DataRoot) -> Published | None:
    """Tidy Parquet to a checked DuckDB file that readers get from now on."""
    return pipeline.build_and_publish(root)


class DocumentStream:
    """A reading under way: workers read, and whoever asks waits until so many documents are done."""

    def __init__(self, root: DataRoot, snapshots: Sequence[Snapshot], folder: str = CELLS) -> None:
        self.of = len(snapshots)
        self.totals = ReadTotals()
        self._source = pipeline.read_stream(root, snapshots, folder=folder)
        self._began = time.monotonic()

    def go_on_to(self, upto: int) -> None:
        while len(self.totals.outcomes) < upto:
            summary = next(self._source, None)
            if summary is None:
                return
            self.totals.outcomes += summary.outcomes

    def __str__(self) -> str:
        done = len(self.totals.outcomes)
        rate = done / max(time.monotonic() - self._began, 0.001)
        left = (self.of - done) / max(rate, 0.1)
        return f"{done:,} of {self.of:,} documents, {rate:.0f} a second, about {left:.0f} s left"


# -- steps of a flow --


class _SaidOnce(logging.Filter):
    """Drops an error with the traceback of no exception: so Prefect announces a task that gives back `Failed` when its
    tries are used up ("NoneType: None"), and says the same sentence again when the task ends.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info != (None, None, None)


@contextlib.contextmanager
def _failures_said_once() -> Iterator[None]:
    logger, said_once = logging.getLogger("prefect.task_runs"), _SaidOnce()
    logger.addFilter(said_once)
    try:
        yield
    finally:
        logger.removeFilter(said_once)


def visit_read_and_settle(visits: Visits, patience: Patience, told: Summary) -> None:
    """The crawl and everything after it; fills in `told`.

    Portals that failed pause before they are tried again; the others do not wait for them to be published.
    """
    logger = get_run_logger()
    settled: dict[str, str] | None = None

    def settle_news() -> None:
        nonlocal settled
        outcomes = {portal_id: run.outcome for portal_id, run in visits.runs.items()}
        if outcomes != settled or reading.unread_snapshots(visits.root):
            read_and_settle(visits.root, told)
            settled = outcomes

    def meanwhile() -> None:
        logger.info(
            "only portals that failed are left, waiting for their next try; the others are published first"
        )
        try:
            # What was looked for and not found is told from these rows; the run's end writes the same file anew.
            remember(visits.root, visits.runs.values())
            settle_news()
        except (UserError, OSError) as error:
            logger.warning("what is kept so far cannot be published yet: %s", error)

    with visits:
        told.runs = visit_all(visits, patience, meanwhile)
    settle_news()


def visit_all(visits: Visits, patience: Patience, meanwhile: Callable[[], None]) -> list[PortalRun]:
    """One task run a portal, side by side; every portal has a row at the end, also below `data/runs`.

    meanwhile: called when nothing is left but portals that pause before their next try.
    """
    with _failures_said_once():
        _run_tasks(visits, patience, meanwhile)
    runs = list(visits.runs.values())
    remember(visits.root, runs)
    return runs


def _run_tasks(visits: Visits, patience: Patience, meanwhile: Callable[[], None]) -> None:
    one = crawl_task.with_options(
        retries=len(patience.retry_seconds),
        retry_delay_seconds=patience.retry_seconds,
        retry_condition_fn=_may_help,
    )
    done: SimpleQueue[PrefectFuture[Any]] = SimpleQueue()
    pending: dict[PrefectFuture[Any], str] = {
        one.submit(portal_id, visits): portal_id for portal_id in visits.portals
    }
    for future in list(pending):
        future.add_done_callback(done.put)
    logger, seen = get_run_logger(), 0
    while pending:
        try:
            future = done.get(timeout=LOOK_SECONDS)
        except Empty:
            if (tries := visits.pause(pending.values())) > seen:
                seen = tries
                meanwhile()
            continue
        portal_id = pending.pop(future)
        if portal_id not in visits.runs:
            # Only Prefect itself can end a task without a row, such as a server that went away.
            visits.crashed(portal_id, f"its task ended in state {future.state.name}: {future.state.message}")
        count = len(visits.portals) - len(pending)
        if count % 10 == 0 or not pending:
            logger.info("%s of %s portals done", count, len(visits.portals))


def read_all(root: DataRoot, snapshots: Sequence[Snapshot], folder: str = CELLS) -> ReadTotals:
    """One task run a batch of documents; worker processes are started once for all of them."""
    stream = DocumentStream(root, snapshots, folder)
    for first in range(0, len(snapshots), DOCUMENTS_A_TASK):
        last = min(first + DOCUMENTS_A_TASK, len(snapshots))
        read_task(f"{first + 1:,}-{last:,} of {len(snapshots):,}", stream, last)
    return stream.totals


def settle(root: DataRoot, told: Summary) -> None:
    """Tidy, build, publish; adds to `told`. The caller holds the lock `settle`."""
    written = tidy_task(root)
    told.years = tuple(sorted({*told.years, *written.years}))
    if written.reports and (published := publish_task(root)):
        told.changes = dict(Counter(told.changes) + Counter(published.changes))
        told.file = str(published.path)


def read_and_settle(root: DataRoot, told: Summary) -> None:
    """Everything after the crawl: what is stored and unread is read, tidied and published; adds to `told`."""
    logger = get_run_logger()
    with pipeline.settling(root, told.flow, logger.info):
        unread = reading.unread_snapshots(root)
        logger.info("%s documents to read", f"{len(unread):,}")
        note_reading(told, read_all(root, unread))
        settle(root, told)


def note_reading(told: Summary, totals: ReadTotals) -> None:
    told.documents += len(totals.outcomes)
    told.numbers += totals.numbers
    told.unread += sum(outcome[1] == "unread" for outcome in totals.outcomes)


def expectations(visits: Visits, year: int, today: date) -> tuple[list[Health], list[str]]:
    """(health of the portals visited, what those that did not fail gave against what is expected of them)."""
    found = health_of(visits.root, list(visits.portals.values()), year)
    lacking = [health for health in found if health.missing and not health.failures]
    told = [f"{health.portal_id}: {health.verdict(today)}" for health in lacking[:MOST_NAMED]]
    if len(lacking) > MOST_NAMED:
        missing = sum(health.missing or 0 for health in lacking)
        told.append(
            f"and {len(lacking) - MOST_NAMED} portals more: {missing:,} reports about {year} missing in all"
        )
    return found, told


# -- ends --


def guarded(work: Callable[[], State[Summary]]) -> State[Any]:
    """Runs a flow's body; what the user can mend ends it as Failed with that sentence, without a traceback.

    The flow run's own tags are not handed down to its task runs (why: see the head of this file).
    """
    try:
        with TagsContext(current_tags=set()):
            return work()
    except UserError as error:
        get_run_logger().error("%s", error)
        return Failed(message=str(error), data=error)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        told = UserError("no space is left on the disk; what was kept before stays, free some and run again")
        get_run_logger().error("%s", told)
        return Failed(message=str(told), data=told)


def final_state(told: Summary) -> State[Summary]:
    """Completed, Completed under the name Degraded with the failed portals named, or Failed when every portal failed."""
    if not told.failed:
        return Completed(message=told.sentences()[0], data=told)
    named = "; ".join(map(str, told.failed[:20])) + ("; and more" if len(told.failed) > 20 else "")
    message = f"{len(told.failed)} of {len(told.runs)} portals failed: {named}"
    if told.outcome == DEGRADED:
        return Completed(name=DEGRADED, message=message, data=told)
    return Failed(message=message, data=told)


def show(root: DataRoot, told: Summary, health: Sequence[Health] = (), today: date | None = None) -> None:
    """Keyed artifacts, which Prefect shows with their history."""
    today = today or datetime.now(UTC).date()
    lines = "\n".join(f"- {plain(line)}" for line in told.sentences())
    create_markdown_artifact(f"## {told.flow}, {today}\n\n{lines}\n", key=f"{told.flow}-summary")
    if health:
        # What needs a person comes first, where a screen and `MOST_ROWS` begin.
        worst = sorted(health, key=lambda one: (not one.failures, not one.missing))
        create_table_artifact([_health_row(one, today) for one in worst[:MOST_ROWS]], key="portal-health")
    if told.file:
        create_table_artifact(summary.coverage_by_year(Path(told.file))[:MOST_ROWS], key="coverage")
        create_markdown_artifact(root.read_bytes(f"{WAREHOUSE}/CHANGES.md").decode(), key="data-diff")


def _health_row(health: Health, today: date) -> dict[str, Any]:
    return {
        "portal": health.portal_id,
        "what it means": plain(health.verdict(today)) or "well",
        "last success": f"{health.last_success:%Y-%m-%d %H:%M}" if health.last_success else "never",
        "last new report": f"{health.last_new:%Y-%m-%d %H:%M}" if health.last_new else "never",
        "failures in a row": health.failures,
        f"reports about {health.year}": health.have,
        "expected": health.expected,
    }


INERT = str.maketrans("<>[]*`~|\\", "‹›()∗'∼¦∖")
"""Look-alikes, not escapes: of Prefect's two user interfaces one acts on Markdown in the cells of a table, one does not."""


def plain(text: str) -> str:
    """Text that may come from a page, on one line, without what Markdown or HTML would act on."""
    return " ".join(text.split()).translate(INERT)
