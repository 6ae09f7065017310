"""Where an app itself tells what it runs."""

from __future__ import annotations

from msgspec import Struct


class VersionEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A path of the app, and where in its response the commit and the database schema's version stand.

    As a journey captures: "json:PATH", "header:NAME", "body:PATTERN" (its first group). The settings file may leave
    "json:" out.
    """

    path: str
    commit: str | None = None
    schema: str | None = None
