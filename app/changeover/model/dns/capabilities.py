"""What a DNS provider can do, as data that plans and findings are made from."""

from __future__ import annotations

from msgspec import Struct

from changeover.model.dns.records import RecordSet


class BatchLimit(Struct, frozen=True, kw_only=True):
    """How much one batch may hold: a number of records, or else the bytes of one DNS message."""

    records: int | None = None
    message_bytes: int = 64_000


class Lag(Struct, frozen=True):
    """For how many seconds after a write, at most, `call` may still show what stood before it.

    The providers' 60 seconds are an assumption: only Route 53 was found to say anything, that ListResourceRecordSets
    is consistent with changes at once. They cost nothing where a reading is current, since only one that shows what
    stood before is waited for, and what name servers give is told all the same.
    """

    seconds: float
    call: str


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a DNS provider can do.

    `label` is its name for people. `batch` is how much one atomic batch may hold, None where it changes record by
    record. `native_compare_and_set`: the server itself refuses a change whose expectation does not hold; elsewhere the
    records are read again right before the write. `propagates_atomically`: what one batch changes becomes visible at
    once. `apex_cname`: a CNAME at the apex is legal, because it is flattened. `automatic_ttl`: a TTL of 1 stands for
    this many seconds. `leases`: it keeps texts by compare-and-set, and guards writes with them
    (changeover.model.dns.lease). `settles`: the seconds within which a write is made whose answer was lost. `lag`: how
    far its readings may be behind its writes, None where they never are.
    """

    label: str
    batch: BatchLimit | None
    native_compare_and_set: bool
    propagates_atomically: bool
    least_ttl: int = 0
    automatic_ttl: int | None = None
    apex_cname: bool = False
    apex_alias: bool = False
    leases: bool = False
    settles: float = 1.0
    lag: Lag | None = None

    @property
    def shown_within(self) -> float:
        """The seconds after a write within which a reading shows what became of it."""
        return max(self.settles, self.lag.seconds if self.lag is not None else 0.0)

    def seconds(self, record: RecordSet) -> int:
        """How long a resolver may go on giving this record set. Behind a proxy nothing that visitors get changes."""
        if record.ttl == 1 and self.automatic_ttl is not None:
            return 0 if record.opaque else self.automatic_ttl
        return record.ttl
