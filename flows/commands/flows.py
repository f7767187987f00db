"""`ogi nightly`, `backfill`, `recheck`, `reparse`, `serve`: the flows, started by hand or kept on a schedule."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from flows.commands.options import DataOption

PortalOption = Annotated[
    list[str] | None, typer.Option("--portal", help="Only this portal; repeat for more.")
]
AgencyOption = Annotated[
    list[str] | None, typer.Option("--agency", help="The portals that carry this agency; repeat for more.")
]
FolderOption = Annotated[
    str | None, typer.Option("--portals", help="Folder of your own portal files; else OGI_PORTALS.")
]
ContactOption = Annotated[
    str | None, typer.Option("--contact", help="Mail or web address sent to the portals; else OGI_CONTACT.")
]
MinutesOption = Annotated[
    float | None, typer.Option("--portal-minutes", min=0.01, help="Longest a portal may take.")
]


def register(app: typer.Typer) -> None:
    app.command("nightly")(nightly_command)
    app.command("backfill")(backfill_command)
    app.command("recheck")(recheck_command)
    app.command("reparse")(reparse_command)
    app.command("serve")(serve_command)


def nightly_command(
    portal: PortalOption = None,
    years: Annotated[
        str | None, typer.Option("--years", help="Other years than last year: 2021-2023.")
    ] = None,
    all_portals: Annotated[bool, typer.Option("--all", help="Also portals that are not due today.")] = False,
    recheck_days: Annotated[
        float, typer.Option("--recheck-days", min=0, help="Ask a known report again after so many days.")
    ] = 30,
    portals: FolderOption = None,
    contact: ContactOption = None,
    portal_minutes: MinutesOption = None,
    data: DataOption = None,
) -> None:
    """Look at every due portal, read what is new, publish."""
    from extractors.portals import load_portals
    from flows import pipeline
    from flows.contact import contact_of

    asked = _years(years)
    contact_of(load_portals(portals, portal or ()), contact)
    pipeline.check(DataRoot.choose(data))
    _run(
        "nightly",
        portal_minutes,
        data=data,
        portals=portal,
        years=asked,
        all_portals=all_portals,
        recheck_days=recheck_days,
        portals_folder=portals,
        contact=contact,
    )


def backfill_command(
    years: Annotated[str, typer.Option("--years", help="Years reported about: 2019-2023 or 2019,2021.")],
    portal: PortalOption = None,
    agency: AgencyOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Begin without asking.")] = False,
    portals: FolderOption = None,
    contact: ContactOption = None,
    portal_minutes: MinutesOption = None,
    data: DataOption = None,
) -> None:
    """Fetch named years from portals; says first what it will cost."""
    from flows import pipeline
    from flows.contact import contact_of
    from flows.plan import choose_portals, plan_of, plan_sentences

    root = DataRoot.choose(data)
    asked = _years(years) or []
    chosen = choose_portals(root, portals, portal or (), agency or ())
    contact_of(chosen, contact)
    for sentence in plan_sentences(plan_of(root, chosen, asked), asked):
        typer.echo(sentence)
    if not _agreed(apply, "begin"):
        raise typer.Exit(2)
    pipeline.check(root)
    ids = [one.id for one in chosen]
    _run(
        "backfill",
        portal_minutes,
        years=asked,
        data=data,
        portals=ids,
        portals_folder=portals,
        contact=contact,
    )


def recheck_command(
    portal: PortalOption = None,
    agency: AgencyOption = None,
    years: Annotated[str | None, typer.Option("--years", help="Only reports about 2021-2023.")] = None,
    older_than: Annotated[
        float, typer.Option("--older-than", min=0, help="Only pages last asked so many days ago.")
    ] = 7,
    portals: FolderOption = None,
    contact: ContactOption = None,
    portal_minutes: MinutesOption = None,
    data: DataOption = None,
) -> None:
    """Ask known reports again for quiet replacements."""
    from flows import pipeline
    from flows.contact import contact_of
    from flows.plan import choose_portals

    root = DataRoot.choose(data)
    chosen = choose_portals(root, portals, portal or (), agency or ())
    contact_of(chosen, contact)
    asked = _years(years)
    pipeline.check(root)
    _run(
        "recheck",
        portal_minutes,
        data=data,
        portals=[one.id for one in chosen],
        years=asked,
        older_than_days=older_than,
        portals_folder=portals,
        contact=contact,
    )


def reparse_command(
    since: Annotated[
        str, typer.Option("--since", help="Only what this version of the readers, or a later one, read.")
    ] = "",
    diff: Annotated[
        bool, typer.Option("--diff", help="Show every cell that differs; accept nothing.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Accept without asking, and publish.")] = False,
    data: DataOption = None,
) -> None:
    """Read all stored snapshots with today's readers; show what changes before it counts."""
    from extractors.reparse import staged_count
    from flows import pipeline
    from flows.start import connect, end, run_flow

    if diff and apply:
        raise UserError("--diff shows and --apply accepts; give one of them")
    root = DataRoot.choose(data)
    pipeline.check(root)
    connect()
    state = run_flow("reparse", data=data, since=since, apply=apply)
    if apply or state.is_failed():
        end(state)
    for sentence in state.result().sentences():
        typer.echo(sentence)
    if diff:
        _print_diff(root)
    waiting = staged_count(root)
    if not waiting:
        return
    if diff or not _agreed(False, "accept"):
        typer.echo(f"{waiting:,} readings wait; `ogi reparse --apply` accepts them")
        return
    end(run_flow("reparse", data=data, since=since, apply=True))


def _print_diff(root: DataRoot) -> None:
    from extractors.reparse import staging_folder
    from flows.commands.query import print_table
    from transforms.cell_diff import diff_of_cells

    cells = diff_of_cells(root, staging_folder()).cells
    columns = ["source_url", "agency_name", "year", "indicator", "applicant", "change", "before", "now"]
    rows = cells[columns].astype(object).where(cells[columns].notna(), None)
    print_table(columns, [tuple(row) for row in rows.to_numpy()])


def serve_command(
    portals: FolderOption = None, contact: ContactOption = None, data: DataOption = None
) -> None:
    """Keep all flows on their schedules on this machine, until stopped."""
    from flows import pipeline

    root = DataRoot.choose(data)
    pipeline.check(root)
    from flows.start import lasting_server

    with lasting_server():
        from flows.schedule import serve_all

        serve_all(data, portals, contact)


def _years(text: str | None) -> list[int] | None:
    from flows.due import years_of

    return years_of(text, datetime.now(UTC).date()) if text is not None else None


def _agreed(is_agreed: bool, what: str) -> bool:
    """Asks on a terminal; a script says --apply."""
    if is_agreed:
        return True
    if sys.stdin.isatty():
        try:
            if typer.confirm(f"{what}?"):
                return True
        except typer.Abort:
            # Ctrl-C or the end of the input is a no; Typer's own exit code would say "done with failures".
            typer.echo()
    typer.echo(f"nothing done; --apply to {what}")
    return False


def _run(name: str, minutes: float | None, **parameters: object) -> None:
    from flows.start import connect, end, run_flow

    connect()
    if minutes is not None:
        from flows.orchestration import Patience

        parameters["patience"] = Patience(portal_minutes=minutes)
    end(run_flow(name, **parameters))
