"""A service's check in words: what its thresholds come to, what a journey does, and what a value looks like."""

from __future__ import annotations

import tomllib

import msgspec

from changeover.model.formatting import counted, duration
from changeover.model.health.check import Comparison, JourneyStep, Thresholds


def typed_value(text: str) -> Comparison:
    """What a JSON value is compared with: true, a number, a text in quotes, or any other text as it stands."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return found if isinstance(found, bool | int | float | str) else text


def value_text(value: Comparison) -> str:
    """A value as one would type it: a text in quotes only where it would be something else without them."""
    if isinstance(value, str) and typed_value(value) == value:
        return value
    return msgspec.json.encode(value).decode()


def verdict_words(thresholds: Thresholds, interval: float, suspect_interval: float, timeout: float) -> str:
    """What the thresholds come to, in sentences."""
    between = min(interval, suspect_interval)
    noticed = duration(interval + (thresholds.down_after - 1) * between + timeout)
    bad = counted(thresholds.down_after, "failed check")
    good = counted(thresholds.up_after, "good check")
    in_a_row = " in a row" if thresholds.down_after > 1 else ""
    lasting = f" over at least {duration(thresholds.up_seconds)}" if thresholds.up_seconds else ""
    return (
        f"Down after {bad}{in_a_row} (within about {noticed}), or after {thresholds.failures_before_down} in all "
        f"unless {counted(thresholds.good_run, 'good one')} in a row came between. Up again after {good}"
        f"{' in a row' if thresholds.up_after > 1 else ''}{lasting}. Flapping while it changed "
        f"{thresholds.flapping_changes} times or more within the last {thresholds.flapping_window} checks."
    )


def journey_words(text: str) -> str:
    """What the steps of a journey do, a line for each; empty while they are not in order."""
    try:
        tables = tomllib.loads(text).get("steps", [])
        steps = msgspec.convert(tables, list[JourneyStep])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError):
        return ""
    return "\n".join(f"{number}. {_step_words(step)}" for number, step in enumerate(steps, start=1))


def _step_words(step: JourneyStep) -> str:
    wanted = [f"status {step.expect_status}"]
    wanted += [f"body contains “{step.expect_body}”"] if step.expect_body else []
    wanted += [f"body matches “{step.expect_body_match}”"] if step.expect_body_match else []
    wanted += [f"body without “{step.expect_body_without}”"] if step.expect_body_without else []
    wanted += [f"{path} is {value_text(value)}" for path, value in step.expect_json.items()]
    wanted += [f"{name} contains “{text}”" for name, text in step.expect_header.items()]
    wanted += [f"within {step.expect_within:g} s"] if step.expect_within else []
    kept = f"; keeps {', '.join(step.capture)}" if step.capture else ""
    return f"{step.method} {step.path}: {', '.join(wanted)}{kept}"
