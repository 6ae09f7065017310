"""What is NS1's own: its order, what steers its answers, what it keeps beside records, its errors and its limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers.ns1 import PROVIDER, Ns1, Ns1Options
from changeover.model.dns.change import Change
from changeover.model.dns.records import RecordSet
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
from dns_servers.ns1_simulator import Ns1Simulator
from dns_servers.recordings import conversation, needs_recordings, recordings

ZONE = "shop.example"
plain = partial(changes.plain, ttl=3600)
WWW = "www.shop.example"
SIGN = "_changeover.shop.example"
KEY = "K" * 20


@pytest.fixture
def simulator() -> Iterator[Ns1Simulator]:
    with Ns1Simulator([ZONE], KEY) as running:
        running.add(ZONE, ZONE, "NS", 3600, "dns1.p08.nsone.net")
        running.add(ZONE, WWW, "A", 3600, "192.0.2.1")
        yield running


def opened(simulator: Ns1Simulator) -> Ns1:
    return Ns1("ns", Ns1Options(simulator.endpoint), {"key": Secret(KEY)}, timeout=30)


def asked(simulator: Ns1Simulator) -> list[tuple[str, str]]:
    """What was asked for in writing, in order: the method and the type."""
    return [(method, target.rpartition("/")[2]) for method, target in simulator.requests if method != "GET"]


class TestOrder:
    @pytest.mark.parametrize("before", [("CNAME",), ("ALIAS",), ("A", "AAAA", "HTTPS")], ids="+".join)
    @pytest.mark.parametrize("after", [("CNAME",), ("A", "AAAA")], ids="+".join)
    async def test_a_name_is_never_empty(
        self, simulator: Ns1Simulator, provider: Ns1, before: tuple[str, ...], after: tuple[str, ...]
    ) -> None:
        """Whichever type gives way to which, there and back: after each write something answers there."""
        values = {"A": "198.51.100.1", "AAAA": "2001:db8::1", "CNAME": "a.example.net", "ALIAS": "a.example.net"}
        simulator.remove(ZONE, WWW, "A")
        for rtype in before:
            fields = ("1", ".", "alpn=h2") if rtype == "HTTPS" else (values[rtype].replace("a.", "b."),)
            simulator.add(ZONE, WWW, rtype, 60, *fields)
        zone = simulator.records(ZONE)
        change = await planned(provider, *(plain(rtype, values[rtype], ttl=60) for rtype in after))
        seen: list[set[str]] = []

        def look() -> None:
            seen.append({one["type"] for one in simulator.sets(ZONE) if one["domain"] == WWW} - {"HTTPS"})
            simulator.before_write = look

        simulator.before_write = look
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert all(seen)
        assert simulator.records(ZONE) == zone

    async def test_values_and_ttl_go_in_one_request(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """And what stays is not sent."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=60))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert json.loads(simulator.bodies[-1]) == {"ttl": 60, "answers": [{"answer": ["198.51.100.1"]}]}
        higher = await planned(provider, plain("A", "198.51.100.1", ttl=300))
        assert await provider.apply(ZONE, [higher]) == Applied()
        assert json.loads(simulator.bodies[-1]) == {"ttl": 300}
        assert asked(simulator) == [("POST", "A")] * 2

    @pytest.mark.parametrize("ttl", [0, 1, 604800, 2**31])
    async def test_any_ttl_is_published_as_it_is(self, provider: Ns1, ttl: int) -> None:
        """NS1 names no limits."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=ttl))
        assert [r.ttl for r in change.after] == [ttl]
        assert await provider.apply(ZONE, [change]) == Applied()

    @pytest.mark.parametrize("what", ["drop-before", "drop-after"])
    async def test_a_change_that_breaks_off_is_unsure(self, simulator: Ns1Simulator, provider: Ns1, what: Any) -> None:
        """The first request was lost: the second is not sent, and what answered still answers."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        simulator.misbehave(what, writes_only=True)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert asked(simulator) == [("PUT", "CNAME")]
        assert "A" in [r.type for r in await stands(provider)]

    async def test_a_failure_half_way_says_what_was_done(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """And what was not, in NS1's words."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        body = b'{"message": "not today"}'
        simulator.before_write = lambda: simulator.misbehave("answer", writes_only=True, status=400, body=body)
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "Done: CNAME at www.shop.example is created. Not done: A at www.shop.example is deleted" in result.text
        assert "not today" in result.text


class TestSteering:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"filters": [{"filter": "up", "config": {}}, {"filter": "shuffle"}]}, "a filter chain (up, shuffle)"),
            ({"filters": [{"filter": "up", "disabled": True}]}, "a filter chain (up)"),
            ({"regions": {"east": {"meta": {"georegion": "US-EAST"}}}}, "answer groups"),
            ({"answers": [{"answer": ["192.0.2.1"], "region": "east"}]}, "answer groups"),
            ({"answers": [{"answer": ["192.0.2.1"], "feeds": [{"feed": "1", "source": "2"}]}]}, "a data feed"),
            ({"answers": [{"answer": ["192.0.2.1"], "meta": {"up": {"feed": "1"}}}]}, "a data feed"),
            ({"meta": {"up": {"feed": "1"}}}, "a data feed"),
            ({"answers": [], "link": "other.example.net"}, "A linked to other.example.net"),
        ],
    )
    async def test_what_steers_the_answers_is_told(
        self, simulator: Ns1Simulator, provider: Ns1, fields: dict[str, Any], words: str
    ) -> None:
        """A switch would flatten it; and where it appeared since, the switch is stopped."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.change(ZONE, WWW, "A", **fields)
        zone = simulator.records(ZONE)
        assert words in (await provider.read(ZONE, [WWW])).policies[WWW]
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert simulator.records(ZONE) == zone

    @pytest.mark.parametrize("rtype", ["REDIRECT", "URLFWD"])
    async def test_a_redirect_is_told(self, simulator: Ns1Simulator, provider: Ns1, rtype: str) -> None:
        """NS1's own web servers answer there."""
        simulator.add(ZONE, WWW, rtype, 3600, "NS1 MANAGED RECORD")
        assert rtype in (await provider.read(ZONE, [WWW])).policies[WWW]

    async def test_what_steers_a_record_of_no_concern_is_none(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Such as a TXT record beside."""
        simulator.add(ZONE, WWW, "TXT", 60, "a text")
        simulator.change(ZONE, WWW, "TXT", filters=[{"filter": "shuffle"}])
        assert (await provider.read(ZONE, [WWW])).policies == {}


class TestWhatIsKeptBeside:
    async def test_it_is_restored(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Metadata, tags and flags: in place, and where the record was deleted for another type."""
        simulator.add(ZONE, WWW, "A", 3600, "192.0.2.2")
        answers = [
            {"answer": ["192.0.2.1"], "id": "1", "meta": {"note": "rack 1"}},
            {"answer": ["192.0.2.2"], "id": "2", "meta": {}},
        ]
        more = {"meta": {"note": "shop"}, "tags": {"team": "shop"}, "blocked_tags": ["b"], "use_client_subnet": False}
        simulator.change(ZONE, WWW, "A", answers=answers, **more)
        zone = _known(simulator)
        for after in (plain("A", "192.0.2.1", "198.51.100.1"), plain("CNAME", "backup.example.net")):
            change = await planned(provider, after)
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await stands(provider) == change.after
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
            assert _known(simulator) == zone

    async def test_what_an_alias_overrides_is_restored(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """At the apex, where an ANAME is an ALIAS."""
        assert provider.capabilities.apex_alias
        assert not provider.capabilities.apex_cname
        simulator.add(ZONE, ZONE, "ALIAS", 60, "primary.example.net")
        simulator.change(ZONE, ZONE, "ALIAS", override_ttl=True, override_address_records=True)
        zone = simulator.records(ZONE)
        for after in (plain("ANAME", "backup.example.net", name=ZONE), plain("A", "198.51.100.1", name=ZONE)):
            change = await planned(provider, after)
            assert [(r.type, r.opaque) for r in change.after] in ([("ALIAS", True)], [("A", False)])
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await stands(provider, ZONE) == change.after
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
            assert simulator.records(ZONE) == zone

    async def test_a_new_note_is_a_conflict(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """An undo would lose it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.change(ZONE, WWW, "A", meta={"note": "do not touch"})
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert asked(simulator) == []

    async def test_host_names_are_absolute_with_and_without_a_final_dot(
        self, simulator: Ns1Simulator, provider: Ns1
    ) -> None:
        """What is written has one; an undo writes what stood there."""
        simulator.add(ZONE, "docs.shop.example", "CNAME", 3600, "Docs.Example.com")
        zone = simulator.records(ZONE)
        name = f"docs.{ZONE}"
        assert [r.values for r in await stands(provider, name)] == [("docs.example.com",)]
        change = await planned(provider, plain("CNAME", "backup.example.net", name=name))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert json.loads(simulator.bodies[-1]) == {"answers": [{"answer": ["backup.example.net."]}]}
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone

    async def test_texts_beside_stay_as_they_are(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Long ones, of several strings, with quotes and other scripts, with another put beside and taken away."""
        texts = (("k" * 600,), ("a" * 255, "b" * 255), ('say "hi" \\o/',), ("ümlaut",), ("",))
        for text in texts:
            simulator.add(ZONE, SIGN, "TXT", 300, *text)
        zone = simulator.records(ZONE)
        assert not provider.capabilities.leases
        (read,) = (await provider.read(ZONE, [SIGN])).records[SIGN]
        assert f'"{"k" * 255}" "{"k" * 255}" "{"k" * 90}"' in read.values
        assert r'"say \"hi\" \\o/"' in read.values
        for before, after in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
            if after:
                assert await provider.apply(ZONE, [], Guard(SIGN, after)) == Applied()
        assert simulator.records(ZONE) == zone

    async def test_records_of_several_fields_are_read(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Numbers among them, and those that NS1 makes itself left out."""
        simulator.add(ZONE, WWW, "MX", 60, 10, "mail.shop.example")
        simulator.add(ZONE, WWW, "CAA", 60, 0, "issue", "letsencrypt.org")
        simulator.add(ZONE, WWW, "HTTPS", 60, "1", ".", "alpn=h2,h3 port=999")
        simulator.add(ZONE, WWW, "DNSKEY", 60, "257 3 13 x")
        found = {r.type: r.values for r in (await provider.read(ZONE, [WWW])).records[WWW]}
        assert found == {
            "A": ("192.0.2.1",),
            "MX": ("10 mail.shop.example.",),
            "CAA": ('0 issue "letsencrypt.org"',),
            "HTTPS": ('1 . alpn="h2,h3" port="999"',),
        }


def _known(simulator: Ns1Simulator) -> list[str]:
    """The zone, where no metadata is as good as empty metadata."""
    return sorted(line.replace(', "meta": {}', "") for line in simulator.records(ZONE))


class TestZones:
    @pytest.mark.parametrize(
        ("link", "more", "words"),
        [("other.example", {}, "linked to other.example"), (None, {"secondary": {"enabled": True}}, "is a copy")],
    )
    async def test_a_zone_that_is_changed_elsewhere_is_refused_as_soon_as_it_is_read(
        self, simulator: Ns1Simulator, provider: Ns1, link: str | None, more: dict[str, Any], words: str
    ) -> None:
        """With where to change it."""
        simulator.zones[ZONE].link, simulator.zones[ZONE].more = link, more
        with pytest.raises(Rejected, match=words) as caught:
            await provider.read(ZONE, [WWW])
        assert caught.value.hint

    async def test_all_zones_are_listed(self) -> None:
        """More than one page of them."""
        names = [f"z{number}.example" for number in range(2600)]
        with Ns1Simulator(names, KEY) as simulator:
            provider = Ns1("ns", Ns1Options(simulator.endpoint), {"key": Secret(KEY)})
            assert await provider.zones() == tuple(names)
            assert len(simulator.requests) == 2
            await provider.aclose()

    async def test_the_next_page_is_asked_of_the_same_host(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Whatever address a Link header has. Pages that do not end are an error."""
        with Ns1Simulator([ZONE]) as elsewhere:
            link = [("Link", f'<{elsewhere.endpoint}/zones?after=7>; rel="next"')]
            simulator.misbehave("answer", status=200, headers=link, body=b"[]", times=5)
            with pytest.raises(Unavailable, match="do not end"):
                await provider.zones()
            assert [target for _, target in simulator.requests][1] == "/v1/zones?after=7"
            assert not elsewhere.requests

    async def test_a_large_zone_takes_few_requests(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Its pages, and each record at the names in question; and only what is changed is written."""
        for number in range(5000):
            simulator.add(ZONE, f"n{number}.shop.example", "A", 60, "192.0.2.1")
        zone = simulator.records(ZONE)
        counts = []
        for wanted in (["n7.shop.example"], [f"n{number}.shop.example" for number in range(20)]):
            del simulator.requests[:]
            records = (await provider.read(ZONE, wanted)).records
            assert all(records[name] for name in wanted)
            counts.append(len(simulator.requests))
        print(f"requests for 1 and 20 names of 5,000: {counts}")
        assert counts == [3 + 1, 3 + 20]
        names = [f"n{number}.shop.example" for number in (7, 8)]
        changes = [await planned(provider, plain("A", "198.51.100.1", name=name, ttl=60)) for name in names]
        del simulator.requests[:]
        assert await provider.apply(ZONE, changes) == Applied()
        assert len(simulator.requests) == 3 + 2 + 2
        after = simulator.records(ZONE)
        assert len(zone - after) == len(after - zone) == 2

    async def test_a_record_that_went_since_it_was_listed(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Is not there."""
        gone = "gone.shop.example"
        listed = {"zone": ZONE, "link": None, "records": [{"domain": gone, "type": "A"}]}
        simulator.misbehave("answer", status=200, body=json.dumps(listed).encode())
        assert (await provider.read(ZONE, [gone])).records == {gone: ()}

    @pytest.mark.parametrize(
        "after",
        [
            [plain("A", "198.51.100.1", name="api.shop.example")],
            [plain("A", "192.0.2.5", name="api.shop.example"), plain("AAAA", "2001:db8::1", name="api.shop.example")],
            [plain("CNAME", "backup.example.net", name="api.shop.example")],
        ],
        ids=["A", "A+AAAA", "CNAME"],
    )
    async def test_a_name_with_capital_letters_is_switched_where_it_is(
        self, simulator: Ns1Simulator, provider: Ns1, after: list[RecordSet]
    ) -> None:
        """Its records have addresses with these letters, and new ones get the same."""
        simulator.add(ZONE, f"Api.{ZONE}", "A", 3600, "192.0.2.5")
        zone = simulator.records(ZONE)
        change = await planned(provider, *after)
        assert change.before == (plain("A", "192.0.2.5", name="api.shop.example"),)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider, "api.shop.example") == change.after
        assert {one["domain"] for one in simulator.sets(ZONE)} == {ZONE, WWW, f"Api.{ZONE}"}
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.records(ZONE) == zone

    async def test_a_name_in_two_spellings_is_refused(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Which of them answers, nobody knows. Other names are of no concern."""
        for name in (f"api.{ZONE}", f"Api.{ZONE}"):
            simulator.add(ZONE, name, "A", 3600, "192.0.2.5")
        assert await stands(provider)
        with pytest.raises(Rejected, match=r"at Api\.shop\.example and at api\.shop\.example") as caught:
            await provider.read(ZONE, [f"api.{ZONE}", WWW])
        assert "Delete" in caught.value.hint

    async def test_names_with_a_wildcard_or_in_another_script(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Are written as they are, in the address of a request too."""
        for name in (f"*.apps.{ZONE}", f"xn--bcher-kva.{ZONE}", f"_sip.{ZONE}"):
            created = await planned(provider, plain("A", "198.51.100.1", name=name))
            assert await provider.apply(ZONE, [created]) == Applied()
            other = await planned(provider, plain("A", "198.51.100.2", name=name, ttl=60))
            assert await provider.apply(ZONE, [other]) == Applied()
            assert await stands(provider, name) == other.after
            gone = Change(account="ns", zone=ZONE, name=name, before=other.after, after=())
            assert await provider.apply(ZONE, [gone]) == Applied()
            assert await stands(provider, name) == ()


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "message", "kind"),
        [
            (401, "Unauthorized", AuthError),
            (403, "You may not", PermissionDenied),
            (404, "record not found", NotFound),
            (400, "record already exists", Rejected),
            (400, f"no {KEY}\u001b[31m", Rejected),
            (429, "too many requests", RateLimited),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self, simulator: Ns1Simulator, provider: Ns1, status: int, message: str, kind: type[ProviderError]
    ) -> None:
        """Once, with what to do, and without the key, should the server repeat it."""
        zone = simulator.records(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps({"message": message}).encode())
        with pytest.raises(kind, match=re.escape(message.split(KEY)[0].strip())) as caught:
            await provider.apply(ZONE, [change])
        assert KEY not in caught.value.text
        assert caught.value.text.isprintable()
        assert caught.value.hint
        assert len(asked(simulator)) == 1
        assert simulator.records(ZONE) == zone

    async def test_a_key_that_may_only_read(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """Cannot be told apart before it writes, and nothing is changed to find out."""
        simulator.may_write = False
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write) == ((ZONE,), None)
        assert not simulator.bodies
        with pytest.raises(PermissionDenied, match="permission") as caught:
            await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1"))])
        assert "manage zones" in caught.value.hint

    @pytest.mark.parametrize(
        "headers", [[("X-RateLimit-Limit", "100"), ("X-RateLimit-Period", "20")], [("Retry-After", "0")]]
    )
    async def test_a_write_that_came_too_early_is_compared_again(
        self, simulator: Ns1Simulator, provider: Ns1, headers: list[tuple[str, str]]
    ) -> None:
        """Once one more request is allowed, which is soon, since a period's requests come back one by one."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=429, headers=headers)
        assert await provider.apply(ZONE, [change]) == Applied()
        simulator.misbehave("answer", status=429, headers=headers)
        assert await stands(provider) == change.after
        slow = [("X-RateLimit-Limit", "1"), ("X-RateLimit-Period", "3600")]
        simulator.misbehave("answer", writes_only=True, status=429, headers=slow)
        with pytest.raises(RateLimited):
            await provider.apply(ZONE, [change.inverse])

    @pytest.mark.parametrize("what", ["answer", "answer-after"])
    async def test_a_server_error_of_a_write_is_unsure(self, simulator: Ns1Simulator, provider: Ns1, what: Any) -> None:
        """Whether it was made or not; reading tells."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave(what, writes_only=True, status=502)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert await stands(provider) == (change.after if what == "answer-after" else change.before)

    async def test_a_cname_at_the_apex_is_refused(self, simulator: Ns1Simulator, provider: Ns1) -> None:
        """In NS1's words; an ALIAS may stand there."""
        zone = simulator.records(ZONE)
        with pytest.raises(Rejected, match="CNAME"):
            await provider.apply(ZONE, [await planned(provider, plain("CNAME", "backup.example.net", name=ZONE))])
        assert simulator.records(ZONE) == zone


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (Ns1Options(), []),
            (Ns1Options("http://127.0.0.1:1/v1"), []),
            (Ns1Options("http://api.nsone.net/v1"), ["endpoint"]),
        ],
    )
    def test_faults_name_the_key(self, options: Ns1Options, keys: list[str]) -> None:
        """Plain http never leaves the computer."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_key_is_for_the_endpoints_host(self) -> None:
        """Another host means another secret."""
        assert PROVIDER.host(Ns1Options()) == "api.nsone.net"
        assert [field.name for field in PROVIDER.secrets(Ns1Options())] == ["key"]


@needs_recordings
@pytest.mark.parametrize("file", recordings("nsone"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, simulator: Ns1Simulator, provider: Ns1) -> None:
    """What the real NS1 answered is read without loss."""
    for step in conversation(file):
        answer, path = step["response"], step["request"]["url"].partition("/zones/")[2].split("/")
        found = json.loads(answer["body"])
        simulator.misbehave("answer", status=answer["status"], body=answer["body"].encode())
        if len(path) == 1 and answer["status"] == 404:
            with pytest.raises(NotFound):
                await provider.read(path[0], [path[0]])
        elif len(path) == 1:
            assert [(one.domain, one.type) for one in await provider._listed(path[0])] == [
                (one["domain"], one["type"]) for one in found["records"]
            ]
        elif found and answer["status"] == 200:
            simulator.forget_misbehaviour()
            listed = {"zone": path[0], "link": None, "records": [{"domain": path[1], "type": path[2]}]}
            for body in (json.dumps(listed), answer["body"]):
                simulator.misbehave("answer", status=200, body=body.encode())
            (one,) = (await provider.read(path[0], [path[1]])).records[path[1]]
            assert (one.type, one.ttl, len(one.values)) == (path[2], found["ttl"], len(found["answers"]))
        simulator.forget_misbehaviour()
