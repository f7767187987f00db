"""Turns `schema.yml` into DuckDB statements: tables with their columns, and a comment on everything people see.

Reads descriptions and writes SQL text; never opens a database and never knows a number.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from extractors import schema

FROM_TIDY = "tidy"
MADE_BY_BUILD = "warehouse"


@cache
def _content() -> dict[str, Any]:
    return dict(yaml.safe_load(schema.SCHEMA_FILE.read_text(encoding="utf8")))


def views() -> dict[str, dict[str, Any]]:
    """The views of `schema.yml` by name: comment, and columns with their comments."""
    return dict(_content()["views"])


def macros() -> dict[str, dict[str, Any]]:
    """The macros of `schema.yml` by name: comment and parameters."""
    return dict(_content()["macros"])


def published_tables() -> dict[str, dict[str, Any]]:
    """The tables of the DuckDB file: those of the tidy layer and those the build makes itself."""
    return {name: t for name, t in schema.tables().items() if t["layer"] in (FROM_TIDY, MADE_BY_BUILD)}


def tidy_tables() -> dict[str, dict[str, Any]]:
    """The tables that lie as Parquet below `data/tidy`."""
    return {name: t for name, t in schema.tables().items() if t["layer"] == FROM_TIDY}


def quoted(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def create_table(name: str) -> str:
    """The `CREATE TABLE` statement of a table of `schema.yml`.

    Keys are not declared: an index over tens of millions of rows would cost more than the build.
    `warehouse.assertions` proves every key instead, before a file is published.
    """
    columns = schema.tables()[name]["columns"]
    lines = [
        f"{quoted(column)} {facts['type']}{' NOT NULL' if facts.get('required') else ''}"
        for column, facts in columns.items()
    ]
    return f"CREATE TABLE {quoted(name)} (\n    " + ",\n    ".join(lines) + "\n)"


def comments(kind: str, name: str, facts: dict[str, Any]) -> list[str]:
    """`COMMENT ON` statements for a table or view (`kind` is TABLE or VIEW) and its columns."""
    statements = [f"COMMENT ON {kind} {quoted(name)} IS {text(facts['comment'])}"]
    for column, described in facts["columns"].items():
        comment = described["comment"] if isinstance(described, dict) else described
        statements.append(f"COMMENT ON COLUMN {quoted(name)}.{quoted(column)} IS {text(comment)}")
    return statements
