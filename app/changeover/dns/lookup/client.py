"""Looking names up: at every authoritative server directly, and at resolvers with the TTL that is left there."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import dns.exception
import dns.message
import dns.rdatatype
from msgspec import Struct

from changeover.dns.lookup.one_server import TYPES, refusal_in, said_by
from changeover.dns.lookup.system_resolvers import system_resolvers
from changeover.dns.wire.answer import record_sets_in
from changeover.dns.wire.exchange import Server, ask, question
from changeover.model.dns.discovery import parents
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import AddressSet, RecordSet, address_set, in_zone
from changeover.model.dns.server_address import is_address, parse_server
from changeover.model.errors import NotFound, Unavailable
from changeover.model.settings.service import LookupSettings

_FAMILIES = ("A", "AAAA")
TIMEOUT = 4.0
#: More CNAMEs in a row than this are nobody's intention; visitors' resolvers give up at about 16.
LONGEST_CHAIN = 32


class NameServer(Struct, frozen=True):
    """One authoritative server of a zone with all its addresses."""

    name: str
    servers: tuple[Server, ...]


class ResolverAnswer(Struct, frozen=True, kw_only=True):
    """What a resolver's cache gives for a hostname, and for how many seconds more; `error` where it does not answer."""

    resolver: str
    hostname: str
    records: tuple[RecordSet, ...] = ()
    error: str | None = None

    @property
    def ttl_left(self) -> int:
        return max((r.ttl for r in self.records), default=0)


class _Failing(Unavailable):
    """Resolvers answer, and say that they cannot find out."""


class Lookup:
    """Looks names up as the settings say. Answers are fresh; kept are only zones of names and addresses of servers."""

    def __init__(self, settings: LookupSettings, timeout: float = TIMEOUT) -> None:
        self._settings = settings
        self._timeout = timeout
        self._name_servers: dict[str, tuple[NameServer, ...]] = {}
        self._zones: dict[str, str] = {}

    @property
    def settings(self) -> LookupSettings:
        """Whom it asks."""
        return self._settings

    @property
    def timeout(self) -> float:
        """The seconds that each question may take."""
        return self._timeout

    async def name_servers(self, zone: str) -> tuple[NameServer, ...]:
        """The authoritative servers of `zone`: those of the settings, else by its NS records.

        Raises NotFound where the zone has none, Unavailable where no resolver answers.
        """
        if zone not in self._name_servers:
            found = await self._find_name_servers(zone)
            if not all(name_server.servers for name_server in found):
                return found
            self._name_servers[zone] = found
        return self._name_servers[zone]

    async def _find_name_servers(self, zone: str) -> tuple[NameServer, ...]:
        if zone in self._settings.nameservers:
            hosts = [(text, *parse_server(text)) for text in self._settings.nameservers[zone]]
        else:
            names = [value for r in await self.resolve(zone, "NS") if r.type == "NS" for value in r.values]
            hosts = [(name.rstrip("."), name.rstrip("."), 53) for name in names]
        if not hosts:
            raise NotFound(f"The zone {zone} has no name servers", "Check that the zone is delegated.")

        async def one(label: str, host: str, port: int) -> NameServer:
            try:
                addresses = await self.addresses(host)
            except Unavailable:
                addresses = ()
            return NameServer(label, tuple(Server(address, port) for address in addresses))

        return tuple(await asyncio.gather(*(one(*host) for host in hosts)))

    async def authoritative(
        self, zone: str, hostnames: Sequence[str], types: Sequence[str] = TYPES
    ) -> tuple[ServerAnswer, ...]:
        """What every address of every authoritative server says about `hostnames`, asked directly, all at once.

        A CNAME comes with the answer for any of `types`.

        A server that is silent or wrong gives answers with `error`; one that this computer cannot route to gives
        answers that are marked as not checked. Raises what `name_servers` raises.
        """
        servers = await self.name_servers(zone)
        pairs = [(ns, server) for ns in servers for server in ns.servers]
        answers = await asyncio.gather(
            *(said_by(ns.name, server, zone, hostnames, types, self._timeout) for ns, server in pairs)
        )
        nowhere = [
            ServerAnswer(server=ns.name, address="", hostname=name, zone=zone, error="its name has no address")
            for ns in servers
            if not ns.servers
            for name in hostnames
        ]
        return (*itertools.chain.from_iterable(answers), *nowhere)

    async def resolvers(self, hostname: str) -> tuple[ResolverAnswer, ...]:
        """What each resolver of the settings has for `hostname` now, with the TTL left in its cache."""

        async def one(text: str) -> ResolverAnswer:
            try:
                server = await self.resolver(text)
                both = await asyncio.gather(
                    *(ask(server, question(hostname, rtype, recursion=True), self._timeout) for rtype in ("A", "AAAA"))
                )
            except (Unavailable, ValueError) as error:
                return ResolverAnswer(resolver=text, hostname=hostname, error=str(error))
            if (wrong := refusal_in(answer.rcode() for answer in both)) is not None:
                return ResolverAnswer(resolver=text, hostname=hostname, error=wrong)
            found = {r.type: r for answer in both for r in record_sets_in(answer.answer, hostname)}
            return ResolverAnswer(resolver=text, hostname=hostname, records=address_set(found.values()))

        return tuple(await asyncio.gather(*(one(text) for text in self._settings.resolvers)))

    async def resolve(self, name: str, rtype: str) -> tuple[RecordSet, ...]:
        """The answer of the first resolver that has one, CNAME chain included; then, where the settings say so, the
        system's.

        Empty where the name does not exist or has no such records. Raises Unavailable where nobody answers.
        """
        answer = await self._ask_resolvers(name, rtype)
        return tuple(r for rrset in answer.answer for r in record_sets_in([rrset], rrset.name.to_text()))

    async def _ask_resolvers(self, name: str, rtype: str) -> dns.message.Message:
        silent = []
        kind = Unavailable
        for text in (*self._settings.resolvers, *(system_resolvers() if self._settings.falls_back else ())):
            try:
                answer = await ask(await self.resolver(text), question(name, rtype, recursion=True), self._timeout)
            except Unavailable as error:
                silent.append(str(error))
                continue
            if (wrong := refusal_in([answer.rcode()])) is None:
                return answer
            silent.append(f"{text}: {wrong}")
            kind = _Failing
        raise kind(f"{name} could not be resolved: {'; '.join(silent)}", "Check your connection.")

    async def zone_of(self, name: str) -> str:
        """The zone that `name` is in: one of the settings', else the first above it that has an SOA record.

        Asked for the SOA of a CNAME, a resolver gives that of the zone where the CNAME leads. A CNAME is no apex, so
        then the name above is asked for. Raises Unavailable where no resolver says it.
        """
        of_settings = [zone for zone in self._settings.nameservers if in_zone(name, zone)]
        if of_settings:
            return max(of_settings, key=len)
        wrong: Unavailable | None = None
        for up in parents(name):
            try:
                answer = await self._ask_resolvers(up, "SOA")
            except _Failing as error:  # as at a CNAME that leads round in a loop
                wrong = wrong or error
                continue
            found = [r for r in answer.answer or answer.authority if r.rdtype == dns.rdatatype.SOA]
            zones = {r.name.to_text(omit_final_dot=True).lower() for r in found}
            if answer.answer:
                zones &= {up}
            if (zone := next((zone for zone in zones if in_zone(up, zone)), None)) is not None:
                return zone
        raise wrong or Unavailable(f"No resolver says which zone {name} is in", "Check your connection.")

    async def own_addresses(self, name: str) -> tuple[str, ...] | None:
        """The addresses that the authoritative servers of `name` give, every CNAME followed to its own servers.

        Empty where they say that there are none, which a loop of CNAMEs is too. None where none of them answers.
        """
        passed: set[str] = set()
        while name not in passed and len(passed) < LONGEST_CHAIN:
            passed.add(name)
            try:
                said = await self._own_answer(name)
            except (Unavailable, NotFound):
                return None
            if said is None:
                return None
            alias = next((r.values[0] for r in said if r.type == "CNAME"), None)
            if alias is None:
                return tuple(value for r in said for value in r.values)
            name = alias.rstrip(".")
        return ()

    async def _own_answer(self, name: str) -> AddressSet | None:
        """What the first authoritative server that answers has at `name`."""
        if name not in self._zones:
            self._zones[name] = await self.zone_of(name)
        zone = self._zones[name]
        for name_server in await self.name_servers(zone):
            for server in name_server.servers:
                (answer,) = await said_by(name_server.name, server, zone, [name], ("A", "AAAA"), self._timeout)
                if answer.error is None:
                    return answer.records
        return None

    async def addresses(self, host: str) -> tuple[str, ...]:
        """All addresses of a host, IPv4 first; an address stands for itself. Empty where it has none.

        Raises Unavailable where nobody answers for either family, or one is empty and nobody answers for the other.
        """
        if is_address(host):
            return (host,)
        if host == "localhost":
            return ("127.0.0.1",)
        passed: dict[str, None] = {}
        while host not in passed and len(passed) < LONGEST_CHAIN:
            passed[host] = None
            both = await asyncio.gather(*(self.resolve(host, f) for f in _FAMILIES), return_exceptions=True)
            found = [r for records in both if not isinstance(records, BaseException) for r in records]
            addresses = tuple(v for family in _FAMILIES for r in found if r.type == family for v in r.values)
            failed = [records for records in both if isinstance(records, BaseException)]
            for error in failed:
                if not isinstance(error, Unavailable):
                    raise error
            if addresses:
                return addresses
            # Some resolvers give up half way along many CNAMEs, and say how far they came, or only that they failed.
            if len(failed) == len(both) and all(isinstance(error, _Failing) for error in failed):
                found = [r for r in await self.resolve(host, "CNAME") if r.type == "CNAME"]
            if failed and not found:
                raise failed[0]
            onward = {r.name: r.values[0] for r in found if r.type == "CNAME"}
            while host in onward:
                host = onward.pop(host)
        return ()

    async def resolver(self, text: str) -> Server:
        """A resolver of the settings by address. Raises Unavailable where its name cannot be resolved."""
        host, port = parse_server(text)
        if is_address(host):
            return Server(host, port)
        try:
            async with asyncio.timeout(self._timeout):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=2)
        except OSError as error:
            why = error.strerror or "no answer in time"
            raise Unavailable(f"The resolver's name {host} cannot be resolved: {why}") from None
        return Server(str(found[0][4][0]), port)
