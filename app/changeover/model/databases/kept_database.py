"""What a deployment's database said of itself at a moment, kept for when it says nothing."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from changeover.model.databases.database_observation import DatabaseObservation


class KeptDatabase(Struct, frozen=True, kw_only=True):
    """What one said at `at`, by this computer's clock."""

    at: datetime
    observation: DatabaseObservation
