"""What a TLS certificate says of itself, and what that means for visitors."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """What sort of certificate it is. Visitors' browsers accept only trusted ones, and those only for their names."""

    TRUSTED = "trusted"
    SELF_SIGNED = "self-signed"
    #: From a certificate authority's trial environment.
    STAGING = "staging"
    #: What a platform shows for hostnames that it does not know.
    PLATFORM = "platform's own"
    UNTRUSTED = "untrusted"


class Certificate(Struct, frozen=True, kw_only=True):
    """One server's certificate. `names` are those it is for, `issuer` who vouches for it."""

    names: tuple[str, ...]
    issuer: str
    issued: datetime
    expires: datetime
    kind: Kind = Kind.TRUSTED
