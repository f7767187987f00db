"""The portal simulator: any number of portals on localhost, with every report's figures known.

`Simulator(...)` starts them; `write_portals` and `write_truth` say where they are and what is right. Portals
can go down, add a report, or quietly replace one. Imitates portals; shares no code with the crawler.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote

import yaml

from tests.simulator.agencies import REGIONS, Agency, Region
from tests.simulator.article_pages import article
from tests.simulator.families import FAMILIES, Epoint, posted
from tests.simulator.figures import Key, Printed, make_history
from tests.simulator.http import (
    Door,
    Logged,
    Misbehaviour,
    Request,
    Response,
    Server,
    html,
    not_found,
    with_validators,
)
from tests.simulator.shelf import (
    LAYOUTS,
    Decoy,
    Item,
    Shelved,
    agencies_for,
    body_of,
    corrected_copy,
    decoys,
    file_of,
    shelve,
)

FILE_TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
ROBOTS = "User-agent: *\nDisallow: /admin/\nDisallow: /search\n"


@dataclass(frozen=True, slots=True)
class Truth:
    """One cell of a served report, and whether its layout still tells its column."""

    portal_id: str
    url: str
    shelved: Shelved
    key: Key
    printed: Printed
    is_lost: bool


class Site:
    """One portal: a region's agencies behind one kind of software, on one port.

    kind: a key of FAMILIES. encoding: of its pages. validators: etag, modified or none; with `none` the pages
    carry a visitor count that differs at every request.
    """

    def __init__(
        self,
        site_id: str,
        kind: str,
        region: Region,
        agencies: list[Agency],
        years: range,
        seed: int = 0,
        encoding: str = "utf-8",
        validators: str = "etag",
        layouts: tuple[str, ...] = LAYOUTS,
        page_size: int = 20,
        has_noise: bool = True,
    ) -> None:
        self.id, self.kind, self.region, self.agencies = site_id, kind, region, agencies
        self.name = f"{region.full_name}人民政府门户网站"
        self.encoding = encoding
        self.charset = "gb2312" if encoding == "gb18030" else encoding
        self.header_charset = ""
        self.validators = validators
        self.page_size, self.seed = page_size, seed
        self.robots: str | None = ROBOTS
        self.robots_status = 200
        self.needs_referer = False
        self.has_placeholders = seed % 3 == 2
        self.misbehaviours: dict[str, Misbehaviour | Response] = {}
        self.wildcard: Misbehaviour | Response | None = None
        self.tls = False
        self.door = Door(self.answer)
        self.host = "127.0.0.1"
        self._visits = 0
        self._shelved = shelve(region, agencies, years, seed, layouts)
        self._decoys = decoys(region, agencies, years) if has_noise else []
        self._items: list[Item] = []
        self.family = FAMILIES[kind](self)
        self._article_body = lru_cache(maxsize=512)(self._draw_body)
        self._arrange()

    # -- what it holds --

    @property
    def address(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.door.port}"

    def items(self) -> Sequence[Item]:
        """The list as shown: newest first, every ninth report twice."""
        return self._items

    def reports(self) -> list[Shelved]:
        return list(self._shelved)

    def find(self, agency_name: str, year: int) -> Shelved:
        """The report of an agency and year; KeyError when the portal has none."""
        for shelved in self._shelved:
            if shelved.report.agency.name == agency_name and shelved.report.year == year:
                return shelved
        raise KeyError(f"{self.id} has no report of {agency_name} for {year}")

    def _arrange(self) -> None:
        newest: list[Item] = sorted(
            [*self._shelved, *self._decoys], key=lambda item: (item.published, item.number), reverse=True
        )
        twice = [
            item for item in newest if isinstance(item, Shelved) and item.number % 9 == 0 and self._decoys
        ]
        for item in twice:
            newest.insert(min(newest.index(item) + self.page_size, len(newest)), item)
        self._items = newest
        self._articles = {self.family.article_path(item): item for item in newest}
        self._files = {
            self.family.file_path(item, item.suffix): item for item in self._shelved if item.suffix
        }
        self._details = (
            {self.family.guid(item): item for item in newest} if isinstance(self.family, Epoint) else {}
        )

    def article_url(self, item: Item) -> str:
        return self.address + self.family.article_path(item)

    def file_url(self, item: Shelved) -> str:
        return self.address + self.family.file_path(item, item.suffix)

    def truth(self) -> list[Truth]:
        """Every cell of every report as it is served now."""
        return [
            Truth(self.id, self.article_url(item), item, key, printed, key in item.lost)
            for item in self._shelved
            for key, printed in item.report.cells.items()
        ]

    # -- what changes --

    def correct_report(self, agency_name: str, year: int) -> tuple[Shelved, Key]:
        """Quietly replaces a report at its old address; gives the new one and the cell that differs."""
        old = self.find(agency_name, year)
        new, key = corrected_copy(old)
        self._shelved[self._shelved.index(old)] = new
        self._arrange()
        return new, key

    def add_report(self, agency_name: str, year: int, layout: str = "html:clean") -> Shelved:
        """Publishes one more report; it follows the agency's report of the year before, when there is one."""
        agency = next(one for one in self.agencies if one.name == agency_name)
        report = make_history(self.seed + 1, agency, [year])[0]
        shelved = Shelved(report, layout, max(item.number for item in self._shelved) + 1, self.seed)
        self._shelved.append(shelved)
        self._arrange()
        return shelved

    def remove_report(self, agency_name: str, year: int) -> Shelved:
        """Takes a report off the portal: its list no longer names it, its page is gone."""
        shelved = self.find(agency_name, year)
        self._shelved.remove(shelved)
        self._arrange()
        return shelved

    def misbehave(self, path: str, how: Misbehaviour | Response) -> None:
        """From now on `path` (with its query) is answered so; `*` stands for every path."""
        if path == "*":
            self.wildcard = how
        else:
            self.misbehaviours[path] = how

    # -- how it answers --

    @property
    def log(self) -> list[Logged]:
        return self.door.log

    def fetched(self, kind: str) -> list[str]:
        """Targets answered with a body, in order; kinds: list, report, attachment, decoy, shell, robots."""
        return [entry.target for entry in self.log if entry.kind == kind and entry.status == 200]

    def answer(self, request: Request) -> Response | Misbehaviour:
        target = unquote(request.target)
        how = self.misbehaviours.get(request.target) or self.misbehaviours.get(target) or self.wildcard
        if isinstance(how, Response):
            return replace(how, headers=dict(how.headers))
        if how is not None:
            return how
        if request.path == "/robots.txt":
            text = (self.robots or "").encode()
            return Response(
                text, 404 if self.robots is None else self.robots_status, "text/plain", kind="robots"
            )
        response = self.family.respond(request) or self._article(request) or not_found()
        if (
            self.needs_referer
            and response.kind in ("report", "attachment")
            and "referer" not in request.headers
        ):
            return Response(b"<html>403 Forbidden</html>", 403)
        if self.header_charset and response.content_type == "text/html":
            response.content_type += f";charset={self.header_charset}"
        has_etag = self.validators == "etag" and response.kind != "list"
        return with_validators(request, response, has_etag)

    def _article(self, request: Request) -> Response | None:
        target = unquote(request.target)
        if isinstance(self.family, Epoint):
            if request.path.endswith("/getGovInfoDetail"):
                return self._detail(posted(request).get("infoGuid", ""))
            if target in self._articles:
                return self.family.empty_shell("shell")
        if target in self._articles:
            return self._page(self._articles[target])
        if target in self._files:
            rendered = file_of(self._files[target])
            return Response(rendered.content, content_type=FILE_TYPES[rendered.suffix], kind="attachment")
        return (
            html("<html><title>首页</title><body>首页</body></html>", self.encoding)
            if target == "/"
            else None
        )

    def _draw_body(self, item: Item) -> str:
        if isinstance(item, Decoy):
            return f"<p>{item.title}。全文共受理 1234 件，行政许可 567 项。</p>" * 3
        return body_of(item, self.family.file_path(item, item.suffix) if item.suffix else "")

    def _page(self, item: Item) -> Response:
        self._visits += 1
        clock = f"浏览次数：{self._visits}" if self.validators == "none" else ""
        body = self._article_body(item)
        starts = self.family.lists()
        column = starts[0] if starts else "/"
        page = article(
            item, body, self.name, self.charset, self.family.container, column, self.has_placeholders, clock
        )
        response = html(page, self.encoding, "report" if isinstance(item, Shelved) else "decoy")
        version = item.version if isinstance(item, Shelved) else 1
        if self.validators == "modified":
            changed = datetime(
                item.published.year, item.published.month, item.published.day, 8, version, tzinfo=UTC
            )
            response.headers["Last-Modified"] = format_datetime(changed, usegmt=True)
        return response

    def _detail(self, guid: str) -> Response:
        """Epoint's article as JSON."""
        item = self._details.get(guid)
        if item is None:
            return Response(b'{"custom":{},"status":{"code":200}}', content_type="application/json")
        data = {
            "title": item.title,
            "infodate": f"{item.published} 00:00:00",
            "infocontent": self._article_body(item),
            "source": item.report.agency.name if isinstance(item, Shelved) else self.name,
        }
        body = json.dumps({"custom": {"data": data}, "status": {"code": 200}}, ensure_ascii=False).encode()
        return Response(
            body,
            content_type="application/json;charset=utf-8",
            kind="report" if isinstance(item, Shelved) else "decoy",
        )

    def yaml(self) -> str:
        """The portal's file for the crawler."""
        lists = [self.address + quote(path, safe="/?=&#{}_.-") for path in self.family.lists()]
        content = {
            "id": self.id,
            "name": self.name,
            "region": self.region.code,
            "family": self.family.name,
            "hosts": [f"{self.host}:{self.door.port}"],
            "lists": lists,
            "agencies": [agency.name for agency in self.agencies],
            "delay_seconds": 0,
            "daily_cap": 1_000_000,
            "allow_private": True,
            **self.family.extra(),
            "checked": False,
        }
        return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


class Simulator:
    """Portals on localhost. Use as a context manager, or call `close()`.

    kinds: which kinds of portals, in turn (all of FAMILIES by default). Regions are taken in turn, so that no
    agency is on two portals. port: the first port, the others follow; 0 takes free ones.
    """

    def __init__(
        self,
        portals: int = 7,
        agencies: int = 20,
        years: Iterable[int] = range(2018, 2024),
        seed: int = 1,
        kinds: Sequence[str] = tuple(FAMILIES),
        layouts: tuple[str, ...] = LAYOUTS,
        port: int = 0,
        page_size: int = 20,
        has_noise: bool = True,
        host: str = "127.0.0.1",
    ) -> None:
        if not 1 <= portals <= len(REGIONS):
            raise ValueError(
                f"{portals} portals were asked for; the simulator has regions for {len(REGIONS)}"
            )
        span = range(min(years), max(years) + 1)
        self.server = Server(host)
        self.sites: list[Site] = []
        for number in range(portals):
            kind = kinds[number % len(kinds)]
            region = REGIONS[number]
            site = Site(
                f"sim-{number + 1:02d}-{kind.replace('_', '-')}",
                kind,
                region,
                agencies_for(region, agencies),
                span,
                seed + number,
                encoding="gb18030" if number % 3 == 1 else "utf-8",
                validators=("etag", "modified", "none")[number % 3]
                if number < 3
                else ("etag", "none")[number % 2],
                layouts=layouts,
                page_size=page_size,
                has_noise=has_noise,
            )
            site.host = host
            site.header_charset = ("", "utf-8", "")[number % 3] if site.encoding == "utf-8" else ""
            self.server.open(site.door, port + number if port else 0)
            self.sites.append(site)

    def site(self, site_id: str) -> Site:
        """The portal of that id; KeyError names those there are."""
        for site in self.sites:
            if site.id == site_id:
                return site
        raise KeyError(f"no portal {site_id}; there are {', '.join(site.id for site in self.sites)}")

    def set_down(self, site_id: str, is_down: bool = True) -> None:
        """A portal that is down accepts connections and closes them without an answer."""
        self.site(site_id).door.is_down = is_down

    def write_portals(self, folder: Path) -> list[Path]:
        """One YAML file a portal, as the crawler reads them."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for site in self.sites:
            path = folder / f"{site.id}.yml"
            path.write_text(site.yaml(), encoding="utf-8")
            written.append(path)
        return written

    def write_truth(self, path: Path) -> int:
        """Every printed cell as CSV; gives the number of rows. No number printed: `value` is empty."""
        path.parent.mkdir(parents=True, exist_ok=True)
        count = 0
        with path.open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream)
            out.writerow(
                [
                    "portal_id",
                    "url",
                    "file_url",
                    "agency",
                    "region_code",
                    "year",
                    "form",
                    "layout",
                    "indicator",
                    "applicant",
                    "value",
                    "is_lost",
                ]
            )
            for site in self.sites:
                for cell in site.truth():
                    item = cell.shelved
                    value = "" if cell.printed.value is None else format(cell.printed.value.normalize(), "f")
                    out.writerow(
                        [
                            site.id,
                            cell.url,
                            site.file_url(item) if item.suffix else "",
                            item.report.agency.name,
                            item.report.agency.region_code,
                            item.report.year,
                            item.report.form,
                            item.layout,
                            cell.key[0],
                            cell.key[1] or "",
                            value,
                            int(cell.is_lost),
                        ]
                    )
                    count += 1
        return count

    def write_faults(self, path: Path) -> int:
        """Every planted fault as CSV; gives the number of rows."""
        rows = [
            (
                site.id,
                item.report.agency.name,
                item.report.year,
                fault.check,
                " ".join(f"{i}/{a or ''}" for i, a in fault.cells),
            )
            for site in self.sites
            for item in site.reports()
            for fault in item.report.faults
        ]
        with path.open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream)
            out.writerow(("portal_id", "agency", "year", "check", "cells"))
            out.writerows(rows)
        return len(rows)

    def close(self) -> None:
        self.server.close()

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
