"""Configuration variables, told apart without their values: these go in here and do not come out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

#: Made anew by every process and kept nowhere, so that no hash can be tried out on guesses afterwards.
_KEY = secrets.token_bytes(32)


def hashed(config: Mapping[str, str]) -> dict[str, str]:
    """By name, a hash of the value: two are equal where the values are. They mean nothing to another process."""
    return {
        name: hmac.new(_KEY, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
        for name, value in config.items()
    }
