"""What a TLS certificate says of itself, and what that means for visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from changeover.model.formatting import counted, duration


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

#: What OpenSSL says first where a certificate's own chain is in order (its fault is its time or its names).
_CHAIN_HOLDS = ("certificate has expired", "certificate is not yet valid", "hostname mismatch", "ip address mismatch")
#: What OpenSSL says where the way from a certificate to a trusted authority is broken.
_CHAIN_BROKEN = (
    "unable to get local issuer certificate",
    "unable to get issuer certificate",
    "unable to verify the first certificate",
    "self-signed certificate in certificate chain",
    "self signed certificate in certificate chain",
)


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


def kind_of(names: Sequence[str], issuer: str, hostname: str, *, self_signed: bool, said: str) -> CertificateKind:
    """What sort of certificate was refused for `hostname`, when OpenSSL said this."""
    if platform_of(names, issuer, hostname):
        return CertificateKind.PLATFORM
    if is_staging(issuer):
        return CertificateKind.STAGING
    if self_signed:
        return CertificateKind.SELF_SIGNED
    return CertificateKind.TRUSTED if said.lower().startswith(_CHAIN_HOLDS) else CertificateKind.UNTRUSTED


def why_refused(certificate: Certificate | None, hostname: str, at: datetime, said: str) -> str:
    """Why a certificate was refused for `hostname`, everything that is wrong with it; `said` is OpenSSL's message.

    None where it could not be read again: then the message must do.
    """
    if certificate is None:
        return _plain(said)
    platform = platform_of(certificate.names, certificate.issuer, hostname)
    if platform and certificate.kind is CertificateKind.PLATFORM:
        return f"it is {platform}'s own ({_names(certificate)}), not one for {hostname}"
    faults = []
    if certificate.kind is CertificateKind.STAGING:
        faults.append(f'it comes from a staging authority, "{certificate.issuer}", which browsers do not trust')
    elif certificate.kind is CertificateKind.SELF_SIGNED:
        own = certificate.names and all(_of_a_machine(name) for name in certificate.names)
        faults.append("it is self-signed" + (", made for the machine when the web server was installed" if own else ""))
    elif certificate.kind is CertificateKind.UNTRUSTED:
        faults.append(f"{_plain(said)} (issuer: {certificate.issuer})")
    if certificate.expires <= at:
        faults.append(f"it expired {duration((at - certificate.expires).total_seconds())} ago")
    if certificate.issued > at:
        faults.append(f"it is not valid before {certificate.issued:%Y-%m-%d %H:%M} UTC")
    if not covers(certificate.names, hostname):
        faults.append(f"it is for {_names(certificate)}, not for {hostname}")
    return "; ".join(faults) or _plain(said)


def days_left(certificate: Certificate, at: datetime) -> int:
    """Whole days until it expires; below zero afterwards."""
    return (certificate.expires - at) // timedelta(days=1)


def _plain(said: str) -> str:
    if said.startswith(_CHAIN_BROKEN):
        return "the chain is incomplete or its authority is not trusted"
    return said


def _of_a_machine(name: str) -> bool:
    return "." not in name or name.lower().endswith(_ENDS_FOR_MACHINES)


def _names(certificate: Certificate) -> str:
    """The first name and how many more there are."""
    if not certificate.names:
        return "no name"
    more = len(certificate.names) - 1
    return certificate.names[0] + (f" and {counted(more, 'other name')}" if more else "")
