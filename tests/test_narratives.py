"""The share of a chapter that an agency took over from its report of the year before."""

from __future__ import annotations

import pandas as pd
import pytest

from extractors.schema import arrow_schema
from transforms.narratives import narratives

OLD = "2020年，我局严格落实条例规定，积极推进政务公开工作。全年主动公开政府信息100条。"
NEW = "2021年，我局严格落实条例规定，积极推进政务公开工作。全年主动公开政府信息230条。"


def shares(texts: dict[tuple[str, int], str], is_current: bool = True) -> dict[tuple[str, int], float]:
    """Shares of one-chapter reports by (agency, year)."""
    ids = {key: f"{key[0]}/{key[1]}@0" for key in texts}
    chapters = pd.DataFrame(
        [
            {"report_id": ids[key], "chapter": "whole", "ordinal": 1, "heading": "", "text": text}
            for key, text in texts.items()
        ]
    )
    reports = pd.DataFrame(
        [
            {
                "report_id": ids[key],
                "agency_id": key[0],
                "year": key[1],
                "is_current": is_current or key[1] > 2020,
            }
            for key in texts
        ]
    )
    frame = narratives(chapters, reports)
    assert list(frame.columns) == arrow_schema("narratives").names
    by_id = dict(zip(frame["report_id"], frame["reused_share"], strict=True))
    return {key: by_id[ids[key]] for key in texts}


def test_the_same_text_with_new_figures_is_reused() -> None:
    found = shares({("a", 2020): OLD, ("a", 2021): NEW})
    assert found["a", 2021] == 1
    assert pd.isna(found["a", 2020])


def test_half_a_text_is_half_reused() -> None:
    found = shares({("a", 2020): "甲乙丙丁戊己庚辛。", ("a", 2021): "甲乙丙丁戊己庚辛。子丑寅卯辰巳午未。"})
    assert found["a", 2021] == pytest.approx(0.5)


def test_other_agencies_and_other_years_do_not_count() -> None:
    assert pd.isna(shares({("b", 2020): OLD, ("a", 2021): NEW})["a", 2021])
    assert pd.isna(shares({("a", 2019): OLD, ("a", 2021): NEW})["a", 2021])
    assert shares({("a", 2020): "另外一些完全不同的文字内容。", ("a", 2021): NEW})["a", 2021] == 0


def test_a_superseded_report_is_no_base() -> None:
    assert pd.isna(shares({("a", 2020): OLD, ("a", 2021): NEW}, is_current=False)["a", 2021])


def test_text_without_clauses_has_no_share() -> None:
    assert pd.isna(shares({("a", 2020): OLD, ("a", 2021): "无。"})["a", 2021])
    assert pd.isna(shares({("a", 2020): OLD, ("a", 2021): ""})["a", 2021])


def test_nothing_in_nothing_out() -> None:
    chapters = arrow_schema("narratives").empty_table().to_pandas()
    reports = arrow_schema("reports").empty_table().to_pandas()
    frame = narratives(chapters.drop(columns="reused_share"), reports)
    assert frame.empty and list(frame.columns) == arrow_schema("narratives").names
