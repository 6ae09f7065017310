"""What Cloud Foundry answers, so far as it is used (v3-apidocs.cloudfoundry.org). It calls its objects resources.

What an older Cloud Foundry, or Korifi, leaves out has a default; what is needed to go on has none.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta, Struct, field

_T = TypeVar("_T")

#: Mostly a UUID; Korifi's have words before it.
Guid = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z")]


class CfLink(Struct, frozen=True):
    href: str


class CfRootLinks(Struct, frozen=True):
    cloud_controller_v3: CfLink | None = None
    login: CfLink | None = None
    uaa: CfLink | None = None


class CfRoot(Struct, frozen=True):
    """What the endpoint says of itself. `cf_on_k8s`: it is Korifi."""

    links: CfRootLinks
    cf_on_k8s: bool = False


class CfPageLinks(Struct, frozen=True):
    next: CfLink | None = None


class CfPage(Struct, Generic[_T], frozen=True):
    resources: tuple[_T, ...]
    pagination: CfPageLinks = CfPageLinks()


class CfReferred(Struct, frozen=True):
    guid: Guid


class CfToOne(Struct, frozen=True):
    data: CfReferred | None = None

    @property
    def guid(self) -> str:
        return "" if self.data is None else self.data.guid


class CfRelations(Struct, frozen=True):
    """All relationships that are looked at; each resource has some."""

    organization: CfToOne = CfToOne()
    space: CfToOne = CfToOne()
    quota: CfToOne = CfToOne()
    service_instance: CfToOne = CfToOne()
    service_plan: CfToOne = CfToOne()
    service_offering: CfToOne = CfToOne()


class CfMetadata(Struct, frozen=True):
    labels: dict[str, str | None] = field(default_factory=dict)
    annotations: dict[str, str | None] = field(default_factory=dict)


class CfNamed(Struct, frozen=True):
    """An organization, a space, a domain, an isolation segment, a plan or an offering."""

    guid: Guid
    name: str
    relationships: CfRelations = CfRelations()


class CfLifecycleData(Struct, frozen=True):
    buildpacks: tuple[str, ...] | None = None
    stack: str | None = None


class CfLifecycle(Struct, frozen=True):
    type: str = ""
    data: CfLifecycleData = CfLifecycleData()


class CfApp(Struct, frozen=True):
    guid: Guid
    name: str
    state: str
    relationships: CfRelations = CfRelations()
    lifecycle: CfLifecycle = CfLifecycle()
    metadata: CfMetadata = CfMetadata()


class CfProcess(Struct, frozen=True):
    guid: Guid
    type: str
    instances: Annotated[int, Meta(ge=0)]
    memory_in_mb: int | None = None


class CfInstanceStats(Struct, frozen=True):
    state: str


class CfStats(Struct, frozen=True):
    resources: tuple[CfInstanceStats, ...]


class CfRevision(Struct, frozen=True):
    version: int
    created_at: datetime | None = None
    metadata: CfMetadata = CfMetadata()


class CfBuildpackUsed(Struct, frozen=True):
    name: str | None = None
    buildpack_name: str | None = None


class CfDroplet(Struct, frozen=True):
    guid: Guid
    created_at: datetime | None = None
    stack: str | None = None
    image: str | None = None
    buildpacks: tuple[CfBuildpackUsed, ...] | None = None
    metadata: CfMetadata = CfMetadata()


class CfStatus(Struct, frozen=True):
    reason: str = ""


class CfDeployment(Struct, frozen=True):
    guid: Guid
    strategy: str = ""
    status: CfStatus = CfStatus()


class CfVariables(Struct, frozen=True):
    var: dict[str, Any]


class CfOfProcess(Struct, frozen=True):
    type: str = "web"


class CfOfApp(Struct, frozen=True):
    guid: Guid
    process: CfOfProcess = CfOfProcess()


class CfDestination(Struct, frozen=True):
    """Where a route leads: a process of an app, at a port of it."""

    app: CfOfApp
    port: int | None = None
    protocol: str | None = None
    weight: int | None = None


class CfRoute(Struct, frozen=True):
    guid: Guid
    url: str
    host: str = ""
    path: str = ""
    protocol: str = "http"
    destinations: tuple[CfDestination, ...] = ()
    relationships: CfRelations = CfRelations()

    @property
    def hostname(self) -> str:
        """The hostname that it serves whole; empty for a route of one path, or of a TCP port."""
        return "" if self.path or self.protocol != "http" else self.url.lower()


class CfDestinations(Struct, frozen=True):
    destinations: tuple[CfDestination, ...]


class CfBinding(Struct, frozen=True):
    relationships: CfRelations = CfRelations()


class CfLastOperation(Struct, frozen=True):
    type: str = ""
    state: str = ""


class CfServiceInstance(Struct, frozen=True):
    guid: Guid
    name: str
    type: str = "managed"
    last_operation: CfLastOperation | None = None
    relationships: CfRelations = CfRelations()


class CfPlans(Struct, frozen=True):
    service_plans: tuple[CfNamed, ...] = ()
    service_offerings: tuple[CfNamed, ...] = ()


class CfServiceInstances(Struct, frozen=True):
    resources: tuple[CfServiceInstance, ...]
    included: CfPlans = CfPlans()


class CfUsage(Struct, frozen=True):
    started_instances: int
    memory_in_mb: int


class CfUsageSummary(Struct, frozen=True):
    usage_summary: CfUsage


class CfQuotaApps(Struct, frozen=True):
    """Limits of running apps; None is no limit."""

    total_memory_in_mb: int | None = None
    total_instances: int | None = None
    per_process_memory_in_mb: int | None = None


class CfQuota(Struct, frozen=True):
    apps: CfQuotaApps = CfQuotaApps()


class CfFault(Struct, frozen=True):
    code: int = 0
    title: str = ""
    detail: str = ""


class CfFaults(Struct, frozen=True):
    """A refusal; parts of Cloud Foundry beside the API write it as version 2 did."""

    errors: tuple[CfFault, ...] = ()
    description: str = ""

    @property
    def words(self) -> str:
        return "; ".join(one.detail or one.title for one in self.errors) or self.description
