"""The ten example questions as an analyst would answer them with pandas on the tidy tables in memory.

The baseline of the questions' speed, and a second opinion on their numbers. Shares no code with the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extractors.dataroot import DataRoot

REASONS = (
    "state_secret",
    "other_law",
    "security_stability",
    "third_party",
    "internal_affairs",
    "process",
    "enforcement_file",
    "administrative_query",
)
REFUSED = [f"requests.refused.{reason}" for reason in REASONS]
FEW = ["indicator", "applicant", "value_kind"]


@dataclass
class Frames:
    """Tidy tables in memory; words of the observations as categories, values as floats."""

    observations: pd.DataFrame
    reports: pd.DataFrame
    agencies: pd.DataFrame
    findings: pd.DataFrame

    @classmethod
    def load(cls, root: DataRoot) -> Frames:
        """Reads the columns the questions need."""
        columns = ["report_id", "agency_id", "year", *FEW, "value"]
        pieces = []
        for path in sorted(root.local("tidy", "observations").glob("*/*.parquet")):
            table = pq.read_table(
                path, columns=columns, read_dictionary=["report_id", "agency_id", *FEW], partitioning=None
            )
            place = table.schema.get_field_index("value")
            pieces.append(table.set_column(place, "value", pc.cast(table["value"], pa.float64())))
        observations = pa.concat_tables(pieces).unify_dictionaries().to_pandas(self_destruct=True)
        findings = pq.read_table(
            root.local("tidy", "findings"),
            columns=["report_id", "year", "check_id", "status"],
            partitioning=None,
        )
        return cls(
            observations,
            pq.read_table(root.local("tidy", "reports")).to_pandas(),
            pq.read_table(root.local("tidy", "agencies")).to_pandas(),
            findings.to_pandas(),
        )


def _numbers(
    f: Frames, codes: list[str], applicant: str | None = "total", year: int | None = None
) -> pd.DataFrame:
    """One row a report, one column a code, of printed numbers."""
    o = f.observations
    wanted = o["indicator"].isin(codes) & (o["value_kind"] == "number")
    wanted &= o["applicant"].isna() if applicant is None else o["applicant"] == applicant
    if year is not None:
        wanted &= o["year"] == year
    rows = o.loc[wanted, ["report_id", "indicator", "value"]]
    wide = rows.assign(indicator=rows["indicator"].astype(str)).pivot(
        index="report_id", columns="indicator", values="value"
    )
    return wide.reindex(columns=codes)


def _with_names(f: Frames, wide: pd.DataFrame) -> pd.DataFrame:
    named = f.reports.merge(f.agencies, on="agency_id")
    return wide.reset_index().astype({"report_id": str}).merge(named, on="report_id")


def _sum(wide: pd.DataFrame, codes: list[str]) -> pd.Series:
    return wide[codes].sum(axis=1, skipna=False)


def _newest(f: Frames) -> int:
    return int(f.reports["year"].max())


def who_refuses_most(f: Frames) -> pd.DataFrame:
    wide = _numbers(f, [*REFUSED, "requests.handled"], year=_newest(f))
    wide["refused"] = _sum(wide, REFUSED)
    wide = wide[(wide["requests.handled"] >= 30) & (wide["refused"] <= wide["requests.handled"])]
    wide["rate"] = wide["refused"] / wide["requests.handled"]
    return _with_names(f, wide).sort_values(["rate", "requests.handled"], ascending=False).head(20)


def requests_by_year_and_level(f: Frames) -> pd.DataFrame:
    new = _numbers(f, ["requests.new"])["requests.new"]
    old = _numbers(f, ["statistics.requests.received"], None)["statistics.requests.received"]
    value = pd.concat([new, old]).dropna().rename("value").reset_index().astype({"report_id": str})
    named = (
        f.reports[f.reports["is_current"]]
        .merge(f.agencies, on="agency_id")
        .merge(value, on="report_id", how="left")
    )
    return named.groupby(["year", "level"]).agg(
        agencies=("report_id", "size"), n=("value", "count"), v=("value", "sum")
    )


def granted_share_by_province(f: Frames) -> pd.DataFrame:
    wide = _numbers(f, ["requests.granted", "requests.handled"]).dropna()
    wide = wide[(wide["requests.granted"] <= wide["requests.handled"]) & (wide["requests.handled"] > 0)]
    named = _with_names(f, wide)
    named["province"] = named["region_code"].str[:2]
    sums = named.groupby(["province", "year"])[["requests.granted", "requests.handled"]].sum()
    return sums.assign(share=sums["requests.granted"] / sums["requests.handled"])


def largest_changes(f: Frames) -> pd.DataFrame:
    year = _newest(f)
    now = _with_names(f, _numbers(f, ["requests.new"], year=year))
    before = _with_names(f, _numbers(f, ["requests.new"], year=year - 1))[["agency_id", "requests.new"]]
    both = now.merge(before, on="agency_id", suffixes=("", "_before"))
    both["change"] = both["requests.new"] - both["requests.new_before"]
    return both.nlargest(20, "change")


def refusal_reasons(f: Frames) -> pd.DataFrame:
    wide = _numbers(f, REFUSED).dropna()
    named = (
        wide.reset_index().astype({"report_id": str}).merge(f.reports[["report_id", "year"]], on="report_id")
    )
    sums = named.groupby("year")[REFUSED].sum()
    return sums.div(sums.sum(axis=1), axis=0)


def who_has_not_published(f: Frames) -> pd.DataFrame:
    first = f.reports.groupby("agency_id")["year"].min().rename("first").reset_index()
    due = f.agencies.merge(first, on="agency_id").merge(
        pd.DataFrame({"year": range(int(f.reports["year"].min()), pd.Timestamp.now().year)}), how="cross"
    )
    due = due[due["year"] >= due["first"]]
    mine = f.reports.loc[f.reports["is_current"], ["agency_id", "year", "published_on", "status"]]
    due = due.merge(mine, on=["agency_id", "year"], how="left")
    month_end = (due["kind"] == "government") | (due["year"] < 2019)
    due_on = pd.to_datetime((due["year"] + 1).astype(str) + month_end.map({True: "-03-31", False: "-01-31"}))
    due["late"] = (pd.to_datetime(due["published_on"]) - due_on).dt.days
    due["said"] = "published_on_time"
    due.loc[due["late"] > 0, "said"] = "late"
    due.loc[due["status"].isna(), "said"] = "not_found"
    return due.groupby(["year", "level", "said"]).agg(agencies=("agency_id", "size"), late=("late", "max"))


def corrected_in_review(f: Frames) -> pd.DataFrame:
    codes = [
        f"{group}.{result}"
        for group in ("review", "litigation.direct", "litigation.after_review")
        for result in ("upheld", "corrected", "other")
    ]
    wide = _numbers(f, codes, None, _newest(f))
    stages = []
    for stage, groups in (
        ("review", ["review"]),
        ("litigation", ["litigation.direct", "litigation.after_review"]),
    ):
        parts = {r: _sum(wide, [f"{g}.{r}" for g in groups]) for r in ("upheld", "corrected", "other")}
        frame = pd.DataFrame(parts).assign(stage=stage)
        stages.append(frame[frame[["upheld", "corrected", "other"]].sum(axis=1, skipna=False) >= 10])
    both = pd.concat(stages)
    both["share"] = both["corrected"] / both[["upheld", "corrected", "other"]].sum(axis=1)
    return _with_names(f, both).sort_values(["share", "corrected"], ascending=False).head(20)


def who_asks(f: Frames) -> pd.DataFrame:
    o = f.observations
    wanted = (
        o["indicator"].isin(["requests.new", "requests.granted"])
        & (o["value_kind"] == "number")
        & o["applicant"].notna()
        & (o["applicant"] != "total")
    )
    rows = o.loc[wanted]
    return rows.groupby(["year", "applicant", "indicator"], observed=True)["value"].sum().unstack()


def among_peers(f: Frames) -> pd.DataFrame:
    named = _with_names(f, _numbers(f, ["requests.new"], year=_newest(f))).dropna(subset="requests.new")
    group = named.groupby(["level", "kind", "function"], dropna=False)["requests.new"]
    named["n"], named["median"] = group.transform("size") - 1, group.transform("median")
    named["rank"], named["percentile"] = group.rank("min", ascending=False), group.rank("min") - 1
    mine = named[(named["level"] == "county") & (named["kind"] == "government")]
    return mine.sort_values(["rank", "agency_name"]).head(50)


def can_i_believe_it(f: Frames) -> pd.DataFrame:
    return f.findings.groupby(["year", "check_id", "status"]).size().unstack(fill_value=0)


QUESTIONS: dict[str, Callable[[Frames], pd.DataFrame]] = {
    "01_who_refuses_most": who_refuses_most,
    "02_requests_by_year_and_level": requests_by_year_and_level,
    "03_granted_share_by_province": granted_share_by_province,
    "04_largest_changes": largest_changes,
    "05_refusal_reasons": refusal_reasons,
    "06_who_has_not_published": who_has_not_published,
    "07_corrected_in_review": corrected_in_review,
    "08_who_asks": who_asks,
    "09_among_peers": among_peers,
    "10_can_i_believe_it": can_i_believe_it,
}
