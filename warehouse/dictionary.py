"""The data dictionary as Markdown and as a Frictionless `datapackage.json`, both from `schema.yml`.

Describes only; never reads a row of data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from extractors import schema
from extractors.dataroot import TIDY, DataRoot
from warehouse import schema_sql as sql

_TYPES = {
    "VARCHAR": "string",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DOUBLE": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}
_REFERENCES = {"report_id": "reports", "agency_id": "agencies", "indicator": "indicators"}
_MEDIA = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv"}


def field_type(duckdb_type: str) -> str:
    """The Frictionless type of a DuckDB type; enums are strings, decimals numbers."""
    if duckdb_type.startswith("DECIMAL"):
        return "number"
    return _TYPES.get(duckdb_type, "string")


def table_schema(table: str, beside: Mapping[str, Any]) -> dict[str, Any]:
    """Frictionless Table Schema of a table of schema.yml; foreign keys to the resources named in `beside`."""
    facts = schema.tables()[table]
    fields = []
    for name, column in facts["columns"].items():
        field: dict[str, Any] = {
            "name": name,
            "type": field_type(column["type"]),
            "description": column["comment"],
        }
        constraints: dict[str, Any] = {}
        if column.get("required") and not column.get("may_be_empty"):
            constraints["required"] = True
        if "enum" in column:
            constraints["enum"] = sql.enum_words(column["enum"])
        if constraints:
            field["constraints"] = constraints
        fields.append(field)
    described: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    # A primary key of the standard may not be empty; ours may, where a table has no applicants.
    is_never_empty = all(facts["columns"][name].get("required") for name in facts["key"])
    described["primaryKey" if is_never_empty else "uniqueKeys"] = (
        facts["key"] if is_never_empty else [facts["key"]]
    )
    keys = [
        {"fields": [name], "reference": {"resource": target, "fields": [name]}}
        for name, target in _REFERENCES.items()
        if name in facts["columns"] and target in beside and target != table
    ]
    if keys:
        described["foreignKeys"] = keys
    return described


def _as_pandas_reads(described: dict[str, Any]) -> dict[str, Any]:
    """The schema of a Parquet resource. Validators read it with pandas, whose integer column shows a null as nan."""
    for field in described["fields"]:
        if field["type"] == "integer" and not field.get("constraints", {}).get("required"):
            field["missingValues"] = ["", "nan"]
    return described


def package(resources: list[dict[str, Any]], title: str) -> bytes:
    """A `datapackage.json` over these resources."""
    content = {
        "name": "ogi-warehouse",
        "title": title,
        "description": "Missing is not zero: an empty value means that the report prints no number.",
        "profile": "data-package",
        "resources": resources,
    }
    return json.dumps(content, ensure_ascii=False, indent=2).encode()


def resource(
    name: str, paths: list[str], kind: str, described: dict[str, Any], comment: str
) -> dict[str, Any]:
    """One resource; several paths are parts of one table."""
    return {
        "name": name,
        "description": comment,
        "path": paths if len(paths) > 1 else paths[0],
        "profile": "tabular-data-resource" if kind == "csv" else "data-resource",
        "format": kind,
        "mediatype": _MEDIA[kind],
        "encoding": "utf-8",
        "schema": described,
    }


def write_tidy_package(root: DataRoot) -> None:
    """`data/tidy/datapackage.json`, beside the Parquet files it describes."""
    files = {
        table: [name.removeprefix(f"{TIDY}/") for name in root.files(f"{TIDY}/{table}", ".parquet")]
        for table in sql.tidy_tables()
    }
    there = {table: paths for table, paths in files.items() if paths}
    if not there:
        return
    resources = [
        resource(
            table,
            paths,
            "parquet",
            _as_pandas_reads(table_schema(table, there)),
            schema.tables()[table]["comment"],
        )
        for table, paths in there.items()
    ]
    root.write_bytes(f"{TIDY}/datapackage.json", package(resources, "OGI annual reports, tidy tables"))


def markdown(connection: duckdb.DuckDBPyConnection) -> str:
    """The table `dictionary` of an open file as Markdown."""
    rows = connection.execute(
        'SELECT object, object_kind, "column", type, meaning FROM dictionary'
    ).fetchall()
    lines = ["# Data dictionary", "", "Missing is not zero: NULL means that the report prints no number.", ""]
    for name, kind, column, column_type, meaning in rows:
        if column is None:
            lines += ["", f"## {name} ({kind})", "", _cell(meaning), ""]
            if kind != "macro":
                lines += ["| column | type | meaning |", "|---|---|---|"]
        else:
            lines.append(f"| {column} | {_cell(column_type)} | {_cell(meaning)} |")
    return "\n".join([*lines, ""])


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
