"""The plan of one operation that a person asks of the platform of one deployment, and what it risks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from changeover.model.runs.plan import ActionStep, Plan, PlanKind
from changeover.model.settings.action import Action, Phase, PlatformCall, operation_words
from changeover.model.settings.platform import PlatformOperation
from changeover.model.settings.service import Deployment, Service

#: What a deployment does not serve its visitors through, besides being scaled to nothing.
_OUT_OF_SERVICE = ("maintenance-on", "stop", "detach-domain", "rollback", "promote")


def operation_plan(
    service: str, deployment: str, operation: PlatformOperation, options: Mapping[str, Any], made_at: datetime
) -> Plan:
    """The plan that asks the platform of `deployment` for one operation. It touches no record and moves nobody."""
    call = PlatformCall(deployment=deployment, verb=operation.verb, options=dict(options))
    # Where it would stand in a switch says nothing here, and nobody asks.
    action = Action(name=operation.verb, phase=Phase.QUIESCE, operation=call, repeatable=operation.idempotent)
    step = ActionStep(name=operation.verb, text=operation_words(call), action=action, operation=call)
    return Plan(
        service=service, source=deployment, to=deployment, steps=(step,), made_at=made_at, kind=PlanKind.OPERATION
    )


def takes_out_of_service(deployment: Deployment, verb: str, options: Mapping[str, Any]) -> bool:
    """Would visitors of the deployment notice it, or may they?"""
    if verb == "scale":
        serving = (None, "", deployment.options.get("process", "web"))
        return options.get("instances") == 0 and options.get("process") in serving
    return verb in _OUT_OF_SERVICE


def may_have_visitors(service: Service, deployment: str, active: str) -> bool:
    """Are visitors at the deployment, by `active`, or is it not known that they are at another one?"""
    return active == deployment or service.deployment(active) is None


def operation_risks(
    service: Service, deployment: Deployment, operation: PlatformOperation, options: Mapping[str, Any], active: str
) -> tuple[str, ...]:
    """What is to be thought of before it is done, each in a sentence."""
    name = deployment.name
    found = []
    if takes_out_of_service(deployment, operation.verb, options):
        if active == name:
            found.append(f"Visitors are at {name} now, and would not be served as they are.")
        elif may_have_visitors(service, name, active):
            found.append(f"It is not known whether visitors are at {name}; they would not be served as they are.")
        else:
            found.append(f"Visitors are at {active} now. {name} could not take over meanwhile.")
    if operation.reverse is None:
        found.append("Nothing takes it back.")
    if not operation.idempotent:
        found.append("Doing it twice is not as doing it once: should its answer be lost, somebody must look first.")
    return tuple(found)
