"""`status --watch`: a watch without a window, which tells every change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from changeover.commands.session import print_json, say, show
from changeover.commands.state_output import health_word, print_states, state_object
from changeover.model.health.probe_result import Health
from changeover.model.readiness.service_state import ServiceState

if TYPE_CHECKING:
    from changeover.switchboard import Switchboard


async def tell_changes(board: Switchboard, names: Sequence[str], as_json: bool, stop: asyncio.Event) -> None:
    """Watches all services and tells of these: the first whole picture, then every change, until `stop` is set.

    As JSON, one object a line, the whole service each time.
    """
    told: dict[str, list[str]] = {}

    def look(name: str | None) -> None:
        for known in names if name is None else [name] if name in names else []:
            state = board.state(known)
            if not _known(state):
                continue
            lines = _lines(state)
            new = [line for line in lines if line not in told.get(known, [])]
            if new and as_json:
                print_json(state_object(state), compact=True)
            elif new and known in told:
                for line in new:
                    show(f"{datetime.now():%H:%M:%S}  {line}")
            elif new:
                print_states([state])
            told[known] = lines

    say("Watching. Ctrl-C ends it.")
    end = board.subscribe(look)
    watch = asyncio.create_task(board.watch())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((watch, stopped), return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            watch.result()
    finally:
        end()
        for task in (watch, stopped):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _known(state: ServiceState) -> bool:
    """Is there a first whole picture? An offline computer never gets one, and that is told as well."""
    if state.overlay.connection is not None and state.overlay.connection.blind:
        return True
    if state.error and state.snapshot.empty:
        return True
    if any(h.unread for h in state.health.values()):
        return True
    return not state.snapshot.empty and all(h.health is not Health.UNKNOWN for h in state.health.values())


def _lines(state: ServiceState) -> list[str]:
    """What is worth a line when it changes."""
    name = state.service.name
    if state.error and state.snapshot.empty:
        return [f"{name}: {state.error}"]
    lines = [f"{name}: visitors are sent to {state.active}; readiness {state.readiness}"]
    if state.error is not None:
        lines.append(f"{name}: {state.error}")
    for deployment, health in state.health.items():
        why = f": {health.reason}" if health.health is not Health.HEALTHY else ""
        lines.append(f"{name}: {deployment} is {health_word(health)}{why}")
    return lines
