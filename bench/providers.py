"""A switch of 1, 2 and 20 hostnames at each provider with an HTTP API, on its simulator with 100 ms of latency.

Changeover reads the names, compares and writes, and reads them back, in one process. octoDNS lists the zone and applies
a plan; dns-lexicon updates one record after the other. Neither compares before it writes, nor looks afterwards. Their
own clients are used as they are; what they send to a provider's address is sent to the simulator instead, and nothing
goes anywhere else. Requests are counted by the simulator.

    python bench/providers.py [NAME]…
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figures import Figure

from changeover.dns.provider import Applied
from changeover.model.dns.batches import batches
from changeover.model.dns.change import Change
from changeover.model.dns.records import address_set, record_set
from dns_servers.ground import ZONE_NAME, HttpGround
from dns_servers.grounds import HTTP_GROUNDS

LATENCY = 0.1
COUNTS = (1, 2, 20)
TTL = 3600
#: From one deployment to the other and back.
PRIMARY, BACKUP = "192.0.2.1", "198.51.100.1"
#: Ours asks twice more than it must to write: right before, and after. Many hostnames should make up for that.
AIM = 2.0

#: The address that a program's client asks, by provider. The simulator takes its place.
ADDRESSES = {
    "cloudflare": "https://api.cloudflare.com/client/v4",
    "digitalocean": "https://api.digitalocean.com/v2",
    "dnsimple": "https://api.dnsimple.com/v2",
    "vultr": "https://api.vultr.com/v2",
}
ActionStep = Callable[[list[str], str], None]


def measure(rounds: int, wanted: list[str] | None = None) -> list[Figure]:
    """Ours beside each program that has the provider. What has none is printed alone, measured twice at most."""
    logging.disable(logging.ERROR)
    rounds = min(rounds, 2)  # a hundred requests of a tenth of a second each vary little
    figures = []
    for name in wanted or [name for name in HTTP_GROUNDS if " " not in name]:
        with tempfile.TemporaryDirectory() as folder, HTTP_GROUNDS[name](Path(folder)) as ground:
            names = [f"n{number}.{ZONE_NAME}" for number in range(max(COUNTS))]
            for one in names:
                ground.add(one, TTL, "A", PRIMARY)
            ground.behind.latency = LATENCY
            for count in COUNTS:
                figures += _compared(name, ground, names[:count], rounds)
    return figures


def _compared(name: str, ground: HttpGround, names: list[str], rounds: int) -> Iterator[Figure]:
    ours = _timed(ground, lambda to: asyncio.run(_changeover(ground, names, to)), rounds)
    what = f"{name}, {len(names)} {'hostname' if len(names) == 1 else 'hostnames'}"
    print(f"{what}: Changeover {ours[1]} requests, {min(ours[0]):.2f} s", file=sys.stderr)
    for peer, act in _peers(name, ground).items():
        theirs = _timed(ground, lambda to, act=act: act(names, to), rounds)
        print(f"{what}: {peer} {theirs[1]} requests, {min(theirs[0]):.2f} s", file=sys.stderr)
        told = f"{what}: {ours[1]} requests against {theirs[1]}"
        yield Figure(what=told, peer=peer, ours=tuple(ours[0]), theirs=tuple(theirs[0]), aim=AIM)


def _timed(ground: HttpGround, act: Callable[[str], None], rounds: int) -> tuple[list[float], int]:
    """Seconds of each round there and back, and the requests of one switch."""
    seconds, requests = [], 0
    for number in range(2 * rounds):
        asked = len(ground.behind.requests)
        began = time.perf_counter()
        act(PRIMARY if number % 2 else BACKUP)
        seconds.append(time.perf_counter() - began)
        requests = len(ground.behind.requests) - asked
    return seconds, requests


async def _changeover(ground: HttpGround, names: list[str], to: str) -> None:
    provider = ground.open(timeout=60)
    there = (await provider.read(ZONE_NAME, names)).records
    changes = []
    for name in names:
        before = address_set(there[name])
        after = provider.normalize(ZONE_NAME, before, (record_set(name, "A", TTL, [to]),))
        changes.append(Change(account="dns-main", zone=ZONE_NAME, name=name, before=before, after=after))
    for batch in batches(changes, {"dns-main": provider.capabilities}):
        if await provider.apply(ZONE_NAME, batch) != Applied():
            raise RuntimeError(f"{names} were not changed")
        await provider.read_back(ZONE_NAME, batch)
    await provider.aclose()


def _peers(name: str, ground: HttpGround) -> dict[str, ActionStep]:
    secret, endpoint = ground.secret, str(ground.options()["endpoint"])
    host, _, port = ground.behind.address.removeprefix("http://").partition(":")
    octodns: dict[str, tuple[str, dict[str, Any]]] = {
        "cloudflare": ("octodns_cloudflare.CloudflareProvider", {"token": secret, "pagerules": False}),
        "digitalocean": ("octodns_digitalocean.DigitalOceanProvider", {"token": secret}),
        "powerdns": ("octodns_powerdns.PowerDnsProvider", {"host": host, "port": int(port), "api_key": secret}),
    }
    lexicon: dict[str, dict[str, str]] = {
        "cloudflare": {"auth_token": secret},
        "digitalocean": {"auth_token": secret},
        "powerdns": {"auth_token": secret, "pdns_server": ground.behind.address},
        "vultr": {"auth_token": secret},
    }
    found: dict[str, ActionStep] = {}
    if name in octodns:
        kind, arguments = octodns[name]
        found["octoDNS"] = lambda names, to: _octodns(kind, arguments, names, to)
    if name in lexicon:
        found["dns-lexicon"] = lambda names, to: _lexicon(name, lexicon[name], names, to)
    return {peer: _sent_to(ADDRESSES.get(name), endpoint, act) for peer, act in found.items()}


def _octodns(kind: str, arguments: dict[str, Any], names: list[str], to: str) -> None:
    import importlib

    from octodns.record import Record
    from octodns.zone import Zone

    module, _, made = kind.partition(".")
    provider = getattr(importlib.import_module(module), made)("bench", **arguments)
    zone = Zone(f"{ZONE_NAME}.", [])
    provider.populate(zone, target=True, lenient=True)
    desired = Zone(f"{ZONE_NAME}.", [])
    changed = {name.removesuffix(f".{ZONE_NAME}") for name in names}
    for record in zone.records:
        if record._type not in provider.SUPPORTS:
            continue
        if record.name in changed:
            record = Record.new(desired, record.name, {"type": "A", "ttl": TTL, "value": to})
        desired.add_record(record, lenient=True)
    plan = provider.plan(desired)
    if plan is None or len(plan.changes) != len(names):
        raise RuntimeError(f"octoDNS plans {plan and plan.changes}")
    provider.apply(plan)


def _lexicon(name: str, auth: dict[str, str], names: list[str], to: str) -> None:
    import importlib

    from lexicon.config import ConfigResolver

    # Not by lexicon.client, which looks the zone up at the resolvers of this computer first.
    made = importlib.import_module(f"lexicon._private.providers.{name}").Provider
    for one in names:
        action = {"action": "update", "type": "A", "name": one, "content": to, "ttl": TTL}
        provider = made(ConfigResolver().with_dict({"provider_name": name, "domain": ZONE_NAME, **action, name: auth}))
        provider.authenticate()
        (record,) = provider.list_records("A", one)
        if not provider.update_record(record["id"], "A", one, to):
            raise RuntimeError(f"dns-lexicon did not change {one}")


def _sent_to(address: str | None, endpoint: str, act: ActionStep) -> ActionStep:
    def redirected(names: list[str], to: str) -> None:
        with _only_to(address, endpoint):
            act(names, to)

    return redirected


@contextmanager
def _only_to(address: str | None, endpoint: str) -> Iterator[None]:
    """What `requests` would send to `address` is sent to `endpoint`; anything else but loopback is an error."""
    import requests

    send = requests.adapters.HTTPAdapter.send

    def here(self: Any, request: Any, *arguments: Any, **more: Any) -> Any:
        if address is not None and request.url.startswith(address):
            rest = request.url.removeprefix(address)
            request.url = rest if rest.startswith(endpoint) else endpoint + rest  # the next page's address is whole
        if not request.url.startswith("http://127.0.0.1:"):
            raise RuntimeError(f"{request.url} is not here")
        return send(self, request, *arguments, **more)

    requests.adapters.HTTPAdapter.send = here  # type: ignore[method-assign]
    try:
        yield
    finally:
        requests.adapters.HTTPAdapter.send = send  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    measure(2, sys.argv[1:])
