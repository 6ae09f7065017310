"""From what Heroku answers to what runs of an app: pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from changeover.model.foreign_text import one_line
from changeover.model.platforms.platform_observation import (
    AttachedDomain,
    AttachedResource,
    HostedDatabase,
    PlatformCertificate,
    PlatformObservation,
    Process,
)
from changeover.platforms.heroku.answers import AddOn, Built, Coupling, Domain, Everything
from changeover.platforms.heroku.data_answers import AdvancedDatabase, PostgresDatabase, Transfer

#: Stacks that are past their end (devcenter.heroku.com/articles/stack), in case the list of stacks cannot be read.
_ENDED = frozenset({"cedar", "cedar-14", "heroku-16", "heroku-18", "heroku-20"})
#: Characters of a word of Heroku that are shown.
_LONGEST_WORD = 200
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
    built, coupling = rest.built or Built(), next(iter(rest.couplings or ()), Coupling())
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
        commit=built.commit or "",
        released_at=release.created_at if release is not None else None,
        deploying=f"release v{newest.version}" if newest is not None and newest.status == "pending" else "",
        region=found.app.region.name,
        runtime=found.app.stack.name,
        runtime_support=_support(found),
        buildpacks=tuple(one.id for one in built.buildpacks)
        or tuple(one.buildpack.name or one.buildpack.url for one in rest.buildpacks or ()),
        sleeps=serving.size.lower() == "eco" if serving is not None and serving.size else None,
        domains=domains,
        certificates=_certificates(found),
        config=rest.config or {},
        urls_without_tls=rest.urls_without_tls,
        resources=None if rest.addons is None else tuple(map(_resource, rest.addons)),
        seldom_at=rest.at,
        databases=(
            *(_database(one, found) for one in found.databases),
            *(_cluster(one, found) for one in found.clusters),
        ),
        isolation=_shown(found.app.space.name) if found.app.space is not None else "",
        generation=_shown(found.app.generation.name),
        pipeline=_shown(coupling.pipeline.id),
        stage=_shown(coupling.stage),
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
        plan=one.plan_name,
        state=one.state,
    )


def _database(one: PostgresDatabase, found: Everything) -> HostedDatabase:
    follows, state = one.line("Following"), one.line("Status")
    return HostedDatabase(
        name=one.name,
        role="standby" if follows else "primary" if one.info else "",
        follows=_shown(_without_credentials(follows)),
        behind=_number(one.line("Behind By")),
        version=_shown(one.line("PG Version")),
        state=_shown("Waiting" if one.waiting and state.lower() in ("", "available") else state),
        backup_at=_newest_backup(one.name, found),
    )


def _cluster(one: AdvancedDatabase, found: Everything) -> HostedDatabase:
    """Its followers are pools of the same cluster, whose lag its API does not tell."""
    waiting = next((pool.wait_status.message for pool in one.pools if pool.wait_status.waiting), None)
    return HostedDatabase(
        name=one.name,
        role="primary" if one.pools else "",
        version=_shown(one.version),
        state=_shown(waiting or one.status.capitalize()),
        backup_at=_newest_backup(one.name, found),
        tier="Heroku Postgres Advanced",
        readers=tuple(_shown(pool.name) for pool in one.pools if pool.name != "leader"),
        stands_by=next((pool.expected_count > 1 for pool in one.pools if pool.name == "leader"), None),
    )


def _shown(text: str) -> str:
    """Heroku's word, fit to be shown."""
    return one_line(text, _LONGEST_WORD)


def _without_credentials(address: str) -> str:
    """A database is named by its address, which may have a password in it: host, port and database name are left."""
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
        return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        return "another database"


def _newest_backup(name: str, found: Everything) -> datetime | None:
    """Of the backups that name one of its attachments: "BLUE" for HEROKU_POSTGRESQL_BLUE_URL."""
    variables = next((one.config_vars for one in found.rest.addons or () if one.name == name), ())
    own = [t for t in found.transfers if t.from_name and _names(t.from_name.upper(), variables)]
    return max((at for one in own if (at := _backed_up(one)) is not None), default=None)


def _names(attachment: str, variables: Sequence[str]) -> bool:
    wanted = f"{attachment.removesuffix('_URL')}_URL"
    return any(variable == wanted or variable.endswith(f"_{wanted}") for variable in variables)


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
