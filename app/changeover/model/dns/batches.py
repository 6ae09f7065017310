"""How changes are put into batches that their provider takes at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from changeover.model.dns.capabilities import BatchLimit, Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import NAME_TYPES

#: Owner (a pointer), type, class, TTL, length: what a record takes in a DNS message beside its data.
_RECORD = 12
#: Prerequisites on address types, and those on all other types that a new CNAME needs besides.
_ADDRESS_TYPES, _OTHER_TYPES = 5, 14
#: A name can be pointed at only from within this many bytes (RFC 1035, 4.1.4), so all of them must stand there.
_POINTED_AT = 15_000
#: Bytes that are kept free in a message for a guard (changeover.dns.provider.Guard): the lease and a text beside it.
_GUARD = 600


def share(change: Change, limit: BatchLimit) -> float:
    """How much of one batch a change takes at most, where 1 is all of it."""
    before = [value for record in change.before for value in record.values]
    after = [value for record in change.after for value in record.values]
    if limit.records is not None:
        return (len(before) + len(after)) / limit.records
    name = len(change.name) - len(change.zone)  # what it has beside the zone's name, which is only pointed at
    first = name + _RECORD + _data(change, before=True)
    needs_alone = any(r.type == "CNAME" for r in change.after) and all(r.type != "CNAME" for r in change.before)
    prerequisites = _ADDRESS_TYPES + len(before) + (_OTHER_TYPES if needs_alone else 0)
    records = prerequisites + len(change.before) + len(after)
    whole = name + records * _RECORD + _data(change, before=True) + _data(change, before=False)
    return max(whole / limit.message_bytes, first / _POINTED_AT)


def guard_share(limit: BatchLimit) -> float:
    """How much of one batch is kept free for a guard. Where records are counted, a guard is read and not written."""
    return 0.0 if limit.records is not None else _GUARD / _POINTED_AT


def _data(change: Change, before: bool) -> int:
    sizes = {"A": 4, "AAAA": 16}
    records = change.before if before else change.after
    return sum(
        sizes.get(record.type, len(value) + 2 if record.type in NAME_TYPES else len(value) + 10)
        for record in records
        for value in record.values
    )


def batches(changes: Sequence[Change], capabilities: Mapping[str, Capabilities]) -> Iterator[tuple[Change, ...]]:
    """`changes` in batches, each at one account and zone and no larger than its provider takes at once.

    A batch is split between hostnames, never within one. Where a provider changes record by record, every hostname is
    a batch of its own.
    """
    for (account, _), group in itertools.groupby(sorted(changes, key=_where), key=_where):
        limit = capabilities[account].batch
        batch: list[Change] = []
        free = full = 0.0 if limit is None else guard_share(limit)
        for change in group:
            size = 1.0 if limit is None else share(change, limit)
            if batch and full + size > 1 + 1e-9:  # 20 times 0.05 is a little more than 1
                yield tuple(batch)
                batch, full = [], free
            batch.append(change)
            full += size
        yield tuple(batch)


def _where(change: Change) -> tuple[str, str]:
    return (change.account, change.zone)
