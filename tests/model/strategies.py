"""Made-up zones, changes and journals for property tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from changeover.model.capabilities import BatchLimit, Capabilities
from changeover.model.change import Change
from changeover.model.plan import inverse, plan_of
from changeover.model.records import AddressSet, RecordSet, address_set
from changeover.model.run import (
    Accepted,
    Committed,
    Ended,
    Entry,
    Event,
    Intent,
    Outcome,
    Resumed,
    Started,
    StepEnded,
    StepState,
    UndoStarted,
)

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
NAMES = ("shop.example", *(f"{label}.shop.example" for label in ("www", "api", "a-long-name-for-a-service", "cdn")))


def capabilities(batch: BatchLimit | None) -> Capabilities:
    return Capabilities(label="a provider", batch=batch, native_compare_and_set=True, propagates_atomically=True)


ttls = st.sampled_from([1, 20, 60, 300, 3600])
ipv4 = st.integers(1, 254).map(lambda n: f"192.0.2.{n}")
ipv6 = st.integers(1, 9999).map(lambda n: f"2001:db8::{n:x}")
hosts = st.sampled_from(["app.example.net", "edge.example.org", "shop.apps.cf.example.net"])


@st.composite
def record_sets(draw: st.DrawFn, name: str, rtype: str) -> RecordSet:
    values = {
        "A": st.lists(ipv4, min_size=1, max_size=4, unique=True),
        "AAAA": st.lists(ipv6, min_size=1, max_size=3, unique=True),
        "CNAME": hosts.map(lambda host: [host]),
        "HTTPS": st.just(["1 . alpn=h2"]),
    }[rtype]
    found = tuple(sorted(draw(values)))
    details = {value: {"proxied": True, "comment": "ours"} for value in found} if draw(st.booleans()) else {}
    return RecordSet(name=name, type=rtype, ttl=draw(ttls), values=found, details=details, opaque=bool(details))


@st.composite
def address_sets(draw: st.DrawFn, name: str) -> AddressSet:
    """An answer that some provider may have: a CNAME alone, or addresses, with HTTPS beside them or not."""
    if draw(st.booleans()):
        return (draw(record_sets(name, "CNAME")),)
    types = draw(st.sampled_from([("A",), ("AAAA",), ("A", "AAAA"), ("A", "HTTPS"), ("A", "AAAA", "HTTPS")]))
    return address_set(draw(record_sets(name, rtype)) for rtype in types)


@st.composite
def changes(draw: st.DrawFn) -> tuple[Change, ...]:
    found = []
    for account in draw(st.sampled_from([("one",), ("one", "two")])):
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
            before, after = draw(address_sets(name)), draw(address_sets(name))
            found.append(Change(account=account, zone="shop.example", name=name, before=before, after=after))
    return tuple(found)


@st.composite
def journals(draw: st.DrawFn) -> list[Entry]:
    """A journal as the runner writes them: steps in order, ends, undos (refused ones too), resumes, a person's word."""
    both = {"one": capabilities(None), "two": capabilities(BatchLimit(records=20))}
    made = draw(changes())
    plan = plan_of("shop", "primary", "backup", made, both, NOW)
    back = plan_of("shop", "backup", "primary", inverse(made), both, NOW)
    events: list[Event] = [Started(plan=plan)]

    def carry_out(steps: int, good: Outcome, bad: list[Outcome]) -> bool:
        """True where it ended well."""
        for step in range(steps):
            events.append(Intent(step=step))
            state = draw(st.sampled_from([StepState.DONE] * 4 + [StepState.WARNING, StepState.UNKNOWN]))
            events.append(StepEnded(step=step, state=state, text="words", seconds=0.1))
            if state is StepState.UNKNOWN:
                events.append(Ended(outcome=draw(st.sampled_from(bad))))
                return False
        events.append(Ended(outcome=good))
        return True

    ended_well = carry_out(len(plan.steps), Outcome.COMPLETED, [Outcome.INCOMPLETE])
    for _ in range(draw(st.integers(0, 3))):
        if not ended_well and draw(st.booleans()):
            events.append(Resumed())
            ended_well = carry_out(len(plan.steps), Outcome.COMPLETED, [Outcome.INCOMPLETE])
        elif not ended_well and draw(st.booleans()):
            events.append(Accepted(reason="seen by hand"))
            break
        elif ended_well and draw(st.booleans()):
            events.append(Committed())
        else:
            events.append(UndoStarted(plan=back))
            if carry_out(len(back.steps), Outcome.UNDONE, [Outcome.INCOMPLETE, Outcome.REFUSED, Outcome.FAILED]):
                break
            if events[-1] == Ended(outcome=Outcome.INCOMPLETE):
                break
    return [Entry(run="shop-1", at=NOW + timedelta(seconds=n), event=event) for n, event in enumerate(events)]
