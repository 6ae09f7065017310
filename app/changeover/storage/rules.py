"""What a settings file must say beyond the types of its values."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from changeover.dns.exchange import parse_server
from changeover.model.check import HealthCheck
from changeover.model.records import canonical_value, hostname, in_zone
from changeover.model.service import (
    RESERVED_DEPLOYMENT_NAMES,
    Answer,
    Deployment,
    LookupSettings,
    Marker,
    Service,
    ZoneAt,
)
from changeover.model.status_ranges import status_ranges
from changeover.storage.tables import Check, Faults, Rule, Rules, add_namesakes, below

#: The platforms that this version knows; "url" is any web address.
PLATFORMS = ("url",)
_MAX_TTL = 7 * 86400
_MAX_NAME = 100


def service_rules(accounts: Sequence[str], folder: Path) -> Rules:
    """The rules for a service in a settings file that has these accounts and lies in `folder`."""
    return {
        Service: Rule(
            {"name": _service_name, "hostnames": _visited_name, "ttl": _between(1, _MAX_TTL)},
            (
                Check(("hostnames",), _hostnames),
                Check(("hostnames", "dns"), _zones),
                Check(("hostnames", "deployments"), _deployments),
            ),
        ),
        ZoneAt: Rule({"account": _one_of("account", accounts), "zone": hostname}),
        HealthCheck: Rule(
            {
                "path": _path,
                "port": _between(1, 65535),
                "expect_status": _status,
                "expect_body": _not_empty,
                "ca_file": _file_in(folder),
                "interval": _between(1, 86400),
                "timeout": _between(0.1, 60),
            }
        ),
        Deployment: Rule(
            {"name": _deployment_name, "platform": _one_of("platform", PLATFORMS), "answers": _by_hostname},
        ),
        Answer: Rule(
            {"cname": hostname, "alias": hostname, "a": _address("A"), "aaaa": _address("AAAA")},
            (Check(("cname", "alias", "a", "aaaa"), _one_kind),),
        ),
        Marker: Rule({"header": _header, "value": _not_empty}),
    }


def lookup_rules() -> Rules:
    """The rules for the lookup table."""
    return {LookupSettings: Rule({"resolvers": _server, "witnesses": _web_address, "nameservers": _servers_of_zone})}


def account_name(text: str) -> str:
    """The name of an account: it stands in the keyring, in commands and in log lines."""
    if not text or not text.isprintable() or any(character in text for character in ":@/\\ "):
        raise ValueError("an account's name has no spaces, colons, slashes or @")
    return text


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


def _visited_name(text: str) -> str:
    if text.startswith("*"):
        raise ValueError(f'"{text}" is a wildcard; name the hostnames that visitors use')
    return hostname(text)


def _between(low: float, high: float) -> Callable[[float], float]:
    def check(number: float) -> float:
        if not low <= number <= high:
            said = f"{number:g}" if isinstance(number, float) else number
            raise ValueError(f"must be from {low:g} to {high:g}, not {said}")
        return number

    return check


def _one_of(noun: str, known: Sequence[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in known:
            listed = ", ".join(f'"{name}"' for name in known) or "none yet"
            raise ValueError(f'there is no {noun} "{text}"; known here: {listed}')
        return text

    return check


def _path(text: str) -> str:
    if not text.startswith("/") or any(c.isspace() or ord(c) < 32 for c in text) or not text.isascii():
        raise ValueError(f'must begin with / and have only ASCII without spaces, not "{text}"')
    return text


def _status(text: str) -> str:
    status_ranges(text)
    return text


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


def _header(text: str) -> str:
    if not text or not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f'"{text}" is not the name of a header; one looks like X-Deployment')
    return text


def _file_in(folder: Path) -> Callable[[str], str]:
    def check(text: str) -> str:
        import ssl

        file = (folder / Path(text).expanduser()).absolute()
        if not file.is_file():
            raise ValueError(f"there is no file {file}")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except OSError as error:
            why = "has no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
            raise ValueError(f"{file} cannot be used: it {why}") from None
        return str(file)

    return check


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


def _server(text: str) -> str:
    host, _ = parse_server(text)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        hostname(host)
    return text


def _servers_of_zone(pair: tuple[str, Sequence[str | None]]) -> tuple[str, tuple[str | None, ...]]:
    zone, servers = pair
    if not servers:
        raise ValueError("at least one server is needed, or leave the zone out")
    return hostname(zone), tuple(None if server is None else _server(server) for server in servers)


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("https", "http") and bool(parts.hostname) and text.isprintable() and " " not in text
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f'"{text}" is not a web address; one begins with https://')
    return text


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


def _canonical_names(texts: Sequence[object]) -> list[str]:
    found = []
    for text in texts:
        with contextlib.suppress(ValueError):
            found.append(hostname(text) if isinstance(text, str) else "")
    return [name for name in dict.fromkeys(found) if name]
