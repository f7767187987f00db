"""What the flow tests share: small portals over real HTTP, the flows' parameters for them, and what came out.

Holds no assertion of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb

from tests.simulator.portal import Simulator, Site

ROOT = Path(__file__).parents[1]
YEARS = [2022, 2023]
PAGES = ("html:clean", "html:upper", "text:pipe")


def small_simulator(portals: int = 3, agencies: int = 3, **options: Any) -> Simulator:
    """Portals of pages only, so that a test waits for no PDF."""
    options.setdefault("layouts", PAGES)
    return Simulator(portals, agencies, YEARS, has_noise=False, **options)


def parameters(simulator: Simulator, place: Path, **more: Any) -> dict[str, Any]:
    """Parameters of `nightly` for these portals, impatient."""
    simulator.write_portals(place / "portals")
    return {
        "data": str(place / "data"),
        "portals": [site.id for site in simulator.sites],
        "portals_folder": str(place / "portals"),
        "years": YEARS,
        "recheck_days": 0,
        "patience": {"portal_minutes": 1, "retry_seconds": [0.2], "backoff_seconds": 0.05},
        **more,
    }


def query(data: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a SELECT on the published file."""
    with duckdb.connect(str(data / "warehouse" / "ogi.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def numbers(data: Path) -> list[tuple[Any, ...]]:
    """Every cell in force, without what differs between two runs (when it was fetched, which file it lies in)."""
    return query(
        data,
        "SELECT o.agency_id, o.year, indicator, applicant, value, value_kind, raw_text, cell, r.snapshot_sha256 "
        "FROM observations o JOIN reports r USING (report_id) ORDER BY ALL",
    )


def start_ogi(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The command, started in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "OGI_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *arguments],
        env={**clean, **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ogi(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, to its end."""
    with start_ogi(*arguments, **environment) as process:
        try:
            stdout, stderr = process.communicate(timeout=120)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def reports_of(sites: list[Site]) -> list[tuple[str, int]]:
    """(agency, year) of every report the portals hold."""
    return sorted((item.report.agency.name, item.report.year) for site in sites for item in site.reports())


def published(data: Path) -> list[tuple[str, int]]:
    """(agency, year) of every report in force in the published file."""
    return sorted(query(data, "SELECT agency_name, year FROM reports WHERE is_current"))
