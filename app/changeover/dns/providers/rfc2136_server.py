"""One DNS server that takes dynamic updates: questions and updates on their way to it, signed, and what it says.

Every address of the server is tried. Where it signs its answers, questions are signed as well (RFC 8945).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.tsig

from changeover.dns.provider import Applied, Indeterminate, PreconditionFailed, Result
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.dns.wire.answer import WireAnswer, answer_to, question_wire
from changeover.dns.wire.exchange import Server, Unfinished, connect, exchange, read_message
from changeover.dns.wire.signature import Signer
from changeover.dns.wire.update_message import UpdateMessage
from changeover.model.dns.server_address import is_address, parse_server
from changeover.model.errors import AuthError, NotFound, PermissionDenied, ProviderError, Rejected, Unavailable
from changeover.model.secret import Secret

TIMEOUT = 10.0
#: Types that a server must answer for. Many fail at others, HTTPS among them; prerequisites compare those all the same.
ESSENTIAL = ("A", "AAAA", "CNAME", "NS", "SOA", "TXT")
#: Stands for an answer that did not come, or was not asked for.
SILENT = WireAnswer(dns.rcode.SERVFAIL, False, False, ())
#: Stands for one that came, and whose records cannot be read.
UNREADABLE = WireAnswer(dns.rcode.FORMERR, False, False, ())

#: By name and type.
Answers = dict[tuple[str, str], WireAnswer]


class UpdateServer:
    """The server of one account. Errors are those of changeover.model.errors."""

    def __init__(self, account: str, options: Rfc2136Options, secret: Secret | None, timeout: float) -> None:
        self._account = account
        self._options = options
        self._secret = secret
        self._timeout = timeout
        self._good: Server | None = None
        self._signing: bool | None = None

    @property
    def label(self) -> str:
        """As the settings name it."""
        return self._options.server

    async def ask(self, asked: Sequence[tuple[str, str]]) -> Answers:
        """The answers to all of this, from the first of the server's addresses that answers."""
        if not asked:
            return {}
        failed: list[Unavailable] = []
        for server in await self._servers():
            try:
                answers = await self._ask_at(server, asked)
            except Unavailable as error:
                failed.append(error)
            else:
                self._good = server
                return answers
        raise _none_of(failed)

    async def _ask_at(self, server: Server, asked: Sequence[tuple[str, str]]) -> Answers:
        key = self.key() if await self._signs(server, asked[:1]) else None
        try:
            return await self._exchanged(server, asked, key)
        except dns.tsig.PeerError as error:
            raise _tsig_error(server, error) from None
        except dns.exception.DNSException as error:
            raise Unavailable(f"{server} sent an answer that cannot be read: {error}", "Try again.") from None

    async def _exchanged(self, server: Server, asked: Sequence[tuple[str, str]], key: dns.tsig.Key | None) -> Answers:
        """What was answered; what no switch depends on may be missing. Raises DNSException too."""
        ordered = sorted(asked, key=lambda q: q[1] not in ESSENTIAL)
        queries: Sequence[bytes] = [question_wire(*q) for q in ordered]
        macs: Sequence[bytes] = []
        signer = Signer(key) if key is not None else None
        if signer is not None:
            queries, macs = zip(*(signer.signed(query) for query in queries), strict=True)
        wires: Sequence[bytes | None]
        try:
            wires = await exchange(server, queries, self._timeout)
        except Unfinished as error:
            if any(w is None and rtype in ESSENTIAL for w, (_, rtype) in zip(error.answers, ordered, strict=True)):
                raise
            wires = error.answers
        if signer is not None:
            checked = [w and signer.without_signature(w, mac) for w, mac in zip(wires, macs, strict=True)]
            if any(w is not None and read is None for w, read in zip(wires, checked, strict=True)):
                raise AuthError(
                    f"{server} does not sign its answers to signed questions",
                    'Check key_name, algorithm and secret against the server\'s, or set sign_queries = "off".',
                )
            wires = checked
        return {q: _read(wire, *q) for q, wire in zip(ordered, wires, strict=True)}

    async def _signs(self, server: Server, asked: Sequence[tuple[str, str]]) -> bool:
        """Are questions to be signed? Where nobody said, the server's answer to the first one decides."""
        key = self.key()
        if key is None or self._options.sign_queries == "off":
            return False
        if self._signing is None and self._options.sign_queries == "auto":
            try:
                await self._exchanged(server, asked, key)
            except (dns.exception.DNSException, AuthError):  # it refuses the key, or knows of no signed questions
                self._signing = False
            else:
                self._signing = True
        return self._signing is not False

    async def send(self, zone: str, update: UpdateMessage) -> Result:
        """What becomes of one update, which is sent once. PreconditionFailed has no words: the server gives none."""
        key = self.key()
        wire, mac = update.wire()
        server, reader, writer = await self._connected()
        try:
            async with asyncio.timeout(self._timeout):
                writer.write(len(wire).to_bytes(2, "big") + wire)
                received = await read_message(reader)
        except TimeoutError:
            return Indeterminate(f"{server} took the update but did not answer within {self._timeout:g} s")
        except OSError as error:
            return Indeterminate(f"the connection to {server} broke: {error.strerror or error}")
        finally:
            writer.close()
        if received is None:
            return Indeterminate(f"{server} closed the connection without an answer")
        try:
            answer = dns.message.from_wire(received, keyring=key, request_mac=mac)
        except dns.tsig.PeerError as error:
            if self._signing and isinstance(error, dns.tsig.PeerBadKey):  # so Knot says that a key may not
                raise self._refusal(server, zone, dns.rcode.NOTAUTH) from None
            raise _tsig_error(server, error) from None
        except dns.exception.DNSException as error:
            if _unsigned_refusal(received, update.id):
                if self._signing:  # it knows the key, since it signed its answers to questions
                    raise self._refusal(server, zone, dns.rcode.Rcode(received[3] & 15)) from None
                raise AuthError(
                    f"{server} refuses the signature, or {self._options.key_name} may not change {zone}",
                    "Check key_name, algorithm and secret against the server's, and that this key may update the zone.",
                ) from None
            return Indeterminate(f"the answer of {server} could not be read: {error}")
        if answer.id != update.id or not answer.flags & dns.flags.QR or (key is not None and not answer.had_tsig):
            return Indeterminate(f"the answer of {server} is not signed, or not to this update")
        return self._result(server, zone, answer.rcode())

    async def _connected(self) -> tuple[Server, asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the first of the server's addresses that takes one."""
        failed: list[Unavailable] = []
        for server in await self._servers():
            try:
                async with asyncio.timeout(self._timeout):
                    return server, *await connect(server)
            except TimeoutError:
                failed.append(Unavailable(f"{server} did not accept a connection within {self._timeout:g} s"))
            except Unavailable as error:
                failed.append(error)
        raise _none_of(failed)

    def _result(self, server: Server, zone: str, rcode: dns.rcode.Rcode) -> Result:
        if rcode == dns.rcode.NOERROR:
            return Applied()
        if rcode in (dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN, dns.rcode.NXRRSET, dns.rcode.YXRRSET):
            return PreconditionFailed(())
        if rcode == dns.rcode.SERVFAIL:
            return Indeterminate(f"{server} answered SERVFAIL")
        raise self._refusal(server, zone, rcode)

    async def _servers(self) -> list[Server]:
        """Every address of the server, the one that answered last first."""
        host, port = parse_server(self._options.server)
        if is_address(host):
            return [Server(host, port)]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                found = await loop.getaddrinfo(host, port, type=1)
        except OSError as error:
            why = error.strerror or "no answer in time"
            raise Unavailable(f"The name of the DNS server {host} cannot be resolved: {why}") from None
        servers = dict.fromkeys(Server(str(address[0]), port) for *_, address in found)
        return sorted(servers, key=lambda server: server != self._good)

    def key(self) -> dns.tsig.Key | None:
        """What messages are signed with; AuthError where the secret cannot be one."""
        if self._options.key_name is None or self._secret is None:
            return None
        try:
            return dns.tsig.Key(
                # As the canonical form has it: a MAC is made over that (RFC 8945, 4.3.3), and PowerDNS looks for it.
                self._options.key_name.lower(),
                self._secret.reveal(),
                self._options.algorithm_name,
            )
        except ValueError:
            raise AuthError(
                f"The secret of account {self._account} is no TSIG key: it is not base64",
                f"Add it again: changeover account add {self._account} … --replace",
            ) from None

    def refuse_errors(self, zone: str, answers: Answers, asked: Iterable[tuple[str, str]]) -> None:
        """Raises what the server says instead of an answer that is needed. Beside a CNAME there is no other."""
        for name, rtype in asked:
            answer = answers[(name, rtype)]
            alias = any(r.type == "CNAME" for r in answers.get((name, "CNAME"), SILENT).records)
            if rtype in ESSENTIAL and not answer.good and not alias:
                raise self._refusal(self._options.server, zone, answer.rcode)

    def _refusal(self, server: object, zone: str, rcode: dns.rcode.Rcode) -> ProviderError:
        said = f"{server} answers {dns.rcode.to_text(rcode)} for zone {zone}"
        if rcode in (dns.rcode.REFUSED, dns.rcode.NOTAUTH):  # Knot says NOTAUTH to a key that may not
            key = self._options.key_name or "unsigned updates"
            hint = f"Allow {key} to update this zone on the server (BIND: update-policy, Knot: acl)."
            return PermissionDenied(said, hint if rcode == dns.rcode.REFUSED else f"{hint} It must be its primary.")
        if rcode == dns.rcode.NOTZONE:
            return NotFound(said, "Check the zone's name, and that this server is its primary.")
        if rcode == dns.rcode.SERVFAIL:
            return Unavailable(said, "Look into the server's log.")
        if rcode == dns.rcode.NOTIMP:
            return Rejected(
                said, "It takes no dynamic updates, as NSD does not: name the server that it has zones from."
            )
        return Rejected(said, "Look into the server's log for what it did not like.")


def _read(wire: bytes | None, name: str, rtype: str) -> WireAnswer:
    """An answer; raises DNSException where one that is needed cannot be read. The others are as if they had not come:
    dnspython refuses records that a server let in."""
    try:
        return answer_to(wire, name) if wire is not None else SILENT
    except dns.exception.DNSException:
        if rtype in ESSENTIAL:
            raise
        return UNREADABLE


def _none_of(failed: Sequence[Unavailable]) -> Unavailable:
    """Why none of a server's addresses answers."""
    if len(failed) == 1:
        return failed[0]
    return Unavailable("; ".join(error.text for error in failed), failed[0].hint)


def _unsigned_refusal(wire: bytes, asked: int) -> bool:
    """Is this a refusal without any signature? What is said to a wrong one cannot be signed (RFC 8945, 5.2); most
    servers add the reason as a TSIG error, PowerDNS does not."""
    header = wire[:2] == asked.to_bytes(2, "big") and len(wire) >= 12 and bool(wire[2] & 0x80)
    return header and wire[10:12] == b"\0\0" and wire[3] & 15 in (dns.rcode.REFUSED, dns.rcode.NOTAUTH)


def _tsig_error(server: Server, error: dns.tsig.PeerError) -> AuthError:
    if isinstance(error, dns.tsig.PeerBadTime):
        return AuthError(
            f"{server} refuses the signature: its clock and this computer's are more than 5 minutes apart",
            "Set both clocks by NTP; this computer's time is the one that you see on its screen.",
        )
    if isinstance(error, dns.tsig.PeerBadKey):
        return AuthError(f"{server} does not know this TSIG key", "Check key_name and algorithm against the server's.")
    return AuthError(f"{server} refuses the signature", "The secret is not the server's: add the account again.")
