"""Measures the readers: bytes to observations beside pandas.read_html and a plain BeautifulSoup loop on the same bytes.

Every figure is a ratio to a baseline of the same run, over batches of reports that all print other figures, no batch
twice: what a reader remembers of a report it has read must help with the next one, not with the same one. Pages come
from ../shared/reports; without them there is nothing to measure.
"""

from __future__ import annotations

import gc
import io
import random
import re
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pdfplumber
from bs4 import BeautifulSoup

from extractors.match import match
from extractors.naming import identify
from extractors.narrative import read_narrative
from extractors.read import read_document
from extractors.reading import BATCH_WEIGHT, Reading, extractor_version, settle_collector, to_tables
from tests.simulator.agencies import all_agencies
from tests.simulator.figures import make_report
from tests.simulator.render_text import render_text
from transforms.tidy import fact_of, read_values

REPORTS = Path(__file__).parents[3] / "shared" / "reports"
PAGES = ("002", "005", "011")
ROUNDS = 5
BATCH = BATCH_WEIGHT
"""Documents read before their values are read as columns: as many as a worker gets in one call."""
BASELINE = 3
"""Batches the baselines get, the first of them to warm up: they remember nothing."""
LAYOUTS = ("pipe", "pipe_leading", "markdown", "cell_line", "cell_line_pipe")
_PRINTED_NUMBER = re.compile(rb"(?<=>)\d{1,6}(?=<)")


def batch_of_pages(data: bytes, seed: int) -> list[bytes]:
    """BATCH copies of a page, each with other figures in its cells: as many digits as before, and its zeros."""
    draw = random.Random(seed)

    def other(found: re.Match[bytes]) -> bytes:
        size = len(found[0])
        return found[0] if found[0] == b"0" else b"%d" % draw.randrange(10 ** (size - 1), 10**size)

    return [_PRINTED_NUMBER.sub(other, data) for _ in range(BATCH)]


def median_ms(work: Callable[[Any], Any], inputs: Sequence[Any]) -> float:
    """Median wall time of a call, in milliseconds, over the inputs but the first, which warms up."""
    work(inputs[0])
    times = []
    gc.collect()
    for one in inputs[1:]:
        started = time.perf_counter()
        work(one)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def _per_document(work: Callable[[list[bytes]], Any], batches: Sequence[list[bytes]]) -> float:
    """Median over the batches of the mean time a document of it takes, in milliseconds."""
    return median_ms(work, batches) / BATCH


def cells_of(data: bytes, name: str) -> Any:
    """Bytes to cells mapped to indicators."""
    return match(read_document(data, name))


def reading_of(data: bytes, name: str) -> Reading:
    """Bytes to everything a reading holds: cells, prose figures, chapters, agency and year."""
    document = read_document(data, name)
    matched = match(document)
    who = identify(document)
    told, chapters = read_narrative(document, who.year, who.agency_name, matched.of_tables)
    row = {"snapshot_sha256": name, "source_url": name, "extractor_version": extractor_version()}
    return Reading(row, [*matched.cells, *told], matched.leftovers, chapters)


def observations_of(batch: list[bytes], name: str) -> pd.DataFrame:
    """A batch of documents to typed observations, the way a worker and `tidy` do it together."""
    tables = to_tables([reading_of(data, name) for data in batch])
    frame = tables["cells"].to_pandas()
    frame["kind"] = fact_of(frame["indicator"], "kind")
    frame["value"], frame["value_kind"] = read_values(frame)
    return frame


def with_pandas(data: bytes) -> list[pd.DataFrame]:
    """The baseline: every table of the page as a frame."""
    return pd.read_html(io.BytesIO(data), encoding=_encoding(data))


def with_soup(data: bytes) -> list[list[list[str]]]:
    """The reference reader: a plain loop over tables, rows and cells, no spans laid out."""
    soup = BeautifulSoup(data, "lxml", from_encoding=_encoding(data))
    return [
        [
            [cell.get_text(" ", strip=True) for cell in row.find_all(["td", "th"])]
            for row in table.find_all("tr")
        ]
        for table in soup.find_all("table")
    ]


def _encoding(data: bytes) -> str:
    return "gb18030" if b"gb2312" in data[:2000] else "utf-8"


def run() -> list[dict[str, Any]]:
    """Figures of the readers, each beside its bar."""
    warnings.filterwarnings("ignore")
    settle_collector()  # as in a worker; the baselines run under the same setting
    if not REPORTS.is_dir():
        return []
    rows = []
    for start in PAGES:
        file = next(REPORTS.glob(f"{start}_*"))
        batches = [batch_of_pages(file.read_bytes(), seed) for seed in range(ROUNDS + 1)]
        pandas_ms = _per_document(lambda batch: [with_pandas(data) for data in batch], batches[:BASELINE])
        soup_ms = _per_document(lambda batch: [with_soup(data) for data in batch], batches[:BASELINE])
        cells_ms = _per_document(lambda batch, n=file.name: [cells_of(data, n) for data in batch], batches)
        whole_ms = _per_document(lambda batch, n=file.name: observations_of(batch, n), batches)
        baseline = f"pandas.read_html {pandas_ms:.2f} ms, BeautifulSoup loop {soup_ms:.2f} ms"
        rows.append(_row(f"{start}: bytes to cells", cells_ms, pandas_ms, 1.0, baseline))
        rows.append(_row(f"{start}: bytes to observations", whole_ms, pandas_ms, 0.5, baseline))
    return rows + _texts() + _pdf()


def _texts() -> list[dict[str, Any]]:
    """The same reports as pages and as texts: what the pages' tables cost pandas is the baseline."""
    from tests.simulator.render_html import STYLES, render_html

    reports = [
        [make_report(batch * BATCH + i, "2021", all_agencies()[0], 2023) for i in range(BATCH)]
        for batch in range(ROUNDS + 1)
    ]
    rows = []
    for style in ("clean", "word"):
        pages = [[render_html(r, STYLES[style]).content for r in batch] for batch in reports[:BASELINE]]
        pandas_ms = _per_document(lambda batch: [with_pandas(data) for data in batch], pages)
        for layout in LAYOUTS:
            texts = [[render_text(report, layout).content for report in batch] for batch in reports]
            ms = _per_document(lambda batch: observations_of(batch, "report.txt"), texts)
            baseline = f"pandas.read_html of the same report as a {style} page {pandas_ms:.2f} ms"
            rows.append(_row(f"text ({layout}) against its {style} page", ms, pandas_ms, 0.2, baseline))
    return rows


def _pdf() -> list[dict[str, Any]]:
    file = next(REPORTS.glob("*.pdf"))
    data = file.read_bytes()

    def library(data: bytes) -> list[Any]:
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            return [page.extract_tables() for page in pdf.pages]

    library_ms = median_ms(library, [data] * 4)
    ms = median_ms(lambda data: cells_of(data, file.name), [data] * 6)
    return [
        _row(
            f"{file.name[:3]}: PDF to cells",
            ms,
            library_ms,
            1.3,
            f"pdfplumber extract_tables {library_ms:.0f} ms",
        )
    ]


def _row(name: str, ms: float, baseline_ms: float, bar: float, baseline: str) -> dict[str, Any]:
    return {
        "name": name,
        "figure": f"{ms:.2f} ms = {ms / baseline_ms:.2f} x",
        "bar": f"at most {bar} x",
        "reached": ms / baseline_ms <= bar,
        "baseline": baseline,
    }
