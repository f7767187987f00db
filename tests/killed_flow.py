"""Runs a flow again and again, each time ended with SIGKILL right after another step.

`python -m tests.killed_flow FLOW PARAMETERS-AS-JSON`. A tool of the flow tests; where a step does not come the run ends
with code 3.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

STEPS = {
    "one page kept": ("extractors.archive", "Archive.store_response"),
    "one row logged": ("extractors.archive", "CrawlLog.append"),
    "one portal crawled": ("flows.visits", "Visits.visit"),
    "crawl log closed": ("extractors.archive", "CrawlLog.close"),
    "portals remembered": ("flows.orchestration", "remember"),
    "documents chosen": ("extractors.reading", "unread_snapshots"),
    "documents read": ("flows.orchestration", "read_all"),
    "one year tidied": ("transforms.tidy", "_write_year"),
    "tidied": ("flows.pipeline", "tidy"),
    "built": ("flows.pipeline", "build"),
    "pointer moved": ("warehouse.publish", "_move_pointers"),
    "published": ("flows.pipeline", "publish"),
    "shown": ("flows.nightly", "show"),
    "compared": ("flows.reparse", "keep_diff"),
    "accepted": ("extractors.reparse", "accept"),
}
"""Step: the function after whose return the process ends."""
OF_FLOW = {
    "nightly": tuple(STEPS)[:13],
    "backfill": ("one row logged", "portals remembered", "documents read", "pointer moved"),
    "recheck": ("one portal crawled", "documents chosen", "tidied", "built"),
    "reparse": ("compared", "accepted", "one year tidied", "built"),
}
"""The steps of each flow that it is killed after, in their order."""


def kill_after(module: str, name: str) -> None:
    """Wraps a function or method so that nothing runs after its first return."""
    *owner, last = name.split(".")
    holder: Any = importlib.import_module(module)
    for part in owner:
        holder = getattr(holder, part)
    real: Callable[..., Any] = getattr(holder, last)

    @functools.wraps(real)
    def once(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(holder, last, once)


def main() -> None:
    """One process a step, forked after the imports, which are the slow part; prints how each ended as JSON."""
    name, parameters = sys.argv[1], json.loads(sys.argv[2])
    flow = getattr(importlib.import_module(f"flows.{name}"), name)
    ended = {}
    for step in OF_FLOW[name]:
        child = os.fork()
        if not child:
            kill_after(*STEPS[step])
            flow(**parameters, return_state=True)
            os._exit(3)
        ended[step] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps(ended))


if __name__ == "__main__":
    main()
