"""`make bench`: every figure beside its bar and its baseline of the same run. Measures; never fails a build.

`python -m tests.bench readers crawl` runs some of them.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys

from rich.console import Console
from rich.table import Table

BENCHES = ("readers", "pool", "crawl", "flows", "warehouse")


def main(names: list[str]) -> None:
    console = Console(width=200 if not sys.stdout.isatty() else None, highlight=False)
    console.print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    for name in names or BENCHES:
        try:
            module = importlib.import_module(f"tests.bench.bench_{name}")
        except ModuleNotFoundError as missing:
            console.print(f"{name}: not measured ({missing})", markup=False)
            continue
        table = Table("what", "figure", "bar", "", "baseline of this run", title=name, title_justify="left")
        for row in module.run():
            is_reached = row.get("reached")
            if is_reached is None and not isinstance(row["figure"], str):
                is_reached = row["figure"] <= row["bar"]
            reached = {True: "reached", False: "MISSED", None: ""}[is_reached]
            table.add_row(
                *(str(row.get(key, "")) for key in ("name", "figure", "bar")),
                reached,
                str(row.get("baseline", "")),
            )
        console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
