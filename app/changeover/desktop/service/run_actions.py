"""What can be done with runs: start, follow, pause, resume, undo, keep, accept, report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any

from PySide6.QtWidgets import QWidget

from changeover.desktop.main_window import MainWindow
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.widgets import questions as ask
from changeover.desktop.wizard.dialog import Wizard
from changeover.desktop.wizard.run_in_progress import Start, Work
from changeover.desktop.wizard.undo_question import about_plan, about_undo
from changeover.model.errors import ChangeoverError, Refused
from changeover.model.health.soak import Soak, SoakState, soak_until
from changeover.model.readiness.service_state import Preparation, ServiceState
from changeover.model.runs.plan import Plan, PlanKind
from changeover.model.runs.run import Direction, Outcome, Run
from changeover.storage.home import this_person
from changeover.switchboard import Switchboard


class RunActions:
    """Holds the runs that go on in this process, and the wizards that show them.

    `opened` is told of each question that is put, `changed` is awaited where the journal has something new.
    """

    def __init__(
        self,
        window: MainWindow,
        switchboard: Switchboard,
        tasks: Tasks,
        opened: Callable[[QWidget], object],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self.wizards: dict[str, Wizard] = {}
        self._window = window
        self._switchboard = switchboard
        self._tasks = tasks
        self._opened = opened
        self._changed = changed
        self._works: dict[str, Work] = {}
        #: By run, what the time after it shows; None until the first look.
        self._soaking: dict[str, Soak | None] = {}
        self._looking: dict[str, asyncio.Task[Any]] = {}

    @property
    def working(self) -> list[Work]:
        """The runs that go on in this process."""
        return [work for work in self._works.values() if not work.done]

    def act(self, verb: str, run: Run) -> None:
        """Does what a button of a run says: a key of `activity.VERBS`, or "report"."""
        if verb == "resume":
            self.show_run(run)
            return
        acts = {"undo": self._undo, "accept": self._accept, "commit": self._commit, "report": self._report}
        self._do(acts[verb](run), run, verb)

    def _do(self, work: Coroutine[Any, Any, None], run: Run, name: str) -> None:
        """Starts something about a run. What speaks against it is shown in the window that is in front."""

        async def told() -> None:
            try:
                await work
            except ChangeoverError as error:
                wizard = self.wizards.get(run.service)
                (wizard or self._window).fault.show_error(error)

        self._tasks.spawn(told(), f"{name} of run {run.run}")

    # Wizards

    def open_wizard(self, state: ServiceState) -> None:
        """Opens the wizard for a service, or brings the open one forward."""
        wizard = self.wizards.get(state.service.name)
        if wizard is None:
            self._open(state)
        else:
            wizard.raise_()
            wizard.activateWindow()

    def show_progress(self, state: ServiceState) -> None:
        """Shows the run that goes on, in whichever process."""
        work = self._works.get(state.service.name)
        if work is not None and not work.done:
            self._follow(work)
        elif state.run is not None:
            self.show_run(state.run)

    def show_run(self, run: Run) -> None:
        """Shows a run that was left, or that goes on elsewhere, with its steps and the ways on."""
        wizard = self.wizards.get(run.service)
        if wizard is None:
            self._open(self._switchboard.state(run.service), run=run)
        else:
            wizard.show_run(run)
            wizard.raise_()

    def _open(self, state: ServiceState, work: Work | None = None, run: Run | None = None) -> None:
        name = state.service.name
        wizard = Wizard(self._window, self._switchboard, self._tasks, state, self, work=work, run=run)
        self.wizards[name] = wizard
        wizard.finished.connect(lambda _: self._closed(name))
        wizard.show()

    def _closed(self, name: str) -> None:
        self.wizards.pop(name).deleteLater()

    def _follow(self, work: Work) -> None:
        wizard = self.wizards.get(work.service)
        if wizard is None:
            self._open(self._switchboard.state(work.service), work=work)
        else:
            wizard.follow(work)
            wizard.raise_()

    # What a wizard has done

    def begin(self, preparation: Preparation, overrides: dict[str, str], why: str) -> Work:
        """Starts the prepared switch."""
        start = partial(self._switchboard.switch, preparation, overrides, who=this_person(), why=why)
        return self._work(preparation.service, preparation.to, start, "switch")

    def resume(self, run: Run) -> Work:
        """Goes on with an unfinished run."""
        start = partial(self._switchboard.resume, run.run, who=this_person())
        return self._work(run.service, run.plan.to, start, f"resume of run {run.run}")

    def operate(self, plan: Plan) -> Work:
        """Starts what was planned at a deployment's platform."""
        start = partial(self._switchboard.operate, plan, who=this_person())
        return self._work(plan.service, plan.to, start, plan.steps[0].name, moves=False)

    def undo(self, run: Run) -> None:
        """Asks, and takes a run back."""
        self._do(self._undo(run), run, "undo")

    def back_out(self, run: Run, work: Work) -> None:
        """Stops a run after its step in hand, and takes back what it did."""

        async def back() -> None:
            work.stop.set()
            await work.over.wait()
            found = await self._switchboard.run(run.run)
            if "undo" in found.next:
                self._follow(self._undoing(found))

        self._do(back(), run, "going back")

    def keep(self, run: Run) -> None:
        """Ends the undo window."""
        self._do(self._commit(run), run, "keeping")

    def soak(self, run: Run) -> Soak | None:
        """What the time after a switch shows so far. It goes on without the window that shows it, and ends here."""
        switched = run.direction is Direction.FORWARD and run.plan.kind is PlanKind.SWITCH
        fresh = run.ended is not None and datetime.now(UTC) < soak_until(run.ended)
        if switched and fresh and run.outcome is Outcome.COMPLETED and run.run not in self._soaking:
            self._soaking[run.run] = None
            self._looking[run.service] = self._tasks.spawn(self._look_on(run), f"looking on after run {run.run}")
        return self._soaking.get(run.run)

    async def _look_on(self, run: Run) -> None:
        def seen(soak: Soak) -> None:
            self._soaking[run.run] = soak

        end = await self._switchboard.soak(run, seen)
        if end is not None and end.state is SoakState.WORSENED and run.service not in self.wizards:
            self._window.fault.show_words(f"{run.service}: {end.text}.", "Look at it, or undo the switch.")

    def save(self, run: Run) -> None:
        """Saves the report of a run."""
        self._do(self._save(run), run, "saving the report")

    def _work(self, service: str, to: str, start: Start, name: str, *, moves: bool = True) -> Work:
        if moves and service in self._looking:
            self._looking.pop(service).cancel()  # visitors are moved again: what is seen then says nothing of that run
        work = Work(service, to, start)
        self._works[service] = work
        work.ended.connect(lambda: self._look_after(work.run) if work.run is not None else None)
        self._tasks.spawn(work.go(), f"{name} of {service}")
        return work

    def _look_after(self, run: Run) -> None:
        """What is looked at once a run has ended here: how visitors fare, or what a platform runs now."""
        self.soak(run)
        if run.forward.kind is PlanKind.OPERATION:
            self._tasks.spawn(self._read_platform(run), f"reading {run.to} after run {run.run}")

    async def _read_platform(self, run: Run) -> None:
        await self._switchboard.read_platforms(run.service, run.to)
        await self._switchboard.refresh(run.service)

    def _front(self, run: Run) -> QWidget:
        return self.wizards.get(run.service, self._window)

    async def _yes(self, asked: ask.Question) -> bool:
        self._opened(asked)
        return await ask.answered(asked)

    def _undoing(self, run: Run, shown: Plan | None = None, anyway: bool = False) -> Work:
        start = partial(self._switchboard.undo, run.run, who=this_person(), anyway=anyway, shown=shown)
        moves = run.forward.kind.moves_visitors
        return self._work(run.service, run.source, start, f"undo of run {run.run}", moves=moves)

    async def _undo(self, run: Run) -> None:
        """Shows what an undo puts back; where somebody changed something since, the difference as well."""
        changed = ""
        try:
            plan = await self._switchboard.undo_plan(run.run)
        except Refused as refused:
            plan = await self._plan_anyway(run, refused)
            changed = refused.text
        doubt = (await self._switchboard.way_back(run.run)).doubt
        asked = about_undo(self._front(run), run.run, plan, run.committed is not None, changed, doubt)
        if await self._yes(asked):
            self._follow(self._undoing(run, plan, anyway=bool(changed)))

    async def _plan_anyway(self, run: Run, refused: Refused) -> Plan:
        """The undo that replaces what somebody else changed. Raises `refused` where that was not the reason."""
        if "undo" not in (await self._switchboard.run(run.run)).next:
            raise refused
        return await self._switchboard.undo_plan(run.run, anyway=True)

    async def _accept(self, run: Run) -> None:
        text = "The run is ended as it stands: no record is changed by this, and the service can be switched again."
        asked = ask.ReasonQuestion(self._front(run), f"Accept run {run.run} as it stands?", text, "Accept")
        if await self._yes(asked):
            await self._switchboard.accept(run.run, asked.reason.text(), who=this_person())
            await self._changed()

    async def _commit(self, run: Run) -> None:
        restored = await self._switchboard.restored_by(run.run)
        if restored is not None:
            text = "The TTLs that were lowered for it are given back. Nobody is sent elsewhere."
            asked = about_plan(self._front(run), f"Keep run {run.run}?", text, "Keep it", restored.plan)
            if not await self._yes(asked):
                return
        kept = await self._switchboard.commit(run.run, who=this_person())
        wizard = self.wizards.get(run.service)
        if wizard is not None and wizard.run is not None and wizard.run.run == kept.run:
            wizard.show_run(kept)
        await self._changed()

    async def _report(self, run: Run) -> None:
        from changeover.switchover.report import markdown

        view = ask.ReportView(self._front(run), run.run, markdown(run), partial(self.save, run))
        self._opened(view)
        await ask.answered(view)

    async def _save(self, run: Run) -> None:
        from changeover.switchover.report import html_page, markdown

        file = await ask.where_to_save(self._front(run), f"{run.run}.md")
        if file is None:
            return
        text = html_page(run) if file.suffix in (".html", ".htm") else markdown(run)
        try:
            await asyncio.to_thread(file.write_text, text, encoding="utf-8")
        except OSError as error:
            self._window.fault.show_words(f"{file} could not be written: {error.strerror}", "Choose another folder.")
