"""Pins what installers ship: every package with its version and the hash of the very file, as pip resolves it here.

    python packaging/lock.py

writes packaging/requirements-PLATFORM.lock for the system that it is run on, since compiled packages are other files
on each. `pip install --require-hashes -r` that file takes these and nothing else. Which index is asked is pip's own
matter.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

PACKAGING = Path(__file__).resolve().parent


def lock_file() -> Path:
    """The lock of this system and this Python."""
    platform = sysconfig.get_platform().replace(".", "_")
    return PACKAGING / f"requirements-{platform}-py{sys.version_info.major}{sys.version_info.minor}.lock"


def resolved(dependencies: list[str]) -> list[dict[str, Any]]:
    """What pip would install for these, each with the file that it would take. Installs nothing."""
    asked = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    report = subprocess.run(
        [*asked, "--only-binary", ":all:", *dependencies], check=True, capture_output=True, text=True
    )
    found: list[dict[str, Any]] = json.loads(report.stdout)["install"]
    return found


def lines(found: list[dict[str, Any]]) -> list[str]:
    """One line a package, by name."""
    made = []
    for one in found:
        metadata, hashes = one["metadata"], one["download_info"]["archive_info"]["hashes"]
        made.append(f"{metadata['name'].lower()}=={metadata['version']} --hash=sha256:{hashes['sha256']}")
    return sorted(made)


def main() -> None:
    project = tomllib.loads((PACKAGING.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    head = "# What installers ship on this system. Made by packaging/lock.py; change pyproject.toml and run it again."
    text = "\n".join([head, *lines(resolved(project["dependencies"]))])
    lock_file().write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
