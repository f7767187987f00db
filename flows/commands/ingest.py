"""`ogi ingest`: saved reports into the warehouse."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from extractors.dataroot import DataRoot
from flows.commands.options import DataOption


def register(app: typer.Typer) -> None:
    app.command("ingest")(ingest_command)


def ingest_command(
    paths: Annotated[list[str], typer.Argument(help="Files and folders of saved reports.")],
    data: DataOption = None,
) -> None:
    """Keep saved reports' bytes, read them, and publish the DuckDB file."""
    from flows.ingest import ingest

    root = DataRoot.choose(data)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    with Progress(console=errors, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        result = ingest(paths, root, lambda done, of: bar.update(task, completed=done, total=of))
    for name, reason in result.refused:
        errors.print(f"{name}: {reason}", markup=False)
    typer.echo(
        f"{result.taken} files kept ({result.new} new, {result.taken - result.new} known already), "
        f"{len(result.refused)} without numbers; {result.numbers:,} numbers read"
    )
    years = ", ".join(map(str, result.tidy.years)) or "none (no difference)"
    typer.echo(f"{result.tidy.reports} report versions; years written: {years}")
    if result.published:
        typer.echo(f"DuckDB file: {result.published}")
    else:
        typer.echo("nothing published: no report yet")
    raise typer.Exit(1 if result.refused else 0)
