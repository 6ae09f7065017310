"""The leases of runs, in the zones of real servers: taken, renewed, taken over, lost and given back."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from changeover.dns.provider import Applied, Guard, PreconditionFailed, Provider
from changeover.model.dns.capabilities import Lag
from changeover.model.dns.change import Change
from changeover.model.dns.lease import LENGTH, Holder, Lease, Take, leases, may_take
from changeover.model.dns.records import address_set, record_set
from changeover.model.errors import Conflict, Refused, Unavailable
from changeover.storage.home import Home, installation_name
from changeover.switchover.lease import zone_lease
from dns_servers.bind_ground import BindGround
from dns_servers.ground import ZONE_NAME, Ground
from dns_servers.grounds import GROUNDS

A, B = "1111aaaa1111aaaa", "2222bbbb2222bbbb"
SIGN, WWW = "_changeover.shop.example", "www.shop.example"
ALICE = Holder(owner=A, service="shop", run="shop-4")
BOB = Holder(owner=B, service="shop", run="shop-9")
MAIN = ("dns-main", ZONE_NAME)
AFTER = (record_set(WWW, "A", 60, ["198.51.100.1"]),)


@pytest.fixture(params=["rfc2136", "cloudflare"])
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    """A server that compares by itself, and one that is read before each write."""
    with GROUNDS[request.param](tmp_path) as running:
        capabilities = running.provider.capabilities
        if capabilities.lag is not None:  # what is lost is not waited for long
            running.provider.capabilities = replace(capabilities, lag=Lag(2.0, capabilities.lag.call))
        yield running
        await running.provider.aclose()


@pytest.fixture
async def bind(tmp_path: Path) -> AsyncIterator[BindGround]:
    with BindGround(tmp_path) as running:
        yield running
        await running.provider.aclose()


def mine(ground: Ground) -> dict[str, Provider]:
    return {"dns-main": ground.provider}


async def there(ground: Ground) -> list[Lease]:
    """The leases that stand in the zone."""
    records = (await ground.provider.read(ZONE_NAME, [SIGN])).records[SIGN]
    return [one for one in leases(records) if isinstance(one, Lease)]


async def switched(ground: Ground) -> Change:
    before = address_set((await ground.provider.read(ZONE_NAME, [WWW])).records[WWW])
    after = ground.provider.normalize(ZONE_NAME, before, AFTER)
    return Change(account="dns-main", zone=ZONE_NAME, name=WWW, before=before, after=after)


async def test_a_lease_is_taken_and_given_back(ground: Ground) -> None:
    """While it is held it stands in the zone and guards writes; afterwards the zone is as it was before."""
    planned = await switched(ground)
    ground.add(SIGN, 300, "TXT", '"of somebody else"')
    for holder in (ALICE, BOB, ALICE):
        zone = ground.beside(WWW)
        async with zone_lease(mine(ground), [MAIN], holder) as lease:
            (stands,) = await there(ground)
            assert lease.held == {MAIN: stands}
            assert (stands.owner, stands.run, stands.fence) == (holder.owner, holder.run, 1)
            assert (lease.notes, lease.lost.is_set()) == ([], False)
            async with lease.guard(*MAIN) as guard:
                assert guard == Guard(SIGN, stands.text)
                assert await ground.provider.apply(ZONE_NAME, [planned], guard) == Applied()
            planned = planned.inverse
        assert ground.beside(WWW) == zone


async def test_two_at_once(ground: Ground) -> None:
    """One holds it; the other is told who, and nothing was changed."""
    async with zone_lease(mine(ground), [MAIN], ALICE):
        zone = ground.records()
        with pytest.raises(
            Refused, match=rf"Another computer \({A}\) is switching shop \(run shop-4\) until .*Nothing"
        ):
            async with zone_lease(mine(ground), [MAIN], BOB):
                pass
        assert ground.records() == zone
    async with zone_lease(mine(ground), [MAIN], BOB) as lease:
        assert lease.held[MAIN].owner == B


async def test_many_at_the_same_moment(bind: BindGround) -> None:
    """At most one gets it, whatever the order of their reading and writing."""
    inside: list[int] = []
    done = asyncio.Barrier(8)

    async def try_it(number: int) -> str:
        holder = Holder(owner=f"owner{number}", service="shop")
        provider = bind.open()
        try:
            async with zone_lease({"dns-main": provider}, [MAIN], holder):
                inside.append(number)
                await done.wait()
                return "held"
        except Refused:
            await done.wait()
            return "refused"

    results = await asyncio.gather(*(try_it(number) for number in range(8)))
    assert sorted(results) == ["held"] + ["refused"] * 7
    assert len(inside) == 1


async def test_a_dead_holder_stops_nobody_for_long(ground: Ground) -> None:
    """Its lease has ended; its home and service alone may take it before."""
    ended = Lease(owner="carol@tablet", fence=41, expires=datetime.now(UTC) - LENGTH, service="shop")
    ground.add(SIGN, 60, "TXT", f'"{ended.text}"')
    async with zone_lease(mine(ground), [MAIN], ALICE) as lease:
        assert lease.held[MAIN].fence == 42


async def test_a_crash_of_ones_own_is_gone_on_from(ground: Ground) -> None:
    """The same home and service takes its lease again at once, with a new fence."""
    left = may_take((), ALICE, datetime.now(UTC))
    assert isinstance(left, Take)
    ground.add(SIGN, 60, "TXT", f'"{left.lease.text}"')
    async with zone_lease(mine(ground), [MAIN], ALICE) as lease:
        assert (lease.held[MAIN].fence, lease.notes) == (2, [])


async def test_a_takeover_and_the_former_holders_write(ground: Ground) -> None:
    """An emergency takes the lease by name; a write of the other run is refused by what stands in the zone."""
    planned = await switched(ground)
    async with zone_lease(mine(ground), [MAIN], ALICE) as old:
        async with old.guard(*MAIN) as guard, zone_lease(mine(ground), [MAIN], BOB, takeover=True) as new:
            assert f"taken over from another computer ({A}), who was switching shop" in new.notes[0]
            zone = ground.records()
            result = await ground.provider.apply(ZONE_NAME, [planned], guard)
            assert isinstance(result, PreconditionFailed)
            assert f"owner={B}" in result.conflicts[0]
            assert ground.records() == zone
        async with zone_lease(mine(ground), [MAIN], BOB):
            await old.renew()
        assert old.lost.is_set()
        assert f"Another computer ({B}) took over the lease on shop.example, for shop-9" in old.why_lost
        with pytest.raises(Conflict, match="took over"):
            async with old.guard(*MAIN):
                pass
    assert await there(ground) == []


async def test_a_lease_that_another_process_of_ones_own_took_is_lost(ground: Ground) -> None:
    """The fence tells them apart, where everything else is the same."""
    async with zone_lease(mine(ground), [MAIN], ALICE) as old, zone_lease(mine(ground), [MAIN], ALICE) as new:
        assert new.held[MAIN].fence == 2
        await old.renew()
        assert old.lost.is_set()
        await new.renew()
        assert not new.lost.is_set()


async def test_no_renewal_comes_between_a_guard_and_its_write(ground: Ground) -> None:
    """It waits for the write, since it changes what the write expects."""
    planned = await switched(ground)
    async with zone_lease(mine(ground), [MAIN], ALICE) as lease:
        lease.run = "shop-5"
        async with lease.guard(*MAIN) as guard:
            renewal = asyncio.create_task(lease.renew())
            done, _ = await asyncio.wait({renewal}, timeout=0.2)
            assert not done
            assert await ground.provider.apply(ZONE_NAME, [planned], guard) == Applied()
        await renewal
        assert lease.held[MAIN].run == "shop-5"


async def test_a_takeover_in_the_last_instant(bind: BindGround) -> None:
    """Between the last reading and the write: the server itself compares, so the write is refused."""
    planned = await switched(bind)
    async with zone_lease(mine(bind), [MAIN], ALICE) as lease, lease.guard(*MAIN) as guard:
        taken = may_take(await there(bind), BOB, datetime.now(UTC), takeover=True)
        assert isinstance(taken, Take)
        text = taken.lease.text

        def take() -> None:
            bind.remove(SIGN, "TXT")
            bind.add(SIGN, 60, "TXT", f'"{text}"')

        bind.before_write(take)
        assert isinstance(await bind.provider.apply(ZONE_NAME, [planned], guard), PreconditionFailed)
        assert (await switched(bind)).before == planned.before


async def test_the_background_renews_it_and_sees_that_it_is_lost(ground: Ground) -> None:
    """The run's name comes into the lease; a takeover is seen at the next renewal."""
    nameless = Holder(owner=A, service="shop")
    async with zone_lease(mine(ground), [MAIN], nameless, every=0.05) as lease:
        lease.run = "shop-4"
        async with asyncio.timeout(60):
            while lease.held[MAIN].run != "shop-4":
                async with lease.guard(*MAIN):
                    pass
                await asyncio.sleep(0)
            async with zone_lease(mine(ground), [MAIN], BOB, takeover=True):
                await lease.lost.wait()
    assert f"Another computer ({B}) took over" in lease.why_lost


@pytest.mark.parametrize("lost", ["update", "answer"])
async def test_a_renewal_whose_answer_is_lost(ground: Ground, lost: Literal["update", "answer"]) -> None:
    """What stands there is read; the guard is what really stands."""
    planned = await switched(ground)
    async with zone_lease(mine(ground), [MAIN], ALICE) as lease:
        lease.run = "shop-5"
        ground.lose(lost)
        await lease.renew()
        assert not lease.lost.is_set()
        assert [lease.held[MAIN]] == await there(ground)
        async with lease.guard(*MAIN) as guard:
            assert await ground.provider.apply(ZONE_NAME, [planned], guard) == Applied()
    assert await there(ground) == []


async def test_taking_a_lease_whose_answer_is_lost(ground: Ground) -> None:
    """It is one's own, by reading."""
    ground.lose("answer")
    async with zone_lease(mine(ground), [MAIN], ALICE) as lease:
        assert [lease.held[MAIN]] == await there(ground)


async def test_taking_a_lease_that_does_not_arrive(ground: Ground) -> None:
    """Is no lease, and no refusal either: nobody else is to blame."""
    ground.lose("update")
    with pytest.raises(Unavailable, match="could not be taken"):
        async with zone_lease(mine(ground), [MAIN], ALICE):
            pass
    assert await there(ground) == []


async def test_a_credential_that_may_not_write_there_goes_without(ground: Ground) -> None:
    """Who may change addresses but no texts can switch all the same, and is told."""
    ground.forbid_writing()
    async with zone_lease(mine(ground), [MAIN], ALICE) as lease:
        assert lease.held == {}
        assert "No lease could be written at _changeover.shop.example, so this run goes without" in lease.notes[0]
        async with lease.guard(*MAIN) as guard:
            assert guard is None


async def test_without_zones_there_is_no_lease() -> None:
    """For who opted out."""
    async with zone_lease({}, [], ALICE) as lease, lease.guard(*MAIN) as guard:
        assert (guard, lease.held, lease.notes) == (None, {}, [])


async def test_of_two_accounts_all_or_none(tmp_path: Path) -> None:
    """Where the second is held by somebody else, the first is given back."""
    with BindGround(tmp_path) as one, BindGround(tmp_path) as two:
        providers: Mapping[str, Provider] = {"one": one.provider, "two": two.provider}
        zones: Sequence[tuple[str, str]] = [("two", ZONE_NAME), ("one", ZONE_NAME)]
        async with zone_lease({"dns-main": two.provider}, [MAIN], BOB):
            with pytest.raises(Refused, match=B):
                async with zone_lease(providers, zones, ALICE):
                    pass
            assert not any(lease.in_force(datetime.now(UTC)) for lease in await there(one))
        async with zone_lease(providers, zones, ALICE) as lease:
            assert list(lease.held) == [("one", ZONE_NAME), ("two", ZONE_NAME)]


async def test_what_collided_is_cleaned_up(ground: Ground) -> None:
    """Two leases that ended, side by side, are in nobody's way."""
    for owner, fence in (("bob@desk", 5), ("carol@tablet", 5)):
        ended = Lease(owner=owner, fence=fence, expires=datetime.now(UTC) - 2 * LENGTH, service="shop")
        ground.add(SIGN, 60, "TXT", f'"{ended.text}"')
    async with zone_lease(mine(ground), [MAIN], ALICE) as lease:
        assert await there(ground) == [lease.held[MAIN]]
        assert lease.held[MAIN].fence == 6


async def test_a_lease_that_cannot_be_renewed_ends(bind: BindGround, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its time is over the run must not go on, and says why."""
    monkeypatch.setattr("changeover.switchover.lease.LENGTH", timedelta(0))
    async with zone_lease(mine(bind), [MAIN], ALICE) as lease:
        bind.stop()
        await lease.renew()
        assert lease.lost.is_set()
        assert "not renewed" in lease.why_lost


async def test_a_lease_that_cannot_be_given_back_does_not_hide_what_happened(bind: BindGround) -> None:
    """It ends by itself; the run's own error is what is told."""
    with pytest.raises(RuntimeError, match="of the run"):
        async with zone_lease(mine(bind), [MAIN], ALICE):
            bind.stop()
            raise RuntimeError("an error of the run")


def test_an_installation_has_a_random_name(tmp_path: Path) -> None:
    """Kept, for this user only; it says nothing of the person, and a copy of the folder elsewhere has another."""
    home = Home.at(tmp_path / "one")
    name = installation_name(home)
    assert name == installation_name(Home.at(tmp_path / "two" / ".." / "one"))
    assert re.fullmatch("[0-9a-f]{16}", name)
    assert (home.data / "installation").stat().st_mode & 0o777 == 0o600
    shutil.copytree(home.data, tmp_path / "copy")
    assert len({name, installation_name(Home.at(tmp_path / "two")), installation_name(Home.at(tmp_path / "copy"))}) == 3


def test_a_name_that_cannot_be_kept_is_a_new_one_each_time(tmp_path: Path) -> None:
    """A file where the folder should be, or a name cut short by a full disk: a switch goes on all the same."""
    (tmp_path / "file").write_text("")
    nowhere = Home.at(tmp_path / "file" / "home")
    assert installation_name(nowhere) != installation_name(nowhere)
    home = Home.at(tmp_path)
    (tmp_path / "installation").write_text("ab")
    assert installation_name(home) != installation_name(Home.at(tmp_path / "other"))


async def test_who_holds_it_on_this_computer_is_told_from_the_journal(bind: BindGround) -> None:
    """Another service of the same installation and zone: the person is named, who stands in no public record."""
    people = {"shop-4": "alice@laptop"}
    async with zone_lease(mine(bind), [MAIN], ALICE, people=people):
        assert not any("alice" in line or "laptop" in line for line in bind.records())
        blog = Holder(owner=A, service="blog")
        with pytest.raises(Refused, match=r"^alice@laptop is switching shop \(run shop-4\) until"):
            async with zone_lease(mine(bind), [MAIN], blog, people=people):
                pass
