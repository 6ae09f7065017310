"""Records that another program would put back: which, known by what, and what to do."""

from __future__ import annotations

import pytest

from changeover.model.dns.ownership import names_to_read, owners
from changeover.model.dns.records import RecordSet, record_set

ZONE, WWW = "shop.example", "www.shop.example"
HERITAGE = '"heritage=external-dns,external-dns/owner=prod,external-dns/resource=ingress/web/shop"'


def txt(name: str, *values: str) -> dict[str, tuple[RecordSet, ...]]:
    return {name: (record_set(name, "TXT", 300, values),)}


@pytest.mark.parametrize(
    ("name", "place"),
    [(WWW, WWW), (WWW, f"a-{WWW}"), (WWW, f"aaaa-{WWW}"), (WWW, f"cname-{WWW}"), (ZONE, ZONE)],
)
def test_external_dns_is_known_by_its_heritage(name: str, place: str) -> None:
    """At the name, or with the record's type before it; its owner and its resource are told."""
    assert place == name or place in names_to_read(name, ZONE)
    (found,) = owners(name, ZONE, txt(place, HERITAGE, '"v=spf1 -all"'))
    assert found.program == "external-dns"
    assert found.text == f"external-dns (owner prod) keeps {name} for ingress/web/shop, and will put back what it has"
    assert "Pause it" in found.fix


@pytest.mark.parametrize(
    "value",
    [r'"\"heritage=external-dns,external-dns/owner=prod\""', '"heritage=external-dns,ext" "ernal-dns/owner=prod"'],
)
def test_quotes_and_several_strings_do_not_hide_it(value: str) -> None:
    """Some providers keep the quotes as a part of the text."""
    (found,) = owners(WWW, ZONE, txt(WWW, value))
    assert "(owner prod)" in found.text


def test_two_texts_are_one_owner() -> None:
    """Old and new form stand beside each other for years."""
    assert len(owners(WWW, ZONE, txt(WWW, HERITAGE) | txt(f"a-{WWW}", HERITAGE))) == 1


@pytest.mark.parametrize(
    ("name", "place"),
    [(WWW, "_owner.a.www.shop.example"), (WWW, "_owner.cname.www.shop.example"), (ZONE, "_owner.a.shop.example")],
)
def test_octodns_is_known_by_its_owner_records(name: str, place: str) -> None:
    """They carry the type and the name within the zone."""
    assert place in names_to_read(name, ZONE)
    (found,) = owners(name, ZONE, txt(place, '"*octodns*"'))
    assert (found.program, found.text) == (
        "octoDNS",
        f"octoDNS owns {name}, and will put back what its configuration says",
    )


@pytest.mark.parametrize(
    ("place", "value", "known"),
    [
        ("octodns-meta", '"provider=cf"', True),
        ("_octodns-meta", '"time=2026-11-24T10:00:00+00:00"', True),
        ("meta", '"octodns-version=1.9.1"', True),
        ("meta", '"time=2026-11-24T10:00:00+00:00"', True),
        ("meta", '"of something else"', False),
    ],
)
def test_octodns_is_known_by_its_record_about_the_zone(place: str, value: str, known: bool) -> None:
    """It may keep every name of the zone."""
    found = owners(WWW, ZONE, txt(f"{place}.{ZONE}", value))
    assert [owner.program for owner in found] == (["octoDNS"] if known else [])


@pytest.mark.parametrize(
    ("details", "program"),
    [
        ({"comment": "Managed by Terraform"}, "Terraform"),
        ({"comment": "created by external-dns in prod"}, "external-dns"),
        ({"tags": ["team:web", "managed-by:pulumi"]}, "Pulumi"),
        ({"comment": "main site", "proxied": True}, None),
    ],
)
def test_a_comment_or_a_tag_names_the_program(details: dict[str, object], program: str | None) -> None:
    """Where the provider keeps notes beside a record."""
    there = RecordSet(name=WWW, type="A", ttl=60, values=("192.0.2.1",), details={"192.0.2.1": details})
    found = owners(WWW, ZONE, {WWW: (there,)})
    assert [owner.program for owner in found] == ([program] if program else [])


def test_nobody_is_known_where_nothing_is_left() -> None:
    """Other texts are nobody's sign."""
    assert owners(WWW, ZONE, txt(WWW, '"v=spf1 -all"') | txt(f"a-{WWW}", '"hello"')) == ()
