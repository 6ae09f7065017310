"""A good settings file, and wrong ones that differ from it in one point."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from changeover.accounts.kinds import KINDS
from changeover.databases import DATABASES

GOOD = """\
# What the team agreed on.
version = 1

[accounts.dns-main]
provider = "rfc2136"               # the office's BIND
server = "127.0.0.1:5301"
key_name = "changeover."
algorithm = "hmac-sha256"

[accounts.cf]
provider = "cloudflare"

# The shop comes first.
[[services]]
name = "shop"
hostnames = ["www.shop.example", "shop.example"]
dns = [{ account = "dns-main", zone = "shop.example" }, { account = "cf", zone = "shop.example" }]
ttl = 60

[services.health]
path = "/health"
scheme = "https"
port = 8443
expect_status = "200-299,401"
expect_body = "ok"
interval = 15
timeout = 2.5

[[services.deployments]]
name = "primary"                   # the platform
answer = { cname = "edge.shop.example" }
answers."shop.example" = { a = ["192.0.2.10"], aaaa = ["2001:db8::10"] }
marker = { header = "X-Deployment", value = "primary" }

[[services.deployments]]
name = "backup"
platform = "url"
answer = { a = ["198.51.100.24"] }

[[services]]
name = "blog"
hostnames = ["blog.example"]
dns = [{ account = "cf", zone = "blog.example" }]

[[services.deployments]]
name = "here"
answer = { alias = "blog.example.net" }

[[services.deployments]]
name = "there"
answer = { a = ["198.51.100.25", "198.51.100.26"] }

[lookup]
resolvers = ["127.0.0.1:5302", "[::1]:53", "dns.example"]
nameservers = { "shop.example" = ["127.0.0.1:5301"] }
witnesses = ["https://witness.example/trace"]

# The end.
"""


def changed(*pairs: tuple[str, str]) -> str:
    """GOOD with the first of each pair replaced, where it stands first, by the second."""
    text = GOOD
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


#: Every provider and platform as faults name them.
KNOWN = ", ".join(f'"{name}"' for name in KINDS.names)
#: What a deployment can be on, as they name it.
KNOWN_PLATFORMS = ", ".join(f'"{name}"' for name in ("url", *KINDS.platforms))

#: What a database can be.
KNOWN_DATABASES = ", ".join(f'"{name}"' for name in DATABASES)


class Wrong(NamedTuple):
    """A settings file and all of its faults."""

    what: str
    text: str
    faults: tuple[str, ...]


def wrong_files() -> Iterator[Wrong]:
    """Those of wrong_settings.txt, where {providers} stands for all of them."""
    for case in Path(__file__).with_name("wrong_settings.txt").read_text().split("\n== ")[1:]:
        what, *lines = case.rstrip("\n").split("\n")
        old, new, faults = ("\n".join(x[2:] for x in lines if x.startswith(sign)) for sign in "-+!")
        yield Wrong(
            what,
            changed((old, new)),
            tuple(
                faults.replace("{providers}", KNOWN)
                .replace("{platforms}", KNOWN_PLATFORMS)
                .replace("{databases}", KNOWN_DATABASES)
                .split("\n")
            ),
        )
