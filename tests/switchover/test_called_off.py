"""One operation of a platform that is called off before the platform was asked: it ends, and nothing is done."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest
from msgspec.structs import replace

from changeover.model.runs.operation_plan import operation_plan
from changeover.model.runs.plan import ActionStep, PlanKind
from changeover.model.runs.run import Intent, Outcome, Run, Started
from changeover.model.runs.verification import Verdict
from changeover.model.settings.platform import NoOptions, PlatformOperation
from changeover.storage.journal.journal import Journal
from changeover.switchover.runner import Runner
from model.snapshots import service

#: Seconds; a limit for what hangs, not a promise.
RETRY_BUDGET = 60.0
STOP = PlatformOperation(verb="stop", does="", reverse="start", permission="", idempotent=True, options=NoOptions)


async def never(step: ActionStep, run: Run, stop: asyncio.Event) -> Verdict:
    raise AssertionError(f"{step.name} was asked for")


@pytest.mark.parametrize("kind", [PlanKind.OPERATION, PlanKind.SWITCH])
async def test_a_reading_that_never_ends_is_given_up(tmp_path: Path, kind: PlanKind) -> None:
    """At once. An operation by itself is over by that; a switch stands between two of its steps, to go on later."""
    plan = operation_plan("shop", "primary", STOP, {}, datetime.now(UTC))
    plan = replace(plan, kind=kind)
    stop = asyncio.Event()

    async def silent(step: ActionStep) -> NoReturn:
        stop.set()  # as a person does who sees that nothing comes
        await asyncio.Event().wait()
        raise AssertionError

    with contextlib.closing(Journal(tmp_path / "changeover.db")) as journal:
        runner = Runner(
            service(),
            journal,
            {},
            None,  # type: ignore[arg-type]
            on_progress=lambda run: None,
            stop=stop,
            verify_timeout=1.0,
            walk=None,  # type: ignore[arg-type]
            act=never,
            before=silent,
        )
        async with asyncio.timeout(RETRY_BUDGET):
            run = await runner.start(Started(plan=plan))
        entries = await journal.read(run.run)
    assert not any(isinstance(entry.event, Intent) for entry in entries)
    if kind is PlanKind.OPERATION:
        assert (run.outcome, run.next) == (Outcome.REFUSED, ())
    else:
        assert (run.outcome, run.next) == (Outcome.INTERRUPTED, ("resume", "undo", "accept"))
