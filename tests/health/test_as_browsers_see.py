"""A site is healthy as a browser sees it: certificates, charsets, packed bodies, loose headers.

Real sockets and real TLS on loopback.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import resource
import socket
import ssl
import zlib
from pathlib import Path
from typing import Any

import pytest
import trustme

from changeover.health.probe import probe
from changeover.model.health.check import HealthCheck
from changeover.model.health.conditions import MAX_BODY
from changeover.model.health.probe_result import Cause, ProbeResult
from changeover.model.settings.service import Answer, Deployment, Marker
from health.web import answering, header, noting, serving

WWW = "www.shop.example"
BACKUP = Deployment(name="backup", answer=Answer(a=("127.0.0.1",)), marker=Marker("X-Deployment", "backup"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def answered(raw: bytes, **check: Any) -> ProbeResult:
    """What a probe makes of these bytes."""
    async with serving(answering(raw)) as web:
        return await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(scheme="http", port=web.port, **check))


def response(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def tls(authority: trustme.CA, *names: str, common_name: str | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, common_name=common_name).configure_cert(context)
    return context


async def shown(context: ssl.SSLContext, ca_file: Path, hostname: str = WWW) -> ProbeResult:
    """What a probe says of a server that shows this certificate."""
    async with serving(answering(OK), context) as web:
        return await probe(BACKUP, hostname, "127.0.0.1", HealthCheck(port=web.port, ca_file=str(ca_file)))


# Certificates


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("shop@shop.example",), f"{WWW} is only its common name, which browsers do not look at: it needs a DNS name"),
        (("127.0.0.1",), f"it is for 127.0.0.1, not for {WWW}"),
        (("shop.example",), f"it is for shop.example, not for {WWW}"),
    ],
    ids=["beside a mail address", "beside an IP address", "beside another name"],
)
async def test_a_common_name_counts_for_nothing(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    """Whatever else stands in the certificate: no browser has looked at it for years."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    found = await shown(tls(authority, *names, common_name=WWW), tmp_path / "ca.pem")
    assert (found.ok, found.cause, found.certificate_error) == (False, Cause.CERTIFICATE, words)


@pytest.mark.parametrize(
    ("name", "hostname", "ok"),
    [
        ("*.shop.example", "my_app.shop.example", True),
        ("*.shop.example", "my_app.other.example", False),
        ("*.shop.example", "a_b.c.shop.example", False),
        ("shop.example", "my_app.shop.example", False),
    ],
)
async def test_an_underscore_stands_for_itself_under_a_wildcard(
    tmp_path: Path, name: str, hostname: str, ok: bool
) -> None:
    """As in browsers, and no less strictly than without one."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    found = await shown(tls(authority, name), tmp_path / "ca.pem", hostname)
    assert found.ok is ok
    assert found.cause is (None if ok else Cause.CERTIFICATE)


async def test_an_underscore_needs_a_trusted_certificate(tmp_path: Path) -> None:
    """That names are compared by Changeover itself takes nothing from the chain."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    found = await shown(tls(trustme.CA(), "*.shop.example"), tmp_path / "ca.pem", "my_app.shop.example")
    assert (found.ok, found.cause) == (False, Cause.CERTIFICATE)


async def test_a_renewed_file_of_certificates_is_taken_up(tmp_path: Path) -> None:
    """Replaced, appended to, or half written: without a restart, and never to the deployment's blame."""
    old, new = trustme.CA(), trustme.CA()
    ca_file = tmp_path / "team.pem"
    old.cert_pem.write_to_path(ca_file)
    assert (await shown(tls(old, WWW), ca_file)).ok
    assert (await shown(tls(new, WWW), ca_file)).ok is False
    new.cert_pem.write_to_path(tmp_path / "new.pem")
    os.replace(tmp_path / "new.pem", ca_file)
    assert (await shown(tls(new, WWW), ca_file)).ok
    assert (await shown(tls(old, WWW), ca_file)).ok is False
    old.cert_pem.write_to_path(ca_file, append=True)
    assert (await shown(tls(old, WWW), ca_file)).ok
    ca_file.write_bytes(ca_file.read_bytes()[:100])
    assert (await shown(tls(old, WWW), ca_file)).ok, "while it is being written, what it said before holds"
    ca_file.unlink()
    assert (await shown(tls(old, WWW), ca_file)).ok, "and so while it is away"


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
async def test_a_file_that_cannot_be_used_is_no_fault_of_the_deployment(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty or damaged: the check could not be tried, and its words name the file."""
    ca_file = tmp_path / "team.pem"
    if content is not None:
        ca_file.write_bytes(content)
    found = await shown(tls(trustme.CA(), WWW), ca_file)
    assert found.ok is None
    assert str(ca_file) in found.reason


# Bodies


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("服务异常".encode("gb2312"), [b"Content-Type: text/html; charset=GB2312"]),
        (
            "服务异常".encode("big5", "replace").replace(b"?", b"") + "异常".encode("gb18030"),
            [b"Content-Type: a; charset=gbk"],
        ),
        ('<meta charset="gbk">服务异常'.encode("gbk"), [b"Content-Type: text/html"]),
        ('<meta http-equiv=Content-Type content="text/html; charset=gb2312">异常'.encode("gb2312"), []),
        ("服务异常".encode("utf-16"), [b"Content-Type: text/html; charset=iso-8859-1"]),
        ("\ufeff服务异常".encode(), [b"Content-Type: text/html; charset=gb2312"]),
        ("服务异常".encode(), [b"Content-Type: text/html; charset=no-such-charset"]),
        ("服务异常".encode(), []),
        ("异常".encode("gbk"), [b"Content-Type: text/html; charset=utf-8", b"Content-Type: text/html; charset=gbk"]),
        (b"<style>" + b" " * 1500 + '</style><meta charset="gbk">异常'.encode("gbk"), []),
        ('<!-- <meta charset="utf-8"> --><meta charset=gbk>异常'.encode("gbk"), []),
        ('<?xml version="1.0" encoding="gb2312"?><a>异常</a>'.encode("gbk"), [b"Content-Type: application/xml"]),
    ],
    ids=[
        *("header", "gbk", "meta", "meta http-equiv", "UTF-16 mark", "UTF-8 mark", "unknown", "nothing said"),
        *("two headers", "late", "behind a comment", "XML"),
    ],
)
async def test_a_text_is_found_in_the_charset_of_its_page(body: bytes, headers: list[bytes]) -> None:
    """Wanted or forbidden: by byte order mark, then the header, then the page itself, else UTF-8."""
    assert (await answered(response(body, *headers), expect_body="异常")).ok
    assert (await answered(response(body, *headers), expect_body_without="异常")).ok is False
    assert (await answered(response(body, *headers), expect_body="ошибка")).ok is False


@pytest.mark.parametrize(
    ("charset", "text"), [("shift_jis", "障害"), ("euc-kr", "장애"), ("windows-1251", "ошибка"), ("iso-8859-1", "“€”")]
)
async def test_charsets_that_browsers_know(charset: str, text: str) -> None:
    """By the names that they go by on the web, where Latin-1 is Windows-1252."""
    codec = "cp1252" if charset == "iso-8859-1" else charset
    raw = response(text.encode(codec), b"Content-Type: text/html; charset=" + charset.encode())
    assert (await answered(raw, expect_body=text)).ok


def _deflated(body: bytes, window: int) -> bytes:
    packer = zlib.compressobj(wbits=window)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("packed", "coding"),
    [
        (gzip.compress(b'{"ok": true}'), b"gzip"),
        (gzip.compress(b'{"ok": true}'), b"X-GZIP"),
        (gzip.compress(b'{"ok"') + gzip.compress(b"") + gzip.compress(b": true}"), b"gzip"),
        (gzip.compress(b'{"ok": true}') + b"\0" * 30, b"gzip"),
        (_deflated(b'{"ok": true}', 15), b"deflate"),
        (_deflated(b'{"ok": true}', -15), b"deflate"),
        (b'{"ok": true}', b"identity"),
    ],
    ids=["gzip", "x-gzip", "members", "something behind", "deflate", "bare deflate", "identity"],
)
async def test_a_body_that_comes_packed_unasked_is_unpacked(packed: bytes, coding: bytes) -> None:
    """Some servers have nothing else to give."""
    raw = response(packed, b"Content-Encoding: " + coding)
    assert (await answered(raw, expect_json={"ok": True}, expect_body="ok")).reason.startswith("200 in")
    assert (await answered(raw, expect_body_without="ok")).ok is False


@pytest.mark.parametrize(("body", "coding"), [(b"\x0b\x02\x80ok\x03", b"br"), (b"ok", b"gzip, gzip")])
async def test_a_coding_that_nobody_asked_for_is_said(body: bytes, coding: bytes) -> None:
    """Where a condition looks into the body; nobody else needs to know what is in it."""
    found = await answered(response(body, b"Content-Encoding: " + coding), expect_body="ok")
    words = f"the body comes packed ({coding.decode()}), which was not asked for and cannot be unpacked"
    assert (found.ok, found.reason) == (False, f"200, but {words}")
    assert (await answered(response(body, b"Content-Encoding: " + coding))).ok


PAGE = b"".join(b"<p>%d ok</p>" % number for number in range(400))


@pytest.mark.parametrize(
    ("packed", "coding", "words"),
    [
        (gzip.compress(PAGE)[:-200], b"gzip", "the body ends in the middle of its gzip"),
        (gzip.compress(PAGE)[:-1], b"x-gzip", "the body ends in the middle of its x-gzip"),
        (gzip.compress(PAGE) + gzip.compress(PAGE)[:50], b"gzip", "the body ends in the middle of its gzip"),
        (_deflated(PAGE, 15)[:-9], b"deflate", "the body ends in the middle of its deflate"),
        (_deflated(PAGE, -15)[:-9], b"deflate", "the body ends in the middle of its deflate"),
        (b"ok", b"gzip", "the body says that it is gzip, and is not"),
        (b"<p>ok</p>", b"deflate", "the body says that it is deflate, and is not"),
    ],
    ids=["cut off", "last byte", "second member", "deflate", "bare deflate", "no gzip", "no deflate"],
)
@pytest.mark.parametrize("check", [{}, {"expect_body": "ok"}], ids=["any", "text"])
async def test_a_page_that_cannot_be_unpacked_is_none(
    packed: bytes, coding: bytes, words: str, check: dict[str, str]
) -> None:
    """Visitors see an error, however good its beginning and its status are; with a length as it came or without one."""
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + b"\r\n"
    for length in (b"Content-Length: %d\r\n" % len(packed), b""):
        found = await answered(head + length + b"\r\n" + packed, **check)
        assert (found.ok, found.cause, found.reason) == (False, Cause.PATH, f"not a valid HTTP response: {words}")


async def test_a_long_packed_page_that_is_not_read_to_its_end_is_no_fault() -> None:
    """What Changeover itself cut off was not cut off by the server."""
    page = b"ok" + os.urandom(3 * MAX_BODY)
    raw = response(gzip.compress(page), b"Content-Encoding: gzip")
    assert (await answered(raw, expect_body="ok")).ok


async def test_a_bomb_is_not_unpacked_further_than_a_body_is_read() -> None:
    """A thousand times as large as it comes: the first 64 KiB are looked at, and the sentence says so."""
    bomb = gzip.compress(b" " * (60 * MAX_BODY) + b"end")
    found = await answered(response(bomb, b"Content-Encoding: gzip"), expect_body="end")
    assert found.reason == '200, but the text "end" is missing in its first 64 KiB'


# Heads


@pytest.mark.parametrize(
    "lines",
    [
        b"X-Deployment : backup",
        b"X Powered By: us\r\nX-Deployment: backup",
        b"no header at all\r\nX-Deployment: backup",
        b"X-Odd: a\x01\x7fb\r\nX-Deployment: backup",
        b": empty\r\nX-Deployment: backup",
        b"Transfer-Encoding: identity\r\nX-Deployment: backup",
        b"X-Deployment: backup\r\nX-Name: J\xfcrgen",
    ],
)
async def test_headers_that_browsers_take_are_taken(lines: bytes) -> None:
    """Space before a colon, a name with a space, a line that is none, a control character: the rest counts."""
    found = await answered(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\nContent-Length: 2\r\n\r\nok", expect_body="ok")
    assert (found.ok, found.marker_ok) == (True, True), found.reason


async def test_loose_headers_after_an_interim_response() -> None:
    """They are put in order in each head up to that of the response."""
    raw = b"HTTP/1.1 103 Early Hints\r\nLink : </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nX-Deployment : backup\r\n\r\nok"
    found = await answered(raw, expect_body="ok")
    assert (found.ok, found.marker_ok) == (True, True), found.reason


@pytest.mark.parametrize(
    "raw", [b"ICY 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", b"\0" * 99 + b"\r\n\r\n"]
)
async def test_what_nobody_takes_is_refused_still(raw: bytes) -> None:
    """What is no HTTP, or does not say where its body ends."""
    found = await answered(raw)
    assert (found.ok, found.cause) == (False, Cause.PATH)
    assert found.reason.startswith("not a valid HTTP response")


@pytest.mark.parametrize(
    ("lines", "ok", "seen"),
    [
        ([b"X-Deployment: edge", b"X-Deployment: backup"], True, "edge, backup"),
        ([b"X-Deployment: edge, backup"], True, "edge, backup"),
        ([b"X-Deployment: backup,edge"], True, "backup,edge"),
        ([b"X-Deployment: edge", b"X-Deployment: primary"], False, "edge, primary"),
        ([b"X-Deployment: backup-2"], False, "backup-2"),
        ([b"X-Deployment:"], False, ""),
        ([], False, None),
    ],
)
async def test_a_marker_is_found_among_several_values(lines: list[bytes], ok: bool, seen: str | None) -> None:
    """As when each proxy adds its own; a value that only begins like it is another."""
    found = await answered(response(b"ok", *lines))
    assert (found.marker_ok, found.marker_seen) == (ok, seen)


async def test_a_check_sends_headers_of_its_own() -> None:
    """Beside the usual ones, or in their place; letters beyond ASCII go out as UTF-8 or Latin-1, as they fit."""
    heads: list[str] = []
    own = {"X-Health-Check": "changeover", "user-agent": "Mozilla/5.0 (X11; Linux)", "X-Who": "Jurgen"}
    async with serving(noting(heads, OK)) as web:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(scheme="http", port=web.port, headers=own))
    assert found.ok, found.reason
    said = [header(heads[0], name) for name in ("X-Health-Check", "User-Agent", "Accept", "Host", "X-Who")]
    assert said == ["changeover", "Mozilla/5.0 (X11; Linux)", "*/*", f"{WWW}:{web.port}", "Jurgen"]
    assert heads[0].lower().count("user-agent") == 1


# This computer


async def test_a_computer_without_free_files_blames_nobody() -> None:
    """All its files are open: the check could not be tried, and counts for nothing."""
    async with serving(answering(OK)) as web:
        check = HealthCheck(scheme="http", port=web.port)
        assert (await probe(BACKUP, WWW, "127.0.0.1", check)).ok
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        taken = [socket.socket()]
        resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0].fileno() + 1, hard))
        try:
            while True:
                try:
                    taken.append(socket.socket())
                except OSError:
                    break
            found = await probe(BACKUP, WWW, "127.0.0.1", check)
        finally:
            for one in taken:
                one.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (found.ok, found.reason) == (None, "not checked: this computer has too many connections open")


async def test_checks_wait_for_a_socket_and_lose_no_time_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty at once where only two may be: all of them answer, two by two."""
    from changeover.dns.wire.sockets import Sockets
    from changeover.health.http import request

    monkeypatch.setattr(request, "CHECKS", Sockets(2))
    under_way = most = 0
    both = asyncio.Barrier(2)

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await reader.readuntil(b"\r\n\r\n")
        await both.wait()
        under_way -= 1
        writer.write(OK)

    async with serving(slow) as web:
        check = HealthCheck(scheme="http", port=web.port, timeout=10)
        found = await asyncio.gather(*(probe(BACKUP, WWW, "127.0.0.1", check) for _ in range(40)))
    assert [result.ok for result in found] == [True] * 40
    assert most == 2


@pytest.mark.parametrize(
    "load", [b"NaN", b"1" + b"0" * 5000, b"-Infinity", b"1e999"], ids=["NaN", "long", "-inf", "huge"]
)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
async def test_numbers_that_are_no_plain_ones_are_json_still(before: bytes, load: bytes) -> None:
    """What stands beside them is read; a number of 5,000 digits is more than 80, and no fault of the JSON."""
    raw = response(before + b'{"s": "ok", "\\udfff": "\\ud800", "load": ' + load + b"}")
    assert (await answered(raw, expect_json={"s": "ok"})).ok
    assert (await answered(raw, expect_json={"load": "< 80"})).ok is (load == b"-Infinity")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("kind", [b"application/json", b"application/json; charset=utf-16"], ids=["unsaid", "said"])
async def test_json_of_wide_characters_is_json(codec: str, kind: bytes) -> None:
    """With a byte order mark or without, and whichever order `charset=utf-16` is to mean."""
    raw = response('{"state": "läuft 正常", "load": 7}'.encode(codec), b"Content-Type: " + kind)
    assert (await answered(raw, expect_json={"state": "läuft 正常", "load": "< 80"})).ok
    assert (await answered(raw, expect_json={"load": "> 80"})).reason == '200, but "load" is 7, expected > 80'
