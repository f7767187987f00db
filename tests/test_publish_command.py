"""`ogi publish` as an operator meets it: refused when reports are gone, told what to type, accepted with a reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from extractors.dataroot import DataRoot
from tests.flow_tools import ogi, query
from tests.simulator.agencies import all_agencies
from tests.simulator.figures import make_report
from tests.simulator.render_html import STYLES, render_html

AGENCIES = all_agencies()
REASON = "the agency withdrew it | <b>letter of May</b>"


def _ingest(place: Path, number: int) -> None:
    report = make_report(number, "2021", AGENCIES[number], 2023)
    file = place / f"{number}.html"
    file.write_bytes(render_html(report, STYLES["clean"]).content)
    done = ogi("ingest", str(file), "--data", str(place / "data"))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with two published reports, of which the readings of the second were lost since."""
    folder = tmp_path_factory.mktemp("lossy")
    _ingest(folder, 1)
    cells = folder / "data" / "cells"
    kept = shutil.copytree(cells, folder / "kept")
    _ingest(folder, 2)
    shutil.rmtree(cells)
    kept.rename(cells)
    return folder


@pytest.fixture()
def place(lossy: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    shutil.copytree(lossy / "data", tmp_path / "data", symlinks=True)
    return tmp_path


def test_a_refused_loss_says_what_is_lost_and_what_to_type(place: Path) -> None:
    before = query(place / "data", "SELECT count(*) FROM reports")
    refused = ogi("publish", "--data", str(place / "data"))
    assert refused.returncode == 2 and "Traceback" not in refused.stderr
    assert "year 2023, portal local: 2 reports expected from the last file, 1 of them found" in refused.stderr
    assert 'ogi publish --accept-loss "the reason"' in refused.stderr
    assert query(place / "data", "SELECT count(*) FROM reports") == before == [(2,)]


def test_an_accepted_loss_is_published_with_its_reason(place: Path) -> None:
    done = ogi("publish", "--accept-loss", REASON, "--data", str(place / "data"))
    assert done.returncode == 0, done.stderr
    assert "loss of 1 reports and" in done.stdout and REASON in done.stdout
    data = place / "data"
    assert query(data, "SELECT count(*) FROM reports") == [(1,)]
    assert query(data, "SELECT change, explanation FROM changes") == [("gone", f"accepted by hand: {REASON}")]
    told = DataRoot(str(data)).read_bytes("warehouse/CHANGES.md").decode()
    assert "Loss of 1 reports" in told and "the agency withdrew it" in told and "<b>" not in told
    again = ogi("publish", "--accept-loss", REASON, "--data", str(data))
    assert again.returncode == 0 and "nothing was lost, so nothing was accepted" in again.stdout
    assert query(data, "SELECT count(*) FROM changes") == [(0,)]


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_loss_is_not_accepted_without_a_reason(place: Path, reason: str) -> None:
    done = ogi("publish", "--accept-loss", reason, "--data", str(place / "data"))
    assert done.returncode == 2 and "say why the loss is right" in done.stderr
    assert query(place / "data", "SELECT count(*) FROM reports") == [(2,)]


def test_without_any_report_there_is_nothing_to_publish(tmp_path: Path) -> None:
    done = ogi("publish", "--data", str(tmp_path / "data"))
    assert done.returncode == 2 and "no report has been read here" in done.stderr
    assert not (tmp_path / "data" / "warehouse").exists()
