"""The one object that the desktop and the commands hold: services, their live state, their runs, the accounts.

It opens the parts, gives each the others that it needs, and lends its name to what they do:

    accounts/configuration.py     the settings in force; accounts and services are added, changed, removed
    storage/journal/recorded_runs.py     the runs as the journal has them
    monitoring/observer.py       what is there now, read
    monitoring/live_states.py           what a watch knows
    switchover/preparer.py       what a switch would do, and what speaks against it
    switchover/runs.py           a run is begun, resumed, undone
    switchover/decisions.py           what people say of a run
    switchover/ttls.py           TTLs are lowered, and given back
    switchover/protection.py     is there a backup?
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from changeover.accounts.configuration import Configuration
from changeover.model.dns.records import RecordSet
from changeover.model.health.check import HealthCheck
from changeover.model.health.probe_result import Round
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.readiness.service_state import ServiceState, assess, unread
from changeover.model.runs.run import Outcome, Run
from changeover.model.runs.ttl import fast_from
from changeover.model.settings.service import Settings
from changeover.monitoring.live_states import LiveStates
from changeover.monitoring.observer import Observer
from changeover.monitoring.recorder import HistoryRecorder
from changeover.storage.freezes import Freezes
from changeover.storage.history.history import History
from changeover.storage.home import Home, this_person
from changeover.storage.journal.journal import Journal
from changeover.storage.journal.recorded_runs import RecordedRuns
from changeover.storage.keyring import Vault
from changeover.storage.pins import Pins
from changeover.switchover.decisions import OperatorDecisions
from changeover.switchover.preparer import Preparer
from changeover.switchover.protection import Protection
from changeover.switchover.runs import Runs
from changeover.switchover.ttls import Ttls

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup, ResolverAnswer
    from changeover.model.dns.discovery import Discovery
    from changeover.model.dns.propagation import CachedAnswer
    from changeover.model.health.soak import Soak


class Switchboard:
    """Everything that Changeover can do, over one home folder. Used on one asyncio loop; needs no window."""

    def __init__(self, home: Home, vault: Vault | None = None) -> None:
        """Reads the settings. Raises SettingsError with every fault of the file."""
        self.home = home
        self.journal = Journal(home.database)
        self.history = History(home.database)
        self.pins = Pins(home.database)
        self.freezes = Freezes(home.database)
        self._recorded = recorded = RecordedRuns(home, self.journal)
        self._configuration = configuration = Configuration(home, vault or Vault(home), recorded, self._take)
        self._observer = observer = Observer(
            home,
            configuration.settings,
            configuration.accounts,
            configuration.vault,
            self.pins,
            self.freezes,
            self.history,
            recorded.of,
        )
        self._live = live = LiveStates(observer.environment, observer, HistoryRecorder(self.history))
        live.reset(configuration.settings.services)
        preparer = Preparer(configuration, recorded, observer, live)
        runs = Runs(home, configuration, self.journal, recorded, observer, live, preparer)
        ttls = Ttls(configuration, recorded, observer, runs)
        said = OperatorDecisions(self.journal, recorded, live, settled=ttls.restore_after)
        protection = Protection(configuration, self.journal, recorded, observer, preparer, said)

        # What people have set up
        self.service = configuration.service
        self.accounts = configuration.rows
        self.add_account, self.remove_account = configuration.add_account, configuration.remove_account
        self.verify_account = configuration.verify_account
        self.add_service, self.remove_service = configuration.add_service, configuration.remove_service
        self.add_service_secret = configuration.add_service_secret
        self.change_check = configuration.change_check

        # What a watch knows
        self.states, self.state, self.subscribe = live.states, live.state, live.subscribe
        self.watch, self.connection = live.watch, live.connection

        # Runs, old and new, and whether a service has a backup after them
        self.runs, self.run, self.unfinished_run = recorded.all, recorded.one, recorded.unfinished
        self.prepare = preparer.prepare
        self.switch, self.resume = runs.switch, runs.resume
        self.undo, self.undo_plan = runs.undo, runs.undo_plan
        self.shorten_ttl, self.restore_ttl = ttls.shorten, ttls.restore
        self.lifecycle, self.protect = protection.lifecycle, protection.protect

        # What people say of a run, from whichever process
        self.approve, self.decline, self.skip, self.repeat = said.approve, said.decline, said.skip, said.repeat
        self.pause, self.escalate = said.pause, said.escalate
        self.accept, self.commit, self.acknowledge = said.accept, said.commit, said.acknowledge

    def _take(self, settings: Settings) -> None:
        """Takes settings that were changed."""
        self._observer.take(settings)
        self._live.reset(settings.services)

    async def aclose(self) -> None:
        """Closes connections, the history and the journal."""
        await self._configuration.accounts.aclose()
        await self.history.aclose()
        self.pins.close()
        self.freezes.close()
        self.journal.close()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._configuration.settings

    @property
    def vault(self) -> Vault:
        """Where secrets are."""
        return self._configuration.vault

    @property
    def lookup(self) -> Lookup:
        """Looks names up as the settings say."""
        return self._observer.lookup

    # Looking

    async def observe(self, name: str) -> ServiceState:
        """The state of a service, from a few probes and one reading now; for a command, which watches nothing."""
        service = self.service(name)
        seen, visit, run = await asyncio.gather(
            self._observer.look(service), self._observer.visit(service), self._recorded.newest(name)
        )
        # A few probes cannot tell whether a deployment failed before the visit or after it: it is told, and no excuse.
        seen = replace(seen, overlay=replace(seen.overlay, visit=visit))
        return assess(seen, replace(unread(service, seen.at), run=run))

    async def refresh(self, name: str) -> None:
        """Probes and reads one service now, for who watches."""
        await self._live.refresh(self.service(name).name)

    async def try_check(self, name: str, health: HealthCheck) -> dict[str, Round]:
        """Probes every deployment once as `health` would have it. Nothing is kept of it."""
        from changeover.health.rounds import probe_round

        service = replace(self.service(name), health=health)
        found = await asyncio.gather(*(probe_round(service, d, self.lookup) for d in service.deployments))
        return {d.name: probed for d, probed in zip(service.deployments, found, strict=True)}

    async def resolvers(self, name: str) -> tuple[ResolverAnswer, ...]:
        """What the resolvers of the settings have in their caches for the service's hostnames."""
        answers = await asyncio.gather(*(self.lookup.resolvers(host) for host in self.service(name).hostnames))
        return tuple(answer for found in answers for answer in found)

    async def panel(self, name: str) -> tuple[CachedAnswer, ...]:
        """What every resolver has for the service's hostnames, beside what the authoritative servers give."""
        from changeover.monitoring.propagation import panel

        return await panel(self.service(name), self.lookup, await self._recorded.newest(name))

    async def soak(self, run: Run, on_progress: Callable[[Soak], None]) -> Soak | None:
        """Looks at a service closely after a switch, until its time is over or it worsens. None where it makes none."""
        from changeover.switchover.verify.soak import soak

        service = self.service(run.service)
        deployment = service.deployment(run.to)
        if run.outcome is not Outcome.COMPLETED or run.ended is None or deployment is None:
            return None
        return await soak(service, deployment, self.lookup, run.ended, on_progress=on_progress)

    async def fast_from(self, name: str) -> datetime | None:
        """From when on a switch of the service is as fast as its lowered TTLs; None where none were lowered."""
        return fast_from(await self._recorded.all(), name)

    async def discover(self, hostname: str) -> Discovery:
        """Which account has the zone of `hostname`, a canonical name, what stands there, where its delegation leads."""
        from changeover.monitoring.discovery import discover

        accounts = self.settings.accounts
        providers = await self._configuration.open_each([account.name for account in accounts])
        return await discover(hostname, accounts, providers, self.lookup)

    async def look_up(self, hostname: str) -> tuple[RecordSet, ...]:
        """What `hostname` resolves to now, CNAME chain included."""
        both = await asyncio.gather(self.lookup.resolve(hostname, "A"), self.lookup.resolve(hostname, "AAAA"))
        return tuple({(r.name, r.type): r for found in both for r in found}.values())

    # Pins and freezes

    async def pin(self, service: str, deployment: str, hold: Hold, reason: str, seconds: float) -> Pin:
        """Holds a deployment healthy, unhealthy or out of use for a time. Raises UsageError for what cannot be."""
        self._configuration.deployment(service, deployment)
        pin = await self.pins.set(service, deployment, hold, reason, seconds)
        self._live.take_pins(await self._observer.pins())
        return pin

    async def unpin(self, service: str, deployment: str) -> bool:
        """Ends a deployment's pin. False where it had none."""
        self._configuration.deployment(service, deployment)
        had = await self.pins.clear(service, deployment)
        self._live.take_pins(await self._observer.pins())
        return had

    async def freeze(self, service: str | None, reason: str, seconds: float) -> Freeze:
        """Lets nothing be switched for a time, at a service or (None) anywhere. Raises UsageError for what cannot be.

        An emergency may override it by name; undoing and resuming a run stay possible.
        """
        if service is not None:
            self.service(service)
        freeze = await self.freezes.set(service, reason, seconds, this_person())
        self._live.take_freezes(await self._observer.freezes())
        return freeze

    async def unfreeze(self, service: str | None) -> bool:
        """Ends the freeze of a service, or the one of everything. False where there was none."""
        had = await self.freezes.clear(service)
        if service is not None and not had:
            self.service(service)
        self._live.take_freezes(await self._observer.freezes())
        return had
