"""Harmonised measures: reads `measures.csv` and turns its formulas into SQL over one report's printed numbers.

A formula adds codes of `indicators.csv` (`a + b`); `a | b + c` takes the first alternative whose numbers are all printed.
A code printed for each kind of applicant means its total column; `code[parts]` adds the six kinds. One number not
printed makes the sum NULL: nothing is completed from what is there. Never computes a value itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from extractors.errors import UserError
from extractors.records import APPLICANTS
from warehouse.reference import REFERENCE, read_rows

MEASURES_FILE = "measures.csv"
FORMS = ("2008", "2014", "2019", "2021")
COMPARABLE = ("yes", "limited", "no")
PARTS = "parts"
"""In place of an applicant: the sum over the six kinds, all of them printed."""
KINDS = len(APPLICANTS) - 1
_PARTS_MARK = "[parts]"
_FIELDS = ("theme", "label_en", "label_zh", "unit", "kind", "since")


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed cell a formula asks for. `applicant` is None where the table has no applicants, PARTS for their sum."""

    indicator: str
    applicant: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """How one form prints a measure. `alternatives` are sums; the first with all numbers printed is the value."""

    form: str
    formula: str
    alternatives: tuple[tuple[Printed, ...], ...]
    comparable: str
    why: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One harmonised measure over all forms. `since` is the form from which today's way of counting holds."""

    name: str
    theme: str
    label_en: str
    label_zh: str
    unit: str
    kind: str
    since: int
    forms: Mapping[str, Counted]

    def series(self, form: str) -> str:
        """Values compare when their series is the same: `today` where counted as today, else the form itself."""
        return "today" if self.forms[form].comparable == "yes" else form

    @property
    def is_derived(self) -> bool:
        """Whether we added up parts the report prints without their total."""
        return any(_PARTS_MARK in counted.formula for counted in self.forms.values())


def _parse(formula: str, catalogue: Mapping[str, bool], place: str) -> tuple[tuple[Printed, ...], ...]:
    alternatives = []
    for alternative in formula.split("|") if formula else ():
        cells: list[Printed] = []
        for term in (t.strip() for t in alternative.split("+")):
            code = term.removesuffix(_PARTS_MARK)
            if code not in catalogue:
                raise UserError(
                    f"{place}: the formula names {code!r}, which indicators.csv does not know; "
                    "write a code of its column `indicator`"
                )
            if term.endswith(_PARTS_MARK) and not catalogue[code]:
                raise UserError(f"{place}: {code} is not printed by applicant, so it has no parts to add")
            applicant = None if not catalogue[code] else PARTS if term != code else "total"
            cells.append(Printed(code, applicant))
        alternatives.append(tuple(cells))
    return tuple(alternatives)


def read_measures(
    catalogue: Mapping[str, bool], path: Path = REFERENCE / MEASURES_FILE
) -> dict[str, Measure]:
    """The measures of `measures.csv` by name.

    `catalogue` says for each indicator whether it is printed by applicant. UserError, naming file and row, for an
    unknown code, a form given twice, or two rows of one measure that disagree about its label or unit.
    """
    heads: dict[str, tuple[str, ...]] = {}
    forms: dict[str, dict[str, Counted]] = {}
    for line, row in read_rows(path):
        place, name, form = f"{path.name} row {line}", row["measure"], row["form"]
        if not name.isidentifier():
            raise UserError(f"{place}: {name!r} cannot name a column; use letters, digits and _")
        if form not in FORMS or row["comparable"] not in COMPARABLE:
            raise UserError(
                f"{place}: form {form!r}, comparable {row['comparable']!r}; "
                f"expected one of {', '.join(FORMS)} and one of {', '.join(COMPARABLE)}"
            )
        if row["comparable"] != "yes" and not row["why"]:
            raise UserError(
                f"{place}: {name} in the {form} form is not fully comparable; say why in column `why`"
            )
        head = tuple(row[field] for field in _FIELDS)
        if heads.setdefault(name, head) != head:
            raise UserError(
                f"{place}: {name} is described otherwise than in its first row; make {_FIELDS} equal"
            )
        if form in forms.setdefault(name, {}):
            raise UserError(f"{place}: {name} has the {form} form twice; keep one row")
        alternatives = _parse(row["formula"], catalogue, place)
        forms[name][form] = Counted(form, row["formula"], alternatives, row["comparable"], row["why"])
    return {
        name: Measure(name, theme, en, zh, unit, kind, int(since), forms[name])
        for name, (theme, en, zh, unit, kind, since) in heads.items()
    }


@cache
def _order(cells: frozenset[Printed]) -> tuple[Printed, ...]:
    return tuple(sorted(cells, key=lambda cell: (cell.indicator, cell.applicant or "")))


def printed_cells(measures: Mapping[str, Measure]) -> tuple[Printed, ...]:
    """Every printed cell some formula asks for, once, in a fixed order."""
    return _order(
        frozenset(
            cell
            for measure in measures.values()
            for counted in measure.forms.values()
            for alternative in counted.alternatives
            for cell in alternative
        )
    )


def column_of(cell: Printed) -> str:
    """The column that holds a cell in the pivoted table: code and applicant, joined by a colon."""
    return f"{cell.indicator}:{cell.applicant}" if cell.applicant else cell.indicator


def expression(measure: Measure) -> str:
    """SQL of a measure over the pivoted table and its column `form`; NULL wherever a number is not printed."""
    branches = []
    for counted in measure.forms.values():
        if not counted.alternatives:
            continue
        sums = [" + ".join(f'"{column_of(cell)}"' for cell in cells) for cells in counted.alternatives]
        value = sums[0] if len(sums) == 1 else f"coalesce({', '.join(sums)})"
        branches.append(f"WHEN '{counted.form}' THEN {value}")
    return f"CASE form {' '.join(branches)} END"
