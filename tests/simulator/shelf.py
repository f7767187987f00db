"""What a portal holds: its agencies' reports, each in a layout, and the items beside them that are none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from html import escape
from random import Random
from urllib.parse import quote

from tests.simulator import render_files, render_html, render_text
from tests.simulator.agencies import OFFICES, Agency, Region, agencies_of
from tests.simulator.figures import CHANGES, UNITS, Habits, Key, Report, corrected, make_history
from tests.simulator.noise import Noise
from tests.simulator.render_text import Rendered

TOWNS = [
    "太平",
    "永安",
    "新桥",
    "石桥",
    "龙泉",
    "清河",
    "白马",
    "双河",
    "城关",
    "大兴",
    "安乐",
    "和平",
    "东风",
    "红旗",
    "光明",
    "向阳",
    "建设",
    "胜利",
    "前进",
    "长安",
    "高桥",
    "金山",
    "银河",
    "青龙",
    "黄龙",
    "玉泉",
    "梅林",
    "桃源",
    "松林",
    "竹山",
    "柳河",
    "杏花",
    "荷塘",
    "莲花",
    "兰溪",
    "芦山",
    "云台",
    "凤凰",
    "麒麟",
    "仙居",
]

PAGE_LAYOUTS = tuple(f"html:{style}" for style in render_html.STYLES)
LAYOUTS = (*PAGE_LAYOUTS * 2, "text:pipe", "text:pipe_leading", "twin", "file:pdf", "file:docx", "file:xlsx")
"""What a portal mixes: pages of every style, text with pipes in paragraphs, files, pages with a twin."""


def agencies_for(region: Region, count: int) -> list[Agency]:
    """A region's government and departments, then its townships; at most 60."""
    found = agencies_of(region, count)
    for number, town in enumerate(TOWNS[: max(count - len(OFFICES), 0)]):
        name = f"{town}镇人民政府"
        full = found[0].name.removesuffix("人民政府") + name
        found.append(
            Agency(
                full, region.name + name, region.code, "township", "township", "government", f"town{number}"
            )
        )
    if len(found) < count:
        raise ValueError(f"a simulated region has {len(found)} agencies, {count} were asked for")
    return found


def usual_habits(rng: Random) -> Habits:
    """How one agency fills in one report: mostly well, sometimes with gaps or broken sums."""
    return Habits(
        scale=rng.choice((5, 30, 300)),
        blank=rng.choice((0.0, 0.0, 0.0, 0.02)),
        dash=rng.choice((0.0, 0.0, 0.0, 0.02)),
        blank_columns=rng.choice(((), (), (), (), (), ("total",))),
        zero_totals=rng.random() < 0.03,
        change=rng.choice(CHANGES),
        amount=rng.choice(UNITS),
        broken=(rng.choice(("T3.balance", "T3.outcomes", "T3.applicants", "T4.results", "X.carry")),)
        if rng.random() < 0.06
        else (),
    )


@dataclass(frozen=True, slots=True)
class Shelved:
    """A report on a portal: in which layout, under which number, published when, its how-manieth version."""

    report: Report
    layout: str
    number: int
    seed: int
    version: int = 1

    @property
    def title(self) -> str:
        return self.report.title

    @property
    def published(self) -> date:
        return self.report.published_on

    @property
    def hex(self) -> str:
        return hashlib.md5(f"{self.report.agency.key}/{self.report.year}".encode()).hexdigest()

    @property
    def is_file_only(self) -> bool:
        return self.layout.startswith("file:")

    @property
    def suffix(self) -> str:
        """Ending of the attached file, "" when there is none."""
        return ".pdf" if self.layout == "twin" else f".{self.layout[5:]}" if self.is_file_only else ""

    @property
    def lost(self) -> frozenset[Key]:
        kind, _, name = self.layout.partition(":")
        return render_text.lost_cells(self.report, name, is_folded=True) if kind == "text" else frozenset()


@dataclass(frozen=True, slots=True)
class Decoy:
    """A list item that is no report: an explanation, a notice, a template, an item of another column."""

    title: str
    published: date
    number: int

    @property
    def hex(self) -> str:
        return hashlib.md5(self.title.encode()).hexdigest()


Item = Shelved | Decoy


def shelve(
    region: Region, agencies: list[Agency], years: range, seed: int, layouts: tuple[str, ...]
) -> list[Shelved]:
    """Reports of all agencies and years; a history's identities hold across its years."""
    shelved: list[Shelved] = []
    for agency in agencies:
        rng = Random(f"{seed}/{agency.key}")
        by_year = {year: usual_habits(rng) for year in years}
        if agency.kind == "government":
            # Governments print numbers that include their departments'; one of ten reports for its office only.
            scale = 30 if rng.random() < 0.1 else 4000
            by_year = {year: replace(habits, scale=scale) for year, habits in by_year.items()}
        for report in make_history(seed, agency, years, by_year=by_year):
            number = len(shelved) + 1001
            shelved.append(Shelved(report, rng.choice(layouts), number, rng.randrange(10**6)))
    return shelved


def decoys(region: Region, agencies: list[Agency], years: range) -> list[Decoy]:
    """The noise of a list; every title names a year or the reports, none is a report."""
    titles = ["政府信息公开工作年度报告模板（2021年版）", "政府信息公开指南"]
    for year in years:
        who = agencies[year % len(agencies)].name
        titles += [
            f"{who}{year}年政府信息公开工作年度报告解读",
            f"一图读懂：{who}{year}年政府信息公开年报",
            f"关于做好{year}年度政府信息公开工作年度报告编制发布工作的通知",
            f"{who}{year}年法治政府建设年度报告",
            f"{region.name}{year}年财政预算执行情况",
        ]
    return [
        Decoy(title, date(max(years) + 1, 2, 1) + timedelta(days=number), 9001 + number)
        for number, title in enumerate(titles)
    ]


@lru_cache(maxsize=256)
def file_of(shelved: Shelved) -> Rendered:
    """The attached file."""
    if shelved.suffix == ".pdf":
        return render_files.render_pdf(shelved.report)
    if shelved.suffix == ".docx":
        return render_files.render_docx(shelved.report)
    return render_files.render_xlsx(shelved.report)


def _shown_file(shelved: Shelved, address: str) -> str:
    """The ways a page offers a file: a link, a frame, a viewer given the file's address, a script's call."""
    link = f'<p>附件：<a href="{address}">{escape(shelved.title)}{shelved.suffix}</a></p>'
    if shelved.suffix != ".pdf":
        return link
    shapes = (
        link,
        f'<iframe src="{address}" width="100%" height="800"></iframe>',
        f'<iframe src="/pdfjs/web/viewer.html?file={quote(address, safe="")}"></iframe>',
        f'<script>showVsbpdfIframe("{address}","100%","600","0","","","0");</script>',
    )
    return shapes[shelved.number % len(shapes)]


def body_of(shelved: Shelved, file_address: str) -> str:
    """The article's text as HTML; `file_address` is offered where the report has a file."""
    kind, _, name = shelved.layout.partition(":")
    offered = _shown_file(shelved, file_address) if file_address else ""
    if kind == "file":
        who, year = shelved.report.agency.name, shelved.report.year
        return f"<p>现将{escape(who)}{year}年度政府信息公开工作年度报告予以公布。</p>{offered}"
    noise = Noise(spaces=0.05, breaks=0.1, misprints=0.1)
    if kind == "text":
        text = render_text.text_of(shelved.report, name, noise, shelved.seed)
        return "".join(f"<p>{escape(line, quote=False)}</p>\n" for line in text.splitlines())
    style = render_html.STYLES[name] if name else render_html.STYLES["clean"]
    return render_html.report_body(shelved.report, style, noise, shelved.seed) + offered


def corrected_copy(shelved: Shelved) -> tuple[Shelved, Key]:
    """The report quietly replaced: one number differs; and which one."""
    report, key = corrected(shelved.report, shelved.version)
    return replace(shelved, report=report, version=shelved.version + 1), key
