"""What is DigitalOcean's own: its notation, one TTL for a set, pages, the rate limit, scopes, and failures half way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers.digitalocean import PROVIDER, DigitalOcean, DigitalOceanOptions
from changeover.model.dns.change import Change
from changeover.model.dns.records import RecordSet, hostname
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
from contracts import published
from dns_servers import changes
from dns_servers.changes import planned, stands
from dns_servers.digitalocean_simulator import PREFIX, DigitalOceanSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings

ZONE, WWW = "shop.example", "www.shop.example"
plain = partial(changes.plain, ttl=300)
SIGN = "_changeover.shop.example"
TOKEN = "dop_v1_" + "0123456789abcdef" * 4
Json = dict[str, Any]


@pytest.fixture
def simulator() -> Iterator[DigitalOceanSimulator]:
    with DigitalOceanSimulator([ZONE], TOKEN) as running:
        running.add(ZONE, "www", "A", 300, "192.0.2.1")
        yield running


def opened(simulator: DigitalOceanSimulator) -> DigitalOcean:
    return DigitalOcean("do", DigitalOceanOptions(simulator.endpoint), {"token": Secret(TOKEN)}, timeout=30)


def shown(simulator: DigitalOceanSimulator, name: str = "www") -> set[tuple[str, str, int]]:
    """Type, data and TTL of what stands at a name, as the API has it."""
    return {(one["type"], one["data"], one["ttl"]) for one in simulator.records(ZONE) if one["name"] == name}


def methods(simulator: DigitalOceanSimulator) -> list[str]:
    return [method for method, _ in simulator.requests]


class TestNotation:
    @pytest.mark.parametrize(
        ("rtype", "data", "value"),
        [
            ("CNAME", "Primary.Example.net", "primary.example.net"),
            ("CNAME", "@", ZONE),
            ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
        ],
    )
    async def test_what_an_undo_restores(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean, rtype: str, data: str, value: str
    ) -> None:
        """A value as it was written, host names with a final dot, which DigitalOcean wants and does not show."""
        simulator.remove(ZONE, "www", "A")
        simulator.add(ZONE, "www", rtype, 300, data)
        before = shown(simulator)
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert [r.values for r in change.before] == [(value,)]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert shown(simulator) == before

    @pytest.mark.parametrize("data", ["@", "shop.example", "Shop.Example"])
    async def test_the_domain_itself_is_shown_in_one_way_only(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean, data: str
    ) -> None:
        """So however it was written before, nothing of that can be kept or restored."""
        simulator.remove(ZONE, "www", "A")
        simulator.add(ZONE, "www", "CNAME", 300, data)
        for after in (plain("CNAME", ZONE, ttl=60), plain("A", "198.51.100.1")):
            change = await planned(provider, after)
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await stands(provider) == change.after
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
            assert await stands(provider) == change.before

    async def test_a_value_that_stays_keeps_its_notation(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """It is not even touched; where its TTL changes, it is written as it was."""
        simulator.add(ZONE, "www", "AAAA", 300, "2001:DB8::1")
        change = await planned(provider, plain("AAAA", "2001:db8::1", "2001:db8::2", ttl=60))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert shown(simulator) == {("AAAA", "2001:DB8::1", 60), ("AAAA", "2001:db8::2", 60)}
        assert await stands(provider) == change.after

    @pytest.mark.parametrize(
        ("data", "value"),
        [
            ("v=spf1 -all", '"v=spf1 -all"'),
            ("k" * 300, f'"{"k" * 255}" "{"k" * 45}"'),
            ('say "x"; \\', '"say \\"x\\"; \\\\"'),
            ('"in quotes" "twice"', '"in quotes" "twice"'),
            ("schön", '"sch\\195\\182n"'),
        ],
    )
    async def test_a_text_that_stands_there(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean, data: str, value: str
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
                assert await provider.apply(ZONE, [], Guard(SIGN, new)) == Applied()
        assert shown(simulator, "_changeover") == before
        assert not provider.capabilities.leases

    async def test_other_types(self, simulator: DigitalOceanSimulator, provider: DigitalOcean) -> None:
        """Are read as a zone file has them; the SOA, of which only the TTL is shown, is left out."""
        simulator.add(ZONE, "@", "MX", 300, "mail.shop.example", priority=10)
        simulator.add(ZONE, "@", "MX", 300, "@", priority=20)
        simulator.add(ZONE, "@", "CAA", 300, "ca.example", flags=0, tag="issue")
        simulator.add(ZONE, "@", "SRV", 300, "sip.shop.example", priority=1, weight=2, port=5060)
        found = {r.type: r.values for r in (await provider.read(ZONE, [ZONE])).records[ZONE]}
        assert found == {
            "NS": tuple(f"ns{number}.digitalocean.com." for number in (1, 2, 3)),
            "MX": ("10 mail.shop.example.", "20 shop.example."),
            "CAA": ('0 issue "ca.example"',),
            "SRV": ("1 2 5060 sip.shop.example.",),
        }

    @pytest.mark.parametrize("name", ["*.apps.shop.example", hostname("bücher.shop.example"), "_dmarc.shop.example"])
    async def test_any_name(self, simulator: DigitalOceanSimulator, provider: DigitalOcean, name: str) -> None:
        """Wildcards, names in another script, and names with an underscore; there and back."""
        zone = simulator.records(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1", name=name))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert shown(simulator, name.removesuffix(f".{ZONE}")) == {("A", "198.51.100.1", 300)}
        assert await stands(provider, name) == change.after
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone


class TestTtls:
    @pytest.mark.parametrize(("asked", "published"), [(10, 30), (60, 60)])
    async def test_a_ttl_is_one_that_is_taken(self, provider: DigitalOcean, asked: int, published: int) -> None:
        """And what is planned is what stands afterwards."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=asked))
        assert [r.ttl for r in change.after] == [published]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    async def test_a_set_has_one_ttl(self, simulator: DigitalOceanSimulator, provider: DigitalOcean) -> None:
        """Which that of the last record written becomes; each record is replaced in place all the same."""
        simulator.add(ZONE, "www", "A", 300, "192.0.2.2")
        change = await planned(provider, plain("A", "192.0.2.1", "192.0.2.2", "192.0.2.3", ttl=60))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after
        assert [m for m in methods(simulator) if m != "GET"] == ["PATCH", "PATCH", "POST"]
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert await stands(provider) == change.before

    async def test_a_set_of_two_ttls_is_restored_as_far_as_it_can_be(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """Older sets may have two TTLs, of which DigitalOcean then makes one. The answer is back."""
        simulator.add(ZONE, "www", "A", 60, "192.0.2.2")
        change = await planned(provider, plain("A", "198.51.100.1", ttl=60))
        assert change.before[0].ttl == 300
        assert change.before[0].details == {"192.0.2.2": {"ttl": 60}}
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert {data for _, data, _ in shown(simulator)} == {"192.0.2.1", "192.0.2.2"}


class TestPages:
    async def test_a_zone_of_five_thousand_records(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """Two of them are switched and nothing else is touched, with few requests."""
        for number in range(5000):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        names = [f"n{number}.{ZONE}" for number in (7, 4900)]
        changes = [await planned(provider, plain("A", "198.51.100.1", name=name)) for name in names]
        zone = {one["id"]: one for one in simulator.records(ZONE)}
        del simulator.requests[:]
        records = (await provider.read(ZONE, names)).records
        assert [len(there) for there in records.values()] == [1, 1]
        reading = len(simulator.requests)
        del simulator.requests[:]
        for change in changes:
            assert await provider.apply(ZONE, [change]) == Applied()
        print(f"{reading} requests to read two names of 5,000, {len(simulator.requests)} to change them")
        assert reading == 2 + 2
        assert methods(simulator) == ["GET", "PATCH"] * 2
        altered = [one for one in simulator.records(ZONE) if zone[one["id"]] != one]
        assert [one["name"] for one in altered] == ["n7", "n4900"]

    async def test_many_names_are_read_by_pages(self, simulator: DigitalOceanSimulator, provider: DigitalOcean) -> None:
        """Never with more than two requests for each name, whatever the zone's size."""
        for number in range(1000):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        counts = []
        for wanted in (1, 2, 6, 500):
            names = [f"n{number}.{ZONE}" for number in range(wanted)]
            del simulator.requests[:]
            found = (await provider.read(ZONE, names)).records
            assert found == {name: (plain("A", "192.0.2.1", name=name),) for name in names}
            counts.append(len(simulator.requests))
        assert counts == [1, 2 + 2, 6, 6]

    async def test_a_name_that_is_asked_for_twice(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """As the guard's may be, is read once."""
        for number in range(600):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        simulator.add(ZONE, "www", "TXT", 300, "note one")
        change = await planned(provider, plain("A", "198.51.100.1"))
        del simulator.requests[:]
        assert await provider.apply(ZONE, [change], Guard(WWW, "note one")) == Applied()
        assert methods(simulator) == ["GET", "PATCH"]
        assert shown(simulator) == {("A", "198.51.100.1", 300), ("TXT", "note one", 300)}

    async def test_a_zone_that_changes_while_it_is_read(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """Where a record moves to a page that was read already, it is read again: nothing is overlooked."""
        for number in range(1000):
            simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
        names = [f"n{number}.{ZONE}" for number in (195, 196, 400, 600, 700, 900)]
        honest, answered = simulator._answer, 0

        def deleted_after_the_first_page(*request: Any) -> Any:
            nonlocal answered
            answered += 1
            if answered == 2:
                simulator.remove(ZONE, "n7", "A")
            return honest(*request)

        simulator._answer = deleted_after_the_first_page  # type: ignore[method-assign]
        records = (await provider.read(ZONE, names)).records
        assert [len(there) for there in records.values()] == [1] * 6
        assert answered == 6 + 6

    async def test_all_domains_are_listed(self) -> None:
        """More than one page of them."""
        names = [f"z{number}.example" for number in range(120)]
        with DigitalOceanSimulator(names, TOKEN) as simulator:
            provider = DigitalOcean("do", DigitalOceanOptions(simulator.endpoint), {"token": Secret(TOKEN)})
            assert await provider.zones() == tuple(names)
            assert len(simulator.requests) == 3
            await provider.aclose()

    async def test_the_next_page_is_asked_of_the_same_host(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """Whatever its address says: only the page's number is used. Pages that do not end are an error."""
        with DigitalOceanSimulator([ZONE]) as elsewhere:
            links = {"pages": {"next": f"{elsewhere.endpoint}/domains?page=7"}}
            body = json.dumps({"domains": [], "links": links}).encode()
            simulator.misbehave("answer", status=200, body=body, times=5)
            with pytest.raises(Unavailable, match="do not end"):
                await provider.zones()
            assert simulator.requests[1][1] == f"{PREFIX}/domains?per_page=50&page=7"
            assert not elsewhere.requests


class TestPermissions:
    async def test_what_a_token_may_write_is_not_known(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """The API does not tell, and nothing is changed to find out."""
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write, access.expires) == ((ZONE,), None, None)
        assert not simulator.bodies

    @pytest.mark.parametrize(
        "after", [plain("A", "198.51.100.1"), plain("CNAME", "backup.example.net")], ids=["in place", "another type"]
    )
    async def test_a_write_that_is_not_allowed(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean, after: RecordSet
    ) -> None:
        """Changes nothing, and names the scopes that are needed."""
        change = await planned(provider, after)
        zone = simulator.records(ZONE)
        simulator.scopes = {"domain:read"}
        with pytest.raises(PermissionDenied, match="do not have access") as caught:
            await provider.apply(ZONE, [change])
        assert "domain:update" in caught.value.hint
        assert simulator.records(ZONE) == zone


class TestHalfWay:
    async def test_a_refusal_half_way_says_what_was_done(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """A token that may delete and not create leaves the name empty; the text says so."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        simulator.scopes = {"domain:read", "domain:delete"}
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert result.text.startswith(f"Done: A 192.0.2.1 at {WWW} is deleted. Not done: CNAME backup.example.net")
        assert await provider.read_back(ZONE, [change]) == {WWW: ()}
        # What the caller then does: what stood there before is written again.
        simulator.scopes = {"domain:read", "domain:update"}
        back = Change(account="do", zone=ZONE, name=WWW, before=(), after=change.before)
        assert await provider.apply(ZONE, [back]) == Applied()
        assert await stands(provider) == change.before

    async def test_a_lost_answer_half_way(self, simulator: DigitalOceanSimulator, provider: DigitalOcean) -> None:
        """Nothing comes after it, and nothing is repeated."""
        simulator.add(ZONE, "www", "A", 300, "192.0.2.2")
        change = await planned(provider, plain("A", "198.51.100.1", "198.51.100.2"))
        simulator.misbehave("drop-after", writes_only=True)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert {data for _, data, _ in shown(simulator)} == {"198.51.100.1", "192.0.2.2"}

    async def test_a_record_that_vanishes_in_the_last_instant(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """Is not created anew where it was to be replaced."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.remove(ZONE, "www", "A")
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, PreconditionFailed)
        assert "not there any more" in result.conflicts[0]
        assert not shown(simulator)

    async def test_what_disappears_later_is_told(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """After what was done before it."""
        simulator.add(ZONE, "www", "A", 300, "192.0.2.2")
        change = await planned(provider, plain("A", "198.51.100.1"))
        gone = simulator.records(ZONE)[-1]
        simulator.before_write = lambda: simulator.domains[ZONE].remove(
            next(one for one in simulator.domains[ZONE] if one["id"] == gone["id"])
        )
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "is now 198.51.100.1. Not done: A 192.0.2.2" in result.text


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (
                401,
                {"id": "unauthorized", "message": "Unable to authenticate you."},
                AuthError,
                "Unable to authenticate",
            ),
            (403, {"id": "forbidden", "message": "No access."}, PermissionDenied, "No access."),
            (422, {"id": "unprocessable_entity", "message": "Data is bad"}, Rejected, "Data is bad"),
            (422, {"id": "x", "message": f"Bearer {TOKEN}\u001b[31m"}, Rejected, "Bearer …"),
            (400, "<html>", Rejected, "nothing more"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self,
        simulator: DigitalOceanSimulator,
        provider: DigitalOcean,
        status: int,
        body: object,
        kind: type[ProviderError],
        words: str,
    ) -> None:
        """Once, with what to do, and without the token, should the server repeat it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps(body).encode())
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert TOKEN not in caught.value.text
        assert caught.value.hint
        assert methods(simulator).count("PATCH") == 1

    async def test_a_cname_at_the_apex_is_refused(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """In DigitalOcean's words; nothing was changed."""
        assert not provider.capabilities.apex_cname
        change = await planned(provider, plain("CNAME", "backup.example.net", name=ZONE))
        zone = simulator.records(ZONE)
        with pytest.raises(Rejected, match="cannot share a name"):
            await provider.apply(ZONE, [change])
        assert simulator.records(ZONE) == zone

    async def test_the_limit_of_a_minute(self, simulator: DigitalOceanSimulator, provider: DigitalOcean) -> None:
        """Waits as long as DigitalOcean says, also half way; a wait that is too long is told."""
        simulator.add(ZONE, "www", "A", 300, "192.0.2.2")
        change = await planned(provider, plain("A", "198.51.100.1", "198.51.100.2"))
        too_many = json.dumps({"id": "too_many_requests", "message": "API rate limit exceeded."}).encode()
        for wait in ("1", "240"):
            simulator.misbehave("answer", writes_only=True, status=429, headers=[("retry-after", wait)], body=too_many)
            if wait == "1":
                assert await provider.apply(ZONE, [change]) == Applied()
        with pytest.raises(RateLimited, match="API rate limit exceeded"):
            await provider.apply(ZONE, [change.inverse])
        assert await stands(provider) == change.after

    async def test_a_record_without_its_content_is_no_empty_name(
        self, simulator: DigitalOceanSimulator, provider: DigitalOcean
    ) -> None:
        """But an SOA record may come without any."""
        records = [{"id": None, "type": "SOA", "name": "@", "data": None, "ttl": None}, {"id": 7, "type": "A"}]
        for count, body in enumerate(({"domain_records": records[:number]} for number in (1, 2)), 1):
            simulator.misbehave("answer", status=200, body=json.dumps(body).encode(), times=count)
        assert (await provider.read(ZONE, [ZONE])).records == {ZONE: ()}
        with pytest.raises(Unavailable, match="without its content"):
            await provider.read(ZONE, [ZONE])


class TestSettings:
    def test_an_account_needs_nothing_but_its_token(self) -> None:
        """Plain http never leaves the computer."""
        assert PROVIDER.faults(DigitalOceanOptions()) == []
        assert [key for key, _ in PROVIDER.faults(DigitalOceanOptions("http://api.digitalocean.com/v2"))] == [
            "endpoint"
        ]
        assert PROVIDER.host(DigitalOceanOptions()) == "api.digitalocean.com"
        (field,) = PROVIDER.secrets(DigitalOceanOptions())
        assert re.fullmatch(field.pattern, field.example)
        assert not re.fullmatch(field.pattern, field.example[:-1])


@needs_recordings
@pytest.mark.parametrize("file", recordings("digitalocean"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(
    file: Path, simulator: DigitalOceanSimulator, provider: DigitalOcean
) -> None:
    """What the real DigitalOcean answered is read without loss."""
    zone = "foxwoodswebsites.com"
    records: list[Json] = []
    for step in conversation(file):
        answer, body = step["response"], json.loads(step["response"]["body"] or "{}")
        if step["request"]["method"] != "GET" or "domain" in body:
            continue
        simulator.misbehave("answer", status=answer["status"], body=answer["body"].encode())
        if answer["status"] == 404:
            with pytest.raises(NotFound, match="unknown"):
                await provider.read("unknown.example", ["www.unknown.example"])
            continue
        records += [one for one in body["domain_records"] if one["type"] != "SOA"]
        if "next" in body["links"].get("pages", {}):
            continue  # the next step is the second page
        names = {zone if one["name"] == "@" else f"{one['name']}.{zone}" for one in records}
        found = (await provider.read(zone, sorted(names))).records
        # One recording has the same record twice.
        distinct = {(one["type"], one["name"], one["data"]) for one in records}
        assert sum(len(r.values) for there in found.values() for r in there) == len(distinct)
        records.clear()


async def test_requests_and_answers_are_as_the_published_description_says(
    simulator: DigitalOceanSimulator, provider: DigitalOcean
) -> None:
    """Every request of the provider, and every answer of the simulator."""
    contract = _as_json_schema(published("digitalocean.json"))
    for after in (plain("A", "198.51.100.1", "198.51.100.2"), plain("CNAME", "backup.example.net")):
        change = await planned(provider, after)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
    assert await provider.swap_txt(ZONE, SIGN, None, "note one") == Applied()
    await provider.verify(ZONE, [WWW, ZONE])
    with pytest.raises(NotFound):
        await provider.read("elsewhere.example", ["elsewhere.example"])
    with pytest.raises(Rejected):
        await provider.apply(ZONE, [await planned(provider, plain("CNAME", "backup.example.net", name=ZONE))])
    bodies = iter(simulator.bodies)
    used = set()
    for (method, target), answer in zip(simulator.requests, simulator.answers, strict=True):
        body = next(bodies) if method != "GET" else b""
        used.add((method, answer.status))
        _check(contract, method, target, body, answer.status, answer.content)
    assert used == {
        *[("GET", 200), ("GET", 404), ("POST", 201), ("PATCH", 200), ("DELETE", 204), ("POST", 422)],
    }


def _check(contract: Json, method: str, target: str, body: bytes, status: int, content: bytes) -> None:
    parts = urlsplit(target)
    path = re.sub(r"^/v2/domains/[^/]+", "/v2/domains/{domain_name}", parts.path)
    path = re.sub(r"records/\d+$", "records/{domain_record_id}", path)
    operation = contract["paths"][path][method.lower()]
    parameters = [_resolved(contract, one) for one in operation.get("parameters", ())]
    described = {one["name"]: one["schema"] for one in parameters if one["in"] == "query"}
    for key, value in parse_qsl(parts.query):
        _validate(contract, int(value) if described[key]["type"] == "integer" else value, described[key])
    if body:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        _validate(contract, json.loads(body), schema)
    answers = operation["responses"]
    described_answer = _resolved(contract, answers[str(status)] if str(status) in answers else answers["default"])
    if content:
        _validate(contract, json.loads(content), described_answer["content"]["application/json"]["schema"])
    else:
        assert "content" not in described_answer


def _validate(contract: Json, value: object, schema: Json) -> None:
    jsonschema.Draft202012Validator({**schema, "components": contract["components"]}).validate(value)


def _resolved(contract: Json, one: Json) -> Json:
    if "$ref" not in one:
        return one
    found: Any = contract
    for key in one["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return dict(found)


def _as_json_schema(value: Any) -> Any:
    """OpenAPI 3.0 has a word of its own for what may be null."""
    if isinstance(value, dict):
        kind = value.get("type")
        made = {key: _as_json_schema(member) for key, member in value.items()}
        return {**made, "type": [kind, "null"]} if value.get("nullable") is True and isinstance(kind, str) else made
    return [_as_json_schema(member) for member in value] if isinstance(value, list) else value
