"""`ogi status`: one line a portal, from what earlier runs left behind. Asks no portal and starts nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from extractors.dataroot import DataRoot
from flows.commands.options import DataOption


def register(app: typer.Typer) -> None:
    app.command("status")(status_command)


def status_command(
    portal: Annotated[
        list[str] | None, typer.Option("--portal", help="Only this portal; repeat for more.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also portals never looked at.")] = False,
    portals: Annotated[
        str | None, typer.Option("--portals", help="Folder of your own portal files; else OGI_PORTALS.")
    ] = None,
    data: DataOption = None,
) -> None:
    """A portal a line: last success, last new report, failures in a row, reports against what is expected."""
    from extractors.portals import load_portals
    from flows.commands.query import print_table
    from flows.due import report_year
    from flows.health import health_of, last_night
    from flows.locks import SETTLE, owner_of
    from flows.pipeline import published_file

    root = DataRoot.choose(data)
    today = datetime.now(UTC).date()
    year = report_year(today)
    known = health_of(root, load_portals(portals, portal or ()), year)
    shown = [one for one in known if everything or portal or one.last_success or one.failures]
    # What needs a person comes last, beside the sums, where it does not scroll away.
    shown.sort(key=lambda one: (one.failures > 0, bool(one.missing)))
    columns = [
        "portal",
        "last success (UTC)",
        "last new report (UTC)",
        "failures",
        f"reports {year}",
        "expected",
        "what it means",
    ]
    rows = [
        (
            one.portal_id,
            f"{one.last_success:%Y-%m-%d %H:%M}" if one.last_success else "never",
            f"{one.last_new:%Y-%m-%d %H:%M}" if one.last_new else "never",
            one.failures,
            one.have,
            "unknown" if one.expected is None else one.expected,
            one.verdict(today) or "well",
        )
        for one in shown
    ]
    if rows:
        print_table(columns, rows)
    failing = sum(one.failures > 0 for one in shown)
    typer.echo(f"{len(shown)} portals looked at, {len(known) - len(shown)} not shown; {failing} failing")
    typer.echo(last_night(root))
    if owner := owner_of(root, SETTLE):
        typer.echo(f"at work: {owner}")
    typer.echo(f"DuckDB file: {published_file(root) or 'none yet'}")
