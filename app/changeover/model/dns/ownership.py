"""Records that another program keeps, and would put back: external-dns, octoDNS, Terraform and their like.

They are recognised by what they leave beside a record:

- external-dns, in TXT records at the record's name, or, since 0.12, at that name with the record's type before it:
  a-www.shop.example (kubernetes-sigs.github.io/external-dns, docs/registry/txt). A prefix or suffix of one's own is not
  found.
- octoDNS, where its processors are used: TXT "*octodns*" at _owner.TYPE.NAME (octodns/processor/ownership.py), and a
  record about the whole zone at meta, octodns-meta or _octodns-meta (octodns/processor/meta.py).
- any program that a person names in a record's comment or tag, where the provider keeps these (Cloudflare).

Terraform, Pulumi and DNSControl leave nothing by themselves, so finding nobody does not prove that there is nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from changeover.model.dns.records import RecordSet, address_set
from changeover.model.dns.txt_record import text_of

_TYPES = ("a", "aaaa", "cname")
_META = ("meta", "octodns-meta", "_octodns-meta")
_HERITAGE = "heritage=external-dns"
_OWNER = re.compile(r"external-dns/owner=([^,\"\\\s]+)")
_RESOURCE = re.compile(r"external-dns/resource=([^,\"\\\s]+)")
_META_TEXT = re.compile(r"(octodns-version=|time=\d{4}-\d\d-\d\dT)")
#: How comments and tags name a program, and how people write it.
_PROGRAMS = {
    "terraform": "Terraform",
    "opentofu": "OpenTofu",
    "external-dns": "external-dns",
    "externaldns": "external-dns",
    "octodns": "octoDNS",
    "pulumi": "Pulumi",
    "dnscontrol": "DNSControl",
}


class Owner(Struct, frozen=True):
    """A program that keeps the records of `name`. `text` says which, and by what it is known; `fix`, what to do."""

    program: str
    name: str
    text: str
    fix: str


def names_to_read(name: str, zone: str) -> tuple[str, ...]:
    """The names besides `name` itself where a program may have left its sign."""
    label = name.removesuffix(zone).rstrip(".")
    before = [f"{rtype}-{name}" for rtype in _TYPES] if name != zone else []
    owned = [".".join(part for part in ("_owner", rtype, label, zone) if part) for rtype in _TYPES]
    return (*before, *owned, *(f"{meta}.{zone}" for meta in _META))


def owners(name: str, zone: str, records: Mapping[str, Sequence[RecordSet]]) -> tuple[Owner, ...]:
    """Who keeps the address records of `name`, each program once.

    `records` has what stands at `name` and, as far as they were read, at `names_to_read(name, zone)`.
    """
    aside = names_to_read(name, zone)
    meta = [f"{label}.{zone}" for label in _META]
    found = [
        *_by_external_dns(name, (name, *(one for one in aside if one not in meta)), records),
        *_by_octodns(name, zone, [one for one in aside if one.startswith("_owner.")], records),
        *_by_comments(name, records.get(name, ())),
    ]
    return tuple({owner.program: owner for owner in reversed(found)}.values())[::-1]


def _by_external_dns(name: str, places: Iterable[str], records: Mapping[str, Sequence[RecordSet]]) -> list[Owner]:
    found = []
    for text in (text for place in places for text in _texts(records.get(place, ()))):
        if _HERITAGE in text:
            owner, resource = _OWNER.search(text), _RESOURCE.search(text)
            which = f" (owner {owner[1]})" if owner else ""
            whose = f" for {resource[1]}" if resource else ""
            says = f"external-dns{which} keeps {name}{whose}, and will put back what it has"
            fix = "Pause it first, for example by scaling its deployment to 0, or change its source as well."
            found.append(Owner("external-dns", name, says, fix))
    return found


def _by_octodns(name: str, zone: str, places: Iterable[str], records: Mapping[str, Sequence[RecordSet]]) -> list[Owner]:
    fix = "Change its configuration as well before it runs next, or pause the job that runs it."
    if any("*octodns*" in _texts(records.get(place, ())) for place in places):
        return [Owner("octoDNS", name, f"octoDNS owns {name}, and will put back what its configuration says", fix)]
    for label in _META:
        texts = _texts(records.get(f"{label}.{zone}", ()))
        if texts and (label != "meta" or any(_META_TEXT.match(text) for text in texts)):
            says = f"octoDNS keeps the zone {zone}, and may put back what its configuration says of {name}"
            return [Owner("octoDNS", name, says, fix)]
    return []


def _by_comments(name: str, records: Sequence[RecordSet]) -> list[Owner]:
    found = []
    for note in (
        note for record in address_set(records) for details in record.details.values() for note in _notes(details)
    ):
        for word, program in _PROGRAMS.items():
            if word in note.lower():
                says = f"{program} seems to keep {name}: it is noted there, “{note}”"
                fix = f"Change it in {program} as well, or see to it that {program} does not run meanwhile."
                found.append(Owner(program, name, says, fix))
    return found


def _notes(details: Mapping[str, object]) -> list[str]:
    tags = details.get("tags")
    return [str(note) for note in (details.get("comment"), *(tags if isinstance(tags, list | tuple) else ())) if note]


def _texts(records: Iterable[RecordSet]) -> list[str]:
    return [text_of(value) for record in records if record.type == "TXT" for value in record.values]
