"""The texts of a journey: what is put in stands there safely, and what is missing is named without any value."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.health.check import JourneyStep
from changeover.model.health.conditions import Response
from changeover.model.settings.placeholders import (
    Empty,
    Unfilled,
    body_of,
    captured,
    headers_of,
    path_of,
    placeholders,
    secrets_of,
)

VALUES = {"order": "17", "token": 'a"b&c=d', "secret:PW": "p ä/?#%\\"}


def test_what_a_step_needs() -> None:
    """Captured values and secrets, each once; the braces of JSON are none of them."""
    step = JourneyStep(
        path="/orders/{order}/{order}", headers={"X-Token": "{token}"}, body='{"a": {"b": "{secret:PW}"}, "c": {}}'
    )
    assert placeholders(step) == ("order", "token", "secret:PW")
    assert secrets_of([step, step]) == ("PW",)


def test_everything_is_filled() -> None:
    """Path, headers and body."""
    step = JourneyStep(path="/orders/{order}", method="POST", headers={"X-Token": "t {token}"}, body="id={order}")
    assert path_of(step, VALUES) == "/orders/17"
    assert headers_of(step, VALUES) == (
        ("X-Token", 't a"b&c=d'),
        ("Content-Type", "application/x-www-form-urlencoded"),
    )
    assert body_of(step, VALUES) == b"id=17"


@pytest.mark.parametrize(
    ("headers", "body", "sent"),
    [
        ({}, '{"password": "{secret:PW}"}', '{"password": "p ä/?#%\\\\"}'),
        ({}, "password={secret:PW}&x=1", "password=p+%C3%A4%2F%3F%23%25%5C&x=1"),
        ({"content-type": "text/plain"}, "{secret:PW}", "p ä/?#%\\"),
        ({"Content-Type": "application/vnd.shop+json"}, '"{token}"', '"a\\"b&c=d"'),
    ],
)
def test_a_value_keeps_the_form_of_the_body(headers: dict[str, str], body: str, sent: str) -> None:
    """JSON stays JSON, a form stays a form."""
    assert body_of(JourneyStep(path="/", method="POST", headers=headers, body=body), VALUES).decode() == sent


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_value_breaks_out(value: str) -> None:
    """Whatever was captured: a path is one path, JSON has the same value in it, and so has a form."""
    values = {"v": value}
    path = path_of(JourneyStep(path="/a/{v}"), values)
    assert path.isascii()
    assert not any(c.isspace() or c == "#" or ord(c) < 32 for c in path)
    assert "%" in value or unquote(path) == f"/a/{value}"
    assert msgspec.json.decode(body_of(JourneyStep(path="/", body='{"v": "{v}"}'), values)) == {"v": value}
    form = body_of(JourneyStep(path="/", body="v={v}&w=1"), values).decode()
    assert parse_qs(form, keep_blank_values=True, strict_parsing=True) == {"v": [value], "w": ["1"]}


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (JourneyStep(path="/{nobody}"), "nothing was captured as {nobody}"),
        (JourneyStep(path="/", body="{secret:OTHER}"), "the secret OTHER is not in the keyring; add it there"),
        (JourneyStep(path="/", headers={"X-A": "{line}"}), "a value that a header should hold is not one line"),
    ],
)
def test_what_is_missing_is_named(step: JourneyStep, words: str) -> None:
    """And nothing else is shown."""
    with pytest.raises(Unfilled) as raised:
        values = {**VALUES, "line": "a\r\nX-B: c"}
        (path_of(step, values), headers_of(step, values), body_of(step, values))
    assert str(raised.value) == words


ANSWER = Response(
    200,
    ((b"location", b"/orders/17"), (b"content-type", b"application/json")),
    b'{"orders": [{"id": 17, "name": "gr\xc3\xbcn", "paid": true}]}',
)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("json:orders[0].id", "17"),
        ("json:orders[0].name", "grün"),
        ("json:orders[0].paid", "true"),
        ("header:Location", "/orders/17"),
        (r'body:"id": (\d+)', "17"),
    ],
)
def test_what_is_captured(source: str, value: str) -> None:
    """Texts as they are, everything else as JSON writes it."""
    assert captured(source, ANSWER) == value


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("json:orders[1].id", 'there is no "orders[1].id" in its JSON'),
        ("header:X-Order", "there is no header X-Order"),
        (r"body:no (\d+)", r'nothing matches "no (\d+)"'),
        (r"body:(x)?\{", r'nothing matches "(x)?\{"'),
    ],
)
def test_what_is_not_there_to_capture(source: str, words: str) -> None:
    """It says where nothing was, not what was there instead."""
    with pytest.raises(Empty) as raised:
        captured(source, ANSWER)
    assert str(raised.value) == words
