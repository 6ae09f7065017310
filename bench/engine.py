"""From "go" to proven at every authoritative server: a run of the engine against one `nsupdate` batch per server.

With one account the zone is on BIND; with two, on BIND and on PowerDNS, and the run changes and proves both. Ours
compares by prerequisites, keeps its journal, reads everything back and then asks every name server for every name;
nsupdate deletes and adds the same records, one server after the other, and compares and proves nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import dns.message
import dns.query
from bind_batches import no_deeds, no_journeys, no_platform
from figures import Figure

from changeover.dns.lookup.client import Lookup
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.model.dns.change import Change, ZoneAt
from changeover.model.dns.records import record_set
from changeover.model.runs.plan import CheckNameServers, plan_of
from changeover.model.runs.run import Run, Started, StepState
from changeover.model.secret import Secret
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Service
from changeover.storage.journal.journal import Journal
from changeover.switchover.runner import Runner
from dns_servers.bind import Bind
from dns_servers.powerdns import PowerDns

SIZES = (1, 10, 100, 1000)
#: Proving asks each server for each name again, and a journal is written: what that may cost beside the bare updates.
AIM = 2.0
ZONE = "shop.example"
HERE, THERE = "192.0.2.10", "192.0.2.20"
#: So many names go into one message of nsupdate; more do not fit.
_AT_ONCE = 500

Servers = Mapping[str, Bind | PowerDns]


def measure(rounds: int, sizes: Sequence[int] = SIZES) -> list[Figure]:
    return [_measure(size, accounts, rounds) for accounts in (1, 2) for size in sizes]


def _measure(size: int, accounts: int, rounds: int) -> Figure:
    names = [f"www{number}.{ZONE}" for number in range(size)]
    records = "".join(f"{name}. 60 A {HERE}\n" for name in names)
    # Each is a primary of its own, with a serial of its own.
    texts = [
        f"@ SOA {ns} hostmaster 1 3600 600 86400 60\n@ NS {ns}\n{ns} A 127.0.0.1\n{records}" for ns in ("ns1", "ns2")
    ]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers: dict[str, Bind | PowerDns] = {"bind": stack.enter_context(Bind(Path(folder), ZONE, texts[0]))}
        if accounts == 2:
            servers["powerdns"] = stack.enter_context(PowerDns(Path(folder), ZONE, texts[1]))
        for number in range(rounds + 1):  # the first round warms up, and does not count
            ours += [_by_engine(servers, names, Path(folder) / f"{number}.db")]
            _expect(servers, names, THERE)
            _by_nsupdate(servers, names, THERE, HERE, Path(folder))
            theirs += [_by_nsupdate(servers, names, HERE, THERE, Path(folder))]
            _expect(servers, names, THERE)
            _by_nsupdate(servers, names, THERE, HERE, Path(folder))
    at = "at BIND" if accounts == 1 else "at BIND and PowerDNS"
    what = f"{size} record set{'s' * (size > 1)} {at}: from “go” to proven at every name server"
    return Figure(what=what, peer="nsupdate", ours=tuple(ours[1:]), theirs=tuple(theirs[1:]), aim=AIM)


def _by_engine(servers: Servers, names: Sequence[str], journal: Path) -> float:
    providers = {
        account: Rfc2136(account, Rfc2136Options(server=server.server, key_name=server.key_name), Secret(server.secret))
        for account, server in servers.items()
    }
    changes = [_change(account, name) for account in servers for name in names]
    capabilities = {account: provider.capabilities for account, provider in providers.items()}
    # These are none of the service's deployments: nobody visits addresses that are only written about.
    plan = plan_of("shop", "here", "there", changes, capabilities, datetime.now(UTC))
    proof = next(number for number, step in enumerate(plan.steps) if isinstance(step, CheckNameServers))
    deployments = (Deployment(name="primary", answer=Answer(a=(HERE,))), Deployment(name="backup", answer=Answer()))
    zones = tuple(ZoneAt(account=account, zone=ZONE) for account in servers)
    service = Service(name="shop", hostnames=tuple(names), dns=zones, deployments=deployments)
    name_servers = {ZONE: tuple(server.server for server in servers.values())}
    stop = asyncio.Event()
    ended = 0.0

    def progress(run: Run) -> None:
        nonlocal ended
        if run.steps[proof].state is StepState.DONE and not stop.is_set():
            ended = time.perf_counter()
            stop.set()

    async def run() -> float:
        with contextlib.closing(Journal(journal)) as opened:
            runner = Runner(
                service,
                opened,
                providers,
                Lookup(LookupSettings(resolvers=(), nameservers=name_servers, doh=())),
                on_progress=progress,
                stop=stop,
                verify_timeout=10,
                walk=no_journeys,
                act=no_deeds,
                before=no_platform,
            )
            began = time.perf_counter()
            result = await runner.start(Started(plan=plan))
            assert stop.is_set(), result
            return ended - began

    return asyncio.run(run())


def _by_nsupdate(servers: Servers, names: Sequence[str], old: str, new: str, folder: Path) -> float:
    """One server after the other; the scripts are written beforehand."""
    key = folder / "key"
    scripts = {}
    for account, server in servers.items():
        key.write_text(f'key "{server.key_name}" {{ algorithm hmac-sha256; secret "{server.secret}"; }};\n')
        lines = [f"server 127.0.0.1 {server.port}", f"zone {ZONE}"]
        for number, name in enumerate(names):
            lines += ["send"] if number and number % _AT_ONCE == 0 else []
            lines += [f"update delete {name}. A {old}", f"update add {name}. 60 A {new}"]
        scripts[account] = folder / f"{account}.txt"
        scripts[account].write_text("\n".join([*lines, "send", ""]))
    began = time.perf_counter()
    for script in scripts.values():
        subprocess.run(["nsupdate", "-v", "-k", key, script], check=True, timeout=60)
    return time.perf_counter() - began


def _expect(servers: Servers, names: Sequence[str], value: str) -> None:
    for server in servers.values():
        for name in (names[0], names[-1]):
            answer = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=server.port, timeout=5)
            assert value in answer.to_text(), answer


def _change(account: str, name: str) -> Change:
    return Change(
        account=account,
        zone=ZONE,
        name=name,
        before=(record_set(name, "A", 60, [HERE]),),
        after=(record_set(name, "A", 60, [THERE]),),
    )
