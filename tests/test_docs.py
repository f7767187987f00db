"""What README.md and docs/analysts.md tell people to type works as it stands: SQL, Python, R's and the shell's SQL, ogi."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from extractors.dataroot import DataRoot
from flows.cli import app
from tests.simulator.agencies import REGIONS, agencies_of
from tests.simulator.figures import make_history
from tests.warehouse_data import Version, write_tidy
from warehouse.build import build
from warehouse.publish import publish

ROOT = Path(__file__).parents[1]
TEXTS = {name: (ROOT / name).read_text(encoding="utf8") for name in ("README.md", "docs/analysts.md")}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)


def _fenced(language: str) -> list[str]:
    return [body for text in TEXTS.values() for kind, body in FENCE.findall(text) if kind == language]


def _statements() -> list[str]:
    """Every SQL statement of the two pages, also those inside R and after the shell's prompt."""
    found = [one.query for body in _fenced("sql") for one in duckdb.extract_statements(body)]
    found += [one for body in _fenced("r") for one in re.findall(r'dbGetQuery\(con, "([^"]+)"\)', body)]
    found += [one for body in _fenced("") for one in re.findall(r"^D (.+);$", body, re.M)]
    return found


def _commands(verb: str) -> list[str]:
    return [
        line
        for text in TEXTS.values()
        for line in re.findall(rf"^ *(?:\.venv/bin/)?ogi ({verb} .+)$", text, re.M)
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data/warehouse/ogi.duckdb`, as the pages suppose it."""
    folder = tmp_path_factory.mktemp("analyst")
    root = DataRoot(str(folder / "data"))
    agencies = agencies_of(REGIONS[14], 6)
    write_tidy(root, [Version(r) for agency in agencies for r in make_history(4, agency, (2020, 2022, 2023))])
    publish(root, build(root))
    return folder


def test_the_pages_hold_what_is_tested_here():
    assert len(_statements()) >= 9 and len(_fenced("python")) == 1 and len(_fenced("r")) == 1
    assert len(_commands("export")) == 3 and len(_commands("query")) == 1


@pytest.mark.parametrize("statement", _statements())
def test_sql_runs(place, statement):
    with duckdb.connect(str(place / "data/warehouse/ogi.duckdb"), read_only=True) as connection:
        assert connection.execute(statement).description


@pytest.mark.parametrize("code", _fenced("python"))
def test_python_runs_and_gives_rows(place, monkeypatch, code):
    monkeypatch.chdir(place)
    *lines, last = code.strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    try:
        assert len(eval(last, names)) == 6
    finally:
        names["con"].close()


@pytest.mark.parametrize("command", [*_commands("export"), *_commands("query")])
def test_commands_run(place, monkeypatch, command):
    monkeypatch.chdir(place)
    done = CliRunner().invoke(app, shlex.split(command))
    assert done.exit_code == 0, (done.output, done.exception)
    assert "rows" in done.output


@pytest.mark.parametrize(
    "file", sorted((ROOT / "warehouse" / "questions").glob("*.sql")), ids=lambda file: file.stem
)
def test_a_saved_question_is_asked_as_it_stands(place, monkeypatch, file):
    monkeypatch.chdir(place)
    done = CliRunner().invoke(app, ["query", file.read_text(encoding="utf8")])
    assert done.exit_code == 0, (done.output, done.exception)
    assert done.output.rstrip().endswith("rows") and not done.output.startswith("0 rows")


def test_every_table_view_and_macro_the_pages_name_is_there(place):
    with duckdb.connect(str(place / "data/warehouse/ogi.duckdb"), read_only=True) as connection:
        known = {name for (name,) in connection.execute("SELECT DISTINCT object FROM dictionary").fetchall()}
    table = TEXTS["docs/analysts.md"].partition("## What to ask")[2].partition("Ten questions")[0]
    named = {
        word.split("(")[0]
        for line in table.splitlines()
        for word in re.findall(r"`([a-z_]+(?:\([a-z_, ]*\))?)`", line.split("|")[-2] if "|" in line else "")
    }
    assert len(named) >= 17 and named <= known
