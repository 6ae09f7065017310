"""What runs of a deployment, as its platform says, and how what was done to it is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from changeover.model.settings.action import PlatformCall, Verb


class Process(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One kind of process of an app, such as "web": how many instances should run, how many do, and their size.

    `crashed` is how many end by themselves and are started anew, or given up.
    """

    name: str
    wanted: int
    running: int | None = None
    size: str = ""
    crashed: int = 0


class AttachedDomain(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A hostname that a platform serves an app under.

    `target` is the name that a CNAME of it must lead to, where the platform gives each its own. `certificate` is how
    the platform's own certificate for it stands, empty where it makes none, and `reason` its word for why.
    """

    hostname: str
    target: str = ""
    certificate: Literal["", "issued", "waiting", "failed"] = ""
    reason: str = ""


class PlatformCertificate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate that a platform serves. `renews`: does the platform renew it by itself?"""

    names: tuple[str, ...]
    not_after: datetime | None = None
    issuer: str = ""
    renews: bool | None = None


class AttachedResource(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An add-on or a service instance that an app uses. `kind` is what it is, such as "postgresql" or "redis"."""

    name: str
    kind: str
    plan: str = ""
    state: str = ""


class HostedDatabase(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A database that a platform runs for an app.

    `follows` names the one whose changes it takes; `behind` is how many commits it lacks, None where that is not told.
    `state` is the platform's word, such as "Available" or "Preparing". `backup_at` is when the newest backup that can
    be used was made. A cluster has `readers`, the names of those that follow within it, and tells with `stands_by`
    whether a server waits to take over; how far these are behind is not told. `tier` names it, where it is a special
    one.
    """

    name: str
    role: Literal["", "primary", "standby"] = ""
    follows: str = ""
    behind: int | None = None
    version: str = ""
    state: str = ""
    backup_at: datetime | None = None
    tier: str = ""
    readers: tuple[str, ...] = ()
    stands_by: bool | None = None

    @property
    def is_available(self) -> bool:
        """Not told of it is no fault."""
        return self.state.lower() in ("", "available")


class PlatformObservation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What runs of one deployment. Each is None, or empty, where the platform has no such thing or does not tell.

    `wanted` and `running` are numbers of instances that serve visitors: those that it should have, and those that run.
    `config` has the names of configuration variables, each with a hash of its value, which means something within
    this process only (changeover.platforms.config_hash). Journals hold the first fields, and what is kept for the day
    on which the platform is silent holds all but the hashes, so that fields are only added.
    """

    wanted: int | None = None
    running: int | None = None
    release: str = ""
    maintenance: bool | None = None
    hostnames: tuple[str, ...] = ()
    #: Is it meant to run at all, whatever it is scaled to?
    started: bool | None = None
    processes: tuple[Process, ...] = ()
    #: Does the platform make certificates for its hostnames by itself?
    managed_certificates: bool | None = None

    #: The commit that the release was built from.
    commit: str = ""
    released_at: datetime | None = None
    #: What is being deployed at this moment, in the platform's words.
    deploying: str = ""
    region: str = ""
    #: What it runs on, such as "heroku-24" or "cflinuxfs4", and whether that still gets all repairs.
    runtime: str = ""
    runtime_support: Literal["", "full", "security", "ended"] = ""
    buildpacks: tuple[str, ...] = ()
    #: Does it fall asleep without visitors, so that the first one waits?
    sleeps: bool | None = None
    domains: tuple[AttachedDomain, ...] = ()
    certificates: tuple[PlatformCertificate, ...] = ()
    config: Mapping[str, str] = field(default_factory=dict)
    #: Of these, the addresses of databases that do not ask for TLS.
    urls_without_tls: tuple[str, ...] = ()
    resources: tuple[AttachedResource, ...] | None = None
    databases: tuple[HostedDatabase, ...] = ()
    #: How many more instances of its size the account's quota allows.
    quota_left: int | None = None
    #: The part of the platform's machines that is kept for some: Cloud Foundry's isolation segment, Heroku's Private
    #: Space.
    isolation: str = ""
    #: Which of the platform's generations it runs on, such as Heroku's "cedar" and "fir".
    generation: str = ""
    #: The pipeline that releases are promoted in, by its id, and the stage that the app is at.
    pipeline: str = ""
    stage: str = ""
    #: When what seldom changes was read (buildpacks, certificates, the pipeline), where that is not asked every time.
    seldom_at: datetime | None = None

    @property
    def kinds(self) -> tuple[Process, ...]:
        """Its kinds of process; where the platform tells none, its instances that serve visitors are "web"."""
        if not self.processes and self.wanted is not None:
            return (Process(name="web", wanted=self.wanted, running=self.running),)
        return self.processes

    @property
    def workers(self) -> tuple[Process, ...]:
        """The kinds of process that work without visitors."""
        return tuple(process for process in self.processes if process.name != "web")

    def process(self, name: str) -> Process | None:
        return next((process for process in self.kinds if process.name == name), None)

    def lacking(self, minimum: Mapping[str, int]) -> int:
        """How many more instances it needs for `minimum`, by kind of process. One that is stopped uses none yet."""
        has = {} if self.started is False else {process.name: process.wanted for process in self.kinds}
        return sum(max(0, least - has.get(kind, 0)) for kind, least in minimum.items())

    @property
    def for_journal(self) -> PlatformObservation:
        """What is needed to take an operation back, and nothing else."""
        return PlatformObservation(**{name: getattr(self, name) for name in _TAKEN_BACK})

    @property
    def for_keeping(self) -> PlatformObservation:
        """What may be kept on disk: the configuration's names without the hashes."""
        return replace(self, config=dict.fromkeys(self.config, ""))


class KeptObservation(Struct, frozen=True, kw_only=True):
    """What a deployment's platform said of it at a moment, kept for when it says nothing."""

    at: datetime
    observation: PlatformObservation

    @property
    def oldest(self) -> datetime:
        """When the oldest part of it was said."""
        return min(self.at, self.observation.seldom_at or self.at)


_TAKEN_BACK = (
    "wanted",
    "running",
    "release",
    "maintenance",
    "hostnames",
    "started",
    "processes",
    "managed_certificates",
)


def reverse_of(call: PlatformCall, before: PlatformObservation | None) -> PlatformCall | None:
    """What puts back what stood before `call`; None where nothing does, or where it changed nothing.

    A promotion is taken back by promoting the other one, which is a switch of its own; an emptied cache fills by
    itself, and what was started anew runs.
    """
    if before is None:
        return None

    def with_(verb: Verb, **options: Any) -> PlatformCall:
        return replace(call, verb=verb, options={**call.options, **options})

    match call.verb:
        case "maintenance-on":
            return with_("maintenance-off") if before.maintenance is False else None
        case "maintenance-off":
            return with_("maintenance-on") if before.maintenance is True else None
        case "scale":
            wanted = _wanted(before, call.options.get("process"))
            return None if wanted in (None, call.options.get("instances")) else with_("scale", instances=wanted)
        case "start":
            return with_("stop") if before.started is False else None
        case "stop":
            return with_("start") if before.started is True else None
        case "attach-domain":
            return with_("detach-domain") if call.options.get("hostname") not in before.hostnames else None
        case "detach-domain":
            return with_("attach-domain") if call.options.get("hostname") in before.hostnames else None
        case "enable-certificates":
            return with_("disable-certificates") if before.managed_certificates is False else None
        case "disable-certificates":
            return with_("enable-certificates") if before.managed_certificates is True else None
        case "rollback":
            changed = before.release not in ("", call.options.get("release"))
            return with_("rollback", release=before.release) if changed else None
        case "promote" | "purge-cache" | "restart":
            return None


def _wanted(before: PlatformObservation, process: Any) -> int | None:
    """How many instances of a process were wanted; of those that serve visitors, where none is named."""
    if not process:
        return before.wanted
    found = before.process(process)
    return None if found is None else found.wanted
