"""`data/cells` → `data/tidy`: identity, versions, typed values, findings, as Parquet partitioned by year.

Column operations throughout; a year whose reports did not change is not written again. Reads no page, opens no socket.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from extractors.dataroot import CELLS, TIDY, DataRoot
from extractors.numbers import read_prose_value, read_value
from extractors.portals import load_portals
from extractors.records import APPLICANTS
from extractors.schema import arrow_schema
from transforms.checks import check_reports
from transforms.identity import resolve_agencies
from transforms.narratives import narratives

log = logging.getLogger(__name__)

REFERENCE = Path(__file__).parent / "reference"
REPORT_STATUSES = ("read", "no_tables", "tables_as_images", "attachment_only")
"""Documents that are an agency's report for a year, whether or not its numbers could be read."""
LOCAL_PORTAL = "local"
"""The portal of ingested files."""
TWIN_DAYS = 7
"""A PDF fetched this soon after the same report as a page is its twin, and the page is preferred."""


@dataclass(frozen=True)
class TidyResult:
    """What a run of `tidy` wrote: years rewritten, and rows of the whole."""

    years: tuple[int, ...]
    reports: int
    observations: int
    findings: int


@cache
def indicators() -> pd.DataFrame:
    """The catalogue of indicators.csv, typed as the table `indicators`, in printed order."""
    frame = pd.read_csv(REFERENCE / "indicators.csv", dtype=str, keep_default_na=False)
    for column in ("by_applicant", "is_total"):
        frame[column] = frame[column] == "1"
    for column in ("parent", "note"):
        frame[column] = frame[column].where(frame[column] != "", None)
    return frame


def tidy(root: DataRoot, *, every: bool = False) -> TidyResult:
    """Brings `data/tidy` up to `data/cells`. Twice the same cells give the same files.

    every: write all years again, not only those whose reports changed.
    """
    documents = newest_readings(root)
    reports, agencies = make_reports(documents)
    years = _years_to_write(root, reports, every=every)
    observations = findings = 0
    for year in years:
        of_year = reports[reports["year"] == year]
        counts = _write_year(root, year, of_year, documents)
        observations += counts[0]
        findings += counts[1]
        log.info("tidy year=%s reports=%s observations=%s findings=%s", year, len(of_year), *counts)
    for year in sorted({year + step for year in years for step in (0, 1)} & set(reports["year"])):
        _write_narratives(root, int(year), reports, documents)
    _drop_gone_years(root, reports)
    _write_whole(root, "agencies", agencies)
    _write_whole(root, "indicators", indicators())
    # Last: a run that is stopped before this line does its years again.
    _write_whole(root, "reports", reports)
    return TidyResult(tuple(years), len(reports), observations, findings)


def newest_readings(root: DataRoot) -> pd.DataFrame:
    """One row a snapshot: its newest reading, with `batch`, the name of the files that hold its cells."""
    schema = arrow_schema("documents")
    pieces = []
    for name in root.files(f"{CELLS}/documents", ".parquet"):
        piece = ds.dataset(root.path(name), filesystem=root.fs, schema=schema).to_table()
        batch = name.rsplit("/", 1)[-1]
        pieces.append(piece.append_column("batch", pa.array([batch] * piece.num_rows, pa.string())))
    if not pieces:
        return schema.append(pa.field("batch", pa.string())).empty_table().to_pandas()
    frame = pa.concat_tables(pieces).to_pandas()
    frame = frame.sort_values(["read_at", "extractor_version", "batch"], kind="stable")
    return frame.drop_duplicates(["source_url", "snapshot_sha256"], keep="last").reset_index(drop=True)


def make_reports(documents: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows of `reports`, rows of `agencies`) from the newest readings.

    One snapshot seen at two addresses is one version: the address it was first fetched from stays.
    """
    frame = documents[documents["status"].isin(REPORT_STATUSES) & documents["year"].notna()].copy()
    frame["agency_name"] = frame["agency_name"].fillna("")
    asked = frame[["agency_name", "portal_id", "year"]].assign(
        portal_region=_portal_regions(frame["portal_id"])
    )
    # Files share no portal that could tell two agencies of one unresolved name apart; their addresses do.
    is_file = frame["portal_id"] == LOCAL_PORTAL
    asked["portal_id"] = frame["portal_id"].where(~is_file, frame["source_url"])
    resolved = resolve_agencies(asked.reset_index(drop=True))
    frame["agency_id"] = resolved["agency_id"].to_numpy()
    frame["year"] = frame["year"].astype("int32")
    frame["report_id"] = (
        frame["agency_id"] + "/" + frame["year"].astype(str) + "@" + frame["snapshot_sha256"].str[:8]
    )
    frame = frame.sort_values(["fetched_at", "source_url"], kind="stable").drop_duplicates("report_id")
    frame["is_current"] = _is_current(frame)
    frame = frame.sort_values(["year", "agency_id", "fetched_at", "report_id"]).reset_index(drop=True)
    agencies = resolved.drop_duplicates("agency_id").sort_values("agency_id").reset_index(drop=True)
    return frame, agencies[agencies["agency_id"].isin(frame["agency_id"])]


def _portal_regions(portal_ids: pd.Series) -> list[str]:
    """National region code of each portal, "" for local files and portals of no one region."""
    codes = {portal.id: portal.region for portal in load_portals()}
    return [codes.get(portal, "") for portal in portal_ids]


def _is_current(frame: pd.DataFrame) -> pd.Series:
    """Marks the version in force of each agency and year: the newest that could be read, a page before its PDF twin."""
    is_page = ~frame["carrier"].isin(["pdf", "image"])
    rank = pd.DataFrame(
        {
            "agency_id": frame["agency_id"],
            "year": frame["year"],
            "readable": frame["status"] == "read",
            "when": frame["fetched_at"] + pd.to_timedelta(np.where(is_page, TWIN_DAYS, 0), unit="D"),
            "published_on": pd.to_datetime(frame["published_on"]).fillna(pd.Timestamp.min),
            "source_url": frame["source_url"],
        },
        index=frame.index,
    )
    ranked = rank.sort_values(["readable", "when", "published_on", "source_url"], kind="stable")
    chosen = ranked.drop_duplicates(["agency_id", "year"], keep="last").index
    return pd.Series(frame.index.isin(chosen), index=frame.index)


def _years_to_write(root: DataRoot, reports: pd.DataFrame, *, every: bool) -> list[int]:
    """Years whose reports differ from those written last: new, changed, read again, superseded or gone."""
    columns = ["report_id", "year", "extractor_version", "is_current", "status", "agency_name", "source_url"]
    written = root.read_table(f"{TIDY}/reports", arrow_schema("reports")).to_pandas()[columns]
    if every or written.empty:
        return sorted(int(year) for year in set(reports["year"]))
    both = written.merge(reports[columns], on=columns, how="outer", indicator=True)
    changed = set(both.loc[both["_merge"] != "both", "year"].astype(int))
    return sorted(changed & set(reports["year"].astype(int)))


def _write_year(root: DataRoot, year: int, reports: pd.DataFrame, documents: pd.DataFrame) -> tuple[int, int]:
    """Writes one year's observations and findings; (observations, findings)."""
    cells = _rows_of(root, "cells", reports)
    observations = to_observations(cells, reports)
    current = observations["report_id"].isin(reports.loc[reports["is_current"], "report_id"])
    _write(root, "observations", year, observations[current])
    _write(root, "superseded_observations", year, observations[~current])
    leftovers = _rows_of(root, "leftovers", reports)
    findings = pd.concat(
        [check_reports(observations[current]), reader_findings(leftovers, reports)], ignore_index=True
    )
    findings = findings.sort_values(["report_id", "check_id", "scope"], kind="stable")
    findings = findings.drop_duplicates(["report_id", "check_id", "scope"])
    _write(root, "findings", year, findings)
    return len(observations), len(findings)


def _rows_of(root: DataRoot, table: str, reports: pd.DataFrame) -> pd.DataFrame:
    """Rows of a cells table for these reports' readings, with `report_id` in place of snapshot and version."""
    schema = arrow_schema(table)
    wanted = reports[["snapshot_sha256", "extractor_version", "batch", "report_id"]]
    pieces = []
    for batch, of_batch in wanted.groupby("batch", sort=True):
        path = root.path(f"{CELLS}/{table}", str(batch))
        rows = ds.dataset(path, filesystem=root.fs, schema=schema).to_table(
            filter=pc.field("snapshot_sha256").isin(
                pa.array(of_batch["snapshot_sha256"].tolist(), pa.string())
            )
        )
        pieces.append(rows)
    if not pieces:
        return schema.empty_table().to_pandas().assign(report_id=pd.Series(dtype="str"))
    frame = pa.concat_tables(pieces).to_pandas()
    keys = wanted[["snapshot_sha256", "extractor_version", "report_id"]].drop_duplicates()
    return frame.merge(keys, on=["snapshot_sha256", "extractor_version"], how="inner")


def to_observations(cells: pd.DataFrame, reports: pd.DataFrame) -> pd.DataFrame:
    """Cells with `report_id` → rows of `observations`; every distinct printed text is read once."""
    frame = cells.merge(reports[["report_id", "agency_id", "year"]], on="report_id", how="inner")
    for column in ("kind", "unit", "is_total", "place"):
        frame[column] = fact_of(frame["indicator"], column)
    frame["value"], frame["value_kind"] = read_values(frame)
    frame["is_total"] = frame["is_total"].astype(bool) | (frame["applicant"] == "total")
    frame["is_ocr"] = frame["mark"] == "ocr"
    place = [frame[f"cell_{part}"].astype(str) for part in ("table", "row", "column")]
    frame["cell"] = place[0] + ":" + place[1] + ":" + place[2]
    frame["seat"] = frame["applicant"].map({name: i for i, name in enumerate(APPLICANTS)})
    frame = frame.sort_values(["report_id", "place", "seat"], kind="stable")
    return frame.drop_duplicates(["report_id", "indicator", "applicant"]).reset_index(drop=True)


def fact_of(named: pd.Series, column: str) -> pd.Series:
    """What `indicators.csv` says in a column of each row's indicator; `place` is its row there, from 0.

    Each distinct indicator is looked up once.
    """
    catalogue = indicators().set_index("indicator")
    facts = pd.Series(range(len(catalogue)), catalogue.index) if column == "place" else catalogue[column]
    codes, distinct = pd.factorize(named)
    return pd.Series(facts.reindex(distinct).array.take(codes), index=named.index)


def read_values(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """(value, value_kind) of rows with `printed`, `unit_text`, `kind`, `mark`, `indicator`.

    Reads each distinct combination once and spreads the answers by their codes.
    """
    is_prose = frame["indicator"].str.startswith("narrative.")
    parts = [frame["printed"], frame["unit_text"], frame["kind"], frame["mark"], is_prose]
    codes = np.zeros(len(frame), dtype=np.int64)
    for part in parts:
        code, levels = pd.factorize(part)
        codes = codes * max(len(levels), 1) + code
    inverse, combinations = pd.factorize(codes)
    first = np.empty(len(combinations), dtype=np.int64)
    first[inverse[::-1]] = np.arange(len(codes) - 1, -1, -1)
    distinct = zip(*(part.iloc[first].tolist() for part in parts), strict=True)
    answers = [_value(*combination) for combination in distinct]
    values = np.array([value for value, _ in answers], dtype=object)
    kinds = np.array([kind for _, kind in answers], dtype=object)
    return (
        pd.Series(values[inverse] if len(frame) else [], index=frame.index, dtype=object),
        pd.Series(kinds[inverse] if len(frame) else [], index=frame.index, dtype=object),
    )


def _value(printed: str, unit_text: str, kind: str, mark: str, is_prose: bool) -> tuple[Decimal | None, str]:
    if mark in ("column_lost", "cut", "ambiguous"):
        return None, mark
    if not is_prose:
        return read_value(printed, unit_text, kind)
    value, value_kind = read_prose_value(printed, unit_text, kind)
    is_said_so = mark == "approximate" and value is not None
    return value, "approximate" if is_said_so else value_kind


def reader_findings(leftovers: pd.DataFrame, reports: pd.DataFrame) -> pd.DataFrame:
    """Leftovers of the readers as findings `R.<reason>`: what stands in a table and was not used."""
    frame = leftovers.merge(reports[["report_id", "agency_id", "year"]], on="report_id", how="inner")
    place = [frame[f"cell_{part}"].astype(str) for part in ("table", "row", "column")]
    cell = place[0] + ":" + place[1] + ":" + place[2]
    return pd.DataFrame(
        {
            "report_id": frame["report_id"],
            "agency_id": frame["agency_id"],
            "year": frame["year"],
            "check_id": "R." + frame["reason_code"],
            "scope": cell,
            "formula": frame["reason"].str.cat(frame["raw_text"], sep=": "),
            "left_value": None,
            "right_value": None,
            "difference": None,
            "cells": cell,
            "status": "not_assessable",
            "likely_cause": None,
            "verdict": None,
        }
    )


def _write_narratives(root: DataRoot, year: int, reports: pd.DataFrame, documents: pd.DataFrame) -> None:
    """One year's chapters, with the share found again in the report of the year before."""
    near = reports[reports["year"].isin([year - 1, year]) & reports["is_current"]]
    frame = narratives(_rows_of(root, "chapters", near), near)
    _write(
        root, "narratives", year, frame[frame["report_id"].isin(near.loc[near["year"] == year, "report_id"])]
    )


def _drop_gone_years(root: DataRoot, reports: pd.DataFrame) -> None:
    """Removes the partitions of years that have no report any more."""
    years = {f"year={year}" for year in set(reports["year"])}
    for table in ("observations", "superseded_observations", "findings", "narratives"):
        for name in root.files(f"{TIDY}/{table}", ".parquet"):
            if name.split("/")[-2] not in years:
                root.fs.rm(root.path(name))


def _write(root: DataRoot, table: str, year: int, frame: pd.DataFrame) -> None:
    root.write_table(f"{TIDY}/{table}/year={year}/part.parquet", _table(frame, table))


def _write_whole(root: DataRoot, table: str, frame: pd.DataFrame) -> None:
    """Writes a table of one file, unless it is the same already."""
    made = _table(frame, table)
    if not made.equals(root.read_table(f"{TIDY}/{table}", arrow_schema(table)).replace_schema_metadata(None)):
        root.write_table(f"{TIDY}/{table}/{table}.parquet", made)


def _table(frame: pd.DataFrame, table: str) -> pa.Table:
    schema = arrow_schema(table)
    return pa.Table.from_pandas(
        frame[schema.names], schema=schema, preserve_index=False
    ).replace_schema_metadata(None)
