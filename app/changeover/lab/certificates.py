"""Certificates for the practice ground: an authority made for it alone, whose own key is kept nowhere."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from changeover.storage.settings.file import write_atomically

_OWNER = "Changeover practice ground"
_LIFE = timedelta(days=365)
_LEAST_LEFT = timedelta(days=30)


def server_context(folder: Path, names: Sequence[str], now: datetime) -> ssl.SSLContext:
    """TLS for a server that goes by `names` (hostnames and addresses), with a certificate that `folder`/ca.pem vouches
    for.

    What is in `folder` is used again while it is good for 30 more days at `now`; else both files are made anew. Raises
    OSError.
    """
    authority, server = folder / "ca.pem", folder / "server.pem"
    if not _usable(authority, server, now):
        made = trustme.CA(organization_name=_OWNER, organization_unit_name=_OWNER)
        start = now - timedelta(days=1)
        leaf = made.issue_cert(*names, organization_name=_OWNER, not_before=start, not_after=now + _LIFE)
        # With the key: nobody but the owner may read it, which is how a new file is written.
        write_atomically(server, leaf.private_key_and_cert_chain_pem.bytes().decode())
        write_atomically(authority, made.cert_pem.bytes().decode())
    return _context(server)


def _usable(authority: Path, server: Path, now: datetime) -> bool:
    try:
        issuer = x509.load_pem_x509_certificate(authority.read_bytes())
        leaf = x509.load_pem_x509_certificate(server.read_bytes())
        leaf.verify_directly_issued_by(issuer)
        _context(server)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    return all(c.not_valid_after_utc - now > _LEAST_LEFT for c in (issuer, leaf))


def _context(server: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return context
