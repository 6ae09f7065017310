"""The line under a service's sentence: its stage, who must look by when, freezes, and from when a switch is fast."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import label, set_role
from changeover.desktop.widgets.shapes import Mark, MarkWidget
from changeover.model.formatting import clock, duration
from changeover.model.readiness.freeze import freeze_words
from changeover.model.readiness.lifecycle import Lifecycle, Stage, lifecycle, review_words
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.fencing import still_to_do
from changeover.model.runs.ttl import fast_from, prepared_by
from changeover.model.wording.service_status import lacking

_QUIET = (Stage.PROTECTED, Stage.PROTECTED_REVERSED)


def life_of(state: ServiceState, now: datetime) -> Lifecycle | None:
    """The service's stage; None while it is not known where visitors are."""
    if state.snapshot.empty:
        return None
    return lifecycle(state.service, state.active, state.runs, now, lacking(state))


def stage_words(found: Lifecycle, now: datetime) -> str:
    """The stage in a few words: "switched, not committed: undo for 24 min more"."""
    if found.stage is Stage.SWITCHED and found.undo_until is not None and now < found.undo_until:
        return f"switched, not committed: undo for {duration((found.undo_until - now).total_seconds())} more"
    return {
        Stage.PROTECTED: "protected",
        Stage.UNPROTECTED: "not protected: nothing could take over now",
        Stage.SWITCHED: "switched, not committed",
        Stage.COMMITTED: "running without a backup",
        Stage.RE_PROTECTING: "running without a backup; one is being set up",
        Stage.PROTECTED_REVERSED: "protected the other way round",
        Stage.FAILING_BACK: "failing back",
    }[found.stage]


def ttl_words(state: ServiceState, now: datetime) -> str:
    """From when on a switch is fast, where the TTLs were lowered for it; nothing where they were not."""
    ready = fast_from(state.runs, state.service.name)
    if ready is None:
        return ""
    if ready > now:
        left = duration((ready - now).total_seconds())
        return f"TTLs are shortened: a switch is fast from {clock(ready, now)} on, in {left}."
    return "TTLs are shortened: a switch is fast now."


def fence_words(state: ServiceState) -> str:
    """What an emergency left out at the side that failed, and how it is done; nothing where all is done."""
    left = still_to_do(state.runs)
    return "" if left is None else f"{left.words} Do it with: changeover fence {state.service.name}"


def more_verbs(state: ServiceState, now: datetime) -> tuple[str, ...]:
    """Which entries of the menu about the service's life make sense now."""
    found = life_of(state, now)
    lowered = prepared_by(state.runs, state.service.name) is not None
    verbs = ["restore-ttl" if lowered else "shorten-ttl", "unfreeze" if state.overlay.freezes else "freeze"]
    verbs += [verb for verb in ("protect", "acknowledge") if found is not None and verb in found.next]
    return tuple(verbs)


class LifeLine(QWidget):
    """Shows the stage quietly, and in words whatever needs a person."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._mark = MarkWidget()
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        self.badge = label("", "muted")
        self.more = label("", "muted")
        texts.addWidget(self.badge)
        texts.addWidget(self.more)
        row.addLayout(texts, 1)

    def show_state(self, state: ServiceState, now: datetime, said: str = "") -> None:
        """Shows another state, or the next second of the same. What the sentence above `said` is not said again."""
        found = life_of(state, now)
        self.setVisible(found is not None)
        if found is None:
            return
        words = stage_words(found, now)
        self._mark.show_mark(Mark.DEGRADED if found.stage.amber else Mark.HEALTHY, found.badge)
        self.badge.setText(f"{words[:1].upper()}{words[1:]}")
        set_role(self.badge, "muted" if found.stage in _QUIET else "strong")
        nag = review_words(found, now)
        frozen = [f"{freeze_words(f, now)}." for f in state.overlay.freezes]
        left = fence_words(state)
        more = " ".join(part for part in (*frozen, nag, left, ttl_words(state, now)) if part and part not in said)
        self.more.setText(more)
        self.more.setVisible(bool(more))
