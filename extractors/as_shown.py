"""Makes the text of a page's table cells what a browser shows: nothing hidden or struck out, notes' marks apart.

Works on the parsed page, in place, and only where the page's bytes hint at such parts. Lays out nothing and reads no
number.
"""

from __future__ import annotations

import re
from typing import Any

from extractors.unseen import take_out_unseen

FEWEST_CELL_TABLES = 6
"""So many tables of one cell inside a table are its cells, each drawn as a table; fewer may be a page's layout."""
LONGEST_VALUE = 40
"""Characters of a table of one cell that, beside other cells, is a cell drawn as a table even where there are few."""

_RAISED = re.compile(r"vertical-align\s*:\s*super")
_SPECIAL = re.compile(rb"<(?:d(?:el|atalist)|s(?:trike|up|elect)?|input)\b")
_TYPED = (None, "", "text", "number")


def show(tree: Any, folded: bytes) -> None:
    """Takes out what is not shown; writes what cells show otherwise: fields typed into, raised marks of notes.

    `folded`: the page's tags in lower case.
    """
    take_out_unseen(tree, folded)
    found = tree.css("del, s, strike, sup, input, select, datalist") if _SPECIAL.search(folded) else ()
    special = {node.tag for node in found}
    if special & {"del", "s", "strike"}:
        for node in tree.css("td del, td s, td strike"):
            node.decompose()
    if "sup" in special or b"super" in folded:
        _bracket_raised(tree)
    if special & {"select", "datalist"}:
        for node in tree.css("td select, td datalist"):
            node.replace_with(_chosen(node) if node.tag == "select" else "")
    if "input" in special:
        for node in tree.css("td input[value]"):
            if node.attrs.get("type") in _TYPED:
                node.replace_with(node.attrs.get("value") or "")


def _chosen(select: Any) -> str:
    """What a closed list shows: the chosen entry, else its first."""
    option = select.css_first("option[selected]") or select.css_first("option")
    return option.text() if option else ""


def _bracket_raised(tree: Any) -> None:
    """A raised 1 behind a number is a note's mark and no digit of it: it is written [1]."""
    for node in tree.css('td sup, th sup, td [style*="super" i], th [style*="super" i]'):
        if node.tag != "sup" and not _RAISED.search((node.attrs.get("style") or "").lower()):
            continue
        cell = node
        while cell is not None and cell.tag not in ("td", "th"):
            cell = cell.parent
        mark = node.text().strip()
        if cell is not None and mark and cell.text().strip() != mark:
            node.replace_with(mark if mark[0] in "[【〔（(" else f"[{mark}]")


def unwrap_cells(tables: list[Any], line_break: str) -> bool:
    """Puts the text of tables of one cell in their place, where they are the cells of the table around them."""
    unwrapped = False
    for table in tables:
        inner = table.css("table table")
        parts = [part for part in inner if len(part.css("td, th")) == 1]
        if not parts or len(parts) < len(inner):
            continue
        if len(parts) < FEWEST_CELL_TABLES and not all(map(_stands_among_cells, parts)):
            continue
        for part in parts:
            part.replace_with(line_break + part.text() + line_break)
        unwrapped = True
    return unwrapped


def _stands_among_cells(table: Any) -> bool:
    """Whether a table of one cell holds no more than a value, in a row with other cells."""
    row = table.parent
    while row is not None and row.tag != "tr":
        row = row.parent
    if row is None or len(table.text().strip()) > LONGEST_VALUE:
        return False
    return sum(cell.tag in ("td", "th") for cell in row.iter()) > 1
