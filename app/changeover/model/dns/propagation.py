"""How long resolvers go on with an old answer: by the chain of names beforehand, by what they say afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from changeover.model.dns.records import AddressSet, same_answer
from changeover.model.formatting import counted, duration

#: Types that a panel asks resolvers for; a CNAME comes with each of them.
ASKED = ("A", "AAAA", "HTTPS")
#: The type of a link that says that there is nothing at a name.
EMPTY = "nothing"


class ChainLink(Struct, frozen=True):
    """One record set on the way from a hostname to its addresses, with the full TTL that its own servers give.

    `type` is EMPTY where the name has no records; `ttl` is then how long that is kept (RFC 2308, 5).
    """

    name: str
    type: str
    ttl: int


class Chain(Struct, frozen=True):
    """The way from a hostname over every CNAME to its addresses. `broken` says why the rest of it is not known."""

    hostname: str
    links: tuple[ChainLink, ...]
    broken: str = ""


class CacheTime(Struct, frozen=True):
    """For how many `seconds` resolvers may keep the old answer, and which record set says so.

    `own` is the longest TTL at the hostname itself: what a resolver needs that keeps each record set by its own TTL.
    """

    seconds: int
    own: int
    name: str
    type: str
    text: str


def longest_cache(chains: Sequence[Chain]) -> CacheTime:
    """The longest time that any resolver may keep what these chains say now. Zero where nothing is known of them."""
    known = [(chain, link) for chain in chains for link in chain.links]
    broken = next((chain.broken for chain in chains if chain.broken), "")
    if not known:
        return CacheTime(0, 0, "", "", f"How long resolvers keep the old answer is not known: {broken or 'no names'}")
    chain, longest = max(known, key=lambda pair: pair[1].ttl)
    own = max((link.ttl for chain, link in known if link.name == chain.hostname), default=0)
    if longest.type == EMPTY:
        why = f"{longest.name} has no address, and that is kept for {duration(longest.ttl)}"
    else:
        why = f"{longest.name} {longest.type} has a TTL of {duration(longest.ttl)}"
    if longest.name != chain.hostname:
        why = f"{chain.hostname} leads to {longest.name}; {why}"
    rest = f". Part of the way could not be read: {broken}" if broken else ""
    text = f"Resolvers may keep the old answer for {duration(longest.ttl)}: {why}{rest}"
    return CacheTime(longest.ttl, own, longest.name, longest.type, text)


class CachedAnswer(Struct, frozen=True, kw_only=True):
    """What one resolver gives for one hostname at one moment, and for how many seconds more it keeps that.

    `types` are those that it answered for, `addresses` those that its answer leads to. `error` says why it gave nothing
    usable. `updated`: it gives what the authoritative servers give; None where that is not known. `note` is what is
    strange about it.
    """

    resolver: str
    over: Literal["UDP", "HTTPS"]
    hostname: str
    at: datetime
    types: tuple[str, ...] = ASKED
    records: AddressSet = ()
    addresses: tuple[str, ...] = ()
    ttl_left: int = 0
    error: str | None = None
    updated: bool | None = None
    note: str = ""

    @property
    def expires_at(self) -> datetime | None:
        """When it will have asked again, where it has not followed. A TTL is told in whole seconds, rounded down."""
        return self.at + timedelta(seconds=self.ttl_left + 1) if self.updated is False else None


class Published(Struct, frozen=True):
    """What the authoritative servers give for one hostname: one answer, or several where they do not agree.

    `ttl` is the longest that they give it now, `before` the longest of the answer before, and `since` when that was
    changed; None where nobody knows.
    """

    answers: tuple[AddressSet, ...]
    ttl: int = 0
    before: int | None = None
    since: datetime | None = None


def compared(kept: CachedAnswer, published: Published) -> CachedAnswer:
    """`kept` with whether it has followed, and with what a resolver does that keeps answers too long."""
    if kept.error is not None or not published.answers:
        return kept
    types = (*kept.types, "CNAME")
    same = [same_answer(_of(kept.records, types), _of(answer, types)) for answer in published.answers]
    updated = None if any(same) and not all(same) else all(same)
    return replace(kept, updated=updated, note=_strange(kept, published, updated))


def _of(records: AddressSet, types: Sequence[str]) -> AddressSet:
    return tuple(r for r in records if r.type in types)


def _strange(kept: CachedAnswer, published: Published, updated: bool | None) -> str:
    if updated is False and not kept.records:
        return f"says that there is nothing, for {duration(kept.ttl_left)} more"
    if published.before is None and not updated:
        return ""  # nobody knows for how long it may keep the old answer
    most = max(published.ttl, published.before or 0)
    if kept.ttl_left > most:
        return f"keeps it for {duration(kept.ttl_left)} more, longer than the {duration(most)} that it was given"
    if updated is False and published.since is not None:
        late = (kept.at - published.since).total_seconds() - most
        if late > _SLACK:
            return f"still has the old answer, {duration(late)} after it should have gone"
    return ""


#: Seconds by which whole TTLs, and servers that take over a change one after another, may be off.
_SLACK = 5


def predicted(kept: Sequence[CachedAnswer], at: datetime) -> datetime | None:
    """When the last of these resolvers will have followed, seen from `at`; None where none is behind.

    One that should have asked again already is expected at once.
    """
    expires_at = [flip for k in kept if (flip := k.expires_at) is not None]
    return max(at, *expires_at) if expires_at else None


def last(kept: Sequence[CachedAnswer]) -> CachedAnswer | None:
    """The resolver that follows last; None where none is behind."""
    behind = [(flip, k) for k in kept if (flip := k.expires_at) is not None]
    return max(behind, key=lambda pair: pair[0])[1] if behind else None


def all_updated(kept: Sequence[CachedAnswer]) -> bool:
    """Have all that answer followed, and does any answer at all?"""
    answering = [k for k in kept if k.error is None]
    return bool(answering) and all(k.updated for k in answering)


def panel_words(kept: Sequence[CachedAnswer], at: datetime) -> str:
    """One sentence about a panel, with times of day in the time zone of `at`."""
    answering = [k for k in kept if k.error is None]
    if not answering:
        return "No resolver answers." if kept else "No resolver was asked."
    if all_updated(kept):
        return "Every resolver that answers gives the new answer."
    if any(k.updated is None for k in answering):
        return "The name servers do not agree, or do not answer: nobody can say who has followed."
    behind = [k for k in answering if k.updated is False]
    places = len({(k.resolver, k.over) for k in behind})
    until = predicted(kept, at)
    words = f"{counted(places, 'resolver has', 'resolvers have')} not followed yet"
    if until is None or until <= at:
        return f"{words}, and should have by now."
    when = f"{until.astimezone(at.tzinfo):%H:%M:%S}"
    final = last(kept)
    who = f" ({final.resolver})" if final is not None and places > 1 else ""
    return f"{words}; the last resolver{who} follows at {when}."


class Serial(Struct, frozen=True, kw_only=True):
    """The version of a zone that one address of one authoritative server has: its SOA record (RFC 1035, 3.3.13).

    `primary` is the server that the zone says to come from: two providers of one zone each count for themselves.
    `negative_ttl` is how long "there is nothing" may be kept (RFC 2308, 5).
    """

    server: str
    address: str
    zone: str
    serial: int
    primary: str
    negative_ttl: int


def serial_words(serials: Iterable[Serial]) -> str:
    """Which servers have another version of a zone than the others: "ns2 has serial 4, the others 5"; "" for none."""
    by_origin: dict[tuple[str, str], list[Serial]] = {}
    for serial in serials:
        by_origin.setdefault((serial.zone, serial.primary), []).append(serial)
    return "; ".join(words for group in by_origin.values() if (words := _odd_ones(group)))


def _odd_ones(group: Sequence[Serial]) -> str:
    numbers = sorted({s.serial for s in group})
    having = {number: sorted({s.server for s in group if s.serial == number}) for number in numbers}
    if len(having) < 2:
        return ""
    # Where as many have the one as the other, the newer counts as the right one (RFC 1982).
    usual = max(having, key=lambda number: (len(having[number]), sum(_newer(number, n) for n in having)))
    odd = [
        f"{' and '.join(having[n])} {'have' if len(having[n]) > 1 else 'has'} serial {n}" for n in numbers if n != usual
    ]
    others = "the others" if len(having[usual]) > 1 else having[usual][0]
    return f"{', '.join(odd)}, {others} {usual}"


def _newer(one: int, other: int) -> bool:
    """Serial number arithmetic (RFC 1982, 3.2)."""
    return 0 < (one - other) % 2**32 < 2**31
