"""A run as a report: JSON for programs, Markdown and HTML for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, assert_never

from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet
from changeover.model.finding import Finding, Level
from changeover.model.foreign_text import shown
from changeover.model.formatting import duration, ended
from changeover.model.readiness.way_back import undone_in_doubt
from changeover.model.runs.fencing import StillToDo, still_to_do
from changeover.model.runs.open_run import open_run_words, unreadable_words
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.recovery_time import recovery_time
from changeover.model.runs.run import Direction, Outcome, Run, StepProgress, StepState

#: A shape and a word for each state, so that no report needs colour.
STEP_SIGNS = {
    StepState.PENDING: "○",
    StepState.RUNNING: "◌",
    StepState.DONE: "●",
    StepState.WARNING: "▲",
    StepState.SKIPPED: "–",
    StepState.REFUSED: "■",
    StepState.FAILED: "■",
    StepState.UNKNOWN: "?",
}
LEVEL_SIGNS = {Level.PASS: "●", Level.WARN: "▲", Level.BLOCK: "■"}


def utc(moment: datetime | None) -> str | None:
    """A time as JSON has it: UTC, ISO 8601."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def local(moment: datetime) -> str:
    """A time as people read it: theirs, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def change_object(change: Change) -> dict[str, Any]:
    return {
        "account": change.account,
        "zone": change.zone,
        "name": change.name,
        "before": [_records(r) for r in change.before],
        "after": [_records(r) for r in change.after],
    }


def _records(record: Any) -> dict[str, Any]:
    found = {"type": record.type, "ttl": record.ttl, "values": list(record.values)}
    return {**found, "details": record.details} if record.details else found


def finding_object(finding: Finding) -> dict[str, Any]:
    found = {
        "check": finding.check,
        "level": str(finding.level),
        "text": finding.text,
        "fix": finding.fix,
        "overridable": finding.overridable,
    }
    return {**found, "override": finding.override} if finding.override is not None else found


def run_object(run: Run, later: Sequence[Run] = ()) -> dict[str, Any]:
    """A run as `switch`, `undo`, `resume` and `report` give it in JSON. `later` are those of its service since."""
    return {
        "run": run.run,
        "service": run.service,
        "from": run.source,
        "to": run.to,
        "outcome": str(run.outcome),
        "text": run.text,
        "kind": str(run.forward.kind),
        "emergency": run.emergency,
        "who": run.who,
        "why": run.why,
        "noticed": utc(run.noticed),
        "told": utc(run.told),
        "decided": utc(run.decided),
        "notes": list(run.notes),
        "started": utc(run.started),
        "ended": utc(run.ended),
        "seconds": round(run.seconds, 3),
        "changes": [change_object(c) for c in run.changes],
        "steps": [_step(s) for s in run.steps],
        "findings": [finding_object(f) for f in run.findings],
        "recovery": _recovery(run),
        "committed": utc(run.committed),
        "accepted": run.accepted,
        "still_to_do": still_to_do_objects(_still_to_do(run, later)),
        "next": list(run.next),
    }


def still_to_do_objects(left: StillToDo | None) -> list[dict[str, Any]]:
    """What an emergency left out and nobody has done since, step by step."""
    if left is None:
        return []
    return [
        {"run": left.run.run, "at": left.where, "step": s.name, "text": s.text, "doubtful": s.name in left.doubtful}
        for s in left.steps
    ]


def _still_to_do(run: Run, later: Sequence[Run]) -> StillToDo | None:
    """What of this very run is still to be done."""
    left = still_to_do((*later, run))
    return left if left is not None and left.run.run == run.run else None


def _recovery(run: Run) -> dict[str, Any] | None:
    """The recovery time in its parts, in seconds; None for a run that is not about it, or that has no end yet."""
    if not run.forward.kind.moves_visitors or run.direction is Direction.UNDO or run.ended is None:
        return None
    found = recovery_time(run)
    names = ("noticed", "decided", "executed", "stopped", "propagated", "verified", "total")
    seconds = {name: getattr(found, name) for name in names}
    parts = {name: None if value is None else round(value, 3) for name, value in seconds.items()}
    return {**parts, "objective": found.objective, "met": found.met, "proven": found.proven}


def _step(step: StepProgress) -> dict[str, Any]:
    return {
        "name": step.name,
        "state": str(step.state),
        "seconds": round(step.seconds, 3),
        "text": step.text,
        "note": step.note,
    }


def outcome_sentence(run: Run) -> str:
    """How a run stands, in one sentence."""
    undoing = run.direction is Direction.UNDO
    where = _where(run)
    match run.outcome:
        case Outcome.COMPLETED:
            return f"{where} completed in {_seconds(run.seconds)}. {run.text}."
        case Outcome.UNDONE:
            doubt = undone_in_doubt(run)
            told = f" Visitors reach {run.source} again, but not all is well there: {ended(doubt)}" if doubt else ""
            return f"{where} undone in {_seconds(run.seconds)}. {run.text}.{told}"
        case Outcome.REFUSED:
            return f"{where} refused; nothing was changed. {run.text}"
        case Outcome.FAILED:
            return f"{where} failed; nothing was changed. {run.text}"
        case Outcome.INCOMPLETE:
            doing = "The undo" if undoing else "The switch" if run.forward.kind.moves_visitors else "The run"
            accepted = f" Accepted as it stands: {run.accepted}" if run.accepted else ""
            return f"{where} is incomplete. {doing} stopped: {run.text or 'its last step has no outcome'}.{accepted}"
        case Outcome.INTERRUPTED if run.paused:
            return f"{where} is paused{' while being undone' if undoing else ''}. {_may_be(run)}"
        case Outcome.INTERRUPTED:
            return f"{where} was interrupted{' while being undone' if undoing else ''}. {_may_be(run)}"
        case Outcome.RUNNING:
            return f"{where} is running."
        case Outcome.DAMAGED | Outcome.NEWER if run.accepted is not None:
            return f"{where} {unreadable_words(run)}. Accepted as it stands: {run.accepted}"
        case Outcome.DAMAGED | Outcome.NEWER:
            return f"{where} {unreadable_words(run)}. {open_run_words(run)[1]}"
        case _:
            assert_never(run.outcome)


def _may_be(run: Run) -> str:
    match run.forward.kind:
        case PlanKind.OPERATION:
            return "It may be done."
        case PlanKind.FENCE:
            return "Some of its steps may be done."
        case _:
            return "Its records may be changed."


def _where(run: Run) -> str:
    """What a run is about."""
    match run.forward.kind:
        case PlanKind.SWITCH:
            return f"{run.service}: {run.source} → {run.to}"
        case PlanKind.PREPARE | PlanKind.RESTORE_TTL:
            return f"{run.service}, TTLs:"
        case PlanKind.OPERATION:
            return f"{run.service}: {run.forward.steps[0].text}:"
        case PlanKind.FENCE:
            return f"{run.service}, fencing {run.source}:"
        case _:
            assert_never(run.forward.kind)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def rows_of(records: AddressSet) -> list[str]:
    """An address set, one line a record set."""
    return [f"{r.type} {', '.join(r.values)} (TTL {r.ttl} s)" for r in records] or ["nothing"]


class _Part(NamedTuple):
    """A line of a report as plain text, and what it is: title, heading, text, item, inner (of an item) or step."""

    kind: str
    text: str
    strong: str = ""


def _parts(run: Run, later: Sequence[Run]) -> Iterator[_Part]:
    yield _Part("title", f"Run {run.run}")
    yield _Part("text", outcome_sentence(run))
    said = [("Started", local(run.started)), ("Ended", local(run.ended) if run.ended else "")]
    said += [("By", run.who), ("Why", run.why), ("Emergency", "yes" if run.emergency else "")]
    said += [("Failing since", local(run.noticed) if run.noticed else "")]
    said += [("Said to be down", local(run.told) if run.told else "")]
    said += [("Plan looked at", local(run.decided) if run.decided else "")]
    said += [("Note", note) for note in run.notes]
    said += [("Committed", local(run.committed) if run.committed else ""), ("Next", ", ".join(run.next))]
    if run.forward.kind.moves_visitors and run.outcome is Outcome.COMPLETED:
        said += [("Recovery", recovery_time(run).text)]
    left = _still_to_do(run, later)
    said += [(f"Still to do at {run.source} when it answers", left.names if left is not None else "")]
    said += [("No longer to be done", f"{step}: {reason}") for step, reason in run.dropped.items()]
    said += [("Does what was left out by", run.forward.fences)]
    yield from (_Part("item", f"{what}: {text}") for what, text in said if text)
    yield _Part("heading", "Changes")
    for change in run.changes:
        yield _Part("item", f" (account {change.account}, zone {change.zone})", change.name)
        yield from (_Part("inner", f"before: {line}") for line in rows_of(change.before))
        yield from (_Part("inner", f"after: {line}") for line in rows_of(change.after))
    if not run.changes:
        yield _Part("text", "None.")
    yield _Part("heading", "Steps")
    for step in run.steps:
        note = f": {step.note}" if step.note else ""
        yield _Part("step", f"{STEP_SIGNS[step.state]} {step.text} ({step.state}, {_seconds(step.seconds)}){note}")
    yield _Part("heading", "Findings before the run")
    for finding in run.findings:
        override = f" Overridden: {finding.override}" if finding.override else ""
        yield _Part(
            "item", f"{LEVEL_SIGNS[finding.level]} {finding.check} ({finding.level}): {finding.text}.{override}"
        )


def markdown(run: Run, later: Sequence[Run] = ()) -> str:
    """The report of a run for people, as Markdown. `later` are those of its service since."""
    lines: list[str] = []
    steps = 0
    for part in _parts(run, later):
        steps += part.kind == "step"
        mark = {"title": "# ", "heading": "## ", "item": "- ", "inner": "  - ", "step": f"{steps}. "}.get(part.kind, "")
        strong = f"**{_in_markdown(part.strong)}**" if part.strong else ""
        if lines and part.kind in ("heading", "text"):
            lines.append("")
        lines.append(f"{mark}{strong}{_in_markdown(part.text)}")
        if part.kind in ("heading", "text"):
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _in_markdown(text: str) -> str:
    """A text that Markdown shows as it is, in one line: nothing in it is a heading, a link, a picture or HTML."""
    plain = re.sub(r"[\\`*_\[\]<>&~|]|:(?=//)|^[#+=-]", r"\\\g<0>", shown(text))
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", plain)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #1b2230 }}
li {{ margin: .2em 0 }} code {{ font-size: .95em }} h1 {{ font-size: 1.5em }} h2 {{ font-size: 1.1em; margin-top: 2em }}
</style></head><body>
{body}
</body></html>
"""


def html_page(run: Run, later: Sequence[Run] = ()) -> str:
    """The report of a run as one HTML page that needs nothing else. `later` are those of its service since."""
    import html

    def plain(text: str) -> str:
        return html.escape(shown(text))

    body: list[str] = []
    open_lists: list[str] = []
    for part in _parts(run, later):
        wanted = {"item": ["ul"], "inner": ["ul", "ul"], "step": ["ol"]}.get(part.kind, [])
        while open_lists != wanted[: len(open_lists)]:
            body.append(f"</{open_lists.pop()}>")
        for name in wanted[len(open_lists) :]:
            open_lists.append(name)
            body.append(f"<{name}>")
        name = {"title": "h1", "heading": "h2", "text": "p"}.get(part.kind, "li")
        strong = f"<b>{plain(part.strong)}</b>" if part.strong else ""
        body.append(f"<{name}>{strong}{plain(part.text)}</{name}>")
    body += [f"</{name}>" for name in reversed(open_lists)]
    return _PAGE.format(title=plain(f"Run {run.run}"), body="\n".join(body))
