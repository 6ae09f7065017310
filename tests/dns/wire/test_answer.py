"""Messages that are written and read without dnspython say the same as dnspython's."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import NamedTuple
from unittest import mock

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.dns.wire.answer import WireAnswer, answer_to, question_wire, record_sets_in
from changeover.dns.wire.exchange import Server, exchange, read_message
from changeover.dns.wire.update_message import ADDRESS, OTHERS, UpdateMessage
from changeover.model.dns.batches import batches
from changeover.model.dns.capabilities import BatchLimit, Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import RecordSet, address_set, canonical_value, record_set
from changeover.model.errors import Rejected

ZONE = "shop.example"
KEY = dns.tsig.Key("changeover.", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI=", "hmac-sha256")

_label = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=12)
_names = st.lists(_label, max_size=3).map(lambda labels: ".".join([*labels, ZONE]))
_hosts = st.lists(_label, min_size=2, max_size=4).map(".".join)
_v4 = st.ip_addresses(v=4).map(str)
_v6 = st.ip_addresses(v=6).map(str)
_ttls = st.integers(0, 86400)
_FEW = (f"www.{ZONE}", ZONE)


def _values(rtype: str) -> st.SearchStrategy[list[str]]:
    by_type = {
        "A": st.lists(_v4, min_size=1, max_size=3),
        "AAAA": st.lists(_v6, min_size=1, max_size=3),
        "CNAME": _hosts.map(lambda host: [host]),
        "HTTPS": st.just(['1 . alpn="h2"']),
        "TXT": st.just(['"one" "two"', '"three"']),
    }
    return by_type[rtype]


@st.composite
def _records(draw: st.DrawFn, names: st.SearchStrategy[str], *rtypes: str) -> RecordSet:
    rtype = draw(st.sampled_from(rtypes))
    return record_set(draw(names), rtype, draw(_ttls), draw(_values(rtype)))


@st.composite
def _changes(draw: st.DrawFn) -> list[Change]:
    """Changes of the address sets of different names: two families, a CNAME or nothing, before and after."""

    def address(name: str) -> tuple[RecordSet, ...]:
        rtypes = draw(st.sampled_from([(), ("A",), ("A", "AAAA"), ("CNAME",), ("A", "HTTPS")]))
        return address_set(record_set(name, rtype, draw(_ttls), draw(_values(rtype))) for rtype in rtypes)

    return [
        Change(account="dns-main", zone=ZONE, name=name, before=address(name), after=address(name))
        for name in draw(st.lists(_names, max_size=4, unique=True))
    ]


def rrset(record: RecordSet) -> dns.rrset.RRset:
    texts = [f"{value}." if record.type == "CNAME" else value for value in record.values]
    return dns.rrset.from_text(f"{record.name}.", record.ttl, "IN", record.type, *texts)


def read(message: UpdateMessage) -> dns.message.Message:
    """The message as dnspython reads it, its signature checked, a record at a time."""
    return dns.message.from_wire(message.wire()[0], keyring=KEY, one_rr_per_rrset=True)


#: Name, class, type, TTL and value.
Line = tuple[str, str, str, int, str]


def lines(section: list[dns.rrset.RRset]) -> list[Line]:
    found = []
    for one in section:
        rclass = "IN" if one.deleting is None else dns.rdataclass.to_text(one.deleting)
        name, rtype = one.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(one.rdtype)
        (value,) = [rdata.to_text() for rdata in one] or [""]
        found.append((name, rclass, rtype, one.ttl, canonical_value(rtype, value) if value else ""))
    return found


class TestUpdates:
    @given(_changes(), st.booleans())
    def test_all_is_expected_and_all_is_replaced(self, changes: list[Change], signed: bool) -> None:
        """Every value before is a prerequisite, every absent type as well, and deletes come before adds.

        What gives way to a CNAME is deleted at once, which is what Knot takes.
        """
        update = UpdateMessage(ZONE, KEY if signed else None)
        update.replace(changes)

        message = read(update)

        assert message.opcode() == dns.opcode.UPDATE
        assert message.had_tsig is signed
        assert lines(message.sections[0]) == [(ZONE, "IN", "SOA", 0, "")]
        expected: list[Line] = []
        wanted: list[Line] = []
        for change in changes:
            before = {record.type: record for record in change.before}
            alone = any(r.type == "CNAME" for r in change.after) and "CNAME" not in before
            for rtype in (*ADDRESS, *OTHERS):
                if rtype in before:
                    expected += [(change.name, "IN", rtype, 0, value) for value in before[rtype].values]
                elif rtype in ADDRESS or alone:
                    expected += [(change.name, "NONE", rtype, 0, "")]
            to_cname = bool(change.before) and any(r.type == "CNAME" for r in change.after)
            gone = ["ANY"] if to_cname else [record.type for record in change.before]
            wanted += [(change.name, "ANY", rtype, 0, "") for rtype in gone]
            wanted += [(change.name, "IN", r.type, r.ttl, value) for r in change.after for value in r.values]
        assert sorted(lines(message.sections[1])) == sorted(expected)
        assert lines(message.sections[2]) == wanted

    def test_one_record_is_deleted_alone(self) -> None:
        """What proves the right to write names a value, and a class that nothing else has."""
        update = UpdateMessage(ZONE, KEY)
        update.delete_value(f"www.{ZONE}", "A", bytes(4))
        assert lines(read(update).sections[2]) == [(f"www.{ZONE}", "NONE", "A", 0, "0.0.0.0")]

    def test_names_stay_whole_where_no_pointer_reaches(self) -> None:
        """Beyond 16 KiB names are written out."""
        update = UpdateMessage(ZONE, KEY)
        names = [f"{'x' * 50}{number}.{ZONE}" for number in range(350)]
        for name in (*names, *names):
            update.delete_value(name, "A", bytes(4))
        assert [line[0] for line in lines(read(update).sections[2])] == [*names, *names]
        assert len(update.wire()[0]) > 0x4000

    @pytest.mark.parametrize("label", ["{}", "{:x>60}"])
    @pytest.mark.parametrize("after", [("A", "192.0.2.2"), ("CNAME", "backup.example.net")])
    def test_a_batch_fits(self, label: str, after: tuple[str, str]) -> None:
        """What is planned as one message is one: with the shortest names, with long ones, with a guard."""
        names = [f"{label.format(number)}.{ZONE}" for number in range(1500)]
        changes = [
            Change(
                account="dns-main",
                zone=ZONE,
                name=name,
                before=(record_set(name, "A", 60, ["192.0.2.1"]),),
                after=(record_set(name, after[0], 60, [after[1]]),),
            )
            for name in names
        ]
        capabilities = Capabilities(
            label="it", batch=BatchLimit(), native_compare_and_set=True, propagates_atomically=True
        )
        parts = list(batches(changes, {"dns-main": capabilities}))
        assert len(parts) > 1
        for part in parts:
            update = UpdateMessage(ZONE, KEY)
            update.expect(record_set(f"_changeover-lease.{ZONE}", "TXT", 60, ['"' + "x" * 250 + '"'] * 2))
            update.replace(part)
            assert len(update.wire()[0]) < 65536

    def test_what_does_not_fit_is_refused_in_words(self) -> None:
        """64 KiB is all that a message can hold."""
        update = UpdateMessage(ZONE, KEY)
        for number in range(1500):
            update.delete_value(f"{'x' * 50}{number}.{ZONE}", "A", bytes(4))
        with pytest.raises(Rejected, match="do not fit"):
            update.wire()


class Said(NamedTuple):
    """What a server says to a question about a name."""

    name: str
    asked: str
    rcode: int
    flags: tuple[bool, bool]
    sections: list[list[RecordSet]]

    def wire(self) -> bytes:
        authoritative, edns = self.flags
        answer = dns.message.make_response(dns.message.from_wire(question_wire(self.name, self.asked)))
        answer.set_rcode(dns.rcode.Rcode(self.rcode))
        answer.flags |= dns.flags.AA if authoritative else 0
        for section, records in zip((answer.answer, answer.authority, answer.additional), self.sections, strict=True):
            section.extend(rrset(record) for record in {(r.name, r.type): r for r in records}.values())
        if edns:
            answer.use_edns(0)
        return answer.to_wire()


_some = st.lists(_records(st.sampled_from(_FEW), "A", "AAAA", "CNAME", "HTTPS", "TXT"), max_size=2)
_said = st.builds(
    Said,
    st.sampled_from(_FEW),
    st.sampled_from(["A", "AAAA", "CNAME"]),
    st.integers(0, 5),
    st.tuples(st.booleans(), st.booleans()),
    st.lists(_some, min_size=3, max_size=3),
)


def long_way(wire: bytes, name: str) -> WireAnswer:
    """What dnspython makes of it."""
    message = dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=True)
    authoritative = bool(message.flags & dns.flags.AA)
    referral = not authoritative and bool(message.authority)
    return WireAnswer(message.rcode(), authoritative, referral, record_sets_in(message.answer, name))


class TestAnswers:
    @given(_said)
    def test_answers_are_read_as_dnspython_reads_them(self, said: Said) -> None:
        """One record set, several, none, of any type: the same record sets in the same form, and the same header."""
        assert answer_to(said.wire(), said.name) == long_way(said.wire(), said.name)

    @given(_said, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=3))
    def test_the_short_way_reads_right_or_not_at_all(self, said: Said, damage: list[tuple[int, int]]) -> None:
        """An answer with bytes of any value in it: what dnspython reads is read like that, by either way."""
        damaged = bytearray(said.wire())
        for place, value in damage:
            damaged[max(2, place % len(damaged))] = value
        try:
            expected = long_way(bytes(damaged), said.name)
        except dns.exception.DNSException:
            return
        assert answer_to(bytes(damaged), said.name) == expected

    @given(_records(_names, "A", "AAAA", "CNAME"), st.booleans())
    def test_what_many_names_have_is_read_the_short_way(self, record: RecordSet, shouted: bool) -> None:
        """Addresses and CNAMEs, compressed or in capitals, need no dnspython."""
        answer = dns.message.make_response(dns.message.from_wire(question_wire(record.name, record.type)))
        answer.answer.append(rrset(record))
        wire = answer.to_wire()
        asked = 12 + len(record.name) + 6
        wire = wire[:12] + wire[12:asked].upper() + wire[asked:] if shouted else wire
        with mock.patch("dns.message.from_wire", side_effect=AssertionError("dnspython was asked")):
            assert answer_to(wire, record.name).records == (record,)

    def test_types_are_not_mixed_up(self) -> None:
        """IPv4 and IPv6 in one answer stay two record sets."""
        answer = dns.message.make_response(dns.message.from_wire(question_wire(ZONE, "A")))
        both = [record_set(ZONE, "A", 60, ["192.0.2.1"]), record_set(ZONE, "AAAA", 30, ["2001:db8::1"])]
        answer.answer.extend(rrset(record) for record in both)
        assert answer_to(answer.to_wire(), ZONE).records == tuple(both)

    @pytest.mark.parametrize("authoritative", [True, False])
    def test_a_referral_is_told_from_an_empty_answer(self, authoritative: bool) -> None:
        """Both have something in the authority section; only one comes from the name's own server."""
        name = f"sub.{ZONE}"
        answer = dns.message.make_response(dns.message.from_wire(question_wire(name, "A")))
        answer.flags |= dns.flags.AA if authoritative else 0
        answer.authority.append(dns.rrset.from_text(f"{name}.", 60, "IN", "NS", "ns.sub.example."))
        assert answer_to(answer.to_wire(), name).referral is not authoritative

    @pytest.mark.parametrize(
        ("said", "zone"),
        [("-eu.shop.example SOA", "eu.shop.example"), ("-eu.shop.example NS", None), ("www.shop.example A", None)],
    )
    def test_whose_word_it_is_that_there_is_nothing(self, said: str, zone: str | None) -> None:
        """The owner of the SOA record beside it (RFC 2308, 2)."""
        data = {"SOA": "ns1.example. host.example. 1 2 3 4 5", "NS": "ns1.example.", "A": "192.0.2.1"}
        owner, rtype = said.lstrip("-").split()
        message = dns.message.make_response(dns.message.make_query("www.shop.example", "A"))
        section = message.authority if said.startswith("-") else message.answer
        section.append(dns.rrset.from_text(f"{owner}.", 60, "IN", rtype, data[rtype]))
        assert answer_to(message.to_wire(), "www.shop.example").zone == zone

    def test_a_header_alone_can_say_no(self) -> None:
        """Some servers refuse without repeating the question."""
        refused = struct.pack("!HHHHHH", 7, dns.flags.QR | dns.rcode.REFUSED, 0, 0, 0, 0)
        assert answer_to(refused, f"www.{ZONE}") == (dns.rcode.REFUSED, False, False, (), None)

    @given(_records(_names, "A", "AAAA", "CNAME", "TXT"), st.data())
    def test_a_damaged_answer_is_read_or_refused(self, record: RecordSet, data: st.DataObject) -> None:
        """Whatever stands behind the header, nothing else happens."""
        answer = dns.message.make_response(dns.message.from_wire(question_wire(record.name, record.type)))
        answer.answer.append(rrset(record))
        wire = bytearray(answer.to_wire())
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(dns.exception.DNSException):
            answer_to(bytes(wire[: data.draw(st.integers(12, len(wire)))]), record.name)

    async def test_such_a_header_is_an_answer(self) -> None:
        """A server that refuses like that is not waited for until time is up."""

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = await read_message(reader)
            assert asked is not None
            header = asked[:2] + struct.pack("!HHHHH", dns.flags.QR | dns.rcode.REFUSED, 0, 0, 0, 0)
            writer.write(len(header).to_bytes(2, "big") + header)
            writer.close()

        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            at = Server(*server.sockets[0].getsockname())
            (wire,) = await exchange(at, [question_wire(f"www.{ZONE}", "A")])
        assert answer_to(wire, f"www.{ZONE}").rcode == dns.rcode.REFUSED
