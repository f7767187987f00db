"""`ogi publish`: the DuckDB file from what has been read already, also where reports are gone and a person accepts it."""

from __future__ import annotations

from typing import Annotated

import typer

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from flows.commands.options import DataOption


def register(app: typer.Typer) -> None:
    app.command("publish")(publish_command)


def publish_command(
    accept_loss: Annotated[
        str | None,
        typer.Option(
            "--accept-loss",
            metavar="REASON",
            help="Publish although reports or cells of the last file are gone; the reason is kept in CHANGES.md.",
        ),
    ] = None,
    data: DataOption = None,
) -> None:
    """Build, check and publish the DuckDB file again; asks no portal and reads no page.

    A file that lacks reports of the last one is refused until somebody accepts the loss and says why.
    """
    from flows import pipeline

    if accept_loss is not None and not accept_loss.strip():
        raise UserError("--accept-loss: say why the loss is right; the reason is published in CHANGES.md")
    root = DataRoot.choose(data)
    pipeline.check(root)
    _, published = pipeline.settle(root, "publish", (accept_loss or "").strip())
    if published is None:
        raise UserError(
            f"{root.address}: no report has been read here; run `ogi ingest` or `ogi nightly` first"
        )
    differing = ", ".join(f"{number:,} {change}" for change, number in published.changes.items())
    typer.echo(
        f"{published.rows['reports']:,} report versions; against the last file: {differing or 'no difference'}"
    )
    for explanation, reports, cells in published.accepted:
        typer.echo(f"loss of {reports:,} reports and {cells:,} cells {explanation}")
    if accept_loss and not published.accepted:
        typer.echo("nothing was lost, so nothing was accepted")
    typer.echo(f"DuckDB file: {published.path}")
