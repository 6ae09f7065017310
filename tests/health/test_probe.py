"""Probes against real servers: what is healthy, what is not, why, and always within the time."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from changeover.health.probe import probe
from changeover.model.health.certificate import CertificateKind
from changeover.model.health.check import HealthCheck
from changeover.model.health.conditions import MAX_BODY
from changeover.model.health.probe_result import Cause, ProbeResult
from changeover.model.settings.service import Answer, Deployment, Marker
from dns_servers.process import free_port
from health.web import Talk, answering, dripping, flooding, hanging_up, header, noting, serving, silence
from web_servers.certificates import pem_of, server_context
from web_servers.nginx import Nginx

WWW = "www.shop.example"
BACKUP = Deployment(name="backup", answer=Answer(a=("127.0.0.1",)), marker=Marker("X-Deployment", "backup"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Deployment: backup\r\n\r\nok\n"


async def probed(talk: Talk, deployment: Deployment = BACKUP, **check: Any) -> ProbeResult:
    """What a probe of a server that talks like this gives."""
    async with serving(talk) as web:
        return await probe(deployment, WWW, "127.0.0.1", HealthCheck(scheme="http", port=web.port, **check))


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("web"), {"backup": ["127.0.0.1", "::1"]}, [WWW]) as running:
        yield running


def at_nginx(nginx: Nginx, **more: Any) -> HealthCheck:
    return HealthCheck(port=nginx.port, ca_file=str(nginx.ca_file), **more)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_good_answer_of_a_real_server(nginx: Nginx, address: str) -> None:
    """Over TLS, by IPv4 and IPv6: healthy, with status, marker, certificate and the time of every phase."""
    before = datetime.now(UTC)
    found = await probe(BACKUP, WWW, address, at_nginx(nginx, expect_body="ok from"))
    assert (found.ok, found.status, found.marker_ok, found.marker_seen) == (True, 200, True, "backup")
    assert (found.deployment, found.hostname, found.address) == ("backup", WWW, address)
    assert found.reason.startswith("200 in ")
    assert before <= found.at <= datetime.now(UTC)
    assert found.certificate_error is None
    assert found.certificate is not None
    assert (found.certificate.names, found.certificate.kind) == ((WWW,), CertificateKind.TRUSTED)
    assert found.certificate.issued < before < found.certificate.expires
    times = [found.phases.connect, found.phases.tls, found.phases.first_byte, found.phases.total]
    assert None not in times
    assert [0, *times] == sorted([0, *times])  # type: ignore[type-var]


async def test_a_server_that_breaks_and_is_repaired(nginx: Nginx) -> None:
    """The status and what was expected are said."""
    nginx.break_("backup")
    broken = await probe(BACKUP, WWW, "127.0.0.1", at_nginx(nginx))
    nginx.repair("backup")
    repaired = await probe(BACKUP, WWW, "127.0.0.1", at_nginx(nginx))
    assert (broken.ok, broken.status, broken.reason) == (False, 503, "503, expected 200-399")
    assert (broken.cause, repaired.cause) == (Cause.PATH, None)
    assert broken.marker_ok is True, "it is that deployment, and it is broken"
    assert repaired.ok is True


@pytest.mark.parametrize(
    ("status", "wanted", "ok"),
    [
        (200, "200-399", True),
        (204, "200-299", True),
        (302, "200-399", True),
        (302, "200-299", False),
        (404, "200-399,404", True),
        (500, "200-399", False),
        (401, "401", True),
    ],
)
async def test_status_ranges(status: int, wanted: str, ok: bool) -> None:
    """A redirect is an answer like any other."""
    answer = f"HTTP/1.1 {status} Word\r\nContent-Length: 0\r\n\r\n".encode()
    found = await probed(answering(answer), expect_status=wanted)
    assert (found.ok, found.status) == (ok, status)
    assert ok or found.reason == f"{status}, expected {wanted}"


async def test_redirects_are_not_followed() -> None:
    """Nobody asks the place that it points to."""
    async with serving(answering(OK)) as elsewhere:
        there = f"http://127.0.0.1:{elsewhere.port}/".encode()
        found = await probed(answering(b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: " + there + b"\r\n\r\n"))
        assert (found.ok, found.status) == (True, 301)
        assert elsewhere.connections == 0


async def test_a_redirect_to_itself_is_asked_once() -> None:
    """A loop is no loop for who does not follow."""
    asked: list[str] = []
    loop = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
    found = await probed(noting(asked, loop), expect_status="200-299")
    assert (found.ok, found.reason, len(asked)) == (False, "302, expected 200-299", 1)


@pytest.mark.parametrize(
    ("answer", "text", "ok"),
    [
        (OK, "ok", True),
        (OK, "okay", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello", True),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", "the end", True),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ngrün".encode(), "grün", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "ok", False),
    ],
    ids=["there", "not there", "across chunks", "without a length", "not ASCII", "empty"],
)
async def test_the_text_of_the_body(answer: bytes, text: str, ok: bool) -> None:
    """Present or missing, however the body is sent."""
    found = await probed(answering(answer), expect_body=text)
    assert found.ok is ok
    assert ok or found.reason == f'200, but the text "{text}" is missing'


@pytest.mark.parametrize(
    ("sent", "seen", "marker_ok"),
    [
        (b"X-Deployment: backup", "backup", True),
        (b"x-dePLOYment:backup", "backup", True),
        (b"X-Deployment: primary", "primary", False),
        (b"X-Other: backup", None, False),
        (b"X-Deployment: ", "", False),
    ],
    ids=["right", "in other letters", "wrong", "missing", "empty"],
)
async def test_the_marker(sent: bytes, seen: str | None, marker_ok: bool) -> None:
    """Who answered is told beside how; it does not make an answer bad by itself."""
    found = await probed(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + sent + b"\r\n\r\n"))
    assert (found.ok, found.marker_seen, found.marker_ok) == (True, seen, marker_ok)


async def test_without_a_marker_nothing_is_said_of_it() -> None:
    """None is set, or no response arrived."""
    unmarked = await probed(answering(OK), Deployment(name="backup", answer=Answer(a=("127.0.0.1",))))
    assert (unmarked.ok, unmarked.marker_ok) == (True, None)
    assert (await probed(hanging_up)).marker_ok is None


async def test_phases_over_plain_http() -> None:
    """There is no TLS to time; what was not reached has no time."""
    phases = (await probed(answering(OK))).phases
    assert (phases.tls, phases.connect is None, phases.total is None) == (None, False, False)
    late = (await probed(silence, timeout=0.2)).phases
    assert (late.connect is None, late.first_byte, late.total) == (False, None, None)


# Certificates


async def test_without_a_file_only_the_systems_authorities_count(nginx: Nginx) -> None:
    """The throw-away authority is unknown there."""
    found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=nginx.port))
    assert (found.ok, found.certificate_error is not None) == (False, True)


async def test_host_and_sni_are_the_public_name(tmp_path: Path) -> None:
    """Whatever the address; with the port, since it is not the usual one; the path is the settings'."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    heads: list[str] = []
    async with serving(noting(heads, OK), server_context(tmp_path, pem_of(authority.issue_cert(WWW)))) as web:
        check = HealthCheck(port=web.port, ca_file=str(tmp_path / "ca.pem"), path="/health?deep=1")
        found = await probe(BACKUP, WWW, "127.0.0.1", check)
    assert (found.ok, web.names) == (True, [WWW])
    assert heads[0].startswith("GET /health?deep=1 HTTP/1.1\r\n")
    assert header(heads[0], "Host") == f"{WWW}:{web.port}"


async def test_the_usual_port_is_not_said() -> None:
    """As browsers do."""
    heads: list[str] = []
    try:
        async with serving(noting(heads, OK), host="127.80.80.80", port=80):
            found = await probe(BACKUP, WWW, "127.80.80.80", HealthCheck(scheme="http"))
    except OSError as error:
        pytest.skip(f"port 80 cannot be used here: {error}")
    assert found.ok
    assert header(heads[0], "Host") == WWW


# What goes wrong


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 20", "not a valid HTTP response: peer unexpectedly closed connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "not a valid HTTP response: peer unexpectedly closed connection"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not a valid HTTP response: illegal status line"),
        (b"", "not a valid HTTP response: the connection was closed without one"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "not a valid HTTP response: the connection was closed without one"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok\n", "not a valid HTTP response: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nok", "not a valid HTTP response: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", "not a valid HTTP response: "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n", "not a valid HTTP response: "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", "not a valid HTTP response: "),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "not a valid HTTP response: "),
        (b"HTTP/1.1 200 OK\r\nbad header\x00: x\r\n\r\n", "not a valid HTTP response: "),
    ],
    ids=[
        *("half a status line", "half a header", "another protocol", "nothing", "100 Continue alone"),
        *("less than it says", "a length in words", "two lengths", "a broken chunk", "half a chunk"),
        *("another protocol from here", "a broken header"),
    ],
)
async def test_broken_answers(answer: bytes, words: str) -> None:
    """Never an exception: a bad result that says what was wrong."""
    found = await probed(answering(answer))
    assert found.ok is False
    assert found.reason.startswith(words)
    assert len(found.reason) > len("not a valid HTTP response: ")


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    ],
    ids=["100 Continue", "103 Early Hints"],
)
async def test_what_comes_before_the_answer_is_passed_over(before: bytes) -> None:
    """In one piece with the answer, or by itself."""
    assert (await probed(answering(before + OK), expect_status="200")).ok
    assert (await probed(answering(before, OK), expect_status="200")).ok


async def test_more_than_it_says_is_left_unread() -> None:
    """The answer ends where its length says."""
    found = await probed(answering(OK + b"HTTP/1.1 500 No\r\n\r\n"))
    assert (found.ok, found.status) == (True, 200)


GOOD_ANSWERS = (
    OK,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
)


async def test_answers_that_were_garbled_on_the_way() -> None:
    """Bytes changed, lost and doubled, two hundred times: there is always a result with its reason, and one line."""
    chance = random.Random(7)
    for number in range(200):
        garbled = bytearray(GOOD_ANSWERS[number % len(GOOD_ANSWERS)])
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(garbled))
            garbled[place : place + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        found = await probed(answering(bytes(garbled)), expect_json={"a": 1}, expect_header={"X-Deployment": "backup"})
        assert found.ok is False, garbled
        assert found.reason.isprintable(), garbled
        assert 0 < len(found.reason) < 200, garbled


async def test_connection_refused() -> None:
    """Nobody listens there."""
    found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=free_port()))
    assert (found.ok, found.reason, found.phases.connect) == (False, "connection refused", None)
    assert found.cause is Cause.ADDRESS


async def test_tls_to_a_port_without_it() -> None:
    """A plain HTTP server where TLS is expected: that is no fault of a certificate."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with serving(plain) as web:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=web.port))
    assert (found.ok, found.reason, found.certificate_error) == (False, "TLS failed: wrong version number", None)
    assert found.cause is Cause.ADDRESS


async def test_a_server_that_hangs_up_in_the_handshake() -> None:
    """It takes the first message and closes the connection."""
    async with serving(hanging_up) as web:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=web.port))
    assert (found.ok, found.reason) == (False, "no TLS handshake: the connection was closed")


async def test_plain_http_to_a_port_with_tls(nginx: Nginx) -> None:
    """nginx says what is wrong; so does the result."""
    found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(scheme="http", port=nginx.port))
    assert (found.ok, found.reason) == (False, "400, expected 200-399")


async def test_a_connection_that_is_reset() -> None:
    """In the midst of the answer."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        linger = (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    found = await probed(reset)
    assert (found.ok, found.reason) == (False, "no response: connection reset by peer")


@pytest.mark.parametrize(
    ("talk", "waiting"),
    [
        (silence, "response"),
        (dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", pause=0.02), "whole response"),
        (dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x", pause=0.02), "whole response"),
        (dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.02), "whole response"),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), None),
    ],
    ids=["silence", "slow headers", "a slow body", "100 Continue for ever", "closed, not silent"],
)
async def test_a_time_out_says_what_was_waited_for(talk: Talk, waiting: str | None) -> None:
    """And comes in time."""
    async with asyncio.timeout(20):
        found = await probed(talk, timeout=0.3)
    assert found.ok is False
    if waiting is None:
        assert found.reason.startswith("not a valid HTTP response")
    else:
        assert found.reason == f"no {waiting} within 0.3 s"


async def test_a_port_that_takes_the_connection_and_no_handshake() -> None:
    """Silence where TLS should begin."""
    async with serving(silence) as web:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=web.port, timeout=0.3))
    assert (found.ok, found.reason) == (False, "no TLS handshake within 0.3 s")
    assert found.phases.connect is not None
    assert found.phases.tls is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs a full queue of connections to stay silent, as on Linux")
async def test_a_port_that_takes_no_connection() -> None:
    """Its queue is full: packets are dropped, as a firewall does."""
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=port, timeout=0.3))
        own_limit = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=port, timeout=20, connect_timeout=0.2))
    assert (found.ok, found.reason, found.cause) == (False, "no connection within 0.3 s", Cause.ADDRESS)
    assert own_limit.reason == "no connection within 0.2 s"
    assert found.phases.connect is None


@pytest.mark.parametrize(
    ("scheme", "limits", "words", "cause"),
    [
        ("https", {"tls_timeout": 0.2}, "no TLS handshake within 0.2 s", Cause.ADDRESS),
        ("http", {"first_byte_timeout": 0.2}, "no response within 0.2 s", Cause.PATH),
        ("http", {"first_byte_timeout": 30, "timeout": 0.2}, "no response within 0.2 s", Cause.PATH),
        ("https", {"tls_timeout": 30, "timeout": 0.2}, "no TLS handshake within 0.2 s", Cause.ADDRESS),
    ],
)
async def test_each_phase_has_its_own_limit(scheme: str, limits: dict[str, float], words: str, cause: Cause) -> None:
    """The whole is limited beside them, and whichever ends first is named."""
    async with serving(silence) as web:
        check = HealthCheck(scheme=scheme, port=web.port, **{"timeout": 20, **limits})  # type: ignore[arg-type]
        found = await probe(BACKUP, WWW, "127.0.0.1", check)
    assert (found.ok, found.reason, found.cause) == (False, words, cause)


async def test_a_slow_body_is_limited_by_the_whole_alone(nginx: Nginx) -> None:
    """Its first byte came in time. nginx sends eight bytes a second."""
    check = at_nginx(nginx, path="/slow", timeout=2)
    found = await probe(BACKUP, WWW, "127.0.0.1", check)
    assert (found.ok, found.reason, found.cause) == (False, "no whole response within 2 s", Cause.PATH)
    assert found.phases.first_byte is not None


async def test_a_health_page_that_lies(nginx: Nginx) -> None:
    """200, while its own body says that the database is down (F12)."""
    nginx.stop_database("backup")
    try:
        plain = await probe(BACKUP, WWW, "127.0.0.1", at_nginx(nginx, path="/health"))
        asked = await probe(BACKUP, WWW, "127.0.0.1", at_nginx(nginx, path="/health", expect_json={"database": "up"}))
    finally:
        nginx.start_database("backup")
    repaired = await probe(BACKUP, WWW, "127.0.0.1", at_nginx(nginx, path="/health", expect_json={"database": "up"}))
    assert plain.ok is True
    assert (asked.ok, asked.status, asked.cause) == (False, 200, Cause.PATH)
    assert asked.reason == '200, but "database" is "down", expected "up"'
    assert repaired.ok is True


NO_APP = b"HTTP/1.1 404 Not Found\r\n\r\n<html><iframe src=//www.herokucdn.com/error-pages/no-such-app.html>"
WELCOME = b"HTTP/1.1 200 OK\r\n\r\n<!DOCTYPE html><html><head><title>Welcome to nginx!</title></head></html>"


async def test_a_platform_that_does_not_know_the_hostname() -> None:
    """The standby answers, but not for this name (F11): the platform's own page is recognised, whatever its status."""
    unknown = await probed(answering(NO_APP))
    assert (unknown.ok, unknown.cause) == (False, Cause.PATH)
    assert unknown.reason == f'404: Heroku does not know {WWW} here ("no such app")'
    welcome = await probed(answering(WELCOME))
    assert (welcome.ok, welcome.status) == (False, 200)
    assert welcome.reason == f"200: nginx's first page, as if {WWW} were not set up here"
    assert (await probed(answering(WELCOME), expect_body="Welcome to nginx!")).ok is True, "it was asked for"


async def test_a_connection_alone(nginx: Nginx) -> None:
    """Nothing is sent, and nothing read; a port that takes connections and says nothing is enough."""
    async with serving(silence) as web:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(scheme="tcp", port=web.port))
    assert (found.ok, found.status, found.marker_ok, found.cause) == (True, None, None, None)
    assert re.fullmatch(r"connected in \d+ ms", found.reason)
    assert found.phases.total is not None
    closed = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(scheme="tcp", port=free_port()))
    assert (closed.ok, closed.reason, closed.cause) == (False, "connection refused", Cause.ADDRESS)


async def test_json_that_is_too_long_is_not_judged_by_its_half() -> None:
    """It is said that it was cut."""
    body = b'{"state": "up", "list": "' + b"x" * MAX_BODY + b'"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    found = await probed(answering(answer), expect_json={"state": "up"}, timeout=20)
    assert (found.ok, found.reason) == (
        False,
        "200, but the body is longer than 64 KiB, so that its JSON cannot be read",
    )


async def test_a_body_of_just_the_limit_is_whole() -> None:
    """It is not taken for a part of a longer one."""
    body = b'{"state": "up", "list": "' + b"x" * (MAX_BODY - 27) + b'"}'
    assert len(body) == MAX_BODY
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert (await probed(answering(answer), expect_json={"state": "up"}, timeout=20)).ok is True


ENDLESS = {
    "of any length": b"HTTP/1.1 200 OK\r\n\r\n",
    "of a huge length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
}


@pytest.mark.parametrize("start", ENDLESS.values(), ids=ENDLESS.keys())
async def test_an_endless_body_is_read_in_part(start: bytes) -> None:
    """64 KiB decide: the text is in them or it is missing; the rest is not waited for."""
    found = await probed(dripping(start, b"x" * 1000), timeout=20)
    assert (found.ok, found.status) == (True, 200)
    late = await probed(dripping(start + b"x" * (MAX_BODY + 200_000) + b"ok", b"x"), expect_body="ok", timeout=20)
    assert late.reason == '200, but the text "ok" is missing in its first 64 KiB'
    early = await probed(dripping(start + b"ok", b"x" * 1000), expect_body="ok", timeout=20)
    assert early.ok is True


async def test_a_body_is_not_waited_for_once_its_text_is_there() -> None:
    """The rest of it never comes."""

    async def stalling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nall is ok")
        await reader.read()

    assert (await probed(stalling, expect_body="is ok", timeout=20)).ok is True
    waited = await probed(stalling, expect_body="is well", timeout=0.3)
    assert waited.reason == "no whole response within 0.3 s"


async def test_an_endless_head_is_refused() -> None:
    """Headers without end are no answer."""
    found = await probed(dripping(b"HTTP/1.1 200 OK\r\n", b"X-Long: " + b"x" * 1000 + b"\r\n"), timeout=20)
    assert found.ok is False
    assert found.reason.startswith("not a valid HTTP response")


TOO_LONG = "not a valid HTTP response: "
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#: What comes first, what comes then for ever, what is said of it, and how many turns others have meanwhile at least.
FLOODS = {
    "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", TOO_LONG, 15),
    "a status line": (b"HTTP/1.1 200 ", b"OK", TOO_LONG, 0),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"a:\r\n", TOO_LONG, 0),
    "one-byte chunks": (CHUNKED, b"1\r\nx\r\n", "200 in ", 800),
    "a chunk's extension": (CHUNKED + b"1", b";x=y", TOO_LONG, 0),
    "chunks' extensions": (
        CHUNKED,
        b"1;" + b"x" * 9000 + b"\r\nx\r\n",
        "no whole response: more than 512 KiB came",
        25,
    ),
    "trailers": (CHUNKED + b"0\r\n", b"a:\r\n", TOO_LONG, 0),
}


@pytest.mark.parametrize(("start", "again", "words", "least"), FLOODS.values(), ids=FLOODS.keys())
async def test_a_flood_ends_and_lets_others_have_their_turn(start: bytes, again: bytes, words: str, least: int) -> None:
    """However fast it comes: so much is read and no more, and everything else goes on meanwhile."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    with flooding(start, again * (65536 // len(again))) as port:
        task = asyncio.create_task(others())
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(scheme="http", port=port, timeout=60))
        task.cancel()
    assert found.reason.startswith(words)
    assert found.ok is (words == "200 in ")
    assert found.phases.first_byte is not None
    assert turns > least


async def test_a_flood_where_a_handshake_is_due() -> None:
    """TLS is bounded in the same way."""
    with flooding(b"", b"x" * 65536) as port:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=port, timeout=60))
    assert (found.ok, found.cause, found.reason) == (False, Cause.ADDRESS, "TLS failed: wrong version number")


@pytest.mark.parametrize(
    ("answer", "ok"),
    [
        ("HTTP/1.1 200 Gut\r\nContent-Length: 0\r\nX-Deployment: Jürgen\r\n\r\n".encode("latin-1"), True),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Deployment: Jürgen 日本\r\n\r\n".encode(), True),
        ("HTTP/1.1 200 Für\r\nContent-Length: 0\r\n\r\n".encode("latin-1"), True),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", True),
        (b"HTTP/1.1 999 Strange\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\rContent-Length: 0\r\r", False),
        (b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", True),
        (b"HTTP/1.1 000 Nothing\r\n\r\n", False),
        (b"HTTP/1.1 9999 Much\r\n\r\n", False),
        (b"HTTP/1.1 -20 Less\r\n\r\n", False),
        (b"HTTP/9.9 200 OK\r\n\r\n", True),
        (b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", False),
        ("HTTP/1.1 200 OK\r\nÜber: x\r\n\r\n".encode(), True),
    ],
)
async def test_odd_heads(answer: bytes, ok: bool) -> None:
    """Letters that are no ASCII, line ends of one kind only, codes that are none: a result, and never an error."""
    found = await probed(answering(answer))
    assert found.ok is ok, found.reason
    assert found.reason.isprintable()


NO_ROUTE = """
import asyncio
from changeover.health.probe import probe
from changeover.model.health.check import HealthCheck
from changeover.model.settings.service import Answer, Deployment
found = asyncio.run(probe(Deployment(name="d", answer=Answer()), "www.shop.example", "{}", HealthCheck(timeout=5)))
print(found.ok, found.reason)
"""


@pytest.mark.parametrize("address", ["2001:db8::1", "192.0.2.1"])
def test_an_address_without_a_route_is_not_checked(address: str) -> None:
    """That says nothing about the deployment. In a network of its own, which has no routes, so nothing is sent."""
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network of its own can be made here")
    ended = subprocess.run(
        [*alone, sys.executable, "-c", NO_ROUTE.format(address)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stdout == "None not checked: this computer has no route to that address\n", ended.stderr


@pytest.mark.parametrize(
    "answer",
    [OK, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n", b""],
    ids=["good", "bad", "nonsense", "given up"],
)
async def test_a_probe_leaves_no_connection_behind(answer: bytes) -> None:
    """The server sees its end, whatever it answered."""
    ended = asyncio.Event()

    async def until_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        ended.set()

    async with serving(until_the_end) as web:
        await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(scheme="http", port=web.port, timeout=0.3))
        async with asyncio.timeout(20):
            await ended.wait()
