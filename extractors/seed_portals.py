"""Writes `extractors/portals/*.yml` from a table of addresses.

`python -m extractors.seed_portals addresses.csv`; the table has the columns url, kind (list, report, site),
host, agency, region, family. A file that says `checked: true` is left alone. Asks nobody: what it writes is a
hypothesis until seen live.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from extractors.portals import SHIPPED, parse_portal
from extractors.urls import canonical, host_of

REGIONS = Path(__file__).resolve().parents[1] / "transforms" / "reference" / "regions.csv"
_READ_AS = {"unknown": "static", "nfcms": "static", "vsb": "static"}
"""Families by the shape of an address that the static rule reads."""
_HAS_LIST_RULE = {"epoint": re.compile(r"categorynum="), "lonsun": re.compile(r"/public/column/")}
MOST_LISTS, MOST_REPORTS = 8, 3

Row = Mapping[str, str]


def region_codes() -> dict[str, str]:
    """National codes by full name, such as 河北省石家庄市正定县."""
    with REGIONS.open(encoding="utf8", newline="") as stream:
        rows = {row["region_code"]: row for row in csv.DictReader(stream) if len(row["region_code"]) == 6}
    codes: dict[str, str] = {"全国": "000000"}
    for code, row in rows.items():
        names, parent = [row["name"]], row["parent_code"]
        while parent in rows and rows[parent]["level"] != "national":
            names.append(rows[parent]["name"])
            parent = rows[parent]["parent_code"]
        path = names[::-1]
        # Tables write the full path, leave out the prefecture, or leave out placeholders such as 市辖区.
        for written in {
            "".join(path),
            path[0] + path[-1],
            "".join(n for n in path if n not in ("市辖区", "县")),
        }:
            codes.setdefault(written, code)
    return codes


def code_of(region: str, codes: Mapping[str, str]) -> str:
    """The code of a region's name, or of the longest known name it begins with; "" for none."""
    for end in range(len(region), 1, -1):
        if region[:end] in codes:
            return codes[region[:end]]
    return ""


def portal_of(host: str, rows: Sequence[Row], codes: Mapping[str, str]) -> dict[str, object]:
    """The content of one host's file."""
    named = Counter(row["family"] for row in rows if row["family"] != "unknown")
    family = named.most_common(1)[0][0] if named else "unknown"
    family = _READ_AS.get(family, family)
    regions = sorted({row["region"] for row in rows if row["region"]}, key=len)
    agencies = list(dict.fromkeys(row["agency"] for row in rows if row["agency"]))
    lists, reports = _addresses(rows, family)
    name = agencies[0] if agencies else host
    content: dict[str, object] = {
        "id": _id_of(host),
        "name": name,
        "region": code_of(regions[0], codes) if regions else "",
    }
    content |= {"family": family, "hosts": [host]}
    if lists:
        content["lists"] = lists[:MOST_LISTS]
    if reports:
        content["reports"] = reports[:MOST_REPORTS]
    if len(agencies) > 1:
        content["agencies"] = agencies
    return content | {"checked": False}


def _addresses(rows: Sequence[Row], family: str) -> tuple[list[str], list[str]]:
    lists, reports = [], []
    for row in rows:
        url = row["url"]
        if "xxgkAnnualReport.jsp" in url:
            lists.append(re.sub(r"fbtime=\d{4}", "fbtime={year}", url))
        elif row["kind"] == "report":
            reports.append(url)
        elif row["kind"] == "list" or (rule := _HAS_LIST_RULE.get(family)) is None or rule.search(url):
            lists.append(url)
        else:
            reports.append(url)
    return list(dict.fromkeys(lists)), list(dict.fromkeys(reports))


def _id_of(host: str) -> str:
    return re.sub(r"[^a-z0-9.-]", "-", host.removeprefix("www.").removesuffix(".gov.cn"))


def seed(table: Path, folder: Path = SHIPPED) -> tuple[int, list[str]]:
    """Writes the files; how many, and why hosts were left out."""
    with table.open(encoding="utf8", newline="") as stream:
        by_host: dict[str, list[Row]] = defaultdict(list)
        for row in csv.DictReader(stream):
            by_host[host_of(canonical(row["url"]))].append(row)
    codes, written, left_out = region_codes(), 0, []
    taken: set[str] = set()
    for host in sorted(by_host, key=lambda h: (not h.startswith("www."), h)):
        content = portal_of(host, by_host[host], codes)
        if str(content["id"]) in taken:
            content["id"] = re.sub(r"[^a-z0-9.-]", "-", host)
        taken.add(str(content["id"]))
        try:
            parse_portal(content, host)
        except Exception as error:
            left_out.append(f"{host}: {error}")
            continue
        path = folder / f"{content['id']}.yml"
        if path.exists() and yaml.safe_load(path.read_text(encoding="utf8"))["checked"]:
            continue
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=200)
        path.write_text(text, encoding="utf8")
        written += 1
    return written, left_out


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python -m extractors.seed_portals addresses.csv", file=sys.stderr)
        return 2
    written, left_out = seed(Path(sys.argv[1]))
    print(f"{written} portals in {SHIPPED}")
    for reason in left_out:
        print(f"left out: {reason}", file=sys.stderr)
    return 1 if left_out else 0


if __name__ == "__main__":
    sys.exit(main())
