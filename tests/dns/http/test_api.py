"""Requests to an API: what may come back, how long is waited, and what is made again."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

import changeover
from changeover.dns.http import provider as http_provider
from changeover.dns.http.api import (
    Api,
    Lost,
    retry_after,
    retry_rate_limited,
    retry_read,
    segment,
)
from changeover.dns.http.endpoint import endpoint_host, is_safe_endpoint
from changeover.dns.provider import Applied
from changeover.model.dns.change import Change
from changeover.model.dns.records import address_set, record_set
from changeover.model.errors import ProviderError, RateLimited, Rejected, Unavailable
from dns_servers.ground import ZONE_NAME
from dns_servers.vultr_ground import VultrGround


def test_one_file_alone_knows_which_client_it_is() -> None:
    """Another library with the interface of httpx takes its place by one line of dns/http/api.py."""
    app = Path(changeover.__file__).parent
    imports = re.compile(r"^\s*(import|from) httpx", re.MULTILINE)
    assert [str(f.relative_to(app)) for f in app.rglob("*.py") if imports.search(f.read_text("utf-8"))] == [
        str(Path("dns", "http", "api.py"))
    ]
    assert len(imports.findall((app / "dns/http/api.py").read_text("utf-8"))) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("", None), ("soon", None), ("Fri, 31 Dec 9999 23:59:59 -2359", None)],
)
def test_how_long_to_wait(text: str, seconds: float | None) -> None:
    """What is no time, or none that there is, says nothing."""
    assert retry_after({"retry-after": text}) == seconds


@pytest.mark.parametrize(("endpoint", "host"), [("https://API.example:8443/v1", "api.example"), ("https://[x", "")])
def test_the_host_of_an_endpoint(endpoint: str, host: str) -> None:
    """What is no address has none."""
    assert endpoint_host(endpoint) == host


async def test_an_answer_that_is_packed_twice_is_not_unpacked(tmp_path: Path) -> None:
    """A kilobyte can be a gigabyte."""
    with VultrGround(tmp_path) as ground:
        bomb = gzip.compress(gzip.compress(bytes(10_000_000)))
        ground.behind.misbehave("answer", status=200, headers=[("Content-Encoding", "gzip, gzip")], body=bomb)
        api = Api(ground.behind.address, {}, timeout=30)
        with pytest.raises(Lost, match="packed"):
            await api.call("GET", "/")
        await api.aclose()


@pytest.mark.parametrize("name", ["a/b", "../x", "a?b=c", "a#b", "\x1b[2J", "a\nb", "\x00", "käse", "a%2Fb", "%", " "])
async def test_a_name_is_one_segment_of_a_path_whatever_is_in_it(tmp_path: Path, name: str) -> None:
    """A zone's name comes from a provider, and must not lead elsewhere in its API, nor end a command."""
    with VultrGround(tmp_path) as ground:
        api = Api(ground.behind.address, {}, timeout=30)
        await api.call("GET", f"/domains/{segment(name)}/records")
        ((_, target),) = ground.behind.requests
        assert [unquote(part) for part in target.split("/")] == ["", "domains", name, "records"]
        await api.aclose()


@pytest.mark.parametrize("path", ["/zones/../tokens", "/zones/./a", "/zones/a?b", "/zones/a#b", "/zones/\x1b", "/a b"])
async def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    """Such as one with an id that a provider made up; nothing is asked."""
    with VultrGround(tmp_path) as ground:
        api = Api(ground.behind.address, {}, timeout=30)
        with pytest.raises(Rejected, match="cannot be asked for") as caught:
            await api.call("GET", path)
        assert caught.value.text.isprintable()
        assert ground.behind.requests == []
        await api.aclose()


async def test_a_reading_that_is_repeated_says_so_in_the_log_alone(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not as a warning of a library, which would be written to standard error."""
    caplog.set_level("INFO", "changeover")
    assert await retry_read(Flaky(Unavailable("no connection"), Unavailable("still none")), 30) == 7
    assert [(one.name, one.levelname) for one in caplog.records] == [("changeover.dns.http.api", "INFO")] * 2
    assert "no connection" in caplog.text
    assert capfd.readouterr() == ("", "")


class Flaky:
    """Fails as often as it has errors, then gives 7."""

    def __init__(self, *errors: ProviderError) -> None:
        self.errors = list(errors)

    async def __call__(self) -> int:
        if self.errors:
            raise self.errors.pop(0)
        return 7


async def test_half_way_a_request_that_was_not_carried_out_is_made_again() -> None:
    """Where nothing was sent, and where it came too early, though nobody says how long to wait."""
    assert await retry_rate_limited(Flaky(Unavailable("no connection"), RateLimited("too often")), 5, pause=0.01) == 7


@pytest.mark.parametrize("error", [Unavailable("no connection"), RateLimited("too often")])
async def test_at_first_it_is_not(error: ProviderError) -> None:
    """Nothing was changed, which is better said at once."""
    with pytest.raises(type(error)):
        await retry_rate_limited(Flaky(error), 5)


async def test_what_may_have_been_carried_out_is_never_made_again() -> None:
    """Nobody knows, so reading must tell."""
    with pytest.raises(Lost):
        await retry_rate_limited(Flaky(Lost("503")), 5, pause=0.01)


async def test_a_change_of_type_goes_on_after_an_answer_429(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the records that went and those that come, stopping would leave the name empty."""
    monkeypatch.setattr(http_provider, "RETRY_PAUSE_MID_CHANGE", 0.01)
    name = f"www.{ZONE_NAME}"
    with VultrGround(tmp_path) as ground:
        before = address_set((await ground.provider.read(ZONE_NAME, [name])).records[name])
        after = ground.provider.normalize(ZONE_NAME, before, (record_set(name, "A", 300, ["198.51.100.1"]),))
        ground.behind.misbehave("answer", writes_only=True, after=1, times=3, status=429, body=b"{}")
        change = Change(account="dns-main", zone=ZONE_NAME, name=name, before=before, after=after)
        assert await ground.provider.apply(ZONE_NAME, [change]) == Applied()
        assert address_set((await ground.provider.read(ZONE_NAME, [name])).records[name]) == after
        await ground.provider.aclose()


@pytest.mark.parametrize(
    "endpoint",
    [
        *(
            "https://good.example@thief.example",
            "https://good.example\\.thief.example",
            "https://g\u043e\u043ed.example",
        ),
        *("https://good\u3002example", "https://good.example%2ethief.example", "https://good.example\t.thief.example"),
        *("https://good.example:443:80", "https://good.example\n", "https://good\u200b.example", "//good.example"),
        *("http://127.0.0.1.thief.example", "http://localhost.", "https://[good.example]", "https://good.example?x"),
    ],
)
def test_an_endpoint_is_what_everybody_reads_in_it(endpoint: str) -> None:
    """No host that one program, or a person, reads as another."""
    assert not is_safe_endpoint(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["https://API.good.example:8443/v1", "https://[2001:db8::1]:8443/", "http://[::1]:80", "http://localhost"],
)
def test_a_plain_endpoint_is_taken(endpoint: str) -> None:
    assert is_safe_endpoint(endpoint)
