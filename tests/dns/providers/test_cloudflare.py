"""What is Cloudflare's own: flags, automatic TTLs, the flattened apex, its errors, its pages, and HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from changeover.dns.http.api import MAX_ANSWER
from changeover.dns.provider import Applied, Indeterminate, PreconditionFailed
from changeover.dns.providers.cloudflare import PROVIDER, Cloudflare, CloudflareOptions
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, record_set
from changeover.model.errors import (
    AuthError,
    NotFound,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
)
from changeover.model.secret import Secret
from dns_servers.changes import plain, stands
from dns_servers.cloudflare_simulator import EDIT, READ_ONLY, CloudflareSimulator

ZONE = "shop.example"
WWW = "www.shop.example"
TOKEN = "T" * 40


@pytest.fixture
def simulator() -> Iterator[CloudflareSimulator]:
    with CloudflareSimulator([ZONE], token=TOKEN) as running:
        yield running


def opened(simulator: CloudflareSimulator) -> Cloudflare:
    return Cloudflare("cf", CloudflareOptions(simulator.endpoint), {"token": Secret(TOKEN)}, timeout=30)


def a(content: str, **more: Any) -> dict[str, Any]:
    return {"type": "A", "name": WWW, "content": content, "ttl": 60, **more}


def change(before: AddressSet, after: AddressSet, name: str = WWW) -> Change:
    return Change(account="cf", zone=ZONE, name=name, before=before, after=after)


async def switched(provider: Cloudflare, *after: RecordSet) -> Change:
    """Plans and makes the change of one name to `after`."""
    name = after[0].name
    before = await stands(provider, name)
    made = change(before, provider.normalize(ZONE, before, after), name)
    assert await provider.apply(ZONE, [made]) == Applied()
    return made


class TestFlags:
    FORMER: tuple[list[dict[str, Any]], ...] = (
        [a("192.0.2.1")],
        [a("192.0.2.1", proxied=True)],
        [a("192.0.2.1", proxied=True), a("192.0.2.2")],
        [a("192.0.2.1"), {"type": "AAAA", "name": WWW, "content": "2001:db8::1", "ttl": 60, "proxied": True}],
        [a("192.0.2.1", comment="main", tags=["team:web", "a:b"]), a("192.0.2.2", comment="main", ttl=300)],
        [a("192.0.2.1", comment="one"), a("192.0.2.2", comment="two", ttl=1)],
        [a("192.0.2.1", proxied=True, settings={"ipv4_only": True})],
        [{"type": "CNAME", "name": WWW, "content": "primary.example.net", "ttl": 1}],
        [{"type": "CNAME", "name": WWW, "content": "primary.example.net", "proxied": True, "comment": "main"}],
        [{"type": "CNAME", "name": WWW, "content": "primary.example.net", "settings": {"flatten_cname": True}}],
        [],
    )
    ANSWERS = (
        (plain("A", "198.51.100.1"), plain("AAAA", "2001:db8:1::1")),
        (plain("A", "192.0.2.2", "192.0.2.3", "192.0.2.4", ttl=5),),
        (plain("CNAME", "backup.example.net", ttl=100_000),),
        (plain("ALIAS", "backup.example.net"),),
    )

    @pytest.mark.parametrize("answer", ANSWERS, ids=["addresses", "more addresses", "CNAME", "ALIAS"])
    @pytest.mark.parametrize("former", FORMER, ids=lambda former: "+".join(r["type"] for r in former) or "nothing")
    async def test_what_is_planned_is_what_stands_and_undo_is_exact(
        self,
        simulator: CloudflareSimulator,
        provider: Cloudflare,
        former: list[dict[str, Any]],
        answer: AddressSet,
    ) -> None:
        """Whatever flags stand there, `normalize` tells what is read afterwards, and undo restores every field."""
        for record in former:
            simulator.add(ZONE, **record)
        zone = simulator.records(ZONE)
        made = await switched(provider, *answer)
        assert await stands(provider) == made.after
        assert await provider.apply(ZONE, [made.inverse]) == Applied()
        assert simulator.records(ZONE) == zone

    async def test_a_proxied_name_stays_proxied(self, simulator: CloudflareSimulator, provider: Cloudflare) -> None:
        """Its addresses are Cloudflare's, its TTL automatic, and the servers' answers show nothing of the change."""
        simulator.add(ZONE, type="CNAME", name=WWW, content="primary.example.net", proxied=True)
        (before,) = await stands(provider)
        assert (before.ttl, before.opaque, before.details) == (1, True, {"primary.example.net": {"proxied": True}})
        await switched(provider, plain("A", "198.51.100.1"), plain("AAAA", "2001:db8:1::1"))
        assert [(r.ttl, r.opaque) for r in await stands(provider)] == [(1, True), (1, True)]
        assert all(r["proxied"] for r in simulator.zone(ZONE).records.values())

    async def test_a_name_that_is_not_proxied_stays_so(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """Nobody's traffic is sent through Cloudflare by a switch."""
        simulator.add(ZONE, **a("192.0.2.1"))
        await switched(provider, plain("CNAME", "backup.example.net"))
        assert not any(r["proxied"] for r in simulator.zone(ZONE).records.values())

    async def test_notes_go_to_new_values_where_all_agree(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """A comment that all records share describes the name; one of a single record describes that record."""
        simulator.add(ZONE, **a("192.0.2.1", comment="both", tags=["team:web"]))
        simulator.add(ZONE, **a("192.0.2.2", comment="both"))
        (after,) = (await switched(provider, plain("A", "198.51.100.1", "192.0.2.1"))).after
        assert after.details == {
            "198.51.100.1": {"comment": "both"},
            "192.0.2.1": {"comment": "both", "tags": ["team:web"]},
        }

    async def test_a_changed_flag_is_a_conflict(self, simulator: CloudflareSimulator, provider: Cloudflare) -> None:
        """Somebody who switched the proxy on since the plan was made is not overruled."""
        simulator.add(ZONE, **a("192.0.2.1"))
        before = await stands(provider)
        simulator.edit(ZONE, WWW, "A", comment="hands off")
        zone = simulator.records(ZONE)
        result = await provider.apply(ZONE, [change(before, (plain("A", "198.51.100.1"),))])
        assert isinstance(result, PreconditionFailed)
        assert "other flags" in result.conflicts[0]
        assert simulator.records(ZONE) == zone

    async def test_an_alias_at_the_apex_is_a_flattened_cname(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """It may stand beside MX and TXT, and the servers answer with addresses."""
        simulator.add(ZONE, type="A", name=ZONE, content="192.0.2.1", ttl=60)
        simulator.add(ZONE, type="MX", name=ZONE, content="mail.shop.example", priority=10, ttl=60)
        await switched(provider, plain("ALIAS", "backup.example.net", name=ZONE))
        assert await stands(provider, ZONE) == (
            RecordSet(name=ZONE, type="CNAME", ttl=60, values=("backup.example.net",), opaque=True),
        )


class TestBatches:
    async def test_a_record_of_the_same_type_is_overwritten(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """Nothing is deleted where something can be replaced, so that no name is empty in between."""
        ids = {simulator.add(ZONE, **a(content))["id"] for content in ("192.0.2.1", "192.0.2.2")}
        await switched(provider, plain("A", "198.51.100.1", "192.0.2.2"))
        assert set(simulator.zone(ZONE).records) == ids

    async def test_values_may_move_from_record_to_record(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """A value that another record has already is never created a second time on the way."""
        for content in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
            simulator.add(ZONE, **a(content))
        await switched(provider, plain("A", "192.0.2.2", "192.0.2.3", "192.0.2.4"))
        assert [r.values for r in await stands(provider)] == [("192.0.2.2", "192.0.2.3", "192.0.2.4")]

    async def test_the_last_instant_is_not_covered_and_that_is_declared(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """There is no compare-and-set: what changes between reading and writing is overwritten."""
        simulator.add(ZONE, **a("192.0.2.1"))
        before = await stands(provider)
        simulator.before_write = lambda: simulator.edit(ZONE, WWW, "A", content="192.0.2.99")
        assert await provider.apply(ZONE, [change(before, (plain("A", "198.51.100.1"),))]) == Applied()
        assert not provider.capabilities.native_compare_and_set

    async def test_a_refusal_is_told_in_cloudflares_words(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """With its code, and nothing is changed."""
        simulator.add(ZONE, **a("192.0.2.1"))
        before = await stands(provider)
        with pytest.raises(Rejected, match=r"Invalid TTL.*\(code 9021\)"):
            await provider.apply(ZONE, [change(before, (plain("A", "198.51.100.1", ttl=5),))])
        assert await stands(provider) == before


class TestFeatures:
    @pytest.mark.parametrize(
        ("record", "words"),
        [
            ({"type": "AAAA", "content": "100::", "proxied": True, "meta": {"origin_worker_id": "w"}}, "Worker"),
            ({"type": "CNAME", "content": "c1744f8b.cfargotunnel.com", "proxied": True}, "Tunnel"),
            ({"type": "A", "content": "192.0.2.1", "meta": {"read_only": True}}, "only be read"),
        ],
    )
    async def test_what_another_feature_owns_stops_a_switch(
        self, simulator: CloudflareSimulator, provider: Cloudflare, record: dict[str, Any], words: str
    ) -> None:
        """Its record is followed by the feature, so that a change would be undone or break it."""
        simulator.add(ZONE, name=f"owned.{ZONE}", **record)
        assert words in (await provider.read(ZONE, [f"owned.{ZONE}"])).policies[f"owned.{ZONE}"]


class TestPages:
    async def test_a_large_zone_is_read_by_pages_or_by_names(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """Whichever takes fewer requests, and with the same result."""
        for number in range(2100):
            simulator.add(ZONE, type="A", name=f"n{number}", content="192.0.2.1", ttl=60)
        names = [f"n{number}.{ZONE}" for number in range(0, 2100, 300)]
        counts = []
        for wanted in (names[:1], names[:2], names):
            del simulator.requests[:]
            records = (await provider.read(ZONE, wanted)).records
            assert records == {name: (record_set(name, "A", 60, ["192.0.2.1"]),) for name in wanted}
            counts.append(len(simulator.requests))
        assert counts == [1 + 1, 1 + 2 + 2, 1 + 3]

    async def test_all_zones_are_listed(self, simulator: CloudflareSimulator, provider: Cloudflare) -> None:
        """More than one page of them."""
        names = [f"z{number}.example" for number in range(70)]
        for name in names:
            simulator.add_zone(name)
        assert await provider.zones() == (ZONE, *names)


class TestAccess:
    async def test_what_a_token_can_touch_is_told(self, simulator: CloudflareSimulator, provider: Cloudflare) -> None:
        """All zones that it may change, and when it ends."""
        simulator.add_zone("blog.example", EDIT)
        simulator.add_zone("old.example", READ_ONLY)
        simulator.expires_on = "2026-12-31T23:59:59Z"
        access = await provider.verify(ZONE, [WWW])
        assert access.zones == (ZONE, "blog.example", "old.example")
        assert (access.may_write, access.writable) == (True, (ZONE, "blog.example"))
        assert access.expires == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)

    async def test_a_token_that_cannot_be_asked_has_no_known_end(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """One that an account owns; nothing else is lost by that."""
        simulator.owned_by_account = True
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write, access.expires) == ((ZONE,), True, None)


class TestNames:
    async def test_a_zone_in_another_script_is_found(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """Cloudflare shows its name as people write it."""
        simulator.add_zone("bücher.example", EDIT)
        zone, name = "xn--bcher-kva.example", "www.xn--bcher-kva.example"
        simulator.add("bücher.example", type="A", name=name, content="192.0.2.1", ttl=60)
        assert zone in await provider.zones()
        assert (await provider.read(zone, [name])).records[name] == (record_set(name, "A", 60, ["192.0.2.1"]),)
        assert (await provider.verify(zone, [name])).may_write is True

    async def test_of_two_zones_of_one_name_the_active_one_counts(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """As while a domain moves to another of Cloudflare's accounts."""
        simulator.add_zone(ZONE, READ_ONLY, status="moved")
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write, access.writable) == ((ZONE,), True, (ZONE,))


class TestZones:
    async def test_a_zone_that_is_not_active_is_refused(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """The world does not ask Cloudflare for it; the hint names the servers to set."""
        simulator.add_zone("moved.example", EDIT, status="moved")
        with pytest.raises(Rejected, match="moved") as caught:
            await provider.read("moved.example", ["www.moved.example"])
        assert "ada.ns.cloudflare.example" in caught.value.hint

    async def test_a_paused_zone_is_served_and_can_be_changed(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """Paused means DNS without the proxy."""
        simulator.zone(ZONE).paused = True
        await switched(provider, plain("A", "198.51.100.1"))

    async def test_a_zone_that_the_token_does_not_see(self, provider: Cloudflare) -> None:
        """The hint says which permission of the token to look at."""
        with pytest.raises(NotFound, match="account cf") as caught:
            await provider.read("unseen.example", ["www.unseen.example"])
        assert "Zone Resources" in caught.value.hint


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "code", "message", "kind"),
        [
            (400, 6003, "Invalid request headers", AuthError),
            (403, 9109, "Invalid access token", AuthError),
            (403, 9109, "Max auth failures reached, please check your Authorization header.", AuthError),
            (401, 1000, "Invalid API Token", AuthError),
            (401, 10000, "Authentication error", AuthError),
            (403, 10000, "Authentication error", PermissionDenied),
            (400, 10000, "Authentication error", PermissionDenied),
            (403, 9109, "Unauthorized to access requested resource", PermissionDenied),
            (403, 9109, "Cannot use the access token from location: 192.0.2.1", PermissionDenied),
            (404, 7003, "Could not route to /zones/x", NotFound),
            (400, 81053, "An A, AAAA, or CNAME record with that host already exists.", Rejected),
            (400, 81054, "A CNAME record with that host already exists.", Rejected),
            (400, 81057, "The record already exists.", Rejected),
            (400, 81058, "An identical record already exists.", Rejected),
            (429, 971, "Please wait and consider throttling your request speed", RateLimited),
        ],
    )
    async def test_an_error_of_a_write_is_told_once_and_changes_nothing(
        self,
        simulator: CloudflareSimulator,
        provider: Cloudflare,
        status: int,
        code: int,
        message: str,
        kind: type[ProviderError],
    ) -> None:
        """Each becomes the error that says what to do, with Cloudflare's words and code, and is not repeated."""
        simulator.add(ZONE, **a("192.0.2.1"))
        before = await stands(provider)
        body = {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps(body).encode())
        with pytest.raises(kind, match=rf"\(code {code}\)") as caught:
            await provider.apply(ZONE, [change(before, (plain("A", "198.51.100.1"),))])
        assert message.rstrip(".") in caught.value.text
        assert caught.value.hint
        assert [method for method, _ in simulator.requests].count("POST") == 1
        assert await stands(provider) == before

    @pytest.mark.parametrize("status", [500, 502, 504, 520, 408])
    @pytest.mark.parametrize("what", ["answer", "answer-after"])
    async def test_a_server_error_of_a_write_is_unsure(
        self, simulator: CloudflareSimulator, provider: Cloudflare, status: int, what: Any
    ) -> None:
        """Whether it was made or not; reading tells."""
        made = change((), (plain("A", "198.51.100.1"),))
        simulator.misbehave(what, writes_only=True, status=status)
        result = await provider.apply(ZONE, [made])
        assert isinstance(result, Indeterminate)
        assert str(status) in result.text
        assert await stands(provider) == (made.after if what == "answer-after" else ())

    async def test_a_write_with_an_answer_that_makes_no_sense_is_unsure(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """Such as a login page of something in between."""
        simulator.misbehave("answer", writes_only=True, status=200, body=b"<html>Log in</html>")
        assert isinstance(await provider.apply(ZONE, [change((), (plain("A", "198.51.100.1"),))]), Indeterminate)

    async def test_a_reading_is_repeated_where_that_helps(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """After a server error, a lost connection, and a rate limit that ends soon."""
        simulator.misbehave("answer", status=502)
        simulator.misbehave("drop-before")
        assert await stands(provider) == ()
        simulator.misbehave("answer", status=429, headers=[("Retry-After", "1")])
        assert await stands(provider) == ()

    async def test_a_reading_is_not_repeated_for_ever(
        self, simulator: CloudflareSimulator, provider: Cloudflare
    ) -> None:
        """Three times at most, and not at all while a rate limit lasts."""
        simulator.misbehave("answer", status=503, times=10)
        with pytest.raises(Unavailable, match="503"):
            await provider.read(ZONE, [WWW])
        assert len(simulator.requests) == 3
        simulator.forget_misbehaviour()
        simulator.misbehave("answer", status=429, headers=[("Retry-After", "240")])
        with pytest.raises(RateLimited) as caught:
            await provider.read(ZONE, [WWW])
        assert caught.value.retry_after == 240

    async def test_a_redirect_is_not_followed(self, simulator: CloudflareSimulator, provider: Cloudflare) -> None:
        """The token goes to the endpoint's host and to no other."""
        with CloudflareSimulator([ZONE]) as elsewhere:
            location = [("Location", f"{elsewhere.endpoint}/zones")]
            simulator.misbehave("answer", status=302, headers=location, times=3)
            with pytest.raises(Rejected, match="redirects"):
                await provider.read(ZONE, [WWW])
            assert not elsewhere.requests

    async def test_an_answer_has_a_largest_size(self, simulator: CloudflareSimulator, provider: Cloudflare) -> None:
        """What is larger is not read to the end."""
        simulator.misbehave("answer", status=200, body=b" " * (MAX_ANSWER + 1), times=3)
        with pytest.raises(Unavailable, match="larger"):
            await provider.read(ZONE, [WWW])

    async def test_an_unknown_certificate_is_refused(self) -> None:
        """TLS is verified, and the token is not sent before that."""
        received: list[bytes] = []

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            received.append(await reader.read(1))
            writer.close()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        provider = Cloudflare("cf", CloudflareOptions(f"https://127.0.0.1:{port}"), {"token": Secret(TOKEN)})
        with pytest.raises(Unavailable, match="certificate"):
            await provider.read(ZONE, [WWW])
        assert not received
        await provider.aclose()
        server.close()

    async def test_a_plain_endpoint_is_reached_without_the_environments_proxy(
        self, simulator: CloudflareSimulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy would see the token."""
        with CloudflareSimulator([ZONE]) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
            provider = Cloudflare("cf", CloudflareOptions(simulator.endpoint), {"token": Secret(TOKEN)})
            assert await stands(provider) == ()
            await provider.aclose()
            assert not proxy.requests


class TestSettings:
    @pytest.mark.parametrize(
        "endpoint",
        [
            "https://api.cloudflare.com/client/v4",
            "https://gateway.shop.example:8443/cf",
            "http://127.0.0.1:8080/client/v4",
            "http://[::1]:8080",
            "http://localhost:1",
        ],
    )
    def test_an_endpoint_is_https_or_on_this_computer(self, endpoint: str) -> None:
        """Plain http never leaves the computer."""
        assert PROVIDER.faults(CloudflareOptions(endpoint)) == []

    @pytest.mark.parametrize(
        "endpoint",
        [
            "http://api.cloudflare.com/client/v4",
            "http://127.0.0.1.shop.example/",
            "http://192.0.2.1/",
            "ftp://127.0.0.1/",
            "api.cloudflare.com",
            "https://",
            "https://user:secret@api.cloudflare.com/",
            "https://api.cloudflare.com/?x=1",
            "https://api.cloudflare.com:port/",
            "https://[::1/",
            "",
        ],
    )
    def test_another_endpoint_is_a_fault(self, endpoint: str) -> None:
        """The fault names the key and what would be right."""
        ((key, right),) = PROVIDER.faults(CloudflareOptions(endpoint))
        assert key == "endpoint"
        assert "https" in right

    def test_the_secret_is_for_the_endpoints_host(self) -> None:
        """Another host means another secret."""
        assert PROVIDER.host(CloudflareOptions()) == "api.cloudflare.com"
        assert PROVIDER.host(CloudflareOptions("https://Gateway.shop.example:8443/cf")) == "gateway.shop.example"
        assert [field.name for field in PROVIDER.secrets(CloudflareOptions())] == ["token"]


def _recordings() -> list[Path]:
    folder = os.environ.get("CHANGEOVER_RECORDINGS")
    return sorted((Path(folder) / "cloudflare").glob("*.json")) if folder else []


@pytest.mark.skipif(not os.environ.get("CHANGEOVER_RECORDINGS"), reason="CHANGEOVER_RECORDINGS is not set")
@pytest.mark.parametrize("file", _recordings(), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(
    file: Path, simulator: CloudflareSimulator, provider: Cloudflare
) -> None:
    """What the real Cloudflare answered is read without loss."""
    conversation = json.loads(file.read_text())
    zones = next(step["response"]["body"] for step in conversation if "/zones?" in step["request"]["url"])
    simulator.misbehave("answer", status=200, body=zones.encode())
    assert "byemike.org" in await provider.zones()
    for step in conversation:
        if step["request"]["method"] != "GET" or "dns_records" not in step["request"]["url"]:
            continue
        recorded = json.loads(step["response"]["body"])["result"]
        names = sorted({record["name"] for record in recorded}) or ["empty.byemike.org"]
        for body in (zones, step["response"]["body"]):
            simulator.misbehave("answer", status=200, body=body.encode())
        # A name that is found empty makes the provider ask for wildcards: the same answer once more.
        simulator.misbehave("answer", status=200, body=step["response"]["body"].encode())
        found = (await provider.read("byemike.org", names)).records
        assert sum(len(r.values) for sets in found.values() for r in sets) == len(recorded)
        simulator.forget_misbehaviour()
