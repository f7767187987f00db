"""Agencies from printed names: one id for every way of printing, no region guessed, reference tables that hold together."""

from __future__ import annotations

import csv
import time
from collections import Counter, defaultdict
from pathlib import Path

import pandas as pd
import pytest

from extractors.errors import UserError
from extractors.schema import arrow_schema, tables
from transforms import lineage as lineage_module
from transforms.identity import resolve_agencies
from transforms.lineage import lineage
from transforms.offices import ENDINGS, known_office
from transforms.refresh_regions import corrected
from transforms.regions import load_regions, short_forms

REFERENCE = Path(__file__).parents[1] / "transforms" / "reference"
ADDRESSES = Path(__file__).parents[2] / "shared" / "domain" / "addresses.csv"


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def resolve(*asked: tuple[str, str] | tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame([(*item, "some-portal")[:3] for item in asked])
    return resolve_agencies(frame.set_axis(["agency_name", "portal_region", "portal_id"], axis=1))


def resolve_one(name: str, region: str = "", portal: str = "some-portal") -> dict[str, object]:
    return dict(resolve((name, region, portal)).iloc[0])


@pytest.mark.parametrize(
    "names",
    [
        ("洪泽区人民政府", "淮安市洪泽区人民政府", "江苏省淮安市洪泽区人民政府", "洪泽区政府"),
        ("沭阳县发改局", "沭阳县发展和改革局", "沭阳县发展改革局", "江苏省沭阳县发展与改革局", "沭阳发改局"),
        ("西藏自治区国资委", "西藏自治区人民政府国有资产监督管理委员会"),
        ("哈尔滨市道里区残联", "哈尔滨市道里区残疾人联合会"),
        ("沭阳县政府办", "沭阳县人民政府办公室"),
        ("广州市荔湾区人民政府南源街道办事处", "荔湾区南源街道", "广州市荔湾区南源街道办事处"),
        ("喀什地区行署", "喀什地区行政公署"),
        ("西宁经开区管委会", "西宁经济技术开发区管理委员会"),
        ("民和县教育局", "民和回族土族自治县教育局", "民和自治县教育局"),
        ("湘西自治州财政局", "湘西州财政局", "湘西土家族苗族自治州财政局"),
        ("锡盟教育局", "锡林郭勒盟教育局"),
        ("九江经济技术开发区管理委员会", "九江市九江经济技术开发区管委会", "江西省九江经济技术开发区管委会"),
        ("六安市寿县人民政府", "淮南市寿县人民政府", "寿县人民政府"),
        ("臺山市財政局", "台山市财政局", "江门市台山市财政局"),
        ("上海市劳动和社会保障局", "原上海市劳动和社会保障局"),
        ("沭阳县应急管理局", "沭阳县应急局", "沭阳县人民政府应急管理局"),
        ("兴安盟行署办公室", "兴安盟行政公署办公室"),
        (
            "石河子市教育局",
            "第八师石河子市教育局",
            "新疆生产建设兵团第八师石河子市教育局",
            "八师石河子市教育局",
        ),
        ("苏银产业园管理委员会", "银川市苏银产业园管委会"),
        ("上海市教委", "上海市教育委员会"),
        ("北京市交委", "北京市交通委员会"),
        ("沭阳县文广局", "沭阳县文化广播影视管理局"),
        ("沭阳县公积金中心", "沭阳县住房公积金管理中心"),
    ],
)
def test_every_way_of_printing_one_agency_gives_the_same_row(names: tuple[str, ...]) -> None:
    found = resolve(*((name, "") for name in names))
    assert found["is_resolved"].all(), found["unresolved_reason"].tolist()
    assert len(found.drop_duplicates()) == 1, found[["agency_id", "name"]]


@pytest.mark.parametrize(
    ("name", "region", "level", "kind", "function"),
    [
        ("国家税务总局沭阳县税务局", "321322", "county", "department", "taxation"),
        ("国家统计局湖北调查总队", "420000", "province", "department", "statistics"),
        ("财政部", "000000", "national", "department", "finance"),
        ("北京市朝阳区财政局", "110105", "county", "department", "finance"),
        ("武汉市生态环境局青山区分局", "420107", "county", "department", "environment"),
        ("西咸新区太平镇人民政府", "610000", "township", "township", None),
        ("柳城县古砦仫佬族乡人民政府", "450222", "township", "township", None),
        ("杭州高新区(滨江)财政局", "330108", "county", "department", "finance"),
        ("中共沭阳县委办公室", "321322", "county", "other", "party"),
        ("重庆市渝北区财政局", "500112", "county", "department", "finance"),
        ("大兴安岭地区加格达奇区人民政府", "232700", "county", "government", "government"),
        ("重庆两江新区管理委员会", "500157", "county", "agency", "development_zone"),
        ("郑州航空港经济综合实验区", "410100", "prefecture", "agency", "development_zone"),
        ("长白山保护开发区管理委员会", "220000", "province", "agency", "development_zone"),
        (
            "中国(广东)自由贸易试验区深圳前海蛇口片区管理委员会",
            *("440000", "province", "agency", "development_zone"),
        ),
        ("清镇市人大常委会办公室", "520181", "county", "other", "legislature"),
        ("天津海事局", "120000", "province", "department", "transport"),
    ],
)
def test_region_level_kind_and_function(
    name: str, region: str, level: str, kind: str, function: str | None
) -> None:
    found = resolve_one(name)
    assert str(found["region_code"]).startswith(region)
    assert (found["level"], found["kind"]) == (level, kind)
    assert found["function"] == function or (function is None and pd.isna(found["function"]))


@pytest.mark.parametrize(
    "name",
    [
        "审计局",
        "县财政局",
        "朝阳区人民政府",
        "鼓楼区审计局",
        "太平镇人民政府",
        "东乡县教育局",
        "沐阳县审计局",
        "江苏省沐阳县审计局",
        "",
        "我局",
        "湖滨新区管理委员会",  # 宿迁's, not of 湖滨区 in 三门峡
        "城东新区管委会",
        "大通湖区管理委员会",
    ],
)
def test_a_region_that_cannot_be_told_is_said_so(name: str) -> None:
    one, other = resolve_one(name, portal="a"), resolve_one(name, portal="b")
    assert not one["is_resolved"] and pd.isna(one["region_code"])
    assert str(one["unresolved_reason"]).endswith(".")
    assert one["agency_id"] != other["agency_id"], "two agencies of one name must not merge"


def test_the_portal_tells_what_the_name_does_not() -> None:
    assert resolve_one("审计局", "654224")["agency_id"] == resolve_one("托里县审计局")["agency_id"]
    assert resolve_one("县财政局", "321322")["agency_id"] == resolve_one("沭阳县财政局")["agency_id"]
    assert resolve_one("朝阳区人民政府", "110000")["region_code"] == "110105"
    assert resolve_one("高岭镇", "110118")["kind"] == "township"
    assert resolve_one("东乡县教育局", "622900")["region_code"] == "622926"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("内蒙古自治区农业厅", "内蒙古自治区农牧厅"),
        ("国家粮食局", "国家粮食和物资储备局"),
        ("国家广播电视总局", "国家新闻出版广电总局"),
        ("江苏省大数据管理局", "江苏省数据局"),
        ("三亚市综合行政执法局", "三亚市城市管理行政执法局"),
        ("沭阳县人民防空办公室", "沭阳县国防动员办公室"),
        ("北京市规划和自然资源委员会", "北京市自然资源和规划委员会"),
        ("重庆市万盛区审计局", "重庆市綦江区审计局"),
        ("邢台市桥西区审计局", "邢台市信都区审计局"),
        ("大兴安岭地区加格达奇区人民政府", "漠河市人民政府"),
        ("开封市鼓楼区审计局", "徐州市鼓楼区审计局"),
    ],
)
def test_different_bodies_never_merge_and_keep_their_names(one: str, other: str) -> None:
    found = resolve((one, ""), (other, ""))
    assert found["agency_id"].nunique() == 2
    for name in found.loc[found["is_resolved"].astype(bool), "name"]:
        bare = name.replace("管理", "")
        assert any(printed.replace("管理", "").endswith(bare) for printed in (one, other)), name


def test_a_town_whose_name_begins_with_former_keeps_it() -> None:
    assert resolve_one("原康镇人民政府", "410581")["region_code"] == "410581109"
    assert resolve_one("原康镇人民政府", "410581")["name"] == "林州市原康镇人民政府"


def test_what_an_office_is_is_known_where_its_region_is_not() -> None:
    found = resolve_one("县审计局")
    assert not found["is_resolved"] and (found["kind"], found["function"]) == ("department", "audit")


def test_every_listed_region_is_found_by_each_way_its_name_is_printed() -> None:
    regions = load_regions()
    asked: list[tuple[str, str]] = []
    expected: list[str] = []
    for row in rows("regions.csv")[1:]:
        code, name, parent = row["region_code"], row["name"], row["parent_code"]
        if len(code) == 9 and int(code) % 17:
            continue
        ending = "人民政府" if len(code) == 6 else "街道办事处" if name.endswith("街道") else "人民政府"
        ways = [
            (regions.path(code) + ending.replace("街道办事处", "办事处"), ""),
            (name + ending.replace("街道办事处", "办事处"), code if len(code) == 6 else parent),
        ]
        if len(code) == 6 and parent != "000000":
            ways += [(regions.by_code[parent].name + name + "审计局", ""), ("审计局", code)]
        asked += ways
        expected += [code] * len(ways)
    found = resolve(*asked)
    missed = [
        (*ask, code, got)
        for ask, code, got in zip(asked, expected, found["region_code"], strict=True)
        if code != got and not ask[0].startswith("郊区乡")
    ]
    assert not missed, missed[:10]


def test_every_former_region_is_found_by_its_name_and_year() -> None:
    regions = load_regions()
    history = rows("region_history.csv")
    asked = pd.DataFrame(
        {
            "agency_name": [
                (regions.path(row["parent_code"]) if row["parent_code"] != "000000" else "")
                + row["name"]
                + "审计局"
                for row in history
            ],
            "portal_region": "",
            "portal_id": "p",
            "year": [int(row["valid_to"]) - 1 for row in history],
        }
    )
    found = resolve_agencies(asked)
    assert found["is_resolved"].all(), found["unresolved_reason"].dropna().tolist()[:5]


def test_the_year_tells_regions_of_one_name_apart() -> None:
    asked = pd.DataFrame(
        {"agency_name": "东乡县教育局", "portal_region": "", "portal_id": "local", "year": [2021, 2012]}
    )
    found = resolve_agencies(asked)
    assert found["region_code"].iloc[0] == "622926", "the other 东乡县 was a district by then"
    assert not found["is_resolved"].iloc[1]


@pytest.mark.parametrize(
    ("name", "year", "code"),
    [
        ("毕节市人民政府", 2009, "522401"),
        ("毕节市人民政府", 2015, "520500"),
        ("贵州省毕节市人民政府", None, "520500"),
        ("吐鲁番市审计局", 2013, "652101"),
        ("吐鲁番市审计局", 2016, "650400"),
        ("巢湖市人民政府", 2009, "341400"),
        ("巢湖市人民政府", 2015, "340181"),
        ("石家庄市桥东区人民政府", 2012, "130103"),
        ("大同市矿区人民政府", 2016, "140203"),
        ("长治市郊区人民政府", 2016, "140411"),
        ("下城区人民政府", 2020, "330103"),
        ("三元区人民政府", 2020, "350404"),
    ],
)
def test_a_name_borne_by_two_regions_in_turn_is_the_ones_of_that_year(
    name: str, year: int | None, code: str
) -> None:
    asked = pd.DataFrame(
        {"agency_name": [name], "portal_region": "", "portal_id": "p", "year": pd.array([year], "Int32")}
    )
    found = resolve_agencies(asked).iloc[0]
    assert (found["region_code"], found["agency_id"].split("-")[0]) == (code, code)


def test_no_region_takes_the_code_of_a_namesake_elsewhere() -> None:
    """A county keeps its province, a district its prefecture while that exists, and a region its level, when recoded."""
    today = {row["region_code"]: row["level"] for row in rows("regions.csv")}
    for row in rows("region_history.csv"):
        old, new = row["region_code"], row["successor_code"]
        if row["change"] != "recoded" or new not in today:
            continue
        assert old[:2] == new[:2], row
        if row["name"].endswith("区") and f"{old[:4]}00" in today:
            assert old[:4] == new[:4], row
        # 儋州市 became a prefecture without counties: the same government.
        assert row["level"] == today[new] or row["name"] == "儋州市", row


def test_a_correction_that_no_longer_fits_is_refused() -> None:
    history = [("130103", "桥东区", "130100", "county", "1980", "2014", "recoded", "130502", "2014", "x")]
    fix = {"region_code": "130103", "name": "桥东区", "expected": "recoded 130502 2014", "valid_to": "2014"}
    fix |= {"change": "", "successor_code": "", "reason": "r"}
    assert corrected(history, [fix])[0][6:] == ("", "", "", "x; corrected")
    for wrong in ({"expected": "merged 130102 2014"}, {"name": "桥南区"}):
        with pytest.raises(UserError, match="look at the change again"):
            corrected(history, [fix | wrong])
    for row in rows("region_corrections.csv"):
        assert row["reason"] and bool(row["change"]) == bool(row["successor_code"]), row


def test_short_names_inside_a_region_and_of_central_bodies() -> None:
    for name, code in (
        ("宿迁市沭阳生态环境局", "321322"),
        ("成都市彭州生态环境局", "510182"),
        ("江苏省淮安工商行政管理局", "320800"),
        ("宿迁市公安局宿豫分局", "321311"),
        ("深圳市规划和自然资源局宝安管理局", "440306"),
        ("沈阳市苏家屯生态环境分局", "210111"),
        ("国家统计局淮安调查队", "320800"),
        ("长沙海关", "430100"),
        ("淮安发改局", "320800"),
        ("自然资源部东海局", "000000"),
    ):
        assert resolve_one(name)["region_code"] == code, name
    assert not resolve_one("邢台财政局")["is_resolved"], "the county of that name was there until 2020"
    same = resolve(("沭阳县生态环境局", ""), ("宿迁市沭阳生态环境局", ""))
    assert same["agency_id"].nunique() == 1


def test_bodies_that_bore_one_name_after_another_are_not_one() -> None:
    first, last = resolve_one("新闻出版总署"), resolve_one("国家新闻出版署")
    between, film = resolve_one("国家新闻出版广电总局"), resolve_one("国家广播电影电视总局")
    everyone = pd.DataFrame([first, between, last, film])
    joined = lineage(everyone)
    assert {(row.predecessor, row.successor, row.year) for row in joined.itertuples()} == {
        (first["agency_id"], between["agency_id"], 2013),
        (film["agency_id"], between["agency_id"], 2013),
        (between["agency_id"], last["agency_id"], 2018),
    }


def test_the_portal_never_overrules_the_name_or_lends_its_region_to_another() -> None:
    assert resolve_one("沭阳县财政局", "110105")["region_code"] == "321322"
    assert not resolve_one("市财政局", "321322")["is_resolved"]
    assert not resolve_one("沐阳县审计局", "320000")["is_resolved"]


def test_former_regions_keep_their_agencies_and_years() -> None:
    former, now = resolve_one("水城县人民政府"), resolve_one("六盘水市水城区人民政府")
    assert former["agency_id"] != now["agency_id"]
    assert former["valid_to"] == 2020 and pd.isna(now["valid_to"])
    joined = lineage(pd.DataFrame([former, now]))
    assert joined[["predecessor", "successor", "year", "kind"]].values.tolist() == [
        [former["agency_id"], now["agency_id"], 2020, "renamed"]
    ]


def test_one_row_an_input_row_in_its_order_and_fit_for_the_table() -> None:
    found = resolve(("沭阳县财政局", ""), ("审计局", ""), ("沭阳县财政局", ""))
    assert found["agency_id"].iloc[0] == found["agency_id"].iloc[2] != found["agency_id"].iloc[1]
    assert list(found.columns) == list(tables()["agencies"]["columns"])
    import pyarrow as pa

    pa.Table.from_pandas(found, schema=arrow_schema("agencies"), preserve_index=False)
    empty = resolve_agencies(pd.DataFrame(columns=["agency_name", "portal_region", "portal_id"]))
    assert list(empty.columns) == list(found.columns) and empty.empty


def test_an_id_has_one_name_whatever_is_asked() -> None:
    regions = load_regions()
    codes = [code for code in regions.by_code if len(code) == 6][::37]
    offices = ["财政局", "发改局", "卫健委", "住建局", "残联", "人民政府", "政府办", "城管局", "某某事务中心"]
    asked = [(regions.path(code) + office, "") for code in codes for office in offices]
    asked += [(regions.by_code[code].name + office, code) for code in codes for office in offices]
    found = resolve(*asked)
    assert (found.groupby("agency_id").nunique(dropna=False).drop(columns="unresolved_reason") <= 1).all(
        axis=None
    )
    assert found["agency_id"].str.fullmatch(r"[a-z0-9_-]+").all()


@pytest.mark.skipif(not ADDRESSES.exists(), reason="the list of real addresses is not beside the project")
def test_real_agencies_resolve_to_their_stated_regions() -> None:
    with ADDRESSES.open(encoding="utf8", newline="") as file:
        stated = [row for row in csv.DictReader(file) if row["agency"] and row["region"]]
    regions = load_regions()
    codes = {regions.path(code): code for code in regions.by_code}
    found = resolve(*((row["agency"], codes.get(row["region"], ""), row["host"]) for row in stated))
    right = [
        str(name).replace("通化市梅", "梅").replace("保定市定", "定").startswith(row["region"])
        for name, row in zip(found["region_name"], stated, strict=True)
    ]
    assert sum(right) >= len(stated) - 2  # one zone inside a zone is printed by the list under the outer one


def test_a_hundred_thousand_names_in_seconds() -> None:
    regions = load_regions()
    places = [regions.path(code) for code in list(regions.by_code)[:5000]]
    names = [
        (place + office, "") for place in places for office in ("财政局", "教育局", "信访局", "人民政府")
    ]
    started = time.process_time()
    resolve(*names)
    assert time.process_time() - started < 10


# --- the reference tables


def test_regions_form_a_tree_of_known_codes() -> None:
    regions = rows("regions.csv")
    codes = {row["region_code"]: row for row in regions}
    assert len(codes) == len(regions)
    order = ["national", "province", "prefecture", "county", "township"]
    for row in regions[1:]:
        assert row["region_code"].isdigit() and len(row["region_code"]) == (
            9 if row["level"] == "township" else 6
        )
        assert order.index(codes[row["parent_code"]]["level"]) < order.index(row["level"]), row
    known = {*codes, *(row["region_code"] for row in rows("region_history.csv"))}
    for row in rows("region_history.csv"):
        assert row["parent_code"] in known
        assert row["change"] in ("", "renamed", "recoded", "merged")
        assert bool(row["change"]) == bool(row["successor_code"]) == bool(row["change_year"])
        assert not row["successor_code"] or row["successor_code"] in known
        assert int(row["valid_from"]) <= int(row["valid_to"])
    assert (
        Counter((r["region_code"], r["name"]) for r in rows("region_history.csv")).most_common(1)[0][1] == 1
    )


def test_reviewed_tables_name_known_regions_and_reasons() -> None:
    codes = {row["region_code"] for row in rows("regions.csv")}
    for row in rows("region_aliases.csv"):
        assert row["region_code"] in codes and row["reason"]
    names = [row["name"] for row in rows("region_aliases.csv")]
    assert len(names) == len(set(names))
    aliases = rows("aliases.csv")
    assert len({row["alias"] for row in aliases}) == len(aliases)
    assert all(row["canonical"] and row["reason"] for row in aliases)
    assert not {row["alias"] for row in aliases} & {row["canonical"] for row in aliases}
    for row in rows("agencies.csv"):
        assert row["region_code"] in codes and row["reason"]
        assert row["agency_id"].startswith(row["region_code"] + "-")


def test_offices_are_told_apart() -> None:
    offices = rows("offices.csv")
    assert len({row["office"] for row in offices}) == len(offices) >= 60
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for row in offices:
        for name in (row["name"], *row["other_names"].split("|")):
            if name:
                owners[name.replace("和", "").replace("与", "").replace("及", "")].add(row["office"])
    assert not {name: found for name, found in owners.items() if len(found) > 1}
    kinds = {"government", "general_office", "department", "township", "subdistrict", "agency", "other"}
    assert {row["kind"] for row in offices} <= kinds


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("发改局", "发展和改革局"),
        ("住建局", "住房和城乡建设局"),
        ("人社局", "人力资源和社会保障局"),
        ("卫健委", "卫生健康委员会"),
        ("审批局", "行政审批局"),
        ("工信局", "工业和信息化局"),
        ("文旅局", "文化和旅游局"),
        ("医保局", "医疗保障局"),
        ("国资委", "国有资产监督管理委员会"),
    ],
)
def test_short_forms_of_offices(short: str, full: str) -> None:
    assert known_office(short) == known_office(full) is not None
    assert known_office(full).name == full  # type: ignore[union-attr]


def test_an_office_has_one_name() -> None:
    names: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows("offices.csv"):
        printed = "|".join((row["name"], row["other_names"], row["short_names"])).split("|")
        for name in filter(None, printed):
            for ending in ENDINGS:
                if (office := known_office(name + ending)) and not office.slug.endswith("administration"):
                    names[office.slug].add(office.name)
    assert not {slug: found for slug, found in names.items() if len(found) > 1}
    assert not [name for found in names.values() for name in found if "管理管理" in name]


@pytest.mark.parametrize(
    "name",
    [
        "应急管理局",
        "市场监督管理局",
        "住房公积金管理中心",
        "政务服务和大数据管理局",
        "政务服务中心",
        "邮政管理局",
        "绿化和市容管理局",
        "地方志办公室",
        "招商局",
        "投资促进局",
        "金融工作办公室",
        "数据局",
        "海洋局",
    ],
)
def test_the_usual_names_of_offices_are_kept(name: str) -> None:
    assert known_office(name).name == name  # type: ignore[union-attr]


def test_short_forms_of_regions_are_never_one_character() -> None:
    assert short_forms("民和回族土族自治县", "county") == {"民和", "民和县", "民和自治县"}
    assert short_forms("东乡族自治县", "county") == {"东乡", "东乡县"}
    assert short_forms("陇县", "county") == set()


def test_lineage_rows_are_complete_and_run_forward() -> None:
    pairs = rows("agency_lineage.csv")
    assert len({(row["predecessor"], row["successor"]) for row in pairs}) == len(pairs)
    known = {f"{row['office']}" for row in rows("offices.csv")}
    for row in pairs:
        assert row["kind"] in ("renamed", "merged", "split") and row["reason"] and row["source"]
        for agency_id in (row["predecessor"], row["successor"]):
            office = agency_id.split("-", 1)[1]
            assert any(office.startswith(name) for name in known), agency_id
    everyone = pd.DataFrame(
        {"agency_id": sorted({row[k] for row in pairs for k in ("predecessor", "successor")})}
    )
    assert len(lineage(everyone)) == sum(not row["predecessor"].startswith("*") for row in pairs)


def test_the_ids_of_central_bodies_in_the_lineage_are_those_names_get() -> None:
    for name in (
        "国土资源部",
        "国家工商行政管理总局",
        "国家食品药品监督管理总局",
        "中国银监会",
        "国家旅游局",
        "国务院扶贫办",
    ):
        assert resolve_one(name)["agency_id"] in {row["predecessor"] for row in rows("agency_lineage.csv")}, (
            name
        )


def test_office_rules_join_the_agencies_of_one_region_only() -> None:
    agencies = resolve(("沭阳县国土资源局", ""), ("沭阳县自然资源局", ""), ("泗阳县自然资源局", ""))
    joined = lineage(agencies)
    assert joined[["predecessor", "successor"]].values.tolist() == [agencies["agency_id"].tolist()[:2]]


def test_a_circle_in_the_lineage_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"year": "2018", "kind": "renamed", "reason": "r", "source": "s"}
    circle = [
        {"predecessor": "1-a", "successor": "1-b", **facts},
        {"predecessor": "1-b", "successor": "1-a", **facts},
    ]
    monkeypatch.setattr(lineage_module, "_rows", lambda name: circle if name == "agency_lineage.csv" else [])
    with pytest.raises(UserError, match="follows itself"):
        lineage(pd.DataFrame({"agency_id": ["1-a", "1-b"]}))
