"""Somebody is interrupted once for each fault, and never for what is not one."""

from __future__ import annotations

from msgspec.structs import replace

from changeover.model.health.outage import Outage
from changeover.model.readiness.pin import Hold
from changeover.model.readiness.service_state import ServiceState
from changeover.model.wording.notice import Notice, notices
from desktop.samples import (
    DOWN,
    FLAPPING,
    NOW,
    OFFLINE,
    ONLINE,
    RECOVERING,
    gallery,
    named,
    pin,
    planned,
    state,
    visited,
)


def told(*course: list[ServiceState]) -> list[Notice]:
    """Everything that is told while services go through these states, one after the other."""
    before: dict[str, Outage] = {}
    found = []
    for states in course:
        some, before = notices(states, before, NOW)
        found += some
    return found


UP, OUT = state(), state(checks=DOWN, connection=ONLINE)


def test_an_outage_is_told_once_and_its_end_once() -> None:
    """Not again with every check, and not before a recovery has lasted."""
    found = told([UP], [OUT], [OUT], [state(checks={"primary": RECOVERING})], [OUT], [UP], [UP])
    assert [(n.title, n.grave) for n in found] == [("shop is down", True), ("shop is up again", False)]
    assert found[0].text == "primary has been failing for 2 min 10 s: 503."
    assert found[1].text == "on primary · healthy. It had been down since 14:18."


def test_one_fault_is_one_message() -> None:
    """Services behind the same dead name are told of together, and one that fails a little later not again."""
    dead = state(checks={"primary": "." * 36 + "nnnnn"}, connection=ONLINE)
    both = [dead, named("api", dead)]
    found = told([UP], both, [*both, named("blog", dead)])
    assert [n.title for n in found] == ["2 services are down"]
    assert found[0].text == "The routing name fathomless-elm.herokudns.com is dead for 2 min 10 s: shop, api."
    assert found[0].services == ("shop", "api")
    over = told(both, [UP, named("api", UP)])
    assert [n.title for n in over] == ["2 services are down", "2 services are up again"]


def test_different_faults_are_different_messages() -> None:
    """What is wrong with one service's deployment says nothing about another."""
    refused = state(checks={"primary": "." * 36 + "ccccc"}, connection=ONLINE)
    found = told([OUT, named("api", refused)])
    assert [n.title for n in found] == ["shop is down", "api is down"]


def test_nothing_is_told_while_this_computer_is_offline() -> None:
    """Neither an outage nor its end; and an outage that was only out of sight is not told again."""
    away = state(checks=DOWN, connection=OFFLINE)
    assert told([UP], [away], [UP]) == []
    assert [n.title for n in told([OUT], [away], [OUT], [UP])] == ["shop is down", "shop is up again"]


def test_nothing_is_told_during_maintenance() -> None:
    """What fails as planned is no news; what still fails after it is."""
    at_work = state(service=planned("primary"), checks=DOWN)
    assert told([UP], [at_work], [UP]) == []
    assert [n.title for n in told([UP], [at_work], [OUT])] == ["shop is down"]


def test_what_merely_looks_suspicious_is_not_told() -> None:
    """One failed check, flapping, a person's word, and what fails from here alone interrupt nobody."""
    calm = [
        state(checks={"primary": "." * 20 + "x"}),
        state(checks={"primary": FLAPPING}),
        state(checks=DOWN, pins=(pin("primary", Hold.HEALTHY),)),
        state(checks=DOWN, connection=ONLINE, visit=visited(True)),
        gallery()["reading"],
        gallery()["untried"],
    ]
    assert told(*([each] for each in calm)) == []


def test_a_switch_away_ends_the_outage() -> None:
    """Visitors are served again, from the backup."""
    moved = gallery()["on-backup"]
    assert [n.title for n in told([OUT], [moved])] == ["shop is down", "shop is up again"]


def test_a_service_that_was_removed_is_forgotten() -> None:
    """Added again, it starts anew."""
    assert [n.title for n in told([OUT], [], [OUT])] == ["shop is down", "shop is down"]


def test_many_services_are_counted() -> None:
    """A message stays short however many services there are."""
    dead = state(checks={"primary": "." * 36 + "nnnnn"}, connection=ONLINE)
    many = [replace(named(f"s{i}", dead)) for i in range(30)]
    assert told(many)[0].text.endswith(": s0, s1, s2 and 27 more.")
