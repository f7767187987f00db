"""Tidy tables for the warehouse's tests, written from the simulator's reports as the tidy step would write them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from extractors.dataroot import DataRoot
from extractors.schema import arrow_schema
from tests.simulator.agencies import Agency
from tests.simulator.figures import Report
from transforms.checks import check_reports
from transforms.tidy import indicators

CATALOGUE = indicators().set_index("indicator")


@dataclass(frozen=True)
class Version:
    """One version of a simulated report, and how it was found."""

    report: Report
    is_current: bool = True
    fetched_at: datetime = datetime(2026, 2, 1)
    portal_id: str = "portal"
    status: str = "read"
    salt: str = ""
    extractor_version: str = "1"
    published_on: date | None = None

    @property
    def sha256(self) -> str:
        named = f"{self.report.agency.key}/{self.report.year}/{self.salt}"
        return hashlib.sha256(named.encode()).hexdigest()

    @property
    def report_id(self) -> str:
        return f"{self.report.agency.key}/{self.report.year}@{self.sha256[:8]}"


def form_of(report: Report) -> str:
    """The form the readers would name: tables of 2021 with the requests table of 2019 count as 2021."""
    return "2021" if report.form == "mixed" else report.form


def report_row(version: Version) -> dict[str, Any]:
    report = version.report
    return {
        "report_id": version.report_id,
        "agency_id": report.agency.key,
        "agency_name": report.agency.name,
        "year": report.year,
        "form": form_of(report) if version.status == "read" else None,
        "title": report.title,
        "published_on": version.published_on or report.published_on,
        "source_url": f"https://portal.example/{report.agency.key}/{report.year}.html",
        "portal_id": version.portal_id,
        "carrier": "html",
        "status": version.status,
        "snapshot_sha256": version.sha256,
        "warc_path": "raw/portal/1.warc.gz",
        "warc_offset": 0,
        "fetched_at": version.fetched_at,
        "extractor_version": version.extractor_version,
        "is_current": version.is_current,
    }


def observation_rows(version: Version) -> list[dict[str, Any]]:
    rows = []
    for place, ((code, applicant), printed) in enumerate(version.report.cells.items(), start=1):
        kind = "number" if printed.value is not None else "blank" if not printed.text.strip() else "text"
        rows.append(
            {
                "report_id": version.report_id,
                "agency_id": version.report.agency.key,
                "year": version.report.year,
                "indicator": code,
                "applicant": applicant,
                "value": printed.value,
                "value_kind": kind,
                "unit": CATALOGUE.loc[code, "unit"],
                "raw_text": printed.text,
                "cell": f"1:{place}:1",
                "is_total": bool(CATALOGUE.loc[code, "is_total"]) or applicant == "total",
                "is_ocr": False,
            }
        )
    return rows


def agency_row(agency: Agency, parent: str | None = None) -> dict[str, Any]:
    return {
        "agency_id": agency.key,
        "name": agency.name,
        "region_code": agency.region_code,
        "region_name": None,
        "level": agency.level,
        "kind": agency.kind,
        "function": None if agency.kind == "government" else agency.function,
        "parent_agency_id": parent,
        "valid_from": None,
        "valid_to": None,
        "is_resolved": True,
        "unresolved_reason": None,
    }


def write(root: DataRoot, table: str, rows: Sequence[dict[str, Any]], partition: str = "") -> None:
    """One Parquet file of a tidy table."""
    schema = arrow_schema(table)
    place = f"tidy/{table}/{partition}part.parquet"
    root.write_table(place, pa.Table.from_pylist(list(rows), schema=schema))


def write_indicators(root: DataRoot) -> None:
    root.write_table(
        "tidy/indicators/part.parquet",
        pa.Table.from_pandas(indicators(), schema=arrow_schema("indicators"), preserve_index=False),
    )


def write_tidy(
    root: DataRoot,
    versions: Iterable[Version],
    parents: dict[str, str] | None = None,
    more_agencies: Iterable[Agency] = (),
) -> None:
    """All tidy tables of these report versions."""
    listed = list(versions)
    agencies = {v.report.agency.key: v.report.agency for v in listed} | {a.key: a for a in more_agencies}
    write_indicators(root)
    write(root, "agencies", [agency_row(a, (parents or {}).get(key)) for key, a in sorted(agencies.items())])
    write(root, "reports", [report_row(v) for v in listed])
    for year in sorted({v.report.year for v in listed}):
        write_year(root, year, [v for v in listed if v.report.year == year])


def write_year(root: DataRoot, year: int, versions: Sequence[Version]) -> None:
    """One year's partitions of observations, superseded observations and findings."""
    read = [v for v in versions if v.status == "read"]
    current = [row for v in read if v.is_current for row in observation_rows(v)]
    older = [row for v in read if not v.is_current for row in observation_rows(v)]
    write(root, "observations", current, f"year={year}/")
    write(root, "superseded_observations", older, f"year={year}/")
    frame = pa.Table.from_pylist(current, schema=arrow_schema("observations")).to_pandas()
    found = check_reports(frame)[arrow_schema("findings").names]
    root.write_table(
        f"tidy/findings/year={year}/part.parquet",
        pa.Table.from_pandas(found, schema=arrow_schema("findings"), preserve_index=False),
    )


def named(agency: Agency, slug: str, name: str) -> Agency:
    """The same place's agency under another office."""
    return replace(agency, slug=slug, name=name, short_name=name)
