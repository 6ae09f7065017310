"""From what Heroku answers to what runs of an app: pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

from changeover.model.platforms.platform_observation import (
    AttachedDomain,
    AttachedResource,
    HostedDatabase,
    PlatformCertificate,
    PlatformObservation,
    Process,
)
from changeover.platforms.heroku.answers import AddOn, Domain, Everything, PostgresDatabase, Transfer

#: Stacks that are past their end (devcenter.heroku.com/articles/stack), in case the list of stacks cannot be read.
_ENDED = frozenset({"cedar", "cedar-14", "heroku-16", "heroku-18", "heroku-20"})
#: What add-ons are, where their service's name does not say it.
_KINDS = {"heroku-postgresql": "postgresql", "heroku-redis": "redis", "heroku-kafka": "kafka"}


def observation_of(found: Everything, web: str) -> PlatformObservation:
    """What runs of an app. `web` is the kind of process that serves visitors."""
    up: dict[str, int] | None = None
    if found.dynos is not None:
        up = {one.type: 0 for one in found.formation}
        for dyno in found.dynos:
            up[dyno.type] = up.get(dyno.type, 0) + (dyno.state == "up")
    serving = next((one for one in found.formation if one.type == web), None)
    release, newest, rest = found.running, found.newest, found.rest
    domains = tuple(_domain(one) for one in found.domains if one.kind != "heroku")
    return PlatformObservation(
        wanted=serving.quantity if serving is not None else 0,
        running=None if up is None else up.get(web, 0),
        release=f"v{release.version}" if release is not None else "",
        maintenance=found.app.maintenance,
        hostnames=tuple(domain.hostname for domain in domains),
        processes=tuple(
            Process(
                name=one.type,
                wanted=one.quantity,
                running=None if up is None else up[one.type],
                size=one.size.lower(),
            )
            for one in found.formation
        ),
        managed_certificates=found.app.acm,
        commit=rest.commit or "",
        released_at=release.created_at if release is not None else None,
        deploying=f"release v{newest.version}" if newest is not None and newest.status == "pending" else "",
        region=found.app.region.name,
        runtime=found.app.stack.name,
        runtime_support=_support(found),
        buildpacks=tuple(one.buildpack.name or one.buildpack.url for one in rest.buildpacks or ()),
        sleeps=serving.size.lower() == "eco" if serving is not None and serving.size else None,
        domains=domains,
        certificates=_certificates(found),
        config=rest.config or {},
        urls_without_tls=rest.urls_without_tls,
        resources=None if rest.addons is None else tuple(map(_resource, rest.addons)),
        seldom_at=rest.at,
        databases=tuple(_database(one, found) for one in found.databases),
    )


def _support(found: Everything) -> Literal["", "full", "security", "ended"]:
    name = found.app.stack.name
    if name in _ENDED:
        return "ended"
    state = next((stack.state for stack in found.stacks or () if stack.name == name), "")
    return "full" if state in ("public", "beta") else "security" if state == "deprecated" else ""


def _domain(one: Domain) -> AttachedDomain:
    """With the states of ACM (devcenter.heroku.com/articles/automated-certificate-management)."""
    certificate: Literal["", "issued", "waiting", "failed"] = "issued" if one.sni_endpoint is not None else ""
    match one.acm_status:
        case "cert issued" | "ok":
            certificate = "issued"
        case "failed" | "failing":
            certificate = "failed"
        case str():
            certificate = "waiting"
        case None:
            pass  # ACM is off, or nothing was asked of it
    reason = one.acm_status_reason or "" if certificate in ("waiting", "failed") else ""
    return AttachedDomain(
        hostname=one.hostname.lower(), target=(one.cname or "").lower(), certificate=certificate, reason=reason
    )


def _certificates(found: Everything) -> tuple[PlatformCertificate, ...]:
    """ACM renews what it made, which is what its own issuer signed; what somebody uploaded is somebody's to renew."""
    return tuple(
        PlatformCertificate(
            names=tuple(name.lower() for name in one.ssl_cert.cert_domains),
            not_after=one.ssl_cert.expires_at,
            issuer=one.ssl_cert.issuer,
            renews=bool(found.app.acm) and "Let's Encrypt" in one.ssl_cert.issuer,
        )
        for one in found.rest.endpoints or ()
    )


def _resource(one: AddOn) -> AttachedResource:
    service = one.addon_service.name
    return AttachedResource(
        name=one.name,
        kind=_KINDS.get(service, service),
        plan=one.plan.name.removeprefix(f"{service}:"),
        state=one.state,
    )


def _database(one: PostgresDatabase, found: Everything) -> HostedDatabase:
    follows = one.line("Following")
    return HostedDatabase(
        name=one.name,
        role="standby" if follows else "primary",
        follows=follows,
        behind=_number(one.line("Behind By")),
        version=one.line("PG Version"),
        state=one.line("Status"),
        backup_at=max((at for t in found.transfers if (at := _backed_up(t)) is not None), default=None),
    )


def _number(text: str) -> int | None:
    """ "12 commits" as a number."""
    said = re.match(r"[0-9][0-9,]{0,15}", text)
    return int(said[0].replace(",", "")) if said else None


def _backed_up(transfer: Transfer) -> datetime | None:
    """When a backup was done that can be used."""
    if transfer.to_type != "gof3r" or not transfer.succeeded or not transfer.finished_at:
        return None
    try:
        at = datetime.fromisoformat(transfer.finished_at)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
