"""The parts of the flows that need no Prefect: locks, what is due, visits, bad input, Dask, object stores."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from extractors import reading
from extractors.client import Limits
from extractors.crawl import Plan, PortalResult, crawl_portal
from extractors.dataroot import LAYOUT, DataRoot
from extractors.errors import UserError
from extractors.portals import Portal, load_portals
from flows import locks, pipeline
from flows.due import LastLook, check_years, is_due, years_of
from flows.health import health_of, last_look
from flows.visits import PortalRun, Visits, remember, remembered
from tests.flow_tools import (
    ROOT,
    YEARS,
    numbers,
    ogi,
    ogi_at_terminal,
    parameters,
    published,
    reports_of,
    small_simulator,
    start_ogi,
)

TODAY = date(2026, 7, 1)


# -- locks --


def test_a_lock_names_its_owner_and_is_free_when_its_process_was_killed(tmp_path):
    program = (
        "import sys, time; from extractors.dataroot import DataRoot; from flows import locks\n"
        "with locks.held(DataRoot(sys.argv[1]), 'settle', 'nightly'): print('held', flush=True); time.sleep(60)"
    )
    root = DataRoot(str(tmp_path))
    owner = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout and owner.stdout.readline() == "held\n"
    with (
        pytest.raises(locks.Busy, match=rf"nightly \(process {owner.pid} on "),
        locks.held(root, "settle", "x"),
    ):
        pass
    owner.kill()
    owner.wait()
    with locks.held(root, "settle", "backfill"):
        assert f"process {os.getpid()}" in locks.owner_of(root, "settle")
    assert locks.owner_of(root, "settle") == ""


def test_the_second_of_two_waits_its_turn_and_hears_for_whom(tmp_path):
    root, order, heard = DataRoot(str(tmp_path)), [], []
    started = threading.Event()

    def first() -> None:
        with pipeline.settling(root, "nightly"):
            started.set()
            time.sleep(0.5)
            order.append("nightly")

    thread = threading.Thread(target=first)
    thread.start()
    started.wait()
    with pipeline.settling(root, "backfill", heard.append):
        order.append("backfill")
    thread.join()
    assert order == ["nightly", "backfill"]
    assert len(heard) == 1 and "nightly (process" in heard[0]


def test_nightly_and_backfill_never_ask_one_host_together(tmp_path):
    with small_simulator(1, 2) as simulator:
        given = parameters(simulator, tmp_path)
        root = DataRoot(given["data"])
        portals = load_portals(given["portals_folder"], given["portals"])
        alone = next(iter(portals[0].manners.hosts))
        with (
            _visits(root, portals, seconds=0.3) as visits,
            locks.held(root, f"host-{alone}", "backfill of portal x"),
        ):
            run = visits.visit(portals[0].id)
        assert run.outcome == "busy" and "backfill of portal x (process" in (run.reason or "")
        assert simulator.sites[0].log == []
        assert last_look(_frame([run])) == LastLook()


def test_a_crawl_by_hand_waits_for_a_flow_on_its_host_or_says_who_asks_it(tmp_path):
    with small_simulator(2, 2) as simulator:
        given = parameters(simulator, tmp_path)
        root, site, other = DataRoot(given["data"]), *simulator.sites
        common = ("crawl", "--portals", given["portals_folder"], "--data", given["data"])
        common += ("--portal", site.id, "--portal", other.id)
        lock = f"host-127.0.0.1:{site.door.port}"
        with locks.held(root, lock, "nightly of portal x"):
            ended = ogi(*common, "--wait", "0")
        assert ended.returncode == 1 and site.log == [] and other.log
        assert "FAILED" in ended.stdout and "nightly of portal x (process" in ended.stdout
        with locks.held(root, lock, "nightly of portal x"):
            waiting = start_ogi(*common)
            assert waiting.stderr
            told = waiting.stderr.readline()
            assert told.startswith(f"waiting for {lock}, held by nightly of portal x (process")
            time.sleep(1)
            assert site.log == [] and waiting.poll() is None
        stdout, stderr = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, (stdout, stderr)
        assert "waiting for" not in stderr, "said once"
        assert len(site.fetched("report")) == len(site.reports())
        rows = remembered(root).select(["flow", "portal_id", "outcome", "new"]).to_pylist()
        assert [row for row in rows if row["portal_id"] == site.id] == [
            {"flow": "crawl", "portal_id": site.id, "outcome": "done", "new": len(site.reports())}
        ]
        assert [row["new"] for row in rows if row["portal_id"] == other.id] == [len(other.reports()), 0]
        looked = ogi("status", "--portals", given["portals_folder"], "--data", given["data"])
        assert "2 portals looked at" in looked.stdout and "0 failing" in looked.stdout
        ogi(*common, "--limit", "1")
        assert len(remembered(root)) == len(rows), "a look at a part of a list is no look at the portal"


# -- visits --


def _visits(root: DataRoot, portals: list[Portal], **more) -> Visits:
    more.setdefault("seconds", 20.0)
    plan = Plan(years=frozenset(YEARS), recheck=timedelta(0))
    return Visits(root, "nightly", portals, plan, "test", limits=Limits(backoff_seconds=0.01), **more)


def _frame(runs: list[PortalRun]):
    import pandas as pd

    return pd.DataFrame([{"started_at": pd.Timestamp(r.started_at), "outcome": r.outcome} for r in runs])


def test_a_crawl_that_raises_or_never_returns_is_a_row_with_its_reason(tmp_path):
    def hangs(*anything) -> PortalResult:
        time.sleep(30)
        raise AssertionError("waited for")

    def breaks(*anything) -> PortalResult:
        raise RuntimeError("no such field")

    with small_simulator(1, 1) as simulator:
        given = parameters(simulator, tmp_path)
        root = DataRoot(given["data"])
        portals = load_portals(given["portals_folder"], given["portals"])
        with _visits(root, portals, crawl=breaks) as visits:
            broken = visits.visit(portals[0].id)
        began = time.monotonic()
        with _visits(root, portals, crawl=hangs, seconds=0.2) as visits:
            hung = visits.visit(portals[0].id)
        assert time.monotonic() - began < 5
    assert (broken.outcome, broken.reason) == ("crashed", "RuntimeError: no such field")
    assert hung.outcome == "timed_out" and "longer than" in (hung.reason or "")
    remember(root, [broken])
    remember(root, [hung])
    assert remembered(root)["outcome"].to_pylist() == ["crashed", "timed_out"]


def test_a_second_try_in_one_run_does_not_fetch_again_what_the_first_kept(tmp_path):
    """The first try breaks off after two pages, as a portal does that goes down in between."""
    tries = []

    def breaks_off(portal, root, client, log, known, plan) -> PortalResult:
        tries.append(1)
        first = replace(plan, limit=2) if len(tries) == 1 else replace(plan, recheck=timedelta(days=1))
        return crawl_portal(portal, root, client, log, known, first)

    with small_simulator(1, 3) as simulator:
        given = parameters(simulator, tmp_path)
        portals = load_portals(given["portals_folder"], given["portals"])
        with _visits(DataRoot(given["data"]), portals, crawl=breaks_off) as visits:
            visits.visit(portals[0].id)
            visits.visit(portals[0].id)
        fetched = simulator.sites[0].fetched("report")
    assert len(fetched) == len(set(fetched)) == len(reports_of(simulator.sites))


# -- what is due, what is expected --


@pytest.mark.parametrize(
    ("today", "last", "due"),
    [
        (date(2026, 2, 1), LastLook(datetime(2026, 1, 31), datetime(2026, 1, 31)), True),
        (TODAY, LastLook(), True),
        (TODAY, LastLook(datetime(2026, 6, 30), datetime(2026, 6, 30)), False),
        (TODAY, LastLook(datetime(2026, 6, 24), datetime(2026, 6, 24)), True),
        (TODAY, LastLook(datetime(2026, 6, 30), datetime(2026, 6, 1), failures=1), True),
        (TODAY, LastLook(datetime(2026, 6, 30), datetime(2026, 6, 1), failures=3), False),
        (TODAY, LastLook(datetime(2026, 6, 24), None, failures=30), True),
    ],
)
def test_a_portal_is_due(today, last, due):
    assert is_due(last, today) is due


def test_years_are_read_or_refused_with_a_sentence():
    assert years_of("2019-2021,2023", TODAY) == [2019, 2020, 2021, 2023]
    for text, told in (
        ("2023-2019", "backwards"),
        ("2020-2030", "year 2030: reports about it appear from January 2031"),
        ("2026", "January 2027"),
        ("1999", "begin with 2008"),
        ("2019-", "expected years as"),
        ("", "expected years as"),
        ("１９-x", "expected years as"),
    ):
        with pytest.raises(UserError, match=told):
            years_of(text, TODAY)
    check_years([2025], TODAY)


def test_missing_reports_are_told_against_what_the_portal_gave_before(tmp_path):
    with small_simulator(1, 3) as simulator:
        site = simulator.sites[0]
        site.remove_report(site.agencies[0].name, YEARS[-1])
        given = parameters(simulator, tmp_path)
        root = DataRoot(given["data"])
        portals = load_portals(given["portals_folder"], given["portals"])
        with _visits(root, portals) as visits:
            remember(root, [visits.visit(portals[0].id)])
        pipeline.read_snapshots(root, reading.unread_snapshots(root))
        pipeline.settle(root, "test")
    health = health_of(root, portals, YEARS[-1])[0]
    assert (health.expected, health.have, health.failures) == (3, 2, 0)
    assert (
        health.verdict(date(2024, 2, 1)) == "1 of 3 expected reports about 2023 are missing, not yet overdue"
    )
    assert health.verdict(date(2024, 6, 1)) == "1 of 3 expected reports about 2023 are missing, overdue"
    later = health_of(root, portals, YEARS[-1] + 1)[0]
    assert later.verdict(date(2025, 6, 1)) == (
        "2 reports about 2024 are expected; its lists were not asked for them yet"
    )
    assert published(Path(given["data"])) == reports_of(simulator.sites)


def test_what_a_page_says_acts_on_nothing_in_an_artifact():
    from flows.orchestration import plain

    told = plain(
        "bad_list: <img src=x> [click](javascript:x) | *a*\n\n# `b` ~~c~~ \\[z] https://x.cn/a_b?c=1&d=2"
    )
    assert (
        told == "bad_list: ‹img src=x› (click)(javascript:x) ¦ ∗a∗ # 'b' ∼∼c∼∼ ∖(z) https://x.cn/a_b?c=1&d=2"
    )


# -- bad input --


def test_bad_input_ends_with_code_2_one_sentence_and_nothing_changed(tmp_path):
    data = str(tmp_path / "data")
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "version.json").write_text(json.dumps({"layout": LAYOUT + 1}))
    cases = [
        (("nightly", "--portal", "nowhere", "--data", data), {}, "no portal nowhere"),
        (("backfill", "--years", "2023-2019", "--data", data), {}, "runs backwards"),
        (
            ("nightly", "--data", data, "--contact", "a@b"),
            {"PREFECT_API_URL": "http://127.0.0.1:9/api"},
            "no Prefect server",
        ),
        (("status", "--data", str(newer)), {}, "newer version"),
        (("probe", "--allow-private", "http://127.0.0.1:9/list.html"), {}, "connect_failed"),
    ]
    for arguments, environment, told in cases:
        ended = ogi(*arguments, **environment)
        assert (ended.returncode, ended.stdout) == (2, ""), (arguments, ended)
        assert told in ended.stderr and ended.stderr.startswith("ogi: ") and ended.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()
    assert [path.name for path in newer.iterdir()] == ["version.json"]


def test_a_backfill_asks_on_a_terminal_and_only_yes_begins(tmp_path):
    """Each answer at a terminal of its own; a server that is not there shows where a yes leads."""
    answers = {"no": b"n\n", "Ctrl-C": b"\x03", "end of input": b"\x04", "yes": b"maybe\ny\n"}
    arguments = [
        "backfill",
        "--years",
        "2022",
        "--portal",
        "s",
        "--contact",
        "a@b",
        "--portals",
        str(tmp_path),
    ]
    with small_simulator(1, 1) as simulator:
        simulator.write_portals(tmp_path)
        arguments[4] = simulator.sites[0].id
    asked = {
        name: ogi_at_terminal(
            *arguments, "--data", str(tmp_path / "data"), PREFECT_API_URL="http://127.0.0.1:9/api"
        )
        for name in answers
    }
    for name, terminal in asked.items():
        code, told = terminal.answer("begin? [y/N]:", answers[name])
        assert code == 2 and told.startswith("1 portal x 1 year (2022)"), (name, told)
        is_yes = name == "yes"
        assert ("no Prefect server answers" in told) is is_yes, (name, told)
        assert told.rstrip().endswith("nothing done; --apply to begin") is not is_yes, (name, told)
    assert not (tmp_path / "data").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 40 MB; skipped where mounting is not allowed."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if not mount or os.getuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"mounting a small tmpfs is not allowed here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_told_before_anything_and_loses_nothing_in_between(small_disk):
    with small_simulator(1, 2) as simulator:
        given = parameters(simulator, small_disk.parent)
        root = DataRoot(str(small_disk / "data"))
        portals = load_portals(given["portals_folder"], given["portals"])
        pipeline.prepare(root)
        with _visits(root, portals) as visits:
            assert visits.visit(portals[0].id).is_done
        filler = small_disk / "filler"
        with filler.open("wb") as stream, pytest.raises(OSError, match="No space left"):
            while True:
                stream.write(bytes(1 << 16))
                stream.flush()
        told = ogi(
            "nightly", "--data", root.address, "--portal", portals[0].id, "--portals", given["portals_folder"]
        )
        assert told.returncode == 2 and "no space left on the disk" in told.stderr
        unread = reading.unread_snapshots(root)
        with pytest.raises((UserError, OSError), match=r"[Nn]o space"):
            pipeline.read_snapshots(root, unread)
        filler.unlink()
        assert len(reading.unread_snapshots(root)) == len(unread)
        pipeline.read_snapshots(root, unread)
        pipeline.settle(root, "test")
        assert published(small_disk / "data") == reports_of(simulator.sites)


def test_asking_the_published_file_imports_no_prefect():
    program = (
        "import sys; import flows.cli\n"
        "for name in ('query', 'status', 'crawl', 'ingest'):\n"
        "    sys.argv = ['ogi', name, '--help']\n"
        "    try: flows.cli.main()\n"
        "    except SystemExit: pass\n"
        "import warehouse.query, flows.health, flows.plan, flows.ingest\n"
        "print('prefect' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "False"


# -- reading again --


def test_accepting_goes_on_where_it_was_stopped_and_leaves_only_whole_readings(tmp_path, monkeypatch):
    from extractors import reparse
    from tests.older_readings import make_older
    from transforms.cell_diff import diff_of_cells

    with small_simulator(1, 3) as simulator:
        given = parameters(simulator, tmp_path)
        root = DataRoot(given["data"])
        _collect(root, given)
    right = numbers(Path(given["data"]))
    spoiled = make_older(root, "1.older")
    monkeypatch.setattr(reading, "BATCH_WEIGHT", 2)
    due = reparse.snapshots_to_reparse(root, since="1.older")
    assert len(due) == len(reports_of(simulator.sites))
    stopped = due[: len(due) // 2]
    pipeline.read_snapshots(root, stopped, folder=reparse.staging_folder())
    assert reparse.snapshots_to_reparse(root) == due[len(stopped) :]
    pipeline.read_snapshots(root, due[len(stopped) :], folder=reparse.staging_folder())
    diff = diff_of_cells(root, reparse.staging_folder())
    assert (diff.snapshots, diff.added, diff.changed, diff.gone) == (len(due), 0, spoiled, 0)
    moves = []
    real = reparse._move

    def breaks(*given) -> None:
        moves.append(given)
        if len(moves) == 6:
            raise KeyboardInterrupt
        real(*given)

    monkeypatch.setattr(reparse, "_move", breaks)
    with pytest.raises(KeyboardInterrupt):
        reparse.accept(root)
    pipeline.settle(root, "test")
    monkeypatch.setattr(reparse, "_move", real)
    reparse.accept(root)
    pipeline.settle(root, "test")
    assert numbers(Path(given["data"])) == right
    assert not root.exists("cells-staging") or not root.files("cells-staging", ".parquet")
    with pytest.raises(
        UserError, match=r"1\.never: no snapshot was read by that version; known, oldest first: 1\.older"
    ):
        reparse.snapshots_to_reparse(root, since="1.never")


# -- clusters and object stores --


def _collect(root: DataRoot, given: dict) -> None:
    """Crawl, read, settle."""
    portals = load_portals(given["portals_folder"], given["portals"])
    pipeline.prepare(root)
    with _visits(root, portals) as visits:
        runs = [visits.visit(portal.id) for portal in portals]
    assert all(run.is_done for run in runs)
    pipeline.read_snapshots(root, reading.unread_snapshots(root))
    pipeline.settle(root, "test")


def test_an_object_store_holds_the_same_as_a_local_disk(tmp_path, bucket):
    from warehouse.places import newest

    with small_simulator(2, 2) as simulator:
        given = parameters(simulator, tmp_path)
        _collect(DataRoot(given["data"]), given)
        root = DataRoot(bucket)
        _collect(root, given)
    assert root.files("warehouse", ".duckdb") and root.files("raw", ".warc.gz")
    assert numbers(newest(root)) == numbers(Path(given["data"]))
    assert not list((tmp_path / "spool").rglob("*.warc.gz"))


def test_a_lock_on_an_object_store_keeps_others_out_and_a_dead_owner_does_not(bucket):
    root = DataRoot(bucket)
    with (
        locks.held(root, "settle", "nightly"),
        pytest.raises(locks.Busy, match="nightly"),
        locks.held(root, "settle", "backfill"),
    ):
        pass
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = replace(locks.Owner.me("nightly"), pid=gone.pid)
    root.write_bytes("locks/settle.lock", json.dumps(left.__dict__).encode())
    with locks.held(root, "settle", "backfill"):
        assert "backfill" in locks.owner_of(root, "settle")
    elsewhere = replace(left, host="another", seen=time.time())
    root.write_bytes("locks/settle.lock", json.dumps(elsewhere.__dict__).encode())
    with pytest.raises(locks.Busy, match="on another"), locks.held(root, "settle", "x"):
        pass
    root.write_bytes("locks/settle.lock", json.dumps({**elsewhere.__dict__, "seen": 0.0}).encode())
    with locks.held(root, "settle", "x"):
        pass


def test_a_dask_cluster_reads_the_same(tmp_path, monkeypatch):
    """A scheduler and two workers in processes of their own; they write, only places and counts travel."""
    distributed = pytest.importorskip("distributed")
    with small_simulator(2, 3) as simulator:
        given = parameters(simulator, tmp_path)
        root = DataRoot(given["data"])
        _collect(root, given)
        right = numbers(Path(given["data"]))
        shutil.rmtree(root.local("cells"))
        shutil.rmtree(root.local("tidy"))
        monkeypatch.setattr("flows.dask_reading.BATCHES_A_GROUP", 1)
        monkeypatch.setattr(reading, "BATCH_WEIGHT", 4)
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster:
            monkeypatch.setenv("OGI_DASK", cluster.scheduler_address)
            pipeline.read_snapshots(root, reading.unread_snapshots(root))
        assert len(root.files("cells/documents", ".parquet")) >= 3
        pipeline.settle(root, "test")
    assert numbers(Path(given["data"])) == right
    monkeypatch.setenv("OGI_DASK", "tcp://127.0.0.1:9")
    monkeypatch.setattr("flows.dask_reading.CONNECT_SECONDS", 1)
    with pytest.raises(UserError, match="no Dask scheduler answers"):
        pipeline.read_snapshots(root, [])
