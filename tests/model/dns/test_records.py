"""Record sets in canonical form."""

from __future__ import annotations

import re

import pytest

from changeover.model.dns.records import (
    RecordSet,
    address_set,
    canonical_value,
    hostname,
    in_zone,
    record_set,
    same_answer,
)
from changeover.model.health.conditions import expected, status_ranges
from changeover.model.secret import Secret


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("WWW.Shop.Example.", "www.shop.example"),
        (" shop.example ", "shop.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("_acme.shop.example", "_acme.shop.example"),
    ],
)
def test_host_names_are_lower_case_ascii_without_the_final_dot(text: str, name: str) -> None:
    """One form for every spelling."""
    assert hostname(text) == name


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", "-a.example", "a-.example", "a b.example", "a" * 64 + ".example", "x." * 130, "192.0.2.1", "a.7"],
)
def test_what_is_no_host_name_is_said(text: str) -> None:
    """With an example of one."""
    with pytest.raises(ValueError, match=r"host name"):
        hostname(text)


@pytest.mark.parametrize("text", ["straße.example", "βόλος.example", "نامه\u200cای.example"])
def test_names_that_browsers_read_differently_are_refused(text: str) -> None:
    """IDNA 2003 makes another domain of them than IDNA 2008, which browsers follow."""
    with pytest.raises(ValueError, match="xn--"):
        hostname(text)
    assert hostname("xn--strae-oqa.example") == "xn--strae-oqa.example"


@pytest.mark.parametrize(
    ("rtype", "text"),
    [("A", "192.0.2.256"), ("A", "192.0.2.01"), ("A", "2001:db8::1"), ("AAAA", "192.0.2.1"), ("AAAA", "fe80::1%eth0")],
)
def test_what_is_no_address_is_refused(rtype: str, text: str) -> None:
    """Of the other family, out of range, with a zone that means something on this computer only."""
    with pytest.raises(ValueError, match=re.escape(text)):
        canonical_value(rtype, text)


def test_values_are_canonical_and_sorted() -> None:
    """Addresses as RFC 5952 writes them, targets like host names."""
    assert record_set("a.example", "AAAA", 60, ["2001:DB8:0::1"]).values == ("2001:db8::1",)
    assert record_set("a.example", "CNAME", 60, ["App.Example.NET."]).values == ("app.example.net",)
    assert record_set("a.example", "A", 60, ["192.0.2.2", "192.0.2.1"]).values == ("192.0.2.1", "192.0.2.2")


def test_the_address_set_is_what_decides_where_visitors_go() -> None:
    """A, AAAA, CNAME, aliases, HTTPS and SVCB; nothing else."""
    types = ("TXT", "HTTPS", "MX", "AAAA", "A", "SOA", "ALIAS", "CAA")
    records = [RecordSet(name="a.example", type=t, ttl=60, values=("x",)) for t in types]
    assert [r.type for r in address_set(records)] == ["A", "AAAA", "ALIAS", "HTTPS"]


def test_the_same_answer_does_not_depend_on_ttl_and_flags() -> None:
    """But on type and values."""
    one = RecordSet(name="a.example", type="A", ttl=60, values=("192.0.2.1",))
    other = RecordSet(name="a.example", type="A", ttl=1, values=("192.0.2.1",), details={"x": {}}, opaque=True)
    assert same_answer((one,), (other,))
    assert not same_answer((one,), ())


def test_a_zone_holds_its_apex_and_what_is_below() -> None:
    """Not what merely ends alike."""
    assert in_zone("shop.example", "shop.example")
    assert in_zone("www.shop.example", "shop.example")
    assert not in_zone("myshop.example", "shop.example")


def test_status_ranges() -> None:
    """Ranges and single codes, several of them."""
    assert expected(204, "200-299")
    assert expected(401, "200-299, 401")
    assert not expected(503, "200-399")
    for wrong in ("", "abc", "99-200", "300-200", "200-", "200-600"):
        with pytest.raises(ValueError, match="range of status codes"):
            status_ranges(wrong)


def test_a_secret_shows_nothing() -> None:
    """Not by repr, str, format or pickle."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret!r} {secret} {[secret]}"
    with pytest.raises(TypeError):
        secret.__reduce__()
    assert secret.reveal() == "hunter2"
