"""The practice ground's banner: leads a newcomer through the story in words."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from msgspec import Struct
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from changeover.desktop.widgets.parts import button, label, set_role
from changeover.lab.ground import DEPLOYMENTS, PracticeGround
from changeover.model.health.probe_result import Health
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.run import Outcome
from changeover.model.wording.platform_words import observation_words

STEPS = ("Break the primary", "Switch", "Undo")


class Story(Struct, frozen=True):
    """Where the newcomer is: how many steps are done, and what comes next. `push` is the button to point at."""

    done: int
    text: str
    push: str = ""


def story(state: ServiceState, broken: Collection[str]) -> Story:
    """What to say now."""
    primary, backup = DEPLOYMENTS
    here = state.health.get(state.active)
    if state.working:
        return Story(1, "Watch the steps: each is written down before it is done, and checked afterwards.")
    if state.run is not None and state.run.unfinished:
        return Story(1, "A run has not come to its end. Resume it, undo it, or accept it as it stands.")
    if state.active == backup:
        if primary in broken:
            return Story(2, f"Visitors are at {backup}. Mend {primary}, then press “Undo…”.", f"mend {primary}")
        return Story(2, f"{primary} is mended. Press “Undo…” to bring visitors back exactly as they were.")
    if primary in broken:
        if here is None or here.health is not Health.UNHEALTHY:
            return Story(1, f"{primary} answers 503 now. One bad answer is no outage: Changeover waits for three.")
        if backup in broken:
            return Story(1, f"Both are broken, so there is nowhere to go. Mend {backup} first.", f"mend {backup}")
        return Story(1, f"Changeover has noticed. Press “Switch to {backup}…” and follow the pages.")
    if backup in broken:
        return Story(0, f"{backup} is broken, so it could not take over. See what the findings say.", f"mend {backup}")
    if state.run is not None and state.run.outcome is Outcome.UNDONE:
        return Story(3, "That is the whole story, and it works the same with a service of your own. Try it again.")
    return Story(0, f"Break {primary}: its web server then answers 503 to everybody.", f"break {primary}")


class LabBanner(QFrame):
    """Says that nothing here is real, what to do next, and has the buttons that break and repair."""

    acted = Signal()

    def __init__(self, ground: PracticeGround) -> None:
        super().__init__()
        self._ground = ground
        self.setProperty("role", "calm")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 12, 10)
        row.setSpacing(12)
        words = QVBoxLayout()
        words.setSpacing(3)
        self._steps = label("", "small")
        self.text = label("", "strong")
        self.platform = label("", "small")
        for line in (self._steps, self.text, self.platform):
            words.addWidget(line)
        row.addLayout(words, 1)
        self.buttons: dict[str, QPushButton] = {}
        for name in DEPLOYMENTS:
            self.buttons[name] = button(f"Break {name}", partial(self._press, name))
            row.addWidget(self.buttons[name])

    def show_state(self, state: ServiceState) -> None:
        if state.service.name != self._ground.service:
            return
        broken = self._ground.broken()
        told = story(state, broken)
        marks = (f"✓ {step}" if number < told.done else f"{number + 1}. {step}" for number, step in enumerate(STEPS))
        self._steps.setText(f"This is the practice ground; nothing here is real.   {'   '.join(marks)}")
        self.text.setText(told.text)
        runs = (f"{name}: {observation_words(app.observation)}" for name, app in self._ground.apps.items())
        self.platform.setText("   ".join(runs))
        for name, made in self.buttons.items():
            verb = "mend" if name in broken else "break"
            made.setText(f"{verb.title()} {name}")
            set_role(made, "suggested" if told.push == f"{verb} {name}" else "")

    def _press(self, name: str) -> None:
        if name in self._ground.broken():
            self._ground.mend(name)
        else:
            self._ground.break_(name)
        self.acted.emit()
