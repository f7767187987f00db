"""Finds the region a name begins with: 淮安市洪泽区…, 洪泽区…, 民和县…, 襄樊市…, 西咸新区….

Answers with every region the beginning can mean, never with the likeliest one; who asks must choose by the portal or
leave it. Knows today's regions, those given up since 2003, and the reviewed further names of `region_aliases.csv`.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

REFERENCE = Path(__file__).parent / "reference"
COUNTRY = "000000"
_PEOPLES = (
    "蒙古族|蒙古|回族|藏族|维吾尔|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族|哈萨克族|哈萨克|傣族|黎族|傈僳族|佤族|畲族|"
    "拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜族|柯尔克孜|土族|达斡尔族|仫佬族|羌族|布朗族|撒拉族|毛南族|仡佬族|锡伯族|锡伯|普米族|"
    "塔吉克|怒族|鄂温克族|鄂伦春族|鄂伦春|保安族|裕固族|独龙族|各族"
)
_AUTONOMOUS = re.compile(rf"^(?P<stem>.+?)(?P<peoples>(?:{_PEOPLES})+)自治(?P<kind>[州县旗区])$")
_ENDING = re.compile(r"(?:特别行政区|自治区|省|市|县|区|地区|盟|林区|特区|自治旗|旗)$")


class Region(NamedTuple):
    """A region of today or of former years. `same_as` is the code it is known by now (its own, unless recoded)."""

    code: str
    name: str
    parent: str
    level: str
    same_as: str
    zone: str = ""
    valid_from: int | None = None
    valid_to: int | None = None


class NameIndex:
    """Regions by printed name, made for asking which names a text begins with."""

    def __init__(self, names: dict[str, list[Region]]) -> None:
        self._names = {name: tuple(found) for name, found in names.items()}
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for name in names:
            lengths[name[:2]].add(len(name))
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}

    def get(self, name: str) -> tuple[Region, ...]:
        return self._names.get(name, ())

    def beginnings(self, text: str) -> Iterator[tuple[str, tuple[Region, ...]]]:
        """(name, its regions) for every name the text begins with, longest first."""
        for length in self._lengths.get(text[:2], ()):
            if found := self._names.get(text[:length]):
                yield text[:length], found


@dataclass(frozen=True)
class Regions:
    """Every region by code, and the names and short names each may be printed with."""

    by_code: dict[str, Region]
    names: NameIndex
    short_names: NameIndex
    townships: NameIndex
    ancestors: dict[str, frozenset[str]]
    renamed_in: dict[str, int]
    """The year since which a region of today bears its name, where another name or code became it."""

    def existed(self, code: str, year: int) -> bool:
        """Whether the region of a code had its name in a year; true where nothing says otherwise."""
        region = self.by_code[code]
        begin = region.valid_from or self.renamed_in.get(code, year)
        return begin <= year <= (region.valid_to or year)

    def is_within(self, code: str, outer: str) -> bool:
        """Whether region `code` is `outer` or lies in it (now, or when the older of the two existed)."""
        return code == outer or outer in self.ancestors.get(code, frozenset())

    def path(self, code: str) -> str:
        """Names from the province down: 江苏省淮安市洪泽区; 全国 for the country."""
        names: list[str] = []
        while code and code != COUNTRY and code in self.by_code:
            region = self.by_code[code]
            names.append(region.name)
            code = region.parent
        return "".join(reversed(names)) or "全国"

    def prefixes(
        self, text: str, within: frozenset[str], names: NameIndex
    ) -> Iterator[tuple[str, tuple[Region, ...]]]:
        """(printed name, regions it can mean inside `within`) at the beginning of the text, longest name first."""
        for name, regions in names.beginnings(text):
            inside = tuple(region for region in regions if not within or self._is_inside(region, within))
            if inside:
                yield name, inside

    def _is_inside(self, region: Region, within: frozenset[str]) -> bool:
        """Whether a region lies in one of `within`; a zone without a code of its own bears that of the region around it."""
        if region.code in within:
            return bool(region.zone)
        return not within.isdisjoint(self.ancestors.get(region.code, frozenset()))


def short_forms(name: str, level: str) -> set[str]:
    """Names a region is also printed with: 民和回族土族自治县 → 民和自治县, 民和县, 民和; never one character."""
    forms = set()
    if match := _AUTONOMOUS.match(name):
        stem, kind = match["stem"], match["kind"]
        forms = {stem} | ({stem + kind, f"{stem}自治{kind}"} if kind != "区" else set())
    elif match := re.fullmatch(r"(.+族)自治(县|旗)", name):  # 东乡族自治县, 鄂温克族自治旗
        forms = {match[1][:-1], match[1][:-1] + match[2]}
    elif level != "township":
        forms = {_ENDING.sub("", name)}
    return {form for form in forms if len(form) > 1 and form != name}


@cache
def load_regions() -> Regions:
    """The regions of `reference/`, indexed by name. Loads once a process (about a quarter second)."""
    regions = [
        Region(row["region_code"], row["name"], row["parent_code"], row["level"], row["region_code"])
        for row in _rows("regions.csv")
    ]
    by_code = {region.code: region for region in regions}
    history = _rows("region_history.csv")
    former = [
        Region(
            *(known_by(row), row["name"], row["parent_code"], row["level"]),
            same_as=known_by(row),
            valid_from=int(row["valid_from"]),
            valid_to=int(row["valid_to"]),
        )
        for row in history
        if row["region_code"] not in by_code or _is_known(row, history)
    ]
    successors = {
        (row["region_code"], row["name"]): row["successor_code"]
        for row in history
        if row["change"] == "recoded" and row["successor_code"] != row["region_code"]
    }
    former = [region._replace(same_as=_follow(region.code, region.name, successors)) for region in former]
    for region in sorted(former, key=lambda region: region.valid_to or 0):
        if region.code not in by_code or by_code[region.code].valid_to:
            by_code[region.code] = region
    aliases = [
        Region(
            row["region_code"], row["name"], by_code[row["region_code"]].parent, by_code[row["region_code"]].level,
            row["region_code"], row["zone"],
        )
        for row in _rows("region_aliases.csv")
    ]  # fmt: skip
    renamed = [row for row in history if row["change"] == "renamed"]
    found = _indexed(regions, former, aliases, by_code)
    for row in renamed:  # a former region lies where its successor lies now, too
        code, later = row["region_code"], row["successor_code"]
        if code != later and code in found.ancestors:
            found.ancestors[code] |= found.ancestors.get(later, frozenset())
    found.renamed_in.update({row["successor_code"]: int(row["change_year"]) for row in renamed})
    return found


def known_by(row: dict[str, str]) -> str:
    """The code a former region (a row of `region_history.csv`) is known by: its own, unless a merged one took that.

    With 綦江县, 万盛区 became 綦江区, which bears its code 500110: 万盛区 is 500110u2011, lest their agencies be one.
    """
    code = row["region_code"]
    if (
        row["change"] == "merged"
        and row["successor_code"] == code
        and (code, row["change_year"]) in _merged()
    ):
        return f"{code}u{row['valid_to']}"
    return code


def national_code(code: str) -> str:
    """The code on the national list behind the one a region is known by."""
    return code.partition("u")[0]


@cache
def _merged() -> frozenset[tuple[str, str]]:
    """(code, year) of regions made of others that had other codes."""
    rows = (row for row in _rows("region_history.csv") if row["change"] == "merged")
    return frozenset(
        (r["successor_code"], r["change_year"]) for r in rows if r["successor_code"] != r["region_code"]
    )


def _is_known(row: dict[str, str], rows: list[dict[str, str]]) -> bool:
    """Whether a name on a code that another name bears today became that one; else it has no code to be known by.

    A name that came along for a year when a region got its new code (赣县 on that of 赣县区) is known by the old one.
    """
    came_along = any(
        r["name"] == row["name"] and r["successor_code"] == row["region_code"] != r["region_code"]
        for r in rows
    )
    return bool(row["change"]) and not came_along


def _indexed(
    regions: list[Region],
    former: list[Region],
    aliases: list[Region],
    by_code: dict[str, Region],
) -> Regions:
    names: defaultdict[str, list[Region]] = defaultdict(list)
    short: defaultdict[str, list[Region]] = defaultdict(list)
    townships: defaultdict[str, list[Region]] = defaultdict(list)
    for region in [*regions, *former, *aliases]:
        if region.level == "national" and not region.zone:
            continue
        target = townships if region.level == "township" and not region.zone else names
        target[region.name].append(region)
        for form in short_forms(region.name, region.level) if not region.zone else ():
            # 民和县 is as good as a full name; 民和 is not.
            (names if "自治" in region.name and form[-1] in "州县旗" else short)[form].append(region)
    ancestors: dict[str, frozenset[str]] = {}
    for region in [*regions, *former]:
        up = {region.parent, by_code[region.parent].parent if region.parent in by_code else ""}
        up |= {by_code[code].parent for code in up if code in by_code}
        up |= set(ancestors.get(region.code, ()))
        if (national := national_code(region.code)) != region.code:
            up.add(national)
        ancestors[region.code] = frozenset(up - {""})
    for region in former:  # a recoded region lies where it lies now, too
        if region.same_as != region.code and by_code[region.code] is region:
            ancestors[region.code] |= ancestors.get(region.same_as, frozenset()) | {region.same_as}
            ancestors[region.same_as] = ancestors.get(region.same_as, frozenset()) | {
                region.parent,
                region.code,
            }
    return Regions(
        by_code,
        NameIndex(names),
        NameIndex({name: found for name, found in short.items() if name not in names}),
        NameIndex(townships),
        ancestors,
        {},
    )


def _follow(code: str, name: str, successors: dict[tuple[str, str], str]) -> str:
    """The code a region of this name has now; codes are used again for other regions, so the name goes along."""
    seen = {code}
    while (later := successors.get((code, name), code)) not in seen:
        code = later
        seen.add(code)
    return code


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))
