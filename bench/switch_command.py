"""`changeover switch` as a whole command against `octodns-sync --doit`, for the same two hostnames on the same BIND.

One hostname changes from a CNAME to an address and back, the other from one pair of addresses to one address. The two
programs take turns, each in both directions, and start from where the other one left the zone. Updates are unsigned,
which both programs can do on loopback, so that no keyring takes part. Changeover also checks both deployments before
the switch, all name servers after it, and the service itself over HTTPS as a visitor; octodns-sync does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import Figure

from shop import Shop

AIM = 1 / 3

_CONFIG = """\
manager: {{max_workers: 1}}
providers:
  wanted: {{class: octodns.provider.yaml.YamlProvider, directory: {folder}, default_ttl: 60, enforce_order: false}}
  bind: {{class: octodns_bind.Rfc2136Provider, host: 127.0.0.1, port: {port}}}
zones:
  shop.example.: {{sources: [wanted], targets: [bind]}}
"""
_BESIDE = """\
  - {type: MX, value: {exchange: mail.shop.example., preference: 10}}
  - {type: TXT, value: v=spf1 -all}
  - {type: CAA, value: {flags: 0, tag: issue, value: ca.example}}
  - {type: NS, value: ns1.shop.example.}
ns1: {type: A, value: 127.0.0.1}
mail: {type: A, value: 192.0.2.25}
edge-primary: {type: A, value: 127.0.0.2}
other: {type: TXT, value: leave me alone}
"""
_WANTED = {
    "primary": """\
'':
  - {type: A, value: 127.0.0.2}
  - {type: AAAA, value: '::1'}
"""
    + _BESIDE
    + "www: {type: CNAME, value: edge-primary.shop.example.}\n",
    "backup": """\
'':
  - {type: A, value: 127.0.0.3}
"""
    + _BESIDE
    + "www: {type: A, value: 127.0.0.3}\n",
}


def measure(rounds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, Shop(Path(folder)) as shop:
        configs = {to: _octodns_config(Path(folder), to, shop.bind.port) for to in _WANTED}
        ours, theirs = [], []
        for number in range(2 * rounds + 2):  # the first turn of each warms up, and does not count
            first, second = ("backup", "primary") if number % 2 else ("primary", "backup")
            if number == 0:
                _octodns(shop, configs, second)
            ours.append(_changeover(shop, first))
            theirs.append(_octodns(shop, configs, second))
            if number % 2 == 0:  # the other direction for both: now ours goes where theirs went
                _octodns(shop, configs, first)
    what = "2 hostnames, the whole command (ours checks deployments, name servers and visitors too)"
    return [Figure(what=what, peer="octodns-sync", ours=tuple(ours[2:]), theirs=tuple(theirs[2:]), aim=AIM)]


def _octodns_config(folder: Path, to: str, port: int) -> Path:
    zone = folder / to / "shop.example.yaml"
    zone.parent.mkdir()
    zone.write_text(_WANTED[to])
    config = folder / f"{to}.yaml"
    config.write_text(_CONFIG.format(folder=zone.parent, port=port))
    return config


def _changeover(shop: Shop, to: str) -> float:
    program = Path(sys.executable).with_name("changeover")
    return _timed(shop, to, [str(program), "switch", "shop", "--to", to, "--yes"])


def _octodns(shop: Shop, configs: dict[str, Path], to: str) -> float:
    program = Path(sys.executable).with_name("octodns-sync")
    return _timed(shop, to, [str(program), "--config-file", str(configs[to]), "--doit", "--force", "--quiet"])


def _timed(shop: Shop, to: str, arguments: list[str]) -> float:
    began = time.perf_counter()
    ended = subprocess.run(
        arguments, env={**os.environ, **shop.environment}, capture_output=True, text=True, timeout=120, check=False
    )
    seconds = time.perf_counter() - began
    assert ended.returncode == 0, f"{arguments}\n{ended.stdout}\n{ended.stderr}"
    values = {"primary": "CNAME edge-primary.shop.example.", "backup": "A 127.0.0.3"}
    assert shop.at("www.shop.example") == {f"www.shop.example. 60 {values[to]}"}, shop.at("www.shop.example")
    return seconds
