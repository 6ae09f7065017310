"""Where the answers of resolvers lead visitors to after a switch, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from changeover.model.dns.propagation import CachedAnswer
from changeover.model.formatting import counted, duration
from changeover.model.health.probe_result import ProbeResult


def arrival(
    kept: Sequence[CachedAnswer],
    places: Mapping[str, Sequence[str]],
    elsewhere: Mapping[tuple[str, str], ProbeResult],
    at: datetime,
) -> tuple[str, tuple[str, ...]]:
    """What resolvers lead to, in one sentence, and what is wrong with that.

    `places` are the addresses where the new deployment was found, by hostname, `elsewhere` what answered at others.
    That some resolvers have not followed is as it should be while their TTLs last; that one leads nowhere is not.
    Times of day are in the time zone of `at`.
    """
    said = [k for k in kept if k.error is None]
    if not said:
        return ("no resolver answers" if kept else ""), ()
    nowhere = [k for k in said if not k.addresses]
    behind = [k for k in said if k.addresses and not _leads_there(k, places, elsewhere)]
    faults = [
        f"{k.resolver} says that {k.hostname} has no address, for {duration(k.ttl_left)} more" for k in nowhere[:3]
    ]
    whole = len({(k.resolver, k.over) for k in said})
    late = len({(k.resolver, k.over) for k in behind})
    if not behind:
        return ("" if nowhere else f"{_all(whole)} there"), tuple(faults)
    last = max(behind, key=lambda k: k.at + timedelta(seconds=k.ttl_left + 1))
    until = (last.at + timedelta(seconds=last.ttl_left + 1)).astimezone(at.tzinfo)
    seen = sorted({marker for k in behind if (marker := _seen(k, elsewhere)) is not None})
    where = " and ".join(seen) or "another address"
    count = "the resolver still leads" if whole == 1 else f"{late} of {whole} resolvers still lead"
    who = f", the last ({last.resolver})" if late > 1 else ""
    return f"{count} to {where}{who} until {until:%H:%M:%S}", tuple(faults)


def _all(number: int) -> str:
    return "the resolver leads" if number == 1 else f"all {counted(number, 'resolver')} lead"


def _leads_there(
    kept: CachedAnswer, places: Mapping[str, Sequence[str]], elsewhere: Mapping[tuple[str, str], ProbeResult]
) -> bool:
    other = [a for a in kept.addresses if a not in places.get(kept.hostname, ())]
    found = [elsewhere.get((kept.hostname, address)) for address in other]
    return all(result is not None and result.ok is True and result.marker_ok is True for result in found)


def _seen(kept: CachedAnswer, elsewhere: Mapping[tuple[str, str], ProbeResult]) -> str | None:
    found = (elsewhere.get((kept.hostname, address)) for address in kept.addresses)
    return next((r.marker_seen for r in found if r is not None and r.marker_ok is False and r.marker_seen), None)
