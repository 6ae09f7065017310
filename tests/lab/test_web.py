"""The practice ground's web deployments: they say who they are, by verified TLS, and a file breaks them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h11
import httpx
import pytest

from changeover.health.probe import probe
from changeover.lab import certificates, web
from changeover.lab.app import AppSettings, LabApp
from changeover.model.health.check import HealthCheck
from changeover.model.settings.service import Answer, Marker
from changeover.model.settings.service import Deployment as ServiceDeployment

ADDRESSES = {"primary": "127.0.0.2", "backup": "127.0.0.3"}
NAMES = ("www.shop.example", "shop.example", *ADDRESSES.values())


def broken_file(folder: Path, name: str = "primary") -> Path:
    """What breaks an app, in a folder that is there."""
    file = LabApp(name, folder).broken_file
    file.parent.mkdir(exist_ok=True)
    return file


class Servers:
    """Both deployments, running."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.folder = folder
        self.ca_file = folder / "ca.pem"

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(self.ca_file)), timeout=30)

    def url(self, deployment: str, path: str = "/") -> str:
        return f"https://{ADDRESSES[deployment]}:{self.port}{path}"


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    tls = certificates.server_context(tmp_path, NAMES, datetime.now(UTC))
    deployments = {address: web.LabDeployment(LabApp(name, tmp_path)) for name, address in ADDRESSES.items()}
    async with web.serving(deployments, tls, None) as port:
        yield Servers(port, tmp_path)


@pytest.mark.parametrize("deployment", ADDRESSES)
async def test_each_says_who_it_is(servers: Servers, deployment: str) -> None:
    """In the page for people, and in the header for programs."""
    async with servers.client() as client:
        page = await client.get(servers.url(deployment))
        health = await client.get(servers.url(deployment, "/health?full=1"))
    assert (page.status_code, page.headers["X-Deployment"]) == (200, deployment)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"<strong>{deployment}</strong>" in page.text
    assert (health.status_code, health.headers["X-Deployment"]) == (200, deployment)
    assert health.text.startswith("ok")


async def test_broken_is_503_on_every_path_until_repaired(servers: Servers) -> None:
    """Looked at anew for each request, on a connection that is open already as well."""
    async with servers.client() as client:
        for _ in range(2):
            assert (await client.get(servers.url("primary", "/health"))).status_code == 200
            broken_file(servers.folder).touch()
            for path in ("/", "/health"):
                answer = await client.get(servers.url("primary", path))
                assert (answer.status_code, answer.headers["X-Deployment"]) == (503, "primary")
                assert "ok" not in answer.text
            assert (await client.get(servers.url("backup", "/health"))).status_code == 200
            broken_file(servers.folder).unlink()


async def test_other_requests(servers: Servers) -> None:
    """HEAD has no body, other paths are not there, and nothing can be written."""
    async with servers.client() as client:
        head = await client.head(servers.url("primary"))
        assert (head.status_code, head.content) == (200, b"")
        assert (await client.get(servers.url("primary", "/nothing"))).status_code == 404
        assert (await client.post(servers.url("primary"), content=b"x" * 100_000)).status_code == 405
        assert (await client.get(servers.url("primary"))).status_code == 200


async def test_the_products_probe_finds_it_well(servers: Servers) -> None:
    """By the public hostname, with the marker and the certificate; and unwell when it is broken."""
    deployment = ServiceDeployment(
        name="primary", answer=Answer(a=("127.0.0.2",)), marker=Marker(header="X-Deployment", value="primary")
    )
    check = HealthCheck(path="/health", port=servers.port, expect_body="ok", ca_file=str(servers.ca_file), timeout=30)
    well = await probe(deployment, "www.shop.example", "127.0.0.2", check)
    assert (well.ok, well.marker_ok, well.certificate_error) == (True, True, None)
    broken_file(servers.folder).touch()
    assert (await probe(deployment, "www.shop.example", "127.0.0.2", check)).ok is False
    other = await probe(deployment, "www.shop.example", "127.0.0.3", check)
    assert (other.ok, other.marker_ok) == (True, False)


async def test_nobody_else_vouches_for_it(servers: Servers) -> None:
    """A client that does not know the authority refuses the certificate, and so does one that wants another name."""
    async with httpx.AsyncClient(timeout=30) as client:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get(servers.url("primary"))
    context = ssl.create_default_context(cafile=str(servers.ca_file))
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await asyncio.open_connection("127.0.0.2", servers.port, ssl=context, server_hostname="other.example")


async def test_rubbish_only_ends_its_own_connection(servers: Servers) -> None:
    """What is no HTTP is not answered; the next visitor is."""
    context = ssl.create_default_context(cafile=str(servers.ca_file))
    reader, writer = await asyncio.open_connection(
        "127.0.0.2", servers.port, ssl=context, server_hostname="www.shop.example"
    )
    writer.write(b"\x00\x01\x02 what?\r\n\r\n")
    async with asyncio.timeout(60):
        assert await reader.read() == b""
    writer.close()
    async with servers.client() as client:
        assert (await client.get(servers.url("primary"))).status_code == 200


async def test_many_requests_on_one_connection(servers: Servers) -> None:
    """Sent before the first answer is read."""
    context = ssl.create_default_context(cafile=str(servers.ca_file))
    reader, writer = await asyncio.open_connection(
        "127.0.0.3", servers.port, ssl=context, server_hostname="shop.example"
    )
    request = b"GET /health HTTP/1.1\r\nHost: shop.example\r\n"
    writer.write(request + b"\r\n" + request + b"\r\n" + request + b"Connection: close\r\n\r\n")
    async with asyncio.timeout(60):
        assert (await reader.read()).count(b"HTTP/1.1 200 OK") == 3
    writer.close()


async def test_both_are_at_one_port_which_is_kept(tmp_path: Path) -> None:
    """The port of the last time is taken again; where it is not free, another one is."""
    tls = certificates.server_context(tmp_path, NAMES, datetime.now(UTC))
    deployments = {address: web.LabDeployment(LabApp(name, tmp_path)) for name, address in ADDRESSES.items()}
    async with web.serving(deployments, tls, None) as port, web.serving(deployments, tls, port) as other:
        assert other != port
    async with web.serving(deployments, tls, port) as again:
        assert again == port


async def test_ipv6_beside_ipv4(tmp_path: Path) -> None:
    """Where the usual two addresses cannot be had, ::1 is the second one."""
    tls = certificates.server_context(tmp_path, NAMES, datetime.now(UTC))
    deployments = {
        "127.0.0.1": web.LabDeployment(LabApp("primary", tmp_path)),
        "::1": web.LabDeployment(LabApp("backup", tmp_path)),
    }
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    async with web.serving(deployments, tls, None) as port:
        for address, name in (("127.0.0.1", "primary"), ("::1", "backup")):
            reader, writer = await asyncio.open_connection(
                address, port, ssl=context, server_hostname="www.shop.example"
            )
            writer.write(b"GET / HTTP/1.0\r\nHost: www.shop.example\r\n\r\n")
            async with asyncio.timeout(60):
                assert f"X-Deployment: {name}" in (await reader.read()).decode()
            writer.close()


@pytest.mark.parametrize(("change", "status"), [({}, 200), ({"maintenance": True}, 503), ({"instances": 0}, 503)])
def test_a_response_is_made_without_a_connection(tmp_path: Path, change: dict[str, Any], status: int) -> None:
    """The whole behaviour is a function of the request and of what was asked of the app."""
    app = LabApp("backup", tmp_path)
    app.set(AppSettings(**change))
    request = h11.Request(method="GET", target="/health", headers=[("Host", "shop.example")])
    assert web.LabDeployment(app).response(request, b"").status == status
    broken_file(tmp_path, "backup").touch()
    assert web.LabDeployment(app).response(request, b"").status == 503


async def test_the_page_says_what_runs(servers: Servers) -> None:
    """The release, which differs between the two, and how many instances, for people and in a header."""
    LabApp("backup", servers.folder).set(AppSettings(instances=3))
    async with servers.client() as client:
        primary, backup = [await client.get(servers.url(name)) for name in ADDRESSES]
    assert (primary.headers["X-Release"], backup.headers["X-Release"]) == ("v42", "v41")
    assert "release v42, 1 instance." in primary.text
    assert "release v41, 3 instances." in backup.text
