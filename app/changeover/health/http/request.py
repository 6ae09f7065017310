"""One HTTP exchange over a connection of its own: at a given address, with the public hostname as Host and SNI.

h11 on a `Wire`. Redirects are never followed, certificates are verified, no proxy is used, cookies do not exist. Each
phase has its limit and its time; what is read is bounded in bytes and in time, and gives way to everything else that
this process does, whatever the other side sends. What the net does is told in words, never raised.
"""

from __future__ import annotations

import asyncio
import errno
import math
import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import SplitResult

import h11
from msgspec import Struct

from changeover.dns.wire.sockets import CHECKS
from changeover.health.http import certificate
from changeover.health.http.body import unpacked
from changeover.health.http.connection import Wire, shown_certificate
from changeover.health.http.head import tidied
from changeover.health.http.trust import UnusableFile, trusted
from changeover.model.health.certificate import Certificate, VerifyError, certificate_faults
from changeover.model.health.check import Expectations, HealthCheck
from changeover.model.health.conditions import MAX_BODY, Response, enough
from changeover.model.health.probe_result import Cause, Phases
from changeover.model.wording.fault_words import certificate_words

#: Bytes of everything before a response's body, interim responses (RFC 9110, 15.2) included.
MAX_HEAD = 32 * 1024
#: So many parts of a response are read at once, before others have their turn: less than a millisecond's work.
_AT_ONCE = 64
_NO_ROUTE = {errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
#: This computer, or this process, has no more sockets to give.
_USED_UP = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

#: What Python calls the alerts unrecognized_name and handshake_failure (RFC 8446, section 6.2).
_NO_SUCH_NAME = ("TLSV1_UNRECOGNIZED_NAME", "TLSV1_ALERT_UNRECOGNIZED_NAME")
_HANDSHAKE_REFUSED = ("SSLV3_ALERT_HANDSHAKE_FAILURE", "SSL/TLS_ALERT_HANDSHAKE_FAILURE")
#: Where h11's words for a fault go on with the bytes that came, which may be many, and private.
_QUOTED = re.compile(r""":? (?:bytearray\()?b['"]""")


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where a request goes: an address, and the hostname that is asked for there.

    `secure`: over TLS, believing the system's certificates and those of `ca_file`; `tls` stands in for both.
    """

    hostname: str
    address: str
    port: int
    secure: bool
    ca_file: str | None = None
    tls: ssl.SSLContext | None = None

    @property
    def host(self) -> str:
        """The Host header (RFC 9110, 7.2): without the usual port."""
        name = f"[{self.hostname}]" if ":" in self.hostname else self.hostname
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


class Request(Struct, frozen=True, kw_only=True):
    """What is asked. Host, User-Agent, Accept, Connection and Content-Length are added where `headers` have none."""

    method: str = "GET"
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Limits(Struct, frozen=True, kw_only=True):
    """How long an exchange may take, in seconds, whole and by phase, and how many bytes it may receive.

    A body is read up to 64 KiB, which may come in small chunks: so many bytes more than that are let through.
    """

    whole: float
    connect: float = math.inf
    tls: float = math.inf
    first_byte: float = math.inf
    received: int = 8 * MAX_BODY


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


def endpoint_of(
    url: SplitResult, address: str, ca_file: str | None = None, tls: ssl.SSLContext | None = None
) -> Endpoint:
    """The server of `url`, https, http or tcp, at one of its addresses."""
    port = url.port or (80 if url.scheme == "http" else 443)
    secure = url.scheme == "https"
    return Endpoint(hostname=url.hostname or "", address=address, port=port, secure=secure, ca_file=ca_file, tls=tls)


def path_of(url: SplitResult) -> str:
    """What a request asks for, from a whole address: its path and query."""
    return f"{url.path or '/'}{'?' + url.query if url.query else ''}"


def request_of(check: HealthCheck, path: str | None = None) -> Request:
    """What a check asks, at its own path or another."""
    return Request(path=check.path if path is None else path, headers=tuple(check.headers.items()))


async def checked(
    hostname: str, address: str, check: HealthCheck, request: Request | None, wanted: Expectations | None = None
) -> Exchange:
    """An exchange with `address` for `hostname`, at the port and within the limits of `check`.

    A long body is not read further than `wanted` looks at.
    """
    endpoint = Endpoint(
        hostname=hostname,
        address=address,
        port=check.tcp_port,
        secure=check.scheme == "https",
        ca_file=check.ca_file,
    )
    limits = Limits(
        whole=check.timeout,
        connect=check.connect_timeout,
        tls=check.tls_timeout,
        first_byte=check.first_byte_timeout,
    )
    async with CHECKS.one():
        return await exchange(endpoint, request, limits, None if wanted is None else lambda body: enough(wanted, body))


async def exchange(
    endpoint: Endpoint, request: Request | None, limits: Limits, suffices: Callable[[bytes], bool] | None = None
) -> Exchange:
    """Sends a request and reads its response, or only opens a connection where there is none. Never raises for the net.

    A body is read no further than to where `suffices`.
    """
    progress = _Progress(limits)
    try:
        async with progress.limit:
            with Wire(endpoint.address, limits.received) as wire:
                response = await _attempt(wire, progress, endpoint, request, limits, suffices)
    except TimeoutError:
        return progress.failed(progress.too_late)
    except UnusableFile as error:
        return progress.failed(str(error), ok=None)
    except ssl.SSLCertVerificationError as error:
        why = VerifyError(error.verify_code, error.verify_message or str(error))
        return await _refused(progress, endpoint, limits, why)
    except ssl.SSLError as error:
        return _tls_failed(progress, endpoint.hostname, error)
    except OSError as error:
        if error.errno in _USED_UP:
            return progress.failed("this computer has too many connections open", ok=None)
        if error.errno in _NO_ROUTE:
            return progress.failed("this computer has no route to that address", ok=None)
        if isinstance(error, ConnectionRefusedError):
            return progress.failed("connection refused")
        said = error.strerror or str(error) or "the connection was closed"
        return progress.failed(f"no {progress.waiting_for}: {said[0].lower()}{said[1:]}")
    except (h11.RemoteProtocolError, EOFError) as error:
        return progress.failed(f"not a valid HTTP response: {_QUOTED.split(str(error))[0]}")
    except h11.LocalProtocolError:  # its own words may hold what was to be sent
        return progress.failed("the path or a header holds characters that HTTP does not allow", ok=None)
    return Exchange(phases=progress.phases, response=response, certificate=progress.certificate)


class _Progress:
    """How far an exchange has come: what it waits for, until when, and when each finished phase was done."""

    def __init__(self, limits: Limits) -> None:
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._whole = limits.whole
        self.limit = asyncio.timeout(None)
        self.waiting_for = ""
        #: Did a connection stand, so that something was asked over it?
        self.asked = False
        self._within = limits.whole
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
            cause = Cause.PATH if self.asked else Cause.ADDRESS
        return Exchange(phases=self.phases, ok=ok, reason=reason, cause=cause, certificate=self.certificate)

    @property
    def phases(self) -> Phases:
        return Phases(**self.seconds)


async def _attempt(
    wire: Wire,
    progress: _Progress,
    endpoint: Endpoint,
    request: Request | None,
    limits: Limits,
    suffices: Callable[[bytes], bool] | None,
) -> Response | None:
    progress.wait_for("connection", limits.connect)
    await wire.connect(endpoint.port)
    progress.reached("connect")
    if request is None:
        progress.reached("total")
        return None
    if endpoint.secure:
        progress.wait_for("TLS handshake", limits.tls)
        tls = await wire.secure(endpoint.tls or trusted(endpoint.ca_file, endpoint.hostname), endpoint.hostname)
        certificate.check_hostname(tls, endpoint.hostname)
        progress.reached("tls")
        progress.certificate = certificate.verified(tls, endpoint.hostname)
    progress.asked = True
    progress.wait_for("response", limits.first_byte)
    asked, http = _asked(request, endpoint.host)
    await wire.send(asked)
    head, body, cut = await _read(wire, http, progress, suffices, lambda: _asked(request, endpoint.host)[1])
    headers, body, cut = unpacked(tuple(head.headers), body, MAX_BODY, cut=cut)
    progress.reached("total")
    return Response(head.status_code, headers, body, progress.seconds["total"], cut)


def _asked(request: Request, host: str) -> tuple[bytes, h11.Connection]:
    """The bytes of a request, and what reads the response to it."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    usual = [("Host", host), ("User-Agent", "Changeover"), ("Accept", "*/*"), ("Connection", "close")]
    usual.append(("Accept-Encoding", "identity"))
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        usual.append(("Content-Length", str(len(request.body))))
    own = {name.lower() for name, _ in request.headers}
    headers = [*((name, value) for name, value in usual if name.lower() not in own), *request.headers]
    written = [(_encoded(name), _encoded(value)) for name, value in headers]
    parts = [http.send(h11.Request(method=request.method, target=_encoded(request.path), headers=written))]
    if request.body:
        parts.append(http.send(h11.Data(data=request.body)))
    parts.append(http.send(h11.EndOfMessage()))
    return b"".join(part for part in parts if part), http


def _encoded(text: str) -> bytes:
    """As headers were written at first and are read here (RFC 9110, 5.5), and as UTF-8 where that has no such letter.

    So a value that came in a header goes out with the very bytes that it had.
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


async def _read(
    wire: Wire,
    http: h11.Connection,
    progress: _Progress,
    suffices: Callable[[bytes], bool] | None,
    anew: Callable[[], h11.Connection],
) -> tuple[h11.Response, bytes, bool]:
    """The head of the response, its body as far as it is needed, and whether there was more of it than is read.

    What h11 refuses before the body is put in order and read by one made `anew`.
    """
    tried: bytes | None = None
    head: h11.Response | None = None
    body = bytearray()
    raw = bytearray()
    parts = 0
    while True:
        parts += 1
        if parts % _AT_ONCE == 0:
            await asyncio.sleep(0)
        try:
            event = http.next_event()
        except h11.RemoteProtocolError:
            tidy = tidied(bytes(raw)) if head is None else None
            if tidy is None or tidy == tried:
                raise
            tried, http = tidy, anew()
            http.receive_data(tidy)
            continue
        if isinstance(event, h11.Response):
            head = event
            if any(name == b"content-encoding" for name, _ in head.headers):
                suffices = None
        elif isinstance(event, h11.Data):
            body += event.data
        read_all = event is h11.NEED_DATA
        if head is not None:
            cut = len(body) > MAX_BODY
            early = read_all and suffices is not None and suffices(bytes(body))
            if cut or early or isinstance(event, h11.EndOfMessage):
                return head, bytes(body[:MAX_BODY]), cut
        if not read_all:
            continue
        if head is None and len(raw) > MAX_HEAD:
            raise EOFError("what comes before its body is too long")
        received = await wire.receive()
        if head is None:
            raw += received
        if not received and head is None and not http.trailing_data[0]:
            raise EOFError("the connection was closed without one")
        if "first_byte" not in progress.seconds:
            progress.reached("first_byte")
            progress.wait_for("whole response", math.inf)
        http.receive_data(received)


def _tls_failed(progress: _Progress, hostname: str, error: ssl.SSLError) -> Exchange:
    """A server without a certificate for a name may also end the handshake (RFC 6066, section 3), or just refuse it."""
    if error.reason in _NO_SUCH_NAME:
        return progress.failed(f"TLS failed: the server has no certificate for {hostname}", Cause.CERTIFICATE)
    said = (error.reason or str(error)).replace("_", " ").lower()
    if error.reason in _HANDSHAKE_REFUSED:
        said = f"the server refuses the handshake; it may have no certificate for {hostname}"
    return progress.failed(f"TLS failed: {said}")


async def _refused(progress: _Progress, endpoint: Endpoint, limits: Limits, why: VerifyError) -> Exchange:
    """Why a certificate was refused: it is looked at again, over a connection that carries nothing else."""
    seen: Certificate | None = None
    try:
        async with asyncio.timeout(min(progress.left, limits.connect + limits.tls)):
            der = await shown_certificate(endpoint.address, endpoint.port, endpoint.hostname, limits.received)
    except TimeoutError:
        der = None
    if der is not None:
        seen = certificate.refused(der, endpoint.hostname, why.code)
    words = certificate_words(certificate_faults(seen, endpoint.hostname, datetime.now(UTC), why))
    return Exchange(
        phases=progress.phases,
        ok=False,
        reason=f"certificate refused: {words}",
        cause=Cause.CERTIFICATE,
        certificate=seen,
        certificate_error=words,
    )
