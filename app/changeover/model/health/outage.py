"""Outages that people were told of: what is at fault, and since when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class FaultKind(StrEnum):
    """What several services may have in common that fail at once; kept in the database."""

    #: This computer's view of the DNS.
    DNS = "DNS"
    ROUTING_NAME = "routing name"
    ADDRESS = "address"
    #: Something of one service's own.
    SERVICE = "service"


class Fault(Struct, frozen=True):
    """What is at fault. Services with the same one are told of together. `subject` is its name or address."""

    kind: FaultKind
    subject: str = ""


class Outage(Struct, frozen=True, kw_only=True):
    """One service's outage that was told of and is not over; `told` is when, None where an earlier version told it."""

    fault: Fault
    began: datetime
    told: datetime | None = None
