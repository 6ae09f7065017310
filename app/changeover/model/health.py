"""Health, decided from several probes and never from one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

#: Down after this many bad rounds in a row, up again after that many good ones.
DOWN_AFTER = 3
UP_AFTER = 2


class Health(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


_BAD = (Health.DEGRADED, Health.UNHEALTHY)


class Phases(Struct, frozen=True):
    """When each part of a probe was done, in seconds from its start; None for a part that was not reached."""

    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    total: float | None = None


class ProbeResult(Struct, frozen=True, kw_only=True):
    """What one request to one address of a deployment gave.

    `ok` is None where this computer could not try it (no route for that address family); such a result counts for
    nothing. `reason` is a short sentence, for good results as well ("200 in 84 ms"). `marker_ok` is None where no
    marker is set or no response arrived. `certificate_error` is set where the TLS certificate was refused.
    """

    deployment: str
    hostname: str
    address: str
    at: datetime
    ok: bool | None
    reason: str
    status: int | None = None
    marker_ok: bool | None = None
    marker_seen: str | None = None
    certificate_error: str | None = None
    certificate_expires: datetime | None = None
    phases: Phases = Phases()


class Round(Struct, frozen=True, kw_only=True):
    """One probe of every address of a deployment, at about one moment."""

    at: datetime
    results: tuple[ProbeResult, ...]

    @property
    def verdict(self) -> Health:
        """healthy: all answered well. unhealthy: none did. degraded: some did. unknown: nothing could be tried."""
        tried = [r.ok for r in self.results if r.ok is not None]
        if not tried:
            return Health.UNKNOWN
        if all(tried):
            return Health.HEALTHY
        return Health.DEGRADED if any(tried) else Health.UNHEALTHY

    @property
    def reason(self) -> str:
        """The reason of the worst result."""
        if not self.results:
            return "not checked yet"
        worst = min(self.results, key=lambda r: (r.ok is None, bool(r.ok)))
        several = len({(r.hostname, r.address) for r in self.results}) > 1
        where = f"{worst.hostname} at {worst.address}" if worst.address else worst.hostname
        return f"{worst.reason} ({where})" if several and not worst.ok else worst.reason

    @property
    def seconds(self) -> float | None:
        """The slowest whole response among the good ones."""
        return max((r.phases.total for r in self.results if r.ok and r.phases.total is not None), default=None)


class DeploymentHealth(Struct, frozen=True, kw_only=True):
    """The judged health of one deployment, with the round that it rests on last and since when it holds."""

    deployment: str
    health: Health
    reason: str
    since: datetime | None = None
    last: Round | None = None

    @property
    def checked_at(self) -> datetime | None:
        return self.last.at if self.last else None


def judge(rounds: Sequence[Round]) -> tuple[Health, datetime | None]:
    """The health after `rounds` (oldest first), and the time of the round that made it so.

    Unknown at the start. Three rounds in a row in which no address answered well: unhealthy. Three in a row that were
    not all well: degraded. Two good in a row: healthy. Anything less changes nothing, except that a first three that
    settle nothing are called degraded: it answers some of the time. Rounds that could not be tried are passed over;
    after three of them in a row, as without a network, nothing is known any more.
    """
    health, since = Health.UNKNOWN, None
    recent: list[Health] = []
    first_of_streak = None
    untried: list[Round] = []
    for probed in rounds:
        verdict = probed.verdict
        if verdict is Health.UNKNOWN:
            untried.append(probed)
            if len(untried) == DOWN_AFTER and recent:
                health, since, recent = Health.UNKNOWN, untried[0].at, []
            continue
        untried = []
        good = verdict is Health.HEALTHY
        if not recent or (recent[-1] is Health.HEALTHY) != good:
            first_of_streak = probed.at
        recent.append(verdict)
        now = health
        if all(v is Health.HEALTHY for v in recent[-UP_AFTER:]) and len(recent) >= UP_AFTER:
            now = Health.HEALTHY
        elif len(recent) >= DOWN_AFTER and all(v is not Health.HEALTHY for v in recent[-DOWN_AFTER:]):
            every = all(v is Health.UNHEALTHY for v in recent[-DOWN_AFTER:])
            now = Health.UNHEALTHY if every else Health.DEGRADED
        elif health is Health.UNKNOWN and len(recent) >= DOWN_AFTER:
            now = Health.DEGRADED
        if now is not health:
            health, since = now, first_of_streak
    return health, since


def settled(rounds: Sequence[Round]) -> bool:
    """Do these rounds allow a verdict, so that a command may stop probing?"""
    return judge(rounds)[0] is not Health.UNKNOWN


def deployment_health(deployment: str, rounds: Sequence[Round]) -> DeploymentHealth:
    """The judged health of a deployment from its rounds, oldest first."""
    health, since = judge(rounds)
    if not rounds:
        return DeploymentHealth(deployment=deployment, health=Health.UNKNOWN, reason="not checked yet")
    last = rounds[-1]
    reason = last.reason
    if health is Health.HEALTHY and last.verdict in _BAD:
        reason = f"the last check failed: {reason}"
    elif health in _BAD and last.verdict is Health.HEALTHY:
        before = [r.reason for r in rounds if r.verdict in _BAD][-1]
        some = "answers some of the time" if health is Health.DEGRADED else "the last check was good, those before"
        reason = f"{some}: {before}"
    return DeploymentHealth(deployment=deployment, health=health, reason=reason, since=since, last=last)
