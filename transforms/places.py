"""Which region a printed agency name begins with, and where the office begins in it.

Goes down from the province as far as a name does, with the portal's region where the name has none of its own. Every
region a name can mean is kept; one is chosen only when portal or year leave a single one. Knows no agency.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from extractors.labels import fold
from transforms.offices import known_office
from transforms.regions import COUNTRY, NameIndex, Region, Regions, short_forms

GOVERNMENT = {"", "人民政府", "政府", "行政公署", "行署", "人民政府(本级)", "政府(本级)", "本级"}
GENERAL_OFFICE = re.compile(r"^(?:(?:人民)?政府|行政公署|行署)办(?:公[室厅])?(?:\([^()]*\))?$|^府办$")
TOWN = re.compile(
    r"^(?P<town>[^()]{1,12}?(?P<kind>镇|乡|街道|苏木))(?P<rest>人民政府|政府|(?:街道)?办事处|办)?$"
)
ZONE = re.compile(
    r"^(?P<zone>自由贸易试验区(?:.{2,10}?片区)?|.{0,16}?(?:技术产业开发区|技术开发区|经济开发区|产业开发区|工业开发区|高新区|经开区|开发区|新区|工业园区|产业园区|园区|产业园|工业园|"
    r"保税港区|保税区|示范区|试验区|实验区|管理区|合作区|旅游度假区|度假区|风景名胜区|风景区|自贸片区|片区|投资区|科技城新区|科技城|生态城|生态园|"
    r"港务区|港区|新城区|新城))"
    r"(?:\([^()]{1,12}\))?(?P<rest>.*)$"
)
COMMITTEE = {
    "",
    "管理委员会",
    "管委会",
    "开发建设管理委员会",
    "党工委管委会",
    "管理委员会办公室",
    "管委会办公室",
}
BRANCH = re.compile(r"^(?P<office>.+?(?:局|支队|大队|厅))(?P<place>.{1,10}?)(?P<kind>分局|分中心|管理局)$")
_NOT_REGIONS = re.compile(
    "市场|城市|城镇|社区|园区|地区|区域|市容|市政|乡村|城乡|林区|小区|开发区|新区|保护区|景区"
)
_REGION_INSIDE = re.compile(r".[省市县区州旗盟]")
_FREE_TRADE = re.compile(r"^中国\(([^()]{2,6})\)(?=自由贸易试验区|科技城)")
_GOES_ON = "山湖江河海溪泉"
"""After these a name is longer than the region it begins with: 长白山保护开发区 is not in 长白县."""
_LEAD = {"province": "省", "prefecture": "市州盟", "county": "县区市旗"}


class Place(NamedTuple):
    """The region a name begins with: `codes` are all it can mean, `rest` is what follows, `printed` what was read."""

    codes: tuple[str, ...]
    rest: str
    printed: str
    zone: str = ""


def place_of(name: str, portal: str, regions: Regions) -> Place:
    """Reads the region at the beginning of a name, going down as far as the name does."""
    place = chain(name, regions, regions.names)
    if place.codes:
        return _short_inside(place, regions)
    place = _by_short_name(_FREE_TRADE.sub(r"\1", name), regions)
    if place.codes or not portal:
        return _short_inside(place, regions)
    return _in_portal(name, portal, regions)


def _short_inside(place: Place, regions: Regions) -> Place:
    """One step down by a short name: 宿迁市沭阳生态环境局 and 江苏省淮安工商局 are offices in 沭阳县 and 淮安市.

    九江市九江经济技术开发区 says its own city twice.
    """
    is_zone = not known_office(place.rest) and ZONE.match(place.rest) and is_office(place.rest)
    if place.zone or (is_office(place.rest) and not is_zone):
        return place
    own = {form for code in place.codes for form in _own_short_names(code, regions)}
    if is_zone and (said_twice := next((form for form in own if place.rest.startswith(form)), "")):
        rest = place.rest[len(said_twice) :]
        return place._replace(rest=rest) if is_office(rest) else place
    for text, found in regions.prefixes(place.rest, frozenset(place.codes), regions.short_names):
        rest = place.rest[len(text) :]
        codes = outermost({region.same_as for region in found}, regions, districts_only=not is_zone)
        if is_zone:
            codes = _holders_of_zone(codes, rest, regions)
        if codes and (known_office(rest) or (is_zone and is_office(rest))):
            return Place(tuple(sorted(codes)), rest, place.printed + text)
    return place


def _own_short_names(code: str, regions: Regions) -> set[str]:
    region = regions.by_code[code]
    return short_forms(region.name, region.level)


def _holders_of_zone(codes: Iterable[str], zone: str, regions: Regions) -> tuple[str, ...]:
    """Of regions whose short name stands before a zone those that hold it: 湖滨新区 need not lie in 湖滨区."""
    if zone[:1] in tuple(_GOES_ON):
        return ()
    return tuple(code for code in codes if not regions.by_code[code].name.endswith("区"))


def _by_short_name(name: str, regions: Regions) -> Place:
    """沭阳发改局, 海丰经济开发区. A district's short name says nothing before a zone: 湖滨新区 need not lie in 湖滨区.

    Of 九江市 and 九江县 a zone 九江经济技术开发区 lies surely in the city only.
    """
    place = chain(name, regions, regions.short_names)
    if not place.codes or not is_office(place.rest):
        return Place((), name, "")
    # A customs office bears the name of its city, 长沙海关 not that of 长沙县.
    inner = outermost(place.codes, regions, districts_only=place.rest != "海关")
    if known_office(place.rest.removeprefix("人民政府")) or not ZONE.match(place.rest):
        return place._replace(codes=inner)
    codes = _holders_of_zone(outermost(place.codes, regions, districts_only=False), place.rest, regions)
    return place._replace(codes=codes) if codes else Place((), name, "")


def chain(name: str, regions: Regions, first: NameIndex) -> Place:
    """Province, prefecture, county, township as far as they are printed: 江苏省淮安市洪泽区 | 审计局."""
    codes: frozenset[str] = frozenset()
    meant: tuple[Region, ...] = ()
    rest, printed = name, ""
    while rest:
        step = next(regions.prefixes(rest, codes, regions.names if codes else first), None)
        if not step and codes:
            towns = rest.removeprefix("人民政府") if rest != "人民政府" else rest
            step = next(regions.prefixes(towns, codes, regions.townships), None)
            if step:
                rest = towns
        if not step:
            break
        text, meant = step
        codes = frozenset(region.code for region in meant)
        rest, printed = rest[len(text) :], printed + text
        if any(region.level == "township" for region in meant) or any(region.zone for region in meant):
            break
    zone = next((region.zone for region in meant if region.zone), "")
    return Place(tuple(sorted({region.same_as for region in meant})), rest, printed, zone)


def _in_portal(name: str, portal: str, regions: Regions) -> Place:
    """A name without a region of its own: the portal's region, or a township or county inside it."""
    within = frozenset({portal})
    for names in (regions.names, regions.townships, regions.short_names):
        for text, found in regions.prefixes(name, within, names):
            rest = name[len(text) :]
            if names is not regions.short_names or is_office(rest):
                return Place(tuple(sorted({r.same_as for r in found})), rest, text)
    region = regions.by_code[portal]
    rest = name
    if len(name) > 2 and region.name.endswith(name[0]) and name[0] in _LEAD.get(region.level, ""):
        rest = name[1:]  # 县财政局 on the county's own portal
    elif known_office(name) is None and name[0] in "省市县区州旗镇乡" and is_office(name[1:]):
        return Place((), name, "")  # 市财政局 on a county's portal is another region's
    if not (is_office(rest) or TOWN.match(rest)) and _REGION_INSIDE.search(_NOT_REGIONS.sub("", rest)):
        return Place((), name, "")  # begins with a region that is on no list: not the portal's
    return Place((portal,), rest, "")


def unknown_region(rest: str) -> str:
    """The region no list knows that stands before an office (沐阳县 | 审计局), or ""."""
    if known_office(rest) or ZONE.match(rest) or BRANCH.match(rest):
        return ""
    match = re.match(r"[\u3400-\u9fff]{1,8}?[县市区旗州]", rest)
    if (
        match
        and (tail := rest[match.end() :])
        and is_office(tail)
        and not match[0].endswith(("地区", "社区", "园区"))
    ):
        return match[0]
    return ""


def choose(codes: Iterable[str], portal: str, year: int | None, regions: Regions) -> str:
    """The one region meant, or "": by the portal's region, then by the year."""
    left = sorted(set(codes))
    if len(left) > 1 and portal:
        left = [
            code for code in left if regions.is_within(code, portal) or regions.is_within(portal, code)
        ] or left
    if len(left) > 1 and year is None:
        # 毕节市 without a year is the city of today, not the one inside it that bore this name until 2011.
        outer = outermost(left, regions, districts_only=False)
        names = {regions.by_code[code].name for code in outer}
        left = [code for code in left if code in outer or regions.by_code[code].name not in names]
    if len(left) > 1 and year is not None:
        left = [code for code in left if regions.existed(code, year)] or left
        # The report for the year of a change is written after it, by the later of the two.
        left = [code for code in left if (regions.by_code[code].valid_to or year + 1) > year] or left
    return left[0] if len(left) == 1 else ""


def outermost(codes: Iterable[str], regions: Regions, districts_only: bool) -> tuple[str, ...]:
    """The regions without those that lie in another of them: 淮安 alone is 淮安市, not 淮安区 in it.

    districts_only: leave out districts (区) only, since 邢台 can be 邢台县 as well as 邢台市.
    """
    codes = tuple(codes)
    return tuple(
        code
        for code in codes
        if (districts_only and not regions.by_code[code].name.endswith("区"))
        or not any(other != code and regions.is_within(code, other) for other in codes)
    )


def portal_code(portal_region: str, regions: Regions) -> str:
    """The portal's region as a known code, or "": 12-digit codes are cut, a code given up is followed."""
    code = fold(portal_region)
    code = code[:9] if len(code) > 9 else code
    for known in (code, code[:6]):
        if known in regions.by_code and known != COUNTRY:
            return regions.by_code[known].same_as
    return ""


def is_office(text: str) -> bool:
    """Whether a text after a short region name (沭阳 | 发改局) makes it certain that it was one."""
    return bool(
        (text and text in GOVERNMENT)
        or text == "海关"
        or GENERAL_OFFICE.match(text)
        or known_office(text.removeprefix("人民政府"))
        or ((zone := ZONE.match(text)) and (zone["rest"] in COMMITTEE or known_office(zone["rest"])))
    )
