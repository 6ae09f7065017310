"""Names and values as APIs write them, and what is kept beside a value that stays."""

from __future__ import annotations

from typing import Any

import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.dns.http.notation import (
    as_written,
    carried_over,
    full_name,
    record_value,
    relative_name,
    text_value,
    written_value,
)
from changeover.model.dns.records import RecordSet, record_set

ZONE, WWW = "shop.example", "www.shop.example"


@pytest.mark.parametrize(("name", "label"), [(ZONE, ""), (WWW, "www"), ("a.b.shop.example", "a.b")])
def test_a_name_within_its_zone(name: str, label: str) -> None:
    """There and back; the zone itself is "@" or nothing, and capital letters are none of DNS."""
    assert relative_name(ZONE, name) == label
    assert full_name(ZONE, label) == full_name(ZONE, label.upper()) == name
    assert full_name(ZONE, "@") == full_name(ZONE, None) == ZONE


@pytest.mark.parametrize(
    ("rtype", "text", "value"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("A", "192.0.2.256", "192.0.2.256"),
        ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
        ("CNAME", "Origin.example.net.", "origin.example.net"),
        ("CNAME", "origin", "origin.shop.example"),
        ("ALIAS", "@", "shop.example"),
        ("MX", "10 mail", "10 mail.shop.example."),
        ("MX", "10 mail.example.net.", "10 mail.example.net."),
        ("TXT", "plain", '"plain"'),
        ("HTTPS", "1 . alpn=h2", '1 . alpn="h2"'),
        ("NOTYPE", "what it is", "what it is"),
    ],
)
def test_a_value_is_one_text(rtype: str, text: str, value: str) -> None:
    """However it is written; names without a final dot are below the zone, and what is not understood stays."""
    assert record_value(rtype, text, ZONE) == value
    assert record_value(rtype, written_value(rtype, value), ZONE) == value


def test_without_a_zone_every_name_is_absolute() -> None:
    """As most APIs show them."""
    assert record_value("CNAME", "origin.example.net") == "origin.example.net"
    assert record_value("MX", "10 mail.example.net") == "10 mail.example.net."


@given(st.lists(st.text(max_size=600), min_size=1, max_size=3))
def test_a_text_is_in_strings_that_fit(texts: list[str]) -> None:
    """Of 255 bytes (RFC 1035, 3.3), and nothing is lost."""
    record: Any = dns.rdata.from_text("IN", "TXT", text_value(*texts))
    assert all(len(one) <= 255 for one in record.strings)
    assert b"".join(record.strings) == "".join(texts).encode("utf-8", "surrogatepass")


BEFORE = RecordSet(
    name=WWW,
    type="A",
    ttl=60,
    values=("192.0.2.1", "192.0.2.2"),
    details={
        "192.0.2.1": {"written": "192.0.2.001", "ttl": 30, "default_ttl": 60, "labels": {"team": "shop"}},
        "192.0.2.2": {"labels": {"team": "shop"}},
    },
)
AFTER = record_set(WWW, "A", 300, ["192.0.2.1", "192.0.2.3"])


def details(*after: RecordSet, **how: Any) -> dict[str, dict[str, Any]]:
    (record,) = after
    return carried_over((BEFORE,), record, how.pop("ttl", 300), **how).details


def test_what_a_value_keeps() -> None:
    """Where it stays: its notation and what else is asked for. What is shared, every value of the set has."""
    assert details(AFTER) == {"192.0.2.1": {"written": "192.0.2.001"}}
    assert details(AFTER, keys=("ttl",), shared=("labels",)) == {
        "192.0.2.1": {"ttl": 30, "labels": {"team": "shop"}},
        "192.0.2.3": {"labels": {"team": "shop"}},
    }
    assert details(record_set(WWW, "CNAME", 60, ["backup.example.net"]), shared=("labels",)) == {}


def test_the_zones_default_ttl_stays_with_its_seconds() -> None:
    """A set that gets another TTL has it from then on."""
    assert details(AFTER, keys=("default_ttl",), ttl=60) == {"192.0.2.1": {"default_ttl": 60}}
    assert details(AFTER, keys=("default_ttl",), ttl=300) == {}


@pytest.mark.parametrize(("alias", "rtype"), [(True, "ALIAS"), (False, "ANAME")])
def test_an_aname_is_an_alias_where_the_provider_has_these(alias: bool, rtype: str) -> None:
    """Whose answer is that of its target."""
    made = carried_over((), record_set(ZONE, "ANAME", 60, ["backup.example.net"]), 60, alias=alias)
    assert (made.type, made.opaque) == (rtype, alias)


def test_a_value_is_written_as_it_was() -> None:
    """Else as a zone file has it."""
    assert as_written(BEFORE, "192.0.2.1") == "192.0.2.001"
    assert as_written(record_set(WWW, "CNAME", 60, ["backup.example.net"]), "backup.example.net") == (
        "backup.example.net."
    )
