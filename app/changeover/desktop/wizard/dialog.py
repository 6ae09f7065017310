"""The wizard: what each page says and leads to, and what it leaves behind when it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton, QWidget

from changeover.desktop.fault import words
from changeover.desktop.tasks import Tasks
from changeover.desktop.wizard.changes import ChangesPage
from changeover.desktop.wizard.direction import DirectionPage
from changeover.desktop.wizard.flow import Page, overrides, run_title, switch_button
from changeover.desktop.wizard.frame import Frame
from changeover.desktop.wizard.progress import ProgressPage
from changeover.desktop.wizard.readiness import ReadinessPage
from changeover.desktop.wizard.result import ResultPage
from changeover.desktop.work import Work
from changeover.model.errors import ChangeoverError
from changeover.model.run import Run
from changeover.model.state import Preparation, ServiceState
from changeover.switchboard import Switchboard

#: Seconds between two questions to the resolvers, while some still give the old answer.
ASK_AGAIN = 5.0
EVERY_PAGE = tuple(Page)
RUN_PAGES = (Page.SWITCH, Page.RESULT)


class Wizard(Frame):
    """Leads through one switch, or shows a run that is in progress already.

    `begin` starts the prepared switch as work that outlives this window; `undo` and `save` act on an ended run.
    """

    def __init__(
        self,
        parent: QWidget | None,
        switchboard: Switchboard,
        tasks: Tasks,
        state: ServiceState,
        *,
        begin: Callable[[Preparation, dict[str, str]], Work],
        undo: Callable[[Run], object],
        save: Callable[[Run], object],
        work: Work | None = None,
    ) -> None:
        self.direction = DirectionPage(state)
        self.readiness = ReadinessPage()
        self.changes = ChangesPage()
        self.progress = ProgressPage()
        self.outcome = ResultPage()
        views: dict[Page, QWidget] = {
            Page.DIRECTION: self.direction,
            Page.READINESS: self.readiness,
            Page.CHANGES: self.changes,
            Page.SWITCH: self.progress,
            Page.RESULT: self.outcome,
        }
        super().__init__(parent, views, EVERY_PAGE if work is None else RUN_PAGES)
        self._switchboard = switchboard
        self._tasks = tasks
        self._state = state
        self._begin = begin
        self.work: Work | None = None
        self._own: asyncio.Task[Any] | None = None
        self.setWindowTitle(f"Changeover · {state.service.name}")
        self._connect(undo, save)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tick)
        self._clock.start()
        self.finished.connect(lambda _: self._let_go())
        if work is None:
            self.go_to(Page.DIRECTION)
        else:
            self.follow(work)

    def _connect(self, undo: Callable[[Run], object], save: Callable[[Run], object]) -> None:
        self.readiness.changed.connect(self._arrange)
        self.readiness.check_again.connect(self._check)
        self.back_button.clicked.connect(self._go_back)
        self.next_button.clicked.connect(self._go_on)
        self.close_button.clicked.connect(lambda: self.reject())
        self.switch_button.clicked.connect(self._switch)
        self.stop_button.clicked.connect(self._stop)
        self.undo_button.clicked.connect(lambda: undo(self.outcome.run) if self.outcome.run else None)
        self.save_button.clicked.connect(lambda: save(self.outcome.run) if self.outcome.run else None)

    def go_to(self, page: Page) -> None:
        """Shows a page, with its words and its buttons."""
        self.show_page(page)
        self._say()
        self._arrange()
        self._focus()

    def _say(self) -> None:
        service, to = self._state.service.name, self._to
        run = self.work.run if self.work else None
        undoable = self.outcome.run is not None and "undo" in self.outcome.run.next
        titles = {
            Page.DIRECTION: (f"Switch {service}", "Where should visitors go? Nothing is changed yet."),
            Page.READINESS: (
                f"Could {to} take over now?",
                "Every check at once, read just now. Nothing is changed yet.",
            ),
            Page.CHANGES: (
                "Review what will change",
                "Nothing has changed yet. Each record set is changed only if it still holds what stands here.",
            ),
            Page.SWITCH: (
                run_title(run, service, to),
                "Closing this window does not stop it. If this computer stops, the next start says where things stand.",
            ),
            Page.RESULT: (
                f"{service}: result",
                "Every record set can be put back exactly as it was." if undoable else "",
            ),
        }
        title, subtitle = titles[self.page]
        self.title.setText(title)
        self.subtitle.setText(subtitle)

    @property
    def _to(self) -> str:
        return self.work.to if self.work is not None else self.direction.to

    def _arrange(self) -> None:
        """Which buttons are there, which can be pressed, and which one Enter means: never a dangerous one."""
        page, preparation = self.page, self.readiness.preparation
        plan = preparation.plan if preparation else None
        run = self.outcome.run
        self.back_button.setVisible(page in (Page.READINESS, Page.CHANGES))
        self.next_button.setVisible(page in (Page.DIRECTION, Page.READINESS))
        self.why.setText(self.readiness.why if page is Page.READINESS else "")
        self.why.setVisible(bool(self.why.text()))
        self.next_button.setEnabled(page is Page.DIRECTION or self.readiness.ready)
        self.switch_button.setVisible(page is Page.CHANGES and plan is not None and bool(plan.changes))
        if plan is not None:
            self.switch_button.setText(switch_button(plan))
        self.stop_button.setVisible(page is Page.SWITCH)
        self.save_button.setVisible(page is Page.RESULT and run is not None)
        self.undo_button.setVisible(page is Page.RESULT and run is not None and "undo" in run.next)
        ended = page in (Page.SWITCH, Page.RESULT)
        self.close_button.setText("Close" if ended else "Cancel")
        enter = {Page.DIRECTION: self.next_button, Page.READINESS: self.next_button, Page.CHANGES: self.back_button}
        default = enter.get(page, self.close_button)
        for made in self.findChildren(QPushButton):
            made.setDefault(made is default)

    def _focus(self) -> None:
        if self.page is Page.DIRECTION:
            (self.direction.emergency_choice if self.direction.emergency else self.direction.planned_choice).setFocus()
        elif self.page is Page.READINESS and self.next_button.isEnabled():
            self.next_button.setFocus()
        else:
            (self.back_button if self.page in (Page.READINESS, Page.CHANGES) else self.close_button).setFocus()

    # What it does

    def _go_on(self) -> None:
        if self.page is Page.DIRECTION:
            self.go_to(Page.READINESS)
            self._check()
            return
        preparation = self.readiness.preparation
        if preparation is not None and preparation.plan is not None and self.readiness.ready:
            given = overrides(preparation.findings, self.readiness.reasons)
            self.changes.show_plan(preparation.plan, given)
            self.go_to(Page.CHANGES)

    def _go_back(self) -> None:
        self._cancel_own()
        self.go_to(Page.DIRECTION if self.page is Page.READINESS else Page.READINESS)

    def _check(self) -> None:
        self.readiness.show_checking()
        self._arrange()
        self._spawn(self._prepare(), "readiness")

    async def _prepare(self) -> None:
        try:
            found = await self._switchboard.prepare(
                self._state.service.name, self.direction.to, self.direction.emergency
            )
        except ChangeoverError as error:
            self.readiness.show_fault(*words(error))
            return
        self.readiness.show_preparation(found)
        if self.page is Page.READINESS:
            self._focus()

    def _switch(self) -> None:
        preparation = self.readiness.preparation
        if preparation is None or preparation.plan is None or self.page is not Page.CHANGES:
            return
        self.follow(self._begin(preparation, overrides(preparation.findings, self.readiness.reasons)))

    def follow(self, work: Work) -> None:
        """Shows a run from here to its end."""
        if self.work is not None:
            self.work.progressed.disconnect(self._progress)
            self.work.ended.disconnect(self._end)
        self._cancel_own()
        self.work = work
        work.progressed.connect(self._progress)
        work.ended.connect(self._end)
        self.stop_button.setEnabled(True)
        self.stop_button.setText("Stop after this step")
        self.progress.show_waiting()
        self.go_to(Page.SWITCH)
        self._progress()
        if work.done:
            self._end()

    def _progress(self) -> None:
        if self.work is not None and self.work.run is not None:
            self.progress.show_run(self.work.run, datetime.now().astimezone())
            self._say()

    def _stop(self) -> None:
        if self.work is not None:
            self.work.stop.set()
            self.stop_button.setEnabled(False)
            self.stop_button.setText("Stopping after this step…")

    def _end(self) -> None:
        work = self.work
        if work is None:
            return
        self._progress()
        if work.run is not None:
            self.outcome.show_run(work.run)
            if work.error is not None:
                self.fault.show_error(work.error)
        elif work.error is not None:
            self.outcome.show_fault("Nothing was changed", *words(work.error))
        else:
            text = "Something went wrong inside Changeover before the first step was written down."
            self.outcome.show_fault("Nothing was changed", text, "The log file has the details.")
        self.go_to(Page.RESULT)
        if self.outcome.wants_answers and self.isVisible():
            self._spawn(self._ask_resolvers(), "resolvers")

    async def _ask_resolvers(self) -> None:
        while not self.outcome.all_new:
            self.outcome.show_answers(await self._switchboard.resolvers(self._state.service.name))
            await asyncio.sleep(ASK_AGAIN)

    def _tick(self) -> None:
        if self.page is Page.SWITCH:
            self.progress.tick(datetime.now().astimezone())
        elif self.page is Page.RESULT:
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
        self._clock.stop()
        if self.work is not None:
            self.work.progressed.disconnect(self._progress)
            self.work.ended.disconnect(self._end)
            self.work = None
