"""The hostile web: each misbehaviour is named rightly, bounded in time and memory, and harms nothing else."""

from __future__ import annotations

import resource
import socket
import time
from pathlib import Path

import pytest

from extractors.archive import responses
from extractors.article import examine
from extractors.client import Client, Limits, Manners
from extractors.families import body_selectors
from extractors.listing import Listing
from extractors.network import is_public, resolve
from extractors.outcomes import FAILED, REFUSED, NotKept
from extractors.page import Page
from tests.crawling import QUICK, crawl_all, kept, report_urls
from tests.simulator.hostile import CASES, EVIL_TEXTS, case, evil_report
from tests.simulator.http import Response
from tests.simulator.portal import Simulator

LIST_CASES = {name for name, one in CASES.items() if one.group == 7}
FILE_CASES = {name for name, one in CASES.items() if one.group == 10}


@pytest.fixture(scope="module", autouse=True)
def peak_before() -> int:
    """The process's peak in kB before the first test of this file."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def simulated(**options) -> Simulator:
    return Simulator(portals=1, agencies=3, years=range(2022, 2024), kinds=["static_next"], **options)


@pytest.mark.parametrize("name", sorted(set(CASES) - LIST_CASES - FILE_CASES))
def test_a_hostile_article_is_named_and_the_rest_is_complete(name: str, tmp_path: Path) -> None:
    with simulated(layouts=("html:clean",)) as simulator:
        site = simulator.sites[0]
        url = report_urls(site)[2]
        site.misbehave(url.removeprefix(site.address), case(name))
        if name == "redirect_loop":
            site.misbehave(url.removeprefix(site.address) + "?again=1", case(name))
        began = time.monotonic()
        root, results = crawl_all(simulator, tmp_path, limits=QUICK)
        assert time.monotonic() - began < 15
        result = results[site.id]
        codes = set(result.refused + result.failed)
        others = [u for u in report_urls(site) if u != url]
        assert [u for u, _ in kept(root) if u != url] == others
        if CASES[name].expected:
            assert codes and codes <= set(CASES[name].expected), codes
            rows = [r for r in responses(root).to_pylist() if r["source_url"] == url]
            assert [r["reason"].split(":")[0] for r in rows] == list(codes)
        else:
            assert not codes and url in [u for u, _ in kept(root)]
        assert not result.error


@pytest.mark.parametrize("name", sorted(FILE_CASES))
def test_a_hostile_file_is_named_and_its_article_kept(name: str, tmp_path: Path) -> None:
    with simulated(layouts=("file:docx",)) as simulator:
        site = simulator.sites[0]
        target = site.file_url(site.reports()[0])
        site.misbehave(target.removeprefix(site.address), case(name))
        root, results = crawl_all(simulator, tmp_path, limits=Limits(total_seconds=10, backoff_seconds=0.05))
        codes = set(results[site.id].refused + results[site.id].failed)
        assert codes <= set(CASES[name].expected) and bool(codes) == bool(CASES[name].expected)
        assert [u for u, _ in kept(root)] == report_urls(site)
        assert len(kept(root, "attachment")) == 6 - bool(codes)


@pytest.mark.parametrize("name", sorted(LIST_CASES))
def test_a_list_that_never_ends_costs_a_few_requests(name: str, tmp_path: Path) -> None:
    with simulated() as simulator:
        site = simulator.sites[0]
        how = case(name)
        site.wildcard = how
        crawl_all(simulator, tmp_path, limits=QUICK)
        assert len(site.log) < 20


def test_a_host_that_shuts_the_crawler_out_is_left_alone(tmp_path: Path) -> None:
    with Simulator(portals=2, agencies=20, kinds=["static_next"], layouts=("html:clean",)) as simulator:
        site, other = simulator.sites
        for url in report_urls(site):
            site.misbehave(url.removeprefix(site.address), case("challenge_412"))
        root, results = crawl_all(simulator, tmp_path, limits=QUICK)
        assert "given_up" in results[site.id].error and results[site.id].refused["challenge"] == 6
        assert len(site.log) < 12
        assert [u for u, _ in kept(root)] == report_urls(other)


def test_a_long_retry_after_is_obeyed_by_leaving(tmp_path: Path) -> None:
    with simulated() as simulator:
        site = simulator.sites[0]
        site.wildcard = Response(b"slow down", 503, headers={"Retry-After": "3600"})
        began = time.monotonic()
        _, results = crawl_all(simulator, tmp_path, limits=QUICK)
        assert "3600 s" in results[site.id].error and len(site.log) == 1 and time.monotonic() - began < 3


def test_the_list_sent_for_every_article_is_not_taken_for_reports(tmp_path: Path) -> None:
    with simulated(layouts=("html:clean",)) as simulator:
        site = simulator.sites[0]
        client = Client("x", QUICK)
        portal_list = site.address + site.family.lists()[0]
        manners = Manners(frozenset({f"127.0.0.1:{site.door.port}"}), 0, 100, True)
        body = client.fetch(portal_list, manners).payload
        client.close()
        for url in report_urls(site):
            site.misbehave(url.removeprefix(site.address), Response(body))
        root, results = crawl_all(simulator, tmp_path, limits=QUICK)
        assert results[site.id].refused["other_page"] == 6 and not kept(root)


def test_one_report_sent_for_all_is_kept_once(tmp_path: Path) -> None:
    with simulated(layouts=("html:clean",)) as simulator:
        site = simulator.sites[0]
        same = evil_report(
            site.reports()[0].title, "<p>一、总体情况 二、主动公开 三、收到和处理 四、行政复议</p>"
        )
        for url in report_urls(site):
            site.misbehave(url.removeprefix(site.address), same)
        root, results = crawl_all(simulator, tmp_path, limits=QUICK)
        assert len(kept(root)) == 1 and results[site.id].refused["other_page"] == 5


def test_clone_portals_are_both_kept_with_the_same_hashes(tmp_path: Path) -> None:
    with simulated(layouts=("html:clean",)) as first, simulated(layouts=("html:clean",)) as clone:
        clone.sites[0].id = "clone"
        root, _ = crawl_all(first, tmp_path, limits=QUICK)
        crawl_all(clone, tmp_path, limits=QUICK)
        assert len(kept(root)) == 12


def test_evil_text_changes_nothing(tmp_path: Path) -> None:
    with simulated(layouts=("html:clean",)) as simulator:
        site = simulator.sites[0]
        item = site.reports()[0]
        site.misbehave(site.family.article_path(item), evil_report(item.title, "<p>一、总体情况</p>"))
        root, _ = crawl_all(simulator, tmp_path, limits=QUICK)
        assert [u for u, _ in kept(root)] == report_urls(site)
        assert EVIL_TEXTS


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "255.255.255.255",
    ],
)
def test_no_private_address_is_public(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are() -> None:
    assert is_public("1.1.1.1") and is_public("2400:3200::1")


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]"])
def test_no_spelling_of_loopback_is_connected_to(host: str) -> None:
    with simulated() as simulator:
        port = simulator.sites[0].door.port
        client = Client("x", QUICK)
        with pytest.raises(NotKept) as refused:
            client.fetch(f"http://{host}:{port}/", Manners(frozenset({f"{host}:{port}"}), 0, 10))
        assert refused.value.code in ("private_address", "dns_failed")
        assert not simulator.sites[0].log
        client.close()


def test_a_name_that_resolves_to_a_private_address_too_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: every answer is checked, and the checked one is what is dialled."""
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("1.1.1.1", "10.0.0.1")]
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: asked.append(a) or answers)
    with pytest.raises(NotKept, match="private_address"):
        resolve("rebind.example", 80, allow_private=False)
    assert len(asked) == 1


@pytest.mark.parametrize("tag", ["div", "b", "x", "font"])
def test_deep_trees_are_refused_before_a_parser_sees_them(tag: str) -> None:
    page = Page("http://a.gov.cn/", f"<html>{f'<{tag}>' * 200_000}x".encode(), "text/html")
    began = time.process_time()
    with pytest.raises(NotKept, match="too_deep"):
        examine(page, body_selectors("static"), Listing(page.url, "某局2023年政府信息公开工作年度报告"))
    assert time.process_time() - began < 2


def test_every_reason_is_one_of_the_vocabulary() -> None:
    assert not set(REFUSED) & set(FAILED)
    assert {code for one in CASES.values() for code in one.expected} <= set(REFUSED) | set(FAILED)


def test_memory_stayed_bounded(peak_before: int) -> None:
    """Runs last: what this whole file added to the process's peak, simulator and bombs included."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_before < 800 << 10
