"""What runs of two deployments, side by side: could the one take the other's place, as far as anybody tells?

Each difference is a row, worded for people. Of configuration variables only names and hashes are ever here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from changeover.model.formatting import counted
from changeover.model.health.certificate import covers
from changeover.model.platforms.comparison_row import Agreement, Compared, Side, row
from changeover.model.platforms.database_comparison import database_rows
from changeover.model.platforms.platform_observation import (
    AttachedDomain,
    PlatformCertificate,
    PlatformObservation,
    Process,
)
from changeover.model.platforms.version_rows import in_one_pipeline, version_rows
from changeover.model.settings.platform import DriftRules

#: A certificate that ends sooner, and that nobody is known to renew, is told.
SOON = timedelta(days=14)
#: What platforms set by themselves, so that it is never missing on one side.
_SET_BY_PLATFORM = ("HEROKU_", "VCAP_", "CF_INSTANCE_")
#: What an app finds in its environment on Heroku without having set it (devcenter.heroku.com/articles/dynos,
#: devcenter.heroku.com/articles/dyno-metadata), and misses elsewhere.
_OF_HEROKU = ("DYNO", "PORT")


def compared(
    primary: Side, backup: Side, hostnames: Sequence[str], rules: DriftRules, at: datetime
) -> tuple[Compared, ...]:
    """Every row. `rules` says what the backup must have, and what is not looked at, or may differ."""
    here, there = primary.observation, backup.observation
    rows = [
        *_state(primary, backup),
        *version_rows(primary, backup),
        *_release(primary, backup),
        *_processes(here, there, backup.name, rules),
        *_config(primary, backup, rules),
        *_runtime(primary, backup),
        *_domains(here, there, hostnames, backup.name),
        *_certificates(here, there, hostnames, backup.name, at),
        *_resources(here, there, backup.name),
        *database_rows(here, there, backup.name, at),
    ]
    return tuple(_judged(one, rules) for one in rows)


def _judged(one: Compared, rules: DriftRules) -> Compared:
    """`one`, as who set the service up wants differences of its subject, or of its whole aspect, taken."""
    if not {one.subject, one.aspect}.intersection(rules.differs):
        return one
    return replace(one, agreement=Agreement.MEANT if one.agreement is Agreement.DIFFERS else one.agreement, why="")


def _state(primary: Side, backup: Side) -> Iterator[Compared]:
    here, there, name = primary.observation, backup.observation, backup.name
    if there.started is not None:
        why = f"{name} is stopped; start it before visitors come"
        yield row("state", "started", _yes(here.started), _yes(there.started), why, same=there.started)
    if there.maintenance is not None:
        why = f"{name} is in maintenance, so visitors would see a maintenance page"
        same = not there.maintenance
        yield row("state", "maintenance", _yes(here.maintenance), _yes(there.maintenance), why, same=same)
    if there.sleeps is not None:
        why = f"{name} sleeps without visitors, so the first ones wait until it has started"
        same = not there.sleeps or bool(here.sleeps)
        yield row("state", "sleeps", _yes(here.sleeps), _yes(there.sleeps), why, same=same)
    for side in (primary, backup):
        if side.observation.deploying:
            why = f"{side.name} is being deployed at this moment; what is compared may be another release soon"
            told = (here.deploying or "nothing", there.deploying or "nothing")
            yield row("state", "deployment", *told, why, same=False)
            break


def _release(primary: Side, backup: Side) -> Iterator[Compared]:
    """By number and date, where nobody tells a commit. Numbers are counted by each app alone, and say nothing."""
    here, there = primary.observation, backup.observation
    if in_one_pipeline(primary, backup):
        yield row("release", "pipeline stage", here.stage, there.stage, same=True)
    if primary.commit or backup.commit:
        return
    if here.release and there.release:
        yield row("release", "number", here.release, there.release, same=True)
    if there.released_at is not None and here.released_at is not None:
        late = here.released_at - there.released_at
        why = f"{backup.name} was released {counted(late.days, 'day')} before {primary.name}"
        told = (f"{here.released_at:%Y-%m-%d}", f"{there.released_at:%Y-%m-%d}")
        yield row("release", "date", *told, why, same=late < timedelta(days=1))


def _processes(
    here: PlatformObservation, there: PlatformObservation, name: str, rules: DriftRules
) -> Iterator[Compared]:
    """Each kind of process that runs at the primary, or that a minimum is declared for."""
    wanted = {process.name: process for process in here.kinds if process.wanted > 0}
    for kind in sorted({*wanted, *rules.minimum}):
        least = rules.minimum.get(kind, 1)
        other = there.process(kind)
        if other is None and not there.processes:
            yield row("scale", kind, _scale(wanted.get(kind)), "")
            continue
        count = 0 if other is None else other.wanted
        why = f"{name} has {counted(count, kind + ' instance')}, and needs {least} at least"
        yield row("scale", kind, _scale(wanted.get(kind)), _scale(other) or "none", why, same=count >= least)
        if other is not None and other.running is not None and other.running < other.wanted:
            why = f"{counted(other.wanted - other.running, f'{kind} instance')} of {name} should run and does not"
            told = (_running(here.process(kind)), _running(other))
            yield row("running", kind, *told, why, same=False)
    if there.quota_left is not None:
        lacking = there.lacking(rules.minimum)
        why = f"{name} needs {counted(lacking, 'more instance')}, and its quota has room for {there.quota_left}"
        yield row(
            "scale",
            "quota",
            _number(here.quota_left),
            _number(there.quota_left),
            why,
            same=lacking <= there.quota_left,
        )


def _config(primary: Side, backup: Side, rules: DriftRules) -> Iterator[Compared]:
    """By name, and by the hash of the value where both were read by this process."""
    here, there = primary.observation.config, backup.observation.config
    if not here and not there:
        return
    if not here or not there:
        yield row("config", "variables", *(counted(len(c), "variable") if c else "" for c in (here, there)))
        return
    moved = primary.platform != backup.platform
    for name in sorted({*here, *there}):
        if name in rules.ignore or (moved and name.startswith(_SET_BY_PLATFORM)):
            continue
        if name not in there:
            yield row("config", name, "set", "missing", f"{name} is not set at {backup.name}")
        elif name not in here:
            yield row("config", name, "missing", "set", f"{name} is set at {backup.name} only")
        elif here[name] and there[name]:
            same = here[name] == there[name]
            why = f"{name} has another value at {backup.name}"
            yield row("config", name, "set", "set" if same else "set to something else", why, same=same)
        else:
            yield Compared(aspect="config", subject=name, primary="set", backup="set", agreement=Agreement.UNKNOWN)
    if moved and primary.platform == "heroku":
        for name in _OF_HEROKU:
            if name not in there and name not in rules.ignore and not (name == "PORT" and _gives_port(backup)):
                why = f"Heroku gives {name} to every app by itself; at {backup.name} nobody does"
                yield row("config", name, "by the platform", "missing", why)
    for name in backup.observation.urls_without_tls:
        if name not in primary.observation.urls_without_tls and name not in rules.ignore:
            why = f"the database's address in {name} does not ask for TLS (sslmode) at {backup.name}"
            yield row("config", f"{name} (TLS)", "asked for", "not asked for", why)


def _gives_port(side: Side) -> bool:
    """Is PORT in the environment there as well (docs.cloudfoundry.org/devguide/deploy-apps/environment-variable)?"""
    return side.platform == "cloudfoundry"


def _runtime(primary: Side, backup: Side) -> Iterator[Compared]:
    here, there = primary.observation, backup.observation
    if there.runtime_support in ("security", "ended"):
        gets = "no repairs any more" if there.runtime_support == "ended" else "security repairs only"
        why = f"{there.runtime}, which {backup.name} runs on, gets {gets}"
        yield row("runtime", "support", here.runtime_support, there.runtime_support, why, same=False)
    if primary.platform != backup.platform:
        return
    why = f"{backup.name} runs on another stack"
    if here.runtime or there.runtime:
        yield row("runtime", "stack", here.runtime, there.runtime, why if here.runtime and there.runtime else "")
    if here.generation and there.generation:
        why = f"{backup.name} runs on another generation of the platform than {primary.name}"
        yield row("runtime", "generation", here.generation, there.generation, why)
    if here.buildpacks and there.buildpacks:
        told = (", ".join(here.buildpacks), ", ".join(there.buildpacks))
        yield row("runtime", "buildpacks", *told, f"{backup.name} is built in another way")


def _domains(
    here: PlatformObservation, there: PlatformObservation, hostnames: Sequence[str], name: str
) -> Iterator[Compared]:
    """Each hostname of the service, where the backup's platform serves an app by its hostnames."""
    if there.hostnames or there.domains:
        for host in hostnames:
            why = f"{host} is not attached at {name}, whose platform would answer that it knows no such app"
            attached = _serves(there, host)
            told = ("attached" if _serves(here, host) else "not attached", "attached" if attached else "not attached")
            yield row("domain", host, *told, why, same=attached)


def _serves(observation: PlatformObservation, host: str) -> bool:
    return covers(observation.hostnames, host)


def _certificates(
    here: PlatformObservation, there: PlatformObservation, hostnames: Sequence[str], name: str, at: datetime
) -> Iterator[Compared]:
    for host in hostnames:
        domain, other = _domain(there, host), _domain(here, host)
        if domain is not None and domain.certificate in ("waiting", "failed"):
            reason = f": {domain.reason}" if domain.reason else ""
            why = f"the certificate of {host} at {name} is not there ({domain.certificate}{reason})"
            before = other.certificate if other is not None else ""
            yield row("certificate", host, before, domain.certificate, why, same=False)
        elif there.certificates:
            found = _covering(there, host)
            told = (_until(_covering(here, host)), _until(found) or "none")
            why = f"no certificate of {name} is for {host}"
            yield row("certificate", host, *told, why, same=found is not None)
            if found is not None and found.not_after is not None and not found.renews and found.not_after - at < SOON:
                days = max(0, (found.not_after - at).days)
                why = f"the certificate of {host} at {name} ends in {counted(days, 'day')}, and nobody renews it"
                yield row("certificate", f"{host} (renewal)", *told, why, same=False)


def _domain(observation: PlatformObservation, host: str) -> AttachedDomain | None:
    return next((domain for domain in observation.domains if domain.hostname == host), None)


def _covering(observation: PlatformObservation, host: str) -> PlatformCertificate | None:
    """The certificate for `host` that lasts longest."""
    found = [one for one in observation.certificates if covers(one.names, host)]
    return max(found, key=lambda one: one.not_after.timestamp() if one.not_after else float("inf"), default=None)


def _resources(here: PlatformObservation, there: PlatformObservation, name: str) -> Iterator[Compared]:
    """By what they are: their names and plans are each platform's own."""
    if here.resources is None or there.resources is None:
        return
    have = {one.kind: one for one in there.resources}
    for kind in dict.fromkeys(one.kind for one in here.resources):
        plan = next(one.plan for one in here.resources if one.kind == kind)
        other = have.get(kind)
        why = f"{name} has no {kind}"
        told = (plan or "there", "missing" if other is None else other.plan or "there")
        yield row("resource", kind, *told, why, same=other is not None)


def _scale(process: Process | None) -> str:
    if process is None:
        return ""
    return f"{process.wanted} × {process.size}" if process.size else str(process.wanted)


def _running(process: Process | None) -> str:
    return "" if process is None or process.running is None else f"{process.running} of {process.wanted} run"


def _until(certificate: PlatformCertificate | None) -> str:
    if certificate is None:
        return ""
    return "there" if certificate.not_after is None else f"until {certificate.not_after:%Y-%m-%d}"


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"
