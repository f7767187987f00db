"""An HTML page → Document: grids with their spans laid out, paragraphs between them, title, labelled facts, links.

Reads with selectolax; `tests/test_read_html.py` holds it to the grids BeautifulSoup finds. Knows no form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from extractors.as_shown import show, unwrap_cells
from extractors.carried_page import carried_page
from extractors.decode import decode
from extractors.errors import Refused
from extractors.labels import fold
from extractors.records import Block, Document, Grid, GridCell, Paragraph, new_record

MOST_COLUMNS = 64
"""A span reaches no further; the widest statutory table has 15 columns."""
MOST_CELLS = 60_000
MOST_TABLES = 3_000
"""Tables inside tables are looked through once for each of them."""
MOST_CHARACTERS = 12_000_000

_BREAK = "\f"  # white space to the parser, so it may stand between rows; never in the text of a page
_BREAKS = re.compile(rf"{_BREAK}[ \t\r\n{_BREAK}]*")
_LINE_TAG = re.compile(r"<(?=/?(?:[pdthPDTH]|[bB][rR]|[lL][iI]|[sS]ec|[aA]rt))")
"""Tags that begin or end a line, by the first letters of their names: a mark too many is only white space."""
_IMAGE = "\x1f"
_PRE = re.compile(r"<(pre|textarea)\b.{0,2000000}?</\1\s*>", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"\s*(\d{1,9})")
_GRID_MARK = "\x1d"
_GRID = re.compile(f"{_GRID_MARK}grid(\\d+){_GRID_MARK}")
_TITLES = ("title", "ucaptitle", "h1")
_LINKS = ("a", "iframe", "embed", "object")
_NOT_SHOWN = ("script", "style", "noscript", "template")
_PARTS = ", ".join(("meta", *_TITLES, "a[href], iframe[src], embed[src], object[data]", *_NOT_SHOWN))
_FILE_LINK = re.compile(
    r"\.(?:pdf|docx?|xlsx?|wps|et|ofd|rtf|zip|rar)(?:$|[?#&])|downfile|/attach/|virtual_attach_file|filename=",
    re.IGNORECASE,
)
_VIEWER = re.compile(r"""showVsbpdfIframe\(\s*["']([^"']{1,500})|viewer\.html\?file=([^"'&\s]{1,500})""")
_FACT_LABEL = re.compile(r"[\u4e00-\u9fff]{2,8}")
_MOST_FACTS = 60


def read_html(data: bytes, url: str = "", content_type: str = "") -> Document:
    """Reads a page; `Refused` when it is larger than any report (12 million characters, 60,000 cells)."""
    text = decode(data, content_type)
    if len(text) > MOST_CHARACTERS:
        raise Refused(f"the page has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read")
    return _read_page(text, url)


def _read_page(text: str, url: str, is_carried: bool = False) -> Document:
    # Tags are ASCII, and ASCII is folded to lower case in a third of the time.
    folded = text.encode("ascii", "replace").lower()
    is_cut = _ends_inside_a_cell(folded)
    marked = _mark(text)
    if "<pre" in marked or "<PRE" in marked or "<textarea" in marked:
        marked = _PRE.sub(lambda found: found[0].replace("\n", _BREAK), marked)
    tree = LexborHTMLParser(marked)
    # Each look through the whole tree costs as much as the next: one for all of these.
    parts = [(node.tag, node) for node in tree.css(_PARTS)]
    meta = _meta_tags([node for tag, node in parts if tag == "meta"])
    title = _title([(tag, node) for tag, node in parts if tag in _TITLES], meta)
    attachments = _attachments([node for tag, node in parts if tag in _LINKS], text, url)
    carried = "" if is_carried else carried_page(tree)
    for tag, node in parts:
        if tag in _NOT_SHOWN:
            node.decompose()
    show(tree, folded)
    grids = _take_grids(tree, is_cut)
    body = tree.body
    blocks, images = _blocks(body.text(deep=True) if body else "", grids)
    for grid in grids:
        _add_facts(meta, grid)
    if carried and carried.lower().count("<tr") > sum(len(grid.rows) for grid in grids):
        inner = _read_page(carried, url, is_carried=True)
        own = (block for block in blocks if not (isinstance(block, Paragraph) and "<" in block.text))
        blocks, images = (*own, *inner.blocks), images + inner.images
        attachments = tuple(dict.fromkeys((*attachments, *inner.attachments)))
    return Document(
        carrier="html", blocks=blocks, title=title, meta=meta, attachments=attachments, images=images
    )


def _mark(text: str) -> str:
    """The page with a break before every tag that begins or ends a line, and a mark at every picture."""
    text = _LINE_TAG.sub(_BREAK + "<", text)
    return text.replace("<img", _IMAGE + "<img").replace("<IMG", _IMAGE + "<IMG")


def _ends_inside_a_cell(folded: bytes) -> bool:
    """Whether the bytes stop inside a table cell, so that its last digits may be missing."""
    lowered = folded[-200_000:]
    last_table = lowered.rfind(b"<table")
    if lowered.rfind(b"</table") > last_table or (last_table < 0 and b"<td" not in lowered):
        return False
    return max(lowered.rfind(b"</td"), lowered.rfind(b"</th"), lowered.rfind(b"</tr")) < max(
        lowered.rfind(b"<td"), lowered.rfind(b"<th")
    )


def _take_grids(tree: Any, is_cut: bool) -> list[Grid]:
    """Takes every innermost table out of the tree as a grid and leaves its number in the text."""
    grids: list[Grid] = []
    cells = 0
    # From the last to the first: a table inside a layout table comes after it and is gone when that one is asked.
    spans = {
        node.mem_id: (_span(node.attrs.get("rowspan")), _span(node.attrs.get("colspan")))
        for node in tree.css("td[rowspan],td[colspan],th[rowspan],th[colspan]")
    }
    tables = tree.css("table")
    if len(tables) > MOST_TABLES:
        raise Refused(f"the page has more than {MOST_TABLES:,} tables")
    inner = [table for table in tables if len(table.css("table")) <= 1]
    if len(inner) < len(tables) and unwrap_cells(tables, _BREAK):
        tables = tree.css("table")
        inner = [table for table in tables if len(table.css("table")) <= 1]
    for table in inner:
        grid = lay_out(_printed_rows(table, spans))
        cells += sum(len(row) for row in grid.rows)
        if cells > MOST_CELLS:
            raise Refused(f"the page has more than {MOST_CELLS:,} table cells")
        grids.append(grid)
        table.replace_with(f"{_BREAK}{_GRID_MARK}grid{len(grids) - 1}{_GRID_MARK}{_BREAK}")
    if is_cut and grids:
        grids[-1] = replace(grids[-1], cut=True)
    return grids


_NO_SPAN = (1, 1)


def _printed_rows(table: Any, spans: dict[int, tuple[int, int]]) -> list[list[tuple[str, int, int]]]:
    """(text, rowspan, colspan) of each cell of each row, as printed. `spans`: those of cells that name any."""
    return [
        [
            (cell_text(cell.text()), *spans.get(cell.mem_id, _NO_SPAN))
            for cell in tr.iter()
            if cell.tag in ("td", "th")
        ]
        for tr in table.css("tr")
    ]


def _span(value: str | None) -> int:
    """A span as browsers read it: leading digits (`2;` is 2), at least 1."""
    if not value:
        return 1
    found = _NUMBER.match(value)
    return max(1, int(found[1])) if found else 1


def cell_text(raw: str) -> str:
    """Text of a cell: white space folded, one line a paragraph."""
    if _IMAGE in raw:
        raw = raw.replace(_IMAGE, "")
    words = raw.split()  # at the marks between paragraphs too
    if len(words) < 2:
        return words[0] if words else ""
    if _BREAK not in raw:
        return " ".join(words)
    lines = (" ".join(line.split()) for line in raw.split(_BREAK))
    return "\n".join(line for line in lines if line)


def lay_out(printed: list[list[tuple[str, int, int]]]) -> Grid:
    """Lays spans out: each cell gets the column it starts in, after the cells that reach in from above.

    Spans are bounded by the table itself: no further down than its last row, no wider than MOST_COLUMNS.
    """
    taken: dict[int, int] = {}
    rows = []
    height = len(printed)
    for number, printed_row in enumerate(printed):
        column = 0
        row = []
        started: list[tuple[int, int]] = []
        for text, rowspan, colspan in printed_row:
            while taken.get(column, -1) >= number:
                column += 1
            if rowspan == 1 == colspan:
                row.append(new_record(GridCell, (text, number, column, 1, 1)))
                column += 1
                continue
            width = min(colspan, max(1, MOST_COLUMNS - column))
            tall = min(rowspan, height - number)
            row.append(GridCell(text, number, column, tall, width))
            if tall > 1:
                started += [(c, number + tall - 1) for c in range(column, column + width)]
            column += width
        taken.update(started)
        rows.append(tuple(row))
    return Grid(rows=tuple(rows))


def _blocks(text: str, grids: list[Grid]) -> tuple[tuple[Block, ...], int]:
    """Paragraphs and grids in reading order, and the pictures that stand inside the report's text."""
    blocks: list[Block] = []
    images = 0
    prose = False
    for piece in _BREAKS.split(text):
        if _GRID_MARK in piece and (found := _GRID.search(piece)):
            blocks.append(grids[int(found[1])])
            piece = _GRID.sub("", piece)
        if _IMAGE in piece:
            images += piece.count(_IMAGE) if prose else 0
            piece = piece.replace(_IMAGE, " ")
        line = " ".join(piece.split())
        if line:
            blocks.append(Paragraph(line))
            prose = prose or line.startswith(("一、", "一,", "一．", "一.", "二、"))
    return tuple(blocks), images


def _meta_tags(nodes: Sequence[Any]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for node in nodes:
        attributes = node.attributes
        name = attributes.get("name") or attributes.get("property")
        content = attributes.get("content")
        if name and content and len(facts) < _MOST_FACTS:
            facts.setdefault(name[:60], " ".join(content[:500].split()))
    return facts


def _title(nodes: Sequence[tuple[str, Any]], meta: dict[str, str]) -> str:
    """ArticleTitle, else the first heading, else <title>, which is also kept among the facts. nodes: (tag, node)."""
    node = next((node for tag, node in nodes if tag == "title"), None)
    page_title = " ".join(node.text().split())[:300] if node else ""
    if page_title:
        meta.setdefault("title", page_title)
    for name, content in meta.items():
        if name.lower() == "articletitle" and content.strip():
            return content
    for tag, heading in nodes:
        text = " ".join(heading.text(deep=True).split())
        if text and tag != "title":
            return text[:300]
    return page_title


def _add_facts(meta: dict[str, str], grid: Grid) -> None:
    """Label and value cells of a metadata table (索引号 …, 发布机构 …)."""
    if len(grid.rows) > 12 or len(meta) > _MOST_FACTS:
        return
    for row in grid.rows:
        if len(row) % 2 or len(row) > 6:
            continue
        for label, value in zip(row[::2], row[1::2], strict=True):
            name = fold(label.text[:40]).rstrip(":")
            if _FACT_LABEL.fullmatch(name) and value.text and len(value.text) <= 300:
                meta.setdefault(name, value.text)


def _attachments(nodes: Sequence[Any], text: str, url: str) -> tuple[str, ...]:
    """Links to files and document viewers, absolute when the page's address is known."""
    links = []
    for node in nodes:
        attributes = node.attributes
        link = attributes.get("href") or attributes.get("src") or attributes.get("data") or ""
        if link and len(link) < 2000 and _FILE_LINK.search(link):
            links.append(link)
    if "showVsbpdfIframe" in text or "viewer.html" in text:
        links += [found[1] or found[2] for found in _VIEWER.finditer(text)]
    absolute = []
    for link in links[:50]:
        try:
            absolute.append(urljoin(url, link.strip()) if url else link.strip())
        except ValueError:
            continue  # an address no client could ask either
    return tuple(dict.fromkeys(absolute))
