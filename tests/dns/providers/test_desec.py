"""What is deSEC's own: least TTLs, bulk requests, pages, rate limits, its errors and its permissions."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers.desec import PROVIDER, Desec, DesecOptions
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
from dns_servers.desec_simulator import DesecSimulator

ZONE = "shop.example"
plain = partial(changes.plain, ttl=3600)
WWW = "www.shop.example"
SIGN = "_changeover.shop.example"
TOKEN = "T" * 28


@pytest.fixture
def simulator() -> Iterator[DesecSimulator]:
    with DesecSimulator([ZONE], TOKEN) as running:
        running.add(ZONE, "", "NS", 3600, "ns1.desec.example.")
        running.add(ZONE, "www", "A", 3600, "192.0.2.1")
        yield running


def opened(simulator: DesecSimulator) -> Desec:
    return Desec("de", DesecOptions(simulator.endpoint), {"token": Secret(TOKEN)}, timeout=30)


class TestTtls:
    @pytest.mark.parametrize(("asked", "published"), [(60, 3600), (7200, 7200), (10**6, 604800)])
    async def test_a_ttl_is_one_that_the_domain_takes(self, provider: Desec, asked: int, published: int) -> None:
        """And what is planned is what stands afterwards."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=asked))
        assert [r.ttl for r in change.after] == [published]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    async def test_an_account_that_promises_too_little_is_refused_when_it_is_read(
        self, simulator: DesecSimulator
    ) -> None:
        """Not in the middle of a switch."""
        provider = Desec("de", DesecOptions(simulator.endpoint, minimum_ttl=60), {"token": Secret(TOKEN)})
        with pytest.raises(Rejected, match="below 3600 s") as caught:
            await provider.read(ZONE, [WWW])
        assert "minimum_ttl = 3600" in caught.value.hint
        await provider.aclose()


class TestBatches:
    async def test_all_names_move_in_one_request(self, simulator: DesecSimulator, provider: Desec) -> None:
        """One request of reading, one of writing, once the domain is known; nothing else is in it."""
        for number in range(20):
            simulator.add(ZONE, f"n{number}", "A", 3600, "192.0.2.1")
        changes = [
            await planned(provider, plain("CNAME", "backup.example.net", name=f"n{number}.{ZONE}"))
            for number in range(20)
        ]
        del simulator.requests[:], simulator.bodies[:]
        assert await provider.apply(ZONE, changes) == Applied()
        assert [method for method, _ in simulator.requests] == ["GET", "PATCH"]
        assert len(json.loads(simulator.bodies[0])) == 40

    async def test_one_fault_and_nothing_is_changed(self, simulator: DesecSimulator, provider: Desec) -> None:
        """A CNAME at the apex is refused in deSEC's words, and the other name stays."""
        zone = simulator.records(ZONE)
        changes = [await planned(provider, plain("CNAME", "backup.example.net", name=name)) for name in (WWW, ZONE)]
        with pytest.raises(Rejected, match="conflicting type"):
            await provider.apply(ZONE, changes)
        assert simulator.records(ZONE) == zone

    async def test_a_text_is_created_replaced_and_removed(self, simulator: DesecSimulator, provider: Desec) -> None:
        """Although it is no ground for leases, since two may create one at the same moment. Its TTL is legal too."""
        zone = simulator.records(ZONE)
        assert not provider.capabilities.leases
        for before, after in ((None, "note one"), ("note one", "note two"), ("note two", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
            if after:
                assert await provider.apply(ZONE, [], Guard(SIGN, after)) == Applied()
        assert simulator.records(ZONE) == zone


class TestPages:
    async def test_a_large_domain_is_read_by_pages_or_by_names(
        self, simulator: DesecSimulator, provider: Desec
    ) -> None:
        """Whichever takes fewer requests, with the same result, and never more than two for each name."""
        for number in range(2000):
            simulator.add(ZONE, f"n{number}", "A", 3600, "192.0.2.1")
        names = [f"n{number}.{ZONE}" for number in range(0, 2000, 400)]
        await provider.read(ZONE, [WWW])
        counts = []
        for wanted in (names[:1], names[:2], names):
            del simulator.requests[:]
            records = (await provider.read(ZONE, wanted)).records
            assert records == {name: (plain("A", "192.0.2.1", name=name),) for name in wanted}
            counts.append(len(simulator.requests))
        assert counts == [1, 2 + 2, 5]

    async def test_all_domains_are_listed(self) -> None:
        """More than one page of them."""
        names = [f"z{number}.example" for number in range(1100)]
        with DesecSimulator(names, TOKEN) as simulator:
            provider = Desec("de", DesecOptions(simulator.endpoint), {"token": Secret(TOKEN)})
            assert await provider.zones() == tuple(names)
            assert len(simulator.requests) == 3
            await provider.aclose()

    async def test_the_next_page_is_asked_of_the_same_host(self, simulator: DesecSimulator, provider: Desec) -> None:
        """Whatever address a Link header has: only its cursor is used. Pages that do not end are an error."""
        await provider.read(ZONE, [WWW])
        with DesecSimulator([ZONE]) as elsewhere:
            link = [("Link", f'<{elsewhere.endpoint}/domains/?cursor=7>; rel="next"')]
            del simulator.requests[:]
            simulator.misbehave("answer", status=200, headers=link, body=b"[]", times=5)
            with pytest.raises(Unavailable, match="do not end"):
                await provider.zones()
            assert [target for _, target in simulator.requests][1] == "/api/v1/domains/?cursor=7"
            assert not elsewhere.requests


class TestPermissions:
    async def test_what_a_token_may_write_is_not_known(self, simulator: DesecSimulator, provider: Desec) -> None:
        """A token may read everything, and its policies are for other tokens to see. Nothing is changed to find out."""
        zone = simulator.records(ZONE)
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write) == ((ZONE,), None)
        assert simulator.records(ZONE) == zone
        assert not simulator.bodies

    async def test_a_write_that_is_not_allowed_says_what_to_do(
        self, simulator: DesecSimulator, provider: Desec
    ) -> None:
        """Where policies are made."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.domains[ZONE].may_write = False
        with pytest.raises(PermissionDenied, match="permission to perform") as caught:
            await provider.apply(ZONE, [change])
        assert "policy" in caught.value.hint


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (401, {"detail": "Invalid token."}, AuthError, "Invalid token."),
            (403, {"detail": "Forbidden."}, PermissionDenied, "Forbidden."),
            (404, {"detail": "Not found."}, NotFound, "Not found."),
            (400, [{}, {"ttl": ["Too small.", "Odd."]}], Rejected, "ttl: Too small.; ttl: Odd."),
            (400, {"non_field_errors": [f"Token {TOKEN}\u001b[31m"]}, Rejected, "Token …"),
            (400, "<html>", Rejected, "<html>"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self, simulator: DesecSimulator, provider: Desec, status: int, body: Any, kind: type[ProviderError], words: str
    ) -> None:
        """Once, with what to do, and without the token, should the server repeat it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=json.dumps(body).encode())
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert TOKEN not in caught.value.text
        assert caught.value.text.isprintable()
        assert caught.value.hint
        assert [method for method, _ in simulator.requests].count("PATCH") == 1

    async def test_a_write_that_came_too_early_is_compared_again(
        self, simulator: DesecSimulator, provider: Desec
    ) -> None:
        """After 429 it is made when that is allowed, unless somebody changed the name in between."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        too_early = {"writes_only": True, "status": 429, "headers": [("Retry-After", "0")]}
        simulator.misbehave("answer", **too_early)  # type: ignore[arg-type]
        assert await provider.apply(ZONE, [change]) == Applied()
        simulator.misbehave("answer", **too_early)  # type: ignore[arg-type]
        simulator.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "240")])
        with pytest.raises(RateLimited):
            await provider.apply(ZONE, [change.inverse])
        simulator.add(ZONE, "www", "A", 3600, "192.0.2.99")
        assert isinstance(await provider.apply(ZONE, [change.inverse]), PreconditionFailed)

    @pytest.mark.parametrize("what", ["answer", "answer-after"])
    async def test_a_server_error_of_a_write_is_unsure(
        self, simulator: DesecSimulator, provider: Desec, what: Any
    ) -> None:
        """Whether it was made or not; reading tells."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave(what, writes_only=True, status=502)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert await stands(provider) == (change.after if what == "answer-after" else change.before)


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (DesecOptions(), []),
            (DesecOptions("http://127.0.0.1:1/api/v1", minimum_ttl=60), []),
            (DesecOptions("http://desec.io/api/v1", minimum_ttl=0), ["endpoint", "minimum_ttl"]),
        ],
    )
    def test_faults_name_the_key(self, options: DesecOptions, keys: list[str]) -> None:
        """Plain http never leaves the computer."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_token_is_for_the_endpoints_host(self) -> None:
        """Another host means another secret."""
        assert PROVIDER.host(DesecOptions()) == "desec.io"
        assert [field.name for field in PROVIDER.secrets(DesecOptions())] == ["token"]


def _recordings() -> list[Path]:
    folder = os.environ.get("CHANGEOVER_RECORDINGS")
    return sorted((Path(folder) / "desec").glob("*.json")) if folder else []


recorded = pytest.mark.skipif(not _recordings(), reason="CHANGEOVER_RECORDINGS is not set")


@recorded
@pytest.mark.parametrize("file", _recordings(), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, simulator: DesecSimulator, provider: Desec) -> None:
    """What the real deSEC answered is read without loss."""
    for step in json.loads(file.read_text()):
        answer, url = step["response"], step["request"]["url"]
        if step["request"]["method"] != "GET":
            continue
        if "/rrsets/" not in url:
            simulator.misbehave("answer", status=answer["status"], body=answer["body"].encode())
            if answer["status"] == 404:
                with pytest.raises(NotFound):
                    await provider.read("thisisadomainidonotown.com", ["thisisadomainidonotown.com"])
            else:
                await provider.read("desec.lexicon", [])
            continue
        sets = json.loads(answer["body"])
        names = sorted({one["name"].rstrip(".") for one in sets}) or ["empty.desec.lexicon"]
        body = answer["body"].encode()
        rules = b"{}"
        simulator.forget_misbehaviour()
        if "desec.lexicon" not in provider._seen:
            simulator.misbehave("answer", status=200, body=rules)
        # One name more, so that the whole domain is listed, in one page.
        simulator.misbehave("answer", status=200, body=body)
        found = (await provider.read("desec.lexicon", [*names, "another.desec.lexicon"])).records
        simulator.forget_misbehaviour()
        assert sum(len(r.values) for there in found.values() for r in there) == sum(len(s["records"]) for s in sets)
