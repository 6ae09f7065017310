"""What every DNS provider promises (changeover.dns.provider), tried on each of them."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Literal

import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed, Result
from changeover.model.dns.batches import batches
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, address_set, hostname, record_set
from changeover.model.dns.txt_record import text_of
from changeover.model.errors import AuthError, NotFound, PermissionDenied, ProviderError, Rejected, Unavailable
from dns_servers.bind_ground import BindGround
from dns_servers.ground import WRONG_SECRET, WRONG_TOKEN, ZONE_NAME, Ground

APEX, WWW, API, H3 = "shop.example", "www.shop.example", "api.shop.example", "h3.shop.example"
NEW = "new.shop.example"
ADDRESSES = (("A", ("198.51.100.1",)), ("AAAA", ("2001:db8:1::1",)))
MANY = (("A", ("198.51.100.1", "198.51.100.2", "198.51.100.3")),)
TARGET = (("CNAME", ("backup.example.net",)),)


def wanted(name: str, answer: Sequence[tuple[str, tuple[str, ...]]], ttl: int = 60) -> AddressSet:
    return tuple(record_set(name, rtype, ttl, values) for rtype, values in answer)


async def planned(ground: Ground, name: str, after: AddressSet) -> Change:
    """The change that a plan would hold: what is read now, and what the provider would publish."""
    before = await stands(ground, name)
    return change(name, before, ground.provider.normalize(ZONE_NAME, before, after))


async def stands(ground: Ground, name: str) -> AddressSet:
    return address_set((await ground.provider.read(ZONE_NAME, [name])).records[name])


def change(name: str, before: AddressSet, after: AddressSet) -> Change:
    return Change(account="dns-main", zone=ZONE_NAME, name=name, before=before, after=after)


class TestReading:
    async def test_everything_at_a_name_is_read_in_canonical_form(self, ground: Ground) -> None:
        """Addresses, host names without the final dot, and everything else as a zone file has it."""
        records = (await ground.provider.read(ZONE_NAME, [APEX, WWW, API])).records
        apex = {r.type: r for r in records[APEX]}
        assert apex["A"] == record_set(APEX, "A", 60, ["192.0.2.10"])
        assert apex["AAAA"] == record_set(APEX, "AAAA", 60, ["2001:db8::10"])
        assert (apex["MX"].ttl, apex["MX"].values) == (3600, ("10 mail.shop.example.",))
        assert (apex["TXT"].ttl, apex["TXT"].values) == (300, ('"v=spf1 -all"',))
        assert records[WWW] == (record_set(WWW, "CNAME", 60, ["primary.example.net"]),)
        assert address_set(records[API]) == (
            record_set(API, "A", 120, ["192.0.2.20", "192.0.2.21"]),
            record_set(API, "AAAA", 120, ["2001:db8::20"]),
        )

    async def test_a_name_without_records_is_empty(self, ground: Ground) -> None:
        """Every name asked for is in the answer."""
        reading = await ground.provider.read(ZONE_NAME, [NEW, "deep.below.shop.example"])
        assert reading.records == {NEW: (), "deep.below.shop.example": ()}
        assert reading.wildcards == ()

    async def test_a_wildcard_is_told_apart(self, ground: Ground) -> None:
        """A name that only a wildcard answers for has no records; one that exists beside a wildcard has its own."""
        own, covered = "own.apps.shop.example", "some.apps.shop.example"
        ground.add(own, 60, "A", "192.0.2.40")
        reading = await ground.provider.read(ZONE_NAME, [own, covered])
        assert reading.wildcards == (covered,)
        assert reading.records == {own: (record_set(own, "A", 60, ["192.0.2.40"]),), covered: ()}

    async def test_a_wildcard_of_any_address_type_is_told_apart(self, ground: Ground) -> None:
        """IPv6 and CNAME wildcards as well."""
        ground.add("*.six.shop.example", 60, "AAAA", "2001:db8::6")
        ground.add("*.name.shop.example", 60, "CNAME", "primary.example.net.")
        names = ("a.six.shop.example", "a.name.shop.example")
        reading = await ground.provider.read(ZONE_NAME, names)
        assert reading.wildcards == names
        assert reading.records == dict.fromkeys(names, ())

    @pytest.mark.parametrize("name", ["eu.shop.example", "www.eu.shop.example", "a.b.eu.shop.example"])
    async def test_a_name_that_is_delegated_away_is_refused(self, ground: Ground, name: str) -> None:
        """At the delegation and below it: a record added there would be taken, and serve nothing."""
        ground.add("eu.shop.example", 3600, "NS", "ns1.elsewhere.example.")
        with pytest.raises(Rejected, match=f"{name} is delegated away") as caught:
            await ground.provider.read(ZONE_NAME, [WWW, name])
        assert "Name the zone that really holds it" in caught.value.hint

    async def test_an_https_record_is_read(self, ground: Ground) -> None:
        """It decides where browsers go, so it is part of the address set."""
        found = {r.type: r for r in await stands(ground, H3)}
        assert found["HTTPS"].values == ('1 . alpn="h3,h2" ipv4hint="192.0.2.30"',)

    async def test_a_name_in_another_script_is_read(self, ground: Ground) -> None:
        """Names are A-labels in lower case, however they stand in the zone."""
        name = hostname("Bücher.SHOP.example")
        ground.add("xn--BCHER-kva.Shop.example", 60, "A", "192.0.2.50")
        assert await stands(ground, name) == (record_set(name, "A", 60, ["192.0.2.50"]),)

    async def test_many_names_are_read(self, ground: Ground) -> None:
        """More names than one page or one message has."""
        names = [f"n{number}.shop.example" for number in range(120)]
        for name in names[::10]:
            ground.add(name, 60, "A", "192.0.2.60")
        records = (await ground.provider.read(ZONE_NAME, names)).records
        assert [name for name in names if records[name]] == names[::10]

    async def test_a_zone_that_is_not_there_is_not_found(self, ground: Ground) -> None:
        """The error names the zone and says where to look."""
        with pytest.raises(NotFound, match=r"elsewhere\.example") as caught:
            await ground.provider.read("elsewhere.example", ["www.elsewhere.example"])
        assert caught.value.hint


class TestChanging:
    @pytest.mark.shared_code(
        "in place", "the apex", "CNAME to addresses", "addresses to CNAME", "gives way", "nothing to CNAME"
    )
    @pytest.mark.parametrize(
        ("name", "answer"),
        [
            pytest.param(API, ADDRESSES, id="addresses in place"),
            pytest.param(API, MANY, id="more addresses, no IPv6"),
            pytest.param(APEX, ADDRESSES, id="addresses at the apex"),
            pytest.param(WWW, TARGET, id="another target"),
            pytest.param(WWW, ADDRESSES, id="CNAME to addresses"),
            pytest.param(API, TARGET, id="addresses to CNAME"),
            pytest.param(H3, ADDRESSES, id="HTTPS record goes"),
            pytest.param(H3, TARGET, id="HTTPS record gives way to CNAME"),
            pytest.param(NEW, ADDRESSES, id="nothing to addresses"),
            pytest.param(NEW, TARGET, id="nothing to CNAME"),
            pytest.param("some.apps.shop.example", ADDRESSES, id="below a wildcard"),
            pytest.param("note.shop.example", ADDRESSES, id="beside a text"),
        ],
    )
    async def test_a_change_and_its_undo(
        self, ground: Ground, name: str, answer: Sequence[tuple[str, tuple[str, ...]]]
    ) -> None:
        """A change gives what was planned and touches nothing else; undo puts the zone back exactly as it was."""
        zone, others = ground.records(), ground.beside(name)
        planned_change = await planned(ground, name, wanted(name, answer))
        assert await ground.provider.apply(ZONE_NAME, [planned_change]) == Applied()
        assert await stands(ground, name) == planned_change.after
        assert await ground.provider.read_back(ZONE_NAME, [planned_change]) == {name: planned_change.after}
        assert ground.beside(name) == others
        assert await ground.provider.apply(ZONE_NAME, [planned_change.inverse]) == Applied()
        assert await stands(ground, name) == planned_change.before
        assert await ground.provider.read_back(ZONE_NAME, [planned_change.inverse]) == {name: planned_change.before}
        assert ground.records() == zone

    async def test_what_already_stands_can_be_written_again(self, ground: Ground) -> None:
        """A change that changes nothing is made, and changes nothing."""
        zone = ground.records()
        before = await stands(ground, API)
        assert await ground.provider.apply(ZONE_NAME, [change(API, before, before)]) == Applied()
        assert ground.records() == zone

    async def test_a_ttl_alone_is_changed(self, ground: Ground) -> None:
        """Lowering a TTL is a change like any other."""
        lower = await planned(ground, API, wanted(API, [("A", ("192.0.2.20", "192.0.2.21"))], ttl=60))
        assert await ground.provider.apply(ZONE_NAME, [lower]) == Applied()
        assert [r.ttl for r in await stands(ground, API)] == [60]

    async def test_as_many_names_in_one_batch_as_the_provider_takes(self, ground: Ground) -> None:
        """Long names with several addresses, replaced by CNAMEs and back: one batch each time."""
        names = [f"a-name-of-forty-letters-for-service-{number:05}.shop.example" for number in range(400)]
        others = ground.records()
        two = [("A", ("198.51.100.1", "198.51.100.2")), ("AAAA", ("2001:db8:1::1", "2001:db8:1::2"))]
        capabilities = ground.provider.capabilities
        every = [change(name, wanted(name, two), wanted(name, TARGET)) for name in names]
        replaced = next(batches(every, {every[0].account: capabilities}))
        assert 20 <= len(replaced) < len(names)
        names = [c.name for c in replaced]
        created = [change(c.name, (), c.before) for c in replaced]
        assert await ground.provider.apply(ZONE_NAME, created) == Applied()
        assert await ground.provider.apply(ZONE_NAME, replaced) == Applied()
        live = (await ground.provider.read(ZONE_NAME, names)).records
        assert live == {c.name: c.after for c in replaced}
        assert await ground.provider.apply(ZONE_NAME, [c.inverse for c in replaced]) == Applied()
        assert await ground.provider.apply(ZONE_NAME, [c.inverse for c in created]) == Applied()
        assert ground.records() == others


def _value(ground: Ground) -> None:
    ground.remove(API, "AAAA")
    ground.add(API, 120, "AAAA", "2001:db8::99")


def _ttl(ground: Ground) -> None:
    ground.remove(API, "AAAA")
    ground.add(API, 240, "AAAA", "2001:db8::20")


def _type(ground: Ground) -> None:
    ground.remove(API, "A")
    ground.remove(API, "AAAA")
    ground.add(API, 120, "CNAME", "elsewhere.example.net.")


MEANWHILE: dict[str, Callable[[Ground], None]] = {
    "a value changed": _value,
    "a value was added": lambda ground: ground.add(API, 120, "A", "192.0.2.99"),
    "an HTTPS record appeared": lambda ground: ground.add(API, 300, "HTTPS", '1 . alpn="h2"'),
    "a record set is gone": lambda ground: ground.remove(API, "AAAA"),
    "the type changed": _type,
}


class TestExpectations:
    @pytest.mark.shared_code("to addresses-a value changed", "to CNAME-the TTL changed")
    @pytest.mark.parametrize("meanwhile", [*MEANWHILE.values(), _ttl], ids=[*MEANWHILE, "the TTL changed"])
    @pytest.mark.parametrize("answer", [ADDRESSES, TARGET], ids=["to addresses", "to CNAME"])
    async def test_what_changed_since_it_was_read_stops_the_whole_batch(
        self,
        ground: Ground,
        meanwhile: Callable[[Ground], None],
        answer: Sequence[tuple[str, tuple[str, ...]]],
    ) -> None:
        """Nothing is changed, at no name, and the answer says where the conflict is."""
        changes = [await planned(ground, name, wanted(name, answer)) for name in (WWW, API, NEW)]
        meanwhile(ground)
        zone = ground.records()
        result = await ground.provider.apply(ZONE_NAME, changes)
        assert isinstance(result, PreconditionFailed)
        assert any(API in text for text in result.conflicts)
        assert ground.records() == zone

    @pytest.mark.native
    @pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE)
    async def test_a_change_in_the_last_instant_is_seen_where_the_server_compares(
        self, ground: Ground, meanwhile: Callable[[Ground], None]
    ) -> None:
        """With a native compare-and-set even what changes between the last reading and the write is a conflict."""
        changes = [await planned(ground, name, wanted(name, ADDRESSES)) for name in (WWW, API)]
        ground.before_write(lambda: meanwhile(ground))
        result = await ground.provider.apply(ZONE_NAME, changes)
        assert isinstance(result, PreconditionFailed)
        assert await stands(ground, WWW) == changes[0].before
        assert not any("198.51.100.1" in line for line in ground.records())

    async def test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch(self, ground: Ground) -> None:
        """No provider creates half of a set because the other half was gone."""
        changes = [await planned(ground, name, wanted(name, ADDRESSES)) for name in (WWW, API)]
        ground.before_write(lambda: ground.remove(API, "AAAA"))
        assert isinstance(await ground.provider.apply(ZONE_NAME, changes), PreconditionFailed)
        assert not any("198.51.100.1" in line for line in ground.records())

    @pytest.mark.shared_code("TXT")
    @pytest.mark.parametrize("rtype, value", [("TXT", '"new"'), ("MX", "10 mail.shop.example.")])
    async def test_a_cname_is_never_put_beside_other_records(self, ground: Ground, rtype: str, value: str) -> None:
        """What appeared at a name that is to get a CNAME stops the change."""
        to_cname = await planned(ground, API, wanted(API, TARGET))
        ground.add(API, 300, rtype, value)
        zone = ground.records()
        assert isinstance(await ground.provider.apply(ZONE_NAME, [to_cname]), PreconditionFailed)
        assert ground.records() == zone

    async def test_a_name_that_should_be_empty_and_is_not(self, ground: Ground) -> None:
        """Creating a name never adds to what somebody else created there."""
        ground.add(NEW, 60, "A", "192.0.2.99")
        zone = ground.records()
        created = change(NEW, (), wanted(NEW, ADDRESSES))
        assert isinstance(await ground.provider.apply(ZONE_NAME, [created]), PreconditionFailed)
        assert ground.records() == zone

    @pytest.mark.shared_code
    async def test_a_change_is_not_made_twice(self, ground: Ground) -> None:
        """What was made already is no longer as expected."""
        once = await planned(ground, WWW, wanted(WWW, ADDRESSES))
        assert await ground.provider.apply(ZONE_NAME, [once]) == Applied()
        assert isinstance(await ground.provider.apply(ZONE_NAME, [once]), PreconditionFailed)
        assert await stands(ground, WWW) == once.after

    @pytest.mark.shared_code("in place")
    @pytest.mark.parametrize("names", [(WWW, API), ("mail.shop.example",)], ids=["another type", "in place"])
    async def test_of_two_conflicting_changes_one_is_made(self, ground: Ground, names: tuple[str, ...]) -> None:
        """Two batches at the same moment: one is made, the other finds the world changed."""
        one = [await planned(ground, name, wanted(name, [("A", ("198.51.100.1",))])) for name in names]
        other = [await planned(ground, name, wanted(name, [("A", ("198.51.100.2",))])) for name in names]
        # Two connections are open already, so that both really begin at the same moment.
        await asyncio.gather(*(stands(ground, names[0]) for _ in range(2)))
        results = await asyncio.gather(*(ground.provider.apply(ZONE_NAME, changes) for changes in (one, other)))
        assert sorted(type(result).__name__ for result in results) == ["Applied", "PreconditionFailed"]
        made = one if isinstance(results[0], Applied) else other
        assert [await stands(ground, name) for name in names] == [c.after for c in made]


class TestCredentials:
    async def test_a_credential_that_may_write_is_verified_without_a_change(self, ground: Ground) -> None:
        """`verify` says what the credential can do and leaves the zone alone."""
        zone = ground.records()
        access = await ground.provider.verify(ZONE_NAME, [WWW, APEX])
        assert ZONE_NAME in access.zones
        assert access.may_write is True
        assert ground.records() == zone

    async def test_a_credential_that_may_not_write(self, ground: Ground) -> None:
        """It is told by `verify` before anything is tried, and a write says PermissionDenied with what to do."""
        ground.forbid_writing()
        assert (await ground.provider.verify(ZONE_NAME, [WWW])).may_write is False
        forbidden = await planned(ground, WWW, wanted(WWW, ADDRESSES))
        with pytest.raises(PermissionDenied) as caught:
            await ground.provider.apply(ZONE_NAME, [forbidden])
        assert caught.value.hint

    async def test_a_wrong_credential_is_an_auth_error(self, ground: Ground) -> None:
        """Both when it is verified and when it is used."""
        good = await planned(ground, WWW, wanted(WWW, ADDRESSES))
        zone = ground.records()
        wrong = ground.open(secret=wrong_secret(ground))
        for attempt in (wrong.verify(ZONE_NAME, [WWW]), wrong.apply(ZONE_NAME, [good])):
            with pytest.raises(AuthError) as caught:
                await attempt
            assert caught.value.hint
        assert ground.records() == zone
        await wrong.aclose()

    @pytest.mark.shared_code("line")
    @pytest.mark.parametrize("secret", ["", "with a space", "line\nbreak", "ümlaut"])
    async def test_what_cannot_be_a_credential_is_an_auth_error(self, ground: Ground, secret: str) -> None:
        """A text that no server would take is refused in words, and the words do not repeat it."""
        good = await planned(ground, WWW, wanted(WWW, ADDRESSES))
        wrong = ground.open(secret=secret or " ")
        with pytest.raises(AuthError) as caught:
            await wrong.apply(ZONE_NAME, [good])
        assert not secret or secret not in str(caught.value)
        await wrong.aclose()

    async def test_the_secret_never_shows(
        self, ground: Ground, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Not in a repr, not in an error, not in a log at its most talkative."""
        caplog.set_level(logging.DEBUG)
        shown = [repr(ground.provider), str(ground.provider), repr(vars(ground.provider))]
        there = await planned(ground, WWW, wanted(WWW, ADDRESSES))
        await ground.provider.apply(ZONE_NAME, [there])
        ground.lose("update")
        shown.append(repr(await ground.provider.apply(ZONE_NAME, [there.inverse])))
        await ground.provider.verify(ZONE_NAME, [WWW])
        ground.forbid_writing()
        ground.lose("answer")
        impatient = ground.open(timeout=0.2)
        # Nobody waits for a provider that has patience where nobody answers.
        for step, patient in (("", [ground.provider]), ("silence", []), ("stop", [ground.provider])):
            if step == "silence":
                ground.fall_silent("everything")
            elif step == "stop":
                ground.stop()
            for provider in (*patient, impatient, ground.open(secret=ground.secret + "\n", timeout=0.2)):
                try:
                    shown.append(repr(await provider.apply(ZONE_NAME, [there.inverse])))
                except ProviderError as error:
                    shown += [str(error), repr(error), error.hint, "".join(traceback.format_exception(error))]
        captured = capsys.readouterr()
        texts = [*shown, caplog.text, *(repr(vars(r)) for r in caplog.records), captured.out, captured.err]
        assert not [text for text in texts if ground.secret in text]
        await impatient.aclose()


def wrong_secret(ground: Ground) -> str:
    return WRONG_SECRET if isinstance(ground, BindGround) else WRONG_TOKEN


class TestFailures:
    @pytest.mark.shared_code
    async def test_a_server_that_is_down_is_unavailable(self, ground: Ground) -> None:
        """Reading and writing say so at once, not after the time-out."""
        there = await planned(ground, WWW, wanted(WWW, ADDRESSES))
        ground.stop()
        async with asyncio.timeout(20):
            for attempt in (ground.provider.read(ZONE_NAME, [WWW]), ground.provider.apply(ZONE_NAME, [there])):
                with pytest.raises(Unavailable):
                    await attempt

    async def test_a_server_that_never_answers_is_unavailable(self, ground: Ground) -> None:
        """A reading ends with the time-out."""
        ground.fall_silent("everything")
        impatient = ground.open(timeout=0.3)
        async with asyncio.timeout(20):
            with pytest.raises(Unavailable, match=r"within 0\.3 s"):
                await impatient.read(ZONE_NAME, [WWW])
        await impatient.aclose()

    async def test_a_write_without_an_answer_is_unsure(self, ground: Ground) -> None:
        """It ends with the time-out, and is not repeated."""
        there = await planned(ground, WWW, wanted(WWW, ADDRESSES))
        ground.fall_silent("updates")
        impatient = ground.open(timeout=0.5)
        async with asyncio.timeout(20):
            result = await impatient.apply(ZONE_NAME, [there])
        assert isinstance(result, Indeterminate)
        assert "0.5 s" in result.text
        await impatient.aclose()

    async def test_a_write_whose_answer_is_lost_is_unsure(self, ground: Ground) -> None:
        """The world is as planned, and reading shows it."""
        there = await planned(ground, WWW, wanted(WWW, ADDRESSES))
        ground.lose("answer")
        assert isinstance(await ground.provider.apply(ZONE_NAME, [there]), Indeterminate)
        assert await stands(ground, WWW) == there.after

    async def test_a_write_that_is_lost_is_unsure(self, ground: Ground) -> None:
        """Nobody can tell it from a lost answer; the world is as before, and the provider did not repeat it."""
        there = await planned(ground, WWW, wanted(WWW, ADDRESSES))
        ground.lose("update")
        assert isinstance(await ground.provider.apply(ZONE_NAME, [there]), Indeterminate)
        assert await stands(ground, WWW) == there.before


SIGN = "_changeover.shop.example"
FIRST, SECOND, THIRD = (f"changeover-lease v1 owner=alice@laptop fence={fence}" for fence in (1, 2, 3))
FOREIGN = "another-program says something"
GUARD = Guard(SIGN, FIRST)


async def said(ground: Ground) -> tuple[str, ...]:
    """All texts at the name of the lease."""
    records = (await ground.provider.read(ZONE_NAME, [SIGN])).records[SIGN]
    return tuple(sorted(text_of(value) for record in records for value in record.values))


async def put(ground: Ground, before: str | None, after: str | None) -> Result:
    return await ground.provider.swap_txt(ZONE_NAME, SIGN, before, after)


class TestTexts:
    async def test_a_text_is_created_replaced_and_removed(self, ground: Ground) -> None:
        """Each time expecting what stands there; at the end the zone is as it was."""
        zone = ground.records()
        assert ground.provider.capabilities.leases
        for before, after in ((None, FIRST), (FIRST, SECOND), (SECOND, None)):
            assert await put(ground, before, after) == Applied()
            assert await said(ground) == ((after,) if after else ())
        assert ground.records() == zone

    @pytest.mark.shared_code("it is another")
    @pytest.mark.parametrize(
        ("stands", "before", "after"),
        [
            pytest.param(FIRST, None, SECOND, id="there is one already"),
            pytest.param(FIRST, SECOND, THIRD, id="it is another"),
            pytest.param(None, FIRST, SECOND, id="it is gone"),
            pytest.param(None, FIRST, None, id="it is removed already"),
            pytest.param(FIRST, SECOND, None, id="another is to be removed"),
        ],
    )
    async def test_a_text_that_is_not_as_expected_stays(
        self, ground: Ground, stands: str | None, before: str | None, after: str | None
    ) -> None:
        """Nothing is changed, and the answer names the place."""
        for there in [stands] if stands else []:
            ground.add(SIGN, 60, "TXT", f'"{there}"')
        zone = ground.records()
        result = await put(ground, before, after)
        assert isinstance(result, PreconditionFailed)
        assert SIGN in result.conflicts[0]
        assert ground.records() == zone

    async def test_other_texts_at_the_name_stay_as_they_are(self, ground: Ground) -> None:
        """Values and TTLs of other kinds, whatever is created, replaced and removed beside them."""
        ground.add(SIGN, 300, "TXT", f'"{FOREIGN}"')
        ground.add(SIGN, 300, "TXT", '"of two" " strings"')
        zone = ground.records()
        for before, after in ((None, FIRST), (FIRST, SECOND), (SECOND, None)):
            assert await put(ground, before, after) == Applied()
            assert zone <= ground.records()
            assert await said(ground) == tuple(sorted([FOREIGN, "of two strings", *([after] if after else [])]))
        assert ground.records() == zone

    @pytest.mark.shared_code("TXT+A")
    @pytest.mark.parametrize("types", [("TXT",), ("TXT", "A")], ids="+".join)
    async def test_a_wildcard_does_not_stand_in_the_way(self, ground: Ground, types: Sequence[str]) -> None:
        """Texts and addresses that a wildcard gives the name are not at the name."""
        for rtype in types:
            ground.add("*.shop.example", 60, rtype, {"TXT": '"for everybody"', "A": "192.0.2.77"}[rtype])
        for before, after in ((None, FIRST), (FIRST, SECOND)):
            assert await put(ground, before, after) == Applied()
        assert await said(ground) == (SECOND,)

    async def test_of_two_at_the_same_moment_not_both_are_made(self, ground: Ground) -> None:
        """Whoever is told that the text is theirs may rely on it."""
        ground.before_write(lambda: ground.add(SIGN, 60, "TXT", f'"{SECOND}"'))
        assert isinstance(await put(ground, None, FIRST), PreconditionFailed)
        assert await said(ground) == (SECOND,)

    @pytest.mark.native
    async def test_a_text_that_is_replaced_in_the_last_instant(self, ground: Ground) -> None:
        """Is somebody else's, where the server compares, and stays."""
        ground.add(SIGN, 60, "TXT", f'"{FIRST}"')

        def meanwhile() -> None:
            ground.remove(SIGN, "TXT")
            ground.add(SIGN, 60, "TXT", f'"{SECOND}"')

        ground.before_write(meanwhile)
        assert isinstance(await put(ground, FIRST, THIRD), PreconditionFailed)
        assert await said(ground) == (SECOND,)

    @pytest.mark.shared_code
    async def test_what_collided_can_be_removed_one_by_one(self, ground: Ground) -> None:
        """Where two of one kind stand there all the same, neither is replaced, and each can be removed."""
        for text in (FIRST, SECOND):
            ground.add(SIGN, 60, "TXT", f'"{text}"')
        assert isinstance(await put(ground, FIRST, THIRD), PreconditionFailed)
        assert await put(ground, FIRST, None) == Applied()
        assert await put(ground, SECOND, THIRD) == Applied()
        assert await said(ground) == (THIRD,)

    @pytest.mark.shared_code("update")
    @pytest.mark.parametrize("lost", ["update", "answer"])
    async def test_a_put_that_is_lost_is_unsure(self, ground: Ground, lost: Literal["update", "answer"]) -> None:
        """Reading tells what became of it; nothing is repeated."""
        ground.lose(lost)
        assert isinstance(await put(ground, None, FIRST), Indeterminate)
        assert await said(ground) == ((FIRST,) if lost == "answer" else ())

    async def test_a_credential_that_may_not_write(self, ground: Ground) -> None:
        """Is told so, as for any other write."""
        ground.forbid_writing()
        with pytest.raises(PermissionDenied):
            await put(ground, None, FIRST)

    @pytest.mark.shared_code
    @pytest.mark.parametrize("text", ['with "quotes"', "back\\slash", "ümlaut", "two\nlines", "long " * 52, ""])
    async def test_what_is_no_plain_text_is_not_written(self, ground: Ground, text: str) -> None:
        """A text is one string that every provider writes in the same way."""
        with pytest.raises(ValueError, match="plain string"):
            await put(ground, None, text)


class TestGuards:
    @pytest.mark.shared_code("alone")
    @pytest.mark.parametrize("beside", [(), (FOREIGN,)], ids=["alone", "beside another text"])
    async def test_a_guarded_change_is_made_while_the_guard_holds(self, ground: Ground, beside: Sequence[str]) -> None:
        """There and back, and the text stays as it is."""
        for text in (FIRST, *beside):
            ground.add(SIGN, 60, "TXT", f'"{text}"')
        zone = ground.records()
        changes = [await planned(ground, name, wanted(name, ADDRESSES)) for name in (WWW, API)]
        assert await ground.provider.apply(ZONE_NAME, changes, GUARD) == Applied()
        assert await stands(ground, WWW) == changes[0].after
        assert await ground.provider.apply(ZONE_NAME, [c.inverse for c in changes], GUARD) == Applied()
        assert ground.records() == zone

    @pytest.mark.shared_code("gone")
    @pytest.mark.parametrize("now", [None, SECOND, FOREIGN], ids=["gone", "another", "another kind"])
    async def test_without_its_guard_nothing_is_changed(self, ground: Ground, now: str | None) -> None:
        """A run whose lease was taken over cannot write, and is told where."""
        for text in [now] if now else []:
            ground.add(SIGN, 60, "TXT", f'"{text}"')
        changes = [await planned(ground, name, wanted(name, ADDRESSES)) for name in (WWW, API)]
        zone = ground.records()
        result = await ground.provider.apply(ZONE_NAME, changes, GUARD)
        assert isinstance(result, PreconditionFailed)
        assert SIGN in result.conflicts[0]
        assert ground.records() == zone

    @pytest.mark.native
    @pytest.mark.parametrize("added", [SECOND, FOREIGN], ids=["taken over", "another text beside it"])
    async def test_a_guard_that_changes_in_the_last_instant(self, ground: Ground, added: str) -> None:
        """Stops the whole batch where the server compares."""
        ground.add(SIGN, 60, "TXT", f'"{FIRST}"')
        changes = [await planned(ground, name, wanted(name, ADDRESSES)) for name in (WWW, API)]

        def meanwhile() -> None:
            if added == SECOND:
                ground.remove(SIGN, "TXT")
            ground.add(SIGN, 60, "TXT", f'"{added}"')

        ground.before_write(meanwhile)
        assert isinstance(await ground.provider.apply(ZONE_NAME, changes, GUARD), PreconditionFailed)
        assert await stands(ground, WWW) == changes[0].before
        assert await stands(ground, API) == changes[1].before

    async def test_a_full_batch_has_room_for_its_guard(self, ground: Ground) -> None:
        """The longest text, with another beside it, and as many names as fit."""
        longest = f"changeover-lease {'x' * 238}"
        for text in (longest, FOREIGN):
            ground.add(SIGN, 60, "TXT", f'"{text}"')
        names = [f"a-name-of-forty-letters-for-service-{number:05}.shop.example" for number in range(500)]
        every = [change(name, (), wanted(name, TARGET)) for name in names]
        created = next(batches(every, {every[0].account: ground.provider.capabilities}))
        assert await ground.provider.apply(ZONE_NAME, created, Guard(SIGN, longest)) == Applied()
        back = [c.inverse for c in created]
        assert await ground.provider.apply(ZONE_NAME, back, Guard(SIGN, longest)) == Applied()
