"""What a run waits for besides DNS: a deployment's health, a time, a person's word. Each wait ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from changeover.health.rounds import probe_now
from changeover.model.formatting import duration
from changeover.model.health.probe_result import Health
from changeover.model.runs.open_run import unreadable_words
from changeover.model.runs.run import Run, StepState
from changeover.model.runs.verification import Verdict
from changeover.model.settings.service import Deployment, Service

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup

T = TypeVar("T")

#: Seconds from one look at a deployment to the next, and from one look into the journal to the next.
PROBE_PAUSE, JOURNAL_PAUSE = 2.0, 0.5
_WANTED = {"healthy": Health.HEALTHY, "down": Health.UNHEALTHY}
_ANSWERED = (StepState.DONE, StepState.REFUSED, StepState.SKIPPED)
_STOPPED = "the wait was cut short"


async def until_health(
    service: Service, deployment: Deployment, until: str, lookup: Lookup, limit: float, stop: asyncio.Event
) -> Verdict:
    """Probes a deployment until it is `healthy` or `down`. FAILED where it is not within `limit` seconds."""
    seen = ""

    async def probing() -> Verdict:
        nonlocal seen
        while True:
            health = await probe_now(service, deployment, lookup)
            seen = f": {health.reason}" if health.reason else ""
            if health.health is _WANTED[until]:
                return Verdict(StepState.DONE, f"{deployment.name} is {until}{seen}")
            await asyncio.sleep(PROBE_PAUSE)

    try:
        async with asyncio.timeout(limit):
            found = await unless(stop, probing())
    except TimeoutError:
        return Verdict(StepState.FAILED, f"{deployment.name} is not {until} after {duration(limit)}{seen}")
    return found or Verdict(StepState.UNKNOWN, _STOPPED)


async def for_seconds(seconds: float, stop: asyncio.Event) -> Verdict:
    """Waits for a time."""
    if await unless(stop, asyncio.sleep(seconds, True)):
        return Verdict(StepState.DONE, f"waited for {duration(seconds)}")
    return Verdict(StepState.UNKNOWN, _STOPPED)


async def for_approval(
    name: str, run: str, said: Callable[[str], Awaitable[Run]], limit: float, stop: asyncio.Event
) -> Verdict:
    """Waits until the journal has a person's word on the step `name`: another process may put it there.

    DONE for a yes, REFUSED for a no, and where nobody answers within `limit` seconds.
    """

    async def looking() -> Verdict:
        while True:
            found = await said(run)
            if found.unreadable:
                return Verdict(StepState.UNKNOWN, f"nobody can answer: run {run} {unreadable_words(found)}")
            step = next(step for step in found.steps if step.name == name)
            if step.state in _ANSWERED:
                return Verdict(step.state, step.note)
            await asyncio.sleep(JOURNAL_PAUSE)

    try:
        async with asyncio.timeout(limit):
            found = await unless(stop, looking())
    except TimeoutError:
        return Verdict(StepState.REFUSED, f"nobody answered within {duration(limit)}")
    return found or Verdict(StepState.UNKNOWN, "nobody has answered yet")


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`; None as soon as `stop` is set, with `work` given up."""
    tasks: list[asyncio.Task[Any]] = [asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
