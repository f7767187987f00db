"""The whole pipeline as an operator would live it: portals, two nights of the flow, what changed, what compares.

Run by `make demo`. The portals are simulated on this machine and every figure they print is known, so the end counts how
many of them arrived in the published file. Writes below `data/demo` only, which it empties first.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

PLACE = Path("data/demo")
YEARS = range(2020, 2024)
LATE_YEAR = YEARS[-1]
PORTALS, AGENCIES = 6, 6
MEASURE = "granted_or_partly_rate"

console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 140)


def main() -> None:
    # Set before Prefect is imported: what goes wrong on purpose is told below, not in its log.
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    os.environ.pop("OGI_PORTALS", None)
    from tests.simulator.portal import Simulator

    began = time.monotonic()
    shutil.rmtree(PLACE, ignore_errors=True)
    with Simulator(PORTALS, AGENCIES, YEARS, seed=3) as simulator:
        late = simulator.sites[1].reports()[YEARS.index(LATE_YEAR)].report.agency.name
        simulator.sites[1].remove_report(late, LATE_YEAR)
        _introduce(simulator)
        file = _two_nights(simulator, late)
        _compare(file)
        _findings(file)
        _count_against_truth(simulator, file)
    console.print(Rule(style="dim"))
    console.print(f"DuckDB file   {file}", soft_wrap=True)
    console.print(
        "Ask it        .venv/bin/ogi query \"SELECT * FROM compare_agencies(2023, 'refused_rate')\" --data data/demo"
    )
    console.print("Its portals   .venv/bin/ogi status --data data/demo --portals data/demo/portals")
    console.print(f"[dim]{time.monotonic() - began:.0f} seconds in all[/dim]")


def _introduce(simulator: Any) -> None:
    reports = sum(len(site.reports()) for site in simulator.sites)
    _head("Portals on this machine")
    console.print(
        f"{PORTALS} portals of {PORTALS} kinds of software, {AGENCIES} agencies each, reports about "
        f"{YEARS[0]}-{YEARS[-1]}: {reports} reports as pages, text, PDF, Word and Excel files"
    )
    for site in simulator.sites:
        console.print(f"  {site.id:26} {site.name}")


def _two_nights(simulator: Any, late: str) -> Path:
    from flows.start import connect

    with _working("starting a temporary Prefect server (10 to 35 seconds, once)"):
        connect()
        from flows.nightly import nightly  # noqa: F401 (imported here so that its time is counted here)
    _head("First night: everything is new")
    _night(simulator)
    first, second, last = simulator.sites[0], simulator.sites[1], simulator.sites[-1]
    old = first.reports()[0]
    new, key = first.correct_report(old.report.agency.name, old.report.year)
    added = second.add_report(late, LATE_YEAR)
    simulator.set_down(last.id)
    _head("What happens by day")
    was, now = old.report.cells[key], new.report.cells[key]
    console.print(f"  {first.id}: {old.report.agency.name} quietly replaces its {old.report.year} report")
    console.print(f"      one number differs: {_cell_name(key)} {was.text} -> {now.text}")
    console.print(f"  {second.id}: {added.title} appears, late")
    console.print(f"  {last.id}: goes down")
    _head("Second night: only what differs")
    told = _night(simulator)
    _differences(Path(told.file))
    return Path(told.file)


def _night(simulator: Any) -> Any:
    from flows.nightly import nightly
    from flows.orchestration import Patience

    simulator.write_portals(PLACE / "portals")
    began = time.monotonic()
    with _working("crawl, read, tidy, check, build, publish"):
        state = nightly(
            data=str(PLACE),
            portals=[site.id for site in simulator.sites],
            portals_folder=str(PLACE / "portals"),
            years=list(YEARS),
            recheck_days=0,
            patience=Patience(portal_minutes=2, retry_seconds=[1], backoff_seconds=0.1),
            return_state=True,
        )
    told = state.result(raise_on_failure=False)
    if isinstance(told, BaseException):
        raise told
    style = "green" if state.name == "Completed" else "yellow"
    console.print(f"  [{style}]{state.name}[/{style}] in {time.monotonic() - began:.0f} seconds")
    for sentence in told.sentences()[:-1]:
        console.print("  " + sentence, markup=False)
    return told


def _differences(file: Path) -> None:
    from warehouse.query import open_file
    from warehouse.summary import revisions

    with open_file(file) as connection:
        rows = connection.execute(
            "SELECT portal_id, year, change, count(*), sum(cells_added), sum(cells_changed), sum(cells_gone) "
            "FROM changes GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    _table(
        "The published file against the one of the night before (also in CHANGES.md)",
        ["portal", "year", "reports", "", "cells added", "changed", "gone"],
        [(portal, year, change, count, *cells) for portal, year, change, count, *cells in rows],
    )
    _table(
        "Numbers that agencies replaced after publication (view revisions)",
        ["agency", "year", "cell", "before", "now"],
        [
            (
                row["agency_name"],
                row["year"],
                _cell_name((row["indicator"], row["applicant"])),
                row["old_text"],
                row["new_text"],
            )
            for row in revisions(file)
        ],
    )


def _compare(file: Path) -> None:
    from warehouse.summary import measure_by_year

    _head("Across agencies and years: share of requests granted in full or in part")
    rows = measure_by_year(file, MEASURE, most=8)
    years = sorted({row["year"] for row in rows})
    by_agency: dict[str, dict[int, dict[str, Any]]] = {}
    for row in rows:
        by_agency.setdefault(row["agency_name"], {})[row["year"]] = row
    reasons: dict[str, int] = {}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("agency", overflow="fold")
    for year in years:
        table.add_column(str(year), justify="right")
    for agency, of_year in by_agency.items():
        table.add_row(agency, *(_share(of_year, year, reasons) for year in years))
    console.print(table)
    for reason, number in reasons.items():
        console.print(f"  [dim]({number}) {reason}[/dim]")


def _share(of_year: dict[int, dict[str, Any]], year: int, reasons: dict[str, int]) -> Text:
    if year not in of_year:
        return Text("-", style="dim")
    row = of_year[year]
    why = row["why_not"]
    mark = f" ({reasons.setdefault(why, len(reasons) + 1)})" if why else ""
    if row["value"] is None:
        return Text("none" + mark, style="yellow")
    return Text(f"{float(row['value']):.1%}{mark}")


def _findings(file: Path) -> None:
    from warehouse.summary import findings_by_check, worst_findings

    _head("Findings: sums that agencies got wrong, published with the numbers")
    counts = findings_by_check(file)
    console.print("  " + ", ".join(f"{row['check_id']} {row['status']} {row['findings']}" for row in counts))
    _table(
        "",
        ["agency", "year", "formula", "of", "left", "right", "likely cause"],
        [
            (
                row["agency_name"],
                row["year"],
                row["formula"],
                row["scope"],
                _number(row["left_value"]),
                _number(row["right_value"]),
                row["likely_cause"],
            )
            for row in worst_findings(file, most=4)
        ],
    )


def _count_against_truth(simulator: Any, file: Path) -> None:
    from warehouse.query import open_file

    with open_file(file) as connection:
        read = {
            tuple(key): value
            for *key, value in connection.execute(
                "SELECT agency_name, o.year, indicator, applicant, value FROM observations o "
                "JOIN reports USING (report_id) WHERE value IS NOT NULL"
            ).fetchall()
        }
    right = wrong = absent = lost = 0
    for site in simulator.sites:
        for truth in site.truth():
            if truth.printed.value is None:
                continue
            report = truth.shelved.report
            key = (report.agency.name, report.year, *truth.key)
            if key in read:
                right += read[key] == truth.printed.value
                wrong += read[key] != truth.printed.value
            elif truth.is_lost:
                lost += 1
            else:
                absent += 1
    _head("Is it right?")
    console.print(
        f"  of {right + wrong + absent + lost:,} numbers the portals print: {right:,} published as printed, "
        f"{wrong:,} differently, {absent:,} not found, {lost:,} left out because their layout no longer tells the column"
    )


def _head(text: str) -> None:
    console.print()
    console.print(Rule(Text(text, style="bold"), align="left", style="dim"))


def _table(title: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    if title:
        console.print(f"\n  {title}")
    table = Table(box=None, pad_edge=True, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    console.print(table)


def _cell_name(key: tuple[str, str | None]) -> str:
    return f"{key[0]} / {key[1]}" if key[1] else key[0]


def _number(value: Any) -> str:
    return "" if value is None else f"{value.normalize():f}"


@contextmanager
def _working(text: str) -> Iterator[None]:
    """A spinner on a terminal, a line elsewhere."""
    if not console.is_terminal:
        console.print(f"  [dim]{text} ...[/dim]")
        yield
        return
    with console.status(text):
        yield


if __name__ == "__main__":
    main()
