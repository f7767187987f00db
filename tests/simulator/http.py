"""Requests and answers of the simulated portals, and the server that carries them: HTTP/1.1 on asyncio.

Serves any number of portals, each on its own port, from one thread. Knows nothing about what is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

LARGEST_BODY = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One request as received. `headers` have lower-case names."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    target: str = ""


@dataclass(slots=True)
class Response:
    """One answer. `kind` says what it is in the log: list, report, attachment, noise, robots, other."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "other"


Misbehaviour = Callable[[Request, asyncio.StreamWriter, Response], Awaitable[None]]
"""Writes something else than the answer; the connection is closed afterwards."""
Answer = Callable[[Request], Response | Misbehaviour]


class Logged(NamedTuple):
    """One request in a portal's log. `at` is seconds of `time.monotonic`."""

    at: float
    method: str
    target: str
    status: int
    kind: str
    sent: int
    user_agent: str
    referer: str
    is_conditional: bool


REASONS = {200: "OK", 304: "Not Modified", 404: "Not Found"}


def html(text: str, encoding: str = "utf-8", kind: str = "other", status: int = 200) -> Response:
    return Response(text.encode(encoding, "xmlcharrefreplace"), status, kind=kind)


def not_found() -> Response:
    return Response(b"<html><body><h1>404 Not Found</h1></body></html>", 404)


def with_validators(request: Request, response: Response, has_etag: bool) -> Response:
    """The answer with an ETag if asked for, or 304 when the request shows that the page is known."""
    if response.status != 200:
        return response
    if has_etag:
        response.headers["ETag"] = '"' + hashlib.md5(response.body).hexdigest()[:16] + '"'
    for name, condition in (("ETag", "if-none-match"), ("Last-Modified", "if-modified-since")):
        known = response.headers.get(name)
        if known and request.headers.get(condition) == known:
            return Response(b"", 304, headers={name: known}, kind=response.kind)
    return response


def raw_head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


async def send(request: Request, writer: asyncio.StreamWriter, response: Response) -> None:
    """Writes an answer whole; HEAD gets no body."""
    headers = {"Content-Length": str(len(response.body)), **response.headers}
    if response.content_type and response.status != 304:
        headers.setdefault("Content-Type", response.content_type)
    body = b"" if request.method == "HEAD" or response.status == 304 else response.body
    writer.write(raw_head(response.status, headers) + body)
    await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    length = min(int(headers.get("content-length") or 0), LARGEST_BODY)
    body = await reader.readexactly(length) if length else b""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Request(method, unquote(parts.path), query, headers, body, target)


class Door:
    """One port of the server: who answers there, what was asked, how many connections stood open at once."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.tls = tls
        self.port = 0
        self.log: list[Logged] = []
        self.is_down = False
        self.open_now = 0
        self.most_open = 0
        self.delay_seconds = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            while not self.is_down and (request := await _read_request(reader)):
                if not await self._answer_one(request, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, ValueError):
            return  # The other side is gone or talks nonsense: there is nobody to answer.
        except asyncio.CancelledError:
            return  # The server closes; asyncio would report a connection that ends so as an error.
        finally:
            self.open_now -= 1
            writer.close()

    async def _answer_one(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection stays open."""
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        answer = self.answer(request)
        if not isinstance(answer, Response):
            self._note(request, 0, "hostile", 0)
            await answer(request, writer, Response())
            return False
        self._note(request, answer.status, answer.kind, len(answer.body))
        if "gzip" in answer.headers.get("Content-Encoding", "") and not answer.body.startswith(b"\x1f\x8b"):
            answer.body = gzip.compress(answer.body)
        await send(request, writer, answer)
        return request.headers.get("connection", "").lower() != "close"

    def _note(self, request: Request, status: int, kind: str, sent: int) -> None:
        agent, referer = request.headers.get("user-agent", ""), request.headers.get("referer", "")
        known = "if-none-match" in request.headers or "if-modified-since" in request.headers
        now = time.monotonic()
        self.log.append(
            Logged(now, request.method, request.target, status, kind, sent, agent, referer, known)
        )


class Server:
    """Runs the doors in a thread of its own; a context manager."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="portal simulator", daemon=True)
        self._servers: list[asyncio.Server] = []
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def open(self, door: Door, port: int = 0) -> int:
        """Starts listening; the port (a free one for 0)."""
        starting = asyncio.start_server(door.serve, self.host, port, ssl=door.tls, limit=1 << 18)
        server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(timeout=30)
        self._servers.append(server)
        door.port = int(server.sockets[0].getsockname()[1])
        return door.port

    def close(self) -> None:
        """Stops listening and ends every connection."""
        if not self._loop.is_running():
            return

        async def stop() -> None:
            for server in self._servers:
                server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(stop(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
