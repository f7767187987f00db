"""The flows under a real Prefect server, against portals over real HTTP: what they publish, survive and report."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from flows.start import end, run_flow
from tests.flow_tools import (
    ROOT,
    YEARS,
    numbers,
    ogi,
    parameters,
    published,
    query,
    reports_of,
    small_simulator,
    start_ogi,
)
from tests.killed_flow import OF_FLOW
from tests.simulator import hostile
from tests.simulator.http import Response
from warehouse.places import newest

pytestmark = pytest.mark.usefixtures("prefect_server")


def run(name: str, **given):
    """A flow's final state."""
    from importlib import import_module

    return getattr(import_module(f"flows.{name}"), name)(**given, return_state=True)


def test_two_nights(tmp_path):
    """The second night sees one new report, one replaced, one portal down; a third one without change says so."""
    data = tmp_path / "data"
    with small_simulator(3, 3) as simulator:
        given = parameters(simulator, tmp_path)
        first = run("nightly", **given)
        assert (first.name, published(data)) == ("Completed", reports_of(simulator.sites))
        site = simulator.sites[0]
        old = site.reports()[0]
        new, key = site.correct_report(old.report.agency.name, old.report.year)
        added = site.add_report(site.agencies[1].name, 2024)
        simulator.set_down(simulator.sites[2].id)
        given["years"] = [*YEARS, 2024]
        second = run("nightly", **given)
        told = second.result()
        assert second.name == "Degraded" and simulator.sites[2].id in second.message
        assert [failed.portal_id for failed in told.failed] == [simulator.sites[2].id]
        assert sum(r.new for r in told.runs) == 1 and sum(r.changed for r in told.runs) == 1
        assert published(data) == reports_of(simulator.sites)
        assert (added.report.agency.name, 2024) in published(data)
        changed = query(data, "SELECT agency_name, year, indicator, applicant, old, new FROM revisions")
        was, now = old.report.cells[key].value, new.report.cells[key].value
        assert changed == [(old.report.agency.name, old.report.year, *key, was, now)]
        before = numbers(data)
        third = run("nightly", **given).result()
        assert numbers(data) == before
        assert third.documents == 0 and "no difference" in " ".join(third.sentences())


def test_every_kind_of_broken_portal_is_named_and_the_rest_is_published(tmp_path):
    """Down, silent for ever, nothing, nonsense: each with its reason; the good one whole."""
    with small_simulator(5, 2) as simulator:
        good, down, silent, nothing, nonsense = simulator.sites
        simulator.set_down(down.id)
        silent.misbehave("*", hostile.case("silent"))
        nothing.misbehave("*", Response(b"<html><body></body></html>"))
        nonsense.misbehave("*", hostile.case("home_for_article"))
        given = parameters(simulator, tmp_path)
        given["patience"] = {"portal_minutes": 0.1, "retry_seconds": [], "backoff_seconds": 0.01}
        began = time.monotonic()
        state = run("nightly", **given)
        assert time.monotonic() - began < 60, "one try at a silent host takes 30 s, all of them 90"
        told = state.result()
        assert state.name == "Degraded"
        assert {failed.portal_id for failed in told.failed} == {
            s.id for s in (down, silent, nothing, nonsense)
        }
        assert all(failed.reason and failed.portal_id in state.message for failed in told.failed)
        assert next(f for f in told.failed if f.portal_id == silent.id).outcome == "timed_out"
        assert published(tmp_path / "data") == reports_of([good])
        looked = ogi("status", "--data", given["data"], "--portals", given["portals_folder"])
        assert looked.returncode == 0, looked.stderr
        assert "it took longer than" in looked.stdout and good.id in looked.stdout
        assert "UTC, 5 portals, 4 failed, 4 reports new, 0 changed" in looked.stdout


def test_all_portals_failing_is_a_failure_told_once_and_at_the_end(tmp_path, capsys):
    """Also in the log: one error, without the traceback of no exception, when the tries are used up."""
    from prefect.logging.configuration import setup_logging

    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(self.format(record))

    setup_logging()  # Where this is the first flow of the process it would take the listener away.
    logger, listener = logging.getLogger("prefect.task_runs"), Listener(logging.ERROR)
    logger.addHandler(listener)
    try:
        with small_simulator(1, 1) as simulator:
            site = simulator.sites[0].id
            simulator.set_down(site)
            state = run("nightly", **parameters(simulator, tmp_path))
    finally:
        logger.removeHandler(listener)
    assert state.is_failed() and site in state.message
    assert len(heard) == 1 and site in heard[0] and "NoneType" not in heard[0]
    with pytest.raises(UserError, match=f"1 of 1 portals failed: {site}"):
        end(state)
    told = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(
        rf"nightly Failed after \d+ s: 1 of 1 portals failed \({site}\); nothing published: .*", told
    )


def test_a_portal_that_failed_pauses_while_the_others_are_published(tmp_path):
    """It comes back only once a file without it is out; the same run then publishes one with it."""
    data = tmp_path / "data"
    with small_simulator(2, 2) as simulator:
        given = parameters(simulator, tmp_path)
        given["patience"] = {"portal_minutes": 1, "retry_seconds": [1.5] * 30, "backoff_seconds": 0.01}
        good, late = simulator.sites
        simulator.set_down(late.id)
        meanwhile: list[list[tuple[str, int]]] = []

        def come_back() -> None:
            until = time.monotonic() + 40
            while not (data / "warehouse" / "ogi.duckdb").exists() and time.monotonic() < until:
                time.sleep(0.1)
            simulator.set_down(late.id, False)
            meanwhile.append(published(data))

        watch = threading.Thread(target=come_back)
        watch.start()
        state = run("nightly", **given)
        watch.join()
        assert meanwhile == [reports_of([good])]
        assert state.name == "Completed" and published(data) == reports_of(simulator.sites)
        told = state.result()
        assert (told.documents, told.changes) == (8, {"added": 8})
        assert told.file == str((data / "warehouse" / "ogi.duckdb").resolve())
        assert len(list((data / "warehouse").glob("ogi-*.duckdb"))) == 2
        looks = query(data, "SELECT portal_id, year FROM portal_looks ORDER BY ALL")
        assert looks == [(site.id, year) for site in simulator.sites for year in YEARS]


def test_an_interrupted_run_ends_at_once_and_says_so(tmp_path, prefect_server):
    """Ctrl-C while a portal is down, whose next try is a minute away."""
    from prefect.client.orchestration import get_client

    said = tmp_path / "said"
    with small_simulator(1, 1) as simulator, said.open("wb") as stream:
        given = parameters(simulator, tmp_path)
        simulator.set_down(given["portals"][0])
        running = start_ogi(
            *("nightly", "--data", given["data"], "--portals", given["portals_folder"], "--contact", "a@b"),
            *("--portal", given["portals"][0]),
            stdout=stream,
            stderr=subprocess.STDOUT,
            PREFECT_API_URL=prefect_server,
        )
        until = time.monotonic() + 60
        while "1 portals due of 1" not in said.read_text() and time.monotonic() < until:
            time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 2
    told = said.read_text()
    assert told.rstrip().endswith(
        "ogi: nightly was stopped; what was kept stays, the same command goes on from it"
    ), told
    with get_client(sync_client=True) as client:
        run_id = re.search(r"/runs/flow-run/(\S+)", told)
        state = client.read_flow_run(UUID(run_id and run_id[1])).state
        assert state is not None and state.name == "Cancelled", state


def test_the_server_shows_one_task_run_a_portal_and_keyed_artifacts(tmp_path):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter

    with small_simulator(2, 2) as simulator, get_client(sync_client=True) as client:
        state = run_flow("nightly", **parameters(simulator, tmp_path))
        flow_run = state.state_details.flow_run_id
        names = set()
        for _ in range(50):
            found = client.read_task_runs(flow_run_filter=FlowRunFilter(id={"any_": [flow_run]}))
            names = {one.name for one in found}
            if len(names) == 5:
                break
            time.sleep(0.2)
        crawled = {f"crawl {site.id}" for site in simulator.sites}
        assert names == {*crawled, "read 1-8 of 8", "tidy", "build and publish"}
        assert client.read_flow_run(flow_run).tags == ["ogi"]
        assert not any(one.tags for one in found), "a tag on a task run costs a request for a slot each"
        keys = {
            artifact.key: artifact for artifact in client.read_artifacts() if artifact.flow_run_id == flow_run
        }
        assert set(keys) == {"nightly-summary", "portal-health", "coverage", "data-diff"}
        rows = json.loads(keys["portal-health"].data)
        assert [row["portal"] for row in rows] == sorted(site.id for site in simulator.sites)
        assert {row["what it means"] for row in rows} == {"well"}
        told = keys["nightly-summary"].data.splitlines()[-1]
        assert re.match(r"- nightly Completed after \d+ s; DuckDB file: /.*\.duckdb$", told), told


def test_two_nights_in_a_bucket(tmp_path, bucket):
    """The data root on an object store through the whole flow; the second night finds what the first one left."""
    root = DataRoot(bucket)
    with small_simulator(1, 2) as simulator:
        given = {**parameters(simulator, tmp_path), "data": bucket}
        site = simulator.sites[0]
        first = run("nightly", **given)
        assert first.name == "Completed", first.message
        assert published(newest(root)) == reports_of(simulator.sites)
        site.correct_report(site.agencies[0].name, YEARS[0])
        second = run("nightly", **given)
        assert second.name == "Completed", second.message
        told = second.result().sentences()
        assert "0 reports new, 1 changed, 3 same" in told[0] and told[-1].endswith(str(newest(root)))
        assert len(query(newest(root), "FROM revisions")) == 1
    assert len(root.files("warehouse", ".duckdb")) == 2 and root.files("raw", ".warc.gz")
    assert not list((tmp_path / "spool").rglob("*.warc.gz")), "uploaded, so nothing is left to upload"
    looked = ogi("status", "--data", bucket, "--portals", given["portals_folder"])
    assert looked.returncode == 0 and "0 failing" in looked.stdout, looked


def test_backfill_leaves_the_nightly_state_alone_and_recheck_finds_what_left_its_list(tmp_path):
    from flows.health import last_looks

    with small_simulator(2, 2) as simulator:
        given = parameters(simulator, tmp_path)
        shared = {name: given[name] for name in ("data", "portals", "portals_folder", "patience")}
        told = run("backfill", years=[2022], **shared).result()
        root = DataRoot(given["data"])
        assert {year for _, year in published(tmp_path / "data")} == {2022}
        assert sum(r.new for r in told.runs) == len(
            [1 for _, year in reports_of(simulator.sites) if year == 2022]
        )
        assert last_looks(root, "nightly") == {} and len(last_looks(root, "backfill")) == 2
        site = simulator.sites[0]
        item = next(one for one in site.reports() if one.report.year == 2022)
        site.correct_report(item.report.agency.name, 2022)
        found = run("recheck", older_than_days=0, **shared).result()
        assert [r.changed for r in found.runs if r.portal_id == site.id] == [1]
        assert (
            sum(r.new for r in found.runs) == 0
        )  # the lists' other years are for runs that look for reports
        assert len(query(tmp_path / "data", "FROM revisions")) == 1


def test_reparse_changes_nothing_until_it_is_accepted(tmp_path):
    from extractors import reading
    from tests.older_readings import make_older

    with small_simulator(1, 3) as simulator:
        given = parameters(simulator, tmp_path)
        run("nightly", **given)
    data, root = tmp_path / "data", DataRoot(given["data"])
    right = numbers(data)
    spoiled = make_older(root, "1.older")
    run("nightly", **{**given, "patience": {"retry_seconds": [], "backoff_seconds": 0}})
    assert numbers(data) != right
    wrong = numbers(data)
    looked = run("reparse", data=given["data"], since="1.older").result()
    assert numbers(data) == wrong
    assert f"{spoiled} changed" in looked.expectations[0]
    accepted = run("reparse", data=given["data"], apply=True)
    assert accepted.is_completed() and numbers(data) == right
    assert set(reading.read_documents(root)["extractor_version"].to_pylist()) == {
        "1.older",
        reading.extractor_version(),
    }
    again = run("reparse", data=given["data"], apply=True).result()
    assert "every one was read by today's readers" in again.expectations[0]


def kill_after_each_step(name: str, given: dict, server: str) -> None:
    """Runs a flow, each run over what the one before left, and ends it after another step."""
    killed = subprocess.run(
        [sys.executable, "-m", "tests.killed_flow", name, json.dumps(given)],
        cwd=ROOT,
        env={**os.environ, "PREFECT_API_URL": server},
        stdout=subprocess.PIPE,
        text=True,
        timeout=200,
        check=True,
    )
    assert json.loads(killed.stdout) == dict.fromkeys(OF_FLOW[name], -signal.SIGKILL)


def test_a_killed_flow_runs_again_to_the_same_result(tmp_path, prefect_server):
    """SIGKILL after each step in turn; then the same as an unharmed run."""
    with small_simulator(2, 2) as simulator:
        unharmed = parameters(simulator, tmp_path / "unharmed")
        run("nightly", **unharmed)
        given = parameters(simulator, tmp_path / "harmed")
        kill_after_each_step("nightly", given, prefect_server)
        assert run("nightly", **given).name == "Completed"
    data = tmp_path / "harmed" / "data"
    assert numbers(data) == numbers(tmp_path / "unharmed" / "data")
    assert published(data) == reports_of(simulator.sites)
    assert not list(data.rglob(".building*"))


def test_killed_backfills_rechecks_and_reparses_run_again_to_the_same_result(tmp_path, prefect_server):
    from flows.pipeline import settle
    from tests.older_readings import make_older

    with small_simulator(2, 2) as simulator:
        asking = {}
        for place in ("unharmed", "harmed"):
            given = parameters(simulator, tmp_path / place)
            asking[place] = {name: given[name] for name in ("data", "portals", "portals_folder", "patience")}

        def both_ways(name: str, places: dict, **more) -> None:
            assert run(name, **places["unharmed"], **more).name == "Completed"
            kill_after_each_step(name, {**places["harmed"], **more}, prefect_server)
            assert run(name, **places["harmed"], **more).name == "Completed"
            assert numbers(tmp_path / "harmed" / "data") == numbers(tmp_path / "unharmed" / "data"), name

        both_ways("backfill", asking, years=[2022])
        before = numbers(tmp_path / "harmed" / "data")
        site = simulator.sites[0]
        item = next(one for one in site.reports() if one.report.year == 2022)
        site.correct_report(item.report.agency.name, 2022)
        both_ways("recheck", asking, older_than_days=0)
        corrected = numbers(tmp_path / "harmed" / "data")
        assert corrected != before
        roots = {place: {"data": given["data"]} for place, given in asking.items()}
        for root in roots.values():
            make_older(DataRoot(root["data"]), "1.older")
            settle(DataRoot(root["data"]), "test")
            assert numbers(Path(root["data"])) != corrected
        both_ways("reparse", roots, apply=True)
        assert numbers(tmp_path / "harmed" / "data") == corrected


def test_a_second_nightly_says_who_is_at_work(tmp_path):
    from flows import locks

    with small_simulator(1, 1) as simulator:
        given = parameters(simulator, tmp_path)
        with locks.held(DataRoot(given["data"]), "flow-nightly", "nightly"):
            state = run("nightly", **given)
        assert state.is_failed() and "is held by nightly (process" in state.message
        assert simulator.sites[0].log == []


def test_deployments_run_through_a_work_pool(tmp_path, prefect_server):
    """`prefect.yaml` as an operator uses it: pool, deploy, worker, one run of the nightly."""
    from prefect.client.orchestration import get_client
    from prefect.deployments import run_deployment

    def prefect(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
            cwd=ROOT,
            env={**os.environ, "PREFECT_API_URL": prefect_server},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with small_simulator(1, 2) as simulator, get_client(sync_client=True) as client:
        given = parameters(simulator, tmp_path)
        prefect("work-pool", "create", "ogi", "--type", "process")
        prefect("deploy", "--all")
        assert sorted(one.name for one in client.read_deployments()) == [
            "backfill",
            "nightly",
            "recheck",
            "reparse",
        ]
        started = run_deployment("nightly/nightly", parameters=given, timeout=0)
        said = prefect("worker", "start", "--pool", "ogi", "--run-once", "--install-policy", "never")
        state = client.read_flow_run(started.id).state
        assert state is not None and state.name == "Completed", (state, said)
        assert published(tmp_path / "data") == reports_of(simulator.sites)
