"""Asking the platform of a deployment for one thing: chosen, confirmed, followed, and told what came of it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from changeover.accounts.asked_operation import WrongOptions
from changeover.accounts.kinds import KINDS
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.service.operation_form import NameConfirmation, OperationForm, known_values, verb_words
from changeover.desktop.service.operation_outcome import OperationOutcome, closing_question
from changeover.desktop.service.running_card import place_words, running_text
from changeover.desktop.widgets import questions as ask
from changeover.desktop.widgets.form_fields import in_reading_order
from changeover.desktop.widgets.parts import Card, button, caption, label, set_role
from changeover.desktop.widgets.strips import FaultStrip, words
from changeover.desktop.wizard.run_in_progress import Work
from changeover.model.errors import ChangeoverError
from changeover.model.platforms.platform_observation import KeptObservation
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.operation_plan import may_have_visitors, operation_risks, takes_out_of_service
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Run
from changeover.switchboard import Switchboard


class OperationDialog(QDialog):
    """One deployment's operations.

    `begin` starts what was planned, and `show_run` shows a run with its ways on; both outlive this window.
    """

    def __init__(
        self,
        parent: QWidget | None,
        switchboard: Switchboard,
        tasks: Tasks,
        service: str,
        deployment: str,
        begin: Callable[[Plan], Work],
        show_run: Callable[[str, Run], object],
    ) -> None:
        super().__init__(parent)
        self._switchboard = switchboard
        self._tasks = tasks
        self._service = switchboard.service(service)
        self._deployment = switchboard.deployment(service, deployment)
        kind = KINDS.platform(self._deployment.platform)
        assert kind is not None
        self._begin = begin
        self._own: asyncio.Task[Any] | None = None
        self._kept: KeptObservation | None = None
        self.work: Work | None = None
        self.dialog: ask.Question | None = None
        self.setWindowTitle(f"Operations at {deployment}")
        self.resize(640, 720)
        self.setMinimumSize(480, 420)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(label(f"Operations at {deployment}", "title"))
        column.addWidget(label(f"{service}: {place_words(self._deployment)}", "muted"))
        self.form = OperationForm(kind)
        self.confirmation = NameConfirmation(deployment)
        column.addWidget(self._inside(), 1)
        self.fault = FaultStrip()
        column.addWidget(self.fault)
        self.outcome = OperationOutcome(kind.label, show_run)
        column.addWidget(self.outcome)
        column.addLayout(self._buttons())
        self.form.changed.connect(self._show)
        self.form.choice.currentIndexChanged.connect(lambda _: self._order_tabs())
        self.confirmation.name.textChanged.connect(lambda _: self._show())
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tick)
        self._clock.start()
        self.finished.connect(lambda _: self._let_go())
        self._show_known()
        self._show()
        self._order_tabs()
        self.form.choice.setFocus()
        self.read()

    def _inside(self) -> QScrollArea:
        """What scrolls: what runs there now, the form, and the confirmation."""
        inside = QWidget()
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(12)
        now = Card("What runs there now")
        self.running = label()
        self.reading = label("", "muted")
        now.body.addWidget(self.running)
        row = QHBoxLayout()
        row.addWidget(self.reading, 1)
        self.read_button = button("Read again", self.read, "link", name="Read again what runs there")
        row.addWidget(self.read_button)
        now.body.addLayout(row)
        column.addWidget(now)
        column.addWidget(self.form)
        column.addWidget(self.confirmation)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setAccessibleName("The operation")
        area.setWidget(inside)
        return area

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch(1)
        self.call_off_button = button("Call it off", self._call_off)
        self.close_button = button("Close", self.reject)
        self.start_button = button("", self._start, "primary")
        for made in (self.call_off_button, self.close_button, self.start_button):
            row.addWidget(made)
        return row

    # What is shown

    @property
    def working(self) -> bool:
        """Is an operation under way here?"""
        return self.work is not None and not self.work.done

    @property
    def asked(self) -> bool:
        """Has the platform been asked, so that nobody can call it off any more?"""
        run = self.work.run if self.work is not None else None
        return run is not None and any(step.state != "pending" for step in run.steps)

    @property
    def needs_name(self) -> bool:
        """Must the deployment's name be typed first, since visitors may notice?"""
        out = takes_out_of_service(self._deployment, self.form.operation.verb, self.form.options)
        return out and may_have_visitors(self._service, self._deployment.name, self._active)

    @property
    def _state(self) -> ServiceState | None:
        """How the service stands; None where it was removed meanwhile."""
        return next((one for one in self._switchboard.states() if one.service.name == self._service.name), None)

    @property
    def _active(self) -> str:
        return self._state.active if self._state is not None else ""

    def _show(self) -> None:
        """The risks, the confirmation in proportion to them, and what can be pressed."""
        operation = self.form.operation
        risks = operation_risks(self._service, self._deployment, operation, self.form.options, self._active)
        self.form.show_risks(risks)
        self.confirmation.setVisible(self.needs_name and not self.working)
        named = not self.needs_name or self.confirmation.given
        self.start_button.setText(caption(verb_words(operation.verb)))
        set_role(self.start_button, "danger" if risks else "primary")
        self.start_button.setEnabled(named and not self.working)
        self.start_button.setToolTip("" if named else "Type the deployment's name first")
        self.form.setEnabled(not self.working)
        self.call_off_button.setVisible(self.working)
        self.call_off_button.setEnabled(self.working and not self.asked and not self._stopping)
        self.call_off_button.setToolTip("The platform was asked; its answer is awaited" if self.asked else "")

    @property
    def _stopping(self) -> bool:
        return self.work is not None and self.work.stop.is_set()

    def _show_known(self) -> None:
        """What was said last, be it to this window or to who watches."""
        known = self._state.snapshot.platforms.get(self._deployment.name) if self._state is not None else None
        newer = known is not None and (self._kept is None or known.at > self._kept.at)
        self._show_kept(known if newer else self._kept)

    def _show_kept(self, kept: KeptObservation | None) -> None:
        if kept is not self._kept:
            self.form.offer(known_values(self._service, kept.observation if kept is not None else None))
        self._kept = kept
        self.running.setText(running_text(kept, datetime.now().astimezone()))

    def _order_tabs(self) -> None:
        for first, second in itertools.pairwise(in_reading_order(self)):
            QWidget.setTabOrder(first, second)

    # What runs there

    def read(self) -> None:
        """Reads what runs there now. What cannot be read is told; what was said last stays."""
        self._cancel_own()
        self.reading.setText("Reading…")
        self.read_button.setEnabled(False)
        self._own = self._tasks.spawn(self._read(), "what runs at a deployment")

    async def _read(self) -> None:
        try:
            (found,) = await self._switchboard.read_platforms(self._service.name, self._deployment.name)
        except ChangeoverError as error:
            self.reading.setText(" ".join(words(error)))
        else:
            if found.observation is not None and found.at is not None:
                self._show_kept(KeptObservation(at=found.at, observation=found.observation))
            self.reading.setText(" ".join(words(found.error)) if found.error is not None else "")
        finally:
            self.read_button.setEnabled(True)

    # Doing

    def _start(self) -> None:
        self.fault.hide()
        self.form.show_faults({})
        if self.working or (self.needs_name and not self.confirmation.given):
            return  # visitors may have come since the button was shown
        verb, options = self.form.operation.verb, self.form.options
        try:
            plan = self._switchboard.operation_plan(self._service.name, self._deployment.name, verb, options)
        except ChangeoverError as error:
            self.fault.show_error(error)
            if isinstance(error, WrongOptions):
                self.form.show_faults(error.faults)
            return
        self.confirmation.name.clear()
        self.follow(self._begin(plan), plan)

    def follow(self, work: Work, plan: Plan) -> None:
        """Shows an operation from here to its end."""
        self._leave_work()
        self.work = work
        self.outcome.show_beginning(plan.steps[0].text)
        work.progressed.connect(self._progress)
        work.ended.connect(self._end)
        self._show()
        self.call_off_button.setFocus()

    def _progress(self) -> None:
        self.outcome.show_progress(self.asked, self._stopping)
        self._show()

    def _end(self) -> None:
        work = self.work
        if work is None:
            return
        self.outcome.show_end(work.run, work.error)
        self._show()
        self.close_button.setFocus()
        self.read()

    def _call_off(self) -> None:
        if self.work is not None and not self.asked:
            self.work.stop.set()
            self._progress()

    def _tick(self) -> None:
        if self.working:
            self.outcome.show_progress(self.asked, self._stopping)
        else:
            self._show()  # visitors may be elsewhere by now
        self._show_known()

    # Closing

    def reject(self) -> None:
        """Closes; while an operation is under way, only once somebody has said what is to become of it."""
        if self.working:
            self._tasks.spawn(self._ask_to_close(), "asking to close")
        else:
            super().reject()

    async def _ask_to_close(self) -> None:
        if self.dialog is not None:
            return  # it is being asked
        self.dialog = closing_question(self, self.asked)
        sure = await ask.answered(self.dialog)
        self.dialog = None
        if sure:
            self._call_off()
            super().reject()

    def _let_go(self) -> None:
        """Closed: nothing of this window's own goes on. The operation does, if it was begun."""
        self._cancel_own()
        self._clock.stop()
        self._leave_work()

    def _cancel_own(self) -> None:
        if self._own is not None:
            self._own.cancel()
            self._own = None

    def _leave_work(self) -> None:
        if self.work is not None:
            self.work.progressed.disconnect(self._progress)
            self.work.ended.disconnect(self._end)
            self.work = None
