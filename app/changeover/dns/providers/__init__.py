"""The DNS providers, one module each. A new one is registered here, in one line."""

from __future__ import annotations

import importlib

from changeover.dns.provider import ProviderType

#: By the name that the settings file uses. Modules are imported when first needed: each brings its own libraries.
PROVIDERS = {
    "rfc2136": "changeover.dns.providers.rfc2136_account",
    "cloudflare": "changeover.dns.providers.cloudflare",
    "powerdns": "changeover.dns.providers.powerdns",
    "desec": "changeover.dns.providers.desec",
    "azure": "changeover.dns.providers.azure",
    "digitalocean": "changeover.dns.providers.digitalocean",
    "dnsimple": "changeover.dns.providers.dnsimple",
    "gandi": "changeover.dns.providers.gandi",
    "google": "changeover.dns.providers.google",
    "hetzner": "changeover.dns.providers.hetzner",
    "lexicon": "changeover.dns.providers.lexicon.lexicon",
    "linode": "changeover.dns.providers.linode",
    "ns1": "changeover.dns.providers.ns1",
    "ovh": "changeover.dns.providers.ovh",
    "route53": "changeover.dns.providers.route53",
    "vultr": "changeover.dns.providers.vultr",
}


def provider_type(name: str) -> ProviderType:
    """The provider of that name. KeyError where there is none."""
    provider: ProviderType = importlib.import_module(PROVIDERS[name]).PROVIDER
    return provider
