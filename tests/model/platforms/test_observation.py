"""What was done at a platform is taken back by what stood before, and by nothing else."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.platforms.platform_observation import PlatformObservation, reverse_of
from changeover.model.settings.action import PlatformCall, Verb
from changeover.model.wording.platform_words import observation_words

numbers = st.integers(0, 50)
observations = st.builds(
    PlatformObservation, wanted=st.none() | numbers, running=st.none() | numbers, maintenance=st.none() | st.booleans()
)


def call(verb: Verb, **options: int) -> PlatformCall:
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


@given(observations)
def test_some_things_have_no_way_back(before: PlatformObservation) -> None:
    """A promotion is a switch of its own, and an emptied cache fills by itself."""
    assert reverse_of(call("promote"), before) is None
    assert reverse_of(call("purge-cache"), before) is None


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
