"""What runs of an app, put together from what Cloud Foundry answers to a dozen questions, most of them at once.

An app, its processes and its routes are needed. All else is left out where this Cloud Foundry has no such thing (404 or
501, as at Korifi) or does not show it to the account's role (403).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from changeover.dns.http.api import segment
from changeover.model.foreign_text import one_line
from changeover.model.platforms.platform_observation import (
    AttachedDomain,
    AttachedResource,
    PlatformObservation,
    Process,
)
from changeover.platforms.cloudfoundry.cloud_controller import CloudController, if_there
from changeover.platforms.cloudfoundry.resources import (
    CfApp,
    CfBinding,
    CfDeployment,
    CfDroplet,
    CfMetadata,
    CfNamed,
    CfProcess,
    CfQuota,
    CfQuotaApps,
    CfRevision,
    CfRoute,
    CfServiceInstances,
    CfStats,
    CfToOne,
    CfUsage,
    CfUsageSummary,
    CfVariables,
)
from changeover.platforms.cloudfoundry.routes import in_maintenance
from changeover.platforms.config_hash import hashed, urls_without_tls

#: The process that serves visitors.
WEB = "web"
#: Labels and annotations that say which commit was deployed, whatever stands before a "/" in them; in this order.
_COMMIT = ("commit", "git-commit", "commit-sha", "git-sha", "revision", "vcs-ref")
#: Root file systems whose support has ended, and those that are kept up (github.com/cloudfoundry/cflinuxfs3 and …fs4).
_ENDED, _KEPT = ("lucid64", "cflinuxfs2", "cflinuxfs3"), ("cflinuxfs4", "cflinuxfs5")
#: Service instances that are asked for at once: their ids stand in the address.
_MOST_GUIDS = 50


class Limit(Struct, frozen=True):
    """A quota, and where what is used of it is told."""

    usage: str
    quota: CfQuotaApps


class CfPlace(Struct, frozen=True):
    """A space and its organization, the isolation segment that its apps run in, where that is another than all's, and
    the quotas of both."""

    organization: CfNamed
    space: CfNamed
    isolation: str = ""
    limits: tuple[Limit, ...] = ()


async def found_place(cloud: CloudController, organization: CfNamed, space: CfNamed) -> CfPlace:
    """All of a space that is the same for each of its apps, and seldom changes."""
    try:
        async with asyncio.TaskGroup() as group:
            isolation = group.create_task(_isolation(cloud, organization.guid, space.guid))
            whole = group.create_task(_limit(cloud, "organizations", "organization_quotas", organization))
            own = group.create_task(_limit(cloud, "spaces", "space_quotas", space))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    limits = tuple(one for one in (whole.result(), own.result()) if one is not None)
    return CfPlace(organization, space, isolation.result(), limits)


async def observed(cloud: CloudController, place: CfPlace, app: CfApp, page: str | None) -> PlatformObservation:
    """What runs of `app`. `page` is the app that shows the maintenance page; None where there is none."""
    path = f"/v3/apps/{segment(app.guid)}"
    active = {"app_guids": app.guid, "status_values": "ACTIVE"}
    try:
        async with asyncio.TaskGroup() as group:
            processes = group.create_task(_processes(cloud, path))
            routes = group.create_task(cloud.listed("/v3/routes", CfRoute, app_guids=app.guid))
            droplet = group.create_task(if_there(cloud.get(f"{path}/droplets/current", CfDroplet), None))
            revisions = group.create_task(if_there(cloud.listed(f"{path}/revisions/deployed", CfRevision), []))
            config = group.create_task(if_there(_config(cloud, path), ({}, ())))
            deployments = group.create_task(if_there(cloud.listed("/v3/deployments", CfDeployment, **active), []))
            resources = group.create_task(if_there(_resources(cloud, app.guid), None))
            used = group.create_task(_used(cloud, place.limits))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    built, here = droplet.result(), merged(processes.result())
    revision = max(revisions.result(), key=lambda one: one.version, default=None)
    web = next((one for one in here if one.name == WEB), None)
    memory = next((one.memory_in_mb for one, _ in processes.result() if one.type == WEB), None)
    hostnames = tuple(sorted({route.hostname for route in routes.result() if route.hostname}))
    runtime, buildpacks = _built_with(app, built)
    hashes, without_tls = config.result()
    return PlatformObservation(
        wanted=None if web is None else web.wanted,
        running=None if web is None else web.running,
        release=f"v{revision.version}" if revision else f"droplet {built.guid[:8]}" if built else "",
        maintenance=None if page is None else is_in_maintenance(routes.result(), page),
        hostnames=hostnames,
        started=app.state == "STARTED",
        processes=here,
        commit=commit_of(built.metadata if built else None, revision.metadata if revision else None, app.metadata),
        released_at=revision.created_at if revision else built.created_at if built else None,
        deploying=", ".join(f"{one.strategy} deployment, {one.status.reason.lower()}" for one in deployments.result()),
        runtime=runtime,
        runtime_support="ended" if runtime in _ENDED else "full" if runtime in _KEPT else "",
        buildpacks=buildpacks,
        domains=tuple(AttachedDomain(hostname=name) for name in hostnames),
        config=hashes,
        urls_without_tls=without_tls,
        resources=resources.result(),
        quota_left=quota_left(used.result(), memory),
        isolation=place.isolation,
    )


def is_in_maintenance(routes: Sequence[CfRoute], page: str) -> bool:
    """Do all of the app's routes lead to the page?"""
    return bool(routes) and all(in_maintenance(route.destinations, page) for route in routes)


def merged(processes: Iterable[tuple[CfProcess, CfStats | None]]) -> tuple[Process, ...]:
    """The processes by their kind. While a deployment is under way there are two of one kind, the old and the new."""
    found: dict[str, Process] = {}
    for one, stats in processes:
        states = [] if stats is None else [instance.state for instance in stats.resources]
        former = found.get(one.type, Process(name=one.type, wanted=0))
        found[one.type] = Process(
            name=one.type,
            wanted=max(former.wanted, one.instances),
            running=former.running if stats is None else (former.running or 0) + states.count("RUNNING"),
            size=former.size or (f"{one.memory_in_mb} MB" if one.memory_in_mb else ""),
            crashed=former.crashed + states.count("CRASHED"),
        )
    return tuple(found[kind] for kind in sorted(found, key=lambda kind: (kind != WEB, kind)))


def quota_left(limits: Iterable[tuple[CfQuotaApps, CfUsage]], memory: int | None) -> int | None:
    """How many more instances of `memory` MB every quota allows; None where none limits them."""
    left: list[int] = []
    for quota, used in limits:
        if quota.total_instances is not None:
            left.append(quota.total_instances - used.started_instances)
        if quota.total_memory_in_mb is not None and memory:
            left.append((quota.total_memory_in_mb - used.memory_in_mb) // memory)
        if quota.per_process_memory_in_mb is not None and memory and memory > quota.per_process_memory_in_mb:
            left.append(0)
    return max(0, min(left)) if left else None


def commit_of(*metadata: CfMetadata | None) -> str:
    """The commit that labels or annotations tell of, those of the first thing that has one."""
    for one in metadata:
        told = {} if one is None else {**one.labels, **one.annotations}
        plain = {name.rpartition("/")[2].lower().replace("_", "-"): value for name, value in told.items() if value}
        for name in _COMMIT:
            if name in plain:
                return one_line(plain[name] or "", 100)
    return ""


async def _isolation(cloud: CloudController, organization: str, space: str) -> str:
    """The name of the isolation segment of a space's apps; empty where they run among all others."""
    for path in (
        f"/v3/spaces/{segment(space)}/relationships/isolation_segment",
        f"/v3/organizations/{segment(organization)}/relationships/default_isolation_segment",
    ):
        found = await if_there(cloud.get(path, CfToOne), CfToOne())
        if found.guid:
            named = await if_there(cloud.get(f"/v3/isolation_segments/{segment(found.guid)}", CfNamed), None)
            return found.guid if named is None else named.name
    return ""


async def _processes(cloud: CloudController, path: str) -> list[tuple[CfProcess, CfStats | None]]:
    """The processes with their instances; None where one is gone meanwhile, as the old one at a deployment's end."""

    async def stats(one: CfProcess) -> CfStats | None:
        return await if_there(cloud.get(f"/v3/processes/{segment(one.guid)}/stats", CfStats), None)

    found = await cloud.listed(f"{path}/processes", CfProcess)
    return list(zip(found, await asyncio.gather(*map(stats, found)), strict=True))


async def _config(cloud: CloudController, path: str) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The configuration's hashes: its values go no further."""
    found = (await cloud.get(f"{path}/environment_variables", CfVariables)).var
    values = {name: value if isinstance(value, str) else repr(value) for name, value in found.items()}
    return hashed(values), urls_without_tls(values)


async def _resources(cloud: CloudController, app: str) -> tuple[AttachedResource, ...]:
    bindings = await cloud.listed("/v3/service_credential_bindings", CfBinding, app_guids=app, type="app")
    guids = [one.relationships.service_instance.guid for one in bindings if one.relationships.service_instance.guid]
    found: list[AttachedResource] = []
    for start in range(0, len(guids), _MOST_GUIDS):
        answer = await cloud.get(
            "/v3/service_instances",
            CfServiceInstances,
            guids=",".join(guids[start : start + _MOST_GUIDS]),
            per_page=str(_MOST_GUIDS),
            **{
                "fields[service_plan]": "guid,name,relationships.service_offering",
                "fields[service_plan.service_offering]": "guid,name",
            },
        )
        plans = {plan.guid: plan for plan in answer.included.service_plans}
        offerings = {offering.guid: offering.name for offering in answer.included.service_offerings}
        for one in answer.resources:
            plan = plans.get(one.relationships.service_plan.guid)
            kind = offerings.get(plan.relationships.service_offering.guid, "") if plan else ""
            operation = one.last_operation
            told = "" if operation is None or operation.state == "succeeded" else f"{operation.type} {operation.state}"
            found.append(
                AttachedResource(
                    name=one.name, kind=kind or one.type, plan=plan.name if plan else "", state=told.strip()
                )
            )
    return tuple(sorted(found, key=lambda one: one.name))


async def _limit(cloud: CloudController, kind: str, quotas: str, of: CfNamed) -> Limit | None:
    guid = of.relationships.quota.guid
    found = await if_there(cloud.get(f"/v3/{quotas}/{segment(guid)}", CfQuota), None) if guid else None
    return None if found is None else Limit(f"/v3/{kind}/{segment(of.guid)}/usage_summary", found.apps)


async def _used(cloud: CloudController, limits: Iterable[Limit]) -> list[tuple[CfQuotaApps, CfUsage]]:
    """What is used of each quota, where that is told."""

    async def used(limit: Limit) -> tuple[CfQuotaApps, CfUsage] | None:
        found = await if_there(cloud.get(limit.usage, CfUsageSummary), None)
        return None if found is None else (limit.quota, found.usage_summary)

    return [one for one in await asyncio.gather(*map(used, limits)) if one is not None]


def _built_with(app: CfApp, built: CfDroplet | None) -> tuple[str, tuple[str, ...]]:
    """What the app runs on, and the buildpacks that made it run there."""
    stack = (built.stack if built else None) or app.lifecycle.data.stack
    image = f"image {built.image}" if built is not None and built.image else app.lifecycle.type
    used = built.buildpacks if built else None
    buildpacks = [one.buildpack_name or one.name or "" for one in used or ()] or app.lifecycle.data.buildpacks or ()
    return one_line(stack or image, 200), tuple(one_line(name, 200) for name in buildpacks if name)
