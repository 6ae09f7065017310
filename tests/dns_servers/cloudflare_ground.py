"""Cloudflare for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from changeover.dns.provider import Provider
from changeover.dns.providers.cloudflare import Cloudflare, Options
from changeover.model.records import ADDRESS_TYPES
from changeover.model.secret import Secret
from dns_servers.cloudflare_simulator import READ_ONLY, CloudflareSimulator
from dns_servers.ground import TOKEN, ZONE, ZONE_NAME


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
        return Cloudflare("dns-main", Options(self.simulator.endpoint), Secret(secret or self.secret), timeout)

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
