"""What every platform promises (changeover.platforms.platform): the same tests for each."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from changeover.model.errors import NotFound, ProviderError, Rejected, Unavailable
from changeover.model.platforms.platform_observation import PlatformObservation, reverse_of
from changeover.model.settings.account_fields import option_fields
from changeover.model.settings.action import PlatformCall, Verb
from changeover.model.settings.platform import PlatformOperation
from changeover.platforms import PLATFORMS, platform_type
from changeover.platforms.platform import Done, InDoubt
from dns_servers.hostile import hostile
from dns_servers.http_simulator import Answer
from platforms.ground import PlatformGround
from platforms.grounds import GROUNDS
from web_servers.raw import raw_server, saying

OPERATIONS = [
    pytest.param(name, operation, id=f"{name} {operation.verb}")
    for name in PLATFORMS
    for operation in platform_type(name).operations
]


@pytest.fixture(params=GROUNDS)
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PlatformGround]:
    with GROUNDS[request.param](tmp_path) as running:
        yield running
        await running.platform.aclose()


@pytest.fixture
async def of(tmp_path: Path, name: str) -> AsyncIterator[PlatformGround]:
    """The ground of the platform whose operation is tested."""
    with GROUNDS[name](tmp_path) as running:
        yield running
        await running.platform.aclose()


def call(ground: PlatformGround, verb: Verb, number: int) -> PlatformCall:
    """The operation as a run has it."""
    options = ground.options(verb, number)
    told = {} if options is None else msgspec.to_builtins(options)
    return PlatformCall(deployment="it", verb=verb, options=told)


async def perform(ground: PlatformGround, asked: PlatformCall) -> Done | InDoubt:
    """Does what a run's step asks, as the run does it."""
    operation = next(one for one in ground.kind.operations if one.verb == asked.verb)
    options = msgspec.convert(asked.options, operation.options)
    return await ground.platform.perform(ground.target, asked.verb, options, "shop-1-step")


def test_every_platform_has_its_ground() -> None:
    """So that none is left out."""
    assert set(GROUNDS) == set(PLATFORMS)


@pytest.mark.parametrize("name", PLATFORMS)
def test_what_a_platform_declares_has_its_words(name: str) -> None:
    """Keys of an account, of a deployment and of each operation have a label, a meaning and a fitting example."""
    kind = platform_type(name)
    assert kind.label
    assert kind.tested
    operations = [option_fields(operation.options) for operation in kind.operations]
    for field in [
        field for fields in (option_fields(kind.options), option_fields(kind.target), *operations) for field in fields
    ]:
        assert field.option.label and field.option.help, field.name
        assert field.option.example or not field.required, field.name
        if field.option.pattern:
            assert re.fullmatch(field.option.pattern, field.option.example), field.name
    own = {field.name for field in option_fields(kind.target)}
    assert not own & {"name", "answer", "answers", "platform", "account", "marker", "status_page", "options"}
    verbs = [operation.verb for operation in kind.operations]
    assert len(set(verbs)) == len(verbs)
    for operation in kind.operations:
        assert operation.does and operation.permission
        assert operation.reverse is None or operation.reverse in verbs


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("hostname", ["", "shop", "www shop.example", "www.shop.example/x", "WWW.shop.example\n"])
def test_what_is_attached_is_a_hostname(name: str, hostname: str) -> None:
    """What cannot be one is refused where the settings are read, long before the platform is asked."""
    for operation in platform_type(name).operations:
        if operation.verb in ("attach-domain", "detach-domain"):
            assert msgspec.convert({"hostname": "www.shop.example"}, operation.options)
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert({"hostname": hostname}, operation.options)


async def test_what_the_account_has(ground: PlatformGround) -> None:
    """Each by its name, and with the keys with which it can be looked at."""
    found = await ground.platform.discover()
    assert sorted(app.name for app in found) == sorted(ground.names)
    for app in found:
        assert await ground.platform.observe(msgspec.convert(app.keys, ground.kind.target))


@pytest.mark.parametrize("number", [0, 1, 4])
@pytest.mark.parametrize("maintenance", [False, True])
async def test_what_runs_is_told(ground: PlatformGround, number: int, maintenance: bool) -> None:
    """As it is behind the platform, and nothing is changed by looking."""
    ground.begin(number, maintenance)
    before = ground.world()
    found = await ground.platform.observe(ground.target)
    assert (found.wanted, found.running, found.maintenance) == (number, number, maintenance)
    assert found.release
    assert ground.world() == before


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_an_operation_does_what_it_says(of: PlatformGround, operation: PlatformOperation) -> None:
    """From every beginning; done twice it is as done once, where that is declared."""
    for number, maintenance in ((1, False), (3, True), (5, False)):
        of.begin(number, maintenance)
        for _ in range(2 if operation.idempotent else 1):
            done = await perform(of, call(of, operation.verb, 2))
            assert isinstance(done, Done)
            assert done.text.isprintable()
            assert of.stands(operation.verb, 2)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_its_reverse_gives_back_what_was_there(of: PlatformGround, operation: PlatformOperation) -> None:
    """Exactly: the number that ran, and maintenance only where there was some; by the verb that is declared."""
    reversed_ = set()
    for number in (0, 1, 2, 7):
        for maintenance in (False, True):
            of.begin(number, maintenance)
            world = of.world()
            before = await of.platform.observe(of.target)
            asked = call(of, operation.verb, 2)
            await perform(of, asked)
            back = reverse_of(asked, before)
            if back is not None:
                reversed_.add(back.verb)
                await perform(of, back)
            assert of.world() == world or operation.reverse is None
            after = await of.platform.observe(of.target)
            assert of.told(after) == of.told(before) or operation.reverse is None
    assert reversed_ == ({operation.reverse} if operation.reverse is not None else set())


async def test_an_app_that_is_not_there(ground: PlatformGround) -> None:
    """Neither looked at nor changed."""
    with pytest.raises(NotFound):
        await ground.platform.observe(ground.nowhere)
    for operation in ground.kind.operations:
        with pytest.raises(NotFound):
            await ground.platform.perform(ground.nowhere, operation.verb, ground.options(operation.verb, 2), "key")


async def test_a_refusal_has_the_platforms_words_and_changes_nothing(ground: PlatformGround) -> None:
    """What it will not do."""
    before = ground.world()
    with pytest.raises(Rejected) as refused:
        await ground.platform.perform(ground.target, *ground.refused, "key")
    assert refused.value.text
    assert ground.world() == before


async def test_nobody_answers(ground: PlatformGround) -> None:
    """Where no connection comes about, provably nothing was done."""
    before = ground.world()
    async with raw_server(saying()) as port:
        pass
    elsewhere = ground.open(f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable):
        await elsewhere.observe(ground.target)
    verbs = [operation.verb for operation in ground.kind.operations]
    asked = (elsewhere.perform(ground.target, verb, ground.options(verb, 2), "key") for verb in verbs)
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
    await elsewhere.aclose()
    assert ground.world() == before


@pytest.mark.parametrize("what", ["drop-after", "answer-after"])
@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_a_lost_answer_is_in_doubt_and_never_repeated(
    of: PlatformGround, operation: PlatformOperation, what: str
) -> None:
    """It was done, or not: nobody says either, and it was sent once."""
    of.begin(1, maintenance=operation.verb == "maintenance-off")
    of.behind.misbehave(what, writes_only=True, status=502)
    found = await perform(of, call(of, operation.verb, 2))
    assert isinstance(found, InDoubt)
    several = of.requests(operation.verb) > 1
    assert of.stands(operation.verb, 2) or several, "the first was lost, and the second was not made"
    assert len([method for method, _ in of.behind.requests if method != "GET"]) == 1


async def test_an_answer_that_never_comes(ground: PlatformGround) -> None:
    """Looking and doing both end, in the time that they have; what may have been done is in doubt."""
    ground.behind.misbehave("hang", times=100)
    asked = ground.kind.operations[0].verb
    platform = ground.open(ground.behind.address, patience=1)
    async with asyncio.timeout(60):
        found = await asyncio.gather(
            platform.observe(ground.target),
            platform.discover(),
            platform.perform(ground.target, asked, ground.options(asked, 2), "key"),
            return_exceptions=True,
        )
    await platform.aclose()
    assert [type(one) for one in found[:2]] == [type(found[0])] * 2
    assert isinstance(found[0], Unavailable)
    written = any(method != "GET" for method, _ in ground.behind.requests)
    assert isinstance(found[2], InDoubt if written else Unavailable)


@pytest.mark.parametrize("drip", [b" ", b"x" * 65536])
async def test_an_answer_without_an_end(ground: PlatformGround, drip: bytes) -> None:
    """Drop by drop, or in floods: it ends in bounded time and size."""

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            writer.write(drip)
            await writer.drain()
            await asyncio.sleep(0.01 if len(drip) == 1 else 0)

    async with raw_server(drop) as port:
        elsewhere = ground.open(f"http://127.0.0.1:{port}", patience=1)
        async with asyncio.timeout(60):
            with pytest.raises((Unavailable, Rejected)):
                await elsewhere.observe(ground.target)
        await elsewhere.aclose()


async def test_hostile_answers(ground: PlatformGround) -> None:
    """Wrong types, cut, deep, HTML, other encodings, redirects: an error fit for people, or an answer."""
    await _try(ground, range(60))


@pytest.mark.long
async def test_two_thousand_hostile_answers(ground: PlatformGround) -> None:
    """The same at length."""
    await _try(ground, range(2000))


async def _try(ground: PlatformGround, seeds: range) -> None:
    await ground.platform.observe(ground.target)
    honest = ground.behind.answers[-1]
    before = ground.world()
    async with raw_server(saying()) as port:
        pass
    verb = ground.kind.operations[0].verb
    for seed in seeds:
        answer = hostile(seed, honest, f"http://127.0.0.1:{port}", "canary")
        seen = await _outcome(ground, answer, None)
        assert isinstance(seen, ProviderError | PlatformObservation), seed
        done = await _outcome(ground, answer, verb)
        assert isinstance(done, ProviderError | InDoubt | Done), seed
        assert not isinstance(done, Done) or answer.status < 300, seed
    assert ground.world() == before


async def _outcome(ground: PlatformGround, answer: Answer, verb: Verb | None) -> object:
    """What looking comes to, or what that operation does, where this answer is given."""
    ground.behind.forget_misbehaviour()
    ground.behind.misbehave("answer", times=3, status=answer.status, headers=answer.headers, body=answer.content)
    try:
        if verb is None:
            return await ground.platform.observe(ground.target)
        return await ground.platform.perform(ground.target, verb, ground.options(verb, 2), "key")
    except ProviderError as error:
        assert error.text.isprintable()
        assert len(error.text) < 1000
        return error


async def test_a_name_that_would_lead_elsewhere(ground: PlatformGround) -> None:
    """What stands in a deployment's keys is a name, never a path of the API."""
    for text in ("../apps", "a/b", "%2e%2e", "x?y=1", "é"):
        keys = dict.fromkeys(json.loads(msgspec.json.encode(ground.target)), text)
        with pytest.raises(NotFound):
            await ground.platform.observe(msgspec.convert(keys, ground.kind.target))
