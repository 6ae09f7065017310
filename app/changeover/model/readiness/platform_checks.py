"""Is a deployment's answer what its platform serves the hostnames under, and can its certificates be renewed there?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from changeover.model.finding import Finding, Level
from changeover.model.formatting import age
from changeover.model.platforms.database_comparison import OLD_BACKUP
from changeover.model.platforms.platform_observation import AttachedDomain, PlatformObservation
from changeover.model.platforms.running_findings import CHECK, running_findings, warning
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.service import Deployment

#: Names below these are an app's own at its platform, where no certificate is for anybody else's hostname
#: (devcenter.heroku.com/articles/custom-domains).
_OF_THE_PLATFORM = (".herokuapp.com",)


def platform_findings(snapshot: Snapshot, source: str, to: str) -> list[Finding]:
    """What the platforms of the target and of the deployment that serves visitors said last. None ever blocks."""
    deployment, kept = snapshot.service.deployment(to), snapshot.platforms.get(to)
    here = snapshot.platforms.get(source)
    found = []
    if here is not None and here.observation.maintenance and source != to:
        when = age(here.at, snapshot.at)
        text = f"{source} was in maintenance {when}: visitors there see a maintenance page"
        found.append(warning(text, f"Was it left on? changeover platform {snapshot.service.name} says who can end it."))
    if deployment is None or kept is None:
        return found
    of, seen = snapshot.service, kept.observation
    warnings = [
        *running_findings(to, seen, of.hostnames, of.drift.minimum),
        *_answers(snapshot, deployment, seen),
        *_renewals(seen, to),
        *_backups(seen, to, snapshot.at),
    ]
    if not warnings and (seen.domains or seen.hostnames):
        text = f"The platform of {to} serves what its answer leads to, as it said {age(kept.at, snapshot.at)}"
        return [*found, Finding(check=CHECK, level=Level.PASS, text=text)]
    return [*found, *warnings]


def _answers(snapshot: Snapshot, deployment: Deployment, seen: PlatformObservation) -> Iterator[Finding]:
    domains = {domain.hostname: domain for domain in seen.domains}
    for host in snapshot.service.hostnames:
        target = (deployment.answer_for(host).target or "").lower().rstrip(".")
        wanted = domains[host].target if host in domains else ""
        if target.endswith(_OF_THE_PLATFORM):
            text = f"{host} would lead to {target} at {deployment.name}, which has no certificate for it"
            own = (
                f"Lead it to {wanted}." if wanted else "Attach the hostname to the app, and lead it to its DNS target."
            )
            yield warning(text, own)
        elif target and wanted and target != wanted:
            text = f"{host} would lead to {target} at {deployment.name}, and its DNS target there is {wanted}"
            yield warning(text, "Correct the deployment's answer: a target that was replaced may serve somebody else.")


def _renewals(seen: PlatformObservation, name: str) -> Iterator[Finding]:
    for domain in seen.domains:
        if domain.certificate == "failed":
            yield warning(f"The certificate of {domain.hostname} at {name} fails{_why(domain)}", _RENEW)


def _backups(seen: PlatformObservation, name: str, at: datetime) -> Iterator[Finding]:
    for database in seen.databases:
        if database.backup_at is not None and at - database.backup_at > OLD_BACKUP:
            text = f"The newest backup of the database {database.name} of {name} was made {age(database.backup_at, at)}"
            yield warning(text, "Make one: a promotion, or a switch that goes wrong, may need it.")


def _why(domain: AttachedDomain) -> str:
    return f": {domain.reason}" if domain.reason else ""


_RENEW = (
    "While DNS leads elsewhere a platform cannot prove that the name is yours. Upload a certificate there, or look at "
    "CAA and AAAA records that keep it from being made."
)
