"""Where resolvers lead visitors to after a switch, in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from changeover.model.dns.propagation import CachedAnswer
from changeover.model.health.probe_result import ProbeResult
from changeover.model.wording.resolver_summary import arrival

WWW = "www.shop.example"
NOW = datetime(2031, 5, 6, 14, 5, 0, tzinfo=UTC)
OLD, NEW, NEAR, DEAD = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"


def at(resolver: str, *addresses: str, ttl: int = 30, error: str | None = None) -> CachedAnswer:
    return CachedAnswer(
        resolver=resolver, over="UDP", hostname=WWW, at=NOW, addresses=addresses, ttl_left=ttl, error=error
    )


def seen(address: str, marker: str | None, ok: bool = True) -> ProbeResult:
    good = marker == "backup" if ok else None
    return ProbeResult(
        deployment="backup",
        hostname=WWW,
        address=address,
        at=NOW,
        ok=ok,
        reason="",
        marker_seen=marker,
        marker_ok=good,
    )


ELSEWHERE = {
    (WWW, OLD): seen(OLD, "primary"),
    (WWW, NEAR): seen(NEAR, "backup"),
    (WWW, DEAD): seen(DEAD, None, ok=False),
}


@pytest.mark.parametrize(
    ("kept", "words", "faults"),
    [
        ([], "", ()),
        ([at("1.1.1.1", error="silent")], "no resolver answers", ()),
        ([at("1.1.1.1", NEW)], "the resolver leads there", ()),
        ([at("1.1.1.1", NEW), at("8.8.8.8", NEW), at("9.9.9.9", error="silent")], "all 2 resolvers lead there", ()),
        ([at("1.1.1.1", NEAR)], "the resolver leads there", ()),
        (
            [at("1.1.1.1", NEW), at("8.8.8.8", OLD, ttl=150)],
            "1 of 2 resolvers still lead to primary until 14:07:31",
            (),
        ),
        (
            [at("1.1.1.1", OLD), at("8.8.8.8", OLD, ttl=150), at("9.9.9.9", NEW)],
            "2 of 3 resolvers still lead to primary, the last (8.8.8.8) until 14:07:31",
            (),
        ),
        ([at("1.1.1.1", DEAD)], "the resolver still leads to another address until 14:05:31", ()),
        (
            [at("1.1.1.1", ttl=900), at("8.8.8.8", NEW)],
            "",
            ("1.1.1.1 says that www.shop.example has no address, for 15 min more",),
        ),
    ],
    ids=["nobody", "silent", "one", "all", "near", "one behind", "two behind", "dead", "nothing"],
)
def test_every_case(kept: list[CachedAnswer], words: str, faults: tuple[str, ...]) -> None:
    """The old side is named while TTLs last; another address of the new side is as good; nothing at all is a fault."""
    assert arrival(kept, {WWW: (NEW,)}, ELSEWHERE, NOW) == (words, faults)
