"""Pages: the fast reader gives the grids that BeautifulSoup finds, on every fixture, and bounds what it takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from extractors.decode import decode
from extractors.errors import Refused
from extractors.labels import fold
from extractors.read_html import lay_out, read_html
from tests.simulator.agencies import all_agencies
from tests.simulator.figures import make_report
from tests.simulator.render_html import STYLES, render_html

ROOT = Path(__file__).parents[1]
FIXTURES = [*sorted(ROOT.glob("tests/golden/*.html")), *sorted(ROOT.parent.glob("shared/reports/*.html"))]

Shape = list[list[tuple[str, int, int, int]]]


def with_soup(data: bytes) -> list[Shape]:
    """(text without white space, column, rowspan, colspan) of each cell, read with BeautifulSoup alone."""
    soup = BeautifulSoup(decode(data), "lxml")
    shapes = []
    for table in soup.find_all("table"):
        if table.find("table"):
            continue
        rows = [
            [
                (cell.get_text(), span(cell, "rowspan"), span(cell, "colspan"))
                for cell in tr.find_all(["td", "th"])
            ]
            for tr in table.find_all("tr")
        ]
        shapes.append(
            [[(fold(c.text), c.column, c.rowspan, c.colspan) for c in row] for row in lay_out(rows).rows]
        )
    return shapes


def span(cell: Tag, name: str) -> int:
    digits = "".join(c for c in str(cell.get(name, "1")).split(";")[0] if c.isdigit())
    return max(1, int(digits or 1))


def read(data: bytes) -> list[Shape]:
    grids = read_html(data).grids
    return [
        [[(fold(c.text), c.column, c.rowspan, c.colspan) for c in row] for row in grid.rows] for grid in grids
    ]


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.name)
def test_grids_are_those_of_beautifulsoup_on_every_fixture(file: Path) -> None:
    data = file.read_bytes()
    assert read(data) == with_soup(data)


@pytest.mark.parametrize("style", sorted(STYLES))
def test_grids_are_those_of_beautifulsoup_in_every_style(style: str) -> None:
    for seed, form in enumerate(("2014", "2019", "2021")):
        data = render_html(make_report(seed, form, all_agencies()[seed], 2020), STYLES[style]).content
        assert read(data) == with_soup(data)


def test_spans_reach_no_further_than_the_table() -> None:
    page = b'<table><tr><td colspan="999999999" rowspan="999999999">a</td></tr><tr><td>b</td></tr></table>'
    (grid,) = read_html(page).grids
    assert grid.rows[0][0][::3] == ("a", 2) and grid.rows[0][0].colspan == 64
    assert grid.rows[1][0].column == 64


def test_a_page_of_too_many_cells_is_refused() -> None:
    page = b"<table>" + b"<tr>" + b"<td>1</td>" * 100 + b"</tr>"
    with pytest.raises(Refused, match="cells"):
        read_html(page * 700)


def test_deep_nesting_is_read_or_refused_in_time() -> None:
    page = b"<div>" * 5000 + "一、总体情况".encode() + b"</div>" * 5000
    assert "一、总体情况" in read_html(page).paragraphs


def test_an_unfinished_cell_is_known_as_cut() -> None:
    page = "<table><tr><td>行政许可</td><td>35".encode()
    assert read_html(page).grids[-1].cut
    assert not read_html(page + b"</td></tr></table>").grids[-1].cut
    assert not read_html(page + b"</td></tr></table><p>1").grids[-1].cut


def test_two_paragraphs_in_a_cell_stay_two_lines() -> None:
    (grid,) = read_html(b"<table><tr><td><p>12</p><p>3</p></td></tr></table>").grids
    assert grid.rows[0][0].text == "12\n3"


def test_nested_tables_are_grids_and_their_layout_is_not() -> None:
    page = "<table><tr><td>导航</td><td><table><tr><td>规章</td><td>1</td></tr></table></td></tr></table>".encode()
    document = read_html(page)
    assert [[c.text for c in row] for grid in document.grids for row in grid.rows] == [["规章", "1"]]
    assert document.paragraphs == ["导航"]
