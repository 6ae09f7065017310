"""The table in histories.txt: what checks gave, and the verdict after each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from msgspec import convert

from changeover.model.health.check import Thresholds
from changeover.model.health.track import RoundOutcome, State, Track, blind, step
from model.strategies import NOW

OUTCOMES = {"g": RoundOutcome.GOOD, "b": RoundOutcome.BAD, "p": RoundOutcome.PART, "n": RoundOutcome.UNTRIED}
#: After these nothing can be seen, and so many checks after it do not count.
BLIND = {"z": 0, "s": 2}
STATES = {
    State.UP: "U",
    State.SUSPECT: "S",
    State.DOWN: "D",
    State.RECOVERING: "R",
    State.FLAPPING: "F",
    State.UNKNOWN: "?",
}


class History(NamedTuple):
    """`every` is in seconds."""

    source: str
    name: str
    limits: Thresholds
    every: float
    events: str
    states: str


def after(track: Track, event: str, number: int, limits: Thresholds, every: float = 30) -> Track:
    """The track after one letter of a history, the one that stands at `number`."""
    at = NOW + timedelta(seconds=every * number)
    if event in BLIND:
        return blind(track, at, BLIND[event])
    return step(track, OUTCOMES[event], at, limits)


def tracks(events: Iterable[str], limits: Thresholds, every: float = 30) -> list[Track]:
    """The track after each letter."""
    track, found = Track(), []
    for number, event in enumerate(events):
        track = after(track, event, number, limits, every)
        found.append(track)
    return found


def _spelled_out(line: str) -> str:
    return re.sub(r"(\S)\*(\d+)", lambda m: m[1] * int(m[2]), line).replace(" ", "")


def table() -> list[History]:
    """Every history of the file."""
    text = (Path(__file__).parent / "histories.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: list[History] = []
    source, every, limits = "", 0.0, Thresholds()
    while lines:
        line = lines.pop(0)
        if line.startswith("["):
            source, _, settings = line.strip("[]").partition(":")
            values = {key: float(value) for key, _, value in (item.partition("=") for item in settings.split())}
            every = values.pop("every")
            limits = convert(values, Thresholds, strict=False)
        else:
            events, states = _spelled_out(lines.pop(0)), _spelled_out(lines.pop(0))
            found.append(History(source, line, limits, every, events, states))
    return found
