"""Portal files: the shipped ones are whole, a wrong one is named with its field, a user's own stand beside them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from extractors.errors import UserError
from extractors.families import FAMILIES
from extractors.portals import FIRST_YEAR, LEAST_DELAY_SECONDS, SHIPPED, load_portals, parse_portal
from extractors.seed_portals import code_of, portal_of, region_codes, seed

GOOD = {
    "id": "demo",
    "name": "某县人民政府",
    "region": "130123",
    "family": "static",
    "hosts": ["www.demo.gov.cn"],
    "lists": ["http://www.demo.gov.cn/nb/", {"url": "http://www.demo.gov.cn/2023nb/", "year": 2023}],
    "checked": False,
}


def test_every_province_and_family_and_the_central_bodies_are_shipped() -> None:
    portals = load_portals()
    assert len(portals) >= 200
    assert {portal.family for portal in portals} == set(FAMILIES)
    with (Path("transforms/reference/regions.csv")).open(encoding="utf8") as stream:
        provinces = {row["region_code"][:2] for row in csv.DictReader(stream) if row["level"] == "province"}
    mainland = provinces - {"71", "81", "82"}
    assert len(mainland) == 31
    assert mainland | {"00"} <= {portal.region[:2] for portal in portals}
    assert all(portal.manners.delay_seconds >= LEAST_DELAY_SECONDS for portal in portals)
    assert not any(portal.manners.allow_private or portal.checked for portal in portals)
    assert len(list(SHIPPED.glob("*.yml"))) == len(portals)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "colour"),
        ({"family": "wordpress"}, "family"),
        ({"region": "Hebei"}, "region"),
        ({"lists": ["http://elsewhere.example/"]}, "none of the allowed hosts"),
        ({"delay_seconds": 0.5}, "at least 2"),
        ({"lists": ["ftp://www.demo.gov.cn/"]}, "lists.0"),
        ({"hosts": []}, "hosts"),
        ({"family": "json_list", "checked": True}, "json"),
    ],
)
def test_a_wrong_file_is_named_with_its_field(change: dict, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        parse_portal({**GOOD, **change}, "own/demo.yml")
    assert str(error.value).startswith("own/demo.yml: ")


def test_lists_of_one_year_and_templates_follow_the_years_asked_for() -> None:
    portal = parse_portal({**GOOD, "lists": [*GOOD["lists"], "http://www.demo.gov.cn/nb?y={year}"]}, "x")
    assert [start.url[-6:] for start in portal.starts(frozenset({2022}))] == ["cn/nb/", "y=2022"]
    everything = portal.starts()
    assert everything[1].year == 2023 and everything[2].year == FIRST_YEAR


def test_own_portals_stand_beside_the_shipped_and_replace_namesakes(tmp_path: Path, monkeypatch) -> None:
    shipped = load_portals()
    text = (SHIPPED / f"{shipped[0].id}.yml").read_text(encoding="utf8")
    (tmp_path / f"{shipped[0].id}.yml").write_text(text + "note: mine\n", encoding="utf8")
    (tmp_path / "my-own.yml").write_text(
        text.replace(f"id: {shipped[0].id}", "id: my-own", 1), encoding="utf8"
    )
    monkeypatch.setenv("OGI_PORTALS", str(tmp_path))
    portals = {portal.id: portal for portal in load_portals()}
    assert len(portals) == len(shipped) + 1 and portals[shipped[0].id].note == "mine"
    assert [portal.id for portal in load_portals(ids=["my-own"])] == ["my-own"]
    with pytest.raises(UserError, match="my-own"):
        load_portals(ids=["my-owm"])
    (tmp_path / "wrong.yml").write_text(text, encoding="utf8")
    with pytest.raises(UserError, match=r"wrong.yml: id is"):
        load_portals()
    with pytest.raises(UserError, match="not a folder"):
        load_portals(tmp_path / "nowhere")


def test_the_seed_groups_addresses_by_host_and_keeps_checked_files(tmp_path: Path) -> None:
    table = tmp_path / "addresses.csv"
    table.write_text(
        "url,kind,host,agency,region,family\n"
        "http://www.axian.gov.cn/nb/,list,www.axian.gov.cn,正定县人民政府,河北省石家庄市正定县,static\n"
        "http://www.axian.gov.cn/nb/t20240101_1.html,report,www.axian.gov.cn,,,static\n"
        "http://www.bxian.gov.cn/module/xxgk/xxgkAnnualReport.jsp?area=1&fbtime=2021,report,www.bxian.gov.cn,,,hanweb\n",
        encoding="utf8",
    )
    assert seed(table, tmp_path) == (2, [])
    text = (tmp_path / "bxian.yml").read_text(encoding="utf8")
    assert "fbtime={year}" in text
    (tmp_path / "bxian.yml").write_text(text.replace("checked: false", "checked: true"), encoding="utf8")
    assert seed(table, tmp_path) == (1, [])


def test_regions_are_found_by_full_short_and_longest_known_name() -> None:
    codes = region_codes()
    assert code_of("河北省石家庄市正定县", codes) == "130123"
    assert code_of("北京市密云区", codes) == "110118"
    assert code_of("全国", codes) == "000000" and code_of("某国", codes) == ""
    assert code_of("河北省石家庄市没有这个区", codes) == "130100"
    row = {"url": "http://x.gov.cn/a.html", "kind": "report", "agency": "", "region": "", "family": "unknown"}
    assert portal_of("x.gov.cn", [row], codes)["reports"] == ["http://x.gov.cn/a.html"]
