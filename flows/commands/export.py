"""`ogi export`: tables and views of the newest published file as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractors.dataroot import DataRoot
from flows.commands.options import DataOption


def register(app: typer.Typer) -> None:
    app.command("export")(export_command)


def export_command(
    kind: Annotated[str, typer.Option("--format", help="csv, xlsx, parquet or datapackage.")] = "csv",
    view: Annotated[
        str | None,
        typer.Option("--view", help="Table or view; default agency_year, for a datapackage all tidy tables."),
    ] = None,
    where: Annotated[
        str, typer.Option("--where", help="SQL condition, as \"year = 2023 AND level = 'county'\".")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; for a datapackage a folder.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Write a table or view as CSV, XLSX, Parquet or a Frictionless data package.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    from warehouse.export import export
    from warehouse.query import open_newest

    is_package = kind == "datapackage"
    chosen = view or ("" if is_package else "agency_year")
    target = out or Path(f"{chosen or 'ogi'}-datapackage" if is_package else f"{chosen}.{kind}")
    with open_newest(DataRoot.choose(data)) as connection:
        done = export(connection, kind, chosen, where, target)
    if done.cut:
        typer.echo(
            f"{done.cut:,} texts were cut: a cell of a sheet holds 32,767 characters; csv holds them whole"
        )
    typer.echo(f"{done.rows:,} rows of {chosen or 'all tidy tables'} as {kind}: {done.path.resolve()}")
