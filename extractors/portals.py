"""Portals as data: reads and checks `extractors/portals/*.yml` and a user's own files beside them.

Never asks the network; what a portal's pages look like is the business of its family.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from extractors.client import Manners
from extractors.errors import UserError
from extractors.urls import canonical, host_of

SHIPPED = Path(__file__).with_name("portals")
LEAST_DELAY_SECONDS = 2.0
DAILY_CAP = 5000
FIRST_YEAR = 2008
"""First year the reports exist for."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Start:
    """A list page to begin with; `year` when it holds the reports of one year only."""

    url: str
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Portal:
    """One portal as its file describes it (`portals/schema.json` explains each field)."""

    id: str
    name: str
    region: str
    family: str
    manners: Manners
    lists: tuple[Start, ...] = ()
    reports: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    charset: str = ""
    selectors: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    checked: bool = False

    def starts(self, years: frozenset[int] | None = None) -> list[Start]:
        """List pages to fetch, `{year}` filled in; without those of years not asked for."""
        found = []
        for start in self.lists:
            if "{year}" in start.url:
                wanted = years or range(FIRST_YEAR, date.today().year)
                found += [Start(start.url.replace("{year}", str(year)), year) for year in sorted(wanted)]
            elif not years or start.year is None or start.year in years:
                found.append(start)
        return found


def load_portals(own: Path | str | None = None, ids: Iterable[str] = ()) -> list[Portal]:
    """All portals by id: the shipped ones and those of `own` (else `$OGI_PORTALS`), which replace namesakes.

    `ids` picks some of them. `UserError` names the file, the field and what was expected.
    """
    folder = own or os.environ.get("OGI_PORTALS")
    if folder and not Path(folder).is_dir():
        raise UserError(
            f"portals: {folder} is not a folder; --portals and OGI_PORTALS name a folder of YAML files"
        )
    found = {portal.id: portal for portal in _shipped()}
    if folder:
        found |= {portal.id: portal for portal in read_folder(Path(folder))}
    wanted = list(ids)
    if unknown := [name for name in wanted if name not in found]:
        near = difflib.get_close_matches(unknown[0], found, 5)
        hint = f"; similar: {', '.join(near)}" if near else ""
        raise UserError(f"portals: no portal {', '.join(unknown)} among {len(found)}{hint}")
    return [found[name] for name in wanted] if wanted else [found[name] for name in sorted(found)]


@cache
def _shipped() -> tuple[Portal, ...]:
    return tuple(read_folder(SHIPPED))


def read_folder(folder: Path) -> list[Portal]:
    """The portals of a folder's `*.yml`; `UserError` at the first file that does not fit."""
    return [read_portal(path) for path in sorted(folder.glob("*.yml"))]


def read_portal(path: Path) -> Portal:
    """One portal; `UserError` with file, field, expected and found."""
    try:
        content = yaml.load(path.read_text(encoding="utf8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a YAML file: {' '.join(str(error).split())}") from None
    portal = parse_portal(content, str(path))
    if portal.id != path.stem:
        raise UserError(f"{path}: id is {portal.id!r}, expected the file's name {path.stem!r}; change one")
    return portal


def parse_portal(content: Any, place: str) -> Portal:
    """A portal from its YAML content; `place` names the file in errors."""
    problems = sorted(_validator().iter_errors(content), key=lambda e: list(map(str, e.absolute_path)))
    if problems:
        where = ".".join(map(str, problems[0].absolute_path)) or "the file"
        raise UserError(f"{place}: {where}: {problems[0].message}; portals/schema.json says what is expected")
    private = content.get("allow_private", False)
    delay = content.get("delay_seconds", LEAST_DELAY_SECONDS)
    if delay < LEAST_DELAY_SECONDS and not private:
        raise UserError(
            f"{place}: delay_seconds is {delay}, at least {LEAST_DELAY_SECONDS} on the public internet"
        )
    lists = [
        Start(**entry) if isinstance(entry, dict) else Start(entry) for entry in content.get("lists", ())
    ]
    hosts = frozenset(content["hosts"])
    for url in [start.url for start in lists] + content.get("reports", []):
        if host_of(canonical(url)) not in hosts:
            raise UserError(f"{place}: {url} is on none of the allowed hosts {', '.join(sorted(hosts))}")
    return Portal(
        id=content["id"],
        name=content["name"],
        region=content["region"],
        family=content["family"],
        manners=Manners(
            hosts,
            delay,
            content.get("daily_cap", DAILY_CAP),
            private,
            content.get("verify_tls", True),
        ),
        lists=tuple(lists),
        reports=tuple(content.get("reports", ())),
        agencies=tuple(content.get("agencies", ())),
        charset=content.get("charset", ""),
        selectors=content.get("selectors", {}),
        json=content.get("json", {}),
        note=content.get("note", ""),
        checked=content["checked"],
    )


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads((SHIPPED / "schema.json").read_text(encoding="utf8")))
