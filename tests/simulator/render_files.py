"""A report as a file: PDF (ruled or not), DOCX, XLSX, and a PDF that holds nothing but pictures of its pages.

Never looks at how the project reads files.
"""

from __future__ import annotations

import io
import zipfile
from html import escape
from random import Random

import xlsxwriter
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from tests.simulator.figures import Key, Report
from tests.simulator.form_tables import FormTable, place, tables_of
from tests.simulator.noise import QUIET, Noise, noisy
from tests.simulator.prose import Part, parts_of
from tests.simulator.render_text import Rendered, lost_cells

_FONT = "STSong-Light"
pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
_BODY = ParagraphStyle("body", fontName=_FONT, fontSize=10, leading=15, wordWrap="CJK")
_SMALL = ParagraphStyle("small", fontName=_FONT, fontSize=7.5, leading=9, wordWrap="CJK")
_TITLE = ParagraphStyle("title", fontName=_FONT, fontSize=15, leading=22, wordWrap="CJK", alignment=1)


def _noisy_tables(report: Report, noise: Noise, seed: int) -> dict[str, FormTable]:
    return {table.name: table for table in noisy(tables_of(report), Random(seed), noise)}


def _widths(table: FormTable, total: float) -> list[float]:
    if table.name == "requests":
        shares = [1.1, 2.7, 4.2, *[1.3] * 7]
    elif table.name == "statistics":
        shares = [6.0, *[1.0] * (table.width - 1)]
    elif table.name == "proactive":
        shares = [1.6, *[1.0] * (table.width - 1)]
    else:
        shares = [1.0] * table.width
    return [total * share / sum(shares) for share in shares]


def _pdf_table(table: FormTable, is_ruled: bool) -> Table:
    """Merged cells are real spans; long labels wrap inside their cell."""
    cells: list[list[object]] = [[""] * table.width for _ in table.rows]
    commands: list[tuple[object, ...]] = [
        ("FONT", (0, 0), (-1, -1), _FONT, 7.5),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ]
    if is_ruled:
        commands.append(("GRID", (0, 0), (-1, -1), 0.5, colors.black))
    for one in place(table):
        slot = one.slot
        text = slot.text.replace("\n", "<br/>")
        cells[one.row][one.column] = (
            slot.text if slot.role == "value" and len(text) < 7 else Paragraph(text, _SMALL)
        )
        if slot.rowspan > 1 or slot.colspan > 1:
            end = (one.column + slot.colspan - 1, one.row + slot.rowspan - 1)
            commands.append(("SPAN", (one.column, one.row), end))
    return Table(cells, colWidths=_widths(table, 480), style=TableStyle(commands))


def _number(canvas: object, document: object) -> None:
    canvas.setFont(_FONT, 9)  # type: ignore[attr-defined]
    canvas.drawCentredString(A4[0] / 2, 30, f"- {canvas.getPageNumber()} -")  # type: ignore[attr-defined]


def render_pdf(report: Report, is_ruled: bool = True, noise: Noise = QUIET, seed: int = 0) -> Rendered:
    """The report as a PDF with text; without rules its columns are told by their places only."""
    tables = _noisy_tables(report, noise, seed)
    story: list[object] = [Paragraph(report.title, _TITLE), Spacer(1, 10)]
    for part in parts_of(report):
        if part.table:
            story += [_pdf_table(tables[part.table], is_ruled), Spacer(1, 10)]
        else:
            story.append(Paragraph(part.text, _BODY))
    stream = io.BytesIO()
    document = SimpleDocTemplate(
        stream, pagesize=A4, title=report.title, invariant=1, leftMargin=55, rightMargin=55
    )
    document.build(story, onFirstPage=_number, onLaterPages=_number)
    # Without rules a blank cell and its column can only be told from the places of its neighbours.
    lost: frozenset[Key] = frozenset() if is_ruled else lost_cells(report, "pdf_text")
    return Rendered("pdf" if is_ruled else "pdf_unruled", stream.getvalue(), ".pdf", lost)


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_DOCX_PARTS = {
    "[Content_Types].xml": """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/word/document.xml"
 ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
</Types>""",
    "_rels/.rels": """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Target="word/document.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/>
</Relationships>""",
}


def _docx_paragraph(text: str) -> str:
    runs = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in text.split("\n"))
    return f"<w:p><w:r>{runs}</w:r></w:p>"


def _docx_cell(text: str, colspan: int, merge: str = "") -> str:
    span = f'<w:gridSpan w:val="{colspan}"/>' if colspan > 1 else ""
    return f"<w:tc><w:tcPr>{span}{merge}</w:tcPr>{_docx_paragraph(text)}</w:tc>"


def _docx_table(table: FormTable) -> str:
    """Word writes a vertical merge as a cell in each row, the first `restart`, the others empty."""
    rows: list[list[tuple[int, str]]] = [[] for _ in table.rows]
    for one in place(table):
        slot = one.slot
        merge = '<w:vMerge w:val="restart"/>' if slot.rowspan > 1 else ""
        rows[one.row].append((one.column, _docx_cell(slot.text, slot.colspan, merge)))
        for row in range(one.row + 1, one.row + slot.rowspan):
            rows[row].append((one.column, _docx_cell("", slot.colspan, "<w:vMerge/>")))
    grid = "<w:gridCol/>" * table.width
    drawn = "".join("<w:tr>" + "".join(cell for _, cell in sorted(row)) + "</w:tr>" for row in rows)
    return f"<w:tbl><w:tblPr/><w:tblGrid>{grid}</w:tblGrid>{drawn}</w:tbl>"


def render_docx(report: Report, noise: Noise = QUIET, seed: int = 0) -> Rendered:
    """The report as a Word file with merged cells."""
    tables = _noisy_tables(report, noise, seed)
    body = _docx_paragraph(report.title) + "".join(
        _docx_table(tables[part.table]) if part.table else _docx_paragraph(part.text)
        for part in parts_of(report)
    )
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="{_WORD}">'
        f"<w:body>{body}</w:body></w:document>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in {**_DOCX_PARTS, "word/document.xml": document}.items():
            package.writestr(zipfile.ZipInfo(name), content)
    return Rendered("docx", stream.getvalue(), ".docx", frozenset())


def render_xlsx(report: Report, noise: Noise = QUIET, seed: int = 0, one_sheet: bool = True) -> Rendered:
    """The report as a workbook; whole numbers are stored as numbers, everything else as text."""
    tables = _noisy_tables(report, noise, seed)
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"title": report.title})
    sheet, row = book.add_worksheet(), 0
    for part in [Part(report.title), *parts_of(report)]:
        if not part.table:
            sheet.write_string(row, 0, part.text)
            row += 1
            continue
        if not one_sheet:
            sheet, row = book.add_worksheet(), 0
        for one in place(tables[part.table]):
            slot, top, left = one.slot, row + one.row, one.column
            value = (
                int(slot.text)
                if slot.role == "value" and slot.text.isdecimal() and slot.text.isascii()
                else slot.text
            )
            if slot.rowspan > 1 or slot.colspan > 1:
                sheet.merge_range(top, left, top + slot.rowspan - 1, left + slot.colspan - 1, value)
            else:
                sheet.write(top, left, value)
        row += len(tables[part.table].rows)
    book.close()
    return Rendered("xlsx", stream.getvalue(), ".xlsx", frozenset())


def render_scan(report: Report) -> Rendered:
    """A PDF whose pages are pictures: no number in it may be stored without OCR."""
    import pypdfium2
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    pages = pypdfium2.PdfDocument(render_pdf(report).content)
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4, invariant=1)
    for page in pages:
        picture = page.render(scale=1.2).to_pil().convert("L")
        canvas.drawImage(ImageReader(picture), 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return Rendered("pdf_scan", stream.getvalue(), ".pdf", frozenset(report.cells))
