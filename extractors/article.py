"""Takes from an article page what the crawl needs: title, date, publisher, text, attachments.

Also tells whether it is the report the list promised. Never reads a table into cells; the bytes that
are kept are the untouched answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from extractors.challenge import is_stub
from extractors.listing import Listing, clean_title, link_of, parse_date, years_in
from extractors.outcomes import NotKept
from extractors.page import Page, dig
from extractors.urls import join

MAX_ATTACHMENTS = 12
MAX_FRAMES = 3
MAX_TEXT = 2_000_000
_LITTLE_TEXT = 2000
"""Characters; a page with more holds the report in words, and its pictures are decoration."""

_FILE = re.compile(r"\.(pdf|docx?|xlsx?|wps|et|rtf|ofd|zip|rar|7z)$", re.IGNORECASE)
_FILE_PLACE = re.compile(
    r"downfile\.jsp|/attach/|virtual_attach_file|/group\d+/M\d\d/|download(attach)?\.(jsp|do)", re.I
)
_FILE_HINT = re.compile(rb"\.(?:pdf|doc|xls|wps|et|rtf|ofd|zip|rar|7z)")
_PLACE_HINTS = (b"attach", b"downfile", b"download", b"/group")
"""Most pages offer no file; those are not searched link by link."""
_NAME = re.compile(r"[.#]?([\w-]+)")
"""A selector that asks for nothing but a class, an id or a tag."""
_VIEWER = re.compile(r"""(?:showVsbpdfIframe\(\s*['"]|viewer\.html\?file=)([^'"&\s>]+)""")
_TOLD = re.compile(r"[?&](?:file|url|src|filepath)=(.+)$", re.IGNORECASE)
_PICTURE = re.compile(r"\.(png|jpe?g|gif|bmp|tiff?)$", re.IGNORECASE)
_ICON = re.compile(r"logo|icon|btn|share|qr|code|banner|nav|/images?/(top|foot|bg)", re.IGNORECASE)
_CHAPTERS = ("总体情况", "主动公开", "依申请公开", "行政复议", "行政诉讼", "存在的主要问题", "收到和处理")
_NOISE = "script, style, noscript, template, header, footer, nav"
_REPORT_WORDS = re.compile(r"年度报告|年报|工作报告")
_SUBJECT_WORDS = ("信息公开", "年报", "年度报告", "工作报告")
_SITE_PART = re.compile(r"\s*[-_|–—]+\s*[^-_|–—]*$")
_CLOCK_WORDS = ("浏览", "阅读", "点击", "访问", "时间", "今天是", ":")
_CLOCK = re.compile(
    r"(浏览|阅读|点击|访问)(次数|量|数|人数)?[:：]?\d*次?|(当前|现在|打印)时间[:：]?[\d年月日:：\-/]*"
    r"|今天是[\d年月日]*(星期.)?|\d{1,2}[:：]\d\d([:：]\d\d)?"
)


@dataclass(frozen=True, slots=True)
class Article:
    """What an article page says of itself; `has_report`: the report's text stands on the page."""

    title: str
    date: date | None
    publisher: str
    text: str
    attachments: tuple[str, ...]
    pictures: tuple[str, ...]
    content_sha256: str
    frames: tuple[str, ...] = ()

    @property
    def has_report(self) -> bool:
        return sum(chapter in self.text for chapter in _CHAPTERS) >= 3


def examine(page: Page, selectors: Iterable[str], listing: Listing) -> Article:
    """An article's facts; `NotKept` when another page was sent in place of the listed one.

    `selectors` name the elements that may hold the text, best first.
    """
    inner = _in_json(page)
    if inner is not None:
        page = Page(page.url, inner.encode(), "text/html; charset=utf-8")
    elif not page.is_html:
        return _file_as_article(page, listing)
    elif is_stub(page.payload):
        raise NotKept("stub", f"{len(page.payload)} bytes")
    tree = page.tree
    meta = _meta(tree)
    titles = _own_titles(tree, meta, years_in(listing.title))
    title = next((t for t in titles if _is_of_report(t)), listing.title or next(iter(titles), ""))
    body, text = _body(page, selectors)
    attachments = _attachments(page, body, listing)
    is_little = not attachments and len(text) <= _LITTLE_TEXT
    pictures = _pictures(page, body) if is_little else ()
    frames = _frames(page, body) if is_little else ()
    if inner is None:
        _expect_report(tree, titles, text, listing, bool(attachments or pictures), bool(frames))
    relied_on = f"{_packed(title)}\x1f{_without_clock(text)}"
    return Article(
        title=title,
        date=parse_date(meta.get("pubdate")) or listing.date,
        publisher=meta.get("contentsource", "") or listing.publisher,
        text=text,
        attachments=attachments,
        pictures=pictures,
        content_sha256=hashlib.sha256(relied_on.encode("utf-8", "surrogatepass")).hexdigest(),
        frames=frames,
    )


def column_of(page: Page, words: list[str]) -> str | None:
    """The list an article belongs to: the breadcrumb's link that names the reports, else its last link."""
    crumbs = page.tree.css(
        "[class*=crumb], [class*=position], [class*=location], [class*=dqwz], [class*=weizhi]"
    )
    crumbs += page.tree.css("[class*=path], [id*=crumb], [id*=position], [class*=Position], [class*=place]")
    crumbs += [n for n in page.tree.css("div, p, td, span") if _is_trail(n)]
    for crumb in crumbs:
        links = [(a.text(deep=True), join(page.url, a.attributes.get("href") or "")) for a in crumb.css("a")]
        named = [url for text, url in links if url and any(word in text for word in words)]
        if named:
            return named[-1]
        if len(links) >= 2 and links[-1][1]:
            return links[-1][1]
    return None


def unwrap(payload: bytes) -> bytes | None:
    """The HTML inside a JSON answer that carries an article's text; None when the bytes are no such answer.

    For readers: the archive keeps the answer as it came.
    """
    inner = _in_json(Page("", payload))
    return inner.encode("utf-8", "surrogatepass") if inner is not None else None


def _in_json(page: Page) -> str | None:
    if page.payload.lstrip()[:1] != b"{":
        return None
    try:
        data = page.json()
    except NotKept:
        return None
    for path in (
        "custom.data.infocontent",
        "custom.infocontent",
        "custom.data.0.infocontent",
        "data.content",
        "content",
    ):
        if isinstance(text := dig(data, path), str):
            title = dig(data, path.rpartition(".")[0] + ".title")
            heading = f"<h1>{title}</h1>" if isinstance(title, str) else ""
            return f"<html><body>{heading}<div id='zoom'>{text}</div></body></html>"
    return None


def _file_as_article(page: Page, listing: Listing) -> Article:
    """A report listed as a bare file: what the reader relies on is every byte of it."""
    if not page.payload:
        raise NotKept("stub", "0 bytes")
    digest = hashlib.sha256(page.payload).hexdigest()
    return Article(listing.title, listing.date, listing.publisher, "", (), (), digest)


def _meta(tree: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.head.css("meta[name]") if tree.head is not None else ():
        name = (node.attributes.get("name") or "").lower()
        found.setdefault(name, (node.attributes.get("content") or "").strip())
    return found


def _own_titles(tree: LexborHTMLParser, meta: dict[str, str], years: frozenset[int]) -> list[str]:
    """What the page calls itself: meta, headings, `<title>` without the site's part.

    The meta alone when it names the report that was promised: looking for more would change nothing.
    """
    named = meta.get("articletitle", "")
    if _is_of_report(named) and (not years or years & years_in(named)):
        return [named]
    titles = [named]
    titles += [clean_title(node.text(deep=True)) for node in tree.css("h1, ucaptitle, h2")[:6]]
    if (node := tree.css_first("title")) is not None:
        titles.append(_SITE_PART.sub("", clean_title(node.text(deep=True))))
    return [title for title in titles if title]


def _is_of_report(title: str) -> bool:
    return bool(_REPORT_WORDS.search(title) and years_in(title))


def _body(page: Page, selectors: Iterable[str]) -> tuple[LexborNode, str]:
    """The element that holds the article, and its text without white space."""
    tree = page.tree
    for selector in selectors:
        # Looking for a name in the bytes takes a sixth of the time of asking the tree for it.
        name = _NAME.fullmatch(selector)
        if name and name[1].lower().encode() not in page.folded:
            continue
        for node in tree.css(selector):
            text = _text_of(_without_code(node))
            if len(text) > 100 or any(chapter in text for chapter in _CHAPTERS):
                return node, text
    root = tree.body or tree.root
    if root is None:
        raise NotKept("stub", "no body")
    node = _densest(_without_code(root))
    return node, _text_of(node)


def _text_of(node: LexborNode) -> str:
    return _packed(node.text(deep=True, separator=" "))[:MAX_TEXT]


def _without_code(node: LexborNode) -> LexborNode:
    for noise in node.css(_NOISE):
        noise.decompose()
    return node


def _densest(node: LexborNode) -> LexborNode:
    """The deepest element that still holds every chapter title found on the page."""
    wanted = [chapter for chapter in _CHAPTERS if chapter in node.text(deep=True)]
    while wanted:
        inner = next((c for c in node.iter() if all(w in c.text(deep=True) for w in wanted)), None)
        if inner is None or inner.tag in ("table", "tbody", "p"):
            break
        node = inner
    return node


def _attachments(page: Page, body: LexborNode, listing: Listing) -> tuple[str, ...]:
    """Addresses of the files the article offers, in every shape the families use."""
    found: list[str] = list(listing.attachments)
    folded = page.folded
    if not _FILE_HINT.search(folded) and not any(hint in folded for hint in _PLACE_HINTS):
        return tuple(found)
    for node in body.css("a, [onclick]"):
        told = _told_file(page.url, node.attributes.get("href") or "")
        url = told or link_of(page.url, node)
        label = node.text(deep=True).strip()
        if url and (told or _is_file(url) or _FILE.search(label)):
            found.append(url)
    for node in page.tree.css("iframe[src], embed[src], object[data]"):
        link = node.attributes.get("src") or node.attributes.get("data") or ""
        found.extend(_framed(page.url, link))
    for link in _VIEWER.findall(page.text):
        if url := join(page.url, unquote(link)):
            found.append(url)
    for node in page.tree.css(
        "a[href*='attach'], a[href*='downfile'], a[href$='.pdf'], a[href$='.doc'], a[href$='.docx']"
    ):
        href = node.attributes.get("href") or ""
        if url := _told_file(page.url, href) or join(page.url, href):
            found.append(url)
    return tuple(dict.fromkeys(found))[:MAX_ATTACHMENTS]


def _frames(page: Page, body: LexborNode) -> tuple[str, ...]:
    """Pages shown inside the article, where its text may stand."""
    if b"<iframe" not in page.folded:
        return ()
    links = [node.attributes.get("src") or "" for node in body.css("iframe[src]")]
    urls = [url for link in links if not _framed(page.url, link) and (url := join(page.url, link))]
    return tuple(dict.fromkeys(urls))[:MAX_FRAMES]


def _framed(base: str, link: str) -> list[str]:
    """The file a frame shows: itself, or the one its viewer is told to open."""
    url = _told_file(base, link) or join(base, link)
    return [url] if url and _is_file(url) else []


def _told_file(base: str, link: str) -> str | None:
    """The file a viewer's address tells it to open (`viewer.html?file=…`)."""
    told = _TOLD.search(link)
    if told is None or _FILE.search(urlsplit(link).path):
        return None
    # The address often stands there unquoted: then its own parameters are part of it.
    value = told[1] if "?" in told[1] else told[1].split("&")[0]
    if not _is_file(unquote(value)):
        return None
    return join(base, value if "?" in value or "/" in value else unquote(value))


def _is_file(url: str) -> bool:
    parts = urlsplit(url)
    names = [parts.path, *(value for _, value in parse_qsl(parts.query))]
    return any(_FILE.search(unquote(name)) for name in names) or bool(_FILE_PLACE.search(url))


def _pictures(page: Page, body: LexborNode) -> tuple[str, ...]:
    if b"<img" not in page.folded:
        return ()
    found = [join(page.url, node.attributes.get("src") or "") for node in body.css("img[src]")]
    return tuple(dict.fromkeys(url for url in found if url and not _ICON.search(url)))[:40]


def _expect_report(
    tree: LexborHTMLParser, titles: list[str], text: str, listing: Listing, has_files: bool, has_frames: bool
) -> None:
    """`NotKept` when the page shows that it is another one than the list promised.

    A page whose titles or text name the report is the report. Of the rest, a page made of links is a
    home or list page, and one that calls itself something else is something else; a page that merely
    says little is kept.
    """
    years = years_in(listing.title)
    if not years or has_files or any(_is_of_report(title) and years & years_in(title) for title in titles):
        return
    if sum(chapter in text for chapter in _CHAPTERS) >= 3:
        return
    links = sum(len(_packed(node.text(deep=True))) for node in tree.css("a"))
    if links > len(text) / 2:
        raise NotKept("other_page", "a page of links")
    if titles and not has_frames and not any(word in title for title in titles for word in _SUBJECT_WORDS):
        raise NotKept("other_page", f"it calls itself {titles[0][:60]!r}")


def _without_clock(text: str) -> str:
    """Text without what differs at every rendering: visitor counts and the time of day."""
    return _CLOCK.sub("", text) if any(word in text for word in _CLOCK_WORDS) else text


def _packed(text: str) -> str:
    """Text without any white space, the invisible kinds included."""
    return "".join(text.split()).replace("\u200b", "").replace("\ufeff", "")


def _is_trail(node: LexborNode) -> bool:
    text = node.text(deep=False) or ""
    return "当前位置" in text or "您的位置" in text or "所在位置" in text
