"""All grounds (dns_servers.ground)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from dns_servers.azure_ground import AzureGround
from dns_servers.bind_ground import BindGround, KnotGround, PowerDnsGround
from dns_servers.cloudflare_ground import CloudflareGround
from dns_servers.desec_ground import DesecGround
from dns_servers.digitalocean_ground import DigitalOceanGround
from dns_servers.dnsimple_ground import DnSimpleGround, DnSimpleRecordsGround
from dns_servers.gandi_ground import GandiGround
from dns_servers.google_ground import GoogleGround
from dns_servers.ground import Ground, HttpGround
from dns_servers.hetzner_ground import HetznerGround
from dns_servers.lexicon_ground import LexiconGround
from dns_servers.linode_ground import LinodeGround
from dns_servers.ns1_ground import Ns1Ground
from dns_servers.ovh_ground import OvhGround
from dns_servers.powerdns_ground import PowerDnsApiGround
from dns_servers.route53_ground import Route53Ground
from dns_servers.vultr_ground import VultrGround

#: Every provider, by the name that the settings file uses, and what it runs on. A new one adds its ground here.
GROUNDS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Ground]]] = {
    "rfc2136": BindGround,
    "rfc2136 on Knot": KnotGround,
    "rfc2136 on PowerDNS": PowerDnsGround,
    "cloudflare": CloudflareGround,
    "powerdns": PowerDnsApiGround,
    "desec": DesecGround,
    "azure": AzureGround,
    "digitalocean": DigitalOceanGround,
    "dnsimple": DnSimpleGround,
    "dnsimple record by record": DnSimpleRecordsGround,
    "gandi": GandiGround,
    "google": GoogleGround,
    "hetzner": HetznerGround,
    "lexicon": LexiconGround,
    "linode": LinodeGround,
    "ns1": Ns1Ground,
    "ovh": OvhGround,
    "route53": Route53Ground,
    "vultr": VultrGround,
}

#: Those that speak HTTP.
HTTP_GROUNDS = {n: made for n, made in GROUNDS.items() if isinstance(made, type) and issubclass(made, HttpGround)}
