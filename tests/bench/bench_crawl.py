"""Measures the crawl: pages a second beside a bare httpx loop in the same run, memory over 1,000 and 20,000 pages.

Portals run in a process of their own, without delay, 20 at once; so does each crawl, so that its memory is its own.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import yaml

from extractors.archive import known_snapshots
from extractors.crawl import crawl
from extractors.dataroot import DataRoot
from extractors.portals import read_folder

PORTALS = 20
ROUNDS = 3


def run() -> list[dict[str, Any]]:
    """The figures, each beside its bar."""
    speed, bare, pages = _speed()
    small, large = _memory(1_000), _memory(20_000)
    return [
        {
            "name": f"{pages} pages of {PORTALS} portals, fetched, checked and archived",
            "figure": f"{speed:.0f} pages/s ({speed / bare:.2f} of the baseline)",
            "bar": "0.5 of the baseline",
            "baseline": f"bare httpx, bodies thrown away: {bare:.0f} pages/s",
            "reached": speed >= 0.5 * bare,
        },
        {
            "name": "peak memory of a crawl of 20,000 pages",
            "figure": f"{large:.0f} MB",
            "bar": "300 MB, and the same as for 1,000 pages",
            "baseline": f"1,000 pages: {small:.0f} MB",
            "reached": large < 300 and large < 1.25 * small,
        },
    ]


def _speed() -> tuple[float, float, int]:
    """Pages a second of a crawl, and of the faster of two bare httpx loops (one thread; one a portal)."""
    with tempfile.TemporaryDirectory() as folder, _portals("simulated", folder):
        _crawl_in_a_process(folder, "warm")  # The simulator draws each page once, then serves it from memory.
        rows = known_snapshots(DataRoot(f"{folder}/warm")).to_pylist()
        urls = [row["source_url"] for row in rows if row["kind"] == "report"]
        speeds, bares = [], []
        for number in range(ROUNDS):
            seconds, _ = _crawl_in_a_process(folder, f"round{number}")
            speeds.append(len(rows) / seconds)
            bares.append(max(_bare(urls, 1), _bare(urls, PORTALS)))
    return sorted(speeds)[ROUNDS // 2], sorted(bares)[ROUNDS // 2], len(rows)


def _bare(urls: list[str], threads: int) -> float:
    def loop(share: list[str]) -> None:
        with httpx.Client() as client:
            for url in share:
                client.get(url)

    by_host: dict[str, list[str]] = {}
    for url in urls:
        by_host.setdefault(url.split("/")[2], []).append(url)
    shares = [urls] if threads == 1 else list(by_host.values())
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(loop, shares))
    return len(urls) / (time.perf_counter() - began)


def _memory(pages: int) -> float:
    """Peak memory in MB of a process that crawls so many pages."""
    with tempfile.TemporaryDirectory() as folder, _portals(str(pages), folder):
        return _crawl_in_a_process(folder, "data")[1]


def _crawl_in_a_process(folder: str, data: str) -> tuple[float, float]:
    """Seconds of the crawl alone, and peak memory in MB of its process."""
    command = [sys.executable, "-m", "tests.bench.bench_crawl", "crawl", folder, data]
    seconds, memory = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return seconds, memory


class _portals:
    """Portals in a process of their own while the block lasts; their files in `folder`/portals."""

    def __init__(self, what: str, folder: str) -> None:
        self._command = [sys.executable, "-m", "tests.bench.bench_crawl", "serve", folder, what]

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def _serve(folder: Path, what: str) -> None:
    if what == "simulated":
        from tests.simulator.portal import Simulator
        from tests.simulator.shelf import PAGE_LAYOUTS

        simulator = Simulator(
            PORTALS, 15, range(2018, 2024), layouts=PAGE_LAYOUTS, page_size=100, kinds=["static_next"]
        )
        simulator.write_portals(folder / "portals")
        print("ready", flush=True)
        sys.stdin.read()
    asyncio.run(_serve_many(folder, int(what)))


async def _serve_many(folder: Path, pages: int) -> None:
    """Plain portals with so many report pages of 15 KB in all, each with its own text."""
    share, filler = (
        pages // PORTALS,
        "<p>一、总体情况。主动公开政府信息，收到和处理申请，行政复议。</p>" * 150,
    )
    (folder / "portals").mkdir()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _request(reader):
            path = head.split(b" ", 2)[1].decode()
            name, _, number = path.strip("/").partition("-")
            body, status = "", 404
            if name == "list":
                first = int(number) * 100
                items = (
                    f'<li><a href="/report-{n}">某局{n}号2023年政府信息公开工作年度报告</a></li>'
                    for n in range(first, min(first + 100, share))
                )
                more = f'<a href="/list-{int(number) + 1}">下一页</a>' if first + 100 < share else ""
                body, status = f"<ul>{''.join(items)}</ul>{more}", 200
            elif name == "report":
                title = f"某局{number}号2023年政府信息公开工作年度报告"
                body, status = (
                    f"<html><title>{title}</title><h1>{title}</h1><div id=zoom>{filler}{number}</div>",
                    200,
                )
            sent = body.encode()
            writer.write(
                b"HTTP/1.1 %d OK\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: %d\r\n\r\n"
                % (status, len(sent))
                + sent
            )
            await writer.drain()

    for number in range(PORTALS):
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        content = {
            "id": f"plain-{number}",
            "name": "某县人民政府",
            "region": "",
            "family": "static",
            "hosts": [host],
        }
        content |= {
            "lists": [f"http://{host}/list-0"],
            "delay_seconds": 0,
            "allow_private": True,
            "daily_cap": 10**6,
        }
        text = yaml.safe_dump(content | {"checked": False}, allow_unicode=True)
        (folder / "portals" / f"plain-{number}.yml").write_text(text, encoding="utf8")
    print("ready", flush=True)
    await asyncio.Event().wait()


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _crawl(folder: Path, data: str) -> None:
    portals = read_folder(folder / "portals")
    began = time.perf_counter()
    results = crawl(portals, DataRoot(str(folder / data)), contact="bench")
    seconds = time.perf_counter() - began
    if problem := next((r.error for r in results if r.error), ""):
        raise SystemExit(problem)
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        _serve(Path(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["crawl"]:
        _crawl(Path(sys.argv[2]), sys.argv[3])
    else:
        for row in run():
            print(row)
