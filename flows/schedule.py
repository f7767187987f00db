"""When each flow runs by itself: the calendar of `ogi serve`; `prefect.yaml` says the same for a work pool."""

from __future__ import annotations

from typing import Any

from prefect import serve
from prefect.schedules import Cron

from flows.backfill import backfill
from flows.nightly import nightly
from flows.recheck import recheck
from flows.reparse import reparse
from flows.start import TAG

ZONE = "Asia/Shanghai"
NIGHTLY = "15 2 * * *"
RECHECK = "30 4 * * 6"


def serve_all(data: str | None, portals_folder: str | None, contact: str | None) -> None:
    """Runs until stopped. Backfill and reparse have no schedule: they wait to be started by hand."""
    shared: dict[str, Any] = {"data": data}
    asking = {**shared, "portals_folder": portals_folder, "contact": contact}
    deployments: list[Any] = [
        nightly.to_deployment(
            "nightly", schedule=Cron(NIGHTLY, timezone=ZONE), parameters=asking, tags=[TAG], paused=False
        ),
        recheck.to_deployment(
            "recheck", schedule=Cron(RECHECK, timezone=ZONE), parameters=asking, tags=[TAG], paused=False
        ),
        backfill.to_deployment("backfill", parameters=asking, tags=[TAG], paused=False),
        reparse.to_deployment("reparse", parameters=shared, tags=[TAG], paused=False),
    ]
    serve(*deployments)
