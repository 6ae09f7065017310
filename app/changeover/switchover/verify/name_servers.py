"""Waiting until the authoritative servers of every zone have taken over a change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from changeover.dns.lookup.client import Lookup
from changeover.dns.lookup.soa import serials
from changeover.model.dns.change import Change
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.propagation import Serial
from changeover.model.errors import NotFound, Unavailable
from changeover.model.runs.run import StepState
from changeover.model.runs.verification import Verdict, judge_servers
from changeover.switchover.verify.polling import attempts

#: Servers take over a zone one after another: for so many seconds different versions of it are no news.
_IN_STEP = 3.0


async def name_servers(
    lookup: Lookup, changes: Sequence[Change], timeout: float, stop: asyncio.Event, needed: str = "half"
) -> Verdict:
    """Waits until no authoritative server gives another address set, and enough give the new ones, or time is over.

    That is after `timeout` seconds. All are asked directly, at each of their addresses, IPv4 and IPv6, and for the
    version of the zone that they have. The verdict is that of `judge_servers`; `needed` says how many servers must
    answer. Names whose servers answer for a proxy or an alias are left out.
    """
    plain = [c for c in changes if not any(r.opaque for r in (*c.before, *c.after))]
    if not plain:
        return Verdict(StepState.DONE, "the provider's own addresses stand here; the check as a visitor decides")
    verdict = Verdict(StepState.UNKNOWN, "not asked")
    async for passed in attempts(timeout, stop):
        answers, versions = await _ask(lookup, plain)
        verdict = judge_servers(answers, plain, versions, needed)
        if verdict.state is StepState.UNKNOWN:
            continue
        in_step = verdict == judge_servers(answers, plain, needed=needed)
        if in_step or passed >= _IN_STEP:
            break
    return verdict


async def _ask(lookup: Lookup, changes: Sequence[Change]) -> tuple[list[ServerAnswer], list[Serial]]:
    types = sorted({r.type for c in changes for r in (*c.before, *c.after)})
    zones = {zone: dict.fromkeys(c.name for c in changes if c.zone == zone) for zone in {c.zone for c in changes}}
    found = await asyncio.gather(*(_ask_zone(lookup, zone, tuple(zones[zone]), types) for zone in sorted(zones)))
    return [a for answers, _ in found for a in answers], [v for _, versions in found for v in versions]


async def _ask_zone(
    lookup: Lookup, zone: str, names: Sequence[str], types: Sequence[str]
) -> tuple[Sequence[ServerAnswer], Sequence[Serial]]:
    try:
        return await asyncio.gather(lookup.authoritative(zone, names, types), serials(lookup, zone))
    except (Unavailable, NotFound) as error:
        nobody = f"the servers of {zone}"
        return [ServerAnswer(server=nobody, address="", hostname=n, zone=zone, error=error.text) for n in names], []
