"""Certificates: which names they are for, whose they are, and why one was refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changeover.model.health.certificate import (
    Certificate,
    CertificateKind,
    VerifyError,
    certificate_faults,
    covers,
    days_left,
    distinguished,
    is_staging,
    kind_of,
    platform_of,
)
from changeover.model.wording.fault_words import certificate_words
from model.strategies import NOW

WWW = "www.shop.example"


@pytest.mark.parametrize(
    ("name", "hostname", "covered"),
    [
        (WWW, WWW, True),
        ("WWW.Shop.Example", WWW, True),
        ("*.shop.example", WWW, True),
        ("*.shop.example", "shop.example", False),
        ("*.shop.example", "a.www.shop.example", False),
        ("*.example", "shop.example", True),
        ("w*.shop.example", WWW, False),
        ("shop.example", WWW, False),
        ("*", "localhost", False),
    ],
)
def test_names(name: str, hostname: str, covered: bool) -> None:
    """A wildcard is one whole first label."""
    assert covers([name], hostname) is covered
    assert covers(["other.example", name], f"{hostname}.") is covered


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"commonName": "R11", "organizationName": "Let's Encrypt", "countryName": "US"}, "R11 (Let's Encrypt)"),
        ({"commonName": "DigiCert Global G2", "organizationName": "DigiCert"}, "DigiCert Global G2"),
        ({"organizationName": "Shop", "organizationalUnitName": "Web"}, "Web (Shop)"),
        ({"organizationName": "Shop"}, "Shop"),
        ({}, "nobody"),
    ],
)
def test_issuers(parts: dict[str, str], words: str) -> None:
    """The short name first."""
    assert distinguished(parts) == words


PLATFORMS = [
    ("*.herokuapp.com", "Amazon RSA 2048 M02", "Heroku"),
    ("elm.herokudns.com", "R11", "Heroku"),
    ("*.cfapps.eu10.hana.ondemand.com", "DigiCert", "Cloud Foundry"),
    ("*.apps.prod.shop.example", "R11", "the OpenShift router"),
    ("*.apps.prod.shop.example", "ingress-operator@1700000000", "the OpenShift router"),
    ("ingress.local", "Kubernetes Ingress Controller Fake Certificate (Acme Co)", "the Kubernetes ingress controller"),
    ("1a2b.3c4d.traefik.default", "TRAEFIK DEFAULT CERT", "Traefik"),
    ("*.azurewebsites.net", "Microsoft Azure TLS Issuing CA 01", "Azure App Service"),
    ("*.azureedge.net", "Microsoft", "Azure Front Door"),
    ("*.cloudfront.net", "Amazon", "Amazon CloudFront"),
    ("*.eu-west-1.elb.amazonaws.com", "Amazon", "an Amazon load balancer"),
    ("*.run.app", "Google Trust Services", "Google"),
    ("*.fly.dev", "R11", "Fly.io"),
    ("*.netlify.app", "DigiCert", "Netlify"),
    ("no-sni.vercel-infra.com", "R11", "Vercel"),
    ("*.onrender.com", "WE1", "Render"),
    ("*.up.railway.app", "R11", "Railway"),
    ("*.github.io", "Sectigo", "GitHub Pages"),
    ("default.ssl.fastly.net", "GlobalSign", "Fastly"),
    ("sni.cloudflaressl.com", "Cloudflare", "Cloudflare"),
    ("anything", "Caddy Local Authority - ECC Intermediate", "Caddy"),
    ("Plesk", "Plesk", "Plesk"),
]


@pytest.mark.parametrize(("name", "issuer", "platform"), PLATFORMS)
def test_a_platforms_own(name: str, issuer: str, platform: str) -> None:
    """It is shown for hostnames that are not set up there."""
    assert platform_of([name], issuer, WWW) == platform
    assert kind_of([name], issuer, WWW, self_signed=True, code=18) is CertificateKind.PLATFORM


@pytest.mark.parametrize(
    ("names", "hostname"),
    [
        ([WWW], WWW),
        (["*.herokuapp.com"], "shop.herokuapp.com"),
        ([WWW, "*.cloudfront.net"], WWW),
        (["notherokuapp.com"], WWW),
        (["apps.shop.example"], WWW),
    ],
)
def test_what_is_no_platforms_own(names: list[str], hostname: str) -> None:
    """It is for the hostname, or only looks alike."""
    assert platform_of(names, "R11 (Let's Encrypt)", hostname) is None


@pytest.mark.parametrize(
    ("issuer", "staging"),
    [
        ("(STAGING) Ersatz Edamame E1 ((STAGING) Let's Encrypt)", True),
        ("Fake LE Intermediate X1", True),
        ("h2ppy h2cker fake CA", True),
        ("Pebble Intermediate CA 3a2b1c", True),
        ("mkcert development CA (mkcert development CA)", True),
        ("Shop Staging CA", True),
        ("R11 (Let's Encrypt)", False),
        ("Stagings & Sons", False),
    ],
)
def test_trial_authorities(issuer: str, staging: bool) -> None:
    """Browsers trust none of them."""
    assert is_staging(issuer) is staging


@pytest.mark.parametrize(
    ("code", "self_signed", "kind"),
    [
        (10, False, CertificateKind.TRUSTED),
        (9, False, CertificateKind.TRUSTED),
        (62, False, CertificateKind.TRUSTED),
        (20, False, CertificateKind.UNTRUSTED),
        (18, True, CertificateKind.SELF_SIGNED),
    ],
)
def test_kinds(code: int, self_signed: bool, kind: CertificateKind) -> None:
    """Where only time or names are wrong, its authority is trusted."""
    assert kind_of([WWW], "R11", WWW, self_signed=self_signed, code=code) is kind


def certificate(
    kind: CertificateKind = CertificateKind.TRUSTED, names: tuple[str, ...] = (WWW,), days: float = 30
) -> Certificate:
    expires = NOW + timedelta(days=days)
    return Certificate(names=names, issuer="R11", issued=NOW - timedelta(days=90), expires=expires, kind=kind)


@pytest.mark.parametrize(
    ("seen", "refusal", "words"),
    [
        (certificate(days=-3), VerifyError(10, "certificate has expired"), "it expired 3 days ago"),
        (
            certificate(names=("a.example", "b.example", "c.example")),
            VerifyError(62, "Hostname mismatch"),
            f"it is for a.example and 2 other names, not for {WWW}",
        ),
        (certificate(names=()), VerifyError(62, "Hostname mismatch"), f"it is for no name, not for {WWW}"),
        (certificate(CertificateKind.SELF_SIGNED), VerifyError(18, "self-signed certificate"), "it is self-signed"),
        (
            certificate(CertificateKind.UNTRUSTED, ("a.example",), -1),
            VerifyError(21, "unable to verify the first certificate"),
            "the chain is incomplete or its authority is not trusted (issuer: R11); it expired 24 h ago; "
            f"it is for a.example, not for {WWW}",
        ),
        (
            certificate(CertificateKind.UNTRUSTED),
            VerifyError(68, "CA signature digest algorithm too weak"),
            "CA signature digest algorithm too weak (issuer: R11)",
        ),
        (certificate(), VerifyError(23, "certificate revoked"), "certificate revoked"),
        (None, VerifyError(10, "certificate has expired"), "certificate has expired"),
        (
            None,
            VerifyError(20, "unable to get local issuer certificate"),
            "the chain is incomplete or its authority is not trusted",
        ),
    ],
)
def test_why_it_was_refused(seen: Certificate | None, refusal: VerifyError, words: str) -> None:
    """Everything that is wrong, in words; OpenSSL's own where there are no better ones."""
    assert certificate_words(certificate_faults(seen, WWW, NOW, refusal)) == words


@pytest.mark.parametrize(("days", "left"), [(30, 30), (0.5, 0), (1.99, 1), (-0.5, -1)])
def test_days_left(days: float, left: int) -> None:
    """Whole ones."""
    assert days_left(certificate(days=days), NOW) == left
