"""How PowerDNS takes dynamic updates: what dns_servers.powerdns says of it, and what the provider makes of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
import pytest

from changeover.dns.provider import Applied
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.model.dns.change import Change
from changeover.model.dns.records import record_set
from changeover.model.errors import Rejected
from changeover.model.secret import Secret
from dns_servers.authoritative import KEY_NAME, SECRET, ZONE_TEXT
from dns_servers.powerdns import PowerDns

H3, ZONE = "h3.shop.example", "shop.example"
VALUE = '1 . alpn="h2"'


@pytest.fixture
def powerdns(tmp_path: Path) -> Iterator[PowerDns]:
    with PowerDns(tmp_path, zone_text=f"{ZONE_TEXT}h3 HTTPS {VALUE}\nh3 A 192.0.2.30\n") as running:
        yield running


def update(powerdns: PowerDns, *, key: str = SECRET) -> dns.update.UpdateMessage:
    return dns.update.UpdateMessage(f"{ZONE}.", keyring=dns.tsigkeyring.from_text({KEY_NAME: key}))


def answer(powerdns: PowerDns, asked: dns.update.UpdateMessage) -> str:
    got = dns.query.tcp(asked, "127.0.0.1", port=powerdns.port, timeout=5)
    return dns.rcode.to_text(got.rcode())


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (["192.0.2.10"], "NOERROR"),
        (["192.0.2.10", "192.0.2.11"], "NXRRSET"),
        (["192.0.2.11"], "NXRRSET"),
        ([], "YXRRSET"),
    ],
)
def test_prerequisites_compare_whole_record_sets(powerdns: PowerDns, expected: list[str], said: str) -> None:
    """By value, and by absence; an update whose expectation does not hold changes nothing."""
    before = powerdns.records()
    asked = update(powerdns)
    if expected:
        asked.present("@", "A", *expected)
    else:
        asked.absent("@", "A")
    asked.replace("@", 60, "A", "192.0.2.99")
    asked.add("new", 60, "A", "192.0.2.99")
    assert answer(powerdns, asked) == said
    assert (powerdns.records() == before) is (said != "NOERROR")


def test_a_cname_beside_other_records_is_refused_and_not_ignored(powerdns: PowerDns) -> None:
    """RFC 2136 (3.4.2.2) says to ignore it. The whole update is refused, with what else it holds."""
    before = powerdns.records()
    for name, rtype, value in (("mail", "CNAME", "x.example.net."), ("www", "A", "192.0.2.1")):
        asked = update(powerdns)
        asked.add("new", 60, "A", "192.0.2.99")
        asked.add(name, 60, rtype, value)
        assert answer(powerdns, asked) == "REFUSED"
    assert powerdns.records() == before


def test_a_ttl_is_that_of_the_whole_record_set(powerdns: PowerDns) -> None:
    """A record that is added with another TTL gives it to those that stood there (RFC 2181, 5.2)."""
    powerdns.change(add=["mail 90 A 192.0.2.26"])
    assert {line.split()[1] for line in powerdns.records() if line.startswith("mail.")} == {"90"}


async def test_parameters_of_an_https_record_are_compared_as_text(powerdns: PowerDns) -> None:
    """As they were loaded, with quotation marks, they are never what an update expects: refused, nothing changed, and
    nobody blamed. Written by an update once, they are compared as they should be."""
    provider = Rfc2136("dns-main", Rfc2136Options(server=powerdns.server, key_name=KEY_NAME), Secret(SECRET))
    stands = (record_set(H3, "A", 60, ["192.0.2.30"]), record_set(H3, "HTTPS", 60, [VALUE]))
    change = Change(
        account="dns-main", zone=ZONE, name=H3, before=stands, after=(record_set(H3, "A", 60, ["192.0.2.31"]),)
    )
    before = powerdns.records()
    with pytest.raises(Rejected, match="still shows the same"):
        await provider.apply(ZONE, [change])
    assert powerdns.records() == before
    powerdns.change(delete=["h3 HTTPS"], add=[f"h3 60 HTTPS {VALUE}"])
    assert await provider.apply(ZONE, [change]) == Applied()
    assert await provider.apply(ZONE, [change.inverse]) == Applied()
    assert powerdns.records() == before


def test_what_it_says_to_a_wrong_signature_is_not_signed(powerdns: PowerDns) -> None:
    """REFUSED, without a TSIG record that says why (RFC 8945, 5.2, would have one); nothing is changed."""
    before = powerdns.records()
    asked = update(powerdns, key="d3Jvbmd3cm9uZ3dyb25nd3Jvbmd3cm9uZ3dyb25nMTI=")
    asked.add("new", 60, "A", "192.0.2.99")
    with pytest.raises(dns.exception.FormError, match="requires a TSIG"):
        answer(powerdns, asked)
    assert powerdns.records() == before
