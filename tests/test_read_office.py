"""Word, Excel and picture files made by their own libraries, and hostile ones made by hand."""

from __future__ import annotations

import io
import random
import shutil
import struct
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
import xlsxwriter
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import RGBColor
from PIL import Image

from extractors import read_image as read_image_module
from extractors import read_office, reading
from extractors.dataroot import DataRoot
from extractors.errors import Refused
from extractors.read import read_document
from extractors.read_image import read_image
from extractors.read_office import read_docx, read_legacy, read_xls, read_xlsx
from extractors.read_pdf import read_pdf
from extractors.reading import now, read_snapshot
from extractors.records import Grid, GridCell, Paragraph, Snapshot

ROWS = [["信息内容", "本年制发件数", "现行有效件数"], ["规章", "0", ""], ["行政规范性文件", "5", "/"]]


def saved(document: docx.document.Document) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def with_table(rows: list[list[str]]) -> tuple[docx.document.Document, docx.table.Table]:
    document = docx.Document()
    table = document.add_table(len(rows), len(rows[0]))
    for row, values in zip(table.rows, rows, strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    return document, table


def texts(grid: Grid) -> list[list[str]]:
    return [[cell.text for cell in row] for row in grid.rows]


# ------------------------------------------------------------------ Word


def test_docx_paragraphs_and_tables_in_printed_order() -> None:
    document, _ = with_table(ROWS)
    document.add_paragraph("三、收到和处理  政府信息公开申请情况")
    document.element.body.insert(0, document.add_paragraph("二、主动公开")._p)
    read = read_docx(saved(document))
    assert read.carrier == "docx" and read.status == "read"
    assert [type(block) for block in read.blocks] == [Paragraph, Grid, Paragraph]
    assert read.paragraphs == ["二、主动公开", "三、收到和处理 政府信息公开申请情况"]
    assert texts(read.grids[0]) == ROWS


def test_docx_merged_cells_are_printed_once() -> None:
    document, table = with_table([[""] * 4 for _ in range(4)])
    table.cell(0, 0).merge(table.cell(2, 0)).text = "项目"
    table.cell(0, 1).merge(table.cell(0, 3)).text = "申请人"
    table.cell(1, 1).merge(table.cell(2, 2)).text = "法人"
    table.cell(3, 3).text = "7"
    (grid,) = read_docx(saved(document)).grids
    assert grid.rows[0] == (GridCell("项目", 0, 0, 3, 1), GridCell("申请人", 0, 1, 1, 3))
    assert grid.rows[1] == (GridCell("法人", 1, 1, 2, 2), GridCell("", 1, 3))
    assert grid.rows[2] == (GridCell("", 2, 3),)
    assert texts(grid)[3] == ["", "", "", "7"]


def test_docx_nested_tables_and_frames() -> None:
    document, outer = with_table([["a", "b"]])
    inner = outer.cell(0, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "规章", "9"
    assert [texts(grid) for grid in read_docx(saved(document)).grids] == [[["a", "b"]], [["规章", "9"]]]
    document, frame = with_table([["一、总体情况"]])
    frame.cell(0, 0).add_table(1, 2).cell(0, 0).text = "规章"
    read = read_docx(saved(document))
    assert read.paragraphs == ["一、总体情况"] and [texts(grid) for grid in read.grids] == [[["规章", ""]]]


def test_docx_prints_neither_deleted_nor_hidden_text_but_text_boxes_once() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("共")
    space = nsdecls("w")
    paragraph._p.append(parse_xml(f"<w:del {space}><w:r><w:delText>9</w:delText></w:r></w:del>"))
    paragraph._p.append(parse_xml(f"<w:ins {space}><w:r><w:t>12</w:t></w:r></w:ins>"))
    paragraph.add_run("34").font.hidden = True
    paragraph.add_run("件")
    box = "<w:txbxContent><w:p><w:r><w:t>另有5件</w:t></w:r></w:p></w:txbxContent>"
    alternate = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    paragraph._p.append(
        parse_xml(
            f"<w:r {space} {alternate}><mc:AlternateContent><mc:Choice>{box}</mc:Choice>"
            f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
        )
    )
    document.element.body.insert(
        1,
        parse_xml(
            f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>控件</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        ),
    )
    assert read_docx(saved(document)).paragraphs == ["共12件", "另有5件", "控件"]


def test_docx_numbers_without_struck_digits_notes_marks_and_tables_around_them() -> None:
    document, table = with_table([["规章", "5", "12", ""]])
    struck, raised = (table.cell(0, place).paragraphs[0].add_run("9") for place in (1, 2))
    struck.font.strike, raised.font.superscript = True, True
    table.cell(0, 3).add_table(1, 1).cell(0, 0).text = "7"
    (grid,) = read_docx(saved(document)).grids
    assert texts(grid) == [["规章", "5", "12[9]", "7"]]


def test_docx_with_pictures_instead_of_tables() -> None:
    document = docx.Document()
    document.add_paragraph("二、主动公开政府信息情况")
    document.add_picture(io.BytesIO(a_picture()))
    read = read_docx(saved(document))
    assert read.status == "tables_as_images" and read.paragraphs == ["二、主动公开政府信息情况"]


def test_docx_white_text_is_no_digit_of_the_number_beside_it() -> None:
    document, table = with_table([["规章", "1"], ["总计", ""]])
    white = table.cell(0, 1).paragraphs[0].add_run("2")
    alone = table.cell(1, 1).paragraphs[0].add_run("7")
    for run in (white, alone):
        run.font.color.rgb = RGBColor(0xFF, 0xFF, 0xFF)
    (grid,) = read_docx(saved(document)).grids
    assert texts(grid) == [["规章", "1"], ["总计", "7"]]  # alone, a style may have coloured its ground
    white.font.highlight_color = WD_COLOR_INDEX.DARK_BLUE
    (grid,) = read_docx(saved(document)).grids
    assert texts(grid)[0] == ["规章", "12"]


# ------------------------------------------------------------------ Excel


def a_workbook() -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet = book.add_worksheet()
        sheet.merge_range("B2:F2", "2021年政府信息公开情况统计表")
        sheet.merge_range("B4:B6", "结果")
        sheet.merge_range("C4:D4", "申请人")
        sheet.write_row("E4", [21, 7730.28])
        sheet.write_row("C5", ["规章", "", 0, -417])
        sheet.write_row("C6", ["收费", 0.1 + 0.2, 2601.953875, 1e15])
        sheet.write("B9", "注")
        sheet.write_formula("C9", "=HYPERLINK(1)", None, 5)
        hidden = book.add_worksheet("hidden")
        hidden.write(0, 0, 99)
        hidden.hide()
    return stream.getvalue()


def test_xlsx_values_as_shown_and_merged_cells_once() -> None:
    read = read_xlsx(a_workbook())
    assert read.carrier == "xlsx" and read.paragraphs == ["2021年政府信息公开情况统计表"]
    first, second = read.grids
    assert first.rows[0] == (
        GridCell("结果", 0, 0, 3, 1),
        GridCell("申请人", 0, 1, 1, 2),
        GridCell("21", 0, 3),
        GridCell("7730.28", 0, 4),
    )
    assert texts(first)[1:] == [["规章", "", "0", "-417"], ["收费", "0.3", "2601.953875", "1000000000000000"]]
    assert texts(second) == [["注", "5"]]


def test_rows_and_columns_a_sheet_hides_are_not_printed() -> None:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        book.add_worksheet("说明").write(0, 0, "见下表")
        sheet = book.add_worksheet("表 & 2")
        sheet.write_row("A1", ["项目", "2022年", "2023年"])
        sheet.merge_range("A2:A3", "规章")
        sheet.write_row("B2", [8, 9])
        sheet.write_row("B3", [1, 2])
        sheet.write_row("A4", ["文件", 3, 4])
        sheet.set_row(1, None, None, {"hidden": True})
        sheet.set_column("B:B", None, None, {"hidden": True})
    (grid,) = read_xlsx(stream.getvalue()).grids
    assert texts(grid) == [["项目", "2023年"], ["规章", "2"], ["文件", "4"]]


def test_xlsx_of_openpyxl_reads_the_same() -> None:
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append([int(text) if text.isdigit() else text or None for text in row])
    stream = io.BytesIO()
    book.save(stream)
    (grid,) = read_xlsx(stream.getvalue()).grids
    assert texts(grid) == ROWS


# ------------------------------------------------------------------ old Word and Excel

needs_soffice = pytest.mark.skipif(
    shutil.which("soffice") is None, reason="LibreOffice is not on this machine"
)


def converted(data: bytes, source: str, target: str, folder: Path) -> bytes:
    path = folder / f"file.{source}"
    path.write_bytes(data)
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{folder}/p",
            "--headless",
            "--convert-to",
            target,
            "--outdir",
            str(folder),
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return path.with_suffix(f".{target}").read_bytes()


@needs_soffice
@pytest.mark.parametrize("kind", ["doc", "rtf"])
def test_doc_and_rtf_are_read_through_libreoffice(tmp_path: Path, kind: str) -> None:
    document, table = with_table(ROWS)
    table.cell(0, 1).merge(table.cell(0, 2)).text = "件数"
    document.add_paragraph("以上。")
    data = converted(saved(document), "docx", kind, tmp_path)
    read = read_document(data, "report.doc")
    assert read.carrier == kind
    assert read.grids[0].rows[0] == (GridCell("信息内容", 0, 0), GridCell("件数", 0, 1, 1, 2))
    assert texts(read.grids[0])[1:] == ROWS[1:]


@needs_soffice
def test_pdf_of_a_word_table_reads_like_the_word_file(tmp_path: Path) -> None:
    """Three pages whose ends break rows inside their labels."""
    rows = [["一、总类", "信息内容", "自然人", "企业"]]
    rows += [
        ["", f"{i}.第{i}类事项，名称较长，需要换行显示的那一种标签", "" if i % 3 else "0", str(i * 7)]
        for i in range(60)
    ]
    document, table = with_table(rows)
    table.style = "Table Grid"
    table.cell(1, 0).merge(table.cell(60, 0)).text = "结果"
    document.add_paragraph("以上。")
    word = saved(document)
    pdf = read_pdf(converted(word, "docx", "pdf", tmp_path))
    assert pdf.paragraphs == ["以上。"]

    def plain(grid: Grid) -> list[list[tuple]]:
        return [[("".join(cell.text.split()), *cell[1:]) for cell in row] for row in grid.rows]

    assert [plain(grid) for grid in pdf.grids] == [plain(grid) for grid in read_docx(word).grids]


def test_doc_without_libreoffice_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    read = read_legacy(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert read.status == "unread" and "soffice" in read.notes[0]


def test_libreoffice_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "soffice"
    fake.write_text(f"#!/bin/sh\nsleep 77 &\necho $! > {tmp_path}/child\nwait\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(read_office, "SOFFICE_SECONDS", 0.5)
    with pytest.raises(Refused, match=r"longer than 0\.5 seconds"):
        read_legacy(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    child = int((tmp_path / "child").read_text())
    time.sleep(0.1)
    status = Path(f"/proc/{child}/status")
    assert not status.exists() or "\nState:\tZ" in status.read_text()


# ------------------------------------------------------------------ bad input


def rezipped(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return stream.getvalue()


OFFICE = [
    (lambda: saved(with_table(ROWS)[0]), read_docx, "word/document.xml"),
    (a_workbook, read_xlsx, "xl/worksheets/sheet1.xml"),
]


@pytest.mark.parametrize(("make", "read", "part"), OFFICE)
def test_zip_bomb_is_refused_fast(make: Callable, read: Callable, part: str) -> None:
    bomb = rezipped(make(), lambda name, old: old + b" " * 60_000_000 if name == part else old)
    assert len(bomb) < 1_000_000
    began = time.process_time()
    with pytest.raises(Refused, match="bomb"):
        read(bomb)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(("make", "read", "part"), OFFICE)
def test_bomb_that_lies_about_its_size_is_refused(make: Callable, read: Callable, part: str) -> None:
    bomb = bytearray(rezipped(make(), lambda name, old: old + b" " * 60_000_000 if name == part else old))
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        true_size = struct.pack("<I", archive.getinfo(part).file_size)
    while (place := bomb.find(true_size)) >= 0:
        bomb[place : place + 4] = struct.pack("<I", 1000)
    with pytest.raises(Refused):
        read(bytes(bomb))


@pytest.mark.parametrize("encoding", ["utf8", "utf-16"])
@pytest.mark.parametrize(("make", "read", "part"), OFFICE)
def test_xml_entities_are_refused(make: Callable, read: Callable, part: str, encoding: str) -> None:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha"}">' for i in range(9))
    outside = '<!ENTITY f SYSTEM "file:///etc/hostname">'
    declared = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [{laughs}{outside}]>'

    def change(name: str, old: bytes) -> bytes:
        if name != part:
            return old
        return (declared + old.decode("utf8").split("?>", 1)[1]).replace("规章", "&l8;&f;").encode(encoding)

    with pytest.raises(Refused, match="entities"):
        read(rezipped(make(), change))


@pytest.mark.parametrize(("make", "read", "part"), OFFICE)
def test_cut_and_flipped_files_are_refused_or_whole(make: Callable, read: Callable, part: str) -> None:
    data, chance = make(), random.Random(4)
    whole = read(data).blocks
    for turn in range(80):
        damaged = bytearray(data)
        if turn % 2:
            damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        else:
            damaged = damaged[: chance.randrange(len(data) - 1)]
        try:
            assert read(bytes(damaged)).blocks == whole
        except Refused as refused:
            assert str(refused)


def test_far_away_cell_is_refused() -> None:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet = book.add_worksheet()
        sheet.write("A1", 1)
        sheet.write("XFD1048576", 1)
    with pytest.raises(Refused, match="1,048,576 rows"):
        read_xlsx(stream.getvalue())


@pytest.mark.parametrize("read", [read_docx, read_xlsx, read_xls])
@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"<html>"]
)
def test_nonsense_is_refused(read: Callable, data: bytes) -> None:
    with pytest.raises(Refused):
        read(data)


def test_deep_nesting_is_refused() -> None:
    document = docx.Document()
    space = nsdecls("w")
    xml = "<w:p/>"
    for _ in range(40):
        xml = f"<w:tbl><w:tr><w:tc>{xml}</w:tc></w:tr></w:tbl>"
    document.element.body.insert(0, parse_xml(xml.replace("<w:tbl>", f"<w:tbl {space}>", 1)))
    with pytest.raises(Refused, match="deep"):
        read_docx(saved(document))


# ------------------------------------------------------------------ pictures


def a_picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(stream, "PNG")
    return stream.getvalue()


def test_picture_without_ocr_has_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_image_module, "_recogniser", lambda: None)
    read = read_image(a_picture())
    assert read.status == "tables_as_images" and read.blocks == () and "ocr" in read.notes[0]


def test_recognised_words_become_marked_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(pixels: object) -> tuple[list, None]:
        def box(x: float, y: float) -> list[list[float]]:
            return [[x, y], [x + 30, y], [x + 30, y + 10], [x, y + 10]]

        return [[box(80, 51), "12", "0.9"], [box(0, 50), "规章", "0.9"], [box(0, 20), "一、", "0.9"]], None

    monkeypatch.setattr(read_image_module, "_recogniser", lambda: engine)
    read = read_image(a_picture())
    assert read.is_ocr and read.paragraphs == ["一、", "规章 12"]


def test_gigantic_and_damaged_pictures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_image_module, "_recogniser", lambda: lambda pixels: ([], None))
    stream = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(stream, "PNG")
    for data in (stream.getvalue(), a_picture()[:50], b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(Refused):
            read_image(data)


def test_a_picture_is_named_as_one_and_has_memory_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without a title it is no page about something else; the extra needs more than a document's 500 MB."""
    picture, other = (
        Snapshot(f"file:///{name}", "local", now(), sha * 64, "w", 0, "", "", None)
        for name, sha in (("a.PNG", "a"), ("b.html", "b"))
    )
    monkeypatch.setattr(read_image_module, "_recogniser", lambda: None)
    row = read_snapshot(picture, a_picture(), now()).document
    assert row["status"] == "tables_as_images" and "ocr" in row["status_reason"]

    limits: dict[str, int] = {}

    def run(items: Any, work: str, processes: Any, seconds: float, megabytes: int) -> Iterator[Any]:
        limits.update({s.source_url[8:]: megabytes for item in items for s in item[1]})
        return iter(())

    monkeypatch.setattr(reading, "run_bounded", run)
    for engine, expected in ((None, 500), ("there", reading.OCR_MEGABYTES)):
        monkeypatch.setattr(reading, "find_spec", lambda name, engine=engine: engine)
        list(reading.read_all(DataRoot(str(tmp_path)), [picture, other]))
        assert limits == {"a.PNG": expected, "b.html": 500}
