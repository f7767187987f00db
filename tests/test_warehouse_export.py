"""Exports open in other programs with the same numbers, and no cell of a hostile page runs as a formula."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from tests.simulator.agencies import REGIONS, agencies_of
from tests.simulator.figures import Habits, Printed, make_history
from tests.warehouse_data import Version, write_tidy
from warehouse.build import build
from warehouse.export import export
from warehouse.publish import publish
from warehouse.query import open_newest

HOSTILE = [
    '=HYPERLINK("http://evil")',
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    "  =1",
    "-cmd|' /C calc'!A0",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> DataRoot:
    """One agency with two years, its first cells printing what a spreadsheet would run."""
    root = DataRoot(str(tmp_path_factory.mktemp("data")))
    agency = agencies_of(REGIONS[3], 2)[1]
    first, second = make_history(2, agency, (2022, 2023), Habits(change="sign", blank=0.05))
    cells = dict(first.cells)
    for key, text in zip(list(cells)[: len(HOSTILE)], HOSTILE, strict=True):
        cells[key] = Printed(text, None)
    write_tidy(
        root,
        [Version(replace(first, cells=cells)), Version(second, fetched_at=datetime(2026, 2, 2, 3, 4, 5))],
    )
    publish(root, build(root))
    return root


def _export(root: DataRoot, *arguments) -> object:
    with open_newest(root) as connection:
        return export(connection, *arguments)


def _truth(root: DataRoot) -> list[tuple[object, ...]]:
    with open_newest(root) as connection:
        return connection.execute(
            "SELECT report_id, indicator::VARCHAR, applicant::VARCHAR, value, raw_text FROM observations ORDER BY ALL"
        ).fetchall()


def test_csv_keeps_numbers_and_harms_nobody(root, tmp_path):
    out = tmp_path / "o.csv"
    done = _export(root, "csv", "observations", "", out)
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    with out.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    truth = _truth(root)
    assert done.rows == len(rows) == len(truth)
    by_cell = {(r["report_id"], r["indicator"], r["applicant"]): r for r in rows}
    for report, indicator, applicant, value, raw in truth:
        row = by_cell[report, indicator, applicant or ""]
        assert (Decimal(row["value"]) if row["value"] else None) == value
        assert "." not in row["value"] or not row["value"].endswith("0")
        assert row["raw_text"].removeprefix("'") == raw.removeprefix("'")
    assert not [r for r in rows if r["raw_text"].strip()[:1] in "=+-@＝" and r["raw_text"].strip()]
    assert sum(r["raw_text"].startswith("'") for r in rows) >= len(HOSTILE)


def test_xlsx_holds_numbers_as_numbers_and_texts_as_texts(root, tmp_path):
    out = tmp_path / "o.xlsx"
    _export(root, "xlsx", "observations", "year = 2022", out)
    rows = list(openpyxl.load_workbook(out).active.iter_rows())
    names = [cell.value for cell in rows[0]]
    raw, value = names.index("raw_text"), names.index("value")
    truth = [row for row in _truth(root) if "/2022@" in str(row[0])]
    assert len(rows) - 1 == len(truth)
    assert not [cell for row in rows for cell in row if cell.data_type == "f"]
    assert not [
        row[raw].value for row in rows[1:] if str(row[raw].value or "").strip()[:1] in tuple("=+-@＝")
    ]
    assert sum(row[value].value for row in rows[1:] if row[value].value is not None) == sum(
        number for *_, number, _ in truth if number is not None
    )


def test_parquet_is_what_the_table_holds(root, tmp_path):
    out = tmp_path / "o.parquet"
    _export(root, "parquet", "observations", "", out)
    table = pq.read_table(out)
    rows = [
        tuple(r[c] for c in ("report_id", "indicator", "applicant", "value", "raw_text"))
        for r in table.to_pylist()
    ]
    assert sorted(rows, key=repr) == sorted(_truth(root), key=repr)


def test_a_datapackage_describes_every_column(root, tmp_path):
    _export(root, "datapackage", "", "", tmp_path / "package")
    package = json.loads((tmp_path / "package" / "datapackage.json").read_text(encoding="utf8"))
    assert {r["name"] for r in package["resources"]} >= {"reports", "observations", "agencies", "findings"}
    for resource in package["resources"]:
        with (tmp_path / "package" / resource["path"]).open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream))
        assert header == [field["name"] for field in resource["schema"]["fields"]]
        assert all(field["description"] for field in resource["schema"]["fields"])


def test_the_parquet_files_have_their_datapackage_beside_them(root):
    package = json.loads(root.read_bytes("tidy/datapackage.json"))
    for resource in package["resources"]:
        paths = resource["path"] if isinstance(resource["path"], list) else [resource["path"]]
        for path in paths:
            names = pq.read_schema(root.local("tidy", path)).names
            assert names == [field["name"] for field in resource["schema"]["fields"]]


def test_an_integer_that_is_null_stays_valid_where_pandas_reads_the_parquet_files(root):
    """As a Frictionless validator does: a null among integers reaches it as the float nan."""
    package, nulls = json.loads(root.read_bytes("tidy/datapackage.json")), 0
    for resource in package["resources"]:
        paths = resource["path"] if isinstance(resource["path"], list) else [resource["path"]]
        columns = [field for field in resource["schema"]["fields"] if field["type"] == "integer"]
        for path in paths:
            frame = pq.read_table(root.local("tidy", path)).to_pandas()
            for field in columns:
                cells = frame.loc[frame[field["name"]].isna(), field["name"]]
                assert {str(cell) for cell in cells} <= set(field.get("missingValues", [""])), field["name"]
                nulls += len(cells)
    assert nulls


@pytest.mark.parametrize(
    ("kind", "view", "where", "said"),
    [
        ("json", "agency_year", "", "format 'json' is unknown; choose one of csv"),
        ("csv", "agency_years", "", "there is no table or view 'agency_years'; there are agencies"),
        ("csv", "agency_year", "yaer = 2023", "--where 'yaer = 2023' does not work on agency_year"),
        ("csv", "agency_year", "yaer = 2023", 'Candidate bindings: "year"'),
        ("csv", "agency_year", "1) UNION SELECT * FROM read_csv('/etc/passwd'", "does not work"),
        ("datapackage", "", "year = 2023", "--where needs --view"),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_is_left(root, tmp_path, kind, view, where, said):
    with pytest.raises(UserError) as error:
        _export(root, kind, view, where, tmp_path / "out")
    assert said in str(error.value)
    assert [path for path in Path(tmp_path).rglob("*") if path.is_file()] == []


def test_the_command_says_what_it_wrote(root, tmp_path):
    out = tmp_path / "rates.csv"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "flows.cli",
            "export",
            "--view",
            "rates",
            "--where",
            "year = 2023",
            "--out",
            str(out),
            "--data",
            root.address,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "rows of rates as csv" in done.stdout and out.exists()


def _breaks(resource: dict, rows: list[dict[str, str]], keys: dict[tuple[str, str], set[str]]) -> list[str]:
    """What of a resource's data breaks its Table Schema, by the words of the Frictionless specification."""
    schema, broken = resource["schema"], []
    types = {
        "integer": int,
        "number": Decimal,
        "boolean": {"true": True, "false": False}.__getitem__,
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
        "string": str,
    }
    for field in schema["fields"]:
        rules = field.get("constraints", {})
        for row in rows:
            text = row[field["name"]]
            if text in schema["missingValues"]:
                broken += [f"{field['name']} is missing"] if rules.get("required") else []
                continue
            types[field["type"]](text)
            if "enum" in rules and text not in rules["enum"]:
                broken.append(f"{field['name']}: {text} is not in the enum")
    key = schema.get("primaryKey")
    if key and len({tuple(row[name] for name in key) for row in rows}) != len(rows):
        broken.append(f"{key} is not unique")
    for foreign in schema.get("foreignKeys", []):
        known = keys[foreign["reference"]["resource"], foreign["reference"]["fields"][0]]
        broken += [f"{foreign} unknown" for row in rows if row[foreign["fields"][0]] not in known]
    return broken


def test_the_data_of_a_package_are_what_it_describes(root, tmp_path):
    _export(root, "datapackage", "", "", tmp_path / "package")
    package = json.loads((tmp_path / "package" / "datapackage.json").read_text(encoding="utf8"))
    rows = {}
    for resource in package["resources"]:
        with (tmp_path / "package" / resource["path"]).open(encoding="utf-8-sig", newline="") as stream:
            rows[resource["name"]] = list(csv.DictReader(stream))
    keys = {
        (name, column): {row[column] for row in rows[name]}
        for name, column in (("reports", "report_id"), ("agencies", "agency_id"), ("indicators", "indicator"))
    }
    assert any(row["raw_text"] == "" for row in rows["observations"])
    assert {r["name"]: _breaks(r, rows[r["name"]], keys) for r in package["resources"]} == {
        name: [] for name in rows
    }


def test_a_moment_keeps_its_time_and_a_cut_text_is_counted_in_a_sheet(root, tmp_path):
    _export(root, "xlsx", "reports", "year = 2023", tmp_path / "r.xlsx")
    header, row = openpyxl.load_workbook(tmp_path / "r.xlsx").active.iter_rows()
    cell = row[[c.value for c in header].index("fetched_at")]
    assert cell.value == datetime(2026, 2, 2, 3, 4, 5) and "hh:mm" in cell.number_format
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE long AS SELECT repeat('字', n) AS text FROM (VALUES (32767), (32768)) t(n)"
        )
        assert export(connection, "xlsx", "long", "", tmp_path / "long.xlsx").cut == 1
