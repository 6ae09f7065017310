"""What a platform tells of a deployment, as lines for the page of its service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from changeover.model.formatting import age, clock, counted
from changeover.model.platforms.platform_observation import AttachedDomain, HostedDatabase, PlatformObservation, Process

#: Of a list that others make as long as they like, so many are named.
_NAMED = 6


def running_lines(found: PlatformObservation, now: datetime) -> tuple[str, ...]:
    """What runs, a line for each kind of thing; nothing of what is not told."""
    return tuple(filter(None, _lines(found, now)))


def _lines(found: PlatformObservation, now: datetime) -> Iterator[str]:
    yield _state(found)
    if found.processes:
        yield f"Processes: {_listed([_process(one) for one in found.processes])}"
    elif found.wanted is not None:
        yield f"Instances: {_scale(found.wanted, found.running)}"
    yield _release(found, now)
    if found.domains:
        yield f"Domains: {_listed([_domain(one) for one in found.domains])}"
    elif found.hostnames:
        yield f"Domains: {_listed(found.hostnames)}"
    if found.databases:
        yield f"{'Database' if len(found.databases) == 1 else 'Databases'}: {_listed([*_databases(found, now)])}"


def _state(found: PlatformObservation) -> str:
    parts = ["it is stopped"] if found.started is False else []
    parts += ["it is in maintenance"] if found.maintenance else []
    parts += [f"being deployed: {found.deploying}"] if found.deploying else []
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _process(process: Process) -> str:
    size = f" ({process.size})" if process.size else ""
    crashed = f", {process.crashed} crashed" if process.crashed else ""
    return f"{process.name} {_scale(process.wanted, process.running)}{size}{crashed}"


def _scale(wanted: int, running: int | None) -> str:
    return str(wanted) if running in (None, wanted) else f"{running} of {wanted}"


def _release(found: PlatformObservation, now: datetime) -> str:
    parts = [found.release] if found.release else []
    parts += [f"since {clock(found.released_at, now)}"] if found.released_at is not None else []
    parts += [f"commit {found.commit[:12]}"] if found.commit else []
    return f"Release: {', '.join(parts)}" if parts else ""


def _domain(domain: AttachedDomain) -> str:
    words = {"": "", "issued": "certificate issued", "waiting": "certificate waited for", "failed": "no certificate"}
    told = ": ".join(filter(None, (words[domain.certificate], domain.reason)))
    return f"{domain.hostname} ({told})" if told else domain.hostname


def _databases(found: PlatformObservation, now: datetime) -> Iterator[str]:
    for database in found.databases:
        yield ", ".join(filter(None, _database(database, now)))


def _database(database: HostedDatabase, now: datetime) -> Iterator[str]:
    yield f"{database.name}: {database.role}" if database.role else database.name
    yield f"follows {database.follows}" if database.follows else ""
    yield f"{counted(database.behind, 'commit')} behind" if database.behind else ""
    yield f"version {database.version}" if database.version else ""
    yield database.state
    yield f"backup of {age(database.backup_at, now)}" if database.backup_at is not None else ""


def _listed(items: Sequence[str]) -> str:
    rest = len(items) - _NAMED
    return ", ".join([*items[:_NAMED], *([f"and {rest} more"] if rest > 0 else [])])
