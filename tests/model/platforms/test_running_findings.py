"""What a platform says against a deployment is told, each by itself; nothing is told of one that is well."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from changeover.model.finding import Level
from changeover.model.platforms.platform_observation import PlatformObservation, Process
from changeover.model.platforms.running_findings import running_findings

HOSTS = ("www.shop.example", "shop.example")
WELL = PlatformObservation(
    wanted=2,
    running=2,
    started=True,
    hostnames=HOSTS,
    processes=(Process(name="web", wanted=2, running=2), Process(name="worker", wanted=1, running=1)),
    runtime="cflinuxfs4",
    runtime_support="full",
    quota_left=3,
)
MINIMUM = {"web": 4, "worker": 1}


def told(found: PlatformObservation) -> list[str]:
    findings = running_findings("backup", found, HOSTS, MINIMUM)
    assert all(one.level is Level.WARN and one.fix.endswith(".") for one in findings)
    return [one.text for one in findings]


@pytest.mark.parametrize(
    "found", [WELL, PlatformObservation(), replace(WELL, hostnames=("*.shop.example", "shop.example"))]
)
def test_nothing_of_one_that_is_well(found: PlatformObservation) -> None:
    """Nor of one whose platform tells nothing."""
    assert told(found) == []


NO_ROUTE = "The platform of backup has no route for {}, so visitors would get an error there"
ONE_CRASHES = {"processes": (Process(name="web", wanted=4, running=3, crashed=1),), "quota_left": 1}
TWO_CRASH = {"processes": (Process(name="worker", wanted=3, crashed=2),), "quota_left": 4}
DEPLOYING = (
    "backup is being deployed at this moment (rolling deployment, deploying): it cannot be scaled until that has ended"
)
ENDED = "backup runs on cflinuxfs3, which gets no repairs any more and may refuse the next deployment"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"started": False, "quota_left": 9}, "backup is stopped at its platform, so it answers nobody"),
        (ONE_CRASHES, "1 of 4 web instances of backup crashes"),
        (TWO_CRASH, "2 of 3 worker instances of backup crash"),
        ({"hostnames": ("www.shop.example",)}, NO_ROUTE.format("shop.example")),
        ({"hostnames": ()}, NO_ROUTE.format("www.shop.example, shop.example")),
        ({"quota_left": 1}, "backup needs 2 more instances, and its quota has room for 1"),
        ({"deploying": "rolling deployment, deploying"}, DEPLOYING),
        ({"runtime": "cflinuxfs3", "runtime_support": "ended"}, ENDED),
    ],
)
def test_each_fault(changed: dict[str, Any], words: str) -> None:
    """In these words, and nothing else with it."""
    assert told(replace(WELL, **changed)) == [words]


def test_a_stopped_app_uses_nothing_of_its_quota() -> None:
    """All of its instances must find room before it can run."""
    stopped = replace(WELL, started=False, quota_left=4)
    assert told(stopped)[-1] == "backup needs 5 more instances, and its quota has room for 4"
    assert len(told(replace(stopped, quota_left=5))) == 1
