"""What must be true of every operation that a run asks a platform for. What is broken is told to the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from changeover.model.runs.plan import ActionStep
from changeover.model.runs.run import (
    Direction,
    Ended,
    Entry,
    Intent,
    Outcome,
    Repeated,
    Resumed,
    Run,
    Started,
    StepEnded,
    StepState,
    UndoStarted,
    fold,
)
from changeover.model.settings.action import PlatformCall

if TYPE_CHECKING:
    from explorer.platforms import Platforms
    from explorer.process import Process


def asked(
    platforms: Platforms, process: Process, deployment: str, verb: str, options: dict[str, Any], key: str
) -> None:
    """Before a request: its intent is in the journal, it is what the plan says, and nobody does it twice unasked."""
    world = platforms.world
    if process.ended:
        world.broke(f"{process} asks for {verb} after it gave up its lock")
    entries = process.journal.stored(process.run)
    if not entries:
        world.broke(f"{process} asks for {verb} without a run in its journal")
        return
    run = fold(entries, alive=True)
    undo = run.direction is Direction.UNDO
    name = key.removeprefix(f"{run.run}-").removesuffix("-undo" if undo else "")
    step = _intended(run, entries, name)
    if step is None:
        world.broke(f"{process} asks for {verb} without an intent in its journal")
        return
    call = step.operation
    meant = (call.deployment, call.verb, _told(call.options)) if isinstance(call, PlatformCall) else None
    if meant is None or (meant[0], meant[1]) != (deployment, verb) or not _within(meant[2], options):
        world.broke(f"{process} asks for {verb} at {deployment} {options}, where the plan has {meant}")
    if not undo and (step.skip or (run.emergency and step.action.needs == "source")):
        world.broke(f"{process} asks for {name}, which the emergency leaves out")
    before = [one for one in platforms.log if (one.writer[0], one.key) == (process.computer.name, key)]
    may_be_done = [one for one in before if not one.refused]
    if verb == "restart" and len(may_be_done) > _repeated(run, entries, name):
        world.broke(f"{process} repeats {name}, which is not the same done twice, and nobody said so")
    if undo:
        _asks_for_what_stood(platforms, process, run, name, (verb, options))


def _asks_for_what_stood(
    platforms: Platforms, process: Process, run: Run, name: str, back: tuple[str, dict[str, Any]]
) -> None:
    world = platforms.world
    forward = next(s for s in run.forward.steps if isinstance(s, ActionStep) and s.name == name).operation
    stood = platforms.stood.get((process.computer.name, run.run, name))
    if stood is None or not isinstance(forward, PlatformCall):
        world.broke(f"{process} takes back {name}, which was never begun")
        return
    expected = what_takes_back(forward, stood)
    if expected is None or expected[0] != back[0] or not _within(expected[1], back[1]):
        world.broke(f"{process} takes back {name} by {back}, where {expected} gives back what stood")


def what_takes_back(call: PlatformCall, stood: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """What gives back `stood`, said in another way than the engine says it; None where nothing does or need."""
    options = _told(call.options)
    match call.verb:
        case "maintenance-on" | "maintenance-off":
            wanted = call.verb == "maintenance-on"
            back = "maintenance-off" if wanted else "maintenance-on"
            return None if stood["maintenance"] == wanted else (back, {})
        case "scale":
            number = stood[options.get("process", "web")]
            return None if number == options["instances"] else ("scale", {**options, "instances": number})
        case "attach-domain" | "detach-domain":
            wanted = call.verb == "attach-domain"
            back = "detach-domain" if wanted else "attach-domain"
            return None if stood[options["hostname"]] == wanted else (back, options)
        case _:
            return None


def written(platforms: Platforms, process: Process, run_id: str, entries: Sequence[Entry]) -> None:
    """After every entry of a journal: what stood is kept as it was, and an end tells the truth of the platforms."""
    event, world = entries[-1].event, platforms.world
    if isinstance(event, Intent):
        run = fold(entries, alive=True)
        step = run.plan.steps[event.step]
        place = (process.computer.name, run_id, step.name)
        first = run.direction is Direction.FORWARD and event.before is not None and place not in platforms.stood
        if first and isinstance(step, ActionStep) and isinstance(step.operation, PlatformCall):
            platforms.stood[place] = process.observed[step.operation.deployment]
    if isinstance(event, Ended):
        run = fold(entries[:-1])
        match event.outcome:
            case Outcome.COMPLETED:
                _stands(platforms, process, run)
            case Outcome.UNDONE:
                _is_back(platforms, process, run)
            case Outcome.FAILED | Outcome.REFUSED:
                writer, undo = (process.computer.name, run_id), run.direction is Direction.UNDO
                begun = sum(isinstance(e.event, UndoStarted) for e in entries)
                done = [a for a in platforms.log if a.writer == writer and a.landed and a.key.endswith("-undo") is undo]
                if done and (not undo or begun == 1):
                    world.broke(f"{run_id} says that nothing was done, but {done[-1].verb} was")


def _stands(platforms: Platforms, process: Process, run: Run) -> None:
    from explorer.platforms import effect

    for step, progress in zip(run.plan.steps, run.steps, strict=True):
        if not isinstance(step, ActionStep) or progress.state is not StepState.DONE:
            continue
        call = step.operation
        assert isinstance(call, PlatformCall)
        app = platforms.apps[call.deployment]
        what, value = effect(call.verb, dict(call.options), app.state)
        mine = app.writers.get(what) == (process.computer.name, run.run)
        if mine and call.verb != "restart" and app.state[what] != value:
            platforms.world.broke(f"{run.run} says that it ended well, but {what} of {call.deployment} is not {value}")


def _is_back(platforms: Platforms, process: Process, run: Run) -> None:
    from explorer.platforms import effect

    for step in run.forward.steps:
        if not isinstance(step, ActionStep) or not isinstance(step.operation, PlatformCall):
            continue
        call = step.operation
        stood = platforms.stood.get((process.computer.name, run.run, step.name))
        app = platforms.apps[call.deployment]
        what, _ = effect(call.verb, dict(call.options), app.state)
        mine = app.writers.get(what) == (process.computer.name, run.run)
        if stood is not None and mine and call.verb != "restart" and app.state[what] != stood[what]:
            text = f"{what} of {call.deployment} is {app.state[what]}, where {stood[what]} stood"
            platforms.world.broke(f"{run.run} says that all is back, but {text}")


def _intended(run: Run, entries: Sequence[Entry], name: str) -> ActionStep | None:
    """The step of that name whose intent stands in the journal, and no end of it."""
    over: set[int] = set()
    for entry in reversed(entries):
        match entry.event:
            case StepEnded(step=number):
                over.add(number)
            case Intent(step=number) if number not in over:
                step = run.plan.steps[number]
                if isinstance(step, ActionStep) and step.name == name:
                    return step
            case Started() | UndoStarted() | Resumed():
                return None
            case _:
                pass
    return None


def _repeated(run: Run, entries: Sequence[Entry], name: str) -> int:
    """How often a person has let the step be done again."""
    numbers = {number for number, step in enumerate(run.plan.steps) if step.name == name}
    return sum(isinstance(e.event, Repeated) and e.event.step in numbers for e in entries)


def _told(options: Any) -> dict[str, Any]:
    return {key: value for key, value in dict(options).items() if value not in (None, "")}


def _within(meant: dict[str, Any], given: dict[str, Any]) -> bool:
    """Is what was given what was meant, with no more than defaults beside it?"""
    return all(given.get(key) == value for key, value in meant.items()) and set(given) - set(meant) <= {"process"}
