"""Live states: every service watched for as long as a window is open."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from changeover.health.rounds import PAUSE, probe_round
from changeover.model.errors import ChangeoverError
from changeover.model.health import DeploymentHealth, Round, deployment_health, settled
from changeover.model.service import Service
from changeover.model.state import ServiceState

if TYPE_CHECKING:
    from changeover.dns.lookup import Lookup

log = logging.getLogger(__name__)

#: Rounds kept for each deployment: an hour at 30 s is 120.
KEPT_ROUNDS = 720
#: Whether a credential may write is tried again after this many seconds.
PROVE_ACCESS_EVERY = 30 * 60.0


class Observe(Protocol):
    """Reads a service's state, with the given health; `prove_access` tries the credentials' right to write."""

    def __call__(
        self, service: Service, health: Mapping[str, DeploymentHealth], prove_access: bool
    ) -> Awaitable[ServiceState]: ...


class LiveStates:
    """The states of all services, kept up to date by `watch`. Callbacks run on the loop after each change."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self._states: dict[str, ServiceState] = {}
        self._rounds: dict[tuple[str, str], deque[Round]] = {}
        self._proven: dict[str, float] = {}
        self._callbacks: list[Callable[[str | None], None]] = []
        self._restart = asyncio.Event()

    def states(self) -> tuple[ServiceState, ...]:
        return tuple(self._states.values())

    def state(self, name: str) -> ServiceState:
        return self._states[name]

    def subscribe(self, callback: Callable[[str | None], None]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def reset(self, services: tuple[Service, ...]) -> None:
        """Takes these services, keeping what is known of those that stay the same."""
        known = self._states
        kept = {s.name: known[s.name] for s in services if s.name in known and known[s.name].service == s}
        self._states = {s.name: kept.get(s.name) or ServiceState(service=s) for s in services}
        self._rounds = {key: rounds for key, rounds in self._rounds.items() if key[0] in kept}
        self._proven = {}
        self._restart.set()
        self._tell(None)

    def fresh_health(self, service: Service) -> dict[str, DeploymentHealth] | None:
        """The judged health of every deployment, if each was probed within the last two intervals."""
        oldest = 2 * service.health.interval + service.health.timeout
        found = {}
        for deployment in service.deployments:
            rounds = self._rounds.get((service.name, deployment.name))
            if not rounds or not settled(rounds):
                return None
            if (datetime.now(UTC) - rounds[-1].at).total_seconds() > oldest:
                return None
            found[deployment.name] = deployment_health(deployment.name, rounds)
        return found

    def change(self, name: str, **fields: object) -> None:
        """Changes parts of a service's state at once, such as its run while it runs."""
        if name in self._states:
            self._states[name] = replace(self._states[name], **fields)
            self._tell(name)

    async def watch(self, lookup: Callable[[], Lookup]) -> None:
        """Probes and reads every service at its interval, until cancelled. New settings are taken up at once."""
        while True:
            self._restart.clear()
            async with asyncio.TaskGroup() as group:
                watches = [group.create_task(self._watch_one(s.service, lookup)) for s in self.states()]
                await self._restart.wait()
                for task in watches:
                    task.cancel()

    async def _watch_one(self, service: Service, lookup: Callable[[], Lookup]) -> None:
        for count in itertools.count(1):
            began = time.monotonic()
            await self.refresh(service, lookup())
            early = count < 3 and not all(self._settled(service, d.name) for d in service.deployments)
            pause = PAUSE if early else service.health.interval
            await asyncio.sleep(max(0.0, began + pause - time.monotonic()))

    def _settled(self, service: Service, deployment: str) -> bool:
        return settled(self._rounds.get((service.name, deployment), ()))

    async def refresh(self, service: Service, lookup: Lookup) -> None:
        """One round of probes and one reading of a service, now."""
        rounds = await asyncio.gather(*(probe_round(service, d, lookup) for d in service.deployments))
        for deployment, probed in zip(service.deployments, rounds, strict=True):
            kept = self._rounds.setdefault((service.name, deployment.name), deque(maxlen=KEPT_ROUNDS))
            kept.append(probed)
        health = {d.name: deployment_health(d.name, self._rounds[(service.name, d.name)]) for d in service.deployments}
        now = time.monotonic()
        prove = now - self._proven.get(service.name, -PROVE_ACCESS_EVERY) >= PROVE_ACCESS_EVERY
        try:
            state = await self._observe(service, health, prove)
        except ChangeoverError as error:
            log.warning("%s could not be read: %s", service.name, error.text)
            self.change(service.name, health=health, error=error.text)
            return
        if prove:
            self._proven[service.name] = now
        old = self._states.get(service.name)
        if old is None or old.service != service:
            return  # the settings changed meanwhile
        every = {d.name: tuple(self._rounds[(service.name, d.name)]) for d in service.deployments}
        self._states[service.name] = replace(
            state, rounds=every, working=old.working, run=old.run if old.working else state.run
        )
        self._tell(service.name)

    def _tell(self, name: str | None) -> None:
        for callback in tuple(self._callbacks):
            callback(name)
