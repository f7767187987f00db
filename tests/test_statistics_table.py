"""The statistics form of 2014 as agencies print it: columns, spellings and rows of their own. Every case is a table a
person could have typed; what is expected is written by hand.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from extractors.match import Matched, match
from extractors.read_html import read_html
from extractors.read_text import read_text

ROWS = (
    ("（一）收到申请数", "件", "7"),
    ("1.当面申请数", "件", "4"),
    ("2.传真申请数", "件", ""),
    ("3.网络申请数", "件", "3"),
)
EXPECTED = {"received": "7", "received.in_person": "4", "received.online": "3"}


def page(*rows: Sequence[str]) -> bytes:
    cells = ("".join(c if c.startswith("<td") else f"<td>{c}</td>" for c in row) for row in rows)
    return ("<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>").encode()


def numbers(matched: Matched, start: str = "statistics.requests.") -> dict[str, str]:
    return {
        cell.indicator.removeprefix(start): cell.printed
        for cell in matched.cells
        if cell.printed.strip() and not cell.mark
    }


def read(*rows: Sequence[str]) -> Matched:
    return match(read_html(page(*rows)))


@pytest.mark.parametrize(
    "header",
    [
        ("统计指标", "单位", "统计数"),
        ("统 计 指 标", "计量单位", "2016年度统计数"),
        ("指标名称", "单位", "2016年"),
        ("公开情况", "单位", "全年合计"),
    ],
)
def test_one_column_of_numbers_under_any_header(header: Sequence[str]) -> None:
    assert numbers(read(header, *ROWS)) == EXPECTED


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (("统计指标", "统计数", "单位"), "lnu"),
        (("序号", "统计指标", "单位", "统计数"), "1lun"),
        (("统计指标", "代码", "单位", "统计数"), "l1un"),
        (("统计指标", "单位", "代码", "统计数"), "lu1n"),
        (("统计指标", "单位", "统计数", "备注"), "lun1"),
        (("统计指标", "单位", "2017年", "2016年"), "lun9"),
        (("统计指标", "单位", "2016年", "2017年"), "lu9n"),
        (("统计指标", "单位", "本年度统计数", "历年累计统计数"), "lun9"),
        (("统计指标", "单位", "上年数", "本年数", "增长率"), "lu9n1"),
        (("统计指标", "", "单位", "统计数", ""), "lxunx"),
    ],
)
def test_the_header_says_which_column_is_this_years(header: Sequence[str], cells: str) -> None:
    def cell(row: Sequence[str], kind: str) -> str:
        return {"l": row[0], "u": row[1], "n": row[2], "x": "", "1": "12", "9": "999"}[kind]

    rows = [tuple(cell(row, kind) for kind in cells) for row in ROWS]
    assert numbers(read(header, *rows)) == EXPECTED
    lines = "\n".join(" | ".join(row) for row in [header, *rows])
    assert numbers(match(read_text(f"{lines}\n".encode()))) == EXPECTED


@pytest.mark.parametrize(
    "header",
    [
        ("统计指标", "单位", "统计数", "统计数"),
        ("统计指标", "单位", "2016年", "统计数"),
        ("统计指标", "单位", "上年数", "累计"),
        ("甲", "乙", "丙", "丁"),
    ],
)
def test_of_columns_that_are_not_told_apart_no_number_is_taken(header: Sequence[str]) -> None:
    matched = read(header, *(("1.当面申请数", "件", "4", "90"), ("2.传真申请数", "件", "5", "80")))
    assert not numbers(matched)
    assert {leftover.reason_code for leftover in matched.leftovers} == {"column_lost"}


def test_a_row_that_does_not_fit_its_header_is_lost() -> None:
    matched = read(("统计指标", "单位", "上年数", "本年数"), ("1.当面申请数", "件", "4"))
    assert not numbers(matched) and matched.leftovers[0].reason_code == "column_lost"


def test_a_second_line_of_the_header_tells_the_years() -> None:
    top = ("<td rowspan=2>统计指标</td>", "<td rowspan=2>单位</td>", "<td colspan=2>统计数</td>")
    rows = [(label, unit, "999", n) for label, unit, n in ROWS]
    assert numbers(read(top, ("累计", "本年"), *rows)) == EXPECTED


def test_halves_side_by_side_are_read_one_after_the_other() -> None:
    left = [
        ("四、行政复议数量", "件", "3"),
        ("（二）被依法纠错数", "件", "1"),
        ("五、行政诉讼数量", "件", "5"),
    ]
    right = [("（二）被依法纠错数", "件", "2"), ("六、举报投诉数量", "件", "8"), ("", "", "")]
    header = ("统计指标", "单位", "统计数")
    matched = read(header * 2, *((*a, *b) for a, b in zip(left, right, strict=True)))
    assert numbers(matched, "statistics.") == {
        "review.total": "3",
        "review.corrected": "1",
        "litigation.total": "5",
        "litigation.corrected": "2",
        "complaints": "8",
    }


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("其中：主动公开规范性文件数量", "published.normative_documents"),
        ("四、因政府信息公开申请行政复议数量", "review.total"),
        ("其中：1.涉及国家秘密的", "requests.answered.refused.state_secret"),
        ("4.信函申请", "requests.received.letter"),
        ("（一）回应公众关注热点或重大舆情数量（不同方式回应同一热点或舆情计1次）", "response.hot_topics"),
    ],
)
def test_labels_begin_and_end_as_agencies_like(label: str, code: str) -> None:
    assert numbers(read(("统计指标", "单位", "统计数"), (label, "件", "6")), "statistics.") == {code: "6"}


@pytest.mark.parametrize("order", [1, -1])
def test_a_row_of_an_agencys_own_never_takes_the_place_of_the_forms(order: int) -> None:
    rows = [("2.政府网站公开政府信息数", "条", "50"), ("政府网站专栏公开政府信息数", "条", "7")]
    for blank in (False, True):
        own = [rows[0] if not blank else (*rows[0][:2], ""), rows[1]]
        matched = read(("统计指标", "单位", "统计数"), *own[::order])
        assert numbers(matched, "statistics.channels.") == ({} if blank else {"website": "50"})
        assert [left.raw_text.endswith("7") for left in matched.leftovers] == [True]
    denied = read(("统计指标", "单位", "统计数"), ("主动公开非规范性文件数", "条", "7"))
    assert not numbers(denied)


def test_a_blank_row_still_tells_the_section() -> None:
    lines = "统计指标 | 单位 | 统计数\n四、行政复议数量 | 件 | \n（二）被依法纠错数 | 件 | 2\n"
    assert numbers(match(read_text(lines.encode())), "statistics.") == {"review.corrected": "2"}


def test_lines_of_two_cells_are_rows() -> None:
    lines = "指标名称 | 数量\n一、依申请公开情况 | \n" + "".join(
        f"{label}（{unit}） | {n}\n" for label, unit, n in ROWS
    )
    assert numbers(match(read_text(lines.encode()))) == EXPECTED


def test_lines_without_a_header_are_rows_when_each_names_its_unit() -> None:
    lines = "（一）主动公开政府信息数 条 12\n（一）收到申请数 件 7\n1.当面申请数 件 4 9\n2.传真申请数 3\n"
    found = numbers(match(read_text(lines.encode())), "statistics.")
    assert found == {"published.items": "12", "requests.received": "7"}


def test_a_page_number_between_lines_is_no_value() -> None:
    lines = "统计指标 单位 统计数\n（一）收到申请数 件 7\n3\n1.当面申请数 件 4\n"
    assert numbers(match(read_text(lines.encode()))) == {"received": "7", "received.in_person": "4"}


def test_a_label_wrapped_around_its_number_is_one() -> None:
    lines = (
        "统计指标 单位 统计数\n五、行政诉讼数量 件 3\n（一）维持具体行政行为或者\n件 2\n驳回原告诉讼请求数\n"
        "（二）被依法纠错数 件 1\n"
    )
    found = numbers(match(read_text(lines.encode())), "statistics.litigation.")
    assert found == {"total": "3", "upheld": "2", "corrected": "1"}
