"""What a person sets up: accounts, services, their deployments and how to check them. The settings file holds these."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from changeover.model.dns.change import ZoneAt
from changeover.model.dns.records import AddressSet, record_set
from changeover.model.health.check import HealthCheck
from changeover.model.settings.action import Action
from changeover.model.settings.deployment_database import DeploymentDatabase, LagLimits
from changeover.model.settings.maintenance import Maintenance
from changeover.model.settings.platform import ANY_ADDRESS, DriftRules
from changeover.model.settings.version_endpoint import VersionEndpoint

#: Words with a meaning of their own where a deployment's name may stand.
RESERVED_DEPLOYMENT_NAMES = ("mixed", "elsewhere", "unknown")


class Answer(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a hostname must resolve to so that visitors reach a deployment: a name, an alias, or addresses."""

    cname: str | None = None
    alias: str | None = None
    a: tuple[str, ...] = ()
    aaaa: tuple[str, ...] = ()

    def record_sets(self, name: str, ttl: int) -> AddressSet:
        """The record sets that publish this answer at `name`."""
        if self.cname is not None:
            return (record_set(name, "CNAME", ttl, [self.cname]),)
        if self.alias is not None:
            return (record_set(name, "ALIAS", ttl, [self.alias]),)
        pairs = (("A", self.a), ("AAAA", self.aaaa))
        return tuple(record_set(name, rtype, ttl, values) for rtype, values in pairs if values)

    @property
    def target(self) -> str | None:
        """The host name that this answer leads to, where it is one."""
        return self.cname if self.cname is not None else self.alias


class Marker(Struct, frozen=True, forbid_unknown_fields=True):
    """A response header that proves which deployment answered."""

    header: str
    value: str

    def stands_in(self, seen: str | None) -> bool:
        """Is it what was seen in that header, or one of several values there, as proxies add their own?"""
        if seen is None:
            return False
        values = [value.strip() for value in seen.split(",")]
        return self.value in (seen, *values) or f", {self.value}, " in f", {seen}, "


class Deployment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One place where a service runs. `answers` has what differs for single hostnames, such as an apex.

    `account` may steer its platform, and `options` are the keys that this platform declares of a deployment; the
    settings file has them beside the others. Both are empty where nobody can steer it.
    """

    name: str
    answer: Answer
    platform: str = ANY_ADDRESS
    account: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    marker: Marker | None = None
    #: The platform's own status page, as JSON.
    status_page: str | None = None
    database: DeploymentDatabase | None = None

    def answer_for(self, name: str) -> Answer:
        return self.answers.get(name, self.answer)


class Service(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A public web application, reached at one or more hostnames, switched as one unit. The primary comes first.

    `lease`: its runs hold a lease in its zones, so that two computers do not switch at once (see model/dns/lease.py).
    """

    name: str
    hostnames: tuple[str, ...]
    dns: tuple[ZoneAt, ...]
    deployments: tuple[Deployment, ...]
    ttl: int = 60
    health: HealthCheck = HealthCheck()
    maintenance: tuple[Maintenance, ...] = ()
    actions: tuple[Action, ...] = ()
    #: Services that must be switched before this one.
    after: tuple[str, ...] = ()
    #: A run stops between two steps once it has taken this many seconds.
    run_timeout: float = 3600
    lease: bool = True
    #: How many of a zone's name servers must give the new answer before a run is complete: "one", "half" or "all".
    name_servers_needed: str = "half"
    #: How soon visitors should be served again after the beginning of an incident, in seconds.
    recovery_objective: int | None = None
    drift: DriftRules = DriftRules()
    database_lag: LagLimits = LagLimits()
    #: Where the app itself tells what it runs.
    version: VersionEndpoint | None = None

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def accounts(self) -> frozenset[str]:
        """All that it uses: those of its zones, and those that steer its deployments."""
        steering = (d.account for d in self.deployments if d.account is not None)
        return frozenset((*(entry.account for entry in self.dns), *steering))

    def deployment(self, name: str) -> Deployment | None:
        return next((d for d in self.deployments if d.name == name), None)

    def zone_of(self, name: str) -> str | None:
        """The longest of the service's zones that holds `name`."""
        zones = {entry.zone for entry in self.dns}
        return max((z for z in zones if name == z or name.endswith("." + z)), key=len, default=None)

    def hostnames_in(self, zone: str) -> tuple[str, ...]:
        return tuple(name for name in self.hostnames if self.zone_of(name) == zone)


class Account(Struct, frozen=True):
    """A named credential at a provider. `options` are the keys that this provider declares; no secret is among them."""

    name: str
    provider: str
    options: dict[str, Any]


class LookupSettings(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where to look names up, and whom to ask whether this computer is online. An empty list asks nobody.

    `nameservers` by zone stand in for following the NS records. A witness is "https://…", "tcp://address:port", or
    "gateway" for the router that this computer sends everything through. `doh` are resolvers by DNS over HTTPS
    (RFC 8484). `portal` is a plain http address that answers 204 unless somebody stands in between.
    """

    resolvers: tuple[str, ...] = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
    nameservers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    witnesses: tuple[str, ...] = (
        "tcp://8.8.8.8:443",
        "tcp://9.9.9.9:443",
        "https://www.cloudflare.com/cdn-cgi/trace",
        "gateway",
    )
    doh: tuple[str, ...] = ("https://1.1.1.1/dns-query", "https://8.8.8.8/dns-query")
    portal: str | None = "http://www.gstatic.com/generate_204"
    #: Are the system's resolvers asked where none of `resolvers` answers? None: where nobody named resolvers.
    system_resolvers: bool | None = None

    @property
    def falls_back(self) -> bool:
        """Are the system's resolvers asked last?"""
        if self.system_resolvers is None:
            return self.resolvers == LookupSettings().resolvers
        return self.system_resolvers

    @property
    def system_only(self) -> LookupSettings:
        """The same, asking the system's resolvers alone; nobody where these are not to be asked."""
        return replace(self, resolvers=(), system_resolvers=self.falls_back)


class Settings(Struct, frozen=True):
    """A whole settings file."""

    accounts: tuple[Account, ...] = ()
    services: tuple[Service, ...] = ()
    lookup: LookupSettings = LookupSettings()

    def account(self, name: str) -> Account | None:
        return next((a for a in self.accounts if a.name == name), None)

    def service(self, name: str) -> Service | None:
        return next((s for s in self.services if s.name == name), None)
