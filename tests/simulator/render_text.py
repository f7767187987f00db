"""A report as plain text, in each of the layouts converters leave behind.

A layout is *lossy* for a report when it no longer tells which column a number belongs to: a reader may then
find fewer numbers, but never another one. Never looks at how the project reads text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.simulator.figures import Key, Report
from tests.simulator.form_tables import FormTable, Row, Slot, matrix, tables_of
from tests.simulator.noise import QUIET, Noise, noisy
from tests.simulator.prose import parts_of

Lines = list[str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A report in one layout. `lost`: cells whose place or very existence the layout no longer tells."""

    layout: str
    content: bytes
    suffix: str
    lost: frozenset[Key]

    @property
    def is_lossy(self) -> bool:
        return bool(self.lost)


def _flat(text: str) -> str:
    return text.replace("\n", "")


def _texts(row: Row) -> list[str]:
    return [_flat(slot.text) for slot in row]


def _pads(table: FormTable, row: Row) -> str:
    """A pipe for every column that the row's spans swallow."""
    return "|" * (table.width - len(row))


def pipe(table: FormTable) -> Lines:
    """`规章 | 0 | 0 | 0 | ` with a pipe for each column, those of spans at the row's end."""
    return [" | ".join(_texts(row)) + " | " + _pads(table, row) for row in table.rows]


def pipe_trimmed(table: FormTable) -> Lines:
    """The same without white space at the ends; the last row of a table has lost its padding as well."""
    lines = [line.rstrip() for line in pipe(table)]
    return [*lines[:-1], lines[-1].rstrip(" |") + " |"]


def pipe_leading(table: FormTable) -> Lines:
    return ["| " + line for line in pipe(table)]


def pipe_open(table: FormTable) -> Lines:
    """A pipe alone opens a row, each cell stands on its own line, the padding behind the last."""
    lines: Lines = []
    for row in table.rows:
        lines.append("|")
        lines += [f"{text} |".strip() for text in _texts(row)]
        lines[-1] += _pads(table, row)
    return lines


def cell_line_pipe(table: FormTable) -> Lines:
    """A cell and its pipe on each line, the padding on a line of its own."""
    lines: Lines = []
    for row in table.rows:
        lines += [f"{text} |".strip() for text in _texts(row)]
        lines += [_pads(table, row)] if _pads(table, row) else []
    return lines


def cell_line(table: FormTable) -> Lines:
    """One cell a paragraph: a blank line between cells, and a blank cell leaves its blank lines."""
    lines: Lines = []
    for row in table.rows:
        for slot in row:
            lines += [*slot.text.split("\n"), ""]
    return lines


def cell_line_tight(table: FormTable) -> Lines:
    """One cell a line; a blank cell is a blank line."""
    return [_flat(slot.text) for row in table.rows for slot in row]


def cell_line_dropped(table: FormTable) -> Lines:
    """One cell a line; blank cells have gone."""
    return [_flat(slot.text) for row in table.rows for slot in row if slot.text]


def markdown(table: FormTable) -> Lines:
    """Every place of the grid between pipes, spans left empty, a rule below the first row."""
    lines = ["| " + " | ".join(_flat(text) for text in row) + " |" for row in matrix(table)]
    return [lines[0], "|" + "---|" * table.width, *lines[1:]]


def markdown_repeated(table: FormTable) -> Lines:
    """The same from a data frame: a span's text stands in every place it covers."""
    lines = ["| " + " | ".join(_flat(text) for text in row) + " |" for row in matrix(table, repeat=True)]
    return [lines[0], "|" + "---|" * table.width, *lines[1:]]


def glued(table: FormTable) -> Lines:
    """A row's cells without anything between them: 规章000."""
    return ["".join(_texts(row)) for row in table.rows]


def spaced(table: FormTable) -> Lines:
    """A row's cells with a space between them; blank cells have gone."""
    return [" ".join(text for text in _texts(row) if text) for row in table.rows]


def _wrapped(text: str, width: int) -> Lines:
    return [text[start : start + width] for start in range(0, len(text), width)] or [""]


def _pdf_row(rng: Random, row: Row) -> Lines:
    """A row as text is taken from a PDF: a long label wraps before, around or beside its numbers."""
    numeric = [
        slot.role == "value" or (slot.role == "filler" and slot.text.replace(",", "").isdigit())
        for slot in row
    ]
    labels = [slot for slot, is_number in zip(row, numeric, strict=True) if not is_number]
    numbers = " ".join(
        slot.text for slot, is_number in zip(row, numeric, strict=True) if is_number and slot.text
    )
    lines: Lines = [line for slot in labels[:-1] for line in _wrapped(_flat(slot.text), 16)]
    last = _wrapped(_flat(labels[-1].text), 16) if labels else []
    if not numbers:
        return [*lines, *last]
    if len(last) < 2:
        return [*lines, " ".join([*last, numbers])]
    choice = rng.randrange(3)
    if choice == 0:
        return [*lines, *last, numbers]
    if choice == 1:
        return [*lines, *last[:-1], numbers, last[-1]]
    return [*lines, *last[:-1], f"{last[-1]} {numbers}"]


def pdf_text(table: FormTable, rng: Random | None = None) -> Lines:
    """Lines of a PDF's text: headers in pieces, page numbers between rows, 15 bare numbers at the end."""
    rng = rng or Random(0)
    lines: Lines = []
    page = 2
    for place, row in enumerate(table.rows):
        if table.name == "proactive":
            lines.append(" ".join(text for text in _texts(row) if text))
        elif place < table.header_rows and table.name != "statistics":
            lines += [piece for text in _texts(row) for piece in _wrapped(text, 2 if len(text) < 7 else 24)]
        else:
            lines += _pdf_row(rng, row)
        if rng.random() < 0.05:
            lines.append(f"- {page} -")
            page += 1
    return lines


Draw = Callable[[FormTable], Lines]
LAYOUTS: dict[str, Draw] = {
    "pipe": pipe,
    "pipe_trimmed": pipe_trimmed,
    "pipe_leading": pipe_leading,
    "pipe_open": pipe_open,
    "cell_line_pipe": cell_line_pipe,
    "cell_line": cell_line,
    "cell_line_tight": cell_line_tight,
    "cell_line_dropped": cell_line_dropped,
    "markdown": markdown,
    "markdown_repeated": markdown_repeated,
    "one_line_pipe": pipe,
    "one_line_spaced": spaced,
    "spaced": spaced,
    "pdf_text": pdf_text,
    "glued": glued,
}
"""Layout name → how it draws one table. `one_line_…` join everything with spaces afterwards."""

_BLANKS_GONE = ("cell_line_tight", "cell_line_dropped", "one_line_spaced", "spaced", "pdf_text")
"""Layouts with nothing left where a blank cell was, or only an empty line that could be anything."""
HIDE_SPACES = ("one_line_spaced", "spaced", "pdf_text", "glued", "cell_line_tight", "cell_line_dropped")
"""Layouts where a line may hold several cells, so that a space inside a number looks like the end of one."""
HIDE_MERGES = ("markdown", "markdown_repeated")
"""Layouts where a value over merged columns looks like a value of one column, or of each: nobody can tell."""


def _value_slots(row: Row) -> list[Slot]:
    return [slot for slot in row if slot.role == "value"]


def lost_cells(report: Report, layout: str, is_folded: bool = False) -> frozenset[Key]:
    """Cells that need not be found: their column is lost, or they run into a neighbour.

    is_folded: runs of white space have become one space, as in a page: a blank last cell then looks like padding.
    """
    lost: set[Key] = set()
    for table in tables_of(report):
        for row in table.rows:
            slots = _value_slots(row)
            is_short = any(not slot.text for slot in slots)
            is_trimmed = layout == "pipe_trimmed" and row is table.rows[-1] and is_short
            is_trimmed |= is_folded and bool(slots) and not slots[-1].text
            is_merged = any(len(slot.keys) > 1 for slot in slots)
            # A note or a space inside a number ends the cell where cells are told apart by spaces.
            is_torn = layout in HIDE_SPACES and any(" " in slot.text for slot in slots)
            if (
                layout == "glued"
                or is_trimmed
                or is_merged
                or is_torn
                or (layout in _BLANKS_GONE and is_short)
            ):
                lost.update(key for slot in slots for key in slot.keys)
    return frozenset(lost)


def text_of(
    report: Report, layout: str, noise: Noise = QUIET, seed: int = 0, repeats_labels: bool = False
) -> str:
    """The whole report in one text layout."""
    rng = Random(seed)
    tables = {table.name: table for table in noisy(tables_of(report), rng, noise)}
    lines: Lines = [report.title]
    for part in parts_of(report, repeats_labels):
        if not part.table:
            lines.append(part.text)
        elif layout == "pdf_text":
            lines += pdf_text(tables[part.table], rng)
        else:
            lines += LAYOUTS[layout](tables[part.table])
    return (" " if layout.startswith("one_line") else "\n").join(lines) + "\n"


def render_text(
    report: Report,
    layout: str,
    noise: Noise = QUIET,
    seed: int = 0,
    encoding: str = "utf-8",
    repeats_labels: bool = False,
) -> Rendered:
    """The report as a text file. Raises KeyError for a layout not in LAYOUTS."""
    text = text_of(report, layout, noise, seed, repeats_labels)
    return Rendered(layout, text.encode(encoding, "replace"), ".txt", lost_cells(report, layout))
