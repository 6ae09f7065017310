"""The wizard: what each page says and leads to, and what it leaves behind when it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton, QWidget

from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.widgets.parts import caption
from changeover.desktop.widgets.strips import words
from changeover.desktop.wizard.changes import ChangesPage
from changeover.desktop.wizard.direction import DirectionPage
from changeover.desktop.wizard.flow import WizardPage, doubt, failback, overrides, run_title, switch_button
from changeover.desktop.wizard.frame import Frame
from changeover.desktop.wizard.progress import ProgressPage
from changeover.desktop.wizard.readiness import ReadinessPage
from changeover.desktop.wizard.result import ResultPage
from changeover.desktop.wizard.run_in_progress import Work
from changeover.desktop.wizard.run_verbs import RunVerbs
from changeover.desktop.wizard.steps import go_on_words
from changeover.model.errors import ChangeoverError
from changeover.model.health.soak import Soak
from changeover.model.readiness.service_state import Preparation, ServiceState
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import Direction, Outcome, Run
from changeover.switchboard import Switchboard

#: Seconds between two questions to the resolvers, while some still give the old answer.
ASK_AGAIN = 5.0
EVERY_PAGE = tuple(WizardPage)
RUN_PAGES = (WizardPage.SWITCH, WizardPage.RESULT)


class RunCommands(Protocol):
    """What a wizard has done by whoever opened it, since it outlives the window."""

    def begin(self, preparation: Preparation, overrides: dict[str, str], why: str) -> Work:
        """Starts the prepared switch."""
        ...

    def resume(self, run: Run) -> Work:
        """Goes on with an unfinished run."""
        ...

    def undo(self, run: Run) -> object:
        """Asks, and takes a run back."""
        ...

    def back_out(self, run: Run, work: Work) -> object:
        """Stops a run that goes on here, and takes back what it did. It was asked for already."""
        ...

    def keep(self, run: Run) -> object:
        """Ends the undo window."""
        ...

    def soak(self, run: Run) -> Soak | None:
        """What the time after a switch shows so far; it goes on when the wizard is closed."""
        ...

    def save(self, run: Run) -> object:
        """Saves the report."""
        ...


class Wizard(Frame):
    """Leads through one switch, or shows a run: `work` that goes on here, or `run` that was left or goes on elsewhere.

    Closing it stops nothing.
    """

    def __init__(
        self,
        parent: QWidget | None,
        switchboard: Switchboard,
        tasks: Tasks,
        state: ServiceState,
        commands: RunCommands,
        *,
        work: Work | None = None,
        run: Run | None = None,
    ) -> None:
        self.direction = DirectionPage(state)
        self.readiness = ReadinessPage()
        self.changes = ChangesPage()
        self.progress = ProgressPage(self._about_step)
        self.outcome = ResultPage()
        views: dict[WizardPage, QWidget] = {
            WizardPage.DIRECTION: self.direction,
            WizardPage.READINESS: self.readiness,
            WizardPage.CHANGES: self.changes,
            WizardPage.SWITCH: self.progress,
            WizardPage.RESULT: self.outcome,
        }
        shows_run = work is not None or run is not None
        super().__init__(parent, views, RUN_PAGES if shows_run else EVERY_PAGE)
        self._switchboard = switchboard
        self._tasks = tasks
        self._state = state
        self._commands = commands
        self.work: Work | None = None
        self.dialog: QWidget | None = None
        self._own: asyncio.Task[Any] | None = None
        self._soak: Soak | None = None
        self._reading: asyncio.Task[Any] | None = None
        self._verbs = RunVerbs(self, switchboard, self._opened)
        self.setWindowTitle(f"Changeover · {state.service.name}")
        self._connect()
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tick)
        self._clock.start()
        self.finished.connect(lambda _: self._let_go())
        if work is not None:
            self.follow(work)
        elif run is not None:
            self.show_run(run)
        else:
            self.go_to(WizardPage.DIRECTION)

    def _connect(self) -> None:
        self.readiness.changed.connect(self._arrange)
        self.readiness.check_again.connect(self._check)
        self.changes.changed.connect(self._arrange)
        self.direction.changed.connect(self._say)
        self.back_button.clicked.connect(self._go_back)
        self.next_button.clicked.connect(self._go_on)
        self.close_button.clicked.connect(lambda: self.reject())
        self.switch_button.clicked.connect(self._switch)
        self.pause_button.clicked.connect(self._pause)
        self.resume_button.clicked.connect(self._resume)
        self.emergency_button.clicked.connect(self._escalate)
        self.back_out_button.clicked.connect(self._back_out)
        self.outcome.go_back.connect(lambda: self._with_run(self._commands.undo))
        self.undo_button.clicked.connect(lambda: self._with_run(self._commands.undo))
        self.keep_button.clicked.connect(lambda: self._with_run(self._commands.keep))
        self.save_button.clicked.connect(lambda: self._with_run(self._commands.save))

    @property
    def run(self) -> Run | None:
        """The run that is shown."""
        return self.outcome.run if self.page is WizardPage.RESULT else self.progress.run

    @property
    def here(self) -> bool:
        """Does this process work on the run that is shown?"""
        return self.work is not None and not self.work.done

    def _with_run(self, act: Callable[[Run], object]) -> None:
        if self.run is not None:
            act(self.run)

    def go_to(self, page: WizardPage) -> None:
        """Shows a page, with its words and its buttons."""
        self.show_page(page)
        self._say()
        self._arrange()
        self._focus()

    def _say(self) -> None:
        service, to = self._state.service.name, self._to
        run = self.progress.run
        undoable = self.outcome.run is not None and "undo" in self.outcome.run.next
        titles = {
            WizardPage.DIRECTION: (f"Switch {service}", "Where should visitors go? Nothing is changed yet."),
            WizardPage.READINESS: (
                f"Could {to} take over now?",
                "Every check at once, read just now. Nothing is changed yet.",
            ),
            WizardPage.CHANGES: (
                "Review what will change",
                "Nothing has changed yet. Each record set is changed only if it still holds what stands here.",
            ),
            WizardPage.SWITCH: (
                run_title(run, service, to),
                "Closing this window does not stop it. If this computer stops, the next start says where things stand."
                if self.here
                else "What was done is written down. Whoever goes on reads first what stands.",
            ),
            WizardPage.RESULT: (
                f"{service}: result",
                _undoable_words(self.outcome.run) if undoable and self.outcome.run is not None else "",
            ),
        }
        title, subtitle = titles[self.page]
        self.title.setText(title)
        self.subtitle.setText(subtitle)

    @property
    def _to(self) -> str:
        if self.work is not None:
            return self.work.to
        return self.progress.run.to if self.progress.run is not None else self.direction.to

    def _arrange(self) -> None:
        """Which buttons are there, which can be pressed, and which one Enter means: never a dangerous one."""
        page, preparation = self.page, self.readiness.preparation
        plan = preparation.plan if preparation else None
        self.back_button.setVisible(page in (WizardPage.READINESS, WizardPage.CHANGES))
        self.next_button.setVisible(page in (WizardPage.DIRECTION, WizardPage.READINESS))
        self.why.setText(self.readiness.why if page is WizardPage.READINESS else "")
        self.why.setVisible(bool(self.why.text()))
        self.next_button.setEnabled(page is WizardPage.DIRECTION or self.readiness.ready)
        self.switch_button.setVisible(page is WizardPage.CHANGES and plan is not None and bool(plan.steps))
        self.switch_button.setEnabled(self.changes.confirmed)
        if plan is not None:
            self.switch_button.setText(caption(switch_button(plan)))
        self._arrange_run()
        self.close_button.setText("Close" if page in RUN_PAGES else "Cancel")
        enter = {
            WizardPage.DIRECTION: self.next_button,
            WizardPage.READINESS: self.next_button,
            WizardPage.CHANGES: self.back_button,
        }
        default = enter.get(page, self.close_button)
        for made in self.findChildren(QPushButton):
            made.setDefault(made is default)

    def _arrange_run(self) -> None:
        """The buttons about the run that is shown."""
        run = self.run if self.page in RUN_PAGES else None
        able = run.next if run is not None and not self.here else ()
        goes_on = run is not None and run.outcome is Outcome.RUNNING and self.page is WizardPage.SWITCH
        open_ = run is not None and run.unfinished and self.page is WizardPage.SWITCH
        forward = run is not None and run.direction is Direction.FORWARD
        self.save_button.setVisible(self.page is WizardPage.RESULT and run is not None)
        self.pause_button.setVisible(self.page is WizardPage.SWITCH and (goes_on or self.here))
        self.pause_button.setEnabled(goes_on and not (self.work is not None and self.work.stop.is_set()))
        self.resume_button.setVisible("resume" in able)
        if run is not None:
            self.resume_button.setText(caption(go_on_words(run)))
        escalable = open_ and forward and run is not None and not run.emergency and run.plan.kind is PlanKind.SWITCH
        self.emergency_button.setVisible(escalable)
        self.back_out_button.setVisible(goes_on and forward and self.here)
        self.undo_button.setVisible("undo" in able)
        self.keep_button.setVisible("commit" in able)

    def _focus(self) -> None:
        if self.page is WizardPage.DIRECTION:
            (self.direction.emergency_choice if self.direction.emergency else self.direction.planned_choice).setFocus()
        elif self.page is WizardPage.READINESS and self.next_button.isEnabled():
            self.next_button.setFocus()
        else:
            (
                self.back_button if self.page in (WizardPage.READINESS, WizardPage.CHANGES) else self.close_button
            ).setFocus()

    # What it does

    def _go_on(self) -> None:
        if self.page is WizardPage.DIRECTION:
            self.go_to(WizardPage.READINESS)
            self._check()
            return
        preparation = self.readiness.preparation
        if preparation is not None and preparation.plan is not None and self.readiness.ready:
            given = overrides(preparation.findings, self.readiness.reasons)
            back = failback(self._state, preparation.to) and not preparation.emergency
            asked = doubt(preparation.findings) if back else ""
            self.changes.show_plan(preparation.plan, given, asked, preparation.snapshot.runs)
            self.go_to(WizardPage.CHANGES)

    def _go_back(self) -> None:
        self._cancel_own()
        self.go_to(WizardPage.DIRECTION if self.page is WizardPage.READINESS else WizardPage.READINESS)

    def _check(self) -> None:
        self.readiness.show_checking()
        self._arrange()
        self._spawn(self._prepare(), "readiness")

    async def _prepare(self) -> None:
        try:
            found = await self._switchboard.prepare(
                self._state.service.name,
                self.direction.to,
                self.direction.emergency,
                dns_first=self.direction.dns_first,
            )
        except ChangeoverError as error:
            self.readiness.show_fault(*words(error))
            return
        self.readiness.show_preparation(found)
        if self.page is WizardPage.READINESS:
            self._focus()

    def _switch(self) -> None:
        preparation = self.readiness.preparation
        if preparation is None or preparation.plan is None or self.page is not WizardPage.CHANGES:
            return
        if not self.changes.confirmed:
            return  # a failback in doubt, whatever the button shows
        given = overrides(preparation.findings, self.readiness.reasons)
        self.follow(self._commands.begin(preparation, given, self.changes.why))

    def follow(self, work: Work) -> None:
        """Shows a run from here to its end."""
        self._leave_work()
        self._cancel_own()
        self.work = work
        work.progressed.connect(self._progress)
        work.ended.connect(self._end)
        self.fault.hide()
        self.progress.show_waiting()
        self.go_to(WizardPage.SWITCH)
        self._progress()
        if work.done:
            self._end()

    def show_run(self, run: Run) -> None:
        """Shows a run that does not go on in this process: its steps, and the ways on."""
        self.progress.show_run(run, datetime.now().astimezone(), self.here)
        if run.unfinished:
            self.go_to(WizardPage.SWITCH)
        else:
            self._show_result(run)

    def _progress(self) -> None:
        if self.work is not None and self.work.run is not None:
            self.progress.show_run(self.work.run, datetime.now().astimezone(), self.here)
            self._say()
            self._arrange()

    def _end(self) -> None:
        work = self.work
        if work is None:
            return
        self._progress()
        if work.error is not None and work.run is not None:
            self.fault.show_error(work.error)
        if work.run is not None:
            self.show_run(work.run)
        elif work.error is not None and self.progress.run is None:
            self.outcome.show_fault("Nothing was changed", *words(work.error))
            self.go_to(WizardPage.RESULT)
        else:
            text = "Something went wrong inside Changeover before the first step was written down."
            self.outcome.show_fault("Nothing was changed", text, "The log file has the details.")
            self.go_to(WizardPage.RESULT)

    def _show_result(self, run: Run) -> None:
        self._soak = None
        self.outcome.show_run(run)
        self.go_to(WizardPage.RESULT)
        if self.outcome.wants_answers and self.isVisible():
            self._spawn(self._ask_resolvers(), "asking resolvers")

    # What a person does to the run

    def _pause(self) -> None:
        """Stops it before its next step; a step that only looks is cut short."""
        run, work = self.run, self.work
        if run is not None:
            self.pause_button.setEnabled(False)
            self._do(self._verbs.pause(run), then=work.stop.set if work is not None else None)

    def _resume(self) -> None:
        run = self.run
        if run is not None:
            self.follow(self._commands.resume(run))

    def _escalate(self) -> None:
        self._with_run(lambda run: self._do(self._verbs.escalate(run)))

    def _about_step(self, verb: str, number: int) -> None:
        self._with_run(lambda run: self._do(self._verbs.about_step(verb, run, number)))

    def _back_out(self) -> None:
        run, work = self.run, self.work

        async def ask() -> None:
            if run is not None and work is not None and await self._verbs.sure_to_take_back(run):
                self._commands.back_out(run, work)

        self._do(ask())

    def _opened(self, dialog: QWidget) -> None:
        self.dialog = dialog

    def _do(self, verb: Coroutine[Any, Any, None], then: Callable[[], object] | None = None) -> None:
        """Does it, and shows what came of it or what speaks against it."""

        async def done() -> None:
            try:
                await verb
            except ChangeoverError as error:
                self.fault.show_error(error)
            else:
                if then is not None:
                    then()
            await self._read_again()

        self._tasks.spawn(done(), "about a run")

    async def _read_again(self) -> None:
        """The run as its journal has it: another process, or another window, may have put something there."""
        run = self.progress.run
        if run is None or self.page is not WizardPage.SWITCH:
            return
        found = await self._switchboard.run(run.run)
        if self.page is not WizardPage.SWITCH or self.progress.run is None or self.progress.run.run != found.run:
            return
        if not self.here and not found.unfinished:
            self.show_run(found)
            return
        self.progress.show_run(found, datetime.now().astimezone(), self.here)
        self._say()
        self._arrange()

    async def _ask_resolvers(self) -> None:
        while not self.outcome.all_new:
            self.outcome.show_panel(await self._switchboard.panel(self._state.service.name))
            await asyncio.sleep(ASK_AGAIN)

    def _tick(self) -> None:
        if self.page is WizardPage.SWITCH:
            self.progress.tick(datetime.now().astimezone())
            if self.progress.run is not None and (self._reading is None or self._reading.done()):
                self._reading = self._tasks.spawn(self._read_again(), "reading a run")
        elif self.page is WizardPage.RESULT:
            soak = self._commands.soak(self.outcome.run) if self.outcome.run is not None else None
            if soak is not None and soak is not self._soak:
                self._soak = soak
                self.outcome.show_soak(soak)
            self.outcome.tick()

    # What it leaves behind

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._cancel_own()
        self._own = self._tasks.spawn(work, name)

    def _cancel_own(self) -> None:
        if self._own is not None:
            self._own.cancel()
            self._own = None

    def _let_go(self) -> None:
        """Closed: nothing of this window's own goes on. The run, if there is one, does."""
        self._cancel_own()
        if self._reading is not None:
            self._reading.cancel()
        self._clock.stop()
        self._leave_work()

    def _leave_work(self) -> None:
        if self.work is not None:
            self.work.progressed.disconnect(self._progress)
            self.work.ended.disconnect(self._end)
            self.work = None


def _undoable_words(run: Run) -> str:
    if run.forward.kind is PlanKind.OPERATION:
        return "It can be taken back."
    return "Every record set can be put back exactly as it was."
