"""What is PowerDNS's own, by its HTTP API: comments, disabled and LUA records, copies, ALIAS, its errors, its requests.

Everything but the errors is asked of a real server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers.powerdns import PROVIDER, PowerDns, PowerDnsOptions
from changeover.model.dns.records import AddressSet
from changeover.model.errors import (
    AuthError,
    Conflict,
    NotFound,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Rejected,
)
from changeover.model.secret import Secret
from contracts import published
from dns_servers.changes import plain, planned, stands
from dns_servers.powerdns_relay import PowerDnsRelay

ZONE = "shop.example"
WWW = "www.shop.example"
SIGN = "_changeover.shop.example"
KEY = "K" * 20
TEXT = """\
@ 3600 SOA ns1 hostmaster 1 3600 600 86400 60
@ 3600 NS ns1
ns1 3600 A 127.0.0.1
@ 60 A 192.0.2.10
www 60 A 192.0.2.1
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PowerDnsRelay]:
    with PowerDnsRelay(tmp_path, ZONE, TEXT, KEY) as running:
        yield running


@pytest.fixture
async def provider(server: PowerDnsRelay) -> AsyncIterator[PowerDns]:
    opened = PowerDns("pd", PowerDnsOptions(server.endpoint, alias=True), {"key": Secret(KEY)}, timeout=30)
    yield opened
    await opened.aclose()


class TestRecords:
    COMMENTS = (
        {"content": "the shop", "account": "alice", "modified_at": 1_700_000_000},
        {"content": "two", "account": ""},
    )

    @pytest.mark.parametrize(
        "after",
        [(plain("A", "198.51.100.1"),), (plain("CNAME", "backup.example.net"),), (plain("AAAA", "2001:db8:1::1"),)],
        ids=["in place", "to CNAME", "to IPv6"],
    )
    @pytest.mark.parametrize("disabled", [False, True], ids=["", "with a disabled record"])
    async def test_comments_and_disabled_records_are_restored(
        self, server: PowerDnsRelay, provider: PowerDns, after: AddressSet, disabled: bool
    ) -> None:
        """Undo brings back every comment, with its author and time, and what was disabled."""
        parked = [{"content": "192.0.2.2", "disabled": True}] if disabled else []
        records = [{"content": "192.0.2.1", "disabled": False}, *parked]
        comments = [{"modified_at": 1_600_000_000, **comment} for comment in self.COMMENTS]
        server.patch(name=f"{WWW}.", type="A", ttl=60, records=records, comments=comments)
        zone = server.records()
        change = await planned(provider, *after)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert server.records() == zone

    async def test_comments_stay_where_the_type_stays(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """They say something about the name, not about one address."""
        server.patch(name=f"{WWW}.", type="A", ttl=60, records=[{"content": "192.0.2.1"}], comments=self.COMMENTS[:1])
        await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1"))])
        (line,) = (json.loads(r) for r in server.records() if "198.51.100.1" in r)
        assert line["comments"] == [self.COMMENTS[0]]

    async def test_a_new_comment_is_a_conflict(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """Somebody who wrote "hands off" since the plan was made is not overruled."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        server.patch(name=f"{WWW}.", type="A", ttl=60, records=[{"content": "192.0.2.1"}], comments=self.COMMENTS[:1])
        zone = server.records()
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert server.records() == zone

    @pytest.mark.parametrize(
        ("rtype", "records", "words"),
        [
            ("LUA", [{"content": "A \"ifportup(443, {'192.0.2.1'})\""}], "LUA"),
            ("A", [{"content": "192.0.2.1"}, {"content": "192.0.2.9", "disabled": True}], "192.0.2.9"),
            ("A", [{"content": "192.0.2.9", "disabled": True}], "disabled"),
        ],
    )
    async def test_what_a_switch_would_flatten_is_told(
        self, server: PowerDnsRelay, provider: PowerDns, rtype: str, records: list[dict[str, Any]], words: str
    ) -> None:
        """Computed answers and parked records are reported, and so refused by the plan."""
        server.patch(name=f"p.{ZONE}.", type=rtype, ttl=60, records=records)
        reading = await provider.read(ZONE, [f"p.{ZONE}", WWW])
        assert list(reading.policies) == [f"p.{ZONE}"]
        assert words in reading.policies[f"p.{ZONE}"]

    async def test_an_apex_can_be_an_alias_and_go_back(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """Beside SOA and NS, where the account says that the server expands it."""
        zone = server.records()
        change = await planned(provider, plain("ANAME", "backup.example.net", name=ZONE))
        assert await provider.apply(ZONE, [change]) == Applied()
        (alias,) = await stands(provider, ZONE)
        assert (alias.type, alias.values, alias.opaque) == ("ALIAS", ("backup.example.net",), True)
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert server.records() == zone
        assert not PowerDns("pd", PowerDnsOptions(server.endpoint), {"key": Secret(KEY)}).capabilities.apex_alias

    async def test_a_cname_at_the_apex_is_refused(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """In the server's words, and nothing is changed, at no name."""
        zone = server.records()
        changes = [await planned(provider, plain("CNAME", "backup.example.net", name=name)) for name in (WWW, ZONE)]
        with pytest.raises(Rejected, match="Conflicts with pre-existing RRset"):
            await provider.apply(ZONE, changes)
        assert server.records() == zone

    async def test_a_text_is_created_replaced_and_removed(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """Although it is no ground for leases, since two may create one at the same moment."""
        zone = server.records()
        assert not provider.capabilities.leases
        for before, after in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
            if after:
                assert await provider.apply(ZONE, [], Guard(SIGN, after)) == Applied()
        assert server.records() == zone


class TestZones:
    async def test_a_copy_is_read_but_not_changed(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """The server itself would take the change, and lose it with the next transfer."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        server.ask("PUT", f"/zones/{ZONE}.", {"kind": "Slave", "masters": ["192.0.2.53"]})
        assert (await provider.verify(ZONE, [WWW])).may_write is False
        with pytest.raises(PermissionDenied, match=r"192\.0\.2\.53") as caught:
            await provider.apply(ZONE, [change])
        assert "account for that server" in caught.value.hint
        server.ask("PUT", f"/zones/{ZONE}.", {"kind": "Native", "masters": []})
        assert await provider.apply(ZONE, [change]) == Applied()

    async def test_all_zones_are_listed(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """Without the final dot."""
        server.ask("POST", "/zones", {"name": f"inner.{ZONE}.", "kind": "Native", "nameservers": []})
        assert sorted(await provider.zones()) == [f"inner.{ZONE}", ZONE]

    async def test_of_a_large_zone_a_few_names_are_read(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """Of 5,000 names two are read, each by itself and with what is disabled there, and only those are written."""
        rrsets = [
            {
                "name": f"n{n}.{ZONE}.",
                "type": "A",
                "ttl": 60,
                "changetype": "REPLACE",
                "records": [{"content": "192.0.2.1"}],
            }
            for n in range(5000)
        ]
        server.ask("PATCH", f"/zones/{ZONE}.", {"rrsets": rrsets})
        changes = [await planned(provider, plain("A", "198.51.100.1", name=f"n{n}.{ZONE}")) for n in (7, 4999)]
        del server.requests[:], server.bodies[:]
        assert await provider.apply(ZONE, changes) == Applied()
        asked = [target.partition("?")[2] or method for method, target in server.requests]
        assert sorted(one for one in asked if "rrset_name" in one) == [f"rrset_name=n{n}.{ZONE}." for n in (4999, 7)]
        assert len(asked) == 5
        assert asked[-1] == "PATCH"
        (body,) = server.bodies
        assert [one["name"] for one in json.loads(body)["rrsets"]] == [f"n7.{ZONE}.", f"n4999.{ZONE}."]
        assert provider.race_window is not None

    async def test_many_names_are_read_at_once_and_a_zone_that_is_too_large_name_by_name(
        self, server: PowerDnsRelay, provider: PowerDns, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One request for 30 names, as long as one answer holds the zone."""
        names = [WWW, *(f"n{n}.{ZONE}" for n in range(30))]
        for name in names[1:]:
            server.patch(name=f"{name}.", type="A", ttl=60, records=[{"content": "192.0.2.1"}])
        del server.requests[:]
        whole = await provider.read(ZONE, names)
        assert len(server.requests) == 1
        monkeypatch.setattr("changeover.dns.http.api.MAX_ANSWER", 2000)
        assert await provider.read(ZONE, names) == whole
        assert sum("rrset_name" in target for _, target in server.requests) >= 31

    @pytest.mark.parametrize("status", [200, 404, 422, 500])
    async def test_a_server_whose_search_finds_nothing_is_read_whole(
        self, server: PowerDnsRelay, provider: PowerDns, status: int
    ) -> None:
        """Some backends have none: what is disabled is seen all the same."""
        records = [{"content": "192.0.2.1"}, {"content": "192.0.2.9", "disabled": True}]
        server.patch(name=f"p.{ZONE}.", type="A", ttl=60, records=records)
        server.misbehave("answer", status=status, body=b"[]")
        reading = await provider.read(ZONE, [f"p.{ZONE}"])
        assert "192.0.2.9" in reading.policies[f"p.{ZONE}"]

    async def test_only_what_stands_at_the_name_itself_counts(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """A search also finds what leads to the name, and the same name in another zone."""
        server.patch(name=f"to.{ZONE}.", type="CNAME", ttl=60, records=[{"content": f"{WWW}.", "disabled": True}])
        before = (await provider.read(ZONE, [WWW])).records
        inner = {"name": f"{WWW}.", "kind": "Native", "nameservers": [], "rrsets": []}
        server.ask("POST", "/zones", inner)
        parked = {"content": "192.0.2.9", "disabled": True}
        rrset = {"changetype": "REPLACE", "name": f"{WWW}.", "type": "A", "ttl": 60, "records": [parked]}
        server.ask("PATCH", f"/zones/{WWW}.", {"rrsets": [rrset]})
        found = await provider.read(ZONE, [WWW])
        assert found.policies == {}
        assert found.records == before

    async def test_a_reverse_zone_below_an_octet_is_one_segment_of_the_path(
        self, server: PowerDnsRelay, provider: PowerDns
    ) -> None:
        """RFC 2317 names such zones with a slash."""
        zone = "0/25.2.0.192.in-addr.arpa"
        server.ask("POST", "/zones", {"name": f"{zone}.", "kind": "Native", "nameservers": []})
        assert zone in await provider.zones()
        assert (await provider.read(zone, [zone])).records[zone][0].type == "SOA"


class TestEndpoint:
    @pytest.mark.parametrize("path", ["", "/", "/api", "/api/v1/servers", "/api/v1/servers/localhost", "/api/v2"])
    async def test_a_wrong_path_is_told_with_the_right_one(self, server: PowerDnsRelay, path: str) -> None:
        """Never that the server shows no zone."""
        wrong = PowerDns("pd", PowerDnsOptions(server.address + path), {"key": Secret(KEY)})
        for ask in (wrong.zones(), wrong.read(ZONE, [WWW]), wrong.verify(ZONE, [WWW])):
            with pytest.raises(NotFound, match=f"answers, but the API is at {re.escape(server.endpoint)}$") as caught:
                await ask
            assert f'endpoint = "{server.endpoint}"' in caught.value.hint
        await wrong.aclose()

    @pytest.mark.parametrize("path", ["/pdns", "/pdns/", "/pdns/api", "/pdns/api/"])
    async def test_a_proxy_may_have_it_below_a_path(self, server: PowerDnsRelay, path: str) -> None:
        """Which is not taken away; whatever the proxy says yes to beside it is not taken for the API."""
        server.proxied_at = "/pdns"
        wrong = PowerDns("pd", PowerDnsOptions(server.address + path), {"key": Secret(KEY)})
        for ask in (wrong.zones(), wrong.read(ZONE, [WWW])):
            with pytest.raises(NotFound, match=f"the API is at {server.address}/pdns/api/v1$"):
                await ask
        await wrong.aclose()

    @pytest.mark.parametrize("more", ["", "/"])
    async def test_a_slash_at_its_end_changes_nothing(self, server: PowerDnsRelay, more: str) -> None:
        """The zone is read."""
        opened = PowerDns("pd", PowerDnsOptions(server.endpoint + more), {"key": Secret(KEY)})
        assert ZONE in await opened.zones()
        assert (await opened.read(ZONE, [WWW])).records[WWW]
        await opened.aclose()

    async def test_another_server_id_is_told(self, server: PowerDnsRelay) -> None:
        """The endpoint is right, so that it is not the endpoint that is blamed alone."""
        wrong = PowerDns("pd", PowerDnsOptions(server.endpoint, server="other"), {"key": Secret(KEY)})
        with pytest.raises(NotFound, match="no server other"):
            await wrong.zones()
        await wrong.aclose()

    async def test_a_zone_that_is_not_there_is_told_as_that(self, provider: PowerDns) -> None:
        """Where the endpoint is right."""
        with pytest.raises(NotFound, match=r"^PowerDNS shows no zone nowhere\.example to account pd$"):
            await provider.read("nowhere.example", ["www.nowhere.example"])


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (401, b"Unauthorized", AuthError, "Unauthorized"),
            (403, b"<h1>Forbidden</h1>", PermissionDenied, "Forbidden"),
            (404, b"Not Found", NotFound, "Not Found"),
            (409, b'{"error": "Domain locked"}', Conflict, "Domain locked"),
            (422, b'{"error": "RRset x IN A: TTL", "errors": ["one", "two"]}', Rejected, "TTL; one; two"),
            (422, b'{"error": "\\u001b[31m' + KEY.encode() + b'\\n"}', Rejected, "…"),
            (429, b"", RateLimited, "nothing more"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self,
        server: PowerDnsRelay,
        provider: PowerDns,
        status: int,
        body: bytes,
        kind: type[ProviderError],
        words: str,
    ) -> None:
        """Once, on one line, with what to do, and without the key, should the server repeat it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        server.misbehave("answer", writes_only=True, status=status, body=body)
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert caught.value.text.isprintable()
        assert KEY not in caught.value.text
        assert caught.value.hint
        assert [method for method, _ in server.requests].count("PATCH") == 1

    async def test_a_write_that_came_too_early_is_made_later(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """After 429 with Retry-After nothing was written: it is compared and written again, when that is allowed."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        server.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "0")])
        del server.requests[:]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert [method for method, _ in server.requests] == ["GET", "GET", "PATCH", "GET", "GET", "PATCH"]

    async def test_a_write_does_not_wait_for_ever(self, server: PowerDnsRelay, provider: PowerDns) -> None:
        """A long wait is told instead."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        server.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "240")])
        async with asyncio.timeout(20):
            with pytest.raises(RateLimited) as caught:
                await provider.apply(ZONE, [change])
        assert caught.value.retry_after == 240

    @pytest.mark.parametrize("what", ["answer", "answer-after"])
    async def test_a_server_error_of_a_write_is_unsure(
        self, server: PowerDnsRelay, provider: PowerDns, what: Any
    ) -> None:
        """Whether it was made or not; reading tells."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        server.misbehave(what, writes_only=True, status=500, body=b'{"error": "Backend"}')
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert await stands(provider) == (change.after if what == "answer-after" else change.before)


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (PowerDnsOptions("https://ns1.shop.example:8081/api/v1"), []),
            (PowerDnsOptions("http://127.0.0.1:8081/api/v1", server="my-server_1"), []),
            (PowerDnsOptions("http://ns1.shop.example:8081/api/v1"), ["endpoint"]),
            (PowerDnsOptions("https://ns1.shop.example/", server="a/../b"), ["server"]),
        ],
    )
    def test_faults_name_the_key(self, options: PowerDnsOptions, keys: list[str]) -> None:
        """Plain http never leaves the computer, and a server's id is no path."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_key_is_for_the_endpoints_host(self) -> None:
        """Another host means another secret."""
        assert PROVIDER.host(PowerDnsOptions("https://NS1.shop.example:8081/api/v1")) == "ns1.shop.example"
        assert [field.name for field in PROVIDER.secrets(PowerDnsOptions("https://x.example"))] == ["key"]


def _recordings() -> list[Path]:
    folder = os.environ.get("CHANGEOVER_RECORDINGS")
    return sorted((Path(folder) / "powerdns").glob("*.json")) if folder else []


@pytest.mark.skipif(not os.environ.get("CHANGEOVER_RECORDINGS"), reason="CHANGEOVER_RECORDINGS is not set")
@pytest.mark.parametrize("file", _recordings(), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, server: PowerDnsRelay, provider: PowerDns) -> None:
    """What older real servers answered is read without loss."""
    with contextlib.suppress(NotFound):  # so that it is known that its zones are not found by a search
        await provider.read("sometestdomain.com", ["www.sometestdomain.com"])
    for step in json.loads(file.read_text()):
        if step["request"]["method"] != "GET":
            continue
        answer, body = step["response"], json.loads(step["response"]["body"])
        server.misbehave("answer", status=answer["status"], body=answer["body"].encode())
        if "error" in body:
            with pytest.raises(NotFound):
                await provider.read("sometestdomain.com", ["www.sometestdomain.com"])
            continue
        names = [one["name"].rstrip(".") for one in body["rrsets"]] or ["empty.sometestdomain.com"]
        found = (await provider.read("sometestdomain.com", names)).records
        count = sum(len(one["records"]) for one in body["rrsets"])
        assert sum(len(r.values) for sets in found.values() for r in sets) == count


async def test_requests_are_as_the_published_description_says(server: PowerDnsRelay, provider: PowerDns) -> None:
    """Every record set in a request has the described fields and no others, with the described types."""
    schemas = published("powerdns.json")["components"]["schemas"]
    comment = {"content": "mine", "account": "me", "modified_at": 1}
    server.patch(name=f"{WWW}.", type="A", ttl=60, records=[{"content": "192.0.2.1"}], comments=[comment])
    change = await planned(provider, plain("CNAME", "backup.example.net"))
    for one in (change, change.inverse):
        assert await provider.apply(ZONE, [one]) == Applied()
    for body in server.bodies:
        for rrset in json.loads(body)["rrsets"]:
            _check(schemas, "RRSet", rrset)
            # The description demands ttl and records of every set, and forbids ttl in words where one is deleted.
            expected = {"ttl", "records"} if rrset["changetype"] == "REPLACE" else set()
            assert {"name", "type", *expected} <= set(rrset)


def _check(schemas: dict[str, Any], name: str, value: dict[str, Any]) -> None:
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list}
    described = schemas[name]["properties"]
    assert set(value) <= set(described)
    for key, member in value.items():
        assert isinstance(member, kinds[described[key]["type"]]), key
        items = described[key].get("items", {}).get("$ref")
        for one in member if items else ():
            _check(schemas, items.rpartition("/")[2], one)
