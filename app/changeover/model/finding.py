"""Findings: the results of readiness checks, and which of them a person may override."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

#: Checks that nobody can override, whatever the reason. Without readable records there is no plan that could be run.
NEVER_OVERRIDABLE = frozenset(
    {"answer-legal", "routing-policy", "wildcard", "records-readable", "unfinished-run", "lock"}
)
#: Checks that only an emergency may override: the proof that the target works, and what other people asked for.
EMERGENCY_OVERRIDABLE = frozenset(
    {"target-answers", "marker", "certificate", "routing-name", "journeys", "trust", "freeze", "lease"}
)

CHECKS = (
    "connection",
    "clock",
    "credential",
    "records-readable",
    "records-agree",
    "dnssec",
    "records-changed",
    "ownership",
    "routing-policy",
    "wildcard",
    "answer-legal",
    "type-change-gap",
    "pinned",
    "maintenance",
    "routing-name",
    "target-answers",
    "evidence",
    "platform-status",
    "platform",
    "journeys",
    "marker",
    "certificate",
    "ttl",
    "source-known",
    "source-healthy",
    "database",
    "drift",
    "fenced",
    "order",
    "failback",
    "recent-switch",
    "trust",
    "freeze",
    "lease",
    "unfinished-run",
    "lock",
)


class Level(StrEnum):
    PASS = "pass"
    WARN = "warn"
    BLOCK = "block"


class Finding(Struct, frozen=True, kw_only=True):
    """One result of one check. `fix` says what to do about a warning or a block."""

    check: str
    level: Level
    text: str
    fix: str = ""
    overridable: bool = False
    override: str | None = None


def unknown_override(names: Iterable[str]) -> str | None:
    """The first of `names` that is not a check's name."""
    return next((name for name in names if name not in CHECKS), None)


def with_overridable(finding: Finding, emergency: bool) -> Finding:
    """`finding` with its `overridable` set: only a block can be overridden, and not every one."""
    can = finding.level is Level.BLOCK and finding.check not in NEVER_OVERRIDABLE
    if finding.check in EMERGENCY_OVERRIDABLE and not emergency:
        can = False
    return replace(finding, overridable=can)


def overridden(found: Sequence[Finding], overrides: Mapping[str, str]) -> tuple[Finding, ...]:
    """`found` with each block that `overrides` names, and that may be overridden, turned into a warning."""
    return tuple(
        replace(f, level=Level.WARN, override=overrides[f.check]) if f.overridable and f.check in overrides else f
        for f in found
    )


def worst(found: Iterable[Finding]) -> Level:
    levels = {f.level for f in found}
    return next((level for level in (Level.BLOCK, Level.WARN) if level in levels), Level.PASS)
