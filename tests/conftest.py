"""What test files share: one Prefect server a session, started only when a test asks for it, and their order."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from flows.start import SETTINGS

SLOWEST_FIRST = (
    "test_flows",
    "test_flow_parts",
    "test_warehouse_publish",
    "test_crawl",
    "test_publish_command",
    "test_ingest",
    "test_warehouse_review",
    "test_hostile",
)
"""Files that take longest. Where files are shared out among processes, a slow one that comes last is waited for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The API address of a real Prefect server with an empty database, in force for flows of this process."""
    os.environ.update(SETTINGS)
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        url = PREFECT_API_URL.value()
        assert url
        yield url
