"""Observations laid out as one row a report and one column a cell of the forms: what checks and rates add up.

Numbers are whole ten-thousandths of their unit in 64-bit integers, so sums are exact. Anything that is not a
printed number is marked so and never counts as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

SCALE = 10_000
"""Steps a unit: values are DECIMAL(20,4)."""
LARGEST = 4 * 10**12 * SCALE
"""Larger values are left out as if lost, so that no sum of a check leaves 64 bits."""
DECIMAL = pa.decimal128(20, 4)

ABSENT, NOT_A_NUMBER, VAGUE, NUMBER = 0, 1, 2, 3
"""State of a cell: not in the report; blank, dash, text, lost; approximate; a printed number."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ReportMatrix:
    """`values`, `states` and `rows` have one row a report and one column an asked-for cell.

    rows: the observation a cell comes from, -1 where the report has none.
    first: for each report the first of its observations, for its agency and year.
    cells: the place of each observation, table:row:column.
    """

    columns: dict[tuple[str, str | None], int]
    values: Ints
    states: npt.NDArray[np.int8]
    rows: npt.NDArray[np.int32]
    first: Ints
    cells: pa.Array


def report_matrix(observations: pd.DataFrame, columns: Sequence[tuple[str, str | None]]) -> ReportMatrix:
    """The cells `columns` (indicator, applicant) of every report; other observations are left out.

    `value` may hold Decimals or be backed by Arrow; rows of one report need not stand together.
    """
    place = {column: index for index, column in enumerate(columns)}
    reports, _ = pd.factorize(observations["report_id"])
    column = _column_of(observations, place)
    used = np.flatnonzero(column >= 0)
    values, is_stored = _ten_thousandths(observations["value"])
    kinds = _levels(observations["value_kind"])
    state_of_kind = np.array([_state(kind) for kind in kinds.levels], dtype=np.int8)
    states = state_of_kind[kinds.codes]
    states[(states >= VAGUE) & (~is_stored | (np.abs(values) > LARGEST))] = NOT_A_NUMBER
    count = int(reports.max()) + 1 if len(reports) else 0
    shape = (count, len(columns))
    target = reports[used], column[used]
    matrix = ReportMatrix(
        columns=place,
        values=np.zeros(shape, dtype=np.int64),
        states=np.zeros(shape, dtype=np.int8),
        rows=np.full(shape, -1, dtype=np.int32),
        first=np.unique(reports, return_index=True)[1].astype(np.int64),
        cells=_strings(observations["cell"]),
    )
    matrix.values[target] = values[used]
    matrix.states[target] = states[used]
    matrix.rows[target] = used
    return matrix


def decimals(ten_thousandths: Ints, is_known: npt.NDArray[np.bool_]) -> pa.Array:
    """Whole ten-thousandths as DECIMAL(20,4), NULL where not known."""
    # Arrow keeps a decimal as a 128-bit little-endian integer: the low word is ours, the high word its sign.
    words = np.empty((len(ten_thousandths), 2), dtype=np.int64)
    words[:, 0] = ten_thousandths
    words[:, 1] = ten_thousandths >> 63
    valid = pa.array(is_known, pa.bool_()).buffers()[1]
    return pa.Array.from_buffers(DECIMAL, len(words), [valid, pa.py_buffer(words.tobytes())])


@dataclass(frozen=True)
class _Levels:
    codes: npt.NDArray[np.int64]
    levels: list[str | None]


def _levels(series: pd.Series) -> _Levels:
    """Each value's number among the distinct ones; a missing value is a level of its own."""
    encoded = _strings(series).dictionary_encode(null_encoding="encode")
    return _Levels(
        encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()
    )


def _strings(series: pd.Series) -> pa.Array:
    array = pa.array(series, pa.string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _column_of(observations: pd.DataFrame, place: dict[tuple[str, str | None], int]) -> npt.NDArray[np.int64]:
    """Column of each observation, -1 for cells nobody asked for."""
    indicators, applicants = _levels(observations["indicator"]), _levels(observations["applicant"])
    table = np.array(
        [[place.get((str(name), kind), -1) for kind in applicants.levels] for name in indicators.levels],
        dtype=np.int64,
    )
    return table[indicators.codes, applicants.codes] if len(observations) else np.empty(0, dtype=np.int64)


def _state(kind: str | None) -> int:
    return NUMBER if kind == "number" else VAGUE if kind == "approximate" else NOT_A_NUMBER


def _ten_thousandths(series: pd.Series) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """(values in ten-thousandths, whether a value is stored and fits 64 bits)."""
    array = pa.array(series, from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    array = pc.cast(array, pa.decimal128(38, 4))
    if not len(array):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
    words = np.frombuffer(array.buffers()[1], dtype=np.int64).reshape(-1, 2)
    words = words[array.offset : array.offset + len(array)]
    fits = words[:, 1] == words[:, 0] >> 63
    is_stored = array.is_valid().to_numpy(zero_copy_only=False) & fits
    return np.where(is_stored, words[:, 0], 0), is_stored
