"""What the world sees of a zone at Cloudflare: its name servers, and the edge that proxied names lead to.

Made from the simulator's records, so that what a test sees is what the API was told. Behaviour as documented:
proxied names are answered with the edge's own addresses (developers.cloudflare.com/dns/proxy-status), an automatic TTL
is 300 s (…/reference/ttl), and the edge connects to what the proxied record holds.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from dns_servers.cloudflare_simulator import CloudflareSimulator

EDGE_ADDRESS = "127.0.0.9"
#: Where the deployments are: names that any resolver knows.
ORIGINS = {"origin-primary.example.net": "127.0.0.2", "origin-backup.example.net": "127.0.0.3"}


class CloudflareEdge:
    """Name server on a free port of 127.0.0.1, and the edge at EDGE_ADDRESS, which passes on TCP as it comes.

    The name server stands for the resolvers as well: it also knows ORIGINS.
    """

    def __init__(self, simulator: CloudflareSimulator, zone: str, proxied_name: str, web_port: int) -> None:
        self._simulator = simulator
        self._zone = zone
        self._proxied_name = proxied_name
        edge = self

        class Question(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, opened = self.request
                opened.sendto(edge._answer(wire), self.client_address)

        class Visit(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                edge._pass_on(self.request, web_port)

        self._servers = [
            socketserver.ThreadingUDPServer(("127.0.0.1", 0), Question),
            socketserver.ThreadingTCPServer((EDGE_ADDRESS, web_port), Visit),
        ]
        self.server = f"127.0.0.1:{self._servers[0].server_address[1]}"

    def __enter__(self) -> Self:
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _records(self, name: str) -> list[dict[str, Any]]:
        return [r for r in list(self._simulator.zone(self._zone).records.values()) if r["name"] == name]

    def _answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        asked = query.question[0]
        name, rtype = asked.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(asked.rdtype)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        found = self._records(name)
        shown = [(r["type"], r["content"], 300 if r["ttl"] == 1 else r["ttl"]) for r in found if not r["proxied"]]
        if any(r["proxied"] for r in found):
            shown.append(("A", EDGE_ADDRESS, 300))
        if name in ORIGINS:
            shown.append(("A", ORIGINS[name], 300))
        for shown_type, content, ttl in shown:
            if shown_type in (rtype, "CNAME"):
                target = f"{content}." if shown_type == "CNAME" else content
                answer.answer.append(dns.rrset.from_text(asked.name, ttl, "IN", shown_type, target))
        if not shown:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()

    def _pass_on(self, visitor: socket.socket, port: int) -> None:
        (origin,) = [ORIGINS[r["content"]] for r in self._records(self._proxied_name) if r["type"] == "CNAME"]
        with socket.create_connection((origin, port), timeout=10) as behind:
            one = threading.Thread(target=_pump, args=(behind, visitor), daemon=True)
            one.start()
            _pump(visitor, behind)
            one.join(10)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
