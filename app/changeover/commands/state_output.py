"""States of services as commands print them: a table for people, an object for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from changeover.commands.session import print_table, say
from changeover.model.health.probe_result import DeploymentHealth
from changeover.model.health.track import State
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.fencing import still_to_do
from changeover.model.runs.open_run import unreadable_words
from changeover.model.settings.service import Deployment
from changeover.model.wording.fault_words import connection_words
from changeover.switchover.report import still_to_do_objects, utc


def print_states(states: Sequence[ServiceState]) -> None:
    """A row for each deployment, and what stands beside all of them."""
    rows = []
    for state in states:
        for number, d in enumerate(state.service.deployments):
            health = state.health[d.name]
            mark = "→" if d.name == state.active else ""
            first = (state.service.name, state.active, str(state.readiness)) if number == 0 else ("", "", "")
            rows.append((*first, f"{mark} {d.name}".strip(), health_word(health), health.reason))
    print_table(("SERVICE", "ACTIVE", "READINESS", "DEPLOYMENT", "HEALTH", "REASON"), rows)
    for state in states:
        if state.run is not None and state.run.unfinished:
            how = unreadable_words(state.run) if state.run.unreadable else f"is {state.run.outcome}"
            say(
                f"Run {state.run.run} of {state.service.name} {how}. Look at it with: changeover report {state.run.run}"
            )
    for state in states:
        left = still_to_do(state.runs)
        if left is not None:
            say(f"{state.service.name}: {left.words} Do it with: changeover fence {state.service.name}")
    for error in dict.fromkeys(state.snapshot.unrecorded for state in states if state.snapshot.unrecorded):
        say(f"Error: {error}")
    for state in states:
        if state.overlay.visit is not None and not state.overlay.visit.ok:
            say(f"Visitors of {state.service.name}: {state.overlay.visit.text}")
    if any(state.overlay.connection is not None and state.overlay.connection.blind for state in states):
        say("While this computer is offline, nothing can be said about any service.")


def health_word(health: DeploymentHealth) -> str:
    """ "healthy", with its state where that says more."""
    plain = (State.UP, State.DOWN, State.UNKNOWN)
    return str(health.health) if health.state in plain else f"{health.health}, {health.state}"


def state_object(state: ServiceState) -> dict[str, Any]:
    """A service's state as `status --json` has it."""
    unfinished = state.run is not None and state.run.unfinished
    visit, connection = state.overlay.visit, state.overlay.connection
    return {
        "name": state.service.name,
        "hostnames": list(state.service.hostnames),
        "active": state.active,
        "readiness": str(state.readiness),
        "open_run": state.run.run if state.run is not None and unfinished else None,
        "still_to_do": still_to_do_objects(still_to_do(state.runs)),
        "deployments": [_deployment_object(state, d) for d in state.service.deployments],
        "connection": connection_words(connection) if connection is not None else None,
        "visit": {"ok": visit.ok, "deployment": visit.deployment, "text": visit.text} if visit is not None else None,
        "error": state.error,
    }


def _deployment_object(state: ServiceState, deployment: Deployment) -> dict[str, Any]:
    health = state.health[deployment.name]
    return {
        "name": deployment.name,
        "platform": deployment.platform,
        "health": str(health.health),
        "state": str(health.state),
        "cause": str(health.cause) if health.cause is not None else None,
        "reason": health.reason,
        "checked_at": utc(health.checked_at),
        "proven_at": utc(health.proven),
    }
