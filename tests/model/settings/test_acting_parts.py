"""Which parts of the settings can act, what each of them says, and how it differs from what was approved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck, Journey, JourneyStep
from changeover.model.settings.acting_parts import (
    ActingPart,
    Credential,
    Lines,
    Unapproved,
    acting_parts,
    bound_secrets,
    fingerprint_of,
    only,
    places_of,
    sending,
    unapproved,
)
from changeover.model.settings.action import Action, Approval, CommandLine, HttpCall, Note, Phase, PlatformCall
from changeover.model.settings.deployment_database import DeploymentDatabase
from changeover.model.settings.maintenance import Maintenance
from changeover.model.settings.platform import DriftRules
from changeover.model.settings.service import Account, Answer, Deployment, LookupSettings, Marker, Service, Settings

LOGIN = JourneyStep(path="/login", method="POST", body="password={secret:probe}", capture={"token": "json:token"})
ORDERS = JourneyStep(path="/orders", headers={"Authorization": "Bearer {token}"})
HOOK = HttpCall(url="https://ops.example/hook", headers={"X": "{secret:ops}"})
RUN = CommandLine(command=("/repo/promote.sh", "--now"))
SCALE = PlatformCall(deployment="backup", verb="scale", options={"instances": 2})
SHOP = Service(
    name="shop",
    hostnames=("www.shop.example", "shop.example"),
    dns=(ZoneAt("pdns", "shop.example"),),
    deployments=(
        Deployment(name="primary", answer=Answer(a=("192.0.2.1",))),
        Deployment(
            name="backup",
            answer=Answer(cname="b.example.net"),
            platform="lab",
            account="steer",
            options={"app": "shop-b"},
        ),
    ),
    health=HealthCheck(
        port=8443,
        ca_file="/repo/team.pem",
        journeys=(Journey(name="log in", steps=(LOGIN, ORDERS)), Journey(name="look", steps=(JourneyStep(path="/"),))),
    ),
    actions=(
        Action(name="hook", phase=Phase.QUIESCE, operation=HOOK, undo=replace(HOOK, method="DELETE")),
        Action(name="promote", phase=Phase.PROMOTE, operation=RUN),
        Action(name="scale", phase=Phase.PROMOTE, operation=SCALE, to=("backup",)),
        Action(name="ask", phase=Phase.PROVE, operation=Approval(question="Well?")),
    ),
)
SETTINGS = Settings(
    accounts=(Account("pdns", "powerdns", {}), Account("plain", "rfc2136", {})),
    services=(SHOP,),
    lookup=LookupSettings(resolvers=("192.0.2.53",), nameservers={"shop.example": ("192.0.2.54",)}),
)
CREDENTIAL = Credential(provider="powerdns", options={"endpoint": "http://a:1/api"}, fields=("key",), host="a")


class Disk:
    """Files by their path; the settings lie in /repo."""

    def __init__(self, **changed: str) -> None:
        self.files = {"/repo/team.pem": "t", "/repo/promote.sh": "p", **changed}

    def content(self, path: str) -> str:
        return self.files.get(path, "")

    def beside(self, word: str) -> str | None:
        path = word if word.startswith("/") else f"/repo/{word}"
        return path.removeprefix("/repo/") if path in self.files else None

    def whole(self, relative: str) -> str:
        return f"/repo/{relative}"


def parts(settings: Settings = SETTINGS, credential: Credential = CREDENTIAL, disk: Disk | None = None) -> Any:
    return acting_parts(settings, {"pdns": credential}, disk or Disk())


def with_shop(**changed: Any) -> Settings:
    return replace(SETTINGS, services=(replace(SHOP, **changed),))


def with_health(**changed: Any) -> Settings:
    return with_shop(health=replace(SHOP.health, **changed))


def with_step(**changed: Any) -> Settings:
    return with_health(journeys=(Journey(name="log in", steps=(replace(LOGIN, **changed), ORDERS)),))


def with_action(number: int, **changed: Any) -> Settings:
    actions = list(SHOP.actions)
    actions[number] = replace(actions[number], **changed)
    return with_shop(actions=tuple(actions))


def with_deployment(number: int, **changed: Any) -> Settings:
    deployments = list(SHOP.deployments)
    deployments[number] = replace(deployments[number], **changed)
    return with_shop(deployments=tuple(deployments))


def with_lookup(**changed: Any) -> Settings:
    return replace(SETTINGS, lookup=replace(SETTINGS.lookup, **changed))


def changed_places(now: tuple[ActingPart, ...]) -> set[str]:
    approved = {part.place: part.lines for part in parts()}
    return {one.part.place.removeprefix("services/shop/") for one in unapproved(now, approved)}


def test_every_part_that_acts_has_a_place() -> None:
    """The account with a secret, what acts in a run, where calls go, and where journeys take their secrets."""
    assert [part.place for part in parts()] == [
        "accounts/pdns",
        *(f"services/shop/actions/{name}" for name in ("hook", "promote", "scale")),
        "services/shop/calls",
        "services/shop/steering",
        "services/shop/journeys",
    ]


def test_what_only_watches_and_what_people_do_is_no_part() -> None:
    """Neither accounts without secrets, nor journeys without, nor notes and approvals."""
    asks = (
        Action(name="ask", phase=Phase.PROVE, operation=Approval(question="Well?")),
        Action(name="note", phase=Phase.LIFT, operation=Note(note="Tell them")),
    )
    quiet = with_shop(actions=asks, health=replace(SHOP.health, journeys=SHOP.health.journeys[1:]))
    assert acting_parts(quiet, {}, Disk()) == ()


MOVED: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "an account's port": (
        lambda: parts(credential=replace(CREDENTIAL, options={"endpoint": "http://a:2/api"})),
        {"accounts/pdns"},
    ),
    "an account's scheme": (
        lambda: parts(credential=replace(CREDENTIAL, options={"endpoint": "https://a:1/api"})),
        {"accounts/pdns"},
    ),
    "an account's provider": (lambda: parts(credential=replace(CREDENTIAL, provider="other")), {"accounts/pdns"}),
    "a program": (
        lambda: parts(with_action(1, operation=CommandLine(command=("/bin/rm", "--now")))),
        {"actions/promote"},
    ),
    "an argument": (
        lambda: parts(with_action(1, operation=CommandLine(command=(*RUN.command, "-f")))),
        {"actions/promote"},
    ),
    "two arguments in one": (
        lambda: parts(with_action(1, operation=CommandLine(command=("/repo/promote.sh --now",)))),
        {"actions/promote"},
    ),
    "a script beside the settings": (lambda: parts(disk=Disk(**{"/repo/promote.sh": "x"})), {"actions/promote"}),
    "how it is taken back": (lambda: parts(with_action(1, undo=RUN)), {"actions/promote"}),
    "its phase": (lambda: parts(with_action(1, phase=Phase.FENCE)), {"actions/promote"}),
    "which switches it is for": (lambda: parts(with_action(2, to=())), {"actions/scale"}),
    "a call's port": (
        lambda: parts(with_action(0, operation=replace(HOOK, url="https://ops.example:8443/hook"))),
        {"actions/hook"},
    ),
    "a call's path": (
        lambda: parts(with_action(0, operation=replace(HOOK, url="https://ops.example/{secret:ops}"))),
        {"actions/hook"},
    ),
    "a call's header": (
        lambda: parts(with_action(0, operation=replace(HOOK, headers={"Y": "{secret:ops}"}))),
        {"actions/hook"},
    ),
    "a call's body": (lambda: parts(with_action(0, operation=replace(HOOK, body=""))), {"actions/hook"}),
    "what a platform is asked": (
        lambda: parts(with_action(2, operation=replace(SCALE, options={"instances": 0}))),
        {"actions/scale"},
    ),
    "which app it is asked of": (lambda: parts(with_deployment(1, options={"app": "other"})), {"steering"}),
    "with which account": (lambda: parts(with_deployment(1, account="other")), {"steering"}),
    "the authority": (lambda: parts(with_health(ca_file="/repo/thief.pem")), {"calls", "journeys"}),
    "no authority": (lambda: parts(with_health(ca_file=None)), {"calls", "journeys"}),
    "the authority's content": (lambda: parts(disk=Disk(**{"/repo/team.pem": "thief"})), {"calls", "journeys"}),
    "the authority is gone": (lambda: parts(disk=Disk(**{"/repo/team.pem": ""})), {"calls", "journeys"}),
    "a resolver": (lambda: parts(with_lookup(resolvers=("192.0.2.66",))), {"calls", "journeys"}),
    "a name server": (lambda: parts(with_lookup(nameservers={"shop.example": ("192.0.2.66",)})), {"journeys"}),
    "no name server": (lambda: parts(with_lookup(nameservers={})), {"journeys"}),
    "an address": (lambda: parts(with_deployment(0, answer=Answer(a=("192.0.2.66",)))), {"journeys"}),
    "an address of this hostname": (
        lambda: parts(with_deployment(0, answers={"www.shop.example": Answer(a=("192.0.2.66",))})),
        {"journeys"},
    ),
    "a target": (lambda: parts(with_deployment(1, answer=Answer(cname="thief.example"))), {"journeys"}),
    "another deployment": (
        lambda: parts(with_shop(deployments=(*SHOP.deployments, replace(SHOP.deployments[0], name="third")))),
        {"journeys", "steering"},
    ),
    "the scheme": (lambda: parts(with_health(scheme="http")), {"journeys"}),
    "the port": (lambda: parts(with_health(port=8444)), {"journeys"}),
    "the hostname": (lambda: parts(with_shop(hostnames=SHOP.hostnames[::-1])), {"journeys"}),
    "a journey's path": (lambda: parts(with_step(path="/log?{secret:probe}")), {"journeys"}),
    "a journey's header": (lambda: parts(with_step(headers={"X": "y"})), {"journeys"}),
    "a journey's body": (lambda: parts(with_step(body="p={secret:probe}&admin=1")), {"journeys"}),
    "what a journey keeps": (lambda: parts(with_step(capture={"token": "header:Location"})), {"journeys"}),
    "another secret": (lambda: parts(with_step(body="p={secret:root}")), {"journeys"}),
}


@pytest.mark.parametrize("what", list(MOVED))
def test_what_decides_what_acts_or_where_a_secret_goes_must_be_seen(what: str) -> None:
    """Each of these, changed alone, is noticed where it acts, and nowhere else."""
    now, places = MOVED[what]
    assert changed_places(now()) == places
    assert fingerprint_of(now()) != fingerprint_of(parts())


WATCHING = {
    "conditions": lambda: with_health(expect_status="200", expect_body="ok", interval=5, path="/health"),
    "a journey's conditions": lambda: with_step(expect_status="204"),
    "a journey without secrets": lambda: with_health(journeys=SHOP.health.journeys[:1]),
    "an address of another hostname": lambda: with_deployment(0, answers={"shop.example": Answer(a=("192.0.2.9",))}),
    "a marker": lambda: with_deployment(0, marker=Marker("X", "y")),
    "a status page": lambda: with_deployment(0, status_page="https://status.example"),
    "TTL and lease": lambda: with_shop(
        ttl=30, lease=False, recovery_objective=60, drift=DriftRules(minimum={"web": 2})
    ),
    "maintenance": lambda: with_shop(maintenance=(Maintenance(at="02:00", minutes=5, days=("monday",)),)),
    "witnesses": lambda: with_lookup(witnesses=(), portal="", doh=()),
    "another zone's name servers": lambda: with_lookup(
        nameservers={**SETTINGS.lookup.nameservers, "x.example": ("a",)}
    ),
    "a question": lambda: with_action(3, operation=Approval(question="Really?")),
    "an account without secrets": lambda: replace(SETTINGS, accounts=SETTINGS.accounts[:1]),
}


@pytest.mark.parametrize("what", list(WATCHING))
def test_watching_and_dns_need_nobody(what: str) -> None:
    """What neither acts nor sends a secret is changed in git, and in force at once."""
    assert parts(WATCHING[what]()) == parts()


def test_a_fingerprint_is_the_same_on_every_computer() -> None:
    """Wherever the settings lie, and in whatever order they name things."""

    class Elsewhere(Disk):
        def content(self, path: str) -> str:
            return super().content(path.replace("/home/ops/", "/repo/"))

        def beside(self, word: str) -> str | None:
            return super().beside(word.replace("/home/ops/", "/repo/"))

    there = with_action(1, operation=CommandLine(command=("/home/ops/promote.sh", "--now")))
    there = replace(
        there,
        services=(replace(there.services[0], health=replace(SHOP.health, ca_file="/home/ops/team.pem")),),
        accounts=there.accounts[::-1],
    )
    assert fingerprint_of(parts(there, disk=Elsewhere())) == fingerprint_of(parts())


def test_what_differs_stands_beside_what_was() -> None:
    """Line by line, each where it is; what is new has only plus signs."""
    was = parts()[-1]
    now = parts(with_deployment(0, answer=Answer(a=("192.0.2.66",))))[-1]
    rows = Unapproved(part=now, was=was.lines).rows
    assert [row for row in rows if row[0] != " "] == [
        ("-", "at primary", "192.0.2.1"),
        ("+", "at primary", "192.0.2.66"),
    ]
    assert {row[0] for row in Unapproved(part=now).rows} == {"+"}
    assert Unapproved(part=now).words == "Where the secrets of shop's journeys go is new"
    assert Unapproved(part=now, was=was.lines).words == "Where the secrets of shop's journeys go has changed"


LINES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=6).map(tuple)


@given(LINES, LINES)
def test_a_difference_has_every_line_of_both(was: Lines, now: Lines) -> None:
    """Whatever was, and whatever is: nothing is left out, and what is there now stands in its order."""
    rows = Unapproved(part=ActingPart(place="p", words="P", lines=now, owner="p"), was=was).rows
    assert tuple((what, how) for sign, what, how in rows if sign in " +") == now
    assert {(what, how) for sign, what, how in rows if sign in " -"} == set(was)


def test_a_secret_is_bound_to_scheme_host_port_and_authority() -> None:
    """And to each way that it goes: of a service, by its journeys and by each of its calls."""
    secrets = {(s.owner, s.field, s.host) for s in bound_secrets(SETTINGS, {"pdns": CREDENTIAL}, Disk())}
    assert secrets == {
        ("pdns", "key", "a"),
        ("service-shop", "probe", "www.shop.example"),
        ("service-shop", "ops", "ops.example"),
    }

    def bound(settings: Settings, field: str, disk: Disk | None = None) -> set[str]:
        return {s.bound for s in bound_secrets(settings, {"pdns": CREDENTIAL}, disk or Disk()) if s.field == field}

    for moved in (with_health(scheme="http"), with_health(port=1), with_health(ca_file=None)):
        assert bound(moved, "probe") != bound(SETTINGS, "probe")
    assert bound(SETTINGS, "probe", Disk(**{"/repo/team.pem": "x"})) != bound(SETTINGS, "probe")
    elsewhere = with_action(0, operation=replace(HOOK, url="https://ops.example:1/hook"))
    assert bound(elsewhere, "ops") > bound(SETTINGS, "ops"), "the undo still goes the old way"
    assert bound(with_deployment(0, answer=Answer(a=("192.0.2.66",))), "probe") == bound(SETTINGS, "probe")


def test_a_service_can_be_asked_for_alone() -> None:
    """Its places, those that send one secret, and settings that have no other parts."""
    assert set(places_of(SHOP)) >= {part.place for part in parts()} - {"accounts/steer"}
    assert sending(SHOP, "probe") == ("services/shop/journeys",)
    assert sending(SHOP, "ops") == ("services/shop/actions/hook", "services/shop/calls")
    two = replace(SETTINGS, services=(SHOP, replace(SHOP, name="news")))
    assert parts(only(two, places_of(SHOP))) == parts()
    assert [p.place for p in parts(only(two, ("accounts/pdns",)))] == ["accounts/pdns"]


def with_databases(primary: str, backup: str, kind: str = "postgresql") -> Settings:
    named = zip(SHOP.deployments, (primary, backup), strict=True)
    on = tuple(replace(d, database=DeploymentDatabase(kind=kind, secret=secret)) for d, secret in named)
    return replace(SETTINGS, services=(replace(SHOP, deployments=on),))


def test_which_database_is_whose_is_a_part_of_its_own() -> None:
    """Two that change places, or another kind, must be approved anew; where a string goes stands in it alone."""
    settings = with_databases("one-db", "two-db")
    (part,) = [p for p in acting_parts(settings, {}, Disk()) if p.place == "services/shop/databases"]
    assert part.lines == (
        ("primary, kind", "postgresql"),
        ("primary, secret", "one-db"),
        ("backup, kind", "postgresql"),
        ("backup, secret", "two-db"),
    )
    for other in (with_databases("two-db", "one-db"), with_databases("one-db", "two-db", "mysql")):
        assert part not in acting_parts(other, {}, Disk())
    assert part.place in places_of(settings.services[0])
    assert sending(settings.services[0], "two-db") == (part.place,)
    bound = {(s.owner, s.field): (s.host, s.place) for s in bound_secrets(settings, {}, Disk())}
    assert bound["service-shop", "two-db"] == ("the database that it names", part.place)
