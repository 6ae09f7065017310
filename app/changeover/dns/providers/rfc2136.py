"""One DNS server that takes dynamic updates, read and changed; what it promises is said in rfc2136_account.py."""

from __future__ import annotations

import asyncio
import secrets as random_names
from collections.abc import Iterable, Mapping, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
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
from changeover.dns.wire.answer import WireAnswer, answer_to, question_wire
from changeover.dns.wire.exchange import Server, Unfinished, connect, exchange, read_message
from changeover.dns.wire.signature import signed, without_signature
from changeover.dns.wire.update_message import ADDRESS, OTHERS, UpdateMessage, needs_alone
from changeover.model.dns.capabilities import BatchLimit, Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set, names_above
from changeover.model.dns.server_address import is_address, parse_server
from changeover.model.dns.txt_record import text_of, value_of
from changeover.model.errors import (
    AuthError,
    NotFound,
    PermissionDenied,
    ProviderError,
    Rejected,
    Unavailable,
)
from changeover.model.secret import Secret

TIMEOUT = 10.0
#: What tells a wildcard: a CNAME is in the answer to any of these, unless the server tries to follow it and fails.
_PROBED = ("CNAME", "A", "AAAA", "HTTPS")
#: Types that a server must answer for. Many fail at others, HTTPS among them; prerequisites compare those all the same.
_ESSENTIAL = ("A", "AAAA", "CNAME", "NS", "SOA", "TXT")
#: Stands for an answer that did not come, or was not asked for.
_SILENT = WireAnswer(dns.rcode.SERVFAIL, False, False, ())
#: Stands for one that came, and whose records cannot be read.
_UNREADABLE = WireAnswer(dns.rcode.FORMERR, False, False, ())

_Answers = dict[tuple[str, str], WireAnswer]


class Rfc2136:
    """One server that takes updates. Implements changeover.dns.provider.Provider."""

    #: The server compares, all but the TTL.
    race_window: float | None = None

    def __init__(self, account: str, options: Rfc2136Options, secret: Secret | None, timeout: float = TIMEOUT) -> None:
        self.account = account
        self._options = options
        self._secret = secret
        self._timeout = timeout
        self._good: Server | None = None
        self._signing: bool | None = None
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
        answers = await self._ask([(zone, "SOA"), *dict.fromkeys(asked)])
        soa = answers[(zone, "SOA")]
        if soa.rcode != dns.rcode.SERVFAIL and not any(r.type == "SOA" for r in soa.records):
            server = self._options.server
            raise NotFound(f"{server} does not serve the zone {zone}", "Check the zone's name and the server.")
        self._refuse_errors(zone, answers, [(zone, "SOA")])
        records: dict[str, tuple[RecordSet, ...]] = {}
        for name in names:
            self._refuse_elsewhere(zone, name, answers)
            self._refuse_errors(zone, answers, [(name, rtype) for rtype in _ESSENTIAL])
            records[name] = _found(answers, name, (*ADDRESS, *OTHERS, "ANY"))
        by_wildcard = {name: _content(_found(answers, label, _PROBED)) for name, label in beside.items()}
        suspects = [name for name, content in by_wildcard.items() if content and content <= _content(records[name])]
        below = {name: f"{probe}.{name}" for name in suspects}
        answers = await self._ask([(label, rtype) for label in below.values() for rtype in _PROBED])
        wildcards = [n for n, label in below.items() if _content(_found(answers, label, _PROBED)) == by_wildcard[n]]
        return RecordsRead(records=records | dict.fromkeys(wildcards, ()), wildcards=tuple(wildcards))

    def _refuse_elsewhere(self, zone: str, name: str, answers: _Answers) -> None:
        """Raises Rejected where what this server says of `name` is not what `zone` says there."""
        server = self._options.server
        hint = "Name the zone that really holds it; a record added here would serve nothing."
        above = names_above(name, zone)
        for up in (*above, zone) if name != zone else ():
            if any(r.type == "DNAME" for r in answers[(up, "DNAME")].records):
                raise Rejected(f"{name} is below {up}, a DNAME, on {server}", hint)
        for up in (name, *above) if name != zone else ():
            if any(r.type == "SOA" for r in answers[(up, "SOA")].records):
                raise Rejected(f"{name} is in the zone {up}, which {server} has beside {zone}", hint)
        for rtype in ADDRESS:
            said = answers.get((name, rtype), _SILENT)
            if said.referral and rtype in _ESSENTIAL:  # some are not authoritative for a type that they do not know
                raise Rejected(f"{name} is delegated away from {zone} on {server}", hint)
            if said.zone not in (None, zone) and said.authoritative:
                raise Rejected(f"{name} is in the zone {said.zone}, which {server} has beside {zone}", hint)
            if said.records and not said.authoritative:
                raise Rejected(f"{server} has {name} from another server, and not in its zone {zone}", hint)

    async def _ask(self, asked: Sequence[tuple[str, str]]) -> _Answers:
        """The answers to all of this, from the first of the server's addresses that answers."""
        if not asked:
            return {}
        failed: list[Unavailable] = []
        for server in await self._servers():
            try:
                answers = await self._ask_at(server, asked)
            except Unavailable as error:
                failed.append(error)
            else:
                self._good = server
                return answers
        raise _none_of(failed)

    async def _ask_at(self, server: Server, asked: Sequence[tuple[str, str]]) -> _Answers:
        key = self._key() if await self._signs(server, asked[:1]) else None
        try:
            return await self._exchanged(server, asked, key)
        except dns.tsig.PeerError as error:
            raise _tsig_error(server, error) from None
        except dns.exception.DNSException as error:
            raise Unavailable(f"{server} sent an answer that cannot be read: {error}", "Try again.") from None

    async def _exchanged(self, server: Server, asked: Sequence[tuple[str, str]], key: dns.tsig.Key | None) -> _Answers:
        """What was answered; what no switch depends on may be missing. Raises DNSException too."""
        ordered = sorted(asked, key=lambda q: q[1] not in _ESSENTIAL)
        queries: Sequence[bytes] = [question_wire(*q) for q in ordered]
        macs: Sequence[bytes] = []
        if key is not None:
            queries, macs = zip(*(signed(query, key) for query in queries), strict=True)
        wires: Sequence[bytes | None]
        try:
            wires = await exchange(server, queries, self._timeout)
        except Unfinished as error:
            if any(w is None and rtype in _ESSENTIAL for w, (_, rtype) in zip(error.answers, ordered, strict=True)):
                raise
            wires = error.answers
        if key is not None:
            checked = [w and without_signature(w, key, mac) for w, mac in zip(wires, macs, strict=True)]
            if any(w is not None and read is None for w, read in zip(wires, checked, strict=True)):
                raise AuthError(
                    f"{server} does not sign its answers to signed questions",
                    'Check key_name, algorithm and secret against the server\'s, or set sign_queries = "off".',
                )
            wires = checked
        return {q: _read(wire, *q) for q, wire in zip(ordered, wires, strict=True)}

    async def _signs(self, server: Server, asked: Sequence[tuple[str, str]]) -> bool:
        """Are questions to be signed? Where nobody said, the server's answer to the first one decides."""
        key = self._key()
        if key is None or self._options.sign_queries == "off":
            return False
        if self._signing is None and self._options.sign_queries == "auto":
            try:
                await self._exchanged(server, asked, key)
            except (dns.exception.DNSException, AuthError):  # it refuses the key, or knows of no signed questions
                self._signing = False
            else:
                self._signing = True
        return self._signing is not False

    async def read_back(self, zone: str, changes: Sequence[Change]) -> dict[str, AddressSet]:
        if not all(c.before and c.after for c in changes):  # where nothing stands, a wildcard may answer
            records = (await self.read(zone, [c.name for c in changes])).records
            return {name: address_set(found) for name, found in records.items()}
        types = {c.name: sorted({r.type for r in (*c.before, *c.after)}) for c in changes}
        return await self._stands(zone, types)

    async def _stands(self, zone: str, types: Mapping[str, Iterable[str]]) -> dict[str, AddressSet]:
        """The record sets of these names and types, no more; the quick way for many names."""
        asked = [(name, rtype) for name, rtypes in types.items() for rtype in rtypes]
        answers = await self._ask(asked)
        self._refuse_errors(zone, answers, asked)
        return {name: address_set(_found(answers, name, rtypes)) for name, rtypes in types.items()}

    async def apply(self, zone: str, changes: Sequence[Change], guard: Guard | None = None) -> Result:
        # The TTLs, which no prerequisite can compare, and types that none is made for. Values are compared as well, for
        # a better message.
        types = {c.name: (*(r.type for r in c.before), *(["ANY"] if needs_alone(c) else [])) for c in changes}
        asked = [(name, rtype) for name, rtypes in types.items() for rtype in rtypes]
        answers = await self._ask(asked + ([(guard.name, "TXT")] if guard else []))
        self._refuse_errors(zone, answers, answers)
        if hidden := [name for name in types if answers.get((name, "ANY")) is _UNREADABLE]:
            raise Rejected(
                f"{hidden[0]} has a record that cannot be read, which a CNAME would delete", "Remove or correct it."
            )
        live = {name: _found(answers, name, rtypes) for name, rtypes in types.items()}
        beside = answers[(guard.name, "TXT")].records if guard else ()
        found = [text for change in changes for text in conflicts(change, live[change.name])]
        found += text_conflicts(guard.name, guard.text, beside) if guard else []
        if found:
            return PreconditionFailed(tuple(found))
        update = UpdateMessage(zone, self._key())
        for record in beside:
            update.expect(record)
        update.replace(changes)
        result = await self._send(zone, update)
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
        update = UpdateMessage(zone, self._key())
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
        result = await self._send(zone, update)
        if isinstance(result, PreconditionFailed):
            return PreconditionFailed((f"The server says that the texts at {name} are no longer what was just read",))
        return result

    async def _own_texts(self, zone: str, name: str) -> tuple[RecordSet, ...]:
        """What stands at `name` itself, without the texts that a wildcard gives it."""
        beside = (f"{random_names.token_hex(8)}.{name.partition('.')[2]}", "TXT")
        live = (await self.read(zone, [name])).records[name]
        wild = _content((await self._ask([beside]))[beside].records)
        return tuple(r for r in live if not _content([r]) <= wild)

    async def _connected(self) -> tuple[Server, asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the first of the server's addresses that takes one."""
        failed: list[Unavailable] = []
        for server in await self._servers():
            try:
                async with asyncio.timeout(self._timeout):
                    return server, *await connect(server)
            except TimeoutError:
                failed.append(Unavailable(f"{server} did not accept a connection within {self._timeout:g} s"))
            except Unavailable as error:
                failed.append(error)
        raise _none_of(failed)

    async def _send(self, zone: str, update: UpdateMessage) -> Result:
        key = self._key()
        wire, mac = update.wire()
        server, reader, writer = await self._connected()
        try:
            async with asyncio.timeout(self._timeout):
                writer.write(len(wire).to_bytes(2, "big") + wire)
                received = await read_message(reader)
        except TimeoutError:
            return Indeterminate(f"{server} took the update but did not answer within {self._timeout:g} s")
        except OSError as error:
            return Indeterminate(f"the connection to {server} broke: {error.strerror or error}")
        finally:
            writer.close()
        if received is None:
            return Indeterminate(f"{server} closed the connection without an answer")
        try:
            answer = dns.message.from_wire(received, keyring=key, request_mac=mac)
        except dns.tsig.PeerError as error:
            if self._signing and isinstance(error, dns.tsig.PeerBadKey):  # so Knot says that a key may not
                raise self._refusal(server, zone, dns.rcode.NOTAUTH) from None
            raise _tsig_error(server, error) from None
        except dns.exception.DNSException as error:
            if _unsigned_refusal(received, update.id):
                if self._signing:  # it knows the key, since it signed its answers to questions
                    raise self._refusal(server, zone, dns.rcode.Rcode(received[3] & 15)) from None
                raise AuthError(
                    f"{server} refuses the signature, or {self._options.key_name} may not change {zone}",
                    "Check key_name, algorithm and secret against the server's, and that this key may update the zone.",
                ) from None
            return Indeterminate(f"the answer of {server} could not be read: {error}")
        if answer.id != update.id or not answer.flags & dns.flags.QR or (key is not None and not answer.had_tsig):
            return Indeterminate(f"the answer of {server} is not signed, or not to this update")
        return self._result(server, zone, answer.rcode())

    def _result(self, server: Server, zone: str, rcode: dns.rcode.Rcode) -> Result:
        if rcode == dns.rcode.NOERROR:
            return Applied()
        if rcode in (dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN, dns.rcode.NXRRSET, dns.rcode.YXRRSET):
            return PreconditionFailed(())
        if rcode == dns.rcode.SERVFAIL:
            return Indeterminate(f"{server} answered SERVFAIL")
        raise self._refusal(server, zone, rcode)

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        return after

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        """Sends an update that deletes an address which is not there: permission is checked, nothing changes."""
        await self.read(zone, [])
        update = UpdateMessage(zone, self._key())
        for name in names or [zone]:
            update.delete_value(name, "A", bytes(4))
        try:
            result = await self._send(zone, update)
        except PermissionDenied:
            return Access(zones=(zone,), may_write=False)
        return Access(zones=(zone,), may_write=True if isinstance(result, Applied) else None)

    async def zones(self) -> None:
        return None

    async def aclose(self) -> None:
        pass

    async def _servers(self) -> list[Server]:
        """Every address of the server, the one that answered last first."""
        host, port = parse_server(self._options.server)
        if is_address(host):
            return [Server(host, port)]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                found = await loop.getaddrinfo(host, port, type=1)
        except OSError as error:
            why = error.strerror or "no answer in time"
            raise Unavailable(f"The name of the DNS server {host} cannot be resolved: {why}") from None
        servers = dict.fromkeys(Server(str(address[0]), port) for *_, address in found)
        return sorted(servers, key=lambda server: server != self._good)

    def _key(self) -> dns.tsig.Key | None:
        if self._options.key_name is None or self._secret is None:
            return None
        try:
            return dns.tsig.Key(
                # As the canonical form has it: a MAC is made over that (RFC 8945, 4.3.3), and PowerDNS looks for it.
                self._options.key_name.lower(),
                self._secret.reveal(),
                self._options.algorithm_name,
            )
        except ValueError:
            raise AuthError(
                f"The secret of account {self.account} is no TSIG key: it is not base64",
                f"Add it again: changeover account add {self.account} … --replace",
            ) from None

    def _refuse_errors(self, zone: str, answers: _Answers, asked: Iterable[tuple[str, str]]) -> None:
        """Raises what the server says instead of an answer that is needed. Beside a CNAME there is no other."""
        for name, rtype in asked:
            answer = answers[(name, rtype)]
            alias = any(r.type == "CNAME" for r in answers.get((name, "CNAME"), _SILENT).records)
            if rtype in _ESSENTIAL and not answer.good and not alias:
                raise self._refusal(self._options.server, zone, answer.rcode)

    def _refusal(self, server: object, zone: str, rcode: dns.rcode.Rcode) -> ProviderError:
        said = f"{server} answers {dns.rcode.to_text(rcode)} for zone {zone}"
        if rcode in (dns.rcode.REFUSED, dns.rcode.NOTAUTH):  # Knot says NOTAUTH to a key that may not
            key = self._options.key_name or "unsigned updates"
            hint = f"Allow {key} to update this zone on the server (BIND: update-policy, Knot: acl)."
            return PermissionDenied(said, hint if rcode == dns.rcode.REFUSED else f"{hint} It must be its primary.")
        if rcode == dns.rcode.NOTZONE:
            return NotFound(said, "Check the zone's name, and that this server is its primary.")
        if rcode == dns.rcode.SERVFAIL:
            return Unavailable(said, "Look into the server's log.")
        if rcode == dns.rcode.NOTIMP:
            return Rejected(
                said, "It takes no dynamic updates, as NSD does not: name the server that it has zones from."
            )
        return Rejected(said, "Look into the server's log for what it did not like.")


def _found(answers: _Answers, name: str, rtypes: Iterable[str]) -> tuple[RecordSet, ...]:
    """The record sets of the name, each once; what is made up for ANY (RFC 8482, 4.2) is none."""
    found: dict[str, RecordSet] = {}
    for record in (r for rtype in rtypes for r in answers.get((name, rtype), _SILENT).records):
        if record.type != "HINFO" or "RFC8482" not in record.values[0]:
            found.setdefault(record.type, record)
    return tuple(found.values())


def _read(wire: bytes | None, name: str, rtype: str) -> WireAnswer:
    """An answer; raises DNSException where one that is needed cannot be read. The others are as if they had not come:
    dnspython refuses records that a server let in."""
    try:
        return answer_to(wire, name) if wire is not None else _SILENT
    except dns.exception.DNSException:
        if rtype in _ESSENTIAL:
            raise
        return _UNREADABLE


def _none_of(failed: Sequence[Unavailable]) -> Unavailable:
    """Why none of a server's addresses answers."""
    if len(failed) == 1:
        return failed[0]
    return Unavailable("; ".join(error.text for error in failed), failed[0].hint)


def _content(records: Iterable[RecordSet]) -> set[tuple[str, tuple[str, ...]]]:
    return {(r.type, r.values) for r in records}


def _unsigned_refusal(wire: bytes, asked: int) -> bool:
    """Is this a refusal without any signature? What is said to a wrong one cannot be signed (RFC 8945, 5.2); most
    servers add the reason as a TSIG error, PowerDNS does not."""
    header = wire[:2] == asked.to_bytes(2, "big") and len(wire) >= 12 and bool(wire[2] & 0x80)
    return header and wire[10:12] == b"\0\0" and wire[3] & 15 in (dns.rcode.REFUSED, dns.rcode.NOTAUTH)


def _tsig_error(server: Server, error: dns.tsig.PeerError) -> AuthError:
    if isinstance(error, dns.tsig.PeerBadTime):
        return AuthError(
            f"{server} refuses the signature: its clock and this computer's are more than 5 minutes apart",
            "Set both clocks by NTP; this computer's time is the one that you see on its screen.",
        )
    if isinstance(error, dns.tsig.PeerBadKey):
        return AuthError(f"{server} does not know this TSIG key", "Check key_name and algorithm against the server's.")
    return AuthError(f"{server} refuses the signature", "The secret is not the server's: add the account again.")
