"""What of a page a reader cannot see though it is there: text hidden by a style, an attribute or its own colour.

Takes such text out of the parsed page, in place; a cell keeps its place, unless browsers leave it out too. Goes by what
tags say of themselves: style sheets are not read, and white text is unseen only where nothing round it is coloured.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

LONGEST = 400
"""Characters outside tables that a style hides as text; longer ones are parts of the page that show on a click.

Styles up to that length are remembered.
"""

# For styles in lower case.
_STYLE = re.compile(rb'style="([^"]*)')
_STYLE_OTHERWISE = re.compile(rb"style\s?=\s?[\"']([^>]*)")
"""Between other quotes, or with spaces: up to the tag's end, since it is only looked through for hints."""
_HINT = re.compile(
    r"display\s*:\s*none|line-through|visibility|overflow|opacity|clip|:\s*-\s*\d{3}"
    r"|font(?:-size)?\s*:\s*0*\.?0|(?<![\w-])color\s*:\s*(?:#f|white|transparent|rgba?\(\s*255|rgba|#\w{6}00)"
)
_FONT_COLOUR = re.compile(rb"<font\b[^>]{0,400}color\s?=\s?[\"']?(?:#f|white)")
_INLINE = ("p", "span", "font", "b", "strong", "em", "i", "a", "label")
_LEFT_OUT = re.compile(r"(?<![\w-])display\s*:\s*none|text-decoration[\w\-]*\s*:[^;]*line-through")
_END = r"\s*(?:;|!|$)"
_NOT_DRAWN = re.compile(
    r"visibility\s*:\s*(?:hidden|collapse)"
    rf"|(?<![\w-])opacity\s*:\s*0*\.?0+\s*%?{_END}"
    r"|clip-path\s*:\s*inset\(\s*(?:50|100)%"
)
_OUT_OF_SIGHT = re.compile(
    r"(?<![\w-])(?:left|top|right|margin-left)\s*:\s*-\s*\d{3,}|(?<![\w-])clip\s*:\s*rect\(\s*0"
)
_PLACED = re.compile(r"position\s*:\s*(?:absolute|fixed|relative)")
_PUSHED_OUT = re.compile(r"text-indent\s*:\s*-\s*\d{3}")
_A_BOX = re.compile(r"display\s*:\s*(?:inline-)?(?:block|flex)|position\s*:\s*(?:absolute|fixed)|float\s*:")
"""Inline text has no height, width or indent of its own unless its style makes a box of it."""
_NO_ROOM = re.compile(rf"(?<![\w-])(?:max-)?(?:height|width)\s*:\s*0+(?:\.0+)?\s*(?:px|pt|em|%)?{_END}")
_CUT_OFF = re.compile(r"overflow\s*:\s*(?:hidden|clip)")
_SIZE = re.compile(r"(?<![\w-])font(?:-size)?\s*:\s*([^;!]+)")
_NO_SIZE = re.compile(r"(?:^|\s)0*\.?0+(?:px|pt|em|rem|%)?(?:\s|/|$)")
_COLOUR = re.compile(r"(?<![\w-])color\s*:\s*([^;!]+)")
_GROUND = re.compile(r"(?<![\w-])background(?:-color|-image)?\s*:\s*([^;!]+)")
_NO_GROUND = ("transparent", "none", "initial", "inherit", "unset")
_WHITE = re.compile(r"white|#f{3,4}|#f{6}|#f{8}|rgba?\(255,255,255(?:,1(?:\.0*)?)?\)")
_CLEAR = re.compile(r"transparent|rgba\(.*,0*\.?0+\)|#[0-9a-f]{6}00")


def take_out_unseen(tree: Any, folded: bytes) -> None:
    """Removes unseen text. `folded`: the page's tags in lower case, which tell whether there is anything to look for.

    A style that hides a whole table says nothing: pages show one of several on a click.
    """
    styles = set(_STYLE.findall(folded))
    if b"style='" in folded or b"style =" in folded:
        styles.update(_STYLE_OTHERWISE.findall(folded))
    in_attributes = b" hidden" in folded or bool(_FONT_COLOUR.search(folded))
    if not in_attributes and not any(map(_is_hint, styles)):
        return
    hinted = [node for node in tree.css("[style], font[color], [hidden]") if _is_hinted(node)]
    # The innermost first: what is taken out whole holds none that is still to be looked at.
    for node in sorted({node.mem_id: node for node in hinted}.values(), key=_depth, reverse=True):
        _take_out(node)


def _is_hint(style: bytes) -> bool:
    return _is_hint_known(style) if len(style) <= LONGEST else bool(_HINT.search(style.decode()))


@lru_cache(maxsize=4096)
def _is_hint_known(style: bytes) -> bool:
    """Editors write the same few styles into every page."""
    return bool(_HINT.search(style.decode()))


def _is_hinted(node: Any) -> bool:
    attributes = node.attrs
    style = attributes.get("style")
    return bool(style and _HINT.search(style.lower())) or "color" in attributes or "hidden" in attributes


def _depth(node: Any) -> int:
    depth = 0
    while (node := node.parent) is not None:
        depth += 1
    return depth


def _take_out(node: Any) -> None:
    style = (node.attrs.get("style") or "").lower()
    is_part = node.tag in _INLINE and len(node.text()) <= LONGEST
    if not (is_part or _cell_of(node) is not None or node.tag == "tr") or node.css("table"):
        return
    if "hidden" in node.attrs or _LEFT_OUT.search(style):
        node.decompose()
    elif _NOT_DRAWN.search(style) or _is_out_of_sight(node, style):
        _empty(node, None)
    elif (size := _SIZE.findall(style)) and _NO_SIZE.search(size[-1].strip()):
        _empty(node, _SIZE)
    elif _has_unseen_colour(node):
        _empty(node, _COLOUR)


def _is_out_of_sight(node: Any, style: str) -> bool:
    if _PLACED.search(style) and _OUT_OF_SIGHT.search(style):
        return True
    if node.tag != "p" and node.tag in _INLINE and not _A_BOX.search(style):
        return False
    if _PUSHED_OUT.search(style):
        return True
    # Cells and rows grow with their text, whatever size they name.
    grows = node.tag in ("td", "th", "tr")
    return not grows and bool(_CUT_OFF.search(style) and _NO_ROOM.search(style))


def _empty(node: Any, undone_by: re.Pattern[str] | None) -> None:
    """Takes out the text, but not that of tags whose own style undoes what hides it. A cell keeps its place."""
    for child in list(node.iter(include_text=True)):
        style = (child.attrs.get("style") or "").lower() if child.tag != "-text" else ""
        if child.tag == "-text" or not undone_by:
            child.decompose()
        elif not undone_by.search(style) and not (undone_by is _COLOUR and "color" in child.attrs):
            _empty(child, undone_by)


def _has_unseen_colour(node: Any) -> bool:
    """Whether text is clear, or white where nothing round it, up to the page itself, has a ground of another colour.

    A whole cell's white text is taken for a heading on a ground the style sheet gives, unless it can be none.
    """
    colour = _own_colour(node)
    if _CLEAR.fullmatch(colour):
        return True
    if not _WHITE.fullmatch(colour) or any(map(_has_ground, _and_above(node))):
        return False
    whole = _cell_of(node) or _paragraph_of(node)
    if whole is None:
        return False
    if whole.text().strip() != node.text().strip():
        return True
    has_class = any("class" in part.attrs for part in (node, whole, whole.parent) if part is not None)
    return whole.tag in ("td", "th") and any(c.isdigit() for c in node.text()) and not has_class


def _own_colour(node: Any) -> str:
    told = _COLOUR.findall((node.attrs.get("style") or "").lower())
    colour = told[-1] if told else ((node.attrs.get("color") or "").lower() if node.tag == "font" else "")
    return "".join(colour.split())


def _has_ground(node: Any) -> bool:
    grounds = [node.attrs.get("bgcolor") or "", *_GROUND.findall((node.attrs.get("style") or "").lower())]
    told = ["".join(ground.lower().split()) for ground in grounds]
    return "background" in node.attrs or any(
        ground and ground not in _NO_GROUND and not _WHITE.fullmatch(ground) for ground in told
    )


def _and_above(node: Any) -> list[Any]:
    found = []
    while node is not None and node.tag != "html":
        found.append(node)
        node = node.parent
    return found


def _cell_of(node: Any) -> Any:
    return next((above for above in _and_above(node) if above.tag in ("td", "th")), None)


def _paragraph_of(node: Any) -> Any:
    return next((above for above in _and_above(node) if above.tag in ("p", "div")), None)
