"""What the wizard decides and says, without a window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum

from msgspec import Struct

from changeover.dns.lookup import ResolverAnswer
from changeover.model.change import Change
from changeover.model.finding import Finding, Level
from changeover.model.plan import Plan
from changeover.model.records import AddressSet, RecordSet, same_answer
from changeover.model.run import Direction, Outcome, Run
from changeover.model.state import Preparation, ServiceState, is_emergency
from changeover.model.words import counted, duration


class Page(Enum):
    """The pages, in order."""

    DIRECTION = "Direction"
    READINESS = "Readiness"
    CHANGES = "Changes"
    SWITCH = "Switch"
    RESULT = "Result"


def destinations(state: ServiceState) -> list[str]:
    """The deployments that visitors could go to, the likeliest first."""
    others = [d.name for d in state.service.deployments if d.name != state.active]
    return sorted(others, key=lambda name: name != state.target)


def emergency_first(state: ServiceState) -> bool:
    """Is the emergency failover what a person probably wants?"""
    return is_emergency(state.active, state.health)


def overrides(findings: Iterable[Finding], reasons: Mapping[str, str]) -> dict[str, str]:
    """The typed reasons, by check, that count: not empty, and for a block that may be overridden."""
    can = {f.check for f in findings if f.level is Level.BLOCK and f.overridable}
    return {check: reason.strip() for check, reason in reasons.items() if check in can and reason.strip()}


def still_blocked(findings: Sequence[Finding], reasons: Mapping[str, str]) -> list[Finding]:
    """The blocks that no reason takes away."""
    over = overrides(findings, reasons)
    return [f for f in findings if f.level is Level.BLOCK and not (f.overridable and f.check in over)]


def why_not(preparation: Preparation, reasons: Mapping[str, str]) -> str:
    """Why the readiness page does not let anybody on; empty where it does."""
    blocks = still_blocked(preparation.findings, reasons)
    final = sum(not f.overridable for f in blocks)
    open_ = len(blocks) - final
    if final:
        return f"{counted(final, 'finding blocks', 'findings block')} this switch and cannot be overridden here."
    if open_:
        return f"Type a reason for {counted(open_, 'blocking finding')}, or mend what is wrong and check again."
    if preparation.plan is None:
        return "No plan could be made, since the records could not be read."
    return ""


def switch_button(plan: Plan) -> str:
    """What the dangerous button says."""
    return f"Switch {counted(len({c.name for c in plan.changes}), 'hostname')} to {plan.to}"


class Row(Struct, frozen=True):
    """One line of the table of changes. `old` or `new` is empty where a record set is added or removed."""

    old: str
    new: str


def record_words(record: RecordSet) -> str:
    """ "A 198.51.100.24 · TTL 60 s" """
    return f"{record.type} {', '.join(record.values)} · TTL {record.ttl} s"


def rows(change: Change) -> list[Row]:
    """A change record set by record set: those of the same type beside each other, then the rest."""
    old, new = list(change.before), list(change.after)
    pairs: list[tuple[RecordSet | None, RecordSet | None]] = []
    for one in change.before:
        other = next((r for r in new if r.type == one.type), None)
        if other is not None:
            pairs.append((one, other))
            old.remove(one)
            new.remove(other)
    for i in range(max(len(old), len(new))):
        pairs.append((old[i] if i < len(old) else None, new[i] if i < len(new) else None))
    return [Row(record_words(o) if o else "", record_words(n) if n else "") for o, n in pairs]


def follow_words(plan: Plan) -> str:
    """How soon visitors follow."""
    within = plan.visitors_follow_within
    return f"Visitors follow within {duration(within)} of the change." if within else "Visitors follow at once."


def run_title(run: Run | None, service: str, to: str, source: str = "") -> str:
    """What is going on, as a heading."""
    if run is not None and run.direction is Direction.UNDO:
        return f"Bringing {service} back to {run.source}"
    return f"Switching {service} to {to}"


def outcome_words(run: Run) -> tuple[str, str]:
    """How a run ended: a heading, and a sentence."""
    back = run.direction is Direction.UNDO
    match run.outcome:
        case Outcome.COMPLETED:
            return f"Visitors are served by {run.to}", "Every check passed: the name servers, and the service itself."
        case Outcome.UNDONE:
            return f"Visitors are back at {run.source}", "Every record set is exactly as it was before."
        case Outcome.REFUSED:
            return "Nothing was changed", run.text or "The switch was refused."
        case Outcome.FAILED:
            return "It failed, and nothing was changed", run.text
        case Outcome.INCOMPLETE:
            what = "The way back is incomplete" if back else "The switch is incomplete"
            return what, f"{run.text} Resume it, undo it, or accept it as it stands.".strip()
    return "It stopped before its end", "Resume it, undo it, or accept it as it stands."


def visitors_words(run: Run) -> str:
    """What the check as a visitor saw; empty where it was not reached."""
    return next((s.note for s in run.steps if s.name == "visitors" and s.note), "")


class CacheRow(Struct, frozen=True):
    """What one resolver gives for one hostname. `new` is None where it does not answer."""

    resolver: str
    hostname: str
    new: bool | None
    words: str


def cache_rows(answers: Sequence[ResolverAnswer], changes: Sequence[Change], age: float) -> list[CacheRow]:
    """What resolvers still have, `age` seconds after they were asked."""
    wanted: dict[str, AddressSet] = {c.name: c.after for c in changes}
    found = []
    for answer in answers:
        if answer.hostname not in wanted:
            continue
        after = wanted[answer.hostname]
        if answer.error is not None:
            row = CacheRow(answer.resolver, answer.hostname, None, f"no answer: {answer.error}")
        elif same_answer(answer.records, after) or any(r.opaque for r in after):
            row = CacheRow(answer.resolver, answer.hostname, True, "gives the new answer")
        elif not answer.records:
            row = CacheRow(answer.resolver, answer.hostname, None, "gives no address")
        else:
            left = max(0.0, answer.ttl_left - age)
            words = f"old answer for {duration(left)} more" if left >= 1 else "old answer, about to be forgotten"
            row = CacheRow(answer.resolver, answer.hostname, False, words)
        found.append(row)
    return found


def cache_summary(found: Sequence[CacheRow]) -> str:
    """All resolvers in a sentence."""
    if not found:
        return "No resolver was asked."
    new = sum(r.new is True for r in found)
    if new == len(found):
        return "Every resolver that was asked gives the new answer."
    return f"{new} of {counted(len(found), 'answer')} from resolvers {'is' if new == 1 else 'are'} new."


def elapsed_words(run: Run | None, now: datetime) -> str:
    """How long a run has taken until now."""
    if run is None:
        return ""
    end = run.ended or now
    return duration(max(0.0, run.seconds or (end - run.started).total_seconds()))
