"""What test files share: one Prefect server a session, started only when a test asks for it, and their order."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture(scope="session")
def s3_server() -> Iterator[None]:
    """A local S3 server that every `s3://` address of this process and its children means."""
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
    server.stop()
    fsspec.filesystem("s3").clear_instance_cache()


@pytest.fixture
def bucket(s3_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A data root in a bucket of its own."""
    import fsspec

    monkeypatch.setenv("OGI_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("OGI_CACHE", str(tmp_path / "cache"))
    name = uuid.uuid4().hex
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}/data"
