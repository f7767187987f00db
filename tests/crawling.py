"""Helpers of the crawl's tests: crawl a simulator, compare what was kept with what the portals hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from extractors.archive import known_snapshots
from extractors.client import Limits
from extractors.crawl import Plan, PortalResult, crawl
from extractors.dataroot import DataRoot
from extractors.portals import read_folder
from tests.simulator.portal import Simulator, Site

QUICK = Limits(
    connect_seconds=1, read_seconds=1, total_seconds=2, tries=2, backoff_seconds=0.05, longest_wait_seconds=3
)
"""For portals that hang: what never comes is not waited for."""
PATIENT = replace(QUICK, connect_seconds=10, read_seconds=10, total_seconds=20)
"""For portals that answer: a busy machine makes no page late."""


def crawl_all(
    simulator: Simulator, folder: Path, plan: Plan | None = None, limits: Limits = PATIENT
) -> tuple[DataRoot, dict[str, PortalResult]]:
    """Crawls every portal into `folder`/data; results by portal."""
    simulator.write_portals(folder / "portals")
    root = DataRoot(str(folder / "data"))
    results = crawl(
        read_folder(folder / "portals"), root, plan, contact="mailto:test@example.org", limits=limits
    )
    return root, {result.portal_id: result for result in results}


def kept(root: DataRoot, kind: str = "report") -> list[tuple[str, str]]:
    """(url, sha256) of everything kept of a kind, in order."""
    rows = known_snapshots(root).select(["kind", "source_url", "sha256"]).to_pylist()
    return sorted((row["source_url"], row["sha256"]) for row in rows if row["kind"] == kind)


def report_urls(site: Site) -> list[str]:
    return sorted(site.article_url(item) for item in site.reports())


def file_urls(site: Site) -> list[str]:
    return sorted(site.file_url(item) for item in site.reports() if item.suffix)
