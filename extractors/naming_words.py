"""The words and patterns that names of agencies and years are told by, from `forms/naming.yml`; a name made clean.

Knows no document: what is looked at, and in which order, is decided in `titles` and `naming`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from extractors.labels import fold

WORDS_FILE = Path(__file__).parent / "forms" / "naming.yml"
LONGEST_NAME = 40
YEAR = r"(?:20)?20[0-4]\d"  # 202020年: the century is sometimes printed twice
OTHER_YEARS = re.compile(
    r"[〔\[(]20\d\d[〕\])]第?\d*号|20\d\d年\d{1,2}月(?:\d{1,2}日)?|20\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{7,}"
)
_CHINESE_YEAR = re.compile(
    r"[二2][零〇○◯OoQОоΟο0][零〇○◯OoQОоΟο0一二三四1-4][零〇○◯OoQОоΟο0一二三四五六七八九\d](?=年|度)"
)
"""Zeros are typed as whatever looks round: letters O and Q, Cyrillic and Greek ones, circles."""
_CHINESE_DIGITS = str.maketrans("零〇○◯OoQОоΟο一二三四五六七八九", "00000000000123456789")
PERIOD = re.compile(
    rf"(?P<first>{YEAR})年?0?\d{{1,2}}月0?\d{{1,2}}日?(?:零时|起|开始)?[至到—~-]+(?:(?P<last>{YEAR})年?)?12月31日"
)
PRINTED_DAY = r"20\d\d[-年./]\d{1,2}[-月./]\d{1,2}"
QUOTES = re.compile(r"[《》〈〉“”\"'‘’「」『』【】#*]")
_NAME_CHARACTERS = re.compile(r"[\u3400-\u9fff\ue000-\uf8ffA-Za-z0-9()·、\-\U00020000-\U0003ffff]+")
YEAR_LINE = re.compile(rf"[(\[]?(?P<year>{YEAR})年?度?[)\]]?")
_NEIGHBOUR = r"[\W_]{{0,3}}(?:{0})(?:$|[\W_])"
_SELF = re.compile(r"^(?:我|本)[省市县区州旗盟镇乡局厅委办院会街道中心部门单位机关]{1,3}$")
_SITE = re.compile(r"(?:门户|政务|政府门户)?(?:网站|网)$")
_SHORT_CALLED = re.compile(r"\((?:以下|下称|简称)[^()]*\)?$")
_TRADITIONAL = re.compile(
    "[們個無區縣鎮鄉門務財資訊開關於發佈報編製機構辦廳衛協勞動會體環農業統計審監設國質總園藝術廣電視]"
)
_NOT_REGIONS = re.compile("市场|城市|城镇|社区|园区|地区|区域|市容|市政|乡村|灾区|城区|林区|小区|县域")
_REGION_INSIDE = re.compile(r".[省市县区州旗盟乡镇]|街道|^国家|^中国|^中华|^全国|^国务院|总局|^中共")


class Words(NamedTuple):
    """`naming.yml`, made ready."""

    is_agency: re.Pattern[str]
    is_region: re.Pattern[str]
    no_names: frozenset[str]
    many: tuple[str, ...]
    agency_labels: tuple[str, ...]
    title_labels: tuple[str, ...]
    date_labels: tuple[str, ...]
    before: re.Pattern[str]
    after: re.Pattern[str]
    foot: re.Pattern[str]
    page_foot: re.Pattern[str]
    neighbour: re.Pattern[str]
    neighbour_starts: frozenset[str]
    media: re.Pattern[str]
    is_government: re.Pattern[str]
    is_office: re.Pattern[str]
    self_office: re.Pattern[str]
    self_town: re.Pattern[str]
    town: re.Pattern[str]
    printed_date: re.Pattern[str]
    printed_agency: re.Pattern[str]


def clean_name(text: str) -> str:
    """The agency's name in a piece of text that should hold nothing else; "" when it is none."""
    words = words_of_names()
    name = _SHORT_CALLED.sub("", QUOTES.sub("", text))
    while True:
        shorter = words.after.sub("", words.before.sub("", name))
        if shorter == name:
            break
        name = shorter
    if name in words.no_names or name.startswith(words.many):
        return ""
    name = _SITE.sub("", name)
    half = len(name) // 2
    if half > 2 and name[:half] == name[half:]:
        name = name[:half]
    if (
        not 2 <= len(name) <= LONGEST_NAME
        or not _NAME_CHARACTERS.fullmatch(name)
        or name.count("(") != name.count(")")
    ):
        return ""
    if name in words.no_names or _SELF.match(name) or "报告" in name or "年报" in name:
        return ""
    core = re.sub(r"\([^()]*\)$", "", name) or name
    return name if words.is_agency.search(core) or words.is_region.search(core) else ""


def is_bare(name: str) -> bool:
    """Whether the name says an office but not whose."""
    return not _REGION_INSIDE.search(_NOT_REGIONS.sub("", name))


def plain_line(text: str) -> str:
    """Folded, in simplified characters, years in digits."""
    folded = fold(text)
    if _TRADITIONAL.search(folded):
        folded = str(_to_simplified().convert(folded))
    return simple_years(folded)


def simple_years(text: str) -> str:
    if "年" not in text and "度" not in text:
        return text
    return _CHINESE_YEAR.sub(lambda match: match[0].translate(_CHINESE_DIGITS).replace("二", "2"), text)


@cache
def _to_simplified() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


@cache
def words_of_names() -> Words:
    content: dict[str, list[str]] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf8"))
    either = {
        name: "|".join(sorted(map(re.escape, words), key=len, reverse=True))
        for name, words in content.items()
    }
    dates = "|".join(
        re.escape(word) for word in sorted(content["date_labels"], key=len, reverse=True) if len(word) > 2
    )
    return Words(
        is_agency=re.compile(f"(?:{either['agency_endings']})$"),
        is_region=re.compile(f"(?:{either['region_endings']})$"),
        no_names=frozenset(content["no_names"]),
        many=tuple(content["many_beginnings"]),
        agency_labels=tuple(content["agency_labels"]),
        title_labels=tuple(content["title_labels"]),
        date_labels=tuple(content["date_labels"]),
        before=re.compile(rf"^(?:{either['before_name']}|[()、·:\-](?!国))"),
        after=re.compile(rf"(?:{either['after_name']}|[(、·:\-])$"),
        foot=re.compile(either["foot_words"]),
        page_foot=re.compile(
            rf"[^,。;]{{0,10}}(?:{either['page_foot_words']})|{_NEIGHBOUR.format(either['neighbour_words'])}"
        ),
        neighbour=re.compile(_NEIGHBOUR.format(either["neighbour_words"])),
        neighbour_starts=frozenset(word[0] for word in content["neighbour_words"]),
        media=re.compile(f"(?:{either['media_endings']})$"),
        is_government=re.compile(f"(?:{either['government_endings']})$"),
        is_office=re.compile(f"(?:{either['self_offices']}|委员会)$"),
        self_office=re.compile(f"我(?:{either['self_offices']})"),
        self_town=re.compile(f"我(?:{either['self_towns']})"),
        town=re.compile(f"{either['self_towns']}|街道"),
        printed_date=re.compile(rf"(?P<label>{dates})\]?:?[\[(]?(?P<date>{PRINTED_DAY})"),
        printed_agency=re.compile(
            rf"(?P<label>{either['agency_labels']})(?:\((?:盖章|公章|章)\))?[:\]](?P<name>[^,。;:!?\s]{{2,40}}?)"
            r"(?=发布|公开|日期|时间|字号|字体|浏览|点击|访问|作者|编辑|责任|打印|\[|\||$)"
        ),
    )
