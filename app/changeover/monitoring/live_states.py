"""Live states: what every service looks like now, from what a watch sees and from what is read of its DNS."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from changeover.health.unforeseen import guarded, unforeseen
from changeover.health.watch import ProbeEnvironment, RoundRecorded, Watch
from changeover.model.errors import ChangeoverError
from changeover.model.health.connectivity import Connection
from changeover.model.health.history import Gap
from changeover.model.health.probe_result import Health, Visit
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.observation import Observation, observed
from changeover.model.readiness.overlay import Overlay, overlay_at
from changeover.model.readiness.pin import Pin
from changeover.model.readiness.service_state import ServiceState, assess, unread
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.run import Run
from changeover.model.settings.service import Service

log = logging.getLogger(__name__)

#: Readiness is evaluated in full after this many seconds; and when settings change, on waking, and before a run.
EVALUATE_EVERY = 30 * 60.0


class SnapshotReader(Protocol):
    """How a service's snapshot is read."""

    async def snapshot(self, service: Service, known: Snapshot | None) -> Snapshot:
        """Reads it, without health. With `known`, only its name servers, and the rest where they say something new."""
        ...

    async def visit(self, service: Service) -> Visit: ...

    async def foremost_run(self, service: str) -> Run | None: ...

    async def pins(self) -> tuple[Pin, ...]: ...

    async def freezes(self) -> tuple[Freeze, ...]: ...


class Recorder(Protocol):
    """What keeps what was seen."""

    def saw(self, seen: RoundRecorded, maintenance: bool, held: bool) -> None: ...

    def missed(self, gap: Gap) -> None: ...

    async def run(self) -> None: ...


class LiveStates:
    """The states of all services, kept up to date by `watch`. Callbacks run on the loop after each change."""

    def __init__(self, environment: ProbeEnvironment, reading: SnapshotReader, recorder: Recorder) -> None:
        self._watch = Watch(environment, self)
        self._reading = reading
        self._recorder = recorder
        self._states: dict[str, ServiceState] = {}
        self._pins: tuple[Pin, ...] = ()
        self._freezes: tuple[Freeze, ...] = ()
        self._visits: dict[str, Visit] = {}
        self._evaluated: dict[str, float] = {}
        self._due: dict[str, asyncio.Event] = {}
        self._callbacks: list[Callable[[str | None], None]] = []
        self._restart = asyncio.Event()
        self._watching = False

    def states(self) -> tuple[ServiceState, ...]:
        """Every service's live state, in the order of the settings."""
        return tuple(self._states.values())

    def state(self, name: str) -> ServiceState:
        """One service's live state. KeyError where there is no such service."""
        return self._states[name]

    def subscribe(self, callback: Callable[[str | None], None]) -> Callable[[], None]:
        """Calls `callback` with a service's name when its state changed, with None when the settings did.

        Gives what ends the subscription.
        """
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def reset(self, services: tuple[Service, ...]) -> None:
        """Takes these services, keeping what is known of those that stay the same. All are evaluated again."""
        known, now = self._states, self._watch.now()
        kept = {s.name: known[s.name] for s in services if s.name in known and known[s.name].service == s}
        self._states = {s.name: kept.get(s.name) or unread(s, now) for s in services}
        self._due = {s.name: asyncio.Event() for s in services}
        self._evaluated = {}
        self._watch.reset(services)
        self._restart.set()
        self._tell(None)

    def take_pins(self, pins: tuple[Pin, ...]) -> None:
        """Takes at once what people say of deployments; else it is noticed at the next reading."""
        self._pins = pins
        self._assess_all()

    def take_freezes(self, freezes: tuple[Freeze, ...]) -> None:
        """The same for what people want left alone."""
        self._freezes = freezes
        self._assess_all()

    def take_run(self, run: Run) -> None:
        """Takes a run of some service as it is now, while it runs or because somebody said something of it."""
        if run.service in self._states:
            self._set(replace(self._states[run.service], run=run))

    def knows(self, name: str) -> bool:
        """Is the service watched, and was every deployment of it seen often enough to be judged?"""
        seen = self.observe(self._states[name].snapshot)
        return self._watching and all(h.health is not Health.UNKNOWN for h in seen.health.values())

    def observe(self, snapshot: Snapshot) -> Observation:
        """What the watch knows now of the service that `snapshot` was read of."""
        service, now = snapshot.service, self._watch.now()
        return observed(snapshot, self._watch.health(service.name), self._overlay(service, now), now, watched=True)

    async def watch(self) -> None:
        """Watches every service until cancelled. New settings are taken up at once."""
        self._watching = True
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch.run())
                group.create_task(guarded("the history", self._recorder.run(), lambda _: None))
                while True:
                    self._restart.clear()
                    readers = [group.create_task(self._keep_reading(name)) for name in self._states]
                    await self._restart.wait()
                    for reader in readers:
                        reader.cancel()
        finally:
            self._watching = False

    @contextlib.contextmanager
    def working(self, name: str) -> Iterator[None]:
        """Says that a run is in progress, and probes faster meanwhile. What it leaves is evaluated in full."""
        self._work(name, True)
        try:
            with self._watch.hurrying(name):
                yield
        finally:
            self._work(name, False)
            self._evaluate(name)

    def _work(self, name: str, working: bool) -> None:
        if name in self._states:
            self._set(replace(self._states[name], working=working))

    async def refresh(self, name: str) -> None:
        """One round of probes and a full evaluation of a service, now."""
        await self._watch.probe_now(name)
        await self._read(name, full=True)

    async def connection(self) -> Connection:
        """This computer's connection, looked at now."""
        return await self._watch.look()

    # What the watch tells

    def saw(self, seen: RoundRecorded) -> None:
        """A round counted."""
        try:
            overlay = self._overlay(seen.service, seen.probed.at)
            self._recorder.saw(seen, seen.deployment in overlay.maintenance, seen.deployment in overlay.pins)
        except Exception as error:  # noqa: BLE001 - logged; what cannot be kept is shown all the same
            unforeseen(f"a round of {seen.service.name}, to keep it", error)
        self._assess(seen.service.name)
        if seen.before is not None and seen.before.health is not seen.health.health:
            self._evaluate(seen.service.name)

    def connection_changed(self, connection: Connection) -> None:
        """This computer went offline, came back, or can say more of why."""
        self._assess_all()

    def missed(self, gap: Gap) -> None:
        """Nothing was seen for a while: what was evaluated before it is old."""
        self._recorder.missed(gap)
        for name in self._states:
            self._evaluate(name)

    # Reading

    def _evaluate(self, name: str) -> None:
        self._evaluated.pop(name, None)
        if name in self._due:
            self._due[name].set()

    async def _keep_reading(self, name: str) -> None:
        while name in self._states:
            due = self._due[name]
            due.clear()
            old = time.monotonic() - self._evaluated.get(name, float("-inf"))
            await self._read(name, full=old >= EVALUATE_EVERY)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._states[name].service.health.interval):
                    await due.wait()

    async def _read(self, name: str, full: bool) -> None:
        state = self._states[name]
        service = state.service
        if full:
            self._evaluated[name] = time.monotonic()
        try:
            snapshot, visit, run = await asyncio.gather(
                self._reading.snapshot(service, None if full or state.snapshot.empty else state.snapshot),
                self._reading.visit(service),
                self._reading.foremost_run(name),
            )
            # In the end, or what a person said meanwhile would be forgotten until the next reading.
            pins, freezes = await asyncio.gather(self._reading.pins(), self._reading.freezes())
        except ChangeoverError as error:
            log.warning("%s could not be read: %s", name, error.text)
            if name in self._states:
                self._set(replace(self._states[name], error=error.text))
            return
        except Exception as error:  # noqa: BLE001 - logged; what was read before may hold no longer
            why = unforeseen(f"the records of {name}", error)
            if name in self._states:
                self._set(self._unknown(name, why))
            return
        if name not in self._states or self._states[name].service != service:
            return  # the settings changed meanwhile
        self._pins, self._freezes = pins, freezes
        moved_on = self._visits.get(name)
        self._visits[name] = visit
        state = replace(self._states[name], error=None)
        self._states[name] = state if state.working else replace(state, run=run)
        self._assess(name, snapshot)
        if moved_on is not None and moved_on.deployment != visit.deployment:
            self._evaluate(name)

    def _overlay(self, service: Service, at: datetime) -> Overlay:
        visit = self._visits.get(service.name)
        connection = self._watch.connection
        return overlay_at(service, at, connection=connection, pins=self._pins, freezes=self._freezes, visit=visit)

    def _assess(self, name: str, snapshot: Snapshot | None = None) -> None:
        """Judges a service anew, where `snapshot` was read just now with it."""
        state = self._states.get(name)
        if state is None:
            return
        try:
            before = replace(state, rounds=self._watch.rounds(name))
            state = assess(self.observe(snapshot or state.snapshot), before)
        except Exception as error:  # noqa: BLE001 - logged; what was judged before holds no longer
            state = self._unknown(name, unforeseen(f"the state of {name}", error))
        self._set(state)

    def _unknown(self, name: str, why: str) -> ServiceState:
        """The state of a service that Changeover failed to read or to judge: nothing of it is known."""
        state = self._states[name]
        unknown = unread(state.service, self._watch.now())
        return replace(unknown, run=state.run, working=state.working, error=f"{name} is not known: {why}")

    def _assess_all(self) -> None:
        for name in self._states:
            self._assess(name)

    def _set(self, state: ServiceState) -> None:
        self._states[state.service.name] = state
        self._tell(state.service.name)

    def _tell(self, name: str | None) -> None:
        for callback in tuple(self._callbacks):
            try:
                callback(name)
            except Exception as error:  # noqa: BLE001 - logged; the others are told all the same
                unforeseen(f"the state of {name or 'all services'}, to show it", error)
