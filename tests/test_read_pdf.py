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
