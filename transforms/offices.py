"""Reads what stands after the region in an agency's name: which office it is, of what kind, doing what.

Offices are listed in `reference/offices.csv`; one that is not listed keeps its printed name and gets a slug made from it.
Never looks at regions.
"""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

OFFICES_FILE = Path(__file__).parent / "reference" / "offices.csv"

ENDINGS = {
    "总局": ("总局", "administration"),
    "总署": ("总署", "administration"),
    "局": ("局", "bureau"),
    "厅": ("厅", "department"),
    "委员会": ("委员会", "commission"),
    "委": ("委员会", "commission"),
    "工作委员会": ("工作委员会", "work_committee"),
    "部": ("部", "ministry"),
    "署": ("署", "administration"),
    "办公室": ("办公室", "office"),
    "办公厅": ("办公厅", "main_office"),
    "办": ("办公室", "office"),
    "中心": ("中心", "center"),
    "管理中心": ("中心", "center"),
    "服务中心": ("中心", "center"),
    "事务中心": ("中心", "center"),
    "事业发展中心": ("中心", "center"),
    "馆": ("馆", "hall"),
    "管理局": ("局", "bureau"),
    "总队": ("总队", "brigade"),
    "支队": ("支队", "detachment"),
    "大队": ("大队", "squad"),
    "队": ("队", "team"),
    "院": ("院", "institute"),
    "处": ("处", "division"),
    "所": ("所", "post"),
    "站": ("站", "station"),
    "会": ("会", "association"),
    "社": ("社", "cooperative"),
    "院校": ("院校", "school"),
    "": ("", ""),
}
"""How an office's name ends: (ending in full, its part of the slug). 委 is 委员会; 局 and 厅 are offices of their own.

One part of the slug has one ending in full, or one office would have two names."""

_KINDS = (
    (re.compile("(?:局|厅|委员会|委|部|署|办公室|办)$"), "department"),
    (re.compile("(?:中心|馆|所|站|院|学校|大学|中学|小学|社|队|公司|集团|处|学院|银行|党校)$"), "agency"),
)
_FILLERS = re.compile("[和与及暨、·]")
_NOTE = re.compile(r"\([^()]*\)")


class Office(NamedTuple):
    """One office as a name prints it. `slug` is ASCII and the same for every way of printing the same office."""

    slug: str
    name: str
    kind: str
    function: str | None


@dataclass(frozen=True)
class _Listed:
    stems: dict[str, tuple[str, str, str, str]]
    short_names: dict[str, tuple[str, str, str, str]]
    national: dict[str, Office]


def office_named(text: str) -> Office:
    """The office a text names: 发改局, 发展改革局 and 发展和改革局 are one. An unlisted one gets a slug of its name."""
    known = known_office(text)
    if known:
        return known
    bare = _key(text) or text
    kind = next((kind for pattern, kind in _KINDS if pattern.search(bare)), "other")
    return Office(f"office-{digest(bare)}", text, kind, _leading_function(bare))


@lru_cache(maxsize=65536)
def known_office(text: str) -> Office | None:
    """The listed office a text names, or None."""
    listed = _listed()
    bare = _key(text)
    if bare in listed.short_names:
        slug, name, function, kind = listed.short_names[bare]
        return Office(slug, name, kind, function)
    for length in range(min(6, len(bare) - 1), -1, -1):
        stem, ending = bare[: len(bare) - length], bare[len(bare) - length :]
        if ending in ENDINGS and stem in listed.stems:
            slug, name, function, kind = listed.stems[stem]
            full, suffix = ENDINGS[ending]
            if not suffix and not name.endswith(("院", "会", "社")):
                continue
            if suffix == "center" and kind == "department":
                kind = "agency"
                name = name.removesuffix("管理")  # 政务服务管理局 has a 政务服务中心
            return Office("_".join(filter(None, (slug, suffix))), name + full, kind, function)
    return None


def national_body(text: str) -> tuple[Office, str] | None:
    """(central body, rest of the name) when the text begins with one: 国家税务总局沭阳县税务局."""
    national = _listed().national
    for length in range(min(24, len(text)), 2, -1):
        if office := national.get(text[:length]):
            return office, text[length:]
    return None


def digest(text: str) -> str:
    """Eight hexadecimal digits that stand for a text: stable, ASCII."""
    return hashlib.sha256(text.encode("utf8")).hexdigest()[:8]


def _key(text: str) -> str:
    return _FILLERS.sub("", _NOTE.sub("", text))


def _leading_function(bare: str) -> str | None:
    """What an unlisted office does by the duty its name begins with (教育招生考试院 → education)."""
    stems = _listed().stems
    for length in range(min(14, len(bare)), 1, -1):
        if found := stems.get(bare[:length]):
            return found[2] or None
    return None


@cache
def _listed() -> _Listed:
    stems: dict[str, tuple[str, str, str, str]] = {}
    short_names: dict[str, tuple[str, str, str, str]] = {}
    national: dict[str, Office] = {}
    with OFFICES_FILE.open(encoding="utf8", newline="") as file:
        for row in csv.DictReader(file):
            facts = (row["office"], row["name"], row["function"], row["kind"])
            for stem in (row["name"], *_list(row["other_names"])):
                stems.setdefault(_key(stem), facts)
            for name in _list(row["short_names"]):
                short_names.setdefault(_key(name), _of_short_name(name, _list(row["short_names"])[0], facts))
            printed = _list(row["national_names"])
            for name in printed:
                suffix = next(
                    (ENDINGS[e][1] for e in sorted(ENDINGS, key=len, reverse=True) if printed[0].endswith(e)),
                    "",
                )
                slug = "_".join(filter(None, (row["office"], suffix)))
                national[name] = Office(slug, printed[0], row["kind"], row["function"])
    return _Listed(stems, short_names, national)


def _of_short_name(name: str, first: str, facts: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    """(slug, full name, function, kind) of a name that stands for a whole office (残联, 住建委).

    A department's follows its ending (住建委 → 住房和城乡建设委员会); a body of another kind has one full name, the first.
    """
    slug, stem, function, kind = facts
    if kind == "other":
        return (slug, first, function, kind)
    for ending in sorted(ENDINGS, key=len, reverse=True):
        full, suffix = ENDINGS[ending]
        if suffix and name.endswith(ending):
            return (f"{slug}_{suffix}", stem + full, function, kind)
    return (slug, first, function, kind)


def _list(text: str) -> list[str]:
    return [part for part in text.split("|") if part]
