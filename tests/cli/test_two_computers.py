"""Two computers and one zone: a lease in the zone itself lets one run in at a time."""

from __future__ import annotations

import getpass
import json
import socket
from datetime import UTC, datetime, timedelta

import dns.message
import dns.query

from changeover.model.dns.lease import Holder, Lease, Take, lease_name, may_take
from changeover.storage.home import installation_name
from shop import WWW, Shop

ZONE = "shop.example"


def at_the_lease_s_name(shop: Shop) -> list[str]:
    """All that the zone has there."""
    query = dns.message.make_query(lease_name(ZONE), "ANY")
    answer = dns.query.tcp(query, shop.bind.address, port=shop.bind.port, timeout=30)
    return [rdata.to_text() for rrset in answer.answer for rdata in rrset]


def test_somebody_else_s_lease_is_waited_for_or_taken_over_by_name(shop: Shop) -> None:
    """Refused, saying who and until when, here of a version before; an emergency that names it goes on."""
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
    assert "The lease on shop.example was taken over from bob@desk, who was switching shop" in json.dumps(taken)
    assert at_the_lease_s_name(shop) == []


def test_no_other_record_is_touched(shop: Shop) -> None:
    """After a switch and its undo the zone is as it was before, record for record: the lease is gone."""
    before = shop.bind.records()
    run = shop.json("switch", "shop", "--to", "backup", "--yes")
    assert run["outcome"] == "completed"
    assert at_the_lease_s_name(shop) == []
    assert shop.json("undo", run["run"], "--yes")["outcome"] == "undone"
    assert shop.bind.records() == before


def test_the_world_is_told_no_person_and_no_computer(shop: Shop) -> None:
    """What stands in the public zone while a run lasts has a random name only, and another installation is told it."""
    holder = Holder(owner=installation_name(shop.home), service="shop", run="shop-1")
    taken = may_take((), holder, datetime.now(UTC))
    assert isinstance(taken, Take)
    text = taken.lease.text.replace("service=shop", "service=blog")
    assert getpass.getuser() not in text and socket.gethostname() not in text
    shop.bind.change(add=[f'_changeover 60 TXT "{text}"'])
    refused = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    (finding,) = [f for f in refused["findings"] if f["check"] == "lease"]
    assert finding["text"].startswith("This computer is switching blog (run shop-1) until")
    (shop.home.data / "installation").unlink()
    refused = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    (finding,) = [f for f in refused["findings"] if f["check"] == "lease"]
    assert finding["text"].startswith(f"Another computer ({holder.owner}) is switching blog")


def test_a_service_may_do_without(shop: Shop) -> None:
    """lease = false: nothing is written but what is switched."""
    text = shop.home.settings_file.read_text()
    shop.home.settings_file.write_text(text.replace("ttl = 60\n", "ttl = 60\nlease = false\n"))
    shop.json("switch", "shop", "--to", "backup", "--yes")
    assert at_the_lease_s_name(shop) == []
