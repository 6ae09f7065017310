"""What a person does to a run while it goes on: pause it, make it an emergency, answer, leave out, repeat."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from changeover.desktop.widgets import questions as ask
from changeover.desktop.widgets.parts import label
from changeover.desktop.wizard.steps import asks, done_words
from changeover.model.runs.plan import ActionStep
from changeover.model.runs.run import Run
from changeover.storage.home import this_person
from changeover.switchboard import Switchboard


class RunVerbs:
    """Asks what must be asked, and does it. `opened` is told of each question that is put."""

    def __init__(self, parent: QWidget, switchboard: Switchboard, opened: Callable[[QWidget], object]) -> None:
        self._parent = parent
        self._switchboard = switchboard
        self._opened = opened

    async def pause(self, run: Run) -> None:
        """Stops the run before its next step. Raises what the switchboard does."""
        await self._switchboard.pause(run.run, who=this_person())

    async def escalate(self, run: Run) -> None:
        """Makes a planned run an emergency, once a person has said why."""
        text = (
            f"From here on what needs {run.source} is left out: {_left_out(run)} A run that has become an emergency "
            "stays one."
        )
        asked = ask.ReasonQuestion(self._parent, f"Does {run.source} not work any more?", text, "It is an emergency")
        if await self._yes(asked):
            await self._switchboard.escalate(run.run, asked.reason.text().strip(), who=this_person())

    async def about_step(self, verb: str, run: Run, number: int) -> None:
        """Does what a person decides about one step: a key of `steps.VERBS`."""
        acts = {"approve": self._approve, "decline": self._decline, "skip": self._skip, "repeat": self._repeat}
        await acts[verb](run, number)

    async def sure_to_take_back(self, run: Run) -> bool:
        """Does somebody want to stop the run and take back what it did? Shows what that is."""
        done = done_words(run)
        text = (
            "The step in hand is finished, and then all this is taken back, last one first:"
            if done
            else "Nothing was done yet that would have to be taken back."
        )
        asked = ask.Question(
            self._parent, "Stop and go back?", text, f"Go back to {run.source}", danger=True, no="Keep going"
        )
        for line in done:
            asked.body.addWidget(label(f"· {line}"))
        return await self._yes(asked)

    async def _approve(self, run: Run, number: int) -> None:
        question = asks(run, number)
        text = question.question if question is not None else run.steps[number].text
        asked = ask.NoteQuestion(self._parent, "Approve?", text, "Approve", note="Note; it is kept in the report")
        if await self._yes(asked):
            await self._switchboard.approve(run.run, str(number + 1), asked.note.text().strip(), who=this_person())

    async def _decline(self, run: Run, number: int) -> None:
        text = f"{run.steps[number].text}. The run then ends here, and what it did can be taken back."
        asked = ask.ReasonQuestion(self._parent, "Decline?", text, "Decline")
        if await self._yes(asked):
            await self._switchboard.decline(run.run, str(number + 1), asked.reason.text().strip(), who=this_person())

    async def _skip(self, run: Run, number: int) -> None:
        step = run.plan.steps[number]
        risk = f" {step.action.risk}" if isinstance(step, ActionStep) and step.action.risk else ""
        text = f"{step.text}. It is left out, and the run goes on without it.{risk}"
        asked = ask.ReasonQuestion(self._parent, f"Leave out “{step.name}”?", text, "Leave it out")
        if await self._yes(asked):
            await self._switchboard.skip(run.run, str(number + 1), asked.reason.text().strip(), who=this_person())

    async def _repeat(self, run: Run, number: int) -> None:
        step = run.plan.steps[number]
        text = f"{step.text}. Nobody knows whether it was done already. Look first: it may do harm to do it twice."
        asked = ask.Question(self._parent, f"Do “{step.name}” again?", text, "Do it again", danger=True)
        if await self._yes(asked):
            await self._switchboard.repeat(run.run, str(number + 1), who=this_person())

    async def _yes(self, asked: ask.Question) -> bool:
        self._opened(asked)
        return await ask.answered(asked)


def _left_out(run: Run) -> str:
    names = [
        f"“{step.name}”{': ' + step.action.risk if step.action.risk else ''}"
        for step, progress in zip(run.plan.steps, run.steps, strict=True)
        if isinstance(step, ActionStep) and step.action.needs == "source" and progress.state == "pending"
    ]
    return f"{'; '.join(names).rstrip('.')}." if names else "no step of this run that is still to come."
