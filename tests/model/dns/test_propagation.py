"""How long resolvers may keep an answer, who has followed, who follows last, and which versions of a zone differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.propagation import (
    EMPTY,
    CachedAnswer,
    Chain,
    ChainLink,
    Published,
    Serial,
    all_updated,
    compared,
    last,
    longest_cache,
    panel_words,
    predicted,
    serial_words,
)
from changeover.model.dns.records import record_set
from changeover.model.runs.published import published

WWW, EDGE, ZONE = "www.shop.example", "edge.platform.example", "shop.example"
NOW = datetime(2031, 5, 6, 14, 5, 0, tzinfo=UTC)
OLD = (record_set(WWW, "A", 60, ["192.0.2.1"]),)
NEW = (record_set(WWW, "A", 60, ["192.0.2.2"]),)


def kept(resolver: str = "9.9.9.9", **more: object) -> CachedAnswer:
    given_: dict[str, object] = {"over": "UDP", "hostname": WWW, "at": NOW, "records": OLD, "ttl_left": 30, **more}
    return CachedAnswer(resolver=resolver, **given_)  # type: ignore[arg-type]


class TestCacheTime:
    def test_the_record_of_the_hostname_itself(self) -> None:
        """It is named with its type and its TTL."""
        found = longest_cache([Chain(WWW, (ChainLink(WWW, "CNAME", 3600), ChainLink(EDGE, "A", 60)))])
        assert (found.seconds, found.own, found.name, found.type) == (3600, 3600, WWW, "CNAME")
        assert found.text == "Resolvers may keep the old answer for 1 h: www.shop.example CNAME has a TTL of 1 h"

    def test_a_name_further_on(self) -> None:
        """It counts as well, and it is said where it is; what the hostname itself needs stands beside it."""
        found = longest_cache([Chain(WWW, (ChainLink(WWW, "CNAME", 60), ChainLink(EDGE, "A", 7200)))])
        assert (found.seconds, found.own) == (7200, 60)
        assert "www.shop.example leads to edge.platform.example; edge.platform.example A has a TTL of 2 h" in found.text

    def test_a_name_that_is_empty(self) -> None:
        """That there is nothing is kept as well."""
        found = longest_cache([Chain(WWW, (ChainLink(WWW, EMPTY, 900),))])
        assert found.seconds == 900
        assert found.text.endswith("www.shop.example has no address, and that is kept for 15 min")

    def test_a_way_that_breaks_off(self) -> None:
        """What is known is told, and that it is not all; where nothing is known, nothing is promised."""
        found = longest_cache([Chain(WWW, (ChainLink(WWW, "CNAME", 60),), "nobody answers for edge.platform.example")])
        assert found.seconds == 60
        assert found.text.endswith("could not be read: nobody answers for edge.platform.example")
        nothing = longest_cache([Chain(WWW, (), "nobody answers")])
        assert (nothing.seconds, nothing.text) == (
            0,
            "How long resolvers keep the old answer is not known: nobody answers",
        )

    @given(st.lists(st.lists(st.integers(0, 10**6), max_size=4), max_size=4))
    def test_nothing_is_kept_longer(self, ttls: list[list[int]]) -> None:
        """It is the longest TTL of all chains, never less."""
        chains = [Chain(WWW, tuple(ChainLink(f"n{i}", "A", ttl) for i, ttl in enumerate(links))) for links in ttls]
        found = longest_cache(chains)
        assert found.seconds == max((ttl for links in ttls for ttl in links), default=0)
        assert found.own <= found.seconds


class TestFollowing:
    @pytest.mark.parametrize(
        ("records", "answers", "updated"),
        [
            (NEW, (NEW,), True),
            (OLD, (NEW,), False),
            ((), (NEW,), False),
            (NEW, (NEW, OLD), None),
            ((record_set(WWW, "A", 60, ["192.0.2.9"]),), (NEW, OLD), False),
            (OLD, (), None),
        ],
        ids=["new", "old", "nothing", "servers differ", "neither", "nobody knows"],
    )
    def test_who_has_followed(self, records: object, answers: object, updated: bool | None) -> None:
        """Whoever gives what every authoritative server gives; while these differ, nobody knows."""
        assert compared(kept(records=records), Published(answers)).updated is updated  # type: ignore[arg-type]

    def test_a_type_that_was_not_answered_for_is_not_missed(self) -> None:
        """Some resolvers are silent about IPv6, or about HTTPS records."""
        both = (*NEW, record_set(WWW, "AAAA", 60, ["2001:db8::2"]), record_set(WWW, "HTTPS", 60, ["1 ."]))
        assert compared(kept(records=NEW, types=("A",)), Published((both,))).updated is True
        assert compared(kept(records=NEW), Published((both,))).updated is False

    def test_a_resolver_that_stretches(self) -> None:
        """It keeps an answer longer than it was ever given, or after that time is over."""
        within = Published((NEW,), ttl=60, before=120, since=NOW - timedelta(seconds=60))
        assert compared(kept(ttl_left=60), within).note == ""
        longer = compared(kept(ttl_left=600), within)
        assert longer.note == "keeps it for 10 min more, longer than the 2 min that it was given"
        late = compared(kept(ttl_left=60), replace(within, since=NOW - timedelta(seconds=300)))
        assert late.note == "still has the old answer, 3 min after it should have gone"
        assert "longer" in compared(kept(records=NEW, ttl_left=300), Published((NEW,), ttl=60)).note

    def test_nothing_is_said_of_what_nobody_knows(self) -> None:
        """How long the old answer was given for, where no run is known that changed it."""
        assert compared(kept(ttl_left=86000), Published((NEW,), ttl=60)).note == ""

    def test_an_emptiness_that_is_kept(self) -> None:
        """A name that was missing for a moment may be missing for long at a resolver that asked then."""
        found = compared(kept(records=(), ttl_left=900), Published((NEW,), ttl=60))
        assert (found.updated, found.note) == (False, "says that there is nothing, for 15 min more")

    @given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.integers(0, 10**5), st.integers(0, 600))))
    def test_the_last_one_is_predicted(self, seen: list[tuple[bool | None, int, int]]) -> None:
        """Never before the last of those that are behind may have asked again, and never in the past."""
        panel = [
            kept(str(n), updated=f, ttl_left=ttl, at=NOW - timedelta(seconds=ago))
            for n, (f, ttl, ago) in enumerate(seen)
        ]
        behind = [k for k in panel if k.updated is False]
        found = predicted(panel, NOW)
        assert (found is None) is (not behind)
        if found is not None:
            assert found >= NOW
            assert all(found > k.at + timedelta(seconds=k.ttl_left) or found == NOW for k in behind)
            final = last(panel)
            assert final is not None
            assert final.expires_at is not None
            assert found == max(NOW, final.expires_at)
        assert not (all_updated(panel) and behind)


class TestWords:
    def test_who_is_last(self) -> None:
        """With the time of day."""
        panel = [kept(updated=True), kept("1.1.1.1", updated=False, ttl_left=150), kept("8.8.8.8", updated=False)]
        assert panel_words(panel, NOW) == (
            "2 resolvers have not followed yet; the last resolver (1.1.1.1) follows at 14:07:31."
        )
        assert panel_words(panel[1:2], NOW) == "1 resolver has not followed yet; the last resolver follows at 14:07:31."

    @pytest.mark.parametrize(
        ("panel", "words"),
        [
            ([], "No resolver was asked."),
            ([kept(error="no answer")], "No resolver answers."),
            ([kept(updated=True), kept(error="no answer")], "Every resolver that answers gives the new answer."),
            (
                [kept(updated=None)],
                "The name servers do not agree, or do not answer: nobody can say who has followed.",
            ),
            (
                [kept(updated=False, at=NOW - timedelta(minutes=5))],
                "1 resolver has not followed yet, and should have by now.",
            ),
        ],
        ids=["nobody", "silent", "all", "unknown", "late"],
    )
    def test_everything_else(self, panel: list[CachedAnswer], words: str) -> None:
        """A silent resolver keeps nobody from being done; one that is late is called late."""
        assert panel_words(panel, NOW) == words


def serial(server: str, number: int, primary: str = "ns1") -> Serial:
    return Serial(server=server, address=server, zone=ZONE, serial=number, primary=primary, negative_ttl=60)


@pytest.mark.parametrize(
    ("serials", "words"),
    [
        ([], ""),
        ([("ns1", 5), ("ns2", 5)], ""),
        ([("ns1", 5), ("ns2", 4), ("ns3", 5)], "ns2 has serial 4, the others 5"),
        ([("ns1", 5), ("ns2", 4)], "ns2 has serial 4, ns1 5"),
        ([("ns1", 4), ("ns2", 4), ("ns3", 4), ("ns4", 5)], "ns4 has serial 5, the others 4"),
        ([("ns1", 2**32 - 1), ("ns2", 1)], "ns1 has serial 4294967295, ns2 1"),
        ([("ns1", 5), ("ns2", 3), ("ns3", 3), ("ns4", 5), ("ns5", 5)], "ns2 and ns3 have serial 3, the others 5"),
    ],
)
def test_versions_of_a_zone(serials: list[tuple[str, int]], words: str) -> None:
    """The odd ones are named; of two that differ it is the older one, around the end of the numbers too."""
    assert serial_words([serial(*pair) for pair in serials]) == words


def test_two_providers_count_for_themselves() -> None:
    """Each has serials of its own for the same zone."""
    assert serial_words([serial("ns1.one", 5, "ns1.one"), serial("ns1.two", 2031050601, "ns1.two")]) == ""


def test_what_is_published() -> None:
    """Different answers are kept apart, servers that are silent or cannot be reached are left out."""

    def said(server: str, records: object, **more: object) -> ServerAnswer:
        return ServerAnswer(server=server, address=server, hostname=WWW, zone=ZONE, records=records, **more)  # type: ignore[arg-type]

    found = published([said("a", NEW), said("b", NEW), said("c", (), error="silent"), said("d", (), checked=False)])
    assert found == {WWW: Published((NEW,), 60)}
    assert published([said("a", NEW), said("b", OLD)])[WWW].answers == (NEW, OLD)
    assert published([said("a", (), error="silent")]) == {}
