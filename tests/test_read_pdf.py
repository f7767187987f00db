"""PDFs drawn here and the real one of the samples: every number in its row and column, none made up."""

from __future__ import annotations

import csv
import io
import random
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from reportlab.lib import colors, pdfencrypt
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, PageBreak, SimpleDocTemplate, Table, TableStyle
from reportlab.platypus import Paragraph as Flowing

from extractors.errors import Refused
from extractors.pdf_columns import BLANK
from extractors.pdf_page import UNKNOWN
from extractors.read_pdf import MAX_PAGES, read_pdf
from extractors.records import Document, Grid, GridCell

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "reports"
REAL = SAMPLES / "009_hongze-qu_2023.pdf"
FONT = "STSong-Light"
pdfmetrics.registerFont(UnicodeCIDFont(FONT))
BODY = ParagraphStyle("body", fontName=FONT, fontSize=12, leading=18, wordWrap="CJK", firstLineIndent=24)
SMALL = ParagraphStyle("small", fontName=FONT, fontSize=9, leading=11, wordWrap="CJK")
PROSE = "本机关坚持以公开为常态、不公开为例外，不断完善政府信息公开制度，全年主动公开政府信息1136条。" * 3


def built(
    story: list[Flowable], numbered: str = "", pagesize: tuple[float, float] = A4, **options: object
) -> bytes:
    target = io.BytesIO()

    def number(canvas: Canvas, template: SimpleDocTemplate) -> None:
        if numbered:
            canvas.setFont(FONT, 9)
            canvas.drawCentredString(pagesize[0] / 2, 25, numbered.format(template.page))

    document = SimpleDocTemplate(target, pagesize=pagesize, **options)
    document.build(story, onFirstPage=number, onLaterPages=number)
    return target.getvalue()


def rows_of(count: int, columns: int = 7, seed: int = 5) -> list[list[str]]:
    """Labelled rows of numbers and blanks."""
    chance = random.Random(seed)
    values = ["0", "", "3", "17", "4119", "/", "-417"]
    return [
        [f"{i + 1}.第{i + 1}类事项", *(chance.choice(values) for _ in range(columns))] for i in range(count)
    ]


def ruled(rows: list[list[str]], **options: object) -> Table:
    style = [("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("FONT", (0, 0), (-1, -1), FONT, 9)]
    style += options.pop("style", [])  # type: ignore[arg-type]
    widths = [120] + [45] * (len(rows[-1]) - 1)
    return Table(rows, widths, style=TableStyle(style), **options)  # type: ignore[arg-type]


def texts(grid: Grid) -> list[list[str]]:
    return [[cell.text for cell in row] for row in grid.rows]


def covered(grid: Grid) -> Iterator[tuple[int, int]]:
    for cell in (cell for row in grid.rows for cell in row):
        for down in range(cell.rowspan):
            for across in range(cell.colspan):
                yield cell.row + down, cell.column + across


def assert_tiled(grid: Grid) -> None:
    places = list(covered(grid))
    width = max(column for _, column in places) + 1
    assert sorted(places) == [(row, column) for row in range(len(grid.rows)) for column in range(width)]


# ------------------------------------------------------------------ ruled tables


def test_ruled_table_keeps_numbers_and_blanks_in_place() -> None:
    rows = rows_of(20)
    document = read_pdf(built([Flowing(PROSE, BODY), ruled(rows), Flowing("以上。", BODY)]))
    assert document.carrier == "pdf" and document.status == "read"
    assert [texts(grid) for grid in document.grids] == [rows]
    assert document.paragraphs == [PROSE, "以上。"]


@pytest.mark.parametrize("numbered", ["", "{}", "- {} -", "第{}页", "{}/3"])
@pytest.mark.parametrize("repeat", [0, 1])
def test_table_over_three_pages_is_one_grid(numbered: str, repeat: int) -> None:
    header = ["信息内容", "自然人", "企业", "科研", "公益", "法律", "其他", "总计"]
    rows = [header, *rows_of(95)]
    data = built([ruled(rows, repeatRows=repeat)], numbered)
    assert len(pdfium.PdfDocument(data)) == 3
    document = read_pdf(data)
    assert [texts(grid) for grid in document.grids] == [rows]
    assert document.paragraphs == []


def test_merged_cells_are_printed_once_where_they_start() -> None:
    rows = [
        ["项目", "申请人情况", "", "", ""],
        ["", "自然人", "法人", "", "总计"],
        ["", "", "企业", "其他", ""],
        ["结果", "1", "2", "", "3"],
        ["", "", "5", "6", "7"],
    ]
    style = [
        ("SPAN", a, b) for a, b in (((0, 0), (0, 2)), ((1, 0), (4, 0)), ((1, 1), (1, 2)), ((2, 1), (3, 1)))
    ]
    style += [("SPAN", (4, 1), (4, 2)), ("SPAN", (0, 3), (0, 4))]
    (grid,) = read_pdf(built([ruled(rows, style=style)])).grids
    assert_tiled(grid)
    assert grid.rows[0] == (GridCell("项目", 0, 0, 3, 1), GridCell("申请人情况", 0, 1, 1, 4))
    assert grid.rows[1] == (
        GridCell("自然人", 1, 1, 2, 1),
        GridCell("法人", 1, 2, 1, 2),
        GridCell("总计", 1, 4, 2, 1),
    )
    assert texts(grid)[2:] == [["企业", "其他"], ["结果", "1", "2", "", "3"], ["", "5", "6", "7"]]


def test_group_label_over_a_page_break_stays_one_cell() -> None:
    rows = [["结果" if i == 0 else "", f"{i}.类", str(i), ""] for i in range(60)]
    table = Table(
        rows,
        [60, 120, 60, 60],
        style=TableStyle(
            [
                ("INNERGRID", (1, 0), (-1, -1), 0.5, colors.black),
                ("BOX", (0, 0), (-1, -1), 0.5, colors.black),
                ("BOX", (0, 0), (0, -1), 0.5, colors.black),
                ("FONT", (0, 0), (-1, -1), FONT, 9),
            ]
        ),
    )
    (grid,) = read_pdf(built([table])).grids
    assert_tiled(grid)
    assert grid.rows[0][0] == GridCell("结果", 0, 0, 60, 1)
    assert [[c.text for c in row][-3:] for row in grid.rows] == [row[1:] for row in rows]


def test_a_blank_value_at_the_head_of_a_page_is_no_part_of_the_header_above() -> None:
    head = [["项目", "数量", "总计"], ["", "件", ""]]
    over = [("SPAN", (0, 0), (0, 1)), ("SPAN", (2, 0), (2, 1))]
    rows = [["规章", "3", ""], ["文件", "1", "1"]]
    (grid,) = read_pdf(built([ruled(head, style=over), PageBreak(), ruled(rows)])).grids
    assert texts(grid)[2:] == rows


def test_other_tables_on_the_next_page_stay_apart() -> None:
    first, second = rows_of(3), [[str(i * j) for i in range(15)] for j in range(1, 4)]
    style = [("GRID", (0, 0), (-1, -1), 1, colors.black)]
    grids = read_pdf(built([ruled(first), PageBreak(), Table(second, 31, style=style)])).grids
    assert [texts(grid) for grid in grids] == [first, second]


def test_open_sides_fill_rectangles_and_forms_rule_a_table() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    canvas.beginForm("lines")
    for row in range(4):
        canvas.rect(50, 700 - 20 * row, 300, 0.7, stroke=0, fill=1)
    for column in (1, 2):
        canvas.line(50 + 100 * column, 700, 50 + 100 * column, 640)
    canvas.endForm()
    canvas.translate(20, 10)
    canvas.doForm("lines")
    canvas.setFont(FONT, 10)
    for row in range(3):
        for column in range(3):
            canvas.drawString(60 + 100 * column, 686 - 20 * row, "规章" if column == 0 else f"{row}{column}")
    canvas.save()
    (grid,) = read_pdf(target.getvalue()).grids
    assert texts(grid) == [["规章", f"{row}1", f"{row}2"] for row in range(3)]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turned_pages_are_read_as_seen(turn: int) -> None:
    """The content is drawn lying, and the page's /Rotate sets it upright again."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4)
    canvas.setPageRotation(turn)
    # The library swaps the page's sides itself when it is turned by a quarter.
    width, height = landscape(A4) if turn in (90, 270) else A4
    canvas.translate(*{0: (0, 0), 90: (width, 0), 180: (width, height), 270: (0, height)}[turn])
    canvas.rotate(turn)
    table = ruled(rows_of(10))
    table.wrapOn(canvas, *A4)
    table.drawOn(canvas, 60, 200)
    canvas.save()
    page = pdfium.PdfDocument(target.getvalue())[0]
    assert page.get_rotation() == turn and page.get_size() == pytest.approx(A4, abs=1)
    assert [texts(grid) for grid in read_pdf(target.getvalue()).grids] == [rows_of(10)]


@pytest.mark.parametrize(("shown", "drawn"), [(0, 90), (0, 270), (90, 0), (270, 0), (90, 270), (180, 0)])
def test_text_that_stands_sideways_is_read_upright(shown: int, drawn: int) -> None:
    """Wide tables are drawn sideways on upright pages; others are shown turned by mistake."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=landscape(A4) if shown in (90, 270) else A4)
    canvas.setPageRotation(shown)
    width, height = A4
    canvas.translate(*{0: (0, 0), 90: (width, 0), 270: (0, height)}[drawn])
    canvas.rotate(drawn)
    table = ruled(rows_of(10))
    table.wrapOn(canvas, *A4)
    table.drawOn(canvas, 60, 100)
    canvas.save()
    assert [texts(grid) for grid in read_pdf(target.getvalue()).grids] == [rows_of(10)]


def test_a_lone_full_width_digit_of_a_sideways_page_is_found() -> None:
    """PDFium leaves such a digit out of the page's text; the other library then reads the page."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4)
    canvas.translate(A4[0], 0)
    canvas.rotate(90)
    rows = [["规章", "７", "８"], ["行政规范性文件", "７", "12"]]
    table = ruled(rows)
    table.wrapOn(canvas, *A4)
    table.drawOn(canvas, 60, 100)
    canvas.save()
    assert [texts(grid) for grid in read_pdf(target.getvalue()).grids] == [rows]


def drawn(lines: list[list[tuple[float, float, str]]], rules: list[tuple[float, ...]] = ()) -> bytes:  # type: ignore[assignment]
    """Pages with texts at (x, y), and lines from (x, y) to (x, y) on the first."""
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    for number, page in enumerate(lines):
        canvas.setFont(FONT, 10)
        for rule in rules if number == 0 else ():
            canvas.line(*rule)
        for x, y, text in page:
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def boxes(xs: list[float], ys: list[float]) -> list[tuple[float, ...]]:
    return [(x, ys[0], x, ys[-1]) for x in xs] + [(xs[0], y, xs[-1], y) for y in ys]


def test_a_number_its_cell_forced_into_two_lines_is_one_number() -> None:
    walls = boxes([50, 150, 180, 210, 240], [700, 670, 640])
    row = [(55, 680, "重复申请"), (156, 686, "174"), (156, 674, "57"), (190, 680, "5"), (220, 680, "0")]
    (grid,) = read_pdf(drawn([row], walls)).grids
    assert [cell.text for cell in grid.rows[0]] == ["重复申请", "17457", "5", "0"]


@pytest.mark.parametrize(
    "row",
    [
        [(156, 686, "12"), (156, 674, "57"), (190, 680, "5"), (220, 680, "0")],  # room for another digit
        [(156, 686, "174"), (156, 674, "57"), (190, 686, "5"), (190, 674, "8"), (220, 680, "0")],  # two rows
        [(156, 686, "174"), (156, 674, "57"), (190, 680, "5")],  # too little beside it
    ],
)
def test_two_numbers_one_above_the_other_stay_two(row: list[tuple[float, float, str]]) -> None:
    (grid,) = read_pdf(drawn([row], boxes([50, 150, 190 - 10, 210, 240], [700, 670, 640]))).grids
    assert "17457" not in [cell.text for cell in grid.rows[0]]
    assert "1257" not in [cell.text for cell in grid.rows[0]]


COLUMNS = [200, 240, 280, 320, 360, 400, 440]


def unruled(*rows: tuple[str, str]) -> list[tuple[float, float, str]]:
    """Rows 20 points apart: label, and the values of COLUMNS parted by commas."""
    return [
        (x, 700 - 20 * number, text)
        for number, (label, values) in enumerate(rows)
        for x, text in zip([50, *COLUMNS], [label, *values.split(",")], strict=True)
        if text
    ]


WHOLE = [
    ("1.属于国家秘密", "0,1,2,3,4,5,15"),
    ("7.属于行政执法案卷", "6,0,0,0,0,0,6"),
    ("2.重复申请", "9,9,9,9,9,9,54"),
]


def test_blanks_of_rows_without_rules_are_told_by_the_rows_around_them() -> None:
    page = unruled(WHOLE[0], ("（一）予以公开", "8,,,7,,,15"), *WHOLE[1:], ("（七）总计", ",,,,,3,3"))
    lines = read_pdf(drawn([page])).paragraphs
    assert lines[1] == f"（一）予以公开 8 {BLANK} {BLANK} 7 {BLANK} {BLANK} 15"
    assert lines[-1] == "（七）总计 " + f"{BLANK} " * 5 + "3 3"
    # Between two columns, and where fewer rows agree, nothing is told.
    moved = [(x + 20 if text == "7" else x, y, text) for x, y, text in page]
    assert "（一）予以公开 8 7 15" in read_pdf(drawn([moved])).paragraphs
    few = unruled(*WHOLE[:2], ("（一）予以公开", "8,,,7,,,15"))
    assert "（一）予以公开 8 7 15" in read_pdf(drawn([few])).paragraphs


def test_blanks_below_the_header_of_a_small_table_without_rules() -> None:
    places = [(50, "信息内容"), (200, "本年制发件数"), (300, "本年废止件数"), (400, "现行有效件数")]
    page = [(x, 700, text) for x, text in places] + [(50, 680, "规章"), (220, 680, "3"), (420, 680, "9")]
    assert read_pdf(drawn([page])).paragraphs[-1] == f"规章 3 {BLANK} 9"


def test_rows_before_and_behind_a_page_break_know_the_columns_of_the_other_page() -> None:
    short = ("（一）予以公开", "8,,,7,,,15")
    told = f"（一）予以公开 8 {BLANK} {BLANK} 7 {BLANK} {BLANK} 15"
    assert told in read_pdf(drawn([unruled(short), unruled(*WHOLE)])).paragraphs
    assert told in read_pdf(drawn([unruled(*WHOLE), unruled(short)])).paragraphs


def test_a_number_in_two_lines_without_rules_is_one_number_or_none() -> None:
    rows = unruled(WHOLE[0], ("（一）予以公开", "8,58174,0,0,0,0,58182"), *WHOLE[1:])
    rest = [(240, 668, "4"), (440, 668, "4")]
    assert "（一）予以公开 8 581744 0 0 0 0 581824" in read_pdf(drawn([rows + rest])).paragraphs
    # A row that lacks a value may hold the rest of any number above it.
    mixed = unruled(WHOLE[0], ("（一）予以公开", "8,58174,,0,0,0,58182"), *WHOLE[1:])
    found = [
        line for line in read_pdf(drawn([mixed + rest])).paragraphs if "58174" in line or line[:1] == "4"
    ]
    assert found and all(line.endswith(UNKNOWN) for line in found)
    # Over a page's end as well.
    last = unruled(*WHOLE, ("（一）予以公开", "8,58174,0,0,0,0,58182"))
    lines = read_pdf(drawn([last, [(50, 700, "理"), (240, 700, "4"), (440, 700, "4")]])).paragraphs
    assert lines[-2].endswith(UNKNOWN) and lines[-1].endswith(UNKNOWN)


def test_a_row_broken_by_the_pages_end_goes_on_beside_a_label_over_several_rows() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    for page in range(2):
        canvas.setFont(FONT, 10)
        top, rows = (100, 2) if page == 0 else (780, 3)
        for x in (50, 92, 144, 200, 256):
            canvas.line(x, top, x, top - 20 * rows)
        for row in range(rows + 1):
            left = 92 if page == 1 and 0 < row < rows else 50
            canvas.line(left, top - 20 * row, 256, top - 20 * row)
        cells = (
            [["（一）", "予以公开", "1", "2"], ["（三）不", "1.属于国家", "3", "4"]]
            if page == 0
            else [["予公开", "秘密", "", ""], ["", "2.重复", "5", "6"], ["", "3.其他", "7", "8"]]
        )
        for row, line in enumerate(cells):
            for x, text in zip((51, 93, 146, 202), line, strict=True):
                canvas.drawString(x, top - 14 - 20 * row, text)
        canvas.showPage()
    canvas.save()
    (grid,) = read_pdf(target.getvalue()).grids
    assert [[cell.text.replace("\n", "") for cell in row] for row in grid.rows] == [
        ["（一）", "予以公开", "1", "2"],
        ["（三）不予公开", "1.属于国家秘密", "3", "4"],
        ["2.重复", "5", "6"],
        ["3.其他", "7", "8"],
    ]
    assert grid.rows[1][0].rowspan == 3


def test_number_over_its_wall_is_nobodys() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    for x in (50, 150, 165, 180):
        canvas.line(x, 700, x, 660)
    for y in (700, 680, 660):
        canvas.line(50, y, 180, y)
    canvas.setFont("Helvetica", 10)
    canvas.drawString(152, 686, "4119")
    canvas.drawString(168, 666, "7")
    canvas.save()
    (grid,) = read_pdf(target.getvalue()).grids
    assert not any(cell.text.isdigit() for cell in grid.rows[0])
    assert [cell.text for cell in grid.rows[1]] == ["", "", "7"]


def test_text_drawn_twice_for_boldness_counts_once() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    canvas.setFont("Helvetica", 10)
    for shift in (0, 0.3):
        canvas.drawString(100 + shift, 700, "1136 0 11")
    canvas.save()
    assert read_pdf(target.getvalue()).paragraphs == ["1136 0 11"]


# ------------------------------------------------------------------ tables without rules, running text


def test_unruled_rows_come_out_line_by_line() -> None:
    rows = rows_of(12)
    rows = [[row[0], *(value or "0" for value in row[1:])] for row in rows]
    table = Table(rows, [150] + [40] * 7, style=TableStyle([("FONT", (0, 0), (-1, -1), FONT, 10)]))
    document = read_pdf(built([Flowing(PROSE, BODY), table, Flowing(PROSE, BODY)], "- {} -"))
    assert document.grids == []
    assert document.paragraphs == [PROSE, *(" ".join(row) for row in rows), PROSE]


def test_labels_wrapped_around_their_numbers_keep_their_order() -> None:
    label = "（二）部分公开（区分处理的，只计这一情形，不计其他情形）"
    table = Table(
        [
            ["（一）予以公开", "1", "0", "2"],
            [Flowing(label, SMALL), "4", "0", "5"],
            ["（三）不予公开", "7", "8", "9"],
        ],
        [150, 60, 60, 60],
        style=TableStyle([("FONT", (0, 0), (-1, -1), FONT, 9), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]),
    )
    lines = read_pdf(built([table])).paragraphs
    assert lines[0] == "（一）予以公开 1 0 2" and lines[-1] == "（三）不予公开 7 8 9"
    assert [line for line in lines[1:-1] if re.fullmatch(r"[\d ]+", line)] in (["4 0 5"], [])
    middle = [line.replace(" 4 0 5", "") for line in lines[1:-1]]
    assert "".join(line for line in middle if not re.fullmatch(r"[\d ]+", line)) == label


def test_page_numbers_between_rows_are_dropped_but_values_stay() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    for page in range(1, 5):
        canvas.setFont("Helvetica", 10)
        for row in range(30):
            canvas.drawString(100, 790 - 22 * row, f"{page * 100 + row} 0 {row}")
        canvas.drawString(100, 790 - 22 * 30, str(page * 7))
        canvas.drawCentredString(300, 30, str(page))
        canvas.showPage()
    canvas.save()
    expected = []
    for page in range(1, 5):
        expected += [f"{page * 100 + row} 0 {row}" for row in range(30)] + [str(page * 7)]
    assert read_pdf(target.getvalue()).paragraphs == expected


def test_title_is_the_large_type_at_the_head() -> None:
    head = ParagraphStyle("head", parent=BODY, fontSize=20, leading=28, alignment=1, firstLineIndent=0)
    story = [
        Flowing("洪泽区审计局", head),
        Flowing("2023年政府信息公开工作年度报告", head),
        Flowing(PROSE, BODY),
    ]
    document = read_pdf(built(story))
    assert document.title == "洪泽区审计局2023年政府信息公开工作年度报告"


# ------------------------------------------------------------------ scans and hidden text


def _picture() -> ImageReader:
    from PIL import Image

    stream = io.BytesIO()
    Image.effect_noise((300, 400), 60).save(stream, "PNG")
    return ImageReader(io.BytesIO(stream.getvalue()))


@pytest.mark.parametrize("layer", ["none", "invisible"])
def test_scans_yield_no_numbers(layer: str) -> None:
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    canvas.drawImage(_picture(), 0, 0, *A4)
    if layer == "invisible":
        text = canvas.beginText(100, 700)
        text.setTextRenderMode(3)
        text.setFont("Helvetica", 10)
        text.textLine("4119 0 21")
        canvas.drawText(text)
    canvas.save()
    document = read_pdf(target.getvalue())
    assert document.status == "tables_as_images" and document.blocks == ()
    assert "page 1" in " ".join(document.notes)


def test_white_text_is_read_on_colour_only() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    canvas.setFont("Helvetica", 10)
    canvas.setFillColorRGB(0, 0.3, 0.6)
    canvas.rect(95, 645, 60, 20, stroke=0, fill=1)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.drawString(100, 650, "2023")
    canvas.drawString(111, 700, "7")
    canvas.setFillColorRGB(0, 0, 0)
    canvas.drawString(100, 700, "41")
    canvas.save()
    assert read_pdf(target.getvalue()).paragraphs == ["41", "2023"]


def test_tables_as_pictures_in_a_text_keep_the_text() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    canvas.setFont(FONT, 12)
    canvas.drawString(80, 780, "二、主动公开政府信息情况")
    canvas.drawImage(_picture(), 80, 300, 400, 300)
    canvas.save()
    document = read_pdf(target.getvalue())
    assert document.status == "tables_as_images"
    assert document.paragraphs == ["二、主动公开政府信息情况"]


# ------------------------------------------------------------------ bad input


def test_encrypted_is_refused_with_a_sentence_unless_it_opens_without_password() -> None:
    story = [ruled(rows_of(3))]
    locked = built(list(story), encrypt=pdfencrypt.StandardEncryption("secret", strength=128))
    with pytest.raises(Refused, match="needs a password"):
        read_pdf(locked)
    opened = built([ruled(rows_of(3))], encrypt=pdfencrypt.StandardEncryption("", "owner", strength=128))
    assert texts(read_pdf(opened).grids[0]) == rows_of(3)


def test_two_thousand_pages_are_refused_at_once() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, A4)
    for _ in range(2000):
        canvas.showPage()
    canvas.save()
    began = time.process_time()
    with pytest.raises(Refused, match=f"2,000 pages.*at most {MAX_PAGES}"):
        read_pdf(target.getvalue())
    assert time.process_time() - began < 2


@pytest.mark.parametrize("data", [b"%PDF-1.4\n", b"%PDF-1.7\n%%EOF", b"%PDF-1.4 <html>404</html> %%EOF"])
def test_broken_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read_pdf(data)


def test_bomb_is_refused() -> None:
    import zlib

    squeezed = zlib.compress(b"0 0 m 1 1 l S\n" * 40_000_000, 9)
    data = b"%%PDF-1.4\n1 0 obj\n<</Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream\nendobj\n%%%%EOF"
    with pytest.raises(Refused, match="inflates to more than"):
        read_pdf(data % (len(squeezed), squeezed))


# ------------------------------------------------------------------ the real sample

needs_sample = pytest.mark.skipif(not REAL.exists(), reason="the sample reports are not on this machine")


def _numbers(document: Document) -> dict[str, list[str]]:
    """Label of each row (its last text before numbers) to the texts after it."""
    found: dict[str, list[str]] = {}
    for grid in document.grids:
        for row in grid.rows:
            cells = [cell.text.replace("\n", "") for cell in row]
            numeric = [re.fullmatch(r"[\d.]*", text) is not None for text in cells]
            first = numeric.index(True) if True in numeric else len(cells)
            if first < len(cells) and all(numeric[first:]):
                found[cells[first - 1] if first else ""] = cells[first:]
    return found


LABELS = {
    "requests.new": "一、本年新收政府信息公开申请数量",
    "requests.carried_in": "二、上年结转政府信息公开申请数量",
    "requests.granted": "（一）予以公开",
    "requests.refused.state_secret": "1.属于国家秘密",
    "requests.refused.query_matters": "8.属于行政查询事项",
    "requests.unavailable.not_held": "1.本机关不掌握相关政府信息",
    "requests.handled": "（七）总计",
    "requests.carried_out": "四、结转下年度继续办理",
}


@needs_sample
def test_real_sample_holds_every_true_number() -> None:
    document = read_pdf(REAL.read_bytes())
    assert [len(grid.rows) for grid in document.grids] == [14, 26, 4]
    for grid in document.grids:
        assert_tiled(grid)
    with (SAMPLES / "truth.csv").open(encoding="utf8") as stream:
        truth = [row for row in csv.DictReader(stream) if row["file"] == REAL.name]
    by_indicator: dict[str, list[str]] = {}
    for row in truth:
        by_indicator.setdefault(row["indicator"], []).append(row["value"])
    rows = _numbers(document)
    requests = [values for code, values in by_indicator.items() if code.startswith("requests.")]
    printed = [values for label, values in rows.items() if len(values) == 7]
    assert printed == requests
    for code, label in LABELS.items():
        if code in by_indicator:
            assert rows[label] == by_indicator[code]
    reviews = [values[0] for code, values in by_indicator.items() if code.startswith("review")]
    reviews += [values[0] for code, values in by_indicator.items() if code.startswith("litigation")]
    assert rows[""] == reviews
    assert rows["行政许可"] == by_indicator["proactive.licensing.decisions"]
    fee = Decimal(rows["行政事业性收费"][0]) * 10_000
    assert fee == Decimal(by_indicator["proactive.fees.amount"][0])


@needs_sample
def test_real_sample_agrees_with_pdfplumber_cell_by_cell() -> None:
    import pdfplumber

    with pdfplumber.open(REAL) as pdf:
        theirs = [
            re.sub(r"\s", "", text)
            for page in pdf.pages
            for table in page.extract_tables()
            if len(table[0]) > 1 or len(table) > 20
            for row in table
            for text in row
            if text and re.fullmatch(r"[\d.]+", text)
        ]
    ours = [
        c.text
        for g in read_pdf(REAL.read_bytes()).grids
        for r in g.rows
        for c in r
        if re.fullmatch(r"[\d.]+", c.text)
    ]
    assert ours == theirs


@needs_sample
def test_cut_and_flipped_files_never_give_another_number() -> None:
    """Damage is refused or harmless: the tables are those of the whole file, or there are none."""
    data = REAL.read_bytes()
    whole = [texts(grid) for grid in read_pdf(data).grids]
    chance = random.Random(11)
    for _ in range(60):
        with pytest.raises(Refused):
            read_pdf(data[: chance.randrange(1, len(data) - 8)])
    for _ in range(60):
        damaged = bytearray(data)
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            grids = read_pdf(bytes(damaged)).grids
        except Refused:
            continue
        assert [texts(grid) for grid in grids] in (whole, [])


@needs_sample
def test_real_sample_is_read_faster_than_pdfplumber_extracts_its_tables() -> None:
    import pdfplumber

    data = REAL.read_bytes()
    read_pdf(data)
    began = time.process_time()
    read_pdf(data)
    ours = time.process_time() - began
    began = time.process_time()
    with pdfplumber.open(io.BytesIO(data)) as pdf:
        for page in pdf.pages:
            page.extract_tables()
    assert ours < 1.3 * (time.process_time() - began)
