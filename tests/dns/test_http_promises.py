"""What every DNS provider with an HTTP API promises when that API is busy, fails or answers too late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from changeover.dns.http.api import Unreadable
from changeover.dns.provider import Applied, Indeterminate
from changeover.model.dns.change import Change
from changeover.model.dns.records import RecordSet, address_set, record_set
from changeover.model.errors import NotFound, RateLimited, Rejected, Unavailable
from dns_servers.ground import ZONE_NAME, HttpGround, skip_left_out
from dns_servers.grounds import HTTP_GROUNDS

MAIL, WWW, NEW = "mail.shop.example", "www.shop.example", "new.shop.example"


@pytest.fixture(params=HTTP_GROUNDS)
async def http(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HttpGround]:
    skip_left_out(HTTP_GROUNDS[request.param], request)
    with HTTP_GROUNDS[request.param](tmp_path) as running:
        yield running
        await running.provider.aclose()


async def one_request(http: HttpGround) -> Change:
    """A change that every provider makes with one request: an address is replaced in place."""
    before = address_set((await http.provider.read(ZONE_NAME, [MAIL])).records[MAIL])
    after = http.provider.normalize(ZONE_NAME, before, (record_set(MAIL, "A", 3600, ["198.51.100.25"]),))
    return Change(account="dns-main", zone=ZONE_NAME, name=MAIL, before=before, after=after)


async def stands(http: HttpGround, change: Change) -> object:
    return address_set((await http.provider.read(ZONE_NAME, [change.name])).records[change.name])


@pytest.mark.shared_code("503")
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_after_the_write_is_unsure(http: HttpGround, status: int) -> None:
    """The world is as planned, which only reading tells; nothing is written twice."""
    change = await one_request(http)
    http.behind.misbehave("answer-after", writes_only=True, status=status)
    assert isinstance(await http.provider.apply(ZONE_NAME, [change]), Indeterminate)
    assert await stands(http, change) == change.after


@pytest.mark.shared_code
async def test_a_server_error_before_the_write_is_unsure_as_well(http: HttpGround) -> None:
    """Nobody can tell it from one after the write; the provider did not try again."""
    change = await one_request(http)
    http.behind.misbehave("answer", writes_only=True, status=503)
    assert isinstance(await http.provider.apply(ZONE_NAME, [change]), Indeterminate)
    assert await stands(http, change) == change.before


async def test_a_write_that_came_too_early_waits_as_it_is_told(http: HttpGround) -> None:
    """An answer 429 says that nothing was done, so the write is made after the time that it asks for."""
    change = await one_request(http)
    http.behind.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "0")])
    assert await http.provider.apply(ZONE_NAME, [change]) == Applied()
    assert await stands(http, change) == change.after


async def test_a_wait_that_is_too_long_is_told(http: HttpGround) -> None:
    """With the seconds that the provider asks for; nothing was changed."""
    change = await one_request(http)
    http.behind.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "3600")])
    with pytest.raises(RateLimited) as caught:
        await http.provider.apply(ZONE_NAME, [change])
    assert caught.value.retry_after == 3600
    http.behind.forget_misbehaviour()
    assert await stands(http, change) == change.before


@pytest.mark.shared_code("503")
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_reading_is_repeated(http: HttpGround, status: int) -> None:
    """A moment of trouble is not an answer."""
    there = (await http.provider.read(ZONE_NAME, [WWW])).records
    http.behind.misbehave("answer", status=status, headers=[("Retry-After", "0")] if status == 429 else [])
    assert (await http.provider.read(ZONE_NAME, [WWW])).records == there


@pytest.mark.shared_code
async def test_a_lasting_trouble_is_unavailable(http: HttpGround) -> None:
    """Reading gives up after a few times, and says what the provider answered."""
    await http.provider.read(ZONE_NAME, [WWW])
    http.behind.misbehave("answer", times=30, status=503)
    with pytest.raises(Unavailable, match="503"):
        await http.provider.read(ZONE_NAME, [WWW])


@pytest.mark.shared_code("Log in", "unexpected")
@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"", b"\xff\xfe\x00", b'{"unexpected": [1, 2]}'])
async def test_what_cannot_be_understood_is_told(http: HttpGround, body: bytes) -> None:
    """An answer that is not the provider's is an error for people, and no empty zone."""
    await http.provider.read(ZONE_NAME, [WWW])
    http.behind.misbehave("answer", times=30, status=200, body=body)
    with pytest.raises(Unreadable, match="could not be understood") as caught:
        await http.provider.read(ZONE_NAME, [WWW])
    assert caught.value.text.isprintable()


@pytest.mark.shared_code
async def test_a_redirect_is_not_followed(http: HttpGround) -> None:
    """The credential goes to the endpoint and nowhere else."""
    await http.provider.read(ZONE_NAME, [WWW])
    asked = len(http.behind.requests)
    http.behind.misbehave("answer", status=307, headers=[("Location", f"{http.behind.address}/elsewhere")])
    with pytest.raises(Rejected, match="redirects"):
        await http.provider.read(ZONE_NAME, [WWW])
    assert not [target for _, target in http.behind.requests[asked:] if "elsewhere" in target]


async def test_of_two_changes_the_refused_one_is_told(http: HttpGround) -> None:
    """All or nothing where the provider has batches; elsewhere what was made is told, and reading shows it."""
    change = await one_request(http)
    no_address = RecordSet(name=NEW, type="A", ttl=3600, values=("198.51.100.256",))
    wrong = Change(account="dns-main", zone=ZONE_NAME, name=NEW, before=(), after=(no_address,))
    zone = http.records()
    if http.provider.capabilities.batch is not None:
        with pytest.raises(Rejected):
            await http.provider.apply(ZONE_NAME, [change, wrong])
        assert http.records() == zone
        return
    result = await http.provider.apply(ZONE_NAME, [change, wrong])
    assert isinstance(result, Indeterminate)
    assert MAIL in result.text
    assert NEW in result.text
    assert await stands(http, change) == change.after


@pytest.mark.parametrize(
    "zone",
    ["../../../other?x=adv.example", "a/other.example", "\x1b[2Jadv.example", "a\nb.example", "\x00.example", "a#b"],
)
async def test_whatever_a_zone_is_called_no_other_place_is_asked(http: HttpGround, zone: str) -> None:
    """Names of zones come from settings and from providers; one that is no name is a zone that is not there."""
    http.behind.requests.clear()
    with pytest.raises(NotFound, match=r"shows no |has no "):
        await http.provider.read(zone, [f"www.{zone}"])
    for _, target in http.behind.requests:
        path, _, query = target.partition("?")
        assert not {"..", "other", "other.example"}.intersection(path.split("/")), target
        assert "x=adv" not in query
