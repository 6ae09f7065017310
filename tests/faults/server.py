"""A real server with a zone, asked directly: the truth that runs are judged by, and a watcher that never looks away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable
from typing import Self

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from dns_servers.bind import QUERY_TIMEOUT, Bind
from dns_servers.powerdns import PowerDns

Server = Bind | PowerDns
Lines = frozenset[str]
ADDRESSES = ("A", "AAAA", "CNAME")


def records_at(server: Server, name: str) -> Lines:
    """What is at `name`, as lines "60 A 192.0.2.1": the addresses, and a CNAME that is not followed."""
    lines: set[str] = set()
    for rtype in ADDRESSES:
        query = dns.message.make_query(name, rtype)
        answer = dns.query.udp(query, server.address, port=server.port, timeout=QUERY_TIMEOUT)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise AssertionError(f"{server.server} answers {dns.rcode.to_text(answer.rcode())} for {name}")
        for rrset in answer.answer:
            kind = dns.rdatatype.to_text(rrset.rdtype)
            if rrset.name == query.question[0].name and kind in ADDRESSES:
                lines |= {f"{rrset.ttl} {kind} {rdata}" for rdata in rrset}
    return frozenset(lines)


async def all_records(server: Server, names: Iterable[str]) -> dict[str, Lines]:
    return await asyncio.to_thread(lambda: {name: records_at(server, name) for name in names})


class Watcher:
    """Asks a server for names, one after the other and without end, in a thread of its own.

    `may_give` says for a name which values are somebody's. `wrong` are the answers that were empty or nobody's.
    """

    def __init__(self, server: Server, names: Collection[str], may_give: Callable[[str], Collection[str]]) -> None:
        self.looks = 0
        self.wrong: list[str] = []
        self._server = server
        self._names = names
        self._may_give = may_give
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(QUERY_TIMEOUT + 1)

    def _watch(self) -> None:
        while True:
            for name in self._names:
                if self._stop.wait(0.001):
                    return
                if (wrong := self._look(name)) is not None:
                    self.wrong.append(wrong)
                self.looks += 1

    def _look(self, name: str) -> str | None:
        query = dns.message.make_query(name, "A")
        try:
            answer = dns.query.udp(query, self._server.address, port=self._server.port, timeout=QUERY_TIMEOUT)
        except (dns.exception.DNSException, OSError) as error:
            return f"{name}: {error!r}"
        given = {str(r) for rrset in answer.answer if rrset.name == query.question[0].name for r in rrset}
        if answer.rcode() != dns.rcode.NOERROR or not given:
            return f"{name}: {dns.rcode.to_text(answer.rcode())}, empty"
        strange = given - set(self._may_give(name))
        return f"{name}: {strange} is nobody's" if strange else None
