"""Measures a reading worker over 10,000 reports in every layout: its memory at the end, and reports a second."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from extractors.pool import run_bounded
from extractors.reading import read_snapshot
from extractors.records import Snapshot
from tests.simulator.agencies import all_agencies
from tests.simulator.figures import make_report
from tests.simulator.render_html import STYLES, render_html
from tests.simulator.render_text import LAYOUTS, render_text

REPORTS = 10_000
BAR_MEGABYTES = 500


def reports(count: int) -> Iterator[bytes]:
    """Reports that differ, page and text in turn, drawn while they are read."""
    agencies = all_agencies()
    layouts = itertools.cycle([*STYLES, *(f"text:{name}" for name in LAYOUTS)])
    for number, layout in zip(range(count), layouts, strict=False):
        form = ("2014", "2019", "2021")[number % 3]
        report = make_report(number, form, agencies[number % len(agencies)], 2014 + number % 10)
        if layout.startswith("text:"):
            yield render_text(report, layout.removeprefix("text:")).content
        else:
            yield render_html(report, STYLES[layout]).content


def read_one(data: bytes) -> float:
    """Reads a report in a worker; its resident memory afterwards, in MB."""
    when = datetime(2026, 1, 1)
    read_snapshot(Snapshot("file:///report", "local", when, "0" * 64, "", 0), data, when)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def run(count: int = REPORTS) -> list[dict[str, Any]]:
    """Peak memory of one worker, and its speed."""
    started = time.monotonic()
    sizes = [outcome.result for outcome in run_bounded(reports(count), f"{__name__}:read_one", 1)]
    seconds = time.monotonic() - started
    peak = max(size for size in sizes if size is not None)
    return [
        {
            "name": f"one worker over {count:,} reports: memory",
            "figure": f"{peak:.0f} MB",
            "bar": f"under {BAR_MEGABYTES} MB",
            "reached": peak < BAR_MEGABYTES and None not in sizes,
            "baseline": f"{count / seconds:.0f} reports a second, drawing them included",
        }
    ]
