"""One PDF page as PDFium shows it: characters, ruling lines, pictures; in points, upright, y downwards.

Knows PDFium and geometry. Never decides what is a table or a paragraph, and never repairs a character it
cannot name: a glyph without a known character becomes U+FFFD, so that no number is read around a hole.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable, Iterator
from math import degrees
from typing import Any, NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractors.errors import Refused

UNKNOWN = "\ufffd"
MAX_CHARACTERS = 60_000
MAX_OBJECTS = 120_000
MAX_FORM_DEPTH = 4
THIN = 3.0
"""Points: a filled shape thinner than this is a drawn line; thicker ones are backgrounds, whose edges rule
nothing.
"""

SUSPICIOUS = 30.0
"""Points: a character box larger than this is compared with the character's ink before it is believed."""

_ASKED = 200
_MOST = 0.6
"""Share of a page's text, of about _ASKED characters asked, that must stand one way to say how the page is read."""
_WHITE = 250
"""Of 255: text at least this bright in all colours is white."""
_INVISIBLE = 3
_SKIPPED = frozenset({10, 13, 32, 0xA0, 0x3000, 0xFFFE, 0x200B, 0xFEFF})


class Char(NamedTuple):
    text: str
    x0: float
    y0: float
    x1: float
    y1: float


class Rule(NamedTuple):
    """A straight line: at `at` (y of a horizontal one, x of a vertical one) from `start` to `end`."""

    at: float
    start: float
    end: float


class Picture(NamedTuple):
    x0: float
    y0: float
    x1: float
    y1: float


class Page(NamedTuple):
    """`turned`: by how many degrees, clockwise, the page is read turned from how it is shown: its text stands sideways.

    white_text: some text is white or clear, and left out where nothing coloured lies behind it.
    """

    width: float
    height: float
    chars: list[Char]
    horizontals: list[Rule]
    verticals: list[Rule]
    pictures: list[Picture]
    invisible_text: bool
    dropped_text: bool
    turned: int = 0
    white_text: bool = False


_Box = tuple[float, float, float, float]
_Upright = Callable[[float, float, float, float], _Box]


def read_page(page: pdfium.PdfPage) -> Page:
    """Everything printed on one page; `Refused` when it holds more objects or characters than a report ever
    does.
    """
    shown = page.get_rotation() % 360
    turn = _turn_of_text(page, shown)
    upright, width, height = _upright(page, turn)
    horizontals: list[Rule] = []
    verticals: list[Rule] = []
    pictures: list[Picture] = []
    invisible = False
    printed: set[int | None] = set()
    white: set[int | None] = set()
    for kind, item, matrix in _objects(page):
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            printed.add(_address(item))
            if not _has_colour(item):
                white.add(_address(item))
            invisible = invisible or raw.FPDFTextObj_GetTextRenderMode(item) == _INVISIBLE
            continue
        boxes = _path_boxes(item) if kind == raw.FPDF_PAGEOBJ_PATH else _bounds(item)
        for box in boxes:
            x0, y0, x1, y1 = upright(*_moved(box, matrix))
            if y1 - y0 <= THIN < x1 - x0:
                horizontals.append(Rule((y0 + y1) / 2, x0, x1))
            elif x1 - x0 <= THIN < y1 - y0:
                verticals.append(Rule((x0 + x1) / 2, y0, y1))
            elif kind == raw.FPDF_PAGEOBJ_IMAGE:
                pictures.append(Picture(max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)))
    read: set[int | None] = set()
    unseen = _Unseen(invisible, white, _grounds(page, upright) if white else [])
    chars = _chars(page, upright, width, height, unseen, read)
    dropped = bool(printed - read)
    turned = (turn - shown) % 360
    return Page(
        width, height, chars, horizontals, verticals, pictures, invisible, dropped, turned, bool(white)
    )


class _Unseen(NamedTuple):
    """What tells characters nobody sees: drawn invisibly, or in `white` text objects outside all coloured `grounds`."""

    some_invisible: bool
    white: set[int | None]
    grounds: list[_Box]


def _has_colour(item: Any) -> bool:
    """Whether an object is filled with another colour than white, and not clear."""
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not raw.FPDFPageObj_GetFillColor(item, red, green, blue, alpha):
        return True
    return alpha.value > 0 and min(red.value, green.value, blue.value) < _WHITE


def _grounds(page: pdfium.PdfPage, upright: _Upright) -> list[_Box]:
    """Coloured areas and pictures, which white text can be seen on."""
    found = []
    for kind, item, matrix in _objects(page):
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            continue
        if kind == raw.FPDF_PAGEOBJ_PATH:
            raw.FPDFPath_GetDrawMode(item, fill, stroke)
            if not fill.value or not _has_colour(item):
                continue
        found += [upright(*_moved(box, matrix)) for box in _bounds(item)]
    return found


def _address(item: Any) -> int | None:
    """Where PDFium keeps a page object: what tells it from another."""
    return ctypes.cast(item, ctypes.c_void_p).value


def _turn_of_text(page: pdfium.PdfPage, shown: int) -> int:
    """The turn at which the page's text stands upright; the one it is shown at where the text does not say.

    Wide tables are often printed sideways on upright pages.
    """
    text = page.get_textpage()
    try:
        total = raw.FPDFText_CountChars(text.raw)
        if total > MAX_CHARACTERS:
            return shown  # refused when its characters are read
        places = range(0, total, max(1, total // _ASKED))
        angles = [
            raw.FPDFText_GetCharAngle(text.raw, place)
            for place in places
            if raw.FPDFText_GetUnicode(text.raw, place) not in _SKIPPED
            and not raw.FPDFText_IsGenerated(text.raw, place)
        ]
    finally:
        text.close()
    turns = Counter(round(-degrees(angle) / 90) * 90 % 360 for angle in angles if angle >= 0)
    turn, often = turns.most_common(1)[0] if turns else (shown, 0)
    return turn if often > _MOST * len(angles) else shown


def turned_box(box: _Box, turned: int, width: float, height: float) -> _Box:
    """A box of the page as it is shown, on the page as it is read: `turned` clockwise, of that width and height."""
    x0, y0, x1, y1 = box
    if turned == 90:
        return width - y1, x0, width - y0, x1
    if turned == 180:
        return width - x1, height - y1, width - x0, height - y0
    if turned == 270:
        return y0, height - x1, y1, height - x0
    return box


def _upright(page: pdfium.PdfPage, turn: int) -> tuple[_Upright, float, float]:
    """How a box of the page's own space lies on the page as a reader sees it, and the page's seen size."""
    left, bottom, right, top = page.get_bbox()
    if turn == 90:
        return (lambda a, b, c, d: (b - bottom, a - left, d - bottom, c - left)), top - bottom, right - left
    if turn == 180:
        return (lambda a, b, c, d: (right - c, b - bottom, right - a, d - bottom)), right - left, top - bottom
    if turn == 270:
        return (lambda a, b, c, d: (top - d, right - c, top - b, right - a)), top - bottom, right - left
    return (lambda a, b, c, d: (a - left, top - d, c - left, top - b)), right - left, top - bottom


def _objects(page: pdfium.PdfPage) -> Iterator[tuple[int, Any, Any]]:
    """(kind, object, matrix of the forms around it or None), forms opened, at most MAX_OBJECTS."""
    seen = 0
    waiting: list[tuple[Any, Any, int]] = [(page.raw, None, 0)]
    while waiting:
        parent, matrix, depth = waiting.pop()
        count, get = (
            (raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject)
            if depth == 0
            else (raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject)
        )
        total = count(parent)
        seen += total
        if seen > MAX_OBJECTS:
            raise Refused(f"a page of the PDF holds more than {MAX_OBJECTS:,} drawn objects")
        for index in range(total):
            item = get(parent, index)
            kind = raw.FPDFPageObj_GetType(item)
            if kind != raw.FPDF_PAGEOBJ_FORM:
                yield kind, item, matrix
            elif depth < MAX_FORM_DEPTH:
                own = raw.FS_MATRIX()
                raw.FPDFPageObj_GetMatrix(item, own)
                waiting.append((item, _product(own, matrix), depth + 1))


def _product(inner: Any, outer: Any) -> Any:
    if outer is None:
        return inner
    return raw.FS_MATRIX(
        inner.a * outer.a + inner.b * outer.c,
        inner.a * outer.b + inner.b * outer.d,
        inner.c * outer.a + inner.d * outer.c,
        inner.c * outer.b + inner.d * outer.d,
        inner.e * outer.a + inner.f * outer.c + outer.e,
        inner.e * outer.b + inner.f * outer.d + outer.f,
    )


def _moved(box: _Box, matrix: Any) -> _Box:
    if matrix is None:
        return box
    xs = [matrix.a * x + matrix.c * y + matrix.e for x in (box[0], box[2]) for y in (box[1], box[3])]
    ys = [matrix.b * x + matrix.d * y + matrix.f for x in (box[0], box[2]) for y in (box[1], box[3])]
    return min(xs), min(ys), max(xs), max(ys)


def _bounds(item: Any) -> list[_Box]:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not raw.FPDFPageObj_GetBounds(item, left, bottom, right, top):
        return []
    return [(left.value, bottom.value, right.value, top.value)]


def _path_boxes(item: Any) -> list[_Box]:
    """The lines a path draws: the whole of a thin shape, else each of its straight stroked sides."""
    bounds = _bounds(item)
    if bounds and min(bounds[0][2] - bounds[0][0], bounds[0][3] - bounds[0][1]) <= THIN:
        return bounds
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(item, fill, stroke)
    segments = raw.FPDFPath_CountSegments(item)
    if not stroke.value and segments <= 5:
        return []
    sides = list(_sides(item, min(segments, MAX_OBJECTS)))
    if stroke.value:
        return sides
    return _filled_rectangles(sides)


def _sides(item: Any, segments: int) -> Iterator[_Box]:
    """The straight horizontal and vertical sides of a path, closing lines included."""
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(item, matrix)
    x, y = ctypes.c_float(), ctypes.c_float()
    last = first = (0.0, 0.0)
    for index in range(segments):
        segment = raw.FPDFPath_GetPathSegment(item, index)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            first = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield from _straight(last, point)
        last = point
        if raw.FPDFPathSegment_GetClose(segment):
            yield from _straight(last, first)
            last = first


def _straight(a: tuple[float, float], b: tuple[float, float]) -> Iterator[_Box]:
    if abs(a[0] - b[0]) <= 1 or abs(a[1] - b[1]) <= 1:
        yield min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


def _filled_rectangles(sides: list[_Box]) -> list[_Box]:
    """Of one filled path made of many rectangles, the thin ones: producers draw all borders of a table so."""
    boxes = []
    for start in range(0, len(sides) - 3, 4):
        four = sides[start : start + 4]
        box = (
            min(s[0] for s in four),
            min(s[1] for s in four),
            max(s[2] for s in four),
            max(s[3] for s in four),
        )
        if min(box[2] - box[0], box[3] - box[1]) <= THIN:
            boxes.append(box)
    return boxes


def _chars(
    page: pdfium.PdfPage,
    upright: _Upright,
    width: float,
    height: float,
    unseen: _Unseen,
    read: set[int | None],
) -> list[Char]:
    """The visible characters with their line-high boxes; white space is left out, gaps tell it as well.

    `read` gathers the text objects that gave characters: PDFium takes some lone characters (a full-width digit
    alone in its cell) for shadows of others and leaves them out.
    """
    text = page.get_textpage()
    handle = text.raw
    try:
        total = raw.FPDFText_CountChars(handle)
        if total > MAX_CHARACTERS:
            raise Refused(
                f"a page of the PDF holds {total:,} characters; at most {MAX_CHARACTERS:,} are read"
            )
        rect = raw.FS_RECTF()
        chars = []
        for index in range(total):
            code = raw.FPDFText_GetUnicode(handle, index)
            read.add(_address(raw.FPDFText_GetTextObject(handle, index)))
            if code in _SKIPPED or raw.FPDFText_IsGenerated(handle, index):
                continue
            if unseen.some_invisible and _is_invisible(handle, index):
                continue
            raw.FPDFText_GetLooseCharBox(handle, index, rect)
            box = (rect.left, rect.bottom, rect.right, rect.top)
            if max(box[2] - box[0], box[3] - box[1]) > SUSPICIOUS:
                box = _tight_box(handle, index, box)
            x0, y0, x1, y1 = upright(*box)
            if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
                continue
            if unseen.white and _address(raw.FPDFText_GetTextObject(handle, index)) in unseen.white:
                x, y = (x0 + x1) / 2, (y0 + y1) / 2
                if not any(a <= x <= c and b <= y <= d for a, b, c, d in unseen.grounds):
                    continue
            named = code >= 32 and not raw.FPDFText_HasUnicodeMapError(handle, index)
            chars.append(Char(chr(code) if named else UNKNOWN, x0, y0, x1, y1))
        return chars
    finally:
        text.close()


def _tight_box(handle: Any, index: int, loose: _Box) -> _Box:
    """The ink of a character whose line-high box is far larger (vertical fonts): else the box as it was."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(handle, index, left, right, bottom, top)
    tight = (left.value, bottom.value, right.value, top.value)
    ink = max(tight[2] - tight[0], tight[3] - tight[1])
    return tight if 0 < ink * 2.5 < max(loose[2] - loose[0], loose[3] - loose[1]) else loose


def _is_invisible(handle: Any, index: int) -> bool:
    item = raw.FPDFText_GetTextObject(handle, index)
    return bool(item) and raw.FPDFTextObj_GetTextRenderMode(item) == _INVISIBLE
