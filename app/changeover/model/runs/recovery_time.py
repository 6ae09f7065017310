"""How long it took until visitors were served again, in its parts, beside what the team wants."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from changeover.model.formatting import duration
from changeover.model.runs.plan import CheckNameServers, CheckVisitors
from changeover.model.runs.run import Direction, Outcome, Run


class RecoveryTime(Struct, frozen=True, kw_only=True):
    """The parts of a recovery, in seconds; None for a part that nobody knows.

    `noticed`: from the beginning of the incident until Changeover first said so. `decided`: until the run began.
    `executed`: the steps that change something. `stopped`: the time in which the run stood still, after a crash or a
    pause, until somebody went on. `propagated`: until the authoritative servers gave the new answer.
    `verified`: until the service answered its visitors as it should. What lies between the steps counts as executed.
    `total` is all of it. `resolvers`: until the last resolver that was asked had followed, counted from the change.
    `objective` is what the team wants for the total.
    """

    noticed: float | None
    decided: float | None
    executed: float
    stopped: float
    propagated: float
    verified: float
    total: float
    resolvers: float | None = None
    objective: int | None = None
    proven: bool = True

    @property
    def met(self) -> bool | None:
        """Was it as fast as it should be? None where there is no objective, or visitors are not served yet."""
        return None if self.objective is None or not self.proven else self.total <= self.objective

    @property
    def text(self) -> str:
        """ "Served again after 2 min 5 s: noticed 1 min, decided 1 min, executed 2 s, propagated 1 s, verified 2 s"."""
        names = ("noticed", "decided", "executed", "stopped", "propagated", "verified")
        known = [(name, getattr(self, name)) for name in names if name != "stopped" or self.stopped]
        parts = ", ".join(f"{name} {duration(seconds)}" for name, seconds in known if seconds is not None)
        start = "Served again after" if self.proven else "Not proven to be served again; so far"
        return f"{start} {duration(self.total)}: {parts}{self._beside()}."

    def _beside(self) -> str:
        if self.objective is None:
            return ""
        wanted = duration(self.objective)
        if not self.proven and self.total <= self.objective:
            return f"; the objective is {wanted}"
        if self.total <= self.objective:
            return f"; within the objective of {wanted}"
        return f"; {duration(self.total - self.objective)} longer than the objective of {wanted}"


def recovery_time(run: Run, followed: datetime | None = None, now: datetime | None = None) -> RecoveryTime:
    """The parts of a run's time. `followed` is when the last resolver had; `now` ends a run without an end.

    Journals of before have no time at which something was said; when somebody looked at the plan stands for it.
    """
    ended = run.ended or now or run.started
    whole = max(0.0, (ended - run.started).total_seconds())
    seconds = {CheckNameServers: 0.0, CheckVisitors: 0.0}
    changed = 0.0
    for step, progress in zip(run.plan.steps, run.steps, strict=True):
        if isinstance(step, CheckNameServers | CheckVisitors):
            seconds[type(step)] += progress.seconds
        else:
            changed += progress.seconds
    propagated, verified = seconds[CheckNameServers], seconds[CheckVisitors]
    executed = max(changed, whole - propagated - verified - run.idle)
    said = run.told or run.decided
    decided = _between(said, run.started)
    noticed = _between(run.noticed, said or run.started)
    return RecoveryTime(
        noticed=noticed,
        decided=decided,
        executed=executed,
        stopped=run.idle,
        propagated=propagated,
        verified=verified,
        total=executed + run.idle + propagated + verified + (decided or 0) + (noticed or 0),
        resolvers=_between(run.started, followed),
        objective=run.objective,
        proven=run.outcome is (Outcome.COMPLETED if run.direction is Direction.FORWARD else Outcome.UNDONE),
    )


def _between(one: datetime | None, other: datetime | None) -> float | None:
    """Seconds from one moment to the other; None where one is not known, or clocks put them the wrong way round."""
    if one is None or other is None or other < one:
        return None
    return (other - one).total_seconds()
