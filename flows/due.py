"""When a portal is to be looked at, and what is expected of it: the rules of the year, as plain functions.

Knows no network, no files and no orchestrator; everything is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from extractors.errors import UserError
from extractors.portals import FIRST_YEAR

SEASON_MONTHS = frozenset({1, 2, 3, 4})
"""Agencies must publish last year's report by 31 January, provinces by 31 March; April takes the late ones."""
REST_DAYS = 7
"""Outside the season a portal is looked at this often."""
LONGEST_PAUSE_DAYS = 7


@dataclass(frozen=True)
class LastLook:
    """What earlier nightlies came to at one portal: last try, last success, failures in a row since."""

    tried_at: datetime | None = None
    succeeded_at: datetime | None = None
    failures: int = 0


def in_season(today: date) -> bool:
    """Whether last year's reports are being published now."""
    return today.month in SEASON_MONTHS


def is_due(last: LastLook, today: date) -> bool:
    """Whether a nightly of `today` looks at a portal.

    In season (January to April): every night. Outside: when it was never looked at; after a failure following 1, 2, 4,
    then every 7 days; else when the last success is `REST_DAYS` days ago.
    """
    if in_season(today) or last.tried_at is None:
        return True
    if last.failures:
        pause = min(2 ** (last.failures - 1), LONGEST_PAUSE_DAYS)
        return today - last.tried_at.date() >= timedelta(days=pause)
    return today - last.tried_at.date() >= timedelta(days=REST_DAYS)


def report_year(today: date) -> int:
    """The year whose reports are due: the one before."""
    return today.year - 1


def is_overdue(today: date, year: int) -> bool:
    """Whether every agency should have published its report about `year`."""
    return today > date(year + 1, 3, 31)


def years_of(text: str, today: date) -> list[int]:
    """`2019-2023` or `2019,2021` as years in order; `UserError` for anything that is no report year."""
    years: list[int] = []
    for part in text.replace("，", ",").split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UserError(
                f"--years {text}: expected years as 2019-2023 or 2019,2021, found {part.strip()!r}"
            )
        start, end = int(first), int(last) if dash else int(first)
        if end < start:
            raise UserError(f"--years {text}: {start}-{end} runs backwards; write {end}-{start}")
        years += range(start, min(end, today.year + 1) + 1)
        check_years([start, end], today)
    return sorted(set(years))


def check_years(years: list[int], today: date) -> None:
    """`UserError` for a year no report can be about yet, or none was ever written for."""
    for year in years:
        if year >= today.year:
            raise UserError(
                f"year {year}: reports about it appear from January {year + 1} at the earliest; "
                f"the newest reports are about {today.year - 1}"
            )
        if year < FIRST_YEAR:
            raise UserError(f"year {year}: the reports begin with {FIRST_YEAR}")
