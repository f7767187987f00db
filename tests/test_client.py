"""The client on the wire: how answers are framed, how connections are kept, which certificates are believed."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from extractors.client import Client, Manners, Response
from extractors.outcomes import NotKept
from tests.crawling import QUICK, crawl_all, kept, report_urls
from tests.simulator.http import Door, Request
from tests.simulator.http import Response as Answer
from tests.simulator.portal import Simulator

ROBOTS = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
ONE_TRY = replace(QUICK, tries=1)


class Scripted:
    """A server that sends prepared bytes: for each connection a list of answers, robots.txt aside."""

    def __init__(self, *connections: list[bytes | list[bytes]]) -> None:
        self.connections = list(connections)
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for answers in self.connections:
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                with connection, connection.makefile("rb") as stream:
                    self._answer(connection, stream, list(answers))

    def _answer(self, connection: socket.socket, stream, answers: list[bytes | list[bytes]]) -> None:
        while answers:
            head = b"".join(iter(stream.readline, b"\r\n"))
            if not head:
                return
            if b"/robots.txt" in head:
                connection.sendall(ROBOTS)
                continue
            self.requests.append(head)
            answer = answers.pop(0)
            for piece in answer if isinstance(answer, list) else [answer]:
                connection.sendall(piece)
                time.sleep(0.2 if isinstance(answer, list) else 0)

    def close(self) -> None:
        self._listener.close()


def ask(server: Scripted, *paths: str, limits=ONE_TRY, delay: float = 0.0) -> list[Response | str]:
    """Each path's answer, or the code it was refused with."""
    client, manners, given = Client("x", limits), Manners(frozenset({server.host}), delay, 100, True), []
    for path in paths:
        try:
            given.append(client.fetch(f"http://{server.host}{path}", manners))
        except NotKept as refused:
            given.append(refused.code)
    client.close()
    server.close()
    return given


def plain(body: bytes, *headers: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PAGE = "<html><body>政府信息公开工作年度报告".encode() + b" text" * 40


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (plain(PAGE), PAGE),
        (CHUNKED + b"5;x=1\r\n<html\r\n8\r\n>chunked\r\n0\r\nTrailer: 1\r\n\r\n", b"<html>chunked"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + PAGE, PAGE),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + plain(PAGE), PAGE),
        (plain(PAGE).replace(b"\r\n", b"\n"), PAGE),
        ([plain(PAGE)[:30], plain(PAGE)[30:]], PAGE),
        (plain(gzip.compress(PAGE), "Content-Encoding: gzip"), PAGE),
        (plain(PAGE, "Content-Disposition: 公开"), PAGE),
    ],
)
def test_a_body_is_read_however_it_is_framed(sent: bytes | list[bytes], expected: bytes) -> None:
    answer = ask(Scripted([sent]), "/a")[0]
    assert isinstance(answer, Response) and answer.payload == expected


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (plain(PAGE)[:-20], "truncated"),
        (CHUNKED + b"ff\r\n<html", "truncated"),
        (CHUNKED + b"zz\r\n<html", "truncated"),
        (b"HTTP/1.1 200 OK\r\nthis is no header\r\nContent-Length: 9\r\n\r\n<html></html>", "protocol_error"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "protocol_error"),
        (b"", "protocol_error"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n", "protocol_error"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10**6, "protocol_error"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "too_large"),
        (plain(gzip.compress(PAGE)[:-9], "Content-Encoding: gzip"), "truncated"),
        (plain(PAGE, "Content-Encoding: br"), "bad_encoding"),
    ],
)
def test_a_broken_answer_is_named(sent: bytes, code: str) -> None:
    # A connection that was used before is opened anew once, should it break before any byte of an answer.
    assert ask(Scripted([sent], [sent]), "/a") == [code]


def test_headers_that_drip_end_at_the_time_limit() -> None:
    """Each byte comes well within the read limit; only the whole takes too long."""
    began = time.monotonic()
    dripped = [bytes([byte]) for byte in plain(PAGE)]
    assert ask(Scripted([dripped]), "/a", limits=replace(ONE_TRY, total_seconds=0.9)) == ["timeout"]
    assert time.monotonic() - began < 3


def test_a_connection_is_kept_and_a_closed_one_opened_anew_without_a_failure() -> None:
    server = Scripted([plain(b"<a>1"), plain(b"<a>2")], [plain(b"<a>3")])
    answers = ask(server, "/1", "/2", "/3")
    assert [answer.payload for answer in answers if isinstance(answer, Response)] == [
        b"<a>1",
        b"<a>2",
        b"<a>3",
    ]


def test_what_comes_after_an_answer_is_never_taken_for_the_next() -> None:
    at_once = Scripted([plain(b"<a>1") + plain(b"<a>no"), plain(b"<a>2")])
    a_little_later = Scripted([[plain(b"<a>1"), plain(b"<a>no")], plain(b"<a>no")], [plain(b"<a>2")])
    for server in (at_once, a_little_later):
        answers = ask(server, "/1", "/2", delay=0.3)
        assert [a.payload for a in answers if isinstance(a, Response)] == [b"<a>1", b"<a>2"]


def test_a_header_cannot_be_split_into_two() -> None:
    server = Scripted([plain(PAGE)])
    client = Client("x", ONE_TRY)
    with pytest.raises(NotKept, match="bad_scheme"):
        client.fetch(
            f"http://{server.host}/a",
            Manners(frozenset({server.host}), 0, 9, True),
            headers={"If-None-Match": 'x"\r\nX-Other: 1'},
        )
    client.close()
    server.close()
    assert not server.requests


# -- TLS --


def certificate(folder: Path, *names: str, days: int = 30) -> Path:
    """A self-signed certificate with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        for name in names
    ]
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{'-'.join(names)}{days}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@contextlib.contextmanager
def tls_door(simulator: Simulator, pem: Path) -> Iterator[Door]:
    """A port of the simulator's server that speaks TLS and answers every path with the page `PAGE`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    door = Door(lambda request: Answer(PAGE), context)
    simulator.server.open(door)
    yield door


def simulated() -> Simulator:
    return Simulator(1, 3, range(2022, 2024), kinds=["static_next"], layouts=("html:clean",))


@pytest.mark.parametrize(
    ("names", "days"), [(("127.0.0.1",), 30), (("127.0.0.1",), -1), (("other.example",), 30)]
)
def test_a_certificate_nobody_vouches_for_is_named_and_nothing_is_asked(
    names: tuple[str, ...], days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Self-signed; out of date and of another host although its signer is trusted."""
    pem = certificate(tmp_path, *names, days=days)
    if names != ("127.0.0.1",) or days < 0:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with simulated() as simulator, tls_door(simulator, pem) as door:
        host, client = f"127.0.0.1:{door.port}", Client("x", QUICK)
        with pytest.raises(NotKept) as refused:
            client.fetch(f"https://{host}/a", Manners(frozenset({host}), 0, 9, True))
        # robots.txt is what is asked first: where it cannot be had, nothing may be asked.
        assert refused.value.code == "bad_certificate" and not door.log
        lenient = Manners(frozenset({host}), 0, 9, True, verify_tls=False)
        other = Client("x", QUICK)
        assert other.fetch(f"https://{host}/a", lenient).payload == PAGE
        client.close()
        other.close()


def test_a_certificate_that_is_vouched_for_is_believed(tmp_path: Path, monkeypatch) -> None:
    pem = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with simulated() as simulator, tls_door(simulator, pem) as door:
        host, client = f"127.0.0.1:{door.port}", Client("x", QUICK)
        manners = Manners(frozenset({host}), 0, 9, True)
        assert [client.fetch(f"https://{host}/{n}", manners).payload for n in range(3)] == [PAGE] * 3
        assert (
            door.most_open == 1
            and client.fetch(f"https://127.0.0.1.:{door.port}/dot", manners).payload == PAGE
        )
        client.close()


def crawl_with_second_host(simulator: Simulator, folder: Path, other: str, how: Answer):
    """A crawl of the first portal, one of whose reports is answered by `how`, with `other` among its allowed hosts."""
    site = simulator.sites[0]
    victim = report_urls(site)[2]
    site.misbehave(victim.removeprefix(site.address), how)
    written = site.yaml
    site.yaml = lambda: written().replace("hosts:\n", f"hosts:\n- {other}\n", 1)  # type: ignore[method-assign]
    root, results = crawl_all(simulator, folder, limits=QUICK)
    return victim, root, results[site.id]


def test_a_report_behind_a_bad_certificate_is_named_and_the_rest_is_complete(tmp_path: Path) -> None:
    with simulated() as simulator, tls_door(simulator, certificate(tmp_path, "127.0.0.1")) as door:
        other = f"127.0.0.1:{door.port}"
        moved = Answer(b"", 302, headers={"Location": f"https://{other}/report.html"})
        victim, root, result = crawl_with_second_host(simulator, tmp_path, other, moved)
        assert dict(result.failed) == {"bad_certificate": 1} and not result.refused and not result.error
        assert [url for url, _ in kept(root)] == [u for u in report_urls(simulator.sites[0]) if u != victim]


def test_https_that_is_refused_leaves_what_http_gives(tmp_path: Path) -> None:
    with simulated() as simulator, socket.create_server(("127.0.0.1", 0)) as closed:
        other = f"127.0.0.1:{closed.getsockname()[1]}"
        closed.close()
        moved = Answer(b"", 302, headers={"Location": f"https://{other}/report.html"})
        victim, root, result = crawl_with_second_host(simulator, tmp_path, other, moved)
        assert dict(result.failed) == {"connect_failed": 1} and not result.error
        assert [url for url, _ in kept(root)] == [u for u in report_urls(simulator.sites[0]) if u != victim]


def test_a_host_with_a_trailing_dot_is_the_same_host(tmp_path: Path) -> None:
    with simulated() as simulator:
        site = simulator.sites[0]
        victim = report_urls(site)[2]
        path = victim.removeprefix(site.address)
        dotted = f"http://127.0.0.1.:{site.door.port}/moved.html"
        site.misbehave("/moved.html", site.answer(Request("GET", path, {}, {}, target=path)))
        site.misbehave(path, Answer(b"", 302, headers={"Location": dotted}))
        root, results = crawl_all(simulator, tmp_path, limits=QUICK)
        assert not results[site.id].error and not results[site.id].refused
        assert [url for url, _ in kept(root)] == report_urls(site)
