"""What an app tells of itself is text from outside: taken where it is one, told why where it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.health.conditions import MAX_BODY, Response
from changeover.model.platforms.app_version import AppVersion, Told, app_version, commit_words, same_commit
from changeover.model.settings.version_endpoint import VersionEndpoint

BOTH = VersionEndpoint(path="/version", commit="json:git.sha", schema="json:schema")
SHA = "4f4f592a1b2c3d4e5f60718293a4b5c6d7e8f900"


def told(body: bytes, endpoint: VersionEndpoint = BOTH, *headers: tuple[bytes, bytes], cut: bool = False) -> AppVersion:
    return app_version(endpoint, Response(200, headers, body, cut=cut))


def schema(body: bytes) -> Told:
    found = told(body, VersionEndpoint(path="/", schema="json:schema")).schema
    assert found is not None
    return found


def test_by_json() -> None:
    """A path as the conditions of a health check have it; a whole number is as good as a text."""
    found = told(b'{"git": {"sha": " %s\\n"}, "schema": 20260301}' % SHA.encode())
    assert found == AppVersion(commit=Told(value=SHA), schema=Told(value="20260301"))


def test_by_a_header_and_by_plain_text() -> None:
    """For apps that have no JSON to tell it in."""
    endpoint = VersionEndpoint(path="/", commit="header:X-Commit", schema=r"body:schema (\S+)")
    found = told("release 7, schema схема-3\n".encode(), endpoint, (b"x-commit", SHA.encode()))
    assert found == AppVersion(commit=Told(value=SHA), schema=Told(value="схема-3"))


def test_what_was_not_asked_is_not_told() -> None:
    """Nor is it said that it is missing."""
    assert told(b"{}", VersionEndpoint(path="/", commit="json:sha")).schema is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the body is empty, not JSON"),
        (b"<html>", "the body is not JSON"),
        (b'{"schema": ', "the body is not JSON"),
        (b"[" * 60_000, "the body is not JSON"),
        (b"{}", 'there is no "schema" in its JSON'),
        (b'{"schema": null}', 'there is no "schema" in its JSON'),
        (b'{"schema": true}', 'what stands at "schema" is true or false, not a text'),
        (b'{"schema": 1.5}', 'what stands at "schema" is a number with a fraction, not a text'),
        (b'{"schema": ["1"]}', 'what stands at "schema" is a list, not a text'),
        (b'{"schema": {"a": 1}}', 'what stands at "schema" is a table, not a text'),
        (b'{"schema": " "}', 'what stands at "schema" is empty'),
        (b'{"schema": "%s"}' % (b"x" * 101), 'what stands at "schema" is longer than 100 characters'),
        (b'{"schema": 1%s}' % (b"0" * 101), 'what stands at "schema" is longer than 100 characters'),
        (b'{"schema": "1\\n2"}', 'what stands at "schema" is not one line of readable text'),
        (b'{"schema": "1\\u001b[31m"}', 'what stands at "schema" is not one line of readable text'),
        ('{"schema": "1\u202e2"}'.encode(), 'what stands at "schema" is not one line of readable text'),
        (b'{"schema": "\\ud800"}', 'what stands at "schema" is not one line of readable text'),
    ],
)
def test_what_cannot_be_taken(body: bytes, why: str) -> None:
    """Nothing of what stood there is in the reason."""
    assert schema(body) == Told(why=why)


def test_a_number_without_end() -> None:
    """More digits than Python counts are no version."""
    assert schema(b'{"schema": 1%s}' % (b"0" * 60_000)).value == ""


def test_a_body_that_is_too_long() -> None:
    """Its beginning might say anything."""
    assert "longer than 64 KiB" in (told(b"{" * MAX_BODY, cut=True).commit or Told()).why


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda raw: b'{"schema": "' + raw + b'"}'))
def test_whatever_comes(body: bytes) -> None:
    """Either a line that can be shown, or a reason."""
    found = schema(body)
    assert bool(found.value) != bool(found.why)
    assert (found.value + found.why).isprintable()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (SHA, SHA.upper(), True),
        (SHA, SHA[:7], True),
        (SHA[:7], SHA, True),
        (SHA, SHA[:6], False),
        (SHA, "", False),
        (SHA, f"{SHA}-dirty", False),
        ("v1.2", "v1.2.3", False),
        ("release-10", "release-1", False),
        ("v1", "v1", True),
    ],
)
def test_the_same_commit(one: str, other: str, same: bool) -> None:
    """Shortened as git does; the names of releases are whole."""
    assert same_commit(one, other) is same


def test_a_commit_in_words() -> None:
    """A long one shortened, another as it is."""
    assert commit_words(SHA) == "4f4f592a1b2c"
    assert commit_words("release-2026-03-01-second") == "release-2026-03-01-second"
