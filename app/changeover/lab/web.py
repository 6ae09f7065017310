"""The practice ground's two web deployments: small HTTPS servers that say who they are, and can be broken."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h11

from changeover.lab.app import LabApp
from changeover.lab.http_serving import LabAnswer, serve_http
from changeover.lab.listening import Place, bound_sockets, connections
from changeover.model.wording.platform_words import observation_words

MARKER_HEADER = "X-Deployment"

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Practice shop: {deployment}</title>
<style>
  body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem; }}
  @media (prefers-color-scheme: dark) {{ body {{ background: #16191d; color: #e8eaed; }} }}
</style>
<h1>Welcome to the practice shop</h1>
<p>This page comes from the <strong>{deployment}</strong> deployment: {runs}.</p>
<p>Nothing is sold here and nothing can be lost: break it, switch it, and bring it back as often as you like.</p>
</html>
"""


class LabDeployment:
    """One web deployment. It answers 503 to everything while its app is broken, in maintenance, or has no instance."""

    def __init__(self, app: LabApp) -> None:
        self._app = app

    def response(self, request: h11.Request, body: bytes) -> LabAnswer:
        """The answer to one request."""
        status, kind, text = self._page(request)
        marker = (MARKER_HEADER, self._app.name)
        return LabAnswer(
            status, f"{kind}; charset=utf-8", text.encode(), (marker, ("X-Release", self._app.observation.release))
        )

    def _page(self, request: h11.Request) -> tuple[int, str, str]:
        """Status, content type and body."""
        app, found = self._app, self._app.observation
        if app.broken:
            return 503, "text/plain", f"The {app.name} deployment is out of order, on purpose.\n"
        if found.maintenance:
            return 503, "text/plain", f"The {app.name} deployment is in maintenance. The shop is back soon.\n"
        if not found.running:
            return 503, "text/plain", f"No instance of the {app.name} deployment runs.\n"
        if request.method not in (b"GET", b"HEAD"):
            return 405, "text/plain", "This page can only be read.\n"
        match request.target.partition(b"?")[0]:
            case b"/":
                return 200, "text/html", _PAGE.format(deployment=app.name, runs=observation_words(found))
            case b"/health":
                return 200, "text/plain", f"ok: the {app.name} deployment answers\n"
            case _:
                return 404, "text/plain", "There is nothing here; try / or /health.\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, with as many requests as the client sends."""
        await serve_http(self.response, reader, writer)


@asynccontextmanager
async def serving(
    deployments: dict[str, LabDeployment], tls: ssl.SSLContext, preferred: int | None
) -> AsyncIterator[int]:
    """Serves each deployment at its address, all at one port, and gives that: `preferred` where it is free."""
    port, sockets = bound_sockets([Place(address) for address in deployments], preferred)
    async with contextlib.AsyncExitStack() as stack:
        for deployment, bound in zip(deployments.values(), sockets, strict=True):
            await stack.enter_async_context(connections(bound, deployment.serve, tls))
        yield port
