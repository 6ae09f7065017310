"""What reads input from outside, as functions of bytes. What such a function raises is a fault of Changeover's."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import dns.exception
import dns.message
import h11
import trustme
from cryptography import x509

from changeover.accounts.kinds import KINDS
from changeover.dns.lookup.system_resolvers import resolvers_in
from changeover.dns.wire.answer import answer_to, question_wire, record_sets_in
from changeover.dns.wire.exchange import question
from changeover.health.connectivity import doh, witnesses
from changeover.health.http import certificate, request
from changeover.health.http.body import unpacked
from changeover.health.http.head import tidied
from changeover.health.journey import _Cookies
from changeover.model.dns.server_address import parse_server
from changeover.model.errors import SettingsError
from changeover.model.health.certificate import VerifyError, certificate_faults, days_left
from changeover.model.health.check import Expectations
from changeover.model.health.conditions import MAX_BODY, Response, json_path, unmet
from changeover.model.health.known_pages import recognised
from changeover.model.health.status_page import status_page
from changeover.model.platforms.app_version import app_version
from changeover.model.runs.run import Entry, fold
from changeover.model.settings.placeholders import Empty, captured
from changeover.model.settings.service import Marker
from changeover.model.settings.version_endpoint import VersionEndpoint
from changeover.model.wording.fault_words import certificate_words
from changeover.storage.journal.store import decoded
from changeover.storage.settings.file import parse

WWW = "www.shop.example"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Reader(NamedTuple):
    """One reader, and honest inputs to begin from."""

    read: Callable[[bytes], None]
    seeds: Sequence[bytes]


def judge(response: Response) -> None:
    """Everything that is done with a response."""
    for wanted in _WANTED:
        said = unmet(wanted, response)
        assert said is None or said.isprintable() or "\n" not in said
        unmet(wanted, response, show=False)
    recognised(response, WWW)
    Marker("x-deployment", "backup").stands_in(response.listed("x-deployment"))
    witnesses._ahead(response, 0.0)
    for source in ("json:a.b", "header:x-deployment", "body:id=([0-9]+)"):
        with contextlib.suppress(Empty):
            captured(source, response).encode()
    cookies = _Cookies(f"https://{WWW}")
    cookies.keep("/", response)
    cookies.for_path("/next")


_WANTED = (
    Expectations(expect_body="异常", expect_header={"server": "x"}, expect_within=1.0),
    Expectations(expect_body_without="异常", expect_body_match="(a|b)+c"),
    Expectations(expect_json={"a.b": "< 3", "length(a)": 1, "c": "== null"}),
)


class _Coming:
    """Bytes that come over a wire, in pieces."""

    def __init__(self, data: bytes) -> None:
        size = 1 + data[0] % 97 if data else 1
        self._pieces = [data[at : at + size * 8] for at in range(0, len(data), size * 8)]

    async def receive(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


async def _response(data: bytes) -> None:
    limits = request.Limits(whole=60)
    asked = request.Request(path="/")
    coming = _Coming(data)
    anew = lambda: request._asked(asked, WWW)[1]  # noqa: E731
    try:
        async with (progress := request._Progress(limits)).limit:
            head, body, cut = await request._read(coming, anew(), progress, None, anew)  # type: ignore[arg-type]
        headers, body, cut = unpacked(tuple(head.headers), body, MAX_BODY, cut=cut)
    except (h11.RemoteProtocolError, EOFError, OSError):
        return
    judge(Response(head.status_code, headers, body, 0.1, cut))


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def read_response(data: bytes) -> None:
    _loop().run_until_complete(_response(data))


def read_head(data: bytes) -> None:
    tidied(data)


def read_body(data: bytes) -> None:
    kind, _, body = data.partition(b"\n")
    said = ((b"content-type", kind), (b"content-encoding", kind[:7]))
    try:
        headers, plain, cut = unpacked(said, body, MAX_BODY, cut=False)
    except EOFError:
        return
    judge(Response(200, headers, plain, 0.1, cut))


_PATHS = [
    *(
        "length(disks[?used > `90`])",
        "contains(a, 'x')",
        "sort_by(a, &b)",
        "a[::0]",
        "sum(a)",
        "avg(a)",
        "join(',', a)",
    ),
    *("max_by(a, &b)", "to_number(a)", "ceil(a)", "keys(a)", "map(&b, a)", "merge(a, b)", "reverse(a)", "a.b[0].c"),
    *("starts_with(a, b)", "type(a)", "not_null(a, b)", "a == b", "a < b", "to_string(@)", "abs(a)", "values(a)[]"),
]


def read_json(data: bytes) -> None:
    path = _PATHS[data[0] % len(_PATHS)] if data else "a"
    response = Response(200, (), data[1:], 0.1)
    for value in (3, "< 3", "!= x", True):
        unmet(Expectations(expect_json={path: value}), response)
    with contextlib.suppress(Empty):
        captured(f"json:{path}", response).encode()
    told = app_version(VersionEndpoint(path="/", commit=f"json:{path}", schema="body:a(.*)"), response)
    for one in (told.commit, told.schema):
        assert one is not None
        assert bool(one.value) != bool(one.why)
        assert (one.value + one.why).isprintable()
    json_path(path)


def read_certificate(data: bytes) -> None:
    for code in (62, 10, 18, 20, None):
        found = certificate._parsed(data, WWW, code)
        if found is not None:
            certificate_words(certificate_faults(found, WWW, NOW, VerifyError(code or 1, "refused")))
            days_left(found, NOW)


class _Peer:
    """As Python's ssl module has a certificate that was accepted."""

    def __init__(self, der: bytes) -> None:
        self._der = der

    def getpeercert(self, binary_form: bool = False) -> object:
        if binary_form:
            return self._der
        text = self._der.decode("latin-1")
        return {"subjectAltName": (("DNS", text),), "issuer": (), "notBefore": text[:24], "notAfter": text[24:48]}


def read_accepted_certificate(data: bytes) -> None:
    certificate.verified(_Peer(data), WWW)  # type: ignore[arg-type]


def read_dns(data: bytes) -> None:
    if len(data) >= 12:
        with contextlib.suppress(dns.exception.DNSException):
            answer_to(data, WWW)
    with contextlib.suppress(dns.exception.DNSException):
        message = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=False)
        record_sets_in(message.answer, WWW)
        record_sets_in(message.authority, WWW)
        with contextlib.suppress(doh.BadAnswer):
            doh.addresses_in([message])


def read_doh(data: bytes) -> None:
    asked = question(WWW, "A", recursion=True)
    asked.id = 0

    async def answered(*_: object) -> request.Exchange:
        return request.Exchange(phases=request.Phases(), response=Response(200, (), data, 0.1))

    with mock.patch.object(doh, "exchange", answered), contextlib.suppress(doh.BadAnswer):
        url = doh.SplitResult("https", "dns.example", "/", "", "")
        answer = _loop().run_until_complete(doh.ask_over_https(url, "192.0.2.1", asked, 1.0))
        doh.addresses_in([answer])


def read_status_page(data: bytes) -> None:
    status_page("backup", "https://status.example/", data)


def read_portal(data: bytes) -> None:
    lines = [line.partition(b":") for line in data.split(b"\n")]
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in lines)
    response = Response(204, headers, b"", 0.1)
    found = request.Exchange(phases=request.Phases(connect=0.1, first_byte=0.2, total=0.3), response=response)
    witnesses._answer(found, 0.0)


def read_settings(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(SettingsError):
        parse(text, Path("/nowhere/changeover.toml"), KINDS)


def read_journal(data: bytes) -> None:
    events = [decoded(2, line, None) for line in data.split(b"\n")]
    fold([Entry(run="shop-1", at=NOW, event=event) for event in events])


def read_resolvers(data: bytes) -> None:
    for address in resolvers_in(data):
        parse_server(address)


_HEAD = b"HTTP/1.1 200 OK\r\n"
_SERVED = [
    _HEAD
    + b"Content-Length: 2\r\nX-Deployment: backup\r\nSet-Cookie: id=5; Path=/; Expires=Wed, 01 Jan 2030\r\n\r\nok",
    _HEAD
    + b"Transfer-Encoding: chunked\r\nContent-Type: text/html; charset=gb2312\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink : </a>\r\n\r\n"
    + _HEAD
    + b"Age: 5\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nid=5",
    _HEAD + b"X Bad: 1\r\nServer: x\r\n\r\n" + b'{"a": {"b": 2}, "c": null}',
]
_JSON = b'{"disks": [{"used": 95}], "a": [1, 2.5, "x", {"b": "y"}], "b": "\\ud83d\\ude00", "c": NaN}'


def _answer() -> bytes:
    made = dns.message.make_response(dns.message.from_wire(question_wire(WWW, "A")))
    made.answer.append(dns.rrset.from_text(f"{WWW}.", 60, "IN", "A", "192.0.2.1", "192.0.2.2"))
    made.authority.append(dns.rrset.from_text("shop.example.", 60, "IN", "SOA", "ns1. h. 1 2 3 4 5"))
    return made.to_wire()


def _der() -> bytes:
    issued = trustme.CA().issue_cert(WWW, "192.0.2.1", common_name=WWW).cert_chain_pems[0].bytes()
    from cryptography.hazmat.primitives.serialization import Encoding

    return x509.load_pem_x509_certificate(issued).public_bytes(Encoding.DER)


_TOML = b"""version = 1
[accounts.dns]
provider = "rfc2136"
server = "127.0.0.1"
[lookup]
resolvers = ["127.0.0.1:53"]
[[services]]
name = "shop"
hostnames = ["www.shop.example"]
dns = [{ account = "dns", zone = "shop.example" }]
[services.health]
expect_json = { "a.b" = "< 3" }
headers = { X-A = "b" }
[[services.deployments]]
name = "primary"
answer = { a = ["192.0.2.1"] }
[[services.deployments]]
name = "backup"
answer = { cname = "b.example.net" }
"""
_EVENTS = b"""{"type":"paused","who":"alice"}
{"type":"committed","who":"alice"}
{"type":"step-began","step":0}"""

READERS: dict[str, Reader] = {
    "responses": Reader(read_response, _SERVED),
    "heads": Reader(read_head, _SERVED),
    "bodies": Reader(read_body, [b"text/html; charset=gbk\nhello", b"gzip\n\x1f\x8b\x08\0", b"a\n" + _JSON]),
    "JSON": Reader(read_json, [b"\0" + _JSON, b"\1" + _JSON, b"\2" + _JSON, b"\x07" + _JSON]),
    "certificates": Reader(read_certificate, [_der()]),
    "accepted certificates": Reader(
        read_accepted_certificate, [b"Jan  5 09:34:43 2018 GMTJan  5 09:34:43 2028 GMT", _der()]
    ),
    "DNS": Reader(read_dns, [_answer()]),
    "DNS over HTTPS": Reader(read_doh, [_answer()]),
    "status pages": Reader(
        read_status_page,
        [b'{"status": [{"system": "Apps", "status": "green"}], "incidents": []}', b'{"status": {"indicator": "none"}}'],
    ),
    "portals": Reader(read_portal, [b"Date: Thu, 01 Jan 2026 00:00:00 GMT\nAge: 5\nLocation: http://login/"]),
    "settings": Reader(read_settings, [_TOML]),
    "resolv.conf": Reader(read_resolvers, [b"search lan\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\n"]),
    "journal": Reader(read_journal, [_EVENTS]),
}
