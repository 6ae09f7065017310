"""A service in the snapshots that findings are made from; everything is well unless a test says otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from changeover.model.dns.capabilities import BatchLimit
from changeover.model.dns.change import ZoneAt
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import AddressSet, record_set
from changeover.model.health.certificate import Certificate
from changeover.model.health.probe_result import DeploymentHealth, Health, ProbeResult, Round
from changeover.model.health.track import State
from changeover.model.readiness.observation import Observation
from changeover.model.readiness.overlay import Overlay
from changeover.model.readiness.service_state import ServiceState, assess, unread
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.plan import ZoneReading
from changeover.model.runs.run import Run
from changeover.model.settings.service import Answer, Deployment, Marker, Service
from model.strategies import NOW, capabilities

WWW, APEX = "www.shop.example", "shop.example"
#: What the two deployments publish, by hostname.
PRIMARY: dict[str, AddressSet] = {
    WWW: (record_set(WWW, "CNAME", 60, ["edge.example.net"]),),
    APEX: (record_set(APEX, "A", 60, ["192.0.2.10"]), record_set(APEX, "AAAA", 60, ["2001:db8::10"])),
}
BACKUP: dict[str, AddressSet] = {name: (record_set(name, "A", 60, ["198.51.100.24"]),) for name in (WWW, APEX)}


def service() -> Service:
    apex = Answer(a=("192.0.2.10",), aaaa=("2001:db8::10",))
    return Service(
        name="shop",
        hostnames=(WWW, APEX),
        dns=(ZoneAt("dns", APEX),),
        deployments=(
            Deployment(
                name="primary",
                answer=Answer(cname="edge.example.net"),
                answers={APEX: apex},
                marker=Marker("X-Deployment", "primary"),
            ),
            Deployment(name="backup", answer=Answer(a=("198.51.100.24",)), marker=Marker("X-Deployment", "backup")),
        ),
    )


def reading(records: dict[str, AddressSet], **more: Any) -> ZoneReading:
    can = more.pop("capabilities", capabilities(BatchLimit(records=200)))
    wanted = {"primary": PRIMARY, "backup": BACKUP}
    made = ZoneReading(
        account="dns", zone=APEX, capabilities=can, at=NOW, records=dict(records), wanted=wanted, may_write=True
    )
    return replace(made, **more)


def certificate(days: float) -> Certificate:
    """A good one that ends in so many days."""
    issued = NOW - timedelta(days=30)
    return Certificate(names=(WWW, APEX), issuer="R11", issued=issued, expires=NOW + timedelta(days=days))


def result(deployment: str, **more: Any) -> ProbeResult:
    """A good answer of a deployment, whose certificate ends in 60 days."""
    good: dict[str, Any] = {
        "hostname": WWW,
        "address": "198.51.100.24",
        "at": NOW,
        "ok": True,
        "reason": "200 in 12 ms",
        "status": 200,
        "marker_ok": True,
        "marker_seen": deployment,
        "certificate": certificate(60),
    }
    return ProbeResult(deployment=deployment, **{**good, **more})


def health_of(deployment: str, health: str, *results: ProbeResult, at: datetime = NOW) -> DeploymentHealth:
    last = Round(at=at, results=results or (result(deployment),))
    proven = at if health == "healthy" else None
    state = {"healthy": State.UP, "unhealthy": State.DOWN}.get(health, State.UNKNOWN)
    return DeploymentHealth(
        deployment=deployment,
        health=Health(health),
        reason=last.reason,
        state=state,
        since=at,
        last=last,
        proven=proven,
    )


def servers(records: dict[str, AddressSet], **more: Any) -> tuple[ServerAnswer, ...]:
    """One name server that says this."""
    base = {"server": "ns1.shop.example", "address": "192.0.2.53", "zone": APEX, **more}
    return tuple(ServerAnswer(hostname=name, records=found, **base) for name, found in records.items())


def snapshot(of: Service | None = None, **more: Any) -> Snapshot:
    """Visitors are on the primary, and its name server says so too."""
    well: dict[str, Any] = {"readings": (reading(PRIMARY),), "servers": servers(PRIMARY)}
    return Snapshot(service=of or service(), at=NOW, **{**well, **more})


def observed(of: Service | None = None, **more: Any) -> Observation:
    """Visitors are on the primary, and the backup could take over. `more` are fields of any part of it."""
    parts = {part: {k: more.pop(k) for k in set(more) & set(part.__struct_fields__)} for part in (Overlay, Observation)}
    well: dict[str, Any] = {"health": {name: health_of(name, "healthy") for name in ("primary", "backup")}}
    read = parts[Observation].pop("snapshot", None) or snapshot(of, **more)
    return Observation(snapshot=read, at=NOW, overlay=Overlay(**parts[Overlay]), **{**well, **parts[Observation]})


def state(seen: Observation, run: Run | None = None) -> ServiceState:
    """What follows from it, where nothing was known before."""
    return assess(seen, replace(unread(seen.service, NOW), run=run))
