"""Laying the forms over pages: columns at the sides, groups apart, other tables' rows, headers that say less."""

from __future__ import annotations

from extractors import forms
from extractors.match import Matched, match
from extractors.read import read_document
from extractors.read_html import read_html
from tests.test_match import HEADER, numbers, requests, row


def page(*tables: str) -> Matched:
    return match(read_html("".join(f"<table>{table}</table>" for table in tables).encode()))


def line(*cells: str, first: str = "") -> str:
    return f"<tr>{first}" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def test_rows_of_another_table_below_are_not_taken_for_the_forms_total_and_other() -> None:
    others = "".join(line(name, *"9876543") for name in ("教育局", "其他", "总计"))
    head = line("单位", "自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计")
    matched = page(HEADER + row("（一）予以公开", *"0123456") + row("（七）总计", *"0123456"), head + others)
    assert {i for i, _ in numbers(matched)} == {"requests.granted", "requests.handled"}
    assert numbers(matched)["requests.handled", "natural_person"] == "0"
    assert {left.reason_code for left in matched.leftovers} == {"unknown_row"}


def test_a_numbered_total_below_an_unknown_row_is_the_forms() -> None:
    matched = requests(row("（八）另行通知", *"0123456"), row("（七）总计", *"0123456"))
    assert {i for i, _ in numbers(matched)} == {"requests.handled"}


def test_the_single_row_printed_short_is_told_by_its_number() -> None:
    assert {i for i, _ in numbers(requests(row("（六）其他", *"0123456")))} == {"requests.other"}
    assert {i for i, _ in numbers(requests(row("3.其他", *"0123456")))} == {"requests.other.remaining"}


def test_a_number_between_or_behind_the_headers_columns_makes_the_row_uncertain() -> None:
    behind = requests(row("（一）予以公开", *"0123456"), row("2.重复申请", *"01234567"))
    assert {i for i, _ in numbers(behind)} == {"requests.granted"}
    gap = HEADER.replace("<td rowspan='2'>总计", "<td rowspan='2'></td><td rowspan='2'>总计")
    between = requests(row("（一）予以公开", *"01234567"), header=gap.replace("colspan='7'", "colspan='8'"))
    assert not numbers(between)


REMARKS = HEADER.replace("</tr>", "<td rowspan='3'>备注</td></tr>", 1)
UNITS = HEADER.replace("<td colspan='7'>", "<td rowspan='3'>单位</td><td colspan='7'>", 1)


def test_columns_of_units_and_remarks_beside_the_applicants() -> None:
    for remark in ("", "无", "/", "其中3件为上年转办"):
        beside = requests(row("（一）予以公开", *"0123456", remark), header=REMARKS)
        assert "".join(numbers(beside).values()) == "0123456", remark
    units = requests(row("（一）予以公开", "件", *"0123456"), header=UNITS)
    assert "".join(numbers(units).values()) == "0123456"


def test_a_remark_or_unit_fills_no_place_of_a_lost_value() -> None:
    for header, values in (
        (REMARKS, ("0", *"12345", "7")),
        (REMARKS, (*"012345", "无")),
        (UNITS, ("件", *"012345")),
    ):
        lost = requests(row("（一）予以公开", *values), row("（二）部分公开", *values, "0"), header=header)
        assert {i for i, _ in numbers(lost)} <= {"requests.partly_granted"}
        assert "column_lost" in {left.reason_code for left in lost.leftovers}


def test_a_group_of_unknown_wording_hides_no_row_beside_it() -> None:
    group = "<td rowspan='2'>（五）不予办理</td>"
    rows = line("1.信访举报投诉类申请", *"0123456", first=group) + line("2.重复申请", *"0123456")
    assert {i for i, _ in numbers(requests(rows))} == {
        "requests.not_processed.complaint",
        "requests.not_processed.repeat",
    }


SECTION = "<tr><td colspan='5'>第二十条第（一）项</td></tr>"
MADE = {
    ("proactive.regulations.made", None): "1",
    ("proactive.regulations.repealed", None): "2",
    ("proactive.regulations.in_force", None): "3",
}
COLUMNS = ("本年制发件数", "本年废止件数", "现行有效件数")


def test_columns_beside_the_forms_own_are_passed_over() -> None:
    for corner in ("信息类别", "项目", ""):
        assert numbers(page(SECTION + line(corner, *COLUMNS) + line("规章", *"123"))) == MADE
    remark = line("信息内容", *COLUMNS, "备注") + line("规章", *"123", "含4件")
    unit = line("信息内容", "单位", *COLUMNS) + line("规章", "件", *"123")
    ordinal = line("序号", "信息内容", *COLUMNS) + line("7", "规章", *"123")
    mark = "<td rowspan='2'>第二十条第（一）项</td>"
    beside = line("信息内容", *COLUMNS, first=mark) + line("规章", *"123")
    for table in (SECTION + remark, SECTION + unit, SECTION + ordinal, beside):
        assert numbers(page(table)) == MADE


def test_a_value_lost_beside_a_column_of_remarks_moves_no_other_into_its_place() -> None:
    head = SECTION + line("信息内容", "本年制发件数", "本年废止件数", "现行有效件数", "备注")
    matched = page(head + line("规章", "1", "3", "无") + line("行政规范性文件", "1", "2", "3", "无"))
    assert {indicator.split(".")[1] for indicator, _ in numbers(matched)} == {"normative_documents"}
    assert [left.reason_code for left in matched.leftovers] == ["column_lost"]


def test_a_corner_that_says_less_needs_columns_printed_right() -> None:
    matched = page(SECTION + line("项目", "教育局", "公安局", "合计") + line("规章", *"123"))
    assert not matched.cells and [left.reason_code for left in matched.leftovers] == ["no_header"]


def test_values_below_a_header_wider_than_its_table_are_not_told_by_place() -> None:
    head = line("信息内容", "", "上一年项目数量", "本年增/减", "")
    others = "".join(line("规章", *"123") for _ in range(3))
    table = SECTION + line("信息内容", *COLUMNS) + others + head + line("行政事业性收费", "0", "12", "")
    assert not [i for i, _ in numbers(page(table)) if ".fees." in i]


def test_narrow_values_right_below_their_header_are_read_in_a_wide_table() -> None:
    def wide(*cells: str) -> str:
        return f"<tr><td>{cells[0]}</td><td>{cells[1]}</td><td colspan='2'>{cells[2]}</td></tr>"

    long = "".join(line("（一）予以公开", *"0123456") for _ in range(4))
    fees = wide("信息内容", "上一年项目数量", "本年增/减") + wide("行政事业性收费", "5", "-2")
    read = numbers(page(SECTION + fees + HEADER + long))
    assert read["proactive.fees.items_last_year", None] == "5"
    assert read["proactive.fees.items_change", None] == "-2"


RESULTS = ("结果维持", "结果纠正", "其他结果", "尚未审结", "总计")
GROUPS = ("行政复议", "未经复议直接起诉", "复议后起诉")


def review(*rows: str) -> dict[str, str]:
    return {i: n for (i, _), n in numbers(page("".join(rows))).items()}


def spread(*cells: str) -> str:
    return "<tr>" + "".join(f"<td colspan='5'>{cell}</td>" for cell in cells) + "</tr>"


def test_groups_of_results_in_rows_or_tables_of_their_own() -> None:
    below = [
        spread(name) + line(*RESULTS) + line(*values)
        for name, values in zip(GROUPS, ("12345", "67890", "24680"), strict=True)
    ]
    beside = line("类别", *RESULTS) + line("行政复议", *"12345")
    beside += line("未经复议直接起诉", *"67890", first="<td rowspan='2'>行政诉讼</td>") + line(
        "复议后起诉", *"24680"
    )
    apart = [
        below[0],
        spread("行政诉讼", "") + spread(*GROUPS[1:]) + line(*RESULTS, *RESULTS) + line(*"6789024680"),
    ]
    wanted = {
        f"{group}.{result}": "123456789024680"[5 * i + j]
        for i, group in enumerate(("review", "litigation.direct", "litigation.after_review"))
        for j, result in enumerate(("upheld", "corrected", "other", "pending", "total"))
    }
    assert review(*below) == wanted
    assert {i: n for (i, _), n in numbers(page(*apart)).items()} == wanted
    assert review(spread(*GROUPS[:1], "行政诉讼", ""), beside) == wanted


def test_results_of_a_group_that_is_not_named_are_left_over() -> None:
    whole = spread("行政复议", "行政诉讼", "") + spread("", *GROUPS[1:]) + line(*RESULTS * 3)
    assert not review(whole, line(*"1234567890"))  # five of fifteen are missing
    assert not review(line("单位", *RESULTS), line("教育局", *"12345"))


def one_below_the_other(unit: str = "") -> list[str]:
    """Chapter 四 with one number a row: 1 to 15, the groups' names beside their first results."""
    heads = {
        0: "<td rowspan='5' colspan='2'>行政复议</td>",
        5: "<td rowspan='10'>行政诉讼</td><td rowspan='5'>未经复议直接起诉</td>",
        10: "<td rowspan='5'>复议后起诉</td>",
    }
    units = (unit,) if unit else ()
    return [line(RESULTS[n % 5], *units, str(n + 1), first=heads.get(n, "")) for n in range(15)]


def test_results_one_below_the_other() -> None:
    expected = dict(zip(forms.review().indicators, map(str, range(1, 16)), strict=True))
    assert review(*one_below_the_other()) == expected
    assert review(line("类别", "", "结果", "件数"), *one_below_the_other("件")) == expected
    apart = [
        line("行政复议"),
        *(line(result, str(n)) for n, result in enumerate(RESULTS, start=1)),
        line("行政诉讼"),
        line("未经复议直接起诉"),
        *(line(result, str(n)) for n, result in enumerate(RESULTS, start=6)),
        line("复议后起诉"),
        *(line(result, str(n)) for n, result in enumerate(RESULTS, start=11)),
    ]
    assert review(*apart) == expected


def test_a_result_out_of_order_is_nobodys_and_so_are_those_below_it() -> None:
    rows = one_below_the_other()
    missing = page("".join(rows[:2] + rows[3:]))
    assert [indicator for indicator, _ in numbers(missing)] == ["review.upheld", "review.corrected"]
    assert len(missing.leftovers) == 12
    moved = page("".join([*rows[10:], *rows[:10]]))
    assert not numbers(moved)
    assert len(moved.leftovers) == 15


def test_results_as_rows_below_the_groups_as_columns() -> None:
    head = line("行政复议", first="<td rowspan='2'></td>").replace("<td>行", "<td rowspan='2'>行")
    head = head.replace("</tr>", "<td colspan='2'>行政诉讼</td></tr>") + line(
        "未经复议直接起诉", "复议后起诉"
    )
    rows = "".join(line(result, str(n), str(n + 5), str(n + 10)) for n, result in enumerate(RESULTS, start=1))
    assert review(head + rows) == dict(zip(forms.review().indicators, map(str, range(1, 16)), strict=True))
    short = page(head + line("结果维持", "1", "6"))
    assert not numbers(short)
    assert [left.reason_code for left in short.leftovers] == ["unknown_row"]


def test_a_total_of_another_table_is_no_result() -> None:
    assert not review(line("项目", "件数"), line("建议", "3"), line("总计", "5"))
    rows = one_below_the_other()[:4]
    assert "review.total" not in review("".join(rows) + line("建议", "3") + line("总计", "5"))


def test_applicants_as_rows_are_named_as_not_read() -> None:
    labels = (
        "一、本年新收政府信息公开申请数量",
        "二、上年结转政府信息公开申请数量",
        "（一）予以公开",
        "（二）部分公开",
    )
    head = line("申请人情况", *labels, *("1.属于国家秘密",) * 5)
    matched = page(head + line("自然人", *"123456789") + line("其他", *"123456789"))
    assert not numbers(matched)
    assert [left.reason_code for left in matched.leftovers] == ["unknown_row"] * 2


def test_columns_beside_the_fifteen_results() -> None:
    head = "<tr><td rowspan='3'>{}</td><td colspan='5'>行政复议</td><td colspan='10'>行政诉讼</td></tr>"
    head += "<tr>" + "".join(f"<td rowspan='2'>{name}</td>" for name in RESULTS)
    head += "<td colspan='5'>未经复议直接起诉</td><td colspan='5'>复议后起诉</td></tr>" + line(*RESULTS * 2)
    fifteen = "123456789012345"
    for corner, cell in (("", ""), ("年份", "2023"), ("类别", "数量")):
        assert "".join(review(head.format(corner), line(cell, *fifteen)).values()) == fifteen
    assert not review(head.format(""), line("7", *fifteen))
    bare = head.replace("<td rowspan='3'>{}</td>", "")
    assert "".join(review(bare, line(*fifteen)).values()) == fifteen
    assert not review(bare, line("", *fifteen)) and not review(bare, line(*fifteen[:6], "4", *fifteen[6:]))
    words = review(bare, line("未统计", *fifteen[1:]))
    assert len(words) == 15 and words["review.upheld"] == "未统计"


def test_a_remark_fills_no_place_of_a_lost_result() -> None:
    head = line("行政复议", "行政诉讼").replace(
        "<td>行政复议", "<td rowspan='3'>单位名称</td><td colspan='5'>行政复议"
    )
    head = head.replace("<td>行政诉讼", "<td colspan='10'>行政诉讼")
    names = "".join(f"<td rowspan='2'>{result}</td>" for result in RESULTS)
    head += f"<tr>{names}<td colspan='5'>未经复议直接起诉</td><td colspan='5'>复议后起诉</td></tr>" + line(
        *RESULTS * 2
    )
    fifteen = [str(n) for n in range(15)]
    assert list(review(head, line("本机关", *fifteen)).values()) == fifteen
    assert not review(head, line("本机关", *fifteen[1:]))


def test_a_table_of_another_year_beside_this_years_is_left_over() -> None:
    def of(year: int, values: str) -> str:
        return f"<p>{year}年收到申请情况</p><table>{HEADER}{row('（一）予以公开', *values)}</table>"

    def read(*parts: str) -> Matched:
        return match(read_html(("<h1>某局2023年政府信息公开年度报告</h1>" + "".join(parts)).encode()))

    for parts in ((of(2022, "9999999"), of(2023, "0123456")), (of(2023, "0123456"), of(2022, "9999999"))):
        matched = read(*parts)
        assert "".join(numbers(matched).values()) == "0123456"
        assert [left.reason_code for left in matched.leftovers] == ["another_year"]
    # Alone, it is this year's table under a line that was left from last year.
    assert "".join(numbers(read(of(2022, "0123456"))).values()) == "0123456"


def test_of_a_table_that_stands_twice_only_what_both_print_is_certain() -> None:
    first = (
        HEADER
        + row("（一）予以公开", *"0123456")
        + row("（二）部分公开", *"1000001")
        + row("2.重复申请", *"0000000")
    )
    other = HEADER + row("（一）予以公开", *"0923456") + row("（二）部分公开", *"1800001")
    matched = page(first, other)
    expected = "023456" + "100001"  # the row that only one of them prints is in doubt too
    assert "".join(numbers(matched).values()) == expected
    assert {left.reason_code for left in matched.leftovers} == {"printed_twice"}
    # One row alone that is printed twice says nothing about the others.
    last = page(first, HEADER + row("2.重复申请", *"0000008"))
    assert "".join(numbers(last).values()) == "0123456" + "1000001" + "000000"


def test_chapter_two_in_two_forms_is_in_doubt_where_they_do_not_agree() -> None:
    section = "<tr><td colspan='4'>第二十条第（一）项</td></tr>"
    new = (
        section
        + line("信息内容", "本年制发件数", "本年废止件数", "现行有效件数")
        + line("规章", "1", "2", "3")
    )
    old = (
        section
        + line("信息内容", "本年新制作数量", "本年新公开数量", "对外公开总数量")
        + line("规章", "1", "0", "9")
    )
    assert numbers(page(new, old)) == {("proactive.regulations.made", None): "1"}
    assert len(numbers(page(new, new))) == 3


def test_rows_with_pipes_inside_a_page_are_one_table_with_its_lines_of_one_cell() -> None:
    lines = ["第二十条第（六）项", "信息内容 | 本年处理决定数量", "行政处罚 | 7", "第二十条第（五）项"]
    lines += ["信息内容 | 本年处理决定数量", "行政许可 | 5"]
    text = "".join(f"<p>{text}</p>" for text in ["规章 | 1 | 2 | 3", *lines, "三、收到和处理"])
    read = numbers(match(read_document(f"<html><body>{text}</body></html>".encode())))
    assert read == {
        ("proactive.penalties.decisions", None): "7",
        ("proactive.licensing.decisions", None): "5",
    }


def test_notes_with_brackets_of_their_own_are_no_part_of_a_label() -> None:
    matched = requests(row("（七）总计（等于（一）至（六）之和，不含上年结转）", *"0123456"))
    assert {i for i, _ in numbers(matched)} == {"requests.handled"}
