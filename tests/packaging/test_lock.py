"""What installers ship is pinned, file by file, and is what the project asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = sorted((ROOT / "packaging").glob("requirements-*.lock"))
PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+) --hash=sha256:[0-9a-f]{64}$")


def test_every_line_of_a_lock_pins_one_file() -> None:
    """Name, version and hash, and nothing else: no address of any index, no range."""
    assert LOCKS
    for lock in LOCKS:
        first, *lines = lock.read_text(encoding="utf-8").splitlines()
        assert first.startswith("# ")
        assert all(PINNED.match(line) for line in lines), lock.name
        assert lines == sorted(lines)


def test_a_lock_has_what_the_project_asks_for() -> None:
    """Each dependency that holds on that system, in a version that its bound allows."""
    for lock in LOCKS:
        found = (PINNED.match(line) for line in lock.read_text(encoding="utf-8").splitlines())
        pinned = {canonicalize_name(match[1]): match[2] for match in found if match}
        for wanted in map(Requirement, PROJECT["dependencies"]):
            if wanted.marker is not None and not wanted.marker.evaluate():
                continue
            assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), wanted


def test_bounds_are_those_without_known_holes() -> None:
    """Nothing older may be installed."""
    bounds = {r.name: str(r.specifier) for r in map(Requirement, PROJECT["dependencies"])}
    wanted = {"h11": ">=0.16", "filelock": ">=3.20.1", "cryptography": ">=44.0.1", "h2": ">=4.3"}
    assert {name: bounds[name] for name in wanted} == wanted
