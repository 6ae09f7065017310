"""Verifying a change for real: servers that lag, names that vanish, resolvers that are behind, caches of pages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from changeover.dns.lookup.client import Lookup
from changeover.model.dns.change import Change
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import record_set
from changeover.model.health.baseline import Baseline
from changeover.model.health.check import JourneyResult
from changeover.model.runs.plan import CheckVisitors
from changeover.model.runs.run import StepState
from changeover.model.runs.verification import Verdict
from changeover.model.settings.service import Deployment, LookupSettings
from changeover.monitoring.public_name import take_baseline
from changeover.switchover.verify.name_servers import name_servers
from changeover.switchover.verify.visitors import visitors
from dns_servers.bind import Bind
from dns_servers.process import free_port
from dns_servers.unbound import Unbound
from switchover.places import NEW, OLD, WWW, ZONE, ZONE_TEXT, Places, lookup, page, places

CHANGE = Change(
    account="dns",
    zone=ZONE,
    name=WWW,
    before=(record_set(WWW, "A", 60, [OLD]),),
    after=(record_set(WWW, "A", 60, [NEW]),),
)
MOVE = {"delete": ["www A"], "add": [f"www 60 A {NEW}"]}


async def no_journeys(_: Deployment, __: str) -> Sequence[JourneyResult]:
    return ()


async def asked(there: Lookup, timeout: float = 0.5) -> Verdict:
    return await name_servers(there, [CHANGE], timeout, asyncio.Event())


class Looking(Lookup):
    """Tells when the name servers are asked for the second time."""

    def __init__(self, settings: LookupSettings) -> None:
        super().__init__(settings)
        self.looks = 0
        self.again = asyncio.Event()

    async def authoritative(self, *asked: Any) -> tuple[ServerAnswer, ...]:
        self.looks += 1
        if self.looks == 2:
            self.again.set()
        return await super().authoritative(*asked)


class TestNameServers:
    async def test_all_have_taken_over(self, tmp_path: Path) -> None:
        """At both address families."""
        with Bind(tmp_path, zone_text=ZONE_TEXT, ipv6=True) as bind:
            bind.change(**MOVE)
            verdict = await asked(lookup(bind.server, f"[::1]:{bind.port}"))
        assert verdict == (StepState.DONE, "2 name servers give the new answer")

    async def test_one_lags(self, tmp_path: Path) -> None:
        """It is named, with what it still gives; when it has caught up, that is seen at once."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as one, Bind(tmp_path, zone_text=ZONE_TEXT) as other:
            one.change(**MOVE)
            there = lookup(one.server, other.server)
            verdict = await asked(there)
            assert verdict == (StepState.UNKNOWN, f"{other.server} still gives A {OLD} for {WWW}")
            waiting = asyncio.create_task(asked(there, timeout=30))
            other.change(**MOVE)
            assert (await waiting).state is StepState.DONE

    async def test_the_versions_of_the_zone_differ(self, tmp_path: Path) -> None:
        """The answers agree, but one server has not taken over everything: a warning with the serials."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as one, Bind(tmp_path, zone_text=ZONE_TEXT) as other:
            for bind in (one, other):
                bind.change(**MOVE)
            one.change(add=["else 60 A 192.0.2.77"])
            verdict = await asked(lookup(one.server, other.server))
            assert verdict.state is StepState.WARNING
            assert f"{other.server} has serial 2, {one.server} 3" in verdict.text
            other.change(add=["else 60 A 192.0.2.77"])
            assert (await asked(lookup(one.server, other.server))).state is StepState.DONE

    async def test_versions_that_soon_agree_are_no_news(self, tmp_path: Path) -> None:
        """Servers take over one after another; that is waited for a little."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as one, Bind(tmp_path, zone_text=ZONE_TEXT) as other:
            for bind in (one, other):
                bind.change(**MOVE)
            one.change(add=["else 60 A 192.0.2.77"])
            there = Looking(lookup(one.server, other.server).settings)
            waiting = asyncio.create_task(asked(there, timeout=30))
            again = asyncio.create_task(there.again.wait())
            await asyncio.wait((waiting, again), return_when=asyncio.FIRST_COMPLETED)
            other.change(add=["else 60 A 192.0.2.77"])
            assert (await waiting).state is StepState.DONE
            again.cancel()

    @pytest.mark.parametrize(
        ("more", "what"), [(["www 60 TXT here"], "has no address"), ([], "does not exist")], ids=["empty", "gone"]
    )
    async def test_a_name_that_is_missing(self, tmp_path: Path, more: list[str], what: str) -> None:
        """A server that says so does harm for longer than it lasts: resolvers keep it (RFC 2308)."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind:
            bind.change(delete=["www A"], add=more)
            verdict = await asked(lookup(bind.server))
        assert verdict.state is StepState.UNKNOWN
        assert verdict.text == f"{bind.server} says that {WWW} {what}; whoever asks it now keeps that for up to 1 min"

    async def test_a_silent_server_is_a_warning(self, tmp_path: Path) -> None:
        """The others have the new answer."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind:
            bind.change(**MOVE)
            verdict = await asked(lookup(bind.server, f"127.0.0.1:{free_port()}"))
        assert verdict.state is StepState.WARNING
        assert "1 name server gives the new answer; silent: " in verdict.text


async def visited(there: Lookup, shop: Places, timeout: float = 0.5, baseline: Baseline | None = None) -> Verdict:
    step = CheckVisitors(name="visitors", text="", deployment="backup", hostnames=(WWW,), baseline=baseline)
    return await visitors(there, shop.service, step, timeout, asyncio.Event(), no_journeys)


class TestVisitors:
    async def test_the_new_deployment_answers_several_times(self, tmp_path: Path) -> None:
        """Through the public name; a resolver that leads there as well is told."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind, Unbound(tmp_path, bind.server) as resolver:
            bind.change(**MOVE)
            async with places() as shop:
                verdict = await visited(lookup(bind.server, resolvers=(resolver.server,)), shop)
                assert shop.asked == {OLD: 0, NEW: 3}
        assert verdict == (StepState.DONE, "1 hostname answers as backup; the resolver leads there")

    async def test_one_answer_of_several_is_somebody_elses(self, tmp_path: Path) -> None:
        """One good answer is no proof where every second one comes from the old side."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind:
            bind.change(**MOVE)
            async with places() as shop:
                shop.say[NEW] = lambda _: page("primary" if shop.asked[NEW] % 2 == 0 else "backup")
                verdict = await visited(lookup(bind.server), shop)
        assert verdict.state is StepState.UNKNOWN
        assert verdict.text.endswith("answers as primary")

    async def test_a_resolver_that_has_not_followed(self, tmp_path: Path) -> None:
        """Its visitors are at the old deployment, which is said, with the time when that ends; it is no fault."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind, Unbound(tmp_path, bind.server) as behind:
            there = lookup(bind.server, resolvers=(behind.server,))
            await there.resolvers(WWW)
            bind.change(**MOVE)
            async with places() as shop:
                verdict = await visited(there, shop)
                assert shop.asked[OLD] == 1
        assert verdict.state is StepState.DONE
        assert "the resolver still leads to primary until " in verdict.text

    async def test_a_resolver_that_leads_nowhere(self, tmp_path: Path) -> None:
        """It asked while the name was missing, and keeps that: a warning (the name is back long since)."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind, Unbound(tmp_path, bind.server) as unlucky:
            there = lookup(bind.server, resolvers=(unlucky.server,))
            bind.change(delete=["www A"])
            await there.resolvers(WWW)
            bind.change(add=[f"www 60 A {NEW}"])
            async with places() as shop:
                verdict = await visited(there, shop)
        assert verdict.state is StepState.WARNING
        assert f"{unlucky.server} says that {WWW} has no address, for " in verdict.text

    async def test_a_resolver_that_is_down_hurts_nobody(self, tmp_path: Path) -> None:
        """The proof rests on the authoritative servers."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind:
            bind.change(**MOVE)
            async with places() as shop:
                verdict = await visited(lookup(bind.server, resolvers=(f"127.0.0.1:{free_port()}",)), shop)
        assert verdict == (StepState.DONE, "1 hostname answers as backup; no resolver answers")

    async def test_a_cache_of_pages_serves_the_old_side(self, tmp_path: Path) -> None:
        """Known by its Age, and by what answers past it: a warning that says what to empty."""

        def cdn(line: str) -> bytes:
            return page("backup") if "changeover-past-caches=" in line else page("primary", "Age: 4200")

        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind:
            bind.change(**MOVE)
            async with places() as shop:
                shop.say[NEW] = cdn
                verdict = await visited(lookup(bind.server), shop)
        assert verdict == (
            StepState.WARNING,
            f"{WWW} at {NEW} answers as primary, from a cache that has had this for 1 h 10 min; "
            "past the cache backup answers: empty the cache in front of it",
        )

    async def test_a_cache_in_front_of_the_wrong_deployment(self, tmp_path: Path) -> None:
        """Emptying it would not help: not verified."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind:
            bind.change(**MOVE)
            async with places() as shop:
                shop.say[NEW] = lambda _: page("primary", "Age: 30")
                verdict = await visited(lookup(bind.server), shop)
        assert verdict == (
            StepState.UNKNOWN,
            f"{WWW} at {NEW} answers as primary, from a cache that has had this for 30 s",
        )

    async def test_it_answers_other_than_before(self, tmp_path: Path) -> None:
        """Compared with how it was before the switch: a much smaller body is a warning with both sizes."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind:
            async with places() as shop:
                there = lookup(bind.server)
                before = await take_baseline(shop.service, there)
                assert [(s.status, s.size, s.marker) for s in before.samples] == [(200, 1000, "primary")]
                bind.change(**MOVE)
                same = await visited(there, shop, baseline=before)
                shop.say[NEW] = lambda _: page("backup", body=b"it works")
                empty = await visited(there, shop, baseline=before)
        assert same.state is StepState.DONE
        assert empty.state is StepState.WARNING
        assert f"but {WWW} answers with 8 bytes, before the switch with 1000" in empty.text

    async def test_a_baseline_of_what_does_not_answer_is_empty(self, tmp_path: Path) -> None:
        """An outage is no measure, and costs no more than one request's time-out."""
        with Bind(tmp_path, zone_text=ZONE_TEXT) as bind:
            async with places() as shop:
                shop.say[OLD] = lambda _: None
                assert (await take_baseline(shop.service, lookup(bind.server))).samples == ()
                assert shop.asked[OLD] == 1
            nobody = lookup(f"127.0.0.1:{free_port()}")
            assert (await take_baseline(shop.service, nobody)).samples == ()

    async def test_no_name_server_answers(self) -> None:
        """That is said, rather than that the name leads nowhere."""
        async with places() as shop:
            verdict = await visited(lookup(f"127.0.0.1:{free_port()}"), shop)
        assert verdict == (StepState.UNKNOWN, f"No name server of {ZONE} answers")
