"""What a TLS certificate says of itself, and what that means for visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct


class CertificateKind(StrEnum):
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
    kind: CertificateKind = CertificateKind.TRUSTED


#: By platform, the end of the names that its own certificates are for, each under a wildcard or by itself.
_PLATFORM_NAMES = (
    ("Heroku", ("herokuapp.com", "herokudns.com", "herokussl.com")),
    ("Azure App Service", ("azurewebsites.net",)),
    ("Azure Front Door", ("azurefd.net", "azureedge.net")),
    ("Amazon CloudFront", ("cloudfront.net",)),
    ("an Amazon load balancer", ("elb.amazonaws.com",)),
    ("Google", ("appspot.com", "run.app", "googleusercontent.com")),
    ("Fly.io", ("fly.dev",)),
    ("Netlify", ("netlify.app", "netlify.com")),
    ("Vercel", ("vercel.app", "vercel-infra.com", "now.sh")),
    ("Render", ("onrender.com",)),
    ("Railway", ("up.railway.app",)),
    ("GitHub Pages", ("github.io", "github.com")),
    ("Fastly", ("fastly.net", "fastlylb.net")),
    ("Cloudflare", ("cloudflaressl.com", "pages.dev", "workers.dev")),
)
#: By platform, the label after the wildcard of its own certificates, whose ends are the installation's.
_PLATFORM_LABELS = (("Cloud Foundry", "cfapps"), ("the OpenShift router", "apps"))
#: By platform, how the issuer of its own certificates begins.
_PLATFORM_ISSUERS = (
    ("the Kubernetes ingress controller", "Kubernetes Ingress Controller Fake Certificate"),
    ("Traefik", "TRAEFIK DEFAULT CERT"),
    ("the OpenShift router", "ingress-operator@"),
    ("Caddy", "Caddy Local Authority"),
    ("Plesk", "Plesk"),
    ("Cloudflare", "CloudFlare Origin"),
)
#: What the names of issuers hold that nobody trusts: Let's Encrypt's trial authority, then and now, and the like.
_STAGING = ("(staging)", "staging ", "fake le ", "fakele", "h2ppy h2cker", "happy hacker", "pebble ", "mkcert ")
_ENDS_FOR_MACHINES = ("localhost", ".localdomain", ".local", ".internal", ".lan")


class VerifyError(Struct, frozen=True):
    """Why OpenSSL refused a certificate: its number (X509_V_ERR_…, X509_STORE_CTX_get_error(3)) and its words."""

    code: int
    message: str


#: Where a certificate's own chain is in order: it is not yet valid, has expired, or is for another name or address.
OTHER_NAME = 62
_NOT_YET_VALID, _EXPIRED = 9, 10
_CHAIN_HOLDS = (_NOT_YET_VALID, _EXPIRED, OTHER_NAME, 64)
#: An authority is limited to other names (RFC 5280, 4.2.1.10).
_OUT_OF_BOUNDS = (47, 48)
#: Where the way from a certificate to a trusted authority is broken: an issuer is missing, or its root is nobody's.
_CHAIN_BROKEN = (2, 19, 20, 21)


class CertificateFaultKind(StrEnum):
    #: A platform's own (`subject`), not one for the hostname.
    PLATFORMS_OWN = "platform's own"
    #: From a trial authority, `subject`.
    STAGING = "staging"
    SELF_SIGNED = "self-signed"
    #: Self-signed, and made when the web server was installed.
    MACHINES_OWN = "machine's own"
    #: Its chain is incomplete, or ends at an authority that is not trusted; `subject` is the issuer, where it is known.
    CHAIN = "chain"
    #: An authority in its chain, not itself, has expired or is not valid yet; `subject` is the issuer.
    CHAIN_EXPIRED = "chain expired"
    CHAIN_NOT_YET_VALID = "chain not yet valid"
    #: An authority in its chain may issue none for such names; `subject` is the issuer.
    OUT_OF_BOUNDS = "out of bounds"
    #: Whatever else OpenSSL has against it, in its own words: `message`. `subject` as above.
    REFUSED = "refused"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    OTHER_NAMES = "other names"
    #: The hostname is covered by its common name alone, `names`, which browsers do not look at.
    COMMON_NAME = "common name"


class CertificateFault(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a certificate that was shown for `hostname`.

    `names` are those that it is for, `since` is when it begins to be valid, and it expired `seconds` ago.
    """

    kind: CertificateFaultKind
    hostname: str
    subject: str = ""
    message: str = ""
    names: tuple[str, ...] = ()
    since: datetime | None = None
    seconds: float = 0.0


def covers(names: Sequence[str], hostname: str) -> bool:
    """Is a certificate with these names for `hostname`? A wildcard is one whole first label (RFC 9525, section 6.3)."""
    wanted = hostname.lower().rstrip(".")
    parent = wanted.partition(".")[2]
    return any(name in (wanted, f"*.{parent}") for name in (n.lower() for n in names))


def distinguished(name: Mapping[str, str]) -> str:
    """A name in a certificate, by attribute ("commonName", …), as people say it: "R11 (Let's Encrypt)"."""
    organization = name.get("organizationName", "")
    common = name.get("commonName") or name.get("organizationalUnitName", "")
    if common and organization and organization not in common:
        return f"{common} ({organization})"
    return common or organization or "nobody"


def platform_of(names: Sequence[str], issuer: str, hostname: str) -> str | None:
    """The platform whose own certificate this is, where it is not one for `hostname`."""
    for platform, start in _PLATFORM_ISSUERS:
        if issuer.startswith(start):
            return platform
    if covers(names, hostname):
        return None
    ends = [name.lower().removeprefix("*.") for name in names]
    for platform, known in _PLATFORM_NAMES:
        if any(end == k or end.endswith("." + k) for end in ends for k in known):
            return platform
    for platform, label in _PLATFORM_LABELS:
        if any(name.lower().startswith(f"*.{label}.") for name in names):
            return platform
    return None


def is_staging(issuer: str) -> bool:
    """Does a trial authority vouch for it, which browsers do not trust?"""
    return any(word in f"{issuer} ".lower() for word in _STAGING)


def kind_of(names: Sequence[str], issuer: str, hostname: str, *, self_signed: bool, code: int) -> CertificateKind:
    """What sort of certificate was refused for `hostname`, with this code of OpenSSL's."""
    if platform_of(names, issuer, hostname):
        return CertificateKind.PLATFORM
    if is_staging(issuer):
        return CertificateKind.STAGING
    if self_signed:
        return CertificateKind.SELF_SIGNED
    return CertificateKind.TRUSTED if code in _CHAIN_HOLDS else CertificateKind.UNTRUSTED


def certificate_faults(
    certificate: Certificate | None, hostname: str, at: datetime, refusal: VerifyError
) -> tuple[CertificateFault, ...]:
    """Everything that is wrong with a certificate that was refused for `hostname`.

    None where it could not be read again: then what OpenSSL said must do.
    """

    kinds = CertificateFaultKind
    broken = refusal.code in _CHAIN_BROKEN
    issuer = certificate.issuer if certificate is not None and certificate.kind is CertificateKind.UNTRUSTED else ""
    refused = CertificateFault(
        kind=kinds.CHAIN if broken else kinds.OUT_OF_BOUNDS if refusal.code in _OUT_OF_BOUNDS else kinds.REFUSED,
        hostname=hostname,
        subject=issuer,
        message="" if broken else refusal.message,
    )
    if certificate is None:
        return (refused,)
    names = certificate.names
    platform = platform_of(names, certificate.issuer, hostname)
    if platform and certificate.kind is CertificateKind.PLATFORM:
        return (CertificateFault(kind=kinds.PLATFORMS_OWN, hostname=hostname, subject=platform, names=names),)
    found = []
    if certificate.kind is CertificateKind.STAGING:
        found.append(CertificateFault(kind=kinds.STAGING, hostname=hostname, subject=certificate.issuer))
    elif certificate.kind is CertificateKind.SELF_SIGNED:
        own = names and all(_of_a_machine(name) for name in names)
        found.append(CertificateFault(kind=kinds.MACHINES_OWN if own else kinds.SELF_SIGNED, hostname=hostname))
    elif certificate.kind is CertificateKind.UNTRUSTED:
        found.append(refused)
    if certificate.expires <= at:
        ago = (at - certificate.expires).total_seconds()
        found.append(CertificateFault(kind=kinds.EXPIRED, hostname=hostname, seconds=ago))
    if certificate.issued > at:
        found.append(CertificateFault(kind=kinds.NOT_YET_VALID, hostname=hostname, since=certificate.issued))
    if not found and refusal.code in (_EXPIRED, _NOT_YET_VALID):
        kind = kinds.CHAIN_EXPIRED if refusal.code == _EXPIRED else kinds.CHAIN_NOT_YET_VALID
        found.append(CertificateFault(kind=kind, hostname=hostname, subject=certificate.issuer))
    if refusal.code == OTHER_NAME and covers(names, hostname):
        found.append(CertificateFault(kind=kinds.COMMON_NAME, hostname=hostname, names=names))
    if not covers(names, hostname):
        found.append(CertificateFault(kind=kinds.OTHER_NAMES, hostname=hostname, names=names))
    return tuple(found) or (refused,)


def days_left(certificate: Certificate, at: datetime) -> int:
    """Whole days until it expires; below zero afterwards."""
    return (certificate.expires - at) // timedelta(days=1)


def _of_a_machine(name: str) -> bool:
    return "." not in name or name.lower().endswith(_ENDS_FOR_MACHINES)
