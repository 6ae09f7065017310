"""What every test may use."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dns.resolver
import pytest
from hypothesis import settings

import changeover
from changeover.dns.lookup import system_resolvers
from shop import Shop

ROOT = Path(__file__).resolve().parents[1]

# No property is about how long an example takes: the machine may be busy with other work.
settings.register_profile("changeover", deadline=None)
settings.load_profile("changeover")


def pytest_configure() -> None:
    """What tests start is this checkout, whatever is installed, and none of it reaches the machine's resolvers.

    Programs keep what they compile, also where the environment says otherwise: hundreds of them are started.
    """
    assert Path(changeover.__file__).is_relative_to(ROOT), f"the tests of {ROOT} got {changeover.__file__}"
    first = [str(ROOT / "tests" / "loopback_only"), str(ROOT / "app")]
    rest = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part not in first]
    os.environ["PYTHONPATH"] = os.pathsep.join([*first, *rest])
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


@pytest.fixture(autouse=True)
def no_system_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is ever asked of the resolvers of the machine that the tests run on."""
    monkeypatch.setattr(dns.resolver, "default_resolver", dns.resolver.Resolver(configure=False))
    monkeypatch.setattr(system_resolvers, "RESOLV_CONF", Path("/nowhere/resolv.conf"))


@pytest.fixture(autouse=True, scope="session")
def approvals_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests approve is kept in a folder of theirs, and not in that of the person who runs them."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose zone is on a BIND that takes unsigned updates from loopback."""
    with Shop(tmp_path) as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what laptops and switches went through, how often processes were killed, and how their runs were ended."""
    explored: Counter[str] = Counter()
    on_platforms: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        for name, text in report.user_properties:
            if name == "life":
                terminalreporter.write_line(f"a laptop's life, {text}")
            if name == "histories":
                explored.update(json.loads(text))
            if name == "killed on a platform":
                on_platforms[text] += 1
            if name == "fuzz":
                terminalreporter.write_line(f"fuzz, {text}")
            if name == "faults":
                terminalreporter.write_line(f"faults on the wire, {text}")
    for variable, what in (("CHANGEOVER_RECORDINGS", "recordings"), ("CHANGEOVER_CONTRACTS", "contracts")):
        reasons = (str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
        if left_out := sum(variable in reason for reason in reasons):
            terminalreporter.write_line(f"against {what} of real providers: {left_out} left out, {variable} is not set")
    if explored:
        told = "; ".join(f"{number} × {what}" for what, number in explored.most_common() if what != "histories")
        terminalreporter.write_line(f"explorer: {explored['histories']} histories of switches ({told})")
    if on_platforms:
        told = "; ".join(f"{number} × {what}" for what, number in on_platforms.most_common())
        terminalreporter.write_line(f"crashes on platforms: {on_platforms.total()} processes killed ({told})")
    counts: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        killed = re.search(r"test_crash_matrix.*\[(\d+)-(before|after)-(forward|undo)-(\w+)\]", report.nodeid)
        if killed:
            counts[f"{killed[3]}, then {killed[4]}"] += 1
    if counts:
        told = "; ".join(f"{number} × {what}" for what, number in sorted(counts.items()))
        terminalreporter.write_line(f"crash matrix: {sum(counts.values())} processes killed ({told})")
