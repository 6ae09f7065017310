"""Finding a hostname's account: by the command, at real servers and at simulated providers."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.commands.discover import _add_command
from changeover.dns.providers import provider_type
from changeover.model.dns.discovery import OPERATORS, Operator
from changeover.model.settings.account_fields import option_fields
from dns_servers.bind import Bind
from dns_servers.desec_simulator import DesecSimulator
from dns_servers.process import free_port
from keyring_session import KeyringSession
from shop import APEX, WWW, ZONE, Shop

TOKEN = "i-T3b1h_OI-H9ab8tRS98stGtURe"
#: Delegates the shop's zone, and what else the tests ask for.
PARENT = """\
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
shop NS ns1.shop
ns1.shop A 127.0.0.1
bought NS ada.ns.cloudflare.com.
bought NS bob.ns.cloudflare.com.
"""


def change(shop: Shop, old: str, new: str) -> None:
    """Changes the settings file."""
    text = shop.home.settings_file.read_text()
    assert old in text
    shop.home.settings_file.write_text(text.replace(old, new))


def add_account(shop: Shop, name: str, server: str) -> None:
    change(shop, "[[services]]", f'[accounts.{name}]\nprovider = "rfc2136"\nserver = "{server}"\n\n[[services]]')


def add_desec(shop: Shop, desec: DesecSimulator) -> None:
    """As the account "second"."""
    words = ("account", "add", "second", "--provider", "desec", "--set", f"endpoint={desec.endpoint}")
    added = shop.run(*words, "--secret-stdin", stdin=TOKEN)
    assert added.returncode == 0, added.stderr


def name_servers(shop: Shop, **zones: str) -> None:
    """Says whom to ask for a zone. Labels are joined with _."""
    pairs = ", ".join(f'"{zone.replace("_", ".")}" = ["{server}"]' for zone, server in zones.items())
    change(shop, f'{{ "shop.example" = ["{shop.bind.server}"] }}', f"{{ {pairs} }}")


def test_the_account_what_stands_there_and_the_delegation(shop: Shop) -> None:
    """On a real server. Nothing is changed by it."""
    before = shop.bind.records()
    found = shop.json("discover", "WWW.shop.example.")
    (one,) = found["found"]
    assert (one["account"], one["zone"], one["delegation"]["leads"]) == ("dns-main", APEX, "here")
    assert one["records"] == [{"type": "CNAME", "ttl": 60, "values": ["edge-primary.shop.example"]}]
    assert found["dns"] == [{"account": "dns-main", "zone": APEX}]
    assert (found["zone"], found["name_servers"], found["others"]) == (APEX, ["ns1.shop.example"], [])
    assert shop.bind.records() == before


def test_the_words_end_with_what_to_do(shop: Shop) -> None:
    """The line for the settings file is one, and the command that adds the service is one."""
    said = shop.run("discover", "new.shop.example")
    assert said.returncode == 0
    (entry,) = [line for line in said.stdout.splitlines() if line.strip().startswith("dns = ")]
    assert tomllib.loads(entry)["dns"] == [{"account": "dns-main", "zone": APEX}]
    shop.bind.change(add=["new 60 A 192.0.2.7"])
    words = shop.run("discover", "new.shop.example").stdout.partition("changeover service add NAME")[2]
    words = words.replace("backup=…", "backup=a:192.0.2.8").replace("\\\n", " ")
    assert "primary=a:192.0.2.7" in words
    assert shop.run("service", "add", "second", *words.split()).returncode == 0
    assert "belongs to second already" in shop.run("discover", "new.shop.example").stdout


def test_a_wildcard_is_not_what_stands_there(shop: Shop) -> None:
    """It answers for the name, which has no records."""
    shop.bind.change(add=["*.apps 60 A 192.0.2.9"])
    (one,) = shop.json("discover", "one.apps.shop.example")["found"]
    assert (one["wildcard"], one["records"]) == (True, [])
    assert "a wildcard answers for it" in shop.run("discover", "one.apps.shop.example").stdout


def test_a_zone_within_a_zone(shop: Shop, tmp_path: Path) -> None:
    """The inner one holds the name; the account of the outer one says that it is delegated away."""
    with Bind(tmp_path, "eu.shop.example", ZONE, key=False) as inner:
        shop.bind.change(add=["eu 60 NS ns1.eu.shop.example.", "ns1.eu 60 A 127.0.0.1"])
        add_account(shop, "inner", inner.server)
        name_servers(shop, shop_example=shop.bind.server, eu_shop_example=inner.server)
        found = shop.json("discover", "www.eu.shop.example")
        assert [(one["account"], one["zone"]) for one in found["found"]] == [("inner", "eu.shop.example")]
        assert found["dns"] == [{"account": "inner", "zone": "eu.shop.example"}]
        (outer,) = found["others"]
        assert "is delegated away from shop.example" in outer["error"]
        found = shop.json("discover", WWW)
        assert [one["account"] for one in found["found"]] == ["dns-main"]


def test_an_account_with_both_zones_gives_the_inner_one(shop: Shop, tmp_path: Path) -> None:
    """Of the zones of one account the longest holds the name."""
    zones = [APEX, "eu.shop.example", "other.example"]
    with DesecSimulator(zones, TOKEN) as desec, KeyringSession(tmp_path) as session:
        shop.session = session.environment
        add_desec(shop, desec)
        found = shop.json("discover", "www.eu.shop.example")
    told = {one["account"]: (one["zone"], one["delegation"]["leads"]) for one in found["found"]}
    assert told == {"dns-main": (APEX, "here"), "second": ("eu.shop.example", "nowhere")}


class TestTwoAccounts:
    @pytest.fixture
    def both(self, tmp_path: Path) -> Iterator[tuple[Shop, DesecSimulator]]:
        """The shop's zone at BIND, and a copy of it at a simulated provider."""
        with (
            KeyringSession(tmp_path) as session,
            Shop(tmp_path, session=session.environment) as shop,
            DesecSimulator([APEX], TOKEN) as desec,
        ):
            desec.add(APEX, "", "NS", 3600, "ns1.desec.io.")
            desec.add(APEX, "www", "A", 3600, "192.0.2.99")
            add_desec(shop, desec)
            yield shop, desec

    def test_both_are_told_and_the_used_one_is_suggested(self, both: tuple[Shop, DesecSimulator]) -> None:
        """With what each of them has at the name."""
        found = both[0].json("discover", WWW)
        told = {one["account"]: (one["delegation"]["leads"], one["records"][0]["type"]) for one in found["found"]}
        assert told == {"dns-main": ("here", "CNAME"), "second": ("elsewhere", "A")}
        assert found["dns"] == [{"account": "dns-main", "zone": APEX}]
        assert "other name servers (ns1.shop.example): changes here would not be seen" in (
            both[0].run("discover", WWW).stdout
        )

    def test_where_both_are_used_both_are_suggested(self, both: tuple[Shop, DesecSimulator]) -> None:
        """A zone at two providers needs both accounts."""
        both[0].bind.change(add=["@ 60 NS ns1.desec.io."])
        found = both[0].json("discover", WWW)
        assert {one["account"]: one["delegation"]["leads"] for one in found["found"]} == {
            "dns-main": "here",
            "second": "partly",
        }
        assert [entry["account"] for entry in found["dns"]] == ["dns-main", "second"]

    def test_what_one_refuses_keeps_nobody_from_the_other(self, both: tuple[Shop, DesecSimulator]) -> None:
        """Its error stands beside what the other one has."""
        both[1].token = "another"
        found = both[0].json("discover", WWW)
        assert [one["account"] for one in found["found"]] == ["dns-main"]
        (other,) = found["others"]
        assert (other["account"], "Invalid token" in other["error"], bool(other["hint"])) == ("second", True, True)


class TestTheParent:
    @pytest.fixture
    def parent(self, shop: Shop, tmp_path: Path) -> Iterator[Bind]:
        """The zone above, which the settings know; the shop's own is followed from there."""
        with Bind(tmp_path, "example", PARENT, key=False) as running:
            name_servers(shop, example=running.server)
            yield running

    def test_what_it_says_counts(self, shop: Shop, parent: Bind) -> None:
        """Here the zone itself names its old servers still, as a zone does that was moved away."""
        assert shop.json("discover", WWW)["found"][0]["delegation"]["leads"] == "here"
        parent.change(delete=["shop NS"], add=["shop 60 NS ns1.new.example."])
        (one,) = shop.json("discover", WWW)["found"]
        assert one["delegation"]["leads"] == "elsewhere"
        assert "ns1.new.example" in one["delegation"]["text"]

    def test_where_changes_would_not_be_seen_no_entry_is_ready(self, shop: Shop, parent: Bind) -> None:
        """It is told what it will be, and no command is offered that would take it now."""
        parent.change(delete=["shop NS"], add=["shop 60 NS ns1.new.example."])
        assert shop.json("discover", "new.shop.example")["dns"] == []
        said = shop.run("discover", "new.shop.example").stdout
        before, _, after = said.partition("nothing for the settings file yet. Once the delegation points here")
        assert tomllib.loads(after.partition("\n")[2])["dns"] == [{"account": "dns-main", "zone": APEX}]
        assert "dns = " not in before
        assert "service add" not in said

    def test_an_operator_without_a_way_is_told_as_such(self, shop: Shop, parent: Bind) -> None:
        """No command is offered that would be refused."""
        change(shop, f'resolvers = ["{shop.bind.server}"]', f'resolvers = ["{parent.server}"]')
        parent.change(delete=["bought NS"], add=["bought 60 NS ns01.domaincontrol.com."])
        said = shop.run("discover", "www.bought.example")
        assert "Changeover has no way to GoDaddy yet." in said.stdout
        assert "account add" not in said.stdout
        found = shop.json("discover", "www.bought.example", status=3)
        assert found["operators"] == [{"name": "GoDaddy", "provider": None}]

    def test_nobody_has_it_but_its_name_servers_are_known(self, shop: Shop, parent: Bind) -> None:
        """Each account's word, whose servers they look like, and how to add an account there."""
        change(shop, f'resolvers = ["{shop.bind.server}"]', f'resolvers = ["{parent.server}"]')
        down = f"127.0.0.1:{free_port()}"
        add_account(shop, "down", down)
        found = shop.json("discover", "www.bought.example", status=3)
        assert (found["found"], found["dns"], found["zone"]) == ([], [], "bought.example")
        assert [o["name"] for o in found["operators"]] == ["Cloudflare"]
        errors = {other["account"]: other["error"] for other in found["others"]}
        assert errors["dns-main"] is None
        assert "refuses connections" in errors["down"]
        said = shop.run("discover", "www.bought.example")
        assert said.returncode == 3
        assert "dns-main (DNS server" in said.stdout
        assert "they look like those of Cloudflare" in said.stdout
        assert "changeover account add NAME --provider cloudflare --secret-stdin" in said.stdout


def test_without_accounts_it_says_how_to_add_one(shop: Shop) -> None:
    """And still tells what the world knows."""
    shop.home.settings_file.write_text(
        f'[lookup]\nresolvers = ["{shop.bind.server}"]\nwitnesses = []\ndoh = []\nportal = ""\n'
    )
    said = shop.run("discover", WWW)
    assert said.returncode == 3
    assert "There are no accounts yet." in said.stdout
    assert "The name servers of shop.example are ns1.shop.example." in said.stdout
    assert "changeover account add NAME" in said.stdout


@pytest.mark.parametrize("operator", [one for one in OPERATORS if one.provider], ids=lambda operator: operator.label)
def test_the_command_that_adds_an_account_has_what_it_needs(operator: Operator) -> None:
    """Every key without which it would be refused; the secret is asked for, and never part of it."""
    words = _add_command(operator).split()
    assert words[:4] == ["changeover", "account", "add", "NAME"]
    sets = dict(text.split("=", 1) for word, text in itertools.pairwise(words) if word == "--set")
    needed = {field.name for field in option_fields(provider_type(operator.provider).options) if field.required}
    assert set(sets) == needed
    assert sets.get("via", operator.via) == operator.via
    assert words[-1] == "--secret-stdin"


@pytest.mark.parametrize("text", ["not a host", "192.0.2.1", "-", ""])
def test_what_is_no_hostname(shop: Shop, text: str) -> None:
    """Is said so, and nobody is asked."""
    found = shop.json("discover", "--", text, status=2) if text == "" else None
    said = shop.run("discover", "--", text)
    assert said.returncode == 2
    assert "is not a host name" in said.stderr or "is an address" in said.stderr
    assert found is None or found["error"]["kind"] == "usage"
