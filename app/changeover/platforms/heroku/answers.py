"""What Heroku's Platform API answers, as far as it is used (devcenter.heroku.com/articles/platform-api-reference).

Lists that a person may make long come in pages; see `Requests.listed`. Whatever else an answer holds is left.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from changeover.platforms.heroku.data_answers import AdvancedDatabase, PostgresDatabase, Transfer


class Named(Struct, frozen=True):
    """Whatever has a name, and an id."""

    name: str = ""
    id: str = ""


class App(Struct, frozen=True):
    name: str
    maintenance: bool = False
    #: Automated Certificate Management.
    acm: bool | None = None
    region: Named = Named()
    #: What it runs on, and what its next build will run on.
    stack: Named = Named()
    updated_at: datetime | None = None
    #: "cedar" or "fir".
    generation: Named = Named()
    #: The Private Space that it runs in; None among all others.
    space: Named | None = None


class Formation(Struct, frozen=True):
    """A kind of process, and how many dynos of it are wanted."""

    type: str
    quantity: int
    size: str = ""


class Dyno(Struct, frozen=True):
    type: str
    #: "crashed", "down", "idle", "starting" or "up".
    state: str


class ImageBuildpack(Struct, frozen=True):
    id: str = ""


class Built(Struct, frozen=True):
    """What a release runs: a slug, or, on generation Fir, an OCI image, which names the buildpacks that made it."""

    commit: str | None = None
    buildpacks: tuple[ImageBuildpack, ...] = ()


class SlugId(Struct, frozen=True):
    id: str | None = None


class Artifact(Struct, frozen=True):
    """What a release runs: a "slug" or an "oci-image"."""

    id: str = ""
    type: str = ""


class Release(Struct, frozen=True):
    id: str
    version: int
    status: str = ""
    #: Is it the one that runs?
    current: bool = False
    created_at: datetime | None = None
    slug: SlugId | None = None
    artifacts: tuple[Artifact, ...] = ()


class Domain(Struct, frozen=True):
    hostname: str
    cname: str | None = None
    #: "custom", or "heroku" for the app's own name below herokuapp.com.
    kind: str = ""
    acm_status: str | None = None
    acm_status_reason: str | None = None
    sni_endpoint: Named | None = None


class SslCertificate(Struct, frozen=True):
    cert_domains: tuple[str, ...] = ()
    expires_at: datetime | None = None
    issuer: str = ""


class SniEndpoint(Struct, frozen=True):
    ssl_cert: SslCertificate = SslCertificate()


class AddOn(Struct, frozen=True):
    id: str
    name: str
    addon_service: Named = Named()
    plan: Named = Named()
    state: str = ""
    config_vars: tuple[str, ...] = ()

    @property
    def plan_name(self) -> str:
        """Without the service that stands before it."""
        return self.plan.name.removeprefix(f"{self.addon_service.name}:")

    @property
    def is_postgres(self) -> bool:
        return self.addon_service.name == "heroku-postgresql"

    @property
    def is_advanced(self) -> bool:
        """Heroku Postgres Advanced, as Heroku's CLI tells it; "performance" was its name before."""
        return self.is_postgres and self.plan_name.startswith(("advanced", "performance"))


class Attachment(Struct, frozen=True):
    """An add-on of an app under a name, such as DATABASE, which stands before its variables."""

    name: str
    addon: Named = Named()


class Coupling(Struct, frozen=True):
    """An app's place in a pipeline: its stage, such as "staging" or "production"."""

    pipeline: Named = Named()
    stage: str = ""


class BuildpackName(Struct, frozen=True):
    url: str = ""
    name: str = ""


class BuildpackInstallation(Struct, frozen=True):
    buildpack: BuildpackName


class Stack(Struct, frozen=True):
    name: str
    #: "public", "beta" or "deprecated".
    state: str = ""


class ErrorBody(Struct, frozen=True):
    """Why a request was refused."""

    message: str = ""


class Rest(Struct, frozen=True, kw_only=True):
    """What seldom changes of an app, as it was read at a moment. What was not told is None.

    `config` has hashes of the values, and `built` is empty where no release runs. An app has one coupling, or none.
    """

    at: datetime | None = None
    config: dict[str, str] | None = None
    urls_without_tls: tuple[str, ...] = ()
    addons: tuple[AddOn, ...] | None = None
    built: Built | None = None
    buildpacks: tuple[BuildpackInstallation, ...] | None = None
    couplings: tuple[Coupling, ...] | None = None
    endpoints: tuple[SniEndpoint, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Was everything told, and is nothing on its way?"""
        told = (self.config, self.addons, self.built, self.buildpacks, self.couplings, self.endpoints)
        return None not in told and all(one.state == "provisioned" for one in self.addons or ())


class Everything(Struct, frozen=True, kw_only=True):
    """All that was told of one app. What could not be read is None. Releases are the newest."""

    app: App
    formation: tuple[Formation, ...]
    domains: tuple[Domain, ...] = ()
    releases: tuple[Release, ...] = ()
    dynos: tuple[Dyno, ...] | None = None
    rest: Rest = Rest()
    stacks: tuple[Stack, ...] | None = None
    databases: tuple[PostgresDatabase, ...] = ()
    clusters: tuple[AdvancedDatabase, ...] = ()
    transfers: tuple[Transfer, ...] = ()

    @property
    def newest(self) -> Release | None:
        return max(self.releases, key=lambda one: one.version, default=None)

    @property
    def running(self) -> Release | None:
        """The current one; where none says that it is, the newest that did not fail."""
        good = [one for one in self.releases if one.current] or [one for one in self.releases if one.status != "failed"]
        return max(good, key=lambda one: one.version, default=None)
