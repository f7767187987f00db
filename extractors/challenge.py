"""Tells a page from what is sent in its place: challenges, block pages, pages that say they do not exist.

Recognises and names them; never solves one. The marks are data (`page_words.yml`).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from extractors.outcomes import NotKept

_CODE = re.compile(rb"<(script|style)\b.*?(</\1\s*>|$)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(rb"<[^>]{0,2000}>|&nbsp;|\s+")
_LOOKED_AT = 40_000
"""Pages sent in place of another are small; only the first bytes of a page are looked at."""


@cache
def _words() -> dict[str, Any]:
    return dict(yaml.safe_load((Path(__file__).with_name("page_words.yml")).read_text(encoding="utf8")))


@cache
def _phrases(kind: str) -> tuple[bytes, ...]:
    """Phrases in the two encodings pages come in."""
    return tuple(text.encode(charset) for text in _words()[kind] for charset in ("utf-8", "gb18030"))


def refusal(status: int, headers: list[tuple[str, str]], payload: bytes) -> NotKept | None:
    """Why an answer is a refusal and not a page; None when it may be the page."""
    words = _words()
    head = payload[:_LOOKED_AT]
    if status in words["challenge_statuses"]:
        return NotKept("challenge", f"status {status}")
    if status >= 400 and (
        any(m in head for m in _phrases("geo_marks")) or _in_headers(headers, words["geo_marks"])
    ):
        return NotKept("geo_blocked", f"status {status}")
    if status in words["blocked_statuses"]:
        return NotKept("blocked", f"status {status}")
    if status in words["not_found_statuses"]:
        return NotKept("not_found", f"status {status}")
    if status >= 400:
        return NotKept("server_error" if status >= 500 else "blocked", f"status {status}")
    if status != 200 or len(payload) > _LOOKED_AT or not _is_markup(payload):
        return None
    # Looking for the marks is cheap; taking a page's text is not, and is done for the few that hold one.
    marks = (
        [m for m in _phrases("challenge_marks") if m in head] if len(payload) < words["short_page"] else []
    )
    if marks and len(visible(head)) < words["stub_characters"] * 3:
        return NotKept("challenge", marks[0].decode())
    if (code := _said(head)) and len(visible(head)) < words["few_words"] * 3:
        return NotKept(code, "with status 200")
    return None


def _said(payload: bytes) -> str:
    """The refusal a page's words speak of, blocks first; "" when they speak of none."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.decode("gb18030", "replace") + payload.decode("utf-8", "replace")
    if not _any_of("block_phrases", "not_found_phrases").search(text):
        return ""
    return "blocked" if _any_of("block_phrases").search(text) else "soft_not_found"


@cache
def _any_of(*kinds: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(text) for kind in kinds for text in _words()[kind]))


def is_stub(payload: bytes) -> bool:
    """Whether an HTML page shows next to nothing: no text, picture, frame or file."""
    if len(payload) > _words()["short_page"]:
        return False
    lower = payload.lower()
    if any(
        tag in lower
        for tag in (b"<img", b"<iframe", b"<embed", b"<object", b".pdf", b".doc", b".xls", b".wps")
    ):
        return False
    return len(visible(payload)) < _words()["stub_characters"] * 3


def visible(payload: bytes) -> bytes:
    """A page's text without code, tags and white space, in the page's own encoding."""
    return _TAG.sub(b"", _CODE.sub(b"", payload))


def _is_markup(payload: bytes) -> bool:
    return payload.lstrip()[:1] in (b"<", b"") or b"<html" in payload[:2000].lower()


def _in_headers(headers: list[tuple[str, str]], marks: list[str]) -> bool:
    return any(mark.lower() in f"{name}:{value}".lower() for name, value in headers for mark in marks)
