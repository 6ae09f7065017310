"""The verdict on this computer's connection: every combination of evidence, and its sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.health.connectivity import Connection, Connectivity, Evidence, judge
from changeover.model.wording.fault_words import clock_words, connection_words

NOW = datetime(2026, 11, 3, 3, 0, tzinfo=UTC)
DEAD_DNS = "This computer's own DNS does not answer; DNS over HTTPS does. Check the resolver or the VPN."
LOGIN = "A login page stands between this computer and the internet. Open a browser and log in."


def e(kind: Any, ok: bool | None, witness: str = "", **more: Any) -> Evidence:
    return Evidence(kind=kind, witness=witness, ok=ok, text="", **more)


def tcp(*answers: bool | None) -> list[Evidence]:
    return [e("tcp", ok) for ok in answers]


YES, NO = e("https", True), e("https", False)
PORTAL = e("portal", False)
ROUTER, NO_ROUTER = e("gateway", True, "192.168.1.1"), e("gateway", False, "192.168.1.1")
TUNNEL, NOT_KNOWN = e("gateway", None, "tun0"), e("gateway", None, "gateway")
NO_NETWORK = e("interface", False)
NETWORK = e("interface", True)
ONLINE = "This computer is online."
UNKNOWN = "Whether this computer is online is not known: no witness could be asked."
OFF = "This computer is offline: "

TABLE: list[tuple[Sequence[Evidence], Connectivity, str]] = [
    ([], Connectivity.UNKNOWN, UNKNOWN),
    (tcp(None, None), Connectivity.UNKNOWN, UNKNOWN),
    ([ROUTER], Connectivity.UNKNOWN, UNKNOWN),
    ([NO_ROUTER, e("portal", True)], Connectivity.UNKNOWN, UNKNOWN),
    (tcp(True), Connectivity.ONLINE, ONLINE),
    (tcp(True, None), Connectivity.ONLINE, ONLINE),
    (tcp(True, True, False), Connectivity.ONLINE, ONLINE),
    ([*tcp(True, False), YES], Connectivity.ONLINE, ONLINE),
    ([*tcp(True, True), NO], Connectivity.ONLINE, ONLINE),
    ([*tcp(True, True), YES, NO_ROUTER], Connectivity.ONLINE, ONLINE),
    ([*tcp(True, True), e("portal", True)], Connectivity.ONLINE, ONLINE),
    ([*tcp(True, True), e("portal", None)], Connectivity.ONLINE, ONLINE),
    (tcp(True, False), Connectivity.OFFLINE, OFF + "only 1 of 2 witnesses answers."),
    ([*tcp(False, False), YES, ROUTER], Connectivity.OFFLINE, OFF + "only 1 of 3 witnesses answers."),
    (tcp(False), Connectivity.OFFLINE, OFF + "its only witness does not answer."),
    (tcp(False, False, False), Connectivity.OFFLINE, OFF + "none of 3 witnesses answers."),
    ([*tcp(False, False), NO, NOT_KNOWN], Connectivity.OFFLINE, OFF + "none of 3 witnesses answers."),
    (
        [*tcp(False, False), NO, NO_ROUTER, NETWORK],
        Connectivity.OFFLINE,
        OFF + "none of 3 witnesses answers, and its router does not either.",
    ),
    (
        [*tcp(False, False), NO, ROUTER, NETWORK],
        Connectivity.OFFLINE,
        OFF + "the router answers, but nothing beyond it does.",
    ),
    (
        [*tcp(False, False), NO, TUNNEL, NETWORK],
        Connectivity.OFFLINE,
        OFF + "none of 3 witnesses answers, and everything goes through tun0. Check the VPN.",
    ),
    (
        [*tcp(None, None), NO, NO_ROUTER, NO_NETWORK],
        Connectivity.OFFLINE,
        OFF + "no network leads out of it. Check the cable or the Wi-Fi.",
    ),
    (
        [*tcp(None, None), NO_NETWORK],
        Connectivity.OFFLINE,
        OFF + "no network leads out of it. Check the cable or the Wi-Fi.",
    ),
    ([*tcp(True, True), PORTAL], Connectivity.PORTAL, LOGIN),
    ([*tcp(True, True), NO, PORTAL], Connectivity.PORTAL, LOGIN),
    ([*tcp(False, False), NO, PORTAL], Connectivity.PORTAL, LOGIN),
    ([*tcp(True, True), YES, PORTAL], Connectivity.ONLINE, ONLINE),
    ([*tcp(False, False), YES, PORTAL], Connectivity.OFFLINE, OFF + "only 1 of 3 witnesses answers."),
]


@pytest.mark.parametrize(("evidence", "link", "text"), TABLE)
def test_what_the_evidence_says(evidence: Sequence[Evidence], link: Connectivity, text: str) -> None:
    """Two witnesses make it online; a login page counts for more than connections; the nearest fault is named."""
    found = judge(evidence, NOW)
    assert (found.link, connection_words(found)) == (link, text)
    assert found.blind == (link in (Connectivity.OFFLINE, Connectivity.PORTAL))
    assert (found.at, found.evidence) == (NOW, tuple(evidence))


def resolver(ok: bool | None, *addresses: str) -> Evidence:
    return e("resolver", ok, addresses=addresses)


def doh(ok: bool, *addresses: str) -> Evidence:
    return e("doh", ok, addresses=addresses)


FALSE = (
    "This computer's own DNS answers falsely: {} where DNS over HTTPS gives 104.16.124.96. "
    "Check the resolver or the VPN."
)
SECURE = doh(True, "104.16.124.96")


@pytest.mark.parametrize(
    ("dns", "text"),
    [
        ([resolver(False), resolver(False), SECURE], DEAD_DNS),
        ([resolver(False), resolver(None), SECURE, doh(False)], DEAD_DNS),
        ([resolver(False), resolver(True, "104.16.123.96"), SECURE], None),
        ([resolver(False), doh(False)], None),
        ([resolver(None), SECURE], None),
        ([SECURE], None),
        ([resolver(True, "10.0.0.1"), SECURE], FALSE.format("10.0.0.1")),
        ([resolver(True, "127.0.0.1"), resolver(False), SECURE], FALSE.format("127.0.0.1")),
        ([resolver(True, "0.0.0.0", "::"), SECURE], FALSE.format("0.0.0.0")),
        ([resolver(True), SECURE], FALSE.format("nothing")),
        ([resolver(True, "10.0.0.1"), resolver(True, "104.16.123.96"), SECURE], None),
        ([resolver(True, "10.0.0.1"), doh(True, "10.0.0.1")], None),
        ([resolver(True, "10.0.0.1"), doh(True)], None),
        ([resolver(True, "1.2.3.4"), SECURE], None),
    ],
)
def test_what_is_wrong_with_the_dns(dns: list[Evidence], text: str | None) -> None:
    """Its own resolvers are at fault only where another way to the same name is known to work."""
    online = judge([*tcp(True, True), *dns], NOW)
    assert (online.link, online.dns_fails) == (Connectivity.ONLINE, text is not None)
    assert connection_words(online) == (text or ONLINE)
    offline = judge([*tcp(False, False), *dns], NOW)
    assert connection_words(offline) == OFF + "none of 2 witnesses answers.", "the wider fault is named"


def ahead(*seconds: float) -> Connection:
    return judge([e("https", True, ahead=s) for s in seconds], NOW)


@pytest.mark.parametrize(
    ("seconds", "middle"),
    [
        ((), None),
        ((-3.0,), -3.0),
        ((-240.0, -241.0, 7200.0), -240.0),
        ((0.2, 300.0), 0.2),
        ((-300.0, 0.2), 0.2),
        ((-300.0, -310.0, -290.0, 5.0), -290.0),
    ],
)
def test_the_clock_is_off_by_what_most_witnesses_say(seconds: tuple[float, ...], middle: float | None) -> None:
    """One that is wrong itself is outvoted; of two, the one that speaks for less is believed."""
    assert ahead(*seconds).clock_ahead == middle


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, None),
        (0.0, None),
        (60.0, None),
        (-60.0, None),
        (61.0, "1 min ahead"),
        (-245.0, "4 min behind"),
        (9000.0, "2 h 30 min ahead"),
        (-400.0 * 86400, "400 days behind"),
    ],
)
def test_the_words_of_a_clock_that_is_off(seconds: float | None, words: str | None) -> None:
    """From a minute on, with what will go wrong."""
    told = f"This computer's clock is {words}; set it, or certificates and signed requests will be refused."
    assert clock_words(seconds) == (told if words else None)


anything = st.builds(
    Evidence,
    kind=st.sampled_from(["tcp", "https", "gateway", "resolver", "doh", "portal", "interface"]),
    witness=st.sampled_from(["gateway", "tun0", "192.168.1.1"]),
    ok=st.sampled_from([True, False, None]),
    text=st.just(""),
    ahead=st.none() | st.floats(-1e6, 1e6),
    addresses=st.lists(st.ip_addresses().map(str), max_size=2).map(tuple),
)


@given(st.lists(anything, max_size=12))
def test_any_evidence_has_a_verdict(evidence: list[Evidence]) -> None:
    """With one plain sentence or two; and no one witness alone outweighs others that were asked."""
    found = judge(evidence, NOW)
    assert connection_words(found).endswith(".")
    assert "  " not in connection_words(found)
    asked = [x for x in evidence if x.kind in ("tcp", "https") and x.ok is not None]
    answer = [x for x in asked if x.ok]
    if found.link is Connectivity.ONLINE:
        assert len(answer) >= min(2, len(asked)) > 0
    if found.link is Connectivity.OFFLINE:
        assert len(answer) < 2
    assert judge(list(reversed(evidence)), NOW).link is found.link, "their order does not matter"


@given(st.lists(anything, max_size=8))
def test_one_more_good_answer_never_makes_it_worse(evidence: list[Evidence]) -> None:
    """Two proven witnesses are enough, whatever the rest says."""
    assert judge([*evidence, YES, YES], NOW).link is Connectivity.ONLINE
