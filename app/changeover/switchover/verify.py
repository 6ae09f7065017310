"""Verifying a switch: first every authoritative server, then the service itself, as visitors get it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from changeover.dns.lookup import Lookup
from changeover.health.probe import probe
from changeover.health.rounds import AT_ONCE
from changeover.model.change import Change
from changeover.model.errors import NotFound, Unavailable
from changeover.model.health import ProbeResult
from changeover.model.journey import JourneyResult
from changeover.model.plan import CheckVisitors
from changeover.model.records import AddressSet, same_answer
from changeover.model.run import StepState
from changeover.model.service import Deployment, Service
from changeover.model.situation import ServerAnswer
from changeover.model.words import counted, values_text

#: Between two looks at what has not arrived yet, at first and at most.
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 1.0


class Verdict(NamedTuple):
    state: StepState
    text: str


async def name_servers(lookup: Lookup, changes: Sequence[Change], timeout: float, stop: asyncio.Event) -> Verdict:
    """Waits until every authoritative server gives the new address sets, for `timeout` seconds at most.

    DONE: each server gives them at one of its addresses at least. WARNING: some server is silent. UNKNOWN: a server
    still gives something else, or none answers. Names whose servers answer for a proxy or an alias are left out.
    """
    plain = [c for c in changes if not any(r.opaque for r in (*c.before, *c.after))]
    if not plain:
        return Verdict(StepState.DONE, "the provider's own addresses stand here; the check as a visitor decides")
    verdict = Verdict(StepState.UNKNOWN, "not asked")
    async for _ in _attempts(timeout, stop):
        verdict = _judge_servers(await _ask(lookup, plain), plain)
        if verdict.state is not StepState.UNKNOWN:
            break
    return verdict


async def _attempts(timeout: float, stop: asyncio.Event) -> AsyncIterator[None]:
    """Yields at once and then after growing pauses, until `timeout` seconds are over or `stop` is set."""
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        yield
        if stop.is_set() or time.monotonic() + pause > deadline:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LAST_PAUSE)


async def _ask(lookup: Lookup, changes: Sequence[Change]) -> list[ServerAnswer]:
    by_zone = {zone: [c.name for c in group] for zone, group in itertools.groupby(changes, key=lambda c: c.zone)}
    types = sorted({r.type for c in changes for r in (*c.before, *c.after)})
    answers: list[ServerAnswer] = []
    for zone, names in by_zone.items():
        try:
            answers += await lookup.authoritative(zone, list(dict.fromkeys(names)), types)
        except (Unavailable, NotFound) as error:
            answers += [
                ServerAnswer(server=f"the servers of {zone}", address="", hostname=n, zone=zone, error=error.text)
                for n in names
            ]
    return answers


def _judge_servers(answers: Sequence[ServerAnswer], changes: Sequence[Change]) -> Verdict:
    wanted = {c.name: c.after for c in changes}
    servers = {answer.server for answer in answers if answer.checked}
    good, old, silent = [], [], []
    for server in sorted(servers):
        mine = [a for a in answers if a.server == server and a.checked]
        said = [a for a in mine if a.error is None]
        if not said:
            silent.append(f"{server}: {mine[0].error}")
            continue
        wrong = [name for name in wanted if not _agrees(name, wanted[name], said)]
        if wrong:
            now = next((a.records for a in said if a.hostname == wrong[0]), ())
            old.append(f"{server} still gives {values_text(now)} for {wrong[0]}")
        else:
            good.append(server)
    if old:
        return Verdict(StepState.UNKNOWN, "; ".join(old))
    if not good:
        return Verdict(StepState.UNKNOWN, f"no name server answers ({'; '.join(silent) or 'none could be asked'})")
    text = f"{counted(len(good), 'name server gives', 'name servers give')} the new answer"
    if silent:
        return Verdict(StepState.WARNING, f"{text}; silent: {'; '.join(silent)}")
    return Verdict(StepState.DONE, text)


def _agrees(name: str, wanted: AddressSet, said: Sequence[ServerAnswer]) -> bool:
    return any(a.hostname == name and same_answer(a.records, wanted) for a in said)


#: Takes the service's journeys at a deployment, at an address.
Walk = Callable[[Deployment, str], Awaitable[Sequence[JourneyResult]]]


async def visitors(
    lookup: Lookup, service: Service, step: CheckVisitors, timeout: float, stop: asyncio.Event, walk: Walk
) -> Verdict:
    """Asks the service by its public names at the addresses that the authoritative servers give, until the expected
    deployment answers well everywhere, for `timeout` seconds at most. UNKNOWN says what was still wrong then.

    Then its journeys are taken, once: visitors are there, so one that fails is a warning.
    """
    deployment = service.deployment(step.deployment)
    if deployment is None:
        return Verdict(StepState.SKIPPED, f"{step.deployment} is none of the service's deployments")
    verdict = Verdict(StepState.UNKNOWN, "not asked")
    async for _ in _attempts(timeout, stop):
        verdict = await _visit(lookup, service, deployment, step.hostnames, walk)
        if verdict.state is not StepState.UNKNOWN:
            break
    return verdict


async def _visit(
    lookup: Lookup, service: Service, deployment: Deployment, hostnames: Sequence[str], walk: Walk
) -> Verdict:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, address: str) -> ProbeResult:
        async with gate:
            return await probe(deployment, name, address, service.health)

    try:
        places = await _public_addresses(lookup, service, hostnames)
    except (Unavailable, NotFound) as error:
        return Verdict(StepState.UNKNOWN, error.text)
    homeless = [name for name in hostnames if not places[name]]
    if homeless:
        return Verdict(StepState.UNKNOWN, f"{homeless[0]} leads to no address")
    results = await asyncio.gather(*(one(name, address) for name in hostnames for address in places[name]))
    tried = [r for r in results if r.ok is not None]
    unproven = [name for name in hostnames if not any(r.hostname == name for r in tried)]
    if unproven:
        return Verdict(StepState.UNKNOWN, f"{unproven[0]} could not be reached from this computer")
    for result in tried:
        if not result.ok:
            return Verdict(StepState.UNKNOWN, f"{result.hostname} at {result.address}: {result.reason}")
        if result.marker_ok is False:
            seen = result.marker_seen or "without a marker"
            return Verdict(StepState.UNKNOWN, f"{result.hostname} at {result.address} answers as {seen}")
    proof = f"as {deployment.name}" if deployment.marker else "well (no marker proves who)"
    text = f"{counted(len(hostnames), 'hostname answers', 'hostnames answer')} {proof}"
    walked = await walk(deployment, places[hostnames[0]][0])
    failed = [f"{journey.journey}: {journey.text}" for journey in walked if not journey.ok]
    if failed:
        return Verdict(StepState.WARNING, f"{text}; but {'; '.join(failed)}")
    return Verdict(StepState.DONE, text)


async def _public_addresses(lookup: Lookup, service: Service, hostnames: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By hostname, the addresses that visitors get: from the authoritative servers, names followed by resolvers."""
    zones = dict.fromkeys(service.zone_of(name) or "" for name in hostnames)
    answers = [
        answer
        for zone in zones
        for answer in await lookup.authoritative(zone, [n for n in hostnames if service.zone_of(n) == zone])
        if answer.error is None
    ]
    found: dict[str, dict[str, None]] = {name: {} for name in hostnames}
    for answer in answers:
        for record in answer.records:
            for value in record.values:
                if record.type in ("A", "AAAA"):
                    found[answer.hostname][value] = None
                elif record.type == "CNAME":
                    found[answer.hostname].update(dict.fromkeys(await lookup.addresses(value)))
    return {name: tuple(addresses) for name, addresses in found.items()}
