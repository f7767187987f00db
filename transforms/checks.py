"""Checks each report against the arithmetic its form must obey; the identities are in `reference/checks.csv`.

A finding says whether the printed numbers agree, and never changes them. A blank, lost or missing cell makes
a check `not_assessable`; it is never taken for zero. Checks across reports and years are elsewhere.

Columns of checks.csv: `scope` is `applicant` (one check a column of the requests table), `row` (one check a
row of it) or the name of the one check. `terms` are codes a report must print for the formula to be meant;
where a check has several formulas (2019 form, 2021 form), exactly one must be meant, or the check is not
assessable. `severity` is the status when the sides differ.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from extractors.records import APPLICANTS
from extractors.schema import arrow_schema
from transforms.check_causes import Texts, causes_of, opposite_columns
from transforms.report_matrix import (
    ABSENT,
    NOT_A_NUMBER,
    NUMBER,
    Ints,
    ReportMatrix,
    decimals,
    report_matrix,
)

REFERENCE = Path(__file__).parent / "reference"
REPORTS_AT_ONCE = 20_000
"""Reports checked together; bounds the memory of a call whatever the number of observations."""
VAGUE_CAUSE = "the text gives an approximate figure"

Term = tuple[str, str | None]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Formula:
    """One way to write an identity: sum of `left` = sum of `right`; `needs` are its `terms` of checks.csv."""

    text: str
    left: tuple[Term, ...]
    right: tuple[Term, ...]
    needs: frozenset[str]


@dataclass(frozen=True)
class Check:
    """One identity in one scope; `by_applicant` when the scope is a column of the requests table."""

    check_id: str
    scope: str
    by_applicant: bool
    severity: str
    formulas: tuple[Formula, ...]


@dataclass(frozen=True)
class _Outcome:
    """Findings of one check: one entry a report it applies to."""

    check: Check
    reports: npt.NDArray[np.intp]
    formula: npt.NDArray[np.intp]
    left: Ints
    right: Ints
    is_known: Bools
    status: Texts
    cause: Texts
    cells: Texts


def check_reports(observations: pd.DataFrame) -> pd.DataFrame:
    """Findings (columns of the table `findings`) of every check of checks.csv on every report.

    observations: columns of the table `observations`. The result is ordered by report as they first occur,
    then by check; its columns are backed by Arrow.
    """
    reports, _ = pd.factorize(observations["report_id"])
    if len(observations) == 0:
        return _frame(arrow_schema("findings").empty_table())
    pieces = []
    for start in range(0, int(reports.max()) + 1, REPORTS_AT_ONCE):
        chosen = (reports >= start) & (reports < start + REPORTS_AT_ONCE)
        pieces.append(_check(observations if chosen.all() else observations[chosen]))
    return _frame(pa.concat_tables(pieces))


def _frame(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas(types_mapper=pd.ArrowDtype)


@cache
def checks() -> tuple[Check, ...]:
    """The checks of checks.csv, those over columns and rows of the requests table written out for each."""
    with (REFERENCE / "checks.csv").open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (REFERENCE / "indicators.csv").open(encoding="utf8", newline="") as file:
        by_applicant = [row["indicator"] for row in csv.DictReader(file) if row["by_applicant"] == "1"]
    found: dict[tuple[str, str], Check] = {}
    for row in rows:
        for scope, formula in _written_out(row, by_applicant):
            key = (row["check_id"], scope)
            formulas = found[key].formulas if key in found else ()
            by_column = row["scope"] == "applicant"
            found[key] = Check(row["check_id"], scope, by_column, row["severity"], (*formulas, formula))
    return tuple(found.values())


def _written_out(row: dict[str, str], by_applicant: list[str]) -> Iterator[tuple[str, Formula]]:
    needs = frozenset(row["terms"].split())
    if row["scope"] == "applicant":
        for applicant in APPLICANTS:
            yield applicant, _formula(row["formula"], needs, applicant)
    elif row["scope"] == "row":
        for code in by_applicant:
            yield code, _formula(row["formula"].replace("{row}", code), needs, None)
    else:
        yield row["scope"], _formula(row["formula"], needs, None)


def _formula(text: str, needs: frozenset[str], applicant: str | None) -> Formula:
    left, right = text.split(" = ")
    return Formula(text, _terms(left, applicant), _terms(right, applicant), needs)


def _terms(side: str, applicant: str | None) -> tuple[Term, ...]:
    found = re.findall(r"([a-z_.]+)(?:\[([a-z_]+)\])?", side)
    return tuple((code, named or applicant) for code, named in found)


@cache
def _columns() -> tuple[Term, ...]:
    terms = {
        t: None for check in checks() for formula in check.formulas for t in (*formula.left, *formula.right)
    }
    return tuple(terms)


def _check(observations: pd.DataFrame) -> pa.Table:
    matrix = report_matrix(observations, _columns())
    printed = _printed_codes(matrix)
    outcomes = [_outcome(check, matrix, printed) for check in checks()]
    outcomes = _with_opposite_columns(
        [outcome for outcome in outcomes if len(outcome.reports)], len(matrix.first)
    )
    return _table(outcomes, observations, matrix)


def _printed_codes(matrix: ReportMatrix) -> dict[str, Bools]:
    """For each code, which reports print it in any column."""
    printed: dict[str, Bools] = {}
    for (code, _), column in matrix.columns.items():
        here = matrix.states[:, column] != ABSENT
        printed[code] = printed[code] | here if code in printed else here
    return printed


def _outcome(check: Check, matrix: ReportMatrix, printed: dict[str, Bools]) -> _Outcome:
    """One check on all the reports it applies to."""
    meant = np.array([_is_meant(formula, printed) for formula in check.formulas])
    applies = meant.any(axis=0)
    if check.by_applicant:
        # A column without any cell belongs to a table that has others: it is lost, not absent.
        codes = {code for formula in check.formulas for code, _ in (*formula.left, *formula.right)}
        applies = np.logical_or.reduce([printed[code] for code in codes])
    reports = np.flatnonzero(applies)
    size = len(reports)
    outcome = _Outcome(
        check=check,
        reports=reports,
        formula=meant.argmax(axis=0)[reports],
        left=np.zeros(size, dtype=np.int64),
        right=np.zeros(size, dtype=np.int64),
        is_known=np.zeros(size, dtype=np.bool_),
        status=np.full(size, "not_assessable", dtype=object),
        cause=np.full(size, None, dtype=object),
        cells=np.full(size, "", dtype=object),
    )
    is_clear = (meant.sum(axis=0) == 1)[reports]
    for index, formula in enumerate(check.formulas):
        here = np.flatnonzero(outcome.formula == index)
        if len(here):
            _fill(outcome, formula, here, is_clear[here], matrix)
    return outcome


def _fill(
    outcome: _Outcome, formula: Formula, here: npt.NDArray[np.intp], is_clear: Bools, matrix: ReportMatrix
) -> None:
    """Works out the entries `here`, whose reports print this formula's rows (`is_clear`: and no other's)."""
    check, reports = outcome.check, outcome.reports[here]
    left_at = [matrix.columns[term] for term in formula.left]
    right_at = [matrix.columns[term] for term in formula.right]
    states = matrix.states[reports][:, left_at + right_at]
    parts = matrix.values[reports][:, left_at]
    left, right = parts.sum(axis=1), matrix.values[reports][:, right_at].sum(axis=1)
    is_known = (states > NOT_A_NUMBER).all(axis=1) & is_clear
    is_exact = is_known & (states == NUMBER).all(axis=1)
    agrees = left == right
    is_vague = is_known & ~is_exact & ~agrees
    status = np.where(is_known, np.where(agrees, "pass", check.severity), "not_assessable").astype(object)
    status[is_vague] = "uncertain"
    cause: Texts = np.full(len(here), None, dtype=object)
    cause[is_vague] = VAGUE_CAUSE
    if check.severity == "fail":
        failed = np.flatnonzero(is_exact & ~agrees)
        names = [code if check.by_applicant or named is None else named for code, named in formula.left]
        is_sum = len(formula.right) == 1
        cause[failed] = causes_of(left[failed], right[failed], parts[failed], names, is_sum)
    outcome.left[here], outcome.right[here], outcome.is_known[here] = left, right, is_known
    outcome.status[here], outcome.cause[here] = status, cause
    outcome.cells[here] = _cells(matrix, reports, left_at + right_at).to_numpy(zero_copy_only=False)


def _is_meant(formula: Formula, printed: dict[str, Bools]) -> Bools:
    """Which reports mean this formula: they print all it needs, or any of its terms when it needs nothing."""
    if formula.needs:
        return np.logical_and.reduce([printed[code] for code in formula.needs])
    return np.logical_or.reduce([printed[code] for code, _ in (*formula.left, *formula.right)])


def _cells(matrix: ReportMatrix, reports: npt.NDArray[np.intp], columns: list[int]) -> pa.Array:
    """The places of the cells used, space between; cells a report does not have are left out."""
    places = []
    for column in columns:
        rows = matrix.rows[reports, column]
        places.append(matrix.cells.take(pa.array(rows, mask=rows < 0)))
    if all(place.null_count == 0 for place in places):
        return pc.binary_join_element_wise(*places, " ")
    # Told to skip missing places, Arrow loses rows that have none at all; so the gaps are closed afterwards.
    joined = pc.binary_join_element_wise(*places, " ", null_handling="replace", null_replacement="")
    return pc.utf8_trim(pc.replace_substring_regex(joined, " +", " "), " ")


def _with_opposite_columns(outcomes: list[_Outcome], reports: int) -> list[_Outcome]:
    """Proposes a figure in the wrong column where two columns of one identity fail by opposite amounts."""
    for check_id in {outcome.check.check_id for outcome in outcomes if outcome.check.by_applicant}:
        group = [o for o in outcomes if o.check.check_id == check_id and o.check.scope != "total"]
        differences = np.zeros((reports, len(group)), dtype=np.int64)
        is_failed = np.zeros((reports, len(group)), dtype=np.bool_)
        for index, outcome in enumerate(group):
            differences[outcome.reports, index] = outcome.left - outcome.right
            is_failed[outcome.reports, index] = outcome.status == "fail"
        proposals = opposite_columns(differences, is_failed, [outcome.check.scope for outcome in group])
        for index, outcome in enumerate(group):
            proposed = proposals[outcome.reports, index]
            is_proposed = pd.notna(proposed)
            outcome.cause[is_proposed] = proposed[is_proposed]
    return outcomes


def _table(outcomes: list[_Outcome], observations: pd.DataFrame, matrix: ReportMatrix) -> pa.Table:
    schema = arrow_schema("findings")
    if not outcomes:
        return schema.empty_table()
    reports = np.concatenate([outcome.reports for outcome in outcomes])
    number = np.repeat(np.arange(len(outcomes)), [len(outcome.reports) for outcome in outcomes])
    order = np.lexsort((number, reports))
    first = matrix.first[reports]
    left = np.concatenate([outcome.left for outcome in outcomes])
    right = np.concatenate([outcome.right for outcome in outcomes])
    is_known = np.concatenate([outcome.is_known for outcome in outcomes])
    formulas = [np.array([f.text for f in o.check.formulas], dtype=object)[o.formula] for o in outcomes]
    columns = {
        **{name: _of_reports(observations[name], first) for name in ("report_id", "agency_id", "year")},
        "check_id": _repeated([outcome.check.check_id for outcome in outcomes], number),
        "scope": _repeated([outcome.check.scope for outcome in outcomes], number),
        "formula": pa.array(np.concatenate(formulas), pa.string()),
        "left_value": decimals(left, is_known),
        "right_value": decimals(right, is_known),
        "difference": decimals(left - right, is_known),
        "cells": pa.array(np.concatenate([outcome.cells for outcome in outcomes]), pa.string()),
        "status": pa.array(np.concatenate([outcome.status for outcome in outcomes]), pa.string()),
        "likely_cause": pa.array(np.concatenate([outcome.cause for outcome in outcomes]), pa.string()),
        "verdict": pa.nulls(len(reports), pa.string()),
    }
    arrays = [pc.cast(columns[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema).take(pa.array(order))


def _of_reports(series: pd.Series, first: Ints) -> pa.Array:
    array = pa.array(series, from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.take(pa.array(first))


def _repeated(levels: list[str], number: npt.NDArray[np.intp]) -> pa.Array:
    return pa.array(levels, pa.string()).take(pa.array(number))
