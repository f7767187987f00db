"""`ogi crawl`: reports from the portals into the archive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from extractors.archive import new_run_id
from extractors.crawl import Plan, PortalResult
from extractors.crawl import crawl as run_crawl
from extractors.dataroot import DataRoot
from extractors.portals import Portal, load_portals
from flows import locks
from flows.commands.options import DataOption
from flows.contact import contact_of
from flows.visits import PortalRun, remember, run_of, years_told

PortalsOption = Annotated[
    str | None, typer.Option("--portals", help="Folder of your own portal files; else OGI_PORTALS.")
]
ContactOption = Annotated[
    str | None,
    typer.Option("--contact", help="Mail or web address sent to the portals; else OGI_CONTACT."),
]


def register(app: typer.Typer) -> None:
    app.command("crawl")(crawl_command)


def crawl_command(
    portal: Annotated[
        list[str] | None, typer.Option("--portal", help="Only this portal; repeat for more.")
    ] = None,
    year: Annotated[
        list[int] | None, typer.Option("--year", help="Only reports of this year; repeat for more.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many reports a portal.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be fetched; ask for lists only.")
    ] = False,
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Minutes to wait for a host another run is asking.")
    ] = 10,
    portals: PortalsOption = None,
    contact: ContactOption = None,
    data: DataOption = None,
) -> None:
    """Fetch new and changed reports from the portals."""
    chosen = load_portals(portals, portal or ())
    named = contact_of(chosen, contact)
    root = DataRoot.choose(data)
    plan = Plan(years=frozenset(year) if year else None, limit=limit, is_dry=dry_run)
    results, looks = _with_progress(chosen, root, plan, named, wait * 60)
    if not dry_run and limit is None:
        remember(root, looks)
    for result in sorted(results, key=lambda r: r.portal_id):
        typer.echo(line_of(result, plan, next(p for p in chosen if p.id == result.portal_id)))
    typer.echo(summary_of(results, plan, root))
    raise typer.Exit(1 if len(results) < len(chosen) or any(r.is_failed for r in results) else 0)


def _with_progress(
    chosen: list[Portal], root: DataRoot, plan: Plan, contact: str, wait_seconds: float
) -> tuple[list[PortalResult], list[PortalRun]]:
    """Runs the crawl beside a progress bar, no host while a flow asks it; Ctrl-C ends it after the pages in flight.

    Besides the results what `ogi status` is to know: no row for a portal that was busy or that Ctrl-C cut short, since
    neither was a look at it.
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    stop = threading.Event()
    results: list[PortalResult] = []
    looks: list[PortalRun] = []
    began: dict[str, datetime] = {}
    run_id, years = new_run_id(), years_told(plan)
    with Progress(console=console, transient=True) as bar, ThreadPoolExecutor(1) as pool:
        task = bar.add_task("crawling", total=len(chosen))

        def done(result: PortalResult) -> None:
            results.append(result)
            started = began.get(result.portal_id)
            if started and not (stop.is_set() and result.is_failed):
                blank = PortalRun(
                    run_id, "crawl", result.portal_id, started, round(result.seconds, 3), "done", years=years
                )
                looks.append(run_of(blank, result))
            bar.update(task, advance=1, description=f"crawling, last {result.portal_id}")

        @contextmanager
        def alone(portal: Portal) -> Iterator[None]:
            work = f"crawl of portal {portal.id}"
            with locks.hosts_held(root, portal.manners.hosts, work, wait_seconds, console.print, stop):
                began[portal.id] = datetime.now(UTC).replace(tzinfo=None)
                yield

        running = pool.submit(
            run_crawl, chosen, root, plan, contact=contact, stop=stop, on_result=done, guard=alone
        )
        try:
            running.result()
        except KeyboardInterrupt:
            console.print("stopping after the pages in flight; the next run goes on from here")
            stop.set()
            running.result()
    return results, looks


def line_of(result: PortalResult, plan: Plan, portal: Portal) -> str:
    """One portal's line."""
    found = result
    if plan.is_dry:
        minutes = found.new * max(portal.manners.delay_seconds, 0.5) / 60
        due = f"{found.new} reports to fetch, about {minutes:.1f} min"
        text = f"{found.portal_id}: {found.lists} list pages, {due}"
    else:
        counts = f"{found.new} new, {found.changed} changed, {found.same} same"
        cost = f"{found.requests} requests, {found.bytes:,} bytes, {found.seconds:.1f} s"
        text = f"{found.portal_id}: {found.pages} pages, {counts}, {cost}"
    refused = [f"{code} {count}" for code, count in (result.refused + result.failed).most_common()]
    if refused:
        text += f"; refused: {', '.join(refused)}"
    return f"{text}; FAILED: {result.error}" if result.error else text


def summary_of(results: list[PortalResult], plan: Plan, root: DataRoot) -> str:
    """The run in one line, and where its result lies."""
    failed = sum(r.is_failed for r in results)
    new, changed, same = (sum(getattr(r, name) for r in results) for name in ("new", "changed", "same"))
    if plan.is_dry:
        due = f"{new} reports to fetch, {same} known and not due"
        return f"{len(results)} portals, {failed} failed: {due}; nothing kept"
    difference = (
        f"{new} new, {changed} changed, {same} same" if new or changed else f"no difference, {same} same"
    )
    return f"{len(results)} portals, {failed} failed: {difference}; kept in {root.address}"
