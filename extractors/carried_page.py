"""The report that a page carries without showing it as its own tags: in a text area, a field, a template or a script.

A script of the page puts it in place; nothing here runs one. Reads no table.
"""

from __future__ import annotations

import json
import re
from typing import Any

_ASSIGNED = re.compile(r"[=:(,]\s*(?=\")")
_MOST_TRIED = 200
_DECODER = json.JSONDecoder(strict=False)
_TEMPLATES = ("text/html", "text/plain", "text/template", "text/x-template", "text/x-handlebars-template")


def carried_page(tree: Any) -> str:
    """The tags of a report with tables that the page carries, or "". Call it before scripts are taken out."""
    found: list[str] = []
    for node in tree.css("textarea, input[value], script"):
        content = (node.attrs.get("value") if node.tag == "input" else node.text()) or ""
        if "table" not in content and "TABLE" not in content:
            continue
        if node.tag == "script" and (node.attrs.get("type") or "").lower() not in _TEMPLATES:
            found += _strings(content)
        else:
            found.append(content)
    with_tables = [piece for piece in found if "<table" in piece.lower()]
    return max(with_tables, key=len, default="")


def _strings(script: str) -> list[str]:
    """Texts in double quotes that a script assigns or passes on."""
    strings = []
    for place in list(_ASSIGNED.finditer(script))[:_MOST_TRIED]:
        try:
            string, _ = _DECODER.raw_decode(script, place.end())
        except ValueError:
            continue
        if isinstance(string, str):
            strings.append(string)
    return strings
