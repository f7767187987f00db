"""Makes stored readings look as if older readers had made them, with some cells read differently. A tool of tests."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from extractors.dataroot import CELLS, DataRoot
from extractors.reading import TABLES

EVERY = 50


def make_older(root: DataRoot, version: str) -> int:
    """Rewrites all readings as of `version`, every fiftieth cell with another text; the number of cells spoiled."""
    spoiled = 0
    for name in TABLES:
        for file in root.files(f"{CELLS}/{name}", ".parquet"):
            table = pq.read_table(root.path(file), filesystem=root.fs, partitioning=None)
            table = _with(table, "extractor_version", [version] * table.num_rows)
            if name == "cells":
                printed = table["printed"].to_pylist()
                for place in range(0, len(printed), EVERY):
                    printed[place] = f"{place}{printed[place]}1"
                    spoiled += 1
                table = _with(table, "printed", printed)
            root.write_table(file, table)
    return spoiled


def _with(table: pa.Table, column: str, values: list[str]) -> pa.Table:
    place = table.schema.get_field_index(column)
    return table.set_column(place, table.schema.field(place), pa.array(values, pa.string()))
