"""What a visitor gets: the public name, resolved as everybody does, and who answers there."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from changeover.model.health import ProbeResult


class Visit(Struct, frozen=True, kw_only=True):
    """One visit to a hostname by public DNS, at one moment.

    `deployment` is the one whose marker was seen; None where none was, or no marker is set. `result` is None where the
    name could not be resolved; `text` then says why.
    """

    hostname: str
    at: datetime
    text: str
    result: ProbeResult | None = None
    deployment: str | None = None

    @property
    def ok(self) -> bool | None:
        return self.result.ok if self.result is not None else None
