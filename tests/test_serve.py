"""`ogi serve` as an operator starts it: a server of its own, a calendar that is planned, runs that start and end."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from tests.flow_tools import parameters, published, reports_of, small_simulator, start_ogi

SECONDS = 90
"""Longest that anything here may take on a busy machine."""


def test_serve_plans_its_calendar_and_runs_what_is_due(tmp_path):
    with small_simulator(1, 2) as simulator:
        given = parameters(simulator, tmp_path)
        with _serving(given, tmp_path) as (url, api):
            assert httpx.get(f"{url}/ui-settings").json()["api_url"] == f"{url}/api"
            planned = {"nightly": {"02:15"}, "recheck": {"Saturday 04:30"}}
            assert _until(lambda: _calendar(api), lambda found: len(found) == 2) == planned
            wanted = {"state": {"type": "SCHEDULED"}, "parameters": given}
            nightly = api.get("/deployments/name/nightly/nightly").json()["id"]
            due = api.post(f"/deployments/{nightly}/create_flow_run", json=wanted).json()["id"]
            state = _until(
                lambda: api.get(f"/flow_runs/{due}").json()["state"],
                lambda found: found["type"] in ("COMPLETED", "FAILED", "CRASHED"),
            )
            assert state["name"] == "Completed", state
        assert published(tmp_path / "data") == reports_of(simulator.sites)


@contextmanager
def _serving(given: dict[str, Any], place: Path) -> Iterator[tuple[str, httpx.Client]]:
    """The command at work: (address of its server, a client of its API). It must end well when it is interrupted."""
    said = place / "serve.log"
    with said.open("wb") as stream:
        serving = start_ogi(
            *("serve", "--data", given["data"], "--portals", given["portals_folder"], "--contact", "a@b"),
            stdout=stream,
            stderr=subprocess.STDOUT,
            PREFECT_HOME=str(place / "prefect"),
            PREFECT_RUNNER_POLL_FREQUENCY="1",
        )
    try:
        address = re.compile(r"starting a Prefect server for this machine: (\S+)")
        url = _until(lambda: address.search(said.read_text()), bool)[1]
        _until(said.read_text, lambda text: "polling for scheduled runs" in text)
        with httpx.Client(base_url=f"{url}/api", timeout=30) as api:
            yield url, api
    finally:
        serving.send_signal(signal.SIGINT)
        code = serving.wait(SECONDS)
    assert code == 0 and "Traceback" not in said.read_text(), said.read_text()


def _calendar(api: httpx.Client) -> dict[str, set[str]]:
    """{flow: times of its planned runs in Shanghai}, with the day of the week for what does not run every day."""
    names = {one["id"]: one["name"] for one in api.post("/deployments/filter", json={}).json()}
    wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    found: dict[str, set[str]] = {}
    for run in api.post("/flow_runs/filter", json=wanted).json():
        name = names[run["deployment_id"]]
        when = datetime.fromisoformat(run["expected_start_time"]).astimezone(ZoneInfo("Asia/Shanghai"))
        found.setdefault(name, set()).add(f"{when:%H:%M}" if name == "nightly" else f"{when:%A %H:%M}")
    return found


def _until(look: Any, is_it: Any) -> Any:
    """What `look` gives as soon as it is what is wanted."""
    until = time.monotonic() + SECONDS
    while not is_it(found := look()):
        assert time.monotonic() < until, found
        time.sleep(0.3)
    return found
