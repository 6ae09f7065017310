"""Apps are asked what they run at their own addresses, and what they told is kept for when they tell nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from msgspec.structs import replace

from changeover.dns.lookup.client import Lookup
from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck
from changeover.model.platforms.app_version import AppVersion, Told
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Service
from changeover.model.settings.version_endpoint import VersionEndpoint
from changeover.monitoring.version_reading import VersionReading, read_versions
from changeover.storage.platform_observations import KeptObservations
from dns_servers.process import free_port
from health.web import Talk, answering, dripping, hanging_up, header, noting, serving
from web_servers.certificates import pem_of, server_context

WWW = "www.shop.example"
NOBODY = LookupSettings(resolvers=(), witnesses=(), doh=(), system_resolvers=False)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptObservations]:
    made = KeptObservations(tmp_path / "changeover.db")
    yield made
    made.close()


def service(port: int, *answers: Answer, **check: Any) -> Service:
    return Service(
        name="shop",
        hostnames=(WWW,),
        dns=(ZoneAt("pd", "shop.example"),),
        deployments=tuple(
            Deployment(name=name, answer=answer)
            for name, answer in zip(("primary", "backup"), answers or (Answer(a=("127.0.0.1",)),), strict=False)
        ),
        health=HealthCheck(**{"scheme": "http", "port": port, "timeout": 5, **check}),
        version=VersionEndpoint(path="/version?full", commit="json:git.sha", schema="json:schema"),
    )


def answer(told: object, status: bytes = b"200 OK") -> bytes:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


async def read(shop: Service, kept: KeptObservations) -> VersionReading:
    (found,) = await read_versions(shop, shop.deployments, Lookup(NOBODY), kept)
    return found


async def asked(talk: Talk, kept: KeptObservations) -> VersionReading:
    async with serving(talk) as web:
        return await read(service(web.port), kept)


TOLD = {"git": {"sha": "abcdef0123"}, "schema": 7}
VERSION = AppVersion(commit=Told(value="abcdef0123"), schema=Told(value="7"))


async def test_an_app_is_asked_as_its_health_is(kept: KeptObservations) -> None:
    """For the public hostname, at the deployment's own address, with the headers of the check."""
    heads: list[str] = []
    async with serving(noting(heads, answer(TOLD))) as web:
        shop = service(web.port, headers={"X-Health-Check": "changeover"})
        found = await read(shop, kept)
    assert (found.version, found.why) == (VERSION, "")
    assert heads[0].startswith("GET /version?full HTTP/1.1\r\n")
    assert header(heads[0], "Host") == f"{WWW}:{web.port}"
    assert header(heads[0], "X-Health-Check") == "changeover"
    assert (await kept.versions("shop"))["primary"].version == VERSION
    assert await kept.of("shop") == {}, "no platform said anything"


async def test_over_tls_the_certificate_is_verified(kept: KeptObservations, tmp_path: Path) -> None:
    """Somebody in between tells nothing."""
    ours, theirs = trustme.CA(), trustme.CA()
    ca_file = tmp_path / "ours.pem"
    ours.cert_pem.write_to_path(ca_file)
    for authority, good in ((theirs, False), (ours, True)):
        async with serving(answering(answer(TOLD)), server_context(tmp_path, pem_of(authority.issue_cert(WWW)))) as web:
            found = await read(service(web.port, scheme="https", ca_file=str(ca_file)), kept)
            assert web.names[0] == WWW
        assert (found.version == VERSION) is good
        assert good or found.why.startswith("certificate refused: ")


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (answering(answer(TOLD, b"404 Not Found")), "/version?full answers 404"),
        (
            answering(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"),
            "/version?full answers 302",
        ),
        (answering(answer(TOLD, b"500 Oops")), "/version?full answers 500"),
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "not a valid HTTP response"),
        (hanging_up, "not a valid HTTP response"),
    ],
    ids=["gone", "redirected", "failing", "no http", "hung up"],
)
async def test_what_is_no_answer_leaves_what_was_told_before(talk: Talk, why: str, kept: KeptObservations) -> None:
    """With its age, and with why nothing was told now."""
    before = await asked(answering(answer(TOLD)), kept)
    found = await asked(talk, kept)
    assert why in found.why
    assert (found.version, found.at) == (VERSION, (await kept.versions("shop"))["primary"].at)
    assert before.at is not None


async def test_an_answer_that_tells_nothing_takes_its_place(kept: KeptObservations) -> None:
    """The app answered: what it said before is no longer so."""
    await asked(answering(answer(TOLD)), kept)
    found = await asked(answering(answer({"git": ["sha"], "schema": None})), kept)
    assert found.why == ""
    assert found.version is not None
    assert found.version.commit == Told(why='there is no "git.sha" in its JSON')
    assert (await kept.versions("shop"))["primary"].version == found.version


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n\r\n{", b"HTTP/1.1 200 OK\r\nX: "], ids=["body", "head"])
async def test_an_answer_without_end(start: bytes, kept: KeptObservations) -> None:
    """So much of it is read, and no more."""
    found = await asked(dripping(start, b'"x":' * 16_000), kept)
    told = found.version.commit.why if found.version is not None and found.version.commit is not None else ""
    assert "64 KiB" in told or "too long" in found.why


async def test_nobody_listens_and_nothing_is_known(kept: KeptObservations) -> None:
    """The reason is a sentence; there is nothing from before."""
    found = await read(service(free_port()), kept)
    assert (found.version, found.at, found.why) == (None, None, "connection refused")


async def test_a_name_that_nobody_can_look_up(kept: KeptObservations) -> None:
    """Is a reason like any other, and keeps nobody from asking the other one."""
    async with serving(answering(answer(TOLD))) as web:
        shop = service(web.port, Answer(cname="gone.example"), Answer(a=("127.0.0.1",)))
        gone, there = await read_versions(shop, shop.deployments, Lookup(NOBODY), kept)
    assert gone.version is None
    assert gone.why
    assert there.version == VERSION


async def test_nobody_is_asked_where_nothing_was_set_up(kept: KeptObservations) -> None:
    """Most services have no such endpoint."""
    async with serving(answering(answer(TOLD))) as web:
        shop = replace(service(web.port), version=None)
        assert await read_versions(shop, shop.deployments, Lookup(NOBODY), kept) == ()
        assert web.connections == 0


async def test_a_disk_that_takes_nothing(kept: KeptObservations, tmp_path: Path) -> None:
    """What was told is told all the same."""
    await kept.versions("shop")
    with sqlite3.connect(tmp_path / "changeover.db") as connection:
        connection.execute("DROP TABLE app_versions")
    connection.close()
    assert (await asked(answering(answer(TOLD)), kept)).version == VERSION
    assert (await asked(hanging_up, kept)).version is None
