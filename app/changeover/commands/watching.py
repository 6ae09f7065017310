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
from changeover.model.wording.cause_words import short_reason

if TYPE_CHECKING:
    from changeover.switchboard import Switchboard


async def tell_changes(board: Switchboard, names: Sequence[str], as_json: bool, stop: asyncio.Event) -> None:
    """Watches all services and tells of these: the first whole picture, then every change, until `stop` is set.

    As JSON, one object a line, the whole service each time.
    """
    told: dict[str, set[str]] = {}

    def look(name: str | None) -> None:
        for known in names if name is None else [name] if name in names else []:
            state = board.state(known)
            if not _known(state):
                continue
            lines = status_lines(state)
            new = [line for key, line in lines.items() if key not in told.get(known, ())]
            if new and as_json:
                print_json(state_object(state), compact=True)
            elif new and known in told:
                for line in new:
                    show(f"{datetime.now():%H:%M:%S}  {line}")
            elif new:
                print_states([state])
            told[known] = set(lines)

    say("Watching. Ctrl-C ends it.")
    end = board.subscribe(look)
    watch = asyncio.create_task(board.watch())
    # What is printed is told: a switch from another terminal counts from then on. One watch of some services knows
    # nothing of the others.
    channel = " ".join(["watch", *(names if len(names) < len(board.settings.services) else ())])
    telling = asyncio.create_task(board.tell_outages(channel, lambda _: None, names))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((watch, stopped), return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            watch.result()
    finally:
        end()
        for task in (watch, telling, stopped):
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


def status_lines(state: ServiceState) -> dict[str, str]:
    """What is worth a line when it changes, by what makes it another: a state, and never a time or a measured value."""
    name = state.service.name
    if state.error and state.snapshot.empty:
        text = f"{name}: {state.error}"
        return {text: text}
    where = f"{name}: visitors are sent to {state.active}; readiness {state.readiness}"
    lines = {where: where}
    if state.error is not None:
        text = f"{name}: {state.error}"
        lines[text] = text
    for deployment, health in state.health.items():
        how = f"{name}: {deployment} is {health_word(health)}"
        worst = health.last.worst if health.last is not None else None
        status = worst.status if worst is not None and worst.unexpected_status else ""
        why = f": {short_reason(health)}" if health.health is not Health.HEALTHY else ""
        lines[f"{how} {health.cause} {status}" if why else how] = f"{how}{why}"
    return lines
