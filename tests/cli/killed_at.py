"""Runs `changeover ARGUMENTS` and kills the process, by SIGKILL, right before or after its Nth journal entry.

usage: killed_at.py N before|after ARGUMENTS…
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from changeover.cli import main
from changeover.storage.journal.journal import Journal

number, moment = int(sys.argv[1]), sys.argv[2]
count = 0


class Deadly(Journal):
    """A journal whose process dies at one of its entries."""

    def _append(self, *arguments: Any) -> Any:
        global count
        count += 1
        if count == number and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        entry = super()._append(*arguments)
        if count == number and moment == "after" and not self._open().in_transaction:
            os.kill(os.getpid(), signal.SIGKILL)
        return entry

    def _begin(self, *arguments: Any) -> Any:
        entry = super()._begin(*arguments)
        if count == number and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return entry


import changeover.switchboard  # noqa: E402

changeover.switchboard.Journal = Deadly  # type: ignore[misc]
sys.argv = ["changeover", *sys.argv[3:]]
main()
