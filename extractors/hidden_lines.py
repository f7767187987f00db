"""Rows and columns an XLSX hides: nobody prints them, so they are taken out before its tables are laid out.

Reads only the attributes that hide; the values come from the library. Knows no form.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from lxml import etree

Range = tuple[tuple[int, int], tuple[int, int]]

_LINE = re.compile(rb"<(row|col)\b([^>]*)>")
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_NUMBER = re.compile(rb'\b(r|min|max)="(\d{1,7})"')
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
MOST_COLUMNS = 16_384


class Hidden(NamedTuple):
    """Rows and columns, from 0, that a sheet hides."""

    rows: frozenset[int] = frozenset()
    columns: frozenset[int] = frozenset()


def hidden_lines(parts: Mapping[str, bytes]) -> dict[str, Hidden]:
    """What each sheet hides, by the sheet's name; sheets that hide nothing are left out."""
    if not any(b"hidden=" in content for name, content in parts.items() if name.startswith("xl/worksheets/")):
        return {}
    book, links = parts.get("xl/workbook.xml"), parts.get("xl/_rels/workbook.xml.rels")
    if book is None or links is None:
        return {}
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    targets = {link.get("Id"): link.get("Target", "") for link in etree.fromstring(links, parser)}
    found = {}
    for sheet in etree.fromstring(book, parser).iter("{*}sheet"):
        target = targets.get(sheet.get(_ID), "").removeprefix("/xl/")
        hidden = _of_sheet(parts.get(f"xl/{target}", b""))
        if hidden != Hidden():
            found[sheet.get("name", "")] = hidden
    return found


def _of_sheet(content: bytes) -> Hidden:
    rows: set[int] = set()
    columns: set[int] = set()
    for kind, attributes in _LINE.findall(content) if b"hidden=" in content else ():
        if not _HIDDEN.search(attributes):
            continue
        told = {name: int(number) for name, number in _NUMBER.findall(attributes)}
        if kind == b"row" and b"r" in told:
            rows.add(told[b"r"] - 1)
        elif kind == b"col" and b"min" in told and b"max" in told:
            columns.update(range(told[b"min"] - 1, min(told[b"max"], MOST_COLUMNS)))
    return Hidden(frozenset(rows), frozenset(columns))


def without_hidden(
    rows: list[list[str]], merged: list[Range], hidden: Hidden
) -> tuple[list[list[str]], list[Range]]:
    """The rows and merged ranges that are left; what a merged cell says moves to its first place that is seen."""
    width = max(map(len, rows), default=0)
    down = _seen(len(rows), hidden.rows)
    across = _seen(width, hidden.columns)
    texts = [[*row, *[""] * (width - len(row))] for row in rows]
    left = []
    for (top, first), (bottom, last) in merged:
        lines = [row for row in range(top, min(bottom + 1, len(rows))) if row in down]
        places = [column for column in range(first, min(last + 1, width)) if column in across]
        if lines and places:
            texts[lines[0]][places[0]] = texts[top][first]
            left.append(((down[lines[0]], across[places[0]]), (down[lines[-1]], across[places[-1]])))
    return [[texts[row][column] for column in across] for row in down], left


def _seen(count: int, hidden: Collection[int]) -> dict[int, int]:
    """Old place → new place of the lines that are not hidden."""
    return {old: new for new, old in enumerate(n for n in range(count) if n not in hidden)}
