"""What is DNSimple's own: accounts, batches and plans, policies, children of ALIAS, distribution, its errors."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from changeover.dns.provider import Access, Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers import dnsimple
from changeover.dns.providers.dnsimple import PROVIDER, DnSimple, DnsimpleOptions
from changeover.model.dns.change import Change
from changeover.model.dns.records import hostname
from changeover.model.errors import (
    AuthError,
    NotFound,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Rejected,
)
from changeover.model.secret import Secret
from dns_servers import changes
from dns_servers.changes import planned, stands
from dns_servers.dnsimple_simulator import ACCOUNT, DnSimpleSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings

ZONE = "shop.example"
plain = partial(changes.plain, ttl=3600)
WWW, API = "www.shop.example", "api.shop.example"
SIGN = "_changeover.shop.example"
TOKEN = "dnsimple_a_" + "T" * 32


@pytest.fixture
def simulator() -> Iterator[DnSimpleSimulator]:
    with DnSimpleSimulator([ZONE], TOKEN) as running:
        running.add(ZONE, "www", "A", 3600, "192.0.2.1", note="the old server")
        yield running


def opened(simulator: DnSimpleSimulator, **options: Any) -> DnSimple:
    return DnSimple("ds", DnsimpleOptions(simulator.endpoint, **options), {"token": Secret(TOKEN)}, timeout=30)


@pytest.fixture
async def provider(simulator: DnSimpleSimulator) -> AsyncIterator[DnSimple]:
    """With batches."""
    batching = opened(simulator, batch=True)
    yield batching
    await batching.aclose()


@pytest.fixture
async def single(simulator: DnSimpleSimulator) -> AsyncIterator[DnSimple]:
    """Record by record."""
    simulator.batches = False
    by_record = opened(simulator)
    yield by_record
    await by_record.aclose()


def ids(simulator: DnSimpleSimulator, name: str = "www") -> dict[str, int]:
    return {f"{r['type']} {r['content']}": r["id"] for r in simulator.records(ZONE) if r["name"] == name}


class TestAccounts:
    async def test_the_account_is_the_tokens(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """Asked for once."""
        await provider.read(ZONE, [WWW])
        await provider.read(ZONE, [WWW])
        asked = [target.removeprefix("/v2") for _, target in simulator.requests]
        assert asked[:2] == ["/whoami", f"/{ACCOUNT}/zones/{ZONE}"]
        assert len(asked) == 4

    async def test_a_users_token_with_one_account_needs_no_more(
        self, simulator: DnSimpleSimulator, provider: DnSimple
    ) -> None:
        """It is the account."""
        simulator.user_token = True
        assert await stands(provider)

    async def test_a_users_token_with_several_accounts_needs_the_id(
        self, simulator: DnSimpleSimulator, provider: DnSimple
    ) -> None:
        """The error names them and the key. With it nobody is asked."""
        simulator.user_token, simulator.accounts = True, [ACCOUNT, 2020]
        with pytest.raises(Rejected, match=f"{ACCOUNT}, 2020") as caught:
            await provider.read(ZONE, [WWW])
        assert "account_id" in caught.value.hint
        del simulator.requests[:]
        named = opened(simulator, account_id=str(ACCOUNT))
        assert await stands(named)
        assert len(simulator.requests) == 2
        await named.aclose()

    @pytest.mark.parametrize(
        ("state", "words"), [("active", "services are off"), ("secondary", "copy"), ("reverse", "reverse")]
    )
    async def test_a_zone_that_moves_no_visitor_is_refused_when_it_is_read(
        self, simulator: DnSimpleSimulator, provider: DnSimple, state: str, words: str
    ) -> None:
        """Not in the middle of a switch, and with what to do."""
        simulator.zones[ZONE].state[state] = state != "active"
        with pytest.raises(Rejected, match=words) as caught:
            await provider.read(ZONE, [WWW])
        assert caught.value.hint
        simulator.zones[ZONE].state[state] = state == "active"
        assert await stands(provider)

    async def test_a_zone_that_was_deleted_since_is_not_found(
        self, simulator: DnSimpleSimulator, provider: DnSimple
    ) -> None:
        """Although it was known before."""
        await provider.read(ZONE, [WWW])
        del simulator.zones[ZONE]
        with pytest.raises(NotFound, match=r"Zone `shop\.example` not found"):
            await provider.read(ZONE, [WWW])


class TestBatches:
    async def test_all_names_move_in_one_request(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """Nothing else is in it. Reading one page, writing, and one look whether it is distributed."""
        for number in range(20):
            simulator.add(ZONE, f"n{number}", "A", 3600, "192.0.2.1")
        names = [f"n{number}.{ZONE}" for number in range(20)]
        changes = [await planned(provider, plain("CNAME", "backup.example.net", name=name)) for name in names]
        del simulator.requests[:], simulator.bodies[:]
        assert await provider.apply(ZONE, changes) == Applied()
        assert [method for method, _ in simulator.requests] == ["GET", "POST", "GET"]
        assert {kind: len(parts) for kind, parts in json.loads(simulator.bodies[0]).items()} == {
            "deletes": 20,
            "creates": 20,
        }

    @pytest.mark.parametrize("batch", [True, False])
    async def test_what_keeps_its_type_keeps_its_record(self, simulator: DnSimpleSimulator, batch: bool) -> None:
        """And so its note, which only the web shows."""
        provider = opened(simulator, batch=batch)
        before = simulator.records(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1", "198.51.100.2"))
        number = ids(simulator)["A 192.0.2.1"]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert ids(simulator)["A 198.51.100.1"] == number
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == before
        await provider.aclose()

    async def test_one_fault_and_nothing_is_changed(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """A CNAME at the apex is refused in DNSimple's words, and the other name stays."""
        zone = simulator.records(ZONE)
        changes = [await planned(provider, plain("CNAME", "backup.example.net", name=name)) for name in (WWW, ZONE)]
        with pytest.raises(Rejected, match="a CNAME must stand alone"):
            await provider.apply(ZONE, changes)
        assert simulator.records(ZONE) == zone

    async def test_a_plan_without_batches_is_told_what_to_set(
        self, simulator: DnSimpleSimulator, provider: DnSimple
    ) -> None:
        """When the account is verified, and not only in the middle of a switch."""
        simulator.batches = False
        change = await planned(provider, plain("A", "198.51.100.1"))
        zone = simulator.records(ZONE)
        for attempt in (provider.verify(ZONE, [WWW]), provider.apply(ZONE, [change])):
            with pytest.raises(PermissionDenied, match="feature is not enabled") as caught:
                await attempt
            assert "batch = false" in caught.value.hint
        assert simulator.records(ZONE) == zone

    async def test_a_zone_that_takes_no_batch_leaves_it_open_what_the_token_may(
        self, simulator: DnSimpleSimulator, provider: DnSimple
    ) -> None:
        """An integrated zone refuses any batch, and says so when one is made."""
        simulator.zones[ZONE].integrated = True
        assert (await provider.verify(ZONE, [WWW])).may_write is None
        with pytest.raises(Rejected, match="integrated"):
            await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1"))])

    @pytest.mark.parametrize("batch", [True, False])
    async def test_a_text_is_created_replaced_and_removed(self, simulator: DnSimpleSimulator, batch: bool) -> None:
        """Although it is no ground for leases, since two may create one at the same moment."""
        provider = opened(simulator, batch=batch)
        zone = simulator.records(ZONE)
        assert not provider.capabilities.leases
        for before, after in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
            if after:
                assert await provider.apply(ZONE, [], Guard(SIGN, after)) == Applied()
        assert simulator.records(ZONE) == zone
        await provider.aclose()

    @pytest.mark.parametrize("batch", [True, False])
    async def test_a_record_that_vanished_stops_the_write(self, simulator: DnSimpleSimulator, batch: bool) -> None:
        """Nothing was changed, at no name."""
        provider = opened(simulator, batch=batch)
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.remove(ZONE, "www", "A")
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert not simulator.records(ZONE)
        await provider.aclose()


class TestRecordByRecord:
    async def test_a_failure_half_way_says_what_was_done(self, simulator: DnSimpleSimulator, single: DnSimple) -> None:
        """The first record is replaced, the second request is refused."""
        simulator.add(ZONE, "www", "A", 3600, "192.0.2.2")
        change = await planned(single, plain("A", "198.51.100.1", "198.51.100.2"))
        simulator.before_write = lambda: simulator.misbehave(
            "answer", writes_only=True, status=400, body=b'{"message":"no"}'
        )
        result = await single.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "A 192.0.2.1 at www.shop.example is now 198.51.100.1" in result.text
        assert "no (status 400)" in result.text
        assert [r.values for r in await stands(single)] == [("192.0.2.2", "198.51.100.1")]

    async def test_an_answer_that_is_lost_half_way_says_how_far_it_came(
        self, simulator: DnSimpleSimulator, single: DnSimple
    ) -> None:
        """A change of type is a deletion and a creation. Reading tells the rest."""
        change = await planned(single, plain("CNAME", "backup.example.net"))
        simulator.misbehave("drop-after", writes_only=True)
        assert isinstance(await single.apply(ZONE, [change]), Indeterminate)
        assert await stands(single) == ()

    async def test_records_of_one_set_may_have_ttls_of_their_own(
        self, simulator: DnSimpleSimulator, single: DnSimple
    ) -> None:
        """The set has the longest; undo restores each."""
        simulator.add(ZONE, "www", "A", 60, "192.0.2.2")
        zone = sorted(simulator.records(ZONE), key=lambda r: r["content"])
        change = await planned(single, plain("A", "198.51.100.1"))
        assert [r.ttl for r in change.before] == [3600]
        assert await single.apply(ZONE, [change]) == Applied()
        assert await single.apply(ZONE, [change.inverse]) == Applied()
        after = sorted(simulator.records(ZONE), key=lambda r: r["content"])
        assert [(r["content"], r["ttl"]) for r in after] == [(r["content"], r["ttl"]) for r in zone]


class TestAlias:
    @pytest.mark.parametrize("batch", [True, False])
    async def test_an_alias_at_the_apex_comes_and_goes(self, simulator: DnSimpleSimulator, batch: bool) -> None:
        """With the text that DNSimple keeps beside it, which nobody sees; other texts stay."""
        provider = opened(simulator, batch=batch)
        simulator.add(ZONE, "", "A", 3600, "192.0.2.1")
        simulator.add(ZONE, "", "TXT", 3600, "v=spf1 -all")
        change = await planned(provider, plain("ANAME", "backup.example.net", name=ZONE))
        assert [(r.type, r.opaque) for r in change.after] == [("ALIAS", True)]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider, ZONE) == change.after
        assert "TXT ALIAS for backup.example.net" in ids(simulator, "")
        there = (await provider.read(ZONE, [ZONE])).records[ZONE]
        assert [r.values for r in there if r.type == "TXT"] == [('"v=spf1 -all"',)]
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert {*ids(simulator, "")} == {"A 192.0.2.1", "TXT v=spf1 -all"}
        await provider.aclose()

    async def test_the_text_of_an_alias_is_no_obstacle_for_a_cname(
        self, simulator: DnSimpleSimulator, provider: DnSimple
    ) -> None:
        """It goes with the ALIAS."""
        simulator.add(ZONE, "api", "ALIAS", 3600, "primary.example.net")
        change = await planned(provider, plain("CNAME", "backup.example.net", name=API))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert {*ids(simulator, "api")} == {"CNAME backup.example.net"}


class TestPolicies:
    @pytest.mark.parametrize(
        ("rtype", "content", "more", "words"),
        [
            ("URL", "https://elsewhere.example/", {}, "redirects"),
            ("POOL", "one.example.net", {}, "by chance"),
            ("A", "192.0.2.9", {"regions": ["SV1", "AMS"]}, "regions SV1, AMS"),
        ],
    )
    async def test_what_answers_otherwise_than_it_says_is_told(
        self, simulator: DnSimpleSimulator, provider: DnSimple, rtype: str, content: str, more: Any, words: str
    ) -> None:
        """A redirect, a choice by chance, an answer for some regions."""
        simulator.add(ZONE, "api", rtype, 3600, content, **more)
        reading = await provider.read(ZONE, [API, WWW])
        assert words in reading.policies[API]
        assert WWW not in reading.policies

    async def test_what_dnsimple_manages_is_told(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """It cannot be changed."""
        number = simulator.add(ZONE, "api", "A", 3600, "192.0.2.9")
        simulator.zones[ZONE].records[number]["system_record"] = True
        assert "manages itself" in (await provider.read(ZONE, [API])).policies[API]

    async def test_regions_are_restored(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """Should such a record be switched all the same, its undo loses nothing."""
        simulator.add(ZONE, "api", "A", 3600, "192.0.2.9", regions=["AMS"])
        zone = simulator.records(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1", name=API))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider, API) == change.after
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone


class TestValues:
    @pytest.mark.parametrize(("asked", "published"), [(1, 60), (60, 60), (90000, 90000)])
    async def test_a_ttl_is_one_that_dnsimple_offers(self, provider: DnSimple, asked: int, published: int) -> None:
        """And what is planned is what stands afterwards."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=asked))
        assert [r.ttl for r in change.after] == [published]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    @pytest.mark.parametrize(
        ("rtype", "content", "priority", "value"),
        [
            ("TXT", "v=spf1 -all", None, '"v=spf1 -all"'),
            ("TXT", '"one" "two"', None, '"one" "two"'),
            ("TXT", 'say "hello" \\ back', None, '"say \\"hello\\" \\\\ back"'),
            ("TXT", "x" * 300, None, f'"{"x" * 255}" "{"x" * 45}"'),
            ("MX", "mail.example.net", 10, "10 mail.example.net."),
            ("SRV", "5 5060 sip.example.net", 10, "10 5 5060 sip.example.net."),
            ("CAA", '0 issue "ca.example"', None, '0 issue "ca.example"'),
            ("HTTPS", '1 . alpn="h2"', None, '1 . alpn="h2"'),
            ("HTTPS", ". alpn=h2", 1, '1 . alpn="h2"'),
            ("HTTPS", "svc.example.net alpn=h2", 0, "0 svc.example.net alpn=h2"),
            ("CNAME", "Primary.Example.NET.", None, "primary.example.net"),
            ("AAAA", "2001:DB8:0:0::1", None, "2001:db8::1"),
        ],
    )
    async def test_contents_are_read_as_a_zone_file_has_them(
        self,
        simulator: DnSimpleSimulator,
        provider: DnSimple,
        rtype: str,
        content: str,
        priority: int | None,
        value: str,
    ) -> None:
        """Priorities stand apart, and texts with or without quotes. What cannot be read stays as it is."""
        number = simulator.add(ZONE, "x", rtype, 60, content, priority=priority)
        simulator.zones[ZONE].records[number]["priority"] = priority
        (found,) = (await provider.read(ZONE, [f"x.{ZONE}"])).records[f"x.{ZONE}"]
        assert (found.type, found.values) == (rtype, (value,))

    @pytest.mark.parametrize("batch", [True, False])
    @pytest.mark.parametrize(
        ("rtype", "content"), [("CNAME", "Primary.Example.NET"), ("AAAA", "2001:DB8:0:0::1"), ("HTTPS", "1 . alpn=h3")]
    )
    async def test_undo_restores_the_notation(
        self, simulator: DnSimpleSimulator, batch: bool, rtype: str, content: str
    ) -> None:
        """Upper case, long addresses, no quotes: as they stood."""
        provider = opened(simulator, batch=batch)
        simulator.add(ZONE, "api", rtype, 3600, content)
        change = await planned(provider, plain("A", "198.51.100.1", name=API))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert {*ids(simulator, "api")} == {f"{rtype} {content}"}
        await provider.aclose()

    async def test_a_value_that_stays_is_not_written(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """In whatever notation it stands."""
        simulator.add(ZONE, "api", "AAAA", 3600, "2001:DB8:0:0::1")
        simulator.add(ZONE, "api", "A", 3600, "192.0.2.1")
        change = await planned(provider, plain("AAAA", "2001:db8::1", name=API), plain("A", "192.0.2.9", name=API))
        del simulator.bodies[:]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert [[part["content"] for part in json.loads(simulator.bodies[0])["updates"]]] == [["192.0.2.9"]]
        assert len(json.loads(simulator.bodies[0])) == 1

    @pytest.mark.parametrize("label", ["*", "*.apps", "_a.b_c", hostname("bücher.example").partition(".")[0]])
    async def test_unusual_names(self, simulator: DnSimpleSimulator, provider: DnSimple, label: str) -> None:
        """Wildcards, underscores and A-labels are asked for and written as they are."""
        simulator.add(ZONE, label, "A", 3600, "192.0.2.1")
        name = f"{label}.{ZONE}"
        change = await planned(provider, plain("CNAME", "backup.example.net", name=name))
        assert change.before == (plain("A", "192.0.2.1", name=name),)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert {*ids(simulator, label)} == {"CNAME backup.example.net"}

    @pytest.mark.parametrize("names", [[API], [API, WWW]], ids=["alone", "of two"])
    @pytest.mark.parametrize("batch", [True, False])
    async def test_a_name_with_capital_letters_is_switched(
        self, simulator: DnSimpleSimulator, batch: bool, names: list[str]
    ) -> None:
        """In place, so it stays spelled so. What must be created anew is in lower case: DNSimple takes nothing else."""
        provider = opened(simulator, batch=batch)
        simulator.add(ZONE, "Api", "A", 3600, "192.0.2.5")
        zone = simulator.records(ZONE)
        assert [r.values for r in (await provider.read(ZONE, names)).records[API]] == [("192.0.2.5",)]
        change = await planned(provider, plain("A", "198.51.100.1", name=API))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert (ids(simulator, "Api").keys(), ids(simulator, "api")) == ({"A 198.51.100.1"}, {})
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone
        other = await planned(provider, plain("CNAME", "backup.example.net", name=API))
        assert await provider.apply(ZONE, [other]) == Applied()
        assert await provider.apply(ZONE, [other.inverse]) == Applied()
        assert await stands(provider, API) == change.before
        assert (ids(simulator, "Api"), ids(simulator, "api").keys()) == ({}, {"A 192.0.2.5"})
        await provider.aclose()

    async def test_a_long_text_stays_as_it_is(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """Beside another that is put there."""
        long = " ".join(f'"{c * 255}"' for c in "ab")
        simulator.add(ZONE, "_changeover", "TXT", 300, long)
        zone = simulator.records(ZONE)
        assert await provider.swap_txt(ZONE, SIGN, None, "note one") == Applied()
        assert await provider.swap_txt(ZONE, SIGN, "note one", None) == Applied()
        assert simulator.records(ZONE) == zone


class TestLargeZones:
    @pytest.mark.parametrize("batch", [True, False])
    async def test_of_5000_records_two_are_written(self, simulator: DnSimpleSimulator, batch: bool) -> None:
        """By names, where the pages would be more; the requests are few."""
        for number in range(5000):
            simulator.add(ZONE, f"n{number}", "A", 3600, "192.0.2.1")
        names = [f"n4000.{ZONE}", f"n4999.{ZONE}"]
        provider = opened(simulator, batch=batch)
        others = [r for r in simulator.records(ZONE) if r["name"] not in ("n4000", "n4999")]
        records = (await provider.read(ZONE, names)).records
        reading = len(simulator.requests)
        changes = [
            Change(account="ds", zone=ZONE, name=n, before=records[n], after=(plain("A", "198.51.100.1", name=n),))
            for n in names
        ]
        assert await provider.apply(ZONE, changes) == Applied()
        print(f"{reading} requests of reading at first, {len(simulator.requests) - reading} of the switch")
        assert reading == 2 + 2 + 2
        assert len(simulator.requests) - reading == 4 + 2
        assert len(simulator.bodies) == (1 if batch else 2)
        assert [r for r in simulator.records(ZONE) if r["name"] not in ("n4000", "n4999")] == others
        for name in names:
            assert [r.values for r in await stands(provider, name)] == [("198.51.100.1",)]
        await provider.aclose()

    @pytest.mark.parametrize("names", [[API], [API, WWW]], ids=["alone", "of two"])
    async def test_a_name_with_capital_letters_is_refused_until_it_is_written_in_lower_case(
        self, simulator: DnSimpleSimulator, single: DnSimple, names: list[str]
    ) -> None:
        """Asked for by its name it might be missing, and another be created beside it."""
        number = simulator.add(ZONE, "Api", "A", 3600, "192.0.2.5")
        for other in range(150):
            simulator.add(ZONE, f"n{other}", "A", 3600, "192.0.2.1")
        assert await stands(single)
        with pytest.raises(Rejected, match=r"has api\.shop\.example as Api\.shop\.example") as caught:
            await single.read(ZONE, names)
        assert "in lower case" in caught.value.hint
        simulator.zones[ZONE].records[number]["name"] = "api"
        assert (await single.read(ZONE, names)).records[API]

    async def test_a_name_without_records_is_looked_for_everywhere_once(
        self, simulator: DnSimpleSimulator, single: DnSimple
    ) -> None:
        """Since DNSimple makes no new names with capital letters."""
        for number in range(5000):
            simulator.add(ZONE, f"n{number}", "A", 3600, "192.0.2.1")
        await single.read(ZONE, [WWW])
        counts = []
        for name in (API, f"new.{ZONE}"):
            del simulator.requests[:]
            assert await stands(single, name) == ()
            counts.append(len(simulator.requests))
        print(f"requests for a name without records among 5,000, at first and later: {counts}")
        # Each: a page, the name, and the same for the wildcard above it.
        assert counts == [2 + 51 + 2, 2 + 2]

    async def test_all_zones_are_listed(self) -> None:
        """More than one page of them."""
        names = [f"z{number}.example" for number in range(250)]
        with DnSimpleSimulator(names, TOKEN) as simulator:
            provider = opened(simulator)
            assert await provider.zones() == tuple(names)
            assert [parse_qs(urlsplit(target).query).get("page") for _, target in simulator.requests[1:]] == [
                None,
                ["2"],
                ["3"],
            ]
            await provider.aclose()


class TestDistribution:
    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dnsimple, "DISTRIBUTION", 0.5)
        monkeypatch.setattr(dnsimple, "FIRST_PAUSE", 0.01)
        monkeypatch.setattr(dnsimple, "LAST_PAUSE", 0.02)

    async def test_a_change_is_awaited(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """Until it is distributed; how long the write was blind does not count that."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.zones[ZONE].undistributed = 3
        assert await provider.apply(ZONE, [change]) == Applied()
        assert [target.rpartition("/")[2] for _, target in simulator.requests].count("distribution") == 4
        assert provider.race_window is not None

    async def test_record_by_record_nobody_waits(self, simulator: DnSimpleSimulator, single: DnSimple) -> None:
        """Each name would wait for the one before it."""
        assert await single.apply(ZONE, [await planned(single, plain("A", "198.51.100.1"))]) == Applied()
        assert not any(target.endswith("/distribution") for _, target in simulator.requests)

    async def test_a_change_that_is_not_distributed_in_time_is_applied(
        self, simulator: DnSimpleSimulator, provider: DnSimple
    ) -> None:
        """Its wait ends, and the name servers are asked by others."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.zones[ZONE].undistributed = 10**6
        began = time.monotonic()
        assert await provider.apply(ZONE, [change]) == Applied()
        assert 0.4 < time.monotonic() - began < 3
        assert provider.race_window is not None
        assert provider.race_window < 0.4

    @pytest.mark.parametrize("status", [504, 401, 404, 429, 200])
    async def test_a_check_that_fails_takes_nothing_back(
        self, simulator: DnSimpleSimulator, provider: DnSimple, status: int
    ) -> None:
        """The change was accepted."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.misbehave("answer", status=status, body=b"no")
        assert await provider.apply(ZONE, [change]) == Applied()
        assert simulator.requests[-1][1].endswith("/distribution")
        simulator.forget_misbehaviour()
        assert await stands(provider) == change.after


class TestPermissions:
    async def test_a_token_without_batches_does_not_show_what_it_may(
        self, simulator: DnSimpleSimulator, single: DnSimple
    ) -> None:
        """Nothing is sent to find out; a write that is not allowed says which scope it needs."""
        assert (await single.verify(ZONE, [WWW])) == Access(zones=(ZONE,), may_write=None)
        assert not simulator.bodies
        change = await planned(single, plain("A", "198.51.100.1"))
        simulator.zones[ZONE].may_write = False
        with pytest.raises(PermissionDenied, match=r"Required Scope: zones:shop\.example:write") as caught:
            await single.apply(ZONE, [change])
        assert "full access" in caught.value.hint


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words", "hint"),
        [
            (401, {"message": "Authentication failed"}, AuthError, "Authentication failed", "account token"),
            (402, {"message": "unpaid invoices"}, Rejected, "unpaid invoices", "invoices"),
            (403, {"message": "Permission Denied."}, PermissionDenied, "Permission Denied.", "full access"),
            (404, {"message": "Not Found"}, NotFound, "Not Found", "account_id"),
            (412, {"message": "not enabled"}, PermissionDenied, "not enabled", "batch = false"),
            (
                400,
                {"message": "Validation failed", "errors": {"ttl": ["is odd"], "base": ["Matching record exists"]}},
                Rejected,
                "Validation failed; ttl: is odd; Matching record exists",
                "record editor",
            ),
            (
                400,
                {"message": "Validation failed", "errors": {"creates": [{"index": 0, "message": "No regions"}]}},
                Rejected,
                "Validation failed; No regions",
                "record editor",
            ),
            (400, {"message": f"Bearer {TOKEN}\u001b[31m"}, Rejected, "Bearer …", "record editor"),
            (400, "<html>", Rejected, "nothing more", "record editor"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self,
        simulator: DnSimpleSimulator,
        provider: DnSimple,
        status: int,
        body: Any,
        kind: type[ProviderError],
        words: str,
        hint: str,
    ) -> None:
        """Once, with what to do, and without the token, should the server repeat it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps(body).encode())
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert TOKEN not in caught.value.text
        assert caught.value.text.isprintable()
        assert hint in caught.value.hint
        assert [method for method, _ in simulator.requests].count("POST") == 1

    async def test_the_rate_limit_says_when_it_ends(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """Without a Retry-After. A wait of a moment is waited for, a long one is told, one that is over is not."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        soon = [("X-RateLimit-Reset", str(int(time.time()) + 2))]
        simulator.misbehave("answer", writes_only=True, status=429, headers=soon, body=b'{"message":"quota exceeded"}')
        assert await provider.apply(ZONE, [change]) == Applied()
        simulator.remaining, simulator.reset = 0, int(time.time()) + 3000
        with pytest.raises(RateLimited, match="quota exceeded") as caught:
            await provider.apply(ZONE, [change.inverse])
        assert 2900 < (caught.value.retry_after or 0) <= 3000
        simulator.reset = 5
        with pytest.raises(RateLimited) as caught:
            await provider.read(ZONE, [WWW])
        assert caught.value.retry_after is None

    async def test_pages_that_do_not_end_are_an_error(self, simulator: DnSimpleSimulator, provider: DnSimple) -> None:
        """And are not asked for for ever."""
        body = json.dumps({"data": [], "pagination": {"current_page": 1, "total_pages": 9}}).encode()
        await provider.read(ZONE, [WWW])
        simulator.misbehave("answer", status=200, body=body, times=5)
        with pytest.raises(ProviderError, match="do not end"):
            await provider.zones()


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (DnsimpleOptions(), []),
            (DnsimpleOptions("http://127.0.0.1:1/v2", account_id="1010", batch=True), []),
            (DnsimpleOptions("http://api.dnsimple.com/v2", account_id="shop"), ["account_id", "endpoint"]),
        ],
    )
    def test_faults_name_the_key(self, options: DnsimpleOptions, keys: list[str]) -> None:
        """Plain http never leaves the computer."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_token_is_for_the_endpoints_host(self) -> None:
        """Another host means another secret; the example is like one."""
        assert PROVIDER.host(DnsimpleOptions()) == "api.dnsimple.com"
        (field,) = PROVIDER.secrets(DnsimpleOptions())
        assert re.fullmatch(field.pattern, field.example)
        assert re.fullmatch(field.pattern, TOKEN)

    def test_batches_are_for_those_who_say_so(self) -> None:
        """A plan is made with what the account can do."""
        secrets = {"token": Secret(TOKEN)}
        limit = DnSimple("ds", DnsimpleOptions(batch=True), secrets).capabilities.batch
        assert limit is not None
        assert limit.records == 100
        assert DnSimple("ds", DnsimpleOptions(), secrets).capabilities.batch is None


@needs_recordings
@pytest.mark.parametrize("file", recordings("dnsimple"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, simulator: DnSimpleSimulator) -> None:
    """What the real DNSimple answered is read without loss."""
    provider = opened(simulator, account_id="731")
    for step in conversation(file):
        answer, url = step["response"], step["request"]["url"]
        if step["request"]["method"] != "GET":
            continue
        body = answer["body"].encode()
        simulator.forget_misbehaviour()
        if "/records" in url:
            zone = "lexicontest.us"
            provider._known.add(zone)
            records = json.loads(body)["data"]
            names = sorted({f"{r['name']}.{zone}".lstrip(".") for r in records}) or [f"empty.{zone}"]
            simulator.misbehave("answer", status=200, body=body)
            # One name more, so that the whole zone is listed, in one page.
            found = (await provider.read(zone, [*names, f"another.{zone}"])).records
            read = sum(len(r.values) for there in found.values() for r in there)
            assert read == len(records)
        elif "/accounts" in url:
            simulator.misbehave("answer", status=200, body=b'{"data":{"user":{"id":1},"account":null}}')
            simulator.misbehave("answer", status=200, body=body)
            asking = opened(simulator)
            assert await asking._account() == "731"
            await asking.aclose()
    simulator.forget_misbehaviour()
    await provider.aclose()
