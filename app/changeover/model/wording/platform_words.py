"""What a platform, and the app itself, say of a deployment, in words."""

from __future__ import annotations

from changeover.model.formatting import counted
from changeover.model.platforms.app_version import AppVersion, commit_words
from changeover.model.platforms.platform_observation import PlatformObservation


def observation_words(found: PlatformObservation) -> str:
    """What runs, in one line without a full stop: "release v41, 1 of 2 instances, in maintenance"."""
    parts = [f"release {found.release}"] if found.release else []
    if found.wanted is not None:
        running = f"{found.running} of " if found.running not in (None, found.wanted) else ""
        parts.append(f"{running}{counted(found.wanted, 'instance')}")
    parts += ["in maintenance"] if found.maintenance else []
    return ", ".join(parts) or "nothing is told of it"


def version_words(told: AppVersion) -> str:
    """What the app runs, in one line without a full stop: "commit 4f4f592a1b2c, database schema 42"."""
    parts = [f"commit {commit_words(told.commit.value)}"] if told.commit is not None and told.commit.value else []
    parts += [f"database schema {told.schema.value}"] if told.schema is not None and told.schema.value else []
    return ", ".join(parts) or "nothing is told of it"
