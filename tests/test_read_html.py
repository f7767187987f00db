"""Pages: the fast reader gives the grids that BeautifulSoup finds, on every fixture, and bounds what it takes."""

from __future__ import annotations

import json
import time
from html import escape
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
AS_WRITTEN = sorted(name for name, style in STYLES.items() if style.is_as_written)
FIXTURES = [
    *(ROOT / f"tests/golden/html_{name}.html" for name in AS_WRITTEN),
    *sorted(ROOT.parent.glob("shared/reports/*.html")),
]

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


@pytest.mark.parametrize("style", AS_WRITTEN)
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


def test_tables_without_number_are_refused_in_time() -> None:
    started = time.process_time()
    with pytest.raises(Refused, match="tables"):
        read_html(b"<table><tr><td>" * 20_000)
    assert time.process_time() - started < 5


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


def cells(row: str) -> list[str]:
    (grid,) = read_html(f"<table><tr>{row}</tr></table>".encode()).grids
    return [cell.text for cell in grid.rows[0]]


def test_a_cell_says_what_a_browser_shows_of_it() -> None:
    assert cells(
        '<td>5<span style="Display : None">7</span></td><td style="display:none">9</td><td>1</td>'
    ) == [
        "5",
        "1",
    ]
    assert cells('<td style="visibility:hidden">9</td><td><del>4</del>6</td><td><s>4</s></td>') == [
        "",
        "6",
        "",
    ]
    assert cells(
        '<td>3<span style="text-decoration:line-through">8</span></td><td><input value="4"></td>'
    ) == [
        "3",
        "4",
    ]
    assert cells('<td>12<sup>1</sup></td><td>12<span style="vertical-align:super">①</span></td>') == [
        "12[1]",
        "12[①]",
    ]
    assert cells("<td><sup>12</sup></td>") == ["12"]  # nothing it could be raised above


UNSEEN = {
    "font-size:0": "<span style='FONT-SIZE: 0pt'>9</span>",
    "font: 0": '<span style="font:0/0 a">9</span>',
    "white": '<span style="COLOR: #FFFFFF">9</span>',
    "white by tag": '<font color="white">9</font>',
    "white in numbers": '<span style="color:rgb(255, 255, 255)">9</span>',
    "clear": '<b style="color:transparent">9</b>',
    "opacity": '<i style="opacity:0">9</i>',
    "pushed out": '<div style="text-indent:-9999px">9</div>',
    "placed out": '<span style="position:absolute;left:-9999px">9</span>',
    "clipped": '<span style="position:absolute;clip:rect(0 0 0 0)">9</span>',
    "visibility": '<span style="visibility: hidden"><b hidden>8</b>9</span>',
    "no room": '<div style="height:0;overflow:hidden">9</div>',
    "attribute": "<b hidden>9</b>",
    "template": "<template>9</template>",
    "comment": "<!--[if gte mso 9]>9<![endif]-->",
    "list": "<datalist><option>9</option></datalist>",
    "quotes in its style": "<span style='font-family:\"宋体\";font-size:0'>9</span>",
}
SEEN = {
    "other size": '<span style="font-size:0.8em">9</span>',
    "white on colour": '<span style="color:#fff;background:#036">9</span>',
    "half": '<i style="opacity:0.5">9</i>',
    "indented": '<div style="text-indent:-21.0pt">9</div>',
    "no box": '<span style="height:0;overflow:hidden">9</span>',
    "dark again": '<span style="color:#fff"><b style="color:#000">9</b></span>',
    "size again": '<span style="font-size:0"><b style="font-size:9pt">9</b></span>',
    "chosen": "<select><option>7</option><option selected>9</option></select>",
}


@pytest.mark.parametrize("part", UNSEEN.values(), ids=UNSEEN)
def test_what_nobody_sees_is_no_digit_of_a_number(part: str) -> None:
    assert cells(f"<td>1{part}</td><td>0</td>") == ["1", "0"]


@pytest.mark.parametrize("part", [p for p in UNSEEN.values() if not p.startswith(("<d", "<t"))])
def test_what_nobody_sees_is_no_digit_of_a_number_told_in_prose(part: str) -> None:
    assert read_html(f"<p>收到申请1{part}件</p>".encode()).paragraphs == ["收到申请1件"]


@pytest.mark.parametrize("part", SEEN.values(), ids=SEEN)
def test_what_is_seen_stays(part: str) -> None:
    (text,) = cells(f"<td>1{part}</td>")
    assert fold(text) == "19"


def test_white_is_unseen_only_where_nothing_round_it_is_coloured() -> None:
    white = '<td style="color:#fff">12</td>'
    assert cells(white) == [""]
    assert cells('<td style="color:#fff" class="head">12</td>') == [
        "12"
    ]  # a style sheet may colour its ground
    assert cells('<td style="color:#fff">自然人</td>') == ["自然人"]
    for table in (
        "<table bgcolor=#006699><tr>{}</tr></table>",
        "<table><tr style='background:#069'>{}</tr></table>",
    ):
        (grid,) = read_html(table.format(white).encode()).grids
        assert [cell.text for cell in grid.rows[0]] == ["12"]


def test_a_cell_that_is_not_seen_keeps_its_place_and_one_left_out_does_not() -> None:
    assert cells('<td style="font-size:0">5</td><td>1</td>') == ["", "1"]
    assert cells("<td hidden>5</td><td>1</td>") == ["1"]
    assert cells('<td style="height:0;overflow:hidden">5</td><td>1</td>') == [
        "5",
        "1",
    ]  # it grows with its text


def test_what_hides_a_whole_table_hides_nothing() -> None:
    page = (
        '<table><tr><td><div style="display:none"><table><tr><td>1</td></tr></table></div></td></tr></table>'
    )
    assert [cell.text for grid in read_html(page.encode()).grids for row in grid.rows for cell in row] == [
        "1"
    ]


def test_a_cell_drawn_as_a_table_is_a_cell_of_the_table_around_it() -> None:
    inner = "<table><tr><td>7</td></tr></table>"
    page = f"<table><tr><td>重复申请</td><td>1</td><td>{inner}</td><td>0</td></tr></table>"
    (grid,) = read_html(page.encode()).grids
    assert [cell.text for cell in grid.rows[0]] == ["重复申请", "1", "7", "0"]


CARRIED = "<p>三、申请</p><table><tr><td>重复申请</td><td>7</td></tr></table>"
CARRIERS = {
    "text area": f"<textarea>{escape(CARRIED)}</textarea>",
    "field": f'<input type="hidden" value="{escape(CARRIED)}">',
    "template": f'<script type="text/plain">{CARRIED}</script>',
    "script": f"<script>var a = {json.dumps(CARRIED)}; show(a);</script>",
}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_report_that_a_script_is_to_put_in_place_is_read(carrier: str) -> None:
    document = read_html(f"<html><body><h1>年报</h1>{CARRIERS[carrier]}</body></html>".encode())
    assert [[c.text for c in row] for grid in document.grids for row in grid.rows] == [["重复申请", "7"]]
    assert document.title == "年报" and document.paragraphs[-1:] == ["三、申请"]
