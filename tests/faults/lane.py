"""One service that is switched and put back, again and again, through a proxy that strikes; judged by the server.

Several lanes share one server and one zone: each has hostnames, a journal and a proxy of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from pathlib import Path

from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet
from changeover.model.errors import ProviderError, Refused
from changeover.model.runs.run import Outcome, Run
from changeover.storage.journal.journal import Journal
from changeover.switchover.runner import Runner
from dns_servers.fault_proxy import FaultProxy, by_chance
from faults.engine import RETRY_BUDGET, ZONE, change, engine, planned, provider_of
from faults.server import Lines, Server, all_records

#: How many messages in a hundred are struck: there are few updates, and they are what matters.
UPDATES, QUERIES = 0.8, 0.02


def changes(number: int) -> tuple[Change, ...]:
    """What a lane switches: a CNAME that becomes an address, a name that loses IPv6, an address that stays one."""
    www, app, api = (f"{kind}{number}.{ZONE}" for kind in ("www", "app", "api"))
    return (
        change(www, [("CNAME", "primary.example.net")], [("A", "192.0.2.2")]),
        change(app, [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")], [("A", "192.0.2.2")]),
        change(api, [("A", "192.0.2.1")], [("A", "192.0.2.2")]),
    )


def zone_text(number: int) -> str:
    """A lane's lines of the zone file."""
    return "".join(f"{c.name}. {line}\n" for c in changes(number) for line in sorted(_lines(c.before)))


class Lane:
    """One service, its proxy and its journal. `round` is one switch with all that may come of it."""

    def __init__(self, server: Server, number: int, seed: str, folder: Path) -> None:
        self.server = server
        self.chance = random.Random(f"{seed}/{number}")
        self.proxy = FaultProxy(server.port, by_chance(f"{seed}/{number}/wire", UPDATES, QUERIES), RETRY_BUDGET)
        self.counts: Counter[str] = Counter()
        self.changes = changes(number)
        self.names = tuple(c.name for c in self.changes)
        self.primary = {c.name: _lines(c.before) for c in self.changes}
        self.backup = {c.name: _lines(c.after) for c in self.changes}
        #: What somebody else put at a hostname in this round, and the texts that they put beside, ever.
        self.foreign: dict[str, Lines] = {}
        self.notes: list[str] = []
        self._number = number
        self._edits = itertools.count(1)
        self._journal = Journal(folder / f"lane{number}.db")

    def may_give(self, name: str) -> set[str]:
        """Every value that may be seen at `name`, at any time."""
        own = {line.split()[2] for line in self.primary[name] | self.backup[name]}
        return own | {_outsiders(number) for number in range(64)}

    def close(self) -> None:
        self._journal.close()

    async def round(self) -> None:
        """One switch, however it goes on and ends, and everything back as it was."""
        self.foreign = {}
        runner = self._runner()
        self._let_somebody_else_edit()
        run = await runner.start(planned(self.changes))
        await self._judge(run, self.primary)
        if run.outcome is Outcome.COMPLETED:
            await self._undo(run)
        elif run.unfinished:
            await self._end(run)
        await self._heal()

    async def _end(self, run: Run) -> None:
        """Ends an incomplete run as a person would: goes on, goes back, or leaves it as it stands."""
        way = self.chance.choice(["resume", "undo", "accept"])
        self.counts[f"incomplete, then {way}"] += 1
        if way == "undo":
            await self._undo(run)
        if way == "resume":
            before = await self._stand()
            try:
                ended = await self._runner().resume(run, who="anna@laptop")
            except (Refused, ProviderError) as error:
                await self._judge_refusal("resume", error, before)
            else:
                await self._judge(ended, self.primary)

    async def _undo(self, run: Run) -> None:
        before = await self._stand()
        self._let_somebody_else_edit()
        try:
            undone = await self._runner().undo(run, who="anna@laptop")
        except (Refused, ProviderError) as error:
            await self._judge_refusal("undo", error, before)
        else:
            await self._judge(undone, before)

    async def _judge(self, run: Run, before: dict[str, Lines]) -> None:
        """Is what the run says of itself true of the world? `before` is what stood when it set out."""
        now = await self._stand()
        said = f"{run.run}, {run.direction}: {run.outcome}, “{run.text}”, with {now}"
        self.counts[str(run.outcome)] += 1
        self._nothing_lost(now, said)
        ours = {name: found for name, found in now.items() if name not in self.foreign}
        assert run.text, said
        match run.outcome:
            case Outcome.COMPLETED:
                assert now == self.backup, said
            case Outcome.UNDONE:
                assert now == self.primary, said
            case Outcome.FAILED | Outcome.REFUSED:
                assert ours == {name: before[name] for name in ours}, said
                assert "changed" in run.text.lower() or "neither" in run.text, said
            case Outcome.INCOMPLETE:
                assert run.next == ("resume", "undo", "accept"), said
            case _:
                raise AssertionError(said)

    async def _judge_refusal(self, verb: str, error: Refused | ProviderError, before: dict[str, Lines]) -> None:
        now = await self._stand()
        said = f"{verb} refused, “{error.text}”, with {now}"
        self.counts[f"{verb} refused"] += 1
        self._nothing_lost(now, said)
        assert error.text, said
        ours = {name: found for name, found in now.items() if name not in self.foreign}
        assert ours == {name: before[name] for name in ours}, said

    def _nothing_lost(self, now: dict[str, Lines], said: str) -> None:
        """What somebody else wrote stands; everything else is one of the two states, and the same at all names."""
        for name, theirs in self.foreign.items():
            assert now[name] == theirs, f"an update was lost at {name}: {said}"
        ours = {name: found for name, found in now.items() if name not in self.foreign}
        states = [{name: state[name] for name in ours} for state in (self.primary, self.backup)]
        assert ours in states, f"a batch was torn: {said}"

    def _let_somebody_else_edit(self) -> None:
        """Arranges that something is edited right before or after the next update; one of our names, now and then."""
        name = self.chance.choice(self.names) if self.chance.random() < 0.2 else None

        async def edit() -> None:
            await asyncio.to_thread(self._edit, name)

        if self.chance.random() < 0.5:
            self.proxy.before_update = edit
        else:
            self.proxy.after_update = edit

    def _edit(self, name: str | None) -> None:
        number = next(self._edits)
        if name is None:
            note = f"note{self._number}-{number}.{ZONE}. 60 TXT"
            self.server.change(add=[f'{note} "{number}"'])
            self.notes.append(f'{note} "{number}"')
            self.counts["edits beside by somebody else"] += 1
        else:
            line = f"60 A {_outsiders(number % 64)}"
            self.server.change(delete=[f"{name}. {rtype}" for rtype in ("CNAME", "A", "AAAA")], add=[f"{name}. {line}"])
            self.foreign[name] = frozenset({line})
            self.counts["edits of our names by somebody else"] += 1

    async def _stand(self) -> dict[str, Lines]:
        """The truth, once nothing is on its way any more."""
        await self.proxy.settled()
        return await all_records(self.server, self.names)

    async def _heal(self) -> None:
        """Puts the names back for the next round, as the operator of the server."""
        self.proxy.before_update = self.proxy.after_update = None
        now = await self._stand()
        for name in [name for name in self.names if now[name] != self.primary[name]]:
            delete = [f"{name}. {rtype}" for rtype in ("CNAME", "A", "AAAA")]
            add = [f"{name}. {line}" for line in self.primary[name]]
            await asyncio.to_thread(self.server.change, delete, add)

    def _runner(self) -> Runner:
        provider = provider_of(self.server, self.proxy)
        servers = {ZONE: (self.proxy.server,)}
        return engine(self.names, {("dns-main", ZONE): provider}, servers, self._journal)


def _outsiders(number: int) -> str:
    return f"198.51.100.{number}"


def _lines(records: AddressSet) -> Lines:
    """As `records_at` gives them: host names with their final dot."""
    dot = {"CNAME": "."}
    return frozenset(f"{r.ttl} {r.type} {value}{dot.get(r.type, '')}" for r in records for value in r.values)
