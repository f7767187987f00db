"""Proposes why a check fails, from its figures alone. A proposal is text in a finding, never a correction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.report_matrix import Ints

TOTAL_IS_ZERO = "the total is printed as 0 although its parts are not"
DIGITS = "digits of one figure may be swapped or split over two cells (the difference is a multiple of 9)"
Texts = npt.NDArray[np.object_]


def causes_of(left: Ints, right: Ints, parts: Ints, names: list[str], is_sum: bool) -> Texts:
    """One proposal, or None, for each failed row.

    left, right: the two sides; parts: the left side's figures, a column each, called `names`; is_sum: whether
    the right side is printed as the sum of the left. All in ten-thousandths.
    """
    difference = left - right
    proposals: Texts = np.full(len(left), None, dtype=object)
    unit = 10_000
    proposals[(difference % (9 * unit) == 0) & (np.abs(left) >= 10 * unit)] = DIGITS
    if is_sum:
        equal = parts == difference[:, None]
        only = equal.sum(axis=1) == 1
        for index in np.flatnonzero(only & (difference != 0)):
            proposals[index] = f"the total may leave out {names[int(equal[index].argmax())]}"
        proposals[(right == 0) & (left != 0)] = TOTAL_IS_ZERO
    return proposals


def opposite_columns(differences: Ints, is_failed: npt.NDArray[np.bool_], names: list[str]) -> Texts:
    """Proposals where exactly two columns of a check fail, by opposite amounts; one row a report."""
    proposals: Texts = np.full(differences.shape, None, dtype=object)
    masked = np.where(is_failed, differences, 0)
    for row in np.flatnonzero((is_failed.sum(axis=1) == 2) & (masked.sum(axis=1) == 0)):
        first, second = np.flatnonzero(is_failed[row])
        text = f"a figure may stand in the wrong column: {names[first]} and {names[second]} are off alike"
        proposals[row, first] = proposals[row, second] = text
    return proposals
