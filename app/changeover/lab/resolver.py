"""The practice ground's resolver: it asks one name server about one zone, and believes each answer for its TTL."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from changeover.dns.wire.exchange import Server, ask, question
from changeover.lab.dns_port import UDP_SIZE, dns_port
from changeover.model.errors import Unavailable

_CHAIN = 16
_TIMEOUT = 4.0


class _Known(NamedTuple):
    """What the name server said at `since`. Where it said that there is nothing, `rrset` is the SOA that says so."""

    rrset: dns.rrset.RRset
    since: float
    ttl: int
    negative: bool = False
    rcode: Rcode = Rcode.NOERROR

    def left(self, now: float) -> int:
        """For how many seconds more this may be believed."""
        return max(0, self.ttl - int(now - self.since))

    def aged(self, now: float) -> dns.rrset.RRset:
        return dns.rrset.from_rdata_list(self.rrset.name, self.left(now), list(self.rrset))


_Key = tuple[dns.name.Name, RdataType]


class Resolver:
    """A cache in front of the server of `zone`; other names are refused. `clock` gives seconds that only go forward."""

    def __init__(self, server: Server, zone: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._zone = dns.name.from_text(zone)
        self._clock = clock
        self._cache: dict[_Key, _Known] = {}

    @asynccontextmanager
    async def serving(self, preferred: int | None = None) -> AsyncIterator[int]:
        """Serves by UDP and TCP on loopback, and gives the port: `preferred` where it is free."""
        async with dns_port(self._answer, preferred) as port:
            yield port

    async def _answer(self, request: dns.message.Message, wire: bytes) -> dns.message.Message:
        response = dns.message.make_response(request, recursion_available=True, our_payload=UDP_SIZE)
        if request.opcode() != dns.opcode.QUERY:
            response.set_rcode(Rcode.NOTIMP)
        elif len(request.question) != 1:
            response.set_rcode(Rcode.FORMERR)
        else:
            asked = request.question[0]
            ours = asked.rdclass == dns.rdataclass.IN and asked.name.is_subdomain(self._zone)
            if not ours or dns.rdatatype.is_metatype(asked.rdtype):
                response.set_rcode(Rcode.REFUSED)
            else:
                await self._resolve(asked.name, asked.rdtype, response)
        return response

    async def _resolve(self, name: dns.name.Name, rdtype: RdataType, response: dns.message.Message) -> None:
        """Fills `response`, CNAME by CNAME. A target outside the zone ends it: the asker has to ask others for that."""
        for _ in range(_CHAIN):
            known = self._cached(name, rdtype)
            if known is None:
                known = await self._ask(name, rdtype)
            if known is None:
                break
            if known.negative:
                response.set_rcode(known.rcode)
                response.authority.append(known.aged(self._clock()))
                return
            response.answer.append(known.aged(self._clock()))
            if known.rrset.rdtype == rdtype:
                return
            name = known.rrset[0].target
            if not name.is_subdomain(self._zone):
                return
        response.answer.clear()
        response.set_rcode(Rcode.SERVFAIL)

    def _cached(self, name: dns.name.Name, rdtype: RdataType) -> _Known | None:
        """What is still believed: the records, the CNAME in their place, or that there are none."""
        now = self._clock()
        for kind in (rdtype, RdataType.CNAME, RdataType.NONE):
            known = self._cache.get((name, kind))
            if known and known.left(now) and not (known.negative and kind == RdataType.CNAME != rdtype):
                return known
        return None

    async def _ask(self, name: dns.name.Name, rdtype: RdataType) -> _Known | None:
        """Asks the name server and remembers the answer. None where it gives none that can be used."""
        try:
            message = await ask(self._server, question(name.to_text(), dns.rdatatype.to_text(rdtype)), _TIMEOUT)
        except Unavailable:
            return None
        if message.rcode() not in (Rcode.NOERROR, Rcode.NXDOMAIN) or not message.flags & dns.flags.AA:
            return None
        now = self._clock()
        found: dict[_Key, _Known] = {(r.name, r.rdtype): _Known(r, now, r.ttl) for r in message.answer}
        for soa in message.authority if not message.answer else ():
            ttl = min(soa.ttl, soa[0].minimum)
            missing = RdataType.NONE if message.rcode() == Rcode.NXDOMAIN else rdtype
            found[(name, missing)] = _Known(soa, now, ttl, True, message.rcode())
        self._cache = {key: known for key, known in self._cache.items() if known.left(now)} | found
        return found.get((name, rdtype)) or found.get((name, RdataType.CNAME)) or found.get((name, RdataType.NONE))
