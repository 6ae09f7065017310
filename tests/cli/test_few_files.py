"""A process that may have 256 files open, which is macOS' usual limit, and has 320 checks to make."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dns_servers.bind import Bind
from health.web import WebServer, serving

SERVICES = [f"s{number}" for number in range(40)]
ZONE = "@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n" + "".join(
    f"h{host}.{service} A 127.0.0.2\n" for service in SERVICES for host in range(4)
)
LOOKUP = """\
version = 1

[accounts.dns-main]
provider = "rfc2136"
server = "{server}"

[lookup]
resolvers = ["{server}"]
nameservers = {{ "shop.example" = ["{server}"] }}
witnesses = []
doh = []
portal = ""
"""
SERVICE = """
[[services]]
name = "{service}"
hostnames = [{hostnames}]
dns = [{{ account = "dns-main", zone = "shop.example" }}]
health = {{ scheme = "http", port = {port}, interval = 2, timeout = 60, connect_timeout = 60, first_byte_timeout = 60 }}
deployments = [
  {{ name = "primary", answer = {{ a = ["127.0.0.2"] }} }},
  {{ name = "backup", answer = {{ a = ["127.0.0.3"] }} }},
]
"""
FEW = 'ulimit -n 256; exec "$@"'


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes its time, so that many connections are open at once."""
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.3)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[list[WebServer]]:
    """Both deployments of forty services, whose settings are in the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    async with serving(slow, host="127.0.0.2") as primary, serving(slow, host="127.0.0.3", port=primary.port) as backup:
        with Bind(tmp_path, zone_text=ZONE, key=False) as bind:
            services = (
                SERVICE.format(
                    service=service,
                    hostnames=", ".join(f'"h{host}.{service}.shop.example"' for host in range(4)),
                    port=primary.port,
                )
                for service in SERVICES
            )
            (home / "changeover.toml").write_text(LOOKUP.format(server=bind.server) + "".join(services))
            yield [primary, backup]


@contextlib.asynccontextmanager
async def changeover(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command under way, with 256 files."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", FEW, "sh", sys.executable, "-m", "changeover", *arguments),
        env={**os.environ, "CHANGEOVER_HOME": str(folder / "home")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(120):
            yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_status_of_forty_services(tmp_path: Path, web: list[WebServer]) -> None:
    """Each of 320 checks is made, all of them are good, and the records of every name are read."""
    async with changeover(tmp_path, "status", "--json") as process:
        out, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    services = json.loads(out)["services"]
    assert Counter(service["active"] for service in services) == {"primary": 40}
    health = Counter(deployment["health"] for service in services for deployment in service["deployments"])
    assert health == {"healthy": 80}
    assert min(server.connections for server in web) >= 160


async def test_the_watch_of_forty_services(tmp_path: Path, web: list[WebServer]) -> None:
    """Three rounds of it: all is good at first, and nothing else is ever told."""
    async with changeover(tmp_path, "status", "--watch") as process:
        assert process.stdout is not None
        lines = [(await process.stdout.readline()).decode() for _ in range(3 * len(SERVICES))]
        while min(server.connections for server in web) < 3 * 160:
            assert process.returncode is None
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out = "".join(lines) + (await process.stdout.read()).decode()
        assert process.stderr is not None
        errors = (await process.stderr.read()).decode()
        assert await process.wait() == 0
    rows = [line.split() for line in out.splitlines()]
    assert Counter(row[row.index("200") - 1] for row in rows if "200" in row) == {"healthy": 80}
    assert len(rows) == 3 * len(SERVICES), out
    assert errors == "Watching. Ctrl-C ends it.\nNo longer watching.\n"
