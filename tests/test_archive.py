"""The archive keeps exact bytes, is readable by WARC tools, and survives being killed."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from extractors.archive import (
    Archive,
    CrawlLog,
    known_snapshots,
    new_run_id,
    read_payload,
    read_payloads,
    recover,
    responses,
)
from extractors.dataroot import DataRoot
from extractors.encoding import decode_body
from extractors.errors import Refused

URL = "http://www.example.gov.cn/zfxxgk/2024/t20240131_1.html"
BODY = "政府信息公开工作年度报告".encode("gb18030") + bytes(range(256))


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(str(tmp_path / "data"))


def row(stored, url=URL, **more):
    return {
        "source_url": url,
        "portal_id": "demo",
        "kind": "report",
        "fetched_at": datetime.now(UTC),
        "outcome": "stored",
        "sha256": stored.sha256,
        "warc_path": stored.warc_path,
        "warc_offset": stored.warc_offset,
        **more,
    }


def test_a_response_comes_back_byte_for_byte_with_its_request(root: DataRoot) -> None:
    when = datetime(2024, 2, 1, 3, 4, 5, 678901, tzinfo=UTC)
    with Archive(root, "demo", "run1") as archive:
        stored = archive.store_response(
            URL,
            200,
            {"Content-Type": "text/html", "Transfer-Encoding": "chunked"},
            BODY,
            {"User-Agent": "ogi"},
            when,
        )
        second = archive.store_file("file:///a/b.html", b"file", when, "text/html")
    assert read_payload(root, stored.warc_path, stored.warc_offset) == BODY
    places = [(s.warc_path, s.warc_offset) for s in (second, stored)]
    assert list(read_payloads(root, places)) == [b"file", BODY]
    with root.local(stored.warc_path).open("rb") as stream:
        records = [
            (r.rec_type, r.rec_headers.get_header("WARC-Date"), r.content_stream().read())
            for r in ArchiveIterator(stream)
        ]
    assert [r[0] for r in records] == ["warcinfo", "response", "request", "resource"]
    assert records[1][1] == "2024-02-01T03:04:05.678901Z" and records[1][2] == BODY


def test_every_digest_holds_for_a_warc_tool(root: DataRoot, capsys) -> None:
    with Archive(root, "demo", "run1") as archive:
        stored = archive.store_response(
            URL, 200, [("Set-Cookie", "a=1\r\nX: y"), ("Set-Cookie", "b=2")], BODY
        )
        archive.store_file("file:///x", BODY)
    checker = Checker(type("Options", (), {"inputs": [str(root.local(stored.warc_path))], "verbose": True})())
    checker.process_all()
    assert checker.exit_value == 0 and "digest failed" not in capsys.readouterr().out


def test_headers_keep_the_bytes_they_came_in(root: DataRoot) -> None:
    name = "年报.pdf"
    for charset in ("utf-8", "gb18030"):
        sent = f'attachment; filename="{name}"'.encode(charset)
        with Archive(root, "demo", charset) as archive:
            stored = archive.store_response(URL, 200, [("Content-Disposition", sent.decode("latin-1"))], BODY)
        with gzip.open(root.local(stored.warc_path)) as stream:
            assert b"\r\nContent-Disposition: " + sent + b"\r\n" in stream.read()
        assert read_payload(root, stored.warc_path, stored.warc_offset) == BODY


def test_a_compressed_body_is_kept_as_sent_and_read_decoded(root: DataRoot) -> None:
    with Archive(root, "demo", "run1") as archive:
        stored = archive.store_response(URL, 200, {"Content-Encoding": "gzip"}, gzip.compress(BODY))
        plain = archive.store_response(URL, 200, {}, BODY)
    assert read_payload(root, stored.warc_path, stored.warc_offset) == BODY
    assert stored.sha256 == plain.sha256


def test_a_bomb_is_refused_and_a_damaged_body_named() -> None:
    bomb = gzip.compress(b"0" * (100 << 20))
    with pytest.raises(Refused, match=r"compressed_bomb|too_large"):
        decode_body(bomb, "gzip")
    with pytest.raises(Refused, match="truncated"):
        decode_body(gzip.compress(BODY)[:-12], "gzip")
    with pytest.raises(Refused, match="bad_encoding"):
        decode_body(BODY, "br")


def test_a_record_of_another_kind_or_a_torn_one_is_never_a_body(root: DataRoot) -> None:
    with Archive(root, "demo", "run1") as archive:
        stored = archive.store_response(URL, 200, {}, os.urandom(5000))
    with pytest.raises(ValueError, match="warcinfo"):
        read_payload(root, stored.warc_path, 0)
    place = root.local(stored.warc_path)
    place.write_bytes(place.read_bytes()[: stored.warc_offset + 3000])
    with pytest.raises(ValueError, match=rf"{stored.warc_path} at byte {stored.warc_offset}"):
        read_payload(root, stored.warc_path, stored.warc_offset)


def test_rows_of_the_log_come_back_typed(root: DataRoot) -> None:
    with CrawlLog(root) as crawl_log, Archive(root, "demo", crawl_log.run_id) as archive:
        stored = archive.store_file(URL, BODY)
        crawl_log.append(row(stored, listing_date=date(2024, 1, 31), bytes=len(BODY)))
        crawl_log.append(row(stored, outcome="refused", reason="not_found", sha256=None, warc_path=None))
    got = responses(root).to_pylist()
    assert [r["outcome"] for r in got] == ["stored", "refused"]
    assert got[0]["listing_date"] == date(2024, 1, 31) and got[0]["run_id"] == crawl_log.run_id
    with pytest.raises(ValueError, match="colour"):
        crawl_log.append(row(stored, colour="red"))
    with pytest.raises(ValueError, match="kind"):
        crawl_log.append(row(stored, kind=None))


def test_known_snapshots_names_each_version_once(root: DataRoot) -> None:
    with CrawlLog(root) as crawl_log, Archive(root, "demo", crawl_log.run_id) as archive:
        for body in (b"one", b"two", b"one"):
            crawl_log.append(row(archive.store_file(URL, body)))
    known = known_snapshots(root)
    assert known.num_rows == 2 and len(set(known["sha256"].to_pylist())) == 2
    assert known_snapshots(DataRoot(str(root.local("elsewhere")))).num_rows == 0


def test_long_runs_publish_in_parts_and_lose_no_row(root: DataRoot, monkeypatch) -> None:
    monkeypatch.setattr("extractors.archive.JOURNAL_ROWS", 7)
    with CrawlLog(root) as crawl_log, Archive(root, "demo", crawl_log.run_id) as archive:
        stored = archive.store_file(URL, BODY)
        for number in range(20):
            crawl_log.append(row(stored, url=f"{URL}?{number}"))
    assert len(root.files("crawl", ".parquet")) == 3
    assert len(set(responses(root)["source_url"].to_pylist())) == 20


KILLED = """
    import sys
    from datetime import UTC, datetime
    from extractors.archive import Archive, CrawlLog
    from extractors.dataroot import DataRoot
    root = DataRoot(sys.argv[1])
    with CrawlLog(root) as log, Archive(root, "demo", log.run_id) as archive:
        for n in range(100000):
            url = f"http://example.gov.cn/{n}"
            stored = archive.store_response(url, 200, {}, (url * 500).encode())
            log.append(dict(source_url=url, portal_id="demo", kind="report", fetched_at=datetime.now(UTC),
                            outcome="stored", sha256=stored.sha256, warc_path=stored.warc_path,
                            warc_offset=stored.warc_offset))
            print(n, flush=True)
"""


def test_a_killed_run_loses_at_most_the_record_in_flight(root: DataRoot) -> None:
    program = [sys.executable, "-c", textwrap.dedent(KILLED), root.address]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    assert recover(root) == 0, "a run that is alive is left alone"
    process.send_signal(signal.SIGKILL)
    reported = process.stdout.read().split()
    process.wait()
    recover(root)
    kept = known_snapshots(root).to_pylist()
    assert len(kept) >= int(reported[-1]) + 1
    for r in kept:
        assert read_payload(root, r["warc_path"], r["warc_offset"]) == (r["source_url"] * 500).encode()
    assert recover(root) == 0


def test_a_remote_root_receives_archives_before_rows(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OGI_SPOOL", str(tmp_path))
    remote = DataRoot(f"memory://archive-{new_run_id()}")
    with CrawlLog(remote) as crawl_log, Archive(remote, "demo", crawl_log.run_id) as archive:
        stored = archive.store_response(URL, 200, {}, BODY)
        crawl_log.append(row(stored))
        assert responses(remote).num_rows == 0
    assert responses(remote).num_rows == 1
    assert read_payload(remote, stored.warc_path, stored.warc_offset) == BODY
    assert not list(tmp_path.rglob("*.warc.gz"))
