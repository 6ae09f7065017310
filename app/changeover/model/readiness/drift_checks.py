"""Is what runs at the target what runs where visitors are? As the platforms and apps of both said last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from changeover.model.finding import Finding, Level
from changeover.model.formatting import age, counted
from changeover.model.platforms.app_version import KeptVersion
from changeover.model.platforms.comparison import compared
from changeover.model.platforms.comparison_row import Agreement, Compared, Side, differing
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.service import Service

#: Differences that a finding tells; the table has them all.
_TOLD = 3


def drift_findings(snapshot: Snapshot, source: str, to: str) -> list[Finding]:
    """One finding, where something is known of both. Differences never keep anybody from switching.

    What an app was asked for and does not tell is as much worth a look as what differs.
    """
    service, platforms = snapshot.service, snapshot.platforms
    beside = compared_with(service, source, to)
    rows = drift_rows(service, platforms, snapshot.versions, beside, to, snapshot.at)
    if rows is None:
        return []
    when = _when(service, platforms, snapshot.versions, (beside, to), snapshot.at)
    untold = [row for row in rows if row.agreement is Agreement.UNKNOWN and row.why]
    found = [row for row in (*differing(rows), *untold) if not _told_by_platform(row)]
    if not found:
        known = any(row.agreement is not Agreement.UNKNOWN for row in rows)
        text = f"{to} has what {beside} has, {when}"
        return [Finding(check="drift", level=Level.PASS, text=text)] if known else []
    told = "; ".join(row.why for row in found[:_TOLD])
    more = f"; and {counted(len(found) - _TOLD, 'more difference')}" if len(found) > _TOLD else ""
    what = f"{to} differs from {beside}" if differing(found) else f"Whether {to} has all that {beside} has is not known"
    text = f"{what}, {when}: {told}{more}"
    fix = f"See them side by side: changeover drift {service.name}"
    return [Finding(check="drift", level=Level.WARN, text=text, fix=fix)]


def _when(
    service: Service,
    platforms: Mapping[str, KeptObservation],
    versions: Mapping[str, KeptVersion],
    names: tuple[str, str],
    at: datetime,
) -> str:
    """ "as their platforms and apps said 4 min ago": who told, and the age of the oldest word."""
    by_platform = [platforms[name].oldest for name in names if name in platforms]
    by_app = [versions[name].at for name in names if name in versions and service.version is not None]
    who = " and ".join(word for word, said in (("platforms", by_platform), ("apps", by_app)) if said)
    return f"as their {who} said {age(min((*by_platform, *by_app)), at)}"


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
    service: Service,
    platforms: Mapping[str, KeptObservation],
    versions: Mapping[str, KeptVersion],
    beside: str,
    to: str,
    at: datetime,
) -> tuple[Compared, ...] | None:
    """`to` beside another deployment, row by row; None where nothing is known of one of them."""
    sides = []
    for name in (beside, to):
        deployment, said, told = service.deployment(name), platforms.get(name), versions.get(name)
        app = told.version if told is not None and service.version is not None else None
        if deployment is None or (said is None and app is None):
            return None
        observation = PlatformObservation() if said is None else said.observation
        sides.append(Side(name=name, platform=deployment.platform, observation=observation, app=app))
    return compared(sides[0], sides[1], service.hostnames, service.drift, at)
