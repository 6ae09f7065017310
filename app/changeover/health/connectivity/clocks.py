"""This computer's clocks, read together."""

from __future__ import annotations

import sys
import time

from changeover.model.health.clock_gap import Clocks

#: The clock that goes on during sleep, where time.monotonic() stands still meanwhile. Elsewhere that one goes on.
_BOOT = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}.get(sys.platform)


def read_clocks() -> Clocks:
    """All clocks now."""
    boot = time.clock_gettime(getattr(time, _BOOT)) if _BOOT else None
    return Clocks(wall=time.time(), monotonic=time.monotonic(), boot=boot)
