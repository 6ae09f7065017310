"""Readings that may be from before a run's own write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.change import Change
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import AddressSet, record_set
from changeover.model.runs.own_writes import hidden_for
from changeover.model.runs.plan import ChangeRecords, Plan, ZoneReading
from changeover.model.runs.run import Direction, Outcome, Run

ZONE, WWW = "shop.example", "www.shop.example"
LAG = Lag(60.0, "GET /zone")
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def at(*values: str, ttl: int = 60) -> AddressSet:
    return (record_set(WWW, "A", ttl, values),)


OLD, NEW, THIRD, STRANGE = at("192.0.2.1"), at("192.0.2.2"), at("192.0.2.3"), at("198.51.100.9")


def run(before: AddressSet, after: AddressSet, ago: float = 5, outcome: Outcome = Outcome.COMPLETED) -> Run:
    change = Change(account="dns-main", zone=ZONE, name=WWW, before=before, after=after)
    step = ChangeRecords(name="change", text="", account="dns-main", zone=ZONE, changes=(change,))
    plan = Plan(service="shop", source="primary", to="backup", steps=(step,), made_at=NOW)
    ended = NOW - timedelta(seconds=ago)
    return Run(
        run="shop-1",
        service="shop",
        source="primary",
        to="backup",
        forward=plan,
        plan=plan,
        direction=Direction.FORWARD,
        steps=(),
        outcome=outcome,
        started=ended,
        ended=ended,
    )


def reading(live: AddressSet, lag: Lag | None = LAG) -> ZoneReading:
    able = Capabilities(label="DNS", batch=None, native_compare_and_set=False, propagates_atomically=True, lag=lag)
    return ZoneReading(account="dns-main", zone=ZONE, capabilities=able, at=NOW, records={WWW: live})


def says(live: AddressSet) -> ServerAnswer:
    return ServerAnswer(server="ns1", address="192.0.2.53", hostname=WWW, zone=ZONE, records=live)


@pytest.mark.parametrize(
    ("runs", "live", "left"),
    [
        pytest.param([run(OLD, NEW)], OLD, 55.0, id="what stood before"),
        pytest.param([run(OLD, NEW)], NEW, 0.0, id="what was written"),
        pytest.param([run(OLD, NEW)], STRANGE, 0.0, id="somebody else's"),
        pytest.param([run(OLD, NEW)], at("192.0.2.1", "192.0.2.2"), 55.0, id="half of it"),
        pytest.param([run(OLD, NEW)], (), 0.0, id="nothing, which is not waited for"),
        pytest.param([run(OLD, NEW, ago=61)], OLD, 0.0, id="long ago"),
        pytest.param([run(OLD, NEW, ago=-30)], OLD, 0.0, id="a clock that was set back"),
        pytest.param([run(NEW, THIRD, ago=2), run(OLD, NEW, ago=40)], OLD, 58.0, id="before two runs"),
        pytest.param([run(NEW, THIRD, ago=2), run(OLD, NEW, ago=40)], NEW, 58.0, id="between two runs"),
        pytest.param([run(NEW, OLD, ago=2), run(OLD, NEW, ago=9)], OLD, 0.0, id="over and back"),
        pytest.param([run(OLD, NEW, outcome=Outcome.REFUSED)], OLD, 0.0, id="nothing was written"),
        pytest.param([], OLD, 0.0, id="no run"),
    ],
)  # fmt: skip
def test_how_long_a_reading_may_be_old(runs: Sequence[Run], live: AddressSet, left: float) -> None:
    """Only what this computer's own runs wrote or found within the lag is waited for."""
    assert hidden_for(runs, [reading(live)], (), NOW) == left
    assert hidden_for(runs, [reading(live, lag=None)], (), NOW) == 0.0


def test_the_name_servers_are_the_proof() -> None:
    """Where all of them went back after they had given what was written, so did the zone; one that has not, or is
    silent alone, proves nothing, nor do they after a run that never was verified there."""
    runs = [run(OLD, NEW)]
    broken = replace(says(()), error="it does not answer")
    assert hidden_for(runs, [reading(OLD)], [says(OLD), says(OLD), broken], NOW) == 0.0
    for servers in ([says(OLD), says(NEW)], [says(NEW)], [broken], [says(STRANGE)]):
        assert hidden_for(runs, [reading(OLD)], servers, NOW) == 55.0
    assert hidden_for([replace(runs[0], accepted="as it is")], [reading(OLD)], [says(OLD)], NOW) == 55.0


def test_name_servers_tell_nothing_of_a_ttl() -> None:
    """They give their own."""
    runs = [run(OLD, at("192.0.2.1", ttl=300))]
    assert hidden_for(runs, [reading(OLD)], [says(OLD)], NOW) == 55.0
