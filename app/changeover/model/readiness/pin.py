"""A person's word against the probes': a deployment is held healthy, unhealthy or out of use, with reason and end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Hold(StrEnum):
    """What a person says of a deployment. `never`: no switch may lead there."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NEVER = "never"


class Pin(Struct, frozen=True, kw_only=True):
    """One deployment's pin. It is kept in the database, not in the settings, and ends by itself."""

    service: str
    deployment: str
    hold: Hold
    reason: str
    set_at: datetime
    until: datetime
