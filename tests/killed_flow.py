"""Runs the nightly flow again and again, each time ended with SIGKILL right after another step.

`python -m tests.killed_flow PARAMETERS-AS-JSON`. A tool of the flow tests; where a step does not come the run ends with
code 3.
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
}
"""Step: the function after whose return the process ends."""


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
    parameters = json.loads(sys.argv[1])
    from flows.nightly import nightly

    ended = {}
    for step in STEPS:
        child = os.fork()
        if not child:
            kill_after(*STEPS[step])
            nightly(**parameters, return_state=True)
            os._exit(3)
        ended[step] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps(ended))


if __name__ == "__main__":
    main()
