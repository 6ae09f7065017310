"""A template for what a switch does besides DNS, made from what the platforms of both sides can be asked.

The order is that of a graceful takeover: room at the target, quiet at the source, the target opened and proven, then
visitors, then the target's other processes, and the source kept from working on. In an emergency what needs the source
is left out of it, as of every plan (changeover.model.runs.plan_actions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.settings.account_fields import option_fields
from changeover.model.settings.action import Action, Phase, PlatformCall, Verb, WaitUntil
from changeover.model.settings.platform import AccountKinds, operation_of
from changeover.model.settings.service import Deployment, Service

#: Seconds that the target has to answer well, and requests under way at the source to end.
PROVEN_WITHIN, DRAIN = 300.0, 10.0
#: Seconds that a platform has for what starts or stops processes.
_SCALING = 300.0


def template(service: Service, kinds: AccountKinds, known: Mapping[str, PlatformObservation]) -> tuple[Action, ...]:
    """The actions of a switch from the primary to each backup and back; none where no platform can be asked.

    `known` has, by deployment, what its platform said, where it did: its kinds of process, and how many of them run.
    """
    primary = service.primary
    pairs = [pair for backup in service.deployments[1:] for pair in ((primary, backup), (backup, primary))]
    return tuple(action for source, to in pairs for action in _steps(service, kinds, known, source, to))


def _steps(
    service: Service, kinds: AccountKinds, known: Mapping[str, PlatformObservation], source: Deployment, to: Deployment
) -> Iterator[Action]:
    here, there = _Sender(kinds, source), _Sender(kinds, to)
    runs, stands = known.get(source.name), known.get(to.name)
    need = _needed(service, runs, stands)
    room = there.call("scale", process="web", instances=need["web"]) if "web" in need else None
    if room is not None:
        yield from _action(
            f"room at {to.name}",
            Phase.QUIESCE,
            room,
            to,
            "target",
            f"Too few instances of {to.name} may serve everybody.",
        )
    quiet = here.call("maintenance-on")
    risk = f"Visitors may still write at {source.name} while its data moves."
    yield from _action(f"{source.name} quiet", Phase.QUIESCE, quiet, to, "source", risk)
    for process in _workers(runs):
        stopped = here.call("scale", process=process, instances=0)
        name = f"{process} of {source.name} stopped"
        yield from _action(
            name, Phase.QUIESCE, stopped, to, "source", f"The {process} processes of {source.name} go on working."
        )
    if quiet is not None:
        drain = WaitUntil(until="seconds", seconds=DRAIN)
        name = f"{source.name} drained"
        yield Action(name=name, phase=Phase.DRAIN, operation=drain, to=(to.name,), needs="source", repeatable=True)
    opened = there.call("maintenance-off")
    yield from _action(
        f"{to.name} open", Phase.PROMOTE, opened, to, "target", f"Visitors may see a maintenance page at {to.name}."
    )
    if opened is not None or room is not None:
        ready = WaitUntil(until="healthy")
        name = f"{to.name} proven"
        yield Action(
            name=name,
            phase=Phase.PROVE,
            operation=ready,
            to=(to.name,),
            needs="target",
            timeout=PROVEN_WITHIN,
            repeatable=True,
            risk=f"Visitors may be sent to {to.name} before it answers.",
        )
    for process in (name for name in need if name != "web"):
        started = there.call("scale", process=process, instances=need[process])
        name = f"{process} of {to.name} started"
        risk = f"Nothing does the work of {process}."
        yield from _action(name, Phase.LIFT, started, to, "target", risk)


def _action(
    name: str,
    phase: Phase,
    call: PlatformCall | None,
    to: Deployment,
    needs: Literal["source", "target"],
    risk: str,
) -> Iterator[Action]:
    """The action, where its platform takes such a call. All that is asked here may be asked twice."""
    if call is not None:
        limit = _SCALING if call.verb == "scale" else None
        yield Action(
            name=name,
            phase=phase,
            operation=call,
            to=(to.name,),
            needs=needs,
            timeout=limit,
            repeatable=True,
            risk=risk,
        )


class _Sender:
    """Calls to one deployment's platform, as far as it takes them."""

    def __init__(self, kinds: AccountKinds, deployment: Deployment) -> None:
        self._kind = kinds.platform(deployment.platform)
        self._deployment = deployment

    def call(self, verb: Verb, **options: Any) -> PlatformCall | None:
        """None where the platform takes none, or where it does not know the process."""
        operation = None if self._kind is None else operation_of(self._kind, verb)
        if operation is None or not operation.idempotent:
            return None
        taken = {field.name for field in option_fields(operation.options)}
        if options.get("process", "web") != "web" and "process" not in taken:
            return None
        told = {name: value for name, value in options.items() if name in taken and (name, value) != ("process", "web")}
        return PlatformCall(deployment=self._deployment.name, verb=verb, options=told)


def _workers(runs: PlatformObservation | None) -> list[str]:
    """The kinds of process that work at the source and serve no visitor."""
    return sorted(process.name for process in runs.workers if process.wanted > 0) if runs is not None else []


def _needed(service: Service, runs: PlatformObservation | None, stands: PlatformObservation | None) -> dict[str, int]:
    """How many instances of each kind of process the target needs: as many as the source has, and the minimum.

    What the target has more of stays.
    """
    need = dict(service.drift.minimum)
    for process in runs.kinds if runs is not None else ():
        need[process.name] = max(need.get(process.name, 0), process.wanted)
    for process in stands.kinds if stands is not None else ():
        if process.name in need:
            need[process.name] = max(need[process.name], process.wanted)
    return {name: number for name, number in sorted(need.items()) if number > 0}
