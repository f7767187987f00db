"""The report that a page carries without showing it as its own tags: in a text area, a field, a template or a script.

A script of the page puts it in place; nothing here runs one. Reads no table.
"""

from __future__ import annotations

import json
import re
from typing import Any

_HINTS = ("&lt;table", "<textarea", "<TEXTAREA", "\\u003ctable", "<script")
_ASSIGNED = re.compile(r"[=:(,]\s*(?=\")")
_MOST_TRIED = 200
_DECODER = json.JSONDecoder(strict=False)
_TEMPLATES = ("text/html", "text/plain", "text/template", "text/x-template", "text/x-handlebars-template")


def carried_page(tree: Any, text: str) -> str:
    """The tags of a report with tables that the page carries, or "". Call it before scripts are taken out."""
    if not any(hint in text for hint in _HINTS):
        return ""
    found = [node.text() for node in tree.css("textarea")]
    found += [node.attrs.get("value") or "" for node in tree.css("input[value]")]
    for script in tree.css("script"):
        content = script.text() or ""
        if "table" not in content:
            continue
        if (script.attrs.get("type") or "").lower() in _TEMPLATES:
            found.append(content)
        else:
            found += _strings(content)
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
