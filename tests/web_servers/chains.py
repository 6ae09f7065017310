"""Certificates of every shape, one issued by the other, from throw-away authorities."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec import Struct

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
SERVER, CLIENT = x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH
_PEM = serialization.Encoding.PEM


class Issued(Struct, frozen=True):
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(_PEM)


def shown(*chain: Issued) -> bytes:
    """What a server is given to show: the key of the first, and the certificates in their order."""
    key = chain[0].key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key + b"".join(one.pem for one in chain)


def issued(
    common_name: str,
    by: Issued | None = None,
    *names: str,
    key: Key | None = None,
    authority: bool = False,
    start: float = -90,
    end: float = 30,
    only_below: Sequence[str] = (),
    purpose: x509.ObjectIdentifier = SERVER,
) -> Issued:
    """A certificate, signed by itself where nobody issued it.

    For `names`, which may be addresses; valid from `start` to `end`, in days from now. An `authority` may issue others,
    for names below `only_below` where that is given.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = by.key if by is not None else key
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=start))
        .not_valid_after(now + timedelta(days=end))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
    if only_below:
        permitted = x509.NameConstraints([x509.DNSName(name) for name in only_below], None)
        builder = builder.add_extension(permitted, critical=True)
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Issued(builder.sign(signer, digest), key)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.RFC822Name(name) if "@" in name else x509.DNSName(name)
