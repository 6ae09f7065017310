"""Judging authoritative servers: taken over everywhere, lagging somewhere, silent, empty."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from changeover.model.dns.change import Change
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.propagation import Serial
from changeover.model.dns.records import record_set
from changeover.model.runs.run import StepState
from changeover.model.runs.verification import judge_servers

WWW, ZONE = "www.shop.example", "shop.example"
OLD = (record_set(WWW, "A", 60, ["192.0.2.1"]),)
NEW = (record_set(WWW, "A", 60, ["192.0.2.2"]),)
CHANGE = Change(account="dns", zone=ZONE, name=WWW, before=OLD, after=NEW)


def said(server: str, records: object = NEW, **more: Any) -> ServerAnswer:
    given = {"address": server, "hostname": WWW, "zone": ZONE, "records": records, **more}
    return ServerAnswer(server=server, **given)


def serial(server: str, number: int) -> Serial:
    return Serial(server=server, address=server, zone=ZONE, serial=number, primary="ns1", negative_ttl=900)


@pytest.mark.parametrize(
    ("answers", "state", "text"),
    [
        ([said("ns1"), said("ns2")], StepState.DONE, "2 name servers give the new answer"),
        ([said("ns1"), said("ns2", OLD)], StepState.UNKNOWN, "ns2 still gives A 192.0.2.1 for www.shop.example"),
        (
            [said("ns1", address="192.0.2.53"), said("ns1", OLD, address="2001:db8::53")],
            StepState.UNKNOWN,
            "ns1 (2001:db8::53) still gives A 192.0.2.1 for www.shop.example",
        ),
        (
            [said("ns1"), said("ns2", (), error="it did not answer")],
            StepState.WARNING,
            "1 name server gives the new answer; silent: ns2: it did not answer",
        ),
        (
            [said("ns1"), said("ns1", (), address="2001:db8::53", error="it did not answer")],
            StepState.DONE,
            "1 name server gives the new answer",
        ),
        ([said("ns1"), said("ns2", (), checked=False)], StepState.DONE, "1 name server gives the new answer"),
        (
            [said("ns1", (), nonexistent=True)],
            StepState.UNKNOWN,
            "ns1 says that www.shop.example does not exist; whoever asks it now keeps that for up to 15 min",
        ),
        (
            [said("ns2", ())],
            StepState.UNKNOWN,
            "ns2 says that www.shop.example has no address",
        ),
        ([], StepState.UNKNOWN, "no name server answers (none could be asked)"),
    ],
    ids=["all", "one lags", "IPv6 lags", "silent", "one address silent", "no route", "gone", "empty", "nobody"],
)
def test_every_case(answers: list[ServerAnswer], state: StepState, text: str) -> None:
    """Each server at each address; what is missing is never taken for an old answer, and a name gone is called gone."""
    assert judge_servers(answers, [CHANGE], [serial("ns1", 5)]) == (state, text)


def test_versions_that_differ_are_a_warning() -> None:
    """The answers agree, but one server has an older zone."""
    answers = [said("ns1"), said("ns2"), said("ns3")]
    serials = [serial("ns1", 5), serial("ns2", 4), serial("ns3", 5)]
    verdict = judge_servers(answers, [CHANGE], serials)
    assert verdict.state is StepState.WARNING
    assert verdict.text == (
        "3 name servers give the new answer; "
        "but they have different versions of the zone: ns2 has serial 4, the others 5"
    )


@pytest.mark.parametrize(
    ("rtype", "state"), [("AAAA", StepState.WARNING), ("HTTPS", StepState.DONE), ("SVCB", StepState.DONE)]
)
def test_a_type_that_a_server_fails_at_spoils_nothing(rtype: str, state: StepState) -> None:
    """What it gives of the others decides. Of addresses it is told, of HTTPS records not: many servers know none."""
    both = (*NEW, record_set(CHANGE.name, rtype, 60, ["2001:db8::1" if rtype == "AAAA" else "1 . alpn=h2"]))
    change = replace(CHANGE, after=both)
    verdict = judge_servers([said("ns1", NEW, failed=(rtype,))], [change])
    assert verdict.state is state
    assert ("ns1 fails at AAAA of" in verdict.text) is (rtype == "AAAA")
    assert judge_servers([said("ns1", NEW)], [change]).state is StepState.UNKNOWN


def test_a_change_of_the_ttl_alone_is_seen_by_the_ttl() -> None:
    """Same addresses are not enough then."""
    shorter = tuple(replace(r, ttl=20) for r in OLD)
    change = replace(CHANGE, after=shorter)
    assert judge_servers([said("ns1", OLD)], [change]).state is StepState.UNKNOWN
    assert judge_servers([said("ns1", shorter)], [change]).state is StepState.DONE


SILENT = [said(f"ns{n}", (), error="it did not answer") for n in (2, 3, 4)]


@pytest.mark.parametrize(
    ("silent", "needed", "state"),
    [
        (3, "half", StepState.UNKNOWN),
        (1, "half", StepState.WARNING),
        (3, "one", StepState.WARNING),
        (1, "all", StepState.UNKNOWN),
        (0, "all", StepState.DONE),
    ],
)
def test_how_many_name_servers_must_give_the_new_answer(silent: int, needed: str, state: StepState) -> None:
    """Half of them, unless the settings say one or all: one that agrees proves nothing of three that are silent."""
    verdict = judge_servers([said("ns1"), *SILENT[:silent]], [CHANGE], needed=needed)
    assert verdict.state is state
    assert ("too few name servers of shop.example answer" in verdict.text) is (state is StepState.UNKNOWN)


OTHER = replace(CHANGE, zone="other.example", name="www.other.example")


@pytest.mark.parametrize(
    "of_other",
    [
        [said("ns1", (), zone="other.example", hostname=OTHER.name, error="it refuses (REFUSED)")],
        [said("ns9", (), zone="other.example", hostname=OTHER.name, checked=False)],
    ],
    ids=["the same servers refuse it", "servers that cannot be reached from here"],
)
@pytest.mark.parametrize("needed", ["one", "half", "all"])
def test_each_zone_is_proven_by_its_own_answers(of_other: list[ServerAnswer], needed: str) -> None:
    """That one zone has taken a change over says nothing of another, though the same servers have both."""
    verdict = judge_servers([said("ns1"), *of_other], [CHANGE, OTHER], needed=needed)
    assert verdict.state is StepState.UNKNOWN
    assert "too few name servers of other.example answer" in verdict.text


def test_the_servers_of_each_zone_count_for_themselves() -> None:
    """Many that answer in one zone do not make up for those of another."""
    other = said("ns9", (), zone="shop.test", hostname="www.shop.test", error="it did not answer")
    assert judge_servers([said("ns1"), said("ns2"), other], [CHANGE]).state is StepState.UNKNOWN
