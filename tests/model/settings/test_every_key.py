"""Every key of a service and of `lookup` either counts where something acts or sends a secret, or does neither."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck, Journey, JourneyStep
from changeover.model.settings.acting_parts import acting_parts
from changeover.model.settings.action import Action, CommandLine, HttpCall, Phase, PlatformCall
from changeover.model.settings.deployment_database import DeploymentDatabase
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Service, Settings

STEP = JourneyStep(path="/login", method="POST", headers={"A": "{secret:probe}"}, body="b", capture={"c": "header:C"})
CALL = HttpCall(url="https://ops.example/", headers={"A": "{secret:ops}"}, body="b")
DATABASE = DeploymentDatabase(kind="postgresql", secret="one-db")
SHOP = Service(
    name="shop",
    hostnames=("www.shop.example",),
    dns=(ZoneAt("pd", "shop.example"), ZoneAt("pd", "example")),
    deployments=(
        Deployment(
            name="one",
            answer=Answer(a=("192.0.2.1",)),
            platform="lab",
            account="lab",
            options={"app": "one"},
            database=DATABASE,
        ),
        Deployment(name="two", answer=Answer(cname="two.example.net")),
    ),
    health=HealthCheck(journeys=(Journey(name="log in", steps=(STEP,)),)),
    actions=(
        Action(name="hook", phase=Phase.LIFT, operation=CALL, undo=CommandLine(command=("back",))),
        Action(name="scale", phase=Phase.PROMOTE, operation=PlatformCall(deployment="one", verb="scale")),
    ),
)

USUAL = LookupSettings()

#: What counts, with a value that it is changed to.
COUNTS: dict[type[Struct], dict[str, Any]] = {
    Service: {
        "name": "news",
        "hostnames": ("shop.example",),
        "deployments": SHOP.deployments[::-1],
        "health": HealthCheck(),
        "actions": SHOP.actions[:1],
    },
    Deployment: {
        "name": "three",
        "answer": Answer(a=("192.0.2.66",)),
        "platform": "other",
        "account": "other",
        "options": {"app": "two"},
        "answers": {"www.shop.example": Answer(a=("192.0.2.66",))},
        "database": None,
    },
    DeploymentDatabase: {"kind": "mysql", "secret": "two-db"},
    HealthCheck: {"scheme": "http", "port": 8443, "ca_file": "thief.pem", "journeys": ()},
    Journey: {"name": "other", "steps": (STEP, STEP)},
    JourneyStep: {"path": "/l", "method": "PUT", "headers": {"B": "{secret:probe}"}, "body": "c", "capture": {}},
    Action: {
        "name": "other",
        "phase": Phase.FENCE,
        "operation": CommandLine(command=("rm",)),
        "to": ("two",),
        "needs": "source",
        "undo": None,
        "timeout": 1.0,
        "repeatable": True,
        "together": "x",
    },
    HttpCall: {"url": "https://thief.example/", "method": "PUT", "headers": {"B": "{secret:ops}"}, "body": "c"},
    CommandLine: {"command": ("rm",)},
    PlatformCall: {"deployment": "two", "verb": "promote", "options": {"instances": 0}},
    LookupSettings: {
        "resolvers": ("192.0.2.66",),
        "system_resolvers": True,
        "nameservers": {"shop.example": ("192.0.2.66",)},
    },
}
#: What is shown with the plan, or only looked at and judged. A key that is new belongs here or above.
HARMLESS: dict[type[Struct], set[str]] = {
    Service: {
        *("dns", "ttl", "maintenance", "after", "run_timeout", "lease", "name_servers_needed", "recovery_objective"),
        *("drift", "database_lag", "version"),
    },
    Deployment: {"marker", "status_page"},
    HealthCheck: {
        *("path", "headers", "interval", "suspect_interval", "timeout", "connect_timeout", "tls_timeout"),
        *("first_byte_timeout", "thresholds", "expect_certificate_days"),
    },
    Action: {"risk"},
    HttpCall: {"expect_status"},
    LookupSettings: {"witnesses", "doh", "portal"},
}
PAIRS = [(kind, key) for kind, keys in COUNTS.items() for key in keys]


class NoFiles:
    def content(self, path: str) -> str:
        return path

    def beside(self, word: str) -> str | None:
        return None

    def whole(self, relative: str) -> str:
        return relative


def parts_of(service: Service, lookup: LookupSettings = USUAL) -> frozenset[Any]:
    return frozenset(acting_parts(Settings(services=(service,), lookup=lookup), {}, NoFiles()))


def changed(kind: type[Struct], key: str, value: Any) -> frozenset[Any]:
    """The parts, with this key of the first such table changed."""
    health, hook = SHOP.health, SHOP.actions[0]
    (journey,) = health.journeys
    new = {key: value}
    if kind is LookupSettings:
        return parts_of(SHOP, LookupSettings(**new))
    if kind is Service:
        return parts_of(replace(SHOP, **new))
    if kind is Deployment:
        return parts_of(replace(SHOP, deployments=(replace(SHOP.deployments[0], **new), SHOP.deployments[1])))
    if kind is DeploymentDatabase:
        one = replace(SHOP.deployments[0], database=replace(DATABASE, **new))
        return parts_of(replace(SHOP, deployments=(one, SHOP.deployments[1])))
    if kind is HealthCheck:
        return parts_of(replace(SHOP, health=replace(health, **new)))
    if kind in (Journey, JourneyStep):
        one = replace(journey, **new) if kind is Journey else replace(journey, steps=(replace(STEP, **new),))
        return parts_of(replace(SHOP, health=replace(health, journeys=(one,))))
    acting = {
        Action: lambda: replace(hook, **new),
        HttpCall: lambda: replace(hook, operation=replace(CALL, **new)),
        CommandLine: lambda: replace(hook, undo=CommandLine(**new)),
        PlatformCall: lambda: replace(SHOP.actions[1], operation=replace(SHOP.actions[1].operation, **new)),
    }[kind]()
    rest = tuple(action for action in SHOP.actions if action.name != acting.name and action is not hook)
    return parts_of(replace(SHOP, actions=(acting, *(rest if kind is not PlatformCall else (hook,)))))


@pytest.mark.parametrize(("kind", "key"), PAIRS, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_what_acts_or_leads_a_secret_cannot_change_unseen(kind: type[Struct], key: str) -> None:
    """Each such key, changed by somebody else, makes at least one part another or a new one, or takes one away."""
    assert changed(kind, key, COUNTS[kind][key]) != parts_of(SHOP)


@pytest.mark.parametrize("kind", list(COUNTS), ids=lambda kind: kind.__name__)
def test_no_key_was_forgotten(kind: type[Struct]) -> None:
    """Whoever adds a key says here whether it acts."""
    checked = set() if kind not in (HealthCheck, JourneyStep) else {f for f in kind.__struct_fields__ if "expect_" in f}
    assert {*COUNTS[kind], *HARMLESS.get(kind, ()), *checked} == set(kind.__struct_fields__)


@pytest.mark.parametrize("answer", ["192.0.2.1", "192.0.2.2"])
def test_the_address_that_journeys_go_to_is_in_their_part(answer: str) -> None:
    """By whichever of a deployment's keys it is said."""
    moved = replace(SHOP.deployments[1], answers={"www.shop.example": Answer(a=(answer,))})
    assert parts_of(replace(SHOP, deployments=(SHOP.deployments[0], moved))) != parts_of(SHOP)
