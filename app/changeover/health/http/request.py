"""One HTTP request over a connection of its own: to a given address, with the public hostname as Host and SNI.

h11 on a `Wire`. Redirects are not followed, the body is read up to 64 KiB, the certificate is verified for the public
hostname, and each phase has its limit and its time. Whatever the net does is told in words, never raised.
"""

from __future__ import annotations

import asyncio
import errno
import math
import re
import ssl
from datetime import UTC, datetime

import h11
from msgspec import Struct

from changeover.health.http import certificate
from changeover.health.http.connection import Wire, shown_certificate, tls_context
from changeover.model.health.certificate import Certificate, why_refused
from changeover.model.health.check import Expectations, HealthCheck
from changeover.model.health.conditions import MAX_BODY, Response, enough
from changeover.model.health.probe_result import Cause, Phases

_NO_ROUTE = {errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}

#: Where h11's words for a fault go on with the bytes that came, which may be many, and private.
_QUOTED = re.compile(r""":? (?:bytearray\()?b['"]""")


class Request(Struct, frozen=True, kw_only=True):
    """What is asked. Host, User-Agent, Accept, Connection and Content-Length are added where `headers` have none."""

    method: str = "GET"
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Exchange(Struct, frozen=True, kw_only=True):
    """What a request gave: a response, or the reason why there is none, and what that suggests.

    `ok` is None where this computer could not try it, and True where a connection was made and nothing else asked.
    """

    phases: Phases
    response: Response | None = None
    ok: bool | None = True
    reason: str = ""
    cause: Cause | None = None
    certificate: Certificate | None = None
    certificate_error: str | None = None


class _Progress:
    """How far an exchange has come: what it waits for, until when, and when each finished phase was done."""

    def __init__(self, check: HealthCheck) -> None:
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._whole = check.timeout
        self.limit = asyncio.timeout(None)
        self.waiting_for = ""
        self._within = check.timeout
        self.seconds: dict[str, float] = {}
        self.certificate: Certificate | None = None

    def wait_for(self, what: str, seconds: float) -> None:
        """From now on `what` is awaited, for `seconds` at most and never beyond the limit of the whole."""
        until = self._loop.time() - self._started + seconds
        self._within = seconds if until < self._whole else self._whole
        self.limit.reschedule(self._started + min(until, self._whole))
        self.waiting_for = what

    def reached(self, phase: str) -> None:
        self.seconds[phase] = self._loop.time() - self._started

    @property
    def left(self) -> float:
        return max(0.0, self._started + self._whole - self._loop.time())

    @property
    def too_late(self) -> str:
        return f"no {self.waiting_for} within {self._within:g} s"

    def failed(self, reason: str, cause: Cause | None = None, ok: bool | None = False) -> Exchange:
        """There is no response. Without a connection the address is at fault, else what was asked there."""
        if ok is False and cause is None:
            cause = Cause.ADDRESS if self.waiting_for in ("connection", "TLS handshake") else Cause.PATH
        return Exchange(phases=self.phases, ok=ok, reason=reason, cause=cause, certificate=self.certificate)

    @property
    def phases(self) -> Phases:
        return Phases(**self.seconds)


async def exchange(
    hostname: str, address: str, check: HealthCheck, request: Request | None, wanted: Expectations | None = None
) -> Exchange:
    """Asks `address` for `hostname`, at the port and within the limits of `check`; None only opens a connection.

    A long body is not read further than `wanted` looks at. Never raises for what the net does.
    """
    progress = _Progress(check)
    try:
        async with progress.limit:
            with Wire(address) as wire:
                response = await _attempt(wire, progress, hostname, check, request, wanted)
    except TimeoutError:
        return progress.failed(progress.too_late)
    except ssl.SSLCertVerificationError as error:
        return await _refused(progress, hostname, address, check, error.verify_message or str(error))
    except ssl.SSLError as error:
        return _tls_failed(progress, hostname, (error.reason or str(error)).replace("_", " ").lower())
    except OSError as error:
        if error.errno in _NO_ROUTE:
            return progress.failed("not checked: this computer has no route to that address", ok=None)
        if isinstance(error, ConnectionRefusedError):
            return progress.failed("connection refused")
        said = (error.strerror or str(error)).lower() or "the connection was closed"
        return progress.failed(f"no {progress.waiting_for}: {said}")
    except (h11.RemoteProtocolError, EOFError) as error:
        return progress.failed(f"not a valid HTTP response: {_QUOTED.split(str(error))[0]}")
    except h11.LocalProtocolError:  # its own words may hold what was to be sent
        return progress.failed("not sent: the path or a header holds characters that HTTP does not allow", ok=None)
    return Exchange(phases=progress.phases, response=response, certificate=progress.certificate)


async def _attempt(
    wire: Wire,
    progress: _Progress,
    hostname: str,
    check: HealthCheck,
    request: Request | None,
    wanted: Expectations | None,
) -> Response | None:
    progress.wait_for("connection", check.connect_timeout)
    await wire.connect(check.tcp_port)
    progress.reached("connect")
    if request is None:
        progress.reached("total")
        return None
    if check.scheme == "https":
        progress.wait_for("TLS handshake", check.tls_timeout)
        tls = await wire.secure(tls_context(check.ca_file), hostname)
        progress.reached("tls")
        progress.certificate = certificate.verified(tls.getpeercert() or {})
    progress.wait_for("response", check.first_byte_timeout)
    usual = 443 if check.scheme == "https" else 80
    host = hostname if check.tcp_port == usual else f"{hostname}:{check.tcp_port}"
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_BODY)
    await wire.send(_written(http, request, host))
    head, body, cut = await _read(wire, http, progress, wanted)
    progress.reached("total")
    return Response(head.status_code, tuple(head.headers), body, progress.seconds["total"], cut)


def _written(http: h11.Connection, request: Request, host: str) -> bytes:
    """The bytes of a request."""
    usual = [("Host", host), ("User-Agent", "Changeover"), ("Accept", "*/*"), ("Connection", "close")]
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        usual.append(("Content-Length", str(len(request.body))))
    own = {name.lower() for name, _ in request.headers}
    headers = [*((name, value) for name, value in usual if name.lower() not in own), *request.headers]
    parts = [http.send(h11.Request(method=request.method, target=request.path, headers=headers))]
    if request.body:
        parts.append(http.send(h11.Data(data=request.body)))
    parts.append(http.send(h11.EndOfMessage()))
    return b"".join(part for part in parts if part)


async def _read(
    wire: Wire, http: h11.Connection, progress: _Progress, wanted: Expectations | None
) -> tuple[h11.Response, bytes, bool]:
    """The head of the response, its body as far as it is needed, and whether there was more of it than is read."""
    head: h11.Response | None = None
    body = b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            received = await wire.receive()
            if not received and head is None and not http.trailing_data[0]:
                raise EOFError("the connection was closed without one")
            if "first_byte" not in progress.seconds:
                progress.reached("first_byte")
                progress.wait_for("whole response", math.inf)
            http.receive_data(received)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        if head is None:
            continue
        cut = len(body) > MAX_BODY
        if cut or isinstance(event, h11.EndOfMessage) or (wanted is not None and enough(wanted, body)):
            return head, body[:MAX_BODY], cut


def _tls_failed(progress: _Progress, hostname: str, said: str) -> Exchange:
    """A server without a certificate for a name may also end the handshake (RFC 6066, section 3), or just refuse it."""
    if "unrecognized name" in said:
        return progress.failed(f"TLS failed: the server has no certificate for {hostname}", Cause.CERTIFICATE)
    if "alert handshake failure" in said:
        said = f"the server refuses the handshake; it may have no certificate for {hostname}"
    return progress.failed(f"TLS failed: {said}")


async def _refused(progress: _Progress, hostname: str, address: str, check: HealthCheck, said: str) -> Exchange:
    """Why a certificate was refused: it is looked at again, over a connection that carries nothing else."""
    seen: Certificate | None = None
    try:
        async with asyncio.timeout(min(progress.left, check.connect_timeout + check.tls_timeout)):
            der = await shown_certificate(address, check.tcp_port, hostname)
    except TimeoutError:
        der = None
    if der is not None:
        seen = certificate.refused(der, hostname, said)
    why = why_refused(seen, hostname, datetime.now(UTC), said)
    return Exchange(
        phases=progress.phases,
        ok=False,
        reason=f"certificate refused: {why}",
        cause=Cause.CERTIFICATE,
        certificate=seen,
        certificate_error=why,
    )
