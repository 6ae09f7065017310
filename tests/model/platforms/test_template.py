"""Steps of a switch besides DNS, from what the platforms of both sides can be asked."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from changeover.model.platforms.platform_observation import PlatformObservation, Process
from changeover.model.platforms.template import template
from changeover.model.settings.action import Action, Phase, PlatformCall, Verb
from changeover.model.settings.platform import (
    AccountKinds,
    DriftRules,
    NoOptions,
    PlatformOperation,
    ProcessScaleOptions,
    ScaleOptions,
)
from changeover.model.settings.service import Service
from model.snapshots import service


def operation(verb: Verb, options: type[Struct] = NoOptions) -> PlatformOperation:
    return PlatformOperation(verb=verb, does="", reverse=None, permission="", idempotent=True, options=options)


class Whole:
    """A platform that can be asked for all that a template uses."""

    operations = (operation("maintenance-on"), operation("maintenance-off"), operation("scale", ProcessScaleOptions))


class OnlyScale:
    operations = (operation("scale", ScaleOptions),)


KINDS = AccountKinds({}, {"whole": Whole, "scales": OnlyScale})  # type: ignore[dict-item]
FLEET = PlatformObservation(wanted=2, processes=(Process(name="web", wanted=2), Process(name="worker", wanted=3)))
STANDBY = PlatformObservation(wanted=1, processes=(Process(name="web", wanted=1), Process(name="worker", wanted=0)))


def on(primary: str, backup: str, **more: Any) -> Service:
    of = service()
    pairs = zip(of.deployments, (primary, backup), strict=True)
    return replace(of, deployments=tuple(replace(d, platform=platform) for d, platform in pairs), **more)


def told(actions: tuple[Action, ...], to: str) -> list[tuple[str, str, Any]]:
    """Phase, verb and options (or the whole operation) of the steps of one direction."""
    found: list[tuple[str, str, Any]] = []
    for action in actions:
        step = action.operation
        if action.to == (to,) and isinstance(step, PlatformCall):
            found.append((str(action.phase), f"{step.deployment} {step.verb}", step.options))
        elif action.to == (to,):
            found.append((str(action.phase), type(step).__name__, None))
    return found


def test_over_between_two_platforms() -> None:
    """Room at the target, the source quiet, the target open and proven, its workers after visitors."""
    actions = template(on("whole", "whole"), KINDS, {"primary": FLEET, "backup": STANDBY})
    assert told(actions, "backup") == [
        ("quiesce", "backup scale", {"instances": 2}),
        ("quiesce", "primary maintenance-on", {}),
        ("quiesce", "primary scale", {"process": "worker", "instances": 0}),
        ("drain", "WaitUntil", None),
        ("promote", "backup maintenance-off", {}),
        ("prove", "WaitUntil", None),
        ("lift", "backup scale", {"process": "worker", "instances": 3}),
    ]


def test_back_again() -> None:
    """The same the other way round: what the primary has more of stays."""
    actions = template(on("whole", "whole"), KINDS, {"primary": FLEET, "backup": STANDBY})
    assert told(actions, "primary") == [
        ("quiesce", "primary scale", {"instances": 2}),
        ("quiesce", "backup maintenance-on", {}),
        ("drain", "WaitUntil", None),
        ("promote", "primary maintenance-off", {}),
        ("prove", "WaitUntil", None),
        ("lift", "primary scale", {"process": "worker", "instances": 3}),
    ]


def test_from_any_address() -> None:
    """Which cannot be asked for anything: the target alone is made ready."""
    actions = template(on("url", "whole"), KINDS, {"backup": STANDBY})
    assert told(actions, "backup") == [
        ("promote", "backup maintenance-off", {}),
        ("prove", "WaitUntil", None),
    ]
    assert told(actions, "primary") == [
        ("quiesce", "backup maintenance-on", {}),
        ("drain", "WaitUntil", None),
    ]


def test_where_nothing_can_be_asked_there_are_no_steps() -> None:
    """DNS alone is switched."""
    assert template(on("url", "url"), KINDS, {}) == ()


def test_a_platform_that_only_scales() -> None:
    """Gets the declared minimum; processes that it does not know are left out."""
    actions = template(on("url", "scales", drift=DriftRules(minimum={"web": 4, "worker": 2})), KINDS, {})
    assert told(actions, "backup") == [("quiesce", "backup scale", {"instances": 4}), ("prove", "WaitUntil", None)]


numbers = st.integers(0, 9)
fleets = st.builds(
    PlatformObservation,
    wanted=st.none() | numbers,
    processes=st.dictionaries(st.sampled_from(["web", "worker", "clock"]), numbers).map(
        lambda found: tuple(Process(name=name, wanted=number) for name, number in found.items())
    ),
)
platforms = st.sampled_from(["whole", "scales", "url"])


@given(platforms, platforms, st.none() | fleets, st.none() | fleets)
def test_every_template_keeps_its_order_and_names(
    primary: str, backup: str, here: PlatformObservation | None, there: PlatformObservation | None
) -> None:
    """Each step has a name of its own and a direction; nothing but the source is stopped, nothing but the target runs.

    An emergency leaves out all that the source is asked for, and only that.
    """
    known = {name: seen for name, seen in (("primary", here), ("backup", there)) if seen is not None}
    actions = template(on(primary, backup), KINDS, known)
    assert len({action.name for action in actions}) == len(actions)
    order = list(Phase)
    for to in ("primary", "backup"):
        phases = [order.index(action.phase) for action in actions if action.to == (to,)]
        assert phases == sorted(phases)
    for action in actions:
        (to,) = action.to
        step = action.operation
        if isinstance(step, PlatformCall):
            assert (action.needs == "source") == (step.deployment != to)
            stops = step.verb == "maintenance-on" or step.options.get("instances") == 0
            assert stops == (action.needs == "source")
        assert action.repeatable
