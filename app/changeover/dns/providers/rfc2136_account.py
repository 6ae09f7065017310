"""Any DNS server that takes dynamic updates (RFC 2136), signed with TSIG (RFC 8945): BIND, Knot, PowerDNS and others.

One batch is one UPDATE message, which the server applies as a whole or not at all (RFC 2136, 3.7), and whose
prerequisites are a native compare-and-set: they name the value of every address record set that is expected, and the
absence of every address type that is not. Prerequisites ignore the TTL (RFC 2136, 2.4.2), so TTLs are read again right
before the update. What a server would silently ignore (a CNAME beside other records, RFC 2136, 3.4.2.2) is kept from
happening by prerequisites on the absence of everything else, and seen by the caller's reading afterwards. All that
gives way to a CNAME is deleted at once (RFC 2136, 2.5.3), which BIND, Knot and PowerDNS take in zones that are signed
and that are not (tried, every change of type).

The form is one that every server must take, since it uses nothing but what RFC 2136 makes it do: prerequisites before
updates and grouped by type, which may come in any order (3.2.5), record sets that exist by value (2.4.2) or do not
(2.4.3), updates in their order (3.4.2.7), and deletes before adds at each name. At the apex, where deleting all would
leave SOA and NS (3.4.2.3), no CNAME is ever put. No update depends on what a server does with a CNAME beside others.

Which servers take it: NSD takes no updates at all (github.com/NLnetLabs/nsd/issues/34) and is told as such by its
NOTIMP. Windows DNS lets a zone take all updates or only secure ones (MS-DNSP, 2.2.6.1.1), which are signed by GSS-TSIG
(RFC 3645); that is no shared key and not spoken here, and an unsigned update is sent to this computer only. So an
account for a Windows server is not to be had, and none was tried.

A text, and a guard, is compared in the same way: by all TXT records that stood beside it a moment before.

Reading is by direct queries for the given names; no zone transfer is needed. Questions are signed with the key where
the server signs its answers to them, so that of several views (BIND) the one is read that updates go to. A name that
the server has in another zone, below a delegation or below a DNAME, is refused. Every address of the server is tried.
"""

from __future__ import annotations

from collections.abc import Mapping

from changeover.dns.provider import Provider, is_this_computer
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.model.dns.server_address import parse_server
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import SecretField, misfits

_SECRET = SecretField(
    name="secret",
    label="TSIG secret",
    help="the text in quotes behind secret in the key's file, which tsig-keygen -a hmac-sha256 changeover. makes",
    link="https://bind9.readthedocs.io/en/stable/manpages.html#tsig-keygen-tsig-key-generation-tool",
    permission="may update the zone's records: update-policy { grant changeover. zonesub ANY; }; in BIND",
    pattern=r"(?=.)([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    example="c2VjcmV0IG9mIHRoZSB0c2lnIGtleSBjaGFuZ2VvdmU=",
)


class _Type:
    label = "BIND and other servers with dynamic updates (RFC 2136)"
    tested = "BIND 9.18, Knot 3.2 and PowerDNS 4.7"
    options = Rfc2136Options

    @staticmethod
    def secrets(options: Rfc2136Options) -> tuple[SecretField, ...]:
        if options.key_name is None:
            return ()
        return (_SECRET,)

    @staticmethod
    def faults(options: Rfc2136Options) -> list[tuple[str, str]]:
        found = misfits(options)
        try:
            host, _ = parse_server(options.server)
        except ValueError:
            found.append(("server", 'host or host:port, such as "ns1.shop.example" or "127.0.0.1:5301"'))
        else:
            if options.key_name is None and not is_this_computer(host):
                found.append(("key_name", "the name of a TSIG key; only a server on this computer is used unsigned"))
        return found

    @staticmethod
    def host(options: Rfc2136Options) -> str:
        return parse_server(options.server)[0]

    @staticmethod
    def open(account: str, options: Rfc2136Options, secrets: Mapping[str, Secret]) -> Provider:
        from changeover.dns.providers.rfc2136 import Rfc2136

        return Rfc2136(account, options, secrets.get("secret"))


PROVIDER = _Type
