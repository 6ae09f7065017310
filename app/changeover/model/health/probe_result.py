"""Health: what probes gave, what that says about a deployment, and why. Decided from several, never from one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from changeover.model.health.certificate import Certificate
from changeover.model.health.check import Thresholds
from changeover.model.health.track import RoundOutcome, State, Track, step

#: A command, which has no history, sends at most this many rounds, and judges them by the usual thresholds.
MAX_ROUNDS = 3
_USUAL = Thresholds()


class Health(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """What is at fault, the widest first: one fault makes one message, that of its widest cause."""

    COMPUTER = "this computer"
    DNS = "DNS"
    ROUTING_NAME = "routing name"
    CERTIFICATE = "certificate"
    ADDRESS = "address"
    DEPLOYMENT = "deployment"
    PATH = "path"


class Phases(Struct, frozen=True):
    """When each part of a probe was done, in seconds from its start; None for a part that was not reached."""

    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    total: float | None = None


class DeadName(Struct, frozen=True, kw_only=True):
    """A routing name that has no address at the resolver, and what became of the app that it led to.

    `own_servers`: its own name servers still give one. The app answered at the address `alive_at`, or did not at
    `silent_at`, because of `silence`; all are empty where nobody knows an address of it.
    """

    own_servers: bool = False
    alive_at: str = ""
    silent_at: str = ""
    silence: str = ""


class ProbeResult(Struct, frozen=True, kw_only=True):
    """What one request to one address of a deployment gave.

    `target` is the name that led to the address, where the answer is a name. `ok` is None where this computer could
    not try it (no route for that address family, no resolver), and `untried` says why; that counts for nothing.
    `unread`: Changeover itself failed to read what came, so that nothing is known of that place.
    `reason` is a short sentence, for good results as well ("200 in 84 ms"). `cause` is what a bad one alone suggests.
    `unexpected_status`: `status` alone makes it a bad one. `dead_name` says more of a routing name that leads nowhere.
    `marker_ok` is None where no marker is set or no response arrived. `certificate_error` is set where the certificate
    was refused.
    """

    deployment: str
    hostname: str
    address: str
    at: datetime
    ok: bool | None
    reason: str
    target: str | None = None
    cause: Cause | None = None
    status: int | None = None
    unexpected_status: bool = False
    dead_name: DeadName | None = None
    untried: str = ""
    unread: bool = False
    marker_ok: bool | None = None
    marker_seen: str | None = None
    certificate_error: str | None = None
    certificate: Certificate | None = None
    phases: Phases = Phases()

    @property
    def place(self) -> tuple[str, str]:
        """What is judged over time: the hostname, at an address, or wherever a target's name leads."""
        return self.hostname, self.target or self.address


def unread_result(
    deployment: str, hostname: str, why: str, at: datetime, *, address: str = "", target: str | None = None
) -> ProbeResult:
    """Stands for an answer that Changeover failed to read: nothing is known then."""
    return ProbeResult(
        deployment=deployment,
        hostname=hostname,
        address=address,
        at=at,
        ok=None,
        reason=f"not known: {why}",
        target=target,
        untried=why,
        unread=True,
    )


class Round(Struct, frozen=True, kw_only=True):
    """One probe of every address of a deployment, at about one moment."""

    at: datetime
    results: tuple[ProbeResult, ...]

    @property
    def verdict(self) -> Health:
        """healthy: all answered well. unhealthy: none did. degraded: some did. unknown: nothing could be tried."""
        return _VERDICTS[outcome_of(self.results)]

    @property
    def reason(self) -> str:
        """The reason of the worst result."""
        worst = self.worst
        if worst is None:
            return "not checked yet"
        several = len({(r.hostname, r.address) for r in self.results}) > 1
        where = f"{worst.hostname} at {worst.address}" if worst.address else worst.hostname
        return f"{worst.reason} ({where})" if several and not worst.ok else worst.reason

    @property
    def worst(self) -> ProbeResult | None:
        """A bad result, the one of the widest cause; else one that could not be read; else a good one."""
        order = list(Cause)
        return min(
            self.results,
            key=lambda r: (
                r.ok is None and not r.unread,
                bool(r.ok),
                r.unread,
                order.index(r.cause) if r.cause else len(order),
            ),
            default=None,
        )

    @property
    def seconds(self) -> float | None:
        """The slowest whole response among the good ones."""
        return max((r.phases.total for r in self.results if r.ok and r.phases.total is not None), default=None)

    @property
    def cause(self) -> Cause | None:
        """What is at fault, from all results together; None where nothing is.

        A bad answer at every address and hostname is the deployment's, at one of several addresses the address's, for
        one of several hostnames the path's. What a result proves by itself (a name, a certificate) stays its cause.
        """
        bad = [r for r in self.results if r.ok is False]
        if not bad:
            return None
        proven = [r.cause for r in bad if r.cause in _PROVEN]
        if len(proven) == len(bad):
            return min((c for c in proven if c is not None), key=list(Cause).index)
        tried = [r for r in self.results if r.ok is not None]
        if len(bad) == len(tried):
            return Cause.DEPLOYMENT
        addresses = {r.address for r in bad}
        wholly = all(not r.ok for r in tried if r.address in addresses)
        return Cause.ADDRESS if wholly and len({r.address for r in tried}) > 1 else Cause.PATH


#: Causes that one result is enough to prove.
_PROVEN = (Cause.COMPUTER, Cause.DNS, Cause.ROUTING_NAME, Cause.CERTIFICATE)
_VERDICTS = {
    RoundOutcome.GOOD: Health.HEALTHY,
    RoundOutcome.PART: Health.DEGRADED,
    RoundOutcome.BAD: Health.UNHEALTHY,
    RoundOutcome.UNTRIED: Health.UNKNOWN,
    RoundOutcome.UNREAD: Health.UNKNOWN,
}


def outcome_of(results: Iterable[ProbeResult]) -> RoundOutcome:
    """All of them as one outcome; those that could not be tried count for nothing.

    One that could not be read leaves nothing known where none is bad.
    """
    results = tuple(results)
    tried = [r.ok for r in results if r.ok is not None]
    if all(tried) and any(r.unread for r in results):
        return RoundOutcome.UNREAD
    if not tried:
        return RoundOutcome.UNTRIED
    if all(tried):
        return RoundOutcome.GOOD
    return RoundOutcome.PART if any(tried) else RoundOutcome.BAD


class DeploymentHealth(Struct, frozen=True, kw_only=True):
    """The judged health of one deployment.

    `state` is that of its worst place, `cause` what is at fault; `since` is when the state began, and `judged_at`
    when the checks had shown it. `last` is the newest
    round, `proven` the time of the newest one in which everything answered well.
    """

    deployment: str
    health: Health
    reason: str
    state: State = State.UNKNOWN
    cause: Cause | None = None
    since: datetime | None = None
    judged_at: datetime | None = None
    last: Round | None = None
    proven: datetime | None = None

    @property
    def checked_at(self) -> datetime | None:
        return self.last.at if self.last else None

    @property
    def unread(self) -> bool:
        """Did Changeover fail to read any of the newest answers?"""
        return self.last is not None and any(r.unread for r in self.last.results)


#: The tracks of one deployment, by place.
Tracks = Mapping[tuple[str, str], Track]


def tracks_after(tracks: Tracks, probed: Round, limits: Thresholds) -> dict[tuple[str, str], Track]:
    """The tracks after one more round. Places that it has no result for are dropped: the answer has changed."""
    by_place: dict[tuple[str, str], list[ProbeResult]] = {}
    for result in probed.results:
        by_place.setdefault(result.place, []).append(result)
    return {
        place: step(tracks.get(place, Track()), outcome_of(results), probed.at, limits)
        for place, results in by_place.items()
    }


_SEVERITY = (State.DOWN, State.FLAPPING, State.SUSPECT, State.RECOVERING, State.UNKNOWN, State.UP)


def health_of(tracks: Tracks, limits: Thresholds) -> tuple[Health, Track]:
    """The health of a deployment from the tracks of its places, and the worst of these.

    Unhealthy: every place is down, and none answers in part. Degraded: some place is down, flapping, recovering, or
    was never seen to answer reliably. Healthy: every place is up, or has failed too seldom to say more. Places that
    cannot be tried from here count for nothing beside others; beside good ones, one that cannot be read leaves nothing
    known.
    """
    known = [t for t in tracks.values() if t.recent or t.unread] or list(tracks.values())
    if not known:
        return Health.UNKNOWN, Track()
    worst = min(known, key=lambda t: _SEVERITY.index(t.state))
    if all(t.state is State.DOWN for t in known if not t.unread or t is worst) and not any(
        t.in_part(limits) for t in known
    ):
        return Health.UNHEALTHY, worst
    if worst.state is State.UNKNOWN:
        return Health.UNKNOWN, worst
    if all(t.state is State.UP or (t.state is State.SUSPECT and t.last is State.UP) for t in known):
        return Health.HEALTHY, worst
    return Health.DEGRADED, worst


def deployment_health(
    deployment: str,
    tracks: Tracks,
    rounds: Sequence[Round],
    limits: Thresholds,
    proven: datetime | None = None,
) -> DeploymentHealth:
    """The judged health of a deployment from its tracks, with the reason from its newest rounds (oldest first).

    `proven` is when everything answered well last before these rounds.
    """
    if not rounds:
        return DeploymentHealth(deployment=deployment, health=Health.UNKNOWN, reason="not checked yet")
    health, worst = health_of(tracks, limits)
    last = rounds[-1]
    proven = next((r.at for r in reversed(rounds) if r.verdict is Health.HEALTHY), proven)
    bad = next((r for r in reversed(rounds) if r.cause is not None), None)
    return DeploymentHealth(
        deployment=deployment,
        health=health,
        reason=_reason(health, worst.state, last, bad),
        state=worst.state,
        cause=bad.cause if bad and health is not Health.HEALTHY else None,
        since=worst.since,
        judged_at=worst.judged_at,
        last=last,
        proven=proven,
    )


def _reason(health: Health, state: State, last: Round, bad: Round | None) -> str:
    fails = last.verdict in (Health.DEGRADED, Health.UNHEALTHY)
    if health is Health.HEALTHY and fails:
        return f"the last check failed: {last.reason}"
    if fails or bad is None or health in (Health.HEALTHY, Health.UNKNOWN):
        return last.reason
    said = {
        State.RECOVERING: "answers again, not yet for long",
        State.DOWN: "the last check was good, those before",
    }.get(state, "answers some of the time")
    return f"{said}: {bad.reason}"


def judged(deployment: str, rounds: Sequence[Round], limits: Thresholds = _USUAL) -> DeploymentHealth:
    """The health after these rounds alone, oldest first."""
    tracks: dict[tuple[str, str], Track] = {}
    for probed in rounds:
        tracks = tracks_after(tracks, probed, limits)
    return deployment_health(deployment, tracks, rounds, limits)


def settled(rounds: Sequence[Round]) -> bool:
    """Do these rounds allow a verdict, so that a command may stop probing?"""
    return judged("", rounds).health is not Health.UNKNOWN


def confirms(earlier: Round, now: Round) -> bool:
    """Were both good, and had the earlier one a good answer from every place of which the other has one?"""
    proven = {r.place for r in earlier.results if r.ok}
    tried = {r.place for r in now.results if r.ok is not None}
    return earlier.verdict is now.verdict is Health.HEALTHY and tried <= proven


HEALTH_WORDS = {
    Health.HEALTHY: "healthy",
    Health.DEGRADED: "answers in part",
    Health.UNHEALTHY: "failing",
    Health.UNKNOWN: "not checked yet",
}


class Visit(Struct, frozen=True, kw_only=True):
    """One visit to a hostname by public DNS, at one moment.

    `deployment` is the one whose marker was seen; None where none was, or no marker is set. `result` is None where the
    name could not be resolved; `text` then says why.
    """

    hostname: str
    at: datetime
    text: str
    result: ProbeResult | None = None
    deployment: str | None = None

    @property
    def ok(self) -> bool | None:
        return self.result.ok if self.result is not None else None
