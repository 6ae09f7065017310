"""All grounds (dns_servers.ground)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from dns_servers.bind_ground import BindGround, PowerDnsGround
from dns_servers.cloudflare_ground import CloudflareGround
from dns_servers.desec_ground import DesecGround
from dns_servers.ground import Ground, HttpGround
from dns_servers.powerdns_ground import PowerDnsApiGround

#: Every provider, by the name that the settings file uses, and what it runs on. A new one adds its ground here.
GROUNDS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Ground]]] = {
    "rfc2136": BindGround,
    "rfc2136 on PowerDNS": PowerDnsGround,
    "cloudflare": CloudflareGround,
    "powerdns": PowerDnsApiGround,
    "desec": DesecGround,
}

#: Those that speak HTTP.
HTTP_GROUNDS = {n: made for n, made in GROUNDS.items() if isinstance(made, type) and issubclass(made, HttpGround)}
