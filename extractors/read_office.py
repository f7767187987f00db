"""Word and Excel files, new and old, to a `Document`: what is printed, in order, with merged cells as spans.

Tracked deletions, hidden text, hidden sheets and what sheets hide are not printed and not read. Formulas are read by their
stored values and never computed. Old formats go through LibreOffice where it is installed; where it is not,
the document says so. Nothing is opened before `zip_check` has passed it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import python_calamine
from lxml import etree

from extractors.errors import Refused
from extractors.hidden_lines import Hidden, Range, hidden_lines, without_hidden
from extractors.read_docx import blocks_of_docx
from extractors.records import Block, Document, Grid, GridCell, Paragraph
from extractors.zip_check import check_zip

MAX_SHEET_CELLS = 2_000_000
SOFFICE_SECONDS = 25.0
"""Less than the limit on a document, so that the reason is told by name."""

_CELL = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')


def read_docx(data: bytes) -> Document:
    """A DOCX. `Refused` when it is broken, a bomb, or has no body."""
    parts = check_zip(data)
    if "word/document.xml" not in parts:
        raise Refused("the Word file holds no text (word/document.xml is missing)")
    try:
        blocks, title, pictures = blocks_of_docx(parts["word/document.xml"])
    except etree.XMLSyntaxError as error:
        raise Refused(f"the Word file's text is damaged ({error})") from error
    if pictures and not any(isinstance(block, Grid) for block in blocks):
        notes = (f"the document holds {pictures} pictures and no table",)
        status = "tables_as_images"
        return Document("docx", tuple(blocks), title, status=status, notes=notes, images=pictures)
    return Document("docx", tuple(blocks), title, images=pictures)


def read_xlsx(data: bytes) -> Document:
    """An XLSX: every visible sheet. `Refused` when it is broken, a bomb, or a sheet is far too large."""
    parts = check_zip(data)
    for name, content in parts.items():
        if name.startswith("xl/worksheets/"):
            _check_extent(name, content)
    try:
        hidden = hidden_lines(parts)
    except etree.XMLSyntaxError as error:
        raise Refused(f"the Excel file's list of sheets is damaged ({error})") from error
    return _read_sheets(data, "xlsx", hidden)


def read_xls(data: bytes) -> Document:
    """An old binary Excel file: every visible sheet."""
    return _read_sheets(data, "xls")


def read_legacy(data: bytes, carrier: str = "doc") -> Document:
    """A DOC, WPS or RTF, turned into DOCX by LibreOffice; status `unread` where that is not installed."""
    soffice = shutil.which("soffice") or shutil.which("libreoffice")
    if soffice is None:
        note = "old Word files are read through LibreOffice: install it (`soffice`), then read again"
        return Document(carrier, (), status="unread", notes=(note,))
    with tempfile.TemporaryDirectory(prefix="ogi-soffice-") as folder:
        source = Path(folder) / "report.doc"
        source.write_bytes(data)
        _convert(soffice, source)
        result = source.with_suffix(".docx")
        if not result.exists():
            raise Refused("LibreOffice could not read the old Word file: it is damaged or needs a password")
        document = read_docx(result.read_bytes())
    return replace(document, carrier=carrier)


def _convert(soffice: str, source: Path) -> None:
    """Runs LibreOffice with a profile of its own, in a process group that is ended whole when time is up."""
    command = [
        soffice,
        f"-env:UserInstallation=file://{source.parent}/profile",
        "--headless",
        "--norestore",
        "--convert-to",
        "docx",
        "--outdir",
        str(source.parent),
        str(source),
    ]
    limit = f"{int(SOFFICE_SECONDS) + 5}"
    if shutil.which("timeout"):
        # Ends LibreOffice even when the worker that waits here is itself ended from outside.
        command = ["timeout", "--signal=KILL", limit, *command]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(SOFFICE_SECONDS)
    except subprocess.TimeoutExpired:
        raise Refused(
            f"LibreOffice took longer than {SOFFICE_SECONDS:g} seconds on the old Word file"
        ) from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _check_extent(name: str, content: bytes) -> None:
    """Refuses a sheet whose cells lie so far out that laying it out would fill the memory."""
    rows = columns = 1
    for match in _CELL.finditer(content):
        column = 0
        for letter in match[1]:
            column = column * 26 + letter - 64
        rows, columns = max(rows, int(match[2])), max(columns, column)
    if rows * columns > MAX_SHEET_CELLS:
        raise Refused(
            f"its sheet {name!r} reaches over {rows:,} rows and {columns:,} columns; no report does"
        )


def _read_sheets(data: bytes, carrier: str, hidden: Mapping[str, Hidden] | None = None) -> Document:
    blocks: list[Block] = []
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        for index, sheet in enumerate(book.sheets_metadata):
            if sheet.visible != python_calamine.SheetVisibleEnum.Visible:
                continue
            blocks += _blocks_of_sheet(
                book.get_sheet_by_index(index), (hidden or {}).get(sheet.name, Hidden())
            )
    except python_calamine.PasswordError as error:
        raise Refused("the Excel file is encrypted and needs a password") from error
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise Refused(f"the Excel file is broken ({error})") from error
    except BaseException as error:
        # The library's own panic is no `Exception`; anything else goes on up.
        if type(error).__name__ != "PanicException":
            raise
        raise Refused("the Excel file is broken: its reader gave up") from error
    return Document(carrier, tuple(blocks))


def _blocks_of_sheet(sheet: Any, hidden: Hidden) -> list[Block]:
    """Paragraphs above tables, and tables: runs of rows between empty rows."""
    rows = [[_shown(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    merged: list[Range] = list(sheet.merged_cell_ranges or [])
    if hidden != Hidden():
        rows, merged = without_hidden(rows, merged, hidden)
    blocks: list[Block] = []
    start = 0
    held = {row for (top, _), (bottom, _) in merged for row in range(top, min(bottom, len(rows)))}
    for end in range(len(rows) + 1):
        if end == len(rows) or (not any(rows[end]) and end not in held and end - 1 not in held):
            blocks += _blocks_of_run(rows, start, end, merged)
            start = end + 1
    return blocks


def _blocks_of_run(rows: list[list[str]], start: int, end: int, merged: list[Range]) -> list[Block]:
    blocks: list[Block] = []
    while start < end and sum(map(bool, rows[start])) <= 1:
        blocks += [Paragraph(text) for text in rows[start] if text]
        start += 1
    if start == end:
        return blocks
    width = max(column + 1 for row in rows[start:end] for column, text in enumerate(row) if text)
    left = min(column for row in rows[start:end] for column, text in enumerate(row) if text)
    spans = {
        low: (min(high[0], end - 1) - low[0] + 1, min(high[1], width - 1) - low[1] + 1)
        for low, high in merged
        if start <= low[0] < end and left <= low[1] < width
    }
    covered = {
        (row + down, column + across)
        for (row, column), (high, wide) in spans.items()
        for down in range(high)
        for across in range(wide)
        if down or across
    }
    grid = []
    for row in range(start, end):
        cells = []
        for column in range(left, width):
            if (row, column) not in covered:
                text = rows[row][column] if column < len(rows[row]) else ""
                cells.append(GridCell(text, row - start, column - left, *spans.get((row, column), (1, 1))))
        grid.append(tuple(cells))
    return [*blocks, Grid(tuple(grid))]


def _shown(value: Any) -> str:
    """A cell's value as Excel shows it by default: whole numbers without a point, others to 15 digits."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(format(value, ".15g")), "f")
    if isinstance(value, date | datetime | time | timedelta):
        return str(value)
    return str(value).strip()
