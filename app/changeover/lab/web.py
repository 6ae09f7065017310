"""The practice ground's two web deployments: small HTTPS servers that say who they are, and can be broken."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import h11

from changeover.lab.listening import Place, bound_sockets, connections

MARKER_HEADER = "X-Deployment"
#: A connection on which nothing arrives is closed after this many seconds.
IDLE_TIMEOUT = 30.0
_READ = 16 * 1024

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
<p>This page comes from the <strong>{deployment}</strong> deployment.</p>
<p>Nothing is sold here and nothing can be lost: break it, switch it, and bring it back as often as you like.</p>
</html>
"""


class LabDeployment:
    """One web deployment. It answers 503 to everything while the file `broken` exists."""

    def __init__(self, name: str, broken: Path) -> None:
        self.name = name
        self._broken = broken

    def response(self, request: h11.Request) -> tuple[int, str, str]:
        """Status, content type and body."""
        if self._broken.exists():
            return 503, "text/plain", f"The {self.name} deployment is out of order, on purpose.\n"
        if request.method not in (b"GET", b"HEAD"):
            return 405, "text/plain", "This page can only be read.\n"
        match request.target.partition(b"?")[0]:
            case b"/":
                return 200, "text/html", _PAGE.format(deployment=self.name)
            case b"/health":
                return 200, "text/plain", f"ok: the {self.name} deployment answers\n"
            case _:
                return 404, "text/plain", "There is nothing here; try / or /health.\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, with as many requests as the client sends."""
        http = h11.Connection(h11.SERVER)
        with contextlib.suppress(TimeoutError, h11.RemoteProtocolError):
            while True:
                async with asyncio.timeout(IDLE_TIMEOUT):
                    request = await _read_request(http, reader)
                    if request is None:
                        return
                    writer.write(self._answer(http, request))
                    await writer.drain()
                if http.our_state is h11.MUST_CLOSE:
                    return
                http.start_next_cycle()

    def _answer(self, http: h11.Connection, request: h11.Request) -> bytes:
        status, kind, text = self.response(request)
        body = text.encode()
        headers = [
            (MARKER_HEADER, self.name),
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        phrase = HTTPStatus(status).phrase.encode()
        head = http.send(h11.Response(status_code=status, headers=headers, reason=phrase)) or b""
        content = b"" if request.method == b"HEAD" else http.send(h11.Data(data=body)) or b""
        return head + content + (http.send(h11.EndOfMessage()) or b"")


async def _read_request(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The next request, its body read and forgotten; None where the client is done."""
    request: h11.Request | None = None
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.EndOfMessage):
            return request
        elif isinstance(event, h11.ConnectionClosed):
            return None


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
