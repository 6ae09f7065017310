"""One honest health check: a new connection to a deployment's own address, judged by the conditions of the settings."""

from __future__ import annotations

from datetime import UTC, datetime

from changeover.health.http.request import Exchange, checked, request_of
from changeover.health.unforeseen import guarded
from changeover.model.health.certificate import days_left
from changeover.model.health.check import HealthCheck
from changeover.model.health.conditions import Response, expected, looks_into_body, unmet
from changeover.model.health.known_pages import recognised
from changeover.model.health.probe_result import Cause, ProbeResult, unread_result
from changeover.model.settings.service import Deployment
from changeover.model.wording.fault_words import untried_words


async def probe(
    deployment: Deployment, hostname: str, address: str, check: HealthCheck, target: str | None = None
) -> ProbeResult:
    """Asks `address` for the service as visitors of `hostname` would get it. Never raises for what the net does.

    `target` is the name that led to the address, where the deployment's answer is a name.
    """
    at = datetime.now(UTC)

    def unread(why: str) -> ProbeResult:
        return unread_result(deployment.name, hostname, why, at, address=address, target=target)

    work = _probe(deployment, hostname, address, check, target, at)
    return await guarded(f"what {hostname} answers at {address}", work, unread)


async def _probe(
    deployment: Deployment, hostname: str, address: str, check: HealthCheck, target: str | None, at: datetime
) -> ProbeResult:
    found = await checked(hostname, address, check, None if check.scheme == "tcp" else request_of(check), check)
    ok, reason, cause = _judged(found, check, hostname, at)
    marker, response = deployment.marker, found.response
    seen = response.listed(marker.header) if marker and response else None
    return ProbeResult(
        deployment=deployment.name,
        hostname=hostname,
        address=address,
        at=at,
        ok=ok,
        reason=reason,
        target=target,
        cause=cause,
        status=response.status if response else None,
        untried="" if found.ok is not None else found.reason,
        unexpected_status=response is not None and _only_status(response, check, hostname),
        marker_ok=marker.stands_in(seen) if marker and response else None,
        marker_seen=seen,
        certificate_error=found.certificate_error,
        certificate=found.certificate,
        phases=found.phases,
    )


def _judged(found: Exchange, check: HealthCheck, hostname: str, at: datetime) -> tuple[bool | None, str, Cause | None]:
    if found.ok is None:
        return None, untried_words(found.reason), found.cause
    if not found.ok:
        return False, found.reason, found.cause
    response = found.response
    if response is None:
        return True, f"connected in {_milliseconds(found.phases.total)}", None
    fault = _fault(response, check, hostname)
    if fault is not None:
        return False, fault, Cause.PATH
    wanted = check.expect_certificate_days
    if wanted is not None and found.certificate is not None and (left := days_left(found.certificate, at)) < wanted:
        days = "day" if left == 1 else "days"
        fault = f"{response.status}, but the certificate expires in {left} {days}, expected at least {wanted}"
        return False, fault, Cause.CERTIFICATE
    return True, f"{response.status} in {_milliseconds(found.phases.total)}", None


def _fault(response: Response, check: HealthCheck, hostname: str) -> str | None:
    """What is wrong with a response. A good answer that looks into its body may look like whatever it wants."""
    fault = unmet(check, response)
    if fault is None and looks_into_body(check):
        return None
    page = recognised(response, hostname)
    return f"{response.status}: {page}" if page else fault


def _only_status(response: Response, check: HealthCheck, hostname: str) -> bool:
    """Is its status what is wrong with a response, and nothing known of its page?"""
    return not expected(response.status, check.expect_status) and recognised(response, hostname) is None


def _milliseconds(seconds: float | None) -> str:
    return f"{round((seconds or 0) * 1000)} ms"
