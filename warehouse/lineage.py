"""Follows agencies through renames, mergers and splits: which reports of which year stand for which agency.

The pairs come from `transforms.lineage`. An agency that reported itself stands for itself; before it did, its
predecessors stand for it, all of them. A split breaks the line, because nobody can say which part of the old
agency's numbers belongs to which successor. Never adds numbers, never guesses a kinship.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb

from transforms.lineage import lineage
from warehouse import schema_sql as sql
from warehouse.load import insert_rows


@dataclass(frozen=True, slots=True)
class Step:
    """One predecessor of an agency, and the first year the successor was to report itself."""

    predecessor: str
    year: int
    kind: str


def members(
    agency: str, year: int, told: Mapping[str, list[Step]], alive: set[tuple[str, int]]
) -> set[tuple[str, str]]:
    """(agency that reported about `year` in the line of `agency`, reason of a break or "").

    alive: agencies and years with a report. The year of a reform is when it was to be finished, so reports decide:
    one that is there stands for itself, beside predecessors that still reported when others were merged into it.
    """
    steps = told.get(agency, [])
    is_alive = (agency, year) in alive
    earlier = [
        step for step in steps if year < step.year or (not is_alive and (step.predecessor, year) in alive)
    ]
    if not earlier:
        return {(agency, "")}
    before: set[tuple[str, str]] = set()
    for step in earlier:
        for member, reason in members(step.predecessor, year, told, alive):
            split = (
                f"{agency} was split from {step.predecessor} in {step.year}" if step.kind == "split" else ""
            )
            before.add((member, reason or split))
    if not is_alive:
        return before
    merging = any(step.kind == "merged" for step in earlier)
    if merging and any((member, year) in alive for member, _ in before):
        return before | {(agency, "")}
    return {(agency, "")}


def _rows(
    told: Mapping[str, list[Step]], alive: set[tuple[str, int]], years: Iterable[int]
) -> Iterator[tuple[str, int, str, str | None]]:
    listed = list(years)
    for agency in sorted(told):
        for year in listed:
            for member, reason in sorted(members(agency, year, told, alive)):
                yield agency, year, member, reason or None


def load_lineage(connection: duckdb.DuckDBPyConnection) -> None:
    """Tables `agency_lineage` and `agency_members`; UserError when the pairs run in a circle."""
    pairs = lineage(connection.execute("SELECT agency_id FROM agencies").df())
    connection.execute(sql.create_table("agency_lineage"))
    insert_rows(connection, "agency_lineage", list(pairs.itertuples(index=False, name=None)))
    told: dict[str, list[Step]] = defaultdict(list)
    for before, after, year, kind, *_ in pairs.itertuples(index=False, name=None):
        told[after].append(Step(before, year, kind))
    concerned = sorted({*pairs["predecessor"], *pairs["successor"]})
    alive = set(
        connection.execute(
            "SELECT DISTINCT agency_id, year FROM reports WHERE is_current AND list_contains(?, agency_id)",
            [concerned],
        ).fetchall()
        if concerned
        else []
    )
    years = [
        year for (year,) in connection.execute("SELECT DISTINCT year FROM reports ORDER BY year").fetchall()
    ]
    connection.execute(sql.create_table("agency_members"))
    insert_rows(connection, "agency_members", list(_rows(told, alive, years)))
