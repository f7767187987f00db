"""Connects to public addresses only: a name is resolved once, every answer checked, a checked one dialled.

So neither a redirect nor a name server that changes its answer between check and connection (DNS
rebinding) leads into a private network. Also cuts every request off at its deadline, however slowly the
bytes drip in. Answers are parsed by `http.client`; what they mean is the client's business.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import select
import socket
import ssl
import time
from collections.abc import Iterable
from typing import cast
from urllib.parse import urlsplit

from extractors.outcomes import NotKept

IDLE_SECONDS = 90
"""A connection that nobody used for longer is opened anew."""
BUFFER = 1 << 16
"""Most answers come in one piece of this size."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address, and any IPv4 address wrapped in it, is one of the public internet."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64:
            inside.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(inner is not None and not is_public(str(inner)) for inner in inside):
            return False
    return ip.is_global and not ip.is_multicast


def resolve(host: str, port: int, allow_private: bool) -> list[str]:
    """All addresses of a host; `NotKept` when there is none, or when one of them is not public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotKept("dns_failed", f"{host}: {error}") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not allow_private and (private := [a for a in addresses if not is_public(a)]):
        raise NotKept("private_address", host if host == private[0] else f"{host} is {private[0]}")
    return addresses


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port a canonical address is asked at."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


class Connection:
    """One connection to one origin, used for request after request. One thread at a time.

    `tls` None: plain HTTP. `read_seconds` bounds each single read and write, the deadline of `ask` all of them together.
    """

    def __init__(
        self,
        origin: tuple[str, str, int],
        tls: ssl.SSLContext | None,
        allow_private: bool,
        read_seconds: float,
    ) -> None:
        self.origin = origin
        self._tls, self._allow_private, self._read_seconds = tls, allow_private, read_seconds
        self._socket: socket.socket | None = None
        self._deadline = 0.0
        self._told = -1.0
        self._used_at = 0.0

    @property
    def is_used(self) -> bool:
        """Whether an answer came over it before."""
        return self._used_at > 0

    @property
    def is_usable(self) -> bool:
        """Whether the next request may go over it: open, not idle for long, and nothing unasked has come."""
        if self._socket is None or time.monotonic() - self._used_at > IDLE_SECONDS:
            return False
        # Something to read is either the other side's goodbye or the rest of an answer that was longer than it said.
        unasked = select.poll()
        unasked.register(self._socket, select.POLLIN)
        return not unasked.poll(0)

    def connect(self, seconds: float) -> None:
        """Dials the addresses of the host until one answers; OSError (ssl.SSLError for a bad certificate) else."""
        _, host, port = self.origin
        failure: OSError | None = None
        until = time.monotonic() + seconds
        for address in resolve(host, port, self._allow_private):
            try:
                left = max(until - time.monotonic(), 0.001)
                dialled = socket.create_connection((address, port), left)
                break
            except OSError as error:
                failure = error
        else:
            raise failure or OSError(f"{host} has no address")
        try:
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = self._tls.wrap_socket(dialled, server_hostname=host) if self._tls else dialled
        except BaseException:
            dialled.close()
            raise

    def ask(
        self, method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes, deadline: float
    ) -> http.client.HTTPResponse:
        """Sends a request; gives its answer with the body still to be read. `deadline` is of `time.monotonic`.

        OSError or http.client.HTTPException when it fails, ValueError when the request cannot be written as HTTP.
        """
        assert self._socket is not None
        self._deadline = deadline
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or " " in target:
            raise ValueError(f"{url[:100]!r} and its headers do not make a request")
        self._tell(self._socket).sendall(head.encode("latin-1") + b"\r\n\r\n" + body)
        answer = http.client.HTTPResponse(cast(socket.socket, self), method=method)
        answer.begin()
        if answer.headers.defects:
            raise http.client.HTTPException(f"damaged headers ({type(answer.headers.defects[0]).__name__})")
        return answer

    def done(self, answer: http.client.HTTPResponse) -> None:
        """To be called when an answer's body was read to its end."""
        self._used_at = time.monotonic()
        if answer.will_close:
            self.close()

    def makefile(self, mode: str) -> io.BufferedReader:
        """What `http.client` reads one answer from."""
        return io.BufferedReader(_Timed(self), BUFFER)

    def receive(self, buffer: memoryview) -> int:
        """One read of what the other side sends."""
        assert self._socket is not None
        return self._tell(self._socket).recv_into(buffer)

    def _tell(self, open_socket: socket.socket) -> socket.socket:
        """The socket, told how long its next operation may take; TimeoutError when the deadline has passed."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time limit of the page is over")
        seconds = min(left, self._read_seconds)
        if seconds != self._told:  # Each telling is a system call, and most would tell the same.
            open_socket.settimeout(seconds)
            self._told = seconds
        return open_socket

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Timed(io.RawIOBase):
    """A connection as a stream to read; closing it leaves the connection open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._connection.receive(buffer)
