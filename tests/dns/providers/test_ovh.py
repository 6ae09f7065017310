"""What is OVHcloud's own: signatures and clocks, refreshes, ids, rules, default TTLs, redirections, relative names."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed, RecordsRead
from changeover.dns.providers import ovh
from changeover.dns.providers.ovh import MOST_RECORDS, PROVIDER, Ovh, OvhOptions, _Record, _record
from changeover.model.dns.change import Change
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
from dns_servers import changes
from dns_servers.changes import planned, stands
from dns_servers.hostile import hostile
from dns_servers.http_simulator import Answer
from dns_servers.ovh_simulator import Keys, OvhSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings

ZONE = "shop.example"
plain = partial(changes.plain, ttl=300)
WWW = "www.shop.example"
SIGN = "_changeover.shop.example"
APPLICATION, SECRET, CONSUMER = "a" * 16, "b" * 32, "c" * 32
SECRETS = {
    "application_key": Secret(APPLICATION),
    "application_secret": Secret(SECRET),
    "consumer_key": Secret(CONSUMER),
}


@pytest.fixture
def keys() -> Keys:
    return Keys(APPLICATION, SECRET, CONSUMER)


@pytest.fixture
def simulator(keys: Keys) -> Iterator[OvhSimulator]:
    with OvhSimulator([ZONE], keys) as running:
        running.add(ZONE, "www", "A", 300, "192.0.2.1")
        yield running


def opened(simulator: OvhSimulator) -> Ovh:
    return Ovh("ovh", OvhOptions(simulator.endpoint), SECRETS, timeout=30)


def bare(simulator: OvhSimulator) -> list[tuple[Any, ...]]:
    """The records without their ids."""
    return sorted((r["subDomain"], r["fieldType"], r["target"], r["ttl"]) for r in simulator.records(ZONE))


def written(simulator: OvhSimulator) -> list[tuple[str, str]]:
    """The method and the last part of the path of each request that changes something."""
    return [
        (method, re.sub(r"\d{5,}", "ID", target.rpartition("/")[2]))
        for method, target in simulator.requests
        if method != "GET"
    ]


class TestSignatures:
    async def test_the_clock_of_the_api_counts(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """This computer's may be wrong by years; the API is asked once."""
        simulator.ahead = -(10.0**8)
        for _ in range(3):
            await provider.read(ZONE, [WWW])
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert [target for _, target in simulator.requests].count("/1.0/auth/time") == 1

    async def test_a_clock_that_is_set_meanwhile_is_read_again(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """A request that came too late was not carried out, and is made once more."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.ahead = 3600
        assert await provider.apply(ZONE, [change]) == Applied()
        simulator.before_write = lambda: setattr(simulator, "ahead", -3600)
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert await stands(provider) == change.before

    async def test_a_clock_that_does_not_help_is_told(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """With how far it is off; a request is repeated once and no more."""
        simulator.ahead, simulator.always_late = 7200, True
        with pytest.raises(AuthError, match="out of time") as caught:
            await provider.read(ZONE, [WWW])
        assert re.search(r"clock is (7199|7200|7201) s behind", caught.value.hint)
        assert len(simulator.requests) == 4

    @pytest.mark.parametrize("wrong", SECRETS)
    async def test_each_of_the_keys_must_be_right(self, simulator: OvhSimulator, wrong: str) -> None:
        """Whatever status OVHcloud answers with."""
        other = Ovh("ovh", OvhOptions(simulator.endpoint), {**SECRETS, wrong: Secret("x" * 32)}, timeout=30)
        for attempt in (other.read(ZONE, [WWW]), other.verify(ZONE, [WWW])):
            with pytest.raises(AuthError) as caught:
                await attempt
            assert "createToken" in caught.value.hint
        await other.aclose()

    async def test_no_key_is_repeated(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Not by an error, should the server send them back, and not by a repr."""
        body = json.dumps({"message": f"{APPLICATION} {SECRET} {CONSUMER}"}).encode()
        await provider.read(ZONE, [WWW])
        simulator.misbehave("answer", status=400, body=body, times=9)
        with pytest.raises(Rejected) as caught:
            await provider.read(ZONE, [WWW])
        shown = caught.value.text + repr(vars(provider)) + repr(provider._signature)
        assert not [key for key in (APPLICATION, SECRET, CONSUMER) if key in shown]


class TestRefreshes:
    async def test_every_batch_ends_with_one(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """And what it changed is published at once."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert written(simulator) == [("DELETE", "ID"), ("POST", "record"), ("POST", "refresh")]
        assert simulator.published(ZONE) == simulator.records(ZONE)

    async def test_nothing_to_do_needs_none(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """No request that changes anything."""
        there = await stands(provider)
        same = Change(account="ovh", zone=ZONE, name=WWW, before=there, after=there)
        assert await provider.apply(ZONE, [same]) == Applied()
        assert not simulator.bodies

    async def test_a_refresh_that_fails_once_is_asked_for_again(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """It does no harm, unlike a write."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.misbehave("answer", writes_only=True, status=503)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert written(simulator) == [("PUT", "ID"), ("POST", "refresh"), ("POST", "refresh")]

    async def test_a_refresh_that_fails_is_told_and_made_up_for(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """What is stored and not published is no success: it is published when it is read back, or that fails too."""
        first = await planned(provider, plain("A", "198.51.100.2"))
        assert await provider.apply(ZONE, [first]) == Applied()
        change = await planned(provider, plain("A", "198.51.100.1"))
        before = simulator.published(ZONE)
        broken: dict[str, Any] = {"writes_only": True, "status": 503, "times": 3}
        simulator.before_write = lambda: simulator.misbehave("answer", **broken)
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "Done: A 198.51.100.2 at www.shop.example is now 198.51.100.1" in result.text
        assert "Not done: the name servers are told" in result.text
        assert simulator.published(ZONE) == before
        simulator.misbehave("answer", **broken)
        with pytest.raises(Unavailable, match=r"stored the change of shop\.example and did not publish it"):
            await provider.read_back(ZONE, [change])
        assert await provider.read_back(ZONE, [change]) == {WWW: change.after}
        assert simulator.published(ZONE) == simulator.records(ZONE)
        del simulator.requests[:]
        assert await provider.read_back(ZONE, [change]) == {WWW: change.after}
        assert not written(simulator)

    @pytest.mark.parametrize("status", [400, 409, 423])
    async def test_a_refresh_that_is_refused_is_asked_for_again(
        self, simulator: OvhSimulator, provider: Ovh, monkeypatch: pytest.MonkeyPatch, status: int
    ) -> None:
        """Another one may be under way."""
        monkeypatch.setattr(ovh, "REFRESH_PAUSE", 0.01)
        change = await planned(provider, plain("A", "198.51.100.1"))
        busy: dict[str, Any] = {"writes_only": True, "status": status, "times": 5, "body": b'{"message": "busy"}'}
        simulator.before_write = lambda: simulator.misbehave("answer", **busy)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert written(simulator) == [("PUT", "ID"), *[("POST", "refresh")] * 6]
        assert simulator.published(ZONE) == simulator.records(ZONE)

    async def test_a_refresh_that_stays_refused_is_told(
        self, simulator: OvhSimulator, provider: Ovh, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After half a minute, here a moment: the change is stored, and not published."""
        monkeypatch.setattr(ovh, "REFRESH_BUDGET", 0.1)
        monkeypatch.setattr(ovh, "REFRESH_PAUSE", 0.03)
        change = await planned(provider, plain("A", "198.51.100.1"))
        before = simulator.published(ZONE)
        busy: dict[str, Any] = {"writes_only": True, "status": 409, "times": 99, "body": b'{"message": "busy"}'}
        simulator.before_write = lambda: simulator.misbehave("answer", **busy)
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "Not done: the name servers are told, since OVHcloud says to account ovh: busy" in result.text
        assert 2 <= written(simulator).count(("POST", "refresh")) <= 4
        with pytest.raises(Unavailable, match=r"stored the change of shop\.example and did not publish it: .*busy"):
            await provider.read_back(ZONE, [change])
        assert simulator.published(ZONE) == before

    async def test_a_refresh_that_the_keys_do_not_allow_is_asked_for_once(
        self, simulator: OvhSimulator, provider: Ovh
    ) -> None:
        """Waiting would not help."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.misbehave("answer", writes_only=True, status=403, body=b"{}")
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert written(simulator) == [("PUT", "ID"), ("POST", "refresh")]

    async def test_another_program_finds_it_as_well(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """A run that is taken up again, after the first one died between the write and the refresh."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.zones[ZONE].objects["record"][simulator.records(ZONE)[0]["id"]]["target"] = "198.51.100.1"
        assert simulator.published(ZONE) != simulator.records(ZONE)
        assert await provider.read_back(ZONE, [change]) == {WWW: change.after}
        assert simulator.published(ZONE) == simulator.records(ZONE)

    async def test_what_is_half_done_is_not_published(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """The name servers answer as before, and the answer says what was done; an undo puts both right."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        before = simulator.published(ZONE)
        simulator.before_write = lambda: simulator.misbehave("answer", writes_only=True, status=400, body=b"{}")
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "Done: A 192.0.2.1 at www.shop.example is deleted. Not done: CNAME" in result.text
        assert simulator.records(ZONE) == []
        assert await provider.read_back(ZONE, [change]) == {WWW: ()}
        assert simulator.published(ZONE) == before
        mend = Change(account="ovh", zone=ZONE, name=WWW, before=(), after=change.before)
        assert await provider.apply(ZONE, [mend]) == Applied()
        assert [one["target"] for one in simulator.published(ZONE)] == ["192.0.2.1"]

    async def test_a_lost_answer_half_way(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Nothing is repeated; where the record was replaced all the same, reading back publishes it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("drop-after", writes_only=True)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert written(simulator) == [("PUT", "ID")]
        assert await provider.read_back(ZONE, [change]) == {WWW: change.after}
        assert simulator.published(ZONE) == simulator.records(ZONE)


class TestTtls:
    @pytest.mark.parametrize(("asked", "published"), [(1, 60), (60, 60), (10**6, 10**6)])
    async def test_a_ttl_is_60_at_least(self, provider: Ovh, asked: int, published: int) -> None:
        """And what is planned is what stands afterwards."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=asked))
        assert [r.ttl for r in change.after] == [published]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    async def test_the_default_is_told_and_restored(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """A TTL of 0 is the SOA's, and is 0 again after an undo; a record that stays keeps it."""
        simulator.zones[ZONE].ttl = 7200
        simulator.add(ZONE, "api", "A", 0, "192.0.2.5")
        name = f"api.{ZONE}"
        zone = simulator.records(ZONE)
        assert [r.ttl for r in await stands(provider, name)] == [7200]
        change = await planned(provider, plain("A", "192.0.2.5", name=name, ttl=60))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert simulator.records(ZONE)[-1]["ttl"] == 60
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone
        beside = await planned(provider, plain("A", "192.0.2.5", "192.0.2.6", name=name, ttl=7200))
        assert await provider.apply(ZONE, [beside]) == Applied()
        assert [one["ttl"] for one in simulator.records(ZONE)[-2:]] == [0, 7200]
        assert await stands(provider, name) == beside.after

    async def test_a_default_that_is_changed_is_seen(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """By one request with each reading that has a record with it, and by none otherwise."""
        simulator.add(ZONE, "api", "A", 0, "192.0.2.5")
        for seconds in (3600, 300):
            simulator.zones[ZONE].ttl = seconds
            del simulator.requests[:]
            assert [r.ttl for r in await stands(provider, f"api.{ZONE}")] == [seconds]
            assert [target for _, target in simulator.requests].count(f"/1.0/domain/zone/{ZONE}/soa") == 1
        del simulator.requests[:]
        assert await stands(provider)
        assert not [target for _, target in simulator.requests if target.endswith("/soa")]

    async def test_a_default_that_only_gets_another_ttl(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Gets it, even where the plan still has the note that it was a default."""
        simulator.add(ZONE, "api", "A", 0, "192.0.2.5")
        before = await stands(provider, f"api.{ZONE}")
        after = (msgspec.structs.replace(before[0], ttl=60),)
        change = Change(account="dns", zone=ZONE, name=f"api.{ZONE}", before=before, after=after)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert simulator.records(ZONE)[-1]["ttl"] == 60
        assert provider.normalize(ZONE, before, after) == await stands(provider, f"api.{ZONE}")


class TestRecords:
    async def test_a_name_without_a_final_dot_is_below_the_zone(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """It is read as what it means, and written back as it was."""
        simulator.add(ZONE, "a", "CNAME", 300, "primary")
        simulator.add(ZONE, "b", "CNAME", 300, "Primary.Example.NET.")
        simulator.add(ZONE, "", "MX", 300, "10 mail")
        zone = bare(simulator)
        found = (await provider.read(ZONE, [f"a.{ZONE}", f"b.{ZONE}", ZONE])).records
        assert [r.values[0] for there in found.values() for r in there] == [
            "primary.shop.example",
            "primary.example.net",
            "10 mail.shop.example.",
        ]
        for label in ("a", "b"):
            change = await planned(provider, plain("A", "198.51.100.1", name=f"{label}.{ZONE}"))
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert bare(simulator) == zone

    async def test_a_new_target_has_a_final_dot(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Else it would be another name."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert simulator.records(ZONE)[0]["target"] == "backup.example.net."

    async def test_what_keeps_its_type_is_replaced_in_place(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """The same record, at the same name."""
        record_id = simulator.records(ZONE)[0]["id"]
        change = await planned(provider, plain("A", "198.51.100.1", "198.51.100.2"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert written(simulator) == [("PUT", "ID"), ("POST", "record"), ("POST", "refresh")]
        replaced = simulator.records(ZONE)[0]
        assert (replaced["id"], replaced["subDomain"]) == (record_id, "www")

    async def test_other_texts_stay_untouched(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Long ones and unquoted ones, beside a text that is created, replaced and removed."""
        for text in (f'"k={"x" * 253}" "{"y" * 40}"', "unquoted", '"1|www.shop.example"'):
            simulator.add(ZONE, "_changeover", "TXT", 3600, text)
        simulator.add(ZONE, "_changeover", "DKIM", 3600, '"v=DKIM1; p="')
        zone = bare(simulator)
        assert not provider.capabilities.leases
        for before, after in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
            assert set(zone) <= set(bare(simulator))
            if after:
                assert simulator.records(ZONE)[-1]["target"] == f'"{after}"'
                assert await provider.apply(ZONE, [], Guard(SIGN, after)) == Applied()
        assert bare(simulator) == zone

    async def test_a_record_that_is_gone_in_the_last_instant(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Is a conflict where nothing was changed yet."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.remove(ZONE, "www", "A")
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert simulator.records(ZONE) == []

    @pytest.mark.parametrize("name", ["*.shop.example", "xn--bcher-kva.shop.example", "a.b.c.shop.example", ZONE])
    async def test_names_of_every_kind(self, simulator: OvhSimulator, provider: Ovh, name: str) -> None:
        """Created, replaced and removed again."""
        zone = bare(simulator)
        created = await planned(provider, plain("A", "198.51.100.1", name=name))
        assert await provider.apply(ZONE, [created]) == Applied()
        assert simulator.records(ZONE)[-1]["subDomain"] == name.removesuffix(ZONE).rstrip(".")
        other = await planned(provider, plain("A", "198.51.100.2", name=name))
        assert await provider.apply(ZONE, [other]) == Applied()
        assert await provider.apply(ZONE, [other.inverse]) == Applied()
        assert await provider.apply(ZONE, [created.inverse]) == Applied()
        assert bare(simulator) == zone


class TestLargeZones:
    async def test_only_the_names_of_the_service_are_read_and_written(
        self, simulator: OvhSimulator, provider: Ovh
    ) -> None:
        """Of 5,000 records: a list for each name, a request for each of its records, and two lists of other kinds."""
        for number in range(4999):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        others = {one["id"]: one for one in simulator.records(ZONE)}
        names = [WWW, f"n4998.{ZONE}"]
        changes = [await planned(provider, plain("A", "198.51.100.1", name=name)) for name in names]
        del simulator.requests[:]
        for change in changes:
            assert await provider.apply(ZONE, [change]) == Applied()
        print(f"5,000 records, 2 names: {len(simulator.requests)} requests")
        assert len(simulator.requests) == 2 * (1 + 1 + 2 + 1 + 1)
        changed = sorted(one["subDomain"] for one in simulator.records(ZONE) if one != others[one["id"]])
        assert changed == ["n4998", "www"]

    @pytest.mark.parametrize("empty_means_all", [False, True])
    async def test_the_apex_is_read_whatever_an_empty_filter_means(
        self, simulator: OvhSimulator, provider: Ovh, empty_means_all: bool
    ) -> None:
        """At worst every record of the zone is looked at; those of other names do not count."""
        simulator.empty_means_all = empty_means_all
        simulator.add(ZONE, "", "A", 300, "192.0.2.9")
        assert await stands(provider, ZONE) == (plain("A", "192.0.2.9", name=ZONE),)

    async def test_a_filter_that_gives_too_much_is_refused(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Rather than asking for thousands of records one by one."""
        simulator.empty_means_all = True
        for number in range(MOST_RECORDS):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        with pytest.raises(Rejected, match=f"gives {MOST_RECORDS + 1} records"):
            await provider.read(ZONE, [ZONE])

    async def test_like_is_not_equal(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """An underscore of the filter fits any letter."""
        simulator.add(ZONE, "xchangeover", "TXT", 300, '"another name"')
        assert (await provider.read(ZONE, [SIGN])).records == {SIGN: ()}

    async def test_a_record_that_is_deleted_while_it_is_read(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Is not there."""
        honest = simulator._shown

        def shown(zone: Any, kind: str, query: Mapping[str, str], rest: list[str]) -> Any:
            return (
                [*honest(zone, kind, query, rest), 77]
                if kind == "record" and not rest
                else honest(zone, kind, query, rest)
            )

        simulator._shown = shown  # type: ignore[method-assign]
        assert await stands(provider) == (plain("A", "192.0.2.1"),)


class TestPolicies:
    @pytest.mark.parametrize(
        ("kind", "more", "words"),
        [
            (
                "redirection",
                {"target": "http://old.example/", "type": "visible"},
                "redirection of OVHcloud to http://old",
            ),
            ("dynHost/record", {"ip": "192.0.2.7"}, "a DynHost record"),
        ],
    )
    async def test_what_answers_besides_the_records(
        self, simulator: OvhSimulator, provider: Ovh, kind: str, more: dict[str, str], words: str
    ) -> None:
        """It is told when it is read, and nothing is written there, should it come later; other names are free."""
        api = await planned(provider, plain("A", "198.51.100.1", name=f"api.{ZONE}"))
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.add_beside(ZONE, kind, "www", **more)
        policies = (await provider.read(ZONE, [WWW, f"api.{ZONE}"])).policies
        assert list(policies) == [WWW]
        assert words in policies[WWW]
        with pytest.raises(Rejected, match=r"www\.shop\.example has"):
            await provider.apply(ZONE, [change])
        assert not simulator.bodies
        assert await provider.apply(ZONE, [api]) == Applied()

    async def test_a_cname_beside_texts_is_told(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """As OVHcloud itself makes them in a new zone: an undo could not bring the CNAME back."""
        simulator.add(ZONE, "shop", "CNAME", 0, "shop.example.")
        for text in ("3|welcome", "l|fr"):
            simulator.add(ZONE, "shop", "TXT", 0, f'"{text}"')
        name = f"shop.{ZONE}"
        assert (await provider.read(ZONE, [name])).policies == {
            name: "a CNAME beside TXT, which could not be brought back; delete what is beside it"
        }

    async def test_a_zone_that_cannot_be_published_is_told(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Before anything is stored that would never reach the name servers."""
        simulator.zones[ZONE].errors = ["syntax error near line 7"]
        with pytest.raises(Rejected, match=r"cannot publish shop\.example: syntax error near line 7"):
            await provider.verify(ZONE, [WWW])


_LEAST = [
    ("GET", "/domain/zone/shop.example/*"),
    ("POST", "/domain/zone/shop.example/record"),
    ("POST", "/domain/zone/shop.example/refresh"),
    ("PUT", "/domain/zone/shop.example/record/*"),
    ("DELETE", "/domain/zone/shop.example/record/*"),
]


class TestRules:
    @pytest.mark.parametrize("missing", [None, 1, 2, 3, 4])
    async def test_each_rule_is_needed(
        self, simulator: OvhSimulator, provider: Ovh, keys: Keys, missing: int | None
    ) -> None:
        """With the least ones everything works, though the key cannot list zones; without one of them it is told."""
        keys.rules = [rule for number, rule in enumerate(_LEAST) if number != missing]
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write) == ((ZONE,), missing is None)
        assert not simulator.bodies
        if missing is None:
            change = await planned(provider, plain("CNAME", "backup.example.net"))
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await provider.apply(ZONE, [change.inverse]) == Applied()

    async def test_a_rule_that_is_missing_is_told_by_a_write(self, provider: Ovh, keys: Keys) -> None:
        """With the rules that are needed."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        keys.rules = _LEAST[:1]
        with pytest.raises(PermissionDenied, match="not been granted") as caught:
            await provider.apply(ZONE, [change])
        assert "PUT /domain/zone/*/record/*" in caught.value.hint

    async def test_a_key_that_expired(self, provider: Ovh, keys: Keys) -> None:
        """Is a wrong one."""
        keys.status = "expired"
        with pytest.raises(AuthError, match="not valid"):
            await provider.read(ZONE, [WWW])

    async def test_when_the_key_ends_is_told(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """In its own time zone; a key may have no end."""
        assert (await provider.verify(ZONE, [WWW])).expires is None
        simulator.expires_on = "2026-12-31T00:00:00+01:00"
        assert (await provider.verify(ZONE, [WWW])).expires == datetime(2026, 12, 30, 23, tzinfo=UTC)

    async def test_what_the_key_may_not_ask_is_not_known(self, simulator: OvhSimulator, provider: Ovh) -> None:
        """Where even the rules are not told."""
        simulator.tells_rules = False
        assert (await provider.verify(ZONE, [WWW])).may_write is None


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (403, {"message": "No", "errorCode": "INVALID_CREDENTIAL"}, AuthError, "No"),
            (400, {"message": "Invalid signature", "errorCode": "INVALID_SIGNATURE"}, AuthError, "Invalid signature"),
            (403, {"message": "Not granted", "errorCode": "NOT_GRANTED_CALL"}, PermissionDenied, "Not granted"),
            (400, {"message": "Bad\u001b[31m", "class": "Client::BadRequest"}, Rejected, "Bad"),
            (400, "<html>", Rejected, "nothing more"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self, simulator: OvhSimulator, provider: Ovh, status: int, body: Any, kind: type[ProviderError], words: str
    ) -> None:
        """Once, with what to do."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps(body).encode())
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert caught.value.text.isprintable()
        assert caught.value.hint
        assert [method for method, _ in simulator.requests].count("PUT") == 1

    async def test_a_write_that_came_too_early_is_made_when_it_may(
        self, simulator: OvhSimulator, provider: Ovh
    ) -> None:
        """After 429: compared again where nothing was done, and gone on with half way."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        too_early: dict[str, Any] = {"writes_only": True, "status": 429, "headers": [("Retry-After", "0")]}
        simulator.misbehave("answer", **too_early)
        simulator.before_write = lambda: simulator.misbehave("answer", **too_early)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after
        assert [what for what, _ in written(simulator)] == ["DELETE", "DELETE", "POST", "POST", "POST"]
        simulator.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "240")])
        with pytest.raises(RateLimited):
            await provider.apply(ZONE, [change.inverse])

    async def test_no_such_zone(self, provider: Ovh) -> None:
        """Named, with where to look."""
        with pytest.raises(NotFound, match=r"other\.example") as caught:
            await provider.read("other.example", ["www.other.example"])
        assert "endpoint" in caught.value.hint

    @pytest.mark.parametrize("seeds", [60, pytest.param(300, marks=pytest.mark.long)])
    async def test_hostile_records_become_a_result_or_an_error(
        self, simulator: OvhSimulator, provider: Ovh, seeds: int
    ) -> None:
        """The common test spoils the lists; here it is the records themselves."""
        honest = simulator._answer
        (one,) = simulator.records(ZONE)
        seed = 0

        def answer(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
            given = honest(method, target, headers, body)
            return hostile(seed, given, "http://127.0.0.1:9", CONSUMER) if target.endswith(f"/{one['id']}") else given

        simulator._answer = answer  # type: ignore[method-assign]
        for seed in range(seeds):
            try:
                assert isinstance(await provider.read(ZONE, [WWW]), RecordsRead), seed
            except ProviderError as error:
                assert error.text.isprintable(), seed
                assert CONSUMER not in error.text + error.hint, seed
                assert len(error.text) < 1000, seed


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (OvhOptions(), []),
            (OvhOptions("https://api.us.ovhcloud.com/1.0"), []),
            (OvhOptions("http://127.0.0.1:1/1.0"), []),
            (OvhOptions("http://eu.api.ovh.com/1.0"), ["endpoint"]),
        ],
    )
    def test_faults_name_the_key(self, options: OvhOptions, keys: list[str]) -> None:
        """Plain http never leaves the computer."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_keys_are_for_the_endpoints_host(self) -> None:
        """Another host means other secrets; the examples are ones."""
        assert PROVIDER.host(OvhOptions()) == "eu.api.ovh.com"
        fields = PROVIDER.secrets(OvhOptions())
        assert [field.name for field in fields] == list(SECRETS)
        assert all(re.fullmatch(field.pattern, field.example) for field in fields)


@needs_recordings
@pytest.mark.parametrize("file", recordings("ovh"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, simulator: OvhSimulator, provider: Ovh) -> None:
    """What the real OVHcloud answered is read without loss."""
    zone = "pacalis.net"
    provider._signature.ahead = 1528723192 - time.time()
    answers = {
        s["request"]["url"]: s["response"]["body"] for s in conversation(file) if s["request"]["method"] == "GET"
    }
    for url, body in answers.items():
        path = url.partition("/1.0")[2]
        simulator.forget_misbehaviour()
        simulator.misbehave("answer", status=200, body=body.encode())
        if path == "/auth/time":
            provider._signature.ahead = None
            await provider._keep_time()
            assert abs(provider._signature.ahead - (int(body) - time.time())) < 5
        elif path == "/domain/zone/":
            assert await provider.zones() == (zone,)
        elif path.endswith("/status"):
            continue
        elif re.search(r"/record/\d+$", path):
            record = json.loads(body)
            one = await provider._one(zone, "record", record["id"], _Record)
            assert one is not None
            read = _record(zone, one, 3600)
            assert (read.type, read.ttl) == (record["fieldType"], record["ttl"] or 3600)
            assert read.details.get("written", record["target"]) == record["target"]
        else:
            assert await provider._ids(zone, "record") == json.loads(body)
