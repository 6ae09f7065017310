"""Is what runs at the target what runs where visitors are? As the platforms of both said last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from changeover.model.finding import Finding, Level
from changeover.model.formatting import age, counted
from changeover.model.platforms.comparison import Side, compared
from changeover.model.platforms.comparison_row import Compared, differing
from changeover.model.platforms.platform_observation import KeptObservation
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.service import Service

#: Differences that a finding tells; the table has them all.
_TOLD = 3


def drift_findings(snapshot: Snapshot, source: str, to: str) -> list[Finding]:
    """One finding, where the platforms of both have said something. Differences never keep anybody from switching."""
    beside = compared_with(snapshot.service, source, to)
    rows = drift_rows(snapshot.service, snapshot.platforms, beside, to, snapshot.at)
    if rows is None:
        return []
    oldest = min(snapshot.platforms[name].oldest for name in (beside, to))
    when = f"as their platforms said {age(oldest, snapshot.at)}"
    found = [row for row in differing(rows) if not _told_by_platform(row)]
    if not found:
        return [Finding(check="drift", level=Level.PASS, text=f"{to} has what {beside} has, {when}")]
    told = "; ".join(row.why for row in found[:_TOLD])
    more = f"; and {counted(len(found) - _TOLD, 'more difference')}" if len(found) > _TOLD else ""
    text = f"{to} differs from {beside}, {when}: {told}{more}"
    fix = f"See them side by side: changeover drift {snapshot.service.name}"
    return [Finding(check="drift", level=Level.WARN, text=text, fix=fix)]


def _told_by_platform(row: Compared) -> bool:
    """Is it wrong with the target whatever it is compared with? Then the check `platform` tells it."""
    match row.aspect, row.subject:
        case (("domain" | "database"), _) | ("state", "started") | ("scale", "quota"):
            return True
        case "certificate", _:
            return row.backup == "failed"
        case "runtime", "support":
            return row.backup == "ended"
        case "state", "deployment":
            return row.backup != "nothing"
        case _:
            return False


def compared_with(service: Service, source: str, to: str) -> str:
    """What a target is compared with: where visitors are, else the primary, else the first backup."""
    names = [deployment.name for deployment in service.deployments if deployment.name != to]
    return source if source in names else names[0]


def drift_rows(
    service: Service, kept: Mapping[str, KeptObservation], beside: str, to: str, at: datetime
) -> tuple[Compared, ...] | None:
    """`to` beside another deployment, row by row; None where nothing is known of one of them."""
    sides = []
    for name in (beside, to):
        deployment = service.deployment(name)
        if deployment is None or name not in kept:
            return None
        sides.append(Side(name=name, platform=deployment.platform, observation=kept[name].observation))
    return compared(sides[0], sides[1], service.hostnames, service.drift, at)
