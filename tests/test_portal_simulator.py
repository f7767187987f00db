"""The portal simulator over real HTTP: reports stand where their portal says, misbehaviour is as described.

Calls no crawler; the crawl's own tests do.
"""

from __future__ import annotations

import re
import time

import httpx
import pytest
import yaml

from tests.simulator import hostile
from tests.simulator.families import FAMILIES
from tests.simulator.portal import Simulator
from tests.simulator.shelf import Shelved

YEARS = range(2018, 2022)


@pytest.fixture(scope="module")
def simulator():
    with Simulator(len(FAMILIES), 4, YEARS, page_size=6) as running:
        yield running


@pytest.mark.parametrize("kind", FAMILIES)
def test_every_report_stands_at_its_address_once_in_its_encoding(simulator, kind):
    site = next(site for site in simulator.sites if site.kind == kind)
    reports = site.reports()
    assert len(reports) == 4 * len(YEARS)
    addresses = {site.article_url(item) for item in reports}
    assert len(addresses) == len(reports)
    with httpx.Client() as client:
        for item in reports:
            page = client.get(site.article_url(item))
            assert page.status_code == 200
            if kind != "epoint":
                assert item.title in page.content.decode(site.encoding)
            if item.suffix:
                assert client.get(site.file_url(item)).content[:2] in (b"%P", b"PK")


@pytest.mark.parametrize(
    "kind", ["static_four", "static_six", "static_next", "descending", "parameter", "lonsun"]
)
def test_following_the_pager_as_a_visitor_finds_every_report(simulator, kind):
    """Follows every link of a list that leads to a list, as somebody clicking would."""
    site = next(site for site in simulator.sites if site.kind == kind)
    wanted = {site.family.article_path(item) for item in site.reports()}
    paths, seen, found = [site.family.lists()[0]], set(), set()
    with httpx.Client() as client:
        while paths:
            path = paths.pop()
            if path in seen:
                continue
            seen.add(path)
            text = client.get(site.address + path).content.decode(site.encoding)
            for number in range(2, 12):
                paths += [path.replace("list.shtml", f"list_{number}.shtml")] * ("createPageHTML('" in text)
                paths += [f"/zwgk/xxgknb/index_{number - 1}.html"] * (
                    "createPageHTML(" in text and "index" in text
                )
            for link in re.findall(r"""(?:href|HREF)=['"]?([^'"\s>]+)|open\('([^']+)'""", text):
                target = str(httpx.URL(site.address + path).join(link[0] or link[1])).removeprefix(
                    site.address
                )
                found.add(target)
                if target not in wanted and re.search(r"list|/nb/|pageIndex|page=", target):
                    paths.append(target)
            paths = [path for path in paths if path not in seen and len(seen) < 60]
    assert wanted <= found


def test_known_pages_are_answered_304(simulator):
    answers = []
    with httpx.Client() as client:
        for site in simulator.sites[:3]:
            url = site.article_url(site.reports()[0])
            first = client.get(url)
            known = {
                "If-None-Match": first.headers.get("etag", "-"),
                "If-Modified-Since": first.headers.get("last-modified", "-"),
            }
            second = client.get(url, headers=known)
            answers.append((site.validators, second.status_code, second.content == first.content))
    assert answers == [("etag", 304, False), ("modified", 304, False), ("none", 200, False)]


def test_portal_files_name_the_running_portals(simulator, tmp_path):
    paths = simulator.write_portals(tmp_path / "portals")
    content = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]
    assert [entry["id"] for entry in content] == [path.stem for path in paths]
    assert len({entry["hosts"][0] for entry in content}) == len(FAMILIES)
    rows = simulator.write_truth(tmp_path / "truth.csv")
    assert rows == sum(len(item.report.cells) for site in simulator.sites for item in site.reports())


def test_a_portal_changes_goes_down_and_comes_back():
    with Simulator(1, 3, range(2022, 2024), kinds=["static_four"]) as simulator, httpx.Client() as client:
        site = simulator.sites[0]
        item = site.reports()[0]
        who = item.report.agency.name
        before = client.get(site.article_url(item))
        new, key = site.correct_report(who, item.report.year)
        after = client.get(site.article_url(item), headers={"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert new.report.cells[key] != item.report.cells[key]
        added = site.add_report(who, 2024)
        assert added.title in client.get(site.address + site.family.lists()[0]).text
        simulator.set_down(site.id)
        with pytest.raises(httpx.HTTPError):
            httpx.get(site.address)
        simulator.set_down(site.id, False)
        assert httpx.get(site.address).status_code == 200
        assert site.fetched("report") == [site.family.article_path(item)] * 2


def test_decoys_and_duplicates_stand_among_the_reports(simulator):
    items = simulator.sites[0].items()
    shown = [item for item in items if isinstance(item, Shelved)]
    assert len(shown) > len(set(map(id, shown)))
    assert any("解读" in item.title for item in items) and any("模板" in item.title for item in items)


def test_faults_come_at_the_same_places_every_time():
    def faults():
        with Simulator(2, 10, YEARS) as simulator:
            return [(item.title, item.report.faults) for site in simulator.sites for item in site.reports()]

    first = faults()
    assert first == faults()
    assert any(planted for _, planted in first)


ENDLESS = ("drip", "silent", "endless", "endless_headers")


@pytest.mark.parametrize("name", sorted(set(hostile.CASES) - set(ENDLESS) - {"huge_file", "huge_page"}))
def test_hostile_answers_end(simulator, name):
    site = simulator.sites[0]
    site.misbehave("/hostile.html", hostile.case(name))
    try:
        with httpx.stream("GET", site.address + "/hostile.html", timeout=5) as answer:
            assert sum(len(piece) for piece in answer.iter_raw()) < 5 << 20
    except httpx.HTTPError:
        assert name in ("short", "garbage", "false_gzip")


@pytest.mark.parametrize("name", ENDLESS)
def test_hostile_answers_that_never_end_leave_the_portal_responsive(simulator, name):
    site = simulator.sites[1]
    site.misbehave("/hostile.html", hostile.case(name))
    with (
        pytest.raises(httpx.HTTPError),
        httpx.stream("GET", site.address + "/hostile.html", timeout=0.3) as answer,
    ):
        started = time.monotonic()
        for _ in answer.iter_raw():
            if time.monotonic() - started > 0.4:
                raise httpx.ReadTimeout("long enough")
    assert httpx.get(site.address + "/robots.txt", timeout=2).status_code == 200
