"""Where visitors are sent to: one deployment, several, something else, or nobody knows."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from changeover.model.dns.active import ELSEWHERE, MIXED, UNKNOWN, active_deployment, candidates
from changeover.model.dns.change import ZoneAt
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import AddressSet, record_set
from changeover.model.readiness.service_state import is_emergency, switch_target
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.service import Answer, Deployment, Service
from model.snapshots import APEX, BACKUP, PRIMARY, WWW, health_of, reading, service, snapshot


@pytest.mark.parametrize(
    ("places", "active"),
    [
        ([{"primary"}, {"primary"}], "primary"),
        ([{"primary"}, {"backup"}], MIXED),
        ([{"primary"}, {ELSEWHERE}], MIXED),
        ([{ELSEWHERE}, {ELSEWHERE}], ELSEWHERE),
        ([{"primary"}, {UNKNOWN}], UNKNOWN),
        ([{"primary"}, {"backup"}, {UNKNOWN}], UNKNOWN),
        ([], UNKNOWN),
        ([{"primary", "backup"}, {"backup"}], "backup"),
        ([{"primary", "backup"}, {"backup"}, {"primary"}], MIXED),
        ([{"primary", "backup"}], UNKNOWN),
    ],
)
def test_one_word_for_all_places(places: list[set[str]], active: str) -> None:
    """Where the answers of two deployments are the same at a name, the other names decide."""
    assert active_deployment(frozenset(place) for place in places) == active


def test_the_whole_answer_counts() -> None:
    """One address more or less, or another type, is not that deployment; TTLs do not matter."""
    wanted = {"primary": answer("A", "192.0.2.1"), "backup": answer("CNAME", "b.example")}
    assert candidates(answer("A", "192.0.2.1", ttl=5), wanted) == {"primary"}
    for other in (answer("A", "192.0.2.1", "192.0.2.2"), answer("A", "192.0.2.1") + answer("AAAA", "::1"), ()):
        assert candidates(other, wanted) == {ELSEWHERE}


def answer(rtype: str, *values: str, ttl: int = 60) -> AddressSet:
    return (record_set(WWW, rtype, ttl, values),)


@pytest.mark.parametrize(
    ("www", "apex", "active"),
    [
        (PRIMARY[WWW], PRIMARY[APEX], "primary"),
        (BACKUP[WWW], BACKUP[APEX], "backup"),
        (BACKUP[WWW], PRIMARY[APEX], MIXED),
        ((record_set(WWW, "A", 60, ["192.0.2.99"]),), (record_set(APEX, "A", 60, ["192.0.2.99"]),), ELSEWHERE),
        ((), (), ELSEWHERE),
        (PRIMARY[WWW], (*PRIMARY[APEX], record_set(APEX, "HTTPS", 60, ["1 . alpn=h2"])), MIXED),
    ],
    ids=["primary", "backup", "half way", "somewhere else", "nowhere", "a record that browsers read"],
)
def test_active_from_the_providers_records(www: AddressSet, apex: AddressSet, active: str) -> None:
    """All address types of all hostnames at all accounts."""
    assert snapshot(readings=(reading({WWW: www, APEX: apex}),)).active == active


def test_two_accounts_of_one_zone_that_differ() -> None:
    """Visitors reach both."""
    there = snapshot(readings=(reading(PRIMARY), replace(reading(BACKUP), account="second")))
    assert there.active == MIXED


def test_a_name_where_both_deployments_answer_alike() -> None:
    """A service whose apex stays at one place: the other hostname tells."""
    same = Answer(a=("192.0.2.9",))
    alike = replace(
        service(), deployments=tuple(replace(d, answers={**d.answers, APEX: same}) for d in service().deployments)
    )
    wanted = {d.name: {n: d.answer_for(n).record_sets(n, 60) for n in (WWW, APEX)} for d in alike.deployments}
    for name in ("primary", "backup"):
        there = replace(reading(wanted[name]), wanted=wanted)
        assert snapshot(alike, readings=(there,)).active == name


@pytest.mark.parametrize(
    ("said", "active"),
    [
        ([PRIMARY[WWW]], "primary"),
        ([PRIMARY[WWW], BACKUP[WWW]], MIXED),
        ([(record_set(WWW, "A", 60, ["104.16.0.1"]),)], UNKNOWN),
        ([None], UNKNOWN),
        ([PRIMARY[WWW], None], "primary"),
        ([], UNKNOWN),
    ],
    ids=["one answer", "two answers", "perhaps a proxy", "silent", "one is silent", "nobody asked"],
)
def test_without_an_account_the_name_servers_tell(said: list[AddressSet | None], active: str) -> None:
    """What is none of the answers may be a proxy in front of one: it is not called elsewhere."""
    one = replace(service(), hostnames=(WWW,))
    servers = tuple(
        ServerAnswer(
            server=f"ns{n}",
            address="192.0.2.53",
            hostname=WWW,
            zone=APEX,
            records=found or (),
            error=None if found is not None else "no answer",
        )
        for n, found in enumerate(said)
    )
    unread = replace(reading({}), error="no answer", records={}, wanted={})
    assert Snapshot(service=one, at=unread.at, readings=(unread,), servers=servers).active == active


def test_where_a_switch_would_lead() -> None:
    """Away from a backup to the primary, else to the first backup."""
    three = replace(service(), deployments=(*service().deployments, Deployment(name="third", answer=Answer(cname="x"))))
    expected = {"primary": "backup", "backup": "primary", "third": "primary", MIXED: "backup", UNKNOWN: "backup"}
    assert {active: switch_target(three, active) for active in expected} == expected


def test_when_it_is_an_emergency() -> None:
    """The active deployment is down; that of another, or of none, is no emergency."""
    health = {"primary": health_of("primary", "unhealthy"), "backup": health_of("backup", "healthy")}
    assert is_emergency("primary", health)
    assert not is_emergency("backup", health)
    assert not is_emergency(MIXED, health)
    assert not is_emergency("primary", {"primary": health_of("primary", "degraded")})


def test_the_longest_zone_has_the_name() -> None:
    """A zone below another one."""
    two = Service(
        name="x",
        hostnames=("a.eu.shop.example", "a.shop.example", "neu.shop.example"),
        dns=(ZoneAt("dns", "shop.example"), ZoneAt("dns", "eu.shop.example")),
        deployments=(),
    )
    assert two.hostnames_in("eu.shop.example") == ("a.eu.shop.example",)
    assert two.hostnames_in("shop.example") == ("a.shop.example", "neu.shop.example")
    assert two.zone_of("other.example") is None
