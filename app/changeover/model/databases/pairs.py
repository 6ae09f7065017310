"""Which of a service's databases is looked at as the standby of which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from changeover.model.databases.kept_database import KeptDatabase


def pairs(names: Sequence[str], kept: Mapping[str, KeptDatabase]) -> list[tuple[str, str]]:
    """(primary, standby) by deployment, of those that are known: all beside the one that says that it is the primary.

    Where none or several say so, the first is.
    """
    known = [name for name in names if name in kept]
    primaries = [name for name in known if kept[name].observation.role == "primary"]
    first = primaries[0] if primaries else next(iter(known), "")
    return [(first, name) for name in known if name != first]
