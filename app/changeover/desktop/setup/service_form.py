"""What the form for a new service makes of what was typed and looked up, without a window."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from msgspec import Struct

from changeover.model.dns.change import ZoneAt
from changeover.model.dns.discovery import Discovery, summary
from changeover.model.dns.records import RecordSet, hostname, in_zone
from changeover.model.health.check import HealthCheck
from changeover.model.settings.service import Answer, Deployment, Marker, Service

PRIMARY, BACKUP = "primary", "backup"


def address_list(text: str) -> list[str]:
    """The items of "a, b c"."""
    return text.replace(",", " ").split()


def answer_of(text: str) -> Answer:
    """A host name, or addresses, as an answer. ValueError says what would be right."""
    items = address_list(text)
    if not items:
        raise ValueError("Say where it is: a host name such as shop.example.net, or addresses such as 198.51.100.24.")
    addresses = []
    for item in items:
        try:
            addresses.append(ipaddress.ip_address(item))
        except ValueError:
            if len(items) > 1:
                raise ValueError(
                    f"“{item}” is not an address; give one host name alone, or addresses with commas between them."
                ) from None
            return Answer(cname=hostname(item))
    return Answer(
        a=tuple(str(a) for a in addresses if a.version == 4), aaaa=tuple(str(a) for a in addresses if a.version == 6)
    )


def answer_text(answer: Answer) -> str:
    """An answer as one would type it."""
    return answer.target or ", ".join((*answer.a, *answer.aaaa))


def answer_at(name: str, records: Iterable[RecordSet]) -> Answer | None:
    """What `name` resolves to, as a deployment's answer; None where it resolves to nothing."""
    here = [r for r in records if r.name == name]
    target = next((r.values[0] for r in here if r.type == "CNAME"), None)
    if target is not None:
        return Answer(cname=target)
    by_type = {r.type: r.values for r in here}
    found = Answer(a=by_type.get("A", ()), aaaa=by_type.get("AAAA", ()))
    return found if found.a or found.aaaa else None


def likely_zone(name: str, zones: Iterable[str]) -> str:
    """The longest of the account's zones that holds `name`; where none does, a guess."""
    holding = [zone for zone in zones if in_zone(name, zone)]
    if holding:
        return max(holding, key=len)
    return name.partition(".")[2] if name.count(".") > 1 else name


def found_words(discovery: Discovery) -> str:
    """What was found of who may change the DNS, and what is left to do."""
    words = summary(discovery)
    if len(discovery.entries) > 1:
        names = " and ".join(entry.account for entry in discovery.entries[1:])
        words += f"\nAfterwards add {names} to the service's dns entry in the settings: both have the zone."
    return words


class Form(Struct, frozen=True, kw_only=True):
    """What was typed. `marker` is the response header by which each deployment says who it is, and `says` what the
    primary and the backup say. `found` has, by hostname, what was looked up.
    """

    name: str
    hostnames: str
    account: str
    zone: str
    primary: str
    backup: str
    path: str = "/"
    scheme: str = "https"
    port: str = ""
    contains: str = ""
    marker: str = ""
    says: tuple[str, str] = (PRIMARY, BACKUP)
    found: Mapping[str, Answer] = {}


def service_of(form: Form) -> Service:
    """The service that the form describes. ValueError names the field and what would be right."""
    names = tuple(dict.fromkeys(hostname(item) for item in address_list(form.hostnames)))
    if not names:
        raise ValueError("Type the address that visitors use, such as www.shop.example.")
    if not form.account:
        raise ValueError("Choose the account that may change the DNS of this address, or add one.")
    try:
        primary = answer_of(form.primary)
    except ValueError as error:
        raise ValueError(f"Primary: {error}") from None
    try:
        backup = answer_of(form.backup)
    except ValueError as error:
        raise ValueError(f"Backup: {error}") from None
    own = {name: form.found[name] for name in names if name in form.found and form.found[name] != primary}
    return Service(
        name=form.name.strip() or names[0],
        hostnames=names,
        dns=(ZoneAt(account=form.account, zone=hostname(form.zone)),),
        deployments=(
            Deployment(name=PRIMARY, answer=primary, answers=own, marker=_marker_of(form, form.says[0])),
            Deployment(name=BACKUP, answer=backup, marker=_marker_of(form, form.says[1])),
        ),
        health=_health_of(form),
    )


def _marker_of(form: Form, value: str) -> Marker | None:
    header = form.marker.strip()
    if not header:
        return None
    if not value.strip() or form.says[0].strip() == form.says[1].strip():
        raise ValueError("Marker: say what each deployment sends; the two must differ, or they prove nothing.")
    return Marker(header=header, value=value.strip())


def _health_of(form: Form) -> HealthCheck:
    port = form.port.strip()
    if port and not port.isdecimal():
        raise ValueError(f"Port: “{port}” is not a number; leave it empty for the usual one.")
    number = int(port) if port else None
    if form.scheme == "tcp":
        if number is None:
            raise ValueError("Port: a check that only opens a connection needs to know which port.")
        return HealthCheck(scheme="tcp", port=number)
    return HealthCheck(
        path=form.path.strip() or "/",
        scheme="http" if form.scheme == "http" else "https",
        port=number,
        expect_body=form.contains or None,
    )
