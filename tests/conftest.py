"""Fixtures that several test files share: one Prefect server a session, started only when a test asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from flows.start import SETTINGS


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
