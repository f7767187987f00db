"""The `ogi` command: gathers the commands, prints errors as sentences, sets exit codes. Never does the work itself.

Exit codes: 0 done, 1 done with failures named, 2 not done.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import typer

from extractors.errors import UserError
from flows import commands

app = typer.Typer(
    name="ogi",
    help="Chinese open-government-information annual reports: crawl, read, compare.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for module in sorted(m.name for m in pkgutil.iter_modules(commands.__path__)):
    importlib.import_module(f"{commands.__name__}.{module}").register(app)


def main() -> None:
    """Runs the command line; a `UserError` becomes its sentence on standard error and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"ogi: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
