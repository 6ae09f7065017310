"""The practice ground's name server: authoritative for one zone, and open to updates from this computer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.transaction

from changeover.lab import zone as zones
from changeover.lab.dns_port import UDP_SIZE, dns_port
from changeover.lab.update import apply_update


class Authority:
    """Answers for the zone `origin`, which is kept in `file` and begins as the text `start` where that is missing."""

    def __init__(self, file: Path, origin: str, start: str) -> None:
        self._file = file
        self._origin = dns.name.from_text(origin)
        self._zone = zones.load(file, self._origin, start)

    @asynccontextmanager
    async def serving(self, preferred: int | None = None) -> AsyncIterator[int]:
        """Serves by UDP and TCP on loopback, and gives the port: `preferred` where it is free."""
        async with dns_port(self._answer, preferred) as port:
            yield port

    async def _answer(self, request: dns.message.Message, wire: bytes) -> dns.message.Message:
        response = dns.message.make_response(request, our_payload=UDP_SIZE)
        match request.opcode():
            case dns.opcode.UPDATE:
                response.set_rcode(apply_update(self._zone, wire, self._keep))
            case dns.opcode.QUERY:
                self._look_up(request, response)
            case _:
                response.set_rcode(dns.rcode.NOTIMP)
        return response

    def _keep(self, content: dns.transaction.Transaction) -> None:
        zones.save(self._file, content)

    def _look_up(self, request: dns.message.Message, response: dns.message.Message) -> None:
        if len(request.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
            return
        asked = request.question[0]
        transfer = asked.rdtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR)
        if transfer or asked.rdclass != dns.rdataclass.IN or not asked.name.is_subdomain(self._origin):
            response.set_rcode(dns.rcode.REFUSED)
            return
        found = zones.find(self._zone, asked.name, asked.rdtype)
        response.set_rcode(found.rcode)
        response.answer, response.authority, response.additional = found.answer, found.authority, found.additional
        if found.authoritative:
            response.flags |= dns.flags.AA
