"""Configuration values are told apart, and are never told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from changeover.platforms.config_hash import hashed

configs = st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=8)


@given(configs, configs)
def test_hashes_are_equal_where_values_are(one: dict[str, str], other: dict[str, str]) -> None:
    """Whatever stands in them, and whichever name they have."""
    here, there = hashed(one), hashed(other)
    assert here.keys() == one.keys()
    for name in here.keys() & there.keys():
        assert (here[name] == there[name]) == (one[name] == other[name])


@given(configs)
def test_a_hash_has_nothing_of_its_value(config: dict[str, str]) -> None:
    """Not its length, and none of its words."""
    for name, text in hashed(config).items():
        assert len(text) == 32
        assert len(config[name]) < 8 or config[name] not in text
