"""What can be done with a service besides switching it: its TTLs, a freeze, its backup, an emergency that was seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from PySide6.QtWidgets import QComboBox, QWidget

from changeover.desktop.main_window import MainWindow
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.service.pin_dialog import TIMES
from changeover.desktop.widgets import questions as ask
from changeover.desktop.wizard.undo_question import about_plan
from changeover.model.errors import ChangeoverError
from changeover.model.readiness.service_state import ServiceState
from changeover.storage.home import this_person
from changeover.switchboard import Switchboard

#: What the ⋯ menu offers of these, in words.
SERVICE_VERBS = {
    "shorten-ttl": "Shorten TTLs…",
    "restore-ttl": "Restore TTLs…",
    "freeze": "Freeze…",
    "unfreeze": "Unfreeze",
    "protect": "Say that there is a backup again…",
    "acknowledge": "Acknowledge",
}


class FreezeQuestion(ask.ReasonQuestion):
    """Asks why nothing may be switched, and for how long."""

    def __init__(self, parent: QWidget | None, service: str) -> None:
        text = (
            "Nothing of it is switched until then; an emergency may override that by name. A run can still be undone "
            "or resumed."
        )
        super().__init__(parent, f"Freeze {service}?", text, "Freeze")
        self.reason.setPlaceholderText("Reason; it is shown wherever the service is")
        self.until = QComboBox()
        self.until.setAccessibleName("How long")
        for words, seconds in TIMES:
            self.until.addItem(words, seconds)
        self.body.addWidget(self.until)


class ServiceActions:
    """Asks what must be asked, does it, and shows what speaks against it in the main window."""

    def __init__(
        self,
        window: MainWindow,
        switchboard: Switchboard,
        tasks: Tasks,
        opened: Callable[[QWidget], object],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._window = window
        self._switchboard = switchboard
        self._tasks = tasks
        self._opened = opened
        self._changed = changed

    def act(self, verb: str, state: ServiceState) -> None:
        """Does what an entry of the menu says: a key of SERVICE_VERBS."""
        acts: dict[str, Callable[[ServiceState], Coroutine[Any, Any, None]]] = {
            "shorten-ttl": self._shorten,
            "restore-ttl": self._restore,
            "freeze": self._freeze,
            "unfreeze": self._unfreeze,
            "protect": self._protect,
            "acknowledge": self._acknowledge,
        }

        async def told() -> None:
            try:
                await acts[verb](state)
            except ChangeoverError as error:
                self._window.fault.show_error(error)
            await self._changed()

        self._tasks.spawn(told(), f"{verb} of {state.service.name}")

    async def _yes(self, asked: ask.Question) -> bool:
        self._opened(asked)
        return await ask.answered(asked)

    async def _shorten(self, state: ServiceState) -> None:
        service = state.service
        text = (
            f"The TTL of every record of {service.name} is lowered to {service.ttl} s, and nobody is sent elsewhere. "
            "Once all that resolvers still keep is forgotten, a switch is seen that soon. The old TTLs come back "
            "when a switch is kept, or by “Restore TTLs”."
        )
        prepared = await self._switchboard.prepare_ttl(service.name, service.ttl)
        asked = about_plan(self._window, f"Shorten the TTLs of {service.name}?", text, "Shorten TTLs", prepared.plan)
        if await self._yes(asked):
            await self._switchboard.change_ttl(prepared, who=this_person())

    async def _restore(self, state: ServiceState) -> None:
        name = state.service.name
        prepared = await self._switchboard.prepare_ttl(name, restore=True)
        text = "Every record gets the TTL back that it had before. Nobody is sent elsewhere."
        asked = about_plan(self._window, f"Restore the TTLs of {name}?", text, "Restore TTLs", prepared.plan)
        if await self._yes(asked):
            await self._switchboard.change_ttl(prepared, who=this_person())

    async def _freeze(self, state: ServiceState) -> None:
        asked = FreezeQuestion(self._window, state.service.name)
        if await self._yes(asked):
            reason, seconds = asked.reason.text().strip(), float(asked.until.currentData())
            await self._switchboard.freeze(state.service.name, reason, seconds, who=this_person())

    async def _unfreeze(self, state: ServiceState) -> None:
        for freeze in state.overlay.freezes:
            await self._switchboard.unfreeze(freeze.service, who=this_person())

    async def _protect(self, state: ServiceState) -> None:
        found = await self._switchboard.lifecycle(state.service.name)
        text = "Some other deployment must be able to take over now; that is checked first."
        asked = ask.NoteQuestion(
            self._window, "Is there a backup again?", text, "There is a backup", note="Which, and how it was proven"
        )
        if found.run is not None and await self._yes(asked):
            await self._switchboard.protect(found.run, asked.note.text().strip(), who=this_person())

    async def _acknowledge(self, state: ServiceState) -> None:
        emergency = next((r for r in state.runs if r.emergency and r.acknowledged is None), None)
        if emergency is not None:
            await self._switchboard.acknowledge(emergency.run, who=this_person())
