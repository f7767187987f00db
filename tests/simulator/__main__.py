"""`python -m tests.simulator`: starts simulated portals, writes their YAML files and known figures."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from tests.simulator.families import FAMILIES
from tests.simulator.portal import Simulator


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--portals", type=int, default=7, help="how many portals, each on its own port")
    parser.add_argument("--agencies", type=int, default=20, help="agencies a portal, at most 60")
    parser.add_argument("--years", type=int, default=6, help="how many years, the last one 2023")
    parser.add_argument("--port", type=int, default=0, help="first port; 0 takes free ones")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other figures")
    parser.add_argument("--kinds", default=",".join(FAMILIES), help="kinds of portals, in turn")
    parser.add_argument(
        "--out", type=Path, default=Path("simulated"), help="folder for portals/ and truth.csv"
    )
    options = parser.parse_args()
    years = range(2024 - options.years, 2024)
    try:
        simulator = Simulator(
            options.portals,
            options.agencies,
            years,
            options.seed,
            options.kinds.split(","),
            port=options.port,
        )
    except (ValueError, KeyError, OSError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    with simulator:
        simulator.write_portals(options.out / "portals")
        cells = simulator.write_truth(options.out / "truth.csv")
        faults = simulator.write_faults(options.out / "faults.csv")
        for site in simulator.sites:
            print(f"{site.id}: {site.address}{site.family.lists()[0]}, {len(site.reports())} reports")
        reports = sum(len(site.reports()) for site in simulator.sites)
        counts = f"{len(simulator.sites)} portals, {reports} reports, {cells} cells, {faults} faults planted"
        print(f"{counts}; {options.out}", flush=True)
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
