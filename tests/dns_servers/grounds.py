"""Each provider with a server behind it, in the one form that the tests of the providers' promises use.

A ground is a provider, a zone that it can change, and ways to look at that zone and to alter it behind the provider's
back. Every ground starts with the same zone, ZONE.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol, Self

from changeover.dns.provider import Provider
from changeover.dns.providers.cloudflare import Cloudflare
from changeover.dns.providers.cloudflare import Options as CloudflareOptions
from changeover.dns.providers.desec import Desec
from changeover.dns.providers.desec import Options as DesecOptions
from changeover.dns.providers.powerdns import Options as PowerDnsOptions
from changeover.dns.providers.powerdns import PowerDns as PowerDnsProvider
from changeover.dns.providers.rfc2136 import Options as Rfc2136Options
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.model.records import ADDRESS_TYPES
from changeover.model.secret import Secret
from dns_servers.bind import SECRET, Bind
from dns_servers.cloudflare_simulator import READ_ONLY, CloudflareSimulator
from dns_servers.desec_simulator import DesecSimulator
from dns_servers.http_simulator import HttpSimulator
from dns_servers.powerdns import PowerDns
from dns_servers.powerdns_relay import PowerDnsRelay
from dns_servers.relay import Relay

ZONE_NAME = "shop.example"
#: name, TTL, type, value, as in a zone file
ZONE = (
    ("shop.example", 60, "A", "192.0.2.10"),
    ("shop.example", 60, "AAAA", "2001:db8::10"),
    ("shop.example", 3600, "MX", "10 mail.shop.example."),
    ("shop.example", 300, "TXT", '"v=spf1 -all"'),
    ("www.shop.example", 60, "CNAME", "primary.example.net."),
    ("api.shop.example", 120, "A", "192.0.2.20"),
    ("api.shop.example", 120, "A", "192.0.2.21"),
    ("api.shop.example", 120, "AAAA", "2001:db8::20"),
    ("h3.shop.example", 300, "A", "192.0.2.30"),
    ("h3.shop.example", 300, "HTTPS", '1 . alpn="h3,h2" ipv4hint="192.0.2.30"'),
    ("mail.shop.example", 3600, "A", "192.0.2.25"),
    ("note.shop.example", 300, "TXT", '"only a text"'),
    ("*.apps.shop.example", 60, "A", "192.0.2.40"),
)
TOKEN = "canary-8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7"[:40].ljust(40, "0")
WRONG_TOKEN = "wrong-".ljust(40, "1")
#: base64 as SECRET is, but of another text
WRONG_SECRET = "d3Jvbmd3cm9uZ3dyb25nd3Jvbmd3cm9uZ3dyb25nMTI="


class Ground(Protocol):
    """What the tests need of a provider and of what is behind it."""

    provider: Provider
    #: the text that must never show up anywhere
    secret: str

    def open(self, *, secret: str | None = None, timeout: float = 5.0) -> Provider:
        """The provider once more, with another secret or a shorter time-out."""
        ...

    def records(self) -> frozenset[str]:
        """The whole zone, a line of text for each record."""
        ...

    def beside(self, *names: str) -> frozenset[str]:
        """The whole zone without the address records of `names`."""
        ...

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None: ...

    def remove(self, name: str, rtype: str) -> None: ...

    def forbid_writing(self) -> None:
        """From now on the credential may read only."""
        ...

    def stop(self) -> None:
        """Nobody listens any more."""
        ...

    def fall_silent(self, what: Literal["everything", "updates"]) -> None:
        """From now on no answer comes."""
        ...

    def lose(self, what: Literal["update", "answer"]) -> None:
        """The next write does not arrive, or is made and its answer is lost."""
        ...

    def before_write(self, hook: Callable[[], None]) -> None:
        """Calls `hook` between the provider's last reading and its write."""
        ...


class BindGround:
    """RFC 2136 on BIND, through a relay."""

    secret = SECRET
    server: type[Bind] | type[PowerDns] = Bind

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        text = "@ 3600 SOA ns1 hostmaster 1 3600 600 86400 60\n@ 3600 NS ns1\nns1 3600 A 127.0.0.1\n"
        text += "".join(f"{name}. {ttl} {rtype} {self.written(rtype, value)}\n" for name, ttl, rtype, value in ZONE)
        self.bind = self._stack.enter_context(self.server(self._folder, ZONE_NAME, text))
        self.relay = self._stack.enter_context(Relay(self.bind.port))
        self.provider: Provider = self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def written(self, rtype: str, value: str) -> str:
        """A value as the server itself would write it into its zone."""
        return value

    def open(self, *, secret: str | None = None, timeout: float = 5.0) -> Provider:
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


class PowerDnsGround(BindGround):
    """RFC 2136 on PowerDNS, through a relay."""

    server = PowerDns

    def written(self, rtype: str, value: str) -> str:
        """PowerDNS compares the parameters of an HTTPS record as text, and writes them without quotation marks."""
        return value.replace('"', "") if rtype == "HTTPS" else value


class CloudflareGround:
    """Cloudflare, simulated."""

    secret = TOKEN

    def __init__(self, folder: Path) -> None:
        self.simulator = CloudflareSimulator([ZONE_NAME, "other.example"], token=TOKEN)
        for name, ttl, rtype, value in ZONE:
            self.add(name, ttl, rtype, value)

    def __enter__(self) -> Self:
        self.simulator.__enter__()
        self.provider: Provider = self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.simulator.stop()

    def open(self, *, secret: str | None = None, timeout: float = 5.0) -> Provider:
        return Cloudflare(
            "dns-main", CloudflareOptions(self.simulator.endpoint), Secret(secret or self.secret), timeout
        )

    def records(self) -> frozenset[str]:
        return self.simulator.records(ZONE_NAME)

    def beside(self, *names: str) -> frozenset[str]:
        return frozenset(
            line
            for line in self.records()
            if not any(f'"name": "{name}"' in line for name in names)
            or not any(f'"type": "{rtype}"' in line for rtype in ADDRESS_TYPES)
        )

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        record: dict[str, object] = {"name": name, "ttl": ttl, "type": rtype, "content": value}
        if rtype == "MX":
            priority, content = value.split()
            record |= {"priority": int(priority), "content": content}
        if rtype == "HTTPS":
            priority, target, parameters = value.split(maxsplit=2)
            record |= {"data": {"priority": int(priority), "target": target, "value": parameters}}
        self.simulator.add(ZONE_NAME, **record)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, name, rtype)

    def forbid_writing(self) -> None:
        self.simulator.zone(ZONE_NAME).permissions = list(READ_ONLY)

    def stop(self) -> None:
        self.simulator.stop()

    def fall_silent(self, what: Literal["everything", "updates"]) -> None:
        self.simulator.misbehave("hang", times=20, writes_only=what == "updates")

    def lose(self, what: Literal["update", "answer"]) -> None:
        self.simulator.misbehave("drop-before" if what == "update" else "drop-after", writes_only=True)

    def before_write(self, hook: Callable[[], None]) -> None:
        self.simulator.before_batch = lambda _: hook()


class HttpGround:
    """A provider that speaks HTTP, with a simulator or a relay before whatever is behind it."""

    secret = TOKEN
    behind: HttpSimulator

    def __enter__(self) -> Self:
        self.behind.__enter__()
        self.provider: Provider = self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.behind.stop()

    def open(self, *, secret: str | None = None, timeout: float = 5.0) -> Provider:
        raise NotImplementedError

    def records(self) -> frozenset[str]:
        raise NotImplementedError

    def beside(self, *names: str) -> frozenset[str]:
        return frozenset(
            line
            for line in self.records()
            if not any(f'"name": "{name}."' in line for name in names)
            or not any(f'"type": "{rtype}"' in line for rtype in ADDRESS_TYPES)
        )

    def stop(self) -> None:
        self.behind.stop()

    def fall_silent(self, what: Literal["everything", "updates"]) -> None:
        self.behind.misbehave("hang", times=20, writes_only=what == "updates")

    def lose(self, what: Literal["update", "answer"]) -> None:
        self.behind.misbehave("drop-before" if what == "update" else "drop-after", writes_only=True)

    def before_write(self, hook: Callable[[], None]) -> None:
        self.behind.before_write = hook


#: Why a provider that replaces whole record sets does not take part in these.
WHOLE_SETS = {
    "test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch": (
        "whole record sets are replaced: what vanished in the last instant is written as planned, never half of it"
    ),
    "test_a_text_is_created_replaced_and_removed": "it says itself that it keeps no leases",
    "test_of_two_at_the_same_moment_not_both_are_made": "it says itself that it keeps no leases",
}


class PowerDnsApiGround(HttpGround):
    """PowerDNS by its HTTP API, through a relay."""

    left_out = WHOLE_SETS

    def __init__(self, folder: Path) -> None:
        text = "@ 3600 SOA ns1 hostmaster 1 3600 600 86400 60\n@ 3600 NS ns1\nns1 3600 A 127.0.0.1\n"
        text += "".join(f"{name}. {ttl} {rtype} {value}\n" for name, ttl, rtype, value in ZONE)
        self.relay = PowerDnsRelay(folder, ZONE_NAME, text, TOKEN)
        self.behind = self.relay

    def open(self, *, secret: str | None = None, timeout: float = 5.0) -> Provider:
        return PowerDnsProvider(
            "dns-main", PowerDnsOptions(self.relay.endpoint), Secret(secret or self.secret), timeout
        )

    def records(self) -> frozenset[str]:
        return self.relay.records()

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.relay.server.change(add=[f"{name}. {ttl} {rtype} {value}"])

    def remove(self, name: str, rtype: str) -> None:
        self.relay.server.change(delete=[f"{name}. {rtype}"])

    def forbid_writing(self) -> None:
        self.relay.ask("PUT", f"/zones/{ZONE_NAME}.", {"kind": "Slave", "masters": ["192.0.2.53"]})


class DesecGround(HttpGround):
    """deSEC, simulated, with a least TTL of a minute as its support grants it."""

    left_out = WHOLE_SETS | {
        "TestCredentials::test_a_credential_that_may_write_is_verified_without_a_change": (
            "a deSEC token cannot see what it may write; test_desec has what it can see"
        ),
        "TestCredentials::test_a_credential_that_may_not_write": (
            "a deSEC token cannot see what it may write; test_desec has the refusal of the write"
        ),
    }

    def __init__(self, folder: Path) -> None:
        self.simulator = DesecSimulator([ZONE_NAME, "other.example"], TOKEN, minimum_ttl=60)
        self.behind = self.simulator
        for name, ttl, rtype, value in ZONE:
            self.add(name, ttl, rtype, value)

    def open(self, *, secret: str | None = None, timeout: float = 5.0) -> Provider:
        options = DesecOptions(self.simulator.endpoint, minimum_ttl=60)
        return Desec("dns-main", options, Secret(secret or self.secret), timeout)

    def records(self) -> frozenset[str]:
        return self.simulator.records(ZONE_NAME)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.simulator.add(ZONE_NAME, self._subname(name), rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, self._subname(name), rtype)

    def forbid_writing(self) -> None:
        self.simulator.domains[ZONE_NAME].may_write = False

    @staticmethod
    def _subname(name: str) -> str:
        return name.lower().removesuffix(ZONE_NAME).rstrip(".")


#: Every provider, by the name that the settings file uses, and what it runs on. A new one adds its ground here.
GROUNDS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Ground]]] = {
    "rfc2136": BindGround,
    "rfc2136 on PowerDNS": PowerDnsGround,
    "cloudflare": CloudflareGround,
    "powerdns": PowerDnsApiGround,
    "desec": DesecGround,
}
