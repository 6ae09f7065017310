"""The card of what runs where: each deployment that a platform runs, and the way to what that can be asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from changeover.accounts.kinds import KINDS
from changeover.desktop.widgets.parts import Card, button, clear, label
from changeover.dns.providers.help import as_written
from changeover.model.formatting import age
from changeover.model.platforms.platform_observation import KeptObservation
from changeover.model.readiness.service_state import ServiceState
from changeover.model.settings.platform import ANY_ADDRESS
from changeover.model.settings.service import Deployment
from changeover.model.wording.running_words import running_lines


def place_words(deployment: Deployment) -> str:
    """Which app of which account a deployment is: "Heroku, account heroku-me, app shop-prod"."""
    kind = KINDS.platform(deployment.platform)
    keys = [f"{key.replace('_', ' ')} {as_written(value)}" for key, value in deployment.options.items() if value]
    return ", ".join([kind.label if kind is not None else deployment.platform, f"account {deployment.account}", *keys])


def running_text(kept: KeptObservation | None, now: datetime) -> str:
    """What runs there as it was said last, and when that was."""
    if kept is None:
        return "Nothing is known yet of what runs there."
    lines = running_lines(kept.observation, now) or ("It tells nothing of what runs there.",)
    return "\n".join([*lines, f"As its platform said {age(kept.at, now)}."])


class RunningRow(QWidget):
    """One deployment: what runs of it, and a button. `operate` is called with its name."""

    def __init__(self, deployment: Deployment, operate: Callable[[str], object]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(deployment.name, "strong"))
        words.addWidget(label(place_words(deployment), "muted"))
        self.said = label()
        words.addWidget(self.said)
        row.addLayout(words, 1)
        name = f"Operations at {deployment.name}"
        self.button = button("Operations…", partial(operate, deployment.name), name=name)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)

    def show_kept(self, kept: KeptObservation | None, busy: bool, now: datetime) -> None:
        """Shows what was said last. `busy`: a run goes on, so that nothing can be asked."""
        text = running_text(kept, now)
        if text != self.said.text():
            self.said.setText(text)
        self.button.setEnabled(not busy)
        self.button.setToolTip("A run goes on; wait for its end" if busy else "What its platform can be asked to do")


class RunningCard(Card):
    """Every deployment that a platform runs. Hidden where there is none."""

    def __init__(self, operate: Callable[[str], object]) -> None:
        super().__init__("What runs where")
        self._operate = operate
        self._deployments: tuple[Deployment, ...] = ()
        self.rows: dict[str, RunningRow] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self.body.addLayout(self._list)

    def show_state(self, state: ServiceState, now: datetime) -> None:
        """Shows what is known, in place."""
        steered = tuple(d for d in state.service.deployments if d.platform != ANY_ADDRESS)
        self.setVisible(bool(steered))
        if steered != self._deployments:
            self._deployments = steered
            clear(self._list)
            self.rows = {d.name: RunningRow(d, self._operate) for d in steered}
            for row in self.rows.values():
                self._list.addWidget(row)
        for name, row in self.rows.items():
            row.show_kept(state.snapshot.platforms.get(name), state.working, now)
