"""How a service answers plain requests: status, time, size and marker, for a comparison with what it did before."""

from __future__ import annotations

from msgspec.structs import replace

from changeover.health.http.request import checked, request_of
from changeover.health.unforeseen import guarded
from changeover.model.health.baseline import Answered
from changeover.model.health.check import HealthCheck
from changeover.model.health.conditions import Response, seconds_told

#: The headers that tell that a cache answered, and for how long it had the answer.
_AGE = "age"
#: A cache never has had this address, so whoever answers it is the deployment itself.
_PAST_CACHES = "changeover-past-caches"


async def sample(hostname: str, address: str, check: HealthCheck, marker: str | None) -> Answered:
    """One request for `hostname` to `address`, at the path of `check`. `marker` is the header that tells who answers.

    Never raises for what the net does. A check that only opens a connection gives a status of 0.
    """
    return await _sample(hostname, address, check, check.path, marker)


async def sample_past_caches(
    hostname: str, address: str, check: HealthCheck, marker: str | None, word: str
) -> Answered:
    """As `sample`, at an address that no cache can have seen; `word` makes it one of its own."""
    sign = "&" if "?" in check.path else "?"
    return await _sample(hostname, address, check, f"{check.path}{sign}{_PAST_CACHES}={word}", marker)


async def _sample(hostname: str, address: str, check: HealthCheck, path: str, marker: str | None) -> Answered:
    def unread(why: str) -> Answered:
        return Answered(hostname=hostname, address=address, reason=f"not known: {why}")

    work = _answered(hostname, address, check, path, marker)
    return await guarded(f"how {hostname} answers at {address}", work, unread)


async def _answered(hostname: str, address: str, check: HealthCheck, path: str, marker: str | None) -> Answered:
    request = None if check.scheme == "tcp" else request_of(check, path)
    found = await checked(hostname, address, check, request)
    nothing = Answered(hostname=hostname, address=address, seconds=found.phases.total or 0, reason=found.reason)
    if found.response is None:
        return replace(nothing, status=0) if found.ok else nothing
    response = found.response
    return replace(
        nothing,
        status=response.status,
        size=len(response.body),
        marker=response.listed(marker) if marker is not None else None,
        age=_age(response),
    )


def _age(response: Response) -> int:
    """Seconds since the answer was made, as a cache tells (RFC 9111, 5.1)."""
    return seconds_told(response.header(_AGE)) or 0
