"""The prose around the tables: first sentence, chapters, signature."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulator.figures import Report


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph, or the place of the table of that name."""

    text: str = ""
    table: str = ""


def _free_form(report: Report) -> list[str]:
    """A report of the years before there was a form: every figure stands in a sentence."""
    n = {key[0].removeprefix("narrative."): printed.text for key, printed in report.cells.items()}
    return [
        "一、概述",
        f"{report.year}年，本机关认真贯彻《政府信息公开条例》，稳步推进政府信息公开工作。",
        "二、主动公开政府信息情况",
        f"全年共主动公开政府信息{n['published.items']}条，其中通过政府网站公开{n['published.website']}条，"
        f"通过微信公众号公开{n['published.wechat']}条，通过政务微博公开{n['published.weibo']}条。",
        f"全年发布政策解读稿件{n['policy_explanations']}篇。",
        f"全年共办理人大代表建议和政协提案{n['proposals.handled']}件。",
        "三、依申请公开政府信息情况",
        f"全年共收到政府信息公开申请{n['requests.received']}件，办结{n['requests.completed']}件。",
        f"全年收取信息处理费{n['request_fees']}元。",
        "四、因政府信息公开申请行政复议、提起行政诉讼情况",
        f"全年因政府信息公开引发行政复议{n['review.cases']}件，行政诉讼{n['litigation.cases']}件。",
    ]


def parts_of(report: Report, repeats_labels: bool = False) -> list[Part]:
    """The report in reading order; `repeats_labels` puts row labels with numbers into the prose as well."""
    name, year = report.agency.name, report.year
    opening = [
        Part(f"本报告由{name}编制，所列数据的统计期限为{year}年1月1日至{year}年12月31日。"),
        Part("一、总体情况"),
        Part(f"{year}年，本机关依照政府信息公开有关规定开展工作。"),
    ]
    closing = [
        Part("五、存在的主要问题及改进情况"),
        Part("主动公开的内容和形式有待丰富，下一步将继续改进。"),
        Part("六、其他需要报告的事项"),
        Part("无其他需要报告的事项。"),
        Part(name),
        Part(f"{report.published_on.year}年{report.published_on.month}月{report.published_on.day}日"),
    ]
    if report.form == "2008":
        return [opening[0], *map(Part, _free_form(report)), *closing]
    if report.form == "2014":
        return [*opening, Part(f"政府信息公开情况统计表（{year}年度）"), Part(table="statistics"), *closing]
    repeated = [
        Part("（一）予以公开 3 件，（二）部分公开 2 件；行政许可 15 项，规章 4 件。"),
        Part("三、本年度办理结果良好，总计答复 98 件，行政复议 7 件。"),
    ]
    return [
        *opening,
        *(repeated if repeats_labels else []),
        Part("二、主动公开政府信息情况"),
        Part(table="proactive"),
        Part("三、收到和处理政府信息公开申请情况"),
        Part(table="requests"),
        Part("四、政府信息公开行政复议、行政诉讼情况"),
        Part(table="review_litigation"),
        *closing,
    ]
