"""Two computers and one zone: a lease in the zone itself lets one run in at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dns.message
import dns.query

from changeover.model.dns.lease import Lease, lease_name, leases
from changeover.model.dns.records import RecordSet
from shop import WWW, Shop

ZONE = "shop.example"


def lease_in_zone(shop: Shop) -> Lease:
    """The lease that stands in the zone."""
    query = dns.message.make_query(lease_name(ZONE), "TXT")
    answer = dns.query.tcp(query, shop.bind.address, port=shop.bind.port, timeout=30)
    values = tuple(rdata.to_text() for rrset in answer.answer for rdata in rrset)
    (lease,) = leases([RecordSet(name=lease_name(ZONE), type="TXT", ttl=60, values=values)])
    assert isinstance(lease, Lease)
    return lease


def test_somebody_else_s_lease_is_waited_for_or_taken_over_by_name(shop: Shop) -> None:
    """Refused, saying who and until when; an emergency that names it goes on, with a higher fence."""
    other = Lease(
        owner="bob@desk", fence=41, expires=datetime.now(UTC) + timedelta(minutes=4), service="shop", run="shop-9"
    )
    shop.bind.change(add=[f'_changeover 60 TXT "{other.text}"'])
    before = shop.bind.records()
    refused = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    (finding,) = [f for f in refused["findings"] if f["check"] == "lease"]
    assert (finding["level"], finding["overridable"]) == ("block", False)
    assert "bob@desk is switching shop (run shop-9)" in finding["text"]
    assert shop.bind.records() == before
    shop.web.break_("primary")
    taken = shop.json("switch", "shop", "--to", "backup", "--yes", "--emergency", "--override", "lease=bob is asleep")
    assert taken["outcome"] == "completed"
    assert shop.at(WWW) == {f"{WWW}. 60 A 127.0.0.3"}
    lease = lease_in_zone(shop)
    assert (lease.fence, lease.owner == other.owner) == (42, False)


def test_a_lease_is_given_back_and_its_number_never_falls(shop: Shop) -> None:
    """After each run nobody holds it, and the next one counts on."""
    for number, to in ((1, "backup"), (2, "primary")):
        assert shop.json("switch", "shop", "--to", to, "--yes")["outcome"] == "completed"
        lease = lease_in_zone(shop)
        assert (lease.fence, lease.expires.year) == (number, 1970)


def test_a_service_may_do_without(shop: Shop) -> None:
    """lease = false: nothing is written but what is switched."""
    text = shop.home.settings_file.read_text()
    shop.home.settings_file.write_text(text.replace("ttl = 60\n", "ttl = 60\nlease = false\n"))
    shop.json("switch", "shop", "--to", "backup", "--yes")
    query = dns.message.make_query(lease_name(ZONE), "TXT")
    assert not dns.query.tcp(query, shop.bind.address, port=shop.bind.port, timeout=30).answer
