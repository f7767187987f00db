"""The kind of a file by its bytes: real files of each kind, lying names, damage."""

from __future__ import annotations

import io
import os
import random
import time
import zipfile
from pathlib import Path

import docx
import pytest
import xlsxwriter
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from extractors.carrier import CARRIERS, carrier_of

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "reports"


def a_docx() -> bytes:
    stream = io.BytesIO()
    docx.Document().save(stream)
    return stream.getvalue()


def an_xlsx() -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        book.add_worksheet().write(0, 0, 1)
    return stream.getvalue()


def a_pdf() -> bytes:
    stream = io.BytesIO()
    canvas = Canvas(stream)
    canvas.drawString(9, 9, "1")
    canvas.save()
    return stream.getvalue()


def a_zip(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "x")
    return stream.getvalue()


def a_picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (9, 9)).save(stream, kind)
    return stream.getvalue()


def an_ole(*streams: str) -> bytes:
    """A small compound file (MS-CFB) whose directory names the streams."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[24:34] = b"\x3e\0\x03\0\xfe\xff\x09\0\x06\0"
    header[44:48] = (1).to_bytes(4, "little")
    header[48:52] = (1).to_bytes(4, "little")
    header[76:512] = b"\xff" * 436
    header[76:80] = (0).to_bytes(4, "little")
    entries = b""
    for name in ("Root Entry", *streams):
        raw = name.encode("utf-16-le") + b"\0\0"
        entries += raw.ljust(64, b"\0") + len(raw).to_bytes(2, "little") + bytes(62)
    sectors = -(-len(entries) // 512)
    chain = [0xFFFFFFFD, *range(2, sectors + 1), 0xFFFFFFFE]
    table = b"".join(link.to_bytes(4, "little") for link in chain).ljust(512, b"\xff")
    return bytes(header) + table + entries.ljust(sectors * 512, b"\0")


TEXT = "第二十条第（一）项 | 规章 | 0 | 本年新<br>制作数量\n".encode() * 50


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (a_pdf(), "pdf"),
        (b"\r\n\x00" + a_pdf(), "pdf"),
        (a_docx(), "docx"),
        (an_xlsx(), "xlsx"),
        (a_docx()[:-40], "docx"),
        (a_zip("OFD.xml"), "ofd"),
        (a_zip("report.txt"), "zip"),
        (an_ole("WordDocument", "1Table"), "doc"),
        (an_ole("a", "b", "c", "d", "e", "Workbook"), "xls"),
        (an_ole("Book"), "xls"),
        (an_ole("WordDocument", "WpsCustomData"), "wps"),
        (an_ole("Thumbs"), "unknown"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9), "unknown"),
        *((a_picture(kind), "image") for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")),
        (rb"{\rtf1\ansi x}", "rtf"),
        (b"", "empty"),
        (b" \r\n\t\0\0", "empty"),
        ("\ufeff<!DOCTYPE html><html>您访问的页面不存在</html>".encode(), "html"),
        ("<HTML><body>年度报告".encode("gb18030"), "html"),
        ("<html>%PDF-1.4 怎样打开".encode(), "html"),
        ("<p>规章</p>".encode(), "html"),
        ("\ufeff<html>规章</html>".encode("utf-16"), "html"),
        (TEXT, "text"),
        (TEXT.decode().encode("gb18030"), "text"),
        ("2020年度報告".encode("big5") * 50, "text"),
        (random.Random(1).randbytes(5000), "unknown"),
        (random.Random(2).randbytes(300), "unknown"),
    ],
)
def test_kind_by_bytes_whatever_the_name(data: bytes, kind: str) -> None:
    for name in ("", "report.pdf", "a.docx", "b.html", "c.txt"):
        assert carrier_of(data, name) == kind
    assert kind in CARRIERS


def test_name_tells_wps_from_doc() -> None:
    assert carrier_of(an_ole("WordDocument"), "https://example.gov.cn/files/报告.WPS") == "wps"


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample reports are not on this machine")
def test_real_samples() -> None:
    for path in SAMPLES.glob("0*"):
        expected = {".html": "html", ".txt": "text", ".pdf": "pdf"}[path.suffix]
        assert carrier_of(path.read_bytes()) == expected, path.name


def test_any_cut_or_noise_gets_an_answer() -> None:
    chance = random.Random(3)
    for whole in (a_docx(), an_xlsx(), an_ole("WordDocument"), a_pdf(), a_picture("PNG")):
        for _ in range(40):
            damaged = bytearray(whole[: chance.randrange(len(whole))])
            for _ in range(min(9, len(damaged))):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            assert carrier_of(bytes(damaged)) in CARRIERS


def test_a_hundred_megabytes_cost_next_to_nothing() -> None:
    for start in (b"%PDF-1.7\n", b"<html>", "规章".encode(), b"\x01\x02", b"PK\x03\x04"):
        data = start + os.urandom(1000) * 100_000
        began = time.process_time()
        carrier_of(data)
        assert time.process_time() - began < 0.5
