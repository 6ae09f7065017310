"""The keys of an account at a DNS server that takes dynamic updates."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Struct

from changeover.model.settings.account_fields import Option

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
