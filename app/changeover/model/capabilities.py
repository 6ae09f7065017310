"""What a DNS provider can do, as data that plans and findings are made from."""

from __future__ import annotations

from msgspec import Struct


class BatchLimit(Struct, frozen=True, kw_only=True):
    """How much one batch may hold: a number of records, or else the bytes of one DNS message."""

    records: int | None = None
    message_bytes: int = 64_000


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a DNS provider can do.

    `label` is its name for people. `batch` is how much one atomic batch may hold, None where it changes record by
    record. `native_compare_and_set`: the server itself refuses a change whose expectation does not hold; elsewhere the
    records are read again right before the write. `propagates_atomically`: what one batch changes becomes visible at
    once. `apex_cname`: a CNAME at the apex is legal, because it is flattened.
    """

    label: str
    batch: BatchLimit | None
    native_compare_and_set: bool
    propagates_atomically: bool
    least_ttl: int = 0
    apex_cname: bool = False
    apex_alias: bool = False
