"""A zone as one account has it: its record sets, who wrote them when, and how writes are carried out there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from changeover.model.dns.change import Change
from changeover.model.dns.records import ADDRESS_TYPES, AddressSet, RecordSet, address_set, values_text
from explorer.world import World


class Written(NamedTuple):
    """An address set that somebody wrote; `writer` is a process, or what is not one."""

    at: float
    writer: object
    addresses: AddressSet


class Kind(Struct, frozen=True):
    """What kind of provider has the zone.

    `compares`: "all" or "values" of what is expected are compared by the provider itself, "ids": it only knows the
    record sets that a write names by their numbers. `batch`: one write is atomic, else it goes record by record.
    `eventual`: a read may give what stood some seconds ago.
    """

    name: str
    compares: str
    batch: bool = True
    eventual: bool = False


KINDS = (
    Kind("compare-and-set", "all"),
    Kind("compare-and-set by value", "values"),
    Kind("read before write", "ids"),
    Kind("read before write, eventual", "ids", eventual=True),
    Kind("record by record", "ids", batch=False),
)


class Piece(NamedTuple):
    """One record set that a write puts in place (by its number, or new) or takes away (`record` is None)."""

    change: Change
    rtype: str
    record: RecordSet | None
    number: int | None


#: Told of each change that was carried out: the change, what stood there, what stands there now.
Landed = Callable[["Copy", Change, AddressSet, AddressSet], None]


class Copy:
    """One zone at one account."""

    def __init__(self, world: World, account: str, zone: str, kind: Kind) -> None:
        self.world = world
        self.account = account
        self.zone = zone
        self.kind = kind
        self.records: dict[str, dict[str, RecordSet]] = {}
        self.numbers: dict[tuple[str, str], int] = {}
        self.past: dict[str, list[Written]] = {}
        #: What may stand at a name: what stood there at first, what a deployment needs, what the outsider put there.
        self.known: dict[str, list[AddressSet]] = {}
        self.others: dict[str, tuple[RecordSet, ...]] = {}
        self.lag = {f"ns{n}.{account}": world.random.choice((0.0, 0.3, 3.0)) for n in (1, 2)}
        self.silent_until: dict[str, float] = {}
        self._number = 0

    def __str__(self) -> str:
        return f"{self.zone}@{self.account}"

    def now(self, name: str) -> AddressSet:
        return self.past[name][-1].addresses

    def at(self, name: str, when: float) -> AddressSet:
        """What stood there at that time."""
        past = self.past[name]
        return next((w.addresses for w in reversed(past) if w.at <= when), past[0].addresses)

    def since(self, name: str) -> float:
        """When what stands there was written."""
        return self.past[name][-1].at

    def everything(self, name: str, when: float) -> tuple[RecordSet, ...]:
        return (*self.at(name, when), *self.others.get(name, ()))

    def put(self, name: str, addresses: AddressSet, writer: object) -> None:
        """Somebody's whole address set, at once. Record sets whose type stays keep their numbers."""
        for rtype in ADDRESS_TYPES:
            if all(r.type != rtype for r in addresses):
                self.numbers.pop((name, rtype), None)
            elif (name, rtype) not in self.numbers:
                self._number += 1
                self.numbers[name, rtype] = self._number
        self.past.setdefault(name, []).append(Written(self.world.now, writer, addresses))
        words = values_text(addresses) if addresses else "nothing"
        self.world.note("zone", f"{name} at {self.account} is {words} {[r.ttl for r in addresses]}")

    def pieces(self, change: Change) -> list[Piece]:
        """The record sets that a change names; replaced in place, then made, then taken away where that can be."""
        before = {r.type: r for r in change.before}
        after = {r.type: r for r in change.after}
        number = {t: self.numbers.get((change.name, t)) for t in before}
        puts = [Piece(change, t, r, number[t]) for t, r in after.items() if t in before and r != before[t]]
        posts = [Piece(change, t, r, None) for t, r in after.items() if t not in before]
        gone = [Piece(change, t, None, number[t]) for t in before if t not in after]
        stands_alone = ("CNAME" in after) != ("CNAME" in before)
        if self.world.planted == "delete and create":
            made = [Piece(change, t, r, None) for t, r in after.items()]
            return [*(Piece(change, t, None, number[t]) for t in before), *made]
        return [*puts, *gone, *posts] if stands_alone else [*puts, *posts, *gone]

    def fits(self, pieces: Sequence[Piece]) -> bool:
        """Are the record sets that a write names by number still these, and those that it makes not there?"""
        taken = {(p.change.name, p.rtype) for p in pieces if p.record is None}
        for piece in pieces:
            place = (piece.change.name, piece.rtype)
            if piece.number is not None and self.numbers.get(place) != piece.number:
                return False
            if piece.record is not None and piece.number is None:
                there = {t for n, t in self.numbers if n == piece.change.name and (n, t) not in taken}
                if piece.rtype in there or "CNAME" in there or (piece.rtype == "CNAME" and there):
                    return False
        return True

    def as_expected(self, change: Change) -> bool:
        """Does the provider's own comparison hold?"""
        found = self.now(change.name)
        if self.kind.compares == "all":
            return found == change.before
        return [(r.type, r.values) for r in found] == [(r.type, r.values) for r in change.before]

    def carry_out(self, pieces: Sequence[Piece], writer: object, landed: Landed) -> None:
        """All of these pieces, in one moment for each name."""
        steps = [[p] for p in pieces] if self.world.planted == "delete and create" else [list(pieces)]
        for step in steps:
            for change in dict.fromkeys(id(p.change) for p in step):
                mine = [p for p in step if id(p.change) == change]
                found = self.now(mine[0].change.name)
                sets = {r.type: r for r in found}
                for piece in mine:
                    sets.pop(piece.rtype, None)
                    if piece.record is not None:
                        sets[piece.rtype] = piece.record
                left = address_set(sets.values())
                self.put(mine[0].change.name, left, writer)
                landed(self, mine[0].change, found, left)
