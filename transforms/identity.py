"""Which agency a printed name means: its region by national code, its office, kind and function, as one stable id.

洪泽区人民政府 and 淮安市洪泽区人民政府 are one agency; 审计局 takes its region from the portal or stays unresolved and says
why. Never guesses between two regions and never merges two agencies because their names look alike.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from extractors.labels import fold
from transforms.offices import Office, digest, known_office, national_body, office_named
from transforms.regions import COUNTRY, NameIndex, Region, Regions, load_regions, national_code

REFERENCE = Path(__file__).parent / "reference"
COLUMNS = (
    *("agency_id", "name", "region_code", "region_name", "level", "kind", "function"),
    *("parent_agency_id", "valid_from", "valid_to", "is_resolved", "unresolved_reason"),
)
FIRST_LISTED_YEAR = 1980
"""The region lists begin here: a region in the first one may be older."""

_GOVERNMENT = {"", "人民政府", "政府", "行政公署", "行署", "人民政府(本级)", "政府(本级)", "本级"}
_GENERAL_OFFICE = re.compile(r"^(?:(?:人民)?政府|行政公署|行署)办(?:公[室厅])?(?:\([^()]*\))?$|^府办$")
_TOWN = re.compile(
    r"^(?P<town>[^()]{1,12}?(?P<kind>镇|乡|街道|苏木))(?P<rest>人民政府|政府|(?:街道)?办事处|办)?$"
)
_SUBDISTRICT = re.compile(r"^(?:人民政府)?(?:街道)?(?:办事处|办)?$")
_ZONE = re.compile(
    r"^(?P<zone>自由贸易试验区(?:.{2,10}?片区)?|.{0,16}?(?:技术产业开发区|技术开发区|经济开发区|产业开发区|工业开发区|高新区|经开区|开发区|新区|工业园区|园区|产业园|工业园|"
    r"保税港区|保税区|示范区|试验区|实验区|管理区|合作区|旅游度假区|度假区|风景名胜区|风景区|自贸片区|片区|生态城|生态园|"
    r"港务区|港区|新城区|新城))"
    r"(?:\([^()]{1,12}\))?(?P<rest>.*)$"
)
_ZONE_SHORT = (("经开区", "经济技术开发区"), ("高新区", "高新技术产业开发区"))
_COMMITTEE = {
    "",
    "管理委员会",
    "管委会",
    "开发建设管理委员会",
    "党工委管委会",
    "管理委员会办公室",
    "管委会办公室",
}
_BRANCH = re.compile(r"^(?P<office>.+?(?:局|支队|大队|厅))(?P<place>.{1,10}?)(?P<kind>分局|分中心)$")
_NOT_REGIONS = re.compile(
    "市场|城市|城镇|社区|园区|地区|区域|市容|市政|乡村|城乡|林区|小区|开发区|新区|保护区|景区"
)
_REGION_INSIDE = re.compile(r".[省市县区州旗盟]")
_FREE_TRADE = re.compile(r"^中国\(([^()]{2,6})\)(?=自由贸易试验区)")
_GOES_ON = "山湖江河海溪泉"
"""After these a name is longer than the region it begins with: 长白山保护开发区 is not in 长白县."""
_LEAD = {"province": "省", "prefecture": "市州盟", "county": "县区市旗"}
_TRADITIONAL = re.compile(
    "[個無區縣鎮鄉門務財資訊開關於發佈報編製機構辦廳衛協勞動體環農業統計審監設國質總園藝術廣電視灣]"
)


class _Place(NamedTuple):
    """The region a name begins with: `codes` are all it can mean, `rest` is what follows, `printed` what was read."""

    codes: tuple[str, ...]
    rest: str
    printed: str
    zone: str = ""


def resolve_agencies(names: pd.DataFrame) -> pd.DataFrame:
    """Agencies of printed names: one row an input row, in its order, with the columns of table `agencies`.

    names: columns agency_name, portal_region (national code of 6 or 9 digits, or "") and portal_id; optionally `year`,
    which decides between regions that bore the same name at different times. Every way of printing one agency gives
    the same row. Where the region cannot be told, is_resolved is False, unresolved_reason says why, and the id holds
    the portal, so that two agencies of one name never merge.
    """
    keys = ["agency_name", "portal_region", "portal_id", *(["year"] if "year" in names.columns else [])]
    asked = names[keys].copy()
    for column in keys[:3]:
        asked[column] = asked[column].fillna("").astype(str)
    unique = asked.drop_duplicates()
    years = unique["year"] if "year" in keys else [None] * len(unique)
    rows = [
        _resolve(name, region, portal, None if year is None or pd.isna(year) else int(year))
        for name, region, portal, year in zip(
            unique["agency_name"], unique["portal_region"], unique["portal_id"], years, strict=True
        )
    ]
    found = pd.DataFrame(rows, columns=list(COLUMNS), index=unique.index)
    for column in ("valid_from", "valid_to"):
        found[column] = found[column].astype("Int32")
    places = asked.assign(_row=range(len(asked))).merge(
        unique.assign(_unique=range(len(unique))), on=keys, how="left", sort=False
    )
    return found.iloc[places["_unique"].to_numpy()].reset_index(drop=True)


def _resolve(printed: str, portal_region: str, portal_id: str, year: int | None) -> tuple[Any, ...]:
    """One row of `agencies` (the values in the order of COLUMNS)."""
    regions = load_regions()
    name = _without_former(_plain(printed), regions)
    name = _aliases().get(name, name)
    portal = _portal_code(portal_region, regions)
    if override := _overrides().get((name, portal_id)) or _overrides().get((name, "")):
        return _overridden(override, regions)
    if not name:
        return _unresolved(printed, name, portal_region, portal_id, "The report names no agency.")
    if name.startswith("中华人民共和国"):
        name = name.removeprefix("中华人民共和国")
    name = name.removeprefix("中共")
    if body := national_body(name):
        return _central(body[0], body[1], printed, portal, portal_id, year, regions)
    place = _place(name, portal, regions)
    if not place.codes:
        reason = f"The name {name!r} says no region known by it, and the portal tells none."
        if portal:
            where = regions.path(portal)
            reason = f"The name {name!r} begins with no region that lies in that of the portal ({where})."
        return _unresolved(printed, name, portal_region, portal_id, reason)
    code = _choose(place.codes, portal, year, regions)
    if not code:
        choices = ", ".join(f"{c} {regions.path(c)}" for c in sorted(set(place.codes))[:6])
        told = (
            f"the portal ({regions.path(portal)}) does not tell which" if portal else "no portal tells which"
        )
        return _unresolved(
            printed,
            name,
            portal_region,
            portal_id,
            f"{place.printed or name!r} can be {choices}; {told}.",
            place.rest,
        )
    if unknown := _unknown_region(place.rest):
        reason = f"{unknown!r} in {name!r} is a region on no list, so the office's region is not known."
        return _unresolved(printed, name, portal_region, portal_id, reason)
    return _agency(code, place.zone, place.rest, regions)


# --- regions


def _place(name: str, portal: str, regions: Regions) -> _Place:
    """Reads the region at the beginning of a name, going down as far as the name does."""
    place = _chain(name, regions, regions.names)
    if not place.codes:
        place = _by_short_name(_FREE_TRADE.sub(r"\1", name), regions)
    if place.codes or not portal:
        return place
    return _in_portal(name, portal, regions)


def _by_short_name(name: str, regions: Regions) -> _Place:
    """沭阳发改局, 海丰经济开发区. A district's short name says nothing before a zone: 湖滨新区 need not lie in 湖滨区."""
    place = _chain(name, regions, regions.short_names)
    if not place.codes or not _is_office(place.rest):
        return _Place((), name, "")
    if known_office(place.rest.removeprefix("人民政府")) or not _ZONE.match(place.rest):
        return place
    codes = tuple(code for code in place.codes if not regions.by_code[code].name.endswith("区"))
    if not codes or place.rest[0] in _GOES_ON:
        return _Place((), name, "")
    return place._replace(codes=codes)


def _chain(name: str, regions: Regions, first: NameIndex) -> _Place:
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
    return _Place(tuple(sorted({region.same_as for region in meant})), rest, printed, zone)


def _in_portal(name: str, portal: str, regions: Regions) -> _Place:
    """A name without a region of its own: the portal's region, or a township or county inside it."""
    within = frozenset({portal})
    for names in (regions.names, regions.townships, regions.short_names):
        for text, found in regions.prefixes(name, within, names):
            rest = name[len(text) :]
            if names is not regions.short_names or _is_office(rest):
                return _Place(tuple(sorted({r.same_as for r in found})), rest, text)
    region = regions.by_code[portal]
    rest = name
    if len(name) > 2 and region.name.endswith(name[0]) and name[0] in _LEAD.get(region.level, ""):
        rest = name[1:]  # 县财政局 on the county's own portal
    elif known_office(name) is None and name[0] in "省市县区州旗镇乡" and _is_office(name[1:]):
        return _Place((), name, "")  # 市财政局 on a county's portal is another region's
    if not (_is_office(rest) or _TOWN.match(rest)) and _REGION_INSIDE.search(_NOT_REGIONS.sub("", rest)):
        return _Place((), name, "")  # begins with a region that is on no list: not the portal's
    return _Place((portal,), rest, "")


def _unknown_region(rest: str) -> str:
    """The region no list knows that stands before an office (沐阳县 | 审计局), or ""."""
    if known_office(rest) or _ZONE.match(rest) or _BRANCH.match(rest):
        return ""
    match = re.match(r"[\u3400-\u9fff]{1,8}?[县市区旗州]", rest)
    if (
        match
        and (tail := rest[match.end() :])
        and _is_office(tail)
        and not match[0].endswith(("地区", "社区", "园区"))
    ):
        return match[0]
    return ""


def _choose(codes: Iterable[str], portal: str, year: int | None, regions: Regions) -> str:
    """The one region meant, or "": by the portal's region, then by the year."""
    left = sorted(set(codes))
    if len(left) > 1 and portal:
        left = [
            code for code in left if regions.is_within(code, portal) or regions.is_within(portal, code)
        ] or left
    if len(left) > 1 and year is not None:
        left = [code for code in left if _existed(regions.by_code[code], year)] or left
    return left[0] if len(left) == 1 else ""


def _existed(region: Region, year: int) -> bool:
    return (region.valid_from or year) <= year <= (region.valid_to or year)


def _portal_code(portal_region: str, regions: Regions) -> str:
    """The portal's region as a known code, or "": 12-digit codes are cut, a code given up is followed."""
    code = fold(portal_region)
    code = code[:9] if len(code) > 9 else code
    for known in (code, code[:6]):
        if known in regions.by_code and known != COUNTRY:
            return regions.by_code[known].same_as
    return ""


# --- offices


def _is_office(text: str) -> bool:
    """Whether a text after a short region name (沭阳 | 发改局) makes it certain that it was one."""
    return bool(
        (text and text in _GOVERNMENT)
        or text == "海关"
        or _GENERAL_OFFICE.match(text)
        or known_office(text.removeprefix("人民政府"))
        or ((zone := _ZONE.match(text)) and (zone["rest"] in _COMMITTEE or known_office(zone["rest"])))
    )


def _agency(code: str, zone: str, rest: str, regions: Regions) -> tuple[Any, ...]:
    """The row of a resolved agency: an office of a region, of a zone in it, or of a township in it."""
    region = regions.by_code[code]
    if region.level == "township" and not zone:
        return _of_township(region, rest, regions)
    if rest in _GOVERNMENT and not zone:
        return _row(region, regions, "government", _government_name(region, regions), "government", None)
    if rest in _COMMITTEE and not zone:
        name = _prefix(region, regions) + "管理委员会"
        return _row(region, regions, "committee", name, "agency", "development_zone")
    if rest == "海关":
        name = _short(region.name) + rest
        above = f"{COUNTRY}-customs_administration"
        return _row(region, regions, "customs", name, "department", "customs", parent=above)
    if _GENERAL_OFFICE.match(rest) and not zone:
        title = "办公厅" if region.level == "province" or rest.endswith("办公厅") else "办公室"
        full = _government_name(region, regions) + title
        return _row(region, regions, "general_office", full, "general_office", "general_office")
    rest = rest.removeprefix("人民政府") or rest
    if zone:
        return _of_zone(region, zone, _zone_names()[zone], rest, regions)
    if (town := _TOWN.match(rest)) and not known_office(rest):
        return _of_unlisted_town(region, "", _prefix(region, regions), town, regions)
    if branch := _BRANCH.match(rest):
        place = branch["place"]
        named = (*regions.names.get(place), *regions.short_names.get(place))
        exact = {r.same_as for r in named if r.code != code and regions.is_within(r.code, code)}
        if len(exact) == 1:
            inner = regions.by_code[exact.pop()]
            office = office_named(branch["office"])
            name = _prefix(region, regions) + office.name + place + branch["kind"]
            return _row(inner, regions, f"{office.slug}_branch", name, office.kind, office.function)
    known = known_office(rest)
    if known is None and (inside := _ZONE.match(rest)) and not rest.startswith(("城市", "新区建")):
        full, whose = inside["zone"], _prefix(region, regions)
        if full.startswith("自由贸易试验区"):
            whose = f"中国({_short(region.name)})"
        for short, long in _ZONE_SHORT:
            full = full.removesuffix(short) + long if full.endswith(short) else full
        return _of_zone(region, f"zone-{digest(full)}", whose + full, inside["rest"], regions)
    office = known or office_named(rest)
    return _row(
        region, regions, office.slug, _prefix(region, regions) + office.name, office.kind, office.function
    )


def _of_township(town: Region, rest: str, regions: Regions) -> tuple[Any, ...]:
    name = _prefix(town, regions)
    if town.name.endswith("街道") and _SUBDISTRICT.match(rest):
        return _row(town, regions, "subdistrict_office", name + "办事处", "subdistrict", None)
    if rest in _GOVERNMENT:
        return _row(town, regions, "government", name + "人民政府", "township", None)
    office = office_named(rest.removeprefix("人民政府") or rest)
    return _row(town, regions, office.slug, name + office.name, office.kind, office.function)


def _of_unlisted_town(
    region: Region, zone: str, place: str, town: re.Match[str], regions: Regions
) -> tuple[Any, ...]:
    """A township that is on no list (given up, renamed, or of a zone): its county is certain, its code is not."""
    kind, ending = ("subdistrict", "办事处") if town["kind"] == "街道" else ("township", "人民政府")
    slug = "-".join(filter(None, (zone, f"town-{digest(town['town'])}")))
    parent = f"{region.code}-{zone}-committee" if zone else f"{region.code}-government"
    name = place + town["town"] + ending
    return _row(region, regions, slug, name, kind, None, level="township", parent=parent)


def _of_zone(region: Region, zone: str, zone_name: str, rest: str, regions: Regions) -> tuple[Any, ...]:
    if rest in _GOVERNMENT and zone_name.endswith("区") and not _ZONE.match(zone_name):
        name = zone_name + "人民政府"
        return _row(region, regions, f"{zone}-government", name, "government", "government", level="county")
    if rest in _COMMITTEE or rest in _GOVERNMENT:
        name = zone_name + "管理委员会"
        return _row(region, regions, f"{zone}-committee", name, "agency", "development_zone")
    if town := _TOWN.match(rest):
        return _of_unlisted_town(region, zone, zone_name, town, regions)
    office = office_named(rest.removeprefix("管理委员会").removeprefix("管委会") or rest)
    name = zone_name + office.name
    return _row(region, regions, f"{zone}-{office.slug}", name, office.kind, office.function)


def _central(
    body: Office, rest: str, printed: str, portal: str, portal_id: str, year: int | None, regions: Regions
) -> tuple[Any, ...]:
    """A central body, or its office in a region (国家税务总局沭阳县税务局, 国家统计局湖北调查总队)."""
    country = regions.by_code[COUNTRY]
    if not rest or rest in ("办公厅", "办公室"):
        slug = body.slug + ("-general_office" if rest else "")
        return _row(country, regions, slug, body.name + rest, "department", body.function, parent=None)
    place = _chain(rest, regions, regions.names)
    if not place.codes:
        place = _chain(rest, regions, regions.short_names)
    code = _choose(place.codes, portal, year, regions) if place.codes else ""
    if not code and not place.codes and known_office(body.name + rest) is None:
        office = office_named(rest)
        name = body.name + rest
        return _row(
            country,
            regions,
            f"{body.slug}-{office.slug}",
            name,
            office.kind,
            body.function,
            parent=f"{COUNTRY}-{body.slug}",
        )
    if not code:
        reason = f"{place.printed or rest!r} after {body.name} can be more than one region, and no portal tells which."
        return _unresolved(printed, _plain(printed), "", portal_id, reason)
    region = regions.by_code[code]
    office = office_named(place.rest) if place.rest else body
    slug = (
        office.slug if office.slug.startswith(body.slug.rsplit("_", 1)[0]) else f"{body.slug}-{office.slug}"
    )
    where = _short(_prefix(region, regions)) if place.rest.startswith("调查") else _prefix(region, regions)
    name = body.name + where + place.rest
    return _row(region, regions, slug, name, office.kind, body.function, parent=f"{COUNTRY}-{body.slug}")


# --- rows


def _row(
    region: Region, regions: Regions, slug: str, name: str, kind: str, function: str | None,
    *, level: str = "", parent: str | None = "",
) -> tuple[Any, ...]:  # fmt: skip
    """A resolved row; `parent` "" stands for the government of the region (of the region above, for a government)."""
    agency_id = f"{region.code}-{slug}"
    if parent == "":
        above = region.parent if slug in ("government", "subdistrict_office") else region.code
        parent = f"{above}-government" if above and above != COUNTRY else None
    valid_from = region.valid_from if (region.valid_from or 0) > FIRST_LISTED_YEAR else None
    path = regions.path(region.code)
    if slug.split("-")[0] in _zone_names():
        path += _zone_names()[slug.split("-")[0]]
    return (
        *(agency_id, name, national_code(region.code), path, level or region.level, kind, function or None),
        *(parent, valid_from, region.valid_to, True, None),
    )


def _unresolved(
    printed: str, name: str, portal_region: str, portal_id: str, reason: str, rest: str | None = None
) -> tuple[Any, ...]:
    """A row without a region; what the office is may still be known. `rest` is the name after its region."""
    printed_office = name if rest is None else rest
    office = known_office(printed_office) or known_office(printed_office[1:])
    kind = office.kind if office else "government" if rest is not None and rest in _GOVERNMENT else "other"
    if town := _TOWN.match(name if rest is None else rest):
        kind = "subdistrict" if town["kind"] == "街道" else "township"
    function = office.function if office else None
    agency_id = f"unresolved-{digest('|'.join((name, portal_region, portal_id)))}"
    return (
        agency_id,
        name or printed,
        None,
        None,
        None,
        kind,
        function or None,
        None,
        None,
        None,
        False,
        reason,
    )


def _government_name(region: Region, regions: Regions) -> str:
    """Prefectures of the old kind (地区, 盟) have an administrative office, the special regions a government."""
    if region.name.endswith("特别行政区"):
        return region.name + "政府"
    ending = (
        "行政公署" if region.level == "prefecture" and region.name.endswith(("地区", "盟")) else "人民政府"
    )
    return _prefix(region, regions) + ending


def _short(name: str) -> str:
    return re.sub(r"(?<=..)(?:省|市|县|区|(?:壮族|回族|维吾尔)?自治区)$", "", name)


def _prefix(region: Region, regions: Regions) -> str:
    """How the full name of an agency of this region begins: 淮安市洪泽区, 沭阳县, 重庆市荣昌区, 沭阳县马厂镇."""
    parent = regions.by_code.get(region.parent)
    if region.level == "county" and region.name.endswith("区") and parent and parent.code != COUNTRY:
        return parent.name + region.name
    if region.level == "township" and parent:
        return _prefix(parent, regions) + region.name
    return region.name


@cache
def _zone_names() -> dict[str, str]:
    """The name of each zone, the first of `region_aliases.csv`, by its slug."""
    zones: dict[str, str] = {}
    for row in _rows("region_aliases.csv"):
        if row["zone"]:
            zones.setdefault(row["zone"], row["name"])
    return zones


def _plain(printed: str) -> str:
    """The name folded, in simplified characters, without what a site adds to it."""
    name = fold(printed)
    if _TRADITIONAL.search(name):
        name = str(_to_simplified().convert(name))
    return re.sub(r"(?:门户)?(?:网站|网)$", "", name)


def _without_former(name: str, regions: Regions) -> str:
    """Takes off 原 before the name of an agency that is no more (原上海市劳动局), not of a region (原州区, 原康镇)."""
    rest = name[1:]
    if name.startswith("原") and (known_office(rest) or next(regions.names.beginnings(rest), None)):
        return rest
    return name


@cache
def _to_simplified() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


# --- reviewed rows


@cache
def _aliases() -> dict[str, str]:
    return {row["alias"]: row["canonical"] for row in _rows("aliases.csv")}


@cache
def _overrides() -> dict[tuple[str, str], dict[str, str]]:
    return {(row["agency_name"], row["portal_id"]): row for row in _rows("agencies.csv")}


def _overridden(row: dict[str, str], regions: Regions) -> tuple[Any, ...]:
    region = regions.by_code[row["region_code"]]
    slug = row["agency_id"].removeprefix(f"{row['region_code']}-")
    return _row(
        region, regions, slug, row["name"], row["kind"], row["function"] or None,
        level=row["level"], parent=row["parent_agency_id"] or "",
    )  # fmt: skip


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))
