"""Saved files to a published file: right on the real reports, repeatable, and patient with whatever else is given."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from flows.cli import app
from flows.ingest import ingest
from tests.simulator.agencies import all_agencies
from tests.simulator.figures import Habits, corrected, make_report
from tests.simulator.render_html import STYLES, render_html
from tests.simulator.render_text import render_text
from warehouse.query import open_newest

SHARED = Path(__file__).parents[2] / "shared"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the real reports lie beside the project, in ../shared"
)
AGENCIES = all_agencies()


def rows(root: DataRoot, sql: str) -> list[tuple]:
    with open_newest(root) as connection:
        return connection.execute(sql).fetchall()


@needs_shared
def test_every_number_of_the_real_reports_is_right(tmp_path: Path) -> None:
    root = DataRoot(str(tmp_path / "data"))
    result = ingest([str(SHARED / "reports")], root)
    assert result.published is not None
    score = subprocess.run(
        [sys.executable, str(SHARED / "tools" / "score.py"), str(result.published)],
        capture_output=True,
        text=True,
    )
    assert score.returncode == 0, score.stdout
    assert not result.refused


def test_twice_the_same_adds_nothing_and_a_changed_file_is_a_new_version(tmp_path: Path) -> None:
    root = DataRoot(str(tmp_path / "data"))
    file = tmp_path / "report.html"
    report = make_report(7, "2021", AGENCIES[3], 2022)
    file.write_bytes(render_html(report, STYLES["metadata"]).content)
    first = ingest([str(file)], root)
    before = {p: p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file()}
    again = ingest([str(file)], root)
    assert (first.new, again.new, again.published) == (1, 0, first.published)
    assert {p: p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file()} == before

    changed, cell = corrected(report, 1)
    file.write_bytes(render_html(changed, STYLES["metadata"]).content)
    assert ingest([str(file)], root).new == 1
    assert rows(root, "SELECT is_current, count(*) FROM reports GROUP BY 1 ORDER BY 1") == [
        (False, 1),
        (True, 1),
    ]
    indicator, applicant = cell
    of_cell = f"indicator = '{indicator}' AND applicant IS NOT DISTINCT FROM {repr(applicant) if applicant else 'NULL'}"
    assert rows(root, f"SELECT value FROM observations WHERE {of_cell}") == [(changed.truth[cell],)]
    versions = {value for (value,) in rows(root, f"SELECT value FROM observation_versions WHERE {of_cell}")}
    assert versions == {report.truth[cell], changed.truth[cell]}


def test_blank_stays_missing_and_is_told_from_zero(tmp_path: Path) -> None:
    root = DataRoot(str(tmp_path / "data"))
    report = make_report(5, "2019", AGENCIES[9], 2020, Habits(blank=0.3, dash=0.1))
    (tmp_path / "report.txt").write_bytes(render_text(report, "pipe").content)
    ingest([str(tmp_path / "report.txt")], root)
    stored = {(i, a): v for i, a, v in rows(root, "SELECT indicator, applicant, value FROM observations")}
    assert {key: stored[key] for key in report.truth} == report.truth
    assert None in report.truth.values()


BAD = {
    "empty.html": (b"", "the file is empty"),
    "random.bin": (bytes(range(256)) * 40, "the bytes are no page"),
    "news.html": ("<html><body><p>今天天气很好。</p></body></html>".encode(), "neither a table of a report"),
    "span.html": (
        b'<html><body><table><tr><td colspan="999999999" rowspan="999999999">x</td></tr></table></body></html>',
        "neither a table of a report",
    ),
}


def test_each_bad_file_is_named_with_its_reason_and_the_others_are_loaded(tmp_path: Path) -> None:
    report = make_report(2, "2021", AGENCIES[0], 2023)
    blank = make_report(2, "2021", AGENCIES[1], 2023, Habits(blank=1.0))
    (tmp_path / "good.html").write_bytes(render_html(report, STYLES["clean"]).content)
    (tmp_path / "blank.html").write_bytes(render_html(blank, STYLES["clean"]).content)
    for name, (content, _) in BAD.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in ("good.html", "blank.html", *BAD, "missing.html")]
    arguments = ["ingest", *paths, "--data", str(tmp_path / "data")]
    for _ in range(2):  # what is known already is named again all the same
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 1
        said = {Path(line.split(": ")[0]).name: line for line in result.stderr.splitlines() if ": " in line}
        for name, (_, reason) in BAD.items():
            assert reason in said[name]
        assert "no such file" in said["missing.html"]
        assert "hold no number" in said["blank.html"]
        assert "good.html" not in said
    root = DataRoot(str(tmp_path / "data"))
    assert rows(root, "SELECT status, count(*) FROM reports GROUP BY 1 ORDER BY 1") == [
        ("no_tables", 1),
        ("read", 1),
    ]
    assert rows(root, "SELECT count(*) FROM observations WHERE value IS NOT NULL") == [(len(report.numbers),)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without permission here")
def test_a_file_without_permission_is_named() -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        file = Path(place) / "report.html"
        file.write_bytes(b"<html></html>")
        file.chmod(0)
        os.seteuid(65534)
        try:
            result = ingest([str(file)], DataRoot(f"{place}/data"))
        finally:
            os.seteuid(0)
        assert result.refused == [(str(file), "no permission to read it")]


def test_a_folder_without_reports_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    script = [sys.executable, "-m", "flows.cli", "ingest", str(tmp_path), "--data", str(tmp_path / "data")]
    done = subprocess.run(script, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_trace_walks_back_to_the_cell_and_query_prints_whole_chinese_text(tmp_path: Path) -> None:
    report = make_report(2, "2021", AGENCIES[5], 2023)
    file = tmp_path / "report.html"
    file.write_bytes(render_html(report, STYLES["clean"]).content)
    data = ["--data", str(tmp_path / "data")]
    runner = CliRunner()
    assert runner.invoke(app, ["ingest", str(file), *data]).exit_code == 0
    listed = runner.invoke(
        app, ["query", "SELECT report_id, agency_name FROM reports", "--csv", *data]
    ).stdout
    report_id, name = listed.splitlines()[1].split(",")
    assert name == report.agency.name
    assert (
        report.agency.name in runner.invoke(app, ["query", "SELECT agency_name FROM reports", *data]).stdout
    )
    saved = tmp_path / "saved.html"
    walk = ["trace", report_id, "requests.new", "total", "--save", str(saved), *data]
    traced = runner.invoke(app, walk).stdout
    assert file.as_uri() in traced and report.cells["requests.new", "total"].text in traced
    assert saved.read_bytes() == file.read_bytes()
    misspelt = runner.invoke(app, ["trace", report_id, "request.new", "total", *data])
    assert "did you mean requests.new" in str(misspelt.exception)
    for warc in (tmp_path / "data" / "raw").rglob("*.warc.gz"):
        warc.rename(warc.with_name("gone"))
    gone = runner.invoke(app, walk)
    assert isinstance(gone.exception, UserError) and "cannot be taken from the archive" in str(gone.exception)
    assert runner.invoke(app, ["query", "SELEC", *data]).exception is not None


def test_queries_cannot_change_the_published_file(tmp_path: Path) -> None:
    report = make_report(2, "2021", AGENCIES[5], 2023)
    file = tmp_path / "report.html"
    file.write_bytes(render_html(report, STYLES["clean"]).content)
    root = DataRoot(str(tmp_path / "data"))
    ingest([str(file)], root)
    with open_newest(root) as connection, pytest.raises(duckdb.Error):
        connection.execute("DELETE FROM reports")


def test_two_offices_of_one_bare_name_in_two_files_stay_two(tmp_path: Path) -> None:
    root = DataRoot(str(tmp_path / "data"))
    for number in (1, 2):
        report = make_report(number, "2021", AGENCIES[number], 2023)
        page = render_html(report, STYLES["clean"]).content.decode().replace(report.agency.name, "审计局")
        (tmp_path / f"{number}.html").write_text(page, encoding="utf8")
    ingest([str(tmp_path)], root)
    assert rows(root, "SELECT count(*), count(DISTINCT agency_id), bool_and(is_current) FROM reports") == [
        (2, 2, True)
    ]
    assert (
        rows(root, "SELECT is_resolved, unresolved_reason IS NOT NULL FROM agencies") == [(False, True)] * 2
    )
