"""Tells whether the published file still says what the tidy Parquet and the reviewed files say. Changes nothing."""

from __future__ import annotations

import sys

import duckdb

from extractors.dataroot import DataRoot
from warehouse import load, nightly
from warehouse.build import rules
from warehouse.places import newest_or_none


def is_up_to_date(root: DataRoot) -> bool:
    """Whether building again would give the same file: same rules, and no Parquet file differs from last time."""
    last = newest_or_none(root)
    if last is None:
        return False
    with duckdb.connect(str(last), read_only=True) as connection:
        load.connect_files(connection, root)
        plan = nightly.plan(connection, root, rules(), most_generations=sys.maxsize)
    return plan is not None and not plan.partitions
