"""RFC 2136 on BIND, Knot and PowerDNS, for the promises that every provider makes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from changeover.dns.provider import Provider
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.model.dns.records import ADDRESS_TYPES
from changeover.model.secret import Secret
from dns_servers.authoritative import SECRET
from dns_servers.bind import Bind
from dns_servers.ground import ZONE_NAME, zone_file
from dns_servers.knot import Knot
from dns_servers.powerdns import PowerDns
from dns_servers.relay import Relay


class BindGround:
    """RFC 2136 on BIND, through a relay."""

    native = True
    secret = SECRET
    server: type[Bind] | type[Knot] | type[PowerDns] = Bind

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.bind = self._stack.enter_context(self.server(self._folder, ZONE_NAME, zone_file(self.written)))
        self.relay = self._stack.enter_context(Relay(self.bind.port))
        self.provider: Provider = self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def written(self, rtype: str, value: str) -> str:
        """A value as the server itself would write it into its zone."""
        return value

    def open(self, *, secret: str | None = None, timeout: float = 30.0) -> Provider:
        options = Rfc2136Options(server=f"127.0.0.1:{self.relay.port}", key_name=self.bind.key_name)
        return Rfc2136("dns-main", options, Secret(secret or self.secret), timeout)

    def records(self) -> frozenset[str]:
        return self.bind.records()

    def beside(self, *names: str) -> frozenset[str]:
        return frozenset(
            line
            for line in self.records()
            if line.split()[0].rstrip(".") not in names or line.split()[2] not in ADDRESS_TYPES
        )

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.bind.change(add=[f"{name}. {ttl} {rtype} {value}"])

    def remove(self, name: str, rtype: str) -> None:
        self.bind.change(delete=[f"{name}. {rtype}"])

    def forbid_writing(self) -> None:
        read_only = self._stack.enter_context(self.server(self._folder, ZONE_NAME, update=False))
        self.relay = self._stack.enter_context(Relay(read_only.port))
        self.provider = self.open()

    def stop(self) -> None:
        self.relay.stop()

    def fall_silent(self, what: Literal["everything", "updates"]) -> None:
        self.relay.silence = what

    def lose(self, what: Literal["update", "answer"]) -> None:
        self.relay.lose = what

    def before_write(self, hook: Callable[[], None]) -> None:
        self.relay.before_update = hook


class KnotGround(BindGround):
    """RFC 2136 on Knot, through a relay."""

    server = Knot


class PowerDnsGround(BindGround):
    """RFC 2136 on PowerDNS, through a relay."""

    server = PowerDns

    def written(self, rtype: str, value: str) -> str:
        """PowerDNS compares the parameters of an HTTPS record as text, and writes them without quotation marks."""
        return value.replace('"', "") if rtype == "HTTPS" else value
