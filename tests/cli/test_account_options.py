"""What --set hands to a provider."""

from __future__ import annotations

import pytest

from changeover.commands.accounts import options_of
from changeover.dns.providers import provider_type


@pytest.mark.parametrize(
    ("provider", "text", "value"),
    [
        ("desec", "minimum_ttl=60", 60),
        ("desec", "minimum_ttl=an hour", "an hour"),
        ("powerdns", "alias=true", True),
        ("powerdns", "alias=false", False),
        ("powerdns", "alias=yes", "yes"),
        ("powerdns", "server=1", "1"),
        ("powerdns", "alien=1", "1"),
        ("desec", "minimum_ttl=-1", -1),
        ("rfc2136", "algorithm=hmac-sha512", "hmac-sha512"),
        ("rfc2136", "key_name=true", "true"),
    ],
)
def test_a_value_has_the_type_of_its_key(provider: str, text: str, value: object) -> None:
    """Numbers and truths as such; what does not fit stays text, and the settings say what would be right."""
    ((_, found),) = options_of(provider_type(provider).options, [text], "--set key=value").items()
    assert (found, type(found)) == (value, type(value))
