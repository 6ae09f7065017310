"""Pages that are not the service's: each is recognised, and an application's own is not taken for one."""

from __future__ import annotations

import pytest

from changeover.model.health.conditions import Response
from changeover.model.health.known_pages import recognised

WWW = "www.shop.example"


def unknown(platform: str, words: str) -> str:
    return f'{platform} does not know {WWW} here ("{words}")'


def first(server: str) -> str:
    return f"{server}'s first page, as if {WWW} were not set up here"


def challenge(who: str) -> str:
    return f"{who} wants to see that this is a person; let the checks of this computer through there"


KNOWN = [
    (404, "", '<iframe src="//www.herokucdn.com/error-pages/no-such-app.html">', unknown("Heroku", "no such app")),
    (
        503,
        "",
        "//www.herokucdn.com/error-pages/application-error.html",
        'Heroku cannot run the app ("application error")',
    ),
    (503, "", "//www.herokucdn.com/error-pages/maintenance-mode.html", "Heroku has the app in maintenance mode"),
    (
        404,
        "",
        f"404 Not Found: Requested route ('{WWW}') does not exist.",
        unknown("Cloud Foundry", "requested route does not exist"),
    ),
    (404, "X-Cf-RouterError: unknown_route", "", unknown("Cloud Foundry", "requested route does not exist")),
    (503, "", "<h1>Application is not available</h1>", unknown("OpenShift", "application is not available")),
    (404, "", "default backend - 404", unknown("the Kubernetes ingress controller", "default backend")),
    (404, "", "<li>Custom domain has not been configured inside Azure.", unknown("Azure", "404 Web Site not found")),
    (
        404,
        "",
        "<h2>Our services aren't available right now</h2>",
        unknown("Azure Front Door", "services aren't available"),
    ),
    (
        403,
        "",
        "<TITLE>ERROR: The request could not be satisfied</TITLE>",
        unknown("CloudFront", "the request could not be satisfied"),
    ),
    (404, "X-Vercel-Error: DEPLOYMENT_NOT_FOUND", "", unknown("Vercel", "deployment not found")),
    (404, "", "Not Found - Request ID: 01ABC", unknown("Netlify", "not found")),
    (404, "x-render-routing: no-server", "", unknown("Render", "no server")),
    (404, "X-Railway-Fallback: true", "", unknown("Railway", "application not found")),
    (404, "", "<p><strong>There isn't a GitHub Pages site here.</strong></p>", unknown("GitHub Pages", "no site here")),
    (500, "", f"Fastly error: unknown domain: {WWW}.", unknown("Fastly", "unknown domain")),
    (404, "", "<Error><Code>NoSuchBucket</Code>", unknown("the storage that answers", "no such bucket")),
    (200, "", "<title>Welcome to nginx!</title>", first("nginx")),
    (200, "", "<title>Apache2 Debian Default Page: It works</title>", first("Apache")),
    (200, "", "<html><body><h1>It works!</h1></body></html>\n", first("Apache")),
    (403, "", "<title>Test Page for the Apache HTTP Server on Fedora</title>", first("Apache")),
    (200, "", "<title>IIS Windows Server</title>", first("IIS")),
    (200, "", "<title>Caddy works!</title>", first("Caddy")),
    (200, "", "<title>Domain Default page</title>", first("Plesk")),
    (200, "", 'URL="/cgi-sys/defaultwebpage.cgi"', first("cPanel")),
    (403, "", "<title>Just a moment...</title>", challenge("Cloudflare")),
    (403, "cf-mitigated: challenge", "", challenge("Cloudflare")),
    (202, "x-amzn-waf-action: challenge", "", challenge("Amazon's firewall")),
    (429, "x-vercel-mitigated: challenge", "", challenge("Vercel")),
    (403, "", "Request unsuccessful. Incapsula incident ID: 1-2", challenge("Imperva")),
    (403, "", "https://geo.captcha-delivery.com/captcha/", challenge("DataDome")),
]


@pytest.mark.parametrize(("status", "header", "body", "words"), KNOWN, ids=[words for *_, words in KNOWN])
def test_known_pages(status: int, header: str, body: str, words: str) -> None:
    """Each says whose it is, and why it comes."""
    assert recognised(_response(status, header, body), WWW) == words


@pytest.mark.parametrize(
    ("status", "header", "body"),
    [
        (200, "", "<title>Shop</title>all is ok"),
        (404, "", "<title>Not found</title>We do not have this page"),
        (200, "", "How to get rid of 'default backend - 404' on Kubernetes"),
        (200, "", "<title>Our shop</title>" + "x" * 9000 + "<title>Welcome to nginx!</title>"),
        (404, "X-Cf-RouterError: endpoint_failure", ""),
        (503, "", "Service Unavailable"),
        (204, "", ""),
    ],
)
def test_the_applications_own(status: int, header: str, body: str) -> None:
    """Also where it writes about such pages."""
    assert recognised(_response(status, header, body), WWW) is None


def _response(status: int, header: str, body: str) -> Response:
    name, _, value = header.partition(": ")
    return Response(status, ((name.lower().encode(), value.encode()),) if name else (), body.encode())
