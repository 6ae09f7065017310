"""Certificates as servers show them when something is wrong, and a good one, from throw-away authorities."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_PEM = serialization.Encoding.PEM
_OIDS = {
    "commonName": x509.NameOID.COMMON_NAME,
    "organizationName": x509.NameOID.ORGANIZATION_NAME,
}
_SUBJECT_ALT_NAME = x509.ExtensionOID.SUBJECT_ALTERNATIVE_NAME


def made(
    subject: Mapping[str, str],
    names: Sequence[str],
    *,
    issuer: Mapping[str, str] | None = None,
    start: timedelta = timedelta(days=-1),
    end: timedelta = timedelta(days=30),
    odd_names: Sequence[bytes] = (),
) -> bytes:
    """A key and its certificate in PEM, self-signed unless it has another `issuer`, who is nobody that anyone knows.

    Valid from `start` to `end`, counted from now. Without names it has only its subject. `odd_names` stand for `names`
    where they are no names that a certificate may have.
    """
    own, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer or subject))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
    )
    if names:
        names_there = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(names_there, critical=False)
    if odd_names:  # GeneralNames, each a dNSName (RFC 5280, 4.2.1.6)
        entries = b"".join(b"\x82" + bytes([len(name)]) + name for name in odd_names)
        raw = x509.UnrecognizedExtension(_SUBJECT_ALT_NAME, b"\x30" + bytes([len(entries)]) + entries)
        builder = builder.add_extension(raw, critical=False)
    certificate = builder.sign(own if issuer is None else other, hashes.SHA256())
    key = own.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key + certificate.public_bytes(_PEM)


def _name(parts: Mapping[str, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(_OIDS[key], value) for key, value in parts.items()])


def pem_of(leaf: trustme.LeafCert, *, with_chain: bool = True) -> bytes:
    """A key and its certificate in PEM, with or without those that lead to the authority."""
    chain = leaf.cert_chain_pems if with_chain else leaf.cert_chain_pems[:1]
    return leaf.private_key_pem.bytes() + b"".join(blob.bytes() for blob in chain)


def server_context(folder: Path, pem: bytes) -> ssl.SSLContext:
    """What a server needs to show this certificate."""
    file = folder / "server.pem"
    file.write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def faulty(authority: trustme.CA, names: Sequence[str]) -> dict[str, bytes]:
    """By its fault, a certificate that should be for `names`, in PEM with its key; "good" is the one without any."""
    now = datetime.now(UTC)
    expired = authority.issue_cert(*names, not_before=now - timedelta(days=90), not_after=now - timedelta(days=3.1))
    return {
        "good": pem_of(authority.issue_cert(*names)),
        "expired": pem_of(expired),
        "wrong-name": pem_of(authority.issue_cert("intranet.example")),
        "self-signed": made({"commonName": names[0]}, names),
    }
