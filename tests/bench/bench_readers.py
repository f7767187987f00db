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
from itertools import chain, repeat
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pdfplumber
from bs4 import BeautifulSoup

from extractors.match import match
from extractors.naming import identify
from extractors.narrative import read_narrative
from extractors.read import read_document
from extractors.reading import BATCH_WEIGHT, Reading, extractor_version, settle_collector, to_tables
from extractors.records import Grid, Paragraph
from tests.simulator.agencies import all_agencies
from tests.simulator.figures import make_report
from tests.simulator.render_text import render_text
from transforms.tidy import fact_of, read_values

REPORTS = Path(__file__).parents[3] / "shared" / "reports"
PAGES = ("002", "005", "011")
ROUNDS = 5
BATCH = BATCH_WEIGHT
"""Documents read before their values are read as columns: as many as a worker gets in one call."""
SAMPLE = 40
"""Pages of a batch the baselines get: they remember nothing."""
LAYOUTS = ("pipe", "pipe_leading", "markdown", "cell_line", "cell_line_pipe", "spaced", "pdf_text")
_PRINTED_NUMBER = re.compile(rb"(?<=>)\d{1,6}(?=<)")


def batch_of_pages(data: bytes, seed: int) -> list[bytes]:
    """BATCH copies of a page, each with other figures in its cells: as many digits as before, and its zeros."""
    draw = random.Random(seed)

    def other(found: re.Match[bytes]) -> bytes:
        size = len(found[0])
        return found[0] if found[0] == b"0" else b"%d" % draw.randrange(10 ** (size - 1), 10**size)

    return [_PRINTED_NUMBER.sub(other, data) for _ in range(BATCH)]


class Timed(NamedTuple):
    """Median milliseconds a document takes, those the baseline takes, and the median of the rounds' ratios."""

    ms: float
    baseline_ms: float
    ratio: float


def timed(
    work: Callable[[list[bytes]], Any],
    batches: Sequence[list[bytes]],
    baseline: Callable[[bytes], Any],
    baseline_batches: Sequence[list[bytes]],
) -> Timed:
    """Round by round the baseline and the work, each on a batch of its own, so that both meet the same machine.

    The first batch of each warms up.
    """

    def run_baseline(batch: list[bytes]) -> None:
        for data in batch:
            baseline(data)

    rounds = []
    gc.collect()
    for batch, baseline_batch in zip(batches, baseline_batches, strict=True):
        rounds.append((_ms(work, batch), _ms(run_baseline, baseline_batch)))
    kept = rounds[1:]
    return Timed(
        statistics.median(ms for ms, _ in kept),
        statistics.median(ms for _, ms in kept),
        statistics.median(ms / baseline_ms for ms, baseline_ms in kept),
    )


def _ms(work: Callable[[list[bytes]], Any], batch: list[bytes]) -> float:
    started = time.perf_counter()
    work(batch)
    return (time.perf_counter() - started) * 1000 / len(batch)


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
        samples = [batch[:SAMPLE] for batch in batches]
        soup = timed(lambda batch: list(map(with_soup, batch)), samples, with_pandas, samples)
        cells = timed(
            lambda batch, name=file.name: [cells_of(data, name) for data in batch],  # type: ignore[misc]
            *(batches, with_pandas, samples),
        )
        whole = timed(
            lambda batch, name=file.name: observations_of(batch, name),  # type: ignore[misc]
            *(batches, with_pandas, samples),
        )
        baseline = f"pandas.read_html {whole.baseline_ms:.2f} ms, BeautifulSoup loop {soup.ms:.2f} ms"
        rows.append(_row(f"{start}: bytes to cells", cells, 1.0, baseline))
        rows.append(_row(f"{start}: bytes to observations", whole, 0.5, baseline))
        for layout in ("pipe", "cell_line"):
            texts = [[_as_text(data, file.name, layout) for data in batch] for batch in batches]
            found = timed(lambda batch: observations_of(batch, "report.txt"), texts, with_pandas, samples)
            told = f"{len(cells_of(texts[0][0], 'report.txt').cells)} cells as text ({layout})"
            rows.append(
                _row(f"{start}: its {told}", found, 0.2, f"pandas.read_html {found.baseline_ms:.2f} ms")
            )
    return rows + _texts() + _pdf()


def _as_text(data: bytes, name: str, layout: str) -> bytes:
    """What a page shows, as somebody saves it as text: a row of a table a line, or a cell a line with blank lines."""
    lines: list[str] = []
    for block in read_document(data, name).blocks:
        if isinstance(block, Paragraph):
            lines.append(block.text)
        elif isinstance(block, Grid):
            width = max((cell.column + cell.colspan for row in block.rows for cell in row), default=0)
            for row in block.rows:
                texts = [" ".join(cell.text.split()) for cell in row]
                # As converters write it: a bare pipe for each column that spans swallowed.
                filled = " | ".join(texts) + " | " + "|" * (width - len(texts))
                lines += [filled] if layout == "pipe" else chain(*zip(texts, repeat("")))
    return "\n".join(lines).encode()


def _texts() -> list[dict[str, Any]]:
    """Simulated reports as pages with nothing round them, and as texts: what those pages cost pandas is the baseline."""
    from tests.simulator.render_html import STYLES, render_html

    reports = [
        [make_report(batch * BATCH + i, "2021", all_agencies()[0], 2023) for i in range(BATCH)]
        for batch in range(ROUNDS + 1)
    ]
    rows = []
    pages = [[render_html(r, STYLES["clean"]).content for r in batch[:SAMPLE]] for batch in reports]
    for layout in LAYOUTS:
        texts = [[render_text(report, layout).content for report in batch] for batch in reports]
        found = timed(lambda batch: observations_of(batch, "report.txt"), texts, with_pandas, pages)
        baseline = f"pandas.read_html of the same report as a bare page {found.baseline_ms:.2f} ms"
        rows.append(_row(f"simulated: as text ({layout})", found, 0.2, baseline))
    return rows


def _pdf() -> list[dict[str, Any]]:
    file = next(REPORTS.glob("*.pdf"))
    batches = [[file.read_bytes()]] * 4

    def library(data: bytes) -> list[Any]:
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            return [page.extract_tables() for page in pdf.pages]

    found = timed(lambda batch: [cells_of(data, file.name) for data in batch], batches, library, batches)
    baseline = f"pdfplumber extract_tables {found.baseline_ms:.0f} ms"
    return [_row(f"{file.name[:3]}: PDF to cells", found, 1.3, baseline)]


def _row(name: str, found: Timed, bar: float, baseline: str) -> dict[str, Any]:
    return {
        "name": name,
        "figure": f"{found.ms:.2f} ms = {found.ratio:.2f} x",
        "bar": f"at most {bar} x",
        "reached": found.ratio <= bar,
        "baseline": baseline,
    }
