"""What came of a journey: a few requests in a row, as a visitor would make them."""

from __future__ import annotations

from msgspec import Struct


class JourneyResult(Struct, frozen=True, kw_only=True):
    """One journey at one deployment. `text` says how it went; for a bad one, which step failed and why.

    `ok` is None where it could not be tried from this computer. Nothing that was captured on the way is in it.
    """

    journey: str
    deployment: str
    hostname: str
    address: str
    ok: bool | None
    text: str
    seconds: float | None = None
