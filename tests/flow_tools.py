"""What the flow tests share: small portals over real HTTP, the flows' parameters for them, and what came out.

Holds no assertion of its own.
"""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
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
    """Rows of a SELECT on the file published below a data root, or on a file named outright."""
    file = data if data.suffix == ".duckdb" else data / "warehouse" / "ogi.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def numbers(data: Path) -> list[tuple[Any, ...]]:
    """Every cell in force, without what differs between two runs (when it was fetched, which file it lies in)."""
    return query(
        data,
        "SELECT o.agency_id, o.year, indicator, applicant, value, value_kind, raw_text, cell, r.snapshot_sha256 "
        "FROM observations o JOIN reports r USING (report_id) ORDER BY ALL",
    )


def _command(arguments: tuple[str, ...], environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """(command, environment without what this machine sets for Prefect and the project)."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "OGI_"))}
    return [sys.executable, "-m", "flows.cli", *arguments], {**clean, **environment}


def start_ogi(
    *arguments: str, stdout: Any = subprocess.PIPE, stderr: Any = subprocess.PIPE, **environment: str
) -> subprocess.Popen[str]:
    """The command, going on in a process of its own."""
    command, env = _command(arguments, environment)
    return subprocess.Popen(command, env=env, cwd=ROOT, stdout=stdout, stderr=stderr, text=True)


def ogi(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, to its end."""
    with start_ogi(*arguments, **environment) as process:
        try:
            stdout, stderr = process.communicate(timeout=120)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


@dataclass(frozen=True)
class Terminal:
    """A command that runs at a terminal of its own."""

    process: subprocess.Popen[bytes]
    side: int

    def answer(self, question: str, keys: bytes, seconds: float = 60) -> tuple[int, str]:
        """Presses the keys once the question is asked; (exit code, all that was shown)."""
        shown, pressed, until = b"", False, time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                shown += os.read(self.side, 4096)
            except OSError:  # Linux says so that the other side is closed.
                break
            if not pressed and question.encode() in shown:
                pressed = os.write(self.side, keys) > 0
        os.close(self.side)
        return self.process.wait(seconds), shown.decode().replace("\r\n", "\n")


def ogi_at_terminal(*arguments: str, **environment: str) -> Terminal:
    """Starts the command as a person does: its input and output are a terminal that belongs to it."""
    ours, theirs = pty.openpty()
    command, env = _command(arguments, environment)
    process = subprocess.Popen(
        command,
        env=env,
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    return Terminal(process, ours)


def reports_of(sites: list[Site]) -> list[tuple[str, int]]:
    """(agency, year) of every report the portals hold."""
    return sorted((item.report.agency.name, item.report.year) for site in sites for item in site.reports())


def published(data: Path) -> list[tuple[str, int]]:
    """(agency, year) of every report in force in the published file."""
    return sorted(query(data, "SELECT agency_name, year FROM reports WHERE is_current"))
