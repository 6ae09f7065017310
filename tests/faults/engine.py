"""The real runner with its real journal and the real provider, for servers that stand behind a fault proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from changeover.dns.lookup.client import Lookup
from changeover.dns.provider import Provider
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.model.dns.change import Change, ZoneAt
from changeover.model.dns.records import AddressSet, record_set
from changeover.model.health.check import JourneyResult
from changeover.model.runs.plan import ActionStep, plan_of
from changeover.model.runs.run import Run, Started
from changeover.model.runs.verification import Verdict
from changeover.model.secret import Secret
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Service
from changeover.storage.journal.journal import Journal
from changeover.switchover.runner import Runner
from dns_servers.bind import Bind
from dns_servers.fault_proxy import FaultProxy
from dns_servers.powerdns import PowerDns
from faults.server import Server

SERVERS = {"BIND": Bind, "PowerDNS": PowerDns}
ZONE = "shop.example"
SOA = "@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n"
#: Seconds that the engine waits for an answer here.
RETRY_BUDGET = 0.4
VERIFY_TIMEOUT = 2.0
Answers = Sequence[tuple[str, str]]


def change(
    name: str, before: Answers, after: Answers, account: str = "dns-main", zone: str = ZONE, ttl: int = 60
) -> Change:
    """`change("www.shop.example", [("CNAME", "primary.example.net")], [("A", "192.0.2.2")])`."""

    def of(answers: Answers) -> AddressSet:
        return tuple(record_set(name, rtype, ttl, [value]) for rtype, value in answers)

    return Change(account=account, zone=zone, name=name, before=of(before), after=of(after))


def provider_of(
    server: Server, proxy: FaultProxy, account: str = "dns-main", patience: float = RETRY_BUDGET
) -> Rfc2136:
    """The account at `server`, by way of its proxy."""
    options = Rfc2136Options(server=proxy.server, key_name=server.key_name)
    return Rfc2136(account, options, Secret(server.secret), patience)


def planned(changes: Sequence[Change]) -> Started:
    """A run of these changes. Its deployments are none of the service's: there are no visitors here, only records."""
    capabilities = {
        c.account: Rfc2136(c.account, Rfc2136Options(server="127.0.0.1"), None).capabilities for c in changes
    }
    return Started(plan=plan_of("shop", "here", "there", changes, capabilities, datetime.now(UTC)))


def engine(
    names: Sequence[str],
    providers: Mapping[tuple[str, str], Provider],
    name_servers: Mapping[str, tuple[str, ...]],
    journal: Journal,
) -> Runner:
    """What carries runs out. `providers` go by account and zone, `name_servers` by zone."""
    deployments = (
        Deployment(name="primary", answer=Answer(a=("192.0.2.1",))),
        Deployment(name="backup", answer=Answer(a=("192.0.2.2",))),
    )
    zones = tuple(ZoneAt(account=account, zone=zone) for account, zone in providers)
    return Runner(
        Service(name="shop", hostnames=tuple(names), dns=zones, deployments=deployments),
        journal,
        {account: provider for (account, _), provider in providers.items()},
        Lookup(LookupSettings(resolvers=(), nameservers=dict(name_servers), doh=()), RETRY_BUDGET),
        on_progress=lambda _: None,
        stop=asyncio.Event(),
        verify_timeout=VERIFY_TIMEOUT,
        walk=_no_journeys,
        act=_no_operations,
        before=_no_platform,
    )


async def _no_journeys(deployment: Deployment, address: str) -> tuple[JourneyResult, ...]:
    return ()


async def _no_platform(step: ActionStep) -> None:
    raise AssertionError("there is nothing to do but DNS")


async def _no_operations(step: ActionStep, run: Run, stop: asyncio.Event) -> Verdict:
    raise AssertionError("there is nothing to do but DNS")
