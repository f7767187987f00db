"""Which agency a printed name means: its region by national code, its office, kind and function, as one stable id.

洪泽区人民政府 and 淮安市洪泽区人民政府 are one agency; 审计局 takes its region from the portal or stays unresolved and says
why. Never guesses between two regions and never merges two agencies because their names look alike.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from extractors.labels import fold
from transforms.offices import Office, digest, known_office, national_body, office_named
from transforms.places import (
    BRANCH,
    COMMITTEE,
    GENERAL_OFFICE,
    GOVERNMENT,
    TOWN,
    ZONE,
    Place,
    chain,
    choose,
    outermost,
    place_of,
    portal_code,
    unknown_region,
)
from transforms.regions import COUNTRY, Region, Regions, load_regions, national_code

REFERENCE = Path(__file__).parent / "reference"
COLUMNS = (
    *("agency_id", "name", "region_code", "region_name", "level", "kind", "function"),
    *("parent_agency_id", "valid_from", "valid_to", "is_resolved", "unresolved_reason"),
)
FIRST_LISTED_YEAR = 1980
"""The region lists begin here: a region in the first one may be older."""

_SUBDISTRICT = re.compile(r"^(?:人民政府)?(?:街道)?(?:办事处|办)?$")
_ZONE_SHORT = (("经开区", "经济技术开发区"), ("高新区", "高新技术产业开发区"))
_TRADITIONAL = re.compile(
    "[個無區縣鎮鄉門務財資訊開關於發佈報編製機構辦廳衛協勞動體環農業統計審監設國質總園藝術廣電視灣]"
)


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
    portal = portal_code(portal_region, regions)
    if override := _overrides().get((name, portal_id)) or _overrides().get((name, "")):
        return _overridden(override, regions)
    if not name:
        return _unresolved(printed, name, portal_region, portal_id, "The report names no agency.")
    if name.startswith("中华人民共和国"):
        name = name.removeprefix("中华人民共和国")
    name = name.removeprefix("中共")
    if body := national_body(name):
        return _central(body[0], body[1], printed, portal, portal_id, year, regions)
    place = place_of(name, portal, regions)
    if not place.codes:
        reason = f"The name {name!r} says no region known by it, and the portal tells none."
        if portal:
            where = regions.path(portal)
            reason = f"The name {name!r} begins with no region that lies in that of the portal ({where})."
        return _unresolved(printed, name, portal_region, portal_id, reason)
    code = choose(place.codes, portal, year, regions)
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
    if unknown := unknown_region(place.rest):
        reason = f"{unknown!r} in {name!r} is a region on no list, so the office's region is not known."
        return _unresolved(printed, name, portal_region, portal_id, reason)
    return _agency(code, place.zone, place.rest, regions)


# --- offices


def _agency(code: str, zone: str, rest: str, regions: Regions) -> tuple[Any, ...]:
    """The row of a resolved agency: an office of a region, of a zone in it, or of a township in it."""
    region = regions.by_code[code]
    if region.level == "township" and not zone:
        return _of_township(region, rest, regions)
    if rest in GOVERNMENT and not zone:
        return _row(region, regions, "government", _government_name(region, regions), "government", None)
    if rest in COMMITTEE and not zone:
        name = _prefix(region, regions) + "管理委员会"
        return _row(region, regions, "committee", name, "agency", "development_zone")
    if rest == "海关":
        name = _short(region.name) + rest
        above = f"{COUNTRY}-customs_administration"
        return _row(region, regions, "customs", name, "department", "customs", parent=above)
    if GENERAL_OFFICE.match(rest) and not zone:
        title = "办公厅" if region.level == "province" or rest.endswith("办公厅") else "办公室"
        full = _government_name(region, regions) + title
        return _row(region, regions, "general_office", full, "general_office", "general_office")
    rest = rest.removeprefix("人民政府") or rest
    if zone:
        return _of_zone(region, zone, _zone_names()[zone], rest, regions)
    if (town := TOWN.match(rest)) and not known_office(rest):
        return _of_unlisted_town(region, "", _prefix(region, regions), town, regions)
    if branch := _branch(code, rest, regions):
        return branch
    known = known_office(rest)
    if known is None and (inside := ZONE.match(rest)) and not rest.startswith(("城市", "新区建")):
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


def _branch(code: str, rest: str, regions: Regions) -> tuple[Any, ...] | None:
    """The row of a branch in one region below `code`: 生态环境局青山区分局, 苏家屯生态环境分局; None where it is none."""
    region = regions.by_code[code]
    printed = BRANCH.match(rest)
    parts = [(printed["place"], printed["office"], printed["kind"])] if printed else []
    if rest.endswith("分局"):
        ends = range(2, min(7, len(rest) - 3))
        parts += [(rest[:at], f"{rest[at:-2]}局", "分局") for at in ends if known_office(f"{rest[at:-2]}局")]
    for place, office_text, kind in parts:
        named = (*regions.names.get(place), *regions.short_names.get(place))
        exact = {r.same_as for r in named if r.code != code and regions.is_within(r.code, code)}
        exact = {c for c in exact if regions.by_code[c].valid_to is None} or exact
        if len(exact) == 1:
            office = office_named(office_text)
            name = _prefix(region, regions) + office.name + place + kind
            inner = regions.by_code[exact.pop()]
            return _row(inner, regions, f"{office.slug}_branch", name, office.kind, office.function)
    return None


def _of_township(town: Region, rest: str, regions: Regions) -> tuple[Any, ...]:
    name = _prefix(town, regions)
    if town.name.endswith("街道") and _SUBDISTRICT.match(rest):
        return _row(town, regions, "subdistrict_office", name + "办事处", "subdistrict", None)
    if rest in GOVERNMENT:
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
    if rest in GOVERNMENT and zone_name.endswith("区") and not ZONE.match(zone_name):
        name = zone_name + "人民政府"
        return _row(region, regions, f"{zone}-government", name, "government", "government", level="county")
    if rest in COMMITTEE or rest in GOVERNMENT:
        name = zone_name + "管理委员会"
        return _row(region, regions, f"{zone}-committee", name, "agency", "development_zone")
    if town := TOWN.match(rest):
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
    place = chain(rest, regions, regions.names)
    if not place.codes:
        place = chain(rest, regions, regions.short_names)
        if len(place.rest) == 1:  # 东海局 of 自然资源部 is not in 东海县
            place = Place((), rest, "")
        place = place._replace(codes=outermost(place.codes, regions, districts_only=False))
    code = choose(place.codes, portal, year, regions) if place.codes else ""
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
    kind = office.kind if office else "government" if rest is not None and rest in GOVERNMENT else "other"
    if town := TOWN.match(name if rest is None else rest):
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
