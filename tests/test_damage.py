"""Damaged reports: cut, flipped, rows and cells dropped, rows swapped. What is read is right or absent.

Left out by construction, because nobody could tell: a flip that makes another digit, sign or separator (or
the white space that ends a number) out of a byte, and swapping two rows whose labels are the same. The
sample reports beside the project are damaged too where they are at hand.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.reading_back import compare, numbers_of
from tests.simulator import render_html, render_text
from tests.simulator.figures import FORMS, Habits, Key, Report, make_report
from tests.simulator.form_tables import FormTable, Row, tables_of
from tests.simulator.prose import parts_of
from tests.test_properties import AGENCIES, IS_LONG_RUN, examples, seeds

SHARED = Path(__file__).parents[2] / "shared" / "reports"
FILES = sorted(path.name for path in SHARED.glob("*_*.*") if path.suffix in (".txt", ".html"))
LAYOUTS = ("html", "pipe", "pipe_leading", "pipe_open", "cell_line", "cell_line_pipe", "markdown", "pdf_text")
NUMBER_BYTES = b"0123456789+-., \t\r\n\x0b\x0c"
TRIES = 200 if IS_LONG_RUN else 12

Truth = dict[Key, Decimal | None]


@cache
def _shared_truth() -> dict[str, Truth]:
    truth: dict[str, Truth] = defaultdict(dict)
    with (SHARED / "truth.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            key = (row["indicator"], row["applicant"] or None)
            truth[row["file"]][key] = Decimal(row["value"]) if row["value"] else None
    return truth


@cache
def _report(seed: int) -> Report:
    return make_report(seed, FORMS[seed % 4], AGENCIES[seed], 2021, Habits(scale=300, blank=0.02))


def _content(report: Report, layout: str, seed: int) -> bytes:
    if layout == "html":
        return render_html.render_html(report, seed=seed, charset="gbk" if seed % 2 else "utf-8").content
    return render_text.render_text(report, layout, seed=seed).content


def _assert_nothing_wrong(truth: Truth, data: bytes, name: str) -> None:
    """Two readings of one cell count as wrong as well (`numbers_of` raises)."""
    _, numbers = numbers_of(data, name)
    difference = compare(truth, numbers, frozenset(truth))
    assert not difference.wrong, difference


def _is_tellable(old: int, new: int) -> bool:
    return old != new and new not in NUMBER_BYTES


@examples(0.6)
@given(st.integers(0, 11), st.sampled_from(LAYOUTS), st.floats(0, 1))
def test_cut_at_any_byte(seed, layout, place):
    report = _report(seed)
    data = _content(report, layout, seed)
    name = "report.html" if layout == "html" else "report.txt"
    _assert_nothing_wrong(report.truth, data[: int(len(data) * place)], name)


@examples()
@given(st.integers(0, 11), st.sampled_from(LAYOUTS), st.floats(0, 0.9999), st.integers(0, 7))
def test_a_flipped_bit(seed, layout, place, bit):
    report = _report(seed)
    data = bytearray(_content(report, layout, seed))
    at = int(len(data) * place)
    flipped = data[at] ^ (1 << bit)
    if _is_tellable(data[at], flipped):
        data[at] = flipped
        _assert_nothing_wrong(report.truth, bytes(data), "report.html" if layout == "html" else "report.txt")


@pytest.mark.parametrize("layout", ["html", "pipe", "cell_line", "spaced"])
@pytest.mark.parametrize("damaged", ["且", "\ufffd", "?", "十"])
def test_a_damaged_unit_is_no_other_unit(layout, damaged):
    """（单位：万元）with 万 destroyed must not become 元."""
    report = make_report(3, "2021", AGENCIES[0], 2022, Habits(scale=9000))
    assert report.truth["proactive.fees.amount", None]
    text = _content(report, layout, 2).decode("utf-8").replace("万元", damaged + "元")
    _assert_nothing_wrong(report.truth, text.encode(), "report.html" if layout == "html" else "report.txt")


# -- rows and cells --


def _values(row: Row) -> list[Key]:
    return [key for slot in row for key in slot.keys]


def _label(row: Row) -> str:
    return "".join(slot.text for slot in row if slot.role in ("label", "header", "section"))


def _damaged(table: FormTable, how: str, rng: Random) -> FormTable:
    rows = [list(row) for row in table.rows]
    if how == "drop row":
        del rows[rng.randrange(len(rows))]
    elif how == "swap rows":
        one, other = rng.sample(range(len(rows)), 2)
        if _label(rows[one]) != _label(rows[other]):
            rows[one], rows[other] = rows[other], rows[one]
    elif how == "swap neighbours":
        one = rng.randrange(len(rows) - 1)
        if _label(rows[one]) != _label(rows[one + 1]):
            rows[one], rows[one + 1] = rows[one + 1], rows[one]
    elif how == "repeat row":
        one = rng.randrange(len(rows))
        rows.insert(rng.randrange(len(rows)), list(rows[one]))
    else:
        row = rng.choice(rows)
        del row[rng.randrange(len(row))]
    return replace(table, rows=[row for row in rows if row])


def _lines_without_a_cell(lines: list[str], rng: Random) -> list[str]:
    """One cell and its pipe cut out of one line."""
    at = rng.randrange(len(lines))
    pieces = lines[at].split(" | ")
    del pieces[rng.randrange(max(len(pieces) - 1, 1))]
    return [*lines[:at], " | ".join(pieces), *lines[at + 1 :]]


def _drawn(report: Report, layout: str, how: str, seed: int) -> bytes:
    """The report with one of its tables damaged, as a page or a text."""
    rng = Random(seed)
    tables = {table.name: table for table in tables_of(report)}
    victim = rng.choice(sorted(tables))
    cuts_text = how == "drop cell" and layout in ("pipe", "pipe_leading")
    if not cuts_text:
        tables[victim] = _damaged(tables[victim], how, rng)
    pieces: list[str] = []
    page = render_html.PageWriter(render_html.STYLES["clean"], rng)
    for part in parts_of(report):
        if layout == "html":
            pieces.append(page.table(tables[part.table]) if part.table else page.paragraph(part.text))
        elif part.table:
            lines = render_text.LAYOUTS[layout](tables[part.table])
            pieces += _lines_without_a_cell(lines, rng) if cuts_text and part.table == victim else lines
        else:
            pieces.append(part.text)
    text = "\n".join([report.title, *pieces])
    return (f"<html><body>{text}</body></html>" if layout == "html" else text).encode()


DAMAGES = ("drop row", "drop cell", "swap rows", "swap neighbours", "repeat row")


@examples(2)
@given(
    st.integers(0, 11),
    st.sampled_from(["html", "pipe", "pipe_leading", "cell_line"]),
    st.sampled_from(DAMAGES),
    seeds,
)
@example(0, "cell_line", "drop cell", 1)
@example(0, "cell_line", "swap rows", 5000)
def test_rows_and_cells_dropped_and_swapped(number, layout, how, seed):
    report = _report(number)
    name = "report.html" if layout == "html" else "report.txt"
    _assert_nothing_wrong(report.truth, _drawn(report, layout, how, seed), name)


# -- the reports beside the project --


@pytest.mark.skipif(not FILES, reason="the sample reports are not at hand")
@pytest.mark.parametrize("name", FILES)
def test_sample_reports_cut_and_flipped(name):
    data = (SHARED / name).read_bytes()
    truth = _shared_truth()[name]
    rng = Random(name)
    for _ in range(TRIES):
        _assert_nothing_wrong(truth, data[: rng.randrange(len(data))], name)
        at = rng.randrange(len(data))
        flipped = data[at] ^ (1 << rng.randrange(8))
        if _is_tellable(data[at], flipped):
            _assert_nothing_wrong(truth, data[:at] + bytes([flipped]) + data[at + 1 :], name)


@pytest.mark.skipif(not FILES, reason="the sample reports are not at hand")
@pytest.mark.parametrize("name", [name for name in FILES if name[:3] in ("006", "007", "059")])
def test_sample_texts_with_lines_dropped_and_swapped(name):
    """Where one line is one row; two lines that begin alike are not swapped."""
    lines = (SHARED / name).read_text(encoding="utf-8").split("\n")
    truth = _shared_truth()[name]
    rng = Random(name)
    for _ in range(TRIES * 2):
        one, other = rng.sample([i for i, line in enumerate(lines) if "|" in line], 2)
        dropped = lines[:one] + lines[one + 1 :]
        _assert_nothing_wrong(truth, "\n".join(dropped).encode(), name)
        _assert_nothing_wrong(truth, "\n".join(_lines_without_a_cell(lines, rng)).encode(), name)
        if lines[one].split(" | ")[0] != lines[other].split(" | ")[0]:
            swapped = list(lines)
            swapped[one], swapped[other] = lines[other], lines[one]
            _assert_nothing_wrong(truth, "\n".join(swapped).encode(), name)
