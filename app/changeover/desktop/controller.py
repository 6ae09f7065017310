"""What the main window's buttons do, with a switchboard behind them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from changeover.desktop.lab_banner import LabBanner
from changeover.desktop.main_window import MainWindow
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.service.page_history import PageHistory
from changeover.desktop.service.run_actions import RunActions
from changeover.desktop.service.service_actions import SERVICE_VERBS, ServiceActions
from changeover.desktop.service.service_list import ServiceList
from changeover.desktop.service.service_page import EmptyPage, ServicePage
from changeover.desktop.widgets import questions as ask
from changeover.desktop.widgets.strips import AskingStrip, NoteStrip
from changeover.desktop.wizard.dialog import Wizard
from changeover.desktop.wizard.run_in_progress import Work
from changeover.lab.ground import PracticeGround
from changeover.model.errors import ChangeoverError
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.run import Run, foremost
from changeover.model.settings.acting_parts import TAKEN_OVER, unapproved_words
from changeover.model.wording.local_fault import clock_note
from changeover.switchboard import Switchboard


def _now() -> datetime:
    return datetime.now().astimezone()


class MainController:
    """Binds the window to a switchboard: shows every change of state, and does what is asked."""

    def __init__(
        self, window: MainWindow, switchboard: Switchboard, tasks: Tasks, ground: PracticeGround | None = None
    ) -> None:
        self.window = window
        self.switchboard = switchboard
        self.tasks = tasks
        self._runs: tuple[Run, ...] = ()
        self.dialog: QWidget | None = None
        self.runs = RunActions(window, switchboard, tasks, self._opened, self._read_runs)
        self._service_actions = ServiceActions(window, switchboard, tasks, self._opened, self._read_runs)
        self.services = ServiceList()
        self.page = ServicePage(self._act, lambda: self._history.read_later(), self._operate)
        self._history = PageHistory(
            self.page, switchboard.history, tasks, lambda: self._chosen, lambda: self._show_activity(_now())
        )
        self.empty = EmptyPage(self.add_service)
        self.note = NoteStrip()
        self.unapproved = AskingStrip("Look…", self.show_unapproved)
        self.banner = LabBanner(ground) if ground is not None else None
        self._changed: Callable[[], None] = lambda: None
        window.put_left(self.services)
        window.pages.addWidget(self.page)
        if self.banner is not None:
            window.put_above(self.banner)
            self.banner.acted.connect(lambda: self._refresh(str(ground and ground.service)))
        window.put_above(self.note, visible=False)
        self.note.shown.connect(window.make_room)
        window.put_above(self.unapproved, visible=False)
        self.unapproved.shown.connect(window.make_room)
        self.services.chosen.connect(lambda _: self._show_chosen())
        self.services.add_service.connect(self.add_service)
        self.services.open_accounts.connect(self.open_accounts)
        self._unsubscribe = switchboard.subscribe(self._told)
        self._clock = QTimer(window)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tick)
        self._clock.start()
        self._told(None)
        self._order_tabs()
        self.services.rows.setFocus()

    def on_change(self, changed: Callable[[], None]) -> None:
        """`changed` is called whenever some service's state is another."""
        self._changed = changed

    @property
    def wizards(self) -> dict[str, Wizard]:
        """The open wizards, by service."""
        return self.runs.wizards

    @property
    def working(self) -> list[Work]:
        """The runs that go on in this process."""
        return self.runs.working

    async def finished(self) -> None:
        """Waits until no run is in progress."""
        await asyncio.gather(*(work.over.wait() for work in self.working))

    def open_wizard(self, state: ServiceState) -> None:
        """Opens the wizard for a service, or brings the open one forward."""
        self.runs.open_wizard(state)

    def _opened(self, dialog: QWidget) -> None:
        self.dialog = dialog

    def close(self) -> None:
        """Lets go of the switchboard."""
        self._unsubscribe()
        self._clock.stop()

    def choose(self, service: str) -> None:
        """Shows a service."""
        self.services.choose(service)

    def _order_tabs(self) -> None:
        """Tab goes as one reads: the list, the strip above, the page."""
        reading: list[QWidget] = [
            self.services.filter,
            self.services.rows,
            self.services.add_button,
            self.services.accounts_button,
        ]
        reading += self.banner.buttons.values() if self.banner is not None else ()
        reading += [
            self.unapproved.look,
            self.page.main_button,
            self.page.second_button,
            self.page.more_button,
            self.page,
        ]
        for first, second in itertools.pairwise(reading):
            QWidget.setTabOrder(first, second)

    # Showing

    def _told(self, name: str | None) -> None:
        now = _now()
        if name is None:
            states = self.switchboard.states()
            self.services.show_services(states, now)
            if not states:
                self.window.show_page(self.empty)
            self._show_chosen()
            self.tasks.spawn(self._look_at_settings(), "looking at what may act")
        else:
            state = self.switchboard.state(name)
            self.services.show_state(state, now)
            if name == self.services.current:
                self._show_chosen()
        self.note.show_words(clock_note(self.switchboard.states()))
        self._changed()

    def _show_chosen(self) -> None:
        state = self._chosen
        if state is None:
            return
        now = _now()
        self.page.show_state(state, now)
        self.window.show_page(self.page)
        if self.banner is not None:
            self.banner.show_state(state)
        if self._newest_run(state.service.name) != state.run or not self._runs:
            self.tasks.spawn(self._read_runs(), "reading the journal")
        self._show_activity(now)
        self._history.follow(state)

    def _newest_run(self, service: str) -> Run | None:
        return foremost([r for r in self._runs if r.service == service])

    async def _read_runs(self) -> None:
        self._runs = await self.switchboard.runs()
        self._show_activity(_now())

    def _show_activity(self, now: datetime) -> None:
        chosen = self._chosen
        if chosen is not None:
            name = chosen.service.name
            runs = [r for r in self._runs if r.service == name]
            incidents, gaps = self._history.incidents(name), self._history.gaps
            self.page.show_activity(runs, now, incidents, gaps)

    def _tick(self) -> None:
        if not self.window.isVisible():
            return
        now = _now()
        if self.services.current is not None:
            self.page.tick(now)
            self._history.tick()
        for state in self.switchboard.states():
            self.services.show_state(state, now)

    @property
    def _chosen(self) -> ServiceState | None:
        name = self.services.current
        return self.switchboard.state(name) if name is not None else None

    async def _look_at_settings(self) -> None:
        """Says what of the settings does not act, since it changed outside Changeover."""
        closed = await self.switchboard.trust.unapproved()
        taken_over = TAKEN_OVER if self.switchboard.trust.taken_over else ""
        self.unapproved.show_words(unapproved_words(closed) if closed else taken_over)
        self.unapproved.look.setVisible(bool(closed))

    # Doing

    def _act(self, verb: str, run: Run | None) -> None:
        state = self._chosen
        if state is None:
            return
        run = run or state.run
        if verb == "switch":
            self.runs.open_wizard(state)
        elif verb == "show":
            self.runs.show_progress(state)
        elif verb == "refresh":
            self._refresh(state.service.name)
        elif verb == "checks":
            self._edit_checks(state)
        elif verb == "pin":
            self._pin(state)
        elif verb == "remove":
            self.tasks.spawn(self._remove(state), "removing a service")
        elif verb in SERVICE_VERBS:
            self._service_actions.act(verb, state)
        elif run is not None:
            self.runs.act(verb, run)

    def _edit_checks(self, state: ServiceState) -> None:
        from changeover.desktop.checks.edit_check import EditCheck

        self._show(EditCheck(self.window, self.switchboard, self.tasks, state))

    def _pin(self, state: ServiceState) -> None:
        from changeover.desktop.service.pin_dialog import PinDialog

        self._show(PinDialog(self.window, self.switchboard, self.tasks, state))

    def _operate(self, deployment: str) -> None:
        from changeover.desktop.service.operation_dialog import OperationDialog

        state = self._chosen
        if state is not None:
            arguments = (self.window, self.switchboard, self.tasks, state.service.name, deployment)
            self._show(OperationDialog(*arguments, self.runs.operate, self.runs.act))

    def _refresh(self, service: str) -> None:
        self.tasks.spawn(self.switchboard.refresh(service), f"checking {service}")

    async def _remove(self, state: ServiceState) -> None:
        name = state.service.name
        text = "It is taken out of the settings. Its records stay as they are, and its runs stay in the journal."
        asked = ask.Question(self.window, f"Remove {name}?", text, f"Remove {name}", danger=True)
        self.dialog = asked
        if await ask.answered(asked):
            await self.switchboard.remove_service(name)

    def add_service(self) -> None:
        """Opens the form for a new service."""
        from changeover.desktop.setup.add_service import AddService

        self._show(AddService(self.window, self.switchboard, self.tasks))

    def open_accounts(self) -> None:
        """Opens the list of accounts."""
        from changeover.desktop.setup.accounts import AccountsWindow

        self._show(AccountsWindow(self.window, self.switchboard, self.tasks))

    def show_unapproved(self) -> None:
        """Shows what does not act, and asks whether it may."""
        self.tasks.spawn(self._approve_settings(), "approving settings")

    async def _approve_settings(self) -> None:
        from changeover.desktop.setup.approve_settings import ApproveSettings

        closed = await self.switchboard.trust.unapproved()
        asked = ApproveSettings(self.window, closed)
        self.dialog = asked
        if closed and await ask.answered(asked):
            try:
                await self.switchboard.approve_settings(asked.parts)
            except ChangeoverError as error:
                self.window.fault.show_error(error)

    def _show(self, dialog: QWidget) -> None:
        self.dialog = dialog
        dialog.show()
