"""What is Hetzner's own: actions that take their time, TTLs, comments and labels, its errors and its limits."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers import hetzner
from changeover.dns.providers.hetzner import LOCKED_PAUSE, PROVIDER, Hetzner, HetznerOptions
from changeover.model.dns.change import Change
from changeover.model.errors import (
    AuthError,
    Conflict,
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
from dns_servers.hetzner_simulator import HetznerSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings

ZONE = "shop.example"
plain = partial(changes.plain, ttl=3600)
WWW = "www.shop.example"
SIGN = "_changeover.shop.example"
TOKEN = "T" * 64


@pytest.fixture
def simulator() -> Iterator[HetznerSimulator]:
    with HetznerSimulator([ZONE], TOKEN) as running:
        running.add(ZONE, "www", "A", 3600, "192.0.2.1")
        yield running


def opened(simulator: HetznerSimulator) -> Hetzner:
    return Hetzner("hz", HetznerOptions(simulator.endpoint), {"token": Secret(TOKEN)}, timeout=30)


def asked(simulator: HetznerSimulator) -> list[str]:
    """What was asked for in writing, in order."""
    return [target.rpartition("/")[2] for method, target in simulator.requests if method != "GET"]


class TestTtls:
    @pytest.mark.parametrize(("wanted", "published"), [(1, 60), (7200, 7200), (2**32 - 1, 2**31 - 1)])
    async def test_a_ttl_is_one_that_hetzner_takes(self, provider: Hetzner, wanted: int, published: int) -> None:
        """And what is planned is what stands afterwards."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=wanted))
        assert [r.ttl for r in change.after] == [published]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    async def test_the_shorter_ttl_holds_while_the_values_change(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """So that no cache keeps for long what is half of the change."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=60))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert asked(simulator) == ["change_ttl", "set_records"]
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert asked(simulator)[2:] == ["set_records", "change_ttl"]

    async def test_the_zones_default_is_restored(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """A set without a TTL of its own has none again after an undo, in place and after another type."""
        simulator.remove(ZONE, "www", "A")
        simulator.add(ZONE, "www", "A", None, "192.0.2.1")
        zone = simulator.records(ZONE)
        assert [r.ttl for r in await stands(provider)] == [86400]
        for after in (plain("A", "198.51.100.1", ttl=60), plain("CNAME", "backup.example.net", ttl=60)):
            change = await planned(provider, after)
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
            assert simulator.records(ZONE) == zone

    async def test_a_set_keeps_the_zones_default_where_its_ttl_stays(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """Only its values are asked for."""
        simulator.remove(ZONE, "www", "A")
        simulator.add(ZONE, "www", "A", None, "192.0.2.1")
        change = await planned(provider, plain("A", "198.51.100.1", ttl=86400))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert asked(simulator) == ["set_records"]
        assert await stands(provider) == change.after


class TestWhatIsKeptBeside:
    async def test_comments_and_labels_are_restored(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """In place, and where the set was deleted for another type."""
        simulator.remove(ZONE, "www", "A")
        simulator.add(ZONE, "www", "A", 3600, "192.0.2.1", "rack 1")
        simulator.add(ZONE, "www", "A", 3600, "192.0.2.2", "rack 2")
        simulator.change(ZONE, "www", "A", labels={"team": "shop", "example.com/my": ""})
        zone = simulator.records(ZONE)
        for after in (plain("A", "192.0.2.2", "198.51.100.1"), plain("CNAME", "backup.example.net")):
            change = await planned(provider, after)
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await stands(provider) == change.after
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
            assert simulator.records(ZONE) == zone

    async def test_a_set_that_stays_keeps_its_labels(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """And a value that stays its comment."""
        simulator.add(ZONE, "www", "A", 3600, "192.0.2.2", "rack 2")
        simulator.change(ZONE, "www", "A", labels={"team": "shop"})
        change = await planned(provider, plain("A", "192.0.2.2", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()
        (found,) = [one for one in simulator.sets(ZONE) if one["name"] == "www"]
        assert found["labels"] == {"team": "shop"}
        assert {r["value"]: r["comment"] for r in found["records"]} == {"192.0.2.2": "rack 2", "198.51.100.1": ""}

    async def test_a_new_comment_is_a_conflict(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """An undo would lose it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.change(ZONE, "www", "A", records=[{"value": "192.0.2.1", "comment": "do not touch"}])
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert asked(simulator) == []

    async def test_a_name_without_a_final_dot_is_below_the_zone(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """As in a zone file; an undo writes it as it was. A name of another zone gets its final dot."""
        simulator.add(ZONE, "docs", "CNAME", 3600, "www")
        simulator.add(ZONE, "up", "CNAME", 3600, "@")
        zone = simulator.records(ZONE)
        docs = f"docs.{ZONE}"
        assert [r.values for r in await stands(provider, docs)] == [(WWW,)]
        assert [r.values for r in await stands(provider, f"up.{ZONE}")] == [(ZONE,)]
        change = await planned(provider, plain("CNAME", "backup.example.net", name=docs))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert json.loads(simulator.bodies[-1]) == {"records": [{"value": "backup.example.net."}]}
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone

    async def test_a_long_text_beside_stays_as_it_is(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """Of two strings of 255 characters, with another text put beside it and taken away."""
        simulator.add(ZONE, "_changeover", "TXT", None, f'"{"a" * 255}" "{"b" * 255}"', "a key")
        zone = simulator.records(ZONE)
        assert not provider.capabilities.leases
        for before, after in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
            if after:
                assert await provider.apply(ZONE, [], Guard(SIGN, after)) == Applied()
        assert simulator.records(ZONE) == zone


class TestProtection:
    async def test_a_protected_set_is_told(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """Before a switch is tried. What protects a set of another type at the name is of no concern."""
        simulator.add(ZONE, "www", "TXT", 3600, '"a text"')
        simulator.change(ZONE, "www", "TXT", protection={"change": True})
        assert (await provider.read(ZONE, [WWW])).policies == {}
        simulator.change(ZONE, "www", "A", protection={"change": True})
        assert "protected against changes" in (await provider.read(ZONE, [WWW])).policies[WWW]

    async def test_a_write_is_refused_in_words(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """Should it be tried all the same."""
        simulator.change(ZONE, "www", "A", protection={"change": True})
        change = await planned(provider, plain("A", "198.51.100.1"))
        with pytest.raises(Rejected, match="protected") as caught:
            await provider.apply(ZONE, [change])
        assert "Take the protection off" in caught.value.hint


class TestZones:
    async def test_a_copy_is_refused_as_soon_as_it_is_read(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """With where to change it."""
        simulator.zones[ZONE].mode = "secondary"
        with pytest.raises(Rejected, match="is a copy") as caught:
            await provider.read(ZONE, [WWW])
        assert "Changes are made there" in caught.value.hint

    @pytest.mark.parametrize(("status", "delegation"), [("updating", "valid"), ("error", "valid"), ("ok", "invalid")])
    async def test_what_was_wrong_with_a_zone_before_stops_nothing(
        self, simulator: HetznerSimulator, provider: Hetzner, status: str, delegation: str
    ) -> None:
        """The action tells whether this change was published; what visitors get is looked at elsewhere."""
        simulator.zones[ZONE].status, simulator.zones[ZONE].delegation = status, delegation
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()

    async def test_all_zones_are_listed(self) -> None:
        """More than one page of them."""
        names = [f"z{number}.example" for number in range(120)]
        with HetznerSimulator(names, TOKEN) as simulator:
            provider = Hetzner("hz", HetznerOptions(simulator.endpoint), {"token": Secret(TOKEN)})
            assert await provider.zones() == tuple(names)
            assert len(simulator.requests) == 3
            await provider.aclose()

    async def test_a_large_zone_is_read_by_pages_or_by_names(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """Whichever takes fewer requests; and only what is changed is written."""
        for number in range(5000):
            simulator.add(ZONE, f"n{number}", "A", 60, "192.0.2.1")
        zone = simulator.records(ZONE)
        counts = []
        for wanted in ([WWW], [f"n{number}.{ZONE}" for number in range(2)], [f"n{n}.{ZONE}" for n in range(300)]):
            del simulator.requests[:]
            records = (await provider.read(ZONE, wanted)).records
            assert all(records[name] for name in wanted)
            counts.append(len(simulator.requests))
        print(f"requests for 1, 2 and 300 names of 5,000: {counts}")
        assert counts == [2, 3, 1 + 51]
        changes = [await planned(provider, plain("A", "198.51.100.1", name=f"n{n}.{ZONE}", ttl=60)) for n in (7, 8)]
        del simulator.requests[:]
        assert await provider.apply(ZONE, changes) == Applied()
        assert asked(simulator) == ["set_records"] * 2
        assert len(simulator.requests) <= 3 + 2 + 2 * 4
        after = simulator.records(ZONE)
        assert len(zone - after) == len(after - zone) == 2

    async def test_names_with_a_wildcard_or_in_another_script(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """Are written as they are, in the address of a request too."""
        for name in (f"*.apps.{ZONE}", f"xn--bcher-kva.{ZONE}", f"_sip.{ZONE}"):
            created = await planned(provider, plain("A", "198.51.100.1", name=name))
            assert await provider.apply(ZONE, [created]) == Applied()
            other = await planned(provider, plain("A", "198.51.100.2", name=name, ttl=60))
            assert await provider.apply(ZONE, [other]) == Applied()
            assert await stands(provider, name) == other.after
            gone = Change(account="hz", zone=ZONE, name=name, before=other.after, after=())
            assert await provider.apply(ZONE, [gone]) == Applied()
            assert await stands(provider, name) == ()


class TestActions:
    async def test_a_change_is_made_when_its_actions_have_succeeded(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """Not before: what is read then is what was planned. Both are under way at once."""
        simulator.late, simulator.seconds = True, 0.5
        change = await planned(provider, plain("A", "198.51.100.1", ttl=60))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after
        methods = [method for method, _ in simulator.requests]
        assert methods[methods.index("POST") :][:2] == ["POST", "POST"]
        assert methods.count("GET") < 12

    @pytest.mark.parametrize("locks", [False, True])
    async def test_what_is_in_the_way_of_the_next_request_is_waited_for(
        self, simulator: HetznerSimulator, provider: Hetzner, locks: bool
    ) -> None:
        """A CNAME that is still shown, or a zone that takes one change at a time: there and back."""
        simulator.late, simulator.locks, simulator.seconds = True, locks, 0.3
        zone = simulator.records(ZONE)
        change = await planned(provider, plain("CNAME", "backup.example.net", ttl=60))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone

    @pytest.mark.parametrize(("code", "status"), [("locked", 423), ("conflict", 409)])
    async def test_somebody_elses_action_is_waited_for(
        self, simulator: HetznerSimulator, provider: Hetzner, code: str, status: int
    ) -> None:
        """And the names are compared again before the write is repeated."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        body = json.dumps({"error": {"code": code, "message": "try again"}}).encode()
        simulator.misbehave("answer", writes_only=True, status=status, body=body)
        assert await provider.apply(ZONE, [change]) == Applied()
        simulator.misbehave("answer", writes_only=True, status=status, body=body)
        soon = LOCKED_PAUSE / 2
        asyncio.get_running_loop().call_later(soon, simulator.add, ZONE, "www", "A", 3600, "192.0.2.99")
        assert isinstance(await provider.apply(ZONE, [change.inverse]), PreconditionFailed)

    async def test_what_was_taken_is_waited_for_where_the_next_is_lost(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """Only then does a reading show that the name is empty, and that it must be repaired."""
        simulator.late, simulator.seconds = True, 1.0
        change = await planned(provider, plain("CNAME", "backup.example.net", ttl=60))
        simulator.misbehave("answer", writes_only=True, after=1, status=502)
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert not result.under_way
        assert await stands(provider) == ()

    async def test_an_action_that_takes_too_long_is_under_way(
        self, simulator: HetznerSimulator, provider: Hetzner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may be made later, so nobody may say that nothing was changed."""
        monkeypatch.setattr(hetzner, "ACTION_BUDGET", 0.1)
        simulator.late, simulator.seconds = True, 60.0
        change = await planned(provider, plain("A", "198.51.100.1"))
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert result.under_way

    async def test_an_action_that_fails_is_told_in_its_words(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """Nobody documents what it has left behind: reading tells."""
        simulator.late = True
        zone = simulator.records(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.fails = ("zone_push_failed", f"No name server took it, Bearer {TOKEN}")
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "Done: Hetzner took other values of A at www.shop.example." in result.text
        assert "failed: No name server took it, Bearer … (zone_push_failed)" in result.text
        assert simulator.records(ZONE) == zone

    async def test_an_action_that_does_not_end_is_unsure(self, simulator: HetznerSimulator) -> None:
        """After a bounded time, with a bounded number of looks at it."""
        simulator.seconds = 3600
        provider = Hetzner("hz", HetznerOptions(simulator.endpoint), {"token": Secret(TOKEN)}, timeout=0.3)
        change = await planned(provider, plain("A", "198.51.100.1"))
        async with asyncio.timeout(20):
            result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "still running after 1.8 s" in result.text
        assert len([t for _, t in simulator.requests if "/actions/" in t and "set_records" not in t]) < 10
        await provider.aclose()

    async def test_a_look_at_an_action_that_is_lost_is_repeated(
        self, simulator: HetznerSimulator, provider: Hetzner
    ) -> None:
        """It changes nothing to look again."""
        simulator.seconds = 0.4
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.misbehave("answer", status=503)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert not simulator._misbehaviours

    @pytest.mark.parametrize("what", ["drop-before", "drop-after"])
    async def test_a_change_that_breaks_off_is_unsure(
        self, simulator: HetznerSimulator, provider: Hetzner, what: Any
    ) -> None:
        """Of two requests the first was lost: the second is not sent, and reading tells what stands."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        simulator.misbehave(what, writes_only=True)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert asked(simulator) == ["A"]
        assert await stands(provider) == (() if what == "drop-after" else change.before)

    async def test_a_failure_half_way_says_what_was_done(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """And what was not, in Hetzner's words. What was refused is tried once more, after what may be in its way."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        body = json.dumps({"error": {"code": "invalid_input", "message": "too odd"}}).encode()

        def refuse() -> None:
            simulator.misbehave("answer", writes_only=True, status=422, body=body, times=2)

        simulator.before_write = refuse
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "Done: Hetzner took the deletion of A at www.shop.example. Not done: Hetzner took the new" in result.text
        assert "too odd" in result.text
        assert len(asked(simulator)) == 3


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "error", "kind", "words"),
        [
            (401, {"code": "unauthorized", "message": "unable to authenticate"}, AuthError, "unable to authenticate"),
            (401, {"code": "token_readonly", "message": "only GET"}, PermissionDenied, "only GET (token_readonly)"),
            (403, {"code": "forbidden", "message": "Not yours"}, PermissionDenied, "Not yours"),
            (403, {"code": "maintenance", "message": "Back soon"}, Unavailable, "Back soon"),
            (404, {"code": "not_found", "message": "RRSet not found"}, NotFound, "RRSet not found"),
            (409, {"code": "uniqueness_error", "message": "exists"}, Conflict, "exists"),
            (422, {"code": "invalid_input", "message": f"Bearer {TOKEN}\u001b[31m", "details": 1}, Rejected, "…"),
            (423, {"code": "protected", "message": "protected"}, Rejected, "protected"),
            (429, {"code": "rate_limit_exceeded", "message": "too many"}, RateLimited, "too many"),
            (400, "<html>", Rejected, "nothing more"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self,
        simulator: HetznerSimulator,
        provider: Hetzner,
        status: int,
        error: Any,
        kind: type[ProviderError],
        words: str,
    ) -> None:
        """Once, with what to do, and without the token, should the server repeat it."""
        zone = simulator.records(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps({"error": error}).encode())
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert TOKEN not in caught.value.text
        assert caught.value.text.isprintable()
        assert caught.value.hint
        assert len(asked(simulator)) == 1
        assert simulator.records(ZONE) == zone

    async def test_a_token_that_may_only_read(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """Cannot be told apart before it writes, and nothing is changed to find out."""
        simulator.read_only = True
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write) == ((ZONE,), None)
        assert not simulator.bodies
        with pytest.raises(PermissionDenied, match="token_readonly") as caught:
            await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1"))])
        assert "Read & Write" in caught.value.hint

    @pytest.mark.parametrize("headers", [[("RateLimit-Limit", "7200")], [("Retry-After", "1")]])
    async def test_a_write_that_came_too_early_is_compared_again(
        self, simulator: HetznerSimulator, provider: Hetzner, headers: list[tuple[str, str]]
    ) -> None:
        """Once one more request is allowed, which is soon, since an hour's requests come back one by one."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=429, headers=headers)
        assert await provider.apply(ZONE, [change]) == Applied()
        simulator.misbehave("answer", status=429, headers=headers)
        assert await stands(provider) == change.after
        simulator.misbehave("answer", writes_only=True, status=429, headers=[("RateLimit-Limit", "1")])
        with pytest.raises(RateLimited):
            await provider.apply(ZONE, [change.inverse])

    @pytest.mark.parametrize("what", ["answer", "answer-after"])
    async def test_a_server_error_of_a_write_is_unsure(
        self, simulator: HetznerSimulator, provider: Hetzner, what: Any
    ) -> None:
        """Whether it was made or not; reading tells."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave(what, writes_only=True, status=504)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert await stands(provider) == (change.after if what == "answer-after" else change.before)

    async def test_a_cname_at_the_apex_is_refused(self, simulator: HetznerSimulator, provider: Hetzner) -> None:
        """Hetzner has no ALIAS either, and says so of itself."""
        assert not (provider.capabilities.apex_cname or provider.capabilities.apex_alias)
        zone = simulator.records(ZONE)
        with pytest.raises(Rejected, match="only RRSet"):
            await provider.apply(ZONE, [await planned(provider, plain("CNAME", "backup.example.net", name=ZONE))])
        assert simulator.records(ZONE) == zone


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (HetznerOptions(), []),
            (HetznerOptions("http://127.0.0.1:1/v1"), []),
            (HetznerOptions("http://api.hetzner.cloud/v1"), ["endpoint"]),
        ],
    )
    def test_faults_name_the_key(self, options: HetznerOptions, keys: list[str]) -> None:
        """Plain http never leaves the computer."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_token_is_for_the_endpoints_host(self) -> None:
        """Another host means another secret."""
        assert PROVIDER.host(HetznerOptions()) == "api.hetzner.cloud"
        (field,) = PROVIDER.secrets(HetznerOptions())
        assert re.fullmatch(field.pattern, field.example)


@needs_recordings
@pytest.mark.parametrize("file", recordings("hetzner"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, simulator: HetznerSimulator, provider: Hetzner) -> None:
    """What the real Hetzner answered is read without loss."""
    zone = b""
    for step in conversation(file):
        answer, url = step["response"], step["request"]["url"]
        body = answer["body"].encode()
        if "/actions/" in url or step["request"]["method"] != "GET":
            simulator.misbehave("answer", status=answer["status"], body=body)
            action = await provider._action(1)
            assert action.status == json.loads(body)["action"]["status"]
        elif "/rrsets" not in url and answer["status"] == 404:
            simulator.misbehave("answer", status=404, body=body)
            with pytest.raises(NotFound):
                await provider.read("thisisadomainidonotown.com", ["thisisadomainidonotown.com"])
        elif "/rrsets" not in url:
            zone = body
        else:
            sets = json.loads(body)["rrsets"]
            names, name_of_zone = {one["name"] for one in sets} or {"empty"}, json.loads(zone)["zone"]["name"]
            simulator.misbehave("answer", status=200, body=zone)
            # With two names or more, the zone is listed in one request.
            simulator.misbehave("answer", status=200, body=body)
            wanted = [f"{name}.{name_of_zone}".removeprefix("@.") for name in {*names, "another"}]
            found = (await provider.read(name_of_zone, wanted)).records
            assert sum(len(r.values) for there in found.values() for r in there) == sum(len(s["records"]) for s in sets)
            ttls = {r.ttl for there in found.values() for r in there}
            assert ttls == {86400 if s["ttl"] is None else s["ttl"] for s in sets}
