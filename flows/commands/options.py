"""Options that several commands share, so that they are spelled and explained once. Registers no command."""

from __future__ import annotations

from typing import Annotated

import typer

DataOption = Annotated[
    str | None, typer.Option("--data", help="Data root: a folder or s3://…; else OGI_DATA, else ./data.")
]


def register(app: typer.Typer) -> None:
    """Nothing: this module only holds options."""
