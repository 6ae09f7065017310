"""Health is judged from several probes, never from one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.health.check import Thresholds
from changeover.model.health.probe_result import (
    Cause,
    Health,
    Phases,
    ProbeResult,
    Round,
    Tracks,
    deployment_health,
    health_of,
    judged,
    settled,
    tracks_after,
)
from changeover.model.health.track import State
from model.strategies import NOW, thresholds


def probe_round(number: int, kind: str) -> Round:
    """g: all good, b: all bad, p: part of it bad, n: nothing could be tried."""
    oks = {"g": [True, True], "b": [False, False], "p": [True, False], "n": [None, None]}[kind]
    at = NOW + timedelta(seconds=30 * number)
    results = tuple(
        ProbeResult(
            deployment="primary", hostname=f"h{n}", address="192.0.2.1", at=at, ok=ok, reason=f"reason {number}"
        )
        for n, ok in enumerate(oks)
    )
    return Round(at=at, results=results)


def rounds(kinds: str) -> list[Round]:
    return [probe_round(number, kind) for number, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("history", "health"),
    [
        ("", "unknown"),
        ("g", "unknown"),
        ("b", "unknown"),
        ("bb", "unknown"),
        ("gg", "healthy"),
        ("bbb", "unhealthy"),
        ("gb", "unknown"),
        ("gbg", "degraded"),
        ("bgb", "degraded"),
        ("bgg", "healthy"),
        ("ggb", "healthy"),
        ("ggbb", "healthy"),
        ("ggbbb", "unhealthy"),
        ("ggbbgbb", "healthy"),
        ("ggbbbg", "degraded"),
        ("ggbbbgggggg", "degraded"),
        ("ggbbbggggggg", "healthy"),
        ("ggbbbggb", "unhealthy"),
        ("ggbgbg", "degraded"),
        ("ppp", "degraded"),
        ("bbp", "degraded"),
        ("ggpp", "healthy"),
        ("ggppp", "degraded"),
        ("pppbbb", "unhealthy"),
        ("nnnn", "unknown"),
        ("gng", "healthy"),
        ("bnbnb", "unhealthy"),
        ("ggnn", "healthy"),
        ("ggnnn", "unknown"),
        ("ggnnng", "unknown"),
    ],
    ids=lambda text: text or "nothing",
)
def test_judgement(history: str, health: str) -> None:
    """Three bad in a row is down, two good in a row at first is up, what could not be tried counts for nothing.

    Up again takes more than up at first: five good ones and three minutes (at 30 seconds: seven). Until then it is
    recovering, which is degraded, and one bad one is a relapse. Three in a row that could not be tried: nothing is
    known any more.
    """
    assert judged("primary", rounds(history)).health == health


@given(st.text(alphabet="gbn", max_size=40), st.sampled_from("gbn"))
def test_one_more_round_never_turns_good_to_bad_or_back(history: str, last: str) -> None:
    """No single probe moves a verdict between healthy and unhealthy unless those before it agree.

    Only what was unhealthy and was not healthy again since is so again at once. Flapping, it may be healthy again after
    one good one, when enough others have passed.
    """
    stood = [judged("primary", rounds(history[:end])).health for end in range(len(history) + 1)]
    before, after = stood[-1], judged("primary", rounds(history + last)).health
    known = [h for h in stood if h in (Health.HEALTHY, Health.UNHEALTHY)]
    relapses = bool(known) and known[-1] is Health.UNHEALTHY
    tried = "".join(k for k in history + last if k != "n")
    if after is Health.HEALTHY and before is not Health.HEALTHY:
        assert tried.endswith("ggggg" if relapses else "g")
    if after is Health.UNHEALTHY and before is not Health.UNHEALTHY:
        assert tried.endswith("b" if relapses else "bbb") or tried.count("b") >= 10
    assert {before, after} != {Health.HEALTHY, Health.UNHEALTHY} or after is Health.UNHEALTHY


@given(st.text(alphabet="gbpn", max_size=40))
def test_only_what_answers_nowhere_is_unhealthy(history: str) -> None:
    """One place that answers, if only in part, is degraded at worst."""
    found = judged("primary", rounds(history)).health
    tried = [k for k in history if k != "n"]
    if found is Health.UNHEALTHY:
        assert "g" not in tried[-1:]
        assert "p" not in tried[-1:]
    if set(tried) == {"p"}:
        assert found is not Health.UNHEALTHY


@given(st.text(alphabet="gbp", min_size=3, max_size=3))
def test_three_rounds_always_settle(history: str) -> None:
    """A command needs no more than three."""
    assert settled(rounds(history))


def test_since_is_the_first_round_of_the_streak() -> None:
    """ "Failing for" counts from the first failure, not from the verdict."""
    health = judged("primary", rounds("ggbbb"))
    assert health.since == NOW + timedelta(seconds=60)
    assert health.reason.startswith("reason 4")


def test_the_reason_is_that_of_the_worst_result() -> None:
    """And names the hostname and address where there are several."""
    assert "(h1 at 192.0.2.1)" in probe_round(0, "p").reason


@pytest.mark.parametrize(
    ("history", "health", "reason"),
    [
        ("ggb", "healthy", "the last check failed: reason 2"),
        ("bbbg", "degraded", "answers again, not yet for long: reason 2"),
        ("gbg", "degraded", "answers some of the time: reason 1"),
        ("ggbgbg", "degraded", "answers some of the time: reason 4"),
        ("ggbbbnng", "degraded", "answers again, not yet for long: reason 4"),
        ("bbbn", "unhealthy", "the last check was good, those before: reason 2"),
        ("ggg", "healthy", "reason 2"),
        ("bbbnb", "unhealthy", "reason 4"),
        ("ggnnn", "unknown", "reason 4"),
    ],
)
def test_the_reason_fits_the_verdict(history: str, health: str, reason: str) -> None:
    """A deployment that is down is never explained by its one good answer, nor a good one by its one failure alone."""
    found = judged("primary", rounds(history))
    assert found.health == health
    assert found.reason.startswith(reason)


def test_a_computer_without_a_network_knows_nothing_any_more() -> None:
    """Since the first round that could not be tried; afterwards it takes as many rounds as at the start."""
    lost = judged("primary", rounds("ggnnn"))
    assert (lost.health, lost.since) == (Health.UNKNOWN, NOW + timedelta(seconds=60))
    assert judged("primary", rounds("bbnnnb")).health is Health.UNKNOWN
    down = judged("primary", rounds("bbnnnbbb"))
    assert (down.health, down.since) == (Health.UNHEALTHY, NOW + timedelta(seconds=150))


def test_nothing_is_known_before_the_first_round() -> None:
    """Not healthy, not down."""
    found = judged("primary", [])
    assert (found.health, found.reason, found.checked_at) == (Health.UNKNOWN, "not checked yet", None)
    assert (Round(at=NOW, results=()).verdict, Round(at=NOW, results=()).reason) == ("unknown", "not checked yet")


def test_the_slowest_good_answer_counts() -> None:
    """In seconds; none where none was good."""
    one, other = probe_round(0, "p").results
    timed = Round(at=NOW, results=(replace(one, phases=Phases(total=0.2)), replace(other, phases=Phases(total=9))))
    assert timed.seconds == 0.2
    assert probe_round(0, "b").seconds is None


def answers(number: int, **oks: bool | None) -> Round:
    """One round by address; what stands after "target" is an address of the target's name."""
    at = NOW + timedelta(seconds=30 * number)
    results = tuple(
        ProbeResult(
            deployment="primary",
            hostname="shop.example",
            address=address,
            target="app.example.net" if address.startswith("target") else None,
            at=at,
            ok=ok,
            reason=f"reason {number}",
        )
        for address, ok in oks.items()
    )
    return Round(at=at, results=results)


def test_what_cannot_be_tried_from_here_counts_for_nothing_beside_others() -> None:
    """Such as an IPv6 address where there is no IPv6."""
    for ok, health in [(True, Health.HEALTHY), (False, Health.UNHEALTHY)]:
        assert judged("primary", [answers(n, one=ok, other=None) for n in range(5)]).health is health


def test_a_new_address_is_unknown_until_it_has_answered() -> None:
    """And one that is no longer in the answer is forgotten, with its failures."""
    before = [answers(n, one=False) for n in range(3)]
    assert judged("primary", [*before, answers(3, two=True)]).health is Health.UNKNOWN
    found = judged("primary", [*before, answers(3, two=True), answers(4, two=True)])
    assert (found.health, found.state, found.since) == (Health.HEALTHY, State.UP, NOW + timedelta(seconds=90))
    known = [answers(n, one=True) for n in range(3)]
    assert judged("primary", [*known, answers(3, one=True, two=False)]).health is Health.UNKNOWN
    assert judged("primary", [*known, *(answers(n, one=True, two=False) for n in (3, 4, 5))]).state is State.DOWN


def test_a_target_that_answers_at_some_addresses_is_degraded() -> None:
    """The name is one place, wherever it leads, and one that answers in part is not down for all."""
    limits = Thresholds()
    tracks = tracks_after({}, answers(0, target1=True, target2=False), limits)
    for number in (1, 2):
        tracks = tracks_after(tracks, answers(number, target3=True, target4=False), limits)
    assert [(place, track.state) for place, track in tracks.items()] == [
        (("shop.example", "app.example.net"), State.DOWN)
    ]
    assert health_of(tracks, limits)[0] is Health.DEGRADED
    for number in (3, 4, 5):
        tracks = tracks_after(tracks, answers(number, target3=False, target4=False), limits)
    assert health_of(tracks, limits)[0] is Health.UNHEALTHY


@pytest.mark.parametrize(
    ("one", "other", "state", "health"),
    [
        ("gg", "gg", "up", "healthy"),
        ("ggg", "ggb", "suspect", "healthy"),
        ("ggggg", "ggbbb", "down", "degraded"),
        ("ggbbb", "ggbbb", "down", "unhealthy"),
        ("ggbbbg", "ggbbbb", "down", "degraded"),
        ("ggbbbg", "gggggg", "recovering", "degraded"),
        ("ggbgbg", "gggggg", "flapping", "degraded"),
        ("ggbgbg", "gggggb", "flapping", "degraded"),
        ("ggbgbgg", "ggggbbb", "down", "degraded"),
        ("gbg", "ggg", "suspect", "degraded"),
    ],
)
def test_a_deployment_is_as_its_worst_place(one: str, other: str, state: str, health: str) -> None:
    """Down, flapping, suspect, recovering, unknown, up, in this order; but unhealthy only if every place is down."""
    made = [answers(n, one=a == "g", other=b == "g") for n, (a, b) in enumerate(zip(one, other, strict=True))]
    found = judged("primary", made)
    assert (found.state, found.health) == (state, health)


def test_what_was_counted_outlasts_the_rounds_that_are_kept() -> None:
    """The verdict is from the tracks; the rounds only say why."""
    limits = Thresholds()
    tracks: Tracks = {}
    for probed in rounds("ggbbb"):
        tracks = tracks_after(tracks, probed, limits)
    found = deployment_health("primary", tracks, rounds("ggbbb")[-1:], limits)
    assert (found.health, found.since) == (Health.UNHEALTHY, NOW + timedelta(seconds=60))
    assert (found.reason, found.proven) == ("reason 4 (h0 at 192.0.2.1)", None)


@given(st.text(alphabet="gbpn", min_size=1, max_size=40), thresholds())
def test_rounds_may_come_one_by_one(history: str, limits: Thresholds) -> None:
    """What was judged before goes on where it stood."""
    tracks: Tracks = {}
    for probed in rounds(history):
        tracks = tracks_after(tracks, probed, limits)
    assert deployment_health("primary", tracks, rounds(history), limits) == judged("primary", rounds(history), limits)


def test_proven_is_the_newest_round_in_which_everything_answered() -> None:
    """None where there was none."""
    assert judged("primary", rounds("ggpb")).proven == NOW + timedelta(seconds=30)
    assert judged("primary", rounds("pppn")).proven is None


@pytest.mark.parametrize(
    ("results", "cause"),
    [
        ({("h0", "1"): True, ("h0", "2"): True}, None),
        ({("h0", "1"): None}, None),
        ({("h0", "1"): False}, Cause.DEPLOYMENT),
        ({("h0", "1"): False, ("h1", "1"): False, ("h0", "2"): None}, Cause.DEPLOYMENT),
        ({("h0", "1"): False, ("h0", "2"): True}, Cause.ADDRESS),
        ({("h0", "1"): False, ("h1", "1"): False, ("h0", "2"): True, ("h1", "2"): True}, Cause.ADDRESS),
        ({("h0", "1"): False, ("h1", "1"): True}, Cause.PATH),
        ({("h0", "1"): False, ("h1", "1"): True, ("h0", "2"): False, ("h1", "2"): True}, Cause.PATH),
    ],
    ids=["all good", "untried", "one of one", "all tried", "one address", "wholly", "one hostname", "one everywhere"],
)
def test_the_cause_is_from_all_results_together(
    results: dict[tuple[str, str], bool | None], cause: Cause | None
) -> None:
    """One fault makes one message."""
    made = tuple(
        ProbeResult(deployment="primary", hostname=h, address=a, at=NOW, ok=ok, reason="words")
        for (h, a), ok in results.items()
    )
    assert Round(at=NOW, results=made).cause is cause


def test_what_a_result_proves_by_itself_stays_its_cause() -> None:
    """The widest first; but beside other failures it is not the whole of it."""
    one, other = probe_round(0, "b").results
    certificate, name = replace(one, cause=Cause.CERTIFICATE), replace(other, cause=Cause.ROUTING_NAME)
    assert Round(at=NOW, results=(certificate, replace(other, ok=True))).cause is Cause.CERTIFICATE
    assert Round(at=NOW, results=(certificate, name)).cause is Cause.ROUTING_NAME
    assert Round(at=NOW, results=(certificate, other)).cause is Cause.DEPLOYMENT
