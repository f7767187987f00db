"""The list pages of each family of portal software, and where its articles stand, as real portals have them.

Imitates portals, not the crawler: shares no code with `extractors.families`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any, Protocol
from urllib.parse import parse_qsl

from tests.simulator.http import Request, Response, html
from tests.simulator.shelf import Item, Shelved

CHINA = timezone(timedelta(hours=8))


class Host(Protocol):
    """What a family needs to know of its portal."""

    name: str
    encoding: str
    charset: str
    page_size: int

    def items(self) -> Sequence[Item]: ...


def _json(data: Any) -> Response:
    body = json.dumps(data, ensure_ascii=False).encode()
    return Response(body, content_type="application/json;charset=utf-8", kind="list")


class Family:
    """A family on one portal. `name` is what a portal's file calls it."""

    name = "static"
    container = ('<div class="TRS_Editor">', "</div>")

    def __init__(self, host: Host) -> None:
        self.host = host

    # -- where things stand --

    def lists(self) -> list[str]:
        """Paths of the lists to start from."""
        return ["/zwgk/xxgknb/index.html"]

    def article_path(self, item: Item) -> str:
        day = item.published
        return f"/zwgk/xxgknb/{day:%Y%m}/t{day:%Y%m%d}_{item.number}.html"

    def file_path(self, item: Item, suffix: str) -> str:
        return self.article_path(item).rsplit("/", 1)[0] + f"/W0{item.published:%Y%m%d}{item.number}{suffix}"

    def extra(self) -> dict[str, Any]:
        """What a portal's file must say besides the lists."""
        return {}

    # -- lists --

    def pages(self) -> list[list[Item]]:
        items, size = list(self.host.items()), self.host.page_size
        return [items[start : start + size] for start in range(0, len(items), size)] or [[]]

    def line(self, item: Item) -> str:
        """One list item: the link's text may be cut, its title attribute is whole."""
        shown = item.title if len(item.title) < 30 else item.title[:28] + "..."
        link = f'<a href="{self.article_path(item)}" title="{escape(item.title)}">{escape(shown)}</a>'
        return f"<li>{link}<span>{item.published.isoformat()}</span></li>"

    def shell(self, content: str, head: str = "") -> Response:
        title = f"<title>政府信息公开年报-{escape(self.host.name)}</title>"
        page = f"""<html><head><meta charset="{self.host.charset}">{title}{head}</head>
<body><ul class="nav"><li><a href="/">首页</a></li><li><a href="/zwgk/">政务公开</a></li></ul>
<div class="list">{content}</div><div class="footer">{escape(self.host.name)}</div></body></html>"""
        return html(page, self.host.encoding, "list")

    def listed(self, page: int, pager: str) -> Response | None:
        """Page `page` (from 0) as a plain list with its pager below."""
        pages = self.pages()
        if not 0 <= page < len(pages):
            return None
        return self.shell("<ul>" + "\n".join(map(self.line, pages[page])) + "</ul>" + pager)

    def respond(self, request: Request) -> Response | None:
        """The list page asked for, or None when the path is no list of this family."""
        raise NotImplementedError


def _number(name: str, stem: str, ending: str, first: int) -> int | None:
    """Page (from 0) of `index.html`, `index_1.html` …; `first` is the number after the first page's."""
    if name == f"{stem}.{ending}":
        return 0
    middle = name.removeprefix(f"{stem}_").removesuffix(f".{ending}")
    if name == f"{stem}_{middle}.{ending}" and middle.isdigit():
        return int(middle) - first + 1
    return None


class CreatePageFour(Family):
    """`createPageHTML(count, index, "index", "html")`: 0-based, page 2 is index_1.html; relative links."""

    def line(self, item: Item) -> str:
        return super().line(item).replace('href="/zwgk/xxgknb/', 'href="./')

    def script(self, page: int, total: int) -> str:
        return f'<script>createPageHTML({total}, {page}, "index", "html");</script>'

    def respond(self, request: Request) -> Response | None:
        folder, _, name = request.path.rpartition("/")
        if folder != "/zwgk/xxgknb":
            return None
        page = _number(name or "index.html", "index", "html", 1)
        return None if page is None else self.listed(page, self.script(page, len(self.pages())))


class CountPage(CreatePageFour):
    """The same pages under `var countPage = N`."""

    def script(self, page: int, total: int) -> str:
        return (
            f"<script>var currentPage = {page};//所在页从0开始\nvar countPage = {total}//共多少页\n</script>"
        )


class PagerObject(CreatePageFour):
    """The same pages under `Pager({...})`."""

    def script(self, page: int, total: int) -> str:
        return f"<script>Pager({{size:{total}, current:{page}, prefix:'index', suffix:'html'}});</script>"


class CreatePageSix(Family):
    """`createPageHTML('page_div', total, current, 'list', 'shtml', records)`: 1-based, list_2.shtml."""

    def lists(self) -> list[str]:
        return ["/zwgk/ndbg/list.shtml"]

    def respond(self, request: Request) -> Response | None:
        folder, _, name = request.path.rpartition("/")
        page = _number(name, "list", "shtml", 2) if folder == "/zwgk/ndbg" else None
        if page is None:
            return None
        total, records = len(self.pages()), len(self.host.items())
        script = f"createPageHTML('page_div', {total}, {page + 1}, 'list', 'shtml', {records});"
        return self.listed(page, f'<div id="page_div"></div><script>{script}</script>')


class NextLink(Family):
    """A 下一页 link in upper-case tags without quotes, links in onclick for every third item."""

    def lists(self) -> list[str]:
        return ["/xxgknb/"]

    def line(self, item: Item) -> str:
        path, title = self.article_path(item), escape(item.title)
        if item.number % 3 == 0:
            return (
                f"<LI><A onclick=\"window.open('{path}')\" TITLE='{title}'>{title}</A> {item.published}</LI>"
            )
        return f"<LI><A HREF={path} TITLE='{title}'>{title}</A><SPAN>[{item.published}]</SPAN></LI>"

    def respond(self, request: Request) -> Response | None:
        folder, _, name = request.path.rpartition("/")
        page = _number(name or "list.html", "list", "html", 2) if folder == "/xxgknb" else None
        if page is None:
            return None
        is_last = page + 1 >= len(self.pages())
        more = (
            "<A HREF='javascript:void(0)'>下一页</A>"
            if is_last
            else f"<A HREF=list_{page + 2}.html>下一页</A>"
        )
        return self.listed(page, f"<DIV CLASS=page>共 {len(self.pages())} 页 {more}</DIV>")


class Descending(Family):
    """vsb: page 2 of N is `nb/N-1.htm`; only the 下页 link tells."""

    container = ('<div id="vsb_content"><div class="v_news_content">', "</div></div>")

    def lists(self) -> list[str]:
        return ["/xxgk/nb.htm"]

    def article_path(self, item: Item) -> str:
        return f"/info/1012/{item.number}.htm"

    def respond(self, request: Request) -> Response | None:
        total = len(self.pages())
        name = request.path.removeprefix("/xxgk/nb/").removesuffix(".htm")
        if request.path == "/xxgk/nb.htm":
            page = 0
        elif request.path == f"/xxgk/nb/{name}.htm" and name.isdigit():
            page = total - int(name)
        else:
            return None
        if page + 1 >= total:
            return self.listed(page, '<span class="p_next_d">下页</span>')
        href = f"nb/{total - 1}.htm" if page == 0 else f"{total - page - 1}.htm"
        return self.listed(page, f'<span class="p_next p_fun"><a href="{href}">下页</a></span>')


class PageParameter(Family):
    """Numbered links with a `page` parameter and no word for the next one; one sub-column a year."""

    def lists(self) -> list[str]:
        return ["/list.aspx?column=ndbg"]

    def article_path(self, item: Item) -> str:
        return f"/show.aspx?id={item.number}&column=ndbg"

    def file_path(self, item: Item, suffix: str) -> str:
        return f"/upload/{item.published:%Y%m}/{item.hex[:12]}{suffix}"

    def respond(self, request: Request) -> Response | None:
        if request.path != "/list.aspx":
            return None
        links = "".join(
            f'<a href="/list.aspx?column=ndbg&page={n + 1}">{n + 1}</a>' for n in range(len(self.pages()))
        )
        return self.listed(int(request.query.get("page", "1")) - 1, f'<div class="pages">{links}</div>')


class Hanweb(Family):
    """The list is XML in a script; further pages come from dataproxy.jsp by the href of `<nextgroup>`."""

    name = "hanweb"
    container = ('<div id="zoom"><!--ZJEG_RSS.content.begin--><!--正文开始-->', "<!--正文结束--></div>")

    def lists(self) -> list[str]:
        return ["/col/col11581/index.html"]

    def article_path(self, item: Item) -> str:
        day = item.published
        return f"/art/{day.year}/{day.month}/{day.day}/art_11581_{item.number}.html"

    def file_path(self, item: Item, suffix: str) -> str:
        return f"/module/download/downfile.jsp?classid=0&filename={item.hex}{suffix}"

    def datastore(self, page: int) -> str | None:
        pages = self.pages()
        if not 0 <= page < len(pages):
            return None
        records = "".join(f"<record><![CDATA[{self.line(item)}]]></record>" for item in pages[page])
        asked = f"page={page + 2}&amp;webid=3&amp;columnid=11581&amp;perpage={self.host.page_size}"
        href = f"/module/web/jpage/dataproxy.jsp?{asked}"
        more = f'<nextgroup><![CDATA[<a href="{href}"></a>]]></nextgroup>' if page + 1 < len(pages) else ""
        counts = f"<totalrecord>{len(self.host.items())}</totalrecord><totalpage>{len(pages)}</totalpage>"
        return f"<datastore>{more}<recordset>{records}</recordset>{counts}</datastore>"

    def respond(self, request: Request) -> Response | None:
        if request.path == "/col/col11581/index.html":
            script = f'<script type="text/xml">{self.datastore(0)}</script>'
            return self.shell(f'<div id="323"></div>{script}')
        if request.path == "/module/web/jpage/dataproxy.jsp":
            data = self.datastore(int(request.query.get("page", "1")) - 1)
            if data is not None:
                return Response(data.encode(self.host.encoding), content_type="text/xml", kind="list")
        return None


class HanwebAnnual(Family):
    """`xxgkAnnualReport.jsp?area=…&fbtime=YEAR`: no list at all, one page is one report."""

    name = "hanweb"
    container = Hanweb.container

    def _area(self, item: Shelved) -> str:
        return f"113{item.report.agency.region_code}{item.report.agency.slug.upper()}"

    def lists(self) -> list[str]:
        areas = sorted({self._area(item) for item in self.host.items() if isinstance(item, Shelved)})
        return [f"/module/xxgk/xxgkAnnualReport.jsp?area={area}&fbtime={{year}}" for area in areas]

    def article_path(self, item: Item) -> str:
        if not isinstance(item, Shelved):
            return f"/art/art_1_{item.number}.html"
        return f"/module/xxgk/xxgkAnnualReport.jsp?area={self._area(item)}&fbtime={item.report.year}"

    def file_path(self, item: Item, suffix: str) -> str:
        return f"/attach/0/{item.hex}{suffix}"

    def respond(self, request: Request) -> Response | None:
        return None


class Kaipu(Family):
    """A shell that asks for JSON: `_isAgg`, `_isJson`, `_pageSize`, `page`."""

    name = "kaipu"
    container = ('<div id="UCAP-CONTENT"><ucapcontent>', "</ucapcontent></div>")
    channel = "a3f0c5b8e2d94b7f8c61d0e5f4a39b27"

    def lists(self) -> list[str]:
        return ["/zfxxgk/common_list.shtml"]

    def article_path(self, item: Item) -> str:
        return f"/zfxxgk/c100028/{item.published:%Y%m}/{item.hex}.shtml"

    def file_path(self, item: Item, suffix: str) -> str:
        return self.article_path(item).removesuffix(".shtml") + f"/files/{item.hex}{suffix}"

    def respond(self, request: Request) -> Response | None:
        address = f"/common/search/{self.channel}"
        if request.path == "/zfxxgk/common_list.shtml":
            url = f"{address}?_isAgg=true&_isJson=true&_pageSize={self.host.page_size}&_template=index&page="
            return self.shell(
                f"<ul id='list'></ul><script>var listUrl = '{url}' + 1; loadList(listUrl);</script>"
            )
        if request.path != address:
            return None
        items, size = self.host.items(), max(min(int(request.query.get("_pageSize", "20")), 50), 1)
        start = (int(request.query.get("page", "1")) - 1) * size
        rows = [
            {
                "title": item.title,
                "url": self.article_path(item),
                "publishedTimeStr": f"{item.published} 10:02:31",
                "publisher": "",
            }
            for item in items[start : start + size]
        ]
        return _json(
            {"data": {"total": len(items), "rows": size, "page": start // size + 1, "results": rows}}
        )


class KaipuStatic(Kaipu):
    """Static pages `common_list_2.shtml` under the six-argument createPageHTML."""

    def lists(self) -> list[str]:
        return ["/xxgk/common_list.shtml"]

    def respond(self, request: Request) -> Response | None:
        folder, _, name = request.path.rpartition("/")
        page = _number(name, "common_list", "shtml", 2) if folder == "/xxgk" else None
        if page is None:
            return None
        counts = f"{len(self.pages())}, {page + 1},'common_list','shtml',{len(self.host.items())}"
        script = f"createPageHTML('page_div',{counts});"
        return self.listed(page, f'<div id="page_div"></div><script>{script}</script>')


class Gkmlpt(Family):
    """Guangdong's platform: 100 a page, page 0 is page 1, dates in seconds."""

    name = "gkmlpt"
    container = ('<div class="article-content">', "</div>")

    def lists(self) -> list[str]:
        return ["/gkmlpt/annualreport#2629"]

    def article_path(self, item: Item) -> str:
        return f"/gkmlpt/content/{item.number // 1000}/{item.number}/post_{item.number}.html"

    def file_path(self, item: Item, suffix: str) -> str:
        return f"/attachment/0/{item.number}/{item.number}{suffix}"

    def respond(self, request: Request) -> Response | None:
        if request.path == "/gkmlpt/annualreport":
            tree = '[{"id":2601,"name":"机构职能"},{"id":2629,"name":"政府信息公开年度报告"}]'
            return self.shell(
                '<div id="app"></div>', f"<script>window._CONFIG = {{SID: '175', TREE: {tree}}};</script>"
            )
        if request.path != "/gkmlpt/api/all/2629" or request.query.get("sid") != "175":
            return None
        items, page = self.host.items(), max(int(request.query.get("page", "1")), 1)
        rows = [
            {
                "id": item.number,
                "title": item.title,
                "url": self.article_path(item),
                "date": int(datetime(*item.published.timetuple()[:3], 9, tzinfo=CHINA).timestamp()),
                "publisher": self.host.name,
                "attachment": [],
            }
            for item in items[(page - 1) * 100 : page * 100]
        ]
        return _json({"articles": rows, "total": len(items), "pages": -(-len(items) // 100)})


class Lonsun(Family):
    """An organ's column `type=3`, further pages by `pageIndex`."""

    name = "lonsun"
    container = ('<div class="j-fontContent">', "</div>")

    def lists(self) -> list[str]:
        return ["/public/column/24601?type=3&action=list"]

    def article_path(self, item: Item) -> str:
        return f"/public/24601/{item.number}.html"

    def file_path(self, item: Item, suffix: str) -> str:
        return f"/group2/M00/0A/{item.hex[:2].upper()}/{item.hex}{suffix}"

    def respond(self, request: Request) -> Response | None:
        if request.path != "/public/column/24601" or request.query.get("type") != "3":
            return None
        page = int(request.query.get("pageIndex", "1"))
        more = f'<a href="/public/column/24601?type=3&action=list&pageIndex={page + 1}">下一页</a>'
        return self.listed(page - 1, more if page < len(self.pages()) else "<span>下一页</span>")


class Epoint(Family):
    """Lists and articles are shells; both are asked for with POST and answered in JSON."""

    name = "epoint"
    site = "7eb5f7f1-9041-43ad-8e13-8fcb82ea831a"

    def lists(self) -> list[str]:
        return ["/govxxgk/list.html?categorynum=002005&deptcode=033"]

    def guid(self, item: Item) -> str:
        h = item.hex
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

    def article_path(self, item: Item) -> str:
        return f"/govxxgk/{item.published.isoformat()}/{self.guid(item)}.html?deptcode=033"

    def file_path(self, item: Item, suffix: str) -> str:
        return f"/EWB-FRONT/AttachFile/{self.guid(item)}{suffix}"

    def empty_shell(self, kind: str) -> Response:
        head = '<script src="/js/webBuilderCommon.js"></script>'
        response = self.shell('<div class="ewb-article-info"></div>', head)
        response.kind = kind
        return response

    def respond(self, request: Request) -> Response | None:
        if request.path == "/govxxgk/list.html":
            return self.empty_shell("list")
        if request.path == "/js/webBuilderCommon.js":
            text = f"var siteInfo = {{ 'siteGuid': '{self.site}', 'projectName': '/EWB-FRONT' }};"
            return Response(text.encode(), content_type="application/javascript", kind="script")
        if request.path != "/EWB-FRONT/rest/lightfrontaction/getgovinfolist" or request.method != "POST":
            return None
        asked = posted(request)
        size = max(min(int(asked.get("pageSize", 15)), 100), 1)
        start = (int(asked.get("pageIndex", 1)) - 1) * size
        items = self.host.items()
        rows = [
            {
                "realtitle": item.title,
                "infourl": self.article_path(item),
                "infodate": f"{item.published} 00:00:00",
            }
            for item in items[start : start + size]
        ]
        return _json({"custom": {"data": rows, "total": len(items)}, "status": {"code": 200}})


def posted(request: Request) -> dict[str, Any]:
    """A JSON or form body; `params` may hold it once more as text."""
    text = request.body.decode("utf-8", "replace")
    data: dict[str, Any] = json.loads(text) if text.lstrip().startswith("{") else dict(parse_qsl(text))
    inner = data.get("params")
    return {**data, **json.loads(inner)} if isinstance(inner, str) else data


class JsonList(Family):
    """A list asked for by the page's script; declared in the portal's file, dates in milliseconds."""

    name = "json_list"

    def lists(self) -> list[str]:
        return ["/api/v2/content/list"]

    def extra(self) -> dict[str, Any]:
        return {
            "json": {
                "method": "POST",
                "encoding": "json",
                "params": {"channel": "ndbg", "size": self.host.page_size},
                "page_key": "current",
                "first_page": 1,
                "rows": "result.records",
                "fields": {"title": "docTitle", "url": "docUrl", "date": "pubTime"},
                "date_unit": "ms",
            }
        }

    def article_path(self, item: Item) -> str:
        return f"/content/{item.hex}"

    def respond(self, request: Request) -> Response | None:
        if request.path != "/api/v2/content/list" or request.method != "POST":
            return None
        asked = posted(request)
        if asked.get("channel") != "ndbg":
            return _json({"code": 400, "result": {"records": []}})
        size = max(int(asked.get("size", 10)), 1)
        start = (int(asked.get("current", 1)) - 1) * size
        items = self.host.items()
        rows = [
            {
                "docTitle": f"<em>{item.title}</em>",
                "docUrl": self.article_path(item),
                "pubTime": int(datetime(*item.published.timetuple()[:3], tzinfo=CHINA).timestamp() * 1000),
            }
            for item in items[start : start + size]
        ]
        return _json({"code": 200, "result": {"total": len(items), "records": rows}})


FAMILIES: dict[str, type[Family]] = {
    "static_four": CreatePageFour,
    "hanweb": Hanweb,
    "kaipu": Kaipu,
    "gkmlpt": Gkmlpt,
    "lonsun": Lonsun,
    "epoint": Epoint,
    "json_list": JsonList,
    "static_six": CreatePageSix,
    "static_next": NextLink,
    "descending": Descending,
    "parameter": PageParameter,
    "kaipu_static": KaipuStatic,
    "count_page": CountPage,
    "pager_object": PagerObject,
    "hanweb_annual": HanwebAnnual,
}
"""Kinds of portals; the first seven are one of each family."""
