"""Article pages as portals build them: metas, breadcrumb, metadata in one of five shapes, a container."""

from __future__ import annotations

from html import escape
from random import Random

from tests.simulator.shelf import Item, Shelved

META_SHAPES = ("td", "th", "dl", "li", "colon")


def metadata(shelved: Shelved, shape: str) -> str:
    """索引号, 发布机构, 发布日期, 名称, 文号; the index number holds digits that look like a date."""
    report = shelved.report
    published = report.published_on
    rows = [
        (
            "索 引 号",
            f"{report.agency.region_code}/{published.year}-{published.month:02d}0{published.day:02d}",
        ),
        ("发布机构", report.agency.name),
        ("发布日期", published.isoformat()),
        ("名&nbsp;&nbsp;称", escape(report.title)),
        ("文　号", ""),
    ]
    if shape in ("td", "th"):
        cells = "".join(f"<tr><{shape}>{label}：</{shape}><td>{value}</td></tr>" for label, value in rows)
        return f'<table class="headInfo">{cells}</table>'
    if shape == "dl":
        return "<dl>" + "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in rows) + "</dl>"
    if shape == "li":
        items = "".join(f"<li><span>{label}：</span><span>{value}</span></li>" for label, value in rows)
        return f'<ul class="xxgk">{items}</ul>'
    return "".join(f"<p>{label}：{value}</p>" for label, value in rows)


def article(
    item: Item,
    body: str,
    site_name: str,
    charset: str,
    container: tuple[str, str],
    list_address: str,
    has_placeholders: bool = False,
    clock: str = "",
) -> str:
    """The page of a report or decoy. `has_placeholders`: the site's template was never filled in."""
    rng = Random(item.number)
    title, published = escape(item.title), item.published.isoformat()
    owner = item.report.agency.name if isinstance(item, Shelved) else site_name
    code = item.report.agency.region_code + "0001" if isinstance(item, Shelved) else "bm00000001"
    shape = rng.choice(META_SHAPES)
    table = metadata(item, shape) if isinstance(item, Shelved) else ""
    name = "网站名称" if has_placeholders else escape(site_name)
    source = "网站来源" if has_placeholders else escape(owner)
    code = "0000000000" if has_placeholders else code
    list_link = f'<a href="{escape(list_address)}">政府信息公开年报</a>'
    return f"""<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}">
<title>{title}-{escape(site_name)}</title>
<meta name="SiteName" content="{name}"><meta name="SiteDomain" content="www.example.gov.cn">
<meta name="SiteIDCode" content="{code}">
<meta name="ColumnName" content="政府信息公开年报"><meta name="ColumnType" content="政府信息公开">
<meta name="ArticleTitle" content="{title}"><meta name="PubDate" content="{published} 09:30">
<meta name="ContentSource" content="{source}">
<style>.nav li{{float:left}}</style><script>var siteId = 12; function share(){{}}</script></head>
<body><div class="top"><a href="/">首页</a> | <a href="/zwgk/">政务公开</a></div>
<div class="crumb">当前位置：<a href="/">首页</a> &gt; {list_link}</div>
{table}<h1>{title}</h1>
<div class="info">发布日期：{published} 来源：{escape(owner)} {clock}</div>
{container[0]}{body}{container[1]}
<div class="tools">字体：【大 中 小】 打印 关闭</div>
<div class="footer">主办单位：{escape(site_name)}</div></body></html>
"""
