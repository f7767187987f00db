"""Laying the forms over tables: what is refused when a table leaves a column open, and what is named as left over."""

from __future__ import annotations

from extractors.match import Matched, match
from extractors.read_html import read_html
from extractors.read_text import read_text

HEADER = (
    "<tr><td colspan='3' rowspan='3'></td><td colspan='7'>申请人情况</td></tr>"
    "<tr><td rowspan='2'>自然人</td><td colspan='5'>法人或其他组织</td><td rowspan='2'>总计</td></tr>"
    "<tr><td>商业企业</td><td>科研机构</td><td>社会公益组织</td><td>法律服务机构</td><td>其他</td></tr>"
)


def requests(*rows: str, header: str = HEADER) -> Matched:
    return match(read_html(f"<table>{header}{''.join(rows)}</table>".encode()))


def row(label: str, *values: str) -> str:
    return f"<tr><td colspan='3'>{label}</td>" + "".join(f"<td>{value}</td>" for value in values) + "</tr>"


def numbers(matched: Matched) -> dict[tuple[str, str | None], str]:
    return {(c.indicator, c.applicant): c.printed for c in matched.cells if not c.mark and c.printed}


def test_seven_values_go_to_the_seven_applicants_and_blanks_stay_blank() -> None:
    matched = requests(row("一、本年新收政府信息公开申请数量", "5", "", "0", "", "", "1", "6"))
    assert numbers(matched) == {
        ("requests.new", "natural_person"): "5",
        ("requests.new", "research"): "0",
        ("requests.new", "other_org"): "1",
        ("requests.new", "total"): "6",
    }
    assert len(matched.cells) == 7


def test_a_row_that_misses_a_cell_gives_no_number_and_says_so() -> None:
    matched = requests(
        row("一、本年新收政府信息公开申请数量", "5", "0", "0", "0", "1", "6"),
        row("（一）予以公开", *"0123456"),
    )
    assert {c.mark for c in matched.cells if c.indicator == "requests.new"} == {"column_lost"}
    assert [left.reason_code for left in matched.leftovers] == ["column_lost"]


def test_one_value_over_several_columns_belongs_to_none_of_them() -> None:
    merged = "<tr><td colspan='3'>2.重复申请</td><td colspan='6'>4</td><td>4</td></tr>"
    matched = requests(row("（一）予以公开", *"0123456"), row("（七）总计", *"0123456"), merged)
    repeat = {c.applicant: c.mark for c in matched.cells if c.indicator == "requests.not_processed.repeat"}
    assert repeat.pop("total") == ""
    assert set(repeat.values()) == {"column_lost"}


def test_columns_in_another_order_than_the_form_are_not_trusted() -> None:
    swapped = HEADER.replace("商业企业", "X").replace("科研机构", "商业企业").replace("X", "科研机构")
    matched = requests(row("（一）予以公开", *"0123456"), header=swapped)
    assert not numbers(matched)


def test_the_single_row_excludes_its_three_successors() -> None:
    both = [row("（六）其他处理", *"0123456"), row("3.其他", *"0123456")]
    assert {i for i, _ in numbers(requests(*both))} == {"requests.other.remaining"}
    assert {i for i, _ in numbers(requests(both[0]))} == {"requests.other"}


def test_an_unknown_row_is_named() -> None:
    matched = requests(row("（八）另行通知", *"0123456"))
    assert [(left.reason_code, "另行通知" in left.raw_text) for left in matched.leftovers] == [
        ("unknown_row", True)
    ]


def test_a_value_row_without_its_header_is_left_over() -> None:
    page = "<table><tr><td>第二十条第（六）项</td></tr><tr><td>行政处罚</td><td>7</td></tr></table>"
    matched = match(read_html(page.encode()))
    assert not matched.cells
    assert [left.reason_code for left in matched.leftovers] == ["no_header"]


def test_a_cell_printed_twice_with_two_values_is_none() -> None:
    matched = requests(row("（一）予以公开", *"0123456"), row("（一）予以公开", *"9123456"))
    assert ("requests.granted", "natural_person") not in numbers(matched)
    assert numbers(matched)["requests.granted", "total"] == "6"
    assert [left.reason_code for left in matched.leftovers] == ["printed_twice"]


def test_labels_are_known_through_misprints_notes_and_traditional_characters_but_not_by_guessing() -> None:
    known = requests(
        row("2.其他法律行政止公开", *"0123456"),
        row("一、本年新收政府信息公開申請數量（填寫當年數）", *"0123456"),
    )
    assert {i for i, _ in numbers(known)} == {"requests.refused.other_law", "requests.new"}
    assert not numbers(requests(row("属于公开", *"0123456")))


def test_of_two_value_columns_only_this_year_counts() -> None:
    page = (
        "<table><tr><td>统计指标</td><td>单位</td><td>累计</td><td>本年</td></tr>"
        "<tr><td>1.当面申请数</td><td>件</td><td>90</td><td>4</td></tr>"
        "<tr><td>2.传真申请数</td><td>件</td><td>7</td></tr></table>"
    )
    matched = match(read_html(page.encode()))
    assert numbers(matched) == {("statistics.requests.received.in_person", None): "4"}
    assert matched.form == "2014"


def test_a_label_that_stands_twice_needs_its_section() -> None:
    rows = [
        ("四、行政复议数量", "3"),
        ("（二）被依法纠错数", "1"),
        ("五、行政诉讼数量", "5"),
        ("（二）被依法纠错数", "2"),
    ]
    head = "<tr><td>统计指标</td><td>单位</td><td>统计数</td></tr>"
    page = (
        f"<table>{head}"
        + "".join(f"<tr><td>{label}</td><td>件</td><td>{n}</td></tr>" for label, n in rows)
        + "</table>"
    )
    found = numbers(match(read_html(page.encode())))
    assert found["statistics.review.corrected", None] == "1"
    assert found["statistics.litigation.corrected", None] == "2"
    alone = f"<table>{head}<tr><td>（二）被依法纠错数</td><td>件</td><td>1</td></tr></table>"
    assert not numbers(match(read_html(alone.encode())))


def test_cells_glued_together_are_no_numbers() -> None:
    text = "第二十条第（一）项\n信息内容本年制发件数本年废止件数现行有效件数\n规章000\n行政规范性文件123\n"
    matched = match(read_text(text.encode()))
    assert not matched.cells
    assert [left.raw_text for left in matched.leftovers] == ["规章000", "行政规范性文件123"]


def test_prose_that_repeats_labels_with_numbers_is_no_table() -> None:
    text = "2022年，我局办理行政许可 15 项，行政处罚 3 件；（一）予以公开 3 件。\n三、本年度办理结果良好。\n"
    assert not match(read_text(text.encode())).cells


def test_the_last_digits_of_a_cut_file_are_not_believed() -> None:
    text = "第二十条第(五)项 | |||\n信息内容 | 本年处理决定数量 | ||\n行政许可 | 1808"
    (cell,) = match(read_text(text.encode())).cells
    assert cell.mark in ("cut", "column_lost")
