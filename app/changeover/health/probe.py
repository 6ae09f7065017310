"""One honest health check: a new connection to a deployment's own address, with the public hostname as Host and SNI.

h11 on asyncio streams. Redirects are not followed, the body is read up to 64 KiB, the certificate is verified for the
public hostname, and each phase is timed.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import socket
import ssl
import time
from datetime import UTC, datetime

import h11

from changeover.model.check import HealthCheck
from changeover.model.health import Phases, ProbeResult
from changeover.model.service import Deployment
from changeover.model.status_ranges import expected

MAX_BODY = 64 * 1024
_NO_ROUTE = {errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


class _Phase:
    """Where a probe is, so that a time-out can say what did not happen, and how long the finished phases took."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.waiting_for = "connection"
        self.seconds: dict[str, float] = {}

    def reached(self, phase: str, waiting_for: str) -> None:
        self.seconds[phase] = time.monotonic() - self.started
        self.waiting_for = waiting_for

    def phases(self) -> Phases:
        return Phases(**self.seconds)


class _Response:
    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name: str) -> str | None:
        wanted = name.lower().encode("ascii")
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), None)


async def probe(deployment: Deployment, hostname: str, address: str, check: HealthCheck) -> ProbeResult:
    """Asks `address` for the service as visitors of `hostname` would get it. Never raises for what the net does."""
    at = datetime.now(UTC)
    phase = _Phase()
    certificate: dict[str, object] = {}

    def result(ok: bool | None, reason: str, **more: object) -> ProbeResult:
        expires = certificate.get("notAfter")
        return ProbeResult(
            deployment=deployment.name,
            hostname=hostname,
            address=address,
            at=at,
            ok=ok,
            reason=reason,
            certificate_expires=(
                datetime.fromtimestamp(ssl.cert_time_to_seconds(expires), UTC) if isinstance(expires, str) else None
            ),
            phases=phase.phases(),
            **more,  # type: ignore[arg-type]
        )

    try:
        async with asyncio.timeout(check.timeout):
            response = await _request(hostname, address, check, phase, certificate)
    except TimeoutError:
        return result(False, f"no {phase.waiting_for} within {check.timeout:g} s")
    except ssl.SSLCertVerificationError as error:
        said = error.verify_message or str(error)
        return result(False, f"certificate refused: {said}", certificate_error=said)
    except ssl.SSLError as error:
        return result(False, f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}")
    except OSError as error:
        if error.errno in _NO_ROUTE:
            return result(None, "not checked: this computer has no route to that address")
        if isinstance(error, ConnectionRefusedError):
            return result(False, "connection refused")
        said = (error.strerror or str(error)).lower() or "the connection was closed"
        return result(False, f"no {phase.waiting_for}: {said}")
    except (h11.RemoteProtocolError, EOFError) as error:
        return result(False, f"not a valid HTTP response: {error}")
    phase.reached("total", "")
    marker = deployment.marker
    seen = response.header(marker.header) if marker else None
    ok, reason = _judge(response, check, phase.seconds["total"])
    return result(
        ok, reason, status=response.status, marker_ok=seen == marker.value if marker else None, marker_seen=seen
    )


def _judge(response: _Response, check: HealthCheck, seconds: float) -> tuple[bool, str]:
    if not expected(response.status, check.expect_status):
        return False, f"{response.status}, expected {check.expect_status}"
    if check.expect_body is not None and check.expect_body.encode() not in response.body:
        return False, f'{response.status}, but the text "{check.expect_body}" is missing'
    return True, f"{response.status} in {round(seconds * 1000)} ms"


async def _request(
    hostname: str, address: str, check: HealthCheck, phase: _Phase, certificate: dict[str, object]
) -> _Response:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(connection, (address, check.tcp_port))
        secure = check.scheme == "https"
        phase.reached("connect", "TLS handshake" if secure else "response")
        context = tls_context(check.ca_file) if secure else None
        reader, writer = await asyncio.open_connection(
            sock=connection, ssl=context, server_hostname=hostname if secure else None, limit=MAX_BODY
        )
        try:
            if secure:
                certificate.update(writer.get_extra_info("ssl_object").getpeercert())
                phase.reached("tls", "response")
            return await _exchange(reader, writer, hostname, check, phase)
        finally:
            writer.transport.abort()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hostname: str, check: HealthCheck, phase: _Phase
) -> _Response:
    usual = 443 if check.scheme == "https" else 80
    host = hostname if check.tcp_port == usual else f"{hostname}:{check.tcp_port}"
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_BODY)
    headers = [("Host", host), ("User-Agent", "Changeover"), ("Accept", "*/*"), ("Connection", "close")]
    writer.write(http.send(h11.Request(method="GET", target=check.path, headers=headers)) or b"")
    writer.write(http.send(h11.EndOfMessage()) or b"")
    head: h11.Response | None = None
    body = b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            received = await reader.read(MAX_BODY)
            if not received and head is None and not http.trailing_data[0]:
                raise EOFError("the connection was closed without one")
            if "first_byte" not in phase.seconds:
                phase.reached("first_byte", "whole response")
            http.receive_data(received)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        if head is not None and _enough(event, body, check):
            return _Response(head.status_code, list(head.headers), body)


def _enough(event: object, body: bytes, check: HealthCheck) -> bool:
    """Is all there that the check looks at? A long body is not read to its end."""
    if isinstance(event, h11.EndOfMessage) or len(body) >= MAX_BODY:
        return True
    return check.expect_body is not None and check.expect_body.encode() in body


@functools.cache
def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """The system's certificates, and those of `ca_file` beside them."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
