"""Leases: one run at a time in a zone, whichever computer it is on.

A lease is a TXT record in the zone itself, since that is the one place that all who switch it can see:

    _changeover.shop.example. 60 TXT "changeover-lease v1 owner=5b0c3e9a1f27d846 fence=7 expires=2026-11-24T12:00:00Z
                                      service=shop run=shop-4"

The world can read it, so its owner is a random name of an installation, which tells nothing of a person or a computer.
Whose it is on this computer, the journal knows. Others need the service and the run: to decide whether to take it over,
and to find by `changeover runs` which computer of the team it is. (Before, an owner was a person at a computer, beside
the mark of a home folder, and a lease that was given back stayed in the zone with an end in 1970; such leases are read
as ever.)

It is written by compare-and-set only, and removed when it is given back. It holds for five minutes and is renewed each
minute, so that a computer which died stops nobody for long. Its fence grows by one with every holder that finds one
there, so that no two leases that ever stood beside or after each other are the same. Other TXT records at the name are
nobody's business here.

Clocks of two computers may differ by up to a minute (SKEW): so much longer than it says is a lease believed. Where they
differ by more, a lease may be taken too early; its first holder's writes are then refused all the same, because each of
them expects the holder's own lease to stand (changeover.dns.provider.Guard).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from msgspec import Struct

from changeover.model.dns.records import RecordSet
from changeover.model.dns.txt_record import texts
from changeover.model.formatting import clock, duration

#: How long a lease holds, how often its holder renews it, and how far two computers' clocks may differ.
LENGTH = timedelta(minutes=5)
RENEWED = timedelta(minutes=1)
SKEW = timedelta(seconds=60)
KIND = "changeover-lease"

_LABEL, _VERSION = "_changeover", "v1"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
#: The longest owner, service and run, as they are written; all of a lease then fits into one string.
_OWNER, _SERVICE, _RUN = 60, 40, 40
_FENCE = re.compile(r"\bfence=(\d{1,10})\b")


def lease_name(zone: str) -> str:
    """Where a zone's lease stands."""
    return f"{_LABEL}.{zone}"


#: Who began each run of this computer, by the journal: "alice@laptop".
People = Mapping[str, str]
_NOBODY: People = {}


class Holder(Struct, frozen=True, kw_only=True):
    """Who asks for a lease: an installation by its random name, for one service.

    `run` is empty until the run has begun.
    """

    owner: str
    service: str
    run: str = ""


class Lease(Struct, frozen=True, kw_only=True):
    """A lease as it stands in a zone. `expires` is in UTC, in whole seconds. `home` is of an earlier version's."""

    owner: str
    fence: int
    expires: datetime
    service: str
    run: str = ""
    home: str = ""

    @property
    def text(self) -> str:
        """The lease as the one string of a TXT record."""
        words = [
            f"owner={_quoted(self.owner)}",
            f"fence={self.fence}",
            f"expires={self.expires.astimezone(UTC).strftime(_MOMENT)}",
            f"service={_quoted(self.service)}",
            *([f"run={_quoted(self.run)}"] if self.run else []),
            *([f"home={_quoted(self.home)}"] if self.home else []),
        ]
        return " ".join((KIND, _VERSION, *words))

    def in_force(self, now: datetime) -> bool:
        """May its holder believe in it, by whichever of two clocks?"""
        return now <= self.expires + SKEW

    def is_of(self, holder: Holder) -> bool:
        """Was it written here for this service? A lock lets one process at a time work on a service."""
        return (self.owner, self.service) == (_short(holder.owner, _OWNER), _short(holder.service, _SERVICE))


class Unread(Struct, frozen=True):
    """A lease that this version does not understand: of a later one, or damaged."""

    text: str

    @property
    def fence(self) -> int:
        found = _FENCE.search(self.text)
        return int(found[1]) if found else 0


class Take(Struct, frozen=True):
    """The lease may be taken: `lease` is to be written where `before` stands (None: no lease at all).

    `over` is the lease in force that it takes over, in an emergency.
    """

    lease: Lease
    before: str | None
    over: Lease | Unread | None = None


class Refusal(Struct, frozen=True):
    """Somebody else holds it: who, and what to do."""

    text: str
    hint: str


def parse(text: str) -> Lease | Unread:
    """A text of kind KIND as a lease. What a later version adds to it is passed over."""
    _, _, rest = text.partition(" ")
    version, *words = rest.split()
    found = {key: unquote(value) for key, equals, value in (word.partition("=") for word in words) if equals}
    try:
        if version != _VERSION:
            return Unread(text)
        return Lease(
            owner=found["owner"],
            fence=int(found["fence"]),
            expires=datetime.strptime(found["expires"], _MOMENT).replace(tzinfo=UTC),
            service=found["service"],
            run=found.get("run", ""),
            home=found.get("home", ""),
        )
    except (KeyError, ValueError):
        return Unread(text)


def leases(records: Iterable[RecordSet]) -> tuple[Lease | Unread, ...]:
    """The leases among the records of one name, the newest first. More than one stands there only after a collision."""
    found = (parse(text) if " " in text else Unread(text) for text in texts(records, KIND))
    return tuple(sorted(found, key=lambda lease: lease.fence, reverse=True))


def may_take(
    found: Sequence[Lease | Unread], me: Holder, now: datetime, takeover: bool = False, people: People = _NOBODY
) -> Take | Refusal:
    """May `me` take the lease, where these stand? `takeover`: from anybody, which is for an emergency.

    `now` is in the time zone of the person who reads a refusal. One's own earlier lease may be taken at once.
    """
    held = [one for one in found if isinstance(one, Unread) or (one.in_force(now) and not one.is_of(me))]
    if held and not takeover:
        return _refusal(held[0], now, me, people)
    before = found[0] if found else None
    fence = 1 + max((one.fence for one in found), default=0)
    # The newest is replaced; what else a collision left there is the caller's to remove.
    text = before.text if before is not None else None
    return Take(_made(me, fence, now + LENGTH), text, held[0] if held else None)


def held_by_others(
    records: Mapping[str, Sequence[RecordSet]], zone: str, me: Holder, now: datetime, people: People = _NOBODY
) -> str | None:
    """Who else holds the lease of a zone, in words, from all that was read there by name; None where nobody does."""
    answer = may_take(leases(records.get(lease_name(zone), ())), me, now, people=people)
    return answer.text if isinstance(answer, Refusal) else None


def renewed(lease: Lease, me: Holder, now: datetime) -> Lease:
    """The same lease, for another LENGTH from now, in the words of `me`, whose run may have got its name since."""
    return _made(me, lease.fence, now + LENGTH)


def lost_words(zone: str, found: Sequence[Lease | Unread]) -> str:
    """Why a run must not go on: this is what stands where its own lease was."""
    if not found:
        return f"The lease of this run on {zone} was removed by somebody"
    now = found[0]
    if isinstance(now, Unread):
        return f"The lease of this run on {zone} was replaced by one that this version does not understand"
    return f"{_beginning(called(now))} took over the lease on {zone}, for {now.run or now.service}"


def called(lease: Lease, me: Holder | None = None, people: People = _NOBODY) -> str:
    """Whose lease it is: a person here, as the journal has it; else the random name, which only its own computer knows.

    An earlier version's says itself who that is.
    """
    if me is not None and lease.owner == _short(me.owner, _OWNER):
        return people.get(lease.run, "this computer")
    return lease.owner if "@" in lease.owner else f"another computer ({lease.owner})"


def _beginning(name: str) -> str:
    """As a sentence begins; a person's name is as it is."""
    return name if "@" in name else name[:1].upper() + name[1:]


def _refusal(held: Lease | Unread, now: datetime, me: Holder, people: People) -> Refusal:
    if isinstance(held, Unread):
        text = f"Somebody holds a lease that this version of Changeover does not understand: “{held.text}”"
        return Refusal(text, "Use the newest version everywhere, or take the lease over by name in an emergency.")
    run = f" (run {held.run})" if held.run else ""
    text = f"{_beginning(called(held, me, people))} is switching {held.service}{run} until {clock(held.expires, now)}"
    hint = "Wait, or take the lease over by name in an emergency."
    left = held.expires - now
    if left > LENGTH + SKEW:
        last = duration(LENGTH.total_seconds())
        text += (
            f"; leases last {last} and this one {duration(left.total_seconds())}, so a clock is wrong, there or here"
        )
    return Refusal(text, hint)


def _made(of: Holder, fence: int, expires: datetime) -> Lease:
    return Lease(
        owner=_short(of.owner, _OWNER),
        fence=fence,
        expires=expires.astimezone(UTC).replace(microsecond=0),
        service=_short(of.service, _SERVICE),
        run=_short(of.run, _RUN),
    )


def _quoted(text: str) -> str:
    return quote(text, safe="@.-_~+:")


def _short(text: str, most: int) -> str:
    """`text`, or a beginning of it and a sign of the rest, so that it is written in at most so many characters."""
    if len(_quoted(text)) <= most:
        return text
    sign = "~" + hashlib.sha256(text.encode()).hexdigest()[:6]
    while len(_quoted(text + sign)) > most:
        text = text[:-1]
    return text + sign
