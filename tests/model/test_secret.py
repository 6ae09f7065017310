"""A secret shows itself to nobody who does not ask for it."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from changeover.model.secret import Secret

CANARY = "canary-8f3b1c6e"


@pytest.mark.parametrize("secret", [Secret(CANARY), Secret(CANARY).after("Bearer ")], ids=["itself", "in a header"])
def test_nothing_that_is_printed_gives_it_away(secret: Secret) -> None:
    """Nor is it written anywhere by what serialises objects."""
    assert CANARY not in f"{secret} {secret!r} {[secret]} {vars(type(secret))}"
    for way in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError) as caught:
            way(secret)
        assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_it_is_told_apart_from_others() -> None:
    """And from a text, even from its own."""
    assert Secret(CANARY) == Secret(CANARY) != Secret("another")
    assert Secret(CANARY) != CANARY
    assert Secret(CANARY).after("Bearer ").reveal() == f"Bearer {CANARY}"


@pytest.mark.parametrize(("text", "blank"), [("", True), (" \n", True), (" x", False)])
def test_a_blank_one_is_none(text: str, blank: bool) -> None:
    """Whatever a form or a pipe gave."""
    assert Secret(text).is_blank == blank
