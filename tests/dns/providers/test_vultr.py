"""What is Vultr's own: its notation, one TTL for a set, whole lists, addresses a key works from, failures half way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers.vultr import PROVIDER, Vultr, VultrOptions
from changeover.model.dns.records import hostname
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
from dns_servers.recordings import conversation, needs_recordings, recordings
from dns_servers.vultr_simulator import PREFIX, VultrSimulator

ZONE, WWW = "shop.example", "www.shop.example"
plain = partial(changes.plain, ttl=300)
SIGN = "_changeover.shop.example"
KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@pytest.fixture
def simulator() -> Iterator[VultrSimulator]:
    with VultrSimulator([ZONE], KEY) as running:
        running.add(ZONE, "www", "A", 300, "192.0.2.1")
        yield running


def opened(simulator: VultrSimulator) -> Vultr:
    return Vultr("vu", VultrOptions(simulator.endpoint), {"key": Secret(KEY)}, timeout=30)


def shown(simulator: VultrSimulator, name: str = "www") -> set[tuple[str, str, int]]:
    """Type, data and TTL of what stands at a name, as the API has it."""
    return {(one["type"], one["data"], one["ttl"]) for one in simulator.records(ZONE) if one["name"] == name}


def writes(simulator: VultrSimulator) -> list[str]:
    return [method for method, _ in simulator.requests if method != "GET"]


class TestNotation:
    @pytest.mark.parametrize(
        ("rtype", "data", "value"),
        [
            ("CNAME", "Primary.Example.net", "primary.example.net"),
            ("CNAME", "primary.example.net.", "primary.example.net"),
            ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
        ],
    )
    async def test_what_an_undo_restores(
        self, simulator: VultrSimulator, provider: Vultr, rtype: str, data: str, value: str
    ) -> None:
        """A value as it was written."""
        simulator.remove(ZONE, "www", "A")
        simulator.add(ZONE, "www", rtype, 300, data)
        before = shown(simulator)
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert [r.values for r in change.before] == [(value,)]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert shown(simulator) == before

    async def test_a_value_that_stays_keeps_its_notation(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Where its TTL changes, it is written as it was."""
        simulator.add(ZONE, "www", "AAAA", 300, "2001:DB8::1")
        change = await planned(provider, plain("AAAA", "2001:db8::1", "2001:db8::2", ttl=60))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert shown(simulator) == {("AAAA", "2001:DB8::1", 60), ("AAAA", "2001:db8::2", 60)}
        assert await stands(provider) == change.after

    async def test_a_target_is_written_without_a_final_dot(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """As Vultr shows it."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert shown(simulator) == {("CNAME", "backup.example.net", 300)}

    @pytest.mark.parametrize(
        ("data", "value"),
        [
            ('"v=spf1 -all"', '"v=spf1 -all"'),
            (f'"{"k" * 300}"', f'"{"k" * 255}" "{"k" * 45}"'),
            ('"back\\slash"', '"back\\\\slash"'),
            ('"two" "strings"', '"two" "strings"'),
            ("without", '"without"'),
            ('"schön"', '"sch\\195\\182n"'),
        ],
    )
    async def test_a_text_that_stands_there(
        self, simulator: VultrSimulator, provider: Vultr, data: str, value: str
    ) -> None:
        """Is read as a zone file has it, and stays as it is beside what is written there."""
        simulator.add(ZONE, "_changeover", "TXT", 300, data)
        before = shown(simulator, "_changeover")
        (found,) = (await provider.read(ZONE, [SIGN])).records[SIGN]
        assert found.values == (value,)
        for old, new in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, old, new) == Applied()
            assert before <= shown(simulator, "_changeover")
            if new:
                assert ("TXT", f'"{new}"', 300) in shown(simulator, "_changeover")
                assert await provider.apply(ZONE, [], Guard(SIGN, new)) == Applied()
        assert shown(simulator, "_changeover") == before
        assert not provider.capabilities.leases

    async def test_other_types(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Are read as a zone file has them."""
        simulator.add(ZONE, "", "MX", 300, "mail.shop.example", 10)
        simulator.add(ZONE, "null", "MX", 300, ".", 0)
        simulator.add(ZONE, "", "CAA", 300, '0 issue "ca.example"')
        simulator.add(ZONE, "", "SRV", 300, "2 5060 sip.shop.example", 1)
        simulator.add(ZONE, "", "SSHFP", 300, "1 1 " + "ab" * 20)
        null = f"null.{ZONE}"
        records = (await provider.read(ZONE, [ZONE, null])).records
        assert [r.values for r in records[null]] == [("0 .",)]
        assert {r.type: r.values for r in records[ZONE]} == {
            "NS": ("ns1.vultr.com.", "ns2.vultr.com."),
            "MX": ("10 mail.shop.example.",),
            "CAA": ('0 issue "ca.example"',),
            "SRV": ("1 2 5060 sip.shop.example.",),
            "SSHFP": ("1 1 " + "ab" * 20,),
        }

    @pytest.mark.parametrize("name", ["*.apps.shop.example", hostname("bücher.shop.example"), "_dmarc.shop.example"])
    async def test_any_name(self, simulator: VultrSimulator, provider: Vultr, name: str) -> None:
        """Wildcards, names in another script, and names with an underscore; there and back."""
        zone = simulator.records(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1", name=name))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert shown(simulator, name.removesuffix(f".{ZONE}")) == {("A", "198.51.100.1", 300)}
        assert await stands(provider, name) == change.after
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone

    async def test_the_domain_itself(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Has an empty name."""
        change = await planned(provider, plain("A", "198.51.100.1", name=ZONE))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert shown(simulator, "") == {("A", "198.51.100.1", 300)}


class TestTtls:
    @pytest.mark.parametrize(("asked", "published"), [(10, 30), (60, 60)])
    async def test_a_ttl_that_is_too_short(self, provider: Vultr, asked: int, published: int) -> None:
        """Is not sent; what is planned is what stands afterwards."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=asked))
        assert [r.ttl for r in change.after] == [published]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    async def test_a_set_that_keeps_its_ttl_is_replaced_in_place(
        self, simulator: VultrSimulator, provider: Vultr
    ) -> None:
        """One record after the other."""
        simulator.add(ZONE, "www", "A", 300, "192.0.2.2")
        change = await planned(provider, plain("A", "198.51.100.1", "198.51.100.2"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert writes(simulator) == ["PATCH", "PATCH"]

    async def test_a_set_that_gets_another_ttl_is_never_empty(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Vultr takes no two TTLs in one set: it is reduced to one record, which gets the new one, and completed."""
        for number in (2, 3):
            simulator.add(ZONE, "www", "A", 300, f"192.0.2.{number}")
        change = await planned(provider, plain("A", "192.0.2.2", "198.51.100.1", "198.51.100.2", ttl=60))
        moments: list[set[tuple[str, str, int]]] = []

        def look() -> None:
            moments.append(shown(simulator))
            simulator.before_write = look

        simulator.before_write = look
        assert await provider.apply(ZONE, [change]) == Applied()
        assert writes(simulator) == ["DELETE", "DELETE", "PATCH", "POST", "POST"]
        assert [len(moment) for moment in moments] == [3, 2, 1, 1, 2]
        assert moments[3] == {("A", "192.0.2.2", 60)}
        assert await stands(provider) == change.after
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert await stands(provider) == change.before


class TestPages:
    async def test_a_zone_of_five_thousand_records(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Two of them are switched and nothing else is touched. A reading takes as many requests as there are pages."""
        for number in range(5000):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        names = [f"n{number}.{ZONE}" for number in (7, 4900)]
        changes = [await planned(provider, plain("A", "198.51.100.1", name=name)) for name in names]
        zone = {one["id"]: one for one in simulator.records(ZONE)}
        del simulator.requests[:]
        records = (await provider.read(ZONE, [*names, f"unknown.below.{ZONE}"])).records
        assert [len(there) for there in records.values()] == [1, 1, 0]
        reading = len(simulator.requests)
        del simulator.requests[:]
        for change in changes:
            assert await provider.apply(ZONE, [change]) == Applied()
        print(f"{reading} requests to read two names of 5,000, {len(simulator.requests)} to change them")
        assert reading == 11  # 5,003 records
        assert [method for method, _ in simulator.requests] == [*["GET"] * 11, "PATCH"] * 2
        altered = [one for one in simulator.records(ZONE) if zone[one["id"]] != one]
        assert [one["name"] for one in altered] == ["n7", "n4900"]

    async def test_what_is_listed_twice_is_there_once(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """As may be where the domain changes while its pages are read; it is not written twice."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        (one,) = simulator.records(ZONE)
        body = json.dumps({"records": [one, one], "meta": {"total": 1, "links": {"next": "", "prev": ""}}})
        simulator.misbehave("answer", status=200, body=body.encode())
        assert await provider.apply(ZONE, [change]) == Applied()
        assert writes(simulator) == ["DELETE", "POST"]

    async def test_a_zone_that_changes_while_it_is_read(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Where a record moves to a page that was read already, it is read again: nothing is overlooked."""
        for number in range(1200):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        name = f"n497.{ZONE}"
        honest, answered = simulator._answer, 0

        def deleted_after_the_first_page(*request: Any) -> Any:
            nonlocal answered
            answered += 1
            if answered == 2:
                simulator.remove(ZONE, "n7", "A")
            return honest(*request)

        simulator._answer = deleted_after_the_first_page  # type: ignore[method-assign]
        assert await stands(provider, name) == (plain("A", "192.0.2.1", name=name),)
        assert answered == 3 + 3

    async def test_all_domains_are_listed(self) -> None:
        """More than one page of them."""
        names = [f"z{number}.example" for number in range(1100)]
        with VultrSimulator(names, KEY) as simulator:
            provider = Vultr("vu", VultrOptions(simulator.endpoint), {"key": Secret(KEY)})
            assert await provider.zones() == tuple(names)
            assert len(simulator.requests) == 3
            await provider.aclose()

    async def test_pages_that_do_not_end_are_an_error(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """A cursor is only ever a part of a query."""
        links = {"next": "http://127.0.0.1:9/?x=1&y", "prev": ""}
        body = json.dumps({"records": [], "meta": {"total": 7, "links": links}}).encode()
        simulator.misbehave("answer", status=200, body=body, times=5)
        with pytest.raises(Unavailable, match="do not end"):
            await provider.read(ZONE, [WWW])
        asked = f"{PREFIX}/domains/{ZONE}/records?per_page=500&cursor=http%3A%2F%2F127.0.0.1%3A9%2F%3Fx%3D1%26y"
        assert simulator.requests[1][1] == asked


class TestPermissions:
    async def test_what_a_key_may_write_is_not_known(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """The API does not tell, and nothing is changed to find out."""
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write) == ((ZONE,), None)
        assert not simulator.bodies

    async def test_a_write_that_is_not_allowed(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Changes nothing, and says what the key's user needs."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.may_write = False
        zone = simulator.records(ZONE)
        with pytest.raises(PermissionDenied, match="Forbidden") as caught:
            await provider.apply(ZONE, [change])
        assert "network.dns" in caught.value.hint
        assert simulator.records(ZONE) == zone

    async def test_a_key_that_is_used_from_elsewhere(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Is right: the address is not on its list, which is where to look."""
        simulator.allowed = False
        for attempt in (provider.read(ZONE, [WWW]), provider.verify(ZONE, [WWW])):
            with pytest.raises(PermissionDenied, match=r"Unauthorized IP address: 127\.0\.0\.1") as caught:
                await attempt
            assert "Access Control List" in caught.value.hint


class TestHalfWay:
    async def test_a_refusal_half_way_says_what_was_done(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """And leaves the name empty, which reading tells."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        requests = 0

        def forbid_the_second() -> None:
            nonlocal requests
            requests += 1
            simulator.may_write = requests < 2
            simulator.before_write = forbid_the_second

        simulator.before_write = forbid_the_second
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert result.text.startswith(f"Done: A 192.0.2.1 at {WWW} is deleted. Not done: CNAME backup.example.net")
        assert await provider.read_back(ZONE, [change]) == {WWW: ()}

    async def test_a_lost_answer_half_way(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Nothing comes after it, and nothing is repeated."""
        simulator.add(ZONE, "www", "A", 300, "192.0.2.2")
        change = await planned(provider, plain("A", "198.51.100.1", "198.51.100.2"))
        simulator.misbehave("drop-after", writes_only=True)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert {data for _, data, _ in shown(simulator)} == {"198.51.100.1", "192.0.2.2"}

    async def test_a_record_that_vanishes_in_the_last_instant(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Is not created anew where it was to be replaced."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.remove(ZONE, "www", "A")
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert not shown(simulator)


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (401, {"error": "Invalid API token.", "status": 401}, AuthError, "Invalid API token."),
            (400, {"error": "Unable to update record: Bad", "status": 400}, Rejected, "Unable to update record: Bad"),
            (400, {"error": f"Bearer {KEY}\u001b[31m", "status": 400}, Rejected, "Bearer …"),
            (422, "<html>", Rejected, "nothing more"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self,
        simulator: VultrSimulator,
        provider: Vultr,
        status: int,
        body: object,
        kind: type[ProviderError],
        words: str,
    ) -> None:
        """Once, with what to do, and without the key, should the server repeat it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps(body).encode())
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert KEY not in caught.value.text
        assert caught.value.hint
        assert writes(simulator) == ["PATCH"]

    async def test_a_cname_at_the_apex_is_refused(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """In Vultr's words; nothing was changed."""
        assert not provider.capabilities.apex_cname
        change = await planned(provider, plain("CNAME", "backup.example.net", name=ZONE))
        zone = simulator.records(ZONE)
        with pytest.raises(Rejected, match="Unable to add record"):
            await provider.apply(ZONE, [change])
        assert simulator.records(ZONE) == zone

    async def test_too_many_requests(self, simulator: VultrSimulator, provider: Vultr) -> None:
        """Waits as long as Vultr says; a wait that is too long is told."""
        simulator.add(ZONE, "www", "A", 300, "192.0.2.2")
        change = await planned(provider, plain("A", "198.51.100.1", "198.51.100.2"))
        too_many = json.dumps({"error": "Rate limit reached", "status": 429}).encode()
        for wait in ("1", "240"):
            simulator.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", wait)], body=too_many)
            if wait == "1":
                assert await provider.apply(ZONE, [change]) == Applied()
        with pytest.raises(RateLimited, match="Rate limit reached"):
            await provider.apply(ZONE, [change.inverse])
        assert await stands(provider) == change.after


class TestSettings:
    def test_an_account_needs_nothing_but_its_key(self) -> None:
        """Plain http never leaves the computer."""
        assert PROVIDER.faults(VultrOptions()) == []
        assert [key for key, _ in PROVIDER.faults(VultrOptions("http://api.vultr.com/v2"))] == ["endpoint"]
        assert PROVIDER.host(VultrOptions()) == "api.vultr.com"
        (field,) = PROVIDER.secrets(VultrOptions())
        assert re.fullmatch(field.pattern, field.example)
        assert not re.fullmatch(field.pattern, field.example[:-1])


@needs_recordings
@pytest.mark.parametrize("file", recordings("vultr"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, simulator: VultrSimulator, provider: Vultr) -> None:
    """What the real Vultr answered is read without loss."""
    zone = "lexicon-test.eu"
    for step in conversation(file):
        body: dict[str, Any] = json.loads(step["response"]["body"] or "{}")
        if step["request"]["method"] != "GET" or "record" in body:
            continue
        simulator.misbehave("answer", status=step["response"]["status"], body=step["response"]["body"].encode())
        if "domains" in body:
            assert await provider.zones() == tuple(one["domain"] for one in body["domains"])
            continue
        names = sorted({f"{one['name']}.{zone}" if one["name"] else zone for one in body["records"]})
        found = (await provider.read(zone, names)).records
        distinct = {(one["type"], one["name"], one["data"]) for one in body["records"]}
        assert sum(len(r.values) for there in found.values() for r in there) == len(distinct)
        # Each text is written as it was shown.
        assert not [r.details for there in found.values() for r in there if r.details]


async def test_an_unknown_domain(provider: Vultr) -> None:
    """Is told by its name."""
    with pytest.raises(NotFound, match=r"elsewhere\.example") as caught:
        await provider.read("elsewhere.example", ["www.elsewhere.example"])
    assert caught.value.hint
