"""Keeping what a watch sees: rounds, incidents and gaps, written every few seconds by one process alone."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from changeover.health.unforeseen import unforeseen
from changeover.health.watch import RoundRecorded
from changeover.model.errors import ChangeoverError
from changeover.model.health.history import Gap, GapKind, evidence_of
from changeover.model.health.probe_result import Health
from changeover.model.health.track import State
from changeover.model.wording.fault_words import connection_words
from changeover.storage.history.history import History

log = logging.getLogger(__name__)

#: What waits is written after so many seconds; what is old is rolled up after so many.
WRITE_EVERY, ROLL_UP_EVERY = 5.0, 60.0
#: A program that was not running for less than this leaves no gap that anybody would miss.
SHORT = timedelta(minutes=2)


class HistoryRecorder:
    """Writes a history for as long as `run` goes on, unless another process does."""

    def __init__(self, history: History) -> None:
        self._history = history

    def saw(self, seen: RoundRecorded, maintenance: bool, held: bool) -> None:
        """A round that counted. An incident begins where a deployment goes down, unless that is planned or held."""
        service = seen.service.name
        health = seen.health
        self._history.add_round(service, seen.probed, seen.deployment, maintenance=maintenance)
        was_down = seen.before is not None and seen.before.health is Health.UNHEALTHY
        if health.health is Health.UNHEALTHY and not was_down and not (maintenance or held):
            limits = seen.service.health.thresholds
            words = connection_words(seen.connection) if seen.connection is not None else ""
            evidence = evidence_of(seen.rounds[-limits.down_after :], seen.connection, words)
            started = health.since or seen.probed.at
            self._history.begin_incident(service, seen.deployment, started, health.cause, health.reason, evidence)
        up = health.state in (State.UP, State.FLAPPING) and health.health is not Health.UNHEALTHY
        if up and seen.before is not None and seen.before.state is not health.state:
            self._history.end_incident(service, seen.deployment, health.since or seen.probed.at)

    def missed(self, gap: Gap) -> None:
        """A time in which nothing was seen."""
        self._history.add_gap(gap.kind, gap.started, gap.ended)

    async def run(self) -> None:
        """Records until cancelled. What cannot be written is logged and tried again."""
        try:
            await self._begin()
            last = await self._history.last_seen()
            if last is not None and datetime.now(UTC) - last > SHORT:
                self._history.add_gap(GapKind.NOT_RUNNING, last, datetime.now(UTC))
            rounds = round(ROLL_UP_EVERY / WRITE_EVERY)
            number = 0
            while True:
                await self._write(roll_up=number % rounds == 0)
                number += 1
                await asyncio.sleep(WRITE_EVERY)
        except ChangeoverError as error:
            log.error("no history is kept: %s", error.text)

    async def _begin(self) -> None:
        """Waits until no other process records."""
        while True:
            if self._history.begin_recording():
                return
            await asyncio.sleep(ROLL_UP_EVERY)

    async def _write(self, roll_up: bool) -> None:
        try:
            await self._history.flush()
            if roll_up:
                await self._history.roll_up(datetime.now(UTC))
        except ChangeoverError as error:
            log.warning("%s", error.text)
        except Exception as error:  # noqa: BLE001 - logged; it is tried again
            unforeseen("the history, to write it", error)
