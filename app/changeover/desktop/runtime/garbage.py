"""Python's cyclic garbage, collected on the window's thread only.

The collector runs in whichever thread happens to allocate, such as the one that writes the journal. If a closed window
is part of the garbage, its Qt objects are then destroyed outside the thread that they live in, which ends the process
with a segmentation fault.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_INTERVAL = 500


def collect_here(parent: QObject) -> None:
    """From now on garbage is collected by a timer of this thread, for as long as `parent` lives."""
    gc.disable()
    timer = QTimer(parent)
    timer.setInterval(_INTERVAL)
    timer.timeout.connect(_collect)
    timer.start()


def _collect() -> None:
    """The oldest generation that is due, as the collector itself would choose it."""
    pairs = zip(gc.get_count(), gc.get_threshold(), strict=True)
    due = [generation for generation, (count, threshold) in enumerate(pairs) if count > threshold]
    if due:
        gc.collect(max(due))
