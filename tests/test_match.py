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


REQUESTS = "自然人 商业企业 科研机构 社会公益组织 法律服务机构 其他 总计"


def read(text: str) -> dict[str, list[str]]:
    """Printed values of a text by row of the form, blanks left out."""
    rows: dict[str, list[str]] = {}
    for (indicator, _), printed in numbers(match(read_text(f"{text}\n".encode()))).items():
        rows.setdefault(indicator, []).append(printed)
    return rows


def test_a_rows_own_number_is_no_value_of_the_row_above() -> None:
    above = "6.属于四类过程性信息 0 0 0 / 0 0"
    for numbering in ("7. 属于", "7 属于", "⑦ 属于"):
        found = read(f"{REQUESTS}\n{above}\n{numbering}行政执法案卷 1 2 3 4 5 6 7")
        assert found == {"requests.refused.enforcement_file": list("1234567")}, numbering


def test_a_bare_page_number_fills_no_blank_cell() -> None:
    rows = [f"{REQUESTS}", "（一）予以公开 1 2 3 4 5 6", "7", "（二）部分公开 1 2 3 4 5 6 7", "8"]
    assert read("\n".join([*rows, "1.重复申请 0 0 0 0 0 0 0"])) == {
        "requests.partly_granted": list("1234567"),
        "requests.not_processed.repeat": list("0000000"),
    }
    for page in ("－ 7 －", "· 7 ·", "第 七 页", "第 7 页，共 9 页", "Page 7 of 9"):
        found = read("\n".join([*rows[:2], page, *rows[3:]]))
        assert list(found) == ["requests.partly_granted"], page
    review = "结果维持 结果纠正 其他结果 尚未审结 总计\n" + " ".join("0" * 14)
    assert not read(f"{review}\n12\n")
    assert len(read(f"{review} 0\n12\n")) == 15


def test_numbers_side_by_side_are_not_one_number() -> None:
    table = "第二十条第（一）项\n信息内容\n本年制发件数\n本年废止件数\n现行有效件数\n规章\n{}\n"
    assert sorted(read(table.format("1 2 3")).values()) == [["1"], ["2"], ["3"]]
    assert sorted(read(table.format("1 619\n2\n3")).values()) == [["1 619"], ["2"], ["3"]]


def markdown(*rows: str) -> str:
    return "\n".join(f"| {' | '.join(row.split(','))} |" for row in rows)


def test_rows_moved_to_the_left_are_filled_up_with_empty_cells_and_no_blanks() -> None:
    header = (
        "勾稽关系,申请人情况,,,,,,,,",
        "自然人,法人或其他组织,总计,,,,,,,",
        "商业企业,科研机构,社会公益组织,法律服务机构,其他,,,,,",
    )
    new, secret = (
        "一、本年新收政府信息公开申请数量,1,2,3,4,5,6,,,",
        "（三）不予公开,1.属于国家秘密,,2,3,4,5,6,7,",
    )
    assert read(markdown(*header, new, secret)) == {
        "requests.new": list("123456"),
        "requests.refused.state_secret": list("234567"),
    }
    matched = match(read_text(f"{markdown(*header, new, secret)}\n".encode()))
    assert ("requests.new", "total") not in numbers(matched)
    assert ("requests.refused.state_secret", "natural_person") not in numbers(matched)
    assert not read(markdown(*[",,,,,,,,,"] * 2, secret, secret.replace("1.属于国家秘密", "2.重复申请")))


def test_a_table_ends_where_the_next_one_begins_even_without_a_heading() -> None:
    proactive = "第二十条第（六）项\n信息内容 本年处理决定数量\n行政处罚 5"
    rows = f"{REQUESTS}\n（一）予以公开 1 2 3 4 5 6 7"
    review = "行政复议 行政诉讼\n结果维持 结果纠正 其他结果 尚未审结 总计\n" + " ".join("1" * 15)
    found = read(f"{proactive}\n{rows}\n{review}")
    assert found.pop("proactive.penalties.decisions") == ["5"]
    assert found.pop("requests.granted") == list("1234567")
    assert len(found) == 15
    assert len(read(f"{proactive}\n{review}")) == 16


def test_fifteen_numbers_are_found_below_a_header_in_pieces() -> None:
    header = "行政复议 行政诉讼\n结果 结果 未经复议直接起诉 复议后起诉\n维持 纠正"
    text = f"四、行政复议、行政诉讼情况\n未发生行政复议、行政诉讼。\n{header}\n{' '.join('1' * 15)}"
    assert len(read(text)) == 15


def test_invisible_characters_between_pipes_are_no_cells() -> None:
    header = "信息内容 |\n本年处理决定数量 |\n|\u200b|\n"
    assert read(f"第二十条第（六）项 |\n|||\n{header}行政处罚 |\n5 |\n||\n行政强制 |\n\u200b\n6 |\n||") == {
        "proactive.penalties.decisions": ["5"],
        "proactive.coercion.decisions": ["6"],
    }


def test_an_empty_first_cell_is_no_leading_pipe() -> None:
    new = "一、本年新收政府信息公开申请数量 | 1 | 2 | 3 | 4 | 5 | 6 |  | ||"
    labels = ("予以公开", "部分公开", "无法提供 | 1.本机关不掌握")
    rows = [f" | {label} | 1 | 2 | 3 | 4 | 5 | 6 |  | |" for label in labels]
    found = read("\n".join(["自然人 | 商业企业 | 科研机构 |", new, *rows]))
    assert len(found) == 4
    assert set(map(tuple, found.values())) == {tuple("123456")}


PROACTIVE = (
    ("第二十条第（一）项", None, None, None),
    ("信息内容", "本年制发件数", "本年废止件数", "现行有效件数"),
    ("规章", "1", "2", "3"),
    ("第二十条第（六）项", None, None, None),
    ("信息内容", "本年处理决定数量", None, None),
    ("行政处罚", "5", None, None),
)
APPLICANTS = (tuple(REQUESTS.split()), ("（一）予以公开", *"1234567"), ("（二）部分公开", *"1234567"))
REVIEW = ((*["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"] * 3,), tuple("1" * 15))


def test_cells_with_lone_pipes_are_read_without_headings_between_the_tables() -> None:
    rows = [*PROACTIVE, *APPLICANTS, *REVIEW]
    cells = [f"{cell} |" if cell else "||" for row in rows for cell in row]
    opened = [line for row in rows for line in ("|", *(f"{cell} |" for cell in row if cell))]
    for lines in (cells, opened):
        found = read("\n".join(lines))
        assert [found.pop(f"proactive.regulations.{name}") for name in ("made", "repealed", "in_force")] == [
            ["1"],
            ["2"],
            ["3"],
        ]
        assert found.pop("proactive.penalties.decisions") == ["5"]
        assert len(found) == 2 + 15


def test_a_heading_between_lone_pipes_is_no_value() -> None:
    cells = ["第二十条第（九）项", "信息内容", "采购项目数量", "采购总金额", "政府集中采购", "1", "2万元"]
    rows = [cell for row in APPLICANTS * 2 for cell in row]
    found = read(" | ".join([*cells, "三、收到和处理政府信息公开申请情况", *rows]) + " | ")
    assert found.pop("proactive.procurement.amount") == ["2万元"]
    assert set(found) == {"proactive.procurement.projects", "requests.granted", "requests.partly_granted"}


def test_a_markdown_row_that_lost_a_cell_is_not_moved() -> None:
    upper = ",,自然人,商业企业,科研机构,社会公益组织,法律服务机构,其他,总计"
    whole, short = "三、本年度办理结果,（一）予以公开,,2,3,4,5,6,7", ",（七）总计,,2,3,4,5,6"
    lines = markdown(upper, whole, short).split("\n")
    lines.insert(1, "|" + "---|" * 9)
    assert read("\n".join(lines)) == {"requests.granted": list("234567")}
    packed = (
        "自然人,商业企业,科研机构,社会公益组织,法律服务机构,其他,总计,",
        "予以公开,1,2,3,4,5,6,7",
        "部分公开,1,2,3,4,5,6,",
    )
    lines = markdown(packed[0] + ",", packed[1] + ",", packed[2]).split("\n")
    lines.insert(1, "|" + "---|" * 9)
    assert read("\n".join(lines)) == {"requests.granted": list("1234567")}


def test_blank_lines_are_blank_cells_by_how_many_stand_between_cells() -> None:
    cells = [
        *(
            "第二十条第（一）项",
            "信息内容",
            "本年制发件数",
            "本年废止件数",
            "现行有效件数",
            "规章",
            "1",
            "",
            "3",
        ),
        *(
            "行政规范性文件",
            "4",
            "5",
            "6",
            "第二十条第（六）项",
            "信息内容",
            "本年处理决定数量",
            "行政处罚",
            "7",
        ),
    ]
    for gap in (1, 2, 3):
        text = "".join(cell + "\n" * (gap + 1) for cell in cells)
        found = read(f"{text}\n三、收到和处理政府信息公开申请情况")
        assert found.pop("proactive.regulations.made") == ["1"], gap
        assert found.pop("proactive.regulations.in_force") == ["3"], gap
        assert "".join(value for (value,) in found.values()) == "4567", gap


def test_fourteen_numbers_behind_a_pipe_are_not_fifteen() -> None:
    header = "| 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 ".replace(" | ", " |\n")
    values = "\n".join(f"{number} |" for number in range(1, 15))
    text = f"{header * 2}|\n印发页\n尚未审结 |\n总计 ||||||\n|\n{values}"
    assert not read(f"{text}\n印发页")


def test_a_title_on_every_page_parts_no_row() -> None:
    title = "某县林业局2021年政府信息公开工作年度报告"
    cells = [line for row in APPLICANTS for line in row]
    paged = [title, *cells[:9], title, *cells[9:16], title, *cells[16:]]
    expected = {"requests.granted": list("1234567"), "requests.partly_granted": list("1234567")}
    assert read("\n".join(paged)) == expected
    assert read("\n".join(line if line == title else f"{line} |" for line in paged)) == expected


def test_a_lone_pipe_behind_a_row_is_padding_also_when_its_first_value_is_blank() -> None:
    rows = [("属于国家秘密", "", *"234567", ""), ("重复申请", *"1234567", ""), ("部分公开", *"1234567", "")]
    cells = ["申请人情况", "||||||||", *REQUESTS.split(), "||", *(cell for row in rows for cell in row)]
    found = read("\n".join(cell if "|" in cell else f"{cell} |".strip() for cell in cells))
    assert found["requests.refused.state_secret"] == list("234567")
    assert len(found) == 3
