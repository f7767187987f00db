"""Laying the forms over texts: rows moved, headers in pieces, page numbers, lone pipes, blank lines, glued cells."""

from __future__ import annotations

from extractors import records
from extractors.known_rows import forget_rows
from extractors.match import match
from extractors.read_text import read_text
from tests.test_match import numbers

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


def test_what_was_read_before_says_nothing_of_other_figures_and_blanks() -> None:
    """One cell a line: a table of known words is read from memory, its figures, blank and damaged cells are its own."""

    def table(*cells: str) -> str:
        lines = [*REQUESTS.split(), "（一）予以公开", *cells, "（二）部分公开", *"0123456"]
        return "\n\n".join(lines).replace("BLANK\n\n", "\n\n") + "\n"

    granted = "requests.granted"
    assert read(table(*"1234567"))[granted] == list("1234567")
    assert read(table(*"7654321"))[granted] == list("7654321")
    assert read(table("12", "3.5", "0", "004", "1,234", "6", "7"))[granted][:4] == ["12", "3.5", "0", "004"]
    for blank in range(7):
        values = ["BLANK" if place == blank else str(place) for place in range(7)]
        document = read_text(table(*values).encode())
        found = {name: cell for name, cell in numbers(match(document)).items() if name[0] == granted}
        places = {
            applicant: str(place) for place, applicant in enumerate(records.APPLICANTS) if place != blank
        }
        assert {applicant: cell for (_, applicant), cell in found.items()} == places
    assert granted not in read(table(*"123456"))
    assert granted not in read(table(*"12345678"))


def test_a_number_that_may_be_a_pages_or_a_part_is_not_read_by_what_another_was() -> None:
    """Texts of the same words, one after the other in either order: each is read as if nothing was read before."""

    def rows(lone: str) -> str:
        return f"{REQUESTS}\n（一）予以公开 1 2 3 4 5 6\n{lone}\n（二）部分公开 1 2 3 4 5 6 7\n9999\n"

    def regulations(pair: str) -> str:
        return f"第二十条第（一）项\n信息内容\n本年制发件数\n本年废止件数\n现行有效件数\n规章\n{pair}\n3\n"

    assert read(rows("700"))["requests.granted"] == [*"123456", "700"]
    assert "requests.granted" not in read(rows("7"))
    assert len(read(regulations("1 61"))) == 3
    assert not read(regulations("1 619"))
    for make, prints in (
        (rows, ("700", "7", "Page 7000", "Page 7", "约 7", "7 7", "第 7")),
        (regulations, ("1 61", "1 619", "2 340", "1.5 61")),
    ):
        texts = [read_text(make(print_).encode()) for print_ in prints]
        for documents in (texts, texts[::-1]):
            forget_rows()
            remembered = [match(document) for document in documents]
            for document, matched in zip(documents, remembered, strict=True):
                forget_rows()
                assert matched == match(document)


def test_a_group_that_wraps_inside_its_bracket_is_no_note_of_the_row_above() -> None:
    """（四 … ）无法提供 begins below the row that 行政查询事项 ends: its numbers are not that row's."""
    lines = [
        "一、本年新收政府信息公开申请数量 1 0 0 0 0 0 1",
        "8.属 74 0 0 1 54 8 137",
        "于",
        "行政查询事项",
        "（四 1.本 0 0 7 3 0 9 19",
        "）无法提供 机关不掌握相关政府信息",
    ]
    assert set(read("\n".join([REQUESTS, *lines]))) == {"requests.new"}
