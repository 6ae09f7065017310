"""Which account has a hostname's zone, and are visitors' questions sent there? Decided from what was read, in words.

The delegation is the NS records of the zone as the world sees them, at best from the parent's servers (RFC 1034,
4.2.2). They are compared with the NS records at the zone's apex as the provider shows them. A copy of the zone
elsewhere that has the very same NS records cannot be told from it so; `check` compares what the name servers give.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from changeover.model.dns.change import ZoneAt
from changeover.model.dns.records import RecordSet, in_zone

#: By name, the name servers that the world is sent to for it: none where it is no zone, None where nobody answered.
NameServersSeen = Mapping[str, tuple[str, ...] | None]


class HostedZone(Struct, frozen=True, kw_only=True):
    """A zone that an account has. `records` is all that stands at the hostname; `policy`: why no switch may touch it.

    `name_servers` are those at the zone's apex, None where the provider does not show them.
    """

    zone: str
    records: tuple[RecordSet, ...] = ()
    wildcard: bool = False
    policy: str | None = None
    name_servers: tuple[str, ...] | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """What one account said: the zone that it has, or why that is not known; neither where it has none.

    `via` is the account's name for its provider at dns-lexicon, empty where it is not that way.
    """

    account: str
    provider: str
    label: str
    via: str = ""
    held: HostedZone | None = None
    error: str | None = None
    hint: str = ""


class Leads(StrEnum):
    """Where the delegation leads, seen from one account's zone."""

    HERE = "here"
    PARTLY = "partly"
    ELSEWHERE = "elsewhere"
    NOWHERE = "nowhere"
    UNKNOWN = "unknown"


class DiscoveredZone(Struct, frozen=True, kw_only=True):
    """An account that has the zone, and what the delegation means for it."""

    account: str
    provider: str
    label: str
    held: HostedZone
    leads: Leads
    text: str


class Operator(Struct, frozen=True):
    """Whose name servers have such names. `via` is the name that dns-lexicon knows them by, where it is what helps.

    `provider` is empty where Changeover has no way to them.
    """

    label: str
    provider: str
    pattern: str
    via: str = ""


class Discovery(Struct, frozen=True, kw_only=True):
    """All that is known of a hostname. `zone` and `name_servers` are as the world sees them, None where nobody says.

    `others` do not have the zone, or could not be asked. `operators`: whose name servers they look like. `entries` are
    the settings' dns entry, empty where no account has the zone, or changes would not be seen at any.
    """

    hostname: str
    found: tuple[DiscoveredZone, ...]
    others: tuple[Asked, ...]
    zone: str | None
    name_servers: tuple[str, ...] | None
    operators: tuple[Operator, ...]
    entries: tuple[ZoneAt, ...]


#: Whose name servers are called what. It is a hint for people, never a proof.
OPERATORS = (
    Operator("Amazon Route 53", "route53", r"awsdns-\d+\.(com|net|org|co\.uk)"),
    Operator("Azure DNS", "azure", r"azure-dns\.(com|net|org|info)"),
    Operator("Cloudflare", "cloudflare", r"cloudflare\.(com|net)|foundationdns\.(com|net|org)"),
    Operator("deSEC", "desec", r"desec\.(io|org)"),
    Operator("DigitalOcean", "digitalocean", r"digitalocean\.com"),
    Operator("DNSimple", "dnsimple", r"dnsimple(-edge)?\.(com|net|org)"),
    Operator("Gandi", "gandi", r"gandi\.net"),
    Operator("Google Cloud DNS", "google", r"googledomains\.com"),
    Operator("Hetzner", "hetzner", r"ns\.hetzner\.(com|de)"),
    Operator("Linode (Akamai)", "linode", r"linode\.com"),
    Operator("NS1", "ns1", r"nsone\.net"),
    Operator("OVHcloud", "ovh", r"ovh\.(net|ca)|anycast\.me"),
    Operator("Vultr", "vultr", r"vultr\.com"),
    Operator("GoDaddy", "", r"domaincontrol\.com"),
    Operator("Namecheap", "", r"registrar-servers\.com"),
    Operator("Porkbun", "lexicon", r"porkbun\.com", "porkbun"),
)


def operators_of(servers: Iterable[str]) -> tuple[Operator, ...]:
    """Whose name servers these look like, each once; nobody's where no name is known."""
    known = {operator for server in servers if (operator := operator_of(server)) is not None}
    return tuple(operator for operator in OPERATORS if operator in known)


def operator_of(server: str) -> Operator | None:
    """Whose name server this looks like."""
    name = server.rstrip(".").lower()
    return next((one for one in OPERATORS if re.search(rf"(^|\.)({one.pattern})$", name)), None)


def parents(hostname: str) -> tuple[str, ...]:
    """The names of the zones that may hold `hostname`, the longest first: itself and everything above it."""
    labels = hostname.split(".")
    return tuple(".".join(labels[start:]) for start in range(len(labels)))


def longest_zone(hostname: str, zones: Iterable[str]) -> str | None:
    """The zone that holds `hostname`: of one within another, the inner one."""
    return max((zone for zone in zones if in_zone(hostname, zone)), key=len, default=None)


def name_servers_in(records: Iterable[RecordSet]) -> tuple[str, ...] | None:
    """The name servers among what stands at an apex, None where there are none to be seen."""
    names = sorted({value.rstrip(".").lower() for r in records if r.type == "NS" for value in r.values})
    return tuple(names) or None


def discovered(hostname: str, asked: Sequence[Asked], seen: NameServersSeen) -> Discovery:
    """What all of this comes to. `seen` has `hostname` and its parents, as far as they were asked for."""
    zone = zone_seen(hostname, seen)
    servers = seen.get(zone) if zone is not None else None
    found = tuple(_found(hostname, one, one.held, seen) for one in asked if one.held is not None)
    return Discovery(
        hostname=hostname,
        found=found,
        others=tuple(one for one in asked if one.held is None),
        zone=zone,
        name_servers=servers,
        operators=operators_of(servers or ()),
        entries=_entries(found),
    )


def zone_seen(hostname: str, seen: NameServersSeen) -> str | None:
    """The zone that the world finds `hostname` in, None where nobody says."""
    return longest_zone(hostname, (name for name, servers in seen.items() if servers))


def _found(hostname: str, asked: Asked, held: HostedZone, seen: NameServersSeen) -> DiscoveredZone:
    leads, text = _leads(hostname, asked, held, seen)
    return DiscoveredZone(
        account=asked.account, provider=asked.provider, label=asked.label, held=held, leads=leads, text=text
    )


def _leads(hostname: str, asked: Asked, held: HostedZone, seen: NameServersSeen) -> tuple[Leads, str]:
    inner = zone_seen(hostname, seen)
    if inner is not None and inner != held.zone and in_zone(inner, held.zone):
        others = ", ".join(seen[inner] or ())
        text = f"{inner} is delegated away from {held.zone}, to {others}: {_UNSEEN}"
        return Leads.ELSEWHERE, text
    servers = seen.get(held.zone)
    if servers is None:
        return Leads.UNKNOWN, f"Where the delegation of {held.zone} points is not known: nobody who was asked says it"
    if not servers:
        return Leads.NOWHERE, f"{held.zone} is not delegated to any name server: {_UNSEEN}"
    if held.name_servers is None:
        return _by_their_names(asked, held.zone, servers)
    strangers = [server for server in servers if server not in held.name_servers]
    if not strangers:
        return Leads.HERE, f"The delegation points to this provider ({_list(servers)})"
    if len(strangers) == len(servers):
        return Leads.ELSEWHERE, f"The delegation points to other name servers ({_list(servers)}): {_UNSEEN}"
    text = f"The delegation points to this provider, but also to {_list(strangers)}"
    return Leads.PARTLY, f"{text}: changes here would not be seen by all"


_UNSEEN = "changes here would not be seen"


def _by_their_names(asked: Asked, zone: str, servers: Sequence[str]) -> tuple[Leads, str]:
    """Where the provider does not show what the zone's name servers should be, their names may tell."""
    known = [operator for server in servers if (operator := operator_of(server)) is not None]
    ours = [operator for operator in known if _is_for(operator, asked)]
    if any(_is_for(one, asked) for one in OPERATORS) and len(known) == len(servers) and not ours:
        labels = " and ".join(one.label for one in operators_of(servers))
        text = f"The delegation points to other name servers ({_list(servers)}), of {labels}: {_UNSEEN}"
        return Leads.ELSEWHERE, text
    why = f"{asked.label} does not show which name servers {zone} has there"
    like = "; by their names they may be the right ones" if ours else ""
    return Leads.UNKNOWN, f"Whether the delegation ({_list(servers)}) points to this provider is not known: {why}{like}"


def _is_for(operator: Operator, asked: Asked) -> bool:
    return (operator.provider, operator.via) == (asked.provider, asked.via)


def _list(servers: Iterable[str], most: int = 4) -> str:
    names = list(servers)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def _entries(found: Sequence[DiscoveredZone]) -> tuple[ZoneAt, ...]:
    """The accounts that a service needs: those where changes are seen; else those of which it is not known.

    None where changes would surely not be seen.
    """
    by: dict[Leads, list[DiscoveredZone]] = {leads: [f for f in found if f.leads is leads] for leads in Leads}
    best = by[Leads.HERE] + by[Leads.PARTLY]
    if not by[Leads.HERE]:
        best += by[Leads.UNKNOWN]
    longest = max((len(f.held.zone) for f in best), default=0)
    chosen = (f for f in found if f in best and len(f.held.zone) == longest)
    return tuple(ZoneAt(account=f.account, zone=f.held.zone) for f in chosen)


def entry_text(entries: Iterable[ZoneAt]) -> str:
    """The line for the settings file."""
    tables = (f'{{ account = "{entry.account}", zone = "{entry.zone}" }}' for entry in entries)
    return f"dns = [{', '.join(tables)}]"


def summary(discovery: Discovery) -> str:
    """What was found, in a sentence or two for a form."""
    if not discovery.found:
        failed = [one for one in discovery.others if one.error is not None]
        texts = [f"No account has the zone of {discovery.hostname}."]
        texts += [f"Account {one.account} did not say: {one.error}." for one in failed]
        return " ".join([*texts, likely_operator(discovery)]).strip()
    return "\n".join(f"Account {f.account} has the zone {f.held.zone}. {f.text}." for f in discovery.found)


def likely_operator(discovery: Discovery) -> str:
    """Who serves the zone, as far as the world says it; empty where nobody says."""
    if not discovery.name_servers:
        return ""
    like = " and ".join(one.label for one in discovery.operators)
    said = f"The name servers of {discovery.zone} are {_list(discovery.name_servers)}"
    missing = " and ".join(one.label for one in discovery.operators if not one.provider)
    no_way = f" Changeover has no way to {missing} yet." if missing else ""
    return f"{said}; they look like those of {like}.{no_way}" if like else f"{said}."
