"""A report as a file: PDF (ruled or not), DOCX, XLSX, and a PDF that holds nothing but pictures of its pages.

Never looks at how the project reads files.
"""

from __future__ import annotations

import io
from random import Random

import docx
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
        cells[one.row][one.column] = slot.text if slot.role == "value" else Paragraph(text, _SMALL)
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


def render_docx(report: Report, noise: Noise = QUIET, seed: int = 0) -> Rendered:
    """The report as a Word file with merged cells."""
    tables = _noisy_tables(report, noise, seed)
    document = docx.Document()
    document.core_properties.title = report.title
    document.add_heading(report.title, level=0)
    for part in parts_of(report):
        if not part.table:
            document.add_paragraph(part.text)
            continue
        table = tables[part.table]
        drawn = document.add_table(rows=len(table.rows), cols=table.width)
        drawn.style = "Table Grid"
        for one in place(table):
            first = drawn.cell(one.row, one.column)
            if one.slot.rowspan > 1 or one.slot.colspan > 1:
                last = drawn.cell(one.row + one.slot.rowspan - 1, one.column + one.slot.colspan - 1)
                first = first.merge(last)
            first.text = one.slot.text
    stream = io.BytesIO()
    document.save(stream)
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
