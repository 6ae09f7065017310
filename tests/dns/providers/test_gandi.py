"""What is Gandi's own: whole names and single sets, relative values, TTLs, domains that others answer for, errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from changeover.dns.provider import Access, Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers import gandi
from changeover.dns.providers.gandi import PROVIDER, Gandi, GandiOptions
from changeover.model.dns.change import Change
from changeover.model.dns.records import RecordSet, hostname
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
from dns_servers.gandi_simulator import GandiSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings

ZONE = "shop.example"
plain = partial(changes.plain, ttl=3600)
WWW, API = "www.shop.example", "api.shop.example"
SIGN = "_changeover.shop.example"
TOKEN = "t" * 40


@pytest.fixture
def simulator() -> Iterator[GandiSimulator]:
    with GandiSimulator([ZONE], TOKEN) as running:
        running.add(ZONE, "www", "A", 3600, "192.0.2.1")
        yield running


def opened(simulator: GandiSimulator) -> Gandi:
    return Gandi("ga", GandiOptions(simulator.endpoint), {"token": Secret(TOKEN)}, timeout=30)


def written(simulator: GandiSimulator) -> list[tuple[str, str]]:
    """The writes so far, without what is the same in all."""
    prefix = f"/v5/livedns/domains/{ZONE}/records/"
    return [(method, target.removeprefix(prefix)) for method, target in simulator.requests if method != "GET"]


class TestWrites:
    async def test_a_change_of_type_is_one_request(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """There and back, so that the name is never without an answer."""
        simulator.add(ZONE, "www", "AAAA", 3600, "2001:db8::1")
        zone = simulator.sets(ZONE)
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert written(simulator) == [("PUT", "www"), ("PUT", "www")]
        assert simulator.sets(ZONE) == zone

    async def test_a_change_within_types_touches_nothing_else(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """What others do at the name in the last instant stays: only the sets that change are in the requests."""
        simulator.add(ZONE, "www", "AAAA", 3600, "2001:db8::1")
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.add(ZONE, "www", "TXT", 300, '"somebody else\'s"')
        assert await provider.apply(ZONE, [change]) == Applied()
        assert written(simulator) == [("PUT", "www/A"), ("DELETE", "www/AAAA")]
        assert [one["rrset_type"] for one in simulator.sets(ZONE)] == ["A", "TXT"]

    async def test_a_name_with_other_records_is_never_replaced_whole(
        self, simulator: GandiSimulator, provider: Gandi
    ) -> None:
        """Not even where a CNAME stands beside another record, as no name server has it."""
        simulator.add(ZONE, "api", "CNAME", 3600, "primary.example.net.")
        simulator.add(ZONE, "api", "TXT", 3600, '"beside"')
        change = await planned(provider, plain("A", "198.51.100.1", name=API))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert written(simulator) == [("DELETE", "api/CNAME"), ("PUT", "api/A")]
        assert [one["rrset_type"] for one in simulator.sets(ZONE)] == ["A", "TXT", "A"]

    async def test_a_cname_at_the_apex_is_refused_and_loses_nothing(
        self, simulator: GandiSimulator, provider: Gandi
    ) -> None:
        """The apex is never replaced whole."""
        simulator.add(ZONE, "@", "MX", 3600, "10 mail.example.net.")
        zone = simulator.sets(ZONE)
        with pytest.raises(Rejected, match="conflicts with other records"):
            await provider.apply(ZONE, [await planned(provider, plain("CNAME", "backup.example.net", name=ZONE))])
        assert written(simulator) == [("PUT", "@/CNAME")]
        assert simulator.sets(ZONE) == zone

    @pytest.mark.parametrize("signed", [False, True])
    async def test_an_alias_at_the_apex(self, simulator: GandiSimulator, provider: Gandi, signed: bool) -> None:
        """Beside mail and texts. A signed domain refuses it: the addresses stand until it is there."""
        simulator.add(ZONE, "@", "A", 3600, "192.0.2.1")
        simulator.add(ZONE, "@", "MX", 3600, "10 mail.example.net.")
        simulator.domains[ZONE].signed = signed
        zone = simulator.sets(ZONE)
        change = await planned(provider, plain("ANAME", "backup.example.net", name=ZONE))
        assert [(r.type, r.opaque) for r in change.after] == [("ALIAS", True)]
        if signed:
            with pytest.raises(Rejected, match="DNSSEC"):
                await provider.apply(ZONE, [change])
        else:
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await stands(provider, ZONE) == change.after
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.sets(ZONE) == zone

    async def test_a_failure_half_way_says_what_was_done(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """The first set is replaced, the second request is refused."""
        simulator.add(ZONE, "www", "AAAA", 3600, "2001:db8::1")
        change = await planned(provider, plain("A", "198.51.100.1"), plain("AAAA", "2001:db8:1::1"))
        refused = {"writes_only": True, "status": 400, "body": b'{"message":"no"}'}
        simulator.before_write = lambda: simulator.misbehave("answer", **refused)  # type: ignore[arg-type]
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, Indeterminate)
        assert "Done: A at www.shop.example is replaced. Not done: AAAA at www.shop.example is replaced" in result.text
        assert [r.values for r in await stands(provider)] == [("198.51.100.1",), ("2001:db8::1",)]

    async def test_what_is_gone_already_needs_no_deletion(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """Somebody was faster."""
        simulator.add(ZONE, "www", "AAAA", 3600, "2001:db8::1")
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.remove(ZONE, "www", "AAAA")
        assert await provider.apply(ZONE, [change]) == Applied()

    async def test_a_text_is_created_replaced_and_removed(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """Although it is no ground for leases, since two may create one at the same moment. Its TTL is legal too."""
        simulator.add(ZONE, "_changeover", "TXT", 600, " ".join(f'"{letter * 255}"' for letter in "ab"))
        zone = simulator.sets(ZONE)
        assert not provider.capabilities.leases
        for before, after in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
            if after:
                assert await provider.apply(ZONE, [], Guard(SIGN, after)) == Applied()
        assert simulator.sets(ZONE) == zone


class TestValues:
    @pytest.mark.parametrize(("asked", "published"), [(60, 300), (7200, 7200), (10**7, 2592000)])
    async def test_a_ttl_is_one_that_gandi_takes(self, provider: Gandi, asked: int, published: int) -> None:
        """And what is planned is what stands afterwards, a TTL alone as well."""
        for value in ("198.51.100.1", "192.0.2.1"):
            change = await planned(provider, plain("A", value, ttl=asked))
            assert [r.ttl for r in change.after] == [published]
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await stands(provider) == change.after
            assert await provider.apply(ZONE, [change.inverse]) == Applied()

    @pytest.mark.parametrize(
        ("rtype", "text", "value"),
        [
            ("CNAME", "primary.example.net.", "primary.example.net"),
            ("CNAME", "primary", "primary.shop.example"),
            ("CNAME", "docs.example.com", "docs.example.com.shop.example"),
            ("CNAME", "@", "shop.example"),
            ("CNAME", "Primary.Example.NET.", "primary.example.net"),
            ("MX", "10 mail", "10 mail.shop.example."),
            ("MX", "10 mail.example.net.", "10 mail.example.net."),
            ("SRV", "1 2 443 www", "1 2 443 www.shop.example."),
            ("TXT", '"one" "two"', '"one" "two"'),
            ("AAAA", "2001:DB8:0:0::1", "2001:db8::1"),
            ("HTTPS", "1 . alpn=h2", '1 . alpn="h2"'),
            ("HTTPS", "0 primary", "0 primary.shop.example."),
            ("LOC", "somewhere", "somewhere"),
        ],
    )
    async def test_a_value_without_a_final_dot_is_below_the_domain(
        self, simulator: GandiSimulator, provider: Gandi, rtype: str, text: str, value: str
    ) -> None:
        """As in a zone file. What cannot be read stays as it is."""
        simulator.add(ZONE, "api", rtype, 600, text)
        (found,) = (await provider.read(ZONE, [API])).records[API]
        assert (found.type, found.values) == (rtype, (value,))

    @pytest.mark.parametrize(
        ("rtype", "text"),
        [("CNAME", "primary"), ("CNAME", "Primary.Example.NET."), ("AAAA", "2001:DB8:0:0::1"), ("HTTPS", "0 primary")],
    )
    async def test_undo_restores_the_notation(
        self, simulator: GandiSimulator, provider: Gandi, rtype: str, text: str
    ) -> None:
        """Relative names, upper case, long addresses: as they stood."""
        simulator.add(ZONE, "api", rtype, 600, text)
        zone = simulator.sets(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1", name=API))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.sets(ZONE) == zone

    @pytest.mark.parametrize("label", ["*", "*.apps", "_a.b_c", hostname("bücher.example").partition(".")[0]])
    async def test_unusual_names(self, simulator: GandiSimulator, provider: Gandi, label: str) -> None:
        """Wildcards, underscores and A-labels are asked for and written as they are."""
        simulator.add(ZONE, label, "A", 3600, "192.0.2.1")
        name = f"{label}.{ZONE}"
        change = await planned(provider, plain("CNAME", "backup.example.net", name=name))
        assert change.before == (plain("A", "192.0.2.1", name=name),)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider, name) == change.after
        assert written(simulator) == [("PUT", label)]

    @pytest.mark.parametrize("names", [[API], [API, WWW]], ids=["alone", "of two"])
    @pytest.mark.parametrize("others", [0, 1200])
    @pytest.mark.parametrize("after", [plain("A", "198.51.100.1", name=API), plain("CNAME", "b.example.net", name=API)])
    async def test_a_name_with_capital_letters_is_switched_where_it_is(
        self, simulator: GandiSimulator, provider: Gandi, after: RecordSet, others: int, names: list[str]
    ) -> None:
        """Whether it is asked for alone or not, in a domain of one page or of several; and it stays spelled so."""
        simulator.add(ZONE, "Api", "A", 3600, "192.0.2.5")
        simulator.add(ZONE, "Api", "AAAA", 3600, "2001:db8::5")
        for number in range(others):
            simulator.add(ZONE, f"n{number:04}", "A", 3600, "192.0.2.1")
        zone = simulator.sets(ZONE)
        assert [r.values for r in (await provider.read(ZONE, names)).records[API]] == [("192.0.2.5",), ("2001:db8::5",)]
        change = await planned(provider, after)
        assert await provider.apply(ZONE, [change]) == Applied()
        assert {one["rrset_name"] for one in simulator.sets(ZONE) if one["rrset_name"].lower() == "api"} == {"Api"}
        assert await stands(provider, API) == change.after
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.sets(ZONE) == zone

    async def test_a_name_in_two_spellings_is_refused(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """Which of them answers, nobody knows. Other names are of no concern."""
        for label in ("api", "Api"):
            simulator.add(ZONE, label, "A", 3600, "192.0.2.5")
        assert await stands(provider)
        with pytest.raises(Rejected, match="at Api and at api of") as caught:
            await provider.read(ZONE, [API, WWW])
        assert "Delete" in caught.value.hint

    async def test_a_set_without_a_ttl_has_the_default_one(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """The documentation calls it optional."""
        await provider.read(ZONE, [WWW])
        body = b'[{"rrset_name": "www", "rrset_type": "A", "rrset_values": ["192.0.2.1"]}]'
        simulator.misbehave("answer", status=200, body=body)
        assert await stands(provider) == (plain("A", "192.0.2.1", ttl=10800),)


class TestDomains:
    async def test_a_domain_is_looked_at_once(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """Then a name is one request."""
        await provider.read(ZONE, [WWW])
        assert len(simulator.requests) == 4
        await provider.read(ZONE, [WWW])
        assert len(simulator.requests) == 5

    async def test_a_domain_that_others_answer_for_is_refused(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """Unless they fetch it from LiveDNS."""
        simulator.domains[ZONE].name_servers = ["ns1.example.net", "ns2.example.net"]
        with pytest.raises(Rejected, match=r"ns1\.example\.net, ns2\.example\.net") as caught:
            await provider.read(ZONE, [WWW])
        assert "admin.gandi.net" in caught.value.hint
        simulator.domains[ZONE].slaves = ["192.0.2.53"]
        assert await stands(provider)

    async def test_a_domain_with_a_linked_zone_is_refused(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """Its next deployment would take the change back."""
        simulator.domains[ZONE].linked_zone = "all shops"
        with pytest.raises(Rejected, match="linked zone all shops") as caught:
            await provider.read(ZONE, [WWW])
        assert "Unlink" in caught.value.hint

    @pytest.mark.parametrize("body", [b"{}", b'{"zone": null}', b"[]", b"no"])
    @pytest.mark.parametrize("status", [200, 403, 500])
    async def test_another_api_that_fails_is_no_obstacle(
        self, simulator: GandiSimulator, provider: Gandi, status: int, body: bytes
    ) -> None:
        """Linked zones are a second API, which a token may not see."""
        before = simulator._answer

        def answer(method: str, target: str, *rest: Any) -> Any:
            found = before(method, target, *rest)
            return found._replace(status=status, content=body) if "/linkedzone/" in target else found

        simulator._answer = answer  # type: ignore[method-assign]
        assert await stands(provider)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (404, {"code": 404, "object": "dns-record"}),
            (404, {"code": 404, "message": "Not Found"}),
            (404, "no"),
            (200, []),
        ],
    )
    async def test_a_name_without_records_is_empty_however_it_is_told(
        self,
        simulator: GandiSimulator,
        provider: Gandi,
        monkeypatch: pytest.MonkeyPatch,
        status: int,
        body: Any,
    ) -> None:
        """By a missing record, by a missing page while the domain is there, or by an empty list."""
        monkeypatch.setattr(gandi, "PER_PAGE", 1)
        before = simulator._answer

        def answer(method: str, target: str, *rest: Any) -> Any:
            found = before(method, target, *rest)
            empty = target.endswith("/records/api")
            return found._replace(status=status, content=json.dumps(body).encode()) if empty else found

        simulator._answer = answer  # type: ignore[method-assign]
        assert await stands(provider, API) == ()
        assert any(target.endswith("/records/api") for _, target in simulator.requests)

    async def test_a_domain_that_was_removed_since_is_not_found(
        self, simulator: GandiSimulator, provider: Gandi
    ) -> None:
        """And is not taken for one without records."""
        await provider.read(ZONE, [WWW])
        del simulator.domains[ZONE]
        for names in ([WWW], [WWW, API]):
            with pytest.raises(NotFound):
                await provider.read(ZONE, names)

    @pytest.mark.parametrize("rtype", ["CNAME", "ALIAS"])
    async def test_a_web_forwarding_is_told(self, simulator: GandiSimulator, provider: Gandi, rtype: str) -> None:
        """What it redirects to is not in the DNS."""
        simulator.add(ZONE, "api", rtype, 10800, "webredir.vip.gandi.net.")
        reading = await provider.read(ZONE, [API, WWW])
        assert "web forwarding" in reading.policies[API]
        assert WWW not in reading.policies


class TestLargeZones:
    async def test_of_5000_records_two_are_written(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """By names, where the pages would be more; the requests are few."""
        for number in range(5000):
            simulator.add(ZONE, f"n{number:04}", "A", 3600, "192.0.2.1")
        names = [f"n4000.{ZONE}", f"n4999.{ZONE}"]
        others = [one for one in simulator.sets(ZONE) if one["rrset_name"] not in ("n4000", "n4999")]
        records = (await provider.read(ZONE, names)).records
        reading = len(simulator.requests)
        for name in names:
            after = (plain("A", "198.51.100.1", name=name),)
            change = Change(account="ga", zone=ZONE, name=name, before=records[name], after=after)
            assert await provider.apply(ZONE, [change]) == Applied()
        print(f"{reading} requests of reading at first, {len(simulator.requests) - reading} of the switch")
        assert reading == 3 + 2 + 2
        assert len(simulator.requests) - reading == 2 * (1 + 1 + 1)
        assert written(simulator) == [("PUT", "n4000/A"), ("PUT", "n4999/A")]
        assert [one for one in simulator.sets(ZONE) if one["rrset_name"] not in ("n4000", "n4999")] == others

    async def test_a_name_without_records_is_looked_for_everywhere(
        self, simulator: GandiSimulator, provider: Gandi
    ) -> None:
        """It may be there in another spelling. The pages are few, and show that no wildcard covers it."""
        for number in range(5000):
            simulator.add(ZONE, f"n{number:04}", "A", 3600, "192.0.2.1")
        await provider.read(ZONE, [WWW])
        del simulator.requests[:]
        assert await stands(provider, API) == ()
        print(f"{len(simulator.requests)} requests for a name without records among 5,000")
        assert len(simulator.requests) == 1 + 1 + 11

    async def test_many_names_are_read_by_pages(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """Where that is fewer requests; a full last page is followed by an empty one."""
        for number in range(999):
            simulator.add(ZONE, f"n{number:03}", "A", 3600, "192.0.2.1")
        names = [f"n{number:03}.{ZONE}" for number in range(0, 999, 100)]
        await provider.read(ZONE, [WWW])
        del simulator.requests[:]
        records = (await provider.read(ZONE, names)).records
        assert all(records.values())
        assert [urlsplit(target).query for _, target in simulator.requests] == [
            f"page={page}&per_page=500" for page in (1, 2, 3)
        ]

    async def test_all_domains_are_listed(self) -> None:
        """More than one page of them, also where the API makes its pages smaller than it was asked to."""
        names = [f"z{number}.example" for number in range(1100)]
        with GandiSimulator(names, TOKEN) as simulator:
            provider = Gandi("ga", GandiOptions(simulator.endpoint), {"token": Secret(TOKEN)})
            assert await provider.zones() == tuple(names)
            assert len(simulator.requests) == 3
            link = [("Link", f'<{simulator.endpoint}/livedns/domains?page=2&per_page=100>; rel="next"')]
            simulator.misbehave("answer", status=200, headers=link, body=b'[{"fqdn": "one.example"}]')
            simulator.misbehave("answer", status=200, body=b'[{"fqdn": "two.example"}]')
            assert await provider.zones() == ("one.example", "two.example")
            await provider.aclose()

    async def test_the_next_page_is_asked_of_the_same_host(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """Whatever address a Link header has."""
        with GandiSimulator([ZONE]) as elsewhere:
            link = [("Link", f'<{elsewhere.endpoint}/livedns/domains?page=7>; rel="next"')]
            simulator.misbehave("answer", status=200, headers=link, body=b"[]")
            await provider.zones()
            assert [urlsplit(target).query for _, target in simulator.requests][1] == "page=2&per_page=500"
            assert not elsewhere.requests


class TestPermissions:
    async def test_what_a_token_may_write_is_not_known(self, simulator: GandiSimulator, provider: Gandi) -> None:
        """It cannot be asked, and nothing is changed to find out."""
        assert await provider.verify(ZONE, [WWW]) == Access(zones=(ZONE,), may_write=None)
        assert not simulator.bodies

    async def test_a_write_that_is_not_allowed_says_what_to_do(
        self, simulator: GandiSimulator, provider: Gandi
    ) -> None:
        """With the name of the permission, as Gandi calls it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.domains[ZONE].may_write = False
        with pytest.raises(PermissionDenied, match="Access was denied") as caught:
            await provider.apply(ZONE, [change])
        assert "Manage domain name technical configurations" in caught.value.hint


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (401, {"code": 401, "message": "Bad token", "object": "HTTPUnauthorized"}, AuthError, "Bad token"),
            (403, {"code": 403, "message": "Access was denied"}, PermissionDenied, "Access was denied"),
            (404, {"code": 404, "message": "Not Found"}, NotFound, "Not Found"),
            (
                400,
                {"status": "error", "errors": [{"location": "body", "name": "rrset_ttl", "description": "too low"}]},
                Rejected,
                "rrset_ttl: too low",
            ),
            (400, {"message": f"Bearer {TOKEN}\u001b[31m"}, Rejected, "Bearer …"),
            (400, "<html>", Rejected, "nothing more"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self, simulator: GandiSimulator, provider: Gandi, status: int, body: Any, kind: type[ProviderError], words: str
    ) -> None:
        """Once, with what to do, and without the token, should the server repeat it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps(body).encode())
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert TOKEN not in caught.value.text
        assert caught.value.text.isprintable()
        assert caught.value.hint
        assert len(written(simulator)) == 1

    async def test_a_write_that_came_too_early_is_compared_again(
        self, simulator: GandiSimulator, provider: Gandi
    ) -> None:
        """After 429 it is made when that is allowed, unless somebody changed the name in between."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        too_early = {"writes_only": True, "status": 429, "headers": [("Retry-After", "0")]}
        simulator.misbehave("answer", **too_early)  # type: ignore[arg-type]
        assert await provider.apply(ZONE, [change]) == Applied()
        simulator.misbehave("answer", writes_only=True, status=429)
        with pytest.raises(RateLimited):
            await provider.apply(ZONE, [change.inverse])
        simulator.add(ZONE, "www", "A", 3600, "192.0.2.99")
        assert isinstance(await provider.apply(ZONE, [change.inverse]), PreconditionFailed)

    @pytest.mark.parametrize("what", ["answer", "answer-after"])
    async def test_a_server_error_of_a_write_is_unsure(
        self, simulator: GandiSimulator, provider: Gandi, what: Any
    ) -> None:
        """Whether it was made or not; reading tells."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        simulator.misbehave(what, writes_only=True, status=502)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert await stands(provider) == (change.after if what == "answer-after" else change.before)


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (GandiOptions(), []),
            (GandiOptions("http://127.0.0.1:1/v5"), []),
            (GandiOptions("http://api.gandi.net/v5"), ["endpoint"]),
        ],
    )
    def test_faults_name_the_key(self, options: GandiOptions, keys: list[str]) -> None:
        """Plain http never leaves the computer."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_token_is_for_the_endpoints_host(self) -> None:
        """Another host means another secret; the example is like one."""
        assert PROVIDER.host(GandiOptions()) == "api.gandi.net"
        (field,) = PROVIDER.secrets(GandiOptions())
        assert re.fullmatch(field.pattern, field.example)


@needs_recordings
@pytest.mark.parametrize("file", recordings("gandi"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, simulator: GandiSimulator, provider: Gandi) -> None:
    """What the real Gandi answered is read without loss."""
    zone = "t18s.fr"
    provider._known.add(zone)
    for step in conversation(file):
        answer, url = step["response"], step["request"]["url"]
        if step["request"]["method"] != "GET":
            continue
        simulator.forget_misbehaviour()
        body = answer["body"]
        if "/records" not in url:
            simulator.misbehave("answer", status=answer["status"], body=body.encode())
            if answer["status"] == 404:
                with pytest.raises(NotFound, match="no domain"):
                    await provider.read("thisisadomainidonotown.com", ["thisisadomainidonotown.com"])
            continue
        if answer["status"] == 404:
            simulator.misbehave("answer", status=404, body=body.encode())
            assert await provider._at(zone, zone) == []
            continue
        sets = json.loads(body) if body.startswith("[") else [json.loads(body)]
        names = sorted({zone if one["rrset_name"] == "@" else f"{one['rrset_name']}.{zone}" for one in sets})
        simulator.misbehave("answer", status=200, body=json.dumps(sets).encode())
        # One name more, so that the whole domain is listed, in one page.
        found = (await provider.read(zone, [*names, f"another.{zone}"])).records
        assert sum(len(r.values) for there in found.values() for r in there) == sum(
            len(s["rrset_values"]) for s in sets
        )
        if "no_arguments" in file.stem:
            assert found[f"docs.{zone}"][0].values == ("docs.example.com.t18s.fr",)
    simulator.forget_misbehaviour()
