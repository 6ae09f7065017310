"""Dynamic updates: BIND and the practice ground say the same to the same messages, and have the same zone then."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import NamedTuple

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.transaction
import dns.tsigkeyring
import dns.update
import dns.zone
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changeover.lab.update import apply_update
from dns_servers.bind import Bind
from lab.messages import ZONE, ZONE_TEXT, update

TIMEOUT = 30.0


class Case(NamedTuple):
    """One message, and what is to be said to it."""

    name: str
    rcode: str
    prerequisites: tuple[str, ...] = ()
    updates: tuple[str, ...] = ("new IN A 60 192.0.2.99",)
    zones: tuple[tuple[str, str, str], ...] = (("shop.example.", "SOA", "IN"),)


PREREQUISITES = (
    Case("name in use", "NOERROR", ("www ANY ANY 0",)),
    Case("name in use, but it is not", "NXDOMAIN", ("new ANY ANY 0",)),
    Case("name in use, but it only has names below", "NXDOMAIN", ("er ANY ANY 0",)),
    Case("name not in use", "NOERROR", ("new NONE ANY 0",)),
    Case("name not in use, but only names below are", "NOERROR", ("er NONE ANY 0",)),
    Case("name not in use, but it is", "YXDOMAIN", ("www NONE ANY 0",)),
    Case("set exists", "NOERROR", ("www ANY CNAME 0", "two ANY A 0")),
    Case("set exists, but it does not", "NXRRSET", ("www ANY A 0",)),
    Case("set does not exist", "NOERROR", ("www NONE A 0", "new NONE A 0")),
    Case("set does not exist, but it does", "YXRRSET", ("www NONE CNAME 0",)),
    Case("values are these", "NOERROR", ("www IN CNAME 0 primary.example.net.",)),
    Case("values are these, in another order", "NOERROR", ("two IN A 0 192.0.2.2", "two IN A 0 192.0.2.1")),
    Case("values are these, given among others", "NOERROR",
         ("two IN A 0 192.0.2.2", "@ IN A 0 192.0.2.10", "two IN A 0 192.0.2.1")),
    Case("values are these and more", "NXRRSET", ("two IN A 0 192.0.2.2",)),
    Case("values are fewer", "NXRRSET", ("@ IN A 0 192.0.2.10", "@ IN A 0 192.0.2.11")),
    Case("values are others", "NXRRSET", ("www IN CNAME 0 backup.example.net.",)),
    Case("values of a set that does not exist", "NXRRSET", ("new IN A 0 192.0.2.1",)),
    Case("one holds and one does not", "NXRRSET", ("www ANY ANY 0", "new ANY A 0")),
    Case("all of them hold", "NOERROR", ("www ANY ANY 0", "new NONE ANY 0", "www IN CNAME 0 primary.example.net.")),
    Case("nothing but prerequisites", "NOERROR", ("www ANY ANY 0",), ()),
    Case("outside the zone", "NOTZONE", ("other.example. ANY ANY 0",)),
    Case("above the zone", "NOTZONE", ("example. ANY ANY 0",)),
    Case("with a TTL", "FORMERR", ("www ANY CNAME 60",)),
    Case("with a TTL beside a value", "FORMERR", ("www IN CNAME 60 primary.example.net.",)),
    Case("class ANY with data", "FORMERR", ("www ANY A 0 192.0.2.1",)),
    Case("class NONE with data", "FORMERR", ("www NONE A 0 192.0.2.1",)),
    Case("of another class", "FORMERR", ("www CH A 0",)),
)  # fmt: skip

ADDITIONS = (
    Case("new name", "NOERROR"),
    Case("into a set, whose TTL follows", "NOERROR", (), ("two IN A 20 192.0.2.3",)),
    Case("what is there already", "NOERROR", (), ("two IN A 60 192.0.2.1",)),
    Case("what is there, with another TTL", "NOERROR", (), ("two IN A 20 192.0.2.1",)),
    Case("a CNAME in place of a CNAME", "NOERROR", (), ("www IN CNAME 20 backup.example.net.",)),
    Case("a CNAME beside others is ignored", "NOERROR", (),
         ("two IN CNAME 60 backup.example.net.", "new IN A 60 192.0.2.9")),
    Case("a CNAME at the apex is ignored", "NOERROR", (), ("@ IN CNAME 60 backup.example.net.",)),
    Case("others beside a CNAME are ignored", "NOERROR", (), ("www IN A 60 192.0.2.9", "www IN TXT 60 note")),
    Case("SOA with a greater serial", "NOERROR", (), ("@ IN SOA 60 ns1 hostmaster 90000 3600 600 86400 30",)),
    Case("SOA with the same or a lower serial is ignored", "NOERROR", (), ("@ IN SOA 60 ns1 hostmaster 1 1 1 1 1",)),
    Case("SOA elsewhere is ignored", "NOERROR", (), ("two IN SOA 60 ns1 hostmaster 90000 1 1 1 1",)),
    Case("an unknown type", "NOERROR", (), ("new IN TYPE65300 60 \\# 3 010203",)),
    Case("HTTPS", "NOERROR", (), ("new IN HTTPS 60 1 . alpn=h2",)),
    Case("a wildcard", "NOERROR", (), ("*.new IN A 60 192.0.2.9",)),
    Case("wildcard name servers are ignored", "NOERROR", (), ("*.new IN NS 60 ns1",)),
    Case("a mail server", "NOERROR", (), ("@ IN MX 60 20 two",)),
    Case("a mail server elsewhere", "NOERROR", (), ("@ IN MX 60 20 mx.example.net.",)),
    Case("a mail server without an address", "REFUSED", (), ("@ IN MX 60 20 nosuch",)),
    Case("a name server without an address", "REFUSED", (), ("@ IN NS 60 nosuch",)),
    Case("another name server", "NOERROR", (), ("@ IN NS 60 ns.example.net.",)),
    Case("outside the zone", "NOTZONE", (), ("new IN A 60 192.0.2.9", "other.example. IN A 60 192.0.2.9")),
    Case("no data", "FORMERR", (), ("new IN A 60",)),
    Case("broken data", "FORMERR", (), ("new IN A 60 \\# 3 010203",)),
    Case("of a type for questions only", "FORMERR", (), ("new IN ANY 60 \\# 1 00",)),
    Case("of another class", "FORMERR", (), ("new CH TXT 60 note",)),
    Case("denial of existence", "REFUSED", (), ("new IN NSEC 60 www A",)),
)  # fmt: skip

DELETIONS = (
    Case("a set", "NOERROR", (), ("two ANY A 0",)),
    Case("a set that is not there", "NOERROR", (), ("new ANY A 0", "two ANY AAAA 0")),
    Case("a name", "NOERROR", (), ("two ANY ANY 0",)),
    Case("a name that is not there", "NOERROR", (), ("new ANY ANY 0",)),
    Case("the apex, but SOA and NS stay", "NOERROR", (), ("@ ANY ANY 0",)),
    Case("NS at the apex is ignored", "NOERROR", (), ("@ ANY NS 0",)),
    Case("SOA at the apex is ignored", "NOERROR", (), ("@ ANY SOA 0",)),
    Case("a record", "NOERROR", (), ("two NONE A 0 192.0.2.1",)),
    Case("a record that is not there", "NOERROR", (), ("two NONE A 0 192.0.2.9",)),
    Case("the last record of a name", "NOERROR", (), ("www NONE CNAME 0 primary.example.net.",)),
    Case("SOA as a record is ignored", "NOERROR", (), ("@ NONE SOA 0 ns1 hostmaster 100 3600 600 86400 30",)),
    Case("one of the name servers", "NOERROR", (), ("@ NONE NS 0 ns2",)),
    Case("the last name server stays", "NOERROR", (), ("@ NONE NS 0 ns2", "@ NONE NS 0 ns1")),
    Case("a name server's address", "REFUSED", (), ("ns1 ANY A 0",)),
    Case("then an addition", "NOERROR", (), ("www ANY CNAME 0", "www IN A 20 192.0.2.1", "www IN AAAA 20 2001:db8::1")),
    Case("an addition first, which is then ignored", "NOERROR", (), ("www IN A 20 192.0.2.1", "www ANY CNAME 0")),
    Case("and the same again: no change, no new serial", "NOERROR", (), ("two ANY TXT 0", "two IN TXT 60 beside")),
    Case("a set, with a TTL", "FORMERR", (), ("two ANY A 60",)),
    Case("a set, with data", "FORMERR", (), ("two ANY A 0 192.0.2.1",)),
    Case("a record, with a TTL", "FORMERR", (), ("two NONE A 60 192.0.2.1",)),
    Case("a record of type ANY", "FORMERR", (), ("two NONE ANY 0",)),
    Case("a set of a type for questions only", "FORMERR", (), ("two ANY AXFR 0",)),
    Case("outside the zone", "NOTZONE", (), ("two ANY A 0", "other.example. ANY ANY 0")),
)  # fmt: skip

WHOLES = (
    Case("a failed prerequisite keeps everything", "NXRRSET",
         ("www ANY A 0",), ("two ANY ANY 0", "new IN A 60 192.0.2.9")),
    Case("a late fault keeps everything", "FORMERR", (),
         ("two ANY ANY 0", "new IN A 60 192.0.2.9", "new NONE A 9 192.0.2.9")),
    Case("another zone", "NOTAUTH", (), (), (("other.example.", "SOA", "IN"),)),
    Case("a zone within the zone", "NOTAUTH", (), (), (("two.shop.example.", "SOA", "IN"),)),
    Case("no zone", "FORMERR", (), (), ()),
    Case("two zones", "FORMERR", (), (), (("shop.example.", "SOA", "IN"), ("shop.example.", "SOA", "IN"))),
    Case("the zone by another type", "FORMERR", (), (), (("shop.example.", "A", "IN"),)),
    Case("the zone in other letters", "NOERROR", (),
         ("NEW.Shop.Example. IN A 60 192.0.2.9",), (("Shop.EXAMPLE.", "SOA", "IN"),)),
)  # fmt: skip


class Lab:
    """The practice ground's zone by itself."""

    def __init__(self) -> None:
        self.zone = dns.zone.from_text(f"$TTL 60\n{ZONE_TEXT}", ZONE, relativize=False)
        self.kept = 0

    def send(self, wire: bytes) -> str:
        return dns.rcode.to_text(apply_update(self.zone, wire, self._keep))

    def _keep(self, content: dns.transaction.Transaction) -> None:
        self.kept += 1

    def serial(self) -> int:
        return self.zone.get_soa().serial

    def records(self) -> frozenset[str]:
        """As Bind.records."""
        lines = set()
        for name, ttl, rdata in self.zone.iterate_rdatas():
            shown = rdata.replace(serial=0) if rdata.rdtype == dns.rdatatype.SOA else rdata
            lines.add(f"{name} {ttl} {dns.rdatatype.to_text(rdata.rdtype)} {shown}".lower())
        return frozenset(lines)


class Real:
    """BIND with the same zone."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def send(self, wire: bytes) -> str:
        with socket.create_connection((self._bind.address, self._bind.port), TIMEOUT) as connection:
            connection.sendall(len(wire).to_bytes(2, "big") + wire)
            with connection.makefile("rb") as answers:
                response = answers.read(int.from_bytes(answers.read(2), "big"))
        return dns.rcode.to_text(dns.rcode.Rcode(response[3] & 15))

    def serial(self) -> int:
        query = dns.message.make_query(ZONE, dns.rdatatype.SOA)
        answer = dns.query.tcp(query, self._bind.address, TIMEOUT, self._bind.port)
        serial: int = answer.answer[0][0].serial
        return serial

    def records(self) -> frozenset[str]:
        return frozenset(line.lower() for line in self._bind.records())

    def restore(self, wanted: frozenset[str]) -> None:
        """Makes the zone what it was, whatever its serial is now."""
        for _ in range(2):  # the last name server cannot go before another one is there
            live = self.records()
            changes = [f"{name} NONE {rtype} 0 {value}" for name, _, rtype, value in _parts(live - wanted)]
            changes += [f"{name} IN {rtype} {ttl} {value}" for name, ttl, rtype, value in _parts(wanted - live)]
            assert self.send(update((), changes)) == "NOERROR"
        assert self.records() - wanted == wanted - self.records() == frozenset()


def _parts(lines: frozenset[str]) -> Iterator[tuple[str, str, str, str]]:
    for line in lines:
        name, ttl, rtype, value = line.split(maxsplit=3)
        if rtype != "soa":
            yield name, ttl, rtype, value


@pytest.fixture(scope="module")
def running_bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with Bind(tmp_path_factory.mktemp("bind"), zone_text=ZONE_TEXT, key=False) as running:
        yield Real(running)


@pytest.fixture
def bind(running_bind: Real) -> Iterator[Real]:
    """BIND, with the zone at the end of each test as it was at its beginning."""
    before = running_bind.records()
    yield running_bind
    running_bind.restore(before)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{kind}: {case.name}".replace(" ", "-"))
        for kind, cases in (
            ("expect", PREREQUISITES),
            ("add", ADDITIONS),
            ("delete", DELETIONS),
            ("whole", WHOLES),
        )
        for case in cases
    ],
)
def test_says_and_does_what_bind_does(bind: Real, case: Case) -> None:
    """The same response, the same records, and a new serial in the same cases."""
    lab = Lab()
    wire = update(case.prerequisites, case.updates, case.zones)
    before = bind.serial(), lab.serial()
    assert (lab.send(wire), bind.send(wire)) == (case.rcode, case.rcode)
    assert lab.records() == bind.records()
    assert (lab.serial() != before[1]) == (bind.serial() != before[0])
    assert lab.kept == (lab.serial() != before[1])


def test_a_signed_update_is_refused() -> None:
    """There is no key to check a signature against, so nobody may think that it was checked."""
    lab = Lab()
    signed = dns.update.UpdateMessage(ZONE, keyring=dns.tsigkeyring.from_text({"key.": "c2VjcmV0"}))
    signed.add("new", 60, "A", "192.0.2.9")
    assert lab.send(signed.to_wire()) == "NOTAUTH"
    assert lab.kept == 0


def test_values_in_other_letters_are_the_same_values() -> None:
    """Names in data are compared without regard to case (RFC 2136, 1.1.1; RFC 1035, 2.3.3)."""
    assert Lab().send(update(("WWW IN CNAME 0 Primary.Example.NET.",))) == "NOERROR"


def test_a_change_that_cannot_be_kept_is_not_made() -> None:
    """Where the file cannot be written, the answer is SERVFAIL and the zone is the old one."""
    lab = Lab()
    before = lab.records(), lab.serial()

    def full(content: dns.transaction.Transaction) -> None:
        raise OSError("no space left")

    assert apply_update(lab.zone, update((), ("new IN A 60 192.0.2.9",)), full) == dns.rcode.SERVFAIL
    assert (lab.records(), lab.serial()) == before


_VALUES = {
    "A": ("192.0.2.1", "192.0.2.2"),
    "AAAA": ("2001:db8::1",),
    "CNAME": ("primary.example.net.", "two"),
    "TXT": ("beside",),
    "MX": ("10 mail", "20 mx.example.net."),
    "NS": ("ns1", "ns.example.net."),
}
#: Below a zone cut BIND no longer looks for a host's address; the names that need one are kept from being cuts.
_NAMES = st.sampled_from(("@", "www", "two", "new", "er", "deep.er", "*.new"))
_TYPE = st.sampled_from(("ANY", *_VALUES))
_RECORD = st.sampled_from([(rtype, value) for rtype, values in _VALUES.items() for value in values])
_PREREQUISITE = st.one_of(
    st.builds(lambda n, c, t: f"{n} {c} {t} 0", _NAMES, st.sampled_from(("ANY", "NONE")), _TYPE),
    st.builds(lambda n, r: f"{n} IN {r[0]} 0 {r[1]}", _NAMES, _RECORD),
)
_UPDATE = st.one_of(
    st.builds(lambda n, ttl, r: f"{n} IN {r[0]} {ttl} {r[1]}", _NAMES, st.sampled_from((20, 60)), _RECORD),
    st.builds(lambda n, t: f"{n} ANY {t} 0", _NAMES, _TYPE),
    st.builds(lambda n, r: f"{n} NONE {r[0]} 0 {r[1]}", _NAMES, _RECORD),
)


# A prerequisite that stands there twice counts once here (RFC 2136, 3.2.3 compares sets), and fails in BIND.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.lists(
        st.tuples(st.lists(_PREREQUISITE, max_size=2, unique=True), st.lists(_UPDATE, max_size=4)), max_size=4
    )
)
def test_stays_with_bind_through_any_updates(bind: Real, messages: list[tuple[list[str], list[str]]]) -> None:
    """Whatever is sent one after another, both say the same and end with the same zone."""
    lab = Lab()
    before = bind.records()
    assert before == lab.records()
    try:
        for prerequisites, updates in messages:
            wire = update(prerequisites, updates)
            assert (lab.send(wire), lab.records()) == (bind.send(wire), bind.records())
    finally:
        bind.restore(before)
