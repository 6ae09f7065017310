"""`changeover switch` as a whole command against `octodns-sync --doit`, for the same two hostnames on the same BIND.

One hostname changes from a CNAME to an address and back, the other from one pair of addresses to one address. The two
programs take turns, each in both directions, and start from where the other one left the zone. Updates are unsigned,
which both programs can do on loopback, so that no keyring takes part. Changeover also checks both deployments before
the switch, all name servers after it, and the service itself over HTTPS as a visitor; octodns-sync does not. Once it
does so alone, and probes twice with a pause; once while another process watches the home, as the window does.

Both run as they are installed: their modules are compiled, and the guard that keeps tests from the machine's resolvers
is left out, since it loads dnspython; all addresses are those of loopback servers.
"""

from __future__ import annotations

import asyncio
import compileall
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from figures import Figure

from changeover.storage.history.history import History
from shop import Shop

AIM = 1.5
ROOT = Path(__file__).resolve().parent.parent
#: Seconds between two rounds of the watch: its evidence counts for twice as long.
WATCHED_EVERY = 30

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
    compileall.compile_dir(str(ROOT / "app"), quiet=1)
    with tempfile.TemporaryDirectory() as folder, Shop(Path(folder)) as shop:
        configs = {to: _octodns_config(Path(folder), to, shop.bind.port) for to in _WANTED}
        what = "2 hostnames, the whole command (ours checks deployments, name servers and visitors too)"
        alone = _in_turns(shop, configs, rounds, what)
        settings = shop.home.settings_file
        settings.write_text(settings.read_text().replace("interval = 1\n", f"interval = {WATCHED_EVERY}\n"))
        with _watching(shop):
            beside = _in_turns(shop, configs, rounds, "the same beside a watch, whose evidence spares the second probe")
    return [alone, beside]


def _in_turns(shop: Shop, configs: dict[str, Path], rounds: int, what: str) -> Figure:
    ours, theirs = [], []
    for number in range(2 * rounds + 2):  # the first turn of each warms up, and does not count
        first, second = ("backup", "primary") if number % 2 else ("primary", "backup")
        if number == 0:
            _octodns(shop, configs, second)
        ours.append(_changeover(shop, first))
        theirs.append(_octodns(shop, configs, second))
        if number % 2 == 0:  # the other direction for both: now ours goes where theirs went
            _octodns(shop, configs, first)
    return Figure(what=what, peer="octodns-sync", ours=tuple(ours[2:]), theirs=tuple(theirs[2:]), aim=AIM)


@contextmanager
def _watching(shop: Shop) -> Iterator[None]:
    """A process that watches the shop, from when its history has a round of each deployment."""
    program = Path(sys.executable).with_name("changeover")
    arguments = [str(program), "status", "shop", "--watch"]
    with subprocess.Popen(arguments, env=_environment(shop), stdout=subprocess.DEVNULL) as watch:
        try:
            while asyncio.run(_rounds(shop)) < len(_WANTED):
                time.sleep(0.5)
            yield
        finally:
            watch.terminate()


async def _rounds(shop: Shop) -> int:
    history = History(shop.home.database)
    now = datetime.now(UTC)
    try:
        return len(await history.newest_rounds("shop", now - timedelta(seconds=WATCHED_EVERY), now))
    finally:
        await history.aclose()


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


def _environment(shop: Shop) -> dict[str, str]:
    left_out = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    return {key: value for key, value in {**os.environ, **shop.environment}.items() if key not in left_out}


def _timed(shop: Shop, to: str, arguments: list[str]) -> float:
    began = time.perf_counter()
    ended = subprocess.run(arguments, env=_environment(shop), capture_output=True, text=True, timeout=120, check=False)
    seconds = time.perf_counter() - began
    assert ended.returncode == 0, f"{arguments}\n{ended.stdout}\n{ended.stderr}"
    values = {"primary": "CNAME edge-primary.shop.example.", "backup": "A 127.0.0.3"}
    assert shop.at("www.shop.example") == {f"www.shop.example. 60 {values[to]}"}, shop.at("www.shop.example")
    return seconds
