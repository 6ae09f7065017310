"""One health check, against servers that behave, lie, stall and break off."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from changeover.health.probe import MAX_BODY, probe
from changeover.model.health import ProbeResult
from changeover.model.service import Answer, Deployment, HealthCheck, Marker
from dns_servers.process import free_port
from web_servers.nginx import Nginx
from web_servers.raw import Handler, raw_server, saying

WWW = "www.shop.example"
PRIMARY = Deployment(
    name="primary", answer=Answer(a=("127.0.0.2",)), marker=Marker(header="X-Deployment", value="primary")
)


async def ask(handler: Handler, **check: object) -> ProbeResult:
    """The result of one plain HTTP probe of a raw server."""
    async with raw_server(handler) as port:
        settings = HealthCheck(**{"scheme": "http", "port": port, "timeout": 0.6, **check})  # type: ignore[arg-type]
        return await probe(PRIMARY, WWW, "127.0.0.1", settings)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Deployment: primary\r\n\r\nok"


@pytest.fixture
def web(tmp_path: Path) -> object:
    with Nginx(tmp_path, {"primary": ["127.0.0.2", "::1"], "backup": ["127.0.0.3"]}, [WWW]) as running:
        yield running


def https(web: Nginx, **more: object) -> HealthCheck:
    return HealthCheck(**{"port": web.port, "ca_file": str(web.ca_file), "timeout": 5, **more})  # type: ignore[arg-type]


async def test_a_good_answer_over_tls(web: Nginx) -> None:
    """Status, marker, certificate and the time of each phase, in order."""
    result = await probe(PRIMARY, WWW, "127.0.0.2", https(web, expect_body="ok from primary"))
    assert (result.ok, result.status, result.marker_ok) == (True, 200, True)
    assert result.reason.startswith("200 in ")
    assert result.certificate_expires is not None
    assert result.certificate_expires > datetime.now(UTC)
    p = result.phases
    assert p.connect is not None
    assert p.tls is not None
    assert p.first_byte is not None
    assert p.total is not None
    assert 0 <= p.connect <= p.tls <= p.first_byte <= p.total


async def test_over_ipv6(web: Nginx) -> None:
    """The deployment's IPv6 address is probed like its IPv4 one."""
    assert (await probe(PRIMARY, WWW, "::1", https(web))).ok


async def test_the_marker_tells_who_answered(web: Nginx) -> None:
    """Another deployment at this address: a good answer, a wrong marker, and what was seen."""
    result = await probe(PRIMARY, WWW, "127.0.0.3", https(web))
    assert (result.ok, result.marker_ok, result.marker_seen) == (True, False, "backup")


async def test_a_broken_deployment(web: Nginx) -> None:
    """A status out of range is said with what was expected."""
    web.break_("primary")
    result = await probe(PRIMARY, WWW, "127.0.0.2", https(web))
    assert (result.ok, result.reason) == (False, "503, expected 200-399")


async def test_a_certificate_for_another_name(web: Nginx) -> None:
    """It is verified for the public hostname, not for the address."""
    result = await probe(PRIMARY, "shop.example", "127.0.0.2", https(web))
    assert result.ok is False
    assert result.certificate_error is not None
    assert "shop.example" in result.certificate_error


async def test_a_certificate_of_an_unknown_authority(web: Nginx) -> None:
    """Verification is always on."""
    result = await probe(PRIMARY, WWW, "127.0.0.2", https(web, ca_file=None))
    assert result.ok is False
    assert result.certificate_error is not None


async def test_an_expired_certificate(tmp_path: Path) -> None:
    """Expired is said in the TLS library's own words."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf = authority.issue_cert(WWW, not_after=datetime.now(UTC) - timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0, ssl=context)
    check = HealthCheck(port=server.sockets[0].getsockname()[1], ca_file=str(tmp_path / "ca.pem"), timeout=5)
    result = await probe(PRIMARY, WWW, "127.0.0.1", check)
    server.close()
    assert result.ok is False
    assert "expired" in (result.certificate_error or "")


async def test_tls_to_a_plain_port() -> None:
    """Not a certificate problem, and said as what it is."""
    result = await ask(saying(b"hello"), scheme="https")
    assert result.ok is False
    assert result.certificate_error is None
    assert "TLS" in result.reason or "no " in result.reason


async def test_connection_refused() -> None:
    """Nobody listens there."""
    check = HealthCheck(scheme="http", port=free_port(), timeout=2)
    assert (await probe(PRIMARY, WWW, "127.0.0.1", check)).reason == "connection refused"


async def test_host_and_port_are_the_public_ones() -> None:
    """The Host header has the hostname, and the port where it is not the usual one; redirects are not followed."""
    seen: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with raw_server(note) as port:
        result = await probe(PRIMARY, WWW, "127.0.0.1", HealthCheck(scheme="http", port=port, path="/up?deep=1"))
    assert (result.ok, result.status) == (True, 302)
    (head,) = seen
    assert head.startswith(b"GET /up?deep=1 HTTP/1.1\r\n")
    assert f"host: {WWW}:{port}".encode() in head.lower()


@pytest.mark.parametrize(
    ("handler", "check", "ok", "words"),
    [
        (saying(OK), {}, True, "200 in"),
        (saying(OK), {"expect_body": "ok"}, True, "200 in"),
        (saying(OK), {"expect_body": "welcome"}, False, 'the text "welcome" is missing'),
        (saying(OK), {"expect_status": "204"}, False, "200, expected 204"),
        (saying(b"HTTP/1.1 100 Continue\r\n\r\n", OK), {}, True, "200 in"),
        (saying(then_hang=True), {}, False, "no response within 0.6 s"),
        (saying(b"HTTP/1.1 200 OK\r\nX-Slow: ", then_hang=True), {}, False, "no whole response within 0.6 s"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", then_hang=True), {}, False, "no whole response"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), {}, False, "not a valid HTTP response"),
        (saying(b"HTTP/1.1 2"), {}, False, "not a valid HTTP response"),
        (saying(b"hello there\r\n\r\n"), {}, False, "not a valid HTTP response"),
        (
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbroken"),
            {},
            False,
            "not a valid HTTP response",
        ),
        (saying(b"HTTP/1.0 200 OK\r\n\r\nok until the end"), {"expect_body": "until the end"}, True, "200 in"),
        (saying(b"HTTP/1.1 204 No Content\r\n\r\n"), {}, True, "204 in"),
    ],
    ids=[
        *("good", "body there", "body missing", "status", "100 Continue", "says nothing", "slow headers", "stalls"),
        *("wrong length", "half a status line", "not HTTP", "broken chunks", "HTTP/1.0", "no content"),
    ],
)
async def test_what_servers_do(handler: Handler, check: dict[str, object], ok: bool, words: str) -> None:
    """Each is judged, said in words, and never waited for without end."""
    result = await ask(handler, **check)
    assert (result.ok, words in result.reason) == (ok, True), result.reason


async def test_an_endless_body_is_read_up_to_a_bound() -> None:
    """64 KiB are enough; the rest is left unread."""
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 16384)
            sent += 16384
            await writer.drain()

    result = await ask(endless, timeout=10.0, expect_body="never there")
    assert (result.ok, result.status) == (False, 200)
    assert sent >= MAX_BODY
