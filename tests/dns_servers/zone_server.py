"""The name servers of a zone at a simulated provider: they answer with what the API was told."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from dns_servers.ground import Record


class ZoneServer:
    """One name server on a UDP port of 127.0.0.1, which stands for the resolvers as well.

    `content` gives the zone as it is now, but for its `name_servers`. `elsewhere` has addresses of names in other
    zones, which any resolver knows.
    """

    def __init__(
        self,
        zone: str,
        content: Callable[[], Iterable[Record]],
        elsewhere: Mapping[str, str],
        name_servers: Iterable[str] = (),
    ) -> None:
        self._content = content
        servers = list(name_servers) or [f"ns1.{zone}"]
        self._fixed = [
            Record(zone, 3600, "SOA", f"{servers[0]}. hostmaster.{zone}. 1 3600 600 86400 60"),
            *(Record(zone, 3600, "NS", f"{name}.") for name in servers),
            *(Record(name, 3600, "A", "127.0.0.1") for name in servers),
            *(Record(name, 300, "A", address) for name, address in elsewhere.items()),
        ]
        answering = self

        class Question(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, opened = self.request
                opened.sendto(answering._answer(wire), self.client_address)

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Question)
        self._server.daemon_threads = True
        self.server = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        asked = query.question[0]
        name, rtype = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        content = [*self._content(), *self._fixed]
        there = [r for r in content if r.name.lower() == name]
        if not there:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        for record in there:
            if record.type in (rtype, "CNAME"):
                self._add(answer, record)
            if record.type == "CNAME" and rtype in ("A", "AAAA"):
                target = record.value.rstrip(".").lower()
                for further in [r for r in content if r.name.lower() == target and r.type == rtype]:
                    self._add(answer, further)
        return answer.to_wire()

    @staticmethod
    def _add(answer: dns.message.Message, record: Record) -> None:
        with contextlib.suppress(dns.rdatatype.UnknownRdatatype):  # a provider's own type, such as ALIAS
            value = f"{record.value.rstrip('.')}." if record.type in ("CNAME", "NS") else record.value
            name = dns.name.from_text(record.name)
            found = dns.rrset.from_text(name, record.ttl, "IN", record.type, value)
            same = next((r for r in answer.answer if r.name == name and r.rdtype == found.rdtype), None)
            if same is None:
                answer.answer.append(found)
            else:
                same.update(found)
