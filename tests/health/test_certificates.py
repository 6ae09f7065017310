"""Certificates of real servers: a bad one is refused, and what is wrong with it is said in words (F6)."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from changeover.health.http.certificate import refused
from changeover.health.probe import probe
from changeover.model.health.certificate import CertificateKind, VerifyError, certificate_faults
from changeover.model.health.check import HealthCheck
from changeover.model.health.probe_result import Cause
from changeover.model.settings.service import Answer, Deployment
from changeover.model.wording.fault_words import certificate_words
from health.web import answering, serving
from web_servers.certificates import made, pem_of, server_context
from web_servers.nginx import Nginx

WWW = "www.shop.example"
BACKUP = Deployment(name="backup", answer=Answer(a=("127.0.0.1",)))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
NGINXES = {"good": "127.0.0.1", "expired": "127.0.0.2", "wrong-name": "127.0.0.3", "self-signed": "127.0.0.4"}


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    deployments = {kind: [address] for kind, address in NGINXES.items()}
    certificates = {kind: kind for kind in NGINXES}
    with Nginx(tmp_path_factory.mktemp("web"), deployments, [WWW], certificates) as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "words", "kind"),
    [
        ("good", None, CertificateKind.TRUSTED),
        ("expired", "it expired 3 days ago", CertificateKind.TRUSTED),
        ("wrong-name", f"it is for intranet.example, not for {WWW}", CertificateKind.TRUSTED),
        ("self-signed", "it is self-signed", CertificateKind.SELF_SIGNED),
    ],
)
async def test_what_nginx_shows(nginx: Nginx, fault: str, words: str | None, kind: CertificateKind) -> None:
    """At the standby's own address, before anybody is sent there."""
    check = HealthCheck(port=nginx.port, ca_file=str(nginx.ca_file))
    found = await probe(BACKUP, WWW, NGINXES[fault], check)
    assert found.certificate is not None
    assert (found.certificate_error, found.certificate.kind) == (words, kind)
    if words is None:
        assert (found.ok, found.cause, found.certificate.names) == (True, None, (WWW,))
    else:
        assert (found.ok, found.status, found.cause) == (False, None, Cause.CERTIFICATE)
        assert found.reason == f"certificate refused: {words}"
        assert found.phases.connect is not None


HEROKU = {"commonName": "*.herokuapp.com"}
KUBERNETES = {"commonName": "Kubernetes Ingress Controller Fake Certificate", "organizationName": "Acme Co"}
STAGING = {"commonName": "(STAGING) Ersatz Edamame E1", "organizationName": "(STAGING) Let's Encrypt"}
SHOWN = {
    "Heroku's": (
        made(HEROKU, ["*.herokuapp.com", "herokuapp.com"], issuer={"commonName": "R11"}),
        f"it is Heroku's own (*.herokuapp.com and 1 other name), not one for {WWW}",
        CertificateKind.PLATFORM,
    ),
    "Kubernetes'": (
        made(KUBERNETES, ["ingress.local"]),
        f"it is the Kubernetes ingress controller's own (ingress.local), not one for {WWW}",
        CertificateKind.PLATFORM,
    ),
    "Traefik's": (
        made({"commonName": "TRAEFIK DEFAULT CERT"}, ["6f2b.9f3c.traefik.default"]),
        f"it is Traefik's own (6f2b.9f3c.traefik.default), not one for {WWW}",
        CertificateKind.PLATFORM,
    ),
    "staging": (
        made({"commonName": WWW}, [WWW], issuer=STAGING),
        'it comes from a staging authority, "(STAGING) Ersatz Edamame E1 ((STAGING) Let\'s Encrypt)", '
        "which browsers do not trust",
        CertificateKind.STAGING,
    ),
    "snakeoil": (
        made({"commonName": "debian"}, ["debian"]),
        f"it is self-signed, made for the machine when the web server was installed; it is for debian, not for {WWW}",
        CertificateKind.SELF_SIGNED,
    ),
    "only a subject": (
        made({"commonName": "old.example"}, []),
        f"it is self-signed; it is for old.example, not for {WWW}",
        CertificateKind.SELF_SIGNED,
    ),
    "self-signed and expired": (
        made({"commonName": WWW}, [WWW], start=timedelta(days=-9), end=timedelta(hours=-3)),
        "it is self-signed; it expired 3 h ago",
        CertificateKind.SELF_SIGNED,
    ),
    "another authority": (
        made({"commonName": WWW}, [WWW], issuer={"commonName": "Shop Root", "organizationName": "Shop Ltd"}),
        "the chain is incomplete or its authority is not trusted (issuer: Shop Root (Shop Ltd))",
        CertificateKind.UNTRUSTED,
    ),
}


@pytest.mark.parametrize(("pem", "words", "kind"), SHOWN.values(), ids=SHOWN)
async def test_what_is_wrong_is_said(tmp_path: Path, pem: bytes, words: str, kind: CertificateKind) -> None:
    """A platform's own, a trial authority's, a machine's own; everything that is wrong, not only the first."""
    async with serving(answering(OK), server_context(tmp_path, pem)) as web:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=web.port))
    assert (found.ok, found.cause) == (False, Cause.CERTIFICATE)
    assert re.sub(r"[23] h \d+ min", "3 h", found.certificate_error or "") == words
    assert found.certificate is not None
    assert found.certificate.kind is kind


@pytest.mark.parametrize(
    ("alert", "words", "cause"),
    [
        (
            ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME,
            f"TLS failed: the server has no certificate for {WWW}",
            Cause.CERTIFICATE,
        ),
        (
            ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE,
            f"TLS failed: the server refuses the handshake; it may have no certificate for {WWW}",
            Cause.ADDRESS,
        ),
    ],
)
async def test_a_server_that_has_none_for_the_name(
    tmp_path: Path, alert: ssl.AlertDescription, words: str, cause: Cause
) -> None:
    """It ends the handshake, as platforms do for hostnames that are not set up there."""
    context = server_context(tmp_path, made({"commonName": WWW}, [WWW]))
    context.sni_callback = lambda *_: alert

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(await reader.read(65536))
        with pytest.raises(ssl.SSLError, match="callback failed"):
            context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
        writer.write(outgoing.read())

    async with serving(refusing) as web:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=web.port))
    assert (found.ok, found.reason, found.cause) == (False, words, cause)


async def test_a_chain_with_a_piece_missing(tmp_path: Path) -> None:
    """The authority is trusted, but the server does not show the certificate between."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf = authority.create_child_ca().issue_cert(WWW)
    check = HealthCheck(ca_file=str(tmp_path / "ca.pem"))
    told = {}
    for with_chain in (True, False):
        context = server_context(tmp_path, pem_of(leaf, with_chain=with_chain))
        async with serving(answering(OK), context) as web:
            told[with_chain] = await probe(BACKUP, WWW, "127.0.0.1", _at(check, web.port))
    assert told[True].ok is True
    assert (told[False].certificate_error or "").startswith("the chain is incomplete or its authority is not trusted (")


async def test_a_certificate_of_the_future(tmp_path: Path) -> None:
    """It says from when on it is good."""
    authority, start = trustme.CA(), datetime.now(UTC) + timedelta(days=2)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = server_context(tmp_path, pem_of(authority.issue_cert(WWW, not_before=start)))
    async with serving(answering(OK), context) as web:
        check = HealthCheck(port=web.port, ca_file=str(tmp_path / "ca.pem"))
        found = await probe(BACKUP, WWW, "127.0.0.1", check)
    assert found.certificate_error == f"it is not valid before {start:%Y-%m-%d %H:%M} UTC"


@pytest.mark.parametrize(("days", "ok"), [(None, True), (8, True), (9, False), (30, False)])
async def test_days_left_can_be_a_condition(tmp_path: Path, days: int | None, ok: bool) -> None:
    """Whole days; a certificate with fewer makes the result bad, although it is still accepted."""
    authority, end = trustme.CA(), datetime.now(UTC) + timedelta(days=8, hours=12)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = server_context(tmp_path, pem_of(authority.issue_cert(WWW, not_after=end)))
    async with serving(answering(OK), context) as web:
        check = HealthCheck(port=web.port, ca_file=str(tmp_path / "ca.pem"), expect_certificate_days=days)
        found = await probe(BACKUP, WWW, "127.0.0.1", check)
    assert found.certificate is not None
    assert found.certificate.expires == end.replace(microsecond=0)
    assert (found.ok, found.certificate_error) == (ok, None)
    if not ok:
        assert found.reason == f"200, but the certificate expires in 8 days, expected at least {days}"
        assert found.cause is Cause.CERTIFICATE


async def test_nothing_is_sent_to_whom_is_not_trusted(tmp_path: Path) -> None:
    """The second look only reads the certificate: no byte of a request arrives at either connection."""
    came: list[bytes] = []

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read())

    async with serving(listening, server_context(tmp_path, made({"commonName": WWW}, [WWW]))) as web:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=web.port))
    assert found.certificate_error == "it is self-signed"
    assert b"".join(came) == b""


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_second_look_that_is_refused(tmp_path: Path, hangs: bool) -> None:
    """Then what the first one said must do; and it is waited for no longer than for any handshake."""
    context = server_context(tmp_path, made({"commonName": WWW}, [WWW]))
    looks = 0

    async def first_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal looks
        looks += 1
        if looks > 1:
            if hangs:
                await reader.read(-1)
            return
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(await reader.read(65536))
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        writer.write(outgoing.read())
        await reader.read()

    async with serving(first_only) as web, asyncio.timeout(20):
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=web.port, tls_timeout=1, connect_timeout=1))
    assert (found.ok, found.cause, found.certificate, looks) == (False, Cause.CERTIFICATE, None, 2)
    assert found.reason == "certificate refused: self-signed certificate"


async def test_a_second_name_that_is_no_text(tmp_path: Path) -> None:
    """OpenSSL accepts the certificate for the first name, as browsers do; that Python cannot read the other is no fault
    of the deployment."""
    pem = made({"commonName": WWW}, [], odd_names=[WWW.encode(), b"m\xfcller.shop.example"])
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(pem)
    async with serving(answering(OK), server_context(tmp_path, pem)) as web:
        found = await probe(BACKUP, WWW, "127.0.0.1", HealthCheck(port=web.port, ca_file=str(ca_file)))
    assert (found.ok, found.certificate_error) == (True, None)
    assert found.certificate is not None
    assert (found.certificate.names, found.certificate.kind) == ((WWW,), CertificateKind.TRUSTED)
    assert found.certificate.expires > datetime.now(UTC)


DER = ssl.PEM_cert_to_DER_cert(made(HEROKU, ["*.herokuapp.com"]).decode().partition("-----END PRIVATE KEY-----\n")[2])


@given(st.lists(st.tuples(st.integers(0, len(DER) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_certificate_that_is_no_certificate(changes: list[tuple[int, int]]) -> None:
    """Whatever a server shows, it is read or it is not, and never an error."""
    broken = bytearray(DER)
    for place, value in changes:
        broken[place] = value
    seen = refused(bytes(broken), WWW, 18)
    faults = certificate_faults(seen, WWW, datetime.now(UTC), VerifyError(18, "self-signed certificate"))
    assert certificate_words(faults)


def _at(check: HealthCheck, port: int) -> HealthCheck:
    return HealthCheck(port=port, ca_file=check.ca_file)
