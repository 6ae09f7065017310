"""Does the side that visitors were led away from still work? Both sides may then write, send mail, take payments."""

from __future__ import annotations

from changeover.model.finding import Finding, Level
from changeover.model.formatting import age, counted
from changeover.model.platforms.platform_observation import Process
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.fencing import StillToDo, still_to_do
from changeover.model.runs.run import Outcome


def fence_findings(snapshot: Snapshot, active: str) -> list[Finding]:
    """A warning, where a run led visitors away from a deployment that works, or answers, since.

    Once somebody has said that the service is protected the other way round, the old side may work as it likes.
    """
    left = still_to_do(snapshot.runs)
    found = _at_work(snapshot, active, left)
    return found or _answering(snapshot, active, left)


def _answering(snapshot: Snapshot, active: str, left: StillToDo | None) -> list[Finding]:
    """That what an emergency left out can be done now: the platform has answered since."""
    if left is None or left.run.ended is None or active in left.sides:
        return []
    seen = [kept.at for name in left.sides if (kept := snapshot.platforms.get(name)) is not None]
    if not any(at > left.run.ended for at in seen):
        return []
    text = f"The platform of {left.where} answered {age(max(seen), snapshot.at)}: still to do there: {left.names}"
    return [Finding(check="fenced", level=Level.WARN, text=text, fix=_do_it(snapshot))]


def _do_it(snapshot: Snapshot) -> str:
    return f"Do it: changeover fence {snapshot.service.name}"


def _at_work(snapshot: Snapshot, active: str, left: StillToDo | None) -> list[Finding]:
    """That its processes have been seen to work since."""
    run = next((run for run in snapshot.runs if run.forward.kind.moves_visitors), None)
    if run is None or run.ended is None or run.outcome is not Outcome.COMPLETED or run.to != active:
        return []
    kept = snapshot.platforms.get(run.source)
    if kept is None or kept.at <= run.ended or run.reprotected is not None:
        return []
    at_work = [process for process in kept.observation.workers if _running(process)]
    if not at_work:
        return []
    told = ", ".join(counted(_running(process), f"{process.name} instance") for process in at_work)
    when = age(kept.at, snapshot.at)
    text = f"{run.source} works on while visitors are at {active}: {told} ran there {when}; both sides may write"
    by_hand = f"Scale them to 0 at the platform of {run.source}"
    if left is not None and left.run.run == run.run:
        text, by_hand = f"{text}. Still to do there: {left.names}", _do_it(snapshot)
    fix = f"{by_hand}, or say that this is the new backup: changeover protect."
    return [Finding(check="fenced", level=Level.WARN, text=text, fix=fix)]


def _running(process: Process) -> int:
    return process.wanted if process.running is None else process.running
