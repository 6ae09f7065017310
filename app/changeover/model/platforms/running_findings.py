"""What a platform says that speaks against sending visitors to a deployment there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from changeover.model.finding import Finding, Level
from changeover.model.formatting import counted
from changeover.model.health.certificate import covers
from changeover.model.platforms.platform_observation import PlatformObservation

#: The check that all of these belong to.
CHECK = "platform"


def running_findings(
    name: str, found: PlatformObservation, hostnames: Sequence[str], minimum: Mapping[str, int]
) -> tuple[Finding, ...]:
    """Everything that is wrong with deployment `name`; empty where nothing is, or where the platform does not tell.

    `hostnames` are those that DNS leads there, or would; `minimum` has, by kind of process, how many instances it must
    have at least.
    """
    parts = (
        _stopped(name, found),
        _crashed(name, found),
        _routes(name, found, hostnames),
        _quota(name, found, minimum),
        _deploying(name, found),
        _runtime(name, found),
        _databases(name, found),
    )
    return tuple(finding for part in parts for finding in part)


def _stopped(name: str, found: PlatformObservation) -> Iterator[Finding]:
    if found.started is False:
        yield warning(f"{name} is stopped at its platform, so it answers nobody", "Start it, or add a step that does.")


def _crashed(name: str, found: PlatformObservation) -> Iterator[Finding]:
    for process in found.processes:
        if process.crashed:
            told = f"{process.crashed} of {counted(process.wanted, process.name + ' instance')} of {name}"
            verb = "crashes" if process.crashed == 1 else "crash"
            yield warning(f"{told} {verb}", "Look at its log, and at the memory that it has.")


def _routes(name: str, found: PlatformObservation, hostnames: Sequence[str]) -> Iterator[Finding]:
    """Where the platform serves an app by its hostnames, each of the service's must be one of them."""
    missing = [host for host in hostnames if not covers(found.hostnames, host)]
    if missing and (found.hostnames or found.domains or found.started is not None):
        yield warning(
            f"The platform of {name} has no route for {', '.join(missing)}, so visitors would get an error there",
            "Attach it: it may be attached before DNS leads there.",
        )


def _quota(name: str, found: PlatformObservation, minimum: Mapping[str, int]) -> Iterator[Finding]:
    lacking = found.lacking(minimum)
    if found.quota_left is not None and lacking > found.quota_left:
        yield warning(
            f"{name} needs {counted(lacking, 'more instance')}, and its quota has room for {found.quota_left}",
            "Have the quota raised, or stop something else there.",
        )


def _deploying(name: str, found: PlatformObservation) -> Iterator[Finding]:
    if found.deploying:
        yield warning(
            f"{name} is being deployed at this moment ({found.deploying}): it cannot be scaled until that has ended",
            "Wait until it has ended.",
        )


def _runtime(name: str, found: PlatformObservation) -> Iterator[Finding]:
    if found.runtime_support == "ended":
        yield warning(
            f"{name} runs on {found.runtime}, which gets no repairs any more and may refuse the next deployment",
            "Deploy it on a newer stack.",
        )


def _databases(name: str, found: PlatformObservation) -> Iterator[Finding]:
    for database in found.databases:
        if not database.is_available:
            yield warning(
                f"The database {database.name} of {name} is not available ({database.state})",
                "Wait until its platform says that it is: what needs it may fail until then.",
            )


def warning(text: str, fix: str) -> Finding:
    """A warning of this check."""
    return Finding(check=CHECK, level=Level.WARN, text=text, fix=fix)
