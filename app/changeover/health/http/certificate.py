"""Reading a server's certificate: what Python's ssl module made of a verified one, and DER of one that was refused."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from changeover.model.health.certificate import (
    OTHER_NAME,
    Certificate,
    CertificateKind,
    covers,
    distinguished,
    kind_of,
)

if TYPE_CHECKING:
    from cryptography import x509


def verified(tls: ssl.SSLObject, hostname: str) -> Certificate | None:
    """The certificate that was accepted for `hostname`. None where it cannot be parsed.

    The ssl module cannot read names that are no UTF-8 nor years before 1000, OpenSSL, which accepts them, can.
    """
    try:
        peer: Mapping[str, Any] = tls.getpeercert() or {}
        names = tuple(str(value) for kind, value in peer.get("subjectAltName", ()) if kind in ("DNS", "IP Address"))
        return Certificate(
            names=names,
            issuer=distinguished({key: value for part in peer.get("issuer", ()) for key, value in part}),
            issued=_time(peer["notBefore"]),
            expires=_time(peer["notAfter"]),
        )
    except (ValueError, KeyError, OverflowError):
        return _parsed(tls.getpeercert(binary_form=True) or b"", hostname, None)


def check_hostname(tls: ssl.SSLObject, hostname: str) -> None:
    """Compares the names where OpenSSL was told not to. Raises ssl.SSLCertVerificationError."""
    if tls.context.check_hostname or tls.context.verify_mode is ssl.CERT_NONE:
        return
    from cryptography import x509

    try:
        names = _names(x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b""))
    except ValueError:
        names = ()
    if not covers(names, hostname):
        refusal = ssl.SSLCertVerificationError(1, "Hostname mismatch")
        refusal.verify_code, refusal.verify_message = OTHER_NAME, f"it is not valid for {hostname}"
        raise refusal


@functools.lru_cache(maxsize=512)
def _time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def refused(der: bytes, hostname: str, code: int) -> Certificate | None:
    """A certificate that OpenSSL refused for `hostname` with this code. None where it cannot be parsed."""
    return _parsed(der, hostname, code)


def _parsed(der: bytes, hostname: str, code: int | None) -> Certificate | None:
    """A certificate; `code` is None where OpenSSL accepted it for `hostname`, so that this is one of its names."""
    from cryptography import x509

    try:
        parsed = x509.load_der_x509_certificate(der)
        subject, issuer = _attributes(parsed.subject), distinguished(_attributes(parsed.issuer))
        names = _names(parsed) or ((hostname,) if code is None else tuple(filter(None, (subject.get("commonName"),))))
        self_signed = parsed.subject == parsed.issuer
        trusted = CertificateKind.TRUSTED
        return Certificate(
            names=names,
            issuer=issuer,
            issued=parsed.not_valid_before_utc,
            expires=parsed.not_valid_after_utc,
            kind=trusted if code is None else kind_of(names, issuer, hostname, self_signed=self_signed, code=code),
        )
    except (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


def _attributes(name: x509.Name) -> dict[str, str]:
    return {attribute.oid._name: str(attribute.value) for attribute in name}


def _names(parsed: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        found = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):  # none, or one that is no ASCII
        return ()
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return (*found.get_values_for_type(x509.DNSName), *addresses)
