"""Configuration variables, told apart without their values: these go in here and do not come out."""

from __future__ import annotations

import hashlib
import hmac
import re
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


#: A database's address, and what in it asks for TLS: libpq's sslmode (postgresql.org/docs/current/libpq-ssl.html), or
#: one of the switches of MySQL's drivers.
_DATABASE = re.compile(r"(postgres(ql)?|mysql2?|mariadb)(\+[a-z0-9]+)?://", re.IGNORECASE)
_ASKS = re.compile(
    r"[?&](sslmode=(require|verify-ca|verify-full)|ssl-mode=(REQUIRED|VERIFY_\w+)|ssl=true)", re.IGNORECASE
)


def urls_without_tls(config: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that have a database's address which does not ask for TLS."""
    return tuple(sorted(name for name, value in config.items() if _DATABASE.match(value) and not _ASKS.search(value)))
