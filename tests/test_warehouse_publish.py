"""Publishing: readers only ever meet one complete file, what is wrong stops it in a sentence, and the diff is told."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from tests.simulator.agencies import REGIONS, agencies_of
from tests.simulator.figures import corrected, make_history
from tests.warehouse_data import Version, write, write_tidy, write_year
from warehouse.build import build
from warehouse.places import newest
from warehouse.publish import publish
from warehouse.query import open_newest

YEARS = (2022, 2023, 2024)
OBSERVATIONS = "tidy/observations/year=2023/part.parquet"


def _versions(agencies: int = 8, region: int = 12) -> list[Version]:
    return [
        Version(report)
        for agency in agencies_of(REGIONS[region], agencies)
        for report in make_history(3, agency, YEARS)
    ]


@pytest.fixture(scope="module")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    root = DataRoot(str(folder))
    write_tidy(root, _versions())
    publish(root, build(root))
    return folder


@pytest.fixture()
def root(published_once: Path, tmp_path: Path) -> DataRoot:
    """A data root of its own with a few tidy reports and one published file."""
    shutil.copytree(published_once, tmp_path / "data", symlinks=True)
    return DataRoot(str(tmp_path / "data"))


def _ask(root: DataRoot, query: str) -> list[tuple[object, ...]]:
    with open_newest(root) as connection:
        return connection.execute(query).fetchall()


def _content(root: DataRoot) -> dict[str, object]:
    """Everything an analyst can see of the newest file, apart from how and when it was made."""
    with open_newest(root) as connection:
        objects = connection.execute("""
            SELECT object FROM dictionary WHERE object_kind <> 'macro' AND "column" IS NULL
                AND object NOT IN ('build_info', 'changes', 'sources', 'dictionary')""").fetchall()
        return {
            name: sorted(connection.execute(f'FROM "{name}"').fetchall(), key=repr) for (name,) in objects
        }


def test_files_are_in_the_storage_format_of_duckdb_1_2(root):
    header = newest(root).read_bytes()[:4096]
    assert header[8:12] == b"DUCK"
    version = struct.unpack_from("<Q", header, 12)[0]
    assert version <= 65, "65 is the storage version of DuckDB 1.2; older clients refuse a higher one"


def test_everything_people_see_has_a_comment(root):
    assert _ask(root, "SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL") == []
    assert _ask(root, "SELECT table_name FROM duckdb_tables() WHERE comment IS NULL") == []
    assert (
        _ask(
            root,
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL",
        )
        == []
    )
    assert _ask(root, "SELECT count(*) > 200 FROM dictionary WHERE meaning <> ''") == [(True,)]


def test_the_pointer_moves_and_an_open_reader_is_undisturbed(root):
    first = newest(root)
    reader = open_newest(root)
    write_tidy(root, _versions(9))
    publish(root, build(root))
    assert newest(root) != first
    assert (root.local("warehouse", "ogi.duckdb")).resolve() == newest(root).resolve()
    assert reader.execute("SELECT count(*) FROM reports").fetchall() == [(24,)]
    assert _ask(root, "SELECT count(*) FROM reports") == [(27,)]


def test_only_the_last_files_are_kept(root):
    for _ in range(3):
        publish(root, build(root), keep=2)
    kept = sorted(path.name for path in root.local("warehouse").glob("ogi-*.duckdb"))
    assert len(kept) == 2 and kept[-1] == newest(root).name


def test_the_same_input_gives_no_difference(root):
    published = publish(root, build(root))
    assert published.changes == {}
    assert "No difference." in root.read_bytes("warehouse/CHANGES.md").decode()


def _night(root: DataRoot) -> None:
    """One report more, one replaced by a newer version, one that reads differently now."""
    versions = _versions()
    report, _ = corrected(versions[0].report, 8)
    newer = Version(report, fetched_at=datetime(2026, 4, 1), salt="new", extractor_version="1")
    changed, _ = corrected(versions[4].report, 9)
    versions[0] = replace(versions[0], is_current=False)
    versions[4] = replace(versions[4], report=changed, extractor_version="2")
    extra = Version(make_history(6, agencies_of(REGIONS[12], 9)[8], (2024,))[0])
    write_tidy(root, [*versions, newer, extra])


def test_a_build_on_a_copy_equals_a_whole_build(root):
    _night(root)
    publish(root, build(root))
    assert _ask(root, "SELECT value FROM build_info WHERE name = 'way'") == [("copy of the last file",)]
    on_a_copy = _content(root)
    publish(root, build(root, whole=True))
    assert _ask(root, "SELECT value FROM build_info WHERE name = 'way'") == [("whole",)]
    whole = _content(root)
    assert on_a_copy.keys() == whole.keys()
    for name, rows in whole.items():
        assert on_a_copy[name] == rows, name


def test_changes_say_what_was_added_replaced_and_read_again(root):
    _night(root)
    published = publish(root, build(root))
    assert published.changes == {"added": 2, "changed": 1, "superseded": 1}
    rows = _ask(root, "SELECT change, cells_added, cells_changed, cells_gone, explanation FROM changes")
    read_again = next(row for row in rows if row[0] == "changed")
    assert read_again == ("changed", 0, 1, 0, "read again by version 2 instead of 1")
    assert next(row for row in rows if row[0] == "superseded")[1:4] == (0, 0, 0)
    told = root.read_bytes("warehouse/CHANGES.md").decode()
    assert "| added | 2 |" in told and "read again by version 2" in told


def test_a_report_gone_without_explanation_is_not_published(root):
    good = newest(root)
    write_tidy(root, _versions()[:-1])
    expected = (
        r"year 2024, portal portal: 8 reports expected from the last file, 7 of them found; 1 reports and "
    )
    with pytest.raises(UserError, match=expected + r".* nothing explains it.*--accept-loss"):
        publish(root, build(root))
    assert newest(root) == good and _ask(root, "SELECT count(*) FROM reports") == [(24,)]
    publish(root, build(root, accept_loss="the agency asked for it"))
    assert _ask(root, "SELECT count(*) FROM reports") == [(23,)]
    assert "the agency asked for it" in root.read_bytes("warehouse/CHANGES.md").decode()


def test_a_missing_partition_is_not_published(root):
    root.local(OBSERVATIONS).unlink()
    with pytest.raises(
        UserError, match=r"year 2023, portal portal: 8 reports were read .* partition .* is missing"
    ):
        publish(root, build(root))


def test_an_extra_partition_is_not_published(root):
    target = root.local("tidy/observations/year=2019")
    target.mkdir()
    (target / "part.parquet").write_bytes(root.local(OBSERVATIONS).read_bytes())
    with pytest.raises(UserError, match="year=2019"):
        publish(root, build(root))


def test_reports_about_impossible_years_are_not_published(root):
    versions = _versions(1)
    far = replace(versions[0], report=replace(versions[0].report, year=2190))
    write_tidy(root, [*_versions(), far])
    with pytest.raises(UserError, match="years that cannot be reported about: 2190"):
        publish(root, build(root))


def test_orphans_and_repeated_cells_are_not_published(root):
    versions = _versions()
    write(root, "agencies", [])
    with pytest.raises(UserError, match="table agencies does not know"):
        publish(root, build(root))
    write_tidy(root, versions)
    write_year(root, 2023, [v for v in versions if v.report.year == 2023] * 2)
    with pytest.raises(UserError, match="report_id / indicator / applicant is not unique"):
        publish(root, build(root))


def test_two_agencies_with_one_id_stop_it(root):
    table = pq.read_table(root.local("tidy/agencies/part.parquet"))
    write(root, "agencies", [*table.to_pylist(), {**table.to_pylist()[0], "name": "别的局"}])
    with pytest.raises(UserError, match="table agencies: agency_id is not unique: 3"):
        publish(root, build(root))


def test_two_current_reports_of_one_year_stop_it(root):
    versions = _versions()
    write_tidy(root, [*versions, replace(versions[0], salt="twin")])
    with pytest.raises(UserError, match="more than one current report"):
        publish(root, build(root))


@pytest.mark.parametrize("cut", [0.0, 0.3, 0.9])
def test_a_parquet_file_cut_in_half_is_named(root, cut):
    path = root.local(OBSERVATIONS)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    good = newest(root)
    with pytest.raises(
        UserError, match=r"tidy/observations/year=2023/part\.parquet: not a whole Parquet file"
    ):
        build(root)
    assert newest(root) == good and not list(root.local("warehouse").glob(".building*"))


def test_damage_inside_a_parquet_file_is_named(root):
    path = root.local(OBSERVATIONS)
    content = bytearray(path.read_bytes())
    content[40:400] = bytes(360)
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"tidy/observations/year=2023/part\.parquet"):
        build(root, whole=True)


def test_a_word_no_catalogue_knows_is_named(root):
    table = pq.read_table(root.local(OBSERVATIONS), partitioning=None)
    rows = table.to_pylist()
    rows[3]["indicator"] = "requests.invented"
    write(root, "observations", rows, "year=2023/")
    with pytest.raises(UserError, match=r"year=2023/part\.parquet: .*requests\.invented"):
        build(root)


def test_a_file_compared_with_another_than_the_last_is_refused(root):
    early = build(root)
    publish(root, build(root))
    with pytest.raises(UserError, match="build again"):
        publish(root, early)


def test_a_disk_without_space_leaves_the_last_good_file(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(small)], check=False
    ).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        root = DataRoot(str(small))
        write_tidy(root, _versions(1))
        publish(root, build(root))
        good = newest(root)
        free = os.statvfs(small)
        (small / "ballast").write_bytes(bytes(free.f_bavail * free.f_frsize - 200_000))
        with pytest.raises(UserError, match=r"could not be written .* the last good file stays"):
            build(root, whole=True)
        assert newest(root) == good and not list(root.local("warehouse").glob(".building*"))
        assert _ask(root, "SELECT count(*) FROM reports") == [(3,)]
    finally:
        subprocess.run(["umount", str(small)], check=True)


_BUILD_AND_PUBLISH = """
import sys
from extractors.dataroot import DataRoot
from warehouse.build import build
from warehouse.publish import publish
root = DataRoot(sys.argv[1])
print("ready", flush=True)
while True:
    publish(root, build(root, whole=len(sys.argv) > 2), keep=2)
"""


def test_readers_see_one_complete_file_whenever_the_writer_is_killed(root):
    chance = random.Random(4)
    for turn in range(6):
        way = ["whole"] if turn % 2 else []
        writer = subprocess.Popen(
            [sys.executable, "-c", _BUILD_AND_PUBLISH, root.address, *way], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 1.2))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        pointer = json.loads(root.read_bytes("warehouse/latest.json"))
        for path in (root.local("warehouse", pointer["file"]), root.local("warehouse", "ogi.duckdb")):
            with duckdb.connect(str(path), read_only=True) as connection:
                assert connection.execute("SELECT count(*) FROM agency_year").fetchall() == [(24,)]
                assert connection.execute("SELECT count(*) > 1000 FROM observation_versions").fetchall() == [
                    (True,)
                ]
    publish(root, build(root))
    assert not list(root.local("warehouse").glob(".building*"))


def test_a_remote_data_root_is_built_from_and_published_to(tmp_path, monkeypatch):
    monkeypatch.setenv("OGI_CACHE", str(tmp_path / "here"))
    root = DataRoot(f"memory://bucket/{tmp_path.name}")
    write_tidy(root, _versions(6))
    first = publish(root, build(root))
    write_tidy(root, _versions(7))
    second = publish(root, build(root))
    assert second.changes == {"added": 3}
    assert {first.path.name, second.path.name} <= {
        n.split("/")[-1] for n in root.files("warehouse", ".duckdb")
    }
    shutil.rmtree(tmp_path / "here")
    assert _ask(root, "SELECT count(*) FROM reports") == [(21,)]
