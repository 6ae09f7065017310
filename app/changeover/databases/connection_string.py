"""Connection strings, as far as they are read alike for every kind of database: one server, one user, TLS."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from changeover.model.errors import ProviderError, Rejected
from changeover.model.secret import Secret

Tls = Literal["verified", "unverified", "none"]


class ConnectionString(Struct, frozen=True, kw_only=True):
    """Its parts. `options` are as they stand in it; each kind knows its own."""

    host: str
    port: int
    user: str
    password: Secret
    database: str
    options: tuple[tuple[str, str], ...]


def connection_string(url: Secret, schemes: Sequence[str], port: int) -> ConnectionString:
    """The parts of scheme://user:password@host:port/database?…, of one server. Raises Rejected, without a word of it.

    `schemes` are those that it may begin with, `port` is the usual one.
    """
    try:
        parts = urlsplit(url.reveal())
        port = parts.port or port
        options = tuple(parse_qsl(parts.query))
    except ValueError:
        raise unusable("it is no URL") from None  # the error would show a part of the secret
    if parts.scheme not in schemes:
        raise unusable(f"it must begin with {schemes[0]}://")
    if not parts.hostname or "," in parts.netloc.rpartition("@")[2]:
        raise unusable("it must name one server")
    if not parts.username:
        raise unusable("it must name a user")
    return ConnectionString(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username),
        password=Secret(unquote(parts.password or "")),
        database=unquote(parts.path.lstrip("/")),
        options=options,
    )


def tls_context(
    mode: str, modes: tuple[str, str, str], authority: str | None, names: tuple[str, str]
) -> tuple[ssl.SSLContext | None, Tls]:
    """How a connection is encrypted, None where it is not; and what that proves. Raises Rejected.

    `modes` are the words for verified, unverified and none, `authority` is a file of authorities, and `names` are those
    of the options for both.
    """
    verified, unverified, none = modes
    if mode == none:
        return None, "none"
    if mode not in modes:
        raise unusable(f"{names[0]} must be {verified}, {unverified} or {none}")
    if authority is not None and not Path(authority).is_absolute():
        raise unusable(f"{names[1]} must be the whole path of a file")
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise unusable(f"{names[1]} cannot be read ({error.strerror or 'no certificates in it'})") from error
    if mode == verified:
        return context, "verified"
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context, "unverified"


def unusable(why: str) -> ProviderError:
    """The error of a string that cannot be used, without a word of it."""
    return Rejected(f"The connection string cannot be used: {why}", "Set its secret again.")
