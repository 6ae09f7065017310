"""Journeys: a few requests in a row at one deployment's own address, as a visitor would make them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from changeover.health.http.request import Request, checked
from changeover.model.formatting import counted
from changeover.model.health.check import HealthCheck, Journey, JourneyResult, JourneyStep
from changeover.model.health.conditions import Response, unmet
from changeover.model.secret import Secret
from changeover.model.settings.placeholders import (
    SECRET,
    Empty,
    NoSecret,
    Unfilled,
    body_of,
    captured,
    headers_of,
    path_of,
)
from changeover.model.settings.service import Deployment

if TYPE_CHECKING:
    import email.message
    import http.client

_NO_SECRETS: Mapping[str, Secret] = MappingProxyType({})


async def run_journey(
    journey: Journey,
    deployment: Deployment,
    hostname: str,
    address: str,
    check: HealthCheck,
    secrets: Mapping[str, Secret] = _NO_SECRETS,
) -> JourneyResult:
    """Makes the steps of `journey` one after another, up to the first that fails.

    Every request has a connection of its own to `address`, with the limits of `check`. What was captured, sent or
    answered is in no sentence: the result names the step by its path in the settings. Never raises for what the net
    does.
    """
    began = time.monotonic()
    visitor = _Visitor(hostname, address, check, secrets)
    ok: bool | None = True
    text = ""
    for number, step in enumerate(journey.steps, start=1):
        ok, why = await visitor.take(step)
        if not ok:
            text = f"step {number} ({step.method} {step.path}): {why}"
            break
    seconds = time.monotonic() - began
    return JourneyResult(
        journey=journey.name,
        deployment=deployment.name,
        hostname=hostname,
        address=address,
        ok=ok,
        text=text or f"{counted(len(journey.steps), 'step')} in {round(seconds * 1000)} ms",
        seconds=seconds,
    )


class _Visitor:
    """Somebody on the way: with cookies, and with what was captured so far."""

    def __init__(self, hostname: str, address: str, check: HealthCheck, secrets: Mapping[str, Secret]) -> None:
        self._hostname = hostname
        self._address = address
        self._check = check
        self._values: dict[str, str | Secret] = {f"{SECRET}{name}": secret for name, secret in secrets.items()}
        self._cookies = _Cookies(f"{'http' if check.scheme == 'http' else 'https'}://{hostname}")

    async def take(self, step: JourneyStep) -> tuple[bool | None, str]:
        """Makes one request. False, or None where it could not be tried from here, and why."""
        try:
            path, headers = path_of(step, self._values), headers_of(step, self._values)
            body = body_of(step, self._values)
        except Unfilled as error:
            return None if isinstance(error, NoSecret) else False, str(error)
        cookies = self._cookies.for_path(path)
        if cookies is not None:
            headers = (*headers, ("Cookie", cookies))
        request = Request(method=step.method, path=path, headers=headers, body=body)
        found = await checked(self._hostname, self._address, self._check, request, None if step.capture else step)
        if found.response is None:
            return found.ok, found.reason
        self._cookies.keep(path, found.response)
        fault = unmet(step, found.response, show=False)
        if fault is not None:
            return False, fault
        for name, source in step.capture.items():
            try:
                self._values[name] = captured(source, found.response)
            except Empty as error:
                return False, f"{found.response.status}, but {{{name}}} cannot be captured: {error}"
        return True, ""


class _Cookies:
    """The cookies of one site, by the rules of the standard library."""

    def __init__(self, site: str) -> None:
        import http.cookiejar

        self._site = site
        self._jar = http.cookiejar.CookieJar()

    def for_path(self, path: str) -> str | None:
        """The Cookie header for a request; None where there are no cookies for it."""
        import urllib.request

        request = urllib.request.Request(self._site + path)
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def keep(self, path: str, response: Response) -> None:
        import urllib.request

        self._jar.extract_cookies(
            cast("http.client.HTTPResponse", _Said(response)), urllib.request.Request(self._site + path)
        )


class _Said:
    """The headers of a response as the standard library's cookies want to see them."""

    def __init__(self, response: Response) -> None:
        import email.message

        self._message = email.message.Message()
        for value in response.values("set-cookie"):
            self._message["Set-Cookie"] = value

    def info(self) -> email.message.Message:
        return self._message
