"""Everything about the chosen service on one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape

from msgspec import Struct
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from changeover.desktop.history.chart import ResponseChart
from changeover.desktop.history.history_card import HistoryCard
from changeover.desktop.service.activity_card import ActivityCard
from changeover.desktop.service.lifecycle_line import LifeLine, more_verbs
from changeover.desktop.service.platforms_card import PlatformsCard
from changeover.desktop.service.route import RouteDiagram
from changeover.desktop.service.running_card import RunningCard
from changeover.desktop.service.service_actions import SERVICE_VERBS
from changeover.desktop.widgets.colours import colours
from changeover.desktop.widgets.findings_card import FindingsCard
from changeover.desktop.widgets.parts import Elided, button, caption, label, selectable, set_role
from changeover.desktop.widgets.shapes import of_state
from changeover.model.health.history import Gap, Incident
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import Outcome, Run
from changeover.model.wording.sentence import sentence, urgent
from changeover.model.wording.service_status import ServiceStatus, lacking, service_status

#: Below this width the two cards stand under each other.
NARROW = 720


#: Where nothing suggests a switch: there is no better place, or nothing is known. The button then only stands ready.
_NO_SUGGESTION = (ServiceStatus.DOWN, ServiceStatus.OFFLINE)


#: What the ⋯ menu offers.
MORE = (
    ("Check now", "refresh"),
    ("How it is checked…", "checks"),
    ("Pin a deployment…", "pin"),
    *((words, verb) for verb, words in SERVICE_VERBS.items()),
    ("Remove this service…", "remove"),
)


class PageButton(Struct, frozen=True):
    """A button of the page: what it says, what it does, and its look."""

    text: str
    verb: str
    role: str = "primary"


def main_action(state: ServiceState) -> PageButton:
    """The one primary button."""
    if state.working:
        return PageButton("Show progress", "show")
    if state.run is not None and state.run.outcome is Outcome.RUNNING:
        return PageButton("Show progress", "show")
    if state.run is not None and "resume" in state.run.next:
        return PageButton(f"Resume run {state.run.run}…", "resume")
    if state.run is not None and state.run.unreadable and state.run.unfinished:
        return PageButton(f"Accept run {state.run.run}…", "accept")
    if state.target is None:
        return PageButton("Switch…", "")
    if not urgent(state) and lacking(state) is not None:
        return PageButton("Switch…", "switch", "")  # after a failover the target is the side that is broken
    role = "danger" if urgent(state) else "" if service_status(state) in _NO_SUGGESTION else "primary"
    return PageButton(f"Switch to {state.target}…", "switch", role)


def second_action(state: ServiceState) -> PageButton | None:
    """What stands beside it, where the newest run can be taken back."""
    run = state.run
    if state.working or run is None or "undo" not in run.next:
        return None
    moved = run.forward.kind is PlanKind.SWITCH and run.to == state.active
    fresh = run.outcome is Outcome.COMPLETED and run.committed is None and moved
    return PageButton("Undo…", "undo", "") if fresh or run.unfinished else None


class ServicePage(QScrollArea):
    """The page of the chosen service. `act` is called with what to do and, for a run's buttons, with the run."""

    def __init__(
        self,
        act: Callable[[str, Run | None], None],
        wanted: Callable[[], object] = lambda: None,
        operate: Callable[[str], object] = lambda _: None,
    ) -> None:
        """`wanted` is called when the history of another length of time must be read, `operate` with a deployment."""
        super().__init__()
        self._act = act
        self._state: ServiceState | None = None
        self._sentence = ""
        self._now = datetime.now().astimezone()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("The chosen service")
        inside = QWidget()
        inside.setObjectName("page")
        self.setWidget(inside)
        column = QVBoxLayout(inside)
        column.setSpacing(14)
        column.addLayout(self._header())
        self.route = RouteDiagram()
        column.addWidget(self.route)
        self.findings = FindingsCard()
        self.history = HistoryCard(wanted)
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pair.setSpacing(14)
        self.activity = ActivityCard(act)
        right = QVBoxLayout()
        right.setSpacing(14)
        right.addWidget(self.history)
        right.addWidget(self.activity)
        right.addStretch(1)
        self._pair.addWidget(self.findings, 9)
        self._pair.addLayout(right, 8)
        column.addLayout(self._pair)
        self.running = RunningCard(operate)
        column.addWidget(self.running)
        self.platforms = PlatformsCard()
        column.addWidget(self.platforms)
        column.addStretch(1)
        self._column = column

    def _header(self) -> QVBoxLayout:
        top = QHBoxLayout()
        top.setSpacing(8)
        names = QVBoxLayout()
        names.setSpacing(2)
        self.title = Elided("", "title")
        self.hostnames = Elided("", "muted")
        names.addWidget(self.title)
        names.addWidget(self.hostnames)
        top.addLayout(names, 1)
        self.main_button = button("Switch…", lambda: self._act(self.main_button.property("verb"), None), "primary")
        self.second_button = button("Undo…", lambda: self._act("undo", None))
        self.more_button = button("⋯", name="More")
        self.more_button.setToolTip("More")
        self.more_menu = QMenu(self.more_button)
        self.more_actions = {verb: self.more_menu.addAction(text) for text, verb in MORE}
        for verb, made_action in self.more_actions.items():
            made_action.triggered.connect(lambda _=False, verb=verb: self._act(verb, None))
        self.more_button.setMenu(self.more_menu)
        for made in (self.main_button, self.second_button, self.more_button):
            top.addWidget(made, 0, Qt.AlignmentFlag.AlignTop)
        self.sentence = label()
        self.sentence.setTextFormat(Qt.TextFormat.RichText)
        header = QVBoxLayout()
        header.setSpacing(6)
        header.addLayout(top)
        header.addWidget(self.sentence)
        self.life = LifeLine()
        header.addWidget(self.life)
        return header

    def show_state(self, state: ServiceState, now: datetime) -> None:
        """Shows another state, in place."""
        self._state = state
        self.title.show_text(state.service.name)
        self.hostnames.show_text(", ".join(state.service.hostnames))
        action = main_action(state)
        self.main_button.setText(caption(action.text))
        self.main_button.setProperty("verb", action.verb)
        self.main_button.setEnabled(bool(action.verb))
        set_role(self.main_button, action.role)
        self.second_button.setVisible(second_action(state) is not None)
        self.route.show_state(state, now)
        self.history.show_state(state, now)
        self.findings.show_state(state)
        self.running.show_state(state, now)
        self.platforms.show_state(state, now)
        able = more_verbs(state, now)
        for verb in SERVICE_VERBS:
            self.more_actions[verb].setVisible(verb in able)
        self._show_sentence(now)

    @property
    def chart(self) -> ResponseChart:
        return self.history.chart

    def show_activity(
        self, runs: Sequence[Run], now: datetime, incidents: Sequence[Incident] = (), gaps: Sequence[Gap] = ()
    ) -> None:
        """Shows what happened: runs, incidents and times in which nothing was seen."""
        busy = self._state is not None and self._state.working
        self.activity.show_activity(runs, busy, now, incidents, gaps)

    def tick(self, now: datetime) -> None:
        """A second has passed."""
        if self._state is not None:
            self._show_sentence(now)
            self.route.tick(now)
            self.running.show_state(self._state, now)

    def _show_sentence(self, now: datetime) -> None:
        assert self._state is not None
        self._now = now
        words = sentence(self._state, now)
        self.life.show_state(self._state, now, words.text)
        tone = of_state(self._state).tone(colours()).name()
        urgent_part = f'<b style="color:{tone}">{escape(words.urgent)}</b> ' if words.urgent else ""
        made = urgent_part + escape(words.rest)
        if made != self._sentence:
            self._sentence = made
            self.sentence.setText(made)
            self.sentence.setAccessibleName(words.text)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and self._state is not None:
            self._sentence = ""
            self.tick(self._now)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        bar = self.width() - event.size().width()
        self._column.setContentsMargins(24, 18, 24 - bar, 24)
        narrow = event.size().width() < NARROW
        self._pair.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)


class EmptyPage(QWidget):
    """What a newcomer sees: what this is for, and the first step."""

    def __init__(self, add_service: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 48, 48, 48)
        column.addStretch(2)
        column.addWidget(label("No services yet", "title"))
        column.addSpacing(4)
        column.addWidget(
            label(
                "Changeover watches a web application and its backup, and moves visitors to the backup by changing "
                "DNS when you say so. Start with the address that your visitors use; nothing is changed."
            )
        )
        column.addSpacing(8)
        row = QHBoxLayout()
        self.add_button = button("Add a service…", add_service, "primary")
        row.addWidget(self.add_button)
        row.addStretch(1)
        column.addLayout(row)
        column.addSpacing(16)
        column.addWidget(
            label("Only want to try it? Run “changeover lab”: a practice ground on this computer.", "muted")
        )
        column.addStretch(3)


class WordsPage(QFrame):
    """A page of words only: before anything is read, or where it could not be."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 48, 48, 48)
        column.addStretch(2)
        self.title = label("", "title")
        self.text = selectable(label())
        self.hint = selectable(label("", "muted"))
        for made in (self.title, self.text, self.hint):
            column.addWidget(made)
        column.addStretch(3)

    def show_words(self, title: str, text: str = "", hint: str = "") -> None:
        self.title.setText(title)
        self.text.setText(text)
        self.hint.setText(hint)
