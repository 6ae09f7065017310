"""What is Linode's own: its TTLs, records one by one, filters, scopes and grants, domains that are not served."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers.linode import NAMES_A_REQUEST, PROVIDER, TTLS, Linode, LinodeOptions
from changeover.model.dns.change import Change
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
from dns_servers.linode_simulator import Domain, LinodeSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings

ZONE = "shop.example"
plain = partial(changes.plain, ttl=300)
WWW = "www.shop.example"
SIGN = "_changeover.shop.example"
TOKEN = "0123456789abcdef" * 4


@pytest.fixture
def simulator() -> Iterator[LinodeSimulator]:
    with LinodeSimulator([ZONE], TOKEN) as running:
        running.add(ZONE, "www", "A", 300, "192.0.2.1")
        yield running


def opened(simulator: LinodeSimulator) -> Linode:
    return Linode("li", LinodeOptions(simulator.endpoint), {"token": Secret(TOKEN)}, timeout=30)


class TestTtls:
    @pytest.mark.parametrize(("asked", "published"), [(60, 120), (300, 300), (301, 3600), (10**9, 2419200), (1, 30)])
    async def test_a_ttl_is_one_that_linode_takes(self, provider: Linode, asked: int, published: int) -> None:
        """It is rounded up here, so what is planned is what stands afterwards, however Linode rounds."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=asked))
        assert [r.ttl for r in change.after] == [published]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    async def test_only_its_own_ttls_are_sent(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """Never one that it would have to round."""
        for asked in (30, 45, 60, 500, 86401):
            change = await planned(provider, plain("A", "198.51.100.1", "198.51.100.2", ttl=asked))
            assert await provider.apply(ZONE, [change]) == Applied()
        assert {json.loads(body)["ttl_sec"] for body in simulator.bodies} <= set(TTLS)

    @pytest.mark.parametrize(("of_domain", "seconds"), [(0, 86400), (3600, 3600)])
    async def test_the_default_is_told_and_restored(
        self, simulator: LinodeSimulator, provider: Linode, of_domain: int, seconds: int
    ) -> None:
        """A TTL of 0 is the domain's, and is 0 again after an undo; a record that stays keeps it."""
        simulator.domains[ZONE].ttl_sec = of_domain
        simulator.add(ZONE, "api", "A", 0, "192.0.2.5")
        name = f"api.{ZONE}"
        zone = simulator.records(ZONE)
        assert [r.ttl for r in await stands(provider, name)] == [seconds]
        change = await planned(provider, plain("A", "192.0.2.5", name=name, ttl=30))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert simulator.records(ZONE)[-1]["ttl_sec"] == 30
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone
        beside = await planned(provider, plain("A", "192.0.2.5", "192.0.2.6", name=name, ttl=seconds))
        assert await provider.apply(ZONE, [beside]) == Applied()
        assert [one["ttl_sec"] for one in simulator.records(ZONE)[-2:]] == [0, seconds]
        assert await stands(provider, name) == beside.after

    async def test_a_default_that_is_changed_is_seen(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """By one request with each reading of a name that has it, and by none where no name has it."""
        simulator.add(ZONE, "api", "A", 0, "192.0.2.5")
        name = f"api.{ZONE}"
        for seconds in (3600, 300):
            simulator.domains[ZONE].ttl_sec = seconds
            assert [r.ttl for r in await stands(provider, name)] == [seconds]
        counts = []
        for names in ([name, WWW], [WWW]):
            del simulator.requests[:]
            await provider.read(ZONE, names)
            counts.append(len(simulator.requests))
        assert counts == [2, 1]

    async def test_a_default_that_only_gets_another_ttl(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """Gets it, even where the plan still has the note that it was a default."""
        simulator.add(ZONE, "api", "A", 0, "192.0.2.5")
        before = await stands(provider, f"api.{ZONE}")
        after = (msgspec.structs.replace(before[0], ttl=30),)
        change = Change(account="dns", zone=ZONE, name=f"api.{ZONE}", before=before, after=after)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert simulator.records(ZONE)[-1]["ttl_sec"] == 30
        assert provider.normalize(ZONE, before, after) == await stands(provider, f"api.{ZONE}")

    async def test_each_record_has_a_ttl_of_its_own(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """The set has the longest, and an undo restores each."""
        simulator.add(ZONE, "www", "A", 3600, "192.0.2.2")
        zone = _bare(simulator)
        assert [r.ttl for r in await stands(provider)] == [3600]
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert _bare(simulator) == zone


def _bare(simulator: LinodeSimulator) -> list[tuple[Any, ...]]:
    """The records without their ids."""
    return sorted(
        (one["name"], one["type"], one["target"], one["ttl_sec"], one["priority"]) for one in simulator.records(ZONE)
    )


class TestOneByOne:
    async def test_what_keeps_its_type_is_replaced_in_place(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """The same record, with another target: the name is never without an answer."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        record_id = simulator.records(ZONE)[0]["id"]
        del simulator.requests[:]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert [method for method, _ in simulator.requests] == ["GET", "PUT"]
        assert (simulator.records(ZONE)[0]["id"], simulator.records(ZONE)[0]["target"]) == (record_id, "198.51.100.1")

    async def test_what_is_written_is_written_as_it_was(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """A final dot and a long IPv6 address, as somebody typed them, are there again after an undo."""
        simulator.add(ZONE, "shop", "CNAME", 300, "Primary.Example.NET.")
        simulator.add(ZONE, "www", "AAAA", 300, "2001:DB8:0:0:0:0:0:1")
        zone = _bare(simulator)
        for after in (plain("A", "198.51.100.1", name=f"shop.{ZONE}"), plain("A", "198.51.100.2")):
            change = await planned(provider, after)
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert _bare(simulator) == zone

    async def test_other_types_are_read_as_a_zone_file_has_them(
        self, simulator: LinodeSimulator, provider: Linode
    ) -> None:
        """Long texts in strings of 255, quotes escaped, host names absolute."""
        simulator.add(ZONE, "", "MX", 300, "mail.shop.example", priority=10)
        simulator.add(ZONE, "", "CAA", 300, "letsencrypt.org", tag="issue")
        simulator.add(ZONE, "", "TXT", 300, "k=" + "x" * 298)
        simulator.add(ZONE, "", "TXT", 300, 'say "yes"')
        simulator.add(ZONE, "_sip._tcp", "SRV", 300, "sip.shop.example", priority=1, weight=2, port=5060)
        records = (await provider.read(ZONE, [ZONE, f"_sip._tcp.{ZONE}"])).records
        found = {r.type: r.values for there in records.values() for r in there}
        assert found == {
            "MX": ("10 mail.shop.example.",),
            "CAA": ('0 issue "letsencrypt.org"',),
            "TXT": ('"k=' + "x" * 253 + '" "' + "x" * 45 + '"', '"say \\"yes\\""'),
            "SRV": ("1 2 5060 sip.shop.example.",),
        }

    async def test_other_texts_stay_untouched(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """Long and quoted ones beside a text that is created, replaced and removed."""
        for text in ("k=" + "x" * 298, 'say "yes"'):
            simulator.add(ZONE, "_changeover", "TXT", 3600, text)
        zone = simulator.records(ZONE)
        assert not provider.capabilities.leases
        for before, after in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
            assert [one for one in simulator.records(ZONE) if not one["target"].startswith("note")] == zone
            if after:
                assert simulator.records(ZONE)[-1]["target"] == after
                assert await provider.apply(ZONE, [], Guard(SIGN, after)) == Applied()
        assert simulator.records(ZONE) == zone

    async def test_a_failure_half_way_says_what_was_done(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """And what was not, with Linode's words."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        simulator.before_write = lambda: simulator.add(ZONE, "www", "TXT", 300, "somebody else") and None
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "Done: A 192.0.2.1 at www.shop.example is deleted" in result.text
        assert "Not done: CNAME backup.example.net at www.shop.example is created" in result.text
        assert "must be unique" in result.text

    async def test_a_lost_answer_half_way(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """Nothing is repeated, and nothing done after it; reading tells what stands."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        simulator.misbehave("drop-after", writes_only=True)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert await stands(provider) == ()
        assert [method for method, _ in simulator.requests if method != "GET"] == ["DELETE"]

    async def test_a_record_that_is_gone_in_the_last_instant(
        self, simulator: LinodeSimulator, provider: Linode
    ) -> None:
        """Is a conflict where nothing was changed yet."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.remove(ZONE, "www", "A")
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert simulator.records(ZONE) == []

    @pytest.mark.parametrize("name", ["*.shop.example", "xn--bcher-kva.shop.example", "a.b.c.shop.example", ZONE])
    async def test_names_of_every_kind(self, simulator: LinodeSimulator, provider: Linode, name: str) -> None:
        """Created, replaced and removed again."""
        zone = simulator.records(ZONE)
        created = await planned(provider, plain("A", "198.51.100.1", name=hostname(name) if "*" not in name else name))
        assert await provider.apply(ZONE, [created]) == Applied()
        assert simulator.records(ZONE)[-1]["name"] == name.removesuffix(ZONE).rstrip(".")
        other = await planned(provider, plain("A", "198.51.100.2", name=name))
        assert (
            await provider.apply(
                ZONE,
                [
                    other,
                ],
            )
            == Applied()
        )
        assert await provider.apply(ZONE, [other.inverse]) == Applied()
        assert await provider.apply(ZONE, [created.inverse]) == Applied()
        assert simulator.records(ZONE) == zone


class TestLargeDomains:
    async def test_only_the_names_of_the_service_are_read_and_written(
        self, simulator: LinodeSimulator, provider: Linode
    ) -> None:
        """Of 5,000 records: one request shows that there are many, and one for every 40 names has them."""
        for number in range(4999):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        others = {one["id"]: one for one in simulator.records(ZONE)}
        names = [WWW, f"n4998.{ZONE}"]
        changes = [await planned(provider, plain("A", "198.51.100.1", name=name)) for name in names]
        del simulator.requests[:]
        for change in changes:
            assert await provider.apply(ZONE, [change]) == Applied()
        print(f"5,000 records, 2 names: {len(simulator.requests)} requests")
        assert [method for method, _ in simulator.requests] == ["GET", "PUT"] * 2
        changed = [one["name"] for one in simulator.records(ZONE) if one != others[one["id"]]]
        assert changed == ["www", "n4998"]
        del simulator.requests[:]
        many = [f"n{number}.{ZONE}" for number in range(NAMES_A_REQUEST + 1)]
        for count in (3, 2):  # at first a page more, with which the filter is compared
            del simulator.requests[:]
            assert all((await provider.read(ZONE, many)).records.values())
            assert len(simulator.requests) == count

    async def test_a_wildcard_is_seen_there_too(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """By one more request, where a name has nothing."""
        for number in range(600):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        simulator.add(ZONE, "*", "A", 300, "192.0.2.1")
        assert (await provider.read(ZONE, [f"new.{ZONE}"])).wildcards == (f"new.{ZONE}",)

    async def test_a_filter_that_overlooks_a_record_is_an_error(
        self, simulator: LinodeSimulator, provider: Linode
    ) -> None:
        """Else that record would be left beside the new ones."""
        simulator.add(ZONE, "API", "A", 300, "192.0.2.1")
        for number in range(600):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        assert await stands(provider)
        for _ in range(2):
            with pytest.raises(Unavailable, match="filter does not find"):
                await provider.read(ZONE, [f"api.{ZONE}"])

    async def test_all_domains_are_listed(self) -> None:
        """More than one page of them."""
        names = [f"z{number}.example" for number in range(1100)]
        with LinodeSimulator(names, TOKEN) as simulator:
            provider = Linode("li", LinodeOptions(simulator.endpoint), {"token": Secret(TOKEN)})
            assert await provider.zones() == tuple(names)
            assert len(simulator.requests) == 3
            await provider.aclose()

    async def test_pages_that_do_not_fit_are_an_error(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """A number of pages that no list has."""
        simulator.misbehave("answer", status=200, body=b'{"data": [], "pages": 1000000}')
        with pytest.raises(Unavailable, match="could not be understood"):
            await provider.zones()


class TestDomains:
    @pytest.mark.parametrize("status", ["disabled", "edit_mode", "has_errors"])
    async def test_one_that_is_not_served_is_refused(
        self, simulator: LinodeSimulator, provider: Linode, status: str
    ) -> None:
        """Whatever its records say, no visitor gets them."""
        simulator.domains[ZONE].status = status
        with pytest.raises(Rejected, match=status) as caught:
            await provider.read(ZONE, [WWW])
        assert "Enable" in caught.value.hint

    async def test_a_copy_is_refused(self, simulator: LinodeSimulator, provider: Linode) -> None:
        """Its records are changed on the primary server."""
        simulator.domains[ZONE].type = "slave"
        simulator.domains[ZONE].master_ips = ["192.0.2.53"]
        with pytest.raises(Rejected, match=r"copy of the one on 192\.0\.2\.53"):
            await provider.read(ZONE, [WWW])

    async def test_the_id_is_found_once_and_again_when_it_is_stale(
        self, simulator: LinodeSimulator, provider: Linode
    ) -> None:
        """The emergency path needs no list of domains; a domain that was made anew is found."""
        await provider.read(ZONE, [WWW])
        del simulator.requests[:]
        await provider.read(ZONE, [WWW])
        assert [target.partition("?")[0] for _, target in simulator.requests] == ["/v4/domains/1000000/records"]
        simulator.domains[ZONE] = Domain(777, ZONE)
        simulator.add(ZONE, "www", "A", 300, "192.0.2.7")
        assert await stands(provider) == (plain("A", "192.0.2.7"),)
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()


class TestPermissions:
    @pytest.mark.parametrize(
        ("scopes", "grants", "may_write"),
        [
            ("domains:read_write", None, True),
            ("*", None, True),
            ("linodes:read_write domains:read_only", None, False),
            ("domains:read_write", {ZONE: "read_write"}, True),
            ("domains:read_write", {ZONE: "read_only"}, False),
            ("domains:read_write", {ZONE: None}, False),
        ],
    )
    async def test_what_the_token_and_its_user_may_do(
        self, simulator: LinodeSimulator, provider: Linode, scopes: str, grants: Any, may_write: bool
    ) -> None:
        """Both must allow it, and nothing is changed to find out."""
        simulator.scopes, simulator.grants = scopes, grants
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write) == ((ZONE,), may_write)
        assert not simulator.bodies

    @pytest.mark.parametrize("grants", [None, {ZONE: "read_write"}])
    async def test_what_cannot_be_seen_is_not_known(
        self, simulator: LinodeSimulator, provider: Linode, grants: Any
    ) -> None:
        """An answer without scopes; a user with roles may not be allowed to list grants."""
        simulator.scopes, simulator.grants = None, grants
        assert (await provider.verify(ZONE, [WWW])).may_write is None
        simulator.scopes, simulator.shows_grants = "*", False
        assert (await provider.verify(ZONE, [WWW])).may_write is None

    @pytest.mark.parametrize(
        "forbid",
        [lambda s: setattr(s, "scopes", "domains:read_only"), lambda s: setattr(s, "grants", {ZONE: "read_only"})],
        ids=["scope", "grant"],
    )
    async def test_a_write_that_is_not_allowed_says_what_to_do(
        self, simulator: LinodeSimulator, provider: Linode, forbid: Callable[[LinodeSimulator], None]
    ) -> None:
        """Although Linode answers a missing scope as it does a wrong token."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        forbid(simulator)
        with pytest.raises(PermissionDenied) as caught:
            await provider.apply(ZONE, [change])
        assert "Read/Write" in caught.value.hint


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (401, {"errors": [{"reason": "Invalid Token"}]}, AuthError, "Invalid Token"),
            (403, {"errors": [{"reason": "Unauthorized"}]}, PermissionDenied, "Unauthorized"),
            (400, {"errors": [{"field": "name", "reason": "bad"}, {"reason": "odd"}]}, Rejected, "name: bad; odd"),
            (400, {"errors": [{"reason": f"Token {TOKEN}\u001b[31m"}]}, Rejected, "Token …"),
            (404, {}, PreconditionFailed, "not there any more"),
            (400, "<html>", Rejected, "nothing more"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self, simulator: LinodeSimulator, provider: Linode, status: int, body: Any, kind: type[object], words: str
    ) -> None:
        """Once, with what to do, and without the token, should the server repeat it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps(body).encode())
        if kind is PreconditionFailed:
            result = await provider.apply(ZONE, [change])
            assert isinstance(result, PreconditionFailed)
            assert words in result.conflicts[0]
            return
        with pytest.raises(ProviderError, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert isinstance(caught.value, kind)
        assert TOKEN not in caught.value.text
        assert caught.value.text.isprintable()
        assert caught.value.hint
        assert [method for method, _ in simulator.requests].count("PUT") == 1

    async def test_a_write_that_came_too_early_is_made_when_it_may(
        self, simulator: LinodeSimulator, provider: Linode
    ) -> None:
        """After 429: compared again where nothing was done, and gone on with half way."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        too_early: dict[str, Any] = {"writes_only": True, "status": 429, "headers": [("Retry-After", "0")]}
        simulator.misbehave("answer", **too_early)
        simulator.before_write = lambda: simulator.misbehave("answer", **too_early)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after
        assert [method for method, _ in simulator.requests if method != "GET"] == ["DELETE", "DELETE", "POST", "POST"]
        simulator.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "240")])
        with pytest.raises(RateLimited):
            await provider.apply(ZONE, [change.inverse])

    async def test_no_such_domain(self, provider: Linode) -> None:
        """Named, with where to look."""
        with pytest.raises(NotFound, match=r"other\.example") as caught:
            await provider.read("other.example", ["www.other.example"])
        assert "cloud.linode.com" in caught.value.hint


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (LinodeOptions(), []),
            (LinodeOptions("http://127.0.0.1:1/v4"), []),
            (LinodeOptions("http://api.linode.com/v4"), ["endpoint"]),
        ],
    )
    def test_faults_name_the_key(self, options: LinodeOptions, keys: list[str]) -> None:
        """Plain http never leaves the computer."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_token_is_for_the_endpoints_host(self) -> None:
        """Another host means another secret; the example is one."""
        assert PROVIDER.host(LinodeOptions()) == "api.linode.com"
        (field,) = PROVIDER.secrets(LinodeOptions())
        assert re.fullmatch(field.pattern, field.example)


@needs_recordings
@pytest.mark.parametrize("file", recordings("linode"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, simulator: LinodeSimulator, provider: Linode) -> None:
    """What the real Linode answered is read without loss."""
    domain = "lexicon-test.com"
    for step in conversation(file):
        url, answer = step["request"]["url"], step["response"]
        if step["request"]["method"] != "GET":
            continue
        simulator.misbehave("answer", status=answer["status"], body=answer["body"].encode())
        if url.endswith("/domains"):
            listed = json.loads(answer["body"])["data"]
            assert await provider.zones() == tuple(one["domain"] for one in listed)
            provider._zone_ids[domain] = "1065421"
            simulator.domains[domain] = Domain(1065421, domain)
            continue
        data = json.loads(answer["body"])["data"]
        names = [f"{one['name']}.{domain}" for one in data] or [domain]
        found = (await provider.read(domain, names)).records
        assert sum(len(r.values) for there in found.values() for r in there) == len(data)
        assert {r.ttl for there in found.values() for r in there} <= {86400}
