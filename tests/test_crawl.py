"""Every report is found and kept once; a second run asks for lists only; a kill loses nothing."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from extractors.archive import known_snapshots, read_payload, responses
from extractors.client import Client
from extractors.crawl import Plan, crawl
from extractors.dataroot import DataRoot
from extractors.portals import read_folder
from extractors.probe import probe
from tests.crawling import PATIENT, crawl_all, file_urls, kept, report_urls
from tests.simulator.families import FAMILIES
from tests.simulator.http import Request, Response
from tests.simulator.portal import Simulator
from tests.simulator.shelf import PAGE_LAYOUTS

SEVEN = tuple(FAMILIES)[:7]
PAGES = (*PAGE_LAYOUTS, "file:xlsx")


def test_every_report_of_every_family_is_found_and_fetched_once(tmp_path: Path) -> None:
    """7 families x 20 agencies x 6 years."""
    with Simulator(portals=7, agencies=20, kinds=SEVEN, layouts=PAGES) as simulator:
        root, results = crawl_all(simulator, tmp_path)
        reports, files = kept(root), kept(root, "attachment")
        for site in simulator.sites:
            assert not results[site.id].error and not results[site.id].refused and not results[site.id].failed
            assert sorted(url for url, _ in reports if url.startswith(site.address)) == report_urls(site)
            assert sorted(url for url, _ in files if url.startswith(site.address)) == file_urls(site)
            asked = Counter(entry.target for entry in site.log if entry.method == "GET")
            assert max(asked.values()) == 1, asked.most_common(3)
            assert site.door.most_open == 1 and not site.fetched("decoy")
        before = {site.id: len(site.log) for site in simulator.sites}
        root, again = crawl_all(simulator, tmp_path)
        for site in simulator.sites:
            assert again[site.id].same == len(site.reports()) and not again[site.id].new
            later = site.log[before[site.id] :]
            assert {entry.kind for entry in later} <= {"list", "robots", "script", "other"}, later
        assert kept(root) == reports


@pytest.mark.parametrize("kind", tuple(FAMILIES)[7:])
def test_every_pager_leads_to_every_report(kind: str, tmp_path: Path) -> None:
    with Simulator(portals=1, agencies=8, years=range(2019, 2024), kinds=[kind], page_size=7) as simulator:
        root, results = crawl_all(simulator, tmp_path)
        assert [url for url, _ in kept(root)] == report_urls(simulator.sites[0]), next(iter(results.values()))
        assert [url for url, _ in kept(root, "attachment")] == file_urls(simulator.sites[0])


def test_bytes_are_kept_untouched_and_lead_back_to_their_list(tmp_path: Path) -> None:
    with Simulator(portals=1, agencies=2, years=range(2022, 2024), layouts=PAGE_LAYOUTS) as simulator:
        root, _ = crawl_all(simulator, tmp_path)
        site = simulator.sites[0]
        for row in known_snapshots(root).to_pylist():
            if row["kind"] == "report":
                body = read_payload(root, row["warc_path"], row["warc_offset"])
                assert "政府信息公开".encode(site.encoding) in body
                assert (
                    row["listing_title"]
                    and row["listing_date"]
                    and row["parent_url"].startswith(site.address)
                )
        reports = [entry for entry in site.log if entry.kind == "report"]
        assert all(entry.referer and "mailto:test@example.org" in entry.user_agent for entry in reports)


def test_due_pages_are_asked_conditionally_and_a_changed_one_is_a_new_version(tmp_path: Path) -> None:
    with Simulator(
        portals=3, agencies=3, years=range(2021, 2024), layouts=PAGE_LAYOUTS, kinds=["static_next"]
    ) as sim:
        crawl_all(sim, tmp_path)
        victim = sim.sites[0].reports()[0]
        sim.sites[0].correct_report(victim.report.agency.name, victim.report.year)
        root, results = crawl_all(sim, tmp_path, Plan(recheck=timedelta(0)))
        assert [results[site.id].changed for site in sim.sites] == [1, 0, 0]
        assert sum(r.new for r in results.values()) == 0
        versions = Counter(url for url, _ in kept(root))
        assert [url for url, count in versions.items() if count == 2] == [sim.sites[0].article_url(victim)]
        # The third portal sends no validators and prints a visitor count: bodies differ, reports do not.
        assert sim.sites[2].validators == "none" and results[sim.sites[2].id].same == 9


def test_a_report_that_disappeared_stays(tmp_path: Path) -> None:
    with Simulator(portals=1, agencies=3, years=range(2021, 2024), layouts=PAGE_LAYOUTS) as simulator:
        before = kept(crawl_all(simulator, tmp_path)[0])
        gone = simulator.sites[0].reports()[0]
        simulator.sites[0].remove_report(gone.report.agency.name, gone.report.year)
        root, _ = crawl_all(simulator, tmp_path, Plan(recheck=timedelta(0)))
        assert kept(root) == before


def test_years_limit_and_dry_run_narrow_a_crawl(tmp_path: Path) -> None:
    with Simulator(portals=1, agencies=4, years=range(2019, 2024), layouts=PAGE_LAYOUTS) as simulator:
        root, dry = crawl_all(simulator, tmp_path, Plan(years=frozenset({2022}), is_dry=True))
        assert [r.new for r in dry.values()] == [4] and responses(root).num_rows == 0
        crawl_all(simulator, tmp_path, Plan(years=frozenset({2022}), limit=3))
        assert len(kept(root)) == 3
        crawl_all(simulator, tmp_path, Plan(years=frozenset({2022})))
        assert len(kept(root)) == 4


def test_a_limit_counts_reports_asked_for_neither_their_files_nor_what_is_known(tmp_path: Path) -> None:
    with Simulator(portals=1, agencies=4, years=range(2022, 2024), layouts=("file:xlsx",)) as simulator:
        for expected in (3, 6, 8):
            root, _ = crawl_all(simulator, tmp_path, Plan(limit=3))
            assert len(kept(root)) == len(kept(root, "attachment")) == expected


def test_a_known_report_page_leads_to_its_column(tmp_path: Path) -> None:
    with Simulator(portals=1, agencies=3, years=range(2020, 2024), kinds=["static_next"]) as simulator:
        simulator.write_portals(tmp_path / "portals")
        site = simulator.sites[0]
        path = tmp_path / "portals" / f"{site.id}.yml"
        lines = path.read_text(encoding="utf8").split("\n")
        at = lines.index("lists:")
        lines[at : at + 2] = ["reports:", f"- {site.article_url(site.reports()[0])}"]
        path.write_text("\n".join(lines), encoding="utf8")
        root = DataRoot(str(tmp_path / "data"))
        for _ in range(2):
            crawl(read_folder(tmp_path / "portals"), root, contact="x", limits=PATIENT)
            assert [url for url, _ in kept(root)] == report_urls(site)


def test_a_report_shown_in_a_frame_is_kept_and_a_counter_is_not(tmp_path: Path) -> None:
    with Simulator(
        portals=1, agencies=1, years=range(2022, 2024), kinds=["static_next"], layouts=PAGES[:1]
    ) as sim:
        site = sim.sites[0]
        framed = report_urls(site)[0].removeprefix(site.address)
        report = site.answer(Request("GET", framed, {}, {}, target=framed))
        shell = "<html><title>某县人民政府</title><div><iframe src='/{0}'></iframe><iframe src=/count></iframe></div>"
        site.misbehave(framed, Response(shell.format("inner.html").encode()))
        site.misbehave("/inner.html", report)
        site.misbehave("/count", Response(b"<html><body><p>12345</p><p>" + b"visits " * 9))
        root, results = crawl_all(sim, tmp_path)
        assert [url for url, _ in kept(root, "attachment")] == [f"{site.address}/inner.html"]
        assert [url for url, _ in kept(root)] == report_urls(site) and not results[site.id].refused


def test_a_failing_portal_leaves_the_others_complete(tmp_path: Path) -> None:
    with Simulator(portals=3, agencies=3, years=range(2021, 2024), kinds=["static_next"]) as simulator:
        simulator.set_down(simulator.sites[0].id)
        simulator.sites[1].door.delay_seconds = 0.15
        root, results = crawl_all(simulator, tmp_path)
        assert results[simulator.sites[0].id].error
        urls = [url for url, _ in kept(root)]
        for site in simulator.sites[1:]:
            assert not results[site.id].error and set(report_urls(site)) <= set(urls)
        assert results[simulator.sites[2].id].seconds < results[simulator.sites[1].id].seconds


def test_robots_and_the_daily_cap_are_obeyed(tmp_path: Path) -> None:
    with Simulator(portals=3, agencies=3, years=range(2021, 2024), kinds=["static_next"]) as simulator:
        simulator.sites[0].robots = "User-agent: *\nDisallow: /\n"
        simulator.sites[1].robots_status = 403
        simulator.write_portals(tmp_path / "portals")
        capped = tmp_path / "portals" / f"{simulator.sites[2].id}.yml"
        capped.write_text(
            capped.read_text(encoding="utf8").replace("daily_cap: 1000000", "daily_cap: 5"), encoding="utf8"
        )
        root = DataRoot(str(tmp_path / "data"))
        for _ in range(2):
            results = crawl(read_folder(tmp_path / "portals"), root, contact="x", limits=PATIENT)
        assert ["robots_disallowed" in r.error for r in results] == [True, True, False]
        assert "daily_cap" in results[2].error
        assert [len(site.log) for site in simulator.sites][:2] == [2, 2]
        assert len(simulator.sites[2].log) <= 7  # five, and a second robots.txt each run is counted too


def test_the_delay_follows_latency_and_an_error_never_shortens_it(tmp_path: Path) -> None:
    with Simulator(portals=1, agencies=1, years=range(2023, 2024), kinds=["static_next"]) as simulator:
        site = simulator.sites[0]
        portal = read_folder(simulator.write_portals(tmp_path / "p")[0].parent)[0]
        from dataclasses import replace

        manners = replace(portal.manners, delay_seconds=0.05)
        client = Client("x", PATIENT)
        url = portal.lists[0].url
        site.door.delay_seconds = 0.4
        client.fetch(url, manners)
        client.fetch(url, manners)
        host = next(iter(client._hosts.values()))
        slow = host.delay
        assert slow > 0.15
        site.door.delay_seconds = 0
        site.misbehave("/quick-error", Response(b"no", 404))
        with pytest.raises(Exception, match="not_found"):
            client.fetch(f"{site.address}/quick-error", manners)
        assert host.delay >= slow
        gaps = [b.at - a.at for a, b in zip(site.log, site.log[1:], strict=False)]
        assert min(gaps) >= 0.05
        client.close()


def _crawl_in_a_process(portals: str, data: str) -> None:
    crawl(read_folder(Path(portals)), DataRoot(data), contact="x")


def test_killed_at_twenty_random_moments_the_store_is_the_same(tmp_path: Path) -> None:
    rng = random.Random(4)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["extractors.crawl", "tests.crawling"])
    layouts = ("html:clean", "file:xlsx")
    with Simulator(portals=4, agencies=12, kinds=SEVEN, layouts=layouts, page_size=30) as sim:
        for site in sim.sites:
            site.validators, site.door.delay_seconds = "etag", 0.02
        undisturbed, _ = crawl_all(sim, tmp_path)
        arguments = (str(tmp_path / "portals"), str(tmp_path / "killed"))
        root, killed = DataRoot(arguments[1]), 0
        for _ in range(20):
            process = processes.Process(target=_crawl_in_a_process, args=arguments)
            before = sum(len(site.log) for site in sim.sites)
            process.start()
            while process.is_alive() and sum(len(site.log) for site in sim.sites) < before + 8:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.1))
            killed += process.is_alive()
            process.kill()
            process.join()
        assert killed == 20, "every kill must have met a running crawl"
        _crawl_in_a_process(*arguments)
        for kind in ("report", "attachment"):
            assert sorted(set(kept(root, kind))) == kept(undisturbed, kind)
        stored = [
            r for r in responses(root).to_pylist() if r["kind"] == "report" and r["outcome"] == "stored"
        ]
        assert max(Counter(r["source_url"] for r in stored).values()) == 1
        for row in stored[:: len(stored) // 20]:
            assert read_payload(root, row["warc_path"], row["warc_offset"])


def test_a_stopped_run_ends_soon_and_goes_on_later(tmp_path: Path) -> None:
    with Simulator(portals=2, agencies=6, kinds=["static_next"], layouts=PAGE_LAYOUTS) as simulator:
        for site in simulator.sites:
            site.door.delay_seconds = 0.02
        simulator.write_portals(tmp_path / "portals")
        root, stop = DataRoot(str(tmp_path / "data")), threading.Event()
        threading.Timer(0.4, stop.set).start()
        results = crawl(read_folder(tmp_path / "portals"), root, contact="x", limits=PATIENT, stop=stop)
        assert all("interrupted" in r.error for r in results)
        root, _ = crawl_all(simulator, tmp_path)
        assert len(kept(root)) == sum(len(site.reports()) for site in simulator.sites)


def test_probe_names_the_family_and_gives_a_file_to_start_from(tmp_path: Path) -> None:
    with Simulator(portals=7, agencies=3, years=range(2021, 2024), kinds=SEVEN) as simulator:
        client = Client("x", PATIENT)
        for site in simulator.sites:
            if site.kind == "json_list":
                continue  # its list is declared, not found
            found = probe(site.address + site.family.lists()[0], client, allow_private=True)
            assert found.family == site.family.name and not found.problem
            assert {listing.url for listing in found.listings} == set(report_urls(site))
            assert site.encoding in found.charset
            path = tmp_path / f"{site.id}.yml"
            text = found.yaml()
            path.write_text(text.replace(text.split("\n")[0], f"id: {site.id}"), encoding="utf8")
        assert len(read_folder(tmp_path)) == 6
        client.close()
