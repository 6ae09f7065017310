"""Made-up zones, changes and journals for property tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from changeover.model.dns.capabilities import BatchLimit, Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set
from changeover.model.health.check import Thresholds
from changeover.model.runs.plan import ChangeRecords, Plan, inverse, plan_of
from changeover.model.runs.run import (
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


#: What can be done with a run, by how it stands.
NEXT = {
    "open": ("resume", "undo", "accept"),
    "accepted": ("undo",),
    "completed": ("undo", "commit"),
    "committed": ("undo",),
    "undone": (),
    "nothing changed": (),
}
_GOOD_STATES = st.sampled_from([StepState.DONE, StepState.WARNING, StepState.SKIPPED])
_BAD_STATES = st.sampled_from([StepState.REFUSED, StepState.FAILED, StepState.UNKNOWN])


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Entry, str]]:
    """A journal as the runner writes them, and after each entry how the run stands (a key of NEXT).

    Steps in order, each after its intent; a process may end between any two entries. What is open is resumed, undone or
    accepted; what is completed is committed or undone.
    """
    both = {"one": capabilities(None), "two": capabilities(BatchLimit(records=20))}
    places = draw(st.sampled_from([[("one", NAMES[0])], [("two", NAMES[0])], [("one", NAMES[0]), ("two", NAMES[1])]]))
    made = [Change(account=a, zone="shop.example", name=name, before=(), after=()) for a, name in places]
    plan = plan_of("shop", "primary", "backup", made, both, NOW)
    back = plan_of("shop", "backup", "primary", inverse(made), both, NOW)
    events: list[tuple[Event, str]] = [(Started(plan=plan), "open")]

    def carry_out(steps: Plan, changed: bool, stood: str) -> str:
        """How the run stands when this direction has ended, or its process has. `stood`: before it began."""
        forward = steps is plan
        fate = draw(st.sampled_from(["well", "well", "fails", "dies before", "dies after"]))
        end = draw(st.integers(0, len(steps.steps) - 1))
        for number, step in enumerate(steps.steps):
            if (fate, end) == ("dies before", number):
                return "open"
            events.append((Intent(step=number), "open"))
            if (fate, end) == ("dies after", number):
                return "open"
            state = draw(_BAD_STATES if (fate, end) == ("fails", number) else _GOOD_STATES)
            events.append((StepEnded(step=number, state=state, text="words", seconds=0.1), "open"))
            if fate == "fails" and end == number:
                left_alone = not changed and state in (StepState.REFUSED, StepState.FAILED)
                outcome = Outcome(state.value) if left_alone else Outcome.INCOMPLETE
                stands = ("nothing changed" if forward else stood) if left_alone else "open"
                events.append((Ended(outcome=outcome, text="words", seconds=1), stands))
                return stands
            changed = changed or isinstance(step, ChangeRecords)
        stands = "completed" if forward else "undone"
        events.append((Ended(outcome=Outcome(stands), text="words", seconds=1), stands))
        return stands

    direction, stands = plan, carry_out(plan, False, "")
    for _ in range(draw(st.integers(0, 5))):
        if not NEXT[stands]:
            break
        act = draw(st.sampled_from(NEXT[stands]))
        if act == "accept":
            stands = "accepted"
            events.append((Accepted(reason="seen by hand"), stands))
        elif act == "commit":
            stands = "committed"
            events.append((Committed(), stands))
        elif act == "resume":
            events.append((Resumed(), "open"))
            stands = carry_out(direction, True, stands)
        else:
            events.append((UndoStarted(plan=back), "open"))
            before, direction = direction, back
            after = carry_out(back, stands == "open", stands)
            if after == stands != "open":  # it changed nothing
                direction = before
            stands = after
    at = (NOW + timedelta(seconds=number) for number in range(len(events)))
    return [(Entry(run="shop-1", at=next(at), event=event), stands) for event, stands in events]


journals = histories().map(lambda history: [entry for entry, _ in history])


def thresholds() -> st.SearchStrategy[Thresholds]:
    """The usual ones, and any others that settings may have."""
    made = st.builds(
        Thresholds,
        down_after=st.integers(1, 6),
        failures_before_down=st.integers(1, 12),
        good_run=st.integers(1, 12),
        up_after=st.integers(1, 8),
        up_seconds=st.sampled_from([0.0, 30.0, 180.0, 600.0]),
        flapping_changes=st.integers(1, 8),
        flapping_window=st.integers(6, 25),
    )
    return st.just(Thresholds()) | made
