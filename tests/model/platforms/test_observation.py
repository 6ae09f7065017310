"""What was done at a platform is taken back by what stood before, and by nothing else."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.platforms.platform_observation import PlatformObservation, Process, reverse_of
from changeover.model.settings.action import PlatformCall, Verb
from changeover.model.wording.platform_words import observation_words

numbers = st.integers(0, 50)
observations = st.builds(
    PlatformObservation, wanted=st.none() | numbers, running=st.none() | numbers, maintenance=st.none() | st.booleans()
)


def call(verb: Verb, **options: object) -> PlatformCall:
    return PlatformCall(deployment="backup", verb=verb, options=options)


@given(observations, numbers)
def test_scale_goes_back_to_the_number_that_was_wanted(before: PlatformObservation, number: int) -> None:
    """Whatever ran at that moment; nowhere, where it changed nothing or nobody knows the number."""
    back = reverse_of(call("scale", instances=number), before)
    if before.wanted is None or before.wanted == number:
        assert back is None
    else:
        assert back == call("scale", instances=before.wanted)


@given(observations)
def test_maintenance_goes_back_only_where_it_was_changed(before: PlatformObservation) -> None:
    """What was in maintenance before stays so."""
    assert reverse_of(call("maintenance-on"), before) == (
        call("maintenance-off") if before.maintenance is False else None
    )
    assert reverse_of(call("maintenance-off"), before) == (call("maintenance-on") if before.maintenance else None)


FLEET = (Process(name="web", wanted=2), Process(name="worker", wanted=0))
STOOD = PlatformObservation(
    wanted=2, release="v41", hostnames=("www.shop.example",), started=True, processes=FLEET, managed_certificates=False
)


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        (call("scale", process="worker", instances=3), call("scale", process="worker", instances=0)),
        (call("scale", process="web", instances=2), None),
        (call("scale", process="clock", instances=2), None),
        (call("stop"), call("start")),
        (call("start"), None),
        (call("attach-domain", hostname="shop.example"), call("detach-domain", hostname="shop.example")),
        (call("attach-domain", hostname="www.shop.example"), None),
        (call("detach-domain", hostname="www.shop.example"), call("attach-domain", hostname="www.shop.example")),
        (call("detach-domain", hostname="shop.example"), None),
        (call("enable-certificates"), call("disable-certificates")),
        (call("disable-certificates"), None),
        (call("rollback", release="v40"), call("rollback", release="v41")),
        (call("rollback", release="v41"), None),
        (call("restart"), None),
        (call("promote"), None),
        (call("purge-cache"), None),
    ],
)
def test_each_is_taken_back_by_what_stood_before(asked: PlatformCall, back: PlatformCall | None) -> None:
    """By its counterpart, where it changed something; a promotion is a switch of its own."""
    assert reverse_of(asked, STOOD) == back
    assert reverse_of(asked, PlatformObservation()) in (None, call("detach-domain", **asked.options))


def test_a_journal_gets_what_takes_an_operation_back() -> None:
    """The same reverse follows from it, and nothing of the configuration is in it."""
    seen = replace(STOOD, commit="4f4f592", config={"DATABASE_URL": "77de68daecd823ba"})
    assert seen.for_journal == STOOD
    assert seen.for_keeping == replace(seen, config={"DATABASE_URL": ""})


@pytest.mark.parametrize("verb", get_args(Verb))
def test_nothing_is_guessed(verb: Verb) -> None:
    """Where it is not known what stood before, nothing is put back."""
    assert reverse_of(call(verb, instances=2), None) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (PlatformObservation(release="v42", wanted=1, running=1, maintenance=False), "release v42, 1 instance"),
        (PlatformObservation(wanted=3, running=2, maintenance=True), "2 of 3 instances, in maintenance"),
        (PlatformObservation(wanted=3), "3 instances"),
        (PlatformObservation(), "nothing is told of it"),
    ],
)
def test_what_runs_in_words(found: PlatformObservation, words: str) -> None:
    """Only what the platform tells."""
    assert observation_words(found) == words
