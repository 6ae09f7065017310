"""One zone at two real servers, BIND and PowerDNS, each with an account of its own, switched as one by the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dns_servers.powerdns import PowerDns
from dns_servers.relay import Relay
from shop import APEX, WWW, ZONE, Shop

HERE = {f"{WWW}. 60 CNAME edge-primary.shop.example.", f"{APEX}. 60 A 127.0.0.2", f"{APEX}. 60 AAAA ::1"}
THERE = {f"{WWW}. 60 A 127.0.0.3", f"{APEX}. 60 A 127.0.0.3"}
CHANGED, NOT_CHANGED = (f"{word}: 2 hostnames of shop.example at account" for word in ("Changed", "Not changed"))


class TwoServers:
    """The shop with its zone at BIND (account dns-main, through a relay) and at PowerDNS (account second)."""

    def __init__(self, shop: Shop, second: PowerDns, relay: Relay) -> None:
        self.shop = shop
        self.second = second
        self.relay = relay
        settings = shop.home.settings_file.read_text()
        for old, new in {
            f'provider = "rfc2136"\nserver = "{shop.bind.server}"': f'provider = "rfc2136"\nserver = "{relay.server}"',
            "[[services]]": f'[accounts.second]\nprovider = "rfc2136"\nserver = "{second.server}"\n\n[[services]]',
            'zone = "shop.example" }]': 'zone = "shop.example" }, { account = "second", zone = "shop.example" }]',
            f'"shop.example" = ["{shop.bind.server}"]': f'"shop.example" = ["{shop.bind.server}", "{second.server}"]',
        }.items():
            assert old in settings
            settings = settings.replace(old, new, 1)
        shop.home.settings_file.write_text(settings)
        self.start = (shop.bind.records(), second.records())

    def at(self, server: str) -> set[str]:
        """The address records of both hostnames at "first" or "second"."""
        records = (self.shop.bind if server == "first" else self.second).records()
        lines = (line.split(maxsplit=3) for line in records)
        return {" ".join(line) for line in lines if line[0] in (f"{WWW}.", f"{APEX}.") and line[2] in _ADDRESSES}

    def once_the_first_is_changed(self, then: Callable[[], None]) -> None:
        """Calls `then` when BIND has made the change of the run, before it says so."""

        def look() -> None:
            if self.at("first") == THERE:
                then()
            else:  # it was only tried out whether the account may write
                self.relay.after_update = look

        self.relay.after_update = look


_ADDRESSES = ("A", "AAAA", "CNAME", "HTTPS", "SVCB")


#: As two providers have one zone: each is its primary, and counts its own versions.
SECOND_ZONE = ZONE.replace("SOA ns1", "SOA ns2").replace("ns1 A 127.0.0.1", "ns1 A 127.0.0.1\nns2 A 127.0.0.1")


@pytest.fixture
def two(shop: Shop, tmp_path: Path) -> Iterator[TwoServers]:
    with PowerDns(tmp_path, zone_text=SECOND_ZONE, key=False) as second, Relay(shop.bind.port) as relay:
        yield TwoServers(shop, second, relay)


def test_both_are_switched_as_one_and_put_back(two: TwoServers) -> None:
    """Each server gets the same; the proof is over both; undo leaves both zones as they were."""
    run = two.shop.json("switch", "shop", "--to", "backup", "--yes")
    assert (run["outcome"], two.at("first"), two.at("second")) == ("completed", THERE, THERE)
    (proof,) = [s["note"] for s in run["steps"] if s["name"] == "name-servers"]
    assert proof == "2 name servers give the new answer"
    assert two.shop.json("undo", run["run"], "--yes")["outcome"] == "undone"
    assert (two.shop.bind.records(), two.second.records()) == two.start


FAILURES: dict[str, tuple[Callable[[PowerDns], None], Callable[[PowerDns], None]]] = {
    "stopped": (PowerDns.stop, PowerDns.start_again),
    "paused": (PowerDns.pause, PowerDns.resume),
    "refusing": (PowerDns.refuse_updates, lambda second: second.refuse_updates(False)),
}


@pytest.fixture(params=["stopped", "refusing", pytest.param("paused", marks=pytest.mark.long)])
def broken(request: pytest.FixtureRequest, two: TwoServers) -> Iterator[Callable[[], None]]:
    """The second server fails once the first is changed; what is given repairs it."""
    break_it, repair = FAILURES[request.param]
    two.once_the_first_is_changed(lambda: break_it(two.second))
    yield lambda: repair(two.second)


def half_way(two: TwoServers, repair: Callable[[], None]) -> dict[str, Any]:
    """A run that stands half way, seen while the second server is still broken, which is repaired then."""
    run = two.shop.json("switch", "shop", "--to", "backup", "--yes", status=4)
    assert (run["outcome"], two.at("first")) == ("incomplete", THERE)
    assert f"{CHANGED} dns-main. {NOT_CHANGED} second" in run["text"]
    assert [s["state"] for s in run["steps"]][:2] == ["done", "failed"]
    repair()
    assert two.at("second") == HERE
    return run


def test_half_way_and_then_on(two: TwoServers, broken: Callable[[], None]) -> None:
    """Once the second server works again, resume changes it as well, and proves both."""
    run = half_way(two, broken)
    ended = two.shop.json("resume", run["run"], "--yes")
    assert (ended["outcome"], two.at("first"), two.at("second")) == ("completed", THERE, THERE)
    assert ended["steps"][0]["note"] == "found done already"


def test_half_way_and_then_back(two: TwoServers, broken: Callable[[], None]) -> None:
    """Undo puts the first server back; both are as they were, to the last record."""
    run = half_way(two, broken)
    assert two.shop.json("undo", run["run"], "--yes")["outcome"] == "undone"
    assert (two.shop.bind.records(), two.second.records()) == two.start


def test_half_way_and_accepted(two: TwoServers) -> None:
    """Accepted as it stands, nothing is changed; that the two disagree blocks the next switch, with both values."""
    two.once_the_first_is_changed(two.second.refuse_updates)
    run = half_way(two, lambda: two.second.refuse_updates(False))
    accepted = two.shop.json("accept", run["run"], "--reason", "the second server is being retired")
    assert accepted["next"] == ["undo"]
    assert (two.at("first"), two.at("second")) == (THERE, HERE)
    refused = two.shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    said = [f["text"] for f in refused["findings"] if f["check"] == "records-agree"]
    assert any("disagree about www.shop.example" in text for text in said)
    assert two.shop.json("undo", run["run"], "--yes")["outcome"] == "undone"
    assert (two.shop.bind.records(), two.second.records()) == two.start


def test_the_first_is_put_back_although_the_second_is_gone(two: TwoServers) -> None:
    """Where nothing was changed there is nothing to undo: a server that is down keeps nobody from going back."""
    two.once_the_first_is_changed(two.second.stop)
    run = two.shop.json("switch", "shop", "--to", "backup", "--yes", status=4)
    undone = two.shop.json("undo", run["run"], "--yes", "--verify-timeout", "1")
    assert (undone["outcome"], two.at("first")) == ("undone", HERE)
    assert two.second.server in "".join(s["note"] for s in undone["steps"]), "the silent server is named"
    two.second.start_again()
    assert (two.shop.bind.records(), two.second.records()) == two.start


def test_a_second_server_that_did_not_follow_is_named_although_its_account_said_yes(two: TwoServers) -> None:
    """What counts is what every name server gives: here the second is put back behind the run's back."""

    def put_back() -> None:
        two.second.change(
            delete=["www A", "@ A"], add=["www 60 CNAME edge-primary", "@ 60 A 127.0.0.2", "@ 60 AAAA ::1"]
        )

    with Relay(two.second.port) as relay:
        settings = two.shop.home.settings_file
        account = f'provider = "rfc2136"\nserver = "{two.second.server}"'
        settings.write_text(settings.read_text().replace(account, f'provider = "rfc2136"\nserver = "{relay.server}"'))

        def look() -> None:
            if two.at("second") == THERE:
                put_back()
            else:
                relay.after_update = look

        relay.after_update = look
        run = two.shop.json("switch", "shop", "--to", "backup", "--yes", "--verify-timeout", "1", status=4)
    assert run["outcome"] == "incomplete"
    assert f"{CHANGED} dns-main" in run["text"]
    assert (two.at("first"), two.at("second")) == (THERE, HERE)


def test_servers_that_disagree_beforehand_are_a_finding(two: TwoServers) -> None:
    """A name that the two give differently is told before anything is changed, with both values."""
    two.second.change(delete=["www CNAME"], add=["www 60 A 192.0.2.99"])
    before = (two.shop.bind.records(), two.second.records())
    refused = two.shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    (text,) = [f["text"] for f in refused["findings"] if f["check"] == "records-agree" and "providers" in f["text"]]
    assert "192.0.2.99" in text
    assert "edge-primary.shop.example" in text
    assert (two.shop.bind.records(), two.second.records()) == before
