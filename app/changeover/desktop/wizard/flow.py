"""What the wizard decides and says, without a window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import assert_never

from msgspec import Struct

from changeover.model.dns.change import Change
from changeover.model.dns.propagation import CachedAnswer
from changeover.model.dns.records import RecordSet
from changeover.model.finding import Finding, Level
from changeover.model.formatting import counted, duration, ended
from changeover.model.readiness.service_state import Preparation, ServiceState, is_emergency
from changeover.model.readiness.way_back import undone_in_doubt
from changeover.model.runs.open_run import open_run_words, operation_ways
from changeover.model.runs.plan import Plan, PlanKind
from changeover.model.runs.run import Direction, Outcome, Run


class WizardPage(Enum):
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


def failback(state: ServiceState, to: str) -> bool:
    """Does a switch to `to` bring visitors home to the primary?"""
    return to == state.service.primary.name and state.service.deployment(state.active) is not None


def kind_words(state: ServiceState, to: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """The two answers to "is it still working?", planned first: what each is called, and what it means."""
    known = state.service.deployment(state.active) is not None
    here = state.active if known else "the present deployment"
    back = failback(state, to)
    planned = "Yes: failback, a planned switchover to the primary" if back else "Yes: switchover, planned"
    every = f"Every step is taken and nothing is lost. It needs {here} to be where visitors are now."
    if back:
        every += f" It is best to wait until {to} has been healthy for an hour."
    left_out = (
        f"An emergency: steps that need {here} are left out, and the plan says at what risk. What proves {to} may be "
        "overridden by name."
    )
    return (planned, every), ("No: failover, an emergency", left_out)


def doubt(findings: Iterable[Finding]) -> str:
    """What must be confirmed once more before a failback: that the primary has not been healthy for long."""
    return " ".join(f"{f.text}. {f.fix}" for f in findings if f.check == "failback" and f.level is Level.WARN)


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
    if not within:
        return "Visitors follow at once."
    longest = "so long may a resolver go on giving the old answer"
    return f"Visitors follow within {duration(within)} of the change: {longest}."


def run_title(run: Run | None, service: str, to: str, source: str = "") -> str:
    """What is going on, as a heading."""
    if run is not None and run.forward.kind is PlanKind.OPERATION:
        back = "taking back: " if run.direction is Direction.UNDO else ""
        return f"{service}, {back}{run.forward.steps[0].text}"
    if run is not None and run.direction is Direction.UNDO:
        if run.forward.kind is PlanKind.FENCE:
            return f"Taking back what was done at {run.source} of {service}"
        where = f" back to {run.source}" if run.forward.kind.moves_visitors else "'s TTLs back"
        return f"Bringing {service}{where}"
    if run is not None and run.emergency:
        return f"Failing over {service} to {to}"
    match run.forward.kind if run is not None else PlanKind.SWITCH:
        case PlanKind.SWITCH:
            return f"Switching {service} to {to}"
        case PlanKind.PREPARE:
            return f"Lowering the TTLs of {service}"
        case PlanKind.RESTORE_TTL:
            return f"Restoring the TTLs of {service}"
        case PlanKind.OPERATION:
            return ""  # told above
        case PlanKind.FENCE:
            return f"Fencing {source or (run.source if run is not None else '')} of {service}"
        case kind:
            assert_never(kind)


def outcome_words(run: Run) -> tuple[str, str]:
    """How a run ended: a heading, and a sentence."""
    back = run.direction is Direction.UNDO
    operation = run.forward.kind is PlanKind.OPERATION
    match run.outcome:
        case Outcome.COMPLETED | Outcome.UNDONE if operation:
            return ("Taken back" if back else "Done"), ended(run.text)
        case Outcome.COMPLETED:
            if run.forward.kind is PlanKind.FENCE:
                return f"{run.source} is fenced", ended(run.text)
            if not run.forward.kind.moves_visitors:
                return f"{run.text}.", "Every name server gives the new ones."
            return f"Visitors are served by {run.to}", "Every check passed: the name servers, and the service itself."
        case Outcome.UNDONE:
            doubt = undone_in_doubt(run)
            if doubt:
                return f"The records lead to {run.source} again, where not all is well", ended(doubt)
            if run.forward.kind is PlanKind.FENCE:
                return f"What was done at {run.source} is taken back", ended(run.text)
            where = f"Visitors are back at {run.source}" if run.forward.kind.moves_visitors else "The TTLs are back"
            return where, "Every record set is exactly as it was before."
        case Outcome.REFUSED:
            return "Nothing was changed", ended(run.text) if operation else run.text or "The switch was refused."
        case Outcome.FAILED:
            return "It failed, and nothing was changed", run.text
        case Outcome.INCOMPLETE:
            what = "The way back is incomplete" if back else "The switch is incomplete"
            if operation:
                return "It is not known whether it was done", f"{ended(run.text)} {operation_ways(run)}"
            return what, f"{run.text} Resume it, undo it, or accept it as it stands.".strip()
        case Outcome.RUNNING | Outcome.INTERRUPTED:
            return "It stopped before its end", "Resume it, undo it, or accept it as it stands."
        case Outcome.DAMAGED | Outcome.NEWER:
            return open_run_words(run)
        case _:
            assert_never(run.outcome)


def visitors_words(run: Run) -> str:
    """What the check as a visitor saw; empty where it was not reached."""
    return next((s.note for s in run.steps if s.name == "visitors" and s.note), "")


class CacheRow(Struct, frozen=True):
    """What one resolver gives for one hostname. `new` is None where it does not answer, or where nobody can tell."""

    resolver: str
    hostname: str
    new: bool | None
    words: str


def cache_rows(kept: Sequence[CachedAnswer], now: datetime) -> list[CacheRow]:
    """What resolvers have, with what is left of it now."""
    return [CacheRow(_resolver(k), k.hostname, k.updated, _kept_words(k, now)) for k in kept]


def _resolver(kept: CachedAnswer) -> str:
    return (
        kept.resolver if kept.over == "UDP" else f"{kept.resolver.removeprefix('https://').partition('/')[0]} (HTTPS)"
    )


def _kept_words(kept: CachedAnswer, now: datetime) -> str:
    if kept.error is not None:
        return f"no answer: {kept.error}"
    if kept.updated:
        return "gives the new answer"
    if kept.updated is None:
        return "gives an answer; whether it is the new one is not known"
    left = (kept.expires_at - now).total_seconds() if kept.expires_at is not None else 0
    words = f"old answer for {duration(left)} more" if left >= 1 else "old answer, about to be forgotten"
    return f"{words}; {kept.note}" if kept.note else words


def elapsed_words(run: Run | None, now: datetime) -> str:
    """How long a run has taken until now."""
    if run is None:
        return ""
    end = run.ended or now
    return duration(max(0.0, run.seconds or (end - run.started).total_seconds()))
