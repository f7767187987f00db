"""Reads `warehouse/schema.yml`, the one description of every table, and gives it as Arrow schemas.

Stands at the bottom because every layer writes tables; the file itself stays where analysts look for it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

SCHEMA_FILE = Path(__file__).resolve().parents[1] / "warehouse" / "schema.yml"

_TYPES: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
}


@cache
def content() -> dict[str, Any]:
    """The whole of `schema.yml`. libyaml reads it ten times as fast, which every command waits for."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict(yaml.load(SCHEMA_FILE.read_text(encoding="utf8"), Loader=loader))


def tables() -> dict[str, dict[str, Any]]:
    """The tables of `schema.yml` by name, as written there."""
    return dict(content()["tables"])


def arrow_type(name: str) -> pa.DataType:
    """The Arrow type of a DuckDB type name used in `schema.yml`; ValueError for an unknown one."""
    if decimal := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", name):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    if name not in _TYPES:
        raise ValueError(
            f"{SCHEMA_FILE.name}: unknown type {name!r}; known are {', '.join(_TYPES)} and DECIMAL(p,s)"
        )
    return _TYPES[name]


@cache
def arrow_schema(table: str) -> pa.Schema:
    """Arrow schema of a table: names, types, nullability and the comments as field metadata."""
    columns = tables()[table]["columns"]
    return pa.schema(
        [
            pa.field(
                name,
                arrow_type(column["type"]),
                nullable=not column.get("required", False),
                metadata={"comment": column["comment"]},
            )
            for name, column in columns.items()
        ]
    )
