"""Follows agencies through renames, mergers and splits: which reports of which year stand for which agency.

Before a rename or merger the predecessors stand for the successor; a split breaks the line, because nobody can say
which part of the old agency's numbers belongs to which successor. Never adds numbers, never guesses a kinship.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from extractors.errors import UserError
from warehouse import schema_sql as sql
from warehouse.load import insert_rows
from warehouse.reference import LINEAGE_KINDS, Row, load, refuse_words

FILE = "agency_lineage.csv"


@dataclass(frozen=True, slots=True)
class Step:
    """One predecessor of an agency: from `year` on the agency reports itself."""

    predecessor: str
    year: int
    kind: str


def steps(rows: Iterable[Row]) -> dict[str, list[Step]]:
    """Predecessors by successor; UserError, naming the row, when an agency becomes its own predecessor."""
    found: dict[str, list[Step]] = defaultdict(list)
    for line, row in rows:
        before, after = row["predecessor_agency_id"], row["successor_agency_id"]
        found[after].append(Step(before, int(row["year"]), row["kind"]))
        if chain := _way(found, before, after):
            raise UserError(
                f"{FILE} row {line}: {before} cannot precede {after}, since {' -> '.join(chain)} is already told; "
                "the lineage would run in a circle"
            )
    return dict(found)


def _way(found: dict[str, list[Step]], start: str, goal: str) -> list[str]:
    """Agencies from `goal` down to `start`, when goal already (indirectly) precedes start; else an empty list."""
    waiting, seen = [[start]], {start}
    while waiting:
        chain = waiting.pop()
        if chain[-1] == goal:
            return chain[::-1]
        for step in found.get(chain[-1], ()):
            if step.predecessor not in seen or step.predecessor == goal:
                seen.add(step.predecessor)
                waiting.append([*chain, step.predecessor])
    return []


def members(
    agency: str, year: int, told: dict[str, list[Step]], alive: set[tuple[str, int]]
) -> set[tuple[str, str]]:
    """(agency that reported about `year` in the line of `agency`, reason of a break or "").

    alive: agencies and years with a report of their own. A successor that already reported before a merger (others
    were merged into it) is a member beside them; one that did not is replaced by its predecessors.
    """
    earlier = [step for step in told.get(agency, ()) if year < step.year]
    if not earlier:
        return {(agency, "")}
    found: set[tuple[str, str]] = set()
    for step in earlier:
        for member, reason in members(step.predecessor, year, told, alive):
            split = (
                f"{agency} was split from {step.predecessor} in {step.year}" if step.kind == "split" else ""
            )
            found.add((member, reason or split))
    if (agency, year) in alive and any(step.kind == "merged" for step in earlier):
        found.add((agency, ""))
    return found


def _member_rows(
    told: dict[str, list[Step]], alive: set[tuple[str, int]], years: Iterable[int]
) -> Iterator[tuple[str, int, str, str | None]]:
    for agency in sorted(told):
        for year in years:
            for member, reason in sorted(members(agency, year, told, alive)):
                yield agency, year, member, reason or None


def load_lineage(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Tables `agency_lineage` and `agency_members`."""
    path = folder / FILE
    rows: list[Row] | None = None if path.exists() else []
    rows = load(connection, "agency_lineage", path, rows)
    refuse_words(path, rows, "kind", LINEAGE_KINDS)
    told = steps(rows)
    concerned = sorted(
        {a for _, row in rows for a in (row["predecessor_agency_id"], row["successor_agency_id"])}
    )
    alive = set(
        connection.execute(
            "SELECT DISTINCT agency_id, year FROM reports WHERE is_current AND agency_id IN ?", [concerned]
        ).fetchall()
        if concerned
        else []
    )
    years = [
        year for (year,) in connection.execute("SELECT DISTINCT year FROM reports ORDER BY year").fetchall()
    ]
    connection.execute(sql.create_table("agency_members"))
    insert_rows(connection, "agency_members", list(_member_rows(told, alive, years)))
