"""What an app tells of itself: its commit and its database schema's version, each as text from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from changeover.model.foreign_text import one_line
from changeover.model.health.conditions import Response, json_value
from changeover.model.settings.placeholders import captured
from changeover.model.settings.version_endpoint import VersionEndpoint

#: A commit or a version of more characters is none.
_MOST = 100
#: So much is told of why there is none; paths of the settings stand in it.
_MOST_WHY = 200


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that an app told, or why it did not; the other is empty."""

    value: str = ""
    why: str = ""


class AppVersion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one deployment's app told. None for what it was not asked."""

    commit: Told | None = None
    schema: Told | None = None


class KeptVersion(Struct, frozen=True, kw_only=True):
    """What a deployment's app told at a moment, kept for when it says nothing."""

    at: datetime
    version: AppVersion


def app_version(endpoint: VersionEndpoint, response: Response) -> AppVersion:
    """What stands in a response of the app. Never raises, whatever that is."""
    return AppVersion(
        commit=None if endpoint.commit is None else _told(endpoint.commit, response),
        schema=None if endpoint.schema is None else _told(endpoint.schema, response),
    )


def same_commit(one: str, other: str) -> bool:
    """Are they the same, where one may be the beginning of the other, as git shortens them (7 characters or more)?"""
    short, long = sorted((one.lower(), other.lower()), key=len)
    return short == long or (len(short) >= 7 and long.startswith(short) and is_hexadecimal(long))


def commit_words(commit: str) -> str:
    """A commit as people know it: the first 12 digits of a long one."""
    return commit[:12] if is_hexadecimal(commit) else one_line(commit, _MOST)


def _told(source: str, response: Response) -> Told:
    kind, _, where = source.partition(":")
    try:
        return _plain(where, json_value(where, response) if kind == "json" else captured(source, response))
    except ValueError as error:
        return Told(why=one_line(str(error), _MOST_WHY))


def _plain(where: str, found: Any) -> Told:
    """One line of text, or a whole number. ValueError says what it is instead, and never what stands there."""
    if isinstance(found, int) and not isinstance(found, bool):
        if abs(found) >= 10**_MOST:
            raise ValueError(f'what stands at "{where}" is longer than {_MOST} characters')
        return Told(value=str(found))
    if not isinstance(found, str):
        raise ValueError(f'what stands at "{where}" is {_kind(found)}, not a text')
    text = found.strip()
    if not text:
        raise ValueError(f'what stands at "{where}" is empty')
    if len(text) > _MOST:
        raise ValueError(f'what stands at "{where}" is longer than {_MOST} characters')
    if not text.isprintable():
        raise ValueError(f'what stands at "{where}" is not one line of readable text')
    return Told(value=text)


def _kind(found: Any) -> str:
    if isinstance(found, bool):
        return "true or false"
    return (
        "a number with a fraction" if isinstance(found, float) else "a list" if isinstance(found, list) else "a table"
    )


def is_hexadecimal(text: str) -> bool:
    """Is it a commit as git has them, rather than the name of a release?"""
    return bool(text) and text.isascii() and all(c in "0123456789abcdefABCDEF" for c in text)
