"""One DNS server that takes dynamic updates, read and changed; what it promises is said in rfc2136_account.py."""

from __future__ import annotations

import secrets as random_names
from collections.abc import Iterable, Mapping, Sequence

import dns.rcode
from msgspec.structs import replace

from changeover.dns.provider import (
    TEXT_TTL,
    Access,
    Applied,
    Guard,
    Indeterminate,
    PreconditionFailed,
    RecordsRead,
    Result,
    conflicts,
    swap_conflicts,
    text_conflicts,
)
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.dns.providers.rfc2136_server import ESSENTIAL, SILENT, TIMEOUT, UNREADABLE, Answers, UpdateServer
from changeover.dns.wire.update_message import ADDRESS, OTHERS, UpdateMessage, needs_alone
from changeover.model.dns.capabilities import BatchLimit, Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set, names_above
from changeover.model.dns.txt_record import text_of, value_of
from changeover.model.errors import NotFound, PermissionDenied, ProviderError, Rejected
from changeover.model.secret import Secret

#: What tells a wildcard: a CNAME is in the answer to any of these, unless the server tries to follow it and fails.
_PROBED = ("CNAME", "A", "AAAA", "HTTPS")


class Rfc2136:
    """One server that takes updates. Implements changeover.dns.provider.Provider."""

    #: The server compares, all but the TTL.
    race_window: float | None = None

    def __init__(self, account: str, options: Rfc2136Options, secret: Secret | None, timeout: float = TIMEOUT) -> None:
        self.account = account
        self._server = UpdateServer(account, options, secret, timeout)
        self.capabilities = Capabilities(
            label=f"DNS server {options.server}",
            batch=BatchLimit(),
            native_compare_and_set=True,
            propagates_atomically=True,
            leases=True,
        )

    async def read(self, zone: str, names: Sequence[str]) -> RecordsRead:
        probe = random_names.token_hex(8)
        beside = {name: f"{probe}.{name.partition('.')[2]}" for name in names if name != zone}
        asked = [(name, rtype) for name in names for rtype in (*ADDRESS, *OTHERS)]
        asked += [(name, "ANY") for name in beside]
        above = list(dict.fromkeys(up for name in beside for up in names_above(name, zone)))
        asked += [(up, rtype) for up in above for rtype in ("SOA", "DNAME")] + [(zone, "DNAME")]
        asked += [(label, rtype) for label in dict.fromkeys(beside.values()) for rtype in _PROBED]
        answers = await self._server.ask([(zone, "SOA"), *dict.fromkeys(asked)])
        soa = answers[(zone, "SOA")]
        if soa.rcode != dns.rcode.SERVFAIL and not any(r.type == "SOA" for r in soa.records):
            server = self._server.label
            raise NotFound(f"{server} does not serve the zone {zone}", "Check the zone's name and the server.")
        self._server.refuse_errors(zone, answers, [(zone, "SOA")])
        records: dict[str, tuple[RecordSet, ...]] = {}
        for name in names:
            self._refuse_elsewhere(zone, name, answers)
            self._server.refuse_errors(zone, answers, [(name, rtype) for rtype in ESSENTIAL])
            records[name] = _found(answers, name, (*ADDRESS, *OTHERS, "ANY"))
        by_wildcard = {name: _content(_found(answers, label, _PROBED)) for name, label in beside.items()}
        suspects = [name for name, content in by_wildcard.items() if content and content <= _content(records[name])]
        below = {name: f"{probe}.{name}" for name in suspects}
        answers = await self._server.ask([(label, rtype) for label in below.values() for rtype in _PROBED])
        wildcards = [n for n, label in below.items() if _content(_found(answers, label, _PROBED)) == by_wildcard[n]]
        return RecordsRead(records=records | dict.fromkeys(wildcards, ()), wildcards=tuple(wildcards))

    def _refuse_elsewhere(self, zone: str, name: str, answers: Answers) -> None:
        """Raises Rejected where what this server says of `name` is not what `zone` says there."""
        server = self._server.label
        hint = "Name the zone that really holds it; a record added here would serve nothing."
        above = names_above(name, zone)
        for up in (*above, zone) if name != zone else ():
            if any(r.type == "DNAME" for r in answers[(up, "DNAME")].records):
                raise Rejected(f"{name} is below {up}, a DNAME, on {server}", hint)
        for up in (name, *above) if name != zone else ():
            if any(r.type == "SOA" for r in answers[(up, "SOA")].records):
                raise Rejected(f"{name} is in the zone {up}, which {server} has beside {zone}", hint)
        for rtype in ADDRESS:
            said = answers.get((name, rtype), SILENT)
            if said.referral and rtype in ESSENTIAL:  # some are not authoritative for a type that they do not know
                raise Rejected(f"{name} is delegated away from {zone} on {server}", hint)
            if said.zone not in (None, zone) and said.authoritative:
                raise Rejected(f"{name} is in the zone {said.zone}, which {server} has beside {zone}", hint)
            if said.records and not said.authoritative:
                raise Rejected(f"{server} has {name} from another server, and not in its zone {zone}", hint)

    async def read_back(self, zone: str, changes: Sequence[Change]) -> dict[str, AddressSet]:
        if not all(c.before and c.after for c in changes):  # where nothing stands, a wildcard may answer
            records = (await self.read(zone, [c.name for c in changes])).records
            return {name: address_set(found) for name, found in records.items()}
        types = {c.name: sorted({r.type for r in (*c.before, *c.after)}) for c in changes}
        return await self._stands(zone, types)

    async def _stands(self, zone: str, types: Mapping[str, Iterable[str]]) -> dict[str, AddressSet]:
        """The record sets of these names and types, no more; the quick way for many names."""
        asked = [(name, rtype) for name, rtypes in types.items() for rtype in rtypes]
        answers = await self._server.ask(asked)
        self._server.refuse_errors(zone, answers, asked)
        return {name: address_set(_found(answers, name, rtypes)) for name, rtypes in types.items()}

    async def apply(self, zone: str, changes: Sequence[Change], guard: Guard | None = None) -> Result:
        # The TTLs, which no prerequisite can compare, and types that none is made for. Values are compared as well, for
        # a better message.
        types = {c.name: (*(r.type for r in c.before), *(["ANY"] if needs_alone(c) else [])) for c in changes}
        asked = [(name, rtype) for name, rtypes in types.items() for rtype in rtypes]
        answers = await self._server.ask(asked + ([(guard.name, "TXT")] if guard else []))
        self._server.refuse_errors(zone, answers, answers)
        if hidden := [name for name in types if answers.get((name, "ANY")) is UNREADABLE]:
            raise Rejected(
                f"{hidden[0]} has a record that cannot be read, which a CNAME would delete", "Remove or correct it."
            )
        live = {name: _found(answers, name, rtypes) for name, rtypes in types.items()}
        beside = answers[(guard.name, "TXT")].records if guard else ()
        found = [text for change in changes for text in conflicts(change, live[change.name])]
        found += text_conflicts(guard.name, guard.text, beside) if guard else []
        if found:
            return PreconditionFailed(tuple(found))
        update = UpdateMessage(zone, self._server.key())
        for record in beside:
            update.expect(record)
        update.replace(changes)
        result = await self._server.send(zone, update)
        return await self._in_words(zone, changes, guard, beside) if isinstance(result, PreconditionFailed) else result

    async def _in_words(
        self, zone: str, changes: Sequence[Change], guard: Guard | None, beside: Sequence[RecordSet]
    ) -> Result:
        """What a failed prerequisite means, by reading: the server does not say which one it was.

        `beside` are the texts that the guard was expected among. Raises Rejected where nothing was changed by anybody.

        A message may be delivered twice, and then the answer is that of the second time. What stands as planned may
        be this batch's own work, so nobody knows from the answer whether something was changed.
        """
        said = "the server says that a record is no longer what was read"
        names = [change.name for change in changes] + ([guard.name] if guard else [])
        try:
            records = (await self.read(zone, names)).records
        except ProviderError as error:
            return Indeterminate(f"{said}; what stands there now could not be read: {error.text}")
        made = [c.name for c in changes if c.before != c.after and address_set(records[c.name]) == c.after]
        if made:
            return Indeterminate(f"{said}, but {made[0]} stands as planned: the update may have been delivered twice")
        found = [text for change in changes for text in conflicts(change, records[change.name])]
        found += text_conflicts(guard.name, guard.text, records[guard.name]) if guard else []
        texts = _content(r for r in records[guard.name] if r.type == "TXT") if guard else set()
        if not found and texts == _content(beside):
            raise Rejected(
                f"{said[0].upper()}{said[1:]}, though to this computer it still shows the same",
                "It may compare with another view of the zone (set sign_queries), or write the value in another way.",
            )
        return PreconditionFailed(tuple(found) or (f"{said[0].upper()}{said[1:]}",))

    async def swap_txt(self, zone: str, name: str, before: str | None, after: str | None) -> Result:
        live = await self._own_texts(zone, name)
        if any(r.type == "CNAME" for r in live):
            raise Rejected(f"{name} is a CNAME, beside which no text can stand", "Remove that record.")
        found = swap_conflicts(name, before, after, live)
        if found:
            return PreconditionFailed(tuple(found))
        there = next((r for r in live if r.type == "TXT"), None)
        update = UpdateMessage(zone, self._server.key())
        update.expect_none(name, "CNAME")
        if there is None:
            update.expect_none(name, "TXT")
        else:
            update.expect(there)
        if before is not None and there is not None:
            gone = tuple(value for value in there.values if text_of(value) == before)
            update.delete(replace(there, values=gone))
        if after is not None:
            ttl = there.ttl if there is not None else TEXT_TTL
            update.put(RecordSet(name=name, type="TXT", ttl=ttl, values=(value_of(after),)))
        result = await self._server.send(zone, update)
        if isinstance(result, PreconditionFailed):
            return PreconditionFailed((f"The server says that the texts at {name} are no longer what was just read",))
        return result

    async def _own_texts(self, zone: str, name: str) -> tuple[RecordSet, ...]:
        """What stands at `name` itself, without the texts that a wildcard gives it."""
        beside = (f"{random_names.token_hex(8)}.{name.partition('.')[2]}", "TXT")
        live = (await self.read(zone, [name])).records[name]
        wild = _content((await self._server.ask([beside]))[beside].records)
        return tuple(r for r in live if not _content([r]) <= wild)

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        return after

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        """Sends an update that deletes an address which is not there: permission is checked, nothing changes."""
        await self.read(zone, [])
        update = UpdateMessage(zone, self._server.key())
        for name in names or [zone]:
            update.delete_value(name, "A", bytes(4))
        try:
            result = await self._server.send(zone, update)
        except PermissionDenied:
            return Access(zones=(zone,), may_write=False)
        return Access(zones=(zone,), may_write=True if isinstance(result, Applied) else None)

    async def zones(self) -> None:
        return None

    async def aclose(self) -> None:
        pass


def _found(answers: Answers, name: str, rtypes: Iterable[str]) -> tuple[RecordSet, ...]:
    """The record sets of the name, each once; what is made up for ANY (RFC 8482, 4.2) is none."""
    found: dict[str, RecordSet] = {}
    for record in (r for rtype in rtypes for r in answers.get((name, rtype), SILENT).records):
        if record.type != "HINFO" or "RFC8482" not in record.values[0]:
            found.setdefault(record.type, record)
    return tuple(found.values())


def _content(records: Iterable[RecordSet]) -> set[tuple[str, tuple[str, ...]]]:
    return {(r.type, r.values) for r in records}
