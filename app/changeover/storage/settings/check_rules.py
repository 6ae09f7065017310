"""What the settings must say of how a service is checked: limits, conditions, journeys, thresholds, maintenance."""

from __future__ import annotations

import difflib
import math
import re
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

from changeover.model.health.check import Comparison, Expectations, HealthCheck, Journey, JourneyStep, Thresholds
from changeover.model.health.conditions import comparison, json_path, pattern, status_ranges
from changeover.model.settings.maintenance import DAYS, Maintenance
from changeover.model.settings.placeholders import SECRET, path_of, placeholders
from changeover.model.settings.service import Deployment
from changeover.storage.settings.reader import Check, Faults, Rule, Rules, below
from changeover.storage.settings.values import between, file_of_certificates, header_name, not_empty

_MAX_MINUTES = 14 * 24 * 60
_MAX_STEPS = 50
_DAY = 86400
#: Years in which every time zone can be counted with.
_YEARS = range(2000, 2200)

_CAPTURE_NAME = re.compile("[a-z_]+")
#: Headers that say how the request itself is sent.
_OWN_HEADERS = ("host", "connection", "content-length", "transfer-encoding")


def check_rules(folder: Path) -> Rules:
    """The rules for a health check and for maintenance in a settings file that lies in `folder`."""
    seconds = between(0.1, 60)
    expectations: Mapping[str, Callable[[Any], Any]] = {
        "expect_status": _status,
        "expect_body": not_empty,
        "expect_body_match": _pattern,
        "expect_body_without": not_empty,
        "expect_json": _json_value,
        "expect_header": _expected_header,
        "expect_within": between(0.001, 60),
    }
    return {
        HealthCheck: Rule(
            {
                **expectations,
                "path": url_path,
                "port": between(1, 65535),
                "expect_certificate_days": between(1, 3650),
                "ca_file": file_of_certificates(folder),
                "headers": sent_header,
                "interval": between(1, _DAY),
                "suspect_interval": between(1, _DAY),
                "timeout": seconds,
                "connect_timeout": seconds,
                "tls_timeout": seconds,
                "first_byte_timeout": seconds,
            },
            tuple(_scheme_checks()),
        ),
        Thresholds: Rule(
            {
                "down_after": between(1, 100),
                "failures_before_down": between(1, 1000),
                "good_run": between(1, 1000),
                "up_after": between(1, 100),
                "up_seconds": between(0, _DAY),
                "flapping_changes": between(2, 999),
                "flapping_window": between(3, 1000),
            },
            (
                Check(("down_after", "failures_before_down"), _gathered),
                Check(("flapping_changes", "flapping_window"), _flapping),
            ),
            former={"down_gathered": "failures_before_down"},
        ),
        Journey: Rule({"name": _journey_name}, (Check(("steps",), _steps),)),
        JourneyStep: Rule({**expectations, "path": _step_path, "headers": sent_header, "capture": _capture}),
        Maintenance: Rule(
            {"at": _clock, "minutes": between(1, _MAX_MINUTES), "zone": _zone, "date": _date},
            (Check(("date", "days"), _once_or_weekly),),
            {"date": _date_text, "at": _clock_text},
        ),
    }


def maintenance_names(
    faults: Faults, place: str, maintenance: Sequence[Maintenance | None], deployments: Sequence[Deployment | None]
) -> None:
    """A fault for each window that names a deployment which the service does not have."""
    known = [d.name for d in deployments if d is not None]
    if len(known) < len(deployments):
        return  # nobody knows yet which there are
    for number, window in enumerate(maintenance, start=1):
        for name in window.deployments if window is not None else ():
            if name not in known:
                listed = ", ".join(known) or "none yet"
                faults.add(f"{place}.maintenance[{number}].deployments", f'no deployment is "{name}"; known: {listed}')


def url_path(text: str) -> str:
    """The path of a request, with its query."""
    if not text.startswith("/") or any(c.isspace() or ord(c) < 32 for c in text) or not text.isascii():
        raise ValueError(f'must begin with / and have only ASCII without spaces, not "{text}"')
    return text


def _status(text: str) -> str:
    status_ranges(text)
    return text


def _pattern(text: str) -> str:
    pattern(not_empty(text))
    return text


def _json_value(pair: tuple[str, Comparison]) -> tuple[str, Comparison]:
    path, value = pair
    json_path(path)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"must be a number that JSON knows, not {value}")
    comparison(value)
    return path, value


def _expected_header(pair: tuple[str, str]) -> tuple[str, str]:
    name, value = pair
    return header_name(name), not_empty(value)


def sent_header(pair: tuple[str, str]) -> tuple[str, str]:
    """A header of a request, with its value."""
    name, value = pair
    header_name(name)
    if name.lower() in _OWN_HEADERS:
        raise ValueError("is set by Changeover itself; leave it out")
    if not value.isprintable():
        raise ValueError("must be one line")
    return name, value


def _step_path(text: str) -> str:
    step = JourneyStep(path=text)
    url_path(path_of(step, dict.fromkeys(placeholders(step), "x")))
    return text


def _capture(pair: tuple[str, str]) -> tuple[str, str]:
    name, source = pair
    if not _CAPTURE_NAME.fullmatch(name):
        raise ValueError("a captured value has a name of small letters and underscores")
    return name, captured_source(source)


def captured_source(source: str) -> str:
    """Where in a response something stands that is captured."""
    kind, colon, where = source.partition(":")
    if not colon or not where or kind not in ("json", "header", "body"):
        raise ValueError(f'must be "json:PATH", "header:NAME" or "body:PATTERN", not "{source}"')
    if kind == "json":
        json_path(where)
    elif kind == "header":
        header_name(where)
    elif not pattern(where).groups:
        raise ValueError(f'"{where}" has no group; put what is to be captured in brackets, as in "id=(\\d+)"')
    return source


def _journey_name(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 100:
        raise ValueError("must be a short name")
    return text


def _scheme_checks() -> Iterator[Check]:
    """What a scheme needs, and what it cannot have."""

    def tcp_port(faults: Faults, place: str, scheme: str, port: int | None) -> None:
        if scheme == "tcp" and port is None:
            faults.add(below(place, "port"), 'missing; scheme "tcp" needs to know which port to connect to')

    yield Check(("scheme", "port"), tcp_port)
    usual = HealthCheck()
    for name in (*Expectations.__struct_fields__, "path", "ca_file", "headers", "journeys"):
        yield Check(("scheme", name), _none_for_tcp(name, getattr(usual, name)))

    def certificate(faults: Faults, place: str, scheme: str, days: int | None) -> None:
        if scheme != "https" and days is not None:
            faults.add(below(place, "expect_certificate_days"), f'leave it out; scheme "{scheme}" has no certificate')

    yield Check(("scheme", "expect_certificate_days"), certificate)


def _none_for_tcp(name: str, usual: object) -> Callable[..., None]:
    def check(faults: Faults, place: str, scheme: str, value: object) -> None:
        if scheme == "tcp" and value != usual:
            faults.add(below(place, name), 'leave it out; scheme "tcp" only opens a connection and reads no response')

    return check


def _gathered(faults: Faults, place: str, down_after: int, failures_before_down: int) -> None:
    if failures_before_down < down_after:
        text = f"must be at least down_after, which is {down_after}, not {failures_before_down}"
        faults.add(below(place, "failures_before_down"), text)


def _flapping(faults: Faults, place: str, changes: int, window: int) -> None:
    if changes >= window:
        text = f"must be less than flapping_window, which is {window}, not {changes}"
        faults.add(below(place, "flapping_changes"), text)


def _steps(faults: Faults, place: str, steps: Sequence[JourneyStep | None]) -> None:
    where = below(place, "steps")
    if not steps:
        faults.add(where, 'at least one is needed, such as [{ path = "/login" }]')
    if len(steps) > _MAX_STEPS:
        faults.add(where, f"must be at most {_MAX_STEPS}, not {len(steps)}")
    known: list[str] = []
    for number, step in enumerate(steps, start=1):
        if step is None:
            return  # nobody knows yet what it captures
        for key, name in _used(step):
            if not name.startswith(SECRET) and name not in known:
                text = f"{{{name}}} is not known there; an earlier step must capture it, or write {{secret:NAME}}"
                faults.add(f"{where}[{number}].{key}", text)
        known += step.capture


def _used(step: JourneyStep) -> Iterator[tuple[str, str]]:
    """The placeholders of a step, each with the key that it stands in."""
    texts = [("path", step.path), ("body", step.body or "")]
    texts += [(f'headers."{name}"', value) for name, value in step.headers.items()]
    for key, text in texts:
        for name in placeholders(JourneyStep(path=text)):
            yield key, name


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f'must be a time of day such as "02:30", not "{text}"')
    return text


def _date(text: str) -> str:
    try:
        right = bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and date.fromisoformat(text).year in _YEARS
    except ValueError:
        right = False
    if not right:
        raise ValueError(f'must be a day such as "2026-12-01", not "{text}"')
    return text


def _zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = difflib.get_close_matches(text, sorted(zoneinfo.available_timezones()), n=1, cutoff=0.8)
        hint = f"did you mean {near[0]}?" if near else "one looks like Europe/Berlin"
        raise ValueError(f'there is no time zone "{text}"; {hint}') from None
    return text


def _once_or_weekly(faults: Faults, place: str, day: str | None, days: Sequence[str | None]) -> None:
    if day is not None and days:
        faults.add(below(place, "days"), "leave out either this or date: it is once, or every week")
    if day is None and not days:
        faults.add(below(place, "date"), 'missing; give a date such as "2026-12-01", or days such as ["sunday"]')
    for name in [name for name in DAYS if days.count(name) > 1]:
        faults.add(below(place, "days"), f"{name} stands here twice")


def _date_text(value: object) -> object:
    """TOML has dates of its own, without quotes."""
    return value.isoformat() if type(value) is date else value


def _clock_text(value: object) -> object:
    """TOML has times of day of its own, without quotes; seconds are of no use here."""
    if not isinstance(value, time):
        return value
    return value.isoformat("auto" if value.second or value.microsecond else "minutes")
