"""A fetched page: its address, bytes, text and tree, each made once and only when asked for.

Knows nothing of portals or reports.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from extractors.decode import decode
from extractors.outcomes import NotKept

CHECKED_FROM_TAGS = 4000
"""Below so many tags even the worst nesting costs a parser some milliseconds only."""
MAX_NESTING = 1500
"""Word-pasted pages nest some tens of elements; deeper ones are attacks on parsers."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NOT_NESTING = (
    "area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|path|use|circle|rect|line|polygon"
    "|p|li|td|th|tr|dd|dt|option|tbody|thead|tfoot|colgroup|body|html|head"
)
"""Elements without content, and those that close one another."""
_NESTING_TAG = re.compile(rf"<(?!/?(?:{_NOT_NESTING})\b)(/?)[a-z]", re.IGNORECASE)


@dataclass
class Page:
    """One answer. `charset` overrides what page and header say, for portals that lie about it."""

    url: str
    payload: bytes
    content_type: str = ""
    charset: str = ""

    @cached_property
    def text(self) -> str:
        if self.charset:
            return self.payload.decode(self.charset, "replace")
        return decode(self.payload, self.content_type)

    @cached_property
    def folded(self) -> bytes:
        """The page in lower case, to see quickly whether a name in ASCII stands in it at all."""
        return (self.text.encode() if self.payload[:2] in _UTF16 else self.payload).lower()

    @cached_property
    def tree(self) -> LexborHTMLParser:
        """The parsed page; `NotKept` when it nests deeper than any real page."""
        if self.payload.count(b"<") > CHECKED_FROM_TAGS and _nesting(self.text) > MAX_NESTING:
            raise NotKept("too_deep", f"more than {MAX_NESTING} levels")
        return LexborHTMLParser(self.text)

    @cached_property
    def is_html(self) -> bool:
        start = self.payload[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return b"<html" in start or (start.startswith(b"<") and not start.startswith(b"<?xml"))

    def json(self) -> Any:
        """The page as JSON, a JSONP wrapper removed; `NotKept` when it is not JSON."""
        text = self.text.strip()
        if wrapped := re.fullmatch(r"[\w.$]+\((.*)\)\s*;?", text, re.DOTALL):
            text = wrapped[1]
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise NotKept(
                "bad_list", f"expected JSON, found {text[:40]!r} ({type(error).__name__})"
            ) from None


def dig(data: Any, path: str) -> Any:
    """The value at a dotted path such as `data.results`; None when a step is missing."""
    for step in path.split(".") if path else ():
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def _nesting(markup: str) -> int:
    """Deepest level of elements that do not close one another, counted before any parser sees the markup."""
    level = deepest = 0
    for closing in _NESTING_TAG.findall(markup):
        if not closing:
            level += 1
            deepest = max(deepest, level)
        elif level:
            level -= 1
    return deepest
