"""Agencies with real region names and the code, level, kind and function a resolver should find.

The regions exist; what the agencies report is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Region:
    """A real region: code, name alone, name with the regions above it, level."""

    code: str
    name: str
    full_name: str
    level: str


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency and what identity resolution is expected to say of it.

    `name` is the full name, `short_name` what its own pages also call it; both stand for one agency.
    """

    name: str
    short_name: str
    region_code: str
    level: str
    kind: str
    function: str
    slug: str

    @property
    def key(self) -> str:
        return f"{self.region_code}-{self.slug}"


_REGIONS = """
110108 海淀区 北京市
120101 和平区 天津市
130104 桥西区 河北省石家庄市
140105 小店区 山西省太原市
150102 新城区 内蒙古自治区呼和浩特市
210300 鞍山市 辽宁省
210302 铁东区 辽宁省鞍山市
220102 南关区 吉林省长春市
230102 道里区 黑龙江省哈尔滨市
310115 浦东新区 上海市
320800 淮安市 江苏省
320813 洪泽区 江苏省淮安市
320831 金湖县 江苏省淮安市
321300 宿迁市 江苏省
321322 沭阳县 江苏省宿迁市
330106 西湖区 浙江省杭州市
330782 义乌市 浙江省金华市
340104 蜀山区 安徽省合肥市
350203 思明区 福建省厦门市
360102 东湖区 江西省南昌市
370285 莱西市 山东省青岛市
371000 威海市 山东省
371003 文登区 山东省威海市
410105 金水区 河南省郑州市
420102 江岸区 湖北省武汉市
430121 长沙县 湖南省长沙市
440106 天河区 广东省广州市
440300 深圳市 广东省
450103 青秀区 广西壮族自治区南宁市
460106 龙华区 海南省海口市
500153 荣昌区 重庆市
510107 武侯区 四川省成都市
510821 旺苍县 四川省广元市
520103 云岩区 贵州省贵阳市
530102 五华区 云南省昆明市
540102 城关区 西藏自治区拉萨市
610114 阎良区 陕西省西安市
620102 城关区 甘肃省兰州市
630104 城西区 青海省西宁市
640104 兴庆区 宁夏回族自治区银川市
650102 天山区 新疆维吾尔自治区乌鲁木齐市
"""


def _region(line: str) -> Region:
    code, name, above = line.split()
    return Region(code, name, above + name, "prefecture" if code.endswith("00") else "county")


REGIONS = tuple(_region(line) for line in _REGIONS.strip().splitlines())

OFFICES = (
    ("人民政府", "government", "government", "gov"),
    ("发展和改革局", "department", "development", "fgj"),
    ("教育局", "department", "education", "jyj"),
    ("财政局", "department", "finance", "czj"),
    ("林业局", "department", "forestry", "lyj"),
    ("住房和城乡建设局", "department", "housing", "zjj"),
    ("卫生健康委员会", "department", "health", "wjw"),
    ("市场监督管理局", "department", "market_regulation", "scjgj"),
    ("审计局", "department", "audit", "sjj"),
    ("公安局", "department", "public_security", "gaj"),
    ("民政局", "department", "civil_affairs", "mzj"),
    ("司法局", "department", "justice", "sfj"),
    ("交通运输局", "department", "transport", "jtj"),
    ("水务局", "department", "water", "swj"),
    ("农业农村局", "department", "agriculture", "nyj"),
    ("信访局", "department", "petitions", "xfj"),
    ("统计局", "department", "statistics", "tjj"),
    ("应急管理局", "department", "emergency", "yjj"),
    ("行政审批局", "department", "administrative_approval", "spj"),
    ("文化广电和旅游局", "department", "culture", "wlj"),
)
"""Office, kind, function, slug. `function` names are the simulator's own; a resolver may use others."""


def _office_name(region: Region, office: str) -> str:
    # A district inside a prefecture is commonly named with its prefecture, a province-level name without 省.
    provincial = ("省", "自治区")
    name = region.full_name
    for ending in provincial:
        if ending in name and not name.endswith(ending):
            name = name.split(ending, 1)[1]
            break
    return name + office


def agency(region: Region, office: tuple[str, str, str, str]) -> Agency:
    """The agency that is `office` of `region`."""
    name, kind, function, slug = office
    return Agency(
        _office_name(region, name), region.name + name, region.code, region.level, kind, function, slug
    )


def agencies_of(region: Region, count: int | None = None) -> list[Agency]:
    """The region's government first, then its departments."""
    return [agency(region, office) for office in OFFICES[:count]]


def all_agencies() -> list[Agency]:
    return [one for region in REGIONS for one in agencies_of(region)]


def pick_agencies(seed: int, count: int) -> list[Agency]:
    """`count` different agencies, spread over the regions."""
    everyone = all_agencies()
    if count > len(everyone):
        raise ValueError(f"the simulator knows {len(everyone)} agencies, {count} were asked for")
    return Random(seed).sample(everyone, count)
