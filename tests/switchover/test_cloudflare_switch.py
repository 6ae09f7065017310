"""A whole switch at Cloudflare: records behind the proxy, a token in memory, verified by marker."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.dns.providers.cloudflare import Cloudflare
from changeover.model.dns.capabilities import Lag
from changeover.model.errors import Refused
from changeover.model.finding import Level
from changeover.model.secret import Secret
from changeover.storage.home import Home
from changeover.switchboard import Switchboard
from dns_servers.cloudflare_edge import EDGE_ADDRESS, CloudflareEdge
from dns_servers.cloudflare_simulator import READ_ONLY, CloudflareSimulator
from web_servers.nginx import Nginx

WWW, ZONE, TOKEN = "www.shop.example", "shop.example", "token-that-nobody-may-see_0123456789abcd"
SETTINGS = """\
version = 1

[[services]]
name = "shop"
hostnames = ["www.shop.example"]
lease = false    # faults are meant for the change itself
dns = [{{ account = "cf", zone = "shop.example" }}]

[services.health]
port = {port}
ca_file = "{ca_file}"
timeout = 20

[[services.deployments]]
name = "primary"
answer = {{ cname = "origin-primary.example.net" }}
marker = {{ header = "X-Deployment", value = "primary" }}

[[services.deployments]]
name = "backup"
answer = {{ cname = "origin-backup.example.net" }}
marker = {{ header = "X-Deployment", value = "backup" }}

[accounts.cf]
provider = "cloudflare"
endpoint = "{endpoint}"

[lookup]
resolvers = ["{server}"]
nameservers = {{ "shop.example" = ["{server}"] }}
witnesses = []
doh = []
portal = ""
"""


@asynccontextmanager
async def at_cloudflare(tmp_path: Path, cloudflare: CloudflareSimulator) -> AsyncIterator[Switchboard]:
    web = Nginx(tmp_path, {"primary": ["127.0.0.2"], "backup": ["127.0.0.3"]}, [WWW])
    with web, CloudflareEdge(cloudflare, ZONE, WWW, web.port) as edge:
        home = Home.at(tmp_path / "home")
        home.config.mkdir()
        settings = SETTINGS.format(port=web.port, ca_file=web.ca_file, endpoint=cloudflare.endpoint, server=edge.server)
        home.settings_file.write_text(settings)
        board = Switchboard(home)
        try:
            options = {"endpoint": cloudflare.endpoint}
            await board.add_account("cf", "cloudflare", options, {"token": Secret(TOKEN)}, replace=True, in_memory=True)
            yield board
        finally:
            await board.aclose()


@pytest.fixture
def cloudflare() -> object:
    with CloudflareSimulator([ZONE], token=TOKEN) as simulator:
        yield simulator


async def test_a_proxied_name_moves_behind_the_edge(tmp_path: Path, cloudflare: CloudflareSimulator) -> None:
    """The proxied flag, comment and automatic TTL stay; visitors are followed by marker; undo restores exactly."""
    cloudflare.add(
        ZONE,
        type="CNAME",
        name=WWW,
        content="origin-primary.example.net",
        proxied=True,
        ttl=1,
        comment="the shop",
        tags=["team:web"],
    )
    cloudflare.add(ZONE, type="TXT", name=f"other.{ZONE}", content="leave me alone", ttl=3600)
    start = cloudflare.records(ZONE)
    async with at_cloudflare(tmp_path, cloudflare) as board:
        preparation = await board.prepare("shop", "backup")
        assert preparation.snapshot.active == "primary"
        assert not preparation.blocked, preparation.blocked
        run = await board.switch(preparation, verify_timeout=30, who="anna@laptop")
        assert run.outcome == "completed"
        assert "check as a visitor decides" in run.steps[1].note
        assert run.steps[2].note == "1 hostname answers as backup; the resolver leads there"
        assert '"content": "origin-backup.example.net"' in str(cloudflare.records(ZONE))
        assert str(cloudflare.records(ZONE)).count('"proxied": true') == 1
        undone = await board.undo(run.run, verify_timeout=30, who="anna@laptop")
        assert undone.outcome == "undone"
    assert cloudflare.records(ZONE) == start
    assert EDGE_ADDRESS not in str(start)


async def test_a_name_that_is_not_proxied_is_seen_at_its_name_servers(
    tmp_path: Path, cloudflare: CloudflareSimulator
) -> None:
    """DNS only: the servers give the new address, with the TTL of the settings."""
    cloudflare.add(ZONE, type="CNAME", name=WWW, content="origin-primary.example.net", proxied=False, ttl=300)
    async with at_cloudflare(tmp_path, cloudflare) as board:
        preparation = await board.prepare("shop", "backup")
        (ttl,) = [f for f in preparation.findings if f.check == "ttl"]
        assert (ttl.level, "5 min" in ttl.text) == (Level.WARN, True)
        run = await board.switch(preparation, verify_timeout=30, who="anna@laptop")
        assert run.outcome == "completed"
        assert re.search(r"1 hostname changed; .* would have gone unseen for \d+ ms", run.steps[0].note)
        assert run.steps[1].note == "1 name server gives the new answer"
        assert run.changes[0].after[0].ttl == 60


@pytest.mark.parametrize("what", ["answer", "answer-after", "drop-before", "drop-after"])
async def test_a_lost_or_failing_batch_is_settled_by_reading(
    tmp_path: Path, cloudflare: CloudflareSimulator, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 503 or a dropped connection, before or after the change was made: the run says what really stands."""
    sooner = replace(Cloudflare.capabilities, lag=Lag(1.0, "as soon as a test can wait"))
    monkeypatch.setattr(Cloudflare, "capabilities", sooner)
    cloudflare.add(ZONE, type="CNAME", name=WWW, content="origin-primary.example.net", proxied=False, ttl=60)
    before = cloudflare.records(ZONE)
    async with at_cloudflare(tmp_path, cloudflare) as board:
        preparation = await board.prepare("shop", "backup")
        cloudflare.misbehave(what, writes_only=True)  # type: ignore[arg-type]
        run = await board.switch(preparation, verify_timeout=30, who="anna@laptop")
        if what in ("answer-after", "drop-after"):
            assert run.outcome == "completed"
            assert "the answer was lost" in run.steps[0].note
        else:
            assert run.outcome == "failed"
            assert cloudflare.records(ZONE) == before
        assert [path for method, path in cloudflare.requests if method == "POST"].count(
            f"/client/v4/zones/{cloudflare.zone(ZONE).id}/dns_records/batch"
        ) == 1, "a write is never repeated blindly"


async def test_a_token_that_may_only_read_is_said_beforehand(tmp_path: Path) -> None:
    """`credential` blocks, and `account verify` says so."""
    with CloudflareSimulator([], token=TOKEN) as cloudflare:
        cloudflare.add_zone(ZONE, permissions=READ_ONLY)
        cloudflare.add(ZONE, type="CNAME", name=WWW, content="origin-primary.example.net", proxied=False, ttl=60)
        async with at_cloudflare(tmp_path, cloudflare) as board:
            found = await board.verify_account("cf")
            assert (found.ok, found.zones, found.may_write) == (True, (ZONE,), False)
            preparation = await board.prepare("shop", "backup")
            assert "may not change" in {f.check: f.text for f in preparation.blocked}["credential"]
            with pytest.raises(Refused):
                await board.switch(preparation, who="anna@laptop")
