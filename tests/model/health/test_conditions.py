"""Conditions: each is met or not, and where it is not a plain sentence says what was there instead."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.health.check import Expectations
from changeover.model.health.conditions import (
    MAX_BODY,
    Response,
    comparison,
    enough,
    json_path,
    looks_into_body,
    pattern,
    unmet,
)

JSON = b'{"status": "up", "database": {"state": "down", "lag": 12.5}, "jobs": 3, "ready": true, "nodes": [{"ok": 1}]}'


def response(body: bytes = b"all is ok\n", status: int = 200, **more: Any) -> Response:
    headers = ((b"content-type", b"application/json; charset=utf-8"), (b"via", b"1.1 edge"), (b"via", b"1.1 varnish"))
    return Response(status, more.pop("headers", headers), body, more.pop("seconds", 0.084), **more)


MET: list[tuple[dict[str, Any], Response]] = [
    ({}, response()),
    ({}, response(b"", 204)),
    ({"expect_status": "404"}, response(status=404)),
    ({"expect_body": "is ok"}, response()),
    ({"expect_body": "grün"}, response("alles grün".encode())),
    (
        {"expect_body": "grün"},
        response(b"alles gr\xfcn", headers=((b"content-type", b"text/html; charset=ISO-8859-1"),)),
    ),
    ({"expect_body": "grün"}, response("grün".encode(), headers=((b"content-type", b"text/html; charset=odd"),))),
    ({"expect_body": "ok"}, response(b"\xfe ok \xc3")),
    ({"expect_body_match": r"^all\b.*ok"}, response()),
    ({"expect_body_without": "error"}, response()),
    ({"expect_json": {"status": "up"}}, response(JSON)),
    ({"expect_json": {"status": "up"}}, response(b"\xef\xbb\xbf" + JSON)),
    ({"expect_json": {"database.lag": "< 100", "jobs": ">= 3", "ready": True}}, response(JSON)),
    ({"expect_json": {"jobs": 3, "nodes[0].ok": 1}}, response(JSON)),
    ({"expect_json": {"jobs": 3.0, "length(nodes)": "<= 1"}}, response(JSON)),
    ({"expect_json": {"status": "!= down", "jobs": "!= 4"}}, response(JSON)),
    ({"expect_json": {"status": "== up", "jobs": "== 3", "ready": "== true"}}, response(JSON)),
    ({"expect_json": {"text": "== < 100"}}, response(b'{"text": "< 100"}')),
    ({"expect_header": {"Content-Type": "json", "VIA": "varnish"}}, response()),
    ({"expect_within": 0.1}, response()),
    ({"expect_body": "ok", "expect_json": {"status": "ok"}, "expect_within": 1}, response(b'{"status": "ok"}')),
]
NOT_MET: list[tuple[dict[str, Any], Response, str]] = [
    ({}, response(status=503), "503, expected 200-399"),
    ({"expect_status": "200-299, 404"}, response(status=302), "302, expected 200-299, 404"),
    ({"expect_body": "okay"}, response(), '200, but the text "okay" is missing'),
    ({"expect_body": "ok"}, response(b""), '200, but the text "ok" is missing'),
    ({"expect_body": "ok"}, response(cut=True, body=b"x"), '200, but the text "ok" is missing in its first 64 KiB'),
    (
        {"expect_body": "ok"},
        response(b"\x1f\x8b", headers=((b"content-encoding", b"gzip"),)),
        "200, but the body comes packed (gzip), which was not asked for and cannot be unpacked",
    ),
    ({"expect_body_match": r"^ok$"}, response(), '200, but nothing matches "^ok$"'),
    ({"expect_body_without": "is ok"}, response(), '200, but the text "is ok" is there'),
    ({"expect_json": {"database.state": "up"}}, response(JSON), '200, but "database.state" is "down", expected "up"'),
    ({"expect_json": {"database.lag": "< 10"}}, response(JSON), '200, but "database.lag" is 12.5, expected < 10'),
    ({"expect_json": {"status": "< 10"}}, response(JSON), '200, but "status" is "up", expected < 10'),
    ({"expect_json": {"ready": ">= 1"}}, response(JSON), '200, but "ready" is true, expected >= 1'),
    ({"expect_json": {"ready": 1}}, response(JSON), '200, but "ready" is true, expected 1'),
    ({"expect_json": {"nodes[0].ok": True}}, response(JSON), '200, but "nodes[0].ok" is 1, expected true'),
    ({"expect_json": {"jobs": "3"}}, response(JSON), '200, but "jobs" is 3, expected "3"'),
    ({"expect_json": {"jobs": "!= 3"}}, response(JSON), '200, but "jobs" is 3, expected not "3"'),
    ({"expect_json": {"status": "!= up"}}, response(JSON), '200, but "status" is "up", expected not "up"'),
    ({"expect_json": {"nobody": "!= up"}}, response(JSON), '200, but there is no "nobody" in its JSON'),
    ({"expect_json": {"status": "up"}}, response(b"<html>"), "200, but the body is not JSON"),
    ({"expect_json": {"status": "up"}}, response(b""), "200, but the body is empty, not JSON"),
    ({"expect_json": {"status": "up"}}, response(b"[" * 60000), "200, but the body is not JSON"),
    (
        {"expect_json": {"status": "up"}},
        response(JSON, cut=True),
        "200, but the body is longer than 64 KiB, so that its JSON cannot be read",
    ),
    (
        {"expect_json": {"length(jobs)": "< 3"}},
        response(JSON),
        '200, but "length(jobs)" does not fit its JSON',
    ),
    ({"expect_header": {"X-Cache": "HIT"}}, response(), "200, but the header X-Cache is missing"),
    (
        {"expect_header": {"Via": "nginx"}},
        response(),
        '200, but the header Via says "1.1 edge, 1.1 varnish" without "nginx"',
    ),
    ({"expect_within": 0.08}, response(), "200, but it took 0.084 s, expected within 0.08 s"),
    ({"expect_within": 2}, response(seconds=2.00001), "200, but it took 2.001 s, expected within 2 s"),
]


@pytest.mark.parametrize(("wanted", "found"), MET, ids=str)
def test_met(wanted: dict[str, Any], found: Response) -> None:
    """Everything that is set holds."""
    assert unmet(Expectations(**wanted), found) is None


@pytest.mark.parametrize(("wanted", "found", "words"), NOT_MET, ids=[words for _, _, words in NOT_MET])
def test_not_met(wanted: dict[str, Any], found: Response, words: str) -> None:
    """What was expected is said, beside what was there."""
    assert unmet(Expectations(**wanted), found) == words


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"expect_json": {"database.state": "up"}}, '200, but "database.state" is something else, expected "up"'),
        ({"expect_header": {"Via": "nginx"}}, '200, but the header Via does not say "nginx"'),
    ],
)
def test_what_is_private_is_not_shown(wanted: dict[str, Any], words: str) -> None:
    """Only what stands in the settings is."""
    assert unmet(Expectations(**wanted), response(JSON), show=False) == words


def test_what_is_long_or_unprintable_is_shown_in_part() -> None:
    """A sentence stays a sentence."""
    said = unmet(Expectations(expect_json={"a": 1}), response(msgspec.json.encode({"a": "x" * 500})))
    assert said == '200, but "a" is "' + "x" * 59 + "…, expected 1"
    headers = ((b"x-a", b"one\x1b[31m\x85two"),)
    assert unmet(Expectations(expect_header={"X-A": "b"}), response(headers=headers)) == (
        '200, but the header X-A says "one [31m two" without "b"'
    )


def test_a_pattern_that_would_take_for_ever() -> None:
    """It is given up."""
    wanted = Expectations(expect_body_match=r"(a|a?)+$")
    said = unmet(wanted, response(b"a" * 5000 + b"b"))
    assert said == '200, but the pattern "(a|a?)+$" took too long; a simpler one is needed'


@pytest.mark.parametrize(
    ("check", "text", "words"),
    [
        (pattern, "(ok", '"(ok" is not a regular expression: missing )'),
        (json_path, "a..b", '"a..b" is not a path into JSON (JMESPath); one looks like database.state or checks[0].ok'),
        (comparison, "< many", 'after "<" stands a number, as in "< 100"; "== < many" is the text itself'),
        (comparison, ">= nan", 'after ">=" stands a number, as in ">= 100"; "== >= nan" is the text itself'),
    ],
)
def test_what_the_settings_refuse(check: Any, text: str, words: str) -> None:
    """With what would be right."""
    with pytest.raises(ValueError) as raised:
        check(text)
    assert str(raised.value).startswith(words)


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("ok", ("is", "ok")),
        (3, ("is", 3)),
        (True, ("is", True)),
        ("< 100", ("<", 100.0)),
        (">=3", (">=", 3.0)),
        ("!= x", ("!=", "x")),
        ("== < 100", ("==", "< 100")),
    ],
)
def test_comparisons(value: Any, meaning: tuple[str, Any]) -> None:
    """An operator comes first; everything else is the value itself."""
    assert comparison(value) == meaning


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_compared_as_numbers(found: float, limit: float) -> None:
    """Less is less, whatever the texts look like."""
    body = response(msgspec.json.encode({"n": found}))
    for sign, holds in (("<", found < limit), ("<=", found <= limit), (">", found > limit), (">=", found >= limit)):
        assert (unmet(Expectations(expect_json={"n": f"{sign} {limit!r}"}), body) is None) == holds


@given(st.binary(max_size=300), st.integers(200, 599))
def test_no_body_is_too_odd(body: bytes, status: int) -> None:
    """Whatever comes, there is a sentence or none, and never an error."""
    wanted = Expectations(
        expect_status="200-599", expect_body_match="ok", expect_body_without="no", expect_json={"a": 1}
    )
    said = unmet(wanted, response(body, status))
    assert said is None or said.startswith(f"{status}, but ")


@pytest.mark.parametrize(
    ("wanted", "body", "stops"),
    [
        ({}, b"ok", False),
        ({"expect_body": "ok"}, b"all ok", True),
        ({"expect_body": "ok"}, b"all", False),
        ({"expect_body": "ok", "expect_body_without": "bad"}, b"all ok", False),
        ({"expect_body": "ok", "expect_json": {"a": 1}}, b"all ok", False),
        ({"expect_body": "ok", "expect_within": 1}, b"all ok", False),
        ({}, b"x" * (MAX_BODY + 1), True),
    ],
)
def test_how_much_is_read(wanted: dict[str, Any], body: bytes, stops: bool) -> None:
    """No further than a condition looks, and never more than the limit."""
    assert enough(Expectations(**wanted), body) is stops


def test_which_conditions_look_into_the_body() -> None:
    """Those that say what a good one holds."""
    assert looks_into_body(Expectations(expect_body="ok"))
    assert looks_into_body(Expectations(expect_json={"a": 1}))
    assert not looks_into_body(Expectations(expect_body_without="bad", expect_within=1))
