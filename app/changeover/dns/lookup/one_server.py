"""What one authoritative server says of hostnames: each type by itself, and whether it is the zone's own answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence

import dns.exception
import dns.rcode
from msgspec.structs import replace

from changeover.dns.wire.answer import WireAnswer, answer_to, question_wire
from changeover.dns.wire.exchange import NoRoute, Server, Unfinished, ask_wire, exchange
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import address_set, names_above
from changeover.model.errors import Unavailable

TYPES = ("A", "AAAA", "HTTPS", "SVCB")
_FAMILIES = ("A", "AAAA")
#: Where a server fails at these, visitors go by the addresses.
_OPTIONAL = {"HTTPS", "SVCB"}

_Answers = dict[tuple[str, str], WireAnswer | None]


async def said_by(
    label: str, server: Server, zone: str, hostnames: Sequence[str], types: Sequence[str], timeout: float
) -> list[ServerAnswer]:
    """What `server`, told as `label`, says of each hostname, each question within `timeout` seconds.

    A server that is silent or wrong gives answers with `error`, so this raises nothing.
    """
    # By type, so that the usual ones are answered when a server ends or falls silent at another.
    asked = [(name, rtype) for rtype in types for name in hostnames]
    try:
        answers = await _answers(server, asked, timeout)
        further = [*_aliases(hostnames, types, answers), *_tops(zone, hostnames, types, answers)]
        if further:
            with contextlib.suppress(Unavailable):
                answers |= await _answers(server, further, timeout)
    except Unavailable as error:
        return [
            ServerAnswer(
                server=label,
                address=str(server),
                hostname=name,
                zone=zone,
                error=error.text,
                checked=not isinstance(error, NoRoute),
            )
            for name in hostnames
        ]
    return [
        _server_answer(
            ServerAnswer(server=label, address=str(server), hostname=name, zone=zone),
            {rtype: answers[(name, rtype)] for rtype in (*types, "CNAME") if (name, rtype) in answers},
            _zone_within(zone, name, answers),
        )
        for name in hostnames
    ]


def _aliases(hostnames: Sequence[str], types: Sequence[str], answers: _Answers) -> list[tuple[str, str]]:
    """Some servers follow a CNAME, and fail where it leads nowhere; asked for the CNAME itself, they give it."""
    silent = [name for name in hostnames if not any(_is_good(answers[(name, rtype)]) for rtype in types)]
    failing = [name for name in silent if any(answers[(name, rtype)] is not None for rtype in types)]
    return [(name, "CNAME") for name in failing]


def _tops(zone: str, hostnames: Sequence[str], types: Sequence[str], answers: _Answers) -> list[tuple[str, str]]:
    """Where another zone may begin above a name, and no answer says which one it is in: as beside a CNAME."""
    untold = [name for name in hostnames if not any(a and a.zone for a in (answers[(name, t)] for t in types))]
    return list(dict.fromkeys((up, "SOA") for name in untold for up in names_above(name, zone)))


def _zone_within(zone: str, name: str, answers: _Answers) -> str | None:
    """The zone below `zone` that this server has the name in."""
    for up in names_above(name, zone):
        top = answers.get((up, "SOA"))
        if top is not None and top.authoritative and any(r.type == "SOA" for r in top.records):
            return up
    return None


def _server_answer(blank: ServerAnswer, answers: Mapping[str, WireAnswer | None], within: str | None) -> ServerAnswer:
    """What the answers by type come to. A type that fails spoils nothing, where there are records of another.

    One that is not authoritative for its type alone has failed: some servers know nothing of newer types.
    """
    good = {rtype: answer for rtype, answer in answers.items() if answer is not None and answer.good}
    own = {rtype: answer for rtype, answer in good.items() if answer.authoritative}
    if good and not own:
        records = {r.type: r for answer in good.values() for r in answer.records}
        return replace(blank, records=address_set(records.values()), error=_NOT_ITS_OWN)
    records = {r.type: r for answer in own.values() for r in answer.records}
    failed = tuple(rtype for rtype in answers if rtype not in own)
    if "CNAME" in records:
        failed = ()
    elif not set(failed) <= _OPTIONAL and not records.keys() & set(_FAMILIES):
        return replace(blank, error=_failure(answers[next(rtype for rtype in failed if rtype not in _OPTIONAL)]))
    elsewhere = next((a.zone for a in own.values() if a.zone not in (None, blank.zone)), within)
    return replace(
        blank,
        records=address_set(records.values()),
        error=f"it has {blank.hostname} in the zone {elsewhere}, not in {blank.zone}" if elsewhere else None,
        nonexistent=any(answer.rcode == dns.rcode.NXDOMAIN for answer in own.values()),
        failed=failed,
        elsewhere=elsewhere,
    )


_NOT_ITS_OWN = "it is not authoritative for this name"


def _failure(answer: WireAnswer | None) -> str:
    if answer is None:
        return "it does not answer"
    return refusal_in([answer.rcode]) or _NOT_ITS_OWN


def _is_good(answer: WireAnswer | None) -> bool:
    return answer is not None and answer.good


async def _answers(server: Server, asked: Sequence[tuple[str, str]], timeout: float) -> _Answers:
    """A few questions go by UDP, all at once, many over one connection; None for those without a readable answer.

    Raises Unavailable where all of them are, and NoRoute.
    """
    queries = [question_wire(*q) for q in asked]
    wires: Sequence[bytes | None]
    if len(queries) <= 2 * len(TYPES):
        came = await asyncio.gather(*(ask_wire(server, query, timeout) for query in queries), return_exceptions=True)
        wires = [wire if isinstance(wire, bytes) else None for wire in came]
        for wrong in came:
            if isinstance(wrong, BaseException) and not (any(wires) and isinstance(wrong, Unavailable)):
                raise wrong
    else:
        try:
            wires = await exchange(server, queries, timeout)
        except Unfinished as error:
            wires = error.answers
            last = max(number for number, wire in enumerate(wires) if wire is not None)
            known = {rtype for _, rtype in asked[: last + 1]} - _OPTIONAL
            if any(rtype in known for _, rtype in asked[last + 1 :]):  # not at a type nor at a name: it fell silent
                raise
    answers = {q: _read(wire, q[0]) for q, wire in zip(asked, wires, strict=True)}
    if not any(answers.values()):
        raise Unavailable(f"{server} sent answers that cannot be read", "Look into the server's log.")
    return answers


def _read(wire: bytes | None, name: str) -> WireAnswer | None:
    try:
        return answer_to(wire, name) if wire is not None else None
    except dns.exception.DNSException:
        return None


def refusal_in(rcodes: Iterable[dns.rcode.Rcode]) -> str | None:
    """In words, the first of these that says that there is no answer."""
    wrong = (rcode for rcode in rcodes if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN))
    return next((f"it answers {dns.rcode.to_text(rcode)}" for rcode in wrong), None)
