"""What a settings file must say beyond the types of its values."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from changeover.databases import DATABASES
from changeover.model.dns.change import ZoneAt
from changeover.model.dns.records import canonical_value, hostname, in_zone
from changeover.model.health.check import HealthCheck
from changeover.model.settings.deployment_database import DeploymentDatabase, LagLimits
from changeover.model.settings.platform import ANY_ADDRESS, AccountKinds, DriftRules
from changeover.model.settings.service import (
    RESERVED_DEPLOYMENT_NAMES,
    Answer,
    Deployment,
    LookupSettings,
    Marker,
    Service,
)
from changeover.model.settings.version_endpoint import VersionEndpoint
from changeover.storage.settings.action_rules import action_checks, action_rules
from changeover.storage.settings.check_rules import captured_source, check_rules, maintenance_names, url_path
from changeover.storage.settings.deployment_rules import deployment_reader, zone_accounts
from changeover.storage.settings.reader import Check, Faults, Rule, Rules, add_namesakes, below
from changeover.storage.settings.values import (
    between,
    dns_server,
    doh_resolver,
    header_name,
    not_empty,
    one_of,
    portal,
    status_page,
    witness,
)

_MAX_TTL = 7 * 86400
_MAX_LAG = 7 * 86400
_MAX_NAME = 100


def service_rules(accounts: Mapping[str, object], folder: Path, kinds: AccountKinds) -> Rules:
    """The rules for a service in a settings file that has these tables of accounts and lies in `folder`."""
    rules: Rules = {
        **check_rules(folder),
        **action_rules(folder),
        Service: Rule(
            {
                "name": _service_name,
                "hostnames": _visited_name,
                "ttl": between(1, _MAX_TTL),
                "run_timeout": between(60, 86400),
                "recovery_objective": between(1, 7 * 86400),
                "name_servers_needed": one_of("number", ("one", "half", "all")),
            },
            (
                Check(("hostnames",), _hostnames),
                Check(("hostnames", "dns"), _zones),
                Check(("hostnames", "deployments"), _deployments),
                Check(("maintenance", "deployments"), maintenance_names),
                Check(("health", "version"), _version_over_http),
                *action_checks(kinds),
            ),
        ),
        ZoneAt: Rule({"account": one_of("account", zone_accounts(accounts, kinds)), "zone": hostname}),
        Deployment: Rule(
            {
                "name": _deployment_name,
                "platform": one_of("platform", (ANY_ADDRESS, *kinds.platforms)),
                "answers": _by_hostname,
                "status_page": status_page,
            },
        ),
        DeploymentDatabase: Rule({"kind": one_of("kind of database", tuple(DATABASES)), "secret": _secret_name}),
        LagLimits: Rule(
            {"warn": between(1, _MAX_LAG), "block": between(1, _MAX_LAG)}, (Check(("warn", "block"), _warned_first),)
        ),
        VersionEndpoint: Rule(
            {"path": url_path, "commit": _told_source, "schema": _told_source},
            (Check(("commit", "schema"), _tells_something),),
        ),
        DriftRules: Rule({"minimum": _least, "ignore": not_empty, "differs": not_empty}),
        Answer: Rule(
            {"cname": hostname, "alias": hostname, "a": _address("A"), "aaaa": _address("AAAA")},
            (Check(("cname", "alias", "a", "aaaa"), _one_kind),),
        ),
        Marker: Rule({"header": header_name, "value": not_empty}),
    }
    reader = deployment_reader(rules, accounts, kinds)
    return {**rules, Deployment: rules[Deployment]._replace(read=reader)}


def lookup_rules() -> Rules:
    """The rules for the lookup table."""
    return {
        LookupSettings: Rule(
            {
                "resolvers": dns_server,
                "nameservers": _servers_of_zone,
                "witnesses": witness,
                "doh": doh_resolver,
                "portal": portal,
            }
        )
    }


def _service_name(text: str) -> str:
    if not text or not text.isprintable() or any(c in text for c in "/\\:") or text.startswith("-"):
        raise ValueError("must be a short name without slashes and colons")
    if len(text) > _MAX_NAME:
        raise ValueError(f"must have at most {_MAX_NAME} characters")
    return text


def _deployment_name(text: str) -> str:
    if not text or not text.isprintable() or any(c in " =,:" for c in text) or text.startswith("-"):
        raise ValueError("must be one word without spaces, commas, colons and equals signs")
    if text in RESERVED_DEPLOYMENT_NAMES:
        raise ValueError(f'"{text}" has a meaning of its own; choose another name')
    return text


def _secret_name(text: str) -> str:
    if not re.fullmatch(r"[^{}\s-][^{}\s]*", text) or not text.isprintable() or len(text) > _MAX_NAME:
        raise ValueError("must be the name of a secret: one short word without braces")
    return text


def _warned_first(faults: Faults, place: str, warn: int | None, block: int | None) -> None:
    if warn is not None and block is not None and block < warn:
        faults.add(below(place, "block"), f"must be at least warn, which is {warn}")


def _visited_name(text: str) -> str:
    if text.startswith("*"):
        raise ValueError(f'"{text}" is a wildcard; name the hostnames that visitors use')
    return hostname(text)


def _address(rtype: str) -> Callable[[str], str]:
    family, example = ("IPv4", "198.51.100.24") if rtype == "A" else ("IPv6", "2001:db8::24")

    def check(text: str) -> str:
        try:
            return canonical_value(rtype, text)
        except ValueError:
            raise ValueError(f'"{text}" is not an {family} address; one looks like {example}') from None

    return check


def _by_hostname(pair: tuple[str, Answer]) -> tuple[str, Answer]:
    name, answer = pair
    return hostname(name), answer


def _least(pair: tuple[str, int]) -> tuple[str, int]:
    kind, number = pair
    return not_empty(kind), int(between(0, 10_000)(number))


def _told_source(text: str) -> str:
    """A path into JSON stands for itself; "json:" never begins one."""
    return captured_source(text if text.startswith(("json:", "header:", "body:")) else f"json:{text}")


def _tells_something(faults: Faults, place: str, commit: str | None, schema: str | None) -> None:
    if commit is None and schema is None:
        faults.add(place, 'tells nothing; say where the commit stands, or the schema, as in commit = "git.sha"')


def _version_over_http(faults: Faults, place: str, health: HealthCheck | None, version: VersionEndpoint | None) -> None:
    if health is not None and health.scheme == "tcp" and version is not None:
        text = 'leave it out; it is asked for as the health check asks, and scheme "tcp" only opens a connection'
        faults.add(below(place, "version"), text)


def _servers_of_zone(pair: tuple[str, Sequence[str | None]]) -> tuple[str, tuple[str | None, ...]]:
    zone, servers = pair
    if not servers:
        raise ValueError("at least one server is needed, or leave the zone out")
    return hostname(zone), tuple(None if server is None else dns_server(server) for server in servers)


def _one_kind(
    faults: Faults, place: str, cname: str | None, alias: str | None, a: Sequence[str], aaaa: Sequence[str]
) -> None:
    kinds = sum((cname is not None, alias is not None, bool(a or aaaa)))
    if kinds == 0:
        faults.add(place, 'is empty; give a cname, or addresses such as a = ["198.51.100.24"]')
    if kinds > 1:
        faults.add(place, "has more than one of cname, alias and addresses; a name can have only one kind")


def _hostnames(faults: Faults, place: str, hostnames: Sequence[str | None]) -> None:
    if not hostnames:
        faults.add(below(place, "hostnames"), 'at least one is needed, such as ["www.shop.example"]')
    for name in sorted({n for n in hostnames if n is not None and hostnames.count(n) > 1}):
        faults.add(below(place, "hostnames"), f"{name} stands here twice")


def _zones(faults: Faults, place: str, hostnames: Sequence[str | None], dns: Sequence[ZoneAt | None]) -> None:
    place = below(place, "dns")
    if not dns:
        faults.add(place, 'at least one zone is needed, such as [{ account = "dns-main", zone = "shop.example" }]')
        return
    entries = [entry for entry in dns if entry is not None]
    for entry in dict.fromkeys(e for e in entries if entries.count(e) > 1):
        faults.add(place, f"zone {entry.zone} at account {entry.account} stands here twice")
    if len(entries) < len(dns):
        return  # nobody knows yet which zones there are
    zones = sorted({entry.zone for entry in entries})
    for name in hostnames:
        if name is not None and not any(in_zone(name, zone) for zone in zones):
            faults.add(place, f"{name} is in none of the zones {', '.join(zones)}; add its zone")


def _deployments(
    faults: Faults, place: str, hostnames: Sequence[str | None], deployments: Sequence[Deployment | None]
) -> None:
    place = below(place, "deployments")
    names = [name for name in hostnames if name is not None]
    if len(deployments) < 2:
        faults.add(place, "at least two are needed: the primary first, then its backup")
    known: list[Deployment] = []
    for one in deployments:
        if one is None:
            continue
        here = below(place, one.name)
        if len(names) == len(hostnames):
            for name in [name for name in one.answers if name not in names]:
                faults.add(f'{here}.answers."{name}"', f"is none of the service's hostnames: {', '.join(names)}")
        for other in known:
            if one.database is not None and other.database is not None and one.database.secret == other.database.secret:
                text = f"is that of {other.name} already; a standby is a server of its own, with a secret of its own"
                faults.add(below(below(here, "database"), "secret"), text)
            if names and all(_leads(one, name) == _leads(other, name) for name in names):
                faults.add(here, f"has the same answers as {other.name}, so nobody could tell where visitors go")
        known.append(one)


def _leads(deployment: Deployment, name: str) -> tuple[str | None, frozenset[str]]:
    """Where the deployment's answer leads visitors of `name`, whatever the order and the record's type."""
    answer = deployment.answer_for(name)
    return answer.target, frozenset((*answer.a, *answer.aaaa))


def add_shared_faults(faults: Faults, tables: Sequence[object]) -> None:
    """Faults for what two services must not have in common: their name, or a hostname."""
    owners: dict[str, int] = {}
    places = add_namesakes(faults, "services", tables)
    for number, table in enumerate(tables):
        hostnames = table.get("hostnames") if isinstance(table, Mapping) else None
        for host in _canonical_names(hostnames if isinstance(hostnames, list) else ()):
            owner = owners.setdefault(host, number)
            if owner != number:
                faults.add(below(places[number], "hostnames"), f"{host} belongs to {places[owner]} already")
    _add_order_faults(faults, tables, places)


def _add_order_faults(faults: Faults, tables: Sequence[object], places: Sequence[str]) -> None:
    """Faults for services that should go after one that is not there, or that itself goes after another."""
    after = {
        str(table.get("name")): [name for name in table.get("after", []) if isinstance(name, str)]
        for table in tables
        if isinstance(table, Mapping) and isinstance(table.get("after", []), list)
    }
    for (name, earlier), place in zip(after.items(), places, strict=False):
        for other in earlier:
            if other == name or other not in after:
                known = ", ".join(sorted(set(after) - {name})) or "none beside it"
                faults.add(below(place, "after"), f'there is no other service "{other}"; services: {known}')
            elif after[other]:
                faults.add(below(place, "after"), f"{other} goes after another one itself; there is one level only")


def _canonical_names(texts: Sequence[object]) -> list[str]:
    found = []
    for text in texts:
        with contextlib.suppress(ValueError):
            found.append(hostname(text) if isinstance(text, str) else "")
    return [name for name in dict.fromkeys(found) if name]
