"""Loaded by every Python that tests start: it cannot reach the resolvers of the machine it runs on."""

import dns.resolver

dns.resolver.default_resolver = dns.resolver.Resolver(configure=False)
