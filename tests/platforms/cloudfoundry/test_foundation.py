"""What a Cloud Foundry's app is told to be, and what becomes of what is asked there, besides the promises of all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from changeover.model.errors import Conflict, NotFound, PermissionDenied, ProviderError, RateLimited, Rejected
from changeover.model.platforms.platform_observation import AttachedResource, Process
from changeover.model.settings.platform import HostnameOptions, ProcessScaleOptions
from changeover.platforms.cloudfoundry import foundation
from changeover.platforms.platform import Done, InDoubt
from platforms.cloudfoundry_ground import HOSTNAME, CloudFoundryGround


@pytest.fixture
async def ground() -> AsyncIterator[CloudFoundryGround]:
    with CloudFoundryGround() as running:
        yield running
        await running.platform.aclose()


async def test_everything_of_an_app_is_told(ground: CloudFoundryGround) -> None:
    """Scale, release and commit, what it runs on, its routes, services and quota; of its configuration only hashes."""
    ground.begin(3, maintenance=False)
    behind = ground.simulator
    behind.variables[ground.app] = {"DATABASE_URL": "postgres://canary@db/shop", "MODE": "canary"}
    behind.bind(ground.app, "shop-db", "postgresql", "small", state="in progress")
    behind.crash(ground.app, "web", 2)
    behind.isolate(ground.space, "only-ours")
    found = await ground.platform.observe(ground.target)
    assert (found.wanted, found.running, found.started, found.maintenance) == (3, 2, True, False)
    assert found.processes == (
        Process(name="web", wanted=3, running=2, size="256 MB", crashed=1),
        Process(name="worker", wanted=1, running=1, size="256 MB"),
    )
    assert (found.release, found.commit) == ("v12", "4f4f592")
    assert found.released_at == datetime(2026, 8, 1, 10, tzinfo=UTC)
    assert (found.runtime, found.runtime_support, found.buildpacks) == ("cflinuxfs4", "full", ("python",))
    assert found.hostnames == ("shop-web.apps.cf.example", HOSTNAME)
    assert found.config.keys() == {"DATABASE_URL", "MODE"}
    assert found.urls_without_tls == ("DATABASE_URL",)
    assert "canary" not in repr(found)
    (database,) = found.resources or ()
    assert database == AttachedResource(name="shop-db", kind="postgresql", plan="small", state="create in progress")
    # Of the space's 4096 MB are 4 * 256 MB of the app and 32 MB of the page in use.
    assert found.quota_left == (4096 - 4 * 256 - 32) // 256
    assert found.isolation == "only-ours"
    assert found.deploying == ""


@pytest.mark.parametrize("status", [404, 501])
async def test_what_korifi_lacks_is_left_out(ground: CloudFoundryGround, status: int) -> None:
    """What runs is told all the same, and the release by the droplet."""
    ground.begin(2, maintenance=False)
    behind = ground.simulator
    behind.korifi = True
    lacks = (
        ".*/revisions/.*",
        ".*_quotas/.*",
        ".*/usage_summary",
        ".*isolation_segment.*",
        "/v3/deployments",
        ".*/env.*",
    )
    behind.lacking = dict.fromkeys((*lacks, "/v3/service_.*"), status)
    found = await ground.platform.observe(ground.target)
    assert (found.wanted, found.running, found.started) == (2, 2, True)
    assert found.release.startswith("droplet ")
    assert (found.quota_left, found.isolation, found.resources, dict(found.config)) == (None, "", None, {})
    with pytest.raises(Rejected, match="Korifi"):
        await ground.platform.perform(ground.target, "maintenance-on", None, "key")


async def test_processes_and_segments_that_do_not_show_themselves(ground: CloudFoundryGround) -> None:
    """How many should run is told, not how many do; a segment by its id."""
    ground.begin(2, maintenance=False)
    ground.simulator.isolate(ground.space, "only-ours")
    ground.simulator.lacking = {".*/stats": 404, "/v3/isolation_segments/.*": 404}
    found = await ground.platform.observe(ground.target)
    assert (found.wanted, found.running) == (2, None)
    assert found.isolation == ground.simulator.spaces[ground.space]["segment"]


async def test_a_role_that_only_looks(ground: CloudFoundryGround) -> None:
    """It is not shown the configuration, and may not change anything: told with what it takes."""
    ground.begin(1, maintenance=False)
    ground.simulator.auditor = True
    ground.uaa.scope = "cloud_controller.read"
    before = ground.world()
    assert not (await ground.platform.observe(ground.target)).config
    for operation in ground.kind.operations:
        if operation.verb != "maintenance-off":
            with pytest.raises(PermissionDenied, match="not authorized") as refused:
                await ground.platform.perform(ground.target, operation.verb, ground.options(operation.verb, 2), "key")
            assert "space_developer" in refused.value.hint
    assert ground.world() == before


async def test_more_than_a_thousand_apps(ground: CloudFoundryGround) -> None:
    """All are listed, whatever the size of a page; of two with one name each is told by its space."""
    staging = ground.simulator.add_space("staging", ground.organization)
    for number in range(1100):
        ground.simulator.add_app(f"app-{number}", staging)
    ground.simulator.add_app("shop-web", staging, instances=7)
    ground.simulator.most_per_page = 400
    found = await ground.platform.discover()
    assert len(found) == 1103
    assert {"shop / production / shop-web", "shop / staging / shop-web", "shop / staging / app-1099"} <= {
        app.name for app in found
    }
    elsewhere = await ground.platform.observe(replace(ground.target, space="staging", maintenance_app=""))
    assert (elsewhere.wanted, elsewhere.maintenance) == (7, None)


async def test_too_many_requests(ground: CloudFoundryGround) -> None:
    """A reading waits as long as it is told; what changes something is refused with that time, and never repeated."""
    ground.behind.misbehave("answer", status=429, headers=[("Retry-After", "0")])
    assert (await ground.platform.observe(ground.target)).release
    ground.behind.misbehave("answer", status=429, headers=[("Retry-After", "7")], writes_only=True)
    with pytest.raises(RateLimited) as refused:
        await ground.platform.perform(ground.target, "stop", None, "key")
    assert refused.value.retry_after == 7
    assert ground.simulator.apps[ground.app]["state"] == "STARTED"


async def test_an_app_that_is_deleted_meanwhile(ground: CloudFoundryGround) -> None:
    """Right before it is changed: it is not there. One that is made anew under its name is the one that is meant."""
    await ground.platform.observe(ground.target)
    ground.behind.before_write = lambda: ground.simulator.remove_app(ground.app)
    with pytest.raises(NotFound):
        await ground.platform.perform(ground.target, "stop", None, "key")
    with pytest.raises(NotFound, match="no app shop-web"):
        await ground.platform.observe(ground.target)
    ground.simulator.add_app("shop-web", ground.space, instances=5)
    assert (await ground.platform.observe(ground.target)).wanted == 5


async def test_a_space_that_is_made_anew(ground: CloudFoundryGround) -> None:
    """What is kept of names is forgotten as soon as it leads nowhere."""
    await ground.platform.observe(ground.target)
    ground.simulator.spaces[ground.space]["name"] = "former"
    ground.simulator.apps[ground.app]["name"] = "former"
    anew = ground.simulator.add_space("production", ground.organization)
    ground.simulator.add_app("shop-web", anew, instances=4)
    ground.simulator.add_app("shop-sorry", anew)
    assert (await ground.platform.observe(ground.target)).wanted == 4


async def test_scaling_and_restarting_take_time(ground: CloudFoundryGround) -> None:
    """Instances that start do not run yet; a deployment is told as long as it is under way, and nothing is missing."""
    ground.begin(2, maintenance=False)
    now = [1000.0]
    ground.simulator.clock, ground.simulator.boot = lambda: now[0], 10.0
    await ground.platform.perform(ground.target, "scale", ProcessScaleOptions(instances=4), "key")
    found = await ground.platform.observe(ground.target)
    assert (found.wanted, found.running) == (4, 2)
    now[0] += 11
    assert (await ground.platform.observe(ground.target)).running == 4
    await ground.platform.perform(ground.target, "restart", None, "key")
    found = await ground.platform.observe(ground.target)
    assert (found.wanted, found.running, found.deploying) == (4, 4, "rolling deployment, deploying")
    with pytest.raises(Rejected, match="deployment is in flight"):
        await ground.platform.perform(ground.target, "scale", ProcessScaleOptions(instances=5), "key")
    now[0] += 41
    found = await ground.platform.observe(ground.target)
    assert (found.wanted, found.running, found.deploying) == (4, 4, "")


async def test_another_kind_of_process(ground: CloudFoundryGround) -> None:
    """It is scaled by its name, and the one that serves visitors stays; one that is not there is told."""
    ground.begin(2, maintenance=False)
    asked = ProcessScaleOptions(instances=0, process="worker")
    assert isinstance(await ground.platform.perform(ground.target, "scale", asked, "key"), Done)
    found = await ground.platform.observe(ground.target)
    assert [(one.name, one.wanted) for one in found.processes] == [("web", 2), ("worker", 0)]
    with pytest.raises(NotFound):
        await ground.platform.perform(ground.target, "scale", ProcessScaleOptions(instances=1, process="a/../b"), "key")


@pytest.mark.parametrize(("hostname", "host"), [("new.shop.example", "new"), ("shop.example", "")])
async def test_a_route_is_made_where_there_is_none(ground: CloudFoundryGround, hostname: str, host: str) -> None:
    """In the domain that is right above the hostname, or that it is itself; asked again, nothing is made twice."""
    for _ in range(2):
        done = await ground.platform.perform(ground.target, "attach-domain", HostnameOptions(hostname=hostname), "key")
        assert isinstance(done, Done)
    (route,) = [one for one in ground.simulator.routes.values() if one["url"] == hostname]
    assert route["host"] == host
    assert ground.simulator.leads_to(route["guid"]) == [("shop-web", "web")]
    assert hostname in (await ground.platform.observe(ground.target)).hostnames


async def test_a_route_of_which_the_second_half_is_lost(ground: CloudFoundryGround) -> None:
    """It is made, but leads nowhere yet: in doubt, whatever the reason; asked again, it is led to the app."""
    for what, status in (("drop-before", 503), ("answer", 422)):
        asked = HostnameOptions(hostname=f"{what}.shop.example")
        ground.behind.misbehave(what, after=1, writes_only=True, status=status)
        assert isinstance(await ground.platform.perform(ground.target, "attach-domain", asked, "key"), InDoubt)
        assert isinstance(await ground.platform.perform(ground.target, "attach-domain", asked, "key"), Done)
        assert asked.hostname in (await ground.platform.observe(ground.target)).hostnames


async def test_a_hostname_that_cannot_be_attached(ground: CloudFoundryGround) -> None:
    """No domain for it, or somebody else's route: told, and nothing is changed."""
    other = ground.simulator.add_space("other", ground.organization)
    shop = next(guid for guid, one in ground.simulator.domains.items() if one["name"] == "shop.example")
    ground.simulator.add_route("taken", shop, other)
    before = ground.world()
    with pytest.raises(NotFound, match=r"no domain www\.else\.example or else\.example"):
        await ground.platform.perform(
            ground.target, "attach-domain", HostnameOptions(hostname="www.else.example"), "key"
        )
    with pytest.raises(Conflict, match="another space"):
        await ground.platform.perform(
            ground.target, "attach-domain", HostnameOptions(hostname="taken.shop.example"), "key"
        )
    assert ground.world() == before


async def test_a_route_that_could_not_be_put_back_stays(ground: CloudFoundryGround) -> None:
    """One that leads to another process than attaching leads to is not taken away."""
    destination = {"app": {"guid": ground.app, "process": {"type": "worker"}}, "port": 9090}
    ground.simulator._lead(ground.route, [destination], False)
    before = ground.world()
    with pytest.raises(Rejected, match="could not be put back"):
        await ground.platform.perform(ground.target, "detach-domain", HostnameOptions(hostname=HOSTNAME), "key")
    assert ground.world() == before


async def test_maintenance_of_a_route_that_is_shared(ground: CloudFoundryGround) -> None:
    """Visitors get the page alone; afterwards the route leads to both apps again, at their ports."""
    green = ground.simulator.add_app("shop-green", ground.space)
    leads = [
        {"app": {"guid": ground.app, "process": {"type": "web"}}, "port": 9090, "protocol": "http2"},
        {"app": {"guid": green, "process": {"type": "web"}}},
    ]
    ground.simulator._lead(ground.usual, leads, False)
    before = ground.world()
    for _ in range(2):
        assert isinstance(await ground.platform.perform(ground.target, "maintenance-on", None, "key"), Done)
    assert ground.simulator.leads_to(ground.usual) == [("shop-sorry", "web")]
    for _ in range(2):
        assert isinstance(await ground.platform.perform(ground.target, "maintenance-off", None, "key"), Done)
    assert ground.world() == before


async def test_maintenance_that_nobody_would_see(ground: CloudFoundryGround) -> None:
    """With a page app that is stopped, or not there, or not named, or without routes: refused, and nothing changed."""
    before = ground.world()
    plain = replace(ground.target, maintenance_app="")
    with pytest.raises(Rejected, match="names no app"):
        await ground.platform.perform(plain, "maintenance-on", None, "key")
    missing = replace(ground.target, maintenance_app="sorry")
    with pytest.raises(NotFound, match="no app sorry"):
        await ground.platform.perform(missing, "maintenance-on", None, "key")
    assert ground.world() == before
    ground.simulator.apps[ground.page]["state"] = "STOPPED"
    with pytest.raises(Rejected, match="is stopped"):
        await ground.platform.perform(ground.target, "maintenance-on", None, "key")


async def test_maintenance_that_stops_half_way(ground: CloudFoundryGround) -> None:
    """One of two routes leads to the page: in doubt, not called maintenance, and taken back exactly."""
    ground.begin(1, maintenance=False)
    before = ground.world()
    ground.behind.misbehave("answer", after=1, writes_only=True, status=422)
    assert isinstance(await ground.platform.perform(ground.target, "maintenance-on", None, "key"), InDoubt)
    assert (await ground.platform.observe(ground.target)).maintenance is False
    await ground.platform.perform(ground.target, "maintenance-off", None, "key")
    assert ground.world() == before


async def test_names_are_asked_for_once(ground: CloudFoundryGround, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look asks neither who this is nor where; after a while it does, since quotas may be others."""
    await ground.platform.observe(ground.target)
    ground.behind.requests.clear()
    await ground.platform.observe(ground.target)
    assert not [
        target for _, target in ground.behind.requests if target.startswith(("/v3/organizations?", "/v3/spaces?"))
    ]
    assert len(ground.behind.requests) <= 16
    monkeypatch.setattr(foundation, "KEPT", 0.0)
    ground.platform._places.clear()
    await ground.platform.observe(ground.target)
    await ground.platform.observe(ground.target)
    assert len([target for _, target in ground.behind.requests if target.startswith("/v3/organizations?")]) == 2


async def test_no_api_of_version_three(ground: CloudFoundryGround) -> None:
    """Told, and no secret was sent anywhere."""
    elsewhere = ground.open(ground.uaa.address)
    with pytest.raises(ProviderError):
        await elsewhere.observe(ground.target)
    await elsewhere.aclose()
