"""Asks portals for pages, politely: robots.txt, one connection a host, a pause that follows its latency.

Follows redirects one by one and only to hosts the portal's file allows, never off the public internet
(`extractors.network`); bounds every answer in time and size; tries again only what is worth it. Answers
sent in a page's place are named (`extractors.challenge`). Never reads a page and never solves a
challenge.
"""

from __future__ import annotations

import email.utils
import http.client
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from protego import Protego

from extractors.challenge import refusal
from extractors.encoding import MAX_DECODED_BYTES, BodyDecoder, encoding_of
from extractors.network import BUFFER, Connection, origin_of
from extractors.outcomes import RETRIED, TROUBLE, NotKept
from extractors.urls import canonical, host_of, is_home, join

AGENT = "ogi-warehouse"
"""The name robots.txt files can address."""
Judge = Callable[[int, list[tuple[str, str]], bytes], NotKept | None]
"""Says from status, headers and body why an answer is not a page."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one request and of a host's patience. Seconds and bytes."""

    connect_seconds: float = 10
    read_seconds: float = 30
    total_seconds: float = 120
    page_bytes: int = 20 << 20
    file_bytes: int = MAX_DECODED_BYTES
    robots_bytes: int = 512 << 10
    redirects: int = 5
    tries: int = 3
    backoff_seconds: float = 4
    longest_wait_seconds: float = 120
    longest_delay_seconds: float = 60
    failures_in_a_row: int = 6


@dataclass(frozen=True, slots=True)
class Manners:
    """What a portal's file says about how its hosts may be asked."""

    hosts: frozenset[str]
    delay_seconds: float = 2.0
    daily_cap: int = 5000
    allow_private: bool = False
    verify_tls: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, untouched. `wire` is the body as sent, `payload` with its Content-Encoding undone."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    wire: bytes
    payload: bytes
    request_headers: list[tuple[str, str]]
    fetched_at: datetime
    method: str = "GET"
    request_body: bytes = b""

    def header(self, name: str) -> str:
        """First value of a header, or ""."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked; `on_request` hears the bytes of every answer, also of robots.txt and of retries."""

    url: str
    manners: Manners
    method: str = "GET"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    max_bytes: int = 0
    on_request: Callable[[int], None] | None = None


@dataclass
class _Host:
    """One host's state: its single connection, its pause, its robots.txt, how it fares."""

    name: str
    delay: float
    requests: int
    connection: Connection | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = 0.0
    troubles: int = 0
    least_delay: float = 0.0
    closed: NotKept | None = None
    robots: Protego | NotKept | None = None


class Client:
    """Shared by all portals of a run; each host is asked by one thread at a time.

    `contact` (a mail or web address) goes into the User-Agent. `asked_today` are requests already made today
    by host, from the crawl log; they count against the daily cap. Setting `stop` ends every wait and
    request to come.
    """

    def __init__(
        self,
        contact: str,
        limits: Limits | None = None,
        asked_today: Mapping[str, int] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.user_agent = f"{AGENT}/1.0 (+{contact})"
        self._stop = stop or threading.Event()
        self._asked_today = dict(asked_today or {})
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        self._tls = {True: ssl.create_default_context(), False: ssl._create_unverified_context()}
        self._headers = (
            ("User-Agent", self.user_agent),
            ("Accept", "text/html,application/xhtml+xml,application/json,application/pdf,*/*;q=0.8"),
            ("Accept-Language", "zh-CN,zh;q=0.9"),
            ("Accept-Encoding", "gzip, deflate"),
        )

    def close(self) -> None:
        for host in self._hosts.values():
            if host.connection is not None:
                host.connection.close()

    def fetch(
        self,
        url: str,
        manners: Manners,
        *,
        method: str = "GET",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        on_request: Callable[[int], None] | None = None,
    ) -> Response:
        """The answer (status 200 or 304) to an address after its redirects, or `NotKept` with the reason."""
        try:
            start = canonical(url)
        except ValueError as error:
            raise NotKept("bad_scheme", str(error)) from None
        named = tuple((headers or {}).items())
        request = _Request(
            start, manners, method, body, named, max_bytes or self.limits.page_bytes, on_request
        )
        seen = {start}
        for _ in range(self.limits.redirects + 1):
            answer = self._ask(request)
            location = answer.header("location")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            target = join(request.url, location)
            if target is None:
                raise NotKept("bad_scheme", f"redirect to {location[:100]!r}")
            if host_of(target) not in manners.hosts:
                raise NotKept("host_not_allowed", f"redirect to {host_of(target)}")
            if is_home(target) and not is_home(start):
                raise NotKept("redirect_home", target)
            if target in seen:
                # Most often a cookie that a browser would set and send back: a challenge, not a page.
                raise NotKept("redirect_loop", target)
            seen.add(target)
            request = replace(request, url=target)
            if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
                request = replace(request, method="GET", body=b"")
        raise NotKept("redirect_loop", f"more than {self.limits.redirects} redirects")

    def may_fetch(self, url: str, manners: Manners) -> NotKept | None:
        """Why robots.txt or the allowed hosts forbid an address; None when they do not."""
        try:
            request = _Request(canonical(url), manners)
            host = self._host(request)
            with host.lock:
                self._check(host, request)
        except NotKept as refused:
            return refused
        return None

    def _ask(self, request: _Request) -> Response:
        host = self._host(request)
        with host.lock:
            self._check(host, request)
            return self._with_retries(host, request, refusal)

    def _host(self, request: _Request) -> _Host:
        name, manners = host_of(request.url), request.manners
        if name not in manners.hosts:
            raise NotKept("host_not_allowed", name)
        with self._lock:
            if name not in self._hosts:
                asked = self._asked_today.get(name, 0)
                self._hosts[name] = _Host(name, manners.delay_seconds, asked)
            return self._hosts[name]

    def _check(self, host: _Host, request: _Request) -> None:
        robots = self._robots(host, request)
        if isinstance(robots, NotKept):
            raise NotKept(robots.code, robots.detail)
        if not robots.can_fetch(request.url, AGENT):
            raise NotKept("robots_disallowed", request.url)

    def _robots(self, host: _Host, request: _Request) -> Protego | NotKept:
        """Rules of RFC 9309: 4xx allows all, but 401 and 403 mean no; unreachable allows nothing."""
        if host.robots is None:
            address = f"{request.url.split('://')[0]}://{host.name}/robots.txt"
            asking = _Request(
                address, request.manners, max_bytes=self.limits.robots_bytes, on_request=request.on_request
            )
            try:
                for _ in range(self.limits.redirects):
                    answer = self._with_retries(host, asking, None)
                    target = (
                        join(asking.url, answer.header("location")) if 300 <= answer.status < 400 else None
                    )
                    if target is None or host_of(target) != host.name:
                        break
                    asking = replace(asking, url=target)
                host.robots = _rules(answer)
            except NotKept as refused:
                host.robots = Protego.parse("") if refused.code == "too_large" else refused
            if isinstance(host.robots, Protego) and (asked := host.robots.crawl_delay(AGENT)):
                host.delay = max(host.delay, min(asked, self.limits.longest_delay_seconds))
                host.least_delay = host.delay
        return host.robots

    def _with_retries(self, host: _Host, request: _Request, judge: Judge | None) -> Response:
        for attempt in range(1, self.limits.tries + 1):
            if host.closed:
                raise NotKept(host.closed.code, host.closed.detail)
            wait = self.limits.backoff_seconds * 2 ** (attempt - 1)
            try:
                answer = self._once(host, request)
                failure, asked = self._in_trouble(host, answer)
                if failure is None:
                    failure = judge(answer.status, answer.headers, answer.payload) if judge else None
                if failure is None:
                    host.troubles = 0
                    return answer
                wait = max(wait, asked)
            except NotKept as refused:
                failure = refused
            if failure.code not in RETRIED or attempt == self.limits.tries or host.closed:
                self._count_trouble(host, failure)
                raise failure
            self._wait(min(wait, self.limits.longest_wait_seconds))
        raise AssertionError("the last attempt returns or raises")

    def _in_trouble(self, host: _Host, answer: Response) -> tuple[NotKept | None, float]:
        """The failure a status speaks of, and the seconds the host asks to wait."""
        if answer.status not in (429, 500, 502, 503, 504):
            return None, 0.0
        asked = _seconds(answer.header("retry-after")) or 0.0
        if asked > self.limits.longest_wait_seconds:
            host.closed = NotKept("given_up", f"{host.name} asks to wait {asked:.0f} s")
            return host.closed, asked
        code = "rate_limited" if answer.status in (429, 503) else "server_error"
        return NotKept(code, f"status {answer.status}"), asked

    def _count_trouble(self, host: _Host, failure: NotKept) -> None:
        host.troubles = host.troubles + 1 if failure.code in TROUBLE else 0
        if host.troubles >= self.limits.failures_in_a_row and not host.closed:
            host.closed = NotKept(
                "given_up", f"{host.name}: {host.troubles} failures in a row, last {failure}"
            )

    def _once(self, host: _Host, request: _Request) -> Response:
        """One request on the wire; waits for the host's turn first and sets its next pause after."""
        if host.requests >= request.manners.daily_cap:
            raise NotKept("daily_cap", f"{request.manners.daily_cap} requests to {host.name}")
        self._wait(host.next_at - time.monotonic())
        began = time.monotonic()
        host.requests += 1
        status, received = 0, 0
        try:
            answer = self._transfer(host, request)
            status, received = answer.status, len(answer.wire)
            return answer
        finally:
            now = time.monotonic()
            host.delay = self._next_delay(host, request.manners, now - began, well=status in (200, 304))
            host.next_at = now + host.delay
            if request.on_request:
                request.on_request(received)

    def _wait(self, seconds: float) -> None:
        if self._stop.is_set() or (seconds > 0 and self._stop.wait(seconds)):
            raise NotKept("interrupted")

    def _next_delay(self, host: _Host, manners: Manners, latency: float, well: bool) -> float:
        """The pause moves half-way to the latency; an error never shortens it (Scrapy's AutoThrottle)."""
        least = max(manners.delay_seconds, host.least_delay)
        if least == 0:
            return 0.0
        following = max(least, (host.delay + latency) / 2)
        return min(following if well else max(following, host.delay), self.limits.longest_delay_seconds)

    def _connection(self, host: _Host, request: _Request) -> Connection:
        """The host's one connection, a new one when it was closed or stood idle for too long."""
        origin, manners = origin_of(request.url), request.manners
        if host.connection is not None:
            if host.connection.origin == origin and host.connection.is_usable:
                return host.connection
            host.connection.close()
        tls = self._tls[manners.verify_tls] if origin[0] == "https" else None
        host.connection = Connection(origin, tls, manners.allow_private, self.limits.read_seconds)
        try:
            host.connection.connect(self.limits.connect_seconds)
        except TimeoutError:
            raise NotKept("timeout", "no connection in time") from None
        except ssl.SSLError as error:
            raise NotKept("bad_certificate", str(error)) from None
        except OSError as error:
            raise NotKept("connect_failed", str(error)) from None
        return host.connection

    def _transfer(self, host: _Host, request: _Request) -> Response:
        until = time.monotonic() + self.limits.total_seconds
        headers = [("Host", host.name), *self._headers, *request.headers]
        if request.body:
            headers.append(("Content-Length", str(len(request.body))))
        when = datetime.now(UTC)
        connection = self._connection(host, request)
        is_whole = False
        try:
            asking = (request.method, request.url, headers, request.body, until)
            try:
                answer = connection.ask(*asking)
            except (http.client.RemoteDisconnected, ConnectionError):
                # Closed at the moment it was used again: nobody's fault, and nothing was answered.
                if not connection.is_used:
                    raise
                connection.close()
                connection = self._connection(host, request)
                answer = connection.ask(*asking)
            sent = answer.getheaders()
            wire, payload = _body(answer, sent, request.max_bytes)
            is_whole = True
        except TimeoutError as error:
            raise NotKept("timeout", str(error)) from None
        except http.client.IncompleteRead as error:
            raise NotKept("truncated", str(error)) from None
        except (http.client.HTTPException, OSError) as error:
            raise NotKept("protocol_error", str(error) or type(error).__name__) from None
        except ValueError as error:
            raise NotKept("bad_scheme", str(error)) from None
        finally:
            # What is left of an answer that was not read to its end would be taken for the next one.
            if is_whole:
                connection.done(answer)
            else:
                connection.close()
        return Response(
            request.url, answer.status, sent, wire, payload, headers, when, request.method, request.body
        )


def _body(
    answer: http.client.HTTPResponse, headers: list[tuple[str, str]], max_bytes: int
) -> tuple[bytes, bytes]:
    """The body as sent and decoded; `NotKept` as soon as a limit is passed."""
    named = {name.lower(): value for name, value in headers}
    announced = answer.length or 0
    if announced > max_bytes:
        raise NotKept("too_large", f"{announced:,} bytes announced")
    decoder: BodyDecoder | None = None
    wire: list[bytes] = []
    parts: list[bytes] = []
    while piece := answer.read(BUFFER):
        if decoder is None:
            encoding = encoding_of(named.get("content-encoding", ""), named.get("content-type", ""), piece)
            decoder = BodyDecoder(encoding, max_bytes)
        wire.append(piece)
        parts.extend(decoder.feed(piece))
    raw = wire[0] if len(wire) == 1 else b"".join(wire)
    if len(raw) < announced:
        raise NotKept("truncated", f"{announced:,} bytes announced, {len(raw):,} came")
    if decoder is None or not decoder.encoding:
        return raw, raw
    decoder.finish()
    return raw, b"".join(parts)


def _rules(answer: Response) -> Protego | NotKept:
    if answer.status in (401, 403):
        return NotKept("robots_disallowed", f"robots.txt answers {answer.status}")
    if answer.status >= 500:
        return NotKept("robots_unreachable", f"robots.txt answers {answer.status}")
    is_text = answer.status == 200 and answer.payload.lstrip()[:1] != b"<"
    return Protego.parse(answer.payload.decode("utf-8", "replace") if is_text else "")


def _seconds(retry_after: str) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date; None for neither."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        when = email.utils.parsedate_to_datetime(retry_after)
    except (ValueError, TypeError):
        return None
    return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - time.time())
