"""Rounds: every address of a deployment, found through the settings' resolvers where it is a name."""

from __future__ import annotations

from msgspec.structs import replace

from changeover.dns.lookup import Lookup
from changeover.health.rounds import probe_now, probe_round
from changeover.model.health import Health
from changeover.model.service import Answer, Deployment, LookupSettings, Service
from changeover.storage.settings import load
from dns_servers.process import free_port
from shop import Shop


def service_of(shop: Shop) -> Service:
    return load(shop.home.settings_file).services[0]


def lookup_of(shop: Shop) -> Lookup:
    return Lookup(load(shop.home.settings_file).lookup)


async def test_each_hostname_is_probed_at_each_of_its_addresses(shop: Shop) -> None:
    """A CNAME is followed by the resolver; the apex has its own answer, with IPv6."""
    service = service_of(shop)
    found = await probe_round(service, service.primary, lookup_of(shop))
    assert {(r.hostname, r.address) for r in found.results} == {
        ("www.shop.example", "127.0.0.2"),
        ("shop.example", "127.0.0.2"),
        ("shop.example", "::1"),
    }
    assert found.verdict is Health.HEALTHY


async def test_a_command_probes_more_than_once(shop: Shop) -> None:
    """Healthy from two good rounds, unhealthy from three bad ones."""
    service = service_of(shop)
    assert (await probe_now(service, service.primary, lookup_of(shop))).health is Health.HEALTHY
    shop.web.break_("primary")
    down = await probe_now(service, service.primary, lookup_of(shop))
    assert down.health is Health.UNHEALTHY
    assert down.reason.startswith("503")


async def test_a_target_without_an_address_is_down(shop: Shop) -> None:
    """The name exists nowhere: nobody can reach that deployment."""
    service = service_of(shop)
    gone = Deployment(name="gone", answer=Answer(cname="gone.shop.example"))
    found = await probe_round(replace(service, hostnames=("www.shop.example",)), gone, lookup_of(shop))
    assert found.verdict is Health.UNHEALTHY
    assert found.reason == "gone.shop.example has no address"


async def test_silent_resolvers_say_nothing_about_a_deployment(shop: Shop) -> None:
    """It counts for nothing: the trouble is on this side."""
    service = replace(service_of(shop), hostnames=("www.shop.example",))
    deaf = Lookup(LookupSettings(resolvers=(f"127.0.0.1:{free_port()}",)), timeout=0.5)
    found = await probe_round(service, service.primary, deaf)
    assert found.verdict is Health.UNKNOWN
    assert "not checked" in found.reason
