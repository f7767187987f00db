"""A report as HTML: the clean page, the page pasted from Word, and the broken ones real portals serve.

Every style keeps the columns, unless a number was printed over several; then `lost` names its cells.
Never looks at how the project reads HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from random import Random

from tests.simulator.figures import Report
from tests.simulator.form_tables import FormTable, Row, Slot, place, tables_of
from tests.simulator.noise import QUIET, Noise, noisy
from tests.simulator.prose import parts_of
from tests.simulator.render_text import Rendered


@dataclass(frozen=True, slots=True)
class HtmlStyle:
    """Which of the habits of real pages a page has; all off is a clean page.

    word: nested p, span and o:p in each cell. wavy: headers and values of one block span differently.
    nested: tables inside cells of layout tables. split: a statutory table goes on in a second <table>.
    joined: the three tables are one <table>. unrolled: empty cells where a rowspan should reach.
    malformed: spans written `colspan="2;"`. broken_headers: a header's words over two rows.
    metadata: a table of labels before the report. blanks: how a blank cell is filled.
    upper: tags in upper case. inside_metadata: the whole report in one cell of the metadata table.
    cell_tables: each value is a table of one cell. unseen: hidden and struck text and raised marks of notes beside values.
    carried: a script is to put the report in place, which stands in a text area.
    """

    word: bool = False
    wavy: bool = False
    nested: bool = False
    split: bool = False
    joined: bool = False
    unrolled: bool = False
    malformed: bool = False
    broken_headers: bool = False
    metadata: bool = True
    inside_metadata: bool = False
    upper: bool = False
    th: bool = False
    blanks: str = "&nbsp;"
    unquoted: bool = False
    cell_tables: bool = False
    unseen: bool = False
    carried: bool = False

    @property
    def is_as_written(self) -> bool:
        """Whether the tables shown are the tables its tags write."""
        return not (self.cell_tables or self.unseen or self.carried)


BLANKS = ("", "&nbsp;", " ", "<br>", "<p>&nbsp;</p>", "<o:p></o:p>")
STYLES = {
    "clean": HtmlStyle(metadata=False),
    "metadata": HtmlStyle(),
    "header_cells": HtmlStyle(th=True, blanks=""),
    "word": HtmlStyle(word=True, blanks="<o:p></o:p>"),
    "wavy_spans": HtmlStyle(wavy=True),
    "nested": HtmlStyle(nested=True),
    "split": HtmlStyle(split=True),
    "joined": HtmlStyle(joined=True),
    "unrolled": HtmlStyle(unrolled=True),
    "malformed_spans": HtmlStyle(malformed=True),
    "broken_headers": HtmlStyle(broken_headers=True),
    "inside_metadata": HtmlStyle(inside_metadata=True),
    "upper": HtmlStyle(upper=True, unquoted=True),
    "cell_tables": HtmlStyle(cell_tables=True),
    "unseen": HtmlStyle(unseen=True),
    "carried": HtmlStyle(carried=True),
}
ENCODINGS = {"utf-8": "utf-8", "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030"}
"""Declared charset → the encoding of the bytes: gb2312 is declared where gb18030 is used."""


def _wavy(table: FormTable) -> FormTable:
    """Five columns instead of four: a header covers another pair of columns than the values below it."""
    if table.name != "proactive":
        return table
    rows: list[Row] = []
    for row in table.rows:
        if len(row) == 1:
            spans = [5]
        elif len(row) == 2:
            spans = [1, 4]
        elif len(row) == 3:
            spans = [1, 2, 2]
        else:
            spans = [1, 1, 2, 1] if row[0].role == "header" else [1, 2, 1, 1]
        rows.append([replace(slot, colspan=span) for slot, span in zip(row, spans, strict=True)])
    return replace(table, width=5, rows=rows)


def _unrolled(table: FormTable) -> FormTable:
    """Each rowspan is cut to one row, and empty cells stand where it reached."""
    rows: list[list[tuple[int, Slot]]] = [[] for _ in table.rows]
    for one in place(table):
        slot = one.slot
        rows[one.row].append((one.column, replace(slot, rowspan=1)))
        for row in range(one.row + 1, one.row + slot.rowspan):
            rows[row].append((one.column, Slot("", "filler", colspan=slot.colspan)))
    return replace(table, rows=[[slot for _, slot in sorted(row, key=lambda x: x[0])] for row in rows])


_BREAKS = {
    "本年新制作数量": ("本年新", "制作数量"),
    "本年新公开数量": ("本年新", "公开数量"),
    "对外公开总数量": ("对外公开", "总数量"),
    "商业企业": ("商业", "企业"),
    "科研机构": ("科研", "机构"),
    "社会公益组织": ("社会公益", "组织"),
    "法律服务机构": ("法律服务", "机构"),
}


def _broken_headers(table: FormTable) -> FormTable:
    """A header row becomes two: 本年新 above 制作数量, 商业 above 企业; rowspans beside it grow by one."""
    if table.name not in ("proactive", "requests"):
        return table
    rows = [list(row) for row in table.rows]
    at = next((i for i, row in enumerate(rows) if any(slot.text in _BREAKS for slot in row)), None)
    if at is None:
        return table
    for earlier in range(at):
        rows[earlier] = [
            replace(slot, rowspan=slot.rowspan + 1) if earlier + slot.rowspan > at else slot
            for slot in rows[earlier]
        ]
    upper = [
        replace(
            slot, text=_BREAKS.get(slot.text, (slot.text, ""))[0], rowspan=1 if slot.text in _BREAKS else 2
        )
        for slot in rows[at]
    ]
    lower = [replace(slot, text=_BREAKS[slot.text][1]) for slot in rows[at] if slot.text in _BREAKS]
    rows[at : at + 1] = [upper, lower]
    return replace(table, rows=rows, header_rows=table.header_rows + (table.name == "requests"))


def _split(table: FormTable, rng: Random) -> list[FormTable]:
    """The table goes on in a second <table>; labels whose rowspan is cut through stand there again."""
    if table.name == "review_litigation" or len(table.rows) < 8:
        return [table]
    first = table.header_rows + 2
    cut = rng.randrange(first, len(table.rows) - 2)
    if table.name == "proactive":
        sections = [i for i, row in enumerate(table.rows) if i > 2 and len(row) == 1]
        cut = rng.choice(sections)
    head = [list(row) for row in table.rows[:cut]]
    tail = [list(row) for row in table.rows[cut:]]
    reaching = []
    for one in place(table):
        below = one.row + one.slot.rowspan - cut
        if one.row < cut and below > 0:
            column = head[one.row].index(one.slot)
            head[one.row][column] = replace(one.slot, rowspan=cut - one.row)
            reaching.append((one.column, replace(one.slot, rowspan=below)))
    tail[0] = [slot for _, slot in sorted(reaching, key=lambda x: x[0])] + tail[0]
    return [replace(table, rows=head), replace(table, rows=tail, header_rows=0)]


def _joined(tables: list[FormTable]) -> list[FormTable]:
    """The tables one below the other in one <table>; the last column is stretched to the widest."""
    width = max(table.width for table in tables)
    rows: list[Row] = []
    for table in tables:
        extra = width - table.width
        ends = {(one.row, one.column + one.slot.colspan == table.width): one.slot for one in place(table)}
        for number, row in enumerate(table.rows):
            last = ends.get((number, True))
            rows.append(
                [replace(slot, colspan=slot.colspan + extra) if slot is last else slot for slot in row]
            )
    return [FormTable("joined", width, rows)]


class PageWriter:
    """Writes the tags of one page in its style."""

    def __init__(self, style: HtmlStyle, rng: Random) -> None:
        self.style, self.rng = style, rng

    def tag(self, name: str, **attributes: object) -> str:
        shown = name.upper() if self.style.upper else name
        quote = "" if self.style.unquoted else '"'
        text = "".join(
            f" {key.upper() if self.style.upper else key}={quote}{value}{quote}"
            for key, value in attributes.items()
        )
        return f"<{shown}{text}>"

    def end(self, name: str) -> str:
        return f"</{name.upper() if self.style.upper else name}>"

    def _span(self, number: int) -> str:
        return f"{number};" if self.style.malformed and self.rng.random() < 0.6 else str(number)

    def _content(self, slot: Slot) -> str:
        if not slot.text:
            body = self.style.blanks
            if not self.style.word:
                return body
        else:
            body = escape(slot.text, quote=False).replace("\n", self.tag("br"))
        if not self.style.word:
            return body
        font = 'style="font-family: 宋体; font-size: 10.5pt"'
        if len(slot.text) > 3 and slot.role != "value" and "\n" not in slot.text:
            middle = self.rng.randrange(1, len(slot.text))
            halves = (slot.text[:middle], slot.text[middle:])
            runs = "".join(f"<span {font}>{escape(half, quote=False)}</span>" for half in halves)
        else:
            runs = f"<span {font}>{body}</span>"
        return (
            f'\n<p class="MsoNormal" align="" style="text-align: center">{runs}<span><o:p></o:p></span></p>\n'
        )

    def cell(self, slot: Slot) -> str:
        name = "th" if self.style.th and slot.role in ("header", "section", "corner") else "td"
        spans: dict[str, object] = {}
        if slot.colspan > 1:
            spans["colspan"] = self._span(slot.colspan)
        if slot.rowspan > 1:
            spans["rowspan"] = self._span(slot.rowspan)
        content = self._content(slot)
        if slot.role == "value":
            content = self._drawn(slot, content)
        return self.tag(name, **spans) + content + self.end(name)

    def _drawn(self, slot: Slot, content: str) -> str:
        """A value with what a browser does not show of it, or as a table of its own."""
        if self.style.unseen:
            ends_in_digit = slot.text[-1:].isdigit()
            content += self.rng.choice(
                (
                    "",
                    '<span style="DISPLAY: none">7</span>',
                    '<i style="color:red;display:none;">8</i>',
                    "<del>9</del>",
                    '<span style="text-decoration:line-through">6</span>',
                    "<sup>1</sup>" if ends_in_digit else "",
                )
            )
        return f"<table><tr><td>{content}</td></tr></table>" if self.style.cell_tables else content

    def table(self, table: FormTable) -> str:
        rows = "\n".join(
            self.tag("tr") + "".join(self.cell(slot) for slot in row) + self.end("tr") for row in table.rows
        )
        body = f"{self.tag('tbody')}\n{rows}\n{self.end('tbody')}"
        text = f"{self.tag('table', border=1)}\n{body}{self.end('table')}"
        if self.style.nested:
            text = f'<table width="100%"><tr><td class="c">{text}</td></tr></table>'
        return text

    def paragraph(self, text: str) -> str:
        return self.tag("p") + escape(text, quote=False) + self.end("p")


def _drawn_tables(report: Report, style: HtmlStyle, noise: Noise, rng: Random) -> dict[str, list[FormTable]]:
    tables = tables_of(report)
    if style.broken_headers:
        tables = [_broken_headers(table) for table in tables]
    tables = noisy(tables, rng, noise)
    if style.wavy and not style.broken_headers:
        tables = [_wavy(table) for table in tables]
    if style.unrolled:
        tables = [_unrolled(table) for table in tables]
    if style.joined and len(tables) > 1:
        return {tables[0].name: _joined(tables), **{table.name: [] for table in tables[1:]}}
    return {table.name: _split(table, rng) if style.split else [table] for table in tables}


def report_body(
    report: Report, style: HtmlStyle, noise: Noise = QUIET, seed: int = 0, repeats_labels: bool = False
) -> str:
    """What stands in a page's content container: headings, prose and tables."""
    rng = Random(seed)
    tables = _drawn_tables(report, style, noise, rng)
    page = PageWriter(style, rng)
    pieces = []
    for part in parts_of(report, repeats_labels):
        if part.table:
            pieces += [page.table(table) for table in tables[part.table]]
        else:
            pieces.append(page.paragraph(part.text))
    return "\n".join(pieces)


def metadata_table(report: Report) -> str:
    """索引号, 发布机构 and so on, as portals print them; the index number looks like a date."""
    published = report.published_on.isoformat()
    index = f"{report.agency.region_code}000/{report.published_on.year}-{report.published_on.month:02d}115"
    return (
        f'<table class="xxgk"><tr><td><b>索 引 号：</b></td><td>{index}</td>'
        f"<td><b>发布机构：</b></td><td>{escape(report.agency.name)}</td></tr>\n"
        f'<tr><td><b>名&nbsp;&nbsp;称：</b></td><td colspan="3">{escape(report.title)}</td></tr>'
        f"<tr><td><b>发布日期：</b></td><td>{published}</td><td><b>文&nbsp;&nbsp;号：</b></td><td></td></tr></table>"
    )


def page_of(report: Report, body: str, charset: str, style: HtmlStyle = HtmlStyle(), site: str = "") -> str:
    """The article page round the body: metas, navigation, metadata table, footer."""
    site = site or f"{report.agency.name}网"
    published = report.published_on.isoformat()
    if style.carried:
        box = f'<textarea id="content" style="display:none">{escape(body)}</textarea>'
        content = (metadata_table(report) if style.metadata else "") + f"<h1>{escape(report.title)}</h1>{box}"
    elif style.inside_metadata:
        rows = f'<tr><td>名称：</td><td>{report.title}</td></tr><tr><td colspan="2">{body}</td></tr>'
        content = f'<table class="xxgk">{rows}</table>'
    else:
        content = (metadata_table(report) if style.metadata else "") + (
            f'\n<div id="zoom"><h1>{escape(report.title)}</h1>{body}</div>'
        )
    return f"""<!DOCTYPE html>
<html><head><meta charset="{charset}"><title>{escape(report.title)}-{escape(site)}</title>
<meta name="SiteName" content="{escape(site)}">
<meta name="SiteIDCode" content="{report.agency.region_code}0001">
<meta name="ColumnName" content="政府信息公开年报"><meta name="ColumnType" content="信息公开年报">
<meta name="ArticleTitle" content="{escape(report.title)}"><meta name="PubDate" content="{published} 09:30">
<meta name="ContentSource" content="{escape(report.agency.name)}">
<style>.nav li{{float:left}}</style><script>var siteId = 12; function share(){{}}</script></head>
<body><div class="top"><a href="/">首页</a> | <a href="/zwgk/">政务公开</a></div>
<div class="crumb">当前位置：<a href="/">首页</a> &gt; <a href="../">政府信息公开年报</a></div>
{content}
<div class="tools">字体：【大 中 小】 打印 关闭</div>
<div class="footer">主办单位：{escape(site)} 网站标识码 {report.agency.region_code}0001</div></body></html>
"""


def render_html(
    report: Report,
    style: HtmlStyle = HtmlStyle(),
    noise: Noise = QUIET,
    seed: int = 0,
    charset: str = "utf-8",
    repeats_labels: bool = False,
) -> Rendered:
    """The report as a whole HTML page, declared in `charset` (a key of ENCODINGS)."""
    body = report_body(report, style, noise, seed, repeats_labels)
    page = page_of(report, body, charset, style)
    return Rendered("html", page.encode(ENCODINGS[charset], "xmlcharrefreplace"), ".html", frozenset())
