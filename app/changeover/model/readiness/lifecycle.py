"""The life of a service around its runs: is there a backup, may the last switch still be undone, who must look?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from changeover.model.formatting import age, clock, duration, ended
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import Direction, Outcome, Run
from changeover.model.settings.service import Service

#: So long after a switch its undo is the way back that needs no thought.
UNDO_WINDOW = timedelta(minutes=30)
#: So long after an emergency switch somebody must have looked at it, as a zonal shift of AWS ARC ends by itself.
REVIEW = timedelta(hours=24)
#: So long after an emergency switch no other is suggested: orchestrator's RecoveryPeriodBlockSeconds.
BLOCKED = timedelta(minutes=60)
#: So long the primary should have been healthy before visitors go back to it.
STABLE = timedelta(minutes=60)


class Stage(StrEnum):
    """Where a service stands.

    protected: visitors are at the primary, and some other deployment could take over now. unprotected: visitors are
    where they should be, and nothing could take over now, or it is not known. switched: they are not at the primary,
    and nobody has said yet that this is to stay. committed: it is to stay, and there is no backup. re-protecting: one
    is being set up. protected-reversed: a person has said that there is one, and it could take over now. failing-back:
    a planned run to the primary is in progress.
    """

    PROTECTED = "protected"
    UNPROTECTED = "unprotected"
    SWITCHED = "switched"
    COMMITTED = "committed"
    RE_PROTECTING = "re-protecting"
    PROTECTED_REVERSED = "protected-reversed"
    FAILING_BACK = "failing-back"

    @property
    def amber(self) -> bool:
        """Does it need a person, though visitors may be served well?"""
        return self in (Stage.UNPROTECTED, Stage.SWITCHED, Stage.COMMITTED, Stage.RE_PROTECTING)


BADGES = {
    Stage.PROTECTED: "protected",
    Stage.UNPROTECTED: "not protected",
    Stage.SWITCHED: "not committed",
    Stage.COMMITTED: "no backup",
    Stage.RE_PROTECTING: "backup being set up",
    Stage.PROTECTED_REVERSED: "protected, reversed",
    Stage.FAILING_BACK: "going back",
}


class Lifecycle(Struct, frozen=True, kw_only=True):
    """A service's stage, since when, and what can be done.

    `run` is the run that it follows from, or that must be ended first; `acknowledges` is the emergency switch that
    "acknowledge" is about. `undo_until` ends the undo window of a switch; undo works after it too.
    `review_at` is when somebody must have looked at an emergency switch. `next` are verbs, what suggests itself first:
    switch, undo, commit, protect, fail-back, acknowledge, resume, accept.
    """

    stage: Stage
    since: datetime | None = None
    run: str | None = None
    undo_until: datetime | None = None
    review_at: datetime | None = None
    text: str = ""
    next: tuple[str, ...] = ()
    acknowledges: str | None = None

    @property
    def badge(self) -> str:
        """The stage in a word or two."""
        return BADGES[self.stage]


def lifecycle(
    service: Service, active: str, runs: Sequence[Run], now: datetime, lacking: str | None = None
) -> Lifecycle:
    """The stage of `service`, whose visitors are at `active`, from its runs, newest first; others' are passed over.

    Where it is not known where visitors are, the journal says where they should be. `lacking` is why no other
    deployment could take over now; None where one could. `now` is in the time zone of the person who reads the text.
    """
    runs = [r for r in runs if r.service == service.name]
    switches = [r for r in runs if r.forward.kind is PlanKind.SWITCH]
    newest = switches[0] if switches else None
    primary = service.primary.name
    here = active if service.deployment(active) is not None else _journalled(switches) or primary
    if newest is not None and _goes_back(newest, primary):
        text = f"Going back to {primary}, by run {newest.run}."
        found = Lifecycle(stage=Stage.FAILING_BACK, since=newest.started, run=newest.run, text=text, next=newest.next)
    elif here == primary:
        last = _settled(newest)
        since = last.ended if last is not None else None
        text = f"Visitors are at {primary}; a switch to a backup can be undone."
        run = last.run if last is not None else None
        found = Lifecycle(stage=Stage.PROTECTED, since=since, run=run, text=text, next=("switch",))
    else:
        found = _away(here, primary, brought(switches, here), now)
    if lacking is not None and found.stage in (Stage.PROTECTED, Stage.PROTECTED_REVERSED):
        text = f"Visitors are at {here}, and nothing could take over now: {ended(lacking)}"
        found = replace(found, stage=Stage.UNPROTECTED, text=text)
    open_run = next((r for r in runs if r.unfinished), None)
    if open_run is not None:
        found = replace(found, next=open_run.next, run=open_run.run)
    emergency = blocking_emergency(switches, now)
    if emergency is not None:
        found = replace(found, next=(*found.next, "acknowledge"), acknowledges=emergency.run)
    return found


def brought(runs: Sequence[Run], deployment: str) -> Run | None:
    """The switch (of one service's runs, newest first) that brought visitors to `deployment`.

    None where they did not come by the newest one that moved anybody, but by somebody's hand.
    """
    for run in runs:
        if run.forward.kind is not PlanKind.SWITCH or run.outcome in (Outcome.UNDONE, Outcome.REFUSED, Outcome.FAILED):
            continue
        if run.to == deployment:
            return run
        if not (run.unfinished and run.source == deployment):
            return None
    return None


def suggestion_blocked(runs: Sequence[Run], now: datetime) -> str | None:
    """Why no further switch is suggested just after an emergency switch, or None. A person may switch all the same.

    A run of two deployments that fail in turn would send visitors to and fro. `runs` are of one service.
    """
    run = blocking_emergency(runs, now)
    if run is None or run.ended is None:
        return None
    left = duration((run.ended + BLOCKED - now).total_seconds())
    return (
        f"The emergency switch {run.run} ended {age(run.ended, now)}; "
        f"no other is suggested for {left} unless somebody acknowledges it"
    )


def blocking_emergency(runs: Sequence[Run], now: datetime) -> Run | None:
    """The emergency switch that ended just now, moved visitors, and that nobody has acknowledged."""
    for run in runs:
        moved = run.outcome not in (Outcome.REFUSED, Outcome.FAILED)
        if not run.emergency or run.forward.kind is not PlanKind.SWITCH or run.acknowledged is not None or not moved:
            continue
        if run.ended is not None and timedelta(0) <= now - run.ended < BLOCKED:
            return run
    return None


def review_words(found: Lifecycle, now: datetime) -> str:
    """Who must look at an emergency switch by when; empty where nobody must."""
    if found.review_at is None:
        return ""
    if now < found.review_at:
        return f"It was an emergency: commit it or go back by {clock(found.review_at, now)}."
    since = duration((now - found.review_at).total_seconds())
    return f"The review of emergency switch {found.run} is overdue for {since}: commit it or go back."


def _goes_back(run: Run, primary: str) -> bool:
    """Is a planned run to the primary in progress, or was it left half way?"""
    return run.unfinished and run.to == primary and not run.emergency and run.direction is Direction.FORWARD


def _journalled(switches: Sequence[Run]) -> str | None:
    """Where the journal left visitors."""
    for run in switches:
        if run.outcome is Outcome.COMPLETED:
            return run.to
        if run.outcome is Outcome.UNDONE:
            return run.source
    return None


def _settled(run: Run | None) -> Run | None:
    return run if run is not None and run.outcome in (Outcome.COMPLETED, Outcome.UNDONE) else None


def _away(here: str, primary: str, run: Run | None, now: datetime) -> Lifecycle:
    """The stage of a service whose visitors are not at the primary, and the run that brought them, where one did."""
    if run is None:
        text = f"Visitors are at {here}, and not by a run in this journal. It runs without a backup."
        return Lifecycle(stage=Stage.COMMITTED, text=text, next=("fail-back",))
    verbs: tuple[str, ...]
    if run.reprotected is not None:
        at = clock(run.reprotected, now)
        text = f"Protected the other way round: visitors are at {here}, and since {at} there is a backup again."
        stage, since, verbs = Stage.PROTECTED_REVERSED, run.reprotected, ("fail-back", "undo")
    elif run.reprotecting is not None:
        at = clock(run.reprotecting, now)
        text = f"Running without a backup: visitors are at {here}, and since {at} a backup is being set up."
        stage, since, verbs = Stage.RE_PROTECTING, run.reprotecting, ("protect", "fail-back", "undo")
    elif run.committed is not None or run.accepted is not None:
        since = run.committed or run.ended or run.started
        text = (
            f"Running without a backup since {clock(since, now)}: visitors are at {here}, "
            f"and nobody has said that {primary} or another could take over."
        )
        stage, verbs = Stage.COMMITTED, ("protect", "fail-back", "undo")
        if run.accepted is not None:
            verbs = ("fail-back", "undo")
    else:
        return _switched(here, run, now)
    verbs = tuple(verb for verb in verbs if verb != "undo" or verb in run.next)
    return Lifecycle(stage=stage, since=since, run=run.run, text=text, next=verbs)


def _switched(here: str, run: Run, now: datetime) -> Lifecycle:
    since = run.ended or run.started
    done = run.outcome is Outcome.COMPLETED and run.ended is not None
    undo_until = since + UNDO_WINDOW if done else None
    text = f"Visitors are at {here} since {clock(since, now)}, and nobody has said yet that this is to stay."
    verbs: tuple[str, ...] = (*run.next, "fail-back") if run.unreadable else run.next
    if undo_until is not None and now < undo_until:
        text += f" Undo or commit it within {duration((undo_until - now).total_seconds())}."
        verbs = ("undo", "commit", "fail-back")
    elif undo_until is not None:
        text += " Commit it or go back; undo still works."
        verbs = ("commit", "fail-back", "undo")
    found = Lifecycle(
        stage=Stage.SWITCHED,
        since=since,
        run=run.run,
        undo_until=undo_until,
        review_at=since + REVIEW if done and run.emergency else None,
        next=verbs,
    )
    return replace(found, text=f"{text} {review_words(found, now)}".strip())
