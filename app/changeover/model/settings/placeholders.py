"""The texts of a journey's steps, with what was captured and secrets where {name} and {secret:NAME} stand.

The texts of an action's HTTP call likewise, with secrets alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, quote_plus

import msgspec

from changeover.model.health.check import JourneyStep
from changeover.model.health.conditions import Response, json_text, json_value, search
from changeover.model.secret import Secret
from changeover.model.settings.action import HttpCall

SECRET = "secret:"
#: What is filled in, by name.
Values = Mapping[str, str | Secret]
_PLACEHOLDER = re.compile(r"\{([a-z_]+|secret:[^{}\s]+)\}")
_SECRET_ONLY = re.compile(r"\{(secret:[^{}\s]+)\}")
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_IN_PATH = "/?&=%:@!$'()*+,;~"


class Unfilled(ValueError):
    """A text names something that is not known. The message says what, never a value."""


class NoSecret(Unfilled):
    """A text names a secret that is not there: that says nothing about the deployment."""


class Empty(ValueError):
    """There is nothing to capture. The message says where nothing was, never what was there instead."""


def placeholders(step: JourneyStep) -> tuple[str, ...]:
    """The names that the texts of a step use, each once: "order", "secret:PASSWORD"."""
    texts = (step.path, *step.headers.values(), step.body or "")
    return tuple(dict.fromkeys(name for text in texts for name in _PLACEHOLDER.findall(text)))


def secrets_of(steps: Iterable[JourneyStep]) -> tuple[str, ...]:
    """The names of the secrets that these steps need."""
    names = (name for step in steps for name in placeholders(step) if name.startswith(SECRET))
    return tuple(dict.fromkeys(name.removeprefix(SECRET) for name in names))


def path_of(step: JourneyStep, values: Values) -> str:
    """The path to ask for. What is filled in is escaped where it could not stand in a path. Raises Unfilled."""
    return _filled(step.path, values, _in_path)


def headers_of(step: JourneyStep, values: Values) -> tuple[tuple[str, str], ...]:
    """The headers to send, with the kind of the body, if the step does not say it. Raises Unfilled."""
    return _headers(step, values, _PLACEHOLDER)


def body_of(step: JourneyStep, values: Values) -> bytes:
    """The body to send. What is filled in is escaped as JSON or a form needs it. Raises Unfilled."""
    return _body(step, values, _PLACEHOLDER)


def secrets_of_call(call: HttpCall) -> tuple[str, ...]:
    """The names of the secrets that an action's call needs. No other braces mean anything there."""
    names = (
        name for text in (call.url, *call.headers.values(), call.body or "") for name in _SECRET_ONLY.findall(text)
    )
    return tuple(dict.fromkeys(name.removeprefix(SECRET) for name in names))


def url_of_call(call: HttpCall, values: Values) -> str:
    """The address to call. What is filled in is escaped where it could not stand in a path. Raises Unfilled."""
    return _filled(call.url, values, _in_path, _SECRET_ONLY)


def headers_of_call(call: HttpCall, values: Values) -> tuple[tuple[str, str], ...]:
    """The headers to send, with the kind of the body, if the call does not say it. Raises Unfilled."""
    return _headers(call, values, _SECRET_ONLY)


def body_of_call(call: HttpCall, values: Values) -> bytes:
    """The body to send. What is filled in is escaped as JSON or a form needs it. Raises Unfilled."""
    return _body(call, values, _SECRET_ONLY)


def captured(source: str, response: Response) -> str:
    """What stands at "json:PATH", "header:NAME" or "body:PATTERN" (its first group). Raises Empty."""
    kind, _, where = source.partition(":")
    value: str | None
    try:
        if kind == "json":
            found = json_value(where, response)
            text = found if isinstance(found, str) else json_text(found)
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if kind == "header":
            value = response.header(where)
        else:
            match = search(where, response)
            value = match.group(1) if match else None
    except ValueError as error:
        raise Empty(str(error)) from None
    if value is None:
        raise Empty(f"there is no header {where}" if kind == "header" else f'nothing matches "{where}"')
    return value


def _headers(request: JourneyStep | HttpCall, values: Values, which: re.Pattern[str]) -> tuple[tuple[str, str], ...]:
    headers = tuple((name, _filled(text, values, _one_line, which)) for name, text in request.headers.items())
    kind = _kind_of_body(request)
    if kind is None or any(name.lower() == "content-type" for name, _ in headers):
        return headers
    return (*headers, ("Content-Type", kind))


def _body(request: JourneyStep | HttpCall, values: Values, which: re.Pattern[str]) -> bytes:
    if request.body is None:
        return b""
    said = next((value for name, value in request.headers.items() if name.lower() == "content-type"), None)
    kind = said or _kind_of_body(request) or ""
    escape: Callable[[str], str] = str
    if "json" in kind:
        escape = _in_json
    elif kind.startswith(_FORM):
        escape = quote_plus
    return _filled(request.body, values, escape, which).encode()


def _filled(text: str, values: Values, escape: Callable[[str], str], which: re.Pattern[str] = _PLACEHOLDER) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in values:
            found = values[name]
            return escape(found.reveal() if isinstance(found, Secret) else found)
        if name.startswith(SECRET):
            raise NoSecret(f"the secret {name.removeprefix(SECRET)} is not in the keyring; add it there")
        raise Unfilled(f"nothing was captured as {{{name}}}")

    return which.sub(value, text)


def _kind_of_body(request: JourneyStep | HttpCall) -> str | None:
    if request.body is None:
        return None
    return _JSON if request.body.lstrip().startswith(("{", "[")) else _FORM


def _in_path(value: str) -> str:
    return quote(value, safe=_IN_PATH)


def _in_json(value: str) -> str:
    return msgspec.json.encode(value).decode()[1:-1]


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise Unfilled("a value that a header should hold is not one line")
    return value
