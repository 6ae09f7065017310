"""What a settings file must say beyond the types of its values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from changeover.dns.exchange import parse_server
from changeover.model.records import canonical_value, hostname, in_zone
from changeover.model.service import (
    RESERVED_DEPLOYMENT_NAMES,
    Answer,
    Deployment,
    HealthCheck,
    LookupSettings,
    Marker,
    Service,
    ZoneAt,
)
from changeover.model.status_ranges import status_ranges
from changeover.storage.tables import Faults, Rule, Rules, below

#: The platforms that this version knows; "url" is any web address.
PLATFORMS = ("url",)
_MAX_TTL = 7 * 86400


def service_rules(accounts: Sequence[str], folder: Path) -> Rules:
    """The rules for a service in a settings file that has these accounts and lies in `folder`."""
    return {
        Service: Rule({"name": _service_name, "hostnames": _visited_name, "ttl": _between(1, _MAX_TTL)}, _service),
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
        Deployment: Rule({"name": _deployment_name, "platform": _one_of("platform", PLATFORMS)}, _deployment),
        Answer: Rule(
            {"cname": hostname, "alias": hostname, "a": _address("A"), "aaaa": _address("AAAA")},
            _answer,
        ),
        Marker: Rule({"header": _header, "value": _not_empty}),
    }


def lookup_rules() -> Rules:
    """The rules for the lookup table."""
    return {LookupSettings: Rule({"resolvers": _server, "witnesses": _web_address}, _lookup)}


def _service_name(text: str) -> str:
    if not text or any(c in "/\\:" or ord(c) < 32 for c in text):
        raise ValueError("must be a short name without slashes and colons")
    return text


def _deployment_name(text: str) -> str:
    if not text or any(c.isspace() or c in "=,:" for c in text):
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
            raise ValueError(f"must be from {low:g} to {high:g}, not {number:g}")
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
        file = (folder / Path(text).expanduser()).absolute()
        if not file.is_file():
            raise ValueError(f"there is no file {file}")
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


def _server(text: str) -> str:
    parse_server(text)
    return text


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise ValueError(f'"{text}" is not a web address; one begins with https://')
    return text


def _answer(answer: Answer, place: str, faults: Faults) -> Answer:
    kinds = [answer.cname is not None, answer.alias is not None, bool(answer.a or answer.aaaa)]
    if sum(kinds) == 0:
        faults.add(place, 'is empty; give a cname, or addresses such as a = ["198.51.100.24"]')
    if sum(kinds) > 1:
        faults.add(place, "has more than one of cname, alias and addresses; a name can have only one kind")
    return answer


def _deployment(deployment: Deployment, place: str, faults: Faults) -> Deployment:
    answers = {}
    for name, answer in deployment.answers.items():
        try:
            answers[hostname(name)] = answer
        except ValueError as error:
            faults.add(below(place, "answers"), str(error))
    return replace(deployment, answers=answers)


def _service(service: Service, place: str, faults: Faults) -> Service:
    _zones(service, below(place, "dns"), faults)
    if not service.hostnames:
        faults.add(below(place, "hostnames"), 'at least one is needed, such as ["www.shop.example"]')
    for name in sorted({n for n in service.hostnames if service.hostnames.count(n) > 1}):
        faults.add(below(place, "hostnames"), f"{name} stands here twice")
    here = below(place, "deployments")
    if len(service.deployments) < 2:
        faults.add(here, "at least two are needed: the primary first, then its backup")
    for number, one in enumerate(service.deployments):
        for name in one.answers:
            if name not in service.hostnames:
                text = f"is none of the service's hostnames: {', '.join(service.hostnames)}"
                faults.add(f'{below(here, one.name)}.answers."{name}"', text)
        for other in service.deployments[:number]:
            if other.name == one.name:
                faults.add(below(here, one.name), "another deployment has this name; each needs its own")
            elif all(one.answer_for(name) == other.answer_for(name) for name in service.hostnames):
                text = f"has the same answers as {other.name}, so nobody could tell where visitors go"
                faults.add(below(here, one.name), text)
    return service


def _zones(service: Service, place: str, faults: Faults) -> None:
    if not service.dns:
        faults.add(place, 'at least one zone is needed, such as [{ account = "dns-main", zone = "shop.example" }]')
        return
    for entry in {e for e in service.dns if service.dns.count(e) > 1}:
        faults.add(place, f"zone {entry.zone} at account {entry.account} stands here twice")
    zones = sorted({entry.zone for entry in service.dns})
    for name in service.hostnames:
        if not any(in_zone(name, zone) for zone in zones):
            faults.add(place, f"{name} is in none of the zones {', '.join(zones)}; add its zone")


def _lookup(lookup: LookupSettings, place: str, faults: Faults) -> LookupSettings:
    by_zone: dict[str, Any] = {}
    for zone, servers in lookup.nameservers.items():
        here = f'{place}.nameservers."{zone}"'
        for text in (zone, *servers):
            try:
                _server(text) if text is not zone else hostname(zone)
            except ValueError as error:
                faults.add(here, str(error))
        if not servers:
            faults.add(here, "at least one server is needed, or leave the zone out")
        by_zone[zone.rstrip(".").lower()] = servers
    return replace(lookup, nameservers=by_zone)
