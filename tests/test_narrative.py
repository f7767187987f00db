"""Figures told in prose: which wordings give a number, which must not, and how long hostile text may take."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.chinese_numerals import to_number
from extractors.narrative import read_narrative
from extractors.records import Cell, Document, Paragraph

REPORTS = Path(__file__).resolve().parents[2] / "shared" / "reports"


def cells_of(*paragraphs: str, year: int | None = 2020, agency: str = "") -> dict[str, Cell]:
    document = Document("text", tuple(Paragraph(text) for text in paragraphs))
    cells, _ = read_narrative(document, year, agency)
    names = [cell.indicator.removeprefix("narrative.") for cell in cells]
    assert len(names) == len(set(names)), "one cell an indicator"
    return dict(zip(names, cells, strict=True))


def told(*paragraphs: str, year: int | None = 2020, agency: str = "") -> dict[str, str]:
    """`indicator: printed`, with ~ behind an approximate and ! behind an ambiguous one."""
    marks = {"": "", "approximate": "~", "ambiguous": "!"}
    cells = cells_of(*paragraphs, year=year, agency=agency)
    return {name: cell.printed + marks[cell.mark] for name, cell in cells.items()}


TAKEN = [
    (
        "2020年，通过门户网站、微信公众号主动公开政府信息1619 条，其中网站报送政府信息 1581条。",
        {"published.items": "1619", "published.website": "1581"},
    ),
    (
        "全年通过政府网站主动公开政府信息180000条。全年共收办政府信息公开申请3607件。",
        {"published.website": "180000", "requests.received": "3607"},
    ),
    ("2020 年，我区在政府网站平台主动公开政府信息 1136 条。", {"published.website": "1136"}),
    (
        "全年通过网站、公众号等平台，及时向社会公开政务要闻、政府文件、便民服务等政府信息共计4891条，其中文件15件",
        {"published.items": "4891"},
    ),
    (
        "共主动公开政府信息3000余条；其中网站公开2000条；微信公众号推送800条；微博发布200条。",
        {
            "published.items": "3000余~",
            "published.website": "2000",
            "published.wechat": "800",
            "published.weibo": "200",
        },
    ),
    ("主动公开政府信息１，６１９条", {"published.items": "1，619"}),
    ("主动公开政府信息1 619条", {"published.items": "1 619"}),
    ("今年以来，主动公开政府信息560条", {"published.items": "560"}),
    ("2020年1-12月主动公开政府信息412条", {"published.items": "412"}),
    ("2020年1月1日至12月31日，主动公开政府信息412条", {"published.items": "412"}),
    ("主动公开1619条政府信息", {"published.items": "1619"}),
    ("主动公开政府信息约2.2万条", {"published.items": "约2.2万~"}),
    ("按照第二十条规定主动公开政府信息二十条", {"published.items": "二十"}),
    (
        "主動公開政府信息18萬餘條，收到政府信息公開申請12件",
        {"published.items": "18万余~", "requests.received": "12"},
    ),
    ("主动公开政府信息1619条，比2019年增加200条", {"published.items": "1619"}),
    ("2020年，全年累计主动公开政府信息5928条", {"published.items": "5928"}),
    (
        "通过微信公众号推送文章 210 篇，阅读量12万次；微博发布信息近百条。",
        {"published.wechat": "210", "published.weibo": "近百~"},
    ),
    (
        "共收到政府信息公开申请十二件，已办结十件，结转下年度两件，退回三条。",
        {"requests.received": "十二", "requests.completed": "十"},
    ),
    ("共收到政府信息公开申请12件。办结11件。", {"requests.received": "12", "requests.completed": "11"}),
    ("共收到12件政府信息公开申请，均已按时答复", {"requests.received": "12"}),
    ("2020年收到政府信息公开申请0件。", {"requests.received": "0"}),
    ("2019年收到政府信息公开申请5件，2020年收到政府信息公开申请7件。", {"requests.received": "7"}),
    ("收到政府信息公开申请18件（其中自然人16件，法人2件），上年结转1件", {"requests.received": "18"}),
    ("收到公民、法人和其他组织提出的政府信息公开申请合计5件", {"requests.received": "5"}),
    ("受理群众咨询120件，收到政府信息公开申请两件", {"requests.received": "两"}),
    ("政府信息公开申请共收到5件", {"requests.received": "5"}),
    ("通过政府网站发布政策解读材料23篇，其中图解5篇", {"policy_explanations": "23"}),
    (
        "承办人大代表建议和政协委员提案36件，其中人大建议16件，政协提案20件，办结率100%",
        {"proposals.handled": "36"},
    ),
    ("因政府信息公开被申请行政复议3件，被提起行政诉讼1起。", {"review.cases": "3", "litigation.cases": "1"}),
    ("政府信息公开行政复议、行政诉讼均为0件。", {"review.cases": "0", "litigation.cases": "0"}),
    ("全年收取政府信息公开信息处理费 0 元。", {"request_fees": "0"}),
    ("依申请提供政府信息收取检索、复制、邮寄等成本费用共计125.5元", {"request_fees": "125.5"}),
    ("收取信息处理费1.2万元", {"request_fees": "1.2万"}),
    ("收取信息处理费总金额为0元", {"request_fees": "0"}),
    ("政策解读发布56条", {"policy_explanations": "56"}),
    (
        "截至年底累计主动公开政府信息5928条，其中，本年度新增主动公开政府信息2110条",
        {"published.items": "2110"},
    ),
    ("通过公告栏、微信公众号等多种形式主动公开政府信息200条", {"published.items": "200"}),
    (
        "新收政府信息公开申请60件，上年度结转2件，共办结61件，结转下年1件",
        {"requests.received": "60", "requests.completed": "61"},
    ),
    ("因信息公开发生行政复议案件2件，其中维持1件、纠正1件", {"review.cases": "2"}),
    ("微信公众号关注人数25632人，公开政府信息1203条。", {"published.wechat": "1203"}),
    ("充分发挥政府网站第一平台作用，主动公开政府信息2300条。", {"published.items": "2300"}),
    ("12月召开推进会；全年主动公开政府信息326条。", {"published.items": "326"}),
    (
        "我市各级各部门公开信息12.35万条；收到申请1865件，比上年增长25%。",
        {"published.items": "12.35万", "requests.received": "1865"},
    ),
    ("与2019年主动公开3131条相比，2020年主动公开3452条，增幅10%。", {"published.items": "3452"}),
    ("各乡镇公开120条，县直部门公开300条，全县共公开政府信息420条。", {"published.items": "420"}),
    ("全县各镇、县直部门主动公开信息17988条", {"published.items": "17988"}),
    ("打造政务公开新格局，主动公开信息560条", {"published.items": "560"}),
    ("全县主动公开政府信息数突破1万条，达10236条。", {"published.items": "10236"}),
    ("公开政府信息1.02万条（10236条）。", {"published.items": "10236"}),
    ("2020年，全局累计公开信息186条，其中公示公告56条。", {"published.items": "186"}),
    ("全年发布政府信息12365条，日均34条。", {"published.items": "12365"}),
    ("依申请公开：0件。", {"requests.received": "0"}),
    ("收到政府信息公开申请（以下简称“申请”）25件。", {"requests.received": "25"}),
    (
        "因政府信息公开行政复议3件（2019年4件），行政诉讼2件（2019年0件）。",
        {"review.cases": "3", "litigation.cases": "2"},
    ),
    ("全年主动公开信息量达2635条。", {"published.items": "2635"}),
    (
        "全县发生政府信息公开行政复议10件，其中县级4件、部门及乡镇6件；行政诉讼5件。",
        {"review.cases": "10", "litigation.cases": "5"},
    ),
    (
        "收到涉及信息公开的行政复议案件10件，行政诉讼案件5件。",
        {"review.cases": "10", "litigation.cases": "5"},
    ),
    ("县政府信息公开网主动公开信息532条。", {"published.website": "532"}),
    ("“政策解读”栏目更新信息86条。", {"policy_explanations": "86"}),
    (
        "共办理依申请公开58件，其中本年新收56件，上年结转2件。",
        {"requests.received": "56"},
    ),
    ("1—12月，全县主动公开政府信息5632条。", {"published.items": "5632"}),
    ("2020年1月1日至2020年12月31日，全县主动公开政府信息5632条。", {"published.items": "5632"}),
    ("微信公众号发稿2536条，政务微博发稿1865条。", {"published.wechat": "2536", "published.weibo": "1865"}),
]


@pytest.mark.parametrize(("sentence", "expected"), TAKEN)
def test_figures_told_plainly_are_taken(sentence: str, expected: dict[str, str]) -> None:
    assert told(sentence) == expected


NOT_TAKEN = [
    "12月主动公开政府信息60条。",
    "2020年12月份主动公开政府信息60条。",
    "清理失效政府信息230条，删除不宜公开信息12条。",
    "应主动公开政府信息500条。",
    "办理非政府信息公开类行政复议案件8件。",
    "我局收到行政复议申请5件，均与政府信息公开无关。",
    "行政复议案件23件，行政诉讼案件45件，其中涉及政府信息公开的分别为3件和5件。",
    "未收到政府信息公开申请。",
    "2020年未发生因政府信息公开引发的行政复议、行政诉讼情况。",
    "累计办理人大建议和政协提案共10件",
    "截至2020年底，累计主动公开政府信息5928条",
    "2018年至2020年共主动公开政府信息999条",
    "近三年来，共收到政府信息公开申请30件",
    "2021年将主动公开政府信息500条",
    "下一步，我局将主动公开政府信息500条",
    "上年结转政府信息公开申请1件",
    "收到政府信息公开申请3至5件",
    "收到政府信息公开申请数件",
    "其中，办公室收到政府信息公开申请5件",
    "办公室受理政府信息公开申请5件",
    "承办人大代表建议5件、政协委员提案8件",
    "政府信息公开行政复议、行政诉讼共3件。",
    "办理行政复议案件120件，纠正3件",
    "根据《条例》第二十条、（辽政办明电〔2020〕1号）和国办发〔2020〕17号文件，电话5591098",
    "政府信息公开申请办结率100%",
    "信息公开工作投入费用5000元",
    "通过微信、微博发布信息300条",
    "通过微信公众号等渠道公开信息200条",
    "微信公众号推送52期",
    "办理政协提案12件、人大代表建议8件，办复率100%",
    "公开人大代表建议和政协提案办理结果12件",
    "行政诉讼案件：政府信息公开一审3件，二审1件",
    "网站栏目12条，微信公众号2个，粉丝3000",
    "12月，区政府网站发布信息326条。",
    "各镇（街道）主动公开信息5623条，县直部门主动公开12365条。",
    "各镇公开信息5623条，其中网站公开5000条",
    "县公安局、县民政局分别主动公开信息125条、563条",
    "县教育局积极推进信息公开，主动公开政府信息1203条",
    "共收到依申请公开事项127件（其中，上年结转3件）",
    "共收到政府信息公开申请127件，含2019年结转3件",
    "依申请公开工作有序开展，受理公租房申请85件",
    "1-11月，全县主动公开政府信息5632条。",
    "1至9月份，全县主动公开政府信息4632条。",
    "2018年、2019年、2020年分别主动公开政府信息1200条、1236条、1592条。",
    "“十三五”期间，全县共主动公开政府信息7.2万条。",
    "向市政府报送政务公开信息26条。",
    "网站信息总量达56320条。",
    "现有主动公开政府信息5632条。",
    "拟公开信息120条，已公开86条。",
    "不予公开信息8条、依申请公开信息36条。",
    "可依申请公开的信息36条。",
    "上报市政府网站信息256条，采用123条。",
    "县长解读2篇，部门负责人解读15篇。",
    "转载国务院重大政策解读236条。",
    "抽查网站信息3560条。",
    "通过“两微一端”公开信息5632条。",
]


@pytest.mark.parametrize("sentence", NOT_TAKEN)
def test_what_is_no_figure_of_the_year_is_left(sentence: str) -> None:
    assert told(sentence) == {}


@pytest.mark.parametrize(
    ("sentence", "agency", "expected"),
    [
        ("县教育局主动公开政府信息1203条", "沭阳县教育局", {"published.items": "1203"}),
        ("县教体局积极推进公开，主动公开政府信息1203条", "沭阳县教育体育局", {"published.items": "1203"}),
        ("县教育局主动公开政府信息1203条", "沭阳县人民政府", {}),
        ("县人力资源和社会保障局主动公开政府信息36条", "沭阳县人社局", {"published.items": "36"}),
        ("2020年沭阳县共收到政府信息公开申请45件", "沭阳县马厂镇人民政府", {}),
        (
            "2020年高新区管委会主动公开政府信息62条",
            "西安高新技术产业开发区管理委员会",
            {"published.items": "62"},
        ),
        ("2020年沭阳县共收到政府信息公开申请45件", "沭阳县人民政府", {"requests.received": "45"}),
        ("泗阳县教育局主动公开政府信息1203条", "沭阳县教育局", {}),
        ("县教育局主动公开政府信息120条，全县主动公开政府信息1203条", "沭阳县人民政府", {"published.items": "1203"}),
        ("马厂镇收到政府信息公开申请3件", "沭阳县人民政府", {}),
        (
            "县政府办公室收到依申请公开56件，全县共收到依申请公开213件。",
            "沭阳县人民政府",
            {"requests.received": "213"},
        ),
        ("马厂镇收到政府信息公开申请3件", "沭阳县马厂镇人民政府", {"requests.received": "3"}),
        ("全市共公开政府信息9000条，我县公开政府信息1200条", "沭阳县人民政府", {"published.items": "1200"}),
        ("宿迁市2020年主动公开政府信息9000条", "沭阳县人民政府", {}),
        ("宿迁市沭阳县2020年主动公开政府信息9000条", "沭阳县人民政府", {"published.items": "9000"}),
        ("全市共公开政府信息9000条", "昌邑市人民政府", {"published.items": "9000"}),
        ("全省共公开政府信息9000条", "昌邑市人民政府", {}),
        ("全市共公开政府信息9000条", "沭阳县城市管理局", {}),
        ("公开政府信息1200条，在全市排名第2", "沭阳县人民政府", {"published.items": "1200"}),
        ("盐城市共公开政府信息9000条", "盐城市人民政府", {"published.items": "9000"}),
        ("县融媒体中心微信公众号推送3652条", "沭阳县人民政府", {}),
        ("苏州市共公开政府信息9000条", "苏州工业园区管理委员会", {}),
        ("北京市共收到政府信息公开申请120件", "教育部", {}),
    ],
)  # fmt: skip
def test_figures_of_another_office_are_not_the_authors(
    sentence: str, agency: str, expected: dict[str, str]
) -> None:
    assert told(sentence, agency=agency) == expected


def test_the_sentence_and_its_paragraph_are_kept() -> None:
    cell = cells_of("第一段。", "前一句。2020年共收到政府信息公开申请 ２ 件，已办结。后一句。")[
        "requests.received"
    ]
    assert cell.raw_text == "2020年共收到政府信息公开申请 ２ 件，已办结"
    assert (cell.printed, cell.unit_text, cell.table, cell.row, cell.column) == ("2", "件", 0, 2, 0)
    assert cell.applicant is None


def test_two_equally_plain_figures_are_ambiguous() -> None:
    assert told("收到政府信息公开申请30件。", "收到政府信息公开申请20件。") == {
        "requests.received": "30 / 20!"
    }


def test_the_clearly_more_explicit_figure_wins() -> None:
    paragraphs = "受理政府信息公开申请5件。", "2020年，全市共收到政府信息公开申请12件。"
    assert told(*paragraphs) == {"requests.received": "12"}


def test_an_exact_figure_wins_over_its_rounding() -> None:
    assert told("主动公开政府信息2.2万条。", "主动公开政府信息22134条。") == {"published.items": "22134"}
    assert told("主动公开政府信息2.2万条。", "主动公开政府信息31134条。")["published.items"].endswith("!")


def test_another_report_year_is_not_taken() -> None:
    sentence = "2010年，我局共主动公开政府信息175条。"
    assert told(sentence, year=2010) == {"published.items": "175"}
    assert told(sentence, year=2020) == {}
    assert told(sentence, year=None) == {}


def test_a_review_organs_cases_are_not_those_against_the_agency() -> None:
    heading = "三、行政复议和行政诉讼情况"
    assert told("二、依申请公开情况", "无。", heading, "全年办理行政复议案件56件。") == {}
    told_pending = "行政复议2件，其中结果维持1件，尚未审结1件。"
    assert told("二、依申请公开情况", "无。", heading, told_pending) == {"review.cases": "2"}


def test_a_total_to_the_end_of_the_first_year_is_that_years() -> None:
    told_2008 = told("截至2008年12月31日，我县共主动公开政府信息3256条。", year=2008)
    assert told_2008 == {"published.items": "3256"}
    assert told("截至2009年12月31日，我县共主动公开政府信息3256条。", year=2009) == {}
    assert told("2008年5月1日至12月31日，主动公开政府信息86条。", year=2008) == {"published.items": "86"}
    assert told("2009年5月1日至12月31日，主动公开政府信息86条。", year=2009) == {}


def test_a_clause_without_object_takes_it_from_its_chapter() -> None:
    assert told(
        "三、收到和处理政府信息公开申请情况",
        "2020年收到申请12件。",
        "四、行政复议、行政诉讼情况",
        "行政复议2件，行政诉讼1件。",
    ) == {"requests.received": "12", "review.cases": "2", "litigation.cases": "1"}
    assert told("2020年收到申请12件。") == {}


def test_ocr_is_marked() -> None:
    document = Document("image", (Paragraph("收到政府信息公开申请12件。"),), is_ocr=True)
    assert read_narrative(document, 2020)[0][0].mark == "ocr"


@pytest.mark.skipif(not REPORTS.is_dir(), reason="the sample reports are not on this machine")
def test_prose_of_a_real_report() -> None:
    lines = (REPORTS / "006_anshan-shenpiju_2020.txt").read_text(encoding="utf8").splitlines()
    assert told(*[line for line in lines if "|" not in line], agency="鞍山市行政审批局") == {
        "published.items": "1619",
        "published.website": "1581",
        "requests.received": "2",
    }


@pytest.mark.parametrize(
    "text",
    [
        "收到政府信息公开申请12件" * 800_000,
        "1" * 10_000_000,
        "一" * 10_000_000,
        "公开等" * 3_300_000 + "信息12条",
        "主动公开政府信息1条，" * 900_000,
        " 1" * 5_000_000,
        "其中（" * 3_300_000 + "3件",
    ],
)
def test_ten_megabytes_on_one_line_are_bounded(text: str) -> None:
    start = time.process_time()
    told(text)
    assert time.process_time() - start < 8


@given(st.integers(0, 10**12))
def test_chinese_integers_are_read_back(number: int) -> None:
    assert to_number(cn2an.an2cn(number)) == (Decimal(number), False)
    assert to_number(f"{number:,}") == (Decimal(number), False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("260余", 260),
        ("约2.2万", 22000),
        ("18万余", 180000),
        ("18余万", 180000),
        ("近百", 100),
        ("上千", 1000),
        ("十余万", 100000),
        ("百余", 100),
        ("300左右", 300),
        ("二十来", 20),
    ],
)
def test_approximations_are_told(text: str, value: int) -> None:
    assert to_number(text) == (Decimal(value), True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("两", "2"),
        ("廿三", "23"),
        ("三亿两千万", "320000000"),
        ("一万二", "12000"),
        ("十二点五万", "125000"),
        ("二〇二〇", "2020"),
        ("兩百", "200"),
        ("１６１９", "1619"),
        ("1 619", "1619"),
        ("-5", "-5"),
    ],
)
def test_exact_numerals_are_read(text: str, value: str) -> None:
    assert to_number(text) == (Decimal(value), False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "三四十",
        "两三",
        "三五",
        "数百",
        "几十",
        "十几",
        "第三",
        "百分之三",
        "30%",
        "10至20",
        "1,61",
        "百",
        "千万",
        "一百零",
        "2万5千",
        "①",
        "²",
        "上1581",
        "9" * 16,
        "9" * 10**7,
        "一" * 30,
        "万亿",
        "1.2.3",
    ],
)
def test_what_can_mean_two_numbers_is_none(text: str) -> None:
    assert to_number(text) is None


@given(st.text("零一二两三四五六七八九十百千万亿余多近上点约0123456789,. ", max_size=14))
def test_any_text_is_answered(text: str) -> None:
    answer = to_number(text)
    assert answer is None or answer[0].is_finite()
