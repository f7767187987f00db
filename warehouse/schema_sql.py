"""Turns `schema.yml` into DuckDB statements: tables with their columns, and a comment on everything people see.

Reads descriptions and writes SQL text; never opens a database and never knows a number.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from extractors import schema

_REFERENCE = Path(__file__).resolve().parents[1] / "transforms" / "reference"
FROM_TIDY = "tidy"
MADE_BY_BUILD = "warehouse"
MEASURE_TYPE = "DECIMAL(20,4)"


@cache
def _content() -> dict[str, Any]:
    return schema.content()


def views() -> dict[str, dict[str, Any]]:
    """The views of `schema.yml` by name, in the order they build on each other: comment, columns with comments."""
    return dict(_content()["views"])


def macros() -> dict[str, dict[str, Any]]:
    """The macros of `schema.yml` by name: comment, parameters with comments."""
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


def enum_words(name: str) -> list[str]:
    """The words of an enum of `schema.yml`, in their order there or in the reference file it names."""
    facts = _content()["enums"][name]
    if "words" in facts:
        return list(facts["words"])
    with (_REFERENCE / facts["file"]).open(encoding="utf-8-sig", newline="") as stream:
        return list(dict.fromkeys(row[facts["column"]] for row in csv.DictReader(stream)))


def create_enums() -> list[str]:
    """One `CREATE TYPE` for each enum of `schema.yml`."""
    return [
        f"CREATE TYPE {quoted(name)} AS ENUM ({', '.join(map(text, enum_words(name)))})"
        for name in _content()["enums"]
    ]


def column_type(facts: Mapping[str, Any]) -> str:
    """The DuckDB type a column is stored in: its type, or the enum of its words."""
    return quoted(facts["enum"]) if "enum" in facts else str(facts["type"])


def create_table(name: str, measures: Iterable[str] = ()) -> str:
    """The statement that makes a table of `schema.yml`; `measures` are generated columns that follow its own.

    Keys are not declared: an index over tens of millions of rows would cost more than the build.
    `warehouse.assertions` proves every key instead, before a file is published.
    """
    columns = schema.tables()[name]["columns"]
    lines = [
        f"{quoted(column)} {column_type(facts)}{' NOT NULL' if facts.get('required') else ''}"
        for column, facts in columns.items()
    ]
    lines += [f"{quoted(measure)} {MEASURE_TYPE}" for measure in measures]
    return f"CREATE OR REPLACE TABLE {quoted(name)} (\n    " + ",\n    ".join(lines) + "\n)"


def comments(kind: str, name: str, facts: Mapping[str, Any]) -> list[str]:
    """`COMMENT ON` statements for a table or view (`kind` is TABLE or VIEW) and its columns."""
    statements = [f"COMMENT ON {kind} {quoted(name)} IS {text(facts['comment'])}"]
    for column, described in facts["columns"].items():
        comment = described["comment"] if isinstance(described, dict) else described
        statements.append(f"COMMENT ON COLUMN {quoted(name)}.{quoted(column)} IS {text(comment)}")
    return statements
