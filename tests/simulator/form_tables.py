"""The statutory tables of a report as the forms print them: rows of slots with spans, before any layout.

Knows what stands where on paper. Layouts (HTML, text, files) are drawn from these tables by the renderers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from extractors.records import APPLICANTS
from tests.simulator.figures import GROUPS, NOT_PROCESSED, NOT_PROVIDED, OTHER, REFUSED, RESULTS, Key, Report


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a table.

    role: section, header, label, group, corner, value, filler. keys: the cells it prints.

    A line break inside a label is a newline; a renderer draws it as its layout does.
    """

    text: str
    role: str = "label"
    keys: tuple[Key, ...] = ()
    rowspan: int = 1
    colspan: int = 1


Row = list[Slot]


@dataclass(frozen=True, slots=True)
class FormTable:
    """One statutory table: name, width in columns, rows; the first `header_rows` are headers only."""

    name: str
    width: int
    rows: list[Row]
    header_rows: int = 0


def _section(numeral: str) -> Row:
    return [Slot(f"第二十条第（{numeral}）项", "section", colspan=4)]


def _headers(*texts: str) -> Row:
    """信息内容 and the columns; the last column takes what is left of the four."""
    slots = [Slot(text, "header") for text in ("信息内容", *texts)]
    slots[-1] = replace(slots[-1], colspan=5 - len(slots))
    return slots


def _item(report: Report, label: str, item: str, *columns: str) -> Row:
    slots = [Slot(label)]
    for column in columns:
        key: Key = (f"proactive.{item}.{column}", None)
        slots.append(Slot(report.cells[key].text, "value", (key,)))
    slots[-1] = replace(slots[-1], colspan=5 - len(slots))
    return slots


def _with_unit(label: str, report: Report, indicator: str, words: str = "") -> str:
    unit = report.header_units.get(indicator, "")
    return f"{label}（{words}{unit}）" if unit else label


def _proactive_2019(report: Report) -> list[Row]:
    items = ("items_last_year", "items_change", "decisions")
    documents = ("made", "published", "public_total")
    headers = ("上一年项目数量", "本年增/减")
    procurement = _with_unit("采购总金额", report, "proactive.procurement.amount")
    return [
        _section("一"),
        _headers("本年新制作数量", "本年新公开数量", "对外公开总数量"),
        _item(report, "规章", "regulations", *documents),
        _item(report, "规范性文件", "normative_documents", *documents),
        _section("五"),
        _headers(*headers, "处理决定数量"),
        _item(report, "行政许可", "licensing", *items),
        _item(report, "其他对外管理服务事项", "other_services", *items),
        _section("六"),
        _headers(*headers, "处理决定数量"),
        _item(report, "行政处罚", "penalties", *items),
        _item(report, "行政强制", "coercion", *items),
        _section("八"),
        _headers(*headers),
        _item(report, "行政事业性收费", "fees", "items_last_year", "items_change"),
        _section("九"),
        _headers("采购项目数量", procurement),
        _item(report, "政府集中采购", "procurement", "projects", "amount"),
    ]


def _proactive_2021(report: Report) -> list[Row]:
    documents = ("made", "repealed", "in_force")
    return [
        _section("一"),
        _headers("本年制发件数", "本年废止件数", "现行有效件数"),
        _item(report, "规章", "regulations", *documents),
        _item(report, "行政规范性文件", "normative_documents", *documents),
        _section("五"),
        _headers("本年处理决定数量"),
        _item(report, "行政许可", "licensing", "decisions"),
        _section("六"),
        _headers("本年处理决定数量"),
        _item(report, "行政处罚", "penalties", "decisions"),
        _item(report, "行政强制", "coercion", "decisions"),
        _section("八"),
        _headers(_with_unit("本年收费金额", report, "proactive.fees.amount", "单位：")),
        _item(report, "行政事业性收费", "fees", "amount"),
    ]


def proactive_table(report: Report) -> FormTable:
    """Chapter 二, four columns wide."""
    rows = _proactive_2019(report) if report.form == "2019" else _proactive_2021(report)
    return FormTable("proactive", 4, rows)


CORNER = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"
PARTLY = "（二）部分公开（区分处理的，只计这一情形，不计其他情形）"
CORRECTION_OVERDUE = "1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请"
FEE_OVERDUE = "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请"

_ROW_LABELS = {
    "requests.refused": (
        "（三）不予公开",
        REFUSED,
        [
            "1.属于国家秘密",
            "2.其他法律行政法规禁止公开",
            "3.危及“三安全一稳定”",
            "4.保护第三方合法权益",
            "5.属于三类内部事务信息",
            "6.属于四类过程性信息",
            "7.属于行政执法案卷",
            "8.属于行政查询事项",
        ],
    ),
    "requests.not_provided": (
        "（四）无法提供",
        NOT_PROVIDED,
        ["1.本机关不掌握相关政府信息", "2.没有现成信息需要另行制作", "3.补正后申请内容仍不明确"],
    ),
    "requests.not_processed": (
        "（五）不予处理",
        NOT_PROCESSED,
        [
            "1.信访举报投诉类申请",
            "2.重复申请",
            "3.要求提供公开出版物",
            "4.无正当理由大量反复申请",
            "5.要求行政机关确认或重新出具已获取信息",
        ],
    ),
    "requests.other": ("（六）其他处理", OTHER, [CORRECTION_OVERDUE, FEE_OVERDUE, "3.其他"]),
}


def _values(report: Report, indicator: str) -> Row:
    """The seven cells of one row; applicants that share one printed value share one slot."""
    slots: Row = []
    for who in APPLICANTS:
        key = (indicator, who)
        if key in report.merged and slots and slots[-1].keys[0] in report.merged:
            slots[-1] = replace(slots[-1], keys=(*slots[-1].keys, key), colspan=slots[-1].colspan + 1)
        else:
            slots.append(Slot(report.cells[key].text, "value", (key,)))
    return slots


def requests_table(report: Report) -> FormTable:
    """Chapter 三: three label columns and seven of applicants; 23 rows (2019 form) or 25 (2021)."""
    applicants = ["商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他"]
    rows: list[Row] = [
        [Slot(CORNER, "corner", rowspan=3, colspan=3), Slot("申请人情况", "header", colspan=7)],
        [
            Slot("自然人", "header", rowspan=2),
            Slot("法人或其他组织", "header", colspan=5),
            Slot("总计", "header", rowspan=2),
        ],
        [Slot(name, "header") for name in applicants],
    ]

    def add(label: str, indicator: str, *before: Slot, colspan: int) -> None:
        rows.append([*before, Slot(label, colspan=colspan), *_values(report, indicator)])

    add("一、本年新收政府信息公开申请数量", "requests.new", colspan=3)
    add("二、上年结转政府信息公开申请数量", "requests.carried_in", colspan=3)
    single_other = report.form in ("2019", "mixed")
    results = Slot("三、本年度办理结果", "group", rowspan=20 if single_other else 22)
    add("（一）予以公开", "requests.granted", results, colspan=2)
    add(PARTLY, "requests.partly_granted", colspan=2)
    for indicator, (group, names, labels) in _ROW_LABELS.items():
        if indicator == "requests.other" and single_other:
            add(group, indicator, colspan=2)
            continue
        for place, (name, label) in enumerate(zip(names, labels, strict=True)):
            first = [Slot(group, "group", rowspan=len(names))] if place == 0 else []
            add(label, f"{indicator}.{name}", *first, colspan=1)
    add("（七）总计", "requests.handled", colspan=2)
    add("四、结转下年度继续办理", "requests.carried_out", colspan=3)
    return FormTable("requests", 10, rows, header_rows=3)


def review_table(report: Report) -> FormTable:
    """Chapter 四: fifteen numbers in one row under three rows of headers."""
    results = ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"]
    values = [
        Slot(report.cells[f"{group}.{name}", None].text, "value", ((f"{group}.{name}", None),))
        for group in GROUPS
        for name in (*RESULTS, "total")
    ]
    rows = [
        [Slot("行政复议", "header", colspan=5), Slot("行政诉讼", "header", colspan=10)],
        [
            *(Slot(name, "header", rowspan=2) for name in results),
            Slot("未经复议直接起诉", "header", colspan=5),
            Slot("复议后起诉", "header", colspan=5),
        ],
        [Slot(name, "header") for name in results * 2],
        values,
    ]
    return FormTable("review_litigation", 15, rows, header_rows=3)


_STATISTICS = """
一、主动公开情况|——|
（一）主动公开政府信息数（不同渠道和方式公开相同信息计1条）|条|published.items
其中：主动公开规范性文件数|条|published.normative_documents
制发规范性文件总数|件|normative_documents_made
（二）通过不同渠道和方式公开政府信息的情况|——|
1.政府公报公开政府信息数|条|channels.gazette
2.政府网站公开政府信息数|条|channels.website
3.政务微博公开政府信息数|条|channels.weibo
4.政务微信公开政府信息数|条|channels.wechat
5.其他方式公开政府信息数|条|channels.other
二、回应解读情况|——|
（一）回应公众关注热点或重大舆情数（不同方式回应同一热点或舆情计1次）|次|response.hot_topics
（二）通过不同渠道和方式回应解读的情况|——|
1.参加或举办新闻发布会总次数|次|response.press_conferences
其中：主要负责同志参加新闻发布会次数|次|response.press_conferences_by_head
2.政府网站在线访谈次数|次|response.online_interviews
其中：主要负责同志参加政府网站在线访谈次数|次|response.online_interviews_by_head
3.政策解读稿件发布数|篇|response.policy_explanations
4.微博微信回应事件数|次|response.social_media
5.其他方式回应事件数|次|response.other
三、依申请公开情况|——|
（一）收到申请数|件|requests.received
1.当面申请数|件|requests.received.in_person
2.传真申请数|件|requests.received.fax
3.网络申请数|件|requests.received.online
4.信函申请数|件|requests.received.letter
（二）申请办结数|件|requests.completed
1.按时办结数|件|requests.completed.on_time
2.延期办结数|件|requests.completed.extended
（三）申请答复数|件|requests.answered
1.属于已主动公开范围数|件|requests.answered.already_public
2.同意公开答复数|件|requests.answered.granted
3.同意部分公开答复数|件|requests.answered.partly_granted
4.不同意公开答复数|件|requests.answered.refused
其中：涉及国家秘密|件|requests.answered.refused.state_secret
涉及商业秘密|件|requests.answered.refused.trade_secret
涉及个人隐私|件|requests.answered.refused.privacy
危及国家安全、公共安全、经济安全和社会稳定|件|requests.answered.refused.security_stability
不是《条例》所指政府信息|件|requests.answered.refused.not_government_information
法律法规规定的其他情形|件|requests.answered.refused.other_law
5.不属于本行政机关公开数|件|requests.answered.not_this_organ
6.申请信息不存在数|件|requests.answered.not_existing
7.告知作出更改补充数|件|requests.answered.correction_asked
8.告知通过其他途径办理数|件|requests.answered.other_channel
四、行政复议数量|件|review.total
（一）维持具体行政行为数|件|review.upheld
（二）被依法纠错数|件|review.corrected
（三）其他情形数|件|review.other
五、行政诉讼数量|件|litigation.total
（一）维持具体行政行为或者驳回原告诉讼请求数|件|litigation.upheld
（二）被依法纠错数|件|litigation.corrected
（三）其他情形数|件|litigation.other
六、举报投诉数量|件|complaints
七、依申请公开信息收取的费用|万元|request_fees
八、机构建设和保障经费情况|——|
（一）政府信息公开工作专门机构数|个|resources.offices
（二）设置政府信息公开查阅点数|个|resources.reading_points
（三）从事政府信息公开工作人员数|人|resources.staff
1.专职人员数（不包括政府公报及政府网站工作人员数）|人|resources.staff.full_time
2.兼职人员数|人|resources.staff.part_time
（四）政府信息公开专项经费（不包括用于政府公报编辑管理及政府网站建设维护等方面的经费）|万元|resources.budget
九、政府信息公开会议和培训情况|——|
（一）召开政府信息公开工作会议或专题会议数|次|training.meetings
（二）举办各类培训班数|次|training.courses
（三）接受培训人员数|人次|training.participants
"""


def statistics_table(report: Report) -> FormTable:
    """The one long list of the 2014 form; local copies may print this year's count and a cumulative one."""
    both = bool(report.cumulative)
    counts = ["本年", "累计"] if both else ["统计数"]
    rows: list[Row] = [[Slot(name, "header") for name in ("统计指标", "单位", *counts)]]
    for line in _STATISTICS.strip().splitlines():
        label, unit, name = line.split("|")
        row = [Slot(label, "label" if name else "section"), Slot(unit, "filler")]
        if name:
            key: Key = (f"statistics.{name}", None)
            row.append(Slot(report.cells[key].text, "value", (key,)))
            extra = report.cumulative.get(key, "0")
        else:
            row.append(Slot("——", "filler"))
            extra = "——"
        if both:
            row.append(Slot(extra, "value" if name else "filler"))
        rows.append(row)
    return FormTable("statistics", len(rows[0]), rows, header_rows=1)


def tables_of(report: Report) -> list[FormTable]:
    """The statutory tables of the report's form, in printed order."""
    if report.form == "2008":
        return []
    if report.form == "2014":
        return [statistics_table(report)]
    return [proactive_table(report), requests_table(report), review_table(report)]


@dataclass(frozen=True, slots=True)
class Placed:
    """A slot where the spans put it."""

    slot: Slot
    row: int
    column: int


def place(table: FormTable) -> list[Placed]:
    """Lays the spans out as HTML does: each slot takes the next free column of its row."""
    taken: set[tuple[int, int]] = set()
    placed = []
    for row, slots in enumerate(table.rows):
        column = 0
        for slot in slots:
            while (row, column) in taken:
                column += 1
            placed.append(Placed(slot, row, column))
            for r in range(row, row + slot.rowspan):
                taken.update((r, c) for c in range(column, column + slot.colspan))
            column += slot.colspan
    return placed


def matrix(table: FormTable, repeat: bool = False) -> list[list[str]]:
    """Every place of the table as text; places a span covers are empty, or repeat the slot's text."""
    texts = [[""] * table.width for _ in table.rows]
    for one in place(table):
        for row in range(one.row, min(one.row + one.slot.rowspan, len(texts))):
            for column in range(one.column, min(one.column + one.slot.colspan, table.width)):
                if repeat or (row, column) == (one.row, one.column):
                    texts[row][column] = one.slot.text
    return texts
