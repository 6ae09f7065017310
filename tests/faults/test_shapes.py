"""What zones look like beside plain names: wildcards, texts, several zones, many names; with faults on the wire."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from changeover.model.dns.change import Change
from changeover.model.runs.plan import ChangeRecords
from changeover.storage.journal.journal import Journal
from changeover.switchover.runner import Runner
from dns_servers.bind import Bind
from dns_servers.fault_proxy import Fault, FaultProxy
from dns_servers.powerdns import PowerDns
from faults.engine import SERVERS, SOA, ZONE, change, engine, planned, provider_of
from faults.server import Server, records_at

NAMES_AT_ONCE = 500
RETRY_BUDGET = 2.0


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> type[Server]:
    return SERVERS[request.param]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with contextlib.closing(Journal(tmp_path / "changeover.db")) as opened:
        yield opened


class Strike:
    """A plan that strikes the update with this number, once, and nothing else."""

    def __init__(self, number: int, fault: Fault | None) -> None:
        self._left = number
        self._fault = fault

    def __call__(self, update: bool) -> Fault | None:
        self._left -= update
        return self._fault if update and self._left == 0 else None


@asynccontextmanager
async def behind_proxy(
    server: Server, decide: Strike, changes: Sequence[Change], journal: Journal
) -> AsyncIterator[tuple[Runner, FaultProxy]]:
    """The engine for one zone at one server."""
    async with FaultProxy(server.port, decide, RETRY_BUDGET) as proxy:
        providers = {("dns-main", ZONE): provider_of(server, proxy, patience=RETRY_BUDGET)}
        yield engine([c.name for c in changes], providers, {ZONE: (server.server,)}, journal), proxy


async def test_a_name_below_a_wildcard(kind: type[Server], tmp_path: Path, journal: Journal) -> None:
    """It gets records of its own, its neighbours keep the wildcard's; after the undo the wildcard answers again."""
    own, neighbour = f"shop.apps.{ZONE}", f"other.apps.{ZONE}"
    text = f'{SOA}*.apps A 192.0.2.40\n*.apps TXT "of the wildcard"\n'
    created = [change(own, [], [("A", "192.0.2.2")])]
    with kind(tmp_path, zone=ZONE, zone_text=text) as server:
        start = server.records()
        async with behind_proxy(server, Strike(1, Fault.LOSE_ANSWER), created, journal) as (runner, _):
            run = await runner.start(planned(created))
            assert run.outcome == "completed", run
            assert "the answer was lost" in run.steps[0].note
            assert records_at(server, own) == {"60 A 192.0.2.2"}
            assert records_at(server, neighbour) == {"60 A 192.0.2.40"}
            assert (await runner.undo(run, who="anna@laptop")).outcome == "undone"
        assert records_at(server, own) == {"60 A 192.0.2.40"}
        assert server.records() == start


async def test_a_cname_is_never_put_beside_a_text(kind: type[Server], tmp_path: Path, journal: Journal) -> None:
    """Whether the text stood there before, or appears in the last instant: refused, and nothing is changed."""
    www = f"www.{ZONE}"
    to_cname = [change(www, [("A", "192.0.2.1")], [("CNAME", "backup.example.net")])]
    with kind(tmp_path, zone=ZONE, zone_text=f"{SOA}www A 192.0.2.1\n") as server:

        async def add_text() -> None:
            await asyncio.to_thread(server.change, (), [f'{www}. 60 TXT "hello"'])

        async with behind_proxy(server, Strike(0, None), to_cname, journal) as (runner, proxy):
            proxy.before_update = add_text
            for when in ("in the last instant", "before"):
                run = await runner.start(planned(to_cname))
                assert run.outcome == "refused", when
                assert records_at(server, www) == {"60 A 192.0.2.1"}
                assert f'{www}. 60 TXT "hello"' in server.records()


@pytest.mark.parametrize("end", ["resume", "undo"])
async def test_two_zones_of_one_service(end: str, tmp_path: Path, journal: Journal) -> None:
    """One at BIND, one at PowerDNS, whose update is lost: it is said which zone has what, and both ways end it."""
    other = "shop.test"
    here, there = [("A", "192.0.2.1")], [("A", "192.0.2.2")]
    both = [change(f"www.{ZONE}", here, there), change(f"www.{other}", here, there, "second", other)]
    text = f"{SOA}www A 192.0.2.1\n"
    with Bind(tmp_path, ZONE, text) as first, PowerDns(tmp_path, other, text) as second:
        start = (first.records(), second.records())
        async with (
            FaultProxy(second.port, Strike(1, Fault.LOSE_REQUEST), RETRY_BUDGET) as proxy,
            FaultProxy(first.port, Strike(0, None), RETRY_BUDGET) as plain,
        ):
            providers = {
                ("dns-main", ZONE): provider_of(first, plain),
                ("second", other): provider_of(second, proxy, "second"),
            }
            servers = {ZONE: (first.server,), other: (second.server,)}
            runner = engine([c.name for c in both], providers, servers, journal)
            run = await runner.start(planned(both))
            assert run.outcome == "incomplete"
            assert "Changed: 1 hostname of shop.example at account dns-main" in run.text
            assert "Not changed: 1 hostname of shop.test at account second" in run.text
            assert records_at(first, f"www.{ZONE}") == {"60 A 192.0.2.2"}
            assert records_at(second, f"www.{other}") == {"60 A 192.0.2.1"}
            if end == "resume":
                run = await runner.resume(run, who="anna@laptop")
                assert run.outcome == "completed"
                assert records_at(second, f"www.{other}") == {"60 A 192.0.2.2"}
            assert (await runner.undo(run, who="anna@laptop")).outcome == "undone"
        assert (first.records(), second.records()) == start


LOST = (Fault.LOSE_REQUEST, Fault.CUT_REQUEST)
ARRIVED = (Fault.LOSE_ANSWER, Fault.CUT_ANSWER, Fault.REPEAT, Fault.LATE_ANSWER)

#: What is tried where there is little time: one that was lost and one that arrived, each at one server.
SECOND_ALWAYS = ((Fault.LOSE_REQUEST, "PowerDNS"), (Fault.LOSE_ANSWER, "BIND"))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(fault, kind, marks=() if (fault, name) in SECOND_ALWAYS else pytest.mark.long)
        for fault in (*LOST, *ARRIVED)
        for name, kind in SERVERS.items()
    ],
)
async def test_a_fault_in_the_second_of_several_batches(
    fault: Fault, kind: type[Server], tmp_path: Path, journal: Journal
) -> None:
    """Hundreds of names: what arrived is found done by reading and the run goes on; what was lost leaves it half way,
    it says how many names are where, and it can be gone on with. Undo puts back every one."""
    names = [f"a-rather-long-name-of-a-host-{number:04}.{ZONE}" for number in range(NAMES_AT_ONCE)]
    old = [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")]
    every = [change(name, old, [("CNAME", "backup.example.net")]) for name in names]
    text = SOA + "".join(f"{name}. {rtype} {value}\n" for name in names for rtype, value in old)
    with kind(tmp_path, ZONE, text) as server:
        start = server.records()
        async with behind_proxy(server, Strike(2, fault), every, journal) as (runner, proxy):
            to_do = planned(every)
            batches = [len(s.changes) for s in to_do.plan.steps if isinstance(s, ChangeRecords)]
            assert len(batches) >= 2
            run = await runner.start(to_do)
            assert proxy.struck.total() == 1
            if fault in LOST:
                assert run.outcome == "incomplete"
                left = NAMES_AT_ONCE - batches[0]
                assert f"Changed: {batches[0]} hostnames of {ZONE}" in run.text
                assert f"Not changed: {left} hostnames of {ZONE}" in run.text
                assert _moved(server) == batches[0]
                run = await runner.resume(run, who="anna@laptop")
            assert run.outcome == "completed", run.text
            assert _moved(server) == NAMES_AT_ONCE
            assert (await runner.undo(run, who="anna@laptop")).outcome == "undone"
        assert server.records() == start


def _moved(server: Server) -> int:
    return sum(line.endswith(" 60 CNAME backup.example.net.") for line in server.records())
