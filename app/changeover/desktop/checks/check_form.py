"""What the form for a service's check makes of what was typed, and what it shows of a check, without a window."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from changeover.desktop.checks.check_words import typed_value, value_text, verdict_words
from changeover.model.health.check import HealthCheck, JourneyStep, Thresholds
from changeover.model.settings.maintenance import Maintenance
from changeover.storage.settings.check_rules import check_rules
from changeover.storage.settings.layout import step_table, whole
from changeover.storage.settings.reader import Faults, item_place, read_struct

#: By key of the settings, the condition in words, and what stands between its name and its value where it has both.
CONDITIONS: dict[str, tuple[str, str]] = {
    "expect_status": ("The status is one of", ""),
    "expect_body": ("The body contains", ""),
    "expect_body_match": ("The body matches the pattern", ""),
    "expect_body_without": ("The body does not contain", ""),
    "expect_json": ("The JSON value at", "is"),
    "expect_header": ("The header", "contains"),
    "headers": ("The request has the header", "with"),
    "expect_within": ("The response takes at most", ""),
    "expect_certificate_days": ("The certificate is valid for", ""),
}
NAMED = ("expect_json", "expect_header", "headers")
UNITS = {"expect_within": "seconds", "expect_certificate_days": "days more"}
#: The keys of a check that are one field each.
REQUEST = (
    "scheme",
    "port",
    "path",
    "ca_file",
    "interval",
    "suspect_interval",
    "timeout",
    "connect_timeout",
    "tls_timeout",
    "first_byte_timeout",
)
#: Fields of a request, and of a response, that a check which only opens a connection has no use for.
NOT_FOR_TCP = ("path", "ca_file")
FIRST_STEPS = """\
[[steps]]
path = "/login"
method = "POST"
headers = { Content-Type = "application/json" }
body = '{"user": "probe", "password": "{secret:probe}"}'
capture = { token = "json:token" }

[[steps]]
path = "/orders"
headers = { Authorization = "Bearer {token}" }
expect_body = "orders"
"""


class Condition(Struct, frozen=True, kw_only=True):
    """One condition as it is typed. `name` is the JSON path or the header, where it has one."""

    kind: str
    value: str
    name: str = ""


class JourneyText(Struct, frozen=True):
    """A journey as it is typed: its steps as the settings file writes them, each below [[steps]]."""

    name: str
    steps: str


class Window(Struct, frozen=True, kw_only=True):
    """A maintenance window as it is typed. `weekly` decides whether `days` or `date` counts."""

    weekly: bool
    at: str
    minutes: str
    zone: str
    date: str = ""
    days: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()


class CheckForm(Struct, frozen=True, kw_only=True):
    """Everything that was typed. `request` and `thresholds` have a text by key of the settings."""

    request: Mapping[str, str]
    conditions: tuple[Condition, ...]
    thresholds: Mapping[str, str]
    journeys: tuple[JourneyText, ...] = ()
    windows: tuple[Window, ...] = ()


class Typed(Struct, frozen=True, kw_only=True):
    """What a form says. `faults` has, by field, what is wrong there; the values are None where something is.

    A field is a key of the settings, "thresholds.KEY", or "condition.N", "journey.N", "window.N", counted from 0.
    """

    health: HealthCheck | None
    maintenance: tuple[Maintenance, ...] | None
    faults: Mapping[str, str]


def form_of(health: HealthCheck, maintenance: Sequence[Maintenance]) -> CheckForm:
    """A check and its maintenance windows as they are typed."""
    return CheckForm(
        request={key: _text(getattr(health, key)) for key in REQUEST},
        conditions=tuple(_conditions(health)),
        thresholds={key: _text(getattr(health.thresholds, key)) for key in Thresholds.__struct_fields__},
        journeys=tuple(JourneyText(journey.name, steps_text(journey.steps)) for journey in health.journeys),
        windows=tuple(
            Window(
                weekly=window.date is None,
                at=window.at,
                minutes=str(window.minutes),
                zone=window.zone,
                date=window.date or "",
                days=window.days,
                deployments=window.deployments,
            )
            for window in maintenance
        ),
    )


def typed(form: CheckForm, folder: Path) -> Typed:
    """What the form says, or everything that is wrong with it. `folder` is where the settings file lies."""
    faults = Faults()
    rules = check_rules(folder)
    table = _health_table(form, faults)
    health = read_struct(table, HealthCheck, "", faults, rules)
    windows = [
        read_struct(_window_table(window), Maintenance, f"window.{number}", faults, rules)
        for number, window in enumerate(form.windows)
    ]
    maintenance = tuple(window for window in windows if window is not None)
    found: dict[str, str] = {}
    places = list(_places(form, table))
    for place, text in faults.pairs:
        key, where = _field_of(place, places)
        said = f"{where}: {text}" if where else text[:1].upper() + text[1:]
        found[key] = f"{found[key]}\n{said}" if key in found else said
    wrong_windows = any(key.startswith("window.") for key in found)
    return Typed(
        health=health if not any(not key.startswith("window.") for key in found) else None,
        maintenance=None if wrong_windows else maintenance,
        faults=found,
    )


def steps_text(steps: Sequence[JourneyStep]) -> str:
    """Steps as the settings file writes them."""
    import tomlkit

    tables = [step_table(whole(msgspec.to_builtins(step))) for step in steps]
    return tomlkit.dumps({"steps": tables}) if tables else ""


def typed_verdict_words(form: CheckForm) -> str:
    """What the typed thresholds come to; empty while a number of the form is not in order."""
    numbers = {**form.request, "scheme": "https", "path": "", "ca_file": ""}
    health = typed(CheckForm(request=numbers, conditions=(), thresholds=form.thresholds), Path()).health
    if health is None:
        return ""
    return verdict_words(health.thresholds, health.interval, health.suspect_interval, health.timeout)


def _conditions(health: HealthCheck) -> Iterator[Condition]:
    for kind in CONDITIONS:
        value = getattr(health, kind)
        if kind == "expect_json":
            yield from (Condition(kind=kind, name=name, value=value_text(item)) for name, item in value.items())
        elif kind in NAMED:
            yield from (Condition(kind=kind, name=name, value=item) for name, item in value.items())
        elif value is not None:
            yield Condition(kind=kind, value=_text(value))


def _health_table(form: CheckForm, faults: Faults) -> dict[str, Any]:
    """The form as the settings file's table. What is no number stays text, and is complained about later."""
    tcp = form.request["scheme"] == "tcp"
    table: dict[str, Any] = {}
    for key in REQUEST:
        text = form.request[key].strip()
        if text and not (tcp and key in NOT_FOR_TCP):
            table[key] = text if key in ("scheme", "path", "ca_file") else _number(text)
    for number, condition in enumerate(form.conditions):
        kind = condition.kind
        if tcp and kind == "expect_status":
            continue
        if kind in NAMED:
            values = table.setdefault(kind, {})
            name = condition.name
            if name in values:
                faults.add(f"condition.{number}", "stands here twice; one of them is enough")
            values[name] = typed_value(condition.value) if kind == "expect_json" else condition.value
        elif kind in table:
            faults.add(f"condition.{number}", "stands here twice; one of them is enough")
        else:
            table[kind] = _number(condition.value.strip()) if kind in UNITS else condition.value
    table["thresholds"] = {key: _number(text.strip()) for key, text in form.thresholds.items() if text.strip()}
    table["journeys"] = [_journey_table(journey, number, faults) for number, journey in enumerate(form.journeys)]
    return table


def _journey_table(journey: JourneyText, number: int, faults: Faults) -> dict[str, Any]:
    place = f"journey.{number}"
    # In place of what cannot be read stands a step in order, so that its absence is not told as a fault beside.
    table: dict[str, Any] = {"name": journey.name, "steps": [{"path": "/"}]}
    try:
        found = tomllib.loads(journey.steps)
    except (ValueError, RecursionError) as error:
        faults.add(place, f"not valid TOML: {error}")
        return table
    faults.unknown_keys(found, ["steps"], place)
    return table if found and "steps" not in found else {**table, "steps": found.get("steps", [])}


def _window_table(window: Window) -> dict[str, Any]:
    table: dict[str, Any] = {"at": window.at.strip(), "zone": window.zone.strip()}
    if window.minutes.strip():
        table["minutes"] = _number(window.minutes.strip())
    if window.weekly:
        table["days"] = list(window.days)
    else:
        table["date"] = window.date.strip()
    if window.deployments:
        table["deployments"] = list(window.deployments)
    return table


def _places(form: CheckForm, table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By place in the settings, the field of the form that stands for it."""
    for number, condition in enumerate(form.conditions):
        name = f'."{condition.name}"' if condition.kind in NAMED else ""
        yield condition.kind + name, f"condition.{number}"
    for number, journey in enumerate(table["journeys"]):
        yield item_place("journeys", number, journey), f"journey.{number}"


_PLACE_WORDS = {"at": "Begin", "minutes": "Minutes", "zone": "Time zone", "date": "Date", "days": "Days"}


def _field_of(place: str, places: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The field that a fault belongs to, and where within it, in words."""
    if place.startswith("window."):
        key = ".".join(place.split(".")[:2])
        rest = place.removeprefix(key).removeprefix(".").partition("[")[0]
        return key, _PLACE_WORDS.get(rest, rest)
    if place.startswith("condition."):
        return place, ""
    for prefix, key in places:
        if place == prefix or place.startswith((f"{prefix}.", f"{prefix}[")):
            rest = place.removeprefix(prefix).removeprefix(".")
            return key, "" if key.startswith("condition.") else re.sub(r"^steps\[(\d+)\]\.?", r"Step \1 ", rest).strip()
    if place.startswith("journey."):
        key = ".".join(place.split(".")[:2])
        return key, place.removeprefix(key).removeprefix(".")
    return place, ""


def _number(text: str) -> Any:
    """What is typed as the number that it is; any other text stays as it is."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value)
