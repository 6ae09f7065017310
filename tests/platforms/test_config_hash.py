"""Configuration values are told apart, and are never told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.platforms.config_hash import hashed, urls_without_tls

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


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("postgres://u:canary@db.example/shop", True),
        ("postgresql://u:canary@db.example/shop?sslmode=prefer", True),
        ("postgresql://u:canary@db.example/shop?sslmode=require", False),
        ("postgres://u:canary@db.example/shop?application_name=shop&sslmode=verify-full", False),
        ("mysql2://u:canary@db.example/shop", True),
        ("mysql://u:canary@db.example/shop?ssl-mode=VERIFY_IDENTITY", False),
        ("https://db.example/postgres://", False),
        ("", False),
    ],
)
def test_a_database_that_is_not_asked_for_tls_is_named(value: str, told: bool) -> None:
    """By the variable's name alone."""
    assert urls_without_tls({"DATABASE_URL": value}) == (("DATABASE_URL",) if told else ())
