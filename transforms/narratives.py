"""Chapters of reports as the table `narratives`, with the share of each chapter reused from the year before.

Compares an agency's report only with its own of the year before; changes no text and judges none.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from extractors.schema import arrow_schema

SHORTEST_CLAUSE = 6
"""Characters of a clause that counts; shorter ones (现将情况报告如下) say nothing about reuse."""
LONGEST_TEXT = 50_000
"""Characters of a chapter that are compared."""
_NUMBERS_AND_SPACE = r"[0-9０-９\s]+"
_CLAUSE_ENDS = r"[，。；：！？、,;:!?]+"

Codes = npt.NDArray[np.int64]


def narratives(chapters: pd.DataFrame, reports: pd.DataFrame) -> pd.DataFrame:
    """Rows of the table `narratives` for `chapters` (report_id, chapter, ordinal, heading, text).

    reused_share = characters in clauses that stand, word for word, anywhere in the current report of the same
    agency for the year before / characters in all clauses of the chapter. A clause is what stands between two
    punctuation marks, digits and white space taken out (so that a new year or figure makes it no new one), of
    at least `SHORTEST_CLAUSE` characters. NULL where that report has no prose or the chapter no such clause.

    reports: report_id, agency_id, year, is_current, for the chapters' reports and those of the year before.
    """
    names = arrow_schema("narratives").names
    keys = reports[["report_id", "agency_id", "year", "is_current"]].drop_duplicates("report_id")
    frame = chapters.merge(keys, on="report_id", how="inner").reset_index(drop=True)
    frame["reused_share"] = _reused_shares(frame)
    return frame[names].sort_values(["report_id", "ordinal"], kind="stable").reset_index(drop=True)


def _reused_shares(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    if frame.empty:
        return np.empty(0, dtype=np.float64)
    chapter, clause, length = _clauses(frame["text"])
    this, before = _groups(frame)
    # One whole number for "this clause in this agency's year": sets of them are compared as sorted integers.
    many = int(clause.max(initial=0)) + 1
    is_current = frame["is_current"].to_numpy(dtype=np.bool_)
    known = np.unique(this[chapter][is_current[chapter]] * many + clause[is_current[chapter]])
    is_reused = np.isin(before[chapter] * many + clause, known)
    total = np.bincount(chapter, weights=length, minlength=len(frame))
    reused = np.bincount(chapter, weights=length * is_reused, minlength=len(frame))
    has_before = np.isin(before, np.unique(this[chapter][is_current[chapter]]))
    shares = np.full(len(frame), np.nan)
    comparable = has_before & (total > 0)
    shares[comparable] = reused[comparable] / total[comparable]
    return shares


def _clauses(texts: pd.Series) -> tuple[Codes, Codes, Codes]:
    """(row of its text, number among all distinct clauses, length) of every clause that counts."""
    array = pa.array(texts, pa.string(), from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    plain = pc.replace_substring_regex(
        pc.utf8_slice_codeunits(array, 0, LONGEST_TEXT), _NUMBERS_AND_SPACE, ""
    )
    lists = pc.split_pattern_regex(plain, _CLAUSE_ENDS)
    clauses, rows = pc.list_flatten(lists), pc.list_parent_indices(lists)
    lengths = pc.utf8_length(clauses)
    counts = pc.greater_equal(lengths, SHORTEST_CLAUSE)
    codes = clauses.filter(counts).dictionary_encode().indices
    return tuple(
        column.to_numpy(zero_copy_only=False).astype(np.int64)
        for column in (rows.filter(counts), codes, lengths.filter(counts))
    )  # type: ignore[return-value]


def _groups(frame: pd.DataFrame) -> tuple[Codes, Codes]:
    """Numbers of (agency, year) and of (agency, year before) of each chapter."""
    agency = pd.factorize(frame["agency_id"])[0].astype(np.int64)
    year = frame["year"].to_numpy(dtype=np.int64)
    width = int(year.max() - year.min()) + 2
    this = agency * width + (year - year.min()) + 1
    return this, this - 1
