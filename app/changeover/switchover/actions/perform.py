"""Doing what a run does besides DNS: calls, commands, waits, approvals, notes, and what platforms are asked to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from changeover.model.errors import ChangeoverError, Unavailable
from changeover.model.formatting import duration
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.runs.plan import ActionStep
from changeover.model.runs.run import Direction, Run, StepState
from changeover.model.runs.verification import Verdict
from changeover.model.settings.acting_parts import acts
from changeover.model.settings.action import Approval, CommandLine, HttpCall, Note, PlatformCall, WaitUntil
from changeover.model.settings.platform import operation_of
from changeover.platforms.platform import InDoubt

if TYPE_CHECKING:
    from changeover.accounts.accounts import Steering
    from changeover.accounts.trust import Trust
    from changeover.dns.lookup.client import Lookup
    from changeover.model.settings.service import Deployment, Service


class ActionExecutor:
    """Does the operations of one service's runs.

    `open_platform` gives what steers a deployment, or raises a ChangeoverError. `said` gives a run as its journal has
    it now, since another process may have put a person's word there.
    """

    def __init__(
        self,
        service: Service,
        lookup: Lookup,
        trust: Trust,
        open_platform: Callable[[Deployment], Awaitable[Steering]],
        said: Callable[[str], Awaitable[Run]],
    ) -> None:
        self._service = service
        self._lookup = lookup
        self._trust = trust
        self._open_platform = open_platform
        self._said = said

    async def perform(self, step: ActionStep, run: Run, stop: asyncio.Event) -> Verdict:
        """Does one operation, within the action's time-out. Never raises for what the world does.

        FAILED where it was provably not done, UNKNOWN where nobody knows. `stop` ends waits and commands at once; a
        call that is under way gets the rest of its time, so that its answer is not lost.
        """
        limit = step.action.limit(step.operation)
        if acts(step.action):
            try:
                await self._trust.permit_action(self._service, step.action)
            except ChangeoverError as error:
                return Verdict(StepState.FAILED, f"not done: {error.text}. {error.hint}")
        match step.operation:
            case HttpCall():
                from changeover.switchover.actions.http_call import call

                return await call(step.operation, _key(step, run), limit, self._service, self._lookup, self._trust)
            case CommandLine(command=command):
                from changeover.switchover.actions.command import run_command

                return await run_command(command, _about(step, run), limit, stop)
            case PlatformCall():
                return await self._steer(step, step.operation, _key(step, run), limit)
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

    async def before(self, step: ActionStep) -> PlatformObservation | None:
        """What stands at the platform that `step` asks for something; None where it asks none.

        Raises a ChangeoverError where that cannot be read: what stood before could then not be put back.
        """
        call = step.operation
        deployment = self._service.deployment(call.deployment) if isinstance(call, PlatformCall) else None
        if deployment is None:
            return None
        await self._trust.permit_steering(self._service, step.action)
        _, platform, target = await self._open_platform(deployment)
        limit = step.action.limit(step.operation)
        try:
            async with asyncio.timeout(limit):
                return (await platform.observe(target)).for_journal
        except TimeoutError:
            raise Unavailable(f"{deployment.platform} did not answer within {duration(limit)}") from None

    async def _steer(self, step: ActionStep, call: PlatformCall, key: str, limit: float) -> Verdict:
        """Has a deployment's platform do what it is asked."""
        deployment = self._service.deployment(call.deployment)
        if deployment is None:
            return _gone(call.deployment)
        try:
            await self._trust.permit_steering(self._service, step.action)
            kind, platform, target = await self._open_platform(deployment)
            operation = operation_of(kind, call.verb)
            if operation is None:
                text = f'{deployment.name} runs on "{deployment.platform}", which takes no {call.verb}'
                return Verdict(StepState.FAILED, f"{text}; nothing was done")
            options = msgspec.convert(call.options, operation.options)
            async with asyncio.timeout(limit):
                done = await platform.perform(target, call.verb, options, key)
        except TimeoutError:
            text = f"no answer to {call.verb} within {duration(limit)}; whether it was done is not known"
            return Verdict(StepState.UNKNOWN, text)
        except msgspec.ValidationError as error:
            return Verdict(StepState.FAILED, f"{call.verb} at {deployment.name}: {error}; nothing was done")
        except ChangeoverError as error:
            return Verdict(StepState.FAILED, f"{error.text}. Nothing was done. {error.hint}".strip())
        if isinstance(done, InDoubt):
            return Verdict(StepState.UNKNOWN, f"{done.text.rstrip('.')}; whether it was done is not known")
        return Verdict(StepState.DONE, done.text)


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
