"""An account at a DNS server that takes dynamic updates: what it declares, apart from what needs dnspython."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from msgspec import Struct

from changeover.dns.provider import is_this_computer
from changeover.model.dns.server_address import parse_server
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField, misfits

if TYPE_CHECKING:
    from changeover.dns.providers.rfc2136 import Rfc2136

Algorithm = Literal["hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha1", "hmac-sha224", "hmac-md5.sig-alg.reg.int"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)


class Rfc2136Options(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    server: Annotated[
        str, Option("Server", "the primary name server, which takes updates, as host or host:port", "ns1.shop.example")
    ]
    key_name: Annotated[
        str | None,
        Option("Key name", "the name of the TSIG key; only a server on this computer is used without", "changeover."),
    ] = None
    algorithm: Annotated[Algorithm, Option("Algorithm", "the algorithm of the TSIG key")] = "hmac-sha256"


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
    tested = "BIND 9.18 and PowerDNS 4.7"
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
    def open(account: str, options: Rfc2136Options, secrets: Mapping[str, Secret]) -> Rfc2136:
        from changeover.dns.providers.rfc2136 import Rfc2136

        return Rfc2136(account, options, secrets.get("secret"))


PROVIDER = _Type
