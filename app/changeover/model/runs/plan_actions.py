"""Actions in plans: where they stand, what an emergency leaves out, and how they are taken back."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace

from changeover.model.runs.plan import ActionStep, ChangeRecords, Plan, Step
from changeover.model.runs.run import StepProgress, StepState, taking_back
from changeover.model.settings.action import Action, Operation, Phase, operation_words
from changeover.model.settings.service import Service

#: Phases before the records are changed; the others come after visitors were looked after.
_BEFORE = (Phase.QUIESCE, Phase.DRAIN, Phase.PROMOTE, Phase.PROVE)
_ORDER = list(Phase)


def with_actions(plan: Plan, service: Service, emergency: bool, dns_first: bool = False) -> Plan:
    """`plan` with the service's actions around its changes, in the order that cannot be wrong.

    In an emergency what needs the source is listed as left out, with the risk. `dns_first`: the records are changed
    before any action, and looked at once the target was prepared. A plan without steps stays so.
    """
    if not plan.steps:
        return plan
    acts = [
        _act(action, plan.source, emergency)
        for action in sorted(_leading(service, plan.to), key=lambda a: _ORDER.index(a.phase))
    ]
    before = [act for act in acts if act.action.phase in _BEFORE]
    after = [act for act in acts if act.action.phase not in _BEFORE]
    first = [step for step in plan.steps if dns_first and isinstance(step, ChangeRecords)]
    return _arranged(plan, [*first, *before, *plan.steps[len(first) :], *after])


def has_steps_before(service: Service, to: str) -> bool:
    """Does a switch to `to` do anything before it changes records?"""
    return any(action.phase in _BEFORE for action in _leading(service, to))


def _leading(service: Service, to: str) -> Iterator[Action]:
    """The actions of a switch to `to`."""
    return (action for action in service.actions if not action.to or to in action.to)


def leaving_out(plan: Plan, names: Collection[str], why: str) -> Plan:
    """`plan` with these actions left out."""
    steps = (
        replace(step, skip=step.skip or why) if isinstance(step, ActionStep) and step.name in names else step
        for step in plan.steps
    )
    return replace(plan, steps=tuple(steps))


def undoing(plan: Plan, forward: Plan, went: Sequence[StepProgress], taken_back: Collection[str]) -> Plan:
    """`plan`, which puts records back, with what takes back the operations of `forward`, last one first.

    What prepared the target is taken back after visitors have left it, also where the records were changed first.
    `went` are the steps of `forward` as far as they went, `taken_back` the names of actions that were undone already.
    """
    acts = []
    for step, progress in zip(forward.steps, went, strict=True):
        if not isinstance(step, ActionStep):
            continue
        if progress.may_be_done and step.name not in taken_back:
            operation = taking_back(step, progress)
            if operation is not None:
                acts.append(_back(step, operation, progress.state))
    first = [act for act in reversed(acts) if act.action.phase not in _BEFORE]
    last = [act for act in reversed(acts) if act.action.phase in _BEFORE]
    return _arranged(plan, [*first, *plan.steps, *last])


def _act(action: Action, source: str, emergency: bool) -> ActionStep:
    skip = ""
    if emergency and action.needs == "source":
        risk = f" {action.risk}" if action.risk else ""
        skip = f"left out: it needs {source}, which does not work.{risk}"
    text = f"{action.name}: {operation_words(action.operation)}"
    return ActionStep(name=action.name, text=text, action=action, operation=action.operation, skip=skip)


def _back(step: ActionStep, operation: Operation, state: StepState) -> ActionStep:
    known = state in (StepState.DONE, StepState.WARNING)
    doubt = "" if known else " (whether it was done is not known)"
    return replace(
        step, text=f"Take back {step.name}: {operation_words(operation)}{doubt}", operation=operation, skip=""
    )


def _arranged(plan: Plan, steps: Sequence[Step]) -> Plan:
    """`plan` with these steps. Neighbours that belong together are done at the same time."""
    return replace(plan, steps=tuple(steps), together=tuple(_groups(steps)))


def _groups(steps: Sequence[Step]) -> Iterable[tuple[int, ...]]:
    for together, group in itertools.groupby(range(len(steps)), key=lambda number: _togetherness(steps[number])):
        numbers = tuple(group)
        if together is not None and len(numbers) > 1:
            yield numbers


def _togetherness(step: Step) -> tuple[Phase, str] | None:
    if isinstance(step, ActionStep) and step.action.together is not None:
        return step.action.phase, step.action.together
    return None
