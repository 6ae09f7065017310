"""What can go wrong around a switch, each made to happen for real, and what is said and left behind then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from changeover.model.errors import Refused
from changeover.model.finding import Level
from changeover.model.readiness.service_state import Preparation
from changeover.model.runs.run import Run
from changeover.storage.journal.lock import service_lock
from changeover.switchboard import Switchboard
from dns_servers.bind import Bind
from dns_servers.process import free_port
from dns_servers.relay import Relay
from shop import APEX, WWW, ZONE, Shop


@asynccontextmanager
async def board_of(shop: Shop) -> AsyncIterator[Switchboard]:
    board = Switchboard(shop.home)
    try:
        yield board
    finally:
        await board.aclose()


def blocks(preparation: Preparation) -> dict[str, str]:
    return {f.check: f.text for f in preparation.findings if f.level is Level.BLOCK}


async def switched(shop: Shop, timeout: float = 5) -> Run:
    async with board_of(shop) as board:
        return await board.switch(await board.prepare("shop", "backup"), verify_timeout=timeout, who="anna@laptop")


async def test_a_record_changed_between_plan_and_write_refuses_and_changes_nothing(shop: Shop) -> None:
    """Somebody else's change meanwhile: refused, with what is there now, and no hostname moved."""
    async with board_of(shop) as board:
        preparation = await board.prepare("shop", "backup")
        shop.bind.change(delete=["www CNAME"], add=["www 60 CNAME elsewhere.example.net."])
        before = shop.bind.records()
        run = await board.switch(preparation, who="anna@laptop")
    assert run.outcome == "refused"
    assert "elsewhere.example.net" in run.text
    assert run.next == ()
    assert shop.bind.records() == before


@pytest.mark.parametrize(
    ("delete", "add"),
    [
        (["@ A"], ["@ 60 A 192.0.2.99"]),
        (["@ A"], ["@ 61 A 127.0.0.2"]),
        ([], ["@ 60 A 192.0.2.99"]),
        (["@ AAAA"], []),
        ([], ["@ 60 HTTPS 1 . alpn=h2"]),
    ],
    ids=["value", "ttl", "one more", "one gone", "another type"],
)
async def test_every_kind_of_change_is_noticed(shop: Shop, delete: list[str], add: list[str]) -> None:
    """Values, TTLs, additional records, missing ones and other address types all count."""
    async with board_of(shop) as board:
        preparation = await board.prepare("shop", "backup")
        shop.bind.change(delete=delete, add=add)
        before = shop.bind.records()
        run = await board.switch(preparation, who="anna@laptop")
    assert run.outcome == "refused"
    assert shop.bind.records() == before


async def test_a_server_that_takes_no_updates_blocks_beforehand(tmp_path: Path) -> None:
    """The credential finding says so, and nothing is tried."""
    with Shop(tmp_path) as shop, Bind(tmp_path, zone_text=ZONE, key=False, update=False) as deaf:
        shop.write_settings(server=deaf.server)
        async with board_of(shop) as board:
            found = blocks(await board.prepare("shop", "backup"))
        assert "may not change" in found["credential"]
        ended = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
        assert ended["outcome"] == "refused"


async def test_a_server_that_is_down_is_refused_with_words(shop: Shop) -> None:
    """Exit 3: nothing was written; the finding names the server."""
    server = shop.bind.server
    shop.bind.stop()
    ended = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    said = {f["check"]: f["text"] for f in ended["findings"] if f["level"] == "block"}
    assert server in said["records-readable"]
    assert "refuses connections" in said["records-readable"]


async def test_a_server_that_never_answers_is_refused_in_bounded_time(shop: Shop) -> None:
    """A silent server does not hang the command."""
    shop.bind.pause()
    try:
        async with asyncio.timeout(60):
            async with board_of(shop) as board:
                found = blocks(await board.prepare("shop", "backup"))
    finally:
        shop.bind.resume()
    assert "did not answer" in found["records-readable"]


async def test_a_lost_answer_is_settled_by_reading(shop: Shop) -> None:
    """The update was applied and its answer lost: the run reads, sees it done, goes on, and does not write again."""
    with Relay(shop.bind.port) as relay:
        through(shop, relay)
        async with board_of(shop) as board:
            preparation = await board.prepare("shop", "backup")
            seen = relay.updates
            relay.lose = "answer"
            run = await board.switch(preparation, verify_timeout=30, who="anna@laptop")
        assert run.outcome == "completed"
        assert "the answer was lost" in run.steps[0].note
        assert relay.updates == seen + 1


async def test_a_lost_update_changed_nothing_and_says_so(shop: Shop) -> None:
    """The update never arrived: outcome failed, exit 1, the zone as before, and the way is free."""
    before = shop.bind.records()
    with Relay(shop.bind.port) as relay:
        through(shop, relay)
        async with board_of(shop) as board:
            preparation = await board.prepare("shop", "backup")
            relay.lose = "update"
            run = await board.switch(preparation, who="anna@laptop")
            assert run.outcome == "failed"
            assert "Nothing was changed" in run.text
            assert shop.bind.records() == before
            assert await board.unfinished_run("shop") is None
            again = await board.switch(await board.prepare("shop", "backup"), verify_timeout=30, who="anna@laptop")
        assert again.outcome == "completed"


def through(shop: Shop, relay: Relay) -> None:
    """The account goes through the relay; name servers are asked directly. Leases would meet its faults first."""
    settings = shop.home.settings_file.read_text().replace("ttl = 60\n", "ttl = 60\nlease = false\n")
    old = f'provider = "rfc2136"\nserver = "{shop.bind.server}"'
    shop.home.settings_file.write_text(settings.replace(old, f'provider = "rfc2136"\nserver = "{relay.server}"'))


async def test_a_name_left_empty_is_repaired_at_once(shop: Shop) -> None:
    """If a name has no records after the write, what stood there before is put back, and the run is incomplete."""
    with Relay(shop.bind.port) as relay:
        through(shop, relay)
        async with board_of(shop) as board:
            preparation = await board.prepare("shop", "backup")
            relay.after_update = lambda: shop.bind.change(delete=["www"])
            run = await board.switch(preparation, who="anna@laptop")
            assert run.outcome == "incomplete"
            assert "what stood there before is back" in run.text
            assert shop.at(WWW) == {f"{WWW}. 60 CNAME edge-primary.shop.example."}
            undone = await board.undo(run.run, who="anna@laptop")
    assert undone.outcome == "undone"
    assert shop.at(APEX) == {f"{APEX}. 60 A 127.0.0.2", f"{APEX}. 60 AAAA ::1"}


async def test_a_silent_name_server_is_a_warning(shop: Shop) -> None:
    """One of two authoritative servers does not answer: completed, with a warning that names it."""
    dead = f"127.0.0.1:{free_port()}"
    use_name_servers(shop, shop.bind.server, dead)
    run = await switched(shop)
    assert run.outcome == "completed"
    assert run.steps[1].state == "warning"
    assert dead in run.steps[1].note


async def test_a_stale_name_server_makes_the_run_incomplete_and_resume_ends_it(shop: Shop, tmp_path: Path) -> None:
    """One that still gives the old set after the time-out: incomplete; once it follows, resume completes."""
    with Bind(tmp_path, zone_text=ZONE, key=False) as stale:
        use_name_servers(shop, shop.bind.server, stale.server)
        async with board_of(shop) as board:
            run = await board.switch(await board.prepare("shop", "backup"), verify_timeout=0.5, who="anna@laptop")
            assert run.outcome == "incomplete"
            assert stale.server in run.text
            assert run.next == ("resume", "undo", "accept")
            stale.change(delete=["www CNAME", "@ A", "@ AAAA"], add=["www 60 A 127.0.0.3", "@ 60 A 127.0.0.3"])
            ended = await board.resume(run.run, verify_timeout=30, who="anna@laptop")
    assert ended.outcome == "completed"
    assert ended.steps[0].note == "found done already"


async def test_no_name_server_answering_makes_the_run_incomplete(shop: Shop) -> None:
    """The API said yes, but nobody can confirm it."""
    use_name_servers(shop, f"127.0.0.1:{free_port()}")
    run = await switched(shop, timeout=0.5)
    assert run.outcome == "incomplete"
    assert "no name server answers" in run.text


def use_name_servers(shop: Shop, *servers: str) -> None:
    settings = shop.home.settings_file.read_text()
    listed = ", ".join(f'"{server}"' for server in servers)
    old = f'nameservers = {{ "shop.example" = ["{shop.bind.server}"] }}'
    assert old in settings
    shop.home.settings_file.write_text(settings.replace(old, f'nameservers = {{ "shop.example" = [{listed}] }}'))


async def test_undo_refuses_where_somebody_else_changed_a_record_since(shop: Shop) -> None:
    """The difference is told and nothing is changed."""
    async with board_of(shop) as board:
        run = await board.switch(await board.prepare("shop", "backup"), verify_timeout=30, who="anna@laptop")
        shop.bind.change(delete=["www A"], add=["www 60 A 192.0.2.77"])
        before = shop.bind.records()
        with pytest.raises(Refused, match=r"192\.0\.2\.77"):
            await board.undo(run.run, who="anna@laptop")
        assert shop.bind.records() == before
        assert (await board.run(run.run)).outcome == "completed"


async def test_a_held_lock_refuses(shop: Shop) -> None:
    """While another process works on the service, a switch is refused, and check says why."""
    async with board_of(shop) as board:
        preparation = await board.prepare("shop", "backup")
        with service_lock(shop.home.lock_file("shop"), "shop"):
            with pytest.raises(Refused, match="working on shop"):
                await board.switch(preparation, who="anna@laptop")
            assert "lock" in blocks(await board.prepare("shop", "backup"))
        assert (await board.switch(preparation, verify_timeout=30, who="anna@laptop")).outcome == "completed"


@pytest.mark.parametrize(
    ("records", "wanted", "check", "words"),
    [
        ([], '{ cname = "app.example.net" }', "answer-legal", "apex"),
        (["www 60 TXT hello"], "", "", ""),
    ],
    ids=["CNAME at the apex", "TXT beside an address"],
)
async def test_illegal_answers_are_refused_beforehand(
    shop: Shop, records: list[str], wanted: str, check: str, words: str
) -> None:
    """A CNAME at an apex never reaches the server."""
    if records:
        shop.bind.change(delete=["www CNAME"], add=["www 60 A 127.0.0.2", *records])
    if wanted:
        settings = shop.home.settings_file.read_text()
        shop.home.settings_file.write_text(settings.replace('answer = { a = ["127.0.0.3"] }', f"answer = {wanted}"))
    async with board_of(shop) as board:
        found = blocks(await board.prepare("shop", "backup"))
    if check:
        assert words in found[check]
    else:
        assert "answer-legal" not in found


async def test_a_cname_is_never_put_beside_other_records(shop: Shop) -> None:
    """TXT at www: the way back to the CNAME is refused beforehand, naming the records in the way."""
    async with board_of(shop) as board:
        run = await board.switch(await board.prepare("shop", "backup"), verify_timeout=30, who="anna@laptop")
        assert run.outcome == "completed"
        shop.bind.change(add=["www 60 TXT hello"])
        found = blocks(await board.prepare("shop", "primary"))
        before = shop.bind.records()
        undone = await board.undo(run.run, verify_timeout=2, who="anna@laptop")
    assert "TXT" in found["answer-legal"]
    assert undone.outcome == "refused"
    assert shop.bind.records() == before


async def test_a_wildcard_is_its_own_finding(shop: Shop) -> None:
    """A name that only a wildcard answers for is not taken for a record of its own."""
    shop.bind.change(delete=["www CNAME"], add=["* 60 A 127.0.0.2"])
    async with board_of(shop) as board:
        found = blocks(await board.prepare("shop", "backup"))
    assert WWW in found["wildcard"]


async def test_mixed_and_elsewhere_block_by_source_known(shop: Shop) -> None:
    """Where visitors go must be known before a switch; it can be overridden by name."""
    shop.bind.change(delete=["www CNAME"], add=["www 60 A 127.0.0.3"])
    async with board_of(shop) as board:
        mixed = await board.prepare("shop", "backup")
        assert mixed.snapshot.active == "mixed"
        assert "source-known" in blocks(mixed)
        shop.bind.change(delete=["www A", "@ A", "@ AAAA"], add=["www 60 A 192.0.2.1", "@ 60 A 192.0.2.1"])
        elsewhere = await board.prepare("shop", "backup")
        assert elsewhere.snapshot.active == "elsewhere"
        run = await board.switch(
            elsewhere, {"source-known": "the old host is being left"}, verify_timeout=30, who="anna@laptop"
        )
        assert run.outcome == "completed"
        assert (await board.undo(run.run, who="anna@laptop")).outcome == "undone"
    assert shop.at(WWW) == {f"{WWW}. 60 A 192.0.2.1"}


async def test_two_providers_of_one_zone_get_the_same(shop: Shop, tmp_path: Path) -> None:
    """A zone at two accounts: both are changed, both are undone."""
    with Bind(tmp_path, zone_text=ZONE, key=False) as second:
        settings = shop.home.settings_file.read_text()
        settings = settings.replace(
            "[[services]]", f'[accounts.second]\nprovider = "rfc2136"\nserver = "{second.server}"\n\n[[services]]', 1
        ).replace(
            'dns = [{ account = "dns-main", zone = "shop.example" }]',
            'dns = [{ account = "dns-main", zone = "shop.example" }, { account = "second", zone = "shop.example" }]',
        )
        shop.home.settings_file.write_text(settings)
        use_name_servers(shop, shop.bind.server, second.server)
        starts = (shop.bind.records(), second.records())
        async with board_of(shop) as board:
            run = await board.switch(await board.prepare("shop", "backup"), verify_timeout=30, who="anna@laptop")
            assert run.outcome == "completed"
            assert len(run.changes) == 4
            assert f"{WWW}. 60 A 127.0.0.3" in second.records()
            assert (await board.undo(run.run, verify_timeout=30, who="anna@laptop")).outcome == "undone"
        assert (shop.bind.records(), second.records()) == starts
