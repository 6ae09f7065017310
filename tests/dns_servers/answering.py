"""A DNS server on loopback that answers as a test says, by UDP and by TCP."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from dns_servers.authoritative import QUERY_TIMEOUT

#: The answer to a question; None for silence.
Respond = Callable[[dns.message.Message], dns.message.Message | None]


class Answering:
    """Answers by `respond` at one port of 127.0.0.1. Used as a context manager."""

    def __init__(self, respond: Respond) -> None:
        class Datagram(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, opened = self.request
                answer = respond(dns.message.from_wire(wire, keyring=False))
                if answer is not None:
                    opened.sendto(answer.to_wire(), self.client_address)

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while len(size := self.rfile.read(2)) == 2:
                    wire = self.rfile.read(int.from_bytes(size, "big"))
                    answer = respond(dns.message.from_wire(wire, keyring=False))
                    if answer is not None:
                        self.wfile.write(answer.to_wire(prepend_length=True))

        while True:  # until both have the same port
            self._udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Datagram)
            self.port: int = self._udp.server_address[1]
            try:
                self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Connection)
            except OSError:
                self._udp.server_close()
            else:
                break
        self.server = f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        for server in (self._udp, self._tcp):
            server.daemon_threads = True
            server.block_on_close = False
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()


def failing_at(port: int, types: Collection[str], rcode: dns.rcode.Rcode | None) -> Respond:
    """What the server at `port` says, but for questions for `types`: those get `rcode`, or silence for None.

    It knows no signatures: questions are passed on without.
    """

    def respond(query: dns.message.Message) -> dns.message.Message | None:
        if query.opcode() == dns.opcode.QUERY:
            asked = query.question[0]
            if dns.rdatatype.to_text(asked.rdtype) in types:
                return refusing(query, rcode) if rcode is not None else None
            query = dns.message.make_query(asked.name, asked.rdtype, id=query.id, flags=query.flags)
        return dns.query.tcp(query, "127.0.0.1", port=port, timeout=QUERY_TIMEOUT)

    return respond


def altered(port: int, types: Collection[str], alter: Callable[[dns.message.Message], None]) -> Respond:
    """What the server at `port` says, its answers to questions for `types` as `alter` makes them."""
    plain = failing_at(port, (), None)

    def respond(query: dns.message.Message) -> dns.message.Message | None:
        answer = plain(query)
        if answer is not None and query.opcode() == dns.opcode.QUERY:
            asked = dns.rdatatype.to_text(query.question[0].rdtype)
            if asked in types:
                alter(answer)
        return answer

    return respond


def not_its_own(answer: dns.message.Message) -> None:
    """The server does not say that it is authoritative."""
    answer.flags &= ~dns.flags.AA


def cut_short(answer: dns.message.Message) -> None:
    """Over TCP as well."""
    answer.flags |= dns.flags.TC


def unreadable(answer: dns.message.Message) -> None:
    """A record as a server let it in that checks nothing."""
    asked = answer.question[0]
    rtype = asked.rdtype if asked.rdtype != dns.rdatatype.ANY else dns.rdatatype.HTTPS
    rrset = dns.rrset.RRset(asked.name, dns.rdataclass.IN, rtype)
    rrset.add(dns.rdata.GenericRdata(dns.rdataclass.IN, rtype, b"\x00"), 60)  # type: ignore[no-untyped-call]
    answer.answer = [rrset]


def to_another_question(answer: dns.message.Message) -> None:
    """It is about another name."""
    answer.question[0].name = dns.name.from_text("mail.shop.other.")


def refusing(query: dns.message.Message, rcode: dns.rcode.Rcode) -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.set_rcode(rcode)
    return answer


def scripted(answers: Mapping[tuple[str, str], str | dns.rcode.Rcode], otherwise: str) -> Respond:
    """By name and type, the records of the answer, a line each, or a refusal. To all else there is nothing, with the
    SOA record `otherwise`; a line that begins with "-" goes into the authority section."""

    def respond(query: dns.message.Message) -> dns.message.Message:
        asked = query.question[0]
        said = answers.get((asked.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(asked.rdtype)), otherwise)
        if isinstance(said, dns.rcode.Rcode):
            return refusing(query, said)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        for line in said.splitlines():
            name, ttl, rtype, value = line.lstrip("-").split(maxsplit=3)
            rrset = dns.rrset.from_text(f"{name}.", int(ttl), "IN", rtype, value)
            (answer.authority if line.startswith("-") else answer.answer).append(rrset)
        return answer

    return respond
