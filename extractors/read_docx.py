"""The body of a Word file (its `word/document.xml`) to blocks: paragraphs and tables in printed order.

Knows WordprocessingML (ISO/IEC 29500) as far as print shows it. Never follows links or fields, and reads only
the XML it is given, without entities.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from extractors.errors import Refused
from extractors.records import Block, Grid, GridCell, Paragraph

MAX_DEPTH = 12
"""Tables inside tables inside text boxes; print never goes deeper."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_PICTURES = ("blip", "imagedata")
_PASSED = frozenset(_W + name for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"))
_GONE = frozenset({_W + "del", _W + "moveFrom", _FALLBACK, _W + "pPr", _W + "instrText"})


def blocks_of_docx(xml: bytes) -> tuple[list[Block], str, int]:
    """(blocks, text of the first paragraph in the style Title or "", number of pictures)."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    if _STRICT.encode() in xml[:4000]:
        xml = xml.replace(_STRICT.encode(), _W[1:-1].encode())
    root = etree.fromstring(xml, parser)
    body = root.find(_W + "body")
    if body is None:
        raise Refused("the Word file has no body")
    pictures = sum(1 for e in root.iter() if isinstance(e.tag, str) and etree.QName(e).localname in _PICTURES)
    return list(_blocks(body, 0)), _title(body), pictures


def _title(body: Any) -> str:
    for paragraph in body.iter(_W + "p"):
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        if style is not None and style.get(_W + "val", "").lower() in ("title", "a3", "标题"):
            return _text(paragraph).strip()
    return ""


def _blocks(parent: Any, depth: int) -> Iterator[Block]:
    if depth > MAX_DEPTH:
        raise Refused(f"the Word file nests its parts more than {MAX_DEPTH} deep")
    for child in parent:
        if child.tag == _W + "p":
            yield from _paragraph(child, depth)
        elif child.tag == _W + "tbl":
            yield from _table(child, depth)
        elif child.tag in _PASSED:
            yield from _blocks(child, depth)


def _paragraph(paragraph: Any, depth: int) -> Iterator[Block]:
    """A paragraph's own text, one block a line, then what stands in its text boxes."""
    for line in _text(paragraph).split("\n"):
        if folded := " ".join(line.split()):
            yield Paragraph(folded)
    for box in paragraph.iter(_W + "txbxContent"):
        if not any(above.tag in (_FALLBACK, _W + "txbxContent") for above in _above(box, paragraph)):
            yield from _blocks(box, depth + 1)


def _above(element: Any, top: Any) -> Iterator[Any]:
    while (element := element.getparent()) is not None and element is not top:
        yield element


def _text(paragraph: Any) -> str:
    """The printed text of a paragraph, without its text boxes, deletions, hidden runs and field codes."""
    pieces: list[str] = []
    waiting = [iter(paragraph)]
    while waiting:
        child = next(waiting[-1], None)
        if child is None:
            waiting.pop()
        elif child.tag == _W + "t":
            pieces.append(child.text or "")
        elif child.tag == _W + "tab":
            pieces.append(" ")
        elif child.tag in (_W + "br", _W + "cr"):
            pieces.append("\n")
        elif child.tag == _W + "noBreakHyphen":
            pieces.append("-")
        elif child.tag in _GONE or child.tag == _W + "txbxContent" or _is_not_printed(child):
            continue
        elif pieces and _is_raised(child):
            pieces.append(f"[{_text(child)}]")  # a note's mark behind a number, no digit of it
        else:
            waiting.append(iter(child))
    return "".join(pieces)


def _is_not_printed(element: Any) -> bool:
    """Whether a run is hidden, struck out, or white on white beside text that is seen."""
    if element.tag != _W + "r":
        return False
    found = (element.find(f"{_W}rPr/{_W}{name}") for name in ("vanish", "strike", "dstrike"))
    if any(mark is not None and mark.get(_W + "val", "1") not in ("0", "false") for mark in found):
        return True
    return _is_white(element) and _stands_on_white_beside_text(element)


def _is_white(run: Any) -> bool:
    colour = run.find(f"{_W}rPr/{_W}color")
    return colour is not None and colour.get(_W + "val", "").upper() == "FFFFFF"


def _stands_on_white_beside_text(run: Any) -> bool:
    """White text alone in its cell may stand on a ground that the table's style gives."""
    place = run
    while place is not None and place.tag not in (_W + "tc", _W + "body"):
        for path in (f"{_W}rPr/{_W}shd", f"{_W}rPr/{_W}highlight", f"{_W}pPr/{_W}shd"):
            if place.find(path) is not None:
                return False
        place = place.getparent()
    if place is None or place.find(f"{_W}tcPr/{_W}shd") is not None:
        return False
    around = place if place.tag == _W + "tc" else next(run.iterancestors(_W + "p"), place)
    return any(
        not _is_white(other) and any((text.text or "").strip() for text in other.iter(_W + "t"))
        for other in around.iter(_W + "r")
    )


def _is_raised(element: Any) -> bool:
    raised = element.find(f"{_W}rPr/{_W}vertAlign") if element.tag == _W + "r" else None
    return raised is not None and raised.get(_W + "val") == "superscript" and bool(_text(element).strip())


def _table(table: Any, depth: int) -> Iterator[Block]:
    """The grid, then the tables nested in its cells; a frame of one column around tables is only their
    content.
    """
    rows = [list(_members(row, "tc")) for row in _members(table, "tr") if not _is_deleted(row)]
    nested = [cell for row in rows for cell in row if next(cell.iter(_W + "tbl"), None) is not None]
    if nested and all(len(row) <= 1 for row in rows):
        for row in rows:
            for cell in row:
                yield from _blocks(cell, depth + 1)
        return
    yield _grid(rows)
    for cell in nested:
        for inner in _blocks(cell, depth + 1):
            if isinstance(inner, Grid) and sum(map(len, inner.rows)) > 1:
                yield inner


def _members(parent: Any, name: str) -> Iterator[Any]:
    """Rows of a table or cells of a row, also inside content controls."""
    for child in parent:
        if child.tag == _W + name:
            yield child
        elif child.tag in _PASSED:
            yield from _members(child, name)


def _is_deleted(row: Any) -> bool:
    return row.find(f"{_W}trPr/{_W}del") is not None


def _grid(rows: list[list[Any]]) -> Grid:
    """Cells with their spans: `gridSpan` across, `vMerge` downwards from the cell that restarts it."""
    laid: list[list[GridCell]] = []
    open_above: dict[int, tuple[int, int]] = {}
    for number, row in enumerate(rows):
        cells: list[GridCell] = []
        still_open: dict[int, tuple[int, int]] = {}
        column = _number(row[0].getparent(), "trPr", "gridBefore") if row else 0
        for cell in row:
            span = max(_number(cell, "tcPr", "gridSpan"), 1)
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            goes_on = merge is not None and merge.get(_W + "val", "continue") == "continue"
            if goes_on and column in open_above:
                top, index = open_above[column]
                above = laid[top][index]
                laid[top][index] = above._replace(rowspan=number - top + 1)
                still_open[column] = (top, index)
            else:
                if merge is not None:
                    still_open[column] = (number, len(cells))
                cells.append(GridCell(_cell_text(cell), number, column, 1, span))
            column += span
        laid.append(cells)
        open_above = still_open
    return Grid(tuple(tuple(cells) for cells in laid))


def _number(element: Any, properties: str, name: str) -> int:
    """A whole-number property, 0 when absent, at most 200: more columns no page holds."""
    found = element.find(f"{_W}{properties}/{_W}{name}")
    value = found.get(_W + "val", "") if found is not None else ""
    return min(int(value), 200) if value.isascii() and value.isdigit() else 0


def _cell_text(cell: Any) -> str:
    return "\n".join(filter(None, (" ".join(_text(p).split()) for p in _cell_paragraphs(cell))))


def _cell_paragraphs(parent: Any) -> Iterator[Any]:
    for child in parent:
        if child.tag == _W + "p":
            yield child
        elif child.tag in _PASSED:
            yield from _cell_paragraphs(child)
        elif child.tag == _W + "tbl" and len(inner := list(child.iter(_W + "tc"))) == 1:
            yield from _cell_paragraphs(inner[0])  # a cell drawn as a table
