"""Checking a switch as visitors see it: the public name, at every address that they may get, is asked who answers."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from changeover.dns.lookup.client import Lookup
from changeover.health.probe import probe
from changeover.health.rounds import MAX_CONCURRENT
from changeover.health.sample import sample, sample_past_caches
from changeover.health.unforeseen import guarded
from changeover.model.errors import NotFound, Unavailable
from changeover.model.formatting import counted, duration
from changeover.model.health.baseline import Answered, baseline_of, worse
from changeover.model.health.check import JourneyResult
from changeover.model.health.probe_result import ProbeResult
from changeover.model.runs.plan import CheckVisitors
from changeover.model.runs.run import StepState
from changeover.model.runs.verification import Verdict
from changeover.model.settings.service import Deployment, Service
from changeover.model.wording.resolver_summary import arrival
from changeover.monitoring.propagation import ask_resolvers
from changeover.monitoring.public_name import REQUESTS, public_addresses, samples
from changeover.switchover.verify.polling import attempts

#: Takes the service's journeys at a deployment, at an address.
Walk = Callable[[Deployment, str], Awaitable[Sequence[JourneyResult]]]

#: Resolvers are asked for so many hostnames; those of one zone share their fate.
_ASKED_NAMES = 5
#: A cache that is being emptied gets so many seconds before its old pages are a warning.
_EMPTYING = 5.0


class _Seen(NamedTuple):
    """What one look gave: the verdict, and, where it is good, where and how the service answered.

    `cached`: only a cache still has the old deployment's pages.
    """

    verdict: Verdict
    places: Mapping[str, Sequence[str]] = {}
    answers: Sequence[Answered] = ()
    cached: bool = False


async def visitors(
    lookup: Lookup,
    service: Service,
    step: CheckVisitors,
    timeout: float,
    stop: asyncio.Event,
    walk: Walk,
    *,
    tls: ssl.SSLContext | None = None,
) -> Verdict:
    """Asks the service by its public names at the addresses that the authoritative servers give, until the expected
    deployment answers well everywhere, several times, for `timeout` seconds at most. UNKNOWN says what was wrong then.

    Then, once: at the addresses that resolvers give, compared with how it was before, and along its journeys. Visitors
    are there by then, so what is wrong with those is a warning. `tls` stands in for the system's certificates, for
    resolvers by HTTPS.
    """
    deployment = service.deployment(step.deployment)
    if deployment is None:
        return Verdict(StepState.SKIPPED, f"{step.deployment} is none of the service's deployments")
    seen = _Seen(Verdict(StepState.UNKNOWN, "not asked"))
    async for passed in attempts(timeout, stop):
        look = _look(lookup, service, deployment, step.hostnames)
        seen = await guarded(f"how visitors of {service.name} are served", look, _unknown)
        if seen.verdict.state is StepState.DONE or (seen.cached and passed >= _EMPTYING):
            break
    if seen.cached:
        return Verdict(StepState.WARNING, seen.verdict.text)
    if seen.verdict.state is not StepState.DONE:
        return seen.verdict
    first = seen.places[step.hostnames[0]][0]
    by_resolvers = _by_resolvers(lookup, service, deployment, step.hostnames, seen.places, tls)
    (where, nowhere), walked = await asyncio.gather(
        guarded(f"where resolvers send visitors of {service.name}", by_resolvers, lambda why: ("", (why,))),
        walk(deployment, first),
    )
    changed = worse(step.baseline, baseline_of(seen.answers, datetime.now(UTC)))
    failed = [f"{journey.journey}: {journey.text}" for journey in walked if not journey.ok]
    faults = [*failed, *nowhere, *changed]
    text = f"{seen.verdict.text}; {where}" if where else seen.verdict.text
    if faults:
        return Verdict(StepState.WARNING, f"{text}; but {'; '.join(faults)}")
    return Verdict(StepState.DONE, text)


async def _look(lookup: Lookup, service: Service, deployment: Deployment, hostnames: Sequence[str]) -> _Seen:
    try:
        places = await public_addresses(lookup, service, hostnames)
    except (Unavailable, NotFound) as error:
        return _unknown(error.text)
    homeless = [name for name in hostnames if not places[name]]
    if homeless:
        return _unknown(f"{homeless[0]} leads to no address")
    results = await _probed(service, deployment, [(name, a) for name in hostnames for a in places[name]])
    tried = [r for r in results if r.ok is not None]
    unproven = [name for name in hostnames if not any(r.hostname == name for r in tried)]
    if unproven:
        return _unknown(f"{unproven[0]} could not be reached from this computer")
    for result in tried:
        if not result.ok:
            return _unknown(f"{result.hostname} at {result.address}: {result.reason}")
        if result.marker_ok is False:
            return await _somebody_else(service, deployment, result)
    marker = deployment.marker
    reached = {name: tuple(r.address for r in tried if r.hostname == name) for name in hostnames}
    answers = await samples(service, reached, marker.header if marker else None, REQUESTS - 1)
    for answer in answers:
        if answer.status is None:
            return _unknown(f"{answer.hostname} at {answer.address}, asked again: {answer.reason}")
        if marker is not None and service.health.scheme != "tcp" and not marker.stands_in(answer.marker):
            who = answer.marker or "without a marker"
            return _unknown(f"{answer.hostname} at {answer.address}, asked again, answers as {who}")
    proof = f"as {deployment.name}" if marker else "well (no marker proves who)"
    text = f"{counted(len(hostnames), 'hostname answers', 'hostnames answer')} {proof}"
    return _Seen(Verdict(StepState.DONE, text), reached, answers)


def _unknown(text: str) -> _Seen:
    return _Seen(Verdict(StepState.UNKNOWN, text))


async def _somebody_else(service: Service, deployment: Deployment, result: ProbeResult) -> _Seen:
    """Who answers there instead: another deployment, or a cache that still has its pages."""
    name, address = result.hostname, result.address
    text = f"{name} at {address} answers as {result.marker_seen or 'without a marker'}"
    marker = deployment.marker
    if marker is None:
        return _unknown(text)
    cached = await sample(name, address, service.health, marker.header)
    if cached.age <= 0 or marker.stands_in(cached.marker):
        return _unknown(text)
    text = f"{text}, from a cache that has had this for {duration(cached.age)}"
    fresh = await sample_past_caches(name, address, service.health, marker.header, secrets.token_hex(8))
    if not marker.stands_in(fresh.marker):
        return _unknown(text)
    text = f"{text}; past the cache {deployment.name} answers: empty the cache in front of it"
    return _Seen(Verdict(StepState.UNKNOWN, text), cached=True)


async def _probed(
    service: Service, deployment: Deployment, places: Sequence[tuple[str, str]]
) -> tuple[ProbeResult, ...]:
    gate = asyncio.Semaphore(MAX_CONCURRENT)

    async def one(name: str, address: str) -> ProbeResult:
        async with gate:
            return await probe(deployment, name, address, service.health)

    return tuple(await asyncio.gather(*(one(name, address) for name, address in places)))


async def _by_resolvers(
    lookup: Lookup,
    service: Service,
    deployment: Deployment,
    hostnames: Sequence[str],
    places: Mapping[str, Sequence[str]],
    tls: ssl.SSLContext | None,
) -> tuple[str, tuple[str, ...]]:
    """Where the answers of resolvers lead, and what is wrong with that."""
    kept = await ask_resolvers(lookup, hostnames[:_ASKED_NAMES], tls=tls)
    other = [(k.hostname, address) for k in kept for address in k.addresses if address not in places[k.hostname]]
    results = await _probed(service, deployment, tuple(dict.fromkeys(other)))
    return arrival(kept, places, {(r.hostname, r.address): r for r in results}, datetime.now().astimezone())
