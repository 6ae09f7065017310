"""Accounts as people see them: where the secret is, and what the credential may do."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from changeover.model.settings.platform import DiscoveredApp


class AccountRow(Struct, frozen=True, kw_only=True):
    """One account, and where its secret is: `keyring`, `memory`, `missing`, or `none` where it needs none."""

    name: str
    provider: str
    secret: str


class AccountCheck(Struct, frozen=True, kw_only=True):
    """What an account's credential can do. `ok`: something was tried, and it may read there.

    `tried`: it was asked for something at all. `may_write` is None where nobody knows before it is tried. `zones` are
    those that it sees, `writable` those that it may change, None where that is not known; `apps` are what an account
    at a platform sees. `warnings` has a sentence for each thing that needs a look, and `notes` for what is as it
    should be.
    """

    account: str
    ok: bool
    tried: bool = True
    zones: tuple[str, ...] = ()
    apps: tuple[DiscoveredApp, ...] = ()
    may_write: bool | None = None
    writable: tuple[str, ...] | None = None
    expires: datetime | None = None
    text: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
