"""The keys of an account at a DNS server that takes dynamic updates."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from changeover.model.settings.account_fields import Option

#: The algorithms of RFC 8945 (6) that dnspython signs with.
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1", "hmac-md5.sig-alg.reg.int")


class Rfc2136Options(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    server: Annotated[
        str, Option("Server", "the primary name server, which takes updates, as host or host:port", "ns1.shop.example")
    ]
    key_name: Annotated[
        str | None,
        Option("Key name", "the name of the TSIG key; only a server on this computer is used without", "changeover."),
    ] = None
    algorithm: Annotated[
        str,
        Option(
            "Algorithm",
            "the algorithm of the TSIG key: hmac-sha256, hmac-sha384, hmac-sha512, hmac-sha224, hmac-sha1 or hmac-md5",
            "hmac-sha256",
            r"(?i)\s*hmac[-_](sha[-_]?(1|224|256|384|512)|md5(\.sig-alg\.reg\.int)?)\.?\s*",
        ),
    ] = "hmac-sha256"
    sign_queries: Annotated[
        Literal["auto", "on", "off"],
        Option(
            "Sign questions",
            "whether questions are signed as well, which matters where the key chooses the view (BIND); "
            "auto: where the server signs its answers to them",
        ),
    ] = "auto"

    @property
    def algorithm_name(self) -> str:
        """The algorithm as it stands in a message, however it was written."""
        name = self.algorithm.strip().lower().replace("_", "-").replace("sha-", "sha").removesuffix(".")
        return ALGORITHMS[-1] if name == "hmac-md5" else name
