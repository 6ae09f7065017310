"""Every change of type at every server that takes dynamic updates: signed or not, one form of update does it.

RFC 2136 leaves to the server what a CNAME beside other records comes to (3.4.2.2); what Knot makes of that in a zone
that it signs once emptied names (dns_servers.knot).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dns.query
import dns.rcode
import dns.update
import pytest

from changeover.dns.provider import Applied
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, address_set, record_set
from changeover.model.secret import Secret
from dns_servers.authoritative import KEY_NAME, SECRET, ZONE_TEXT, NameServer
from dns_servers.bind import Bind
from dns_servers.knot import Knot
from dns_servers.powerdns import PowerDns

ZONE = "shop.example"
SERVERS: dict[str, Callable[[Path], NameServer]] = {
    "BIND": lambda folder: Bind(folder, zone_text=TEXT),
    "BIND, NSEC": lambda folder: Bind(folder, zone_text=TEXT, signed=True),
    "BIND, NSEC3": lambda folder: Bind(folder, zone_text=TEXT, signed=True, nsec3=True),
    "Knot": lambda folder: Knot(folder, zone_text=TEXT),
    "Knot, NSEC": lambda folder: Knot(folder, zone_text=TEXT, signed="nsec"),
    "Knot, NSEC3": lambda folder: Knot(folder, zone_text=TEXT, signed="nsec3"),
    "PowerDNS": lambda folder: PowerDns(folder, zone_text=TEXT),
    "PowerDNS, NSEC": lambda folder: PowerDns(folder, zone_text=TEXT, signed="nsec"),
    "PowerDNS, NSEC3": lambda folder: PowerDns(folder, zone_text=TEXT, signed="nsec3"),
}

Answer = tuple[tuple[str, tuple[str, ...]], ...]
A: Answer = (("A", ("192.0.2.1",)),)
OTHER_A: Answer = (("A", ("192.0.2.7", "192.0.2.8")),)
BOTH: Answer = (*A, ("AAAA", ("2001:db8::1",)))
WITH_HTTPS: Answer = (*BOTH, ("HTTPS", ("1 . alpn=h2",)))
CNAME: Answer = (("CNAME", ("primary.example.net",)),)
OTHER_CNAME: Answer = (("CNAME", ("backup.example.net",)),)
BELOW = (A, OTHER_A, BOTH, WITH_HTTPS, CNAME, OTHER_CNAME, ())
AT_APEX = (A, OTHER_A, BOTH, WITH_HTTPS)
#: Names with both their neighbours, so that denials change as well.
TEXT = ZONE_TEXT.replace("@ A 192.0.2.10\n@ AAAA 2001:db8::10\n", "") + "vvv TXT beside\nxxx TXT beside\n"


#: One of each kind of server, and of each kind of zone.
ALWAYS = ("BIND", "PowerDNS, NSEC", "Knot, NSEC3")


@pytest.fixture(params=[pytest.param(name, marks=() if name in ALWAYS else pytest.mark.long) for name in SERVERS])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NameServer]:
    with SERVERS[request.param](tmp_path) as running:
        yield running


def provider(server: NameServer, **options: Any) -> Rfc2136:
    return Rfc2136("dns-main", Rfc2136Options(server.server, KEY_NAME, **options), Secret(SECRET), timeout=30)


def wanted(name: str, answer: Answer) -> AddressSet:
    return tuple(record_set(name, rtype, 60, values) for rtype, values in answer)


async def stands(provider: Rfc2136, name: str) -> AddressSet:
    """What stands there; PowerDNS writes parameters of HTTPS records without quotation marks."""
    found = address_set((await provider.read(ZONE, [name])).records[name])
    plain = [(r.type, tuple(value.replace('"', "") for value in r.values)) for r in found]
    return tuple(record_set(name, rtype, 60, values) for rtype, values in plain)


def round_trip(answers: Sequence[Answer]) -> list[Answer]:
    """A way that goes from each answer to each other one exactly once, and ends where it began (Hierholzer's)."""
    left = {one: [other for other in answers if other != one] for one in answers}
    way, path = [], [answers[0]]
    while path:
        if left[path[-1]]:
            path.append(left[path[-1]].pop())
        else:
            way.append(path.pop())
    return way[::-1]


async def test_every_change_of_type(server: NameServer) -> None:
    """From each set of addresses, CNAMEs and HTTPS records to each other, at the apex and below, and back: what was
    planned stands there, at no name is nothing, and all else in the zone is untouched."""
    asked = provider(server)
    for name, answers in ((ZONE, AT_APEX), (f"www2.{ZONE}", BELOW), (f"deep.er.{ZONE}", BELOW)):
        here: Answer = ()
        for step in round_trip(answers):
            before = address_set((await asked.read(ZONE, [name])).records[name])
            change = Change(account="dns-main", zone=ZONE, name=name, before=before, after=wanted(name, step))
            assert await asked.apply(ZONE, [change]) == Applied(), (name, here, step)
            assert await stands(asked, name) == wanted(name, step), (name, here, step)
            here = step
    rest = {line for line in server.records() if line.split()[0] in ("vvv.shop.example.", "mail.shop.example.")}
    assert {line.split()[2] for line in rest} >= {"A", "TXT"}


@pytest.mark.parametrize("signed", ["nsec", "nsec3"])
def test_what_knot_makes_of_single_deletes(tmp_path: Path, signed: Any) -> None:
    """Why all that stands at a name is deleted at once: the server says yes, and the name is empty."""
    with Knot(tmp_path, zone_text=TEXT + "www2 A 192.0.2.1\n", key=False, signed=signed) as knot:
        update = dns.update.UpdateMessage(f"{ZONE}.")
        update.delete("www2", "A")
        update.add("www2", 60, "CNAME", "primary.example.net.")
        answer = dns.query.tcp(update, knot.address, port=knot.port, timeout=10)
        assert answer.rcode() == dns.rcode.NOERROR
        kinds = {line.split()[2] for line in knot.records() if line.startswith("www2.")}
        assert not kinds & {"A", "CNAME"}
