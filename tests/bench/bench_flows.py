"""Measures what Prefect costs a night, and whether reading again grows with the processes.

Both figures are ratios of one run: the flow against the same steps without it, two processes against one. The portals
have the simulator's usual mix (pages, text, PDF, Word, Excel, decoys), run in a process of their own and answer at once;
the 20,000 snapshots are made of 200 rendered reports whose bytes all differ.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from extractors import reading
from extractors.archive import Archive, CrawlLog, known_snapshots, new_run_id
from extractors.client import Limits
from extractors.crawl import Plan
from extractors.dataroot import DataRoot
from extractors.portals import load_portals
from flows import pipeline
from flows.start import SETTINGS, unwatched
from flows.visits import Visits, remember
from tests.simulator.agencies import all_agencies
from tests.simulator.figures import make_report
from tests.simulator.noise import Noise
from tests.simulator.portal import Simulator
from tests.simulator.render_html import STYLES, report_body

PORTALS, AGENCIES, YEARS = 20, 20, range(2018, 2024)
ROUNDS = 4
PREFECT_BAR = 0.15
SCALING_BAR = 1.7
DISTINCT = 200


def run(snapshots: int = 20_000) -> list[dict[str, Any]]:
    """Prefect's share of a night, and two processes against one."""
    with tempfile.TemporaryDirectory(prefix="ogi-bench-") as folder:
        place = Path(folder)
        return [*_nightly(place), *_reparse(place, snapshots)]


# -- Prefect's share --


def _nightly(place: Path) -> list[dict[str, Any]]:
    portals = place / "portals"
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_simulate, args=(portals, theirs), daemon=True)
    process.start()
    ids = ours.recv()
    try:
        # The first one warms the simulator's pages, so that the measured ones find them drawn.
        _without_prefect(place / "warm", portals, ids)
        under_prefect, plain, idle = _side_by_side(place, portals, ids)
    finally:
        ours.send("end")
        process.join()
    share = max(under_prefect - plain, 0.0) / under_prefect
    reports = PORTALS * AGENCIES * len(YEARS)
    return [
        {
            "name": f"Prefect's share of a night, {PORTALS} portals, {reports:,} reports",
            "figure": f"{share:.1%}",
            "bar": f"<= {PREFECT_BAR:.0%}",
            "reached": share <= PREFECT_BAR,
            "unit": "of wall time, server start aside",
            "baseline": f"{under_prefect:.1f} s as a flow, {plain:.1f} s without; an empty flow {idle:.1f} s",
        }
    ]


def _simulate(portals: Path, pipe: Any) -> None:
    """Runs the portals until told to end."""
    with Simulator(PORTALS, AGENCIES, YEARS) as simulator:
        simulator.write_portals(portals)
        pipe.send([site.id for site in simulator.sites])
        pipe.recv()


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _without_prefect(data: Path, folder: Path, ids: list[str]) -> None:
    """The steps of a night one after the other, called directly."""
    root = DataRoot(str(data))
    pipeline.prepare(root)
    portals = load_portals(folder, ids)
    plan = Plan(years=frozenset(YEARS), recheck=timedelta(days=30))
    with (
        Visits(root, "nightly", portals, plan, "bench", 600, Limits()) as visits,
        ThreadPoolExecutor(64) as pool,
    ):
        runs = list(pool.map(visits.visit, ids))
    assert all(one.is_done for one in runs), [one.reason for one in runs]
    remember(root, runs)
    pipeline.read_snapshots(root, reading.unread_snapshots(root))
    pipeline.settle(root, "bench")


def _side_by_side(place: Path, folder: Path, ids: list[str]) -> tuple[float, float, float]:
    """Seconds of a night as a flow, of one without Prefect, of a flow that does nothing; the best of each, in turn.

    The server runs already, and flows run under it as under the temporary one of a command; the best because whatever
    else the machine does can only add.
    """
    os.environ.update(SETTINGS)
    from prefect import flow
    from prefect.testing.utilities import prefect_test_harness

    from flows.nightly import nightly

    def night(number: int) -> None:
        state = nightly(
            data=str(place / f"flow-{number}"),
            portals=ids,
            portals_folder=str(folder),
            years=list(YEARS),
            return_state=True,
        )
        assert state.name == "Completed", state.message

    times: dict[str, list[float]] = {"flow": [], "plain": [], "idle": []}
    with prefect_test_harness(server_startup_timeout=120), unwatched():
        empty = flow(name="empty")(lambda: None)
        empty()
        for number in range(ROUNDS):
            times["plain"].append(
                _timed(lambda n=number: _without_prefect(place / f"plain-{n}", folder, ids))
            )
            times["flow"].append(_timed(lambda n=number: night(n)))
            times["idle"].append(_timed(empty))
    return min(times["flow"]), min(times["plain"]), min(times["idle"])


# -- reading again --


def _reparse(place: Path, count: int) -> list[dict[str, Any]]:
    root = DataRoot(str(place / "archive"))
    _fill(root, count)
    snapshots = [reading.snapshot_of(row) for row in known_snapshots(root).to_pylist()]
    seconds, parent = {}, 0.0
    for processes in (1, 2):
        before = resource.getrusage(resource.RUSAGE_SELF)
        seconds[processes] = _timed(
            lambda n=processes: pipeline.read_snapshots(
                root, snapshots, processes=n, folder=f"cells-staging/{n}"
            )
        )
        after = resource.getrusage(resource.RUSAGE_SELF)
        parent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    gain = seconds[1] / seconds[2]
    return [
        {
            "name": f"reading {count:,} snapshots again: two processes against one",
            "figure": f"{gain:.2f} x",
            "bar": f">= {SCALING_BAR} x",
            "reached": gain >= SCALING_BAR,
            "unit": "times as fast",
            "baseline": f"one {seconds[1]:.1f} s ({count / seconds[1]:.0f} a second), two {seconds[2]:.1f} s; "
            f"the parent used {parent:.1f} s of processor time",
        }
    ]


def _fill(root: DataRoot, count: int) -> None:
    """An archive of `count` pages with different bytes."""
    agencies = all_agencies()
    styles = list(STYLES.values())
    pages = []
    for number in range(DISTINCT):
        form, year = ("2021", 2022) if number % 2 else ("2019", 2019)
        report = make_report(number, form, agencies[number % len(agencies)], year)
        pages.append(_page(report, styles[number % len(styles)], number))
    run_id = new_run_id()
    when = datetime(2026, 1, 2)
    with CrawlLog(root, run_id) as log, Archive(root, "bench", run_id) as archive:
        for number in range(count):
            body = pages[number % DISTINCT] + f"<!-- {number} -->".encode()
            url = f"https://bench.example/{number}.html"
            kept = archive.store_file(url, body, when, "text/html")
            log.append(
                {
                    "source_url": url,
                    "portal_id": "bench",
                    "kind": "report",
                    "fetched_at": when,
                    "outcome": "stored",
                    "sha256": kept.sha256,
                    "content_type": "text/html; charset=utf-8",
                    "warc_path": kept.warc_path,
                    "warc_offset": kept.warc_offset,
                }
            )


def _page(report: Any, style: Any, seed: int) -> bytes:
    body = report_body(report, style, Noise(), seed)
    head = f"<head><meta charset='utf-8'><title>{report.title}</title></head>"
    return f"<html>{head}<body><h1>{report.title}</h1>{body}</body></html>".encode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshots", type=int, default=20_000)
    for row in run(parser.parse_args().snapshots):
        print(row)
