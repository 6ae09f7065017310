"""Where an undo leads: whether the deployment that visitors come from could serve them, told before and after it."""

from __future__ import annotations

from msgspec import Struct

from changeover.model.finding import Finding, Level
from changeover.model.formatting import ended
from changeover.model.readiness.observation import Observation
from changeover.model.readiness.target_checks import place_findings, target_findings
from changeover.model.runs.plan import CheckVisitors
from changeover.model.runs.run import Direction, Run, StepState


class WayBack(Struct, frozen=True, kw_only=True):
    """The deployment that an undo sends visitors to, and what speaks for and against it. Nothing of it is a refusal."""

    to: str
    findings: tuple[Finding, ...] = ()

    @property
    def doubt(self) -> str:
        """That visitors will reach a deployment that is down, or not well; empty where nothing speaks against it."""
        blocks = [f.text for f in self.findings if f.level is Level.BLOCK]
        if blocks:
            return f"Visitors will reach {self.to}, which could not serve them now: {ended('; '.join(blocks))}"
        warns = [f.text for f in self.findings if f.level is Level.WARN and f.check != "marker"]
        return f"Visitors will reach {self.to}. {ended('; '.join(warns))}" if warns else ""


def way_back(seen: Observation, to: str) -> WayBack:
    """What is known now of the deployment that an undo leads to."""
    if seen.service.deployment(to) is None:
        return WayBack(to=to)
    return WayBack(to=to, findings=(*target_findings(seen, to, emergency=True), *place_findings(seen.snapshot, to)))


def undone_in_doubt(run: Run) -> str:
    """What the look as a visitor found wrong after an undo; empty where it was good, or there was none."""
    if run.direction is not Direction.UNDO:
        return ""
    both = zip(run.plan.steps, run.steps, strict=True)
    looks = (progress for step, progress in both if isinstance(step, CheckVisitors))
    return next((p.note for p in looks if p.state is StepState.WARNING and p.note), "")
