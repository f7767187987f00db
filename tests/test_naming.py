"""Who reports, about which year, public since when: as titles, sentences, page facts and signatures print it."""

from __future__ import annotations

import csv
import time
from datetime import date
from pathlib import Path

import pytest
import yaml

from extractors.naming import identify
from extractors.naming_words import WORDS_FILE
from extractors.records import Document, Grid, GridCell, Paragraph

SAMPLES = Path(__file__).parents[2] / "shared" / "reports"


def document(*lines: str, title: str = "", meta: dict[str, str] | None = None) -> Document:
    return Document("text", tuple(Paragraph(line) for line in lines), title=title, meta=meta or {})


REPORT = "政府信息公开工作年度报告"
STATED = "本报告由{0}编制,所列数据的统计期限为{1}年1月1日至{1}年12月31日。"


@pytest.mark.parametrize(
    ("line", "agency", "year"),
    [
        (f"沭阳县审计局2021年{REPORT}", "沭阳县审计局", 2021),
        (f"2021年沭阳县审计局{REPORT}", "沭阳县审计局", 2021),
        (f"沭阳县审计局{REPORT}(2021年)", "沭阳县审计局", 2021),
        (f"沭阳县审计局{REPORT}2021", "沭阳县审计局", 2021),
        (f"中共沭阳县委办公室2021年{REPORT}", "中共沭阳县委办公室", 2021),
        ("沭阳县人民政府办公室关于2021年政府信息公开工作的年度报告", "沭阳县人民政府办公室", 2021),
        ("江苏省财政厅2020年度政府信息公开工作报告", "江苏省财政厅", 2020),
        ("2022年太平镇政府信息公开年报", "太平镇", 2022),
        ("2022年太平镇人民政府信息公开年报", "太平镇人民政府", 2022),
        ("国家税务总局沭阳县税务局2023年政府信息公开年度报告", "国家税务总局沭阳县税务局", 2023),
        (f"鼓楼街道办事处二〇二三年{REPORT}", "鼓楼街道办事处", 2023),
        (f"鼓楼街道办事处二○一九年度{REPORT}", "鼓楼街道办事处", 2019),
        (f"鼓楼街道办事处二零二零年{REPORT}", "鼓楼街道办事处", 2020),
        ("２０２０年沭阳县审计局政府信息公开年报", "沭阳县审计局", 2020),
        (f"沭阳县审计局202020年{REPORT}", "沭阳县审计局", 2020),
        (f"沭 阳 县 审 计 局 20 21 年{REPORT}", "沭阳县审计局", 2021),
        ("臺山市人民政府2019年政府信息公開工作年度報告", "台山市人民政府", 2019),
        (f"《沭阳县审计局2021年{REPORT}》", "沭阳县审计局", 2021),
        (f"沭阳县审计局2021年{REPORT}沭阳县审计局2021年{REPORT}", "沭阳县审计局", 2021),
        (f"沭阳县审计局2021年{REPORT}-沭阳县审计局网站", "沭阳县审计局", 2021),
        (f"2021年{REPORT}-沭阳县发改局", "沭阳县发改局", 2021),
        (f"首页>政务公开>政府信息公开年报>沭阳县审计局2021年{REPORT}", "沭阳县审计局", 2021),
        (f"关于报送沭阳县审计局2021年度{REPORT}的函", "沭阳县审计局", 2021),
        (f"关于2021年度沭阳县审计局{REPORT}的公示", "沭阳县审计局", 2021),
        (f"沭阳县审计局2021年{REPORT}(2022年1月)", "沭阳县审计局", 2021),
        (f"2022-01-20沭阳县审计局2021年{REPORT}", "沭阳县审计局", 2021),
        (f"[年报]沭阳县审计局2021年{REPORT}", "沭阳县审计局", 2021),
        (f"金华市市场监督管理局(知识产权局)2022年度{REPORT}", "金华市市场监督管理局(知识产权局)", 2022),
        (f"昆明市官渡区人民政府六甲街道办事处2024年{REPORT}", "昆明市官渡区人民政府六甲街道办事处", 2024),
        (
            f"中国(河北)自由贸易试验区雄安片区管理委员会2022年{REPORT}",
            "中国(河北)自由贸易试验区雄安片区管理委员会",
            2022,
        ),
        ("财政部2017年政府信息公开工作报告", "财政部", 2017),
        (
            f"沭阳县审计局2021年{REPORT}" + STATED.format("沭阳县审计局", 2021) + "一、总体情况" * 400,
            "沭阳县审计局",
            2021,
        ),
        (f"沭阳县审计局{REPORT}", "沭阳县审计局", None),
        ("国务院办公厅关于印发2022年政府信息公开工作要点的通知", "", None),
    ],
)
def test_titles_in_print(line: str, agency: str, year: int | None) -> None:
    for found in (identify(document(line, "一、总体情况")), identify(document(title=line))):
        assert (found.agency_name, found.year) == (agency, year)


@pytest.mark.parametrize(
    "lines",
    [
        ("沭阳县审计局", f"2021年度{REPORT}", "一、总体情况"),
        ("沭阳县审计局 2021 年", "政府信息公开", "工作年度报告", "一、总体情况"),
        ("沭阳县审计局关于", "2021年政府信息公开工作的", "年度报告", "一、总体情况"),
        ("2021年度", f"沭阳县审计局{REPORT}", "一、总体情况"),
        (f"沭阳县审计局{REPORT}", "(2021年度)", "一、总体情况"),
        (f"2021年{REPORT}", "沭阳县审计局", "一、总体情况"),
        ("沭阳县审计局", "沭阳县审计局", f"2021年{REPORT}"),
        ("沭政办发〔2022〕3号", f"沭阳县审计局2021年{REPORT}"),
        ("索引号:014314799/2024-00002", "发布日期:2022-01-17", f"沭阳县审计局2021年{REPORT}"),
    ],
)
def test_titles_broken_over_lines(lines: tuple[str, ...]) -> None:
    found = identify(document(*lines))
    assert (found.agency_name, found.year) == ("沭阳县审计局", 2021)


@pytest.mark.parametrize(
    "lines",
    [
        (STATED.format("沭阳县审计局", 2021),),
        (STATED.format("沭阳县审计局", 2021).replace("2021年1月", "20211月", 1),),
        ("按照《条例》(国令第711号)的规定,由沭阳县审计局编制的2021年度政府信息公开工作报告。",),
        (
            "沭阳县审计局根据《中华人民共和国政府信息公开条例》编制本报告。",
            "统计期限为2021年1月1日至12月31日。",
        ),
        ("根据《条例》要求,现公布沭阳县审计局2021年政府信息公开年度报告。",),
        (f"我局2021年度{REPORT}", "一、总体情况", "无。", "沭阳县审计局", "2022年1月20日"),
        (f"2021年{REPORT}", "发布时间:2022-01-20 来源:沭阳县审计局 字号:大中小", "一、总体情况"),
    ],
)
def test_names_and_years_outside_the_title(lines: tuple[str, ...]) -> None:
    found = identify(document(*lines))
    assert (found.agency_name, found.year) == ("沭阳县审计局", 2021)


def test_the_title_comes_before_sentence_metadata_and_signature() -> None:
    found = identify(
        document(
            f"甲县审计局2021年{REPORT}",
            STATED.format("乙县审计局", 2020),
            "丁县审计局",
            meta={"发布机构": "丙县审计局"},
        )
    )
    assert (found.agency_name, found.agency_source, found.year, found.year_source) == (
        "甲县审计局",
        "title",
        2021,
        "title",
    )
    assert (
        identify(document(STATED.format("乙县审计局", 2020), meta={"发布机构": "丙县审计局"})).agency_name
        == "乙县审计局"
    )
    assert identify(document("丁县审计局", meta={"发布机构": "丙县审计局"})).agency_source == "metadata"


@pytest.mark.parametrize(
    ("line", "agency", "year"),
    [
        (f"一、沭阳县审计局2021年{REPORT}", "沭阳县审计局", 2021),
        (f"1.沭阳县审计局2021年{REPORT}", "沭阳县审计局", 2021),
        (f"附件2-1 沭阳县审计局2021年{REPORT}", "沭阳县审计局", 2021),
        (f"附件2021年沭阳县审计局{REPORT}", "沭阳县审计局", 2021),
        (f"附城镇人民政府2021年{REPORT}", "附城镇人民政府", 2021),
        ("2021年度假区管委会政府信息公开年报", "度假区管委会", 2021),
        (f"[西乌珠穆沁旗人民政府]2021年{REPORT}", "西乌珠穆沁旗人民政府", 2021),
        (f"2021年{REPORT}(沭阳县审计局)", "沭阳县审计局", 2021),
        (f"{REPORT}(2021年)沭阳县审计局", "沭阳县审计局", 2021),
        ("政府信息公开年报:沭阳县审计局2021年度", "沭阳县审计局", 2021),
        (f"沭阳县审计局:2021年{REPORT}", "沭阳县审计局", 2021),
        (f"沭阳县审计局公开2021年{REPORT}", "沭阳县审计局", 2021),
        (f"沭阳县审计局2021年推进{REPORT}", "沭阳县审计局", 2021),
        ("沭阳县审计局2021年政府信息主动公开工作年度报告", "沭阳县审计局", 2021),
        ("沭阳县审计局实施《政府信息公开条例》2021年度报告", "沭阳县审计局", 2021),
        (f"沭阳县审计局2021年1-12月{REPORT}", "沭阳县审计局", 2021),
        (f"沭阳县审计局{REPORT}-2021年", "沭阳县审计局", 2021),
        (f"沭阳县审计局二О二一年{REPORT}", "沭阳县审计局", 2021),
        (f"关于发布《沭阳县审计局2021年{REPORT}》的通知", "沭阳县审计局", 2021),
        (f"沭阳县审计局关于印发《2021年{REPORT}》的公告", "沭阳县审计局", 2021),
        ("特向社会公布沭阳县审计局2021年政府信息公开年度报告。", "沭阳县审计局", 2021),
        ("瀋陽市鐵西區審計局2021年政府資訊公開工作年度報告", "沈阳市铁西区审计局", 2021),
        (f"西咸新区空港新城2021年{REPORT}", "西咸新区空港新城", 2021),
        ("《国务院办公厅关于印发政府信息公开工作年度报告格式的通知》", "", None),
    ],
)
def test_titles_numbered_tagged_or_turned_about(line: str, agency: str, year: int | None) -> None:
    found = identify(document(line, "一、总体情况"))
    assert (found.agency_name, found.year) == (agency, year)


@pytest.mark.parametrize(
    ("sentence", "agency"),
    [
        ("根据《条例》要求,沭阳县审计局编制2021年政府信息公开年度报告。", "沭阳县审计局"),
        ("沭阳县审计局严格按照《条例》的规定,编制本年度报告。", "沭阳县审计局"),
        ("为贯彻落实《条例》,沭阳县审计局现向社会公布2021年度政府信息公开工作年度报告。", "沭阳县审计局"),
        ("按照要求,沭阳县审计局对2021年度政府信息公开工作进行了总结,现报告如下:", "沭阳县审计局"),
        ("根据县人民政府办公室要求,沭阳县审计局结合实际编制本报告。", "沭阳县审计局"),
        ("依据《条例》要求,沭阳县审计局组织编制了2021年政府信息公开工作年度报告。", "沭阳县审计局"),
        ("本报告由沭阳县人民政府(以下简称县政府)编制。", "沭阳县人民政府"),
        ("由沭阳县审计局办公室综合各科室信息公开情况编制。", "沭阳县审计局办公室"),
        (
            "本报告由中国(江苏)自由贸易试验区苏州片区管理委员会编制。",
            "中国(江苏)自由贸易试验区苏州片区管理委员会",
        ),
        ("填报单位(盖章):沭阳县审计局", "沭阳县审计局"),
        ("[索引号]115/2022-1[发布机构]沭阳县审计局[发布日期]2022-01-20", "沭阳县审计局"),
        ("根据《条例》有关规定,沭阳县审计局现公布2021年政府信息公开年度报告。", "沭阳县审计局"),
        ("根据国务院办公厅的要求编制本报告。", ""),
        ("各镇人民政府:", ""),
        ("根据沭阳县人民政府办公室要求,编制本报告。", ""),
        ("在县委、县政府的正确领导下,沭阳县人民政府高度重视,上级有关部门组织编制相关报告。", ""),
    ],
)
def test_first_sentences_and_lines_of_facts(sentence: str, agency: str) -> None:
    assert identify(document(f"2021年{REPORT}", sentence, "一、总体情况")).agency_name == agency


@pytest.mark.parametrize(
    ("lines", "meta", "agency"),
    [
        (("本报告由沭阳县审计局编制。",), {}, "沭阳县审计局"),
        ((), {"ContentSource": "沭阳县马厂镇"}, "沭阳县马厂镇"),
        (("一、总体情况", "无。", "沭阳县审计局", "2022年1月20日"), {}, "沭阳县审计局"),
        ((), {}, "沭阳县人民政府"),
        (("2021年,我县认真贯彻落实条例,主动公开政府信息。",), {}, "沭阳县人民政府"),
        (("2021年,我局认真贯彻落实条例,主动公开政府信息。",), {}, ""),
        (("2021年,我镇认真贯彻落实条例,主动公开政府信息。",), {"ContentSource": "沭阳县人民政府办公室"}, ""),
    ],
)
def test_a_portals_name_is_the_authors_only_when_nothing_speaks_against_it(
    lines: tuple[str, ...], meta: dict[str, str], agency: str
) -> None:
    page = document(f"2021年{REPORT}", *lines, title=f"2021年{REPORT}-沭阳县人民政府", meta=meta)
    assert identify(page).agency_name == agency


def test_the_header_of_a_page_is_not_the_title_of_the_report_below_it() -> None:
    lines = ("沭阳县人民政府", f"2021年{REPORT}", "本报告由沭阳县审计局编制。")
    page = Document("html", tuple(Paragraph(line) for line in lines))
    assert identify(page).agency_name == "沭阳县审计局"
    own = (*lines[:2], "本报告由沭阳县人民政府办公室编制。")
    assert identify(Document("html", tuple(Paragraph(line) for line in own))).agency_name == "沭阳县人民政府"


@pytest.mark.parametrize(
    "link",
    [
        "上一篇:乙县民政局2019年{0}",
        "相关链接|乙县民政局2019年{0}",
        "乙县民政局2019年{0}",
        "下一条：乙县教育局2021年{0}",
    ],
)
def test_links_to_other_reports_name_neither_agency_nor_year(link: str) -> None:
    links = link.format(REPORT).split("|")
    found = identify(document(f"2020年{REPORT}", "一、总体情况", "无。", *links))
    assert (found.agency_name, found.year) == ("", 2020)
    found = identify(document("一、总体情况", "2020年,我局认真贯彻落实条例。", "沭阳县审计局", *links))
    assert (found.agency_name, found.year) == ("沭阳县审计局", 2020)


def test_a_list_of_years_before_the_title_tells_no_year() -> None:
    years = [f"{year}年{REPORT}" for year in (2019, 2020, 2021)]
    assert identify(document(*years, f"沭阳县审计局2020年{REPORT}")).year == 2020
    assert identify(document(*years, STATED.format("沭阳县审计局", 2020))).year == 2020
    assert identify(document(*years, "一、总体情况")).year is None
    assert identify(document(years[0], years[0], "一、总体情况")).year == 2019


def test_a_township_is_completed_with_its_county() -> None:
    found = identify(document(f"马厂镇2023年{REPORT}", meta={"发布机构": "沭阳县马厂镇人民政府"}))
    assert found.agency_name == "沭阳县马厂镇人民政府"


def test_a_medias_name_is_not_the_authors() -> None:
    page = document(
        f"2021年{REPORT}", "无。", "沭阳县审计局", "2022年1月20日", meta={"来源": "沭阳县融媒体中心"}
    )
    assert identify(page).agency_name == "沭阳县审计局"


def test_names_below_the_page_foot_are_its_owners() -> None:
    page = document(f"2021年{REPORT}", "无。", "沭阳县审计局", "主办：沭阳县人民政府办公室", "沭阳县人民政府")
    assert identify(page).agency_name == "沭阳县审计局"


def test_a_short_name_is_completed_by_the_first_sentence() -> None:
    title = f"县人社局2023年{REPORT}"
    full = "本报告由沭阳县人力资源和社会保障局编制。"
    assert identify(document(title, full)).agency_name == "沭阳县人力资源和社会保障局"
    assert identify(document(title, "本报告由沭阳县财政局编制。")).agency_name == "县人社局"
    assert identify(document("沭阳县", "审计局", f"2021年{REPORT}")).agency_name == "沭阳县审计局"


def test_a_report_that_stands_in_a_cell() -> None:
    told = f"沭阳县审计局2021年{REPORT} 根据《条例》编制本报告。一、总体情况 " + "无。" * 40
    for cells in ((told,), ("内容概述", told)):
        grid = Grid((tuple(GridCell(text, 0, x) for x, text in enumerate(cells)),))
        found = identify(Document("text", (grid,)))
        assert (found.agency_name, found.year) == ("沭阳县审计局", 2021)


def test_a_list_that_says_only_year_and_report() -> None:
    page = document(f"沭阳县审计局{REPORT}", "一、总体情况")
    assert identify(page, "沭阳县审计局2021年年报").year == 2021
    assert identify(page, "2021年度").year == 2021
    assert identify(page, "2022年").year is None, (
        "a column of that year may hold the report about the year before"
    )


def test_a_bare_office_is_completed_by_the_report_itself_only() -> None:
    title = f"审计局2023年{REPORT}"
    assert identify(document(title, meta={"发布机构": "托里县审计局"})).agency_name == "托里县审计局"
    assert identify(document(title, meta={"发布机构": "托里县财政局"})).agency_name == "审计局"
    assert identify(document(title), portal_agency="托里县审计局").agency_name == "审计局"
    assert identify(document(f"2023年{REPORT}"), portal_agency="托里县审计局").agency_source == "portal"


def test_a_region_in_the_title_is_completed_to_its_government() -> None:
    found = identify(document(f"宿迁市2023年{REPORT}", STATED.format("宿迁市人民政府", 2023)))
    assert found.agency_name == "宿迁市人民政府"
    assert identify(document(f"宿迁市2023年{REPORT}")).agency_name == "宿迁市"


@pytest.mark.parametrize(
    "junk", ["互联网", "本站", "网站名称", "http://www.example.gov.cn/a.html", "信息公开", "我局", "管理员"]
)
def test_fillers_are_no_agencies(junk: str) -> None:
    assert identify(document(f"2023年{REPORT}", meta={"ContentSource": junk, "来源": junk})).agency_name == ""


def test_the_year_is_never_that_of_publication_or_of_an_index_number() -> None:
    found = identify(
        document(
            f"沭阳县审计局{REPORT}", "一、总体情况", meta={"PubDate": "2021-01-20", "索引号": "014/2020-0102"}
        )
    )
    assert found.year is None and found.published_on == date(2021, 1, 20)


@pytest.mark.parametrize(
    ("meta", "lines", "expected"),
    [
        ({"PubDate": "2024-01-22 09:30"}, (), date(2024, 1, 22)),
        ({"发布日期": "2024年1月22日"}, (), date(2024, 1, 22)),
        ({"PubDate": "2019-01-22", "公开日期": "2024-01-22"}, (), date(2024, 1, 22)),
        ({"PubDate": "2024-13-45"}, (), None),
        ({}, ("发布日期：2024-01-31",), date(2024, 1, 31)),
        ({}, ("无。", "沭阳县审计局", "2024年1月22日"), date(2024, 1, 22)),
        ({}, ("无。", "沭阳县审计局2024年1月22日"), date(2024, 1, 22)),
        ({}, ("无。", "二〇二四年一月二十二日"), date(2024, 1, 22)),
        ({}, ("2024-01-22 10:30:22 来源：沭阳县审计局",), date(2024, 1, 22)),
        ({}, ("2024年01月22日来源：1",), date(2024, 1, 22)),
        ({}, ("来源：沭阳县审计局 2024-01-22",), date(2024, 1, 22)),
        ({}, ("日期：2024-01-22　作者：某某",), date(2024, 1, 22)),
        ({}, ("[2024-01-22]",), date(2024, 1, 22)),
        ({}, ("[发布日期] 2024-01-22",), date(2024, 1, 22)),
        ({}, ("发布日期：[2024-01-22]",), date(2024, 1, 22)),
        ({}, ("发布于 2024-01-22 10:30",), date(2024, 1, 22)),
        ({"PubDate": "20240122"}, (), date(2024, 1, 22)),
        ({"article:published_time": "2024-01-22T10:00:00+08:00"}, (), date(2024, 1, 22)),
        ({}, ("无。", "日期：2024年1月22日"), date(2024, 1, 22)),
        ({}, ("无。", "二〇二四年元月二十二日"), date(2024, 1, 22)),
        ({}, ("无。", "沭阳县审计局2024年1月22日印发"), date(2024, 1, 22)),
        ({}, ("2024-01-22起网站改版",), None),
        ({}, ("数据截至2024年1月22日。",), None),
        ({}, (STATED.format("沭阳县审计局", 2023),), None),
        ({"索引号": "014314799/2024-01-22"}, (), None),
    ],
)
def test_days_of_publication(meta: dict[str, str], lines: tuple[str, ...], expected: date | None) -> None:
    assert identify(document(f"沭阳县审计局2023年{REPORT}", *lines, meta=meta)).published_on == expected


def test_the_list_helps_where_the_page_is_silent() -> None:
    page = document("一、总体情况")
    found = identify(page, f"沭阳县审计局2021年{REPORT}", date(2022, 1, 28))
    assert (found.agency_name, found.agency_source, found.year) == ("沭阳县审计局", "listing", 2021)
    assert found.published_on == date(2022, 1, 28)


def test_facts_in_a_table_before_the_report() -> None:
    cells = (("索引号", "2024-0023", "发布机构", "沭阳县审计局"), ("发布日期", "2024-01-22", "文号", ""))
    grid = Grid(
        tuple(tuple(GridCell(text, y, x) for x, text in enumerate(row)) for y, row in enumerate(cells))
    )
    found = identify(Document("html", (grid, Paragraph(f"2023年{REPORT}"))))
    assert (found.agency_name, found.published_on) == ("沭阳县审计局", date(2024, 1, 22))


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample reports are not beside the project")
def test_sample_reports() -> None:
    from extractors.read import read_document

    with (SAMPLES / "truth.csv").open(encoding="utf8", newline="") as file:
        truth = {row["file"]: (row["agency"], int(row["year"])) for row in csv.DictReader(file)}
    for name, expected in truth.items():
        found = identify(read_document((SAMPLES / name).read_bytes(), f"file:///{name}"))
        assert (found.agency_name, found.year) == expected, name


def test_hostile_text_costs_no_time() -> None:
    lines = [
        "由" * 5000,
        "政府信息公开" * 2000,
        "2020年" * 3000,
        "编制" * 4000,
        "(" * 5000,
        "-" * 5000,
        "年报|" * 3000,
    ]
    page = document(*lines, *reversed(lines), title="".join(lines), meta={"来源": "由" * 100000})
    started = time.process_time()
    identify(page)
    assert time.process_time() - started < 0.5


def test_words_are_listed_once() -> None:
    for name, words in yaml.safe_load(WORDS_FILE.read_text(encoding="utf8")).items():
        assert all(isinstance(word, str) for word in words), name
        assert len(set(words)) == len(words), (name, sorted(word for word in words if words.count(word) > 1))


def test_a_title_may_stand_in_the_first_rows_of_its_table() -> None:
    """A page saved from Excel: everything is one table, the title in a row of its own."""
    lines = [
        ["附件2", "", ""],
        ["沭阳县审计局2016年政府信息公开工作年度报告", "", ""],
        ["统计指标", "单位", "统计数"],
    ]
    rows = tuple(tuple(GridCell(text, r, c) for c, text in enumerate(line)) for r, line in enumerate(lines))
    found = identify(Document("html", (Grid(rows),)))
    assert (found.agency_name, found.year) == ("沭阳县审计局", 2016)
