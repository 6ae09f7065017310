"""What the form for a new service makes of how it is to be checked."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from changeover.desktop.setup.service_form import Form, service_of
from changeover.model.health.check import HealthCheck

TYPED = Form(
    name="shop",
    hostnames="www.shop.example",
    account="dns-main",
    zone="shop.example",
    primary="192.0.2.1",
    backup="192.0.2.2",
)


@pytest.mark.parametrize(
    ("typed", "health"),
    [
        ({}, HealthCheck()),
        ({"scheme": "http", "path": "/up", "port": " 8080 "}, HealthCheck(scheme="http", path="/up", port=8080)),
        ({"contains": "ok"}, HealthCheck(expect_body="ok")),
        ({"scheme": "tcp", "port": "5432", "path": "/up", "contains": "ok"}, HealthCheck(scheme="tcp", port=5432)),
    ],
)
def test_a_check_is_what_was_typed(typed: dict[str, str], health: HealthCheck) -> None:
    """A check that only opens a connection has no path and no text."""
    assert service_of(replace(TYPED, **typed)).health == health


@pytest.mark.parametrize(("typed", "words"), [({"scheme": "tcp"}, "which port"), ({"port": "http"}, "is not a number")])
def test_a_port_that_is_missing_or_wrong_is_told(typed: dict[str, str], words: str) -> None:
    """In words that name the field."""
    with pytest.raises(ValueError, match=f"^Port: .*{words}"):
        service_of(replace(TYPED, **typed))
