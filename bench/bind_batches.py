"""Changing many hostnames of one zone on BIND: a running Changeover against one `nsupdate` batch as a whole process.

Ours is timed from "go" until the server gives the new records, with everything that makes it safe: TTLs read again,
every address set compared by prerequisites, all records read back; and once more through the runner, with its journal.
nsupdate deletes and adds the same records in one message, and compares and verifies nothing.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dns.message
import dns.query
from figures import Figure

from changeover.dns.lookup.client import Lookup
from changeover.dns.provider import Applied
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.model.dns.batches import batches
from changeover.model.dns.change import Change, ZoneAt
from changeover.model.dns.records import record_set
from changeover.model.health.check import JourneyResult
from changeover.model.runs.plan import ActionStep, Plan, plan_of
from changeover.model.runs.run import Run, Started, StepState
from changeover.model.runs.verification import Verdict
from changeover.model.secret import Secret
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Service
from changeover.storage.journal.journal import Journal
from changeover.switchover.runner import Runner
from dns_servers.bind import Bind

SIZES = (1, 10, 100, 500)
AIM = 1.5
ZONE = "shop.example"
HERE, THERE = "192.0.2.10", "192.0.2.20"


def measure(rounds: int, sizes: Sequence[int] = SIZES) -> list[Figure]:
    return [figure for size in sizes for figure in _measure(size, rounds)]


def _measure(size: int, rounds: int) -> list[Figure]:
    names = [f"www{number}.{ZONE}" for number in range(size)]
    text = "".join(f"{name}. 60 A {HERE}\n" for name in names)
    with tempfile.TemporaryDirectory() as folder:
        zone = f"@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n{text}"
        with Bind(Path(folder), ZONE, zone) as bind:
            taken: dict[str, list[float]] = {"provider": [], "runner": [], "nsupdate": []}
            for number in range(rounds + 1):  # the first round warms up, and does not count
                for way, seconds in _round(bind, names, Path(folder) / f"{number}").items():
                    taken[way] += [seconds] if number else []
    which = f"{size} hostname{'s' * (size > 1)}"
    ways = {
        "provider": f"{which}: compare, change, read back",
        "runner": f"{which}: the same as a run's step, with its journal",
    }
    return [
        Figure(
            what=what,
            peer="nsupdate",
            ours=tuple(taken[way]),
            theirs=tuple(taken["nsupdate"]),
            aim=AIM,
        )
        for way, what in ways.items()
    ]


def _round(bind: Bind, names: Sequence[str], folder: Path) -> dict[str, float]:
    """Each way once, there and back so that each does the same."""
    folder.mkdir()
    found = {}
    for way, change in (("provider", _by_provider), ("nsupdate", _by_nsupdate), ("runner", _by_runner)):
        found[way] = change(bind, names, HERE, THERE, folder)
        _expect(bind, names, THERE)
        _by_nsupdate(bind, names, THERE, HERE, folder)
    return found


def _by_provider(bind: Bind, names: Sequence[str], old: str, new: str, folder: Path) -> float:
    provider = _provider(bind)
    parts = list(batches(_changes(names, old, new), {"dns-main": provider.capabilities}))

    async def change() -> float:
        began = time.perf_counter()
        for part in parts:
            result = await provider.apply(ZONE, part)
            assert isinstance(result, Applied), result
            live = await provider.read_back(ZONE, part)
            assert all(live[c.name] == c.after for c in part)
        return time.perf_counter() - began

    return asyncio.run(change())


def _by_runner(bind: Bind, names: Sequence[str], old: str, new: str, folder: Path) -> float:
    """From `start` until the journal has it that the last batch is made."""
    provider = _provider(bind)
    changes = _changes(names, old, new)
    plan = plan_of("shop", "primary", "backup", changes, {"dns-main": provider.capabilities}, datetime.now(UTC))
    return asyncio.run(_run(plan, provider, names, folder))


async def no_journeys(deployment: Deployment, address: str) -> tuple[JourneyResult, ...]:
    return ()


async def no_deeds(step: ActionStep, run: Run, stop: asyncio.Event) -> Verdict:
    raise AssertionError("there is nothing to do but DNS")


async def no_platform(step: ActionStep) -> None:
    raise AssertionError("there is nothing to do but DNS")


async def _run(plan: Plan, provider: Rfc2136, names: Sequence[str], folder: Path) -> float:
    began = ended = time.perf_counter()
    stop = asyncio.Event()
    last = len(plan.steps) - 3

    def progress(run: Run) -> None:
        nonlocal ended
        if run.steps[last].state is StepState.DONE and not stop.is_set():
            ended = time.perf_counter()
            stop.set()

    deployments = (Deployment(name="primary", answer=Answer(a=(HERE,))), Deployment(name="backup", answer=Answer()))
    zones = (ZoneAt(account="dns-main", zone=ZONE),)
    service = Service(name="shop", hostnames=tuple(names), dns=zones, deployments=deployments)
    journal = Journal(folder / "changeover.db")
    providers = {"dns-main": provider}
    lookup = Lookup(LookupSettings(resolvers=(), doh=()))
    runner = Runner(
        service,
        journal,
        providers,
        lookup,
        on_progress=progress,
        stop=stop,
        verify_timeout=0,
        walk=no_journeys,
        act=no_deeds,
        before=no_platform,
    )
    run = await runner.start(Started(plan=plan))
    journal.close()
    assert stop.is_set(), run
    return ended - began


def _by_nsupdate(bind: Bind, names: Sequence[str], old: str, new: str, folder: Path) -> float:
    key, script = folder / "key", folder / "batch"
    key.write_text(f'key "{bind.key_name}" {{ algorithm hmac-sha256; secret "{bind.secret}"; }};\n')
    lines = [f"server 127.0.0.1 {bind.port}", f"zone {ZONE}"]
    for name in names:
        lines += [f"update delete {name}. A", f"update add {name}. 60 A {new}"]
    script.write_text("\n".join([*lines, "send", ""]))
    began = time.perf_counter()
    subprocess.run(["nsupdate", "-v", "-k", key, script], check=True, timeout=60)
    return time.perf_counter() - began


def _expect(bind: Bind, names: Sequence[str], value: str) -> None:
    for name in (names[0], names[-1]):
        answer = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=bind.port, timeout=5)
        assert value in answer.to_text(), answer


def _changes(names: Sequence[str], old: str, new: str) -> list[Change]:
    return [
        Change(
            account="dns-main",
            zone=ZONE,
            name=name,
            before=(record_set(name, "A", 60, [old]),),
            after=(record_set(name, "A", 60, [new]),),
        )
        for name in names
    ]


def _provider(bind: Bind) -> Rfc2136:
    options = Rfc2136Options(server=bind.server, key_name=bind.key_name)
    return Rfc2136("dns-main", options, Secret(bind.secret))
