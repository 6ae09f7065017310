"""The database of a deployment, and how far a standby may be behind: what settings say of databases."""

from __future__ import annotations

from msgspec import Struct


class DeploymentDatabase(Struct, frozen=True, forbid_unknown_fields=True):
    """One database server. How it is reached, password included, is a secret of its service, of the name `secret`."""

    kind: str
    secret: str


class LagLimits(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From how many seconds of lag on a standby is warned of, and speaks against a switch to it."""

    warn: int = 300
    block: int = 600
