"""Doing what a run does besides DNS: calls, commands, waits, approvals, notes, and what platforms are asked to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from changeover.model.errors import ProviderError, Unavailable
from changeover.model.formatting import duration
from changeover.model.runs.plan import ActionStep
from changeover.model.runs.run import Direction, Run, StepState
from changeover.model.runs.verification import Verdict
from changeover.model.settings.action import Approval, CommandLine, HttpCall, Note, PlatformCall, WaitUntil
from changeover.platforms import platform_of

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup
    from changeover.model.settings.service import Service
    from changeover.storage.keyring import Vault


class ActionExecutor:
    """Does the operations of one service's runs.

    `said` gives a run as its journal has it now, since another process may have put a person's word there.
    """

    def __init__(self, service: Service, lookup: Lookup, vault: Vault, said: Callable[[str], Awaitable[Run]]) -> None:
        self._service = service
        self._lookup = lookup
        self._vault = vault
        self._said = said

    async def perform(self, step: ActionStep, run: Run, stop: asyncio.Event) -> Verdict:
        """Does one operation, within the action's time-out. Never raises for what the world does.

        FAILED where it was provably not done, UNKNOWN where nobody knows. `stop` ends waits and commands at once; a
        call that is under way gets the rest of its time, so that its answer is not lost.
        """
        limit = step.action.limit(step.operation)
        match step.operation:
            case HttpCall():
                from changeover.switchover.actions.http_call import call

                return await call(step.operation, _key(step, run), limit, self._service, self._lookup, self._vault)
            case CommandLine(command=command):
                from changeover.switchover.actions.command import run_command

                return await run_command(command, _about(step, run), limit, stop)
            case PlatformCall():
                return await self._steer(step.operation, _key(step, run), limit)
            case WaitUntil() | Approval():
                return await self._wait(step, run, limit, stop)
            case Note(note=note):
                return Verdict(StepState.DONE, note)

    async def _wait(self, step: ActionStep, run: Run, limit: float, stop: asyncio.Event) -> Verdict:
        from changeover.switchover.actions import waiting

        match step.operation:
            case WaitUntil(until="seconds", seconds=seconds):
                return await waiting.for_seconds(seconds, stop)
            case WaitUntil(until=until, deployment=name):
                deployment = self._service.deployment(name or run.to)
                if deployment is None:
                    return _gone(name or run.to)
                return await waiting.until_health(self._service, deployment, until, self._lookup, limit, stop)
            case _:
                return await waiting.for_approval(step.name, run.run, self._said, limit, stop)

    async def _steer(self, call: PlatformCall, key: str, limit: float) -> Verdict:
        """Has a deployment's platform do what it is asked."""
        deployment = self._service.deployment(call.deployment)
        if deployment is None:
            return _gone(call.deployment)
        platform = platform_of(deployment.platform)
        if platform is None or call.verb not in platform.verbs:
            text = f'{deployment.name} runs on "{deployment.platform}", which takes no {call.verb}; nothing was done'
            return Verdict(StepState.FAILED, text)
        try:
            async with asyncio.timeout(limit):
                return Verdict(StepState.DONE, await platform.perform(deployment, call, key))
        except TimeoutError:
            text = f"no answer to {call.verb} within {duration(limit)}; whether it was done is not known"
            return Verdict(StepState.UNKNOWN, text)
        except Unavailable as error:
            return Verdict(StepState.UNKNOWN, f"{error.text}; whether it was done is not known")
        except ProviderError as error:
            return Verdict(StepState.FAILED, f"{error.text}. Nothing was done. {error.hint}".strip())


def _gone(deployment: str) -> Verdict:
    return Verdict(StepState.FAILED, f"there is no deployment {deployment} any more; nothing was done")


def _key(step: ActionStep, run: Run) -> str:
    """What tells an operation from every other: the same when it is done again, another when it is taken back."""
    return f"{run.run}-{step.name}" + ("-undo" if run.direction is Direction.UNDO else "")


def _about(step: ActionStep, run: Run) -> dict[str, str]:
    """What a command is told of the run, in its environment."""
    return {
        "CHANGEOVER_RUN": run.run,
        "CHANGEOVER_SERVICE": run.service,
        "CHANGEOVER_FROM": run.source,
        "CHANGEOVER_TO": run.to,
        "CHANGEOVER_DIRECTION": str(run.direction),
        "CHANGEOVER_EMERGENCY": "1" if run.emergency else "0",
        "CHANGEOVER_STEP": step.name,
        "CHANGEOVER_PHASE": str(step.action.phase),
    }
