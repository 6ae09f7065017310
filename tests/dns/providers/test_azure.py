"""What is Azure DNS's own: ETags, one set after the other, metadata and aliases, access tokens, its errors."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers.azure import PROVIDER, Azure, AzureOptions
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
from dns_servers.azure_simulator import (
    CLIENT,
    GROUP,
    SUBSCRIPTION,
    TENANT,
    AzureSimulator,
    TenantSimulator,
    forbid,
)
from dns_servers.changes import plain, planned, stands
from dns_servers.recordings import conversation, needs_recordings, recordings

ZONE = "shop.example"
WWW, API = "www.shop.example", "api.shop.example"
SIGN = "_changeover.shop.example"
SECRET = "canary8Q~abcdefghijklmnopqrstuvwxyz01234"
ALIAS = {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/web/providers/Microsoft.Network/publicIPAddresses/front"}


@pytest.fixture
def tenant() -> Iterator[TenantSimulator]:
    with TenantSimulator(SECRET) as running:
        yield running


@pytest.fixture
def simulator(tenant: TenantSimulator) -> Iterator[AzureSimulator]:
    with AzureSimulator([ZONE], tenant) as running:
        running.add(ZONE, "www", "A", 60, "192.0.2.1")
        running.add(ZONE, "api", "CNAME", 60, "primary.example.net")
        yield running


def chosen(simulator: AzureSimulator, tenant: TenantSimulator, **changes: Any) -> AzureOptions:
    ids = {"tenant_id": TENANT, "client_id": CLIENT, "subscription_id": SUBSCRIPTION, "resource_group": GROUP}
    return AzureOptions(**{**ids, "endpoint": simulator.address, "login": tenant.address, **changes})


def opened(options: AzureOptions, secret: str = SECRET, timeout: float = 30) -> Azure:
    return Azure("az", options, {"secret": Secret(secret)}, timeout)


@pytest.fixture
async def provider(simulator: AzureSimulator, tenant: TenantSimulator) -> AsyncIterator[Azure]:
    running = opened(chosen(simulator, tenant))
    yield running
    await running.aclose()


def written(simulator: AzureSimulator) -> list[str]:
    """The sets that were written, in order."""
    return [
        f"{verb} {'/'.join(target.partition('?')[0].split('/')[-2:])}"
        for verb, target in simulator.requests
        if verb in ("PUT", "DELETE")
    ]


class TestSetBySet:
    async def test_what_keeps_its_type_is_replaced_in_place(self, simulator: AzureSimulator, provider: Azure) -> None:
        """What is new comes before what goes, so that there is always an answer."""
        simulator.add(ZONE, "www", "AAAA", 60, "2001:db8::1")
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert written(simulator) == ["PUT A/www", "DELETE AAAA/www"]

    async def test_a_cname_stands_alone(self, simulator: AzureSimulator, provider: Azure) -> None:
        """It goes first, and comes last."""
        change = await planned(provider, plain("A", "198.51.100.1", name=API), plain("AAAA", "2001:db8::1", name=API))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        there = ["DELETE CNAME/api", "PUT A/api", "PUT AAAA/api"]
        assert written(simulator) == [*there, "DELETE A/api", "DELETE AAAA/api", "PUT CNAME/api"]

    @pytest.mark.parametrize("what", ["replaced", "deleted", "created"])
    async def test_a_conflict_on_the_first_set_changes_nothing(
        self, simulator: AzureSimulator, provider: Azure, what: str
    ) -> None:
        """Azure compares each set in the instant of its write."""
        name = {"replaced": WWW, "deleted": API, "created": "new.shop.example"}[what]
        change = await planned(provider, plain("A", "198.51.100.1", name=name))

        def meanwhile() -> None:
            if what == "replaced":
                simulator.add(ZONE, "www", "A", 60, "192.0.2.99")
            elif what == "deleted":
                simulator.add(ZONE, "api", "CNAME", 60, "elsewhere.example.net")
            else:
                simulator.add(ZONE, "new", "A", 60, "192.0.2.99")
            seen.append(simulator.sets(ZONE))

        seen: list[Any] = []
        simulator.before_write = meanwhile
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, PreconditionFailed)
        assert "header was not satisfied" in result.conflicts[0]
        assert simulator.sets(ZONE) == seen[0]

    @pytest.mark.parametrize("rtype", ["A", "CNAME"])
    async def test_a_set_that_is_gone_in_the_last_instant(
        self, simulator: AzureSimulator, provider: Azure, rtype: str
    ) -> None:
        """Is a conflict whether it was to be replaced or deleted; nothing is created in its place."""
        name, label = (WWW, "www") if rtype == "A" else (API, "api")
        change = await planned(provider, plain("A", "198.51.100.1", name=name))
        simulator.before_write = lambda: simulator.remove(ZONE, label, rtype)
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert await stands(provider, name) == ()

    @pytest.mark.parametrize("second", ["of the name", "of another name"])
    async def test_a_conflict_on_a_later_set_says_what_was_done(
        self, simulator: AzureSimulator, provider: Azure, second: str
    ) -> None:
        """That set stays as it is, and what was made before stays made."""
        simulator.add(ZONE, "www", "AAAA", 60, "2001:db8::1")
        change = await planned(provider, plain("A", "198.51.100.1"), plain("AAAA", "2001:db8:1::1"))
        other = await planned(provider, plain("CNAME", "backup.example.net", name=API))
        place = ("www", "AAAA", "2001:db8::99") if second == "of the name" else ("api", "CNAME", "elsewhere.example")

        def meanwhile() -> None:
            simulator.add(ZONE, *place[:2], 60, place[2])

        simulator.before_write = meanwhile
        result = await provider.apply(ZONE, [change] if second == "of the name" else [change, other])
        assert isinstance(result, Indeterminate)
        assert "Done: A at www.shop.example is replaced" in result.text
        assert f"Not done: {place[1]} at {place[0]}.shop.example is replaced" in result.text
        assert any(place[2] in json.dumps(one) for one in simulator.sets(ZONE))

    async def test_a_lost_answer_stops_there(self, simulator: AzureSimulator, provider: Azure) -> None:
        """What comes after is not done; reading tells how far it came."""
        change = await planned(provider, plain("A", "198.51.100.1", name=API))
        simulator.misbehave("drop-after", writes_only=True)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert written(simulator) == ["DELETE CNAME/api"]
        assert await stands(provider, API) == ()

    async def test_what_appears_beside_a_new_cname(self, simulator: AzureSimulator, provider: Azure) -> None:
        """Azure refuses the CNAME; the addresses that went before are told."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        simulator.before_write = lambda: simulator.add(ZONE, "www", "TXT", 60, '"new"')
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "Done: A at www.shop.example is deleted" in result.text
        assert "another record with the same name" in result.text

    async def test_an_etag_is_of_what_was_expected(
        self, simulator: AzureSimulator, provider: Azure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A reading that comes between comparing and writing does not lend its newer ETag to the write."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        write = provider._write

        async def late(zone: str, replacements: Any) -> None:
            simulator.add(ZONE, "www", "A", 60, "192.0.2.99")
            await provider.read(ZONE, [WWW])
            await write(zone, replacements)

        monkeypatch.setattr(provider, "_write", late)
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, PreconditionFailed)
        assert WWW in result.conflicts[0]
        assert not written(simulator)

    async def test_readings_at_the_same_moment_do_not_disturb_a_write(
        self, simulator: AzureSimulator, provider: Azure
    ) -> None:
        """A watch goes on while somebody switches, in a zone that is asked by names."""
        provider._sizes[ZONE] = 5000
        change = await planned(provider, plain("A", "198.51.100.1"), plain("AAAA", "2001:db8::1"))
        watching = [provider.read(ZONE, [WWW, API]) for _ in range(4)]
        results = await asyncio.gather(*watching[:2], provider.apply(ZONE, [change]), *watching[2:])
        assert results[2] == Applied()

    async def test_a_guard_is_read_right_before(self, simulator: AzureSimulator, provider: Azure) -> None:
        """And what happens to it in the last instant is not seen, as the module says."""
        simulator.add(ZONE, "_changeover", "TXT", 60, '"lease one"')
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert isinstance(await provider.apply(ZONE, [change], Guard(SIGN, "lease two")), PreconditionFailed)
        simulator.before_write = lambda: simulator.remove(ZONE, "_changeover", "TXT")
        assert await provider.apply(ZONE, [change], Guard(SIGN, "lease one")) == Applied()

    @pytest.mark.parametrize("before", [None, "lease one"])
    async def test_two_that_put_a_text_at_the_same_moment(
        self, simulator: AzureSimulator, provider: Azure, before: str | None
    ) -> None:
        """One of them is told that it is another's, whether it is created or replaced."""
        if before:
            simulator.add(ZONE, "_changeover", "TXT", 60, f'"{before}"')

        def meanwhile() -> None:
            simulator.remove(ZONE, "_changeover", "TXT")
            simulator.add(ZONE, "_changeover", "TXT", 60, '"lease of another"')

        simulator.before_write = meanwhile
        assert isinstance(await provider.swap_txt(ZONE, SIGN, before, "lease two"), PreconditionFailed)
        (there,) = (await provider.read(ZONE, [SIGN])).records[SIGN]
        assert there.values == ('"lease of another"',)


class TestRecords:
    @pytest.mark.parametrize("key", ["targetResource", "trafficManagementProfile"])
    async def test_an_alias_stops_a_switch(self, simulator: AzureSimulator, provider: Azure, key: str) -> None:
        """It is told at the reading, and one that came since the plan is a conflict; it is never flattened."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.add(ZONE, "www", "A", 60, **{key: ALIAS})
        reading = await provider.read(ZONE, [WWW])
        assert reading.policies == {WWW: "an alias of the Azure resource front"}
        before = simulator.sets(ZONE)
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert simulator.sets(ZONE) == before

    async def test_metadata_and_notation_come_back(self, simulator: AzureSimulator, provider: Azure) -> None:
        """Metadata stays where the type stays, and an undo restores what went with a set."""
        kept = {"team": "shop", "note": "ask first"}
        simulator.add(ZONE, "www", "A", 60, "192.0.2.2", metadata=kept)
        simulator.add(ZONE, "www", "AAAA", 60, "2001:0DB8:0:0::1", metadata=kept)
        simulator.add(ZONE, "api", "CNAME", 60, "Primary.Example.NET.", metadata=kept)
        zone = simulator.sets(ZONE)
        for name, rtype, value in (
            (WWW, "A", "198.51.100.1"),
            (API, "CNAME", "backup.example.net"),
            (API, "A", "192.0.2.9"),
        ):
            change = await planned(provider, plain(rtype, value, name=name))
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await stands(provider, name) == change.after
            same = any(r.type == rtype for r in change.before)
            assert (change.after[0].details.get(value, {}).get("metadata") == kept) is same
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
            assert await stands(provider, name) == change.before
        assert _unordered(simulator.sets(ZONE)) == _unordered(zone)

    async def test_other_types_are_read(self, simulator: AzureSimulator, provider: Azure) -> None:
        """As a zone file has them, by name and from the list; types that are not known are there all the same."""
        simulator.add(ZONE, "www", "MX", 60, "10 mail.shop.example")
        simulator.add(ZONE, "www", "SRV", 60, "1 2 443 a.example.net.")
        simulator.add(ZONE, "www", "CAA", 60, '0 issue "ca.example.net"')
        simulator.add(ZONE, "www", "TXT", 60, '"one" "two"', '"three"')
        expected = {
            "A": ("192.0.2.1",),
            "CAA": ('0 issue "ca.example.net"',),
            "MX": ("10 mail.shop.example.",),
            "SRV": ("1 2 443 a.example.net.",),
            "TXT": ('"one" "two"', '"three"'),
        }
        for number in (0, 400):
            for extra in range(number):
                simulator.add(ZONE, f"n{extra}", "A", 60, "192.0.2.1")
            provider._sizes.clear()
            reading = await provider.read(ZONE, [WWW])
            assert {r.type: r.values for r in reading.records[WWW]} == expected
        tlsa = {**simulator.zones[ZONE].sets["www", "A"], "type": "Microsoft.Network/dnszones/TLSA"}
        simulator.zones[ZONE].sets["www", "TLSA"] = {**tlsa, "properties": {"TTL": 60, "TLSARecords": [{}]}}
        names = [WWW, *(f"n{extra}.shop.example" for extra in range(9))]
        records = (await provider.read(ZONE, names)).records[WWW]
        assert [r.values for r in records if r.type == "TLSA"] == [()]

    async def test_texts_of_any_kind_stay_as_they_are(self, simulator: AzureSimulator, provider: Azure) -> None:
        """Several strings, quotes, backslashes, other scripts, 255 characters, and more than a string can have."""
        strings = [
            ["one", "two"],
            ['say "yes"'],
            ["back\\slash"],
            ["müller"],
            ["x" * 255, "y" * 255],
            ["semi;colon"],
            ["z" * 300],
        ]
        records = [{"value": one} for one in strings]
        simulator.add(ZONE, "_changeover", "TXT", 300, TXTRecords=records)
        for before, after in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
        (one,) = [one for one in simulator.sets(ZONE) if one["name"] == "_changeover"]
        assert sorted(map(str, one["properties"]["TXTRecords"])) == sorted(map(str, records))
        assert one["properties"]["TTL"] == 300

    @pytest.mark.parametrize(("asked", "published"), [(0, 1), (1, 1), (2**31, 2**31 - 1)])
    async def test_a_ttl_is_one_that_azure_takes(self, provider: Azure, asked: int, published: int) -> None:
        """And what is planned is what stands afterwards."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=asked))
        assert [r.ttl for r in change.after] == [published]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    @pytest.mark.parametrize(("rtype", "value"), [("HTTPS", '1 . alpn="h3"'), ("ALIAS", "backup.example.net")])
    async def test_a_type_that_azure_does_not_have(
        self, simulator: AzureSimulator, provider: Azure, rtype: str, value: str
    ) -> None:
        """Is refused in words before anything is written."""
        change = await planned(provider, plain("A", "198.51.100.1"), plain(rtype, value))
        with pytest.raises(Rejected, match=f"no {rtype} records") as caught:
            await provider.apply(ZONE, [change])
        assert caught.value.hint
        assert not written(simulator)

    async def test_no_cname_at_the_apex(self, simulator: AzureSimulator, provider: Azure) -> None:
        """Azure's own words; nothing was changed."""
        assert not provider.capabilities.apex_cname
        before = simulator.sets(ZONE)
        change = await planned(provider, plain("CNAME", "backup.example.net", name=ZONE))
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert simulator.sets(ZONE) == before

    async def test_a_wildcard_itself(self, simulator: AzureSimulator, provider: Azure) -> None:
        """Is a name like any other."""
        simulator.add(ZONE, "*.apps", "A", 60, "192.0.2.40")
        change = await planned(provider, plain("A", "198.51.100.1", name="*.apps.shop.example"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert written(simulator)[-1] in ("PUT A/*.apps", "PUT A/%2A.apps")


def _unordered(sets: list[Any]) -> list[str]:
    return sorted(json.dumps(one, sort_keys=True) for one in sets)


class TestZones:
    async def test_a_large_zone_is_asked_by_names(self, simulator: AzureSimulator, provider: Azure) -> None:
        """Of 5,000 sets the two of the service are read and written, in bounded requests; a small one is listed."""
        await stands(provider)
        assert len(simulator.requests) == 2
        for number in range(5000):
            simulator.add(ZONE, f"n{number}", "A", 60, "192.0.2.1")
        provider._sizes.clear()
        names = [f"n{number}.shop.example" for number in (7, 4007)]
        changes = [await planned(provider, plain("CNAME", "backup.example.net", name=name)) for name in names]
        del simulator.requests[:]
        assert await provider.apply(ZONE, changes) == Applied()
        print(f"two names of 5,000: {len(simulator.requests)} requests")
        assert len(simulator.requests) == 2 * 9 + 4
        del simulator.requests[:]
        assert await provider.read_back(ZONE, changes) == {change.name: change.after for change in changes}
        assert len(simulator.requests) == 2 * 3
        assert len([one for one in simulator.sets(ZONE) if "CNAMERecord" in one["properties"]]) == 3

    async def test_a_zone_that_grew_since_is_not_listed_to_its_end(
        self, simulator: AzureSimulator, provider: Azure
    ) -> None:
        """How large it is was only seen once."""
        await stands(provider)
        for number in range(3000):
            simulator.add(ZONE, f"n{number}", "A", 60, "192.0.2.1")
        del simulator.requests[:]
        assert await stands(provider) == (plain("A", "192.0.2.1"),)
        assert len(simulator.requests) == 3 + 9

    async def test_the_next_page_is_asked_of_the_same_host(
        self, simulator: AzureSimulator, tenant: TenantSimulator, provider: Azure
    ) -> None:
        """Whatever address it is said to have: only its query is used."""
        for number in range(250):
            simulator.add(ZONE, f"n{number}", "A", 60, "192.0.2.1")
        with AzureSimulator([ZONE]) as elsewhere:
            simulator.next_host = elsewhere.address
            names = [WWW, "n240.shop.example"]
            records = (await provider.read(ZONE, names)).records
            assert all(records.values())
            assert not elsewhere.requests

    async def test_a_private_zone_is_refused(self, simulator: AzureSimulator, provider: Azure) -> None:
        """And is not among the account's zones."""
        simulator.create("inside.example", "Private")
        with pytest.raises(Rejected, match="private") as caught:
            await provider.read("inside.example", ["www.inside.example"])
        assert caught.value.hint
        assert await provider.zones() == (ZONE,)

    async def test_all_zones_are_listed(self, simulator: AzureSimulator, provider: Azure) -> None:
        """More than one page of them."""
        for number in range(250):
            simulator.create(f"z{number}.example")
        assert len(await provider.zones()) == 251

    async def test_a_zone_that_is_gone_is_not_an_empty_one(self, simulator: AzureSimulator, provider: Azure) -> None:
        """Whether it is listed or asked by names."""
        await stands(provider)
        zone = simulator.zones.pop(ZONE)
        for size in (0, 5000):
            provider._sizes[ZONE] = size
            with pytest.raises(NotFound, match="not found"):
                await stands(provider)
        simulator.zones[ZONE] = zone
        assert await stands(provider)


class TestPermissions:
    @pytest.mark.parametrize(
        ("permissions", "may_write"),
        [
            ([{"actions": ["*"], "notActions": []}], True),
            ([{"actions": ["microsoft.network/dnszones/*"], "notActions": []}], True),
            ([{"actions": ["*"], "notActions": ["Microsoft.Network/dnsZones/*/write"]}], False),
            ([{"actions": ["*/read"]}, {"actions": ["Microsoft.Network/dnsZones/*"]}], True),
            ([{"actions": ["Microsoft.Network/dnsZones/A/*", "Microsoft.Network/dnsZones/CNAME/*"]}], False),
            ([{"actions": ["*/read"]}], False),
            ([], False),
        ],
    )
    async def test_what_an_app_may_write_is_read(
        self, simulator: AzureSimulator, provider: Azure, permissions: Any, may_write: bool
    ) -> None:
        """Patterns and exceptions, whatever their letter case; nothing is tried."""
        simulator.zones[ZONE].permissions = permissions
        assert (await provider.verify(ZONE, [WWW])).may_write is may_write
        assert not written(simulator)

    async def test_what_cannot_be_read_is_not_known(self, simulator: AzureSimulator, provider: Azure) -> None:
        """The permissions are for some apps not to see."""
        await stands(provider)
        simulator.misbehave("answer", status=200, body=b'{"value": []}')
        body = json.dumps({"error": {"code": "AuthorizationFailed", "message": "No."}}).encode()
        simulator.misbehave("answer", status=200, body=b'{"value": []}')
        simulator.misbehave("answer", status=403, body=body)
        assert (await provider.verify(ZONE, [WWW])).may_write is None

    async def test_a_lock_is_a_permission_that_is_missing(self, simulator: AzureSimulator, provider: Azure) -> None:
        """It is no conflict, although its status is 409; nor is a role that is missing."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.zones[ZONE].locked = True
        with pytest.raises(PermissionDenied, match="locked") as caught:
            await provider.apply(ZONE, [change])
        assert "locks" in caught.value.hint
        forbid(simulator.zones[ZONE])
        with pytest.raises(PermissionDenied, match="authorization"):
            await provider.apply(ZONE, [change])


class TestAccessTokens:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"tenant_id": CLIENT}, "AADSTS90002"),
            ({"client_id": TENANT}, "AADSTS700016"),
            ({}, "AADSTS7000215"),
        ],
    )
    async def test_what_is_refused_is_told_in_its_words(
        self, simulator: AzureSimulator, tenant: TenantSimulator, changes: dict[str, str], words: str
    ) -> None:
        """The wrong tenant, application or secret; the API is not asked."""
        wrong = opened(chosen(simulator, tenant, **changes), SECRET if changes else "wrong-secret-0123456789")
        with pytest.raises(AuthError, match=words) as caught:
            await stands(wrong)
        assert "client secret" in caught.value.hint
        assert not simulator.requests
        await wrong.aclose()

    async def test_a_refused_token_is_replaced_once(
        self, simulator: AzureSimulator, tenant: TenantSimulator, provider: Azure
    ) -> None:
        """Each of the requests that are under way at once gets the same new one."""
        provider._sizes[ZONE] = 5000
        await stands(provider)
        tenant.tokens.clear()
        await stands(provider)
        assert len(tenant.requests) == 2

    async def test_without_a_token_nothing_was_asked(
        self, simulator: AzureSimulator, tenant: TenantSimulator, provider: Azure
    ) -> None:
        """Never unsure; and neither secret nor token shows where they are sent back."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        late = opened(chosen(simulator, tenant), timeout=0.5)
        tenant.misbehave("answer", times=9, status=503)
        with pytest.raises(Unavailable):
            await late.apply(ZONE, [change])
        tenant.forget_misbehaviour()
        body = json.dumps({"error": "invalid_client", "error_description": f"You sent {SECRET}"}).encode()
        tenant.misbehave("answer", status=401, body=body)
        with pytest.raises(AuthError, match="You sent …"):
            await stands(late)
        body = json.dumps({"code": "BadRequest", "message": f"You sent {tenant.tokens[0]}"}).encode()
        simulator.misbehave("answer", writes_only=True, status=400, body=body)
        with pytest.raises(Rejected, match="You sent …"):
            await provider.apply(ZONE, [change])
        await late.aclose()


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (400, {"code": "BadRequest", "message": "The TTL is invalid."}, Rejected, "The TTL is invalid."),
            (404, {"error": {"code": "ResourceNotFound", "message": "Gone."}}, NotFound, "Gone."),
            (401, {"error": {"code": "ExpiredAuthenticationToken", "message": "Expired."}}, AuthError, "Expired."),
            (403, "<html>", PermissionDenied, "status 403"),
            (429, {}, RateLimited, "status 429"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self, simulator: AzureSimulator, provider: Azure, status: int, body: Any, kind: type[ProviderError], words: str
    ) -> None:
        """With or without an envelope, with what to do, and nothing was changed."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, times=2, status=status, body=json.dumps(body).encode())
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert caught.value.hint
        simulator.forget_misbehaviour()
        assert await stands(provider) == change.before

    async def test_a_later_set_that_came_too_early_is_written_when_it_is_allowed(
        self, simulator: AzureSimulator, provider: Azure
    ) -> None:
        """And so is the first, which is compared again."""
        change = await planned(provider, plain("A", "198.51.100.1", name=API))

        def then() -> None:
            simulator.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "0")])

        simulator.before_write = then
        assert await provider.apply(ZONE, [change]) == Applied()
        simulator.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "0")])
        assert await provider.apply(ZONE, [change.inverse]) == Applied()

    @pytest.mark.parametrize("body", [b"<html>Log in</html>", b"", b"{}"])
    async def test_a_yes_of_somebody_else_is_unsure(
        self, simulator: AzureSimulator, provider: Azure, body: bytes
    ) -> None:
        """An answer that shows no record set says nothing."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=200, body=body)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)

    async def test_a_set_that_azure_could_not_publish(self, simulator: AzureSimulator, provider: Azure) -> None:
        """Is not said to be made."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        one = {**simulator.zones[ZONE].sets["www", "A"]}
        one["properties"] = {**one["properties"], "provisioningState": "Failed"}
        simulator.misbehave("answer-after", writes_only=True, status=200, body=json.dumps(one).encode())
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "could not publish" in result.text


class TestSettings:
    @pytest.mark.parametrize(
        ("changes", "keys"),
        [
            ({}, []),
            ({"tenant_id": "shop.onmicrosoft.com"}, []),
            ({"endpoint": "http://127.0.0.1:1", "login": "http://127.0.0.1:2"}, []),
            (
                {"endpoint": "https://management.usgovcloudapi.net", "login": "https://login.microsoftonline.us"},
                [],
            ),
            ({"tenant_id": "..", "client_id": "x", "subscription_id": "../..", "resource_group": "a/b"}, None),
            ({"endpoint": "https://collector.example"}, ["endpoint"]),
            ({"endpoint": "http://management.azure.com"}, ["endpoint"]),
            ({"login": "https://collector.example"}, ["login"]),
            ({"login": "http://127.0.0.1:1"}, ["login"]),
            ({"endpoint": "http://127.0.0.1:1"}, ["login"]),
        ],
    )
    def test_faults_name_the_key(self, changes: dict[str, str], keys: list[str] | None) -> None:
        """The secret goes to Microsoft, or both addresses are this computer's."""
        ids = {"tenant_id": TENANT, "client_id": CLIENT, "subscription_id": SUBSCRIPTION, "resource_group": GROUP}
        options = msgspec.convert({**ids, **changes}, AzureOptions)
        assert [key for key, _ in PROVIDER.faults(options)] == (list(ids) if keys is None else keys)

    def test_the_secret_is_for_where_it_is_sent(self) -> None:
        """Another host means another secret."""
        options = AzureOptions(TENANT, CLIENT, SUBSCRIPTION, GROUP)
        assert PROVIDER.host(options) == "login.microsoftonline.com"
        (field,) = PROVIDER.secrets(options)
        assert re.fullmatch(field.pattern, SECRET)


@needs_recordings
@pytest.mark.parametrize("file", recordings("azure"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(
    file: Path, simulator: AzureSimulator, tenant: TenantSimulator, provider: Azure
) -> None:
    """What the real Azure answered is read without loss. A list of one type stands for one of all types."""
    await stands(provider)
    for step in conversation(file):
        answer, url, method = step["response"], step["request"]["url"], step["request"]["method"]
        body = answer["body"].encode()
        if url.endswith("/token"):
            late = opened(chosen(simulator, tenant))
            tenant.misbehave("answer", status=200, body=body)
            simulator.tenant = None
            await stands(late)
            await late.aclose()
        elif "/dnsZones?" in url:
            simulator.misbehave("answer", status=200, body=body)
            assert await provider.zones() == ("full4ir.tk",)
        elif method == "GET":
            sets = [one for one in json.loads(body)["value"] if not one["type"].endswith("/SOA")]
            names = [one["properties"]["fqdn"].rstrip(".") for one in sets]
            provider._sizes["full4ir.tk"] = len(sets)
            simulator.misbehave("answer", status=200, body=body)
            found = (await provider.read("full4ir.tk", names or ["full4ir.tk"])).records
            assert sum(len(there) for there in found.values()) == len(sets)
            for record in (record for there in found.values() for record in there):
                (one,) = [
                    s
                    for s in sets
                    if s["type"].endswith(f"/{record.type}")
                    and s["name"] in (record.name.removesuffix(".full4ir.tk"), "@")
                ]
                assert len(record.values) == len(one["properties"].get(f"{record.type}Records", [0]))
        elif method == "PUT":
            change = await planned(provider, plain("A", "198.51.100.1"))
            simulator.misbehave("answer", writes_only=True, status=answer["status"], body=body)
            assert await provider.apply(ZONE, [change]) == Applied()
        elif method == "DELETE":
            simulator.add(ZONE, "_changeover", "TXT", 60, '"note one"')
            simulator.misbehave("answer", writes_only=True, status=answer["status"], body=body)
            assert await provider.swap_txt(ZONE, SIGN, "note one", None) == Applied()
            simulator.remove(ZONE, "_changeover", "TXT")


async def test_a_role_on_one_zone_is_enough(simulator: AzureSimulator, provider: Azure) -> None:
    """The zones of the resource group cannot be listed then; this one can be used."""
    simulator.lists_zones = False
    access = await provider.verify(ZONE, [WWW])
    assert (access.zones, access.may_write) == ((ZONE,), True)


async def test_an_empty_record_set_stops_a_switch(simulator: AzureSimulator, provider: Azure) -> None:
    """Azure keeps such sets, and its name servers do not give them: a wildcard may answer instead."""
    simulator._store(simulator.zones[ZONE], "empty", "A", {"TTL": 300})
    reading = await provider.read(ZONE, [f"empty.{ZONE}"])
    assert "empty A record set" in reading.policies[f"empty.{ZONE}"]
