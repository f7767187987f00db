"""Golden pairs: a report in one layout, and the cells it must be read as, side by side in tests/golden.

`name.txt` (or .html, .pdf, …) goes with `name.cells.csv`: indicator, applicant, value; no value where the
cell prints none, or none that can be told. A file without its cells gets what the readers read today, and
fails until somebody has compared the two and committed them. Nothing ever writes over a pair.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from extractors.match import match
from extractors.read import read_document
from tests.reading_back import compare, numbers_of
from tests.simulator.figures import Key

FOLDER = Path(__file__).with_name("golden")
FILES = sorted(path.name for path in FOLDER.iterdir() if not path.name.endswith(".cells.csv"))


def _cells_file(name: str) -> Path:
    return FOLDER / (name.rpartition(".")[0] + ".cells.csv")


def _expected(path: Path) -> dict[Key, Decimal | None]:
    with path.open(encoding="utf-8") as stream:
        return {
            (row["indicator"], row["applicant"] or None): Decimal(row["value"]) if row["value"] else None
            for row in csv.DictReader(stream)
        }


def _write(path: Path, name: str) -> int:
    """What the readers read today; gives the number of cells."""
    data = (FOLDER / name).read_bytes()
    _, numbers = numbers_of(data, name)
    keys = dict.fromkeys(
        (cell.indicator, cell.applicant) for cell in match(read_document(data, url=name)).cells
    )
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(["indicator", "applicant", "value"])
        for key in keys:
            value = numbers.get(key)
            out.writerow([key[0], key[1] or "", "" if value is None else format(value, "f")])
    return len(keys)


@pytest.mark.parametrize("name", FILES)
def test_a_golden_file_is_read_as_its_cells_say(name):
    path = _cells_file(name)
    if not path.exists():
        count = _write(path, name)
        pytest.fail(f"{path} was missing; {count} cells written: compare them with {name}, then commit both")
    expected = _expected(path)
    _, numbers = numbers_of((FOLDER / name).read_bytes(), name)
    difference = compare(expected, numbers)
    assert not difference.wrong, difference
    assert not difference.missing, difference


def test_every_cells_file_has_its_report():
    assert {path.name for path in FOLDER.glob("*.cells.csv")} == {_cells_file(name).name for name in FILES}
    assert len(FILES) >= 32
