"""What the families share: which titles are reports, one spelling an address, pagers, attachments, breadcrumbs."""

from __future__ import annotations

from datetime import date

import pytest

from extractors.article import column_of, examine, unwrap
from extractors.families import FAMILIES, body_selectors, recognise
from extractors.listing import Listing, column_words, is_report_title, parse_date, read_links, years_in
from extractors.outcomes import NotKept
from extractors.page import Page
from extractors.paging import next_address, walk
from extractors.urls import canonical, join

BASE = "http://www.demo.gov.cn/zwgk/nb/index.html"
REPORT = "某县财政局2023年政府信息公开工作年度报告"


def page(body: str, url: str = BASE) -> Page:
    return Page(url, f"<html><body>{body}</body></html>".encode(), "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("title", "is_report"),
    [
        (REPORT, True),
        ("某县财政局 2023 年政府信息公开年报", True),
        ("某局二〇二三年政府信息公开工作年度报告", True),
        ("某局2023年政府信息公开工作年…", True),
        ("某局2023年政府信息公开工作年度报告解读", False),
        ("一图读懂某局2023年政府信息公开年报", False),
        ("关于做好2023年政府信息公开工作年度报告的通知", False),
        ("政府信息公开工作年度报告（模板）", False),
        ("某局2023年法治政府建设年度报告", False),
        ("某局政府信息公开年报", False),
    ],
)
def test_titles_of_reports(title: str, is_report: bool) -> None:
    assert is_report_title(title) is is_report


def test_years_of_titles() -> None:
    assert years_in("二○二三年") == {2023} and years_in("2022—2023年") == {2022, 2023}
    assert years_in("202020年") == {2020} and not years_in("第20号")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://WWW.Demo.gov.cn:80/a#b", "http://www.demo.gov.cn/a"),
        ("http://www.demo.gov.cn./a", "http://www.demo.gov.cn/a"),
        ("http://www.demo.gov.cn/a;jsessionid=1F?x=1", "http://www.demo.gov.cn/a?x=1"),
        ("http://www.demo.gov.cn/a?id=7&_t=1700000000", "http://www.demo.gov.cn/a?id=7"),
        ("http://www.demo.gov.cn/年报 1.pdf", "http://www.demo.gov.cn/%E5%B9%B4%E6%8A%A5%201.pdf"),
        ("https://www.demo.gov.cn:443", "https://www.demo.gov.cn/"),
        ("http://www.demo.gov.cn:8080/a?t=note", "http://www.demo.gov.cn:8080/a?t=note"),
    ],
)
def test_one_spelling_an_address(url: str, expected: str) -> None:
    assert canonical(url) == expected == canonical(expected)


@pytest.mark.parametrize(
    "link", ["javascript:void(0)", "mailto:a@b.cn", "file:///etc/passwd", "#top", "https://[", "ftp://a.cn/"]
)
def test_links_that_lead_nowhere(link: str) -> None:
    assert join(BASE, link) is None


def test_links_in_every_writing_are_found_with_title_and_date() -> None:
    cut = REPORT[:18] + "…"
    found, links = read_links(
        page(
            f"<ul><li><A HREF=/a/1.html TITLE='{REPORT}'>{cut}</A><span>2024-01-31</span></li>"
            f"<li><a href='2.html'>{REPORT}</a> [2024年2月3日]</li>"
            f"""<li onclick="window.open('/a/3.html')">{REPORT}</li>"""
            f"""<li><a href="javascript:show('/a/4.html')">{REPORT}</a></li>"""
            f"<li><a href='javascript:alert(1)'>{REPORT}</a></li>"
            f"<li><a href='/b/5.html'>别的</a></li></ul><a href='index_1.html'>2</a><a href='index_1.html'>下一页</a>"
        )
    )
    assert [listing.url.rpartition("/")[2] for listing in found] == ["1.html", "2.html", "3.html", "4.html"]
    assert {listing.title for listing in found} == {REPORT}
    assert [listing.date for listing in found][:2] == [date(2024, 1, 31), date(2024, 2, 3)]
    assert len(links) == 5, "links of the pager do not count as items"


@pytest.mark.parametrize(
    ("body", "url", "following"),
    [
        ('<a href="index_1.html">下一页</a>', BASE, "index_1.html"),
        ('<a href="2.htm">下页</a>', BASE, "2.htm"),
        ('<script>createPageHTML(5, 0, "index", "html");</script>', BASE, "index_1.html"),
        ('<script>createPageHTML(5, 4, "index", "html");</script>', BASE.replace("index", "index_4"), None),
        ("<script>createPageHTML('page_div', 3, 1, 'list', 'shtml', 60);</script>", BASE, "list_2.shtml"),
        ("<script>createPageHTML('page_div', 3, 3, 'list', 'shtml', 60);</script>", BASE, None),
        ("<script>Pager({size:3, current:1, prefix:'index', suffix:'html'});</script>", BASE, "index_2.html"),
        ("<script>var currentPage = 0; var countPage = 3;</script>", BASE, "index_1.html"),
        ('<a href="?page=3">3</a><a href="?page=2">2</a>', BASE, "index.html?page=2"),
        ('<a href="?page=1">1</a><a href="?page=3">3</a>', BASE + "?page=2", "index.html?page=3"),
        ('<a href="http://evil.example/">下一页</a>', BASE, None),
        ('<a href="javascript:next()">下一页</a>', BASE, None),
    ],
)
def test_the_next_page(body: str, url: str, following: str | None) -> None:
    expected = BASE.replace("index.html", following) if following else None
    assert next_address(page(body, url)) == expected


def test_walking_stops_when_nothing_new_comes() -> None:
    asked = []

    def following(current: Page, number: int) -> Page:
        asked.append(number)
        return page(f"<a href='/a/1.html'>{REPORT}</a><p>{number}</p>")

    first = page(f"<a href='/a/1.html'>{REPORT}</a>")
    assert len(list(walk(first, read_links, following))) == 1 and asked == [1]


@pytest.mark.parametrize(
    "offered",
    [
        '<a href="/files/a.pdf">附件</a>',
        '<a href="/module/download/downfile.jsp?classid=0&filename=a.pdf">附件</a>',
        '<a href="/attach/0/abc">年报.docx</a>',
        '<a href="/group2/M00/0A/1.xlsx">附件</a>',
        '<a href="/virtual_attach_file.vsb?id=7">下载</a>',
        '<iframe src="/files/a.pdf"></iframe>',
        '<iframe src="/pdfjs/web/viewer.html?file=/files/a.pdf"></iframe>',
        '<iframe src="/pdfjs/web/viewer.html?file=%2Ffiles%2Fa.pdf&lang=zh"></iframe>',
        '<embed src="a.pdf">',
        '<object data="a.pdf"></object>',
        '<a href="/pdfjs/web/viewer.html?file=%2Ffiles%2Fa.pdf">在线查看</a>',
        """<a href="javascript:;" onclick="window.open('/files/a.docx')">点击下载</a>""",
        """<script>$('#f').attr('src', '/pdfjs/web/viewer.html?file=/files/a.pdf')</script>""",
        '<script>showVsbpdfIframe("/files/a.pdf","100%","600")</script>',
    ],
)
def test_attachments_of_every_shape(offered: str) -> None:
    body = f"<h1>{REPORT}</h1><div id='zoom'><p>现予公布。{'公开' * 120}</p>{offered}</div><a href='/x.html'>别的</a>"
    article = examine(page(body), body_selectors("static"), Listing(BASE, REPORT))
    assert len(article.attachments) == 1 and not article.has_report
    assert article.attachments[0].startswith("http://www.demo.gov.cn/")
    assert "viewer.html" not in article.attachments[0]


def test_content_is_the_same_whatever_the_clock_says_and_differs_with_a_number() -> None:
    def content(clock: str, number: int) -> str:
        text = (
            f"<h1>{REPORT}</h1><div id='zoom'>{clock}<p>一、总体情况</p><td>{number}</td>{'公开' * 150}</div>"
        )
        return examine(page(text), body_selectors("static"), Listing(BASE, REPORT)).content_sha256

    assert content("浏览次数：7次 当前时间：2024-01-01 10:11:12", 5) == content("浏览次数：8次", 5)
    assert content("", 5) != content("", 6)


def test_metas_tell_publisher_and_date() -> None:
    head = '<meta name="PUBDATE" content="2024-01-22 09:30"><meta name="ContentSource" content="某县财政局">'
    text = f"<html><head>{head}</head><body><h1>{REPORT}</h1>{'公开' * 200}</body></html>"
    article = examine(Page(BASE, text.encode(), "text/html"), body_selectors("static"), Listing(BASE, REPORT))
    assert (article.date, article.publisher, article.title) == (date(2024, 1, 22), "某县财政局", REPORT)


def test_the_column_is_found_in_the_breadcrumb() -> None:
    crumb = (
        "<a href='/'>首页</a> &gt; <a href='/zwgk/'>公开</a> &gt; <a href='/zwgk/nb/'>政府信息公开年报</a>"
    )
    for body in (f"<div class='crumb'>{crumb}</div>", f"<div>当前位置：{crumb}</div>"):
        assert column_of(page(body), column_words()) == "http://www.demo.gov.cn/zwgk/nb/"
    assert column_of(page("<p>没有</p>"), column_words()) is None


def test_text_inside_json_is_unwrapped_for_readers() -> None:
    inner = unwrap('{"custom":{"data":{"title":"甲","infocontent":"<p>一、总体情况</p>"}}}'.encode())
    assert inner is not None and "一、总体情况".encode() in inner and "甲".encode() in inner
    assert (
        unwrap(b"<html></html>") is None
        and unwrap(b'{"a": 1}') is None
        and unwrap(b'{"a": ' * 100_000) is None
    )


def test_each_family_is_recognised_by_its_marks() -> None:
    marks = {
        "hanweb": "<script type='text/xml'><datastore></datastore></script>",
        "kaipu": "<div id='UCAP-CONTENT'></div>",
        "lonsun": "<div class='j-fontContent'></div>",
        "epoint": "<script src='/js/webBuilderCommon.js'></script>",
        "static": "<p>平常的页面</p>",
    }
    assert {name: recognise(page(mark)) for name, mark in marks.items()} == {name: name for name in marks}
    assert recognise(page("", "http://whly.gd.gov.cn/gkmlpt/annualreport")) == "gkmlpt"
    assert recognise(Page(BASE, b'{"rows": []}', "application/json")) == "json_list"
    assert len(FAMILIES) == 7


def test_dates_of_lists() -> None:
    assert parse_date("1706659200000", "ms") == date(2024, 1, 31) == parse_date(1706659200, "s")
    assert parse_date("2024.1.31") == date(2024, 1, 31)
    assert parse_date("2024-13-45") is None and parse_date("") is None and parse_date(None) is None


def test_a_page_of_something_else_is_not_the_report() -> None:
    for body in (
        f"<ul>{f'<li><a href=/1>{REPORT}</a></li>' * 30}</ul>",
        f"<title>某县人民政府</title>{'新闻' * 300}",
    ):
        with pytest.raises(NotKept, match="other_page"):
            examine(
                page(body),
                body_selectors("static"),
                Listing(BASE, "某县教育局2022年政府信息公开工作年度报告"),
            )
