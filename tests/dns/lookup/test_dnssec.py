"""A zone that the zone above calls signed, and its name servers, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.dns.lookup.client import Lookup
from changeover.dns.lookup.dnssec import signing_of
from changeover.model.dns.dnssec import Signing, signing_findings
from changeover.model.finding import Level
from changeover.model.settings.service import LookupSettings
from dns_servers.bind import Bind

ZONE = "shop.example"
OTHER_DS = "12345 13 2 " + "AB" * 32
ABOVE = "@ 60 SOA ns hostmaster 1 3600 600 86400 60\n@ 60 NS ns\nns A 127.0.0.1\nshop NS ns.shop\nns.shop A 127.0.0.1\n"


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[Bind]:
    with Bind(tmp_path, ZONE, signed=True) as running:
        yield running


@pytest.fixture
def unsigned(tmp_path: Path) -> Iterator[Bind]:
    with Bind(tmp_path, ZONE) as running:
        yield running


async def asked(folder: Path, ds: str | None, *servers: str) -> Signing | None:
    """What is found where the zone above has this DS record, and the zone these name servers."""
    text = ABOVE + (f"shop DS {ds}\n" if ds else "")
    with Bind(folder, "example", text) as above:
        settings = LookupSettings(resolvers=(above.server,), nameservers={ZONE: servers}, doh=())
        return await signing_of(ZONE, Lookup(settings, timeout=2))


async def test_a_zone_that_is_signed_as_it_should_be(tmp_path: Path, signed: Bind) -> None:
    """Every server signs, with the key that the DS record speaks of."""
    found = await asked(tmp_path, signed.ds, signed.server)
    assert found == Signing(zone=ZONE, signed=(signed.server,))
    (finding,) = signing_findings([found])
    assert (finding.check, finding.level) == ("dnssec", Level.PASS)


async def test_a_second_provider_that_does_not_sign(tmp_path: Path, signed: Bind, unsigned: Bind) -> None:
    """Half of the visitors with a validating resolver get no answer: a warning that names the server."""
    found = await asked(tmp_path, signed.ds, signed.server, unsigned.server)
    assert found == Signing(zone=ZONE, signed=(signed.server,), unsigned=(unsigned.server,))
    (finding,) = signing_findings([found])
    assert finding.level is Level.WARN
    assert f"{unsigned.server} gives no signatures" in finding.text


async def test_a_key_that_the_zone_above_does_not_know(tmp_path: Path, signed: Bind) -> None:
    """As after a move from one provider to another."""
    found = await asked(tmp_path, OTHER_DS, signed.server)
    assert found == Signing(zone=ZONE, other_key=(signed.server,))
    (finding,) = signing_findings([found])
    assert finding.level is Level.WARN
    assert "does not know" in finding.text


async def test_a_zone_without_a_ds_record_is_not_signed(tmp_path: Path, signed: Bind) -> None:
    """Whatever its servers do; nobody looks at their signatures."""
    assert await asked(tmp_path, None, signed.server) is None


async def test_what_nobody_says_is_not_known(tmp_path: Path, signed: Bind) -> None:
    """No resolver, and name servers that are silent."""
    settings = LookupSettings(resolvers=(), nameservers={ZONE: (signed.server,)}, doh=())
    assert await signing_of(ZONE, Lookup(settings, timeout=2)) is None
    found = await asked(tmp_path, OTHER_DS, "127.0.0.1:9")
    assert found == Signing(zone=ZONE)
    assert signing_findings([found]) == []
