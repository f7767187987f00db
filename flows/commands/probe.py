"""`ogi probe URL`: what an address is, and a portal file to start from."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.console import Console

from extractors.client import Client
from extractors.errors import UserError
from extractors.probe import probe
from flows.commands.crawl import ContactOption


def register(app: typer.Typer) -> None:
    app.command("probe")(probe_command)


def probe_command(
    url: Annotated[str, typer.Argument(help="A list page, or a report page.")],
    contact: ContactOption = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Also ask addresses that are not on the public internet.")
    ] = False,
) -> None:
    """Tell an address's family and what its list holds; the portal file goes to standard output."""
    notes = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    client = Client(contact or os.environ.get("OGI_CONTACT") or "probe")
    try:
        found = probe(url, client, allow_private)
    finally:
        client.close()
    if found.problem and not found.family:
        raise UserError(f"{url}: {found.problem}")
    notes.print(f"robots.txt: {found.robots or 'not asked'}")
    notes.print(f"family: {found.family}; charset: {found.charset}")
    notes.print(f"title: {found.title or 'none'}")
    if found.is_article:
        notes.print(f"a report page; its list: {found.column or 'not found in the breadcrumb'}")
    notes.print(f"list: {len(found.listings)} reports on the first {found.pages} pages")
    for listing in found.listings[:5]:
        notes.print(f"  {listing.date or '          '}  {listing.title}  {listing.url}")
    if found.problem:
        notes.print(f"stopped: {found.problem}")
    elif not found.listings:
        notes.print("no report found: the portal file needs another family, list or `selectors`")
    typer.echo(found.yaml(), nl=False)
    raise typer.Exit(1 if found.problem or not found.listings else 0)
